//! What can be said of power smoothing before anything runs: what it does not do, what it delays.

use ballast_profile::{GpuProfile, PhaseKind};
use serde::Serialize;

use crate::needs::before_work;
use crate::placement::Placement;
use crate::site::{Hardware, SiteInput};
use crate::smoothing::{Secondary, Smoothing};
use crate::timeline::ProfileTable;
use crate::{GroupInfo, JobSpec, TrainingJob};

/// Something about power smoothing that a reader of the result should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SmoothingNote {
    /// Stable identifier, `ramp-limited-start`.
    pub code: &'static str,
    /// In words, with the figures.
    pub text: String,
}

/// Everything about the groups that smooth and the jobs on them.
pub(crate) fn notes(
    input: &SiteInput<'_>,
    (groups, hardware, tables): (&[GroupInfo], &[Hardware], &[ProfileTable]),
    placement: &Placement,
) -> Vec<SmoothingNote> {
    let mut notes = Vec::new();
    let mut say = |code, text| notes.push(SmoothingNote { code, text });
    for (group, hardware) in groups.iter().zip(hardware) {
        let (Some(smoothing), Some(profile)) = (&hardware.smoothing, input.gpus.get(&group.gpu))
        else {
            continue;
        };
        of_group(group, smoothing, profile, &tables[hardware.table], &mut say);
    }
    for (job, on) in input.jobs.iter().zip(&placement.groups) {
        for &g in on {
            let (group, hardware) = (&groups[g], &hardware[g]);
            let table = &tables[hardware.table];
            if let Some(smoothing) = &hardware.smoothing {
                of_job(job, group, smoothing, table, &mut say);
            }
            if let JobSpec::Training(training) = job
                && let Some(load) = training.secondary_load
            {
                let secondary = Secondary::new(&load, table.tdp_w);
                fills(training, &secondary, table, &mut say);
            }
        }
    }
    notes.dedup();
    notes
}

fn of_group(
    group: &GroupInfo,
    smoothing: &Smoothing,
    profile: &GpuProfile,
    table: &ProfileTable,
    say: &mut impl FnMut(&'static str, String),
) {
    let (name, gpu, floor_w) = (&group.name, &group.gpu, smoothing.floor_w);
    if profile.smoothing.is_none() {
        say(
            "smoothing-not-known",
            format!(
                "racks `{name}` smooth the power of their GPUs, and profile `{gpu}` does not say that its GPU can: a feature of GB200 and later, taken here as if it were there"
            ),
        );
    }
    let idle = [PhaseKind::IdleContext, PhaseKind::Idle]
        .map(|k| table.level(k))
        .into_iter()
        .find(|l| l.present);
    if let Some(idle) = idle.filter(|l| floor_w > 0.0 && floor_w <= l.power_w) {
        say(
            "floor-below-idle",
            format!(
                "the power floor of racks `{name}` is {floor_w:.0} W, and a `{gpu}` without work draws {:.0} W: the floor never acts",
                idle.power_w
            ),
        );
    }
}

fn of_job(
    job: &JobSpec,
    group: &GroupInfo,
    smoothing: &Smoothing,
    table: &ProfileTable,
    say: &mut impl FnMut(&'static str, String),
) {
    let rate = smoothing.up_w_per_s;
    if rate.is_infinite() {
        return;
    }
    let active: Vec<PhaseKind> = phases(job)
        .into_iter()
        .filter(|k| table.level(*k).present && smoothing.active[*k as usize])
        .collect();
    let power_w = |k: PhaseKind| table.level(k).power_w;
    let Some(top) = active
        .iter()
        .copied()
        .max_by(|a, b| power_w(*a).total_cmp(&power_w(*b)))
    else {
        return;
    };
    let (top_w, rest_w) = (
        power_w(top),
        power_w(before_work(|k| table.level(k).present)),
    );
    let lasts_s = (top_w - rest_w) / rate;
    if lasts_s > table.level(top).rise_s && starts_within(job) {
        let held_back_j = 0.5 * (top_w - rest_w) * lasts_s;
        say(
            "ramp-limited-start",
            format!(
                "a start of job `{}` on racks `{}` is held back by their ramp limit: from {rest_w:.0} W to the {top_w:.0} W of {} a GPU takes {lasts_s:.3} s at {rate:.0} W/s. \
                 It draws {:.3} kJ less by then, as much as {:.3} s of that phase: by about that the job is later, which the run does not show: it caps the power and leaves the job's times as they are",
                job.name(),
                group.name,
                top.key(),
                1e-3 * held_back_j,
                held_back_j / top_w
            ),
        );
    }
    if let JobSpec::Training(training) = job {
        every_iteration(training, smoothing, table, say);
    }
}

/// Ramps that come with each iteration or checkpoint.
fn every_iteration(
    job: &TrainingJob,
    smoothing: &Smoothing,
    table: &ProfileTable,
    say: &mut impl FnMut(&'static str, String),
) {
    let power_w = |k: PhaseKind| table.level(k).power_w;
    let delay_s = smoothing.stop_delay_s;
    let back_s = |low: PhaseKind, pause_s: f64| {
        let falls_w = smoothing.down_w_per_s * (pause_s - delay_s);
        let floor_w = (smoothing.floor_w - falls_w).max(0.0);
        (power_w(PhaseKind::TrainCompute) - floor_w.max(power_w(low))) / smoothing.up_w_per_s
    };
    let (compute, communicate) = (PhaseKind::TrainCompute, PhaseKind::TrainCommunication);
    let active = |k: PhaseKind| smoothing.active[k as usize];
    let pause_s = (1.0 - job.compute_share) * job.lasting_s();
    if active(compute) && !active(communicate) && pause_s > delay_s {
        let back_s = back_s(communicate, pause_s);
        say(
            "ramp-in-every-iteration",
            format!(
                "while job `{}` communicates ({pause_s:.3} s in each iteration of {:.3} s) its GPUs count as not active, and the floor is held for {delay_s:.3} s only: \
                 the ramp limit acts in every iteration, for {back_s:.3} s of it. Really each iteration would take longer, so the cadence would be slower than the run shows; a longer stop_delay_s avoids it",
                job.name,
                job.lasting_s()
            ),
        );
    }
    let pause_s = job.checkpoint_s.unwrap_or(0.0);
    if active(compute) && !active(PhaseKind::Checkpoint) && pause_s > delay_s {
        let back_s = back_s(PhaseKind::Checkpoint, pause_s);
        say(
            "ramp-after-checkpoint",
            format!(
                "a checkpoint of job `{}` lasts {pause_s:.3} s, longer than the {delay_s:.3} s for which the floor is held: after each the power is held back for {back_s:.3} s. A stop_delay_s of {pause_s:.3} s rides through",
                job.name
            ),
        );
    }
}

fn fills(
    job: &TrainingJob,
    secondary: &Secondary,
    table: &ProfileTable,
    say: &mut impl FnMut(&'static str, String),
) {
    let low_w = table.level(PhaseKind::TrainCommunication).power_w;
    let pause_s = (1.0 - job.compute_share) * job.lasting_s();
    if secondary.fill_w <= low_w {
        say(
            "secondary-load-below",
            format!(
                "the secondary load of job `{}` fills to {:.0} W, and communicating draws {low_w:.0} W: it never acts there",
                job.name, secondary.fill_w
            ),
        );
    } else if secondary.reaction_s >= pause_s {
        say(
            "secondary-load-late",
            format!(
                "the secondary load of job `{}` follows after {:.3} s, and communicating lasts {pause_s:.3} s: it never acts within an iteration",
                job.name, secondary.reaction_s
            ),
        );
    }
}

/// Phases in which a job works.
fn phases(job: &JobSpec) -> Vec<PhaseKind> {
    match job {
        JobSpec::Batch(b) => vec![PhaseKind::Warmup, b.steady],
        JobSpec::Training(_) => vec![PhaseKind::TrainCompute, PhaseKind::TrainCommunication],
        JobSpec::Inference(_) => vec![PhaseKind::SteadyPrefill, PhaseKind::SteadyDecode],
    }
}

/// Whether it starts, or starts again, within the run; a service's GPUs start whenever requests come after a pause.
fn starts_within(job: &JobSpec) -> bool {
    match job {
        JobSpec::Batch(b) => b.first_start_s() + b.stagger_s >= 0.0 || b.runs.len() > 1,
        JobSpec::Training(t) => t.start_s + t.stagger_s >= 0.0 || t.restart_after_s.is_some(),
        JobSpec::Inference(_) => true,
    }
}
