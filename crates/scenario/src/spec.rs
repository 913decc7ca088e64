//! The scenario as it stands in a file, presets merged in. It only composes the Specs of the model crates.

use std::collections::BTreeMap;

use ballast_aggregate::{CorrelationSpec, EngineSpec, FacilitySpec, JobSpec, RackGroup};
use ballast_plant::PlantSpec;
use ballast_profile::{GpuProfile, NodeSpec, PsuSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// How the fluctuation of the GPUs is shared, for jobs that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<CorrelationSpec>,
    /// The rest of the site: other IT, UPS, cooling, transformer. Absent: the racks alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<FacilitySpec>,
    /// Loads that are given as power: constant, steps, a measured trace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<LoadSpec>,
    /// Generating sets. Absent: only the load is studied, and every limit on the bus is not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plant: Option<PlantSpec>,
    /// What must hold.
    #[serde(default)]
    pub limits: LimitsSpec,
    /// What is written.
    #[serde(default)]
    pub outputs: OutputSpec,
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
    /// Simulated time, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 31_536_000.0, "x-unit" = "s"))]
    pub duration_s: f64,
    /// Step of load and plant, seconds.
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 60.0, "x-unit" = "s"))]
    pub step_s: f64,
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
            duration_s: 60.0,
            step_s: 0.001,
            seed: 1,
            realisations: 1,
            engine: EngineSpec::Auto,
        }
    }
}

/// A load given as power at the bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoadSpec {
    /// The same power all the time, or one that changes in steps at stated times.
    Steps(StepsLoad),
    /// A measured or computed trace from a CSV or Parquet file.
    Trace(TraceLoad),
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

/// Unit of a trace's time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TimeUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Date and time, ISO 8601.
    #[serde(rename = "iso8601")]
    Iso8601,
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

/// A trace from a CSV or Parquet file.
///
/// Power at the bus is `count · scale · (offset_kw + value in kW)`; `scale_to_mean_kw` or `scale_to_peak_kw` choose `scale` by themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceLoad {
    /// Name of the load.
    pub name: String,
    /// CSV or Parquet file, relative to the scenario file.
    pub file: String,
    /// Column with the power. Default: found by its name (`power_w`, `kW`, `power.draw [W]`, …), if there is just one such column.
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
    /// Time in the file that becomes t = 0 of the run, seconds after its first sample.
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
}

fn one() -> u32 {
    1
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
            set_power_max_share: None,
            set_power_min_share: None,
            set_power_min_window_s: 10.0,
            site_peak_kw: None,
            site_peak_quantile: 0.999,
            rack_peak_kw: None,
        }
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
            ramp_windows_s: vec![0.02, 0.1, 1.0, 5.0],
        }
    }
}
