//! Segmentation and refit on logs with known truth, of kinds and seeds that nothing was tuned on.

#![expect(clippy::print_stdout, reason = "figures are told")]
#![expect(clippy::panic, clippy::expect_used, reason = "helpers of tests")]

mod logs;

use ballast_calibrate::{Calibration, GroupReport, Label, Origin, calibrate, text};
use logs::{Course, Log, Odd, Segment};

/// What came of one log.
#[derive(Debug, Default)]
struct Score {
    edges: usize,
    found: usize,
    worst_s: f64,
    extra: usize,
    labelled: f64,
    level: f64,
    period: f64,
    energy: f64,
    r2: f64,
    nrmse: f64,
}

fn truth_level(s: &Segment) -> Option<f64> {
    match s.course {
        Course::Flat { level_w, drift_w } => Some(level_w + 0.5 * drift_w),
        Course::Wave {
            high_w,
            low_w,
            duty,
            period_s,
            ..
        } => {
            // The last period may be cut off.
            let whole = (s.seconds / period_s + 1e-9).floor();
            let rest_s = (s.seconds - whole * period_s).clamp(0.0, duty * period_s);
            let share = (whole * duty * period_s + rest_s) / s.seconds;
            Some(low_w + share * (high_w - low_w))
        }
        Course::Spikes { .. } => None,
    }
}

fn score(log: &Log, report: &GroupReport, seed: u64) -> Score {
    // Cards scatter: the truth of a group is the mean of its own.
    let cards = log.scales(seed);
    let own = report.gpus.iter().map(|g| cards[*g as usize]);
    let scale = own.sum::<f64>() / report.gpus.len() as f64;
    // Where rows are missing the sample beside an edge may be one of them.
    let rows = if log.logger.missing > 0.0 { 2.0 } else { 1.0 };
    let tolerance_s = (rows * log.logger.poll_s).max(0.2);
    let bounds = log.bounds();
    let mut score = Score::default();
    let begins: Vec<f64> = report.phases.iter().skip(1).map(|p| p.from_s).collect();
    let inside = |t: f64| {
        log.logger
            .gaps
            .iter()
            .any(|(from, long)| t > from - 1.0 && t < from + long + 1.0)
    };
    let true_edges: Vec<f64> = bounds[1..].iter().map(|b| b.0).collect();
    for t in &true_edges {
        score.edges += 1;
        let off = begins
            .iter()
            .map(|b| (b - t).abs())
            .fold(f64::INFINITY, f64::min);
        if off <= tolerance_s {
            score.found += 1;
        }
        score.worst_s = score.worst_s.max(off);
    }
    let spiky = |t: f64| {
        bounds
            .iter()
            .zip(&log.segments)
            .any(|((a, b), s)| t > *a && t < *b && matches!(s.course, Course::Spikes { .. }))
    };
    score.extra = begins
        .iter()
        .filter(|b| !spiky(**b) && !inside(**b))
        .filter(|b| true_edges.iter().all(|t| (*b - t).abs() > tolerance_s))
        .count();
    let (mut right, mut total) = (0.0, 0.0);
    for (segment, (a, b)) in log.segments.iter().zip(&bounds) {
        let overlap = |p: &ballast_calibrate::Phase| (p.to_s.min(*b) - p.from_s.max(*a)).max(0.0);
        total += b - a;
        right += report
            .phases
            .iter()
            .filter(|p| segment.labels.contains(&p.label))
            .map(overlap)
            .sum::<f64>();
        let Some(main) = report
            .phases
            .iter()
            .max_by(|p, q| overlap(p).total_cmp(&overlap(q)))
        else {
            continue;
        };
        if let Some(level) = truth_level(segment) {
            let own = if let (Course::Flat { .. }, Some(_)) = (segment.course, main.cycle) {
                f64::NAN
            } else {
                main.level_w / (scale * level) - 1.0
            };
            score.level = if own.is_nan() {
                9.99
            } else {
                score.level.max(own.abs())
            };
        }
        if let (
            Course::Wave {
                high_w,
                low_w,
                period_s,
                ..
            },
            true,
        ) = (segment.course, segment.labels == [Label::Training])
        {
            if let Some(cycle) = main.cycle {
                score.period = score.period.max((cycle.period_s / period_s - 1.0).abs());
                score.level = score
                    .level
                    .max((cycle.high_w / (scale * high_w) - 1.0).abs())
                    .max((cycle.low_w / (scale * low_w) - 1.0).abs());
            } else {
                score.period = 9.99;
            }
        }
    }
    score.labelled = right / total;
    if let Some(refit) = &report.refit {
        (score.energy, score.r2, score.nrmse) = (
            refit.energy_error,
            refit.acf_r2.unwrap_or(f64::NAN),
            refit.nrmse,
        );
    }
    score
}

fn run(log: &Log, seed: u64, verbose: bool) -> (Calibration, Score) {
    let recording = log.record(seed);
    let done =
        calibrate(&recording, &Origin::default()).unwrap_or_else(|e| panic!("{}: {e}", log.name));
    if verbose {
        for (s, (a, b)) in log.segments.iter().zip(log.bounds()) {
            println!("    truth {a:8.2} {b:8.2} {:?} {:?}", s.labels[0], s.course);
        }
        println!("{}", text(&done));
    }
    let expected = if log.odd == Odd::Nothing { 1 } else { 2 };
    let report = done
        .reports
        .iter()
        .max_by_key(|r| r.gpus.len())
        .expect("a group");
    let s = score(log, report, seed);
    println!(
        "| {} | {seed} | {}{} | {}/{} worst {:.2} s, {} more | {:.0} % | {:.1} % | {:.2} % | {:.2} % | {:.3} | {:.3} | {}",
        log.name,
        done.reports.len(),
        if done.reports.len() == expected {
            ""
        } else {
            "!"
        },
        s.found,
        s.edges,
        s.worst_s,
        s.extra,
        100.0 * s.labelled,
        100.0 * s.level,
        100.0 * s.period,
        100.0 * s.energy,
        s.r2,
        s.nrmse,
        done.reports
            .iter()
            .map(|r| r
                .refit
                .as_ref()
                .map_or("none", |f| if f.good { "good" } else { "BAD" }))
            .collect::<Vec<_>>()
            .join(" ")
    );
    (done, s)
}

/// All logs of a seed: every one but that whose iterations are too fast must be given back, and its phases found.
fn all_of(seed: u64) {
    let only = std::env::var("LOG_ONLY").unwrap_or_default();
    println!(
        "| log | seed | groups | edges within max(0.2 s, one sample) | labelled | levels | period | energy | R2 | NRMSE |"
    );
    let (mut edges, mut found) = (0, 0);
    let mut missed = Vec::new();
    for log in logs::scripts::all(seed) {
        if !log.name.contains(&only) {
            continue;
        }
        let (done, score) = run(&log, seed, !only.is_empty());
        edges += score.edges;
        found += score.found;
        let good = done
            .reports
            .iter()
            .all(|r| r.refit.as_ref().is_some_and(|f| f.good));
        if log.name == logs::scripts::TOO_FAST {
            // What cannot be seen is told, and a period that may be a beat is called so.
            let told = |r: &GroupReport| {
                let word = |p: &ballast_calibrate::Phase| {
                    let unseen = p.why.contains("cannot be seen");
                    unseen || p.why.contains("would look the same")
                };
                r.phases.iter().any(word)
            };
            assert!(done.reports.iter().all(told), "{}", text(&done));
        } else if !good || score.labelled < 0.9 {
            missed.push(log.name);
        }
    }
    println!("seed {seed}: {found} of {edges} edges");
    assert!(missed.is_empty(), "seed {seed}: {missed:?}");
    assert!(found * 100 >= edges * 97, "{found} of {edges} edges");
}

/// For looking at logs: `LOG_SEEDS=1,2 LOG_ONLY=serving cargo test … -- --ignored --nocapture`.
#[test]
#[ignore = "a tool"]
fn seeds_to_look_at() {
    let seeds = std::env::var("LOG_SEEDS").unwrap_or_else(|_| "1".to_owned());
    for seed in seeds.split(',').filter_map(|v| v.parse().ok()) {
        all_of(seed);
    }
}

// Seeds that nothing was tuned on.

#[test]
fn held_out_201() {
    all_of(201);
}

#[test]
fn held_out_202() {
    all_of(202);
}

#[test]
fn held_out_203() {
    all_of(203);
}

/// Samples next to the edges of a short rest, which the window of a second fills with work, are no part of its level.
#[test]
fn short_rests_keep_their_level() {
    let flat = |labels, seconds, level_w, used, memory_gb| Segment {
        labels,
        seconds,
        course: Course::Flat {
            level_w,
            drift_w: 0.0,
        },
        spread_w: 0.01 * level_w,
        used,
        memory_gb,
    };
    let rest = || flat(&[Label::Idle][..], 15.0, 72.0, 0.0, 0.5);
    let work = || flat(&[Label::Steady][..], 60.0, 550.0, 0.97, 70.0);
    let log = Log {
        name: "rests",
        segments: vec![rest(), work(), rest(), work(), rest()],
        gpus: 2,
        logger: logs::Logger {
            name: "NVIDIA H100 80GB HBM3",
            average: true,
            poll_s: 1.0,
            columns: true,
            missing: 0.0,
            gaps: Vec::new(),
        },
        odd: Odd::Nothing,
    };
    for seed in 1..=6 {
        let (done, _) = run(&log, seed, false);
        let cards = log.scales(seed);
        let truth_w = 72.0 * cards.iter().sum::<f64>() / cards.len() as f64;
        let rests = done.reports[0].phases.iter().filter(|p| p.level_w < 200.0);
        for p in rests {
            let first = p.from_s < 15.0;
            assert!(
                first || p.label == Label::Idle,
                "seed {seed}: {}",
                text(&done)
            );
            // The noise of seven or more readings, and what is left of a window.
            assert!(
                (p.level_w - truth_w).abs() < 2.0,
                "seed {seed}: {truth_w} {}",
                text(&done)
            );
        }
    }
}
