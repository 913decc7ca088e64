//! State and rates of one plant, or of four in lock-step, and one step of the classical fourth-order Runge-Kutta method.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use multiversion::multiversion;

use crate::bus::Phasor;
use crate::governor::Signals;
use crate::lane::Lane;
use crate::limiter::Mode;
use crate::model::{Instant, Memory, Model, Power, evaluate, pin};

/// Speed below which a plant has collapsed, per unit.
pub(crate) const COLLAPSE_LOW: f64 = 0.5;
/// Speed above which a plant has collapsed, per unit.
pub(crate) const COLLAPSE_HIGH: f64 = 1.5;

/// State, stages and what belongs to them. Slot 0 of a state array is the speed deviation, then every group's states.
#[derive(Debug, Clone)]
pub(crate) struct Motion<L: Lane = f64> {
    pub(crate) model: Model<L>,
    pub(crate) modes: Vec<L::Each<Mode>>,
    pub(crate) state: Vec<L>,
    pub(crate) rate: Vec<L>,
    pub(crate) signals: Vec<Signals<L>>,
    stage: Vec<L>,
    stage_rates: [Vec<L>; 3],
    pub(crate) end: Vec<L>,
    pub(crate) end_rate: Vec<L>,
    pub(crate) end_signals: Vec<Signals<L>>,
    pub(crate) memory: Memory<L>,
    /// Voltage of the bus at the present state, and how it goes on: every trial sets out from it, so equal trials give equal results.
    pub(crate) course: Course<L>,
}

/// Voltage of the bus and how it has moved: a first guess of the stages.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Course<L = f64> {
    pub(crate) voltage: Phasor<L>,
    /// Rate and its rate over the last steps, zero after a jump.
    pub(crate) rate: Phasor<L>,
    pub(crate) bend: Phasor<L>,
    /// Length of the last step, zero after a jump, seconds.
    pub(crate) length: L,
}

impl<L: Lane> Course<L> {
    /// At a voltage from which it may go anywhere.
    pub(crate) fn from(voltage: Phasor<L>) -> Self {
        Self {
            voltage,
            ..Self::default()
        }
    }

    /// All its numbers.
    pub(crate) fn numbers(&mut self) -> [&mut L; 7] {
        [
            &mut self.voltage.re,
            &mut self.voltage.im,
            &mut self.rate.re,
            &mut self.rate.im,
            &mut self.bend.re,
            &mut self.bend.im,
            &mut self.length,
        ]
    }

    /// After a step that ended at a voltage. Two equal steps in a row give a bend; others may be too short to tell.
    #[inline(always)]
    fn next(self, voltage: Phasor<L>, length: L) -> Self {
        let zero = L::of(0.0);
        let per_second = L::of(1.0) / length;
        let rate = Phasor {
            re: (voltage.re - self.voltage.re) * per_second,
            im: (voltage.im - self.voltage.im) * per_second,
        };
        let even = self.length.at_least(length) & self.length.at_most(length);
        let bend = Phasor {
            re: L::pick(even, (rate.re - self.rate.re) * per_second, zero),
            im: L::pick(even, (rate.im - self.rate.im) * per_second, zero),
        };
        Self {
            voltage,
            rate,
            bend,
            length,
        }
    }

    /// Voltage after half a step.
    #[inline(always)]
    fn middle(self, half: L) -> Phasor<L> {
        // The rate is that of the last step's middle.
        let by_bend = half * L::of(0.5) * (self.length + half);
        self.voltage
            .moved(half, self.rate)
            .moved(by_bend, self.bend)
    }
}

/// A state moved by a time times its rates.
#[inline(always)]
fn along<'a, L: Lane>(out: &'a mut [L], state: &[L], by: L, rates: &[L]) -> &'a mut [L] {
    for ((out, start), rate) in out.iter_mut().zip(state).zip(rates) {
        *out = *start + by * *rate;
    }
    out
}

impl<L: Lane> Motion<L> {
    /// At a state, not evaluated yet.
    pub(crate) fn new(
        model: Model<L>,
        state: Vec<L>,
        memory: Memory<L>,
        free: &L::Each<Mode>,
    ) -> Self {
        let groups = model.groups.len();
        let zeros = vec![L::of(0.0); state.len()];
        Self {
            modes: vec![free.clone(); groups],
            rate: zeros.clone(),
            signals: vec![Signals::default(); groups],
            stage: zeros.clone(),
            stage_rates: [zeros.clone(), zeros.clone(), zeros.clone()],
            end: zeros.clone(),
            end_rate: zeros,
            end_signals: vec![Signals::default(); groups],
            course: Course::from(memory.voltage),
            memory,
            model,
            state,
        }
    }

    /// Derivatives and signals of the present state under a load, into those of the end.
    #[inline(always)]
    pub(crate) fn evaluate(&mut self, at: Instant<L>) {
        evaluate(
            &self.model,
            &mut self.memory,
            &self.modes,
            at,
            &self.state,
            &mut self.end_rate,
            &mut self.end_signals,
        );
    }

    /// Makes what [`Motion::evaluate`] found that of the present state, which has jumped.
    pub(crate) fn take_evaluation(&mut self) {
        self.course = Course::from(self.memory.voltage);
        std::mem::swap(&mut self.rate, &mut self.end_rate);
        std::mem::swap(&mut self.signals, &mut self.end_signals);
    }

    /// Integrates `length` from the present state at `time` into `end`; the load in the middle and at the end.
    #[inline(always)]
    pub(crate) fn runge_kutta(&mut self, length: f64, time: L, [middle, last]: [Power<L>; 2]) {
        let Self {
            model,
            modes,
            state,
            rate,
            stage,
            stage_rates: [second, third, fourth],
            end,
            end_rate,
            end_signals,
            memory,
            course,
            ..
        } = self;
        let half = 0.5 * length;
        memory.voltage = course.middle(L::of(half));
        for pass in 0..4 {
            let (offset, load) = if pass < 2 {
                (half, middle)
            } else {
                (length, last)
            };
            let by = L::of(offset);
            let (point, into): (&mut [L], &mut [L]) = match pass {
                0 => (along(stage, state, by, rate), second),
                1 => (along(stage, state, by, second), third),
                2 => (along(stage, state, by, third), fourth),
                _ => {
                    let sixth = L::of(length / 6.0);
                    let rates = rate.iter().zip(&*second).zip(&*third).zip(&*fourth);
                    for ((out, start), (((a, b), c), d)) in end.iter_mut().zip(&*state).zip(rates) {
                        *out = *start + sixth * (*a + L::of(2.0) * (*b + *c) + *d);
                    }
                    pin(model, modes, end, false);
                    (end, end_rate)
                }
            };
            if pass == 2 {
                // As far again as the middle is from the start, and what the bend adds.
                let (middle, start) = (memory.voltage, course.voltage);
                let square = by * by * L::of(0.25);
                memory.voltage = Phasor {
                    re: middle.re + (middle.re - start.re),
                    im: middle.im + (middle.im - start.im),
                }
                .moved(square, course.bend);
            }
            let at = Instant::new(time + by, load);
            evaluate(model, memory, modes, at, point, into, end_signals);
        }
    }

    /// Largest pressure of any limiter at the present state.
    #[inline(always)]
    pub(crate) fn pressure(&self) -> L {
        let mut pressure = L::of(f64::NEG_INFINITY);
        for ((group, modes), signals) in
            self.model.groups.iter().zip(&self.modes).zip(&self.signals)
        {
            if !group.off() {
                let (own, speed) = (group.own(&self.state), group.governed(&self.state));
                pressure = pressure.or_more(group.pressure(modes, own, speed, signals));
            }
        }
        pressure
    }

    /// Largest pressure of any limiter at the end of a step, or of the speed on its bounds; infinite where a value is not finite.
    #[inline(always)]
    pub(crate) fn pressure_at_end(&self, locating: bool) -> L {
        let speed = self.end[0];
        let mut pressure =
            (L::of(COLLAPSE_LOW - 1.0) - speed).or_more(speed - L::of(COLLAPSE_HIGH - 1.0));
        let mut sound = L::mask(|_| true);
        for (value, rate) in self.end.iter().zip(&self.end_rate) {
            sound = sound & value.sound() & rate.sound();
        }
        let each = self.model.groups.iter().zip(&self.modes);
        for ((group, modes), signals) in each.zip(&self.end_signals) {
            if group.off() {
                continue;
            }
            sound = sound & signals.output.sound() & signals.want.sound();
            if locating {
                let (own, speed) = (group.own(&self.end), group.governed(&self.end));
                pressure = pressure.or_more(group.pressure(modes, own, speed, signals));
            }
        }
        L::pick(sound, pressure, L::of(f64::INFINITY))
    }

    /// Makes the end of a step of `length` the present state; `clamp` where no crossing of a limit has been located.
    #[inline(always)]
    pub(crate) fn accept(&mut self, length: f64, clamp: bool) {
        std::mem::swap(&mut self.state, &mut self.end);
        std::mem::swap(&mut self.rate, &mut self.end_rate);
        std::mem::swap(&mut self.signals, &mut self.end_signals);
        if length > 0.0 {
            self.course = self.course.next(self.memory.voltage, L::of(length));
        } else {
            self.course.voltage = self.memory.voltage;
        }
        if clamp {
            pin(&self.model, &self.modes, &mut self.state, true);
        }
        if let Some(network) = &self.model.network {
            network.clamp(&mut self.state, &self.signals);
        }
    }
}

impl Motion {
    /// Integrates one plant as [`Motion::runge_kutta`] does; returns the pressure at the end.
    pub(crate) fn trial(
        &mut self,
        length: f64,
        time: f64,
        loads: [Power; 2],
        locating: bool,
    ) -> f64 {
        trial_of_one(self, length, time, loads, locating)
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn trial_of_one(
    motion: &mut Motion,
    length: f64,
    time: f64,
    loads: [Power; 2],
    locating: bool,
) -> f64 {
    motion.runge_kutta(length, time, loads);
    motion.pressure_at_end(locating)
}
