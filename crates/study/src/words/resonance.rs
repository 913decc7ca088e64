//! What a cadence of the load does to the sets, in an engineer's words.

use ballast_scenario::Scenario;

use crate::outcome::{CadenceResonance, Moves, SettledAs};
use crate::voltage;

/// Change of the swing by jitter that is not worth a word.
const SLIGHT: f64 = 0.02;

/// What the predictions assume.
pub(crate) fn resonance_assumptions(scenario: &Scenario) -> Vec<String> {
    let mut list = vec![
        "the load repeats perfectly, each period like the mean of those in the run; what jitter makes of that stands beside it as expected, what fluctuates besides is not in it".to_owned(),
        "the sets are those on the bus at the start of the run, dispatched for its first load; each cadence acts by itself, around its own mean load".to_owned(),
    ];
    if voltage::looked_at(scenario) {
        list.push("the load of the prediction draws no reactive power".to_owned());
    }
    if scenario.plant.as_ref().is_some_and(|p| !p.trips.is_empty()) {
        list.push("planned trips of sets are not in the prediction".to_owned());
    }
    list
}

/// Three significant digits without an exponent.
fn brief(value: f64) -> String {
    let size = value.abs();
    if !(size > 0.0 && size.is_finite()) {
        return format!("{value}");
    }
    let digits = (2.0 - libm::log10(size).floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn kw(w: f64) -> String {
    format!("{} kW", brief(w / 1e3))
}

/// A sentence each: swing, mode and line, what would move it.
pub(crate) fn resonance_text(told: &CadenceResonance) -> Vec<String> {
    let mut text = vec![swing(told)];
    text.extend(meeting(told));
    text.extend(told.moves.as_ref().map(moves));
    text
}

fn swing(c: &CadenceResonance) -> String {
    let mut parts = vec![format!(
        "{} repeats every {} s ({} Hz): predicted swing {} Hz peak to peak, {:.2} to {:.2} Hz{}",
        c.cadence,
        brief(1.0 / c.frequency_hz),
        brief(c.frequency_hz),
        brief(c.predicted_swing_hz),
        c.predicted_lowest_hz,
        c.predicted_highest_hz,
        c.limit_swing_hz.map_or_else(String::new, |limit| format!(
            ", {} {} Hz",
            if c.predicted_swing_hz <= limit {
                "within the limit of"
            } else {
                "beyond the limit of"
            },
            brief(limit)
        ))
    )];
    match c.settled {
        SettledAs::Periodic if c.repeats_after > 1 => {
            parts.push(format!("it repeats after {} periods", c.repeats_after));
        }
        SettledAs::Periodic => {}
        SettledAs::NotPeriodic => parts.push("it does not settle into one period within what a search integrates".to_owned()),
        SettledAs::Linear => parts.push(
            "that is the linear value without limits: so long a period was not searched for its settled state".to_owned(),
        ),
        SettledAs::Collapsed => parts.push("the bus collapses on the way".to_owned()),
    }
    parts.extend(c.limits_reached.iter().map(|r| {
        format!(
            "{} stands at its {} limit for {:.0} % of a period",
            r.set,
            r.limit,
            100.0 * r.share
        )
    }));
    if let Some(linear_hz) = c.unlimited_linear_swing_hz {
        parts.push(format!("unlimited linear {} Hz", brief(linear_hz)));
    }
    if let Some(s) = &c.simulated {
        parts.push(format!(
            "simulated {} Hz (median of {} {}periods, highest {} Hz)",
            brief(s.median_swing_hz),
            s.periods,
            if s.settled {
                "settled "
            } else {
                "not yet settled "
            },
            brief(s.highest_swing_hz)
        ));
    }
    if (c.expected_swing_hz / c.predicted_swing_hz - 1.0).abs() > SLIGHT {
        parts.push(format!(
            "periods are alike by {:.2}, with which {} Hz are expected{}",
            c.coherence,
            brief(c.expected_swing_hz),
            if c.limits_reached.is_empty() {
                ""
            } else {
                " (where limits act, a rule of thumb)"
            }
        ));
    }
    parts.join("; ")
}

fn meeting(c: &CadenceResonance) -> Option<String> {
    let line = c.line?;
    let of = if line.harmonic == 1 {
        String::new()
    } else {
        format!(", multiple {} of the cadence", line.harmonic)
    };
    let what = format!(
        "its line of ±{} at {} Hz{of} (gain {} Hz/MW)",
        kw(line.amplitude_w),
        brief(line.frequency_hz),
        brief(line.gain_hz_per_mw)
    );
    Some(match &c.mode {
        Some(m) => format!(
            "{what} {} the {} at {} Hz, damping ratio {}{}",
            if c.meets {
                "meets"
            } else {
                "meets no mode; the nearest is"
            },
            m.name,
            brief(m.frequency_hz),
            brief(m.damping_ratio),
            if m.stable {
                ""
            } else {
                ", which does not decay"
            }
        ),
        None => format!("{what} meets no mode that oscillates"),
    })
}

fn moves(m: &Moves) -> String {
    let mut ways = Vec::new();
    if m.safe_cadences_hz.is_empty() {
        ways.push(format!(
            "no cadence from {} to {} Hz",
            brief(m.searched_hz.0),
            brief(m.searched_hz.1)
        ));
    } else {
        let ranges: Vec<String> = m
            .safe_cadences_hz
            .iter()
            .map(|r| format!("{} to {}", brief(r.0), brief(r.1)))
            .collect();
        ways.push(format!("a cadence of {} Hz", ranges.join(" or ")));
    }
    if let Some(s) = m.jitter_s {
        ways.push(format!("jitter of {} s between periods", brief(s)));
    }
    if let (Some(ratio), Some(more)) = (m.damping_ratio, m.damping_more_pu) {
        ways.push(format!(
            "a damping ratio of {} (D {} pu more on every set)",
            brief(ratio),
            brief(more)
        ));
    }
    if let (Some(w), Some(j)) = (m.storage_w, m.storage_j) {
        ways.push(format!(
            "a storage of ±{} and {} kJ on that line",
            kw(w),
            brief(j / 1e3)
        ));
    }
    ways.extend(m.retuned.iter().map(|r| {
        format!(
            "governor.{} {} instead of {} ({} Hz{})",
            r.key,
            brief(r.to),
            brief(r.from),
            brief(r.swing_hz),
            if r.enough {
                ""
            } else {
                ", not enough by itself"
            }
        )
    }));
    let told = if m.partly_linear {
        " (in part by the linear model alone, as the search is bounded)"
    } else {
        ""
    };
    format!(
        "what would move it, each by itself{told}: {}",
        ways.join("; ")
    )
}
