//! The list of jobs, with progress and a way to cancel.

use egui::accesskit::Role;
use egui::{Id, ProgressBar, Response, RichText, Ui, WidgetInfo};

use crate::action::Action;
use crate::engine::{JobPhase, JobState};
use crate::plot::ViewContext;

/// Share of a job below which no time is told: the first blocks are not like the rest.
const TELLS_FROM: f64 = 0.02;
/// Time a job must have been seen for before one is told, seconds.
const SEEN_FOR_S: f64 = 1.0;

/// When a running job was seen first, seconds of the window's clock, and its share then.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at_s: f64,
    share: f64,
}

impl Seen {
    /// Time that is left at the rate so far, seconds; none where that cannot be told yet.
    fn left_s(self, now_s: f64, share: f64) -> Option<f64> {
        let (time_s, done) = (now_s - self.at_s, share - self.share);
        (time_s >= SEEN_FOR_S && done > 0.0 && share >= TELLS_FROM)
            .then(|| (1.0 - share).max(0.0) * time_s / done)
    }
}

/// Draws the list.
pub fn show(ui: &mut Ui, cx: &mut ViewContext<'_>, jobs: &[JobState]) {
    if jobs.is_empty() {
        ui.label(RichText::new("No runs so far").color(cx.theme.muted));
        return;
    }
    egui::ScrollArea::vertical()
        .id_salt("jobs")
        .auto_shrink(false)
        .show(ui, |ui| {
            for job in jobs {
                ui.push_id(("job", job.id), |ui| one(ui, cx, job));
            }
        });
}

fn one(ui: &mut Ui, cx: &mut ViewContext<'_>, job: &JobState) {
    let theme = cx.theme;
    ui.horizontal_wrapped(|ui| match &job.phase {
        JobPhase::Running => {
            let share = job.progress.clamp(0.0, 1.0);
            if named(ui.button("Cancel"), "Cancel", job).clicked() {
                cx.actions.push(Action::CancelJob(job.id));
            }
            let left = left_s(ui, job, share)
                .map_or_else(String::new, |s| format!(", about {} left", duration(s)));
            let text = format!("{:.0} %{left}", 100.0 * share);
            ui.add(
                ProgressBar::new(share as f32)
                    .desired_width(theme.panels().card_width)
                    .text(&text),
            )
            .widget_info(|| {
                WidgetInfo::labeled(
                    Role::ProgressIndicator,
                    true,
                    format!("{}: {text}", job.label),
                )
            });
            ui.label(&job.label);
        }
        JobPhase::Done => {
            if named(ui.button("Show"), "Show the result", job).clicked() {
                cx.actions.push(Action::ShowJob(job.id));
            }
            ui.label(&job.label);
            ui.label(RichText::new("done").color(theme.pass));
        }
        JobPhase::Cancelled => {
            ui.label(RichText::new(&job.label).color(theme.muted));
            ui.label(RichText::new("cancelled").color(theme.muted));
        }
        JobPhase::Failed(why) => {
            ui.label(&job.label);
            ui.label(RichText::new(format!("failed: {why}")).color(theme.fail));
        }
    });
}

/// A button's name for screen readers, where its word alone is not enough.
fn named(button: Response, what: &str, job: &JobState) -> Response {
    let name = format!("{what}, {}", job.label);
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    button
}

fn left_s(ui: &Ui, job: &JobState, share: f64) -> Option<f64> {
    let now_s = ui.input(|i| i.time);
    let id = Id::unique(("job seen", job.id));
    let first = Seen { at_s: now_s, share };
    let seen: Seen = ui.data_mut(|d| *d.get_temp_mut_or_insert_with(id, || first));
    seen.left_s(now_s, share)
}

/// A duration as people say it.
fn duration(s: f64) -> String {
    match s {
        s if s < 90.0 => format!("{:.0} s", s.ceil()),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::verdicts::samples::harness;
    use egui_kittest::kittest::Queryable as _;

    fn job(id: u64, phase: JobPhase) -> JobState {
        JobState {
            id,
            label: format!("run {id}"),
            progress: 0.4,
            phase,
        }
    }

    #[test]
    fn the_time_left_comes_from_the_rate() {
        let seen = Seen {
            at_s: 10.0,
            share: 0.1,
        };
        assert_eq!(seen.left_s(10.5, 0.2), None, "too early");
        assert_eq!(seen.left_s(20.0, 0.1), None, "no rate");
        assert_eq!(seen.left_s(20.0, 0.6), Some(8.0));
        assert_eq!(duration(8.2), "9 s");
        assert_eq!(duration(600.0), "10 min");
        assert_eq!(duration(9000.0), "2.5 h");
    }

    #[test]
    fn a_running_job_can_be_cancelled_and_a_done_one_shown() {
        let jobs = [
            job(3, JobPhase::Running),
            job(2, JobPhase::Done),
            job(1, JobPhase::Cancelled),
            job(
                0,
                JobPhase::Failed("the disk is full: free some space".to_owned()),
            ),
        ];
        let mut harness = harness([600.0, 200.0], false, move |ui, cx| show(ui, cx, &jobs));
        harness.check_accessibility();
        crate::views::verdicts::samples::look(&mut harness, "jobs");
        harness.get_by_label("Cancel, run 3").click();
        harness.run();
        harness.get_by_label("Show the result, run 2").click();
        harness.run();
        let asked = harness.state_mut().asked();
        assert_eq!(asked, [Action::CancelJob(3), Action::ShowJob(2)]);
        harness.get_by_label_contains("free some space");
    }
}
