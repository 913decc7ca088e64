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
