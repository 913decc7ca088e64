//! Governor and engine of one group of equal sets, as first-order states.
//!
//! Every group owns a run of states in one flat array, so a later kernel can run many lanes side by side.
//! Slot 0 is what a limiter acts on (DEGOV1 `x5`, TGOV1 valve, PI integral), slot 1 the boost, the rest are lags.
//! The governor output is computed from states alone; the shaft acceleration follows from all outputs, and only then
//! the derivatives, because a lead without a lag behind it needs the acceleration.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::general::{General, In};
use crate::lane::{F64x4, LANES, Lane};
use crate::limiter::{Mode, Sub, by_mode};
use crate::machine::Stator;
use crate::network::Turn;
use crate::plant::Limiter;

/// States of the laws of this file.
pub(crate) const WIDTH: usize = 6;
/// Slot of the limited state.
pub(crate) const LIMITED: usize = 0;
/// Slot of the boost state.
pub(crate) const BOOST: usize = 1;
/// First slot of the lags: DEGOV1 control box, TGOV1 lead-lag, PI engine.
pub(crate) const LAG: usize = 2;

/// DEGOV1 control box `(1+T3 s)/(1+T1 s+T1 T2 s²)`; zero constants drop terms.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ControlBox<L = f64> {
    /// `T1 = 0`: output is the error.
    Through,
    /// `T2 = 0`: lead-lag; `lead = T3/T1`.
    Lag { inv_t1: L, lead: L },
    /// Both: second order.
    Second { t1: L, inv: L, t3: L },
}

/// DEGOV1 actuator `(1+T4 s)/[(1+T5 s)(1+T6 s)]` before its integrator.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Actuator<L = f64> {
    /// No lag.
    Through,
    /// One lag.
    Lag { inv: L },
    /// Two lags.
    Second { sum: L, inv: L },
}

/// What sets the throttle.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Law<L = f64> {
    /// Torque stays.
    Constant { output: L },
    /// TGOV1 with a valve lag: `inv_t1 (setpoint − gain Δω − a)`.
    Valve { inv_t1: L, gain: L, setpoint: L },
    /// `integral − kp Δω`, `integral' = −ki Δω`: PI, and TGOV1 without a valve lag (`ki = 0`, `kp = 1/R`).
    Static { kp: L, ki: L },
    /// A governor with its limits in its right side.
    General(General<L>),
    /// DEGOV1 with `reference = R P0`.
    Degov1 {
        control: ControlBox<L>,
        actuator: Actuator<L>,
        k: L,
        t4: L,
        droop: L,
        reference: L,
    },
}

/// What stands between the throttle (after the dead time) and the shaft.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Engine<L = f64> {
    /// Output is the throttle.
    Direct,
    /// First-order lag.
    Lag { inv: L },
    /// `(1+T2 s)/(1+T3 s)`; `lead = T2/T3`.
    LeadLag { inv: L, lead: L },
}

/// Boost of a turbocharger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turbo<L = f64> {
    pub(crate) inv_tau: L,
    pub(crate) acceptance: L,
}

/// A group of equal sets in an equal state: one exact equivalent.
#[derive(Debug, Clone)]
pub(crate) struct Group<L = f64> {
    /// Where its states begin in a whole state array, and how many they are.
    pub(crate) at: usize,
    pub(crate) width: usize,
    /// Slot of its speed deviation: the common one, or its own.
    pub(crate) speed_at: usize,
    /// Slot of the trim of its speed reference, where it hangs on a load-sharing line.
    pub(crate) trim_at: Option<usize>,
    /// kVA of the group over kVA of the plant.
    pub(crate) weight: L,
    pub(crate) inertia: L,
    /// `1/2H`.
    pub(crate) inv_two_h: L,
    pub(crate) damping: L,
    pub(crate) law: Law<L>,
    pub(crate) engine: Engine<L>,
    /// TGOV1 turbine damping.
    pub(crate) turbine_damping: L,
    /// The output is power and is divided by the speed to give torque.
    pub(crate) output_is_power: bool,
    /// It is so in both torque conventions.
    pub(crate) always_over_speed: bool,
    pub(crate) lower: L,
    pub(crate) upper: L,
    pub(crate) turbo: Option<Turbo<L>>,
    pub(crate) dead_time: L,
}

/// What a group does at one instant, beside its state derivatives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Signals<L = f64> {
    /// Throttle after the limiter, before the dead time.
    pub(crate) throttle: L,
    /// Its rate in the present mode.
    pub(crate) throttle_rate: L,
    /// Rate the throttle would have without its limiter.
    pub(crate) want: L,
    /// What enters the dead time, and its rate.
    pub(crate) fuel: L,
    pub(crate) fuel_rate: L,
    /// Electrical power of the set.
    pub(crate) power: L,
    /// Throttle that reaches the engine, after the dead time.
    pub(crate) input: L,
    /// Governor and engine output, power or torque.
    pub(crate) output: L,
    /// Torque on the shaft.
    pub(crate) torque: L,
    /// Rate of the upper limit when the ceiling is the boost.
    pub(crate) ceiling_rate: L,
    /// Acceleration the governor sees: that of the shaft less the trim's rate.
    pub(crate) acceleration: L,
    /// Trim of the speed reference and its rate.
    pub(crate) trim: L,
    pub(crate) trim_rate: L,
    /// Alternator, where there is one.
    pub(crate) electric: Electric<L>,
    pub(crate) stator: Stator<L>,
    /// Its voltage behind the subtransient reactances, and its rotor's direction.
    pub(crate) behind: (L, L),
    pub(crate) turn: Turn<L>,
}

/// What an alternator does at one instant, per unit of its set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Electric<L = f64> {
    /// Terminal voltage.
    pub(crate) voltage: L,
    /// Active power delivered at the terminals.
    pub(crate) active: L,
    /// Reactive power delivered.
    pub(crate) reactive: L,
    /// Field voltage.
    pub(crate) field: L,
    /// Field current `XadIfd`.
    pub(crate) field_current: L,
}

impl<L: Lane> Signals<L> {
    /// All its numbers.
    pub(crate) fn numbers(&mut self) -> [&mut L; 26] {
        let (e, s, turn) = (&mut self.electric, &mut self.stator, &mut self.turn);
        [
            &mut self.throttle,
            &mut self.throttle_rate,
            &mut self.want,
            &mut self.fuel,
            &mut self.fuel_rate,
            &mut self.power,
            &mut self.input,
            &mut self.output,
            &mut self.torque,
            &mut self.ceiling_rate,
            &mut self.acceleration,
            &mut self.trim,
            &mut self.trim_rate,
            &mut e.voltage,
            &mut e.active,
            &mut e.reactive,
            &mut e.field,
            &mut e.field_current,
            &mut s.vd,
            &mut s.vq,
            &mut s.id,
            &mut s.iq,
            &mut self.behind.0,
            &mut self.behind.1,
            &mut turn.sin,
            &mut turn.cos,
        ]
    }
}

impl<L: Lane> Group<L> {
    /// Off the bus: no set of it is left.
    #[inline(always)]
    pub(crate) fn off(&self) -> bool {
        self.weight == L::of(0.0)
    }

    /// Its part of a whole state array.
    #[inline(always)]
    pub(crate) fn own<'a>(&self, state: &'a [L]) -> &'a [L] {
        &state[self.at..self.at + self.width]
    }

    /// The same, to be written.
    #[inline(always)]
    pub(crate) fn own_mut<'a>(&self, state: &'a mut [L]) -> &'a mut [L] {
        &mut state[self.at..self.at + self.width]
    }

    /// Speed deviation the governor sees: less the trim of its reference.
    #[inline(always)]
    pub(crate) fn governed(&self, state: &[L]) -> L {
        let speed = state[self.speed_at];
        self.trim_at.map_or(speed, |at| speed - state[at])
    }

    /// Moving ceiling `B + acceptance`, infinite without a turbocharger.
    #[inline(always)]
    pub(crate) fn boost_ceiling(&self, state: &[L]) -> L {
        self.turbo.map_or(L::of(f64::INFINITY), |turbo| {
            state[BOOST] + turbo.acceptance
        })
    }

    /// Upper limit in force.
    #[inline(always)]
    pub(crate) fn upper_limit(&self, state: &[L]) -> L {
        self.boost_ceiling(state)
            .or_less(self.upper)
            .or_more(self.lower)
    }

    /// Throttle without its limiter; `speed` is the governed one, here and in [`Group::throttle`] and [`Group::pin`].
    #[inline(always)]
    pub(crate) fn unlimited(&self, state: &[L], speed: L) -> L {
        match self.law {
            Law::Constant { output } => output,
            Law::Static { kp, .. } => state[LIMITED] - kp * speed,
            Law::General(_) | Law::Valve { .. } | Law::Degov1 { .. } => state[LIMITED],
        }
    }

    /// Throttle in the present mode; a limited throttle is the limit itself, so it cannot drift from it.
    #[inline(always)]
    pub(crate) fn throttle(&self, modes: &L::Each<Mode>, state: &[L], speed: L) -> L {
        by_mode(modes, |mode| match mode.limiter {
            Limiter::None => self.unlimited(state, speed),
            Limiter::Upper => self.upper,
            Limiter::Lower => self.lower,
            Limiter::Turbo => self.upper_limit(state),
        })
    }

    /// What enters the dead time: the throttle, or the fuel it lets through.
    #[inline(always)]
    pub(crate) fn fuel(&self, throttle: L, speed: L) -> L {
        if let Law::General(general) = &self.law {
            general.fuel(throttle, speed)
        } else {
            throttle
        }
    }

    /// Output of the engine; `input` is the throttle after the dead time.
    #[inline(always)]
    pub(crate) fn output(&self, state: &[L], speed: L, input: L) -> L {
        if let Law::General(general) = &self.law {
            return general.output(&state[LAG..], speed, input);
        }
        let output = match self.engine {
            Engine::Direct => input,
            Engine::Lag { .. } => state[LAG],
            Engine::LeadLag { lead, .. } => state[LAG] + lead * (input - state[LAG]),
        };
        output - self.turbine_damping * speed
    }

    /// State derivatives; completes `signals`, whose throttle, input, output, torque and acceleration are set.
    #[inline(always)]
    pub(crate) fn rates(
        &self,
        modes: &L::Each<Mode>,
        state: &[L],
        speed: L,
        signals: &mut Signals<L>,
        rate: &mut [L],
    ) {
        let zero = L::of(0.0);
        let mut boost_rate = zero;
        if let Some(turbo) = self.turbo {
            // What the engine burns, before the turbine damping: at rest the boost is then the throttle itself, so a
            // start off nominal speed cannot stand above its own ceiling.
            let engine = signals.output + self.turbine_damping * speed;
            boost_rate = (engine - state[BOOST]) * turbo.inv_tau;
        }
        rate[BOOST] = boost_rate;
        let moves = self.boost_ceiling(state).above(self.lower);
        signals.ceiling_rate = L::pick(moves, boost_rate, zero);
        let ceiling_rate = signals.ceiling_rate;
        let limit_rate = |mode: Mode| {
            if mode.limiter == Limiter::Turbo {
                ceiling_rate
            } else {
                zero
            }
        };
        let governed = speed - signals.trim;
        match &self.law {
            Law::Constant { .. } => {}
            Law::General(general) => {
                let at = In {
                    valve: signals.throttle,
                    speed,
                    trim: signals.trim,
                    acceleration: signals.acceleration + signals.trim_rate,
                    input: signals.input,
                    power: signals.power,
                    ceiling: self.boost_ceiling(state),
                };
                let drive = general.rates(&state[LAG..], &at, &mut rate[LAG..]);
                rate[LIMITED] = drive.valve_rate;
                (signals.throttle_rate, signals.want) = (drive.valve_rate, drive.valve_rate);
                signals.fuel_rate = drive.fuel_rate;
                return;
            }
            Law::Valve {
                inv_t1,
                gain,
                setpoint,
            } => {
                signals.want = *inv_t1 * (*setpoint - *gain * governed - signals.throttle);
            }
            Law::Static { kp, ki } => {
                let integral_rate = -*ki * governed;
                let by_shaft = *kp * signals.acceleration;
                signals.want = integral_rate - by_shaft;
                rate[LIMITED] = by_mode(modes, |mode| match mode.sub {
                    Sub::Follow if mode.limits() => limit_rate(mode) + by_shaft,
                    Sub::Hold if mode.limits() => zero,
                    _ => integral_rate,
                });
            }
            Law::Degov1 {
                control,
                actuator,
                k,
                t4,
                droop,
                reference,
            } => {
                let (k, t4, droop) = (*k, *t4, *droop);
                let error = *reference - governed - droop * signals.throttle;
                let state = &state[LAG..];
                let rate = &mut rate[LAG..];
                let (y1, known, by_error) = control.rates(error, state, rate);
                signals.want = match *actuator {
                    Actuator::Second { sum, inv } => {
                        rate[2] = state[3];
                        rate[3] = (y1 - state[2] - sum * state[3]) * inv;
                        k * (state[2] + t4 * state[3])
                    }
                    Actuator::Lag { inv } => {
                        rate[2] = (y1 - state[2]) * inv;
                        k * (state[2] + t4 * rate[2])
                    }
                    // error' = −ω' − R THR', and THR' is the result itself while no limiter acts.
                    Actuator::Through => {
                        let driven = k * (y1 + t4 * (known - by_error * signals.acceleration));
                        let feedback = k * t4 * by_error * droop;
                        by_mode(modes, |mode| {
                            if mode.limits() {
                                driven - feedback * limit_rate(mode)
                            } else {
                                driven / (L::of(1.0) + feedback)
                            }
                        })
                    }
                };
            }
        }
        if !matches!(self.law, Law::Constant { .. }) {
            let want = signals.want;
            signals.throttle_rate = by_mode(modes, |mode| {
                if mode.limits() {
                    limit_rate(mode)
                } else {
                    want
                }
            });
        }
        if matches!(self.law, Law::Valve { .. } | Law::Degov1 { .. }) {
            rate[LIMITED] = signals.throttle_rate;
        }
        signals.fuel_rate = signals.throttle_rate;
        match self.engine {
            Engine::Direct => {}
            Engine::Lag { inv } | Engine::LeadLag { inv, .. } => {
                rate[LAG] = (signals.input - state[LAG]) * inv;
            }
        }
    }

    /// Puts the limited state on its limit, where the mode says it is.
    #[inline(always)]
    pub(crate) fn pin(&self, modes: &L::Each<Mode>, state: &mut [L], speed: L) {
        if !modes.as_ref().iter().any(|mode| mode.limits()) {
            return;
        }
        let limit = self.throttle(modes, state, speed);
        let kept = state[LIMITED];
        state[LIMITED] = by_mode(modes, |mode| match &self.law {
            Law::Valve { .. } | Law::Degov1 { .. } if mode.limits() => limit,
            Law::Static { kp, .. } if mode.limits() && mode.sub == Sub::Follow => {
                limit + *kp * speed
            }
            _ => kept,
        });
    }

    /// Brings a free throttle back between its limits, when a step was taken without locating the crossing.
    #[inline(always)]
    pub(crate) fn clamp(&self, modes: &L::Each<Mode>, state: &mut [L]) {
        let kept = state[LIMITED];
        match &self.law {
            Law::Constant { .. } | Law::Static { .. } => {}
            Law::General(general) => {
                let (low, high) = general.limits();
                state[LIMITED] = kept.within(low, high);
            }
            Law::Valve { .. } | Law::Degov1 { .. } => {
                let between = kept.or_less(self.upper_limit(state)).or_more(self.lower);
                state[LIMITED] = by_mode(modes, |mode| if mode.limits() { kept } else { between });
            }
        }
    }
}

impl Group {
    /// What limits the throttle.
    pub(crate) fn limiter(&self, mode: Mode, state: &[f64]) -> Limiter {
        if let Law::General(general) = &self.law {
            let (low, high) = general.limits();
            return if state[LIMITED] >= high {
                Limiter::Upper
            } else if state[LIMITED] <= low {
                Limiter::Lower
            } else if self.boost_ceiling(state) <= state[LIMITED] {
                Limiter::Turbo
            } else {
                Limiter::None
            };
        }
        mode.limiter
    }

    /// Those of four plants; `None` where they differ in kind.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<Group<F64x4>> {
        let first = each[0];
        let like = |g: &Self| {
            g.at == first.at
                && g.width == first.width
                && g.speed_at == first.speed_at
                && g.trim_at == first.trim_at
                && g.output_is_power == first.output_is_power
                && g.always_over_speed == first.always_over_speed
        };
        if !each.into_iter().all(like) {
            return None;
        }
        let of = |get: fn(&Self) -> f64| F64x4::by_lane(|lane| get(each[lane]));
        let turbos = each.map(|g| g.turbo);
        Some(Group {
            at: first.at,
            width: first.width,
            speed_at: first.speed_at,
            trim_at: first.trim_at,
            weight: of(|g| g.weight),
            inertia: of(|g| g.inertia),
            inv_two_h: of(|g| g.inv_two_h),
            damping: of(|g| g.damping),
            law: Law::pack(each.map(|g| &g.law))?,
            engine: Engine::pack(each.map(|g| &g.engine))?,
            turbine_damping: of(|g| g.turbine_damping),
            output_is_power: first.output_is_power,
            always_over_speed: first.always_over_speed,
            lower: of(|g| g.lower),
            upper: of(|g| g.upper),
            // Without a turbocharger the ceiling is infinite.
            turbo: turbos.iter().any(Option::is_some).then(|| Turbo {
                inv_tau: F64x4::by_lane(|lane| turbos[lane].map_or(0.0, |t| t.inv_tau)),
                acceptance: F64x4::by_lane(|lane| {
                    turbos[lane].map_or(f64::INFINITY, |t| t.acceptance)
                }),
            }),
            dead_time: of(|g| g.dead_time),
        })
    }
}

impl Law {
    fn pack(each: [&Self; LANES]) -> Option<Law<F64x4>> {
        Some(match each {
            [
                Self::General(a),
                Self::General(b),
                Self::General(c),
                Self::General(d),
            ] => Law::General(General::pack([a, b, c, d])?),
            [Self::Degov1 { .. }, ..] => {
                let boxes = each.map(|law| match law {
                    Self::Degov1 {
                        control, actuator, ..
                    } => Some((control, actuator)),
                    _ => None,
                });
                let [Some(a), Some(b), Some(c), Some(d)] = boxes else {
                    return None;
                };
                let [k, t4, droop, reference] = all(each.map(|law| match law {
                    Self::Degov1 {
                        k,
                        t4,
                        droop,
                        reference,
                        ..
                    } => Some([*k, *t4, *droop, *reference]),
                    _ => None,
                }))?;
                Law::Degov1 {
                    control: ControlBox::pack([a.0, b.0, c.0, d.0])?,
                    actuator: Actuator::pack([a.1, b.1, c.1, d.1])?,
                    k,
                    t4,
                    droop,
                    reference,
                }
            }
            [Self::Valve { .. }, ..] => {
                let [inv_t1, gain, setpoint] = all(each.map(|law| match law {
                    Self::Valve {
                        inv_t1,
                        gain,
                        setpoint,
                    } => Some([*inv_t1, *gain, *setpoint]),
                    _ => None,
                }))?;
                Law::Valve {
                    inv_t1,
                    gain,
                    setpoint,
                }
            }
            [Self::Static { .. }, ..] => {
                let [kp, ki] = all(each.map(|law| match law {
                    Self::Static { kp, ki } => Some([*kp, *ki]),
                    _ => None,
                }))?;
                Law::Static { kp, ki }
            }
            _ => {
                let [output] = all(each.map(|law| match law {
                    Self::Constant { output } => Some([*output]),
                    _ => None,
                }))?;
                Law::Constant { output }
            }
        })
    }
}

impl<L: Lane> ControlBox<L> {
    /// Rates of its states; its output and, as `known + by_error · error'`, the output's derivative.
    #[inline(always)]
    fn rates(&self, error: L, state: &[L], rate: &mut [L]) -> (L, L, L) {
        match *self {
            ControlBox::Through => (error, L::of(0.0), L::of(1.0)),
            ControlBox::Lag { inv_t1, lead } => {
                rate[0] = (error - state[0]) * inv_t1;
                (
                    state[0] + lead * (error - state[0]),
                    rate[0] * (L::of(1.0) - lead),
                    lead,
                )
            }
            ControlBox::Second { t1, inv, t3 } => {
                rate[0] = state[1];
                rate[1] = (error - state[0] - t1 * state[1]) * inv;
                (
                    state[0] + t3 * state[1],
                    state[1] + t3 * rate[1],
                    L::of(0.0),
                )
            }
        }
    }
}

/// Numbers of four, turned: by number instead of by plant.
fn turned<const N: usize>(each: [[f64; N]; LANES]) -> [F64x4; N] {
    std::array::from_fn(|index| F64x4::by_lane(|lane| each[lane][index]))
}

/// Of all four, or none.
fn all<const N: usize>(each: [Option<[f64; N]>; LANES]) -> Option<[F64x4; N]> {
    let [Some(a), Some(b), Some(c), Some(d)] = each else {
        return None;
    };
    Some(turned([a, b, c, d]))
}

impl ControlBox {
    fn pack(each: [&Self; LANES]) -> Option<ControlBox<F64x4>> {
        let lag = all(each.map(|one| match one {
            Self::Lag { inv_t1, lead } => Some([*inv_t1, *lead]),
            _ => None,
        }));
        let second = all(each.map(|one| match one {
            Self::Second { t1, inv, t3 } => Some([*t1, *inv, *t3]),
            _ => None,
        }));
        if let Some([inv_t1, lead]) = lag {
            Some(ControlBox::Lag { inv_t1, lead })
        } else if let Some([t1, inv, t3]) = second {
            Some(ControlBox::Second { t1, inv, t3 })
        } else {
            let through = |one: &&Self| matches!(one, Self::Through);
            each.iter().all(through).then_some(ControlBox::Through)
        }
    }
}

impl Actuator {
    fn pack(each: [&Self; LANES]) -> Option<Actuator<F64x4>> {
        let lag = all(each.map(|one| match one {
            Self::Lag { inv } => Some([*inv]),
            _ => None,
        }));
        let second = all(each.map(|one| match one {
            Self::Second { sum, inv } => Some([*sum, *inv]),
            _ => None,
        }));
        if let Some([inv]) = lag {
            Some(Actuator::Lag { inv })
        } else if let Some([sum, inv]) = second {
            Some(Actuator::Second { sum, inv })
        } else {
            let through = |one: &&Self| matches!(one, Self::Through);
            each.iter().all(through).then_some(Actuator::Through)
        }
    }
}

impl Engine {
    fn pack(each: [&Self; LANES]) -> Option<Engine<F64x4>> {
        let lag = all(each.map(|one| match one {
            Self::Lag { inv } => Some([*inv]),
            _ => None,
        }));
        let lead_lag = all(each.map(|one| match one {
            Self::LeadLag { inv, lead } => Some([*inv, *lead]),
            _ => None,
        }));
        if let Some([inv]) = lag {
            Some(Engine::Lag { inv })
        } else if let Some([inv, lead]) = lead_lag {
            Some(Engine::LeadLag { inv, lead })
        } else {
            let direct = |one: &&Self| matches!(one, Self::Direct);
            each.iter().all(direct).then_some(Engine::Direct)
        }
    }
}
