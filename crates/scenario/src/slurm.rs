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
    let parts = match placed {
        Some(placed) => {
            notes.push(format!(
                "{} jobs with {all} GPUs in all, {most} at once in the file",
                jobs.len()
            ));
            notes.extend(placed.notes);
            toml += &placed.racks;
            placed.parts
        }
        None => {
            notes.push(format!(
                "{} jobs; a scenario gives each of them GPUs of its own: {all} in all, {most} at once in the file; GPUs that wait draw idle power",
                jobs.len()
            ));
            jobs.iter().map(|j| vec![(Vec::new(), j.gpus)]).collect()
        }
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

    const RACKS: &str = "rack,model,count,nameplate_kw,nodes\n\
        A1,HGX H100,2,20,\"n[01-02]\"\nA2,HGX H100,2,20,\"n[03-04]\"\nA3,HGX H100,2,20,\"n[05-06]\"\n";

    fn row(id: &str, minutes: (u32, u32), state: &str, gpus: u32, nodes: &str) -> String {
        let (from, to) = minutes;
        format!(
            "{id}|j|2025-01-01T00:00:00|2025-01-01T00:{from:02}:00|2025-01-01T00:{to:02}:00|{state}|gres/gpu:h100={gpus}|{nodes}\n"
        )
    }

    #[test]
    fn jobs_are_on_the_racks_of_their_nodes() {
        let text = format!(
            "{HEAD}{}{}{}{}{}",
            row("1_2", (0, 9), "COMPLETED", 32, "n[01-04]"),
            row("2+1", (0, 5), "NODE_FAIL", 8, "n05"),
            row("2+1", (6, 9), "COMPLETED", 8, "n06"),
            row("3", (0, 2), "COMPLETED", 24, "n[04-06]").replace("gpu:h100=24", "gpu=0"),
            row("4", (7, 9), "COMPLETED", 8, "n05"),
        );
        let jobs =
            from_sacct_on_racks("s.txt", &text, "r.csv", RACKS).unwrap_or_else(|p| panic!("{p}"));
        let said = jobs.notes.join("\n");
        assert!(said.contains("for the whole run: 1 (4)"), "{said}");
        let scenario = format!("[scenario]\nname = \"s\"\n{}", jobs.toml);
        let loaded = crate::load_str("s.toml", &scenario, Path::new("."), &[])
            .unwrap_or_else(|p| panic!("{p}\n{scenario}"));
        let racks: Vec<_> = loaded
            .scenario
            .racks
            .iter()
            .map(|r| (r.name.as_str(), r.count, r.nodes_per_rack))
            .collect();
        assert_eq!(racks, [("a1", 2, 2), ("a3", 1, 2)], "{scenario}");
        let seen: Vec<_> = loaded
            .scenario
            .jobs
            .iter()
            .map(|job| {
                let ballast_aggregate::JobSpec::Batch(b) = job else {
                    panic!("{job:?}")
                };
                (b.name.as_str(), b.racks.join(","), b.gpus)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("job-1-2", "a1".to_owned(), Some(32)),
                ("job-2-het1", "a3".to_owned(), Some(8)),
                ("job-2-het1-requeue1", "a3".to_owned(), Some(8)),
            ]
        );
    }

    #[test]
    fn a_job_on_parts_of_racks_is_an_entry_for_each() {
        let text = format!("{HEAD}{}", row("1", (0, 9), "COMPLETED", 28, "n[01-03,05]"));
        let jobs = from_sacct_on_racks("s.txt", &text, "r.csv", RACKS).unwrap();
        // 7 GPUs on each of its nodes.
        for part in [
            "\"a1\"]\ngpus = 14",
            "job-1-part2\"\nracks = [\"a2\"]\ngpus = 7",
            "job-1-part3\"\nracks = [\"a3\"]\ngpus = 7",
        ] {
            assert!(jobs.toml.contains(part), "{part}: {}", jobs.toml);
        }
    }

    #[test]
    fn what_does_not_fit_the_racks_is_told_with_its_line() {
        let text = format!(
            "{HEAD}{}{}{}{}",
            row("1", (0, 9), "COMPLETED", 8, "n01"),
            row("2", (8, 9), "COMPLETED", 4, "n01"),
            row("3", (0, 9), "COMPLETED", 8, "n09"),
            row("4", (0, 9), "COMPLETED", 16, "n02"),
        );
        let found = from_sacct_on_racks("s.txt", &text, "r.csv", RACKS)
            .unwrap_err()
            .0;
        let mut places: Vec<_> = found.iter().map(|p| (p.line, p.key.as_str())).collect();
        places.sort_unstable();
        assert_eq!(
            places,
            [
                (Some(3), "NodeList"),
                (Some(4), "NodeList"),
                (Some(5), "AllocTRES")
            ]
        );
        assert!(
            found
                .iter()
                .any(|p| p.message.contains("by job 1 (line 2)")),
            "{found:?}"
        );
        let good = format!("{HEAD}{}", row("1", (0, 9), "COMPLETED", 8, "n01"));
        for (racks, key) in [
            (RACKS.replace("n[03-04]", "n[02-03]"), "nodes"),
            (RACKS.replace("n[03-04]", "n[03-05]"), "nodes"),
            (RACKS.replace("\"n[03-04]\"", ""), "nodes"),
            (
                RACKS.replace("HGX H100,2,20,\"n[03", "XYZ,2,20,\"n[03"),
                "model",
            ),
        ] {
            let found = from_sacct_on_racks("s.txt", &good, "r.csv", &racks)
                .unwrap_err()
                .0;
            assert_eq!(
                (found[0].line, found[0].key.as_str()),
                (Some(3), key),
                "{found:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn changed_files_are_read_or_refused(
            changes in proptest::collection::vec((0..1000_usize, proptest::char::range(' ', '~'), 0..3_u8), 0..8),
            of_racks in proptest::bool::ANY,
        ) {
            let text = format!("{HEAD}{}{}", row("1_2", (0, 9), "COMPLETED", 32, "n[01-04]"), row("2", (0, 5), "NODE_FAIL", 8, "n05"));
            let mut both = [text.into_bytes(), RACKS.as_bytes().to_vec()];
            let bytes = &mut both[usize::from(of_racks)];
            for (at, c, how) in changes {
                let at = at % bytes.len();
                match how {
                    0 => bytes[at] = c as u8,
                    1 => { bytes.remove(at); }
                    _ => bytes.insert(at, c as u8),
                }
            }
            let [text, racks] = both.map(|b| String::from_utf8_lossy(&b).into_owned());
            match from_sacct_on_racks("s.txt", &text, "r.csv", &racks) {
                Ok(jobs) => {
                    let scenario = format!("[scenario]\nname = \"s\"\n[simulation]\nduration_s = 1\n{}", jobs.toml);
                    proptest::prop_assert!(scenario.parse::<toml::Table>().is_ok(), "{}", scenario);
                }
                Err(problems) => proptest::prop_assert!(!problems.0.is_empty()),
            }
        }
    }
}
