//! Whether the settled swing under each cadence of the load stays within the limit on the swing.

use crate::indicative::Indicative;
use crate::outcome::{CadenceResonance, ResonanceKpis, SettledAs, Status, Verdict};
use crate::verdict::Bench;

/// Coherence from which on a predicted collapse is one.
const STEADY: f64 = 0.9;

/// What one cadence comes to, and why it is not looked at.
fn judged(c: &CadenceResonance, limit_hz: f64, window_s: f64) -> (Status, String) {
    let not_checked = |why: String| (Status::NotChecked, format!("{}: {why}", c.cadence));
    let periodic = c.settled == SettledAs::Periodic;
    if periodic && c.predicted_swing_hz.max(c.expected_swing_hz) <= limit_hz {
        return (Status::Pass, String::new());
    }
    let half_s = c.line.map_or(0.0, |l| 0.5 / l.frequency_hz);
    if half_s > window_s {
        return not_checked(format!(
            "half a period of {half_s:.1} s is longer than the limit's window of {window_s} s"
        ));
    }
    match c.settled {
        SettledAs::Collapsed if c.coherence >= STEADY => (Status::Fail, String::new()),
        SettledAs::Collapsed => not_checked(
            "the bus would collapse if the load repeated perfectly, which it does not".to_owned(),
        ),
        SettledAs::Linear => {
            not_checked("so long a period was not searched for its settled state".to_owned())
        }
        _ if c.expected_swing_hz.min(c.predicted_swing_hz) > limit_hz => {
            (Status::Fail, String::new())
        }
        SettledAs::NotPeriodic => {
            not_checked("the frequency does not settle into one period".to_owned())
        }
        SettledAs::Periodic => not_checked(format!(
            "{:.2} Hz if the load repeated perfectly, {:.2} Hz expected with its jitter: the run's own swing decides",
            c.predicted_swing_hz, c.expected_swing_hz
        )),
    }
}

/// The verdict on what repeats; none without a plant.
pub(super) fn resonance_verdict(
    bench: &Bench<'_>,
    kpis: Option<&ResonanceKpis>,
) -> Option<Verdict> {
    let kpis = kpis?;
    let limits = &bench.scenario.limits;
    let mut v = bench.blank("resonance", "predicted settled swing", "Hz", String::new());
    v.realisations = 1;
    let Some(worst) = kpis.cadences.iter().reduce(|a, b| {
        if b.predicted_swing_hz > a.predicted_swing_hz {
            b
        } else {
            a
        }
    }) else {
        v.basis = kpis.none_because.clone().unwrap_or_default();
        return Some(v);
    };
    let Some(limit_hz) = limits.frequency_swing_hz else {
        "no limit was given (limits.frequency_swing_hz)".clone_into(&mut v.basis);
        return Some(v);
    };
    let mut unclear: Vec<String> = kpis.left_out.clone();
    let mut failed: Option<&CadenceResonance> = None;
    for c in &kpis.cadences {
        match judged(c, limit_hz, limits.frequency_swing_window_s) {
            (Status::Fail, _) => failed = failed.or(Some(c)),
            (Status::NotChecked, why) => unclear.push(why),
            _ => {}
        }
    }
    v.status = match (failed, unclear.is_empty()) {
        (Some(_), _) => Status::Fail,
        (None, false) => {
            v.basis = unclear.join("; ");
            return Some(v);
        }
        (None, true) => Status::Pass,
    };
    v.indicative = Indicative::on_engines(&bench.plan.weak);
    let shown = failed.unwrap_or(worst);
    v.limit_value = Some(limit_hz);
    v.worst_value = Some(shown.predicted_swing_hz);
    v.margin = Some(limit_hz - shown.predicted_swing_hz);
    v.realisation = bench.merged.each.first().map(|e| e.realisation);
    v.element = Some(shown.cadence.clone());
    v.held_in = u32::from(v.status == Status::Pass);
    "settled, predicted".clone_into(&mut v.window);
    v.basis = format!(
        "predicted, not simulated: the settled swing if the load goes on to repeat as it does in the run, whether or not the run is long enough to reach it; {}",
        kpis.assumed.join("; ")
    );
    Some(v)
}
