//! Keys, from the one list of commands.

use egui::{Event, Modifiers};

use crate::action::{Action, Actions};
use crate::command::Command;

use super::App;

impl App {
    /// Asks for the commands whose shortcuts were pressed.
    pub(super) fn shortcuts(&self, ctx: &egui::Context, actions: &mut Actions) {
        if self.dialog.is_some() || self.palette.is_some() {
            return;
        }
        let typing = ctx.text_edit_focused();
        let mut all: Vec<_> = Command::ALL
            .into_iter()
            .flat_map(|c| c.shortcuts().iter().map(move |s| (c, s)))
            // A field that is being typed in has an undo of its own.
            .filter(|(c, _)| !(typing && matches!(c, Command::Undo | Command::Redo)))
            .collect();
        // With more modifiers first: Ctrl+S would also take Ctrl+Shift+S.
        all.sort_by_key(|(_, s)| std::cmp::Reverse(count(s.modifiers)));
        ctx.input_mut(|input| {
            for (command, shortcut) in all {
                let holds = |event: &Event| match event {
                    Event::Key {
                        key,
                        pressed: true,
                        repeat,
                        modifiers,
                        ..
                    } => {
                        *key == shortcut.logical_key
                            && modifiers.matches_exact(shortcut.modifiers)
                            && (!repeat || matches!(command, Command::Undo | Command::Redo))
                    }
                    _ => false,
                };
                if input.events.iter().any(holds) {
                    input.consume_shortcut(shortcut);
                    actions.push(Action::Command(command));
                }
            }
        });
    }
}

fn count(m: Modifiers) -> usize {
    [m.alt, m.ctrl, m.shift, m.command]
        .iter()
        .filter(|on| **on)
        .count()
}
