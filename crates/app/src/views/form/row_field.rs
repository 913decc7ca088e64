//! One field: label, value, what it rests on, what is wrong.

use egui::{ComboBox, Label, PopupCloseBehavior, RichText, Sense, TextEdit, Ui, vec2};

use super::icon::{self, Icon};
use super::rows::{Row, editor_width, label_width};
use crate::fields::{Field, FieldFrom, FieldKind, Form, PresetChoice};
use crate::plot::ViewContext;
use crate::theme::Theme;
use crate::widgets::quantity_edit::{self, Edited, id_of, moved};

/// Points of a drag for one step.
const DRAG_STEP: f32 = 4.0;

/// Draws a row; what the user did with it.
pub(super) fn show(
    ui: &mut Ui,
    cx: &mut ViewContext<'_>,
    form: &Form,
    field: &Field,
    row: &Row,
    refused: Option<&(String, String)>,
    focus: bool,
) -> Edited {
    let theme = cx.theme;
    let mut edited = Edited::No;
    ui.spacing_mut().item_spacing.y = theme.space().small;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = theme.space().small;
        ui.add_space(row.indent);
        let line = ui.spacing().interact_size.y;
        let whole = ui.max_rect().width();
        if let Some(value) = label(ui, theme, form, field, label_width(whole, row.indent)) {
            edited = Edited::Set(value);
        }
        let reset = field.from == FieldFrom::File && field.optional;
        let room = editor_width(whole, field, line);
        let down = egui::Layout::top_down(egui::Align::Min);
        let drawn = ui.allocate_ui_with_layout(vec2(room, line), down, |ui| {
            ui.set_width(room);
            editor(ui, theme, form, field, room, refused, focus)
        });
        let (response, now) = drawn.inner;
        if now != Edited::No {
            edited = now;
        }
        if focus && !response.has_focus() {
            response.request_focus();
        }
        if response.gained_focus() {
            response.scroll_to_me(None);
        }
        response.on_hover_ui(|ui| tooltip(ui, theme, field));
        if field.low_confidence {
            let text = RichText::new("≈ low").size(theme.text_sizes().small);
            let middle = egui::Layout::left_to_right(egui::Align::Center);
            ui.allocate_ui_with_layout(vec2(line * 1.5, line), middle, |ui| {
                ui.add(Label::new(text.color(theme.warning)))
            })
            .inner
            .on_hover_text(format!("Low confidence: {}", field.source));
        }
        if reset {
            let name = format!("Reset {}", field.label);
            let hint = match (&field.default, field.optional) {
                (d, _) if !d.is_empty() => format!("{name}: the default is {d} {}", field.unit),
                _ => format!("{name}: preset or default holds"),
            };
            let button = icon::button(ui, theme, Icon::Reset, &name);
            if button.on_hover_text(hint.trim_end()).clicked() {
                edited = Edited::Reset;
            }
        }
    });
    for problem in &field.problems {
        message(ui, theme, problem, row.indent);
    }
    if let Some((_, wrong)) = refused {
        message(ui, theme, wrong, row.indent);
    }
    edited
}

/// A problem under what it is about.
pub(super) fn message(ui: &mut Ui, theme: &Theme, text: &str, indent: f32) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(indent);
        let size = theme.text_sizes().small;
        ui.add(Label::new(RichText::new(text).size(size).color(theme.fail)).wrap());
    });
}

/// The label; dragging it changes a number.
fn label(ui: &mut Ui, theme: &Theme, form: &Form, field: &Field, width: f32) -> Option<String> {
    let number = matches!(field.kind, FieldKind::Number | FieldKind::Integer);
    let start = field.value.parse::<f64>().ok().filter(|_| number);
    let text = RichText::new(&field.label).color(theme.text);
    let label = Label::new(text).wrap();
    let label = match start {
        Some(_) => label.sense(Sense::DRAG),
        None => label,
    };
    let line = ui.spacing().interact_size.y;
    let down = egui::Layout::top_down(egui::Align::Min);
    let inner = ui.allocate_ui_with_layout(vec2(width, line), down, |ui| {
        ui.set_min_width(width);
        let text = ui.text_style_height(&egui::TextStyle::Body);
        ui.add_space(((line - text) / 2.0).max(0.0));
        ui.add(label)
    });
    let response = inner.inner;
    let start = start?;
    let response = response.on_hover_cursor(egui::CursorIcon::ResizeHorizontal);
    let memory = id_of(&field.key).with("drag");
    let mut asked = None;
    if response.drag_started() {
        ui.data_mut(|d| d.insert_temp(memory, start));
    }
    if response.dragged()
        && let Some(from) = ui.data(|d| d.get_temp::<f64>(memory))
        && let Some(moved_by) = response.total_drag_delta()
    {
        let fine = ui.input(|i| i.modifiers.shift);
        let steps = f64::from(moved_by.x / DRAG_STEP) * if fine { 0.1 } else { 1.0 };
        // Less than a whole step moves no whole number.
        let moves = field.kind != FieldKind::Integer || steps.abs() >= 1.0;
        asked = moved(field, from, steps)
            .filter(|value| moves && form.check(&field.path, value).is_ok());
    }
    if response.drag_stopped() {
        ui.data_mut(|d| d.remove_temp::<f64>(memory));
    }
    response.on_hover_ui(|ui| tooltip(ui, theme, field));
    asked
}

fn editor(
    ui: &mut Ui,
    theme: &Theme,
    form: &Form,
    field: &Field,
    width: f32,
    refused: Option<&(String, String)>,
    focus: bool,
) -> (egui::Response, Edited) {
    let dim = field.from != FieldFrom::File;
    let selected = if field.value.is_empty() {
        "not set"
    } else {
        field.value.as_str()
    };
    let colour = if dim { theme.muted } else { theme.text };
    let selected_text = RichText::new(selected).color(colour);
    match &field.kind {
        FieldKind::Bool => {
            let mut on = field.value == "true";
            let response = ui.checkbox(&mut on, "").accessible_name(&field.label);
            let edited = if response.clicked() {
                Edited::Set(on.to_string())
            } else {
                Edited::No
            };
            (response, edited)
        }
        FieldKind::Choice(words) => {
            let mut edited = Edited::No;
            let response = ComboBox::from_id_salt(id_of(&field.key))
                .width(width)
                .wrap()
                .selected_text(selected_text)
                .show_ui(ui, |ui| {
                    for word in words {
                        if ui.selectable_label(*word == field.value, word).clicked()
                            && *word != field.value
                        {
                            edited = Edited::Set(word.clone());
                        }
                    }
                })
                .response
                .accessible_name(&field.label);
            (response, edited)
        }
        FieldKind::Preset(choices) => {
            let mut edited = Edited::No;
            let response = ComboBox::from_id_salt(id_of(&field.key))
                .width(width)
                .wrap()
                .selected_text(selected_text)
                .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
                .show_ui(ui, |ui| {
                    if let Some(name) = presets(ui, theme, field, choices) {
                        edited = Edited::Set(name);
                        ui.close();
                    }
                })
                .response
                .accessible_name(&field.label);
            (response, edited)
        }
        FieldKind::Number | FieldKind::Integer | FieldKind::Text | FieldKind::List => {
            if focus {
                ui.memory_mut(|m| m.request_focus(id_of(&field.key)));
            }
            quantity_edit::show(
                ui,
                theme,
                field,
                width,
                refused.map(|(typed, _)| typed.as_str()),
                &|typed| form.check(&field.path, typed),
            )
        }
    }
}

/// The presets to choose from, with a search.
fn presets(ui: &mut Ui, theme: &Theme, field: &Field, choices: &[PresetChoice]) -> Option<String> {
    let memory = id_of(&field.key).with("search");
    let mut query: String = ui.data(|d| d.get_temp(memory)).unwrap_or_default();
    ui.set_min_width(theme.panels().card_width);
    let search = ui
        .add(
            TextEdit::singleline(&mut query)
                .hint_text("Search, or the path of a file")
                .desired_width(f32::INFINITY),
        )
        .accessible_name("Search presets");
    if search.changed() {
        ui.data_mut(|d| d.insert_temp(memory, query.clone()));
    }
    let wanted = query.trim().to_lowercase();
    let mut chosen = None;
    let is_file = {
        let toml = std::path::Path::new(&wanted).extension();
        wanted.contains('/') || toml.is_some_and(|e| e == "toml")
    };
    if is_file
        && ui
            .button(format!("Use the file {}", query.trim()))
            .clicked()
    {
        chosen = Some(query.trim().to_owned());
    }
    let found: Vec<&PresetChoice> = choices
        .iter()
        .filter(|c| {
            let text = format!("{} {}", c.name, c.about).to_lowercase();
            wanted.split_whitespace().all(|word| text.contains(word))
        })
        .collect();
    if found.is_empty() && !is_file {
        ui.label("No preset has these words");
    }
    for choice in found {
        let response = ui.selectable_label(choice.name == field.value, &choice.name);
        ui.add(
            Label::new(
                RichText::new(&choice.about)
                    .size(theme.text_sizes().small)
                    .color(theme.muted),
            )
            .wrap(),
        );
        if response.clicked() {
            chosen = Some(choice.name.clone());
        }
    }
    if chosen.is_some() {
        ui.data_mut(|d| d.remove_temp::<String>(memory));
    }
    chosen.filter(|name| *name != field.value)
}

/// Everything that is known of a field.
fn tooltip(ui: &mut Ui, theme: &Theme, field: &Field) {
    ui.set_max_width(theme.panels().tooltip_width);
    ui.label(RichText::new(&field.label).strong());
    if !field.help.is_empty() {
        ui.label(&field.help);
    }
    let unit = if field.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", field.unit)
    };
    let mut line = |what: &str, text: &str| {
        if !text.is_empty() {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(what).color(theme.muted));
                ui.label(text);
            });
        }
    };
    line("Unit", &field.unit);
    line("Range", &field.range);
    if !field.default.is_empty() {
        line("Default", &format!("{}{unit}", field.default));
    }
    line(
        "Value",
        match field.from {
            FieldFrom::File => "given in the file",
            FieldFrom::Preset => "from the preset",
            FieldFrom::Default => "the default",
            FieldFrom::Absent => "not set",
        },
    );
    line("Source", &field.source);
    line("Key", &field.path);
}
