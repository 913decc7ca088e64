//! The left side: the scenario as a form.
//!
//! Rows are measured when the form, the width or what is open changes; a frame lays out only those that can be seen, and a few
//! around them so that the keyboard finds the next one.

mod icon;
mod row_field;
mod rows;

use std::collections::BTreeMap;

use egui::{Rect, RichText, ScrollArea, TextEdit, Ui, UiBuilder, pos2, vec2};

use crate::action::Action;
use crate::fields::{Form, Section};
use crate::plot::ViewContext;

use icon::Icon;
use rows::{Row, RowKind, Rows};

/// What the form remembers between frames.
#[derive(Debug, Default)]
pub struct FormView {
    /// Field to move the focus to.
    pub focus: Option<String>,
    query: String,
    /// Sections that were opened or closed by hand.
    open: BTreeMap<String, bool>,
    /// What was typed and could not be taken, by key, with what is wrong.
    refused: BTreeMap<String, (String, String)>,
    rows: Rows,
    /// Row whose widget takes the focus when it is drawn.
    take_focus: Option<String>,
}

impl FormView {
    /// Draws the form.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut ViewContext<'_>, form: &Form) {
        let theme = cx.theme;
        self.search(ui, cx, form);
        if form.unreadable {
            ui.label(
                RichText::new("The text has a mistake. The form shows what could be read last; mend it in the text editor, or undo.")
                    .color(theme.fail),
            );
        }
        let mut jump = None;
        if let Some(path) = self.focus.take() {
            jump = self.find(ui, cx, form, &path);
        }
        self.measure(ui, cx, form);
        if let Some(key) = &jump {
            self.take_focus = Some(key.clone());
        }
        if self.rows.all.is_empty() {
            ui.add_space(theme.space().large);
            ui.label(if self.query.is_empty() {
                "Open an example or a scenario file to see its values here"
            } else {
                "No field has these words. Search for another word, or clear the search."
            });
            return;
        }
        let mut area = ScrollArea::vertical().id_salt("form").auto_shrink(false);
        if let Some(y) = jump.and_then(|key| self.rows.top_of(&key)) {
            let room = ui.available_height() / 3.0;
            area = area.vertical_scroll_offset((y - room).max(0.0));
        }
        area.show_viewport(ui, |ui, viewport| {
            ui.set_min_size(vec2(ui.available_width(), self.rows.height));
            let origin = ui.max_rect().min;
            let around = ui.spacing().interact_size.y * 6.0;
            let (from, to) = (viewport.min.y - around, viewport.max.y + around);
            let first = self.rows.all.partition_point(|r| r.y + r.height < from);
            let rows = std::mem::take(&mut self.rows.all);
            let width = self.rows.width;
            for row in rows.iter().skip(first).take_while(|r| r.y < to) {
                let rect =
                    Rect::from_min_size(pos2(origin.x, origin.y + row.y), vec2(width, row.height));
                // By its name alone: which rows come before it changes while the form scrolls, and with an automatic name the focus would be lost.
                let id = egui::Id::unique(("row", &row.id));
                let builder = UiBuilder::new().max_rect(rect).scope_id(id);
                ui.scope_builder(builder, |ui| self.row(ui, cx, form, row));
            }
            self.rows.all = rows;
        });
    }

    /// The search and how many fields it finds.
    fn search(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, form: &Form) {
        ui.horizontal(|ui| {
            let clear = !self.query.is_empty();
            let room = if clear {
                ui.spacing().interact_size.y * 1.5
            } else {
                0.0
            };
            ui.add(
                TextEdit::singleline(&mut self.query)
                    .id_salt("search")
                    .hint_text("Search fields")
                    .desired_width(
                        (ui.available_width() - room - cx.theme.space().medium).max(0.0),
                    ),
            )
            .accessible_name("Search fields");
            if clear && icon::button(ui, cx.theme, Icon::Remove, "Clear search").clicked() {
                self.query.clear();
            }
        });
        if !self.query.trim().is_empty() {
            let found = self.rows.found;
            let total = rows::count(&form.sections);
            let text = if found == 1 {
                format!("1 of {total} fields")
            } else {
                format!("{found} of {total} fields")
            };
            ui.label(
                RichText::new(text)
                    .color(cx.theme.muted)
                    .size(cx.theme.text_sizes().small),
            );
        }
        ui.add_space(cx.theme.space().small);
    }

    /// Opens what the path lies in; the key of its row.
    fn find(&mut self, ui: &Ui, cx: &ViewContext<'_>, form: &Form, path: &str) -> Option<String> {
        let wanted = form.key_of(path);
        let key = nearest(&form.sections, &wanted)?;
        open_to(&form.sections, &key, &mut self.open);
        self.measure(ui, cx, form);
        if self.rows.top_of(&key).is_none() && !self.query.is_empty() {
            self.query.clear();
            self.measure(ui, cx, form);
        }
        Some(key)
    }

    fn measure(&mut self, ui: &Ui, cx: &ViewContext<'_>, form: &Form) {
        self.rows
            .measure(ui, cx.theme, form, &self.query, &self.open, &self.refused);
    }

    fn row(&mut self, ui: &mut Ui, cx: &mut ViewContext<'_>, form: &Form, row: &Row) {
        let Some(section) = rows::section_at(&form.sections, &row.at) else {
            return;
        };
        match row.kind {
            RowKind::Section => self.section(ui, cx, section, row),
            RowKind::Message(at) => {
                if let Some(message) = section.problems.get(at) {
                    row_field::message(ui, cx.theme, message, row.indent);
                }
            }
            RowKind::Field(at) => {
                let Some(field) = section.fields.get(at) else {
                    return;
                };
                let refused = self.refused.get(&field.key).cloned();
                let focus = self.take_focus.as_ref() == Some(&field.key);
                if focus {
                    self.take_focus = None;
                }
                let edited = row_field::show(ui, cx, form, field, row, refused.as_ref(), focus);
                self.take(cx, field, edited);
            }
        }
    }

    fn take(
        &mut self,
        cx: &mut ViewContext<'_>,
        field: &crate::fields::Field,
        edited: crate::widgets::quantity_edit::Edited,
    ) {
        use crate::widgets::quantity_edit::Edited;
        match edited {
            Edited::No => return,
            Edited::Refused { typed, message } => {
                self.refused.insert(field.key.clone(), (typed, message));
                return;
            }
            Edited::Set(value) => cx.actions.push(Action::Set {
                path: field.path.clone(),
                value,
            }),
            Edited::Reset => cx.actions.push(Action::Reset(field.path.clone())),
            Edited::Restored => {}
        }
        self.refused.remove(&field.key);
    }

    /// The head of a section: open and close it, add to it, take it out.
    fn section(&mut self, ui: &mut Ui, cx: &mut ViewContext<'_>, section: &Section, row: &Row) {
        let theme = cx.theme;
        let open = row.open;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme.space().small;
            ui.add_space(row.indent);
            let problems = rows::problems(section);
            let line = ui.spacing().interact_size.y;
            let room = rows::head_width(section, self.rows.width - row.indent, line);
            let head = icon::head(ui, theme, &section.title, row.at.len() == 1, open, room);
            let head = if section.help.is_empty() {
                head
            } else {
                head.on_hover_text(&section.help)
            };
            if self.take_focus.as_ref() == Some(&section.key) {
                head.request_focus();
                self.take_focus = None;
            }
            if head.gained_focus() {
                head.scroll_to_me(None);
            }
            if head.clicked() {
                self.open.insert(section.key.clone(), !open);
            }
            if problems > 0 {
                let text = if problems == 1 {
                    "1 problem".to_owned()
                } else {
                    format!("{problems} problems")
                };
                let size = theme.text_sizes().small;
                ui.label(RichText::new(text).color(theme.fail).size(size));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if section.can_remove {
                    let name = format!("Remove {}", section.title);
                    if icon::button(ui, theme, Icon::Remove, &name).clicked() {
                        cx.actions.push(Action::RemoveEntry(section.path.clone()));
                    }
                }
                if section.can_add {
                    let name = if section.absent {
                        format!("Add {}", section.title)
                    } else {
                        format!("Add an entry to {}", section.title)
                    };
                    if icon::button(ui, theme, Icon::Add, &name).clicked() {
                        self.open.insert(section.key.clone(), true);
                        cx.actions.push(Action::AddEntry(section.path.clone()));
                    }
                }
            });
        });
    }
}

/// The field of a key, or what it lies in.
fn nearest(sections: &[Section], wanted: &str) -> Option<String> {
    let within = |key: &str| {
        wanted
            .strip_prefix(key)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let section = sections.iter().find(|s| within(&s.key))?;
    let field = section.fields.iter().find(|f| within(&f.key));
    Some(match field {
        Some(field) => field.key.clone(),
        None => nearest(&section.sections, wanted).unwrap_or_else(|| section.key.clone()),
    })
}

/// Opens every section that a key lies in, and the one that it is.
fn open_to(sections: &[Section], key: &str, open: &mut BTreeMap<String, bool>) {
    for section in sections {
        let rest = key.strip_prefix(section.key.as_str());
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            open.insert(section.key.clone(), true);
            open_to(&section.sections, key, open);
        }
    }
}

#[cfg(test)]
mod tests;
