//! Batteries at the bus.

use std::collections::BTreeMap;

use super::Check;
use crate::limits::number;
use crate::spec::Scenario;

impl Check<'_> {
    pub(super) fn bess(&mut self, scenario: &Scenario) {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, bess) in scenario.bess.iter().enumerate() {
            let path = |key: &str| format!("bess.{at}.{key}");
            if let Some(first) = names.insert(&bess.name, at) {
                self.add(
                    &path("name"),
                    format!("{:?} is the name of bess.{first} already", bess.name),
                    "give every battery a name of its own: columns of the traces go by it",
                );
            }
            for problem in bess.problems() {
                self.add(&path(problem.key), problem.message, problem.help);
            }
            let lag_s = bess.response_s.unwrap_or(0.0);
            if bess.time_constant_s < lag_s {
                self.warn(
                    &path("time_constant_s"),
                    format!(
                        "it averages over {} s, less than its lag of {} s: it hardly acts",
                        number(bess.time_constant_s),
                        number(lag_s)
                    ),
                    "a time_constant_s well above response_s",
                );
            }
            if bess.recovery_s.is_some_and(|s| s < bess.time_constant_s) {
                self.warn(
                    &path("recovery_s"),
                    format!(
                        "its charge comes back faster than it averages the load ({} s): what it takes off it gives back at once",
                        number(bess.time_constant_s)
                    ),
                    "ten times time_constant_s, or leave it out",
                );
            }
            if bess.round_trip_efficiency.is_some_and(|e| e < 0.5) {
                self.warn(
                    &path("round_trip_efficiency"),
                    "more than half of what it takes is lost",
                    "batteries give back 0.8 to 0.95 of it",
                );
            }
            let hours = bess.energy_kwh / bess.power_kw;
            let taper_s = bess.control().taper_s;
            if taper_s > 3600.0 * hours {
                self.warn(
                    &path("taper_s"),
                    format!(
                        "a taper of {} s is longer than the {} s that its energy lasts at full power: it never gives its rated power",
                        number(taper_s),
                        number((3600.0 * hours * 1e3).round() / 1e3)
                    ),
                    "shorten taper_s, or leave it out",
                );
            }
        }
    }
}
