//! Pinned results and variants beside the shown one.

mod inputs;
mod model;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Id, Label, RichText, Ui, WidgetInfo};

use crate::action::Action;
use crate::command::Command;
use crate::plot::ViewContext;
use crate::result::RunResult;
use crate::theme::Theme;
use crate::widgets::status;
use crate::widgets::table;
use model::{CompareModel, FigureEntry, VerdictEntry};

/// Results up to which their cards stand above the table.
const FEW: usize = 3;

/// The model of the results it was made from.
#[derive(Clone)]
struct Cached {
    results: Vec<Arc<ballast_study::outcome::Outcome>>,
    model: Arc<CompareModel>,
}

/// Draws the table of differences.
pub fn show(
    ui: &mut Ui,
    cx: &mut ViewContext<'_>,
    shown: Option<&RunResult>,
    pinned: &[Arc<RunResult>],
) {
    // Variants bring the scenario itself as the first of them.
    let variants = shown.is_some_and(|s| {
        let mut beside = pinned.iter();
        beside.any(|p| p.text == s.text && p.name != s.name)
    });
    let same = |r: &RunResult| {
        shown.is_some_and(|s| {
            let scenario = variants && r.text == s.text && r.name == s.name;
            scenario || Arc::ptr_eq(&s.outcome, &r.outcome)
        })
    };
    let mut results: Vec<&RunResult> = shown.into_iter().collect();
    results.extend(pinned.iter().map(|p| &**p).filter(|p| !same(p)));
    if results.len() < 2 {
        empty(ui, cx, shown.is_some(), !pinned.is_empty());
        return;
    }
    let model = model_of(ui, &results);
    egui::ScrollArea::vertical()
        .id_salt("compare")
        .auto_shrink(false)
        .show(ui, |ui| {
            head(ui, cx, &model, variants);
            // The cards of many would push the table out of sight.
            let many = results.len() > FEW;
            if many {
                grid(ui, cx, &model);
            }
            members(ui, cx, &model, (pinned, variants), &results);
            if !many {
                grid(ui, cx, &model);
            }
            notes(ui, cx.theme, &model);
        });
}

fn empty(ui: &mut Ui, cx: &mut ViewContext<'_>, has_result: bool, is_pinned: bool) {
    let theme = cx.theme;
    let text = if is_pinned {
        "The shown result is pinned: change the scenario, and both stand side by side here"
    } else if has_result {
        "Pin the result, then change the scenario: both stand side by side here. Up to six can be pinned"
    } else {
        "Results stand side by side here once there is one and another is pinned"
    };
    ui.add(Label::new(RichText::new(text).color(theme.muted)).wrap());
    ui.horizontal_wrapped(|ui| {
        if has_result && !is_pinned && ui.button("Pin the result").clicked() {
            cx.actions.push(Action::Pin);
        }
        if ui.button("Compare the variants").clicked() {
            cx.actions.push(Action::Command(Command::CompareVariants));
        }
    });
}

fn model_of(ui: &Ui, results: &[&RunResult]) -> Arc<CompareModel> {
    let id = Id::unique("compare model");
    let cached: Option<Cached> = ui.data(|d| d.get_temp(id));
    if let Some(c) = cached
        && c.results.len() == results.len()
        && c.results
            .iter()
            .zip(results)
            .all(|(a, b)| Arc::ptr_eq(a, &b.outcome))
    {
        return c.model;
    }
    let model = Arc::new(CompareModel::of(results));
    let cached = Cached {
        results: results.iter().map(|r| Arc::clone(&r.outcome)).collect(),
        model: Arc::clone(&model),
    };
    ui.data_mut(|d| d.insert_temp(id, cached));
    model
}

fn head(ui: &mut Ui, cx: &mut ViewContext<'_>, model: &CompareModel, variants: bool) {
    ui.horizontal_wrapped(|ui| {
        if !variants && ui.button("Pin the result").clicked() {
            cx.actions.push(Action::Pin);
        }
        for (label, markdown) in [("Copy as tabs", false), ("Copy as Markdown", true)] {
            if ui.button(label).clicked() {
                let text = table::as_text(&model.columns, &model.rows(), markdown);
                ui.copy_text(text);
            }
        }
    });
    for caution in &model.cautions {
        ui.add(Label::new(RichText::new(caution).color(cx.theme.warning)).wrap());
    }
}

/// Each member with what differs in its inputs, and a way to unpin it.
fn members(
    ui: &mut Ui,
    cx: &mut ViewContext<'_>,
    model: &CompareModel,
    (pinned, variants): (&[Arc<RunResult>], bool),
    results: &[&RunResult],
) {
    let theme = cx.theme;
    ui.add_space(theme.space().medium);
    let word = if variants { "Leave out" } else { "Unpin" };
    for (member, result) in model.members.iter().zip(results) {
        theme.card_frame().show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_wrapped(|ui| {
                status::badge(ui, theme, member.overall);
                ui.label(RichText::new(&member.name).text_style(Theme::strong_style()));
                let place = pinned
                    .iter()
                    .position(|p| Arc::ptr_eq(&p.outcome, &result.outcome));
                if let Some(place) = place {
                    let button = ui.button(word);
                    let name = format!("{word} {}", member.name);
                    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                    if button.clicked() {
                        cx.actions.push(Action::Unpin(place));
                    }
                }
            });
            ui.add(Label::new(RichText::new(&member.summary).color(theme.muted)).wrap());
            for d in member.inputs.iter().flatten() {
                let button = egui::Button::new(format!("{}: {}", d.path, d.text()))
                    .frame(false)
                    .wrap();
                if ui
                    .add(button)
                    .on_hover_text("Show it in the form")
                    .clicked()
                {
                    cx.actions.push(Action::FocusField(d.path.clone()));
                }
            }
        });
    }
}

/// Verdicts and figures, a column per member.
fn grid(ui: &mut Ui, cx: &mut ViewContext<'_>, model: &CompareModel) {
    let theme = cx.theme;
    let space = theme.space();
    ui.add_space(space.medium);
    egui::ScrollArea::horizontal()
        .id_salt("columns")
        .show(ui, |ui| {
            egui::Grid::new("members")
                .striped(true)
                .spacing([space.large, space.small])
                .max_col_width(theme.panels().card_width)
                .show(ui, |ui| {
                    ui.label("");
                    for column in &model.columns {
                        ui.add(Label::new(RichText::new(column).strong()).wrap())
                            .widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, column));
                    }
                    ui.end_row();
                    row_head(ui, theme, "Overall", "");
                    for (member, column) in model.members.iter().zip(&model.columns) {
                        let spoken = format!("Overall, {column}: {}", member.overall.label());
                        status::badge(ui, theme, member.overall)
                            .widget_info(|| WidgetInfo::labeled(Role::Cell, true, &spoken));
                    }
                    ui.end_row();
                    for line in &model.verdicts {
                        row_head(ui, theme, &line.head, "");
                        for (cell, column) in line.cells.iter().zip(&model.columns) {
                            verdict(ui, cx, &line.head, column, cell.as_ref());
                        }
                        ui.end_row();
                    }
                    for line in &model.figures {
                        row_head(ui, theme, &line.head, &line.hint);
                        for (cell, column) in line.cells.iter().zip(&model.columns) {
                            figure(ui, theme, &line.head, column, cell);
                        }
                        ui.end_row();
                    }
                });
        });
}

fn row_head(ui: &mut Ui, theme: &Theme, head: &str, hint: &str) {
    let response = ui.add(Label::new(RichText::new(head).color(theme.muted)).wrap());
    response.widget_info(|| WidgetInfo::labeled(Role::RowHeader, true, head));
    if !hint.is_empty() {
        response.on_hover_text(hint);
    }
}

fn verdict(
    ui: &mut Ui,
    cx: &mut ViewContext<'_>,
    head: &str,
    column: &str,
    entry: Option<&VerdictEntry>,
) {
    let theme = cx.theme;
    let Some(entry) = entry else {
        ui.label("–");
        return;
    };
    ui.vertical(|ui| {
        let word = if entry.otherwise {
            format!("{} ≠", entry.word())
        } else {
            entry.word()
        };
        let indicative = if entry.indicative { ", indicative" } else { "" };
        let spoken = format!(
            "{head}, {column}: {}{indicative}, {}",
            entry.status.label(),
            entry.text
        );
        status::marked(ui, theme, entry.status, RichText::new(word).strong())
            .widget_info(|| WidgetInfo::labeled(Role::Cell, true, spoken.trim_end_matches(", ")));
        if entry.text.is_empty() {
            return;
        }
        let text = RichText::new(&entry.text).small();
        if let Some(at_s) = entry.at_s.filter(|_| column == "Shown") {
            let link = ui.link(text);
            let name = format!("Show {at_s:.3} s, {head}");
            link.widget_info(|| WidgetInfo::labeled(Role::Link, true, &name));
            if link.clicked() {
                cx.actions.push(Action::JumpTo(at_s));
            }
        } else {
            ui.label(text.color(theme.muted));
        }
    });
}

fn figure(ui: &mut Ui, theme: &Theme, head: &str, column: &str, entry: &FigureEntry) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut text = RichText::new(entry.value());
        if entry.best {
            text = text.strong();
        }
        let best = if entry.best { ", best" } else { "" };
        let spoken = format!(
            "{head}, {column}: {}{best}, {}",
            entry.text, entry.difference
        );
        ui.label(text)
            .widget_info(|| WidgetInfo::labeled(Role::Cell, true, spoken.trim_end_matches(", ")));
        if !entry.difference.is_empty() {
            let colour = match entry.better {
                Some(true) => theme.pass,
                Some(false) => theme.fail,
                None => theme.muted,
            };
            ui.label(RichText::new(&entry.difference).small().color(colour));
        }
    });
}

fn notes(ui: &mut Ui, theme: &Theme, model: &CompareModel) {
    ui.add_space(theme.space().medium);
    let marks = "● best of its row; ▲ ▼ more or less than shown; ≠ another verdict than shown; * indicative: it rests on weak constants";
    for text in std::iter::once(marks).chain(model.basis.iter().map(String::as_str)) {
        ui.add(Label::new(RichText::new(text).small().color(theme.muted)).wrap());
    }
}
