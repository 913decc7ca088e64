//! The report of a calibration as a person reads it.

use std::fmt::Write as _;

use crate::calibration::{Calibration, GroupReport};
use crate::correct::PhaseCorrected;
use crate::gates::GateStatus;
use crate::segment::Phase;

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
        phases(report, &mut out);
        sensors(report, &mut out);
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
                if report.refit_as_shown {
                    out.push_str("  replayed with the cycles as the samples show them: the load's own are faster than those, or hidden by the window\n");
                }
                let _ = writeln!(out, "  {r}");
            }
            None => out.push_str("  not replayed: the profile cannot be played, or there is no power to compare with\n"),
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

fn phases(report: &GroupReport, out: &mut String) {
    let _ = writeln!(
        out,
        "  {:>10} {:>10}  {:<18} {:>8} {:>8} {:>22} {:>8} {:>8} {:>7} {:>8}",
        "from s",
        "to s",
        "phase",
        "as read",
        "drawn W",
        "\u{b1} stat. \u{b1} gain",
        "p5 W",
        "p95 W",
        "sd W",
        "memory s"
    );
    for (p, found) in report.phases.iter().zip(&report.corrected) {
        let number = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.1}"));
        let errors = format!(
            "\u{b1} {} \u{b1} {}",
            found
                .mean_se_w
                .map_or_else(|| "-".to_owned(), |v| format!("{v:.2}")),
            number(found.mean_systematic_w)
        );
        let _ = writeln!(
            out,
            "  {:>10.2} {:>10.2}  {:<18} {:>8} {:>8.1} {errors:>22} {:>8.1} {:>8.1} {:>7.2} {:>8}",
            p.from_s,
            p.to_s,
            p.label.text(),
            number(found.naive_mean_w),
            p.level_w,
            p.low_w,
            p.high_w,
            p.spread_w,
            p.correlation_time_s
                .map_or_else(|| "-".to_owned(), |t| format!("{t:.2}"))
        );
        details(p, found, out);
    }
}

/// Below a phase's line: what repeats in it, what its begin is.
fn details(p: &Phase, found: &PhaseCorrected, out: &mut String) {
    let mut line = |text: String| {
        let _ = writeln!(out, "  {:>23} {text}", "");
    };
    if let Some(y) = &p.cycle {
        line(format!(
            "{:.0} periods of {:.4} s (sd {:.4} s): {:.1} W for {:.0} %, then {:.1} W",
            y.count,
            y.period_s,
            y.jitter_s,
            y.high_w,
            100.0 * y.duty,
            y.low_w
        ));
    }
    if let Some(swing) = &found.swing {
        let levels: Vec<String> = swing
            .levels
            .iter()
            .map(|l| {
                format!(
                    "{:.1} W \u{b1} {:.1} W for {:.0} %",
                    l.power_w,
                    l.power_se_w,
                    100.0 * l.share
                )
            })
            .collect();
        line(format!(
            "behind the window (gain {:.2}): {}; explains {:.1} % of the variance",
            swing.gain,
            levels.join(", "),
            100.0 * swing.explained
        ));
        if !swing.other_periods_s.is_empty() {
            let others: Vec<String> = swing
                .other_periods_s
                .iter()
                .map(|s| format!("{s:.5} s"))
                .collect();
            line(format!(
                "a period of {} would explain the readings as well",
                others.join(" or ")
            ));
        }
    }
    if let Some(why) = &found.unidentifiable {
        line(why.clone());
    }
    if let Some(change) = p.entered.filter(|c| c.unresolved) {
        line(format!(
            "entered by {:+.1} W: the rise is not resolved, at most {:.2} s{}",
            change.delta_w,
            change.time_s,
            found
                .begin_within_s
                .map_or_else(String::new, |s| format!("; begins within \u{b1} {s:.3} s"))
        ));
    }
}

fn sensors(report: &GroupReport, out: &mut String) {
    for s in &report.sensors {
        let ms = |v: Option<f64>| {
            v.map_or_else(|| "unknown".to_owned(), |v| format!("{:.1} ms", 1e3 * v))
        };
        let _ = writeln!(
            out,
            "  sensor of GPU {}: {} power of {}, renewed every {}, window {}; gain {} and offset {} W, \u{b1} {:.1} % ({})",
            s.gpu,
            s.reading,
            s.architecture,
            ms(s.update_period_s),
            ms(s.window_s),
            s.gain,
            s.offset_w,
            100.0 * s.gain_error,
            s.source
        );
        if let Some(hidden_s) = s.levels_hidden_below_s {
            let _ = writeln!(
                out,
                "    levels of a load of a period below {:.0} ms would be unidentifiable: the window lets less than a fifth of it through",
                1e3 * hidden_s
            );
        }
        let _ = writeln!(
            out,
            "    mean {:.2} W \u{b1} {:.2} W (statistical) \u{b1} {:.2} W (gain), {:.1} J in {:.2} s, from the {}; averaging the samples as read gives {:.2} W",
            s.mean_w,
            s.mean_se_w,
            s.mean_systematic_w,
            s.energy_j,
            s.seconds,
            s.mean_from,
            s.naive_mean_w
        );
        for note in &s.notes {
            let _ = writeln!(out, "    {note}");
        }
    }
}
