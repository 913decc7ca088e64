//! What power smoothing and secondary loads did: energies and times, by rack group and job.

use serde::Serialize;

/// Energies and times of some GPUs, summed. Energies in watt-steps and times in GPU-steps until the report.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Ledger {
    /// What the work drew, under the rising cap.
    pub(crate) work: f64,
    /// What the GPUs' own floor added.
    pub(crate) floor: f64,
    /// What the secondary load added.
    pub(crate) secondary: f64,
    /// What the rising cap held back.
    pub(crate) deferred: f64,
    /// What the limits on peaks cut.
    pub(crate) cut: f64,
    /// Time in all, at the floor, at the secondary load, at the rising cap, at the limits on peaks.
    pub(crate) time: f64,
    pub(crate) at_floor: f64,
    pub(crate) at_secondary: f64,
    pub(crate) at_cap: f64,
    pub(crate) at_peak: f64,
    /// Times that a GPU's cap began to rise.
    pub(crate) rises: f64,
}

impl Ledger {
    fn each(&mut self) -> [&mut f64; 11] {
        [
            &mut self.work,
            &mut self.floor,
            &mut self.secondary,
            &mut self.deferred,
            &mut self.cut,
            &mut self.time,
            &mut self.at_floor,
            &mut self.at_secondary,
            &mut self.at_cap,
            &mut self.at_peak,
            &mut self.rises,
        ]
    }

    /// Adds `times` times the other.
    pub(crate) fn add(&mut self, mut other: Self, times: f64) {
        for (sum, more) in self.each().into_iter().zip(other.each()) {
            *sum += times * *more;
        }
    }
}

/// What power smoothing and the secondary load did to the GPUs of one job in one rack group, so far in a realisation. Everything is
/// metered at the GPUs, and leaves out GPUs without a job: they are never active.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SmoothingReport {
    /// Rack group.
    pub group: String,
    /// Job.
    pub job: String,
    /// Energy that the work itself drew, kilowatt-hours: what the GPUs drew, less the floor's and the secondary load's part, with what was cut.
    pub work_kwh: f64,
    /// Energy that the power floor added, kilowatt-hours.
    pub floor_kwh: f64,
    /// Energy that the secondary load added, kilowatt-hours.
    pub secondary_kwh: f64,
    /// Both over the work's, percent.
    pub energy_overhead_percent: f64,
    /// Energy that the work would have drawn and the ramp at a start held back, kilowatt-hours: work that is done later.
    pub deferred_kwh: f64,
    /// Energy that the limits on peaks (EDP, TDP) cut, kilowatt-hours.
    pub peak_cut_kwh: f64,
    /// Share of the GPUs' time in which the floor filled, 0 to 1.
    pub floor_time_share: f64,
    /// Share of the GPUs' time in which the secondary load filled, 0 to 1.
    pub secondary_time_share: f64,
    /// Share of the GPUs' time in which the ramp at a start held the work back, 0 to 1.
    pub ramp_limited_time_share: f64,
    /// Share of the GPUs' time in which a limit on peaks cut, 0 to 1.
    pub peak_limited_time_share: f64,
    /// Times that a GPU's power began to ramp up, mean over the GPUs.
    pub ramp_ups_per_gpu: f64,
    /// Whether energies and shares of time are expected values (group engine) and not counted GPU by GPU.
    pub expected: bool,
}

impl SmoothingReport {
    pub(crate) fn new(
        group: &str,
        job: &str,
        ledger: &Ledger,
        gpus: f64,
        dt_s: f64,
        expected: bool,
    ) -> Self {
        let kwh = |watt_steps: f64| watt_steps * dt_s / 3.6e6;
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Self {
            group: group.to_owned(),
            job: job.to_owned(),
            work_kwh: kwh(ledger.work),
            floor_kwh: kwh(ledger.floor),
            secondary_kwh: kwh(ledger.secondary),
            energy_overhead_percent: 100.0 * share(ledger.floor + ledger.secondary, ledger.work),
            deferred_kwh: kwh(ledger.deferred),
            peak_cut_kwh: kwh(ledger.cut),
            floor_time_share: share(ledger.at_floor, ledger.time),
            secondary_time_share: share(ledger.at_secondary, ledger.time),
            ramp_limited_time_share: share(ledger.at_cap, ledger.time),
            peak_limited_time_share: share(ledger.at_peak, ledger.time),
            ramp_ups_per_gpu: share(ledger.rises, gpus),
            expected,
        }
    }
}
