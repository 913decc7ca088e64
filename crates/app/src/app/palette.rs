//! The command palette: find a command by the letters of its name.

use egui::Key;

use crate::action::{Action, Actions};
use crate::command::Command;
use crate::theme::Theme;

use super::App;

/// What the palette remembers while it is open.
#[derive(Debug, Clone, Default)]
pub(super) struct Palette {
    query: String,
    chosen: usize,
}

impl App {
    /// Draws the palette.
    pub(super) fn palette(&mut self, ctx: &egui::Context, actions: &mut Actions) {
        let Some(mut palette) = self.palette.take() else {
            return;
        };
        let theme = Theme::of(ctx);
        let (up, down, enter) = ctx.input_mut(|i| {
            let mut taken = |key| i.count_and_consume_key(egui::Modifiers::NONE, key);
            (
                taken(Key::ArrowUp),
                taken(Key::ArrowDown),
                taken(Key::Enter) > 0,
            )
        });
        let found = palette.found(self);
        let last = found.len().saturating_sub(1);
        palette.chosen = (palette.chosen + down).saturating_sub(up).min(last);
        let mut picked = enter.then(|| found.get(palette.chosen).copied()).flatten();
        let moved = up + down > 0;
        let screen = ctx.content_rect();
        let shown = egui::Modal::new(egui::Id::unique("palette"))
            .frame(theme.dialog_frame())
            .show(ctx, |ui| {
                let panels = theme.panels();
                ui.set_width(
                    panels
                        .palette_width
                        .min(screen.width() - 2.0 * theme.space().huge),
                );
                let label = ui.label("Command");
                let field = egui::TextEdit::singleline(&mut palette.query)
                    .hint_text("Letters of its name")
                    .desired_width(f32::INFINITY);
                let field = ui.add(field).labelled_by(label.id);
                field.request_focus();
                if field.changed() {
                    palette.chosen = 0;
                }
                ui.add_space(theme.space().small);
                egui::ScrollArea::vertical()
                    .max_height(panels.palette_height.min(screen.height() * 0.6))
                    .show(ui, |ui| {
                        // The bar lies over the content.
                        ui.set_width(ui.available_width() - theme.space().medium);
                        ui.with_layout(egui::Layout::top_down_justified(egui::Align::Min), |ui| {
                            for (i, command) in found.iter().enumerate() {
                                if row(ui, *command, i == palette.chosen, moved) {
                                    picked = Some(*command);
                                }
                            }
                            if found.is_empty() {
                                ui.label("No command of that name: try fewer letters");
                            }
                        });
                    });
            });
        if let Some(command) = picked {
            actions.push(Action::Command(command));
        } else if !shown.should_close() {
            self.palette = Some(palette);
        }
    }
}

/// A command of the list; true if it was clicked.
fn row(ui: &mut egui::Ui, command: Command, chosen: bool, scroll: bool) -> bool {
    let mut button = egui::Button::selectable(chosen, command.text());
    if let Some(shortcut) = command.shortcut() {
        button = button.right_text(ui.ctx().format_shortcut(&shortcut));
    }
    let row = ui.add(button).on_hover_text(command.tooltip());
    if chosen && scroll {
        row.scroll_to_me(None);
    }
    row.clicked()
}

impl Palette {
    /// The commands that can be carried out now and fit, best first.
    fn found(&self, app: &App) -> Vec<Command> {
        let mut found: Vec<_> = Command::ALL
            .into_iter()
            .filter(|c| *c != Command::Palette && c.enabled(app))
            .filter_map(|c| Some((c.fits(&self.query)?, c)))
            .collect();
        // Stable: those that fit alike stay in the order of the list.
        if !self.query.trim().is_empty() {
            found.sort_by_key(|(cost, _)| *cost);
        }
        found.into_iter().map(|(_, c)| c).collect()
    }
}
