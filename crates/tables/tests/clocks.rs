//! Traces from several files, whose clocks agree or do not.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::path::PathBuf;

use ballast_tables::{LoadedTrace, TableProblems, TraceOptions, read_traces};
use proptest::prelude::*;

/// Seconds since 1970 of 2026-11-21 07:00:00.
const START: f64 = 1_795_244_400.0;

/// A log: first second after [`START`], interval, samples, power in W.
type Log = (f64, f64, u32, fn(f64) -> f64);

fn csv((start_s, interval_s, samples, power): Log) -> String {
    let mut text = "time_s,power_w\n".to_owned();
    for k in 0..samples {
        let t = start_s + f64::from(k) * interval_s;
        let _ = writeln!(text, "{:.3},{}", START + t, power(t));
    }
    text
}

fn sum(texts: &[String], offsets: &[f64]) -> Result<LoadedTrace, TableProblems> {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = texts
        .iter()
        .enumerate()
        .map(|(i, text)| {
            let path = folder.path().join(format!("node{i}.csv"));
            std::fs::write(&path, text).unwrap();
            path
        })
        .collect();
    read_traces(&files, offsets, &TraceOptions::default())
}

fn refused(texts: &[String], offsets: &[f64], words: &[&str]) {
    let problems = sum(texts, offsets).unwrap_err().to_string();
    for word in words {
        assert!(problems.contains(word), "`{word}` is not in: {problems}");
    }
}

#[test]
fn files_are_summed_by_absolute_time() {
    // Straight lines are met between samples too, so that the sum is exact to the rounding of the stamps.
    let texts = [
        csv((0.0, 1.0, 101, |t| 100.0 + t)),
        csv((10.3, 0.5, 300, |t| 1000.0 - 2.0 * t)),
    ];
    let trace = sum(&texts, &[]).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(
        (trace.rows, trace.interval_s, trace.start_unix_s),
        (90, 1.0, Some(START + 11.0))
    );
    for (t, v) in trace.time_s.iter().zip(&trace.value) {
        assert!((v - (1100.0 - (t + 11.0))).abs() < 1e-4, "{t} {v}");
    }
    let found = trace.found.join("\n");
    assert!(
        found.contains("node0.csv: time column") && found.contains("2 files are summed"),
        "{found}"
    );
    assert_eq!(trace.sha256.len(), 64);
}

#[test]
fn clocks_that_disagree_are_refused_with_what_would_be_right() {
    let flat: fn(f64) -> f64 = |_| 5.0;
    // Both recorded three hours, one of them in another time zone.
    let zones = [
        csv((0.0, 10.0, 1080, flat)),
        csv((3599.0, 10.0, 1080, flat)),
    ];
    refused(
        &zones,
        &[],
        &[
            "whole hours apart",
            "node0.csv from 2026-11-21 07:00:00.000 to 2026-11-21 09:59:50.000",
            "+3599.000 s",
            "[0, -3600]",
        ],
    );
    assert_eq!(sum(&zones, &[0.0, -3600.0]).unwrap().rows, 1079);
    // Said to be right: the two hours in common are kept.
    assert_eq!(sum(&zones, &[0.0, 0.0]).unwrap().rows, 720);
    let apart = [csv((0.0, 1.0, 100, flat)), csv((500.0, 1.0, 100, flat))];
    refused(
        &apart,
        &[],
        &["no time in common", "[0, -500]", "`clock_offset_s`"],
    );
    refused(&apart, &[0.0, 0.0], &["no time in common"]);
    let hardly = [csv((0.0, 1.0, 100, flat)), csv((80.0, 1.0, 100, flat))];
    refused(&hardly, &[], &["19.0 s in common", "less than half"]);
    assert_eq!(sum(&hardly, &[0.0, 0.0]).unwrap().rows, 20);
}

#[test]
fn files_without_dates_need_their_offsets() {
    let plain = "t_s,power_w\n0,1\n1,2\n2,3\n".to_owned();
    let texts = [plain.clone(), plain.clone()];
    refused(&texts, &[], &["no dates in", "[0, 0]"]);
    assert_eq!(sum(&texts, &[0.0, 0.0]).unwrap().value, [2.0, 4.0, 6.0]);
    assert_eq!(sum(&texts, &[0.0, 1.0]).unwrap().value, [3.0, 5.0]);
    refused(
        &[plain, csv((0.0, 1.0, 9, |_| 1.0))],
        &[0.0, 0.0],
        &["no dates in", "or into none"],
    );
    refused(
        &["t_s,p_pu\n0,1\n1,2\n".into(), "t_s,p_w\n0,1\n1,2\n".into()],
        &[0.0, 0.0],
        &["per unit"],
    );
    refused(
        &["t_s,p_w\n0,x\n".into(), "t_s,p_w\n0,1\n1,y\n".into()],
        &[],
        &["node0.csv:2", "node1.csv:3"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_spans_are_summed_or_refused(
        starts in proptest::collection::vec(-20_000_i32..20_000, 1..4),
        tenths in proptest::collection::vec(1_u32..30, 4),
        stated in any::<bool>(),
    ) {
        let texts: Vec<String> = starts
            .iter()
            .zip(&tenths)
            .map(|(s, i)| csv((f64::from(*s) * 0.1, f64::from(*i) * 0.1, 40 * i, |_| 7.0)))
            .collect();
        let offsets = if stated { vec![0.0; starts.len()] } else { Vec::new() };
        match sum(&texts, &offsets) {
            Ok(trace) => {
                prop_assert!(trace.rows >= 2 && trace.time_s[0] == 0.0);
                prop_assert!(trace.time_s.windows(2).all(|w| w[0] < w[1]));
                let whole = 7.0 * starts.len() as f64;
                prop_assert!(trace.value.iter().all(|v| (v - whole).abs() < 1e-9));
            }
            Err(problems) => prop_assert!(!problems.0.is_empty()),
        }
    }
}
