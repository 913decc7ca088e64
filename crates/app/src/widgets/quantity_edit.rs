//! A field of text for a value with its unit: typed freely, taken over whole or refused with a message.

use egui::{Id, Key, Response, TextEdit, Ui};

use crate::fields::{Field, FieldFrom, FieldKind};
use crate::theme::Theme;

/// What came of a field in a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Edited {
    /// Nothing.
    No,
    /// The value is to be this, as typed.
    Set(String),
    /// The file is to say nothing here.
    Reset,
    /// What was typed cannot stand here.
    Refused {
        /// As typed.
        typed: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// What was refused is given up.
    Restored,
}

/// Identity of the widget of a field, whatever name its entry has.
pub fn id_of(key: &str) -> Id {
    Id::unique(("field", key))
}

/// The value with its unit, as it stands in the field.
pub fn shown(field: &Field) -> String {
    if field.value.is_empty() || field.unit.is_empty() {
        field.value.clone()
    } else {
        format!("{} {}", field.value, field.unit)
    }
}

/// Draws the field. `refused`: what was typed last and could not be taken. `check` says what a key can take.
pub fn show(
    ui: &mut Ui,
    theme: &Theme,
    field: &Field,
    width: f32,
    refused: Option<&str>,
    check: &dyn Fn(&str) -> Result<(), String>,
) -> (Response, Edited) {
    let id = id_of(&field.key);
    let memory = id.with("typed");
    let typed: Option<String> = ui.data(|d| d.get_temp(memory));
    let stands = shown(field);
    let mut text = typed
        .or_else(|| refused.map(str::to_owned))
        .unwrap_or_else(|| stands.clone());
    let focused = ui.memory(|m| m.has_focus(id));
    if focused && let Some(value) = arrow(ui, field, &text) {
        ui.data_mut(|d| d.remove_temp::<String>(memory));
        return (
            draw(ui, theme, field, &mut text, width, refused),
            Edited::Set(value),
        );
    }
    let wraps = matches!(field.kind, FieldKind::Text | FieldKind::List);
    if focused && wraps && ui.input(|i| i.key_pressed(Key::Enter)) {
        ui.memory_mut(|m| m.surrender_focus(id));
    }
    let response = draw(ui, theme, field, &mut text, width, refused);
    if response.gained_focus() {
        select_all(ui, id, &text);
        response.scroll_to_me(None);
    }
    if response.changed() {
        ui.data_mut(|d| d.insert_temp(memory, text.clone()));
    }
    let left = response.lost_focus() || focused && !response.has_focus();
    let escape = (left || focused) && ui.input(|i| i.key_pressed(Key::Escape));
    if !left && !escape {
        return (response, Edited::No);
    }
    ui.data_mut(|d| d.remove_temp::<String>(memory));
    if escape {
        let edited = if refused.is_some() {
            Edited::Restored
        } else {
            Edited::No
        };
        return (response, edited);
    }
    (response, committed(field, &text, &stands, refused, check))
}

/// What it means that the user left the field with this text.
fn committed(
    field: &Field,
    text: &str,
    stands: &str,
    refused: Option<&str>,
    check: &dyn Fn(&str) -> Result<(), String>,
) -> Edited {
    if text == stands || refused == Some(text) {
        return if refused.is_some_and(|r| r != text) {
            Edited::Restored
        } else {
            Edited::No
        };
    }
    if text.trim().is_empty() && field.kind != FieldKind::Text {
        return match field.from {
            FieldFrom::File => Edited::Reset,
            _ => Edited::Restored,
        };
    }
    let value = as_value(field, text);
    match check(&value) {
        Ok(()) => Edited::Set(value),
        Err(message) => Edited::Refused {
            typed: text.to_owned(),
            message,
        },
    }
}

/// A typed text as the document takes it: text that looks like TOML is put in quotes.
fn as_value(field: &Field, text: &str) -> String {
    let looks_like_toml = text.trim_start().starts_with(['[', '{', '"', '\'']);
    if field.kind == FieldKind::Text && (looks_like_toml || text.trim().is_empty()) {
        serde_json::Value::from(text).to_string()
    } else {
        text.trim().to_owned()
    }
}

fn draw(
    ui: &mut Ui,
    theme: &Theme,
    field: &Field,
    text: &mut String,
    width: f32,
    refused: Option<&str>,
) -> Response {
    let colour = if field.from == FieldFrom::File || refused.is_some() {
        theme.text
    } else {
        theme.muted
    };
    let wrong = refused.is_some() || !field.problems.is_empty();
    let response = ui
        .scope(|ui| {
            if wrong {
                let visuals = ui.visuals_mut();
                let stroke = theme.line(theme.fail);
                visuals.widgets.inactive.bg_stroke = stroke;
                visuals.widgets.hovered.bg_stroke = stroke;
                visuals.widgets.active.bg_stroke = stroke;
                visuals.selection.stroke = stroke;
            }
            let hint = if field.optional { "not set" } else { "needed" };
            // Long texts wrap; Enter ends the edit there too.
            let edit = if matches!(field.kind, FieldKind::Text | FieldKind::List) {
                TextEdit::multiline(text).desired_rows(1).return_key(None)
            } else {
                TextEdit::singleline(text)
            };
            ui.add(
                edit.id(id_of(&field.key))
                    .desired_width(width)
                    .text_color(colour)
                    .hint_text(hint),
            )
        })
        .inner;
    if wrong {
        // Also where the frame of a field is drawn without a border.
        ui.painter().rect_stroke(
            response.rect,
            theme.sizes().radius.medium,
            theme.line(theme.fail),
            egui::StrokeKind::Inside,
        );
    }
    response.accessible_name(&field.label)
}

fn select_all(ui: &Ui, id: Id, text: &str) {
    if let Some(mut state) = TextEdit::load_state(ui.ctx(), id) {
        let end = egui::text::CCursor::new(text.chars().count());
        let all = egui::text::CCursorRange::two(egui::text::CCursor::default(), end);
        state.cursor.set_char_range(Some(all));
        TextEdit::store_state(ui.ctx(), id, state);
    }
}

/// The value that an arrow key asks for.
fn arrow(ui: &Ui, field: &Field, text: &str) -> Option<String> {
    if !matches!(field.kind, FieldKind::Number | FieldKind::Integer) || text != shown(field) {
        return None;
    }
    let steps = ui.input_mut(|i| {
        let fine = i.modifiers.shift;
        let mut steps = 0.0;
        for (key, step) in [(Key::ArrowUp, 1.0), (Key::ArrowDown, -1.0)] {
            steps += step * i.count_and_consume_key(egui::Modifiers::NONE, key) as f64;
            steps += step * i.count_and_consume_key(egui::Modifiers::SHIFT, key) as f64;
        }
        if fine { steps / 10.0 } else { steps }
    });
    if steps == 0.0 {
        return None;
    }
    moved(field, field.value.parse().ok()?, steps)
}

/// `start` moved by so many steps: of 1 for whole numbers, else of 1 %; none if nothing changes.
pub fn moved(field: &Field, start: f64, steps: f64) -> Option<String> {
    let value = if field.kind == FieldKind::Integer {
        let whole = if steps.abs() < 1.0 {
            steps.signum()
        } else {
            steps.round()
        };
        (start + whole).max(0.0)
    } else {
        let step = if start == 0.0 {
            0.01
        } else {
            start.abs() / 100.0
        };
        rounded(start + steps * step, step)
    };
    let text = value.to_string();
    (text != field.value).then_some(text)
}

/// A value to a tenth of the step, so that no noise of the arithmetic shows.
fn rounded(value: f64, step: f64) -> f64 {
    let digits = (2.0 - step.log10().floor()).clamp(0.0, 15.0) as usize;
    format!("{value:.digits$}").parse().unwrap_or(value)
}
