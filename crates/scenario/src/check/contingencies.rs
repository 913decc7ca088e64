//! Contingencies against the run, the sets and the limits.

use super::Check;
use crate::limits::number;
use crate::tree::join;
use crate::{ContingencySpec, LimitsSpec, LoadRejectionSpec, Scenario, SetTripSpec};

/// Most contingencies of a scenario: each is up to four runs more.
const MOST: usize = 8;

impl Check<'_> {
    pub(super) fn contingencies(&mut self, scenario: &Scenario) {
        let all = &scenario.contingencies;
        self.survivor_limit(scenario);
        if all.is_empty() {
            return;
        }
        let Some(plant) = &scenario.plant else {
            self.add(
                "contingencies",
                "there is no plant that anything could happen to",
                "add [plant] with its [[plant.sets]]",
            );
            return;
        };
        if all.len() > MOST {
            self.add(
                "contingencies",
                format!("{} contingencies", all.len()),
                format!("at most {MOST}: each is up to four runs more"),
            );
        }
        for (at, contingency) in all.iter().enumerate() {
            let path = format!("contingencies.{at}");
            let earlier = all[..at].iter().position(|c| {
                c.given_name().is_some() && c.given_name() == contingency.given_name()
            });
            if let Some(first) = earlier {
                self.add(
                    &join(&path, "name"),
                    format!(
                        "`{}` is also the name of contingencies.{first}",
                        contingency.label()
                    ),
                    "give each its own name",
                );
            }
            self.moment(&path, contingency, scenario);
            match contingency {
                ContingencySpec::SetTrip(trip) => {
                    let sets: Vec<(&str, u32)> = plant
                        .sets
                        .iter()
                        .map(|s| (s.name.as_str(), s.count))
                        .collect();
                    self.tripped_set(&path, trip, &sets);
                }
                ContingencySpec::LoadRejection(loss) => self.rejected_load(&path, loss),
            }
            let limits = contingency.limits().over(&scenario.limits);
            self.contingency_limits(&path, &limits, contingency, plant.frequency_hz);
        }
    }

    /// A limit on survivors needs something that they survive.
    fn survivor_limit(&mut self, scenario: &Scenario) {
        let limits = &scenario.limits;
        let trips = scenario
            .contingencies
            .iter()
            .any(ContingencySpec::is_set_trip);
        if limits.survivor_power_max_share.is_some() && !trips {
            let path = "limits.survivor_power_max_share";
            self.warn(
                path,
                "cannot be checked: no set trips",
                "add [[contingencies]] with kind = \"set_trip\", or take the limit out",
            );
        }
    }

    fn moment(&mut self, path: &str, contingency: &ContingencySpec, scenario: &Scenario) {
        let simulation = &scenario.simulation;
        let (start_s, end_s) = (simulation.start_s, simulation.end_s());
        let after_s = contingency.after_s();
        if after_s < 2.0 * simulation.step_s {
            self.add(
                &join(path, "after_s"),
                format!(
                    "{} s holds less than two steps of {} s",
                    number(after_s),
                    number(simulation.step_s)
                ),
                "a longer time, or a shorter simulation.step_s",
            );
        }
        let Some(at_s) = contingency.at_s() else {
            if after_s > simulation.duration_s {
                self.add(
                    &join(path, "after_s"),
                    format!(
                        "{} s after it do not fit into a run of {} s",
                        number(after_s),
                        number(simulation.duration_s)
                    ),
                    format!(
                        "at most {}, better much less: the moment is looked for in what is left; or a longer simulation.duration_s",
                        number(simulation.duration_s)
                    ),
                );
            }
            return;
        };
        if !(start_s..end_s).contains(&at_s) {
            self.add(
                &join(path, "at_s"),
                format!(
                    "{} s is outside the run, {} s to {} s",
                    number(at_s),
                    number(start_s),
                    number(end_s)
                ),
                "a time within the run, or none for the worst moment",
            );
        } else if at_s + after_s > end_s * (1.0 + 1e-9) {
            self.add(
                &join(path, "at_s"),
                format!(
                    "after_s = {} s after {} s lie beyond the end of the run at {} s",
                    number(after_s),
                    number(at_s),
                    number(end_s)
                ),
                "an earlier time, a shorter after_s, or a longer simulation.duration_s",
            );
        }
    }

    fn tripped_set(&mut self, path: &str, trip: &SetTripSpec, sets: &[(&str, u32)]) {
        if sets.is_empty() {
            self.add(
                &join(path, "kind"),
                "the plant has no sets that could trip",
                "take it out, or add [[plant.sets]]",
            );
            return;
        }
        let Some(name) = &trip.set else {
            return;
        };
        let Some((_, there)) = sets.iter().find(|(set, _)| set == name) else {
            let names: Vec<&str> = sets.iter().map(|(set, _)| *set).collect();
            self.add(
                &join(path, "set"),
                format!("there is no set `{name}`"),
                format!("one of: {}", names.join(", ")),
            );
            return;
        };
        if trip.count > *there {
            self.add(
                &join(path, "count"),
                format!("{} of `{name}` trip, there are {there}", trip.count),
                format!("at most {there}"),
            );
        }
    }

    fn rejected_load(&mut self, path: &str, loss: &LoadRejectionSpec) {
        if loss.share.is_some() && loss.power_kw.is_some() {
            self.add(
                &join(path, "power_kw"),
                "`share` and `power_kw` both say what is lost",
                "keep one of them",
            );
        }
        if loss.limits.survivor_power_max_share.is_some() {
            self.add(
                &join(path, "limits.survivor_power_max_share"),
                "no set trips in a load rejection",
                "take it out, or set it in [limits]",
            );
        }
    }

    fn contingency_limits(
        &mut self,
        path: &str,
        limits: &LimitsSpec,
        contingency: &ContingencySpec,
        nominal_hz: f64,
    ) {
        let own = contingency.limits();
        let mut add = |key: &str, given: bool, message: String, help: &str| {
            if given {
                self.add(&join(path, &format!("limits.{key}")), message, help);
            }
        };
        if let Some(min) = limits.frequency_min_hz.filter(|min| *min >= nominal_hz) {
            add(
                "frequency_min_hz",
                own.frequency_min_hz.is_some(),
                format!(
                    "{} Hz is not below the nominal {nominal_hz} Hz",
                    number(min)
                ),
                "a value below plant.frequency_hz",
            );
        }
        if let Some(max) = limits.frequency_max_hz.filter(|max| *max <= nominal_hz) {
            add(
                "frequency_max_hz",
                own.frequency_max_hz.is_some(),
                format!(
                    "{} Hz is not above the nominal {nominal_hz} Hz",
                    number(max)
                ),
                "a value above plant.frequency_hz",
            );
        }
        if limits.recovery_s.is_some() != limits.recovery_band_hz.is_some() {
            let (key, other) = if own.recovery_s.is_some() {
                ("recovery_s", "recovery_band_hz")
            } else {
                ("recovery_band_hz", "recovery_s")
            };
            add(
                key,
                own.recovery_s.is_some() || own.recovery_band_hz.is_some(),
                format!("{key} needs {other}"),
                "give both, here or in [limits]",
            );
        }
        if own.voltage_recovery_s.is_some() && limits.voltage_recovery_band_pu.is_none() {
            add(
                "voltage_recovery_s",
                true,
                "voltage_recovery_s needs limits.voltage_recovery_band_pu".to_owned(),
                "add limits.voltage_recovery_band_pu and limits.voltage_recovery_s",
            );
        }
        for (low_key, low, high_key, high) in [
            (
                "voltage_min_pu",
                limits.voltage_min_pu,
                "voltage_max_pu",
                limits.voltage_max_pu,
            ),
            (
                "set_power_min_share",
                limits.set_power_min_share,
                "set_power_max_share",
                limits.set_power_max_share,
            ),
        ] {
            let (Some(low), Some(high)) = (low, high) else {
                continue;
            };
            let own_low = match low_key {
                "voltage_min_pu" => own.voltage_min_pu.is_some(),
                _ => own.set_power_min_share.is_some(),
            };
            let own_high = match high_key {
                "voltage_max_pu" => own.voltage_max_pu.is_some(),
                _ => own.set_power_max_share.is_some(),
            };
            if low >= high {
                let key = if own_low { low_key } else { high_key };
                add(
                    key,
                    own_low || own_high,
                    format!(
                        "{low_key} = {} is not below {high_key} = {}",
                        number(low),
                        number(high)
                    ),
                    "the lower limit below the upper one",
                );
            }
        }
    }
}
