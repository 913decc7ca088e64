//! All of it: from a recording to a profile and a report.

use std::fmt::Write as _;

use ballast_profile::GpuProfile;
use ballast_units::Confidence;
use serde::Serialize;

use crate::Recording;
use crate::correlate::{Correlation, PairLag, correlations, lags};
use crate::gates::{Gate, GateStatus, confidence, gates, is_steady};
use crate::profile_out::{Origin, profile};
use crate::refit::{Refit, refit};
use crate::segment::{Group, Phase, segment};
use crate::segment_signal::{SegmentError, Signal};

/// What was found of GPUs that move together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupReport {
    /// Indices of the GPUs on their node.
    pub gpus: Vec<u32>,
    /// Its phases.
    pub phases: Vec<Phase>,
    /// Correlation by kind of phase.
    pub correlation: Vec<Correlation>,
    /// Gates over its steady part; empty where it has none and others do.
    pub gates: Vec<Gate>,
    /// Stretches without samples, seconds.
    pub gaps: Vec<(f64, f64)>,
    /// How well the profile gives it back.
    pub refit: Option<Refit>,
}

/// A calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The groups, with their signals.
    pub groups: Vec<Group>,
    /// What is reported of each.
    pub reports: Vec<GroupReport>,
    /// Correlation and lag of each GPU against the first.
    pub lags: Vec<PairLag>,
    /// Confidence of the profile's numbers.
    pub confidence: Confidence,
    /// The profile.
    pub profile: GpuProfile,
}

/// Makes a profile of a recording.
///
/// # Errors
/// See [`segment`].
pub fn calibrate(recording: &Recording, origin: &Origin) -> Result<Calibration, SegmentError> {
    let groups = segment(recording)?;
    let works = |g: &Group| g.phases.iter().any(|p| is_steady(p.label));
    let any = groups.iter().any(works);
    let each: Vec<Vec<Gate>> = groups
        .iter()
        .map(|g| {
            if works(g) || !any {
                gates(recording, g)
            } else {
                Vec::new()
            }
        })
        .collect();
    let confidence = each
        .iter()
        .filter(|g| !g.is_empty())
        .map(|g| confidence(g))
        .min()
        .unwrap_or(Confidence::Low);
    let all: Vec<Gate> = each.iter().flatten().cloned().collect();
    let profile =
        profile(recording, &groups, &all, confidence, origin).ok_or(SegmentError::NoGpu)?;
    let index = |g: usize| recording.gpus.get(g).map_or(0, |r| r.index);
    let reports = groups
        .iter()
        .zip(each)
        .map(|(g, gates)| GroupReport {
            gpus: g.gpus.iter().map(|i| index(*i)).collect(),
            phases: g.phases.clone(),
            correlation: correlations(g),
            gates,
            gaps: g.gaps.clone(),
            refit: refit(&profile, g),
        })
        .collect();
    let mut signals: Vec<(usize, &Signal)> = groups
        .iter()
        .flat_map(|g| g.gpus.iter().copied().zip(&g.each))
        .collect();
    signals.sort_by_key(|s| s.0);
    let signals: Vec<(u32, &Signal)> = signals.into_iter().map(|(g, s)| (index(g), s)).collect();
    Ok(Calibration {
        lags: lags(&signals),
        groups,
        reports,
        confidence,
        profile,
    })
}

/// The report as a person reads it.
pub fn text(c: &Calibration) -> String {
    let mut out = String::new();
    for report in &c.reports {
        let gpus: Vec<String> = report.gpus.iter().map(u32::to_string).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "GPU {}: {} phases",
            gpus.join(", "),
            report.phases.len()
        );
        let _ = writeln!(
            out,
            "  {:>10} {:>10}  {:<18} {:>8} {:>8} {:>8} {:>7} {:>8}",
            "from s", "to s", "phase", "mean W", "p5 W", "p95 W", "sd W", "memory s"
        );
        for p in &report.phases {
            let _ = writeln!(
                out,
                "  {:>10.2} {:>10.2}  {:<18} {:>8.1} {:>8.1} {:>8.1} {:>7.2} {:>8}",
                p.from_s,
                p.to_s,
                p.label.text(),
                p.level_w,
                p.low_w,
                p.high_w,
                p.spread_w,
                p.correlation_time_s
                    .map_or_else(|| "-".to_owned(), |t| format!("{t:.2}"))
            );
            if let Some(y) = &p.cycle {
                let _ = writeln!(
                    out,
                    "  {:>23} {:.0} periods of {:.4} s (sd {:.4} s): {:.1} W for {:.0} %, then {:.1} W",
                    "",
                    y.count,
                    y.period_s,
                    y.jitter_s,
                    y.high_w,
                    100.0 * y.duty,
                    y.low_w
                );
            }
        }
        for (from, to) in &report.gaps {
            let _ = writeln!(out, "  gap without samples: {from:.2} s to {to:.2} s");
        }
        for r in report.correlation.iter().filter(|r| r.pairs > 0) {
            let found = r.coefficient.zip(r.range).map_or_else(
                || "none to be seen".to_owned(),
                |(c, (lo, hi))| format!("{c:.3} ({lo:.3} to {hi:.3} over {} pairs)", r.pairs),
            );
            let _ = writeln!(out, "  correlation in {}: {found}", r.label.text());
        }
        for g in &report.gates {
            let word = match g.status {
                GateStatus::Pass => "ok  ",
                GateStatus::Fail => "FAIL",
                GateStatus::NotChecked => "-   ",
            };
            let _ = writeln!(out, "  {word} {}: {}", g.name, g.finding);
        }
        match &report.refit {
            Some(r) => {
                let _ = writeln!(out, "  {r}");
            }
            None => out.push_str("  not replayed: the profile cannot be played\n"),
        }
    }
    for l in &c.lags {
        let number = |v: Option<f64>| v.map_or_else(|| "none".to_owned(), |v| format!("{v:.3}"));
        let _ = writeln!(
            out,
            "GPU {} against GPU {}: correlation of power {}, {} s later: {}",
            l.gpus.1,
            l.gpus.0,
            number(l.coefficient),
            number(l.lag_s),
            number(l.at_lag)
        );
    }
    out
}
