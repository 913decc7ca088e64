//! The right side: a card per verdict, then energy, peak, fuel and storage.

mod model;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ballast_study::outcome::{Outcome, Status};
use egui::{CollapsingHeader, Id, Label, RichText, Ui};

use crate::action::Action;
use crate::plot::ViewContext;
use crate::result::RunResult;
use crate::theme::Theme;
use crate::widgets::card::{card, margin_bar};
use crate::widgets::key_values::key_values;
use crate::widgets::status;
use model::{Card, Group, VerdictsModel};

pub(crate) use model::{quantity, sentence};

/// Events up to which they are open at first.
const FEW_EVENTS: usize = 6;

/// The model of the result it was made from.
#[derive(Clone)]
struct Cached {
    outcome: Arc<Outcome>,
    ranges_checked: bool,
    model: Arc<VerdictsModel>,
}

/// Draws the cards.
pub fn show(ui: &mut Ui, cx: &mut ViewContext<'_>, result: Option<&RunResult>) {
    let Some(result) = result else {
        ui.label(
            RichText::new("Verdicts appear here once the scenario has run").color(cx.theme.muted),
        );
        return;
    };
    let model = model_of(ui, result);
    egui::ScrollArea::vertical()
        .id_salt("verdicts")
        .auto_shrink(false)
        .show(ui, |ui| {
            // The bar lies over the content.
            ui.set_width(ui.available_width() - cx.theme.space().medium);
            if cx.stale {
                ui.label(RichText::new("↻ From before the change").color(cx.theme.warning))
                    .on_hover_text("The document has changed since this run");
                ui.multiply_opacity(cx.theme.stale_alpha);
            }
            head(ui, cx.theme, &model);
            for (at, one) in model.groups.iter().enumerate() {
                group(ui, cx, at, one);
            }
            figures(ui, cx.theme, &model);
            background(ui, cx, &model);
        });
}

/// The model, made once per result.
fn model_of(ui: &Ui, result: &RunResult) -> Arc<VerdictsModel> {
    let id = Id::unique("verdicts model");
    let cached: Option<Cached> = ui.data(|d| d.get_temp(id));
    if let Some(c) = cached
        && Arc::ptr_eq(&c.outcome, &result.outcome)
        && c.ranges_checked == result.ranges_checked
    {
        return c.model;
    }
    let model = Arc::new(VerdictsModel::of(result));
    let cached = Cached {
        outcome: result.outcome.clone(),
        ranges_checked: result.ranges_checked,
        model: model.clone(),
    };
    ui.data_mut(|d| d.insert_temp(id, cached));
    model
}

fn head(ui: &mut Ui, theme: &Theme, model: &VerdictsModel) {
    status::large_badge(ui, theme, model.overall);
    wrapped(ui, RichText::new(sentence(&model.summary)));
    ui.horizontal_wrapped(|ui| {
        for (state, count) in &model.counts {
            let text = format!("{count} {}", word(*state));
            status::marked(ui, theme, *state, RichText::new(text));
        }
    });
    ui.add_space(theme.space().small);
}

/// A state within a sentence.
fn word(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::Inconclusive => "inconclusive",
        Status::NotChecked => "not checked",
    }
}

fn group(ui: &mut Ui, cx: &mut ViewContext<'_>, at: usize, group: &Group) {
    let theme = cx.theme;
    ui.push_id(("group", at), |ui| {
        if let Some(title) = &group.title {
            ui.add_space(theme.space().medium);
            wrapped(
                ui,
                RichText::new(title)
                    .text_style(Theme::strong_style())
                    .strong(),
            );
            ui.horizontal_wrapped(|ui| {
                status::badge(ui, theme, group.overall);
                if let Some(at_s) = group.at_s {
                    let text = format!("Show {at_s:.3} s");
                    let button = ui.button(text);
                    let name = format!("Show {at_s:.3} s of {title}");
                    button.widget_info(|| {
                        egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, &name)
                    });
                    if button.clicked() {
                        cx.actions.push(Action::JumpTo(at_s));
                    }
                }
            });
            for text in &group.about {
                wrapped(ui, RichText::new(text).color(theme.muted));
            }
        }
        if group.cards.is_empty() && group.title.is_none() {
            wrapped(
                ui,
                RichText::new("No limit was given: add some under Limits in the form")
                    .color(theme.muted),
            );
        }
        for (n, one) in group.cards.iter().enumerate() {
            verdict(ui, cx, n, one);
        }
        not_checked(ui, cx, group);
    });
}

fn verdict(ui: &mut Ui, cx: &mut ViewContext<'_>, n: usize, one: &Card) {
    let theme = cx.theme;
    let colour = status::colour(theme, one.status);
    let spoken = match one.at_s {
        Some(_) => format!("{}. Show the moment", one.spoken),
        None => one.spoken.clone(),
    };
    let about = (spoken.as_str(), colour, one.at_s.is_some());
    let response = card(ui, theme, ("card", n), about, |ui| {
        ui.horizontal_wrapped(|ui| {
            status::badge(ui, theme, one.status);
            if one.indication.is_some() {
                ui.label(RichText::new("INDICATIVE").small().color(theme.warning))
                    .on_hover_text(
                        "It holds for the constants as they stand; some of them are weak",
                    );
            }
        });
        wrapped(
            ui,
            RichText::new(&one.label).text_style(Theme::strong_style()),
        );
        numbers(ui, theme, one);
        if let Some(used) = one.used.filter(|_| one.status != Status::NotChecked) {
            margin_bar(ui, theme, used, colour);
        }
        for text in [one.margin.as_ref(), Some(&one.held)].into_iter().flatten() {
            if !text.is_empty() {
                wrapped(ui, RichText::new(text));
            }
        }
        if !one.place.is_empty() {
            wrapped(ui, RichText::new(&one.place).small().color(theme.muted));
        }
        if one.must_explain() {
            wrapped(ui, RichText::new(&one.basis));
        }
        details(ui, theme, one);
    });
    if let Some(at_s) = one.at_s
        && response.clicked()
    {
        cx.actions.push(Action::JumpTo(at_s));
    }
}

/// Worst value against the limit.
fn numbers(ui: &mut Ui, theme: &Theme, one: &Card) {
    if one.worst.is_none() && one.limit.is_none() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if let Some(worst) = &one.worst {
            ui.label(
                RichText::new(worst)
                    .text_style(Theme::strong_style())
                    .strong(),
            );
        }
        if let Some(limit) = &one.limit {
            let text = RichText::new(format!("limit {limit}")).color(theme.muted);
            ui.label(text);
        }
    });
}

/// What the verdict rests on.
fn details(ui: &mut Ui, theme: &Theme, one: &Card) {
    if let Some(i) = &one.indication {
        if let Some(otherwise) = i.otherwise {
            let text = format!("{} at the worst of the ranges", otherwise.label());
            status::marked(ui, theme, otherwise, RichText::new(text));
        }
        wrapped(ui, RichText::new(&i.text).small().color(theme.muted));
    }
    let constants = one.indication.iter().flat_map(|i| &i.constants);
    let explained = one.must_explain();
    if explained && one.indication.is_none() {
        return;
    }
    let title = RichText::new("What it rests on").small();
    let header = CollapsingHeader::new(title).show(ui, |ui| {
        if !explained {
            wrapped(ui, RichText::new(&one.basis).small());
        }
        for text in constants {
            wrapped(ui, RichText::new(format!("• {text}")).small());
        }
    });
    name(
        &header.header_response,
        &format!("What it rests on, {}", one.label),
    );
}

/// Names a header for screen readers where its text alone is not enough.
fn name(header: &egui::Response, name: &str) {
    header.widget_info(|| egui::WidgetInfo::labeled(egui::accesskit::Role::Button, true, name));
}

fn not_checked(ui: &mut Ui, cx: &mut ViewContext<'_>, group: &Group) {
    let theme = cx.theme;
    if group.not_checked.is_empty() {
        return;
    }
    let title = format!("Not checked ({})", group.not_checked.len());
    CollapsingHeader::new(title)
        .id_salt("not checked")
        .show(ui, |ui| {
            for one in &group.not_checked {
                wrapped(ui, RichText::new(&one.label).strong());
                if let Some(worst) = &one.worst {
                    ui.horizontal_wrapped(|ui| {
                        ui.label(format!("worst {worst}"));
                        if let Some(at_s) = one.at_s {
                            let text = format!("Show {at_s:.3} s");
                            let name = format!("Show {at_s:.3} s, {}", one.label);
                            let link = ui.link(text);
                            link.widget_info(|| {
                                egui::WidgetInfo::labeled(egui::accesskit::Role::Link, true, &name)
                            });
                            if link.clicked() {
                                cx.actions.push(Action::JumpTo(at_s));
                            }
                        }
                    });
                }
                wrapped(ui, RichText::new(sentence(&one.why)).color(theme.muted));
            }
        });
}

fn figures(ui: &mut Ui, theme: &Theme, model: &VerdictsModel) {
    ui.add_space(theme.space().medium);
    for section in &model.figures {
        CollapsingHeader::new(RichText::new(section.title).strong())
            .default_open(true)
            .show_unindented(ui, |ui| {
                let rows = section.rows.iter();
                let rows = rows.map(|r| (r.label.as_str(), r.value.as_str()));
                key_values(ui, theme, rows);
                if !section.note.is_empty() {
                    wrapped(ui, RichText::new(&section.note).small().color(theme.muted));
                }
            });
    }
    if !model.resonance.is_empty() {
        CollapsingHeader::new(RichText::new("Resonance").strong())
            .default_open(true)
            .show_unindented(ui, |ui| {
                for text in &model.resonance {
                    wrapped(ui, RichText::new(text));
                }
            });
    }
}

/// Events, notes, assumptions, weak inputs.
fn background(ui: &mut Ui, cx: &mut ViewContext<'_>, model: &VerdictsModel) {
    let list = |ui: &mut Ui, title: String, open: bool, texts: &[String]| {
        if texts.is_empty() {
            return;
        }
        CollapsingHeader::new(title)
            .default_open(open)
            .show(ui, |ui| {
                for text in texts {
                    wrapped(ui, RichText::new(text));
                }
            });
    };
    if !model.events.is_empty() {
        CollapsingHeader::new(format!("Events ({})", model.events.len()))
            .id_salt("events")
            .default_open(model.events.len() <= FEW_EVENTS)
            .show(ui, |ui| {
                for (at_s, text) in &model.events {
                    if ui
                        .add(egui::Button::new(text).frame(false).wrap())
                        .clicked()
                    {
                        cx.actions.push(Action::JumpTo(*at_s));
                    }
                }
            });
    }
    let count = |what: &str, n: usize| format!("{what} ({n})");
    list(ui, count("Notes", model.notes.len()), false, &model.notes);
    list(
        ui,
        count("What the models assume", model.assumptions.len()),
        false,
        &model.assumptions,
    );
    if !model.low_confidence.is_empty() {
        let title = count("Inputs of low confidence", model.low_confidence.len());
        CollapsingHeader::new(title).show(ui, |ui| {
            for [path, value, source] in &model.low_confidence {
                let text = format!("{path} = {value}");
                let link = egui::Button::new(text).frame(false).wrap();
                if ui.add(link).on_hover_text("Show it in the form").clicked() {
                    cx.actions.push(Action::FocusField(path.clone()));
                }
                wrapped(ui, RichText::new(source).small().color(cx.theme.muted));
            }
        });
    }
}

fn wrapped(ui: &mut Ui, text: RichText) {
    ui.add(Label::new(text).wrap());
}
