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
