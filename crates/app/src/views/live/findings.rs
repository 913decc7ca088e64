//! What a calibration found: phases over the trace, gates, replay, correlation, sensor.

use ballast_units::Confidence;
use egui::{RichText, Ui};

use crate::live::{Finding, GateView, GroupView, Report, Status};
use crate::theme::Theme;

use super::bands::{BandPlot, Column, Stretch};

/// A confidence in a word.
pub(super) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

/// Draws the findings of all groups.
pub(super) fn show(ui: &mut Ui, theme: &Theme, report: &Report) {
    for (i, group) in report.groups.iter().enumerate() {
        ui.push_id(i, |ui| one(ui, theme, group));
        ui.add_space(theme.space().large);
    }
}

fn one(ui: &mut Ui, theme: &Theme, group: &GroupView) {
    section(ui, &format!("Phases of {}", group.heading));
    trace(ui, theme, group);
    phases(ui, theme, group);
    if !group.gates.is_empty() {
        section(ui, "Is the recording good enough?");
        for gate in &group.gates {
            self::gate(ui, theme, gate);
        }
    }
    section(ui, "Profile played back beside the recording");
    figures(ui, theme, "refit", &group.refit);
    section(ui, "GPUs together");
    figures(ui, theme, "correlation", &group.correlation);
    section(ui, "Sensor");
    figures(ui, theme, "sensor", &group.sensor);
}

fn section(ui: &mut Ui, words: &str) {
    ui.add_space(ui.spacing().item_spacing.x);
    ui.label(RichText::new(words).text_style(Theme::strong_style()));
}

fn trace(ui: &mut Ui, theme: &Theme, group: &GroupView) {
    let half_s = match group.trace.as_slice() {
        [a, b, ..] => 0.5 * (b.t_s - a.t_s),
        _ => 0.5,
    };
    let columns: Vec<Column> = group
        .trace
        .iter()
        .map(|b| Column {
            span_s: (b.t_s - half_s, b.t_s + half_s),
            w: b.w,
        })
        .collect();
    let stretches: Vec<Stretch<'_>> = group
        .phases
        .iter()
        .map(|p| Stretch {
            span_s: p.span_s,
            level_w: p.level_w,
            name: p.label,
            colour: theme.series(p.kind),
        })
        .collect();
    let span = columns
        .first()
        .zip(columns.last())
        .map_or((0.0, 1.0), |(a, b)| (a.span_s.0, b.span_s.1));
    let words: Vec<String> = group
        .phases
        .iter()
        .map(|p| {
            format!(
                "{} from {:.1} s to {:.1} s at {:.0} W",
                p.label, p.span_s.0, p.span_s.1, p.level_w
            )
        })
        .collect();
    BandPlot {
        x_s: span,
        zero_s: 0.0,
        limit_w: None,
        colour: theme.text,
        height: 1.5 * theme.panels().plot_height_min,
        stretches: &stretches,
        summary: format!(
            "Power of {} with its phases: {}",
            group.heading,
            words.join("; ")
        ),
    }
    .show(ui, theme, &columns);
}

fn phases(ui: &mut Ui, theme: &Theme, group: &GroupView) {
    egui::ScrollArea::horizontal()
        .id_salt("phases")
        .show(ui, |ui| {
            let spacing = egui::vec2(theme.space().large, theme.space().small);
            let grid = egui::Grid::new("phases").striped(true).spacing(spacing);
            grid.show(ui, |ui| {
                for words in [
                    "Phase",
                    "From",
                    "To",
                    "As read",
                    "Drawn",
                    "Error",
                    "5 to 95 %",
                    "Repeats",
                ] {
                    ui.label(RichText::new(words).color(theme.muted));
                }
                ui.end_row();
                for p in &group.phases {
                    ui.horizontal(|ui| {
                        mark(ui, theme.series(p.kind), theme);
                        ui.label(p.label).on_hover_text(&p.why);
                    });
                    ui.label(time(p.span_s.0));
                    ui.label(time(p.span_s.1));
                    ui.label(p.read_w.map_or_else(dash, |w| format!("{w:.1} W")));
                    ui.label(format!("{:.1} W", p.level_w));
                    ui.label(p.error_w.map_or_else(dash, |(by_chance, by_gain)| {
                        format!("± {by_chance:.1} ± {by_gain:.1} W")
                    }))
                    .on_hover_text("Statistical, then systematic: the gain of the card");
                    ui.label(format!("{:.0} to {:.0} W", p.range_w.0, p.range_w.1));
                    ui.label(p.cycle.as_deref().unwrap_or("no"));
                    ui.end_row();
                }
            });
        });
}

/// A time; half a window before the first sample is 0.
fn time(s: f64) -> String {
    format!("{:.1} s", if s.abs() < 0.05 { 0.0 } else { s })
}

/// Stands for what is not known.
fn dash() -> String {
    "–".to_owned()
}

/// A small square in the colour of a phase.
fn mark(ui: &mut Ui, colour: egui::Color32, theme: &Theme) {
    let side = theme.space().medium;
    let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(side), egui::Sense::hover());
    ui.painter()
        .rect_filled(rect, theme.sizes().radius.small, colour);
}

fn colour(theme: &Theme, status: Status) -> egui::Color32 {
    match status {
        Status::Pass => theme.pass,
        Status::Fail => theme.fail,
        Status::NotChecked => theme.not_checked,
    }
}

fn gate(ui: &mut Ui, theme: &Theme, gate: &GateView) {
    ui.horizontal_wrapped(|ui| {
        ui.label(
            RichText::new(gate.status.text())
                .strong()
                .color(colour(theme, gate.status)),
        );
        ui.label(&gate.name);
        ui.label(RichText::new(&gate.finding).color(theme.muted));
    });
    if let Some(advice) = gate.advice {
        ui.indent("advice", |ui| ui.label(advice));
    }
}

fn figures(ui: &mut Ui, theme: &Theme, id: &str, found: &[Finding]) {
    egui::Grid::new(id).show(ui, |ui| {
        for f in found {
            ui.label(RichText::new(&f.name).color(theme.muted));
            ui.label(&f.value);
            if let Some(status) = f.status {
                ui.label(RichText::new(status.text()).color(colour(theme, status)));
            }
            ui.end_row();
        }
    });
}
