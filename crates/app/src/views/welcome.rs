//! The first page: bundled examples, recent files.

use std::path::PathBuf;

use egui::{Button, RichText, Ui};

use crate::action::Action;
use crate::app::examples::Example;
use crate::command::Command;
use crate::plot::ViewContext;
use crate::theme::Theme;

/// What the page shows.
pub struct Welcome<'a> {
    /// The bundled examples.
    pub examples: &'a [Example],
    /// Name of the one that the large button opens.
    pub first: &'a str,
    /// Recent files, newest first.
    pub recent: &'a [PathBuf],
    /// Name of the open document.
    pub open: Option<String>,
}

/// Draws the page.
pub fn show(ui: &mut Ui, cx: &mut ViewContext<'_>, model: &Welcome<'_>) {
    let theme = cx.theme;
    egui::ScrollArea::vertical()
        .id_salt("welcome")
        .auto_shrink(false)
        .show(ui, |ui| {
            let width = theme.panels().page_width.min(ui.available_width());
            let margin = (ui.available_width() - width) / 2.0;
            ui.horizontal(|ui| {
                ui.add_space(margin);
                ui.vertical(|ui| {
                    ui.set_width(width);
                    page(ui, cx, model);
                });
            });
        });
}

fn page(ui: &mut Ui, cx: &mut ViewContext<'_>, model: &Welcome<'_>) {
    let theme = cx.theme;
    ui.add_space(theme.space().large);
    ui.label(RichText::new("Ballast").text_style(Theme::title_style()));
    ui.label("Will this GPU cluster's power swing the generators that feed it, and what keeps them steady?");
    ui.add_space(theme.space().large);
    ui.horizontal_wrapped(|ui| {
        let text = RichText::new("Open the example site")
            .text_style(Theme::strong_style())
            .color(theme.on_accent);
        let main = Button::new(text)
            .fill(theme.accent)
            .min_size(egui::vec2(0.0, theme.panels().button_height * 1.5));
        if ui
            .add(main)
            .on_hover_text("1024 GPUs on two diesel sets; it runs at once")
            .clicked()
        {
            cx.actions.push(Action::OpenExample(model.first.to_owned()));
        }
        for command in [Command::Open, Command::New] {
            let button = Button::new(command.text())
                .min_size(egui::vec2(0.0, theme.panels().button_height * 1.5));
            if ui.add(button).on_hover_text(command.tooltip()).clicked() {
                cx.actions.push(Action::Command(command));
            }
        }
        if let Some(name) = &model.open
            && ui
                .add(
                    Button::new(format!("Back to {name}"))
                        .min_size(egui::vec2(0.0, theme.panels().button_height * 1.5)),
                )
                .clicked()
        {
            cx.actions.push(Action::Command(Command::ShowPlots));
        }
    });
    if !model.recent.is_empty() {
        ui.add_space(theme.space().large);
        ui.heading("Recent files");
        for path in model.recent {
            let name = path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            ui.horizontal_wrapped(|ui| {
                if ui.link(name).clicked() {
                    cx.actions.push(Action::Open(path.clone()));
                }
                let folder = path.parent().map(|p| p.display().to_string());
                ui.label(RichText::new(folder.unwrap_or_default()).color(theme.muted));
            });
        }
    }
    ui.add_space(theme.space().large);
    ui.heading("Examples");
    ui.add_space(theme.space().small);
    for example in model.examples {
        theme.card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            let title = RichText::new(example.title()).text_style(Theme::strong_style());
            if ui.link(title).clicked() {
                cx.actions
                    .push(Action::OpenExample(example.name.to_owned()));
            }
            ui.label(example.about());
        });
        ui.add_space(theme.space().small);
    }
    ui.add_space(theme.space().medium);
    ui.label(
        RichText::new("Files can also be dropped on the window. Ctrl+P finds every command.")
            .color(theme.muted),
    );
    ui.add_space(theme.space().large);
}
