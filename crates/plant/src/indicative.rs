//! Which constants of a set are weak, and the corners of their ranges.
//!
//! A study with weak constants is indicative: its answer holds for the constants as they stand. The corners say how far it holds over the ranges stated
//! with them; they are no bound on what lies between or beyond.
//!
//! # Gains follow inertia and dead time
//! A governor is tuned on its set: half the inertia under the same gain is a tuning nobody would leave behind. Where a governor's gains are weak
//! themselves, a corner with another inertia or dead time therefore scales them by `H/H0 · TD0/TD`, which keeps the shape of the loop, and the range of a
//! gain is about that tuning. Gains that are known (given, measured, published with more than low confidence) stay.

use ballast_units::{Confidence, Grade, Provenance};

use crate::spec::{GovernorSpec, SetSpec};

/// What a weak constant belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WeakKind {
    /// Inertia of engine and alternator.
    Inertia,
    /// Dead time of the engine.
    DeadTime,
    /// Governor and engine.
    Governor,
    /// Accepted step: turbo ceiling, friction and the acceptance table.
    Acceptance,
}

impl WeakKind {
    /// How it is called in a sentence.
    pub fn label(self) -> &'static str {
        match self {
            Self::Inertia => "inertia",
            Self::DeadTime => "dead time",
            Self::Governor => "governor",
            Self::Acceptance => "load acceptance",
        }
    }

    fn of(key: &str) -> Option<Self> {
        match key {
            "inertia_s" => Some(Self::Inertia),
            "governor.dead_time_s" => Some(Self::DeadTime),
            "friction_pu" | "acceptance" => Some(Self::Acceptance),
            _ if key.starts_with("governor.") => Some(Self::Governor),
            _ if key.starts_with("turbo.") => Some(Self::Acceptance),
            _ => None,
        }
    }
}

/// A constant of a set that is estimated, recalled or of low confidence.
#[derive(Debug, Clone, PartialEq)]
pub struct WeakParameter {
    /// What it belongs to.
    pub kind: WeakKind,
    /// Key under the set, as `governor.k`.
    pub key: String,
    /// Its value; none for what is not one number (a model, a table, a switch).
    pub value: Option<f64>,
    /// Range stated with it.
    pub range: Option<(f64, f64)>,
    /// What it rests on.
    pub source: String,
    /// How it came to be known.
    pub grade: Grade,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

/// A description at a corner of the ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Which corner, as `inertia_s = 0.6 (low)` or `all worst, gain low`.
    pub corner: String,
    /// Whether all weak constants are moved there (else one alone).
    pub together: bool,
    /// The set there.
    pub set: SetSpec,
}

/// Which end of a range makes the frequency worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worse {
    Low,
    High,
    /// A gain: low lets the frequency fall further, high takes the damping away.
    Gain,
}

/// What each key does.
fn worse(key: &str) -> Worse {
    match key {
        "governor.k"
        | "governor.kpgov"
        | "governor.kp_pu"
        | "governor.kigov_per_s"
        | "governor.ki_per_s" => Worse::Gain,
        "inertia_s"
        | "damping_pu"
        | "friction_pu"
        | "turbo.acceptance_pu"
        | "governor.t3_s"
        | "governor.t4_s"
        | "governor.kdgov_s"
        | "governor.kd_s"
        | "governor.tmax_pu"
        | "governor.vmax_pu"
        | "governor.max_pu"
        | "governor.pmax_pu"
        | "governor.ldref_pu"
        | "governor.ropen_per_s" => Worse::Low,
        _ => Worse::High,
    }
}

/// Weak constants of inertia, dead time, governor and acceptance, in that order, then by key.
///
/// Weak: graded estimated or recalled, or of low confidence. Constants without an entry under `provenance` are not listed: nothing is known of them,
/// and the caller decides what that means.
pub fn weak_parameters(set: &SetSpec) -> Vec<WeakParameter> {
    let mut found: Vec<WeakParameter> = set
        .provenance
        .iter()
        .filter(|(key, entry)| is_weak(entry) && acts(set, key))
        .filter_map(|(key, entry)| {
            Some(WeakParameter {
                kind: WeakKind::of(key)?,
                key: key.clone(),
                value: value(set, key),
                range: entry.low.zip(entry.high),
                source: entry.source.clone(),
                grade: entry.grade,
                confidence: entry.confidence,
            })
        })
        .collect();
    found.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    found
}

/// Whether the value matters: a turbo ceiling that is off has no constants.
fn acts(set: &SetSpec, key: &str) -> bool {
    set.turbo.enabled || key == "turbo.enabled" || !key.starts_with("turbo.")
}

fn is_weak(entry: &Provenance) -> bool {
    entry.confidence == Confidence::Low || matches!(entry.grade, Grade::Estimated | Grade::Recalled)
}

/// The corners to look at: each weak constant with a range at its low and its high end alone, then all at their worse ends together.
///
/// At most two for each constant and two more: the worst with the gains low and with the gains high (one if no gain has a range). A set without such
/// constants has none, and the corners' own descriptions state no ranges. A corner may be unusable (a tuning that is unstable, a step too long): that is for the caller to say.
pub fn variants(set: &SetSpec) -> Vec<Variant> {
    let weak: Vec<(String, f64, (f64, f64))> = weak_parameters(set)
        .into_iter()
        .filter_map(|w| Some((w.key, w.value?, w.range?)))
        .collect();
    let mut out = Vec::new();
    for (key, value, (low, high)) in &weak {
        for (end, name) in [(*low, "low"), (*high, "high")] {
            if end != *value {
                out.push(Variant {
                    corner: format!("{key} = {end} ({name})"),
                    together: false,
                    set: with(set, [(key.as_str(), end)]),
                });
            }
        }
    }
    if weak.is_empty() {
        return out;
    }
    let gains = weak.iter().any(|(key, ..)| worse(key) == Worse::Gain);
    let together: &[(&str, bool)] = if gains {
        &[
            ("all worst, gain low", false),
            ("all worst, gain high", true),
        ]
    } else {
        &[("all worst", false)]
    };
    for (corner, gain_high) in together {
        let ends = weak.iter().map(|(key, _, (low, high))| {
            let end = match worse(key) {
                Worse::High => *high,
                Worse::Gain if *gain_high => *high,
                Worse::Low | Worse::Gain => *low,
            };
            (key.as_str(), end)
        });
        out.push(Variant {
            corner: (*corner).to_owned(),
            together: true,
            set: with(set, ends),
        });
    }
    out
}

fn with<'a>(set: &SetSpec, values: impl IntoIterator<Item = (&'a str, f64)>) -> SetSpec {
    let mut changed = set.clone();
    for (key, value) in values {
        if let Some(slot) = slot(&mut changed, key) {
            *slot = value;
        }
    }
    // The ranges are about the values that were left: a corner has none.
    for entry in changed.provenance.values_mut() {
        (entry.low, entry.high) = (None, None);
    }
    let dead_time = |set: &SetSpec| value(set, "governor.dead_time_s").filter(|t| *t > 0.0);
    let slower = match (dead_time(set), dead_time(&changed)) {
        (Some(before), Some(after)) => before / after,
        _ => 1.0,
    };
    let scale = changed.inertia_s / set.inertia_s * slower;
    for key in tuned(&set.governor) {
        if set.provenance.get(*key).is_some_and(is_weak)
            && let Some(slot) = slot(&mut changed, key)
        {
            *slot *= scale;
        }
    }
    changed
}

/// Gains set on site with the set's inertia and dead time. A droop is none.
fn tuned(governor: &GovernorSpec) -> &'static [&'static str] {
    match governor {
        GovernorSpec::Degov1(_) | GovernorSpec::Degov(_) => &["governor.k"],
        GovernorSpec::Pi(_) => &["governor.kp_pu", "governor.ki_per_s"],
        GovernorSpec::Pid(_) => &["governor.kp_pu", "governor.ki_per_s", "governor.kd_s"],
        GovernorSpec::Ggov1(_) => &["governor.kpgov", "governor.kigov_per_s", "governor.kdgov_s"],
        GovernorSpec::Constant
        | GovernorSpec::Tgov1(_)
        | GovernorSpec::Gast(_)
        | GovernorSpec::Ieeeg1(_) => &[],
    }
}

/// A number by its key, of those that can be weak.
pub(crate) fn value(set: &SetSpec, key: &str) -> Option<f64> {
    slot(&mut set.clone(), key).map(|slot| *slot)
}

fn slot<'a>(set: &'a mut SetSpec, key: &str) -> Option<&'a mut f64> {
    let own = match key {
        "inertia_s" => &mut set.inertia_s,
        "damping_pu" => &mut set.damping_pu,
        "friction_pu" => &mut set.friction_pu,
        "turbo.time_constant_s" => &mut set.turbo.time_constant_s,
        "turbo.acceptance_pu" => &mut set.turbo.acceptance_pu,
        _ => return governor_slot(&mut set.governor, key.strip_prefix("governor.")?),
    };
    Some(own)
}

fn governor_slot<'a>(governor: &'a mut GovernorSpec, key: &str) -> Option<&'a mut f64> {
    let own = match (governor, key) {
        (GovernorSpec::Tgov1(g), "droop_pu") => &mut g.droop_pu,
        (GovernorSpec::Tgov1(g), "t1_s") => &mut g.t1_s,
        (GovernorSpec::Tgov1(g), "t2_s") => &mut g.t2_s,
        (GovernorSpec::Tgov1(g), "t3_s") => &mut g.t3_s,
        (GovernorSpec::Tgov1(g), "vmax_pu") => &mut g.vmax_pu,
        (GovernorSpec::Tgov1(g), "vmin_pu") => &mut g.vmin_pu,
        (GovernorSpec::Pi(g), "kp_pu") => &mut g.kp_pu,
        (GovernorSpec::Pi(g), "ki_per_s") => &mut g.ki_per_s,
        (GovernorSpec::Pi(g), "t_s") => &mut g.t_s,
        (GovernorSpec::Pi(g), "dead_time_s") => &mut g.dead_time_s,
        (GovernorSpec::Pi(g), "max_pu") => &mut g.max_pu,
        (GovernorSpec::Degov1(g), "droop_pu") => &mut g.droop_pu,
        (GovernorSpec::Degov1(g), "k") => &mut g.k,
        (GovernorSpec::Degov1(g), "t1_s") => &mut g.t1_s,
        (GovernorSpec::Degov1(g), "t2_s") => &mut g.t2_s,
        (GovernorSpec::Degov1(g), "t3_s") => &mut g.t3_s,
        (GovernorSpec::Degov1(g), "t4_s") => &mut g.t4_s,
        (GovernorSpec::Degov1(g), "t5_s") => &mut g.t5_s,
        (GovernorSpec::Degov1(g), "t6_s") => &mut g.t6_s,
        (GovernorSpec::Degov1(g), "dead_time_s") => &mut g.dead_time_s,
        (GovernorSpec::Degov1(g), "tmax_pu") => &mut g.tmax_pu,
        (GovernorSpec::Degov(g), "k") => &mut g.k,
        (GovernorSpec::Degov(g), "t3_s") => &mut g.t3_s,
        (GovernorSpec::Degov(g), "t4_s") => &mut g.t4_s,
        (GovernorSpec::Degov(g), "t5_s") => &mut g.t5_s,
        (GovernorSpec::Degov(g), "t6_s") => &mut g.t6_s,
        (GovernorSpec::Degov(g), "dead_time_s") => &mut g.dead_time_s,
        (GovernorSpec::Degov(g), "tmax_pu") => &mut g.tmax_pu,
        (GovernorSpec::Ggov1(g), "droop_pu") => &mut g.droop_pu,
        (GovernorSpec::Ggov1(g), "kpgov") => &mut g.kpgov,
        (GovernorSpec::Ggov1(g), "kigov_per_s") => &mut g.kigov_per_s,
        (GovernorSpec::Ggov1(g), "kdgov_s") => &mut g.kdgov_s,
        (GovernorSpec::Ggov1(g), "tdgov_s") => &mut g.tdgov_s,
        (GovernorSpec::Ggov1(g), "vmax_pu") => &mut g.vmax_pu,
        (GovernorSpec::Ggov1(g), "tact_s") => &mut g.tact_s,
        (GovernorSpec::Ggov1(g), "kturb") => &mut g.kturb,
        (GovernorSpec::Ggov1(g), "wfnl_pu") => &mut g.wfnl_pu,
        (GovernorSpec::Ggov1(g), "tb_s") => &mut g.tb_s,
        (GovernorSpec::Ggov1(g), "dead_time_s") => &mut g.dead_time_s,
        (GovernorSpec::Ggov1(g), "ldref_pu") => &mut g.ldref_pu,
        (GovernorSpec::Ggov1(g), "ropen_per_s") => &mut g.ropen_per_s,
        (GovernorSpec::Gast(g), "droop_pu") => &mut g.droop_pu,
        (GovernorSpec::Gast(g), "t1_s") => &mut g.t1_s,
        (GovernorSpec::Gast(g), "t2_s") => &mut g.t2_s,
        (GovernorSpec::Gast(g), "t3_s") => &mut g.t3_s,
        (GovernorSpec::Gast(g), "vmax_pu") => &mut g.vmax_pu,
        (GovernorSpec::Ieeeg1(g), "k") => &mut g.k,
        (GovernorSpec::Ieeeg1(g), "t3_s") => &mut g.t3_s,
        (GovernorSpec::Ieeeg1(g), "pmax_pu") => &mut g.pmax_pu,
        (GovernorSpec::Pid(g), "kp_pu") => &mut g.kp_pu,
        (GovernorSpec::Pid(g), "ki_per_s") => &mut g.ki_per_s,
        (GovernorSpec::Pid(g), "kd_s") => &mut g.kd_s,
        (GovernorSpec::Pid(g), "droop_pu") => &mut g.droop_pu,
        (GovernorSpec::Pid(g), "tact_s") => &mut g.tact_s,
        (GovernorSpec::Pid(g), "t_s") => &mut g.t_s,
        (GovernorSpec::Pid(g), "dead_time_s") => &mut g.dead_time_s,
        (GovernorSpec::Pid(g), "max_pu") => &mut g.max_pu,
        _ => return None,
    };
    Some(own)
}

#[cfg(test)]
mod tests {
    use ballast_units::{Confidence, Grade, Provenance};

    use super::{WeakKind, value, variants, weak_parameters};
    use crate::SetSpec;

    fn set() -> SetSpec {
        serde_json::from_value(serde_json::json!({
            "name": "G", "rated_kw": 1000.0, "rated_kva": 1250.0, "inertia_s": 0.8,
            "governor": { "model": "pi", "kp_pu": 5.0, "ki_per_s": 2.0, "t_s": 0.2, "dead_time_s": 0.03 },
        }))
        .unwrap()
    }

    fn entry(grade: Grade, confidence: Confidence, range: Option<(f64, f64)>) -> Provenance {
        Provenance {
            source: "test".to_owned(),
            grade,
            confidence,
            low: range.map(|r| r.0),
            high: range.map(|r| r.1),
        }
    }

    fn weak() -> SetSpec {
        let mut set = set();
        let low = |range| entry(Grade::Estimated, Confidence::Low, range);
        for (key, entry) in [
            ("governor.kp_pu", low(Some((4.0, 7.0)))),
            ("governor.dead_time_s", low(Some((0.02, 0.05)))),
            (
                "governor.t_s",
                entry(Grade::Recalled, Confidence::Medium, None),
            ),
            (
                "governor.ki_per_s",
                entry(Grade::Measured, Confidence::High, Some((1.0, 3.0))),
            ),
            ("turbo.acceptance_pu", low(Some((0.45, 0.6)))),
            ("inertia_s", low(Some((0.5, 1.2)))),
            ("alternator.xd_pu", low(Some((2.0, 3.0)))),
            ("rated_kw", low(None)),
        ] {
            set.provenance.insert(key.to_owned(), entry);
        }
        set
    }

    #[test]
    fn weak_constants_are_listed_with_their_ranges() {
        let found = weak_parameters(&weak());
        let keys: Vec<(WeakKind, &str)> = found.iter().map(|w| (w.kind, w.key.as_str())).collect();
        assert_eq!(
            keys,
            [
                (WeakKind::Inertia, "inertia_s"),
                (WeakKind::DeadTime, "governor.dead_time_s"),
                (WeakKind::Governor, "governor.kp_pu"),
                (WeakKind::Governor, "governor.t_s"),
                (WeakKind::Acceptance, "turbo.acceptance_pu"),
            ]
        );
        assert_eq!(
            (found[0].value, found[0].range),
            (Some(0.8), Some((0.5, 1.2)))
        );
        assert_eq!((found[3].value, found[3].range), (Some(0.2), None));
    }

    #[test]
    fn one_at_a_time_then_all() {
        let set = weak();
        let corners = variants(&set);
        let names: Vec<&str> = corners.iter().map(|v| v.corner.as_str()).collect();
        assert_eq!(
            names,
            [
                "inertia_s = 0.5 (low)",
                "inertia_s = 1.2 (high)",
                "governor.dead_time_s = 0.02 (low)",
                "governor.dead_time_s = 0.05 (high)",
                "governor.kp_pu = 4 (low)",
                "governor.kp_pu = 7 (high)",
                // The low end is the value itself: no corner of its own.
                "turbo.acceptance_pu = 0.6 (high)",
                "all worst, gain low",
                "all worst, gain high",
            ]
        );
        let of = |i: usize, key: &str| value(&corners[i].set, key).unwrap();
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
        near(of(0, "inertia_s"), 0.5);
        near(of(0, "governor.kp_pu"), 5.0 * 0.5 / 0.8);
        near(of(7, "inertia_s"), 0.5);
        near(of(7, "governor.dead_time_s"), 0.05);
        // Gains at the ends of their range, of the tuning for this inertia and dead time.
        let tuning = 0.5 / 0.8 * 0.03 / 0.05;
        near(of(7, "governor.kp_pu"), 4.0 * tuning);
        near(of(8, "governor.kp_pu"), 7.0 * tuning);
        assert_eq!(of(8, "turbo.acceptance_pu"), 0.45);
        assert_eq!(of(8, "governor.ki_per_s"), 2.0, "measured: it stays");
    }

    #[test]
    fn a_set_that_is_known_has_no_corner() {
        assert_eq!(variants(&set()), []);
        assert_eq!(weak_parameters(&set()), []);
    }
}
