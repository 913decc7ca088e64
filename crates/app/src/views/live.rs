//! Live power of GPUs, and the assistant.

mod assistant;
mod bands;
mod findings;

use egui::{RichText, Ui};

use crate::action::Action;
use crate::live::{Bucket, LiveAction, LiveFrom, LiveGpu, LiveModel, LiveState, Pace};
use crate::plot::ViewContext;
use crate::theme::Theme;

use assistant::Typed;
use bands::{BandPlot, Column};

/// Stretches that can be shown, minutes.
const SPANS_MIN: [u32; 3] = [1, 5, 10];

/// What stands in the panel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// The numbers.
    #[default]
    Numbers,
    /// The assistant.
    Assistant,
}

/// What the panel remembers between frames.
#[derive(Debug)]
pub struct LiveView {
    /// What stands in it.
    pub page: Page,
    span_min: u32,
    typed: Typed,
}

impl Default for LiveView {
    fn default() -> Self {
        Self {
            page: Page::default(),
            span_min: SPANS_MIN[0],
            typed: Typed::default(),
        }
    }
}

impl LiveView {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut ViewContext<'_>, live: &LiveModel) {
        if live.busy() {
            // Numbers come from beside the window; a dialog may answer without a word.
            ui.ctx()
                .request_repaint_after(std::time::Duration::from_millis(100));
        }
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut self.page, Page::Numbers, "Live power");
            ui.selectable_value(&mut self.page, Page::Assistant, "Calibrate a GPU profile");
        });
        ui.separator();
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .id_salt(("live", self.page as u8))
            .show(ui, |ui| match self.page {
                Page::Numbers => self.numbers(ui, cx, live),
                Page::Assistant => {
                    assistant::show(ui, cx, live, &mut self.typed, f64::from(self.span_min));
                }
            });
    }

    fn numbers(&mut self, ui: &mut Ui, cx: &mut ViewContext<'_>, live: &LiveModel) {
        let theme = cx.theme;
        match &live.state {
            LiveState::Off => {
                ui.label(RichText::new("Live power of GPUs").text_style(egui::TextStyle::Heading));
                ui.label("Shows the power of each NVIDIA GPU of this machine, twenty times a second. Without a GPU, a recorded file shows the same.");
            }
            LiveState::Missing(why) => refusal(ui, theme, live, why),
            _ => status(ui, cx, live),
        }
        ui.add_space(theme.space().small);
        self.buttons(ui, cx, live);
        ui.add_space(theme.space().medium);
        cards(ui, theme, live, f64::from(self.span_min));
        notes(ui, theme, live);
    }

    fn buttons(&mut self, ui: &mut Ui, cx: &mut ViewContext<'_>, live: &LiveModel) {
        let mut ask = |action| cx.actions.push(Action::Live(action));
        ui.horizontal_wrapped(|ui| {
            if live.reading() {
                let (words, paused) = if live.state == LiveState::Paused {
                    ("Go on", false)
                } else {
                    ("Pause", true)
                };
                if ui.button(words).clicked() {
                    ask(LiveAction::Pause(paused));
                }
                if ui.button("Stop").clicked() {
                    ask(LiveAction::Stop);
                }
            } else {
                let words = match live.state {
                    LiveState::Missing(_) => "Look again",
                    _ => "Show GPUs of this machine",
                };
                let ready = !matches!(live.state, LiveState::Looking | LiveState::Stopping);
                if ui.add_enabled(ready, egui::Button::new(words)).clicked() {
                    ask(LiveAction::Start);
                }
                if let (Some(LiveFrom::File(path)), true) = (&live.from, ready)
                    && ui.button("Play again").clicked()
                {
                    ask(LiveAction::Play(path.clone()));
                }
            }
            if ui
                .add_enabled(!live.recording(), egui::Button::new("Open a recording…"))
                .on_hover_text("A file of `ballast record`, or a log of nvidia-smi, DCGM or Prometheus (Parquet, CSV, text, JSON)")
                .clicked()
            {
                ask(LiveAction::OpenRecording);
            }
            if matches!(live.from, Some(LiveFrom::File(_))) && live.length_s.is_some() {
                ui.separator();
                ui.label("Speed");
                for pace in Pace::ALL {
                    if ui.selectable_label(live.pace == pace, pace.text()).clicked() {
                        ask(LiveAction::Pace(pace));
                    }
                }
            }
            if !live.gpus.is_empty() {
                ui.separator();
                ui.label("Shown");
                for minutes in SPANS_MIN {
                    ui.selectable_value(&mut self.span_min, minutes, format!("{minutes} min"));
                }
            }
        });
    }
}

/// The sentence when there is nothing to read, and what goes without it.
fn refusal(ui: &mut Ui, theme: &Theme, live: &LiveModel, why: &str) {
    theme.card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        let heading = match live.from {
            Some(LiveFrom::File(_)) => "This file cannot be played",
            Some(LiveFrom::Recorder(_)) => "Nothing was recorded",
            _ => "No GPU can be read here",
        };
        ui.label(
            RichText::new(heading)
                .text_style(Theme::strong_style())
                .color(theme.warning),
        );
        ui.label(why);
        if live.from == Some(LiveFrom::Machine) {
            ui.label("A recorded file works without a driver: open a recording to see its power and to calibrate a profile from it.");
        }
    });
}

/// Where the numbers come from and how far they are.
fn status(ui: &mut Ui, cx: &ViewContext<'_>, live: &LiveModel) {
    let theme = cx.theme;
    let what = match &live.from {
        Some(LiveFrom::File(path)) => path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        Some(LiveFrom::Recorder(request)) => format!("Recording to {}", request.file.display()),
        _ => "GPUs of this machine".to_owned(),
    };
    let gpus = match live.gpus.len() {
        0 => String::new(),
        1 => ", 1 GPU".to_owned(),
        n => format!(", {n} GPUs"),
    };
    let (word, colour) = match &live.state {
        LiveState::Looking => ("Looking for GPUs", theme.muted),
        LiveState::Running => ("Live", theme.pass),
        LiveState::Paused => ("Paused", theme.warning),
        LiveState::Stopping => ("Stopping", theme.muted),
        LiveState::Stopped => ("Stopped", theme.muted),
        LiveState::Ended => ("At its end", theme.muted),
        LiveState::Lost(_) => ("Lost", theme.fail),
        LiveState::Off | LiveState::Missing(_) => ("", theme.muted),
    };
    let file = matches!(live.from, Some(LiveFrom::File(_)));
    let word = match (&live.state, file) {
        (LiveState::Looking, true) => "Reading the file",
        (LiveState::Running, true) => "Playing",
        _ => word,
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(word).strong().color(colour));
        ui.label(format!("{what}{gpus}"));
        if !live.gpus.is_empty() {
            let at = match live.length_s {
                Some(length_s) => format!("{:.1} s of {length_s:.1} s", live.t_s),
                None => format!("{:.1} s", live.t_s),
            };
            ui.label(RichText::new(at).color(theme.muted));
        }
    });
    if let LiveState::Lost(why) = &live.state {
        ui.label(RichText::new(why).color(theme.fail));
        ui.label("What was measured until then is shown below.");
    }
}

/// A card per GPU, side by side where there is room.
fn cards(ui: &mut Ui, theme: &Theme, live: &LiveModel, span_min: f64) {
    if live.gpus.is_empty() {
        return;
    }
    let gap = theme.space().medium;
    // A plot with its axis needs some width to be read.
    let least = theme
        .panels()
        .card_width
        .max(6.0 * theme.panels().plot_axis_width);
    let width = ui.available_width();
    let fit = ((width + gap) / (least + gap)).floor().max(1.0) as usize;
    let columns = fit.min(live.gpus.len()).min(3);
    let each = (width - gap * (columns - 1) as f32) / columns as f32;
    for (row, gpus) in live.gpus.chunks(columns).enumerate() {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for (i, gpu) in gpus.iter().enumerate() {
                let number = row * columns + i;
                ui.allocate_ui_with_layout(
                    egui::vec2(each, 0.0),
                    egui::Layout::top_down(egui::Align::Min),
                    |ui| {
                        ui.push_id(number, |ui| card(ui, theme, live, gpu, number, span_min));
                    },
                );
            }
        });
        ui.add_space(gap);
    }
}

fn card(ui: &mut Ui, theme: &Theme, live: &LiveModel, gpu: &LiveGpu, number: usize, span_min: f64) {
    theme.card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(RichText::new(&gpu.name).text_style(Theme::strong_style()));
        let now = &gpu.now;
        ui.horizontal_wrapped(|ui| {
            let power = match (now.lost, now.power_w) {
                (true, _) => RichText::new("Lost").color(theme.fail),
                (_, Some(w)) => RichText::new(format!("{w:.0} W")),
                (_, None) => RichText::new("No power").color(theme.muted),
            };
            ui.label(power.text_style(Theme::title_style()));
            let parts = [
                now.limit_w.map(|w| format!("limit {w:.0} W")),
                now.utilisation.map(|u| format!("{:.0} % busy", 100.0 * u)),
                now.sm_mhz.map(|m| format!("{m:.0} MHz")),
                now.temperature_c.map(|c| format!("{c:.0} °C")),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            ui.label(RichText::new(parts.join(" · ")).color(theme.muted));
            if let Some(words) = now.held_back() {
                ui.label(RichText::new(words).color(theme.warning));
            }
        });
        plot(ui, theme, live, gpu, number, span_min);
    });
}

fn plot(ui: &mut Ui, theme: &Theme, live: &LiveModel, gpu: &LiveGpu, number: usize, span_min: f64) {
    let span_s = 60.0 * span_min;
    let half_s = 0.5 * crate::live::BUCKET_S;
    let column = |b: &Bucket| Column {
        span_s: (b.time_s() - half_s, b.time_s() + half_s),
        w: [b.min_w, b.mean_w(), b.max_w],
    };
    let columns: Vec<Column> = gpu.ring.last(live.t_s, span_s).map(column).collect();
    let words = gpu.ring.summary(live.t_s, span_s).map_or_else(
        || "No power yet".to_owned(),
        |(min, mean, max)| {
            format!("Last {span_min:.0} min: {min:.0} to {max:.0} W, mean {mean:.0} W")
        },
    );
    BandPlot {
        x_s: (live.t_s - span_s, live.t_s.max(1.0)),
        zero_s: live.t_s,
        limit_w: gpu.now.limit_w,
        colour: theme.series(number),
        height: theme.panels().plot_height_min,
        stretches: &[],
        summary: format!("Power of {} over time. {words}", gpu.name),
    }
    .show(ui, theme, &columns);
    ui.label(RichText::new(words).color(theme.muted).small());
}

/// What went wrong, newest first.
fn notes(ui: &mut Ui, theme: &Theme, live: &LiveModel) {
    if live.notes.is_empty() {
        return;
    }
    ui.label(RichText::new("Noted").text_style(Theme::strong_style()));
    for (t_s, note) in live.notes.iter().rev() {
        ui.label(RichText::new(format!("{t_s:.1} s  {note}")).color(theme.muted));
    }
}

#[cfg(test)]
mod tests;
