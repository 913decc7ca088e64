//! A quantile of the power of the site over time.

use ballast_aggregate::Site;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::inputs::Inputs;
use crate::outcome::{Status, Verdict};
use crate::verdict::Bench;
use crate::words::{self, Randomness};

/// Confidence of the bounds on a quantile.
const QUANTILE_CONFIDENCE: f64 = 0.95;

/// Verdict on a quantile of the site's power over time.
///
/// The run holds `n = total time / decorrelation time` independent looks. The share of time above the limit then has
/// Clopper–Pearson bounds; the verdict is INCONCLUSIVE while the allowed share lies between them. A load without
/// randomness has no such bounds: the quantile is that of the stated horizon.
pub(super) fn quantile_verdict(bench: &Bench<'_>, inputs: &Inputs, site: Option<&Site>) -> Verdict {
    let limits = &bench.scenario.limits;
    let q = limits.site_peak_quantile;
    let mut v = bench.blank(
        "site_peak_kw",
        "peak power of the site",
        "kW",
        "no limit was given".to_owned(),
    );
    v.window = format!("{} % of time", q * 100.0);
    v.element = Some("bus".to_owned());
    let value_kw = bench.merged.site.quantile(q).map(|w| w / 1e3);
    v.worst_value = value_kw;
    let (Some(limit_kw), Some(value_kw)) = (limits.site_peak_kw, value_kw) else {
        return v;
    };
    v.limit_value = Some(limit_kw);
    v.margin = Some(limit_kw - value_kw);
    let randomness = site.map_or(Randomness::None, |s| words::randomness(bench.scenario, s));
    let above = bench.merged.site.share_above(limit_kw * 1e3);
    let allowed = 1.0 - q;
    let looks = match randomness {
        Randomness::None => None,
        Randomness::Fluctuation { decorrelation_s } => Some((
            bench.merged.total_s() / decorrelation_s,
            format!("{decorrelation_s:.2} s apart"),
        )),
        Randomness::OnceARun => Some((
            bench.merged.each.len() as f64,
            "one a realisation: jobs start at random times".to_owned(),
        )),
    };
    let (status, how) = match looks {
        None => (
            if above <= allowed {
                Status::Pass
            } else {
                Status::Fail
            },
            "the load has no randomness: quantile of this horizon".to_owned(),
        ),
        Some((looks, apart)) => {
            let n = looks.max(1.0);
            let (low, high) = share_bounds(above * n, n);
            let status = if high <= allowed {
                Status::Pass
            } else if low > allowed {
                Status::Fail
            } else {
                Status::Inconclusive
            };
            let words = format!(
                "{n:.0} independent looks ({apart}): share of time above the limit at least {:.4} % and at most {:.4} %, each with 95 % confidence, allowed {:.4} %",
                low * 100.0,
                high * 100.0,
                allowed * 100.0
            );
            (status, words)
        }
    };
    let each = &bench.merged.each;
    v.held_in = each
        .iter()
        .filter(|e| e.site_quantile_w.is_some_and(|w| w <= limit_kw * 1e3))
        .count() as u32;
    let collapsed = each.iter().any(|e| e.collapsed_at_s.is_some());
    let (status, how) = match status {
        Status::Pass if collapsed => (
            Status::NotChecked,
            format!("the bus collapsed; up to there: {how}"),
        ),
        _ => (status, how),
    };
    v.status = status;
    let advice = if status == Status::Inconclusive {
        "; a longer run or more realisations would tell"
    } else {
        ""
    };
    let coincidence = if inputs.traces.is_empty() {
        ""
    } else {
        "; traces repeat as measured"
    };
    v.basis = format!("{how}{advice}{coincidence}; {}", bench.load_basis);
    v
}

/// Clopper–Pearson bounds of a share of which `k` of `n` looks showed it (both may be fractional).
fn share_bounds(k: f64, n: f64) -> (f64, f64) {
    let tail = 1.0 - QUANTILE_CONFIDENCE;
    let bound = |a: f64, b: f64, p: f64| Beta::new(a, b).map(|d| d.inverse_cdf(p)).ok();
    let low = if k <= 0.0 {
        Some(0.0)
    } else {
        bound(k, n - k + 1.0, tail)
    };
    let high = if k >= n {
        Some(1.0)
    } else {
        bound(k + 1.0, n - k, 1.0 - tail)
    };
    (low.unwrap_or(0.0), high.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_follow_the_rule_of_three() {
        let (low, high) = share_bounds(0.0, 1000.0);
        assert_eq!(low, 0.0);
        assert!((high - 0.003).abs() < 1e-4, "{high}");
        assert_eq!(share_bounds(10.0, 10.0).1, 1.0);
    }
}
