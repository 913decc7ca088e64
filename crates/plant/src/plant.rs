//! The plant as studies see it.

use std::sync::{Arc, OnceLock};

use crate::check::problems;
use crate::delay::SAME_TIME_S;
use crate::error::PlantError;
use crate::governor::BOOST;
use crate::integrate::{Kernel, LoadLine};
use crate::linear::{Linear, Rest};
use crate::model::Power;
use crate::modes::{Modes, growth, modes};
use crate::periodic::PeriodicLoad;
use crate::predict::{Prediction, predict};
use crate::resolution::unresolved;
use crate::schedule::{Happening, PlannedTrip, Schedule};
use crate::spec::{PlantSpec, TorqueConvention};
use crate::start::{start, total_kva, total_kw};

/// What limits a throttle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limiter {
    /// Nothing: it follows the governor.
    None,
    /// The upper limit (`tmax_pu`, `vmax_pu`, `max_pu`).
    Upper,
    /// The lower limit less friction.
    Lower,
    /// The boost of the turbocharger plus the accepted load step.
    Turbo,
}

/// Whether the plant still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// It runs.
    Running,
    /// Its speed left 0.5 to 1.5 of nominal, no voltage of the bus goes with the load, or no source is left; the state stands still at
    /// that instant.
    Collapsed,
}

/// One set at the present instant, per unit of its own `rated_kva`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SetState {
    /// Throttle (DEGOV1), valve (TGOV1) or demand (PI), after its limiter and before the dead time.
    pub throttle_pu: f64,
    /// Torque `Tm` on the shaft, as it stands in the swing equation.
    pub torque_pu: f64,
    /// Mechanical power `Tm ω`.
    pub mechanical_pu: f64,
    /// Electrical power. The sets' sum is the load, in both conventions: with `Power`,
    /// `Tm − 2H dω/dt − D Δω` (the convention equates torque and power on the electrical side); with
    /// `PowerOverSpeed`, that torque times `ω`.
    pub electrical_pu: f64,
    /// Its speed, per unit of nominal.
    pub speed_pu: f64,
    /// Terminal voltage; none without an alternator.
    pub voltage_pu: Option<f64>,
    /// Reactive power delivered; none without an alternator.
    pub reactive_pu: Option<f64>,
    /// Field voltage Efd; none without an alternator.
    pub field_pu: Option<f64>,
    /// Boost state of the turbocharger; none where its ceiling is off.
    pub boost_pu: Option<f64>,
    /// What limits the throttle.
    pub limited: Limiter,
}

/// Generating sets on one bus and one frequency.
#[derive(Debug, Clone)]
pub struct Plant {
    kernel: Kernel,
    /// Kilovolt-amperes of all sets, as watts.
    base_w: f64,
    /// Sets of each entry on the bus.
    on_bus: Vec<u32>,
    /// The start, and its linear model once it has been asked for.
    rest: Arc<Rest>,
    linear: OnceLock<Arc<Linear>>,
    schedule: Schedule,
    /// Rated active power of one set per unit of its kVA, by entry.
    ratings: Vec<f64>,
    frequency_hz: f64,
    /// Trips so far, in order of time.
    tripped: Vec<Tripped>,
}

/// Sets that went off the bus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tripped {
    /// When, seconds of the plant's time.
    pub at_s: f64,
    /// Entry in `sets`.
    pub entry: usize,
    /// How many of its sets.
    pub sets: u32,
    /// How many of its sets were left.
    pub left: u32,
    /// Electrical power of each just before, share of its `rated_kw`.
    pub loading: f64,
}

/// The grid at the present instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UtilityState {
    /// Active power delivered to the bus, watts; negative: taken in.
    pub power_w: f64,
    /// Reactive power delivered to the bus, vars.
    pub reactive_var: f64,
    /// Voltage of the bus, per unit.
    pub bus_voltage_pu: f64,
    /// Its frequency, hertz.
    pub frequency_hz: f64,
}

impl Plant {
    /// A plant at rest under `initial_load_w` without reactive power, integrated with steps of at most `step_s`.
    ///
    /// At the dispatched power every set carries the same part of its `rated_kw`; if the load is another one,
    /// isochronous sets take the difference, or without them droop sets, off nominal speed.
    ///
    /// Errors: a description with [`problems`], a step that does not resolve a time constant, a load that is negative,
    /// not finite or above the rating, a share outside a throttle's limits, no steady speed.
    pub fn new(spec: &PlantSpec, initial_load_w: f64, step_s: f64) -> Result<Self, PlantError> {
        Self::with_reactive(spec, (initial_load_w, 0.0), step_s)
    }

    /// The same with the reactive power of the load given, vars; it only matters to alternators.
    ///
    /// # Errors
    /// As [`Plant::new`].
    pub fn with_reactive(
        spec: &PlantSpec,
        (initial_load_w, initial_load_var): (f64, f64),
        step_s: f64,
    ) -> Result<Self, PlantError> {
        if !(step_s > 0.0 && step_s.is_finite()) {
            return Err(PlantError::StepNotPositive { step_s });
        }
        // The step is checked below, with its numbers.
        if let Some(problem) = problems(spec, f64::MIN_POSITIVE).into_iter().next() {
            let (path, message, help) = (problem.path, problem.message, problem.help);
            return Err(PlantError::Spec {
                path,
                message,
                help,
            });
        }
        for set in &spec.sets {
            if let Some(need) = unresolved(set, step_s).first() {
                return Err(PlantError::StepTooCoarse {
                    set: set.name.clone(),
                    constant: need.key.to_owned(),
                    value_s: need.value_s,
                    step_s,
                    needed_s: need.longest_step_s(),
                });
            }
        }
        let grid_kva = spec.utility.as_ref().map_or(0.0, |u| u.rated_kva);
        let rated_w = (total_kw(spec) + grid_kva) * 1e3;
        if !initial_load_w.is_finite() {
            return Err(PlantError::LoadNotFinite {
                load_w: initial_load_w,
            });
        }
        if initial_load_w < 0.0 {
            return Err(PlantError::LoadNegative {
                load_w: initial_load_w,
            });
        }
        if initial_load_w > rated_w * (1.0 + 1e-12) {
            return Err(PlantError::LoadAboveRating {
                load_w: initial_load_w,
                rated_w,
            });
        }
        let (model, state, voltage) = start(spec, initial_load_w, initial_load_var)?;
        let base_w = total_kva(spec) * 1e3;
        let first = Power {
            active: initial_load_w / base_w,
            reactive: initial_load_var / base_w,
        };
        let rest = Arc::new(Rest {
            model: model.clone(),
            state: state.clone(),
            load: first,
            voltage,
            tan_phi: if initial_load_w > 0.0 {
                initial_load_var / initial_load_w
            } else {
                0.0
            },
            step_s,
            names: spec.sets.iter().map(|set| set.name.clone()).collect(),
            frequency_hz: spec.frequency_hz,
        });
        Ok(Self {
            kernel: Kernel::new(model, state, first, voltage, step_s),
            base_w,
            on_bus: spec.sets.iter().map(|set| set.count).collect(),
            rest,
            linear: OnceLock::new(),
            schedule: Schedule::new(spec),
            ratings: spec
                .sets
                .iter()
                .map(|set| set.rated_kw / set.rated_kva)
                .collect(),
            frequency_hz: spec.frequency_hz,
            tripped: Vec::with_capacity(spec.trips.len() + 1),
        })
    }

    /// Advances by `h_s` while the load goes in a straight line from `load_start_w` to `load_end_w`.
    ///
    /// Where the load steps, one call ends and the next begins with another load. Lengths above the step given to
    /// [`Plant::new`] are divided. A length that is not positive and finite advances nothing. A load that is not
    /// finite cannot be carried: the plant collapses. After a collapse nothing moves any more.
    ///
    /// The load has no reactive power; see [`Plant::advance_with_reactive`].
    pub fn advance(&mut self, h_s: f64, load_start_w: f64, load_end_w: f64) -> StepStatus {
        self.advance_with_reactive(h_s, (load_start_w, 0.0), (load_end_w, 0.0))
    }

    /// The same with the load as active and reactive power, watts and vars.
    pub fn advance_with_reactive(
        &mut self,
        h_s: f64,
        start: (f64, f64),
        end: (f64, f64),
    ) -> StepStatus {
        let power = |(active, reactive): (f64, f64)| Power {
            active: active / self.base_w,
            reactive: reactive / self.base_w,
        };
        let (start, end) = (power(start), power(end));
        if !self.kernel.collapsed && h_s > 0.0 && h_s.is_finite() {
            let sound = |p: Power| p.active.is_finite() && p.reactive.is_finite();
            if sound(start) && sound(end) {
                self.advance_over_events(h_s, start, end);
            } else {
                self.kernel.collapsed = true;
            }
        }
        self.status()
    }

    /// The line the load follows over an interval in which nothing but it happens; none where something else does, or nothing can.
    pub(crate) fn plain_line(
        &self,
        h_s: f64,
        start: (f64, f64),
        end: (f64, f64),
    ) -> Option<LoadLine> {
        let power = |(active, reactive): (f64, f64)| Power {
            active: active / self.base_w,
            reactive: reactive / self.base_w,
        };
        let (start, end) = (power(start), power(end));
        let sound = |p: Power| p.active.is_finite() && p.reactive.is_finite();
        let plain = !self.kernel.collapsed
            && h_s > 0.0
            && h_s.is_finite()
            && sound(start)
            && sound(end)
            && self
                .schedule
                .before(self.kernel.time() + h_s - SAME_TIME_S)
                .is_none();
        plain.then_some(LoadLine {
            start,
            end,
            length: h_s,
        })
    }

    /// What integrates it.
    pub(crate) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The same, to be advanced side by side with others.
    pub(crate) fn kernel_mut(&mut self) -> &mut Kernel {
        &mut self.kernel
    }

    /// The same, split where something is planned.
    fn advance_over_events(&mut self, h_s: f64, start: Power, end: Power) {
        let begin = self.kernel.time();
        let at = |elapsed: f64| {
            let share = elapsed / h_s;
            let between = |a: f64, b: f64| a + (b - a) * share;
            Power {
                active: between(start.active, end.active),
                reactive: between(start.reactive, end.reactive),
            }
        };
        let mut done = 0.0;
        // What falls on the end of the interval belongs to the next one.
        while let Some((at_s, happening)) = self.schedule.before(begin + h_s - SAME_TIME_S) {
            let until = (at_s - begin).max(done);
            if until > done + SAME_TIME_S {
                self.kernel.advance(LoadLine {
                    start: at(done),
                    end: at(until),
                    length: until - done,
                });
                done = until;
            }
            if self.kernel.collapsed {
                return;
            }
            self.schedule.done();
            match happening {
                Happening::Trip { entry, sets } => self.trip(entry, sets),
                Happening::Frequency(knot) => {
                    self.kernel.set_frequency(knot.deviation, knot.slope);
                }
                Happening::Voltage(size) => self.kernel.set_grid_voltage(size),
            }
        }
        let first = if done == 0.0 { start } else { at(done) };
        if !self.kernel.collapsed {
            self.kernel.advance(LoadLine {
                start: first,
                end,
                length: h_s - done,
            });
        }
    }

    /// Plans further trips, in the plant's time: [`Plant::advance`] splits its interval there. Those of the description are planned already;
    /// a trip in the past happens at the next call.
    pub fn schedule(&mut self, trips: &[PlannedTrip]) {
        self.schedule.add(trips);
    }

    /// The grid; none without one.
    pub fn utility_state(&self) -> Option<UtilityState> {
        let utility = self
            .kernel
            .motion
            .model
            .network
            .as_ref()?
            .utility
            .as_ref()?;
        let bus = self.kernel.motion.memory.voltage;
        let (power, reactive) = utility.power(bus);
        Some(UtilityState {
            power_w: power * self.base_w,
            reactive_var: reactive * self.base_w,
            bus_voltage_pu: bus.size(),
            frequency_hz: self.frequency_hz * self.speed_pu(),
        })
    }

    /// Voltage of the bus, per unit; none where voltage is not looked at.
    pub fn bus_voltage_pu(&self) -> Option<f64> {
        let electric = self.kernel.motion.model.network.is_some();
        electric.then(|| self.kernel.motion.memory.voltage.size())
    }

    /// Electrical power of a set of entry `i` over its rated active power; none if none of them is on the bus.
    pub fn loading(&self, i: usize) -> Option<f64> {
        (self.on_bus(i) > 0).then(|| self.set(i).electrical_pu / self.ratings[i])
    }

    /// Opens the breaker of `sets` of the sets of entry `i` now; what they carried falls on the rest.
    ///
    /// More sets than are on the bus: all of them. Without any set left the plant has collapsed. No entry `i`: nothing happens.
    pub fn trip(&mut self, i: usize, sets: u32) {
        let on = self.on_bus(i);
        let left = on.saturating_sub(sets);
        if left < on && !self.kernel.collapsed {
            self.tripped.push(Tripped {
                at_s: self.time_s(),
                entry: i,
                sets: on - left,
                left,
                loading: self.loading(i).unwrap_or(0.0),
            });
            self.kernel.trip(i, f64::from(left) / f64::from(on));
            self.on_bus[i] = left;
        }
    }

    /// The trips so far, in order of time.
    pub fn tripped(&self) -> &[Tripped] {
        &self.tripped
    }

    /// Sets of entry `i` on the bus; 0 if there is no such entry.
    pub fn on_bus(&self, i: usize) -> u32 {
        self.on_bus.get(i).copied().unwrap_or(0)
    }

    /// Whether the plant still runs.
    pub fn status(&self) -> StepStatus {
        if self.kernel.collapsed {
            StepStatus::Collapsed
        } else {
            StepStatus::Running
        }
    }

    /// Time since the start, seconds; the instant of the collapse after one.
    pub fn time_s(&self) -> f64 {
        self.kernel.time()
    }

    /// Speed (and frequency), per unit of nominal: of the sets (their mean by inertia), or of the utility.
    pub fn speed_pu(&self) -> f64 {
        1.0 + self.kernel.motion.state[0]
    }

    /// Rate of change of speed, per unit per second, just before the present instant if the load steps there.
    pub fn speed_rate_pu_per_s(&self) -> f64 {
        self.kernel.motion.rate[0]
    }

    /// Number of entries in the description; equal sets under one entry share one state.
    pub fn set_count(&self) -> usize {
        self.kernel.motion.modes.len()
    }

    /// State of one set of entry `i`, in the order of the description; of sets that are all off the bus what matters is zero.
    ///
    /// # Panics
    /// If `i` is not below [`Plant::set_count`].
    pub fn set(&self, i: usize) -> SetState {
        let kernel = &self.kernel;
        let (group, signals) = (&kernel.motion.model.groups[i], &kernel.motion.signals[i]);
        let speed = kernel.motion.state[group.speed_at];
        let omega = 1.0 + speed;
        let own = group.own(&kernel.motion.state);
        let over = if kernel.motion.model.torque == TorqueConvention::PowerOverSpeed {
            omega
        } else {
            1.0
        };
        let electric = kernel
            .motion
            .model
            .network
            .as_ref()
            .map(|_| signals.electric);
        let off = group.weight == 0.0;
        let braking =
            2.0 * group.inertia * kernel.motion.rate[group.speed_at] + group.damping * speed;
        SetState {
            throttle_pu: signals.throttle,
            torque_pu: signals.torque,
            mechanical_pu: signals.torque * omega,
            electrical_pu: if off {
                0.0
            } else {
                electric.map_or((signals.torque - braking) * over, |e| e.active)
            },
            speed_pu: omega,
            voltage_pu: electric.map(|e| e.voltage),
            reactive_pu: electric.map(|e| e.reactive),
            field_pu: electric.map(|e| e.field),
            boost_pu: group.turbo.map(|_| own[BOOST]),
            limited: group.limiter(kernel.motion.modes[i][0], own),
        }
    }

    /// Power by which the shafts' energy balance does not close, per unit of the plant's kVA:
    /// `Σ wᵢ (Tmᵢ ωᵢ − Peᵢ − Dᵢ Δωᵢ ωᵢ − d(Hᵢ ωᵢ²)/dt)`, `Pe` the power across the air gap.
    ///
    /// Zero with `Te = P/ω`. With `Te = P` it is the price of that convention, `Pe Δω`.
    pub fn power_residual_pu(&self) -> f64 {
        let kernel = &self.kernel;
        let mut sum = 0.0;
        for (index, group) in kernel.motion.model.groups.iter().enumerate() {
            if group.weight == 0.0 {
                continue;
            }
            let (speed, rate) = (
                kernel.motion.state[group.speed_at],
                kernel.motion.rate[group.speed_at],
            );
            let (omega, signals) = (1.0 + speed, &kernel.motion.signals[index]);
            let electrical = kernel.motion.model.network.as_ref().map_or_else(
                || self.set(index).electrical_pu,
                |network| network.units[index].machine.air_gap(signals.stator),
            );
            let shaft = signals.torque - group.damping * speed - 2.0 * group.inertia * rate;
            sum += group.weight * (shaft * omega - electrical);
        }
        sum
    }

    /// The plant at its start.
    pub(crate) fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Its equations, linear around the start.
    pub(crate) fn linear(&self) -> &Linear {
        self.linear
            .get_or_init(|| Arc::new(Linear::new(&self.rest)))
    }

    /// Linear gain `|Δω/ΔP|` at `f_hz`: per unit of speed per per unit of the plant's kVA; with alternators the mean speed, weighted by inertia.
    ///
    /// Around the start of the plant, limits ignored, dead time exact. Zero at `f = 0` with an isochronous
    /// governor; infinite where nothing at all holds the speed.
    /// Zero beside a utility, whose frequency does not answer.
    pub fn gain_pu(&self, f_hz: f64) -> f64 {
        if self.utility_state().is_some() {
            return 0.0;
        }
        self.linear().gain(f_hz)
    }

    /// Linear gains of one set of entry `i` at `f_hz`, per per unit of the plant's load: of its own speed, and of its terminal voltage where it has an alternator.
    ///
    /// As [`Plant::gain_pu`]. `None` if there is no entry `i`.
    pub fn set_gains_pu(&self, i: usize, f_hz: f64) -> Option<(f64, Option<f64>)> {
        (i < self.set_count()).then(|| self.linear().set_gains(i, f_hz))
    }

    /// Frequency of the highest linear gain between two frequencies, hertz, and the gain there, per unit as [`Plant::gain_pu`].
    ///
    /// 400 points over the logarithm of frequency, then golden section to 1e-6 around the highest.
    pub fn peak_gain(&self, low_hz: f64, high_hz: f64) -> (f64, f64) {
        let points = 400;
        let ratio = libm::log(high_hz / low_hz) / f64::from(points);
        let at = |i: i32| low_hz * libm::exp(ratio * f64::from(i));
        let gain = |log_f: f64| self.gain_pu(low_hz * libm::exp(log_f));
        let (mut best, mut most) = (0, self.gain_pu(low_hz));
        for i in 1..=points {
            let here = self.gain_pu(at(i));
            if here > most {
                (best, most) = (i, here);
            }
        }
        if !most.is_finite() {
            return (at(best), most);
        }
        let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
        let mut a = ratio * f64::from((best - 1).max(0));
        let mut b = ratio * f64::from((best + 1).min(points));
        while b - a > 1e-6 {
            let (x, y) = (b - golden * (b - a), a + golden * (b - a));
            if gain(x) > gain(y) {
                b = y;
            } else {
                a = x;
            }
        }
        let log_f = 0.5 * (a + b);
        (low_hz * libm::exp(log_f), gain(log_f).max(most))
    }

    /// Modes of the plant at its start, limits ignored, dead times exact. `None` above 500 states (some 30 entries with alternators), or if
    /// the eigenvalues cannot be found.
    pub fn modes(&self) -> Option<Modes> {
        modes(&self.rest, self.linear())
    }

    /// The settled swing under a load that repeats: unlimited linear, and limited (see [`Prediction`]).
    ///
    /// Around the start of this plant, whatever it has done since: give it the load's mean (or the load before it begins) as its first load. The load's reactive power follows
    /// its active power as at the start. Costs up to some hundred periods of integration.
    pub fn predict(&self, load: &PeriodicLoad) -> Prediction {
        let linear = self.linear();
        predict(&self.rest, linear, load, self.base_w, growth(linear))
    }

    /// Base of the plant's per-unit power, watts: kilovolt-amperes of all sets, or without sets those of the grid's connection.
    pub fn base_w(&self) -> f64 {
        self.base_w
    }
}
