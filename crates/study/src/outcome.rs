//! What a run says. Everything here is the same for the same scenario and seed, on any number of threads.

mod resonance;

use ballast_aggregate::{JobGpus, TenantGpus};
use ballast_scenario::{Scenario, ZoomBy};
use ballast_series::{Envelope, LoadDuration, Pyramid, RampTable, Spectrum};
use serde::Serialize;

pub use crate::contingency_outcome::{
    Contingency, ReserveKpis, SetLoading, StrikeKpis, SurvivorKpis, TriedMoment,
};
pub use crate::fuel_use::{FuelAmounts, FuelKpis, SetFuelKpis};
pub use crate::indicative::{Indicative, Ranges, WeakConstant};
pub use crate::load_steps::{AcceptanceKpis, LoadStepKpis};
pub use crate::smoothing::GpuSmoothingKpis;
pub use crate::step_event_kpis::{StepEventKpis, StepEventsKpis};
pub use crate::storage::{HoldupKpis, StorageKpis, Swing};
pub use crate::storage_curves::{StorageCurves, StoreCurve};
pub use resonance::*;

/// The answer of a run: inputs with every default filled in, figures, verdicts, bounded pyramids, diagnostics.
///
/// It never holds full traces.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Version of this layout.
    pub format: u32,
    /// Program and version that wrote it.
    pub provenance: RunProvenance,
    /// FAIL, INCONCLUSIVE, NOT CHECKED, PASS: the first of them that applies, over all verdicts, those of the fine run and of contingencies included. NOT CHECKED where a limit was
    /// given that could not be checked, or none was given.
    pub overall: Status,
    /// One sentence that sums the run up.
    pub summary: String,
    /// A verdict per limit, those not checked included; of this run alone.
    pub verdicts: Vec<Verdict>,
    /// What happened beside the planned course: collapse of the bus, a limiter that acted.
    pub events: Vec<Event>,
    /// What a reader of the result should know.
    pub diagnostics: Vec<Diagnostic>,
    /// What the models assume and what was not looked at.
    pub assumptions: Vec<String>,
    /// Inputs of low confidence that the result rests on.
    pub low_confidence: Vec<LowConfidence>,
    /// Constants of the sets that are estimated, recalled or of low confidence: verdicts that rest on them are indicative.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weak_constants: Vec<WeakConstant>,
    /// Power at the bus.
    pub site: PowerKpis,
    /// Power of each group of racks at the AC side.
    pub racks: Vec<RackKpis>,
    /// What power smoothing and secondary loads did, by rack group and job; empty without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gpu_smoothing: Vec<GpuSmoothingKpis>,
    /// GPUs of each job, and its tenant.
    pub jobs: Vec<JobGpus>,
    /// GPUs of each tenant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<TenantGpus>,
    /// Storage of each group of racks that has any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub storage: Vec<StorageKpis>,
    /// What the lag of the supplies asked of their bulk capacitors, by group of racks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holdup: Vec<HoldupKpis>,
    /// Mean power of each part between the racks and the bus, first realisation; empty without a facility.
    pub facility: Vec<FacilityPart>,
    /// How far the peaks of the racks coincide; absent without racks.
    pub diversity: Option<DiversityKpis>,
    /// Figures for generator studies.
    pub design_values: DesignValues,
    /// Batteries at the bus.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bess: Vec<BessKpis>,
    /// Charge and power of racks' storage and batteries over time; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_curves: Option<StorageCurves>,
    /// Generating sets; absent without a plant.
    pub plant: Option<PlantKpis>,
    /// What repeats in the load, and what it does to the sets; absent without a plant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resonance: Option<ResonanceKpis>,
    /// The scenario with presets merged and defaults filled in.
    pub scenario: Scenario,
    /// The second, fine run around the worst moment of this one; absent without `[zoom]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoom: Option<Box<Zoom>>,
    /// What fails, each in a run of its own, in the order of the scenario.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contingencies: Vec<Contingency>,
}

impl Outcome {
    /// Verdicts of this run, then those of the fine one if there is one, then those of contingencies.
    pub fn all_verdicts(&self) -> impl Iterator<Item = &Verdict> {
        let fine = self.zoom.iter().flat_map(|z| &z.outcome.verdicts);
        let failures = self.contingencies.iter().flat_map(|c| &c.verdicts);
        self.verdicts.iter().chain(fine).chain(failures)
    }
}

/// The fine run around the worst moment of a coarse one.
#[derive(Debug, Clone, Serialize)]
pub struct Zoom {
    /// Time of the worst moment in the coarse run, seconds.
    pub at_s: f64,
    /// Realisation (from 1) that it is in, and that was run finely.
    pub realisation: u32,
    /// What made it the worst.
    pub by: ZoomBy,
    /// The same in words, with the figure.
    pub why: String,
    /// Figures and verdicts of the fine run. Its scenario says which stretch was run; its `overall` is its own.
    pub outcome: Outcome,
}

/// Which of several runs a verdict comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunPart {
    /// The whole duration at the coarse step.
    Coarse,
    /// The stretch around the worst moment at the fine step.
    Zoom,
    /// The stretch around the loss of a set.
    SetTrip,
    /// The stretch around a loss of load.
    LoadRejection,
}

/// Where the result comes from.
#[derive(Debug, Clone, Serialize)]
pub struct RunProvenance {
    /// Program.
    pub program: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the scenario with presets and patches merged.
    pub scenario_sha256: String,
    /// SHA-256 of each input file, by the path that stands in the scenario.
    pub inputs: Vec<InputHash>,
    /// Seed of the random streams.
    pub seed: u64,
    /// Realisations run.
    pub realisations: u32,
    /// Simulated time of each, seconds.
    pub duration_s: f64,
    /// Step, seconds.
    pub step_s: f64,
    /// Realisation that traces and curves over time show; absent: the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<u32>,
}

/// Hash of an input file.
#[derive(Debug, Clone, Serialize)]
pub struct InputHash {
    /// Path as it stands in the scenario.
    pub file: String,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// State of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The limit holds.
    Pass,
    /// The limit is broken.
    Fail,
    /// Realisations disagree, or the horizon is too short for the stated quantile.
    Inconclusive,
    /// Nobody looked.
    NotChecked,
}

impl Status {
    /// As printed in tables: `PASS`, `FAIL`, `INCONCLUSIVE`, `NOT CHECKED`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::NotChecked => "NOT CHECKED",
        }
    }
}

/// One limit and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// Key of the limit (`frequency_min_hz`), or a name for what is not checked (`voltage`).
    pub limit: String,
    /// What it is, in words: "lowest frequency".
    pub label: String,
    /// Its state.
    pub status: Status,
    /// Value of the limit; absent if not checked.
    pub limit_value: Option<f64>,
    /// Worst value met; absent if not checked.
    pub worst_value: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// Where the power is metered; absent where it is none.
    pub metered: Option<String>,
    /// Time of the worst value, seconds.
    pub at_s: Option<f64>,
    /// Realisation (from 1) with the worst value.
    pub realisation: Option<u32>,
    /// Element with the worst value: "bus", a set, a rack.
    pub element: Option<String>,
    /// Window or quantile over which the value is taken: "instant", "0.5 s window", "99.9 % of time".
    pub window: String,
    /// Distance to the limit in its unit, positive when it holds.
    pub margin: Option<f64>,
    /// Realisations looked at.
    pub realisations: u32,
    /// Simulated time of each, seconds.
    pub horizon_s: f64,
    /// Realisations in which the limit held.
    pub held_in: u32,
    /// Why it is INCONCLUSIVE or NOT CHECKED, or what the verdict rests on.
    pub basis: String,
    /// Which run it comes from; absent for the run itself where there is no fine one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunPart>,
    /// Name of the contingency in whose run it was found; absent for the run itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contingency: Option<String>,
    /// When that struck, seconds: of several moments that were tried the one at which this limit came off worst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub struck_at_s: Option<f64>,
    /// What it rests on that is weak, and how it comes out over the stated ranges; absent where it rests on no weak constant of a set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicative: Option<Indicative>,
}

impl Verdict {
    /// Whether it is a limit that was given and that could not be checked.
    pub fn unseen(&self) -> bool {
        self.status == Status::NotChecked && self.limit_value.is_some()
    }
}

/// Something that happened beside the planned course.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Time, seconds.
    pub at_s: f64,
    /// Realisation (from 1).
    pub realisation: u32,
    /// Kind: `collapse`, `throttle_limit`, `turbo_ceiling`, `crash`, ….
    pub kind: String,
    /// Element.
    pub element: String,
    /// In words.
    pub text: String,
}

/// Something a reader should know.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnostic {
    /// Stable identifier, `clamp-bias`.
    pub code: String,
    /// In words, with the figures.
    pub text: String,
}

/// An input of low confidence.
#[derive(Debug, Clone, Serialize)]
pub struct LowConfidence {
    /// Path in the merged scenario: `plant.sets.G1.inertia_s`.
    pub path: String,
    /// Value used, as text.
    pub value: String,
    /// Where it comes from and why it is weak.
    pub source: String,
}

/// Power of the site at the bus.
#[derive(Debug, Clone, Serialize)]
pub struct PowerKpis {
    /// Where it is metered.
    pub metered: String,
    /// Percentiles over time and all realisations, watts.
    pub envelope: Envelope,
    /// Energy of the first realisation, joules.
    pub energy_j: f64,
    /// Why ramps, steps and spectrum leave out part of the load, or are absent; absent where they are of all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramps_basis: Option<String>,
    /// Largest rise and fall over each window, watts (all realisations). None where no load tells ramps.
    pub ramps: Vec<RampTable>,
    /// Power exceeded for a share of the time, watts.
    pub load_duration: LoadDuration,
    /// Amplitude spectrum of the first realisation, watts.
    pub spectrum: Spectrum,
    /// Swing within a band of frequencies, of the first realisation; absent without a spectrum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<BandKpis>,
    /// Min, mean and max over time of the first realisation, watts, at several resolutions.
    pub pyramid: Pyramid,
    /// Power of the GPUs in it.
    pub gpu: GpuKpis,
    /// Reactive power; absent without samples.
    pub reactive: Option<ReactiveKpis>,
}

/// Swing of the load in the band of frequencies that its limit is about, of one realisation.
#[derive(Debug, Clone, Serialize)]
pub struct BandKpis {
    /// Where it is metered.
    pub metered: String,
    /// Lower end of the band, hertz.
    pub low_hz: f64,
    /// Upper end, hertz.
    pub high_hz: f64,
    /// Highest frequency that the spectrum tells, hertz; above it nothing was looked at.
    pub seen_to_hz: f64,
    /// Root mean square of the power in the band, watts.
    pub rms_w: f64,
    /// Root mean square of all changes of the power that the spectrum tells (the mean is left out), watts.
    pub ac_rms_w: f64,
    /// Share of the energy of the changes that lies in the band; 0 where nothing changes.
    pub share: f64,
    /// Distance of two lines, hertz: the reciprocal of a segment's duration.
    pub resolution_hz: f64,
    /// Segments averaged, each under a Hann window and overlapping by half.
    pub segments: u32,
}

/// A battery at the bus: of several realisations the sum of energies and times, the extremes of the rest.
#[derive(Debug, Clone, Serialize)]
pub struct BessKpis {
    /// Its name.
    pub name: String,
    /// Where its power is metered.
    pub metered: String,
    /// Usable energy, joules.
    pub energy_j: f64,
    /// Rated power, watts.
    pub power_w: f64,
    /// Energy taken, joules.
    pub in_j: f64,
    /// Energy given, joules.
    pub out_j: f64,
    /// Energy lost, joules.
    pub lost_j: f64,
    /// Charge at the ends of the runs less that at their starts, joules.
    pub stored_j: f64,
    /// Lowest charge, share of the usable energy.
    pub charge_min_share: f64,
    /// Highest charge, share of the usable energy.
    pub charge_max_share: f64,
    /// Highest power taken, watts.
    pub peak_charge_w: f64,
    /// Highest power given, watts.
    pub peak_discharge_w: f64,
    /// Share of the time within 1 % of the low end of its window.
    pub empty_share: f64,
    /// Share of the time within 1 % of the high end.
    pub full_share: f64,
    /// Share of the time in which it gave or took less than was wanted of it.
    pub short_share: f64,
    /// Times the whole usable energy went out, per day of simulated time.
    pub full_cycles_per_day: f64,
}

/// A part of the site between the racks and the bus.
#[derive(Debug, Clone, Serialize)]
pub struct FacilityPart {
    /// What it is: `racks`, `network`, `UPS losses`, ….
    pub part: String,
    /// Where its power is metered.
    pub metered: String,
    /// Mean power over the first realisation, watts.
    pub mean_w: f64,
}

/// Power of all GPUs together.
#[derive(Debug, Clone, Serialize)]
pub struct GpuKpis {
    /// Where it is metered.
    pub metered: String,
    /// Mean over time and all realisations, watts.
    pub mean_w: f64,
}

/// Apparent and reactive power of the site. A power factor is positive where reactive power is drawn (lagging) and negative
/// where it is given (leading).
#[derive(Debug, Clone, Serialize)]
pub struct ReactiveKpis {
    /// Where it is metered.
    pub metered: String,
    /// Highest apparent power, kilovolt-amperes (all realisations).
    pub peak_kva: Extreme,
    /// Active power at that moment, kilowatts.
    pub active_at_peak_kw: f64,
    /// Reactive power at that moment, kilovars.
    pub reactive_at_peak_kvar: f64,
    /// Power factor at that moment.
    pub power_factor_at_peak: f64,
    /// Power factor of mean active and mean reactive power over time and all realisations.
    pub power_factor_mean: f64,
    /// What has no power factor and is taken as 1.
    pub not_given: Vec<String>,
}

/// A highest power of a sum over the sum of its parts' highest powers, whenever each of them was: 1 where they coincide.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Diversity {
    /// The ratio, above 0 and at most 1 but for rounding.
    pub factor: f64,
    /// Highest power of the sum, watts.
    pub coincident_peak_w: f64,
    /// Sum of the highest powers, watts.
    pub sum_of_peaks_w: f64,
    /// When the sum was highest, seconds.
    pub at_s: f64,
    /// Realisation (from 1) of both.
    pub realisation: u32,
}

/// How far peaks coincide: of several realisations the one in which they do most.
#[derive(Debug, Clone, Serialize)]
pub struct DiversityKpis {
    /// Where the powers are metered.
    pub metered: String,
    /// Over which samples and realisations.
    pub over: String,
    /// All racks against their own peaks.
    pub racks: Diversity,
    /// All racks against the peaks of the groups; absent with one group.
    pub groups: Option<Diversity>,
}

/// Power of one group of racks.
#[derive(Debug, Clone, Serialize)]
pub struct RackKpis {
    /// Name of the group.
    pub group: String,
    /// Racks in it.
    pub count: u32,
    /// Where its power is metered.
    pub metered: String,
    /// How far the peaks of its racks coincide.
    pub diversity: Option<Diversity>,
    /// Percentiles over time, all racks of the group and all realisations, watts per rack.
    pub envelope: Envelope,
    /// Each rack of the group, unless `outputs.rack_envelopes` is off.
    pub racks: Vec<RackEnvelope>,
    /// Rack with the highest power.
    pub worst_rack: String,
    /// That power, watts.
    pub worst_w: f64,
    /// When, seconds.
    pub worst_at_s: f64,
    /// Largest rise and fall of any rack over each window, watts.
    pub ramps: Vec<RampTable>,
    /// Min, mean and max over time of the first rack in the first realisation, watts.
    pub pyramid: Pyramid,
}

/// Power of one rack.
#[derive(Debug, Clone, Serialize)]
pub struct RackEnvelope {
    /// Name of the rack.
    pub rack: String,
    /// Percentiles over time and all realisations, watts at the AC side.
    pub envelope: Envelope,
}

/// Figures for generator studies, with source 002's beside them.
#[derive(Debug, Clone, Serialize)]
pub struct DesignValues {
    /// Where they are metered.
    pub metered: String,
    /// Median power at the bus, watts.
    pub nominal_w: f64,
    /// Design peak at the bus, watts: the quantile below over the horizon.
    pub design_peak_w: f64,
    /// Quantile over time of the design peak.
    pub design_peak_quantile: f64,
    /// Horizon of that quantile: realisations times duration, seconds.
    pub horizon_s: f64,
    /// Largest step up and down within 20 ms, 100 ms and 1 s, watts.
    pub steps: Vec<RampTable>,
    /// Power lost if the whole load is rejected at the worst moment, watts.
    pub load_rejection_w: f64,
    /// GPUs in the site.
    pub gpus: u64,
    /// Nominal power per GPU at the bus, watts; absent without GPUs.
    pub nominal_w_per_gpu: Option<f64>,
    /// Design peak per GPU at the bus, watts.
    pub design_peak_w_per_gpu: Option<f64>,
    /// What source 002 recommends per H100 PCIe GPU, metered at the GPU, for comparison.
    pub source002: Source002Values,
}

/// Source 002, part 8.1: per H100 PCIe GPU.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Source002Values {
    /// Where they are metered.
    pub metered: &'static str,
    /// Nominal inference power, watts.
    pub nominal_w: f64,
    /// Design peak, watts.
    pub design_peak_w: f64,
    /// Power step from idle to peak, watts.
    pub step_w: f64,
    /// Ramp, watts per second; the source gives no window.
    pub ramp_w_per_s: f64,
}

/// Frequency and sets.
#[derive(Debug, Clone, Serialize)]
pub struct PlantKpis {
    /// Where the power of the sets is metered; the gain is per watt of load at the bus.
    pub metered: String,
    /// Nominal frequency, hertz.
    pub nominal_hz: f64,
    /// Lowest frequency, hertz, with its time and realisation.
    pub frequency_min: Extreme,
    /// Highest frequency, hertz.
    pub frequency_max: Extreme,
    /// Largest rate of change over the limit's window, hertz per second; absent if the run is shorter than the window.
    pub rocof: Option<Extreme>,
    /// Lowest voltage of the bus, per unit; absent without alternators.
    pub voltage_min: Option<Extreme>,
    /// Highest voltage of the bus, per unit; absent without alternators.
    pub voltage_max: Option<Extreme>,
    /// Frequency over time, first realisation, hertz.
    pub frequency_pyramid: Pyramid,
    /// Voltage of the bus over time, first realisation, per unit; absent without alternators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voltage_pyramid: Option<Pyramid>,
    /// Each group of equal sets.
    pub sets: Vec<SetKpis>,
    /// Sudden changes of load that were followed by quiet, against the transient numbers of ISO 8528-5.
    pub step_events: StepEventsKpis,
    /// Fuel over the run; absent where no set has a curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<FuelKpis>,
    /// Linear gain from load to frequency at the operating point; empty where it is unstable.
    pub gain: GainCurve,
    /// Spinning reserve at its lowest; absent without sets or beside a utility.
    pub reserve: Option<ReserveKpis>,
}

/// A largest or smallest value.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Extreme {
    /// The value.
    pub value: f64,
    /// When, seconds.
    pub at_s: f64,
    /// Realisation (from 1).
    pub realisation: u32,
}

/// One group of equal sets.
#[derive(Debug, Clone, Serialize)]
pub struct SetKpis {
    /// Name.
    pub name: String,
    /// Sets in the group.
    pub count: u32,
    /// Highest electrical power of one set, share of rated.
    pub power_max_share: Extreme,
    /// Lowest electrical power of one set, share of rated.
    pub power_min_share: Extreme,
    /// Most reactive power one set delivers, share of its `rated_kva`; absent without alternators.
    pub reactive_max_share: Option<Extreme>,
    /// Least reactive power one set delivers, share of its `rated_kva`; negative where it takes it in. Absent without alternators.
    pub reactive_min_share: Option<Extreme>,
    /// Mean electrical power of one set, first realisation, share of rated.
    pub power_mean_share: f64,
    /// Share of the time its throttle stood at a limit or the turbo ceiling, first realisation.
    pub limited_share: f64,
    /// Load steps against what the set accepts; absent without a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<AcceptanceKpis>,
}

/// |Δω/ΔP| over frequency: hertz of bus frequency per watt of load, linear, no limits.
#[derive(Debug, Clone, Serialize)]
pub struct GainCurve {
    /// Frequency of the load's oscillation, hertz.
    pub frequency_hz: Vec<f64>,
    /// Gain, hertz per megawatt.
    pub gain_hz_per_mw: Vec<f64>,
    /// Frequency of the highest gain, hertz.
    pub peak_frequency_hz: f64,
    /// Highest gain, hertz per megawatt.
    pub peak_gain_hz_per_mw: f64,
}
