use std::fmt::Write as _;
use std::path::Path;

use ballast_aggregate::{BatchJob, JobSpec};
use proptest::prelude::*;

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
        "3 jobs with 32 GPUs in all, 24 at once, 1.2 GPU-hours",
        "they are 2 entries with runs",
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
    let jobs = batches(&loaded.scenario);
    assert_eq!(jobs.len(), 2);
    let simple = |b: &BatchJob| (b.name.clone(), b.gpus, b.start_s, b.steady_s);
    assert_eq!(
        simple(jobs[1]),
        ("job-8".to_owned(), Some(16), 540.0, Some(89.0))
    );
    assert_eq!((jobs[0].name.as_str(), jobs[0].gpus), ("job-7", Some(8)));
    let runs: Vec<_> = jobs[0]
        .runs
        .iter()
        .map(|r| {
            (
                r.name.as_deref().unwrap_or(""),
                r.start_s,
                r.stop_s,
                r.crash,
            )
        })
        .collect();
    assert_eq!(
        runs,
        [
            ("job-7", 0.0, Some(300.0), true),
            ("job-7-requeue1", 360.0, None, false),
        ]
    );
}

fn batches(scenario: &crate::Scenario) -> Vec<&BatchJob> {
    let jobs = scenario.jobs.iter().map(|job| match job {
        JobSpec::Batch(b) => b,
        _ => panic!("{job:?}"),
    });
    jobs.collect()
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
    let seen: Vec<_> = batches(&loaded.scenario)
        .into_iter()
        .map(|b| (b.name.as_str(), b.racks.join(","), b.gpus, b.runs.len()))
        .collect();
    assert_eq!(
        seen,
        [
            ("job-1-2", "a1".to_owned(), Some(32), 0),
            ("job-2-het1", "a3".to_owned(), Some(8), 2),
            ("job-2-het1-requeue1", "a3".to_owned(), Some(8), 0),
        ]
    );
    // The crash ends the first job on n05, and job 4 follows it there.
    let JobSpec::Batch(after) = &loaded.scenario.jobs[1] else {
        panic!("{scenario}")
    };
    assert!(after.runs[0].crash && !after.runs[1].crash, "{scenario}");
    assert_eq!(after.runs[1].name.as_deref(), Some("job-4"));
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

/// A cluster of nodes of 8 GPUs, its jobs in order of their starts.
struct Log {
    text: String,
    racks: String,
    gpu_s: u64,
    jobs: usize,
}

/// Fills `nodes` nodes with what `next` gives: GPUs (up to 8: parts of one node; more: whole nodes), waiting time and duration in
/// seconds, and whether it crashes. A job starts on the nodes that are free first, as soon as it has waited.
fn log(nodes: usize, jobs: impl IntoIterator<Item = (u64, u64, u64, bool)>) -> Log {
    const MIDNIGHT: u64 = 1_735_689_600;
    let mut free = vec![[0_u64; 8]; nodes];
    let mut rows = Vec::new();
    let mut gpu_s = 0;
    for (id, (gpus, wait_s, lasts_s, crash)) in jobs.into_iter().enumerate() {
        let whole = gpus.div_ceil(8) as usize;
        let parts = if whole > 1 { 8 } else { gpus as usize };
        // The earliest time at which so many GPUs of each of the nodes are free.
        let mut times: Vec<(u64, usize)> = free
            .iter_mut()
            .enumerate()
            .map(|(n, slots)| {
                slots.sort_unstable();
                (slots[parts - 1], n)
            })
            .collect();
        times.sort_unstable();
        let start = times[whole - 1].0 + wait_s;
        let end = start + lasts_s;
        let mut names = Vec::new();
        for (_, n) in &times[..whole] {
            free[*n][..parts].fill(end);
            names.push(format!("n{:02}", n + 1));
        }
        let gpus = (whole * parts) as u64;
        gpu_s += gpus * lasts_s;
        let state = if crash { "NODE_FAIL" } else { "COMPLETED" };
        rows.push(format!(
            "{id}|j{id}|{MIDNIGHT}|{}|{}|{state}|gres/gpu={gpus}|{}\n",
            MIDNIGHT + start,
            MIDNIGHT + end,
            names.join(",")
        ));
    }
    let mut racks = "rack,model,count,nameplate_kw,nodes\n".to_owned();
    for (r, names) in (1..=nodes).collect::<Vec<_>>().chunks(4).enumerate() {
        let names: Vec<String> = names.iter().map(|n| format!("n{n:02}")).collect();
        let _ = writeln!(
            racks,
            "R{r},HGX H100,{},40,\"{}\"",
            names.len(),
            names.join(",")
        );
    }
    Log {
        text: format!("{HEAD}{}", rows.concat()),
        racks,
        gpu_s,
        jobs: rows.len(),
    }
}

/// The scenarios with racks and without, loaded, with their text.
fn scenarios(log: &Log, nodes: usize) -> [(crate::Loaded, String); 2] {
    let placed = from_sacct_on_racks("s.txt", &log.text, "r.csv", &log.racks);
    let pooled = from_sacct("s.txt", &log.text).map(|jobs| SlurmJobs {
        toml: format!(
            "[[racks]]\nname = \"r\"\ncount = {nodes}\nnode = \"hgx-h100\"\nnodes_per_rack = 1\n{}",
            jobs.toml
        ),
        ..jobs
    });
    [placed, pooled].map(|jobs| {
        let jobs = jobs.unwrap_or_else(|p| panic!("{p}\n{}", log.text));
        let text = format!(
            "[scenario]\nname = \"s\"\n[simulation]\nduration_s = 604800\nstep_s = 1\n{}",
            jobs.toml
        );
        let loaded = crate::load_str("s.toml", &text, Path::new("."), &[])
            .unwrap_or_else(|p| panic!("{p}\n{text}"));
        (loaded, text)
    })
}

/// GPU-seconds in the runs of a scenario, from the start to the stop of each.
fn gpu_s(scenario: &crate::Scenario) -> f64 {
    let each = batches(scenario).into_iter().map(|b| {
        let passing = [b.launch_s, b.load_s, b.warmup_s, b.steady_s];
        let simple: f64 = passing.into_iter().flatten().sum();
        let runs = b.runs.iter().map(|r| r.stop_s.unwrap_or(0.0) - r.start_s);
        let lasts_s = if b.runs.is_empty() {
            simple
        } else {
            runs.sum()
        };
        f64::from(b.gpus.unwrap_or(0)) * lasts_s
    });
    each.sum()
}

#[test]
fn a_day_of_jobs_keeps_its_gpu_hours() {
    // 20 nodes, 360 jobs: one GPU to six nodes, minutes to hours, a few crashes; numbers from a small congruential generator.
    let mut state = 12_345_u64;
    let mut draw = |below: u64| {
        state =
            (state.wrapping_mul(6_364_136_223_846_793_005)).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let sizes = [1, 2, 4, 8, 8, 16, 24, 48];
    let day = log(
        20,
        (0..360).map(|_| {
            let gpus = sizes[draw(8) as usize];
            (gpus, draw(120), 60 + draw(9000), draw(40) == 0)
        }),
    );
    assert_eq!(day.jobs, 360);
    for (loaded, text) in scenarios(&day, 20) {
        let of_file = day.gpu_s as f64;
        // Sums of whole seconds times whole GPUs below 2^53: exact.
        assert_eq!(gpu_s(&loaded.scenario), of_file, "{text}");
        // Every job is there, with all its GPUs.
        let mut gpus = std::collections::BTreeMap::new();
        for b in batches(&loaded.scenario) {
            let names = b.runs.iter().map(|r| r.name.clone().unwrap_or_default());
            let simple = b
                .runs
                .is_empty()
                .then(|| b.name.split("-part").next().unwrap_or("").to_owned());
            for name in names.chain(simple) {
                *gpus.entry(name).or_insert(0) += b.gpus.unwrap_or(0);
            }
        }
        assert_eq!(gpus.len(), 360);
        assert!(
            loaded.scenario.jobs.len() <= 160,
            "{}",
            loaded.scenario.jobs.len()
        );
        let last_s = batches(&loaded.scenario)
            .iter()
            .flat_map(|b| b.runs.iter().filter_map(|r| r.stop_s))
            .fold(0.0, f64::max);
        assert!(last_s > 86_400.0, "{last_s}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_valid_log_becomes_a_scenario_without_a_problem(
        nodes in 3_usize..8,
        jobs in proptest::collection::vec((1_u64..=24, 0_u64..600, 1_u64..7200, proptest::bool::weighted(0.1)), 1..40),
    ) {
        let log = log(nodes, jobs);
        for (loaded, text) in scenarios(&log, nodes) {
            prop_assert_eq!(&loaded.warnings, &[]);
            prop_assert_eq!(gpu_s(&loaded.scenario), log.gpu_s as f64, "{}", text);
        }
    }
}
