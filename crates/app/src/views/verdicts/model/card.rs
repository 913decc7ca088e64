//! A card per verdict.

use ballast_study::outcome::{Outcome, Ranges, Status, Verdict, WeakConstant};
use ballast_units::{Grade, format_number as number};

use super::{quantity, sentence};

/// A verdict in words.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    /// Its state.
    pub(crate) status: Status,
    /// What it is.
    pub(crate) label: String,
    /// Worst value with its unit.
    pub(crate) worst: Option<String>,
    /// Limit with its side and unit: "at least 57 Hz".
    pub(crate) limit: Option<String>,
    /// Margin, or by how much it is missed.
    pub(crate) margin: Option<String>,
    /// Share of what the limit allows that is used: 1 at the limit, more beyond it.
    pub(crate) used: Option<f64>,
    /// When, seconds.
    pub(crate) at_s: Option<f64>,
    /// When, where and over which window.
    pub(crate) place: String,
    /// In how many realisations it held; empty where there is one.
    pub(crate) held: String,
    /// Why it is as it is: shown at once where it is not plainly decided.
    pub(crate) basis: String,
    /// What it is worth where it rests on weak constants.
    pub(crate) indication: Option<Indication>,
    /// All of it in a sentence, for screen readers.
    pub(crate) spoken: String,
}

/// What a verdict is worth that rests on weak constants.
#[derive(Debug, Clone)]
pub(crate) struct Indication {
    /// Worst over the ranges with its corner, or why it is not known.
    pub(crate) text: String,
    /// State at the worst corner, where it is another than the verdict's.
    pub(crate) otherwise: Option<Status>,
    /// The weak constants, each with value, range and source.
    pub(crate) constants: Vec<String>,
}

impl Card {
    pub(super) fn of(v: &Verdict, outcome: &Outcome, ranges_checked: bool) -> Self {
        let side = Side::of(v);
        let worst = v.worst_value.map(|x| quantity(x, &v.unit));
        let limit = v.limit_value.map(|x| {
            let word = match side {
                Some(Side::Upper) => "at most ",
                Some(Side::Lower) => "at least ",
                None => "",
            };
            format!("{word}{}", quantity(x, &v.unit))
        });
        let margin = v.margin.map(|m| {
            if m < 0.0 {
                format!("{} beyond the limit", quantity(-m, &v.unit))
            } else {
                format!("{} of margin", quantity(m, &v.unit))
            }
        });
        let place = place(v);
        let held = if v.realisations > 1 && v.status != Status::NotChecked {
            format!("Held in {} of {} realisations", v.held_in, v.realisations)
        } else {
            String::new()
        };
        let indication = Indication::of(v, outcome, ranges_checked);
        let label = sentence(&v.label);
        let mut spoken = format!("{}: {label}", v.status.label());
        for part in [&worst, &limit, &margin].into_iter().flatten() {
            spoken.push_str(", ");
            spoken.push_str(part);
        }
        if !place.is_empty() {
            spoken.push_str(", ");
            spoken.push_str(&place);
        }
        if indication.is_some() {
            spoken.push_str(", indicative");
        }
        Self {
            status: v.status,
            label,
            worst,
            limit,
            margin,
            used: used(v, side, outcome),
            at_s: v.at_s,
            place,
            held,
            basis: sentence(&v.basis),
            indication,
            spoken,
        }
    }

    /// Whether why it is as it is belongs on the card itself.
    pub(crate) fn must_explain(&self) -> bool {
        matches!(self.status, Status::Inconclusive | Status::NotChecked)
    }
}

/// When, where, over which window.
fn place(v: &Verdict) -> String {
    let mut parts = Vec::new();
    parts.extend(v.at_s.map(|t| format!("at {t:.3} s")));
    parts.extend(v.element.clone());
    if !v.window.is_empty() {
        parts.push(v.window.clone());
    }
    if v.realisations > 1 {
        parts.extend(v.realisation.map(|r| format!("realisation {r}")));
    }
    parts.extend(v.struck_at_s.map(|t| format!("struck at {t:.3} s")));
    sentence(&parts.join(", "))
}

/// Which side of the limit is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Values above it break it.
    Upper,
    /// Values below it break it.
    Lower,
}

impl Side {
    fn of(v: &Verdict) -> Option<Self> {
        let by_name = if v.limit.contains("_min_") {
            Self::Lower
        } else {
            Self::Upper
        };
        let (Some(worst), Some(limit), Some(margin)) = (v.worst_value, v.limit_value, v.margin)
        else {
            return v.limit_value.map(|_| by_name);
        };
        // The margin is positive where it holds: that tells the side.
        let close = |a: f64| (a - margin).abs() <= 1e-9 * (worst.abs() + limit.abs());
        match (close(limit - worst), close(worst - limit)) {
            (true, false) => Some(Self::Upper),
            (false, true) => Some(Self::Lower),
            (true, true) => Some(by_name),
            (false, false) => None,
        }
    }
}

/// Share of what the limit allows that is used. Limits on frequency and voltage allow what lies between nominal and them, the others what lies
/// between zero and them; of a least value that is the limit over the value.
fn used(v: &Verdict, side: Option<Side>, outcome: &Outcome) -> Option<f64> {
    let (worst, limit) = (v.worst_value?, v.limit_value?);
    let nominal = match v.limit.as_str() {
        "frequency_min_hz" | "frequency_max_hz" => {
            outcome.scenario.plant.as_ref().map(|p| p.frequency_hz)?
        }
        "voltage_min_pu" | "voltage_max_pu" => 1.0,
        _ => 0.0,
    };
    let (worst, limit) = (worst - nominal, limit - nominal);
    let share = match side? {
        Side::Lower if limit > 0.0 => limit / worst.max(f64::MIN_POSITIVE),
        // Also a least value below zero, or below nominal.
        _ => worst / limit,
    };
    (limit != 0.0 && !share.is_nan()).then(|| share.clamp(0.0, 1e3))
}

impl Indication {
    fn of(v: &Verdict, outcome: &Outcome, ranges_checked: bool) -> Option<Self> {
        let i = v.indicative.as_ref()?;
        let known = &outcome.weak_constants;
        let constants = i
            .rests_on
            .iter()
            .map(|path| {
                let found = known.iter().find(|w| w.path == *path);
                found.map_or_else(|| path.clone(), constant)
            })
            .collect();
        let to_come = !ranges_checked && matches!(i.ranges, Ranges::Off | Ranges::NoneStated);
        if to_come && outcome.weak_constants.iter().any(|w| w.low.is_some()) {
            return Some(Self {
                text: "Ranges being checked…".to_owned(),
                otherwise: None,
                constants,
            });
        }
        let text = match (i.worst_value, i.corners) {
            (_, 0) => sentence(&i.text),
            _ if i.lost_corner.is_some() => {
                let lost = i.lost.as_deref().unwrap_or("the bus is lost");
                let at = i.lost_corner.as_deref().unwrap_or_default();
                format!("Over the ranges, {lost} at {at}")
            }
            (Some(worst), corners) => {
                let when = i
                    .worst_at_s
                    .map_or_else(String::new, |t| format!(", at {t:.3} s"));
                let corner = i
                    .worst_corner
                    .as_ref()
                    .map_or_else(|| ", at the stated values".to_owned(), |c| format!(", {c}"));
                format!(
                    "Worst over the ranges {}{when}{corner}; holds in {} of {corners} corners",
                    quantity(worst, &v.unit),
                    i.holds_in
                )
            }
            (None, corners) => {
                format!(
                    "Over the ranges it holds in {} of {corners} corners",
                    i.holds_in
                )
            }
        };
        Some(Self {
            text,
            otherwise: i.worst_status.filter(|s| *s != v.status),
            constants,
        })
    }
}

/// A weak constant in words.
fn constant(w: &WeakConstant) -> String {
    let value = w
        .value
        .map_or_else(String::new, |x| format!(" {}", number(x)));
    let range = match (w.low, w.high) {
        (Some(low), Some(high)) => format!(" ({} to {})", number(low), number(high)),
        _ => String::new(),
    };
    let grade = match w.grade {
        Grade::Published => "published",
        Grade::Measured => "measured",
        Grade::Derived => "derived",
        Grade::Estimated => "estimated",
        Grade::Recalled => "recalled",
        Grade::Given => "given",
    };
    format!("{} of {}{value}{range}, {grade}", w.key, w.set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(limit: &str, worst: f64, limit_value: f64, margin: f64) -> Verdict {
        Verdict {
            limit: limit.to_owned(),
            label: limit.to_owned(),
            status: Status::Pass,
            limit_value: Some(limit_value),
            worst_value: Some(worst),
            unit: "kW".to_owned(),
            metered: None,
            at_s: Some(1.5),
            realisation: Some(2),
            element: Some("bus".to_owned()),
            window: "instant".to_owned(),
            margin: Some(margin),
            realisations: 4,
            horizon_s: 10.0,
            held_in: 4,
            basis: String::new(),
            run: None,
            contingency: None,
            struck_at_s: None,
            indicative: None,
        }
    }

    #[test]
    fn the_margin_tells_the_side_of_a_limit() {
        let upper = verdict("site_peak_kw", 800.0, 1000.0, 200.0);
        assert_eq!(Side::of(&upper), Some(Side::Upper));
        let lower = verdict("set_power_min_share", 0.4, 0.3, 0.1);
        assert_eq!(Side::of(&lower), Some(Side::Lower));
        let met = verdict("set_power_min_share", 0.3, 0.3, 0.0);
        assert_eq!(Side::of(&met), Some(Side::Lower));
        let other = verdict("load_acceptance", 20.0, 40.0, 3.0);
        assert_eq!(Side::of(&other), None);
    }

    #[test]
    fn place_says_when_where_and_in_which_realisation() {
        let v = verdict("site_peak_kw", 800.0, 1000.0, 200.0);
        assert_eq!(place(&v), "At 1.500 s, bus, instant, realisation 2");
    }
}
