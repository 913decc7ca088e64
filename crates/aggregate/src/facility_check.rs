//! What is wrong with the rest of the site as it stands in a file.

use crate::facility_spec::{CoolingSpec, FacilitySpec, StageSpec};

/// Problems so far: key below `[facility]`, what, and what to do.
#[derive(Default)]
struct Found(Vec<(String, String, String)>);

impl Found {
    fn add(&mut self, key: impl Into<String>, what: impl Into<String>, help: impl Into<String>) {
        self.0.push((key.into(), what.into(), help.into()));
    }

    /// A finite number from `low` to `high`, or above `low`.
    fn range(&mut self, key: impl Into<String>, value: f64, (low, high): (f64, f64), above: bool) {
        let good = value.is_finite() && value <= high && (value > low || (!above && value == low));
        if good {
            return;
        }
        let least = if above { "above" } else { "from" };
        let help = if high < f64::MAX {
            format!("give a number {least} {low} to {high}")
        } else {
            format!("give a finite number {least} {low}")
        };
        self.add(key, format!("it is {value}"), help);
    }

    fn from(&mut self, key: impl Into<String>, value: f64, low: f64, high: f64) {
        self.range(key, value, (low, high), false);
    }

    fn above_0(&mut self, key: impl Into<String>, value: f64) {
        self.range(key, value, (0.0, f64::MAX), true);
    }
}

impl FacilitySpec {
    /// What is wrong with it: key below `[facility]`, what, and what to do.
    pub fn problems(&self) -> Vec<(String, String, String)> {
        let mut found = Found::default();
        self.other_it_problems(&mut found);
        self.power_factor_problems(&mut found);
        for (name, loss) in [("ups", self.ups), ("transformer", self.transformer)] {
            let Some(loss) = loss else { continue };
            found.above_0(format!("{name}.rated_kw"), loss.rated_kw);
            for (key, value) in [
                ("loss_fixed", loss.loss_fixed),
                ("loss_linear", loss.loss_linear),
                ("loss_square", loss.loss_square),
            ] {
                found.from(format!("{name}.{key}"), value, 0.0, 0.5);
            }
        }
        if let Some(cooling) = self.cooling {
            cooling_problems(cooling, &mut found);
        }
        found.0
    }

    fn other_it_problems(&self, found: &mut Found) {
        for (name, part) in [
            ("network", self.network),
            ("storage", self.storage),
            ("management", self.management),
        ] {
            let Some(part) = part else { continue };
            if let Some(share) = part.share {
                found.from(format!("{name}.share"), share, 0.0, 10.0);
            }
            if let Some(kw) = part.kw {
                found.from(format!("{name}.kw"), kw, 0.0, 1e9);
            }
            let what = match (part.share, part.kw) {
                (None, None) => "neither `share` nor `kw` is given",
                (Some(_), Some(_)) => "both `share` and `kw` are given",
                _ => continue,
            };
            let help = "give one: `share` of the racks' rated power, or `kw`";
            found.add(name, what, help);
        }
    }

    fn power_factor_problems(&self, found: &mut Found) {
        let given = self.power_factor.unwrap_or_default();
        for (key, factor, of) in [
            ("other_it", given.other_it, None),
            (
                "ups_input",
                given.ups_input,
                Some(("ups", self.ups.is_some())),
            ),
            (
                "cooling",
                given.cooling,
                Some(("cooling", self.cooling.is_some())),
            ),
            (
                "transformer_magnetising",
                given.transformer_magnetising,
                Some(("transformer", self.transformer.is_some())),
            ),
        ] {
            let Some(value) = factor else { continue };
            let key = format!("power_factor.{key}");
            if key.ends_with("magnetising") {
                found.from(&key, value, 0.0, 0.2);
            } else if !(0.3..=1.0).contains(&value.abs()) {
                let help = "give a number from 0.3 to 1 for lagging, from -0.3 to -1 for leading";
                found.add(&key, format!("it is {value}"), help);
            }
            if let Some((table, false)) = of {
                found.add(
                    &key,
                    format!("there is no [facility.{table}] that it could be of"),
                    format!("add [facility.{table}], or take it out"),
                );
            }
        }
    }
}

fn cooling_problems(cooling: CoolingSpec, found: &mut Found) {
    found.from("cooling.fixed_kw", cooling.fixed_kw, 0.0, f64::MAX);
    found.from("cooling.share", cooling.share, 0.0, 2.0);
    found.from("cooling.lag_s", cooling.lag_s, 0.0, f64::MAX);
    if let Some(stages) = cooling.stages {
        stage_problems(stages, found);
    }
}

fn stage_problems(stages: StageSpec, found: &mut Found) {
    let count = f64::from(stages.count);
    found.from("cooling.stages.count", count, 1.0, 10_000.0);
    found.above_0("cooling.stages.stage_kw", stages.stage_kw);
    found.from("cooling.stages.hysteresis", stages.hysteresis, 0.0, 1.0);
    let (interval_s, start_s) = (stages.start_interval_s, stages.start_s);
    found.from("cooling.stages.start_interval_s", interval_s, 0.0, f64::MAX);
    found.from(
        "cooling.stages.start_factor",
        stages.start_factor,
        1.0,
        10.0,
    );
    found.from("cooling.stages.start_s", start_s, 0.0, f64::MAX);
}
