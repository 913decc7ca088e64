//! Classical fourth-order Runge-Kutta over all groups and the shaft, with located mode switches.
//!
//! A step that ends with a limiter beyond its event is repeated with shorter lengths until the event lies within
//! 1e-12 s; the mode then changes there. A dead time shorter than the step reads the step's own end, which is
//! iterated to a fixed point (contraction: step × loop gain / 2H, small for any step that passes the checks).

use crate::bus::Phasor;
use crate::delay::{Delay, Kinks};
use crate::limiter::Mode;
use crate::model::{Instant, Memory, Model, Power, anchors};
use crate::motion::Motion;

/// A load step smaller than this is no kink, per unit.
const JUMP: f64 = 1e-12;
const FIXED_POINT_TOLERANCE: f64 = 1e-14;
const FIXED_POINT_PASSES: u32 = 24;

/// One plant's motion, its time, and what switches it.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    pub(crate) motion: Motion,
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
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadLine {
    pub(crate) start: Power,
    pub(crate) end: Power,
    pub(crate) length: f64,
}

impl LoadLine {
    /// Whether what is left after a time counts.
    pub(crate) fn goes_on(&self, elapsed: f64) -> bool {
        self.length - elapsed > (self.length * 1e-9).min(1e-13)
    }

    pub(crate) fn at(&self, elapsed: f64) -> Power {
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
        let delay = |group: &crate::governor::Group| {
            let (own, speed) = (group.own(&state), state[group.speed_at]);
            let throttle = group.throttle(&[Mode::FREE], own, group.governed(&state));
            [Delay::new(
                group.dead_time,
                step,
                group.fuel(throttle, speed),
            )]
        };
        let memory = Memory {
            delays: model.groups.iter().map(delay).collect(),
            voltage: Phasor {
                re: voltage,
                im: 0.0,
            },
            anchors: anchors(&model, &state),
        };
        let mut kernel = Self {
            delayed: model.groups.iter().any(|group| group.dead_time > 0.0),
            motion: Motion::new(model, state, memory, &[Mode::FREE]),
            kinks: Kinks::new(),
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

    /// Advances by a line's length while the load follows it.
    pub(crate) fn advance(&mut self, line: LoadLine) {
        self.begin(line.start);
        if self.jumps(line.start) {
            self.evaluate_start(line.start);
        }
        self.finish(line, 0.0);
    }

    /// Notes what a load that jumps will do after the dead times.
    pub(crate) fn begin(&mut self, start: Power) {
        let jump = (start.active - self.load.active)
            .abs()
            .max((start.reactive - self.load.reactive).abs());
        if jump > JUMP {
            let time = self.time();
            self.note_kinks(time);
        }
    }

    /// Whether the derivatives are those of another load.
    pub(crate) fn jumps(&self, start: Power) -> bool {
        start != self.load
    }

    /// Longest step, seconds.
    pub(crate) fn step(&self) -> f64 {
        self.step
    }

    /// Length of the next step along a line.
    pub(crate) fn piece(&self, line: LoadLine, elapsed: f64) -> f64 {
        let rest = line.length - elapsed;
        rest / (rest / self.step - 1e-9).ceil().max(1.0)
    }

    /// Time until a kink leaves a dead time.
    pub(crate) fn until_kink(&mut self) -> f64 {
        let time = self.time();
        self.kinks.pass(time);
        self.kinks.next() - time
    }

    /// The load's line has been followed to its end.
    pub(crate) fn arrive(&mut self, line: LoadLine) {
        self.load = line.end;
    }

    /// Advances over what is left of a line.
    pub(crate) fn finish(&mut self, line: LoadLine, mut elapsed: f64) {
        let most = 64 + 16 * self.motion.modes.len();
        let mut switches = 0;
        while line.goes_on(elapsed) && !self.collapsed {
            let mut piece = self.piece(line, elapsed);
            let to_kink = self.until_kink();
            if to_kink < piece {
                piece = to_kink;
            }
            elapsed += self.step_once(piece, line, elapsed, &mut switches, most);
        }
        if !self.collapsed {
            self.arrive(line);
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
        let motion = &mut self.motion;
        for ([delay], signals) in motion.memory.delays.iter_mut().zip(&motion.signals) {
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
                    self.motion.memory.voltage = self.motion.course.voltage;
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
            let mut delays = self.motion.memory.delays.iter();
            delays.any(|[delay]| reaches(delay))
        };
        if !own_past {
            return self.runge_kutta(length, ramp);
        }
        for [delay] in &mut self.motion.memory.delays {
            delay.guess(length);
        }
        let mut pressure = f64::INFINITY;
        for _ in 0..FIXED_POINT_PASSES {
            pressure = self.runge_kutta(length, ramp);
            let mut off = 0.0_f64;
            let motion = &mut self.motion;
            for ([delay], signals) in motion.memory.delays.iter_mut().zip(&motion.end_signals) {
                off = off.max(delay.correct(signals.fuel, signals.fuel_rate));
            }
            if off <= FIXED_POINT_TOLERANCE || !off.is_finite() {
                break;
            }
        }
        pressure
    }

    fn runge_kutta(&mut self, length: f64, ramp: Ramp) -> f64 {
        let (time, loads) = (self.time(), [ramp.after(0.5 * length), ramp.after(length)]);
        self.motion.trial(length, time, loads, self.locating)
    }

    /// Makes the end of the trial the present state.
    fn accept(&mut self, length: f64, load: Power, located: bool) {
        self.motion.accept(length, !located);
        self.tick(length);
        self.load = load;
        if self.delayed {
            let (time, motion) = (self.time(), &mut self.motion);
            for ([delay], signals) in motion.memory.delays.iter_mut().zip(&motion.signals) {
                delay.push(time, signals.fuel, signals.fuel_rate);
            }
        }
    }

    /// Moves the time on.
    pub(crate) fn tick(&mut self, length: f64) {
        // Neumaier sum: the time stays exact over days of steps.
        let sum = self.time + length;
        self.time_rest += (self.time - sum) + length;
        self.time = sum;
    }

    /// Derivatives and signals of the present state with this load. A load no voltage of the bus goes with ends the run, with the values before it.
    pub(crate) fn evaluate_start(&mut self, load: Power) {
        self.motion.evaluate(Instant::new(self.time(), load));
        if self.motion.model.network.is_some() && self.motion.end_rate[0].is_nan() {
            self.collapsed = true;
            return;
        }
        self.motion.take_evaluation();
    }

    /// Takes sets off the bus at the present instant: `share` of the group's weight stays.
    pub(crate) fn trip(&mut self, index: usize, share: f64) {
        self.motion.model.trip(index, share, &mut self.motion.state);
        let grid = self
            .motion
            .model
            .network
            .as_ref()
            .is_some_and(|n| n.utility.is_some());
        if !grid
            && self
                .motion
                .model
                .groups
                .iter()
                .all(|group| group.weight == 0.0)
        {
            self.collapsed = true;
            return;
        }
        self.after_jump();
    }

    /// The grid's frequency from now on: deviation and rate, per unit.
    pub(crate) fn set_frequency(&mut self, deviation: f64, slope: f64) {
        if let Some(utility) = self
            .motion
            .model
            .network
            .as_mut()
            .and_then(|n| n.utility.as_mut())
        {
            utility.slope = slope;
            self.motion.state[0] = deviation;
            self.after_jump();
        }
    }

    /// The size of the grid's voltage from now on.
    pub(crate) fn set_grid_voltage(&mut self, size: f64) {
        if let Some(utility) = self
            .motion
            .model
            .network
            .as_mut()
            .and_then(|n| n.utility.as_mut())
        {
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
        for group in &self.motion.model.groups {
            self.kinks.note_if_delayed(time, group.dead_time);
        }
    }
}
