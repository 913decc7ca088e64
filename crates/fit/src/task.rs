//! The residuals: what the figures say against what a trial set does.

use ballast_plant::{
    Ggov1Feedback, GovernorSpec, PlantError, PlantSpec, SetSpec, TorqueConvention,
};
use rayon::prelude::*;
use serde_json::Value;

use crate::parameters::{Parameter, put};
use crate::recording::Prepared;
use crate::simulate::{self, StepEvent, StepResponse};
use crate::spec::{FitSpec, StepRow};

/// Residual of a trial that cannot be simulated: worse than any that can.
const HOPELESS: f64 = 1e4;
/// Longest simulated time of a step, seconds.
const LONGEST_S: f64 = 60.0;

/// What is to be fitted. Unknowns are the logarithms of the parameters, then one time shift for each recording in intervals of its samples.
#[derive(Debug)]
pub(crate) struct Task {
    template: Value,
    frequency_hz: f64,
    torque: TorqueConvention,
    pub(crate) parameters: Vec<Parameter>,
    rated_w: f64,
    pub(crate) rows: Vec<StepRow>,
    pub(crate) recordings: Vec<Prepared>,
    /// Standard deviations of the table, per unit and seconds.
    dip_pu: f64,
    recovery_s: f64,
}

/// What one event gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventFit {
    /// Differences over their standard deviations.
    pub(crate) residuals: Vec<f64>,
    pub(crate) what: Seen,
    pub(crate) ceiling: bool,
    pub(crate) above_boost_pu: f64,
    pub(crate) collapsed: bool,
}

/// The figures of an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Step(StepResponse),
    /// Root mean square and largest difference, per unit.
    Recording {
        rms_pu: f64,
        most_pu: f64,
    },
    Nothing,
}

impl Task {
    pub(crate) fn new(
        spec: &FitSpec,
        set: &SetSpec,
        parameters: Vec<Parameter>,
        recordings: Vec<Prepared>,
    ) -> Self {
        let mut bare = set.clone();
        bare.provenance.clear();
        (bare.alternator, bare.exciter) = (None, None);
        Self {
            template: serde_json::to_value(&bare).unwrap_or_default(),
            frequency_hz: spec.frequency_hz,
            torque: spec.torque,
            parameters,
            rated_w: spec.rated_kw * 1e3,
            rows: spec.steps.clone(),
            recordings,
            dip_pu: spec.tolerance.dip_percent * 0.01,
            recovery_s: spec.tolerance.recovery_s,
        }
    }

    pub(crate) fn unknowns(&self) -> usize {
        self.parameters.len() + self.recordings.len()
    }

    pub(crate) fn events(&self) -> usize {
        self.rows.len() + self.recordings.len()
    }

    /// Where the unknowns start, and their bounds.
    pub(crate) fn start(&self) -> Vec<f64> {
        let logs = self.parameters.iter().map(|p| libm::log(p.start));
        logs.chain(self.recordings.iter().map(|_| 0.0)).collect()
    }

    pub(crate) fn bounds(&self) -> Vec<(f64, f64)> {
        let logs = self
            .parameters
            .iter()
            .map(|p| (libm::log(p.low), libm::log(p.high)));
        logs.chain(self.recordings.iter().map(|_| (-1.5, 1.5)))
            .collect()
    }

    /// The set with trial values; none where its numbers do not make one.
    fn set(&self, x: &[f64]) -> Option<SetSpec> {
        let mut json = self.template.clone();
        for (parameter, log) in self.parameters.iter().zip(x) {
            put(&mut json, &parameter.key, libm::exp(*log));
        }
        serde_json::from_value(json).ok()
    }

    fn plant(&self, x: &[f64]) -> Option<PlantSpec> {
        Some(PlantSpec {
            frequency_hz: self.frequency_hz,
            torque: self.torque,
            dispatch_kw: None,
            voltage_pu: 1.0,
            load: ballast_plant::LoadModelSpec::default(),
            sets: vec![self.set(x)?],
            sharing: None,
            trips: Vec::new(),
            utility: None,
        })
    }

    /// Whether the first guess can be simulated at all.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) fn try_start(&self) -> Result<(), (usize, PlantError)> {
        let Some(plant) = self.plant(&self.start()) else {
            return Ok(());
        };
        for event in 0..self.events() {
            self.simulate(&plant, event, 0.0)
                .map_err(|error| (event, error))?;
        }
        Ok(())
    }

    /// All residuals at `x`, event by event, simulated in parallel; the last residual of a recording is the prior of its shift.
    pub(crate) fn all(&self, x: &[f64]) -> Vec<EventFit> {
        let plant = self.plant(x);
        (0..self.events())
            .into_par_iter()
            .map(|event| self.one(plant.as_ref(), x, event))
            .collect()
    }

    /// Residuals at many places, all at once.
    pub(crate) fn residuals(&self, places: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let jobs: Vec<(usize, usize)> = (0..places.len())
            .flat_map(|place| (0..self.events()).map(move |event| (place, event)))
            .collect();
        let plants: Vec<Option<PlantSpec>> = places.iter().map(|x| self.plant(x)).collect();
        let parts: Vec<Vec<f64>> = jobs
            .into_par_iter()
            .map(|(place, event)| {
                self.one(plants[place].as_ref(), &places[place], event)
                    .residuals
            })
            .collect();
        parts
            .chunks(self.events().max(1))
            .map(<[Vec<f64>]>::concat)
            .collect()
    }

    fn one(&self, plant: Option<&PlantSpec>, x: &[f64], event: usize) -> EventFit {
        let shift = event
            .checked_sub(self.rows.len())
            .and_then(|r| x.get(self.parameters.len() + r))
            .copied()
            .unwrap_or(0.0);
        plant
            .and_then(|plant| self.simulate(plant, event, shift).ok())
            .unwrap_or_else(|| EventFit {
                residuals: vec![HOPELESS; self.length(event)],
                what: Seen::Nothing,
                ceiling: false,
                above_boost_pu: f64::NEG_INFINITY,
                collapsed: true,
            })
    }

    /// Number of residuals of an event.
    pub(crate) fn length(&self, event: usize) -> usize {
        match self.rows.get(event) {
            Some(row) => {
                1 + usize::from(row.recovery_s.is_some())
                    + usize::from(row.overshoot_percent.is_some())
            }
            None => self.recordings[event - self.rows.len()].t_s.len() + 1,
        }
    }

    fn simulate(
        &self,
        plant: &PlantSpec,
        event: usize,
        shift: f64,
    ) -> Result<EventFit, PlantError> {
        if let Some(row) = self.rows.get(event) {
            return self.simulate_row(plant, row);
        }
        let recording = &self.recordings[event - self.rows.len()];
        let replay = simulate::replay(plant, &recording.t_s, &recording.p_w, recording.first_w)?;
        let shift_s = shift * recording.interval_s;
        let differences: Vec<f64> = (0..recording.t_s.len())
            .map(|at| replay.shifted(&recording.t_s, at, shift_s) - recording.deviation[at])
            .collect();
        let sum: f64 = differences.iter().map(|d| d * d).sum();
        let most_pu = differences
            .iter()
            .fold(0.0_f64, |most, d| most.max(d.abs()));
        let mut residuals: Vec<f64> = differences.iter().map(|d| d / recording.noise_pu).collect();
        // A load that steps between two samples is known to half an interval.
        residuals.push(shift / 0.5);
        Ok(EventFit {
            residuals,
            what: Seen::Recording {
                rms_pu: (sum / recording.t_s.len() as f64).sqrt(),
                most_pu,
            },
            ceiling: replay.ceiling,
            above_boost_pu: replay.above_boost_pu,
            collapsed: replay.collapsed,
        })
    }

    fn simulate_row(&self, plant: &PlantSpec, row: &StepRow) -> Result<EventFit, PlantError> {
        let isochronous = plant.sets.iter().all(|set| isochronous(&set.governor));
        let longest = row.recovery_s.map_or(10.0, |r| (3.0 * r).max(r + 4.0));
        let event = StepEvent {
            from_w: row.from_share * self.rated_w,
            to_w: (row.from_share + row.step_share) * self.rated_w,
            band_pu: row.band_percent.unwrap_or(1.0) * 0.01,
            horizon_s: longest.max(6.0).min(LONGEST_S.max(longest)),
            isochronous,
        };
        let got = simulate::step(plant, &event)?;
        let mut residuals = vec![(got.dip_pu - row.dip_percent * 0.01) / self.dip_pu];
        if let Some(recovery_s) = row.recovery_s {
            residuals.push((got.recovery_s - recovery_s) / self.recovery_s);
        }
        if let Some(overshoot) = row.overshoot_percent {
            residuals.push((got.overshoot_pu - overshoot * 0.01) / self.dip_pu);
        }
        Ok(EventFit {
            residuals,
            what: Seen::Step(got),
            ceiling: got.ceiling,
            above_boost_pu: got.above_boost_pu,
            collapsed: got.collapsed,
        })
    }
}

/// Whether a governor brings a single set back to nominal frequency.
pub(crate) fn isochronous(governor: &GovernorSpec) -> bool {
    match governor {
        GovernorSpec::Degov(_) => true,
        GovernorSpec::Degov1(d) => d.droop_pu == 0.0,
        GovernorSpec::Pi(p) => p.ki_per_s > 0.0,
        GovernorSpec::Ggov1(g) => {
            g.kigov_per_s > 0.0 && (g.feedback == Ggov1Feedback::Isochronous || g.droop_pu == 0.0)
        }
        GovernorSpec::Pid(p) => p.ki_per_s > 0.0 && p.droop_pu == 0.0,
        _ => false,
    }
}
