//! Slurm's jobs as `[[jobs]]` of a scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::slurm::{Job, Skipped, SlurmJobs, notes_of};
use crate::slurm_racks::{Part, Placed};

/// Launch, load and warmup at the beginning of a job's time, seconds; those of the H100 and A100 profiles.
const PASSING_S: [(&str, i64); 3] = [("launch_s", 3), ("load_s", 20), ("warmup_s", 8)];

/// Most GPUs that are allocated at once.
fn most_at_once(jobs: &[Job]) -> u64 {
    let mut changes: Vec<(i64, i64)> = Vec::new();
    for job in jobs {
        let gpus = job.gpus.cast_signed();
        changes.push((job.start, gpus));
        changes.extend(job.end.map(|end| (end, -gpus)));
    }
    // At the same second what ends comes first: its GPUs are free for the next.
    changes.sort_unstable();
    let (mut now, mut most) = (0, 0);
    for (_, change) in changes {
        now += change;
        most = most.max(now);
    }
    most.cast_unsigned()
}

/// A name of a job that a scenario can have: elements of arrays are `8_3`, parts of heterogeneous jobs `8+1`.
fn entry_name(id: &str) -> String {
    id.replace('+', "-het")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

/// What each job is called: `job-7`, and `job-7-requeue1` where it ran before.
fn run_names(jobs: &[Job]) -> Vec<String> {
    let mut runs: BTreeMap<&str, u32> = BTreeMap::new();
    let names = jobs.iter().map(|job| {
        let run = runs.entry(&job.id).or_default();
        *run += 1;
        let name = format!("job-{}", entry_name(&job.id));
        match *run {
            1 => name,
            again => format!("{name}-requeue{}", again - 1),
        }
    });
    names.collect()
}

/// The entries of all sets, and what a reader must know.
pub(crate) fn write(jobs: &[Job], skipped: &Skipped, placed: Placed) -> SlurmJobs {
    let mut toml = placed.racks;
    let origin = jobs.first().map_or(0, |j| j.start);
    let names = run_names(jobs);
    let mut taken = BTreeSet::new();
    let mut entries_of = vec![0_u32; jobs.len()];
    let mut entries = 0_u32;
    for (set, parts) in placed.sets.iter().zip(&placed.parts) {
        for part in parts {
            let first = set.first().map_or("job", |j| names[*j].as_str());
            let name = entry_title(first, &mut taken);
            let runs: Vec<(&Job, &str)> =
                set.iter().map(|&j| (&jobs[j], names[j].as_str())).collect();
            entry(&mut toml, &name, &runs, origin, part);
            entries += 1;
            for j in set {
                entries_of[*j] += 1;
            }
        }
    }
    let mut notes = notes_of(skipped);
    notes.extend(said(jobs, &entries_of, entries));
    SlurmJobs { toml, notes }
}

fn said(jobs: &[Job], entries_of: &[u32], entries: u32) -> Vec<String> {
    let all: u64 = jobs.iter().map(|j| j.gpus).sum();
    let most = most_at_once(jobs);
    let gpu_s: f64 = jobs
        .iter()
        .filter_map(|j| Some(j.gpus as f64 * (j.end? - j.start) as f64))
        .sum();
    let mut notes = vec![
        format!(
            "{} jobs with {all} GPUs in all, {most} at once, {:.1} GPU-hours of those that have ended; one after another on the same GPUs they are {entries} entries with runs",
            jobs.len(),
            gpu_s / 3600.0
        ),
        "times are as sacct printed them; in local time a change to or from summer time shifts them by an hour: print with TZ=UTC".to_owned(),
        "launch, load and warmup are assumed (3, 20 and 8 s, as far as a job lasts); the rest of End - Start is its steady phase".to_owned(),
    ];
    let several = entries_of.iter().filter(|n| **n > 1).count();
    if several > 0 {
        notes.push(format!(
            "jobs with GPUs in several entries: {several}; what a job's GPUs have in common (its share of the fluctuation, and jitter, if you add any) is drawn in each entry by itself, and for all runs of an entry at once"
        ));
    }
    let mut crashed: BTreeMap<&str, bool> = BTreeMap::new();
    for job in jobs {
        crashed.insert(&job.id, job.state == "NODE_FAIL");
    }
    let lost: Vec<&str> = crashed.iter().filter(|c| *c.1).map(|c| *c.0).collect();
    if !lost.is_empty() {
        notes.push(format!(
            "crashed by NODE_FAIL, without a later run in the file: {}; if they were requeued, print with `sacct -D` too",
            lost.join(", ")
        ));
    }
    let open = jobs.iter().filter(|j| j.end.is_none()).count();
    if open > 0 {
        notes.push(format!(
            "still running, taken to the end of the run: {open}"
        ));
    }
    notes
}

/// The name of an entry: that of its first job, and which part of it where several begin with the same one.
fn entry_title(first: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = first.to_owned();
    let mut part = 1;
    while !taken.insert(name.clone()) {
        part += 1;
        name = format!("{first}-part{part}");
    }
    name
}

/// What a job is, as a comment can hold it.
fn comment(job: &Job) -> String {
    let label: String = job.name.chars().filter(|c| !c.is_control()).collect();
    format!("# {label}: {}, {} nodes", job.state, job.node_names.len())
}

/// One `[[jobs]]` entry: GPUs that run these jobs one after another.
fn entry(toml: &mut String, name: &str, runs: &[(&Job, &str)], origin: i64, part: &Part) {
    let (racks, gpus) = part;
    let mut head = format!("[[jobs]]\nkind = \"batch\"\nname = \"{name}\"\n");
    if !racks.is_empty() {
        let _ = writeln!(head, "racks = [\"{}\"]", racks.join("\", \""));
    }
    let _ = writeln!(head, "gpus = {gpus}");
    let passing: i64 = PASSING_S.iter().map(|p| p.1).sum();
    if let [(job, _)] = runs
        && job.state != "NODE_FAIL"
    {
        let _ = write!(
            toml,
            "{}\n{head}start_s = {}\n",
            comment(job),
            job.start - origin
        );
        if let Some(end) = job.end {
            let elapsed = end - job.start;
            let short = elapsed <= passing;
            for (key, s) in PASSING_S {
                let _ = writeln!(toml, "{key} = {}", if short { 0 } else { s });
            }
            let steady = if short { elapsed } else { elapsed - passing };
            let _ = writeln!(toml, "steady_s = {steady}");
        }
        toml.push('\n');
        return;
    }
    *toml += &head;
    for (key, s) in PASSING_S {
        let _ = writeln!(toml, "{key} = {s}");
    }
    *toml += "runs = [\n";
    for (job, run) in runs {
        let _ = write!(
            toml,
            "    {{ name = \"{run}\", start_s = {}",
            job.start - origin
        );
        if let Some(end) = job.end {
            let _ = write!(toml, ", stop_s = {}", end - origin);
            if job.state == "NODE_FAIL" {
                *toml += ", crash = true";
            }
        }
        let _ = writeln!(toml, " }}, {}", comment(job));
    }
    *toml += "]\n\n";
}
