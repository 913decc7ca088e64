//! What a specification must satisfy. Every problem is reported, not the first alone.

use ballast_units::Sourced;

use crate::spec::{GpuProfile, NodeSpec, PhaseKind, PhaseSpec, PsuSpec, RackSpec, TransitionSpec};

/// Something wrong in a specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecProblem {
    /// Where, as dotted keys inside the specification: `phases.load.power_w.low`.
    pub path: String,
    /// What is wrong, with the values.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Values a number may take, both ends included.
#[derive(Clone, Copy)]
enum Bound {
    /// Above 0.
    Positive,
    /// 0 or above.
    NotNegative,
    /// From the first to the second.
    Within(f64, f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Positive => value > 0.0,
            Self::NotNegative => value >= 0.0,
            Self::Within(low, high) => (low..=high).contains(&value),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Positive => "above 0".to_owned(),
            Self::NotNegative => "0 or above".to_owned(),
            Self::Within(low, high) => format!("from {low} to {high}"),
        }
    }
}

/// Problems found so far.
#[derive(Default)]
struct Problems(Vec<SpecProblem>);

impl Problems {
    fn add(
        &mut self,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(SpecProblem {
            path: path.into(),
            message: message.into(),
            help: help.into(),
        });
    }

    /// A name or label that must not be empty.
    fn text(&mut self, path: &str, text: &str, help: &str) {
        if text.trim().is_empty() {
            self.add(path, "is empty", help);
        }
    }

    /// A count from 1 to 64.
    fn count(&mut self, path: &str, count: u32) {
        if !(1..=64).contains(&count) {
            self.add(path, format!("is {count}"), "give a count from 1 to 64");
        }
    }

    /// A plain number; true when it is finite and within the bound.
    fn number(&mut self, path: String, value: f64, unit: &str, bound: Bound) -> bool {
        if !value.is_finite() {
            self.add(
                path,
                format!("is {value}, not a finite number"),
                format!("give a number {}", bound.text()),
            );
            return false;
        }
        if !bound.holds(value) {
            self.add(
                path,
                format!("is {value}{unit}"),
                format!("give a number {}", bound.text()),
            );
            return false;
        }
        true
    }

    /// A sourced number with its range; true when its value is finite and within the bound.
    fn sourced(&mut self, path: &str, number: &Sourced, unit: &str, bound: Bound) -> bool {
        let value_ok = self.number(format!("{path}.value"), number.value, unit, bound);
        let mut end = |key: &str, end: Option<f64>| {
            end.filter(|end| self.number(format!("{path}.{key}"), *end, unit, bound))
        };
        let low = end("low", number.low);
        let high = end("high", number.high);
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            self.add(
                format!("{path}.low"),
                format!("is {low}{unit}, above high = {high}{unit}"),
                "exchange low and high",
            );
        } else if value_ok {
            let below = low.filter(|low| number.value < *low);
            let above = high.filter(|high| number.value > *high);
            for (key, end) in [("low", below), ("high", above)] {
                if let Some(end) = end {
                    self.add(
                        format!("{path}.value"),
                        format!(
                            "is {}{unit}, outside its own range: {key} = {end}{unit}",
                            number.value
                        ),
                        format!("change the value or widen `{key}`"),
                    );
                }
            }
        }
        self.text(
            &format!("{path}.source"),
            &number.source,
            "say what the number rests on; for a number of your own, grade = \"given\"",
        );
        value_ok
    }

    /// A signed power factor: neither 0 nor near it.
    fn power_factor(&mut self, path: &str, factor: &Sourced) {
        if self.sourced(path, factor, "", Bound::Within(-1.0, 1.0)) && factor.value.abs() < 0.3 {
            self.add(
                format!("{path}.value"),
                format!("is {}", factor.value),
                "give 0.3 to 1 for lagging, -0.3 to -1 for leading",
            );
        }
    }

    /// How a phase is entered or left.
    fn transition(&mut self, path: &str, transition: &TransitionSpec) {
        self.number(
            format!("{path}.delta_w"),
            transition.delta_w,
            " W",
            Bound::NotNegative,
        );
        self.number(
            format!("{path}.time_s"),
            transition.time_s,
            " s",
            Bound::NotNegative,
        );
        self.number(
            format!("{path}.window_s"),
            transition.window_s,
            " s",
            Bound::NotNegative,
        );
        self.text(
            &format!("{path}.source"),
            &transition.source,
            "say what the transition rests on",
        );
    }

    fn phase(&mut self, kind: PhaseKind, phase: &PhaseSpec, clamp: Option<(&str, f64)>) {
        let path = format!("phases.{}", kind.key());
        let power_ok = self.sourced(
            &format!("{path}.power_w"),
            &phase.power_w,
            " W",
            Bound::NotNegative,
        );
        let power_w = phase.power_w.value;
        if let Some((name, clamp_w)) = clamp.filter(|(_, clamp_w)| power_ok && power_w > *clamp_w) {
            self.add(
                format!("{path}.power_w.value"),
                format!("is {power_w} W, above {name} = {clamp_w} W"),
                format!("lower the power of the phase or raise `{name}`"),
            );
        }
        if let Some(spread) = &phase.spread_w {
            let spread_ok = self.sourced(
                &format!("{path}.spread_w"),
                spread,
                " W",
                Bound::NotNegative,
            );
            if spread_ok && power_ok && spread.value > power_w {
                self.add(
                    format!("{path}.spread_w.value"),
                    format!(
                        "is {} W, above the mean power of the phase ({power_w} W)",
                        spread.value
                    ),
                    "give the standard deviation of the power within the phase, in watts",
                );
            }
            if phase.correlation_time_s.is_none() && spread.value > 0.0 {
                self.add(
                    path.clone(),
                    "has `spread_w` but no `correlation_time_s`: how fast the power fluctuates is unknown",
                    "add `correlation_time_s`, or remove `spread_w`",
                );
            }
        }
        if let Some(time) = &phase.correlation_time_s {
            self.sourced(
                &format!("{path}.correlation_time_s"),
                time,
                " s",
                Bound::Positive,
            );
        }
        if let Some(duration) = &phase.duration_s {
            self.sourced(
                &format!("{path}.duration_s"),
                duration,
                " s",
                Bound::NotNegative,
            );
        }
        for (name, transition) in [("rise", &phase.rise), ("fall", &phase.fall)] {
            if let Some(transition) = transition {
                self.transition(&format!("{path}.{name}"), transition);
            }
        }
    }
}

impl GpuProfile {
    /// Everything wrong with the profile; empty when it can be used. Paths are relative to the profile.
    ///
    /// A phase may stand above `tdp_w` (it can be shorter than the second over which TDP holds) but not above
    /// [`GpuProfile::clamp_w`].
    pub fn problems(&self) -> Vec<SpecProblem> {
        let mut found = Problems::default();
        found.text("label", &self.label, "give the maker's name of the part");
        let tdp_ok = found.sourced("tdp_w", &self.tdp_w, " W", Bound::Positive);
        let edpp_ok = self
            .edpp_w
            .as_ref()
            .is_some_and(|edpp| found.sourced("edpp_w", edpp, " W", Bound::Positive));
        if let Some(edpp) = self.edpp_w.as_ref().filter(|_| tdp_ok && edpp_ok)
            && edpp.value < self.tdp_w.value
        {
            found.add(
                "edpp_w.value",
                format!("is {} W, below tdp_w = {} W", edpp.value, self.tdp_w.value),
                "EDPp is the power allowed for tens of milliseconds, never below TDP",
            );
        }
        if let Some(range) = &self.smoothing {
            let (low, high) = (&range.floor_share_min, &range.floor_share_max);
            let shares = Bound::Within(0.0, 1.0);
            let low_ok = found.sourced("smoothing.floor_share_min", low, "", shares);
            let high_ok = found.sourced("smoothing.floor_share_max", high, "", shares);
            if low_ok && high_ok && low.value > high.value {
                found.add(
                    "smoothing.floor_share_min.value",
                    format!("is {}, above floor_share_max = {}", low.value, high.value),
                    "exchange them",
                );
            }
            let edp = &range.edp_share_min;
            found.sourced("smoothing.edp_share_min", edp, "", Bound::Within(1.0, 3.0));
        }
        if self.phases.iter().next().is_none() {
            found.add(
                "phases",
                "there is no phase",
                "give the power of each phase a job passes through",
            );
        }
        // A clamp that is itself wrong has been reported; comparing the phases with it would say nothing.
        let clamp = match &self.edpp_w {
            Some(edpp) => edpp_ok.then_some(("edpp_w", edpp.value)),
            None => tdp_ok.then_some(("tdp_w", self.tdp_w.value)),
        };
        for (kind, phase) in self.phases.iter() {
            found.phase(kind, phase, clamp);
        }
        found.0
    }
}

impl NodeSpec {
    /// Everything wrong with the node; empty when it can be used. Whether `gpu` and `psu` exist is the scenario's question.
    pub fn problems(&self) -> Vec<SpecProblem> {
        let mut found = Problems::default();
        found.text("label", &self.label, "give the maker's name of the system");
        found.text("gpu", &self.gpu, "name a GPU profile");
        found.text("psu", &self.psu, "name a power supply");
        found.count("gpus", self.gpus);
        found.count("psu_count", self.psu_count);
        found.sourced("host.fixed_w", &self.host.fixed_w, " W", Bound::NotNegative);
        // Below 1 a node would draw less than its GPUs.
        found.sourced("host.slope", &self.host.slope, "", Bound::Within(1.0, 3.0));
        let slow = [
            ("slow_share", &self.host.slow_share),
            ("slow_lag_s", &self.host.slow_lag_s),
        ];
        if let [(_, Some(share)), (_, Some(lag))] = slow {
            found.sourced("host.slow_share", share, "", Bound::Within(0.0, 1.0));
            found.sourced("host.slow_lag_s", lag, " s", Bound::Within(0.0, 3600.0));
        } else if let Some((key, _)) = slow.iter().find(|(_, v)| v.is_some()) {
            found.add(
                format!("host.{key}"),
                "`slow_share` and `slow_lag_s` go together",
                "give both: what share of the host follows slowly, and how slowly; or neither",
            );
        }
        found.0
    }
}

impl PsuSpec {
    /// Everything wrong with the supply; empty when it can be used.
    pub fn problems(&self) -> Vec<SpecProblem> {
        let mut found = Problems::default();
        found.text(
            "label",
            &self.label,
            "give the maker's or the standard's name",
        );
        found.sourced("rated_w", &self.rated_w, " W", Bound::Positive);
        for (path, loss) in [
            ("loss_fixed", &self.loss_fixed),
            ("loss_linear", &self.loss_linear),
            ("loss_square", &self.loss_square),
        ] {
            // A negative loss would be reported as "out of range" too; its physics says more.
            if loss.value < 0.0 && loss.value.is_finite() {
                found.add(
                    format!("{path}.value"),
                    format!("is {}: the supply would give out more than it takes in, efficiency above 1", loss.value),
                    "give a loss of 0 or above, as a share of the rated power",
                );
            } else {
                found.sourced(path, loss, "", Bound::Within(0.0, 0.5));
            }
        }
        found.sourced("lag_s", &self.lag_s, " s", Bound::NotNegative);
        found.sourced("holdup_j", &self.holdup_j, " J", Bound::NotNegative);
        if self.power_factor.is_none() && self.power_factor_light.is_some() {
            found.add(
                "power_factor_light",
                "there is no `power_factor` at rated load",
                "add `power_factor`, or take `power_factor_light` out",
            );
        }
        for (path, factor) in [
            ("power_factor", &self.power_factor),
            ("power_factor_light", &self.power_factor_light),
        ] {
            if let Some(factor) = factor {
                found.power_factor(path, factor);
            }
        }
        found.0
    }
}

impl RackSpec {
    /// Everything wrong with the rack; empty when it can be used. Whether its node exists is the scenario's question.
    pub fn problems(&self) -> Vec<SpecProblem> {
        let mut found = Problems::default();
        found.text("label", &self.label, "give the maker's name of the system");
        found.text("node", &self.node, "name a node");
        found.sourced("rated_kw", &self.rated_kw, " kW", Bound::Positive);
        if !(1..=1000).contains(&self.nodes_per_rack) {
            let message = format!("is {}", self.nodes_per_rack);
            found.add("nodes_per_rack", message, "give a count from 1 to 1000");
        }
        if let Some(other) = &self.other_kw {
            found.sourced("other_kw", other, " kW", Bound::NotNegative);
        }
        found.0
    }
}

#[cfg(test)]
#[path = "check_fixture.rs"]
pub(crate) mod fixture;

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
