//! Jobs from Slurm's accounting: the text that `sacct -X -P` prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::problem::{Problem, Problems};
use crate::slurm_racks::{self, Part, Placed};
use crate::{hostlist, rack_list};

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
pub(crate) struct Job {
    /// Line in the file.
    pub(crate) line: u32,
    pub(crate) id: String,
    name: String,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    state: String,
    pub(crate) gpus: u64,
    pub(crate) node_names: Vec<String>,
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
    let (jobs, skipped) = read(file, text)?;
    Ok(write(&jobs, &skipped, None))
}

/// The same, with each job on the racks of its nodes: `racks` is a list of racks as [`from_racks`](crate::from_racks) takes it, with a
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
    Ok(write(&jobs, &skipped, Some(placed)))
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

/// A name of a job that a scenario can have: elements of arrays are `8_3`, parts of heterogeneous jobs `8+1`.
fn entry_name(id: &str) -> String {
    id.replace('+', "-het")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

fn write(jobs: &[Job], skipped: &Skipped, placed: Option<Placed>) -> SlurmJobs {
    let mut notes = notes_of(skipped);
    let origin = jobs.first().map_or(0, |j| j.start);
    let all: u64 = jobs.iter().map(|j| j.gpus).sum();
    let most = most_at_once(jobs);
    let mut toml = String::new();
    let parts = if let Some(placed) = placed {
        notes.push(format!(
            "{} jobs with {all} GPUs in all, {most} at once in the file",
            jobs.len()
        ));
        notes.extend(placed.notes);
        toml += &placed.racks;
        placed.parts
    } else {
        notes.push(format!(
            "{} jobs; a scenario gives each of them GPUs of its own: {all} in all, {most} at once in the file; GPUs that wait draw idle power",
            jobs.len()
        ));
        jobs.iter().map(|j| vec![(Vec::new(), j.gpus)]).collect()
    };
    notes.push("times are as sacct printed them; in local time a change to or from summer time shifts them by an hour: print with TZ=UTC".to_owned());
    let mut runs: BTreeMap<&str, u32> = BTreeMap::new();
    let mut crashed: BTreeMap<&str, bool> = BTreeMap::new();
    for (job, parts) in jobs.iter().zip(&parts) {
        let run = runs.entry(&job.id).or_default();
        *run += 1;
        let again = *run - 1;
        crashed.insert(&job.id, job.state == "NODE_FAIL");
        for (k, part) in parts.iter().enumerate() {
            entry(&mut toml, job, origin, again, (k, part));
        }
    }
    notes.push("launch, load and warmup are assumed (3, 20 and 8 s, none in jobs up to 31 s); steady_s is the rest of End - Start".to_owned());
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
    SlurmJobs { toml, notes }
}

/// One `[[jobs]]` entry: the part number `k` of a job's run.
fn entry(toml: &mut String, job: &Job, origin: i64, again: u32, (k, part): (usize, &Part)) {
    let label: String = job.name.chars().filter(|c| !c.is_control()).collect();
    let _ = write!(
        toml,
        "# {label}: {}, {} nodes",
        job.state,
        job.node_names.len()
    );
    if job.state == "NODE_FAIL" {
        *toml += "; crash: its GPUs fall to idle at the end";
    }
    let mut name = format!("job-{}", entry_name(&job.id));
    if again > 0 {
        let _ = write!(name, "-requeue{again}");
    }
    if k > 0 {
        let _ = write!(name, "-part{}", k + 1);
    }
    let _ = write!(toml, "\n[[jobs]]\nkind = \"batch\"\nname = \"{name}\"\n");
    let (racks, gpus) = part;
    if !racks.is_empty() {
        let _ = writeln!(toml, "racks = [\"{}\"]", racks.join("\", \""));
    }
    let _ = write!(toml, "gpus = {gpus}\nstart_s = {}\n", job.start - origin);
    if let Some(end) = job.end {
        let passing: i64 = PASSING_S.iter().map(|p| p.1).sum();
        let elapsed = end - job.start;
        let short = elapsed <= passing;
        for (key, s) in PASSING_S {
            let _ = writeln!(toml, "{key} = {}", if short { 0 } else { s });
        }
        let steady = if short { elapsed } else { elapsed - passing };
        let _ = writeln!(toml, "steady_s = {steady}");
    }
    toml.push('\n');
}

#[cfg(test)]
#[path = "slurm_tests.rs"]
mod tests;
