//! A limit at the corners of the ranges.

use ballast_plant::{LoadModelSpec, PlantSpec};
use ballast_scenario::Scenario;

use super::follow::AtCorner;
use super::outcome::Indicative;
use super::{Plan, words};
use crate::merge::PerRealisation;
use crate::outcome::{Extreme, Status};

/// What a limit on the plant rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Engine, governor and inertia.
    Engine,
    /// These, and alternator, exciter and their control.
    Voltage,
}

impl Rest {
    /// Of a limit on bus or sets; none where it is the load alone that decides.
    pub(crate) fn of(limit: &str, scenario: &Scenario) -> Option<Self> {
        let plant = scenario.plant.as_ref()?;
        match limit {
            "voltage_min_pu"
            | "voltage_max_pu"
            | "voltage_recovery_s"
            | "set_reactive_min_share" => Some(Self::Voltage),
            "set_power_max_share" | "set_power_min_share" => {
                (!carries_all(plant)).then_some(Self::Engine)
            }
            // The sets' own power against tables that nothing can be said of but where they come from.
            "load_acceptance" => None,
            _ => Some(Self::Engine),
        }
    }
}

/// Whether equal sets alone feed a load that draws its power whatever bus and frequency do: they carry it, whatever their constants.
fn carries_all(plant: &PlantSpec) -> bool {
    let LoadModelSpec {
        current_share,
        impedance_share,
        frequency_pu,
        ..
    } = plant.load;
    let constant = current_share == 0.0 && impedance_share == 0.0 && frequency_pu == 0.0;
    plant.sets.len() == 1 && plant.utility.is_none() && (constant || !plant.has_alternators())
}

/// A verdict as it stands, and how its limit is looked at.
pub(crate) struct Case<'a> {
    pub(crate) rest: Rest,
    pub(crate) unit: &'a str,
    /// The limit; none where it is whether the bus holds.
    pub(crate) limit: Option<f64>,
    /// Whether values above the limit break it.
    pub(crate) upper: bool,
    pub(crate) status: Status,
    /// Worst value at the stated constants.
    pub(crate) stated: Option<Extreme>,
    pub(crate) worst: &'a dyn Fn(&PerRealisation) -> Option<(Extreme, String)>,
    pub(crate) open: fn(&PerRealisation) -> bool,
}

impl Case<'_> {
    fn breaks(&self, value: f64) -> bool {
        self.limit.is_some_and(|limit| {
            if self.upper {
                value > limit
            } else {
                value < limit
            }
        })
    }

    fn worse(&self, a: f64, b: f64) -> bool {
        if self.upper { a > b } else { a < b }
    }

    /// PASS, FAIL or NOT CHECKED at one corner, and why the last.
    fn at(&self, corner: &[AtCorner]) -> (Status, Option<String>) {
        let mut unknown = corner.is_empty().then(|| "it was not followed".to_owned());
        for stretch in corner {
            let figures = &stretch.figures;
            let value = (self.worst)(figures);
            if figures.collapsed_at_s.is_some()
                || value.as_ref().is_some_and(|(e, _)| self.breaks(e.value))
            {
                return (Status::Fail, None);
            }
            let why = if let Some(why) = &stretch.unusable {
                why
            } else if !stretch.complete {
                "followed up to the collapse at the stated values"
            } else if self.limit.is_some() && value.is_none() {
                "the stretch is too short for a value"
            } else if (self.open)(figures) {
                "the stretch ends before it is over"
            } else {
                continue;
            };
            unknown.get_or_insert_with(|| why.to_owned());
        }
        match unknown {
            Some(why) => (Status::NotChecked, Some(why)),
            None => (Status::Pass, None),
        }
    }
}

/// What is to be said beside a verdict; nothing if it rests on no weak constant or has not been decided.
///
/// `corners`: for each corner of the plan what came of it.
pub(crate) fn indicative(
    plan: &Plan,
    corners: &[Vec<AtCorner>],
    case: &Case<'_>,
) -> Option<Indicative> {
    let rests_on: Vec<String> = plan
        .weak
        .iter()
        .filter(|w| !w.of_voltage || case.rest == Rest::Voltage)
        .map(|w| w.path.clone())
        .collect();
    if rests_on.is_empty() || case.status == Status::NotChecked {
        return None;
    }
    let states: Vec<(Status, Option<String>)> = corners.iter().map(|c| case.at(c)).collect();
    let count = |status: Status| states.iter().filter(|s| s.0 == status).count() as u32;
    let unknown = states.iter().find_map(|s| s.1.clone());
    let (holds_in, fails_in, unknown_in) = (
        count(Status::Pass),
        count(Status::Fail),
        count(Status::NotChecked),
    );
    let looked = !corners.is_empty();
    let mut worst = case.stated.map(|e| (e, None)).filter(|_| looked);
    let names = plan.corners.iter().map(|c| &c.name);
    for (name, stretches) in names.clone().zip(corners) {
        let values = stretches.iter().filter_map(|s| (case.worst)(&s.figures));
        for (extreme, _) in values {
            if worst
                .as_ref()
                .is_none_or(|(w, _)| case.worse(extreme.value, w.value))
            {
                worst = Some((extreme, Some(name.clone())));
            }
        }
    }
    let lost = names
        .zip(corners)
        .find_map(|(name, stretches)| Some((name.clone(), stretches.iter().find_map(lost)?)));
    let worst_status = looked.then_some(match case.status {
        _ if fails_in > 0 => Status::Fail,
        Status::Fail => Status::Fail,
        Status::Pass if unknown_in == 0 => Status::Pass,
        _ => Status::NotChecked,
    });
    let all_agree = match case.status {
        Status::Pass if fails_in > 0 => Some(false),
        Status::Fail if holds_in > 0 => Some(false),
        Status::Pass | Status::Fail if looked && unknown_in == 0 => Some(true),
        _ => None,
    };
    let mut found = Indicative {
        rests_on,
        ranges: plan.ranges,
        corners: corners.len() as u32,
        holds_in,
        fails_in,
        unknown_in,
        unknown,
        worst_value: worst.as_ref().map(|w| w.0.value),
        worst_at_s: worst.as_ref().map(|w| w.0.at_s),
        worst_realisation: worst.as_ref().map(|w| w.0.realisation),
        worst_corner: worst.and_then(|w| w.1),
        lost_corner: lost.as_ref().map(|l| l.0.clone()),
        lost: lost.map(|l| l.1),
        worst_status,
        all_agree,
        text: String::new(),
    };
    found.text = words::text(&found, case);
    Some(found)
}

/// What was lost at a corner.
fn lost(stretch: &AtCorner) -> Option<String> {
    let figures = &stretch.figures;
    if let Some(why) = &figures.no_start {
        return Some(format!("the sets cannot start: {why}"));
    }
    let at_s = figures.collapsed_at_s?;
    Some(format!("the bus collapses at {at_s:.3} s"))
}

#[cfg(test)]
mod tests {
    use ballast_plant::PlantSpec;

    use super::*;
    use crate::indicative::{Corner, Ranges, WeakConstant};
    use crate::merge::PlantExtremes;
    use crate::plant_collect::VoltageExtremes;

    fn extreme(value: f64) -> Extreme {
        Extreme {
            value,
            at_s: 1.0,
            realisation: 1,
        }
    }

    fn at(low_hz: f64) -> AtCorner {
        AtCorner {
            figures: PerRealisation {
                realisation: 1,
                horizon_s: 10.0,
                collapsed_at_s: None,
                site_peak: None,
                site_quantile_w: None,
                no_start: None,
                plant: Some(PlantExtremes {
                    low: Some(extreme(low_hz)),
                    high: None,
                    rocof: None,
                    swing: None,
                    outside: None,
                    outside_open: false,
                    voltage: VoltageExtremes::default(),
                    watched: crate::plant_watch::Watched::default(),
                    sets: Vec::new(),
                }),
                rack_worst: Vec::new(),
                load: None,
                tripped: Vec::new(),
                reserve: None,
                moments: Vec::new(),
                strike: None,
            },
            unusable: None,
            complete: true,
        }
    }

    fn collapsed(low_hz: f64) -> AtCorner {
        let mut at = at(low_hz);
        at.figures.collapsed_at_s = Some(4.0);
        at
    }

    fn plan(corners: usize) -> Plan {
        let plant: PlantSpec =
            serde_json::from_str(r#"{ "frequency_hz": 60, "sets": [] }"#).unwrap();
        Plan {
            weak: vec![WeakConstant {
                path: "plant.sets.G.inertia_s".to_owned(),
                set: "G".to_owned(),
                key: "inertia_s".to_owned(),
                what: "inertia".to_owned(),
                value: Some(1.0),
                low: Some(0.5),
                high: Some(2.0),
                varied: true,
                source: "guess".to_owned(),
                grade: ballast_units::Grade::Estimated,
                confidence: ballast_units::Confidence::Low,
                of_voltage: false,
            }],
            corners: (0..corners)
                .map(|i| Corner {
                    name: format!("c{i}"),
                    plant: plant.clone(),
                })
                .collect(),
            left_out: None,
            ranges: if corners == 0 {
                Ranges::Off
            } else {
                Ranges::WholeRun
            },
        }
    }

    fn judged(status: Status, stated: f64, corners: Vec<AtCorner>) -> Indicative {
        let plan = plan(corners.len());
        let corners: Vec<Vec<AtCorner>> = corners.into_iter().map(|c| vec![c]).collect();
        let case = Case {
            rest: Rest::Engine,
            unit: "Hz",
            limit: Some(59.0),
            upper: false,
            status,
            stated: Some(extreme(stated)),
            worst: &|e| Some((e.plant.as_ref()?.low?, "bus".to_owned())),
            open: |_| false,
        };
        indicative(&plan, &corners, &case).unwrap()
    }

    #[test]
    fn the_worst_includes_the_stated_values() {
        let i = judged(Status::Pass, 59.2, vec![at(59.5), at(59.3)]);
        assert_eq!((i.worst_value, i.worst_corner), (Some(59.2), None));
        assert_eq!(
            (i.worst_status, i.all_agree),
            (Some(Status::Pass), Some(true))
        );
    }

    #[test]
    fn a_pass_that_a_corner_breaks() {
        let i = judged(Status::Pass, 59.2, vec![at(59.5), at(58.3)]);
        assert_eq!(i.worst_value, Some(58.3));
        assert_eq!(i.worst_corner.as_deref(), Some("c1"));
        assert_eq!((i.holds_in, i.fails_in, i.unknown_in), (1, 1, 0));
        assert_eq!(
            (i.worst_status, i.all_agree),
            (Some(Status::Fail), Some(false))
        );
    }

    #[test]
    fn a_fail_that_a_corner_passes() {
        let i = judged(Status::Fail, 58.2, vec![at(59.5), at(58.3)]);
        assert_eq!(
            (i.worst_value, i.worst_corner.as_deref()),
            (Some(58.2), None)
        );
        assert_eq!(
            (i.worst_status, i.all_agree),
            (Some(Status::Fail), Some(false))
        );
        let i = judged(Status::Fail, 58.2, vec![at(58.5)]);
        assert_eq!(i.all_agree, Some(true));
    }

    /// What is lost is worst by definition, and its value takes nothing away from the others'.
    #[test]
    fn a_corner_that_collapses_fails() {
        let i = judged(Status::Pass, 59.2, vec![at(59.15), collapsed(59.4)]);
        assert_eq!(
            (i.worst_value, i.worst_corner.as_deref()),
            (Some(59.15), Some("c0"))
        );
        assert_eq!(i.lost_corner.as_deref(), Some("c1"));
        assert!(i.lost.unwrap().contains("4.000 s"));
        assert_eq!((i.fails_in, i.worst_status), (1, Some(Status::Fail)));
        assert!(i.text.contains("collapses"), "{}", i.text);
    }

    #[test]
    fn what_is_not_known_agrees_with_nothing() {
        let mut cut = at(59.4);
        cut.complete = false;
        let i = judged(Status::Pass, 59.2, vec![cut]);
        assert_eq!((i.unknown_in, i.all_agree), (1, None));
        assert_eq!(i.worst_status, Some(Status::NotChecked));
        let i = judged(Status::Pass, 59.2, vec![]);
        assert_eq!(
            (i.worst_value, i.worst_status, i.all_agree),
            (None, None, None)
        );
        assert!(i.text.contains("not computed"), "{}", i.text);
    }
}
