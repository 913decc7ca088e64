//! The assistant's pages: source, recording, calibration, findings, profile.

use egui::{RichText, Ui};

use crate::action::Action;
use crate::live::{
    AssistantAction, LiveAction, LiveFrom, LiveModel, LiveState, Report, Status, Step,
};
use crate::plot::ViewContext;
use crate::theme::Theme;

use super::findings;

/// What was typed and ticked.
#[derive(Debug)]
pub(super) struct Typed {
    /// Whether each GPU is to be recorded.
    gpus: Vec<bool>,
    duration: String,
    name: String,
    tdp: String,
    /// The file that name and design power are of.
    of: Option<(String, String)>,
}

impl Default for Typed {
    fn default() -> Self {
        Self {
            gpus: Vec::new(),
            duration: "120 s".to_owned(),
            name: String::new(),
            tdp: String::new(),
            of: None,
        }
    }
}

impl Typed {
    /// Name and design power of a new report.
    fn follow(&mut self, report: &Report) {
        let of = Some((report.file.clone(), report.name.clone()));
        if self.of != of {
            self.of = of;
            self.name.clone_from(&report.name);
            self.tdp = format!("{:.0} W", report.tdp_w);
        }
    }
}

fn ask(cx: &mut ViewContext<'_>, action: AssistantAction) {
    cx.actions.push(LiveAction::assist(action));
}

fn heading(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).text_style(egui::TextStyle::Heading));
}

/// Draws the page of the step.
pub(super) fn show(
    ui: &mut Ui,
    cx: &mut ViewContext<'_>,
    live: &LiveModel,
    typed: &mut Typed,
    span_min: f64,
) {
    let theme = cx.theme;
    steps(ui, cx, live);
    ui.add_space(theme.space().medium);
    if let Some(problem) = &live.assistant.problem {
        ui.label(RichText::new(problem).color(theme.fail));
        ui.add_space(theme.space().small);
    }
    match live.assistant.step {
        Step::Source => source(ui, cx, live),
        Step::Record => record(ui, cx, live, typed, span_min),
        Step::Calibrate => calibrate(ui, cx, live),
        Step::Findings => {
            if let Some(report) = &live.assistant.report {
                next(ui, cx, report);
                findings::show(ui, theme, report);
            }
        }
        Step::Profile => {
            if let Some(report) = &live.assistant.report {
                typed.follow(report);
                profile(ui, cx, live, report, typed);
            }
        }
    }
}

/// The steps, the one that is under way marked; those that can be gone to are buttons.
fn steps(ui: &mut Ui, cx: &mut ViewContext<'_>, live: &LiveModel) {
    let now = live.assistant.step;
    let free = live.assistant.calibrating().is_none() && !live.recording();
    ui.horizontal_wrapped(|ui| {
        for (i, step) in Step::ALL.into_iter().enumerate() {
            let there = match step {
                Step::Source => true,
                Step::Record => now == Step::Record,
                Step::Calibrate => false,
                Step::Findings | Step::Profile => live.assistant.report.is_some(),
            };
            let label = format!("{} {}", i + 1, step.text());
            let button = egui::Button::selectable(step == now, label);
            let enabled = step == now || (there && free);
            if ui.add_enabled(enabled, button).clicked() && step != now {
                ask(cx, AssistantAction::Go(step));
            }
        }
    });
}

fn source(ui: &mut Ui, cx: &mut ViewContext<'_>, live: &LiveModel) {
    let theme = cx.theme;
    heading(ui, "Where does the power come from?");
    ui.label("The assistant finds the phases in the power of a GPU, says whether the recording is good enough, and writes a profile that a scenario can use.");
    ui.add_space(theme.space().small);
    ui.horizontal_wrapped(|ui| {
        if ui.button("Record GPUs of this machine").clicked() {
            ask(cx, AssistantAction::UseMachine);
        }
        if ui.button("Use a recorded file…").clicked() {
            ask(cx, AssistantAction::UseFile);
        }
        if let Some(LiveFrom::File(path)) = &live.from
            && !matches!(live.state, LiveState::Missing(_))
        {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if ui.button(format!("Use {name}, which is shown")).clicked() {
                ask(cx, AssistantAction::UseShown);
            }
        }
    });
    ui.add_space(theme.space().small);
    ui.label(
        RichText::new("A good recording has the idle GPU first, then at least a minute and 50 iterations of unchanged work, polled at 10 Hz or more.")
            .color(theme.muted),
    );
}

fn record(
    ui: &mut Ui,
    cx: &mut ViewContext<'_>,
    live: &LiveModel,
    typed: &mut Typed,
    span_min: f64,
) {
    let theme = cx.theme;
    if live.recording() {
        recording(ui, cx, live, span_min);
        return;
    }
    heading(ui, "Record GPUs of this machine");
    match &live.state {
        LiveState::Missing(why) => {
            // The assistant's problem may already say so.
            if live.assistant.problem.as_ref() != Some(why) {
                super::refusal(ui, theme, live, why);
            }
            ui.horizontal_wrapped(|ui| {
                if ui.button("Look again").clicked() {
                    ask(cx, AssistantAction::UseMachine);
                }
                if ui.button("Use a recorded file…").clicked() {
                    ask(cx, AssistantAction::UseFile);
                }
            });
            return;
        }
        LiveState::Looking => {
            ui.label("Looking for GPUs");
            return;
        }
        _ => {}
    }
    plan(ui, cx, live, typed);
    ui.add_space(theme.space().medium);
    super::cards(ui, theme, live, span_min);
}

/// Which GPUs, how long, where to.
fn plan(ui: &mut Ui, cx: &mut ViewContext<'_>, live: &LiveModel, typed: &mut Typed) {
    let theme = cx.theme;
    typed.gpus.resize(live.gpus.len(), true);
    ui.horizontal_wrapped(|ui| {
        ui.label("GPUs");
        for (ticked, gpu) in typed.gpus.iter_mut().zip(&live.gpus) {
            ui.checkbox(ticked, &gpu.name);
        }
    });
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Duration");
        ui.add(
            egui::TextEdit::singleline(&mut typed.duration)
                .desired_width(theme.panels().field_width),
        )
        .labelled_by(label.id)
        .on_hover_text("For example 120 s or 2 min; 1 s to 24 h");
    });
    ui.horizontal_wrapped(|ui| {
        ui.label("File");
        match &live.assistant.file {
            Some(file) => ui.label(file.display().to_string()),
            None => ui.label(RichText::new("none chosen yet").color(theme.muted)),
        };
        if ui.button("Choose a file…").clicked() {
            ask(cx, AssistantAction::ChooseFile);
        }
    });
    ui.label(
        RichText::new(
            "Start the recording with the GPU idle, then start your work by hand: the profile then knows both.",
        )
        .color(theme.muted),
    );
    let ready = live.assistant.file.is_some() && typed.gpus.contains(&true);
    let button =
        egui::Button::new(RichText::new("Record").color(theme.on_accent)).fill(theme.accent);
    let clicked = ui
        .add_enabled(ready, button)
        .on_disabled_hover_text("Choose a file and at least one GPU first")
        .clicked();
    if clicked {
        let ticked = (0_u32..).zip(&typed.gpus).filter(|(_, t)| **t);
        ask(
            cx,
            AssistantAction::Record {
                gpus: ticked.map(|(i, _)| i).collect(),
                duration: typed.duration.clone(),
            },
        );
    }
}

/// A recording under way.
fn recording(ui: &mut Ui, cx: &mut ViewContext<'_>, live: &LiveModel, span_min: f64) {
    let theme = cx.theme;
    heading(ui, "Recording");
    super::status(ui, cx, live);
    let duration = match &live.from {
        Some(LiveFrom::Recorder(request)) => request.duration,
        _ => None,
    };
    if let Some(duration) = duration {
        let share = (live.t_s / duration.as_secs_f64().max(1e-9)).clamp(0.0, 1.0);
        let left_s = (duration.as_secs_f64() - live.t_s).max(0.0);
        progress(ui, share as f32, &format!("{left_s:.0} s left"));
    }
    let running = live.reading();
    if ui
        .add_enabled(running, egui::Button::new("Stop and calibrate"))
        .clicked()
    {
        cx.actions.push(Action::Live(LiveAction::Stop));
    }
    ui.add_space(theme.space().medium);
    super::cards(ui, theme, live, span_min);
    super::notes(ui, theme, live);
}

/// A bar with words beside it: none are cut off at any size.
fn progress(ui: &mut Ui, share: f32, words: &str) {
    let response = ui.add(egui::ProgressBar::new(share));
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, words.to_owned())
    });
    ui.label(words);
}

fn calibrate(ui: &mut Ui, cx: &mut ViewContext<'_>, live: &LiveModel) {
    heading(ui, "Calibrating");
    let Some((words, since)) = live.assistant.calibrating() else {
        return;
    };
    if let Some(file) = live.assistant.calibrating_file() {
        ui.label(file.display().to_string());
    }
    ui.label(format!("{words} ({:.0} s so far)", since.as_secs_f64()));
    ui.label(
        RichText::new("A few seconds for a recording of minutes; the window stays free meanwhile.")
            .color(cx.theme.muted),
    );
    if ui.button("Cancel").clicked() {
        ask(cx, AssistantAction::Cancel);
    }
}

/// What was found in one sentence, and the way on.
fn next(ui: &mut Ui, cx: &mut ViewContext<'_>, report: &Report) {
    let theme = cx.theme;
    heading(ui, "What was found");
    let (failed, unchecked) = (report.count(Status::Fail), report.count(Status::NotChecked));
    let gates = match (failed, unchecked) {
        (0, 0) => "every condition holds".to_owned(),
        (0, n) => format!("no condition fails, {n} could not be checked"),
        (1, _) => "1 condition fails".to_owned(),
        (n, _) => format!("{n} conditions fail"),
    };
    let gpus = if report.gpus == 1 { "GPU" } else { "GPUs" };
    ui.label(format!(
        "{}: {:.1} s of {} {gpus}; {gates}. Confidence of the profile is {}.",
        report.file,
        report.seconds,
        report.gpus,
        findings::confidence(report.confidence)
    ));
    let button = egui::Button::new(RichText::new("Name the profile").color(theme.on_accent))
        .fill(theme.accent);
    if ui.add(button).clicked() {
        ask(cx, AssistantAction::Go(Step::Profile));
    }
    ui.add_space(theme.space().medium);
}

fn profile(
    ui: &mut Ui,
    cx: &mut ViewContext<'_>,
    live: &LiveModel,
    report: &Report,
    typed: &mut Typed,
) {
    let theme = cx.theme;
    heading(ui, "Name the profile and save it");
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Name");
        ui.add(
            egui::TextEdit::singleline(&mut typed.name)
                .desired_width(2.0 * theme.panels().field_width),
        )
        .labelled_by(label.id);
    });
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Thermal design power");
        ui.add(
            egui::TextEdit::singleline(&mut typed.tdp).desired_width(theme.panels().field_width),
        )
        .labelled_by(label.id)
        .on_hover_text("From the card's datasheet; the recording tells its power limit, or its highest power, at most");
    });
    ui.add_space(theme.space().small);
    ui.label(RichText::new("Phases of the profile").text_style(Theme::strong_style()));
    egui::Grid::new("profile phases").show(ui, |ui| {
        for (name, mean_w) in &report.profile_phases {
            ui.label(name);
            ui.label(format!("{mean_w:.0} W"));
            ui.end_row();
        }
    });
    ui.add_space(theme.space().small);
    let saved = live.assistant.saved.as_ref();
    ui.horizontal_wrapped(|ui| {
        let words = if saved.is_some() {
            "Save again…"
        } else {
            "Save the profile…"
        };
        if ui.button(words).clicked() {
            ask(
                cx,
                AssistantAction::Save {
                    name: typed.name.clone(),
                    tdp: typed.tdp.clone(),
                },
            );
        }
        let put = ui
            .add_enabled(
                saved.is_some(),
                egui::Button::new("Put it into the open scenario"),
            )
            .on_disabled_hover_text("Save the profile first: the scenario names its file");
        if put.clicked() {
            ask(cx, AssistantAction::PutIntoScenario);
        }
    });
    if let Some(saved) = saved {
        ui.label(RichText::new(format!("Saved as {}", saved.display())).color(theme.pass));
    }
    if let Some(key) = &live.assistant.inserted {
        ui.label(
            RichText::new(format!(
                "It is in the scenario as gpus.{key}: set the GPU of a node to {key} to use it"
            ))
            .color(theme.pass),
        );
    }
}
