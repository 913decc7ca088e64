//! A day of Slurm's accounting from file to power, and tenants in what a run says.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::path::Path;

use ballast_profile::PhaseKind;
use ballast_scenario::{Loaded, from_sacct_on_racks, load_str};
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Silent};

fn run(loaded: &Loaded) -> Outcome {
    ballast_study::run(loaded, &Inputs::default(), None, &Silent).unwrap_or_else(|e| panic!("{e}"))
}

fn load(text: &str) -> Loaded {
    load_str("x.toml", text, Path::new("."), &[]).unwrap_or_else(|p| panic!("{p}\n{text}"))
}

/// 20 nodes with 17 jobs each, 75 minutes of every 84, the nodes a little apart; some jobs fail, some have half a node each.
#[test]
fn a_day_of_jobs_runs_and_has_the_power_of_its_gpu_hours() {
    const NODES: u64 = 20;
    const MIDNIGHT: u64 = 1_735_689_600;
    let mut sacct = "JobID|JobName|Submit|Start|End|State|AllocTRES|NodeList\n".to_owned();
    let mut jobs = 0;
    let mut row = |start: u64, end: u64, state: &str, gpus: u64, node: u64| {
        let (start, end) = (MIDNIGHT + start, MIDNIGHT + end);
        let row = format!("{jobs}|j|{start}|{start}|{end}|{state}|gres/gpu={gpus}|n{node:02}\n");
        sacct += &row;
        jobs += 1;
    };
    for node in 0..NODES {
        for k in 0..17 {
            let start = 60 * node + 5040 * k;
            let state = if k == 5 { "NODE_FAIL" } else { "COMPLETED" };
            if node % 4 == 3 {
                row(start, start + 4500, state, 4, node);
                row(start, start + 4500, state, 4, node);
            } else {
                row(start, start + 4500, state, 8, node);
            }
        }
    }
    assert!(jobs >= 300, "{jobs}");
    let mut racks = "rack,model,count,nameplate_kw,nodes\n".to_owned();
    for r in 0..NODES / 4 {
        let (first, last) = (4 * r, 4 * r + 3);
        writeln!(racks, "R{r},HGX H100,4,40,\"n[{first:02}-{last:02}]\"").unwrap();
    }
    let found =
        from_sacct_on_racks("s.txt", &sacct, "r.csv", &racks).unwrap_or_else(|p| panic!("{p}"));
    let loaded = load(&format!(
        "[scenario]\nname = \"day\"\n[simulation]\nduration_s = 86400\nstep_s = 1\n{}",
        found.toml
    ));
    assert_eq!(loaded.warnings, []);
    let outcome = run(&loaded);
    let crashes = outcome.events.iter().filter(|e| e.kind == "crash").count();
    assert_eq!(crashes, 25, "one of each job's runs that failed");

    // Each job has 3 s of launch, 20 s of load, 8 s of warmup, and 4469 s of its steady phase; the last one of the later nodes is cut by
    // the end of the day.
    let gpu = &loaded.scenario.gpus["h100-sxm5"];
    let watts = |kind: PhaseKind| gpu.phases.get(kind).unwrap().power_w.value;
    let passing_j = 3.0 * watts(PhaseKind::Launch)
        + 20.0 * watts(PhaseKind::Load)
        + 8.0 * watts(PhaseKind::Warmup);
    let mut mean_w = 0.0;
    for node in 0..NODES {
        let late_s = 60.0 * node as f64;
        let last_s = (86_400.0 - (late_s + 5040.0 * 16.0)).min(4500.0);
        let steady_s = 16.0 * 4469.0 + (last_s - 31.0);
        let idle_s = 86_400.0 - 17.0 * 31.0 - steady_s;
        let j = 17.0 * passing_j
            + steady_s * watts(PhaseKind::SteadyMixed)
            + idle_s * watts(PhaseKind::Idle);
        mean_w += 8.0 * j / 86_400.0;
    }
    // The ways between phases take a few seconds of 5040, and the fluctuation leaves 0.05 % of a day's mean: 0.3 % in all.
    let got_w = outcome.site.gpu.mean_w;
    assert!(
        (got_w / mean_w - 1.0).abs() < 0.003,
        "{got_w} W, {mean_w} W expected"
    );
}

#[test]
fn the_outcome_says_what_each_tenant_and_job_has_got() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/valid/tenants.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let loaded = load(&format!(
        "{text}\n[simulation]\nduration_s = 2\nstep_s = 0.01\n"
    ));
    let outcome = run(&loaded);
    let jobs: Vec<_> = outcome
        .jobs
        .iter()
        .map(|j| (j.name.as_str(), j.tenant.as_deref().unwrap_or(""), j.gpus))
        .collect();
    // 20 nodes: 13.2 and 6.8 are 13 and 7. 0.7 of 104 GPUs are 9.1 nodes, 0.3 are 7.8 replicas.
    assert_eq!(
        jobs,
        [
            ("blue-llm", "blue", 72),
            ("blue-chat", "blue", 32),
            ("red-batch", "red", 20),
            ("red-rest", "red", 36),
            ("green-half", "green", 16),
        ]
    );
    let tenants: Vec<_> = outcome
        .tenants
        .iter()
        .map(|t| (t.of_gpus, t.gpus, t.used_gpus))
        .collect();
    assert_eq!(tenants, [(160, 104, 104), (160, 56, 56), (32, 32, 16)]);
    let said = outcome.assumptions.join("\n");
    for part in [
        "tenant `blue` has 104 of 160 GPUs, 65.00 % for a share of 66.00 %; its jobs use 104",
        "job `blue-llm` has 72 GPUs for a share of 70.00 % of tenant `blue`'s GPUs",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
