//! The report as text.

use std::fmt::Write as _;

use crate::report::{FitReport, Outcome};

/// The report for a terminal: values, what is left of every figure, what is not identified, warnings.
pub fn text(report: &FitReport) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{:<24} {:>10}  {:>21}  {:>9}  {:>10}",
        "value", "fitted", "95 % interval", "error", "default"
    );
    for p in &report.parameters {
        let interval = match (p.low, p.high) {
            (Some(low), Some(high)) => format!("{low} to {high}"),
            _ => "not identified".to_owned(),
        };
        let error = if p.relative_error < 9.99 {
            format!("{:.1} %", 100.0 * p.relative_error)
        } else {
            "any".to_owned()
        };
        let _ = writeln!(
            out,
            "{:<24} {:>10}  {:>21}  {:>9}  {:>10}{}",
            p.key,
            p.value,
            interval,
            error,
            p.start,
            if p.outcome == Outcome::Weak {
                "  weak"
            } else {
                ""
            }
        );
    }
    if !report.steps.is_empty() {
        let _ = writeln!(
            out,
            "\n{:<16} {:>18}  {:>18}  {:>18}  ceiling",
            "step", "dip %", "recovery s", "overshoot %"
        );
    }
    for s in &report.steps {
        let pair = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => format!("{a} -> {b:.2}"),
            _ => "-".to_owned(),
        };
        let _ = writeln!(
            out,
            "{:<16} {:>18}  {:>18}  {:>18}  {}",
            format!("{} {:+}", s.from_share, s.step_share),
            pair(Some(s.dip_percent), Some(s.fitted_dip_percent)),
            pair(s.recovery_s, s.fitted_recovery_s),
            pair(s.overshoot_percent, s.fitted_overshoot_percent),
            if s.collapsed {
                "COLLAPSE"
            } else if s.ceiling_binds {
                "binds"
            } else {
                "no"
            }
        );
    }
    for r in &report.recordings {
        let _ = writeln!(
            out,
            "\n{}: {} samples, largest deviation {:.3} Hz; rms difference {:.4} Hz, largest {:.3} Hz, noise {:.4} Hz; shift {:.1} ms; ceiling {}",
            r.name,
            r.samples,
            r.largest_hz,
            r.rms_hz,
            r.largest_difference_hz,
            r.noise_hz,
            1e3 * r.shift_s,
            if r.ceiling_binds {
                "binds"
            } else {
                "does not bind"
            }
        );
    }
    let missing = |p: &&crate::report::ParameterReport| p.outcome == Outcome::NotIdentified;
    if report.parameters.iter().any(|p| missing(&p)) {
        out.push_str("\nnot identified, default kept:\n");
    }
    for p in report.parameters.iter().filter(missing) {
        let _ = writeln!(out, "  {}: {}", p.key, p.note);
    }
    for pair in &report.correlated {
        let _ = writeln!(
            out,
            "correlated: {} and {} ({:.3})",
            pair.one, pair.other, pair.correlation
        );
    }
    for warning in &report.warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    let _ = writeln!(
        out,
        "\n{}; {} iterations, sum of squares {:.2} with {} degrees of freedom",
        if report.converged {
            "converged"
        } else {
            "NO CONVERGENCE"
        },
        report.iterations,
        report.sum_of_squares,
        report.degrees_of_freedom
    );
    out
}
