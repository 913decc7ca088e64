//! Classical fourth-order Runge-Kutta over all groups and the shaft, with located mode switches.
//!
//! A step that ends with a limiter beyond its event is repeated with shorter lengths until the event lies within
//! 1e-12 s; the mode then changes there. A dead time shorter than the step reads the step's own end, which is
//! iterated to a fixed point (contraction: step × loop gain / 2H, small for any step that passes the checks).

use crate::bus::Phasor;
use crate::delay::{Delay, Kinks};
use crate::governor::Signals;
use crate::limiter::Mode;
use crate::model::{Instant, Memory, Model, anchors, evaluate, pin};

/// A load step smaller than this is no kink, per unit.
const JUMP: f64 = 1e-12;
const FIXED_POINT_TOLERANCE: f64 = 1e-14;
const FIXED_POINT_PASSES: u32 = 24;

/// State, stages and events. Slot 0 of a state array is the speed deviation, then every group's states.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    pub(crate) model: Model,
    pub(crate) modes: Vec<Mode>,
    pub(crate) state: Vec<f64>,
    pub(crate) rate: Vec<f64>,
    pub(crate) signals: Vec<Signals>,
    stage: Vec<f64>,
    stage_rates: [Vec<f64>; 3],
    stage_signals: Vec<Signals>,
    pub(crate) end: Vec<f64>,
    pub(crate) end_rate: Vec<f64>,
    pub(crate) end_signals: Vec<Signals>,
    pub(crate) memory: Memory,
    /// Voltage of the bus at the present state: every trial sets out from it, so equal trials give equal results.
    voltage: Phasor,
    /// Its rate over the last step, zero after a jump: a first guess of the stages.
    voltage_rate: Phasor,
    pub(crate) kinks: Kinks,
    delayed: bool,
    time: f64,
    /// Part of the time that `time` cannot hold.
    time_rest: f64,
    step: f64,
    load: Power,
    /// Off for the rest of a call with too many mode switches: limits are then kept by clamping at step ends.
    pub(crate) locating: bool,
    pub(crate) collapsed: bool,
}

/// Load over one call, per unit, linear. Exact at both ends whatever their sizes: a result is judged by the load there.
#[derive(Clone, Copy)]
struct LoadLine {
    start: Power,
    end: Power,
    length: f64,
}

/// Active and reactive power, per unit of the plant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Power {
    pub(crate) active: f64,
    pub(crate) reactive: f64,
}

impl LoadLine {
    fn at(&self, elapsed: f64) -> Power {
        let share = elapsed / self.length;
        // Within rounding of the end it is the end.
        if share >= 1.0 - 1e-9 {
            self.end
        } else {
            let between = |start: f64, end: f64| start + (end - start) * share;
            Power {
                active: between(self.start.active, self.end.active),
                reactive: between(self.start.reactive, self.end.reactive),
            }
        }
    }
}

/// Where on that line a step begins.
#[derive(Clone, Copy)]
pub(crate) struct Ramp {
    line: LoadLine,
    elapsed: f64,
}

impl Ramp {
    fn after(self, offset: f64) -> Power {
        self.line.at(self.elapsed + offset)
    }
}

impl Kernel {
    pub(crate) fn new(model: Model, state: Vec<f64>, load: Power, voltage: f64, step: f64) -> Self {
        let groups = model.groups.len();
        let zeros = vec![0.0; state.len()];
        let delays: Vec<Delay> = model
            .groups
            .iter()
            .map(|group| {
                let (own, speed) = (group.own(&state), state[group.speed_at]);
                Delay::new(
                    group.dead_time,
                    step,
                    group.fuel(
                        group.throttle(Mode::FREE, own, group.governed(&state)),
                        speed,
                    ),
                )
            })
            .collect();
        let anchors = anchors(&model, &state);
        let mut kernel = Self {
            delayed: model.groups.iter().any(|group| group.dead_time > 0.0),
            modes: vec![Mode::FREE; groups],
            rate: zeros.clone(),
            signals: vec![Signals::default(); groups],
            stage: zeros.clone(),
            stage_rates: [zeros.clone(), zeros.clone(), zeros.clone()],
            stage_signals: vec![Signals::default(); groups],
            end: zeros.clone(),
            end_rate: zeros,
            end_signals: vec![Signals::default(); groups],
            memory: Memory {
                delays,
                voltage: Phasor {
                    re: voltage,
                    im: 0.0,
                },
                anchors,
            },
            voltage: Phasor {
                re: voltage,
                im: 0.0,
            },
            voltage_rate: Phasor { re: 0.0, im: 0.0 },
            kinks: Kinks::new(),
            model,
            state,
            time: 0.0,
            time_rest: 0.0,
            step,
            load,
            locating: true,
            collapsed: false,
        };
        kernel.evaluate_start(load);
        kernel
    }

    pub(crate) fn time(&self) -> f64 {
        self.time + self.time_rest
    }

    /// Advances by `length` while the load goes in a line from `start` to `end`, per unit.
    pub(crate) fn advance(&mut self, length: f64, start: Power, end: Power) {
        let jump = (start.active - self.load.active)
            .abs()
            .max((start.reactive - self.load.reactive).abs());
        if jump > JUMP {
            let time = self.time();
            self.note_kinks(time);
        }
        let line = LoadLine { start, end, length };
        let most = 64 + 16 * self.modes.len();
        let mut switches = 0;
        let mut elapsed = 0.0;
        let rest_that_counts = (length * 1e-9).min(1e-13);
        if start != self.load {
            self.evaluate_start(start);
        }
        while length - elapsed > rest_that_counts && !self.collapsed {
            let rest = length - elapsed;
            let pieces = (rest / self.step - 1e-9).ceil().max(1.0);
            let mut piece = rest / pieces;
            self.kinks.pass(self.time());
            let to_kink = self.kinks.next() - self.time();
            if to_kink < piece {
                piece = to_kink;
            }
            let taken = self.step_once(piece, line, elapsed, &mut switches, most);
            elapsed += taken;
        }
        if !self.collapsed {
            self.load = end;
        }
    }

    /// Takes one step of at most `length`; returns what it took.
    fn step_once(
        &mut self,
        length: f64,
        line: LoadLine,
        elapsed: f64,
        switches: &mut usize,
        most: usize,
    ) -> f64 {
        let ramp = Ramp { line, elapsed };
        self.settle(ramp.after(0.0), switches, most);
        if self.collapsed {
            return length;
        }
        self.locating = *switches < most;
        for (delay, signals) in self.memory.delays.iter_mut().zip(&self.signals) {
            delay.begin(signals.fuel_rate);
        }
        let mut taken = length;
        let pressure = self.trial(taken, ramp);
        if pressure > 0.0 {
            *switches += 1;
            let before;
            (before, taken) = self.locate(length, pressure, ramp);
            let pressure = self.trial(taken, ramp);
            if self.out_of_range(pressure) {
                // Frozen on the near side, where every value is sound.
                self.collapsed = true;
                taken = before;
                // At the edge of what the sources carry rounding may decide: then the step's beginning stands.
                if taken == 0.0 || !self.trial(taken, ramp).is_finite() {
                    self.memory.voltage = self.voltage;
                    return length;
                }
            }
        }
        let located = taken < length || self.collapsed;
        self.accept(taken, ramp.after(taken), located);
        if self.collapsed { length } else { taken }
    }

    /// Integrates `length` from the present state into `end`; returns the pressure there.
    pub(crate) fn trial(&mut self, length: f64, ramp: Ramp) -> f64 {
        let own_past = self.delayed && {
            let reaches = |delay: &Delay| delay.dead_time() > 0.0 && delay.dead_time() < length;
            self.memory.delays.iter().any(reaches)
        };
        if !own_past {
            self.runge_kutta(length, ramp);
            return self.pressure_at_end();
        }
        for delay in &mut self.memory.delays {
            delay.guess(length);
        }
        for _ in 0..FIXED_POINT_PASSES {
            self.runge_kutta(length, ramp);
            let mut off = 0.0_f64;
            for (delay, signals) in self.memory.delays.iter_mut().zip(&self.end_signals) {
                off = off.max(delay.correct(signals.fuel, signals.fuel_rate));
            }
            if off <= FIXED_POINT_TOLERANCE || !off.is_finite() {
                break;
            }
        }
        self.pressure_at_end()
    }

    fn runge_kutta(&mut self, length: f64, ramp: Ramp) {
        let time = self.time();
        let half = 0.5 * length;
        let (voltage, slope) = (self.voltage, self.voltage_rate);
        self.memory.voltage = Phasor {
            re: voltage.re + half * slope.re,
            im: voltage.im + half * slope.im,
        };
        let [second, third, fourth] = &mut self.stage_rates;
        let memory = &mut self.memory;
        let mut stage_at = |memory: &mut Memory, offset: f64, from: &[f64], into: &mut [f64]| {
            let stage = &mut self.stage;
            for ((out, start), rate) in stage.iter_mut().zip(&self.state).zip(from) {
                *out = start + offset * rate;
            }
            let at = Instant::new(time + offset, ramp.after(offset));
            evaluate(
                &self.model,
                memory,
                &self.modes,
                at,
                stage,
                into,
                &mut self.stage_signals,
            );
        };
        stage_at(memory, half, &self.rate, second);
        stage_at(memory, half, second, third);
        // As far again as the middle is from the start.
        let middle = &mut memory.voltage;
        middle.re += middle.re - voltage.re;
        middle.im += middle.im - voltage.im;
        stage_at(memory, length, third, fourth);
        let sixth = length / 6.0;
        for index in 0..self.end.len() {
            let sum = self.rate[index] + 2.0 * (second[index] + third[index]) + fourth[index];
            self.end[index] = self.state[index] + sixth * sum;
        }
        pin(&self.model, &self.modes, &mut self.end, false);
        let at = Instant::new(time + length, ramp.after(length));
        let (end, end_rate) = (&self.end, &mut self.end_rate);
        evaluate(
            &self.model,
            &mut self.memory,
            &self.modes,
            at,
            end,
            end_rate,
            &mut self.end_signals,
        );
    }

    /// Makes the end of the trial the present state.
    fn accept(&mut self, length: f64, load: Power, located: bool) {
        std::mem::swap(&mut self.state, &mut self.end);
        std::mem::swap(&mut self.rate, &mut self.end_rate);
        std::mem::swap(&mut self.signals, &mut self.end_signals);
        let now = self.memory.voltage;
        if length > 0.0 {
            self.voltage_rate = Phasor {
                re: (now.re - self.voltage.re) / length,
                im: (now.im - self.voltage.im) / length,
            };
        }
        self.voltage = now;
        // Neumaier sum: the time stays exact over days of steps.
        let sum = self.time + length;
        self.time_rest += (self.time - sum) + length;
        self.time = sum;
        self.load = load;
        if !located {
            pin(&self.model, &self.modes, &mut self.state, true);
        }
        if let Some(network) = &self.model.network {
            network.clamp(&mut self.state, &self.signals);
        }
        if self.delayed {
            let time = self.time();
            for (delay, signals) in self.memory.delays.iter_mut().zip(&self.signals) {
                if delay.dead_time() > 0.0 {
                    delay.push(time, signals.fuel, signals.fuel_rate);
                }
            }
        }
    }

    /// Derivatives and signals of the present state with this load. A load no voltage of the bus goes with ends the run, with the values before it.
    pub(crate) fn evaluate_start(&mut self, load: Power) {
        let at = Instant::new(self.time(), load);
        let (state, rate) = (&self.state, &mut self.end_rate);
        evaluate(
            &self.model,
            &mut self.memory,
            &self.modes,
            at,
            state,
            rate,
            &mut self.end_signals,
        );
        if self.model.network.is_some() && self.end_rate[0].is_nan() {
            self.collapsed = true;
            return;
        }
        self.voltage = self.memory.voltage;
        self.voltage_rate = Phasor { re: 0.0, im: 0.0 };
        std::mem::swap(&mut self.rate, &mut self.end_rate);
        std::mem::swap(&mut self.signals, &mut self.end_signals);
    }

    /// Takes sets off the bus at the present instant: `share` of the group's weight stays.
    pub(crate) fn trip(&mut self, index: usize, share: f64) {
        self.model.trip(index, share, &mut self.state);
        let grid = self
            .model
            .network
            .as_ref()
            .is_some_and(|n| n.utility.is_some());
        if !grid && self.model.groups.iter().all(|group| group.weight == 0.0) {
            self.collapsed = true;
            return;
        }
        self.after_jump();
    }

    /// The grid's frequency from now on: deviation and rate, per unit.
    pub(crate) fn set_frequency(&mut self, deviation: f64, slope: f64) {
        if let Some(utility) = self.model.network.as_mut().and_then(|n| n.utility.as_mut()) {
            utility.slope = slope;
            self.state[0] = deviation;
            self.after_jump();
        }
    }

    /// The size of the grid's voltage from now on.
    pub(crate) fn set_grid_voltage(&mut self, size: f64) {
        if let Some(utility) = self.model.network.as_mut().and_then(|n| n.utility.as_mut()) {
            utility.set_size(size);
            self.after_jump();
        }
    }

    /// Derivatives after something other than the load has jumped.
    fn after_jump(&mut self) {
        let time = self.time();
        self.note_kinks(time);
        self.evaluate_start(self.load);
    }

    fn note_kinks(&mut self, time: f64) {
        for group in &self.model.groups {
            self.kinks.note_if_delayed(time, group.dead_time);
        }
    }
}
