//! Jobs from Slurm's accounting: the text that `sacct -X -P` prints.

use std::collections::BTreeMap;

use crate::problem::{Problem, Problems};
use crate::slurm_racks::{self, Placed};
use crate::slurm_sets::{Pool, Sets};
use crate::{hostlist, rack_list, slurm_write};

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

/// The command that prints what is needed: all runs of requeued jobs (-D), allocations only (-X), times without summer time.
pub const SACCT: &str = "TZ=UTC sacct -a -X -P -D -S 2025-01-31T00:00 -E 2025-02-01T00:00 -o JobID,JobName,Submit,Start,End,State,AllocTRES,NodeList";

/// Jobs of a Slurm cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlurmJobs {
    /// `[[jobs]]` entries as TOML, for a scenario with racks that have the GPUs.
    pub toml: String,
    /// What was left out and what a reader must know, one line each.
    pub notes: Vec<String>,
}

/// One allocation.
pub(crate) struct Job {
    /// Line in the file.
    pub(crate) line: u32,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    pub(crate) state: String,
    pub(crate) gpus: u64,
    pub(crate) node_names: Vec<String>,
}

/// Why a row was left out.
pub(crate) type Skipped = BTreeMap<&'static str, Vec<String>>;

/// Reads `sacct -X -P` text with JobID, JobName, Submit, Start, End, State, AllocTRES and NodeList, in any order.
///
/// Each set of GPUs that runs the same jobs one after another becomes a batch job with a run for each of them; times count from the
/// first start. Without racks the GPUs are one pool, from which each job takes the first that are free at its start. `NODE_FAIL` is a
/// crash; the requeued run is the next row of the same JobID (`sacct -D` prints it).
///
/// # Errors
/// Fields that are missing, all at once; rows with another number of fields; times, GPUs and node lists that cannot be read; an end
/// before its start; a file without a job that ran on GPUs.
pub fn from_sacct(file: &str, text: &str) -> Result<SlurmJobs, Problems> {
    let (jobs, skipped) = read(file, text)?;
    Ok(slurm_write::write(&jobs, &skipped, pooled(&jobs)))
}

/// The same, with each job on the GPUs of its nodes: `racks` is a list of racks as [`from_racks`](crate::from_racks) takes it, with a
/// column `nodes` that names the nodes of each rack as Slurm does (`gpu[001-004]`). [`SlurmJobs::toml`] begins with the `[[racks]]`.
///
/// # Errors
/// As [`from_sacct`]; what is wrong with the list; nodes that are in no rack; more GPUs on a node than it has, also of jobs that
/// overlap in time.
pub fn from_sacct_on_racks(
    file: &str,
    text: &str,
    racks_file: &str,
    racks: &str,
) -> Result<SlurmJobs, Problems> {
    let lines = rack_list::read(racks_file, racks);
    let (jobs, skipped, lines) = match (read(file, text), lines) {
        (Ok((jobs, skipped)), Ok(lines)) => (jobs, skipped, lines),
        (jobs, lines) => {
            let mut all = jobs.err().map_or_else(Vec::new, |p| p.0);
            all.extend(lines.err().map_or_else(Vec::new, |p| p.0));
            return Err(Problems(all));
        }
    };
    let placed = slurm_racks::place((file, racks_file), &jobs, &lines).map_err(Problems)?;
    Ok(slurm_write::write(&jobs, &skipped, placed))
}

fn print_it() -> String {
    format!("print it with: {SACCT}")
}

/// The jobs of the file in order of their starts, and what was left out.
fn read(file: &str, text: &str) -> Result<(Vec<Job>, Skipped), Problems> {
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
        problem(None, "", "the file is empty".to_owned(), &print_it());
        return Err(Problems(problems));
    };
    let header: Vec<&str> = head.split('|').map(str::trim).collect();
    let place = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    for name in FIELDS.into_iter().chain([NODE_LIST]) {
        if place(name).is_none() {
            problem(
                Some(head_line),
                name,
                "the field is missing".to_owned(),
                &print_it(),
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
        match job(u32::try_from(line).unwrap_or(u32::MAX), &cell) {
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
        jobs.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        Ok((jobs, skipped))
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
fn job<'a>(line: u32, cell: &impl Fn(usize) -> &'a str) -> Result<Row, Fault> {
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
    let node_names = hostlist::expand(cell(7)).ok_or_else(|| {
        let message = format!("`{}` is no list of nodes", cell(7));
        (
            NODE_LIST,
            message,
            "as Slurm writes it: node[001-003,007],login1",
        )
    })?;
    Ok(Row::Job(Job {
        line,
        id: id.to_owned(),
        name: cell(1).to_owned(),
        start,
        end,
        state,
        gpus,
        node_names,
    }))
}

/// Seconds since 1970 of `2025-01-31T12:00:00`, taken as it stands, or of a count of them (`SLURM_TIME_FORMAT=%s`).
fn seconds(text: &str) -> Option<i64> {
    if text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().filter(|s| *s < 10_000_000_000);
    }
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

pub(crate) fn notes_of(skipped: &Skipped) -> Vec<String> {
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

/// All jobs on one pool of GPUs, as many as it takes.
fn pooled(jobs: &[Job]) -> Placed {
    let mut pool = Pool::default();
    for (j, job) in jobs.iter().enumerate() {
        pool.take_or_grow(j, job, job.gpus);
    }
    let mut sets = Sets::default();
    let gpus = sets.of(&pool);
    let all: u64 = gpus.iter().map(|g| g.1).sum();
    Placed {
        racks: format!(
            "# For racks with {all} GPUs. Each job has the first GPUs that are free at its start; which nodes Slurm gave it is not told here\n\
             # (give the list of racks with --racks for that).\n\n"
        ),
        parts: gpus.into_iter().map(|g| vec![(Vec::new(), g.1)]).collect(),
        sets: sets.jobs,
    }
}

#[cfg(test)]
#[path = "slurm_tests.rs"]
mod tests;
