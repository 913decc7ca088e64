//! What may fail, each studied in a run of its own: loss of a set, loss of the load.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{LimitsSpec, Scenario, SimulationSpec};

/// Something that fails in a run of its own: the run as it was, with the failure at a stated or at the worst moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ContingencySpec {
    /// Breakers of sets open (N−1); the survivors take what they carried.
    SetTrip(SetTripSpec),
    /// Load is lost; the sets speed up.
    LoadRejection(LoadRejectionSpec),
}

/// Sets that go off the bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTripSpec {
    /// Name, for reports. Default: what is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Name of the entry in `plant.sets`. Default: the one whose sets carry the most power each at the moment; of equal ones the one rated
    /// highest, then the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// How many of its sets; of fewer that run, all.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub count: u32,
    /// When, seconds after t = 0, in every realisation. Default: the worst moment of the run, out of the highest load over what the survivors are rated for,
    /// the most power missing at once over the inertia left, the end of the steepest rise within 1 s, and the lowest frequency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 31_536_000.0), extend("x-unit" = "s"))]
    pub at_s: Option<f64>,
    /// Time before it that is judged and shown too, seconds; less where the run begins later.
    #[serde(default = "before")]
    #[schemars(range(min = 0.0, max = 31_536_000.0), extend("x-unit" = "s"))]
    pub before_s: f64,
    /// Time after it that is looked at, seconds; less where the run ends before, if `at_s` is not stated.
    #[serde(default = "after")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 31_536_000.0, "x-unit" = "s"))]
    pub after_s: f64,
    /// Limits of this run where they differ from those of `[limits]`.
    #[serde(default, skip_serializing_if = "ContingencyLimitsSpec::is_empty")]
    pub limits: ContingencyLimitsSpec,
}

/// Load that is lost for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadRejectionSpec {
    /// Name, for reports. Default: what is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Share of the load at the bus that is lost. Default: all of it, or `power_kw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub share: Option<f64>,
    /// Power at the bus that is lost, kilowatts; of a load that is smaller at the moment, all of it. What is left goes on in proportion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub power_kw: Option<f64>,
    /// When, seconds after t = 0, in every realisation. Default: the worst moment of the run, out of the highest load, the most power left over at once, the end of
    /// the steepest fall within 1 s, and the highest frequency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 31_536_000.0), extend("x-unit" = "s"))]
    pub at_s: Option<f64>,
    /// Time before it that is judged and shown too, seconds; less where the run begins later.
    #[serde(default = "before")]
    #[schemars(range(min = 0.0, max = 31_536_000.0), extend("x-unit" = "s"))]
    pub before_s: f64,
    /// Time after it that is looked at, seconds; less where the run ends before, if `at_s` is not stated.
    #[serde(default = "after")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 31_536_000.0, "x-unit" = "s"))]
    pub after_s: f64,
    /// Limits of this run where they differ from those of `[limits]`.
    #[serde(default, skip_serializing_if = "ContingencyLimitsSpec::is_empty")]
    pub limits: ContingencyLimitsSpec,
}

fn one() -> u32 {
    1
}

fn before() -> f64 {
    2.0
}

fn after() -> f64 {
    20.0
}

/// Limits of a contingency's run: each as in `[limits]`, and that of `[limits]` where it is absent. After a failure wider bands are usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContingencyLimitsSpec {
    /// Lowest frequency at any time, hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "Hz"))]
    pub frequency_min_hz: Option<f64>,
    /// Highest frequency at any time, hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "Hz"))]
    pub frequency_max_hz: Option<f64>,
    /// Largest swing of frequency within `limits.frequency_swing_window_s`, hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "Hz"))]
    pub frequency_swing_hz: Option<f64>,
    /// Largest rate of change of frequency over `limits.rocof_window_s`, hertz per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "Hz/s"))]
    pub rocof_hz_per_s: Option<f64>,
    /// Longest time outside `recovery_band_hz`, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub recovery_s: Option<f64>,
    /// Half-width of the band around nominal frequency that `recovery_s` refers to, hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "Hz"))]
    pub recovery_band_hz: Option<f64>,
    /// Lowest voltage of the bus at any time, per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 2.0), extend("x-unit" = "pu"))]
    pub voltage_min_pu: Option<f64>,
    /// Highest voltage of the bus at any time, per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 2.0), extend("x-unit" = "pu"))]
    pub voltage_max_pu: Option<f64>,
    /// Longest time outside `limits.voltage_recovery_band_pu`, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub voltage_recovery_s: Option<f64>,
    /// Highest electrical power of any set at any instant, share of its `rated_kw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 3.0))]
    pub set_power_max_share: Option<f64>,
    /// Lowest electrical power of any set, share of its `rated_kw`, as a mean over `limits.set_power_min_window_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1.0, max = 1.0))]
    pub set_power_min_share: Option<f64>,
    /// Least reactive power of any set, share of its `rated_kva`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -2.0, max = 0.0))]
    pub set_reactive_min_share: Option<f64>,
    /// Highest electrical power of any set after a set tripped, share of its `rated_kw`, as a mean over `limits.survivor_power_window_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 3.0))]
    pub survivor_power_max_share: Option<f64>,
}

impl ContingencyLimitsSpec {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `limits` with what is given here in place of theirs. What is about the load alone is left out: the run itself judges it.
    #[must_use]
    pub fn over(&self, limits: &LimitsSpec) -> LimitsSpec {
        LimitsSpec {
            frequency_min_hz: self.frequency_min_hz.or(limits.frequency_min_hz),
            frequency_max_hz: self.frequency_max_hz.or(limits.frequency_max_hz),
            frequency_swing_hz: self.frequency_swing_hz.or(limits.frequency_swing_hz),
            rocof_hz_per_s: self.rocof_hz_per_s.or(limits.rocof_hz_per_s),
            recovery_s: self.recovery_s.or(limits.recovery_s),
            recovery_band_hz: self.recovery_band_hz.or(limits.recovery_band_hz),
            voltage_min_pu: self.voltage_min_pu.or(limits.voltage_min_pu),
            voltage_max_pu: self.voltage_max_pu.or(limits.voltage_max_pu),
            voltage_recovery_s: self.voltage_recovery_s.or(limits.voltage_recovery_s),
            set_power_max_share: self.set_power_max_share.or(limits.set_power_max_share),
            set_power_min_share: self.set_power_min_share.or(limits.set_power_min_share),
            set_reactive_min_share: self
                .set_reactive_min_share
                .or(limits.set_reactive_min_share),
            survivor_power_max_share: self
                .survivor_power_max_share
                .or(limits.survivor_power_max_share),
            site_peak_kw: None,
            rack_peak_kw: None,
            ..limits.clone()
        }
    }
}

impl ContingencySpec {
    /// When, if it was stated; absent: the worst moment.
    pub fn at_s(&self) -> Option<f64> {
        match self {
            Self::SetTrip(trip) => trip.at_s,
            Self::LoadRejection(loss) => loss.at_s,
        }
    }

    /// Time before it that is looked at, seconds.
    pub fn before_s(&self) -> f64 {
        match self {
            Self::SetTrip(trip) => trip.before_s,
            Self::LoadRejection(loss) => loss.before_s,
        }
    }

    /// Time after it that is looked at, seconds.
    pub fn after_s(&self) -> f64 {
        match self {
            Self::SetTrip(trip) => trip.after_s,
            Self::LoadRejection(loss) => loss.after_s,
        }
    }

    /// Its limits where they differ from those of the scenario.
    pub fn limits(&self) -> &ContingencyLimitsSpec {
        match self {
            Self::SetTrip(trip) => &trip.limits,
            Self::LoadRejection(loss) => &loss.limits,
        }
    }

    /// Its name as given.
    pub fn given_name(&self) -> Option<&str> {
        match self {
            Self::SetTrip(trip) => trip.name.as_deref(),
            Self::LoadRejection(loss) => loss.name.as_deref(),
        }
    }

    /// Whether it is the loss of a set.
    pub fn is_set_trip(&self) -> bool {
        matches!(self, Self::SetTrip(_))
    }

    /// Its name, or what is lost: "loss of 1 set of `G1`", "loss of the set that carries most", "loss of the whole load", "loss of 300 kW of load".
    pub fn label(&self) -> String {
        if let Some(name) = self.given_name() {
            return name.to_owned();
        }
        match self {
            Self::SetTrip(trip) => {
                let of = match &trip.set {
                    Some(set) => format!("`{set}`"),
                    None if trip.count == 1 => {
                        return "loss of the set that carries most".to_owned();
                    }
                    None => "the entry that carries most".to_owned(),
                };
                let plural = if trip.count == 1 { "" } else { "s" };
                format!("loss of {} set{plural} of {of}", trip.count)
            }
            Self::LoadRejection(loss) => match (loss.share, loss.power_kw) {
                (_, Some(kw)) => format!("loss of {kw} kW of load"),
                (Some(share), _) if share < 1.0 => {
                    format!("loss of {} % of the load", 100.0 * share)
                }
                _ => "loss of the whole load".to_owned(),
            },
        }
    }

    /// The stretch of `scenario` that is looked at if it strikes at `at_s`: that scenario, its start, end and limits those of the stretch.
    pub fn stretch(&self, scenario: &Scenario, at_s: f64) -> Scenario {
        /// Whole steps but for rounding.
        const WHOLE: f64 = 1e-6;
        let simulation = &scenario.simulation;
        let step_s = simulation.step_s;
        let begin_s = (at_s - self.before_s()).max(simulation.start_s);
        let end_s = (at_s + self.after_s()).min(simulation.end_s());
        let first = (begin_s / step_s + WHOLE).floor();
        let last = (end_s / step_s + WHOLE).floor();
        let mut stretch = scenario.clone();
        stretch.simulation = SimulationSpec {
            start_s: first * step_s,
            duration_s: (last - first).max(1.0) * step_s,
            ..simulation.clone()
        };
        stretch.limits = self.limits().over(&scenario.limits);
        stretch
    }
}
