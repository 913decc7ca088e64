//! What is wrong with racks and jobs as such; what a profile lacks for a job is found in `needs`.

use std::collections::{BTreeMap, BTreeSet};

use ballast_buffer::StorageSpec;
use ballast_profile::{MeteredSide, NodeSpec};

use crate::check_inference::inference;
use crate::site::SiteProblem;
use crate::smoothing_spec::check_secondary;
use crate::{
    BatchJob, IterationShape, JobSpec, RackGroup, SiteEventSpec, TrainingJob, correlation,
};

/// Node offsets beyond this share of the iteration would let one node overtake another's iteration.
pub(crate) const NODE_JITTER_SHARE: f64 = 0.25;

/// Jitter beyond this share of the iteration would meet the shortest iteration often enough to lengthen the mean.
const ITERATION_JITTER_SHARE: f64 = 1.0 / 3.0;

/// Shortest iteration, seconds; nothing a job of several GPUs does together is shorter.
const SHORTEST_ITERATION_S: f64 = 1e-3;

/// Crashes more often than this are refused, seconds: the job would do nothing else.
const SHORTEST_MTBF_S: f64 = 1.0;

/// Most stages of a pipeline, and most micro-batches: their timetable is worked out pass by pass.
const MOST_STAGES: u32 = 128;
const MOST_MICROBATCHES: u32 = 4096;

/// Times beyond this are refused, seconds: 30 years, at which a time still resolves a microsecond.
const LONGEST_S: f64 = 1e9;

/// Most characters of a name; it becomes the name of a column.
const LONGEST_NAME: usize = 100;

/// A number for a message: very small and very large ones with an exponent.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || (1e-6..1e15).contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// What stands in a group's racks beside their nodes.
pub(crate) fn other(i: usize, group: &RackGroup, node: &NodeSpec, problems: &mut Problems) -> bool {
    let Some(other) = &group.other_kw else {
        if group.other_metered.is_some() {
            problems.add(
                format!("racks.{i}.other_metered"),
                "there is no `other_kw` that it could be about",
                "add `other_kw`, or take `other_metered` out",
            );
        }
        return group.other_metered.is_none();
    };
    let before = problems.0.len();
    if !(0.0..=1e6).contains(&other.value) {
        problems.add(
            format!("racks.{i}.other_kw"),
            format!("it is {} kW", number(other.value)),
            "give a number of kilowatts from 0 to 1e6",
        );
    }
    let behind = group.other_metered == Some(MeteredSide::NodeDc);
    if behind && node.host.metered == MeteredSide::NodeAc {
        problems.add(
            format!("racks.{i}.other_metered"),
            format!(
                "node `{}` is metered at its AC side: the losses of its supplies are in its figures, and what they would be with more load is unknown",
                group.node
            ),
            "give `other_kw` at the AC side: other_metered = \"node_ac\"",
        );
    }
    problems.0.len() == before
}

/// Collects problems; every check goes on after the first.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(crate) Vec<SiteProblem>);

impl Problems {
    pub(crate) fn add(
        &mut self,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0
            .push(SiteProblem::new(path.into(), message.into(), help.into()));
    }

    /// A finite number of seconds within reason.
    fn finite(&mut self, path: &str, value: f64) -> bool {
        let good = value.abs() <= LONGEST_S;
        if !good {
            self.add(
                path,
                format!("it is {} s", number(value)),
                format!("give a number of seconds from -{LONGEST_S:e} to {LONGEST_S:e}"),
            );
        }
        good
    }

    /// A name that can stand in a table's head. `false` if it is empty.
    pub(crate) fn name(&mut self, path: &str, name: &str, help: &str) -> bool {
        if name.trim().is_empty() {
            self.add(path, "the name is empty", help);
        } else if name.chars().any(char::is_control) {
            self.add(
                path,
                format!("the name {name:?} has control characters"),
                "names become names of columns: use what can be printed",
            );
        } else if name.chars().count() > LONGEST_NAME {
            self.add(
                path,
                format!("the name has {} characters", name.chars().count()),
                format!("at most {LONGEST_NAME}; names become names of columns"),
            );
        }
        !name.trim().is_empty()
    }

    /// A finite number, 0 or more.
    pub(crate) fn span(&mut self, path: &str, value: f64) -> bool {
        let good = self.finite(path, value) && value >= 0.0;
        if value.abs() <= LONGEST_S && !good {
            self.add(
                path,
                format!("it is {} s", number(value)),
                "a duration or spread is 0 or more",
            );
        }
        good
    }

    /// Rack groups by name, each once.
    pub(crate) fn racks(&mut self, path: &str, racks: &[String], groups: &[RackGroup]) {
        let mut seen = BTreeSet::new();
        for (k, rack) in racks.iter().enumerate() {
            if !groups.iter().any(|g| &g.name == rack) {
                self.add(
                    format!("{path}.racks.{k}"),
                    format!("there is no rack group `{rack}`"),
                    listed(groups.iter().map(|g| g.name.as_str())),
                );
            } else if !seen.insert(rack) {
                self.add(
                    format!("{path}.racks.{k}"),
                    format!("rack group `{rack}` is named twice"),
                    "name it once",
                );
            }
        }
    }

    fn count(&mut self, path: String, what: &str, value: u32, most: u32) -> bool {
        let good = (1..=most).contains(&value);
        if !good {
            self.add(
                path,
                format!("there are {value} {what}"),
                format!("give 1 to {most}"),
            );
        }
        good
    }
}

/// Names as a list for a help line; long lists are cut.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let all: Vec<_> = names.into_iter().collect();
    match all.len() {
        0 => "none is defined".to_owned(),
        n if n <= MOST => format!("defined: {}", all.join(", ")),
        n => format!("defined: {}, and {} more", all[..MOST].join(", "), n - MOST),
    }
}

/// Groups named as a rack of another group is: a name would mean both.
pub(crate) fn ambiguous_names(groups: &[RackGroup], problems: &mut Problems) {
    let index: BTreeMap<&str, usize> = groups
        .iter()
        .enumerate()
        .map(|(i, g)| (g.name.as_str(), i))
        .collect();
    for (i, group) in groups.iter().enumerate() {
        let Some((other, digits)) = group.name.rsplit_once('-') else {
            continue;
        };
        let Some(other) = index.get(other).copied() else {
            continue;
        };
        let number: u32 = digits.parse().unwrap_or(0);
        let is_rack = (1..=groups[other].count).contains(&number);
        if is_rack && format!("{number:03}") == digits {
            problems.add(
                format!("racks.{i}.name"),
                format!(
                    "`{}` is also rack {number} of the group `{}` (racks.{other}.name)",
                    group.name, groups[other].name
                ),
                "name one of the groups otherwise: its racks are <name>-001, …",
            );
        }
    }
}

/// Problems of a rack group on its own. True if it can be built.
pub(crate) fn rack_group(
    index: usize,
    group: &RackGroup,
    earlier: &mut BTreeSet<String>,
    problems: &mut Problems,
) -> bool {
    let path = format!("racks.{index}");
    let before = problems.0.len();
    let named = problems.name(
        &format!("{path}.name"),
        &group.name,
        "name the group; its racks are <name>-001, …",
    );
    if named && !earlier.insert(group.name.clone()) {
        problems.add(
            format!("{path}.name"),
            format!("there are two rack groups `{}`", group.name),
            "give each group its own name",
        );
    }
    problems.count(format!("{path}.count"), "racks", group.count, 1_000_000);
    problems.count(
        format!("{path}.nodes_per_rack"),
        "nodes in a rack",
        group.nodes_per_rack,
        1000,
    );
    if let Some(per_row) = group.racks_per_row {
        problems.count(
            format!("{path}.racks_per_row"),
            "racks in a row",
            per_row,
            1_000_000,
        );
    }
    for problem in group.storage.iter().flat_map(StorageSpec::problems) {
        let (message, help) = (problem.message, problem.help);
        problems.add(format!("{path}.storage.{}", problem.key), message, help);
    }
    problems.0.len() == before
}

/// Problems of the jobs' own fields. True for each job that can be placed.
pub(crate) fn jobs(
    jobs: &[JobSpec],
    groups: &[RackGroup],
    events: &[SiteEventSpec],
    problems: &mut Problems,
) -> Vec<bool> {
    let mut names = BTreeSet::new();
    let mut placeable = Vec::with_capacity(jobs.len());
    for (i, job) in jobs.iter().enumerate() {
        let path = format!("jobs.{i}");
        let (name, own) = (job.name(), job.correlation());
        let (racks, gpus) = job.place();
        if problems.name(&format!("{path}.name"), name, "name the job") && !names.insert(name) {
            problems.add(
                format!("{path}.name"),
                format!("there are two jobs `{name}`"),
                "give each job its own name",
            );
        }
        if let Some(spec) = own {
            correlation::check(&format!("{path}.correlation"), spec, &mut problems.0);
        }
        let before = problems.0.len();
        where_it_runs(&path, name, racks, gpus, groups, problems);
        placeable.push(problems.0.len() == before);
        match job {
            JobSpec::Batch(b) => batch(&path, b, problems),
            JobSpec::Training(t) => training(&path, t, !events.is_empty(), problems),
            JobSpec::Inference(i) => inference(&path, i, problems),
        }
    }
    placeable
}

fn where_it_runs(
    path: &str,
    name: &str,
    racks: &[String],
    gpus: Option<u32>,
    groups: &[RackGroup],
    problems: &mut Problems,
) {
    if groups.is_empty() {
        problems.add(
            path,
            format!("job `{name}` has no racks to run on"),
            "add [[racks]], or remove the job",
        );
    }
    problems.racks(path, racks, groups);
    if gpus == Some(0) {
        problems.add(
            format!("{path}.gpus"),
            format!("job `{name}` uses 0 GPUs"),
            "give at least 1, or leave gpus away for every free GPU",
        );
    }
}

fn batch(path: &str, job: &BatchJob, problems: &mut Problems) {
    problems.finite(&format!("{path}.start_s"), job.start_s);
    problems.span(&format!("{path}.stagger_s"), job.stagger_s);
    problems.span(&format!("{path}.start_jitter_s"), job.start_jitter_s);
    let optional = [
        ("launch_s", job.launch_s),
        ("load_s", job.load_s),
        ("warmup_s", job.warmup_s),
        ("steady_s", job.steady_s),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            problems.span(&format!("{path}.{key}"), value);
        }
    }
    if !job.runs.is_empty() {
        batch_runs(path, job, problems);
    }
}

/// Runs come one after another, and stand in place of the one that `start_s` and `steady_s` describe.
fn batch_runs(path: &str, job: &BatchJob, problems: &mut Problems) {
    let instead = [
        ("start_s", job.start_s != 0.0),
        ("steady_s", job.steady_s.is_some()),
    ];
    for (key, given) in instead {
        if given {
            problems.add(
                format!("{path}.{key}"),
                format!("job `{}` has runs and {key}", job.name),
                format!("each run has its own start_s and stop_s: take {key} out, or the runs"),
            );
        }
    }
    let mut before: Option<f64> = None;
    for (k, run) in job.runs.iter().enumerate() {
        let path = format!("{path}.runs.{k}");
        if let Some(name) = &run.name {
            let help = "name the run, or leave the name away for its number";
            problems.name(&format!("{path}.name"), name, help);
        }
        let start_known = problems.finite(&format!("{path}.start_s"), run.start_s);
        if let Some(stop_s) = before.filter(|s| start_known && run.start_s < *s) {
            problems.add(
                format!("{path}.start_s"),
                format!(
                    "it starts at {} s, before the run ahead of it ends at {} s",
                    number(run.start_s),
                    number(stop_s)
                ),
                "runs stand in order of time and do not overlap: a GPU does one thing at a time",
            );
        }
        let stop = run.stop_s;
        if stop.is_none() && k + 1 < job.runs.len() {
            problems.add(
                format!("{path}.stop_s"),
                "the run has no end, and another follows it",
                "only the last run may last to the end of the simulation",
            );
        }
        if stop.is_none() && run.crash {
            problems.add(
                format!("{path}.crash"),
                "the run crashes, and has no end",
                "set stop_s to the time of the crash",
            );
        }
        before = stop.filter(|s| problems.finite(&format!("{path}.stop_s"), *s));
        if let Some(stop_s) = before.filter(|s| start_known && *s <= run.start_s) {
            problems.add(
                format!("{path}.stop_s"),
                format!(
                    "the run stops at {} s, and starts at {} s",
                    number(stop_s),
                    number(run.start_s)
                ),
                "set stop_s after start_s",
            );
        }
    }
}

/// `events`: whether events of the site may crash it.
fn training(path: &str, job: &TrainingJob, events: bool, problems: &mut Problems) {
    let start_known = problems.finite(&format!("{path}.start_s"), job.start_s);
    let iteration_known = (SHORTEST_ITERATION_S..=LONGEST_S).contains(&job.iteration_s);
    if !iteration_known {
        problems.add(
            format!("{path}.iteration_s"),
            format!("an iteration takes {} s", number(job.iteration_s)),
            format!("it is at least {SHORTEST_ITERATION_S} s and at most {LONGEST_S:e} s"),
        );
    }
    if !(0.0..=1.0).contains(&job.compute_share) {
        problems.add(
            format!("{path}.compute_share"),
            format!("the share of computing is {}", number(job.compute_share)),
            "it lies between 0 (only communication) and 1 (only computing)",
        );
    }
    jitter(path, job, iteration_known, problems);
    shape(path, job, problems);
    straggler(path, job, problems);
    checkpoints(path, job, problems);
    check_secondary(path, job, problems);
    problems.span(&format!("{path}.stagger_s"), job.stagger_s);

    let stop = job
        .stop_s
        .filter(|s| problems.finite(&format!("{path}.stop_s"), *s));
    if let Some(stop_s) = stop.filter(|s| start_known && *s <= job.start_s) {
        problems.add(
            format!("{path}.stop_s"),
            format!(
                "the job stops at {} s, before it starts at {} s",
                number(stop_s),
                number(job.start_s)
            ),
            "set stop_s after start_s",
        );
    }
    let crash = job
        .crash_at_s
        .filter(|s| problems.finite(&format!("{path}.crash_at_s"), *s));
    if let Some(crash_s) = crash {
        if start_known && crash_s < job.start_s {
            problems.add(
                format!("{path}.crash_at_s"),
                format!(
                    "the job crashes at {} s, before it starts at {} s",
                    number(crash_s),
                    number(job.start_s)
                ),
                "set crash_at_s after start_s",
            );
        }
        if let Some(stop_s) = stop.filter(|s| crash_s >= *s) {
            problems.add(
                format!("{path}.crash_at_s"),
                format!(
                    "the job crashes at {} s, when it has already stopped at {} s",
                    number(crash_s),
                    number(stop_s)
                ),
                "set crash_at_s before stop_s",
            );
        }
    }
    restarts(path, job, events, problems);
}

fn restarts(path: &str, job: &TrainingJob, events: bool, problems: &mut Problems) {
    if let Some(mtbf_s) = job.mtbf_s
        && !(SHORTEST_MTBF_S..=LONGEST_S).contains(&mtbf_s)
    {
        problems.add(
            format!("{path}.mtbf_s"),
            format!("the mean time between crashes is {} s", number(mtbf_s)),
            format!("it is at least {SHORTEST_MTBF_S} s and at most {LONGEST_S:e} s"),
        );
    }
    if let Some(after_s) = job.restart_after_s {
        problems.span(&format!("{path}.restart_after_s"), after_s);
        if job.crash_at_s.is_none() && job.mtbf_s.is_none() && !events {
            problems.add(
                format!("{path}.restart_after_s"),
                "a restart is set, but no crash",
                "set crash_at_s or mtbf_s, or remove restart_after_s",
            );
        }
    }
    for (key, value) in [
        ("restore_s", job.restore_s.unwrap_or(0.0)),
        ("restart_stagger_s", job.restart_stagger_s),
        ("restart_jitter_s", job.restart_jitter_s),
    ] {
        let path = format!("{path}.{key}");
        if problems.span(&path, value) && value > 0.0 && job.restart_after_s.is_none() {
            problems.add(
                path,
                "it describes the restart, but the job never restarts",
                format!("set restart_after_s, or remove {key}"),
            );
        }
    }
}

fn shape(path: &str, job: &TrainingJob, problems: &mut Problems) {
    let path = format!("{path}.shape");
    match job.shape {
        IterationShape::DataParallel { overlap_share } => {
            if !(0.0..=1.0).contains(&overlap_share) {
                problems.add(
                    format!("{path}.overlap_share"),
                    format!("the share is {}", number(overlap_share)),
                    "it lies between 0 (all communication follows the backward pass) and 1 (all runs during it)",
                );
            }
        }
        IterationShape::Pipeline {
            stages,
            microbatches,
            replicas,
            forward_share,
            ..
        } => {
            problems.count(format!("{path}.stages"), "stages", stages, MOST_STAGES);
            problems.count(
                format!("{path}.microbatches"),
                "micro-batches",
                microbatches,
                MOST_MICROBATCHES,
            );
            problems.count(format!("{path}.replicas"), "pipelines", replicas, 1_000_000);
            if let Some(share) = forward_share.filter(|s| !(*s > 0.0 && *s < 1.0)) {
                problems.add(
                    format!("{path}.forward_share"),
                    format!("the forward pass takes the share {}", number(share)),
                    "it lies between 0 and 1, both excluded; 1/3 if the backward pass takes twice as long",
                );
            }
        }
    }
}

fn straggler(path: &str, job: &TrainingJob, problems: &mut Problems) {
    let Some(straggler) = job.straggler else {
        return;
    };
    let path = format!("{path}.straggler");
    problems.span(&format!("{path}.delay_s"), straggler.delay_s);
    if !(0.0..=1.0).contains(&straggler.probability) {
        problems.add(
            format!("{path}.probability"),
            format!("the probability is {}", number(straggler.probability)),
            "it lies between 0 and 1",
        );
    }
    if straggler.node == Some(0) {
        problems.add(
            format!("{path}.node"),
            "the straggler is node number 0",
            "nodes are numbered from 1 on",
        );
    }
}

fn jitter(path: &str, job: &TrainingJob, iteration_known: bool, problems: &mut Problems) {
    let limits = [
        (
            "iteration_jitter_s",
            job.iteration_jitter_s,
            ITERATION_JITTER_SHARE,
            "a third of",
        ),
        (
            "node_jitter_s",
            job.node_jitter_s,
            NODE_JITTER_SHARE,
            "a quarter of",
        ),
    ];
    for (key, value, share, words) in limits {
        let path = format!("{path}.{key}");
        if problems.span(&path, value) && iteration_known && value > share * job.iteration_s {
            problems.add(
                path,
                format!(
                    "it is {} s with an iteration of {} s",
                    number(value),
                    number(job.iteration_s)
                ),
                format!("lower it to {words} the iteration at most; lockstep means little beyond"),
            );
        }
    }
}

fn checkpoints(path: &str, job: &TrainingJob, problems: &mut Problems) {
    if job.checkpoint_every == Some(0) {
        problems.add(
            format!("{path}.checkpoint_every"),
            "a checkpoint after every 0 iterations",
            "give at least 1, or leave it away for no checkpoints",
        );
    }
    if let Some(checkpoint_s) = job.checkpoint_s {
        problems.span(&format!("{path}.checkpoint_s"), checkpoint_s);
        if job.checkpoint_every.is_none() {
            problems.add(
                format!("{path}.checkpoint_s"),
                "checkpoints have a duration, but none is ever written",
                "set checkpoint_every, or remove checkpoint_s",
            );
        }
    }
}
