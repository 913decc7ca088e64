//! Jobs from Slurm's accounting: the text that `sacct -X -P` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::problem::{Problem, Problems};

/// Fields that must be there.
const FIELDS: [&str; 7] = [
    "JobID",
    "JobName",
    "Submit",
    "Start",
    "End",
    "State",
    "AllocTRES",
];

/// The field with the nodes; it must be there too.
const NODE_LIST: &str = "NodeList";

/// Launch, load and warmup that are taken out of a job's time, seconds; those of the H100 and A100 profiles.
const PASSING_S: [(&str, i64); 3] = [("launch_s", 3), ("load_s", 20), ("warmup_s", 8)];

/// Jobs of a Slurm cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmJobs {
    /// `[[jobs]]` entries as TOML, for a scenario with racks that have the GPUs.
    pub toml: String,
    /// What was left out and what a reader must know, one line each.
    pub notes: Vec<String>,
}

/// One allocation.
struct Job {
    id: String,
    name: String,
    start: i64,
    end: Option<i64>,
    state: String,
    gpus: u64,
    nodes: u64,
}

/// Why a row was left out.
type Skipped = BTreeMap<&'static str, Vec<String>>;

/// Reads `sacct -X -P` text with JobID, JobName, Submit, Start, End, State, AllocTRES and NodeList, in any order.
///
/// Every allocation with GPUs becomes a batch job; times count from the first start. `NODE_FAIL` ends a job where it
/// crashed; the requeued run is the next row of the same JobID (`sacct -D` prints it) and becomes an entry of its own.
///
/// # Errors
/// Fields that are missing, all at once; rows with another number of fields; times, GPUs and node lists that cannot be read; an end
/// before its start; a file without a job that ran on GPUs.
pub fn from_sacct(file: &str, text: &str) -> Result<SlurmJobs, Problems> {
    let mut problems = Vec::new();
    let mut problem = |line: Option<usize>, key: &str, message: String, help: &str| {
        problems.push(Problem {
            file: file.to_owned(),
            line: line.and_then(|l| u32::try_from(l).ok()),
            column: None,
            key: key.to_owned(),
            message,
            help: help.to_owned(),
        });
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(i, l)| (i + 1, l.trim_end()))
        .filter(|(_, l)| !l.is_empty());
    let Some((head_line, head)) = lines.next() else {
        let help =
            "print it with: sacct -X -P -o JobID,JobName,Submit,Start,End,State,AllocTRES,NodeList";
        problem(None, "", "the file is empty".to_owned(), help);
        return Err(Problems(problems));
    };
    let header: Vec<&str> = head.split('|').map(str::trim).collect();
    let place = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    for name in FIELDS.into_iter().chain([NODE_LIST]) {
        if place(name).is_none() {
            let help = "print it with: sacct -X -P -o JobID,JobName,Submit,Start,End,State,AllocTRES,NodeList";
            problem(
                Some(head_line),
                name,
                "the field is missing".to_owned(),
                help,
            );
        }
    }
    let places: Option<Vec<usize>> = FIELDS.into_iter().chain([NODE_LIST]).map(place).collect();
    let Some(places) = places else {
        return Err(Problems(problems));
    };
    let mut jobs: Vec<Job> = Vec::new();
    let mut skipped = Skipped::new();
    for (line, row) in lines {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if cells.len() != header.len() {
            let message = format!(
                "the row has {} fields, the header has {}",
                cells.len(),
                header.len()
            );
            problem(
                Some(line),
                "",
                message,
                "a `|` in a job's name does this: print with --delimiter and another sign, or take it out",
            );
            continue;
        }
        let cell = |i: usize| {
            places
                .get(i)
                .and_then(|at| cells.get(*at))
                .copied()
                .unwrap_or("")
        };
        match job(&cell) {
            Ok(Row::Job(job)) => jobs.push(job),
            Ok(Row::Skipped(why)) => skipped.entry(why).or_default().push(cell(0).to_owned()),
            Err((key, message, help)) => problem(Some(line), key, message, help),
        }
    }
    if jobs.is_empty() && problems.is_empty() {
        problems.push(Problem {
            file: file.to_owned(),
            line: None,
            column: None,
            key: String::new(),
            message: "no job in it ran on GPUs".to_owned(),
            help: notes_of(&skipped).join("; "),
        });
    }
    if problems.is_empty() {
        Ok(write(jobs, &skipped))
    } else {
        Err(Problems(problems))
    }
}

enum Row {
    Job(Job),
    Skipped(&'static str),
}

type Fault = (&'static str, String, &'static str);

/// One row, by its fields in the order of [`FIELDS`] and [`NODE_LIST`].
fn job<'a>(cell: &impl Fn(usize) -> &'a str) -> Result<Row, Fault> {
    let id = cell(0);
    let state = cell(5).split_whitespace().next().unwrap_or("").to_owned();
    if id.contains('.') {
        return Ok(Row::Skipped("steps of a job (print with -X)"));
    }
    if state == "PENDING" {
        return Ok(Row::Skipped("pending"));
    }
    let unknown = |text: &str| {
        text.is_empty() || ["unknown", "none"].contains(&text.to_ascii_lowercase().as_str())
    };
    let time = |i: usize| {
        seconds(cell(i)).ok_or_else(|| {
            let message = format!("`{}` is no time", cell(i));
            (
                FIELDS[i],
                message,
                "as sacct prints it: 2025-01-31T12:00:00",
            )
        })
    };
    if unknown(cell(3)) {
        return Ok(Row::Skipped("never started"));
    }
    let running = ["RUNNING", "SUSPENDED"].contains(&state.as_str());
    if unknown(cell(4)) && !running {
        return Ok(Row::Skipped("without a known end"));
    }
    let start = time(3)?;
    let end = if unknown(cell(4)) {
        None
    } else {
        Some(time(4)?)
    };
    if end.is_some_and(|end| end < start) {
        let message = format!("the end {} is before the start {}", cell(4), cell(3));
        return Err((
            "End",
            message,
            "a clock was set back, or the row is damaged: correct it",
        ));
    }
    let gpus = gpus(cell(6)).ok_or_else(|| {
        let message = format!("`{}` has no readable number of GPUs", cell(6));
        ("AllocTRES", message, "gres/gpu=8 or gres/gpu:a100=8")
    })?;
    if gpus == 0 {
        return Ok(Row::Skipped("without GPUs"));
    }
    if end == Some(start) {
        return Ok(Row::Skipped("of no duration"));
    }
    let nodes = count_nodes(cell(7)).ok_or_else(|| {
        let message = format!("`{}` is no list of nodes", cell(7));
        (
            NODE_LIST,
            message,
            "as Slurm writes it: node[001-003,007],login1",
        )
    })?;
    Ok(Row::Job(Job {
        id: id.to_owned(),
        name: cell(1).to_owned(),
        start,
        end,
        state,
        gpus,
        nodes,
    }))
}

/// Seconds since 1970 of `2025-01-31T12:00:00`, taken as it stands.
fn seconds(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once('T')?;
    let numbers = |text: &str, sign: char, widths: [usize; 3]| -> Option<[i64; 3]> {
        let parts: Vec<&str> = text.split(sign).collect();
        let fits = parts.len() == 3
            && parts
                .iter()
                .zip(widths)
                .all(|(p, w)| p.len() == w && p.bytes().all(|b| b.is_ascii_digit()));
        fits.then_some([
            parts.first()?.parse().ok()?,
            parts.get(1)?.parse().ok()?,
            parts.get(2)?.parse().ok()?,
        ])
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=2200).contains(&year)
        || !(1..=length).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    // Years counted from March, so that the leap day comes last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// GPUs of an `AllocTRES` field: the total `gres/gpu`, else the sum of the types. None if a number cannot be read.
fn gpus(tres: &str) -> Option<u64> {
    let (mut total, mut typed) = (None, 0_u64);
    for (key, value) in tres.split(',').filter_map(|part| part.split_once('=')) {
        if key == "gres/gpu" {
            total = Some(value.parse().ok()?);
        } else if key.starts_with("gres/gpu:") {
            typed = typed.checked_add(value.parse().ok()?)?;
        }
    }
    let gpus = total.unwrap_or(typed);
    (gpus <= 10_000_000).then_some(gpus)
}

/// Nodes of a list such as `node[001-003,007],login1`. None if it is not one.
fn count_nodes(list: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut name = 0_u64; // nodes of the name being read
    let mut rest = list;
    let mut inside = false; // a name has begun
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            ',' => {
                if !inside {
                    return None;
                }
                total = total.checked_add(name)?;
                inside = false;
            }
            '[' => {
                let (body, after) = rest.split_once(']')?;
                rest = after;
                let ranges = body.split(',').try_fold(0_u64, |n, range| {
                    let (low, high) = range.split_once('-').unwrap_or((range, range));
                    let (low, high): (u64, u64) = (low.parse().ok()?, high.parse().ok()?);
                    n.checked_add(high.checked_sub(low)?.checked_add(1)?)
                })?;
                name = if inside {
                    name.checked_mul(ranges)?
                } else {
                    ranges
                };
                inside = true;
            }
            ']' | ' ' => return None,
            _ if !inside => (name, inside) = (1, true),
            _ => {}
        }
    }
    inside.then_some(total.checked_add(name)?)
}

fn notes_of(skipped: &Skipped) -> Vec<String> {
    skipped
        .iter()
        .map(|(why, ids)| {
            let shown = ids
                .iter()
                .take(8)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            let more = if ids.len() > 8 { ", …" } else { "" };
            format!("left out, {why}: {} ({shown}{more})", ids.len())
        })
        .collect()
}

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

fn write(mut jobs: Vec<Job>, skipped: &Skipped) -> SlurmJobs {
    jobs.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    let mut notes = notes_of(skipped);
    let origin = jobs.first().map_or(0, |j| j.start);
    let all: u64 = jobs.iter().map(|j| j.gpus).sum();
    notes.push(format!(
        "{} jobs; a scenario gives each of them GPUs of its own: {all} in all, {} at once in the file; GPUs that wait draw idle power",
        jobs.len(),
        most_at_once(&jobs)
    ));
    notes.push("times are the cluster's local ones; a change to or from summer time shifts them by an hour".to_owned());
    let mut runs: BTreeMap<String, u32> = BTreeMap::new();
    let mut crashed: BTreeMap<String, bool> = BTreeMap::new();
    let mut toml = String::new();
    for job in &jobs {
        let run = runs.entry(job.id.clone()).or_default();
        *run += 1;
        let id: String = job
            .id
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let requeue = if *run > 1 {
            format!("-requeue{}", *run - 1)
        } else {
            String::new()
        };
        let label: String = job.name.chars().filter(|c| !c.is_control()).collect();
        let _ = write!(toml, "# {label}: {}, {} nodes", job.state, job.nodes);
        if job.state == "NODE_FAIL" {
            toml += "; crash: its GPUs fall to idle at the end";
        }
        crashed.insert(job.id.clone(), job.state == "NODE_FAIL");
        let _ = write!(
            toml,
            "\n[[jobs]]\nkind = \"batch\"\nname = \"job-{id}{requeue}\"\ngpus = {}\nstart_s = {}\n",
            job.gpus,
            job.start - origin
        );
        let Some(end) = job.end else {
            toml.push('\n');
            continue;
        };
        let passing: i64 = PASSING_S.iter().map(|p| p.1).sum();
        let elapsed = end - job.start;
        let short = elapsed <= passing;
        for (key, s) in PASSING_S {
            let _ = writeln!(toml, "{key} = {}", if short { 0 } else { s });
        }
        let steady = if short { elapsed } else { elapsed - passing };
        let _ = write!(toml, "steady_s = {steady}\n\n");
    }
    notes.push("launch, load and warmup are assumed (3, 20 and 8 s, none in jobs up to 31 s); steady_s is the rest of End - Start".to_owned());
    let lost: Vec<&str> = crashed
        .iter()
        .filter(|c| *c.1)
        .map(|c| c.0.as_str())
        .collect();
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
    SlurmJobs { toml, notes }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const HEAD: &str = "JobID|JobName|Submit|Start|End|State|AllocTRES|NodeList\n";

    #[test]
    fn jobs_become_entries_a_scenario_takes() {
        let text = format!(
            "{HEAD}\
            8|late \"x\"|2025-02-28T23:00:00|2025-02-28T23:59:00|2025-03-01T00:01:00|COMPLETED|cpu=64,gres/gpu:h100=16,gres/gpu=16,node=2|n[01-02]\n\
            7|llm|2025-02-28T23:00:00|2025-02-28T23:50:00|2025-02-28T23:55:00|NODE_FAIL|gres/gpu:h100=8|n03\n\
            7|llm|2025-02-28T23:00:00|2025-02-28T23:56:00|Unknown|RUNNING|gres/gpu=8|n04\n\
            9|wait|2025-02-28T23:00:00|Unknown|Unknown|PENDING||None assigned\n\
            10|cpu|2025-02-28T23:00:00|2025-02-28T23:50:00|2025-02-28T23:55:00|COMPLETED|cpu=4|n05\n\
            11|stopped|2025-02-28T23:00:00|None|2025-02-28T23:55:00|CANCELLED by 12||None assigned\n\
            8.batch|b|2025-02-28T23:00:00|2025-02-28T23:59:00|2025-03-01T00:01:00|COMPLETED|cpu=64|n01\n"
        );
        let jobs = from_sacct("s.txt", &text).unwrap_or_else(|p| panic!("{p}"));
        let said = jobs.notes.join("\n");
        for note in [
            "pending: 1 (9)",
            "without GPUs: 1 (10)",
            "never started: 1 (11)",
            "32 in all, 24 at once",
            "running, taken to the end of the run: 1",
        ] {
            assert!(said.contains(note), "{note}: {said}");
        }
        assert!(!said.contains("crashed by NODE_FAIL"), "{said}");
        let scenario = format!(
            "[scenario]\nname = \"s\"\n[[racks]]\nname = \"r\"\ncount = 1\nnode = \"hgx-h100\"\nnodes_per_rack = 4\n{}",
            jobs.toml
        );
        let loaded = crate::load_str("s.toml", &scenario, Path::new("."), &[])
            .unwrap_or_else(|p| panic!("{p}\n{scenario}"));
        let seen: Vec<_> = loaded
            .scenario
            .jobs
            .iter()
            .map(|job| {
                let ballast_aggregate::JobSpec::Batch(b) = job else {
                    panic!("{job:?}")
                };
                (b.name.as_str(), b.gpus, b.start_s, b.steady_s)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("job-7", Some(8), 0.0, Some(269.0)),
                ("job-7-requeue1", Some(8), 360.0, None),
                ("job-8", Some(16), 540.0, Some(89.0)),
            ]
        );
    }

    #[test]
    fn what_is_missing_or_damaged_comes_at_once() {
        let found = from_sacct("s.txt", "JobID|Start|End|State\n1|x|y|z\n")
            .unwrap_err()
            .0;
        let keys: Vec<&str> = found.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, ["JobName", "Submit", "AllocTRES", "NodeList"]);
        let text = format!(
            "{HEAD}1|a|b\n2|a|s|yesterday|2025-01-01T00:00:00|COMPLETED|gres/gpu=1|n1\n\
            3|a|s|2025-01-02T00:00:00|2025-01-01T00:00:00|COMPLETED|gres/gpu=1|n1\n\
            4|a|s|2025-01-01T00:00:00|2025-01-02T00:00:00|COMPLETED|gres/gpu=x|n1\n\
            5|a|s|2025-01-01T00:00:00|2025-01-02T00:00:00|COMPLETED|gres/gpu=1|n[3-1]\n"
        );
        let found = from_sacct("s.txt", &text).unwrap_err().0;
        let places: Vec<_> = found.iter().map(|p| (p.line, p.key.as_str())).collect();
        assert_eq!(
            places,
            [
                (Some(2), ""),
                (Some(3), "Start"),
                (Some(4), "End"),
                (Some(5), "AllocTRES"),
                (Some(6), "NodeList")
            ]
        );
        assert!(from_sacct("s.txt", "").is_err() && from_sacct("s.txt", HEAD).is_err());
    }

    #[test]
    fn node_lists_are_counted() {
        for (list, nodes) in [
            ("n1", Some(1)),
            ("node[001-003,007],login1", Some(5)),
            ("r[1-2]n[1-4]", Some(8)),
            ("a,b,c[0-9]", Some(12)),
            ("None assigned", None),
            ("n[1-", None),
            ("n[x]", None),
            ("", None),
            ("a,,b", None),
            ("n[0-18446744073709551615]", None),
        ] {
            assert_eq!(count_nodes(list), nodes, "{list}");
        }
    }
}
