//! The scenario as it stands in a file, presets merged in. It only composes the Specs of the model crates.

use std::collections::BTreeMap;

use ballast_aggregate::{
    CorrelationSpec, EngineSpec, FacilitySpec, JobSpec, RackGroup, SiteEventSpec, TenantSpec,
};
use ballast_buffer::BessSpec;
use ballast_plant::PlantSpec;
use ballast_plant::iso8528::Column;
use ballast_profile::{GpuProfile, NodeSpec, PsuSpec};
use ballast_units::TimeUnit;

use crate::contingency::ContingencySpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load_limits_spec::LoadLimitsSpec;
use crate::variant::VariantSpec;

/// A scenario: what draws power, what feeds it, what must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name and description.
    pub scenario: ScenarioHead,
    /// Duration, steps, seeds.
    #[serde(default)]
    pub simulation: SimulationSpec,
    /// GPU profiles by name: changes of presets (`base`) or profiles of your own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gpus: BTreeMap<String, GpuProfile>,
    /// Nodes by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, NodeSpec>,
    /// Power supplies by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub psus: BTreeMap<String, PsuSpec>,
    /// Groups of racks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<RackGroup>,
    /// Jobs on the racks' GPUs. GPUs without a job are idle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobSpec>,
    /// Those who share the racks' GPUs; jobs name their tenant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<TenantSpec>,
    /// How the fluctuation of the GPUs is shared, for jobs that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<CorrelationSpec>,
    /// The rest of the site: other IT, UPS, cooling, transformer. Absent: the racks alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<FacilitySpec>,
    /// Events of the site: racks, switches and cooling that fail and come back, maintenance, transfers between sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SiteEventSpec>,
    /// Loads that are given as power: constant, steps, a measured trace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<LoadSpec>,
    /// Batteries at the bus that smooth what the supply sees, each behind the one before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bess: Vec<BessSpec>,
    /// Generating sets. Absent: only the load is studied, and every limit on the bus is not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plant: Option<PlantSpec>,
    /// What must hold.
    #[serde(default)]
    pub limits: LimitsSpec,
    /// What is written.
    #[serde(default)]
    pub outputs: OutputSpec,
    /// A second, fine run of the worst stretch of the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoom: Option<ZoomSpec>,
    /// What may fail, each in a run of its own: loss of a set (N−1), loss of the load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contingencies: Vec<ContingencySpec>,
    /// The same scenario with changes, to compare with. A loaded scenario is one of them, and so has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variant: Vec<VariantSpec>,
}

/// Name and description.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioHead {
    /// Name; also the name of the output folder. Letters, digits, `-`, `_` and `.`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"), length(max = 100))]
    pub name: String,
    /// What the scenario is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Duration, steps, seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimulationSpec {
    /// Time at which the run starts, seconds: a whole number of steps. Jobs, events, requests and traces count from t = 0 all the same.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 31_536_000.0), extend("x-unit" = "s"))]
    pub start_s: f64,
    /// Simulated time, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 31_536_000.0, "x-unit" = "s"))]
    pub duration_s: f64,
    /// Step of the load, seconds; between two steps it runs in a straight line.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 60.0, "x-unit" = "s"))]
    pub step_s: f64,
    /// Step of the plant, seconds; `step_s` is a whole number of them. Default: the fewest equal parts of `step_s` of at most 1 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 60.0, "x-unit" = "s"))]
    pub plant_step_s: Option<f64>,
    /// Seed of the random streams.
    #[schemars(range(max = 9_007_199_254_740_991_i64))]
    pub seed: u64,
    /// Realisations: runs of the same scenario with independent randomness.
    #[schemars(range(min = 1, max = 10_000))]
    pub realisations: u32,
    /// How the GPUs are simulated.
    pub engine: EngineSpec,
}

impl Default for SimulationSpec {
    fn default() -> Self {
        Self {
            start_s: 0.0,
            duration_s: 60.0,
            step_s: 0.001,
            plant_step_s: None,
            seed: 1,
            realisations: 1,
            engine: EngineSpec::Auto,
        }
    }
}

impl SimulationSpec {
    /// Longest step of the plant where `plant_step_s` is not given, seconds.
    const PLANT_STEP_S: f64 = 0.001;

    /// End of the run, seconds after t = 0.
    pub fn end_s(&self) -> f64 {
        self.start_s + self.duration_s
    }

    /// Number of the first sample, at `start_s`.
    pub fn first_sample(&self) -> u64 {
        (self.start_s / self.step_s).round() as u64
    }

    /// Steps of the plant in a step of the load, at least 1.
    pub fn plant_parts(&self) -> u32 {
        let most_s = self.plant_step_s.unwrap_or(Self::PLANT_STEP_S);
        // A step that is a whole number of the plant's but for rounding has so many parts.
        ((self.step_s / most_s - 1e-6).ceil() as u32).max(1)
    }

    /// Step of the plant, seconds.
    pub fn plant_step(&self) -> f64 {
        self.step_s / f64::from(self.plant_parts())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "asked for by serde")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// What makes a moment of the coarse run the worst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZoomBy {
    /// The largest rise or fall of the site's power within the shortest ramp window.
    #[default]
    Ramp,
    /// The highest power of the site.
    Peak,
    /// The frequency farthest from nominal; needs a plant.
    Frequency,
}

/// A second, fine run around the worst moment of the first one: same jobs, requests and events, fluctuations drawn anew.
///
/// Limits are judged in both runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ZoomSpec {
    /// Stretch of time around the moment, seconds; where the run begins or ends it is moved, not cut.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 31_536_000.0, "x-unit" = "s"))]
    pub window_s: f64,
    /// Step of the load, seconds; not above `simulation.step_s`. The plant takes the fewest equal parts of it of at most `simulation.plant_step_s`.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 60.0, "x-unit" = "s"))]
    pub step_s: f64,
    /// Time before the window that is run finely too, seconds, so that governors have left the steady state they start from. It is judged too.
    #[schemars(range(min = 0.0, max = 31_536_000.0), extend("x-unit" = "s"))]
    pub lead_s: f64,
    /// What makes a moment the worst.
    pub by: ZoomBy,
}

impl Default for ZoomSpec {
    fn default() -> Self {
        Self {
            window_s: 60.0,
            step_s: 0.01,
            lead_s: 0.0,
            by: ZoomBy::Ramp,
        }
    }
}

/// A load given as power at the bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoadSpec {
    /// The same power all the time, or one that changes in steps at stated times.
    Steps(StepsLoad),
    /// A measured or computed trace from a file.
    Trace(Box<TraceLoad>),
}

impl LoadSpec {
    /// Name of the load.
    pub fn name(&self) -> &str {
        match self {
            Self::Steps(steps) => &steps.name,
            Self::Trace(trace) => &trace.name,
        }
    }

    /// Power factor as given.
    pub fn power_factor(&self) -> Option<f64> {
        match self {
            Self::Steps(steps) => steps.power_factor,
            Self::Trace(trace) => trace.power_factor,
        }
    }
}

/// A load that changes in steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsLoad {
    /// Name of the load.
    pub name: String,
    /// Power at t = 0, kilowatts.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "kW"))]
    pub initial_kw: f64,
    /// Power factor. Positive: lagging, it draws reactive power; negative: leading, it gives it; from 0.3 to 1 either way. Absent: 1,
    /// and the outcome says that it was not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1.0, max = 1.0))]
    pub power_factor: Option<f64>,
    /// Changes, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<LoadEvent>,
}

/// One change of a stepped load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadEvent {
    /// Time of the change, seconds, after t = 0; it need not lie on the step.
    #[schemars(extend(
        "exclusiveMinimum" = 0.0,
        "maximum" = 1e9,
        "x-unit" = "s",
        "x-hint" = "for the power at t = 0 set initial_kw instead"
    ))]
    pub at_s: f64,
    /// Power from then on, kilowatts.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "kW"))]
    pub power_kw: f64,
}

/// What one sample of a trace stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceScope {
    /// The whole load, once.
    #[default]
    Site,
    /// One rack; `count` of them, all in step.
    Rack,
    /// One node; `count` of them, all in step.
    Node,
}

/// Unit of a trace's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PowerUnit {
    /// Watts.
    #[serde(rename = "W")]
    Watts,
    /// Kilowatts.
    #[serde(rename = "kW")]
    Kilowatts,
    /// Megawatts.
    #[serde(rename = "MW")]
    Megawatts,
    /// Per unit of `base_kw`.
    #[serde(rename = "pu")]
    PerUnit,
}

/// What the power does between two samples of a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// A straight line.
    #[default]
    Linear,
    /// It holds the earlier sample.
    Hold,
}

/// A trace from a file: CSV (also of nvidia-smi and Grafana), Parquet, the text of dcgmi dmon, or Prometheus' JSON.
///
/// The format is told from the content. Several devices in one file, and several `files`, are summed.
/// Power at the bus is `count · scale · (offset_kw + value in kW)`; `scale_to_mean_kw` or `scale_to_peak_kw` choose `scale` by themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceLoad {
    /// Name of the load.
    pub name: String,
    /// The file, relative to the scenario file. This or `files`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// Files to sum instead, such as one per node, put together by their dates and times. They must share at least half of the shortest one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Seconds to add to the clock of each file, in their order; clocks that are stated are believed. Default: all clocks are right,
    /// and files that begin and end whole hours apart, or hardly overlap, are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = -1e9, max = 1e9)), extend("x-unit" = "s"))]
    pub clock_offset_s: Vec<f64>,
    /// Devices to take of several in a file, by index, UUID, name or label (`"0,1"`, `"gpu=0"`). Default: all, summed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<String>,
    /// Time between polls, seconds, for text without times: the `-d` of `dcgmi dmon`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e6, "x-unit" = "s"))]
    pub interval_s: Option<f64>,
    /// Column with the power. Default: found by its name (`power_w`, `kW`, `power.draw [W]`, …), if there is just one such column.
    /// With `*` in it (`GPU *`) all columns that fit are summed. For dcgmi dmon the field: POWER, POWINST or TOTEC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Column with the time. Default: found by its name (`time`, `t_s`, `timestamp`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_column: Option<String>,
    /// Unit of the power. Default: found in the column's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<PowerUnit>,
    /// Unit of the time. Default: found in the column's name or its values; plain numbers are seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_unit: Option<TimeUnit>,
    /// Kilowatts that 1 in the file stands for, with `unit = "pu"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub base_kw: Option<f64>,
    /// Added to every sample after conversion to kilowatts.
    #[serde(default)]
    #[schemars(range(min = -1e9, max = 1e9), extend("x-unit" = "kW"))]
    pub offset_kw: f64,
    /// What one sample stands for.
    #[serde(default)]
    pub scope: TraceScope,
    /// How many such racks or nodes there are, all in step; 1 with `scope = "site"`.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub count: u32,
    /// Factor on the power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1e-9, max = 1e9))]
    pub scale: Option<f64>,
    /// Scale so that the mean over the trace is this, kilowatts (before `count`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub scale_to_mean_kw: Option<f64>,
    /// Scale so that the highest sample of the trace is this, kilowatts (before `count`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "kW"))]
    pub scale_to_peak_kw: Option<f64>,
    /// Time in the file that becomes t = 0 of the run, seconds after its first sample; of several files, after the first they share.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
    pub start_s: f64,
    /// Longest gap between samples that is bridged, seconds. Default: five times the usual interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
    pub max_gap_s: Option<f64>,
    /// What the power does between two samples.
    #[serde(default)]
    pub interpolation: Interpolation,
    /// Power factor. Positive: lagging, it draws reactive power; negative: leading, it gives it; from 0.3 to 1 either way. Absent: 1,
    /// and the outcome says that it was not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1.0, max = 1.0))]
    pub power_factor: Option<f64>,
}

impl TraceLoad {
    /// The files to read, in order: `files`, or `file` alone.
    pub fn paths(&self) -> Vec<&str> {
        if self.files.is_empty() {
            vec![self.file.as_str()]
        } else {
            self.files.iter().map(String::as_str).collect()
        }
    }
}

fn one() -> u32 {
    1
}

/// Column of the operating limits of ISO 8528-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TransientColumn {
    /// The widest numbers.
    G1,
    /// The middle ones.
    G2,
    /// The tightest.
    G3,
}

impl TransientColumn {
    /// The plant's name for it.
    pub fn column(self) -> Column {
        match self {
            Self::G1 => Column::G1,
            Self::G2 => Column::G2,
            Self::G3 => Column::G3,
        }
    }
}

/// What must hold. A limit that is absent is reported as not checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSpec {
    /// Lowest frequency at any time, hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "Hz"))]
    pub frequency_min_hz: Option<f64>,
    /// Highest frequency at any time, hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "Hz"))]
    pub frequency_max_hz: Option<f64>,
    /// Largest swing of frequency, highest minus lowest, in any window of `frequency_swing_window_s`, hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "Hz"))]
    pub frequency_swing_hz: Option<f64>,
    /// Window of `frequency_swing_hz`, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub frequency_swing_window_s: f64,
    /// Largest rate of change of frequency over `rocof_window_s`, hertz per second, up or down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "Hz/s"))]
    pub rocof_hz_per_s: Option<f64>,
    /// Window of `rocof_hz_per_s`, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub rocof_window_s: f64,
    /// Longest time from leaving `recovery_band_hz` until coming back to stay inside for at least 1 s, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub recovery_s: Option<f64>,
    /// Half-width of the band around nominal frequency that `recovery_s` refers to, hertz.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "Hz"))]
    pub recovery_band_hz: Option<f64>,
    /// Lowest voltage of the bus at any time, per unit. Needs sets with alternators, as the other limits on voltage do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 2.0), extend("x-unit" = "pu"))]
    pub voltage_min_pu: Option<f64>,
    /// Highest voltage of the bus at any time, per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 2.0), extend("x-unit" = "pu"))]
    pub voltage_max_pu: Option<f64>,
    /// Longest time from leaving `voltage_recovery_band_pu` until coming back to stay inside for at least 1 s, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub voltage_recovery_s: Option<f64>,
    /// Half-width of the band around `plant.voltage_pu` that `voltage_recovery_s` refers to, per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0, "x-unit" = "pu"))]
    pub voltage_recovery_band_pu: Option<f64>,
    /// Highest electrical power of any set, share of its `rated_kw`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 3.0))]
    pub set_power_max_share: Option<f64>,
    /// Lowest electrical power of any set, share of its `rated_kw`, as a mean over `set_power_min_window_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1.0, max = 1.0))]
    pub set_power_min_share: Option<f64>,
    /// Window of `set_power_min_share`, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub set_power_min_window_s: f64,
    /// Least reactive power of any set, share of its `rated_kva`: negative, what it may take in from a leading load. Data sheets of alternators of
    /// engine sets: about −0.2, beyond which the regulator loses the voltage (estimated).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -2.0, max = 0.0))]
    pub set_reactive_min_share: Option<f64>,
    /// Highest electrical power of any set once another one has tripped (see `contingencies`), share of its `rated_kw`, as a mean over
    /// `survivor_power_window_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 3.0))]
    pub survivor_power_max_share: Option<f64>,
    /// Window of `survivor_power_max_share`, seconds. Default: 1 s; overload protection is slower than the share that inertia takes at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub survivor_power_window_s: Option<f64>,
    /// Window within which a rise of a set's load counts as a step against its `acceptance` table, seconds. Default: 1 s, about the time in which an
    /// engine set answers (estimated).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 60.0, "x-unit" = "s"))]
    pub load_step_window_s: Option<f64>,
    /// Column of ISO 8528-5 whose transient numbers every step event (a sudden change of load followed by quiet) has to stay inside. It says nothing
    /// of a set's class; a load that never rests has no such event: `frequency_swing_hz` is for it. Default: none, events are told beside the columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iso8528_column: Option<TransientColumn>,
    /// Highest power of the site at the bus, kilowatts, exceeded with probability 1 − `site_peak_quantile` over time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "kW"))]
    pub site_peak_kw: Option<f64>,
    /// Quantile over time of `site_peak_kw`; 1 is the maximum.
    #[schemars(range(min = 0.5, max = 1.0))]
    pub site_peak_quantile: f64,
    /// Highest power of any rack at its AC side, kilowatts, at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "kW"))]
    pub rack_peak_kw: Option<f64>,
    /// Limits on the load itself: ramps, dynamic range, energy in a band of frequencies, flicker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadLimitsSpec>,
}

impl Default for LimitsSpec {
    fn default() -> Self {
        Self {
            frequency_min_hz: None,
            frequency_max_hz: None,
            frequency_swing_hz: None,
            frequency_swing_window_s: 10.0,
            rocof_hz_per_s: None,
            rocof_window_s: 0.5,
            recovery_s: None,
            recovery_band_hz: None,
            voltage_min_pu: None,
            voltage_max_pu: None,
            voltage_recovery_s: None,
            voltage_recovery_band_pu: None,
            set_power_max_share: None,
            set_power_min_share: None,
            set_power_min_window_s: 10.0,
            set_reactive_min_share: None,
            survivor_power_max_share: None,
            survivor_power_window_s: None,
            load_step_window_s: None,
            iso8528_column: None,
            site_peak_kw: None,
            site_peak_quantile: 0.999,
            rack_peak_kw: None,
            load: None,
        }
    }
}

impl LimitsSpec {
    /// Window of `survivor_power_max_share`, seconds.
    pub fn survivor_window_s(&self) -> f64 {
        self.survivor_power_window_s.unwrap_or(1.0)
    }
}

/// What is gathered of every rack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RackStatistics {
    /// Percentiles from every sample, and the ramps.
    #[default]
    Full,
    /// Of each group: minimum, mean, maximum and the peak with its rack and time from every sample, percentiles and spread from
    /// every 17th; no ramps of racks and no envelopes of single racks. For many racks: several times faster.
    MinMeanMax,
}

/// How the corners of the ranges of weak constants are followed: each constant of a set that is estimated, recalled or of low confidence at both
/// ends of the range stated with it, then all at their worse ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RangeCorners {
    /// Over the whole run where that is some seconds of work, else around the worst moment of each figure that a limit is on.
    #[default]
    Auto,
    /// Over the whole run, whatever it takes: as many more plants as there are corners.
    Full,
    /// Not at all: verdicts that rest on weak constants say that the worst over the ranges was not computed.
    Off,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSpec {
    /// Whether `traces.parquet` is written (first realisation).
    pub traces: bool,
    /// Whether it has one column per rack; large for many racks.
    pub rack_traces: bool,
    /// Whether `outcome.json` has an envelope for every rack beside those of the groups; large for many racks.
    pub rack_envelopes: bool,
    /// What is gathered of every rack. The site's own figures are always complete.
    pub rack_statistics: RackStatistics,
    /// Whether figures are drawn.
    pub figures: bool,
    /// How the worst result over the ranges of weak constants is looked for. Verdicts that rest on such constants are INDICATIVE in any case.
    pub range_corners: RangeCorners,
    /// Windows over which ramps are reported, seconds; none may be shorter than the step, none need be longer than the run.
    pub ramp_windows_s: Vec<f64>,
}

impl Default for OutputSpec {
    fn default() -> Self {
        Self {
            traces: true,
            rack_traces: false,
            rack_envelopes: true,
            rack_statistics: RackStatistics::Full,
            figures: true,
            range_corners: RangeCorners::Auto,
            ramp_windows_s: vec![0.02, 0.1, 1.0, 5.0],
        }
    }
}
