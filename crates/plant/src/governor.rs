//! Governor and engine of one group of equal sets, as first-order states.
//!
//! Every group owns a run of states in one flat array, so a later kernel can run many lanes side by side.
//! Slot 0 is what a limiter acts on (DEGOV1 `x5`, TGOV1 valve, PI integral), slot 1 the boost, the rest are lags.
//! The governor output is computed from states alone; the shaft acceleration follows from all outputs, and only then
//! the derivatives, because a lead without a lag behind it needs the acceleration.

use crate::general::{General, In};
use crate::limiter::{Mode, Sub};
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
pub(crate) enum ControlBox {
    /// `T1 = 0`: output is the error.
    Through,
    /// `T2 = 0`: lead-lag; `lead = T3/T1`.
    Lag { inv_t1: f64, lead: f64 },
    /// Both: second order.
    Second { t1: f64, inv: f64, t3: f64 },
}

/// DEGOV1 actuator `(1+T4 s)/[(1+T5 s)(1+T6 s)]` before its integrator.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Actuator {
    /// No lag.
    Through,
    /// One lag.
    Lag { inv: f64 },
    /// Two lags.
    Second { sum: f64, inv: f64 },
}

/// What sets the throttle.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Law {
    /// Torque stays.
    Constant { output: f64 },
    /// TGOV1 with a valve lag: `inv_t1 (setpoint − gain Δω − a)`.
    Valve {
        inv_t1: f64,
        gain: f64,
        setpoint: f64,
    },
    /// `integral − kp Δω`, `integral' = −ki Δω`: PI, and TGOV1 without a valve lag (`ki = 0`, `kp = 1/R`).
    Static { kp: f64, ki: f64 },
    /// A governor with its limits in its right side.
    General(General),
    /// DEGOV1 with `reference = R P0`.
    Degov1 {
        control: ControlBox,
        actuator: Actuator,
        k: f64,
        t4: f64,
        droop: f64,
        reference: f64,
    },
}

/// What stands between the throttle (after the dead time) and the shaft.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Engine {
    /// Output is the throttle.
    Direct,
    /// First-order lag.
    Lag { inv: f64 },
    /// `(1+T2 s)/(1+T3 s)`; `lead = T2/T3`.
    LeadLag { inv: f64, lead: f64 },
}

/// Boost of a turbocharger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turbo {
    pub(crate) inv_tau: f64,
    pub(crate) acceptance: f64,
}

/// A group of equal sets in an equal state: one exact equivalent.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Where its states begin in a whole state array, and how many they are.
    pub(crate) at: usize,
    pub(crate) width: usize,
    /// Slot of its speed deviation: the common one, or its own.
    pub(crate) speed_at: usize,
    /// Slot of the trim of its speed reference, where it hangs on a load-sharing line.
    pub(crate) trim_at: Option<usize>,
    /// kVA of the group over kVA of the plant.
    pub(crate) weight: f64,
    pub(crate) inertia: f64,
    pub(crate) damping: f64,
    pub(crate) law: Law,
    pub(crate) engine: Engine,
    /// TGOV1 turbine damping.
    pub(crate) turbine_damping: f64,
    /// The output is power and is divided by the speed to give torque.
    pub(crate) output_is_power: bool,
    /// It is so in both torque conventions.
    pub(crate) always_over_speed: bool,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) turbo: Option<Turbo>,
    pub(crate) dead_time: f64,
}

/// What a group does at one instant, beside its state derivatives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Signals {
    /// Throttle after the limiter, before the dead time.
    pub(crate) throttle: f64,
    /// Its rate in the present mode.
    pub(crate) throttle_rate: f64,
    /// Rate the throttle would have without its limiter.
    pub(crate) want: f64,
    /// What enters the dead time, and its rate.
    pub(crate) fuel: f64,
    pub(crate) fuel_rate: f64,
    /// Electrical power of the set.
    pub(crate) power: f64,
    /// Throttle that reaches the engine, after the dead time.
    pub(crate) input: f64,
    /// Governor and engine output, power or torque.
    pub(crate) output: f64,
    /// Torque on the shaft.
    pub(crate) torque: f64,
    /// Rate of the upper limit when the ceiling is the boost.
    pub(crate) ceiling_rate: f64,
    /// Acceleration the governor sees: that of the shaft less the trim's rate.
    pub(crate) acceleration: f64,
    /// Trim of the speed reference and its rate.
    pub(crate) trim: f64,
    pub(crate) trim_rate: f64,
    /// Alternator, where there is one.
    pub(crate) electric: Electric,
    pub(crate) stator: Stator,
    /// Its voltage behind the subtransient reactances, and its rotor's direction.
    pub(crate) behind: (f64, f64),
    pub(crate) turn: Turn,
}

/// What an alternator does at one instant, per unit of its set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Electric {
    /// Terminal voltage.
    pub(crate) voltage: f64,
    /// Active power delivered at the terminals.
    pub(crate) active: f64,
    /// Reactive power delivered.
    pub(crate) reactive: f64,
    /// Field voltage.
    pub(crate) field: f64,
    /// Field current `XadIfd`.
    pub(crate) field_current: f64,
}

impl Group {
    /// Its part of a whole state array.
    pub(crate) fn own<'a>(&self, state: &'a [f64]) -> &'a [f64] {
        &state[self.at..self.at + self.width]
    }

    /// The same, to be written.
    pub(crate) fn own_mut<'a>(&self, state: &'a mut [f64]) -> &'a mut [f64] {
        &mut state[self.at..self.at + self.width]
    }

    /// Speed deviation the governor sees: less the trim of its reference.
    pub(crate) fn governed(&self, state: &[f64]) -> f64 {
        let speed = state[self.speed_at];
        self.trim_at.map_or(speed, |at| speed - state[at])
    }

    /// Moving ceiling `B + acceptance`, infinite without a turbocharger.
    pub(crate) fn boost_ceiling(&self, state: &[f64]) -> f64 {
        self.turbo
            .map_or(f64::INFINITY, |turbo| state[BOOST] + turbo.acceptance)
    }

    /// Upper limit in force.
    pub(crate) fn upper_limit(&self, state: &[f64]) -> f64 {
        self.boost_ceiling(state).min(self.upper).max(self.lower)
    }

    /// Throttle without its limiter; `speed` is the governed one, here and in [`Group::throttle`] and [`Group::pin`].
    pub(crate) fn unlimited(&self, state: &[f64], speed: f64) -> f64 {
        match self.law {
            Law::Constant { output } => output,
            Law::Static { kp, .. } => state[LIMITED] - kp * speed,
            Law::General(_) | Law::Valve { .. } | Law::Degov1 { .. } => state[LIMITED],
        }
    }

    /// Throttle in the present mode; a limited throttle is the limit itself, so it cannot drift from it.
    pub(crate) fn throttle(&self, mode: Mode, state: &[f64], speed: f64) -> f64 {
        match mode.limiter {
            Limiter::None => self.unlimited(state, speed),
            Limiter::Upper => self.upper,
            Limiter::Lower => self.lower,
            Limiter::Turbo => self.upper_limit(state),
        }
    }

    /// What enters the dead time: the throttle, or the fuel it lets through.
    pub(crate) fn fuel(&self, throttle: f64, speed: f64) -> f64 {
        if let Law::General(general) = &self.law {
            general.fuel(throttle, speed)
        } else {
            throttle
        }
    }

    /// Output of the engine; `input` is the throttle after the dead time.
    pub(crate) fn output(&self, state: &[f64], speed: f64, input: f64) -> f64 {
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
    pub(crate) fn rates(
        &self,
        mode: Mode,
        state: &[f64],
        speed: f64,
        signals: &mut Signals,
        rate: &mut [f64],
    ) {
        let mut boost_rate = 0.0;
        if let Some(turbo) = self.turbo {
            // What the engine burns, before the turbine damping: at rest the boost is then the throttle itself, so a
            // start off nominal speed cannot stand above its own ceiling.
            let engine = signals.output + self.turbine_damping * speed;
            boost_rate = (engine - state[BOOST]) * turbo.inv_tau;
        }
        rate[BOOST] = boost_rate;
        signals.ceiling_rate = if self.boost_ceiling(state) > self.lower {
            boost_rate
        } else {
            0.0
        };
        let limit_rate = if mode.limiter == Limiter::Turbo {
            signals.ceiling_rate
        } else {
            0.0
        };
        let free = mode.limiter == Limiter::None;
        let governed = speed - signals.trim;
        match self.law {
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
                signals.want = inv_t1 * (setpoint - gain * governed - signals.throttle);
            }
            Law::Static { kp, ki } => {
                let integral_rate = -ki * governed;
                signals.want = integral_rate - kp * signals.acceleration;
                signals.throttle_rate = if free { signals.want } else { limit_rate };
                rate[LIMITED] = match mode.sub {
                    Sub::Follow if !free => limit_rate + kp * signals.acceleration,
                    Sub::Hold if !free => 0.0,
                    _ => integral_rate,
                };
            }
            Law::Degov1 {
                control,
                actuator,
                k,
                t4,
                droop,
                reference,
            } => {
                let error = reference - governed - droop * signals.throttle;
                let state = &state[LAG..];
                let rate = &mut rate[LAG..];
                // y1 and, as `known + by_error · error'`, its derivative.
                let (y1, known, by_error) = match control {
                    ControlBox::Through => (error, 0.0, 1.0),
                    ControlBox::Lag { inv_t1, lead } => {
                        rate[0] = (error - state[0]) * inv_t1;
                        (
                            state[0] + lead * (error - state[0]),
                            rate[0] * (1.0 - lead),
                            lead,
                        )
                    }
                    ControlBox::Second { t1, inv, t3 } => {
                        rate[0] = state[1];
                        rate[1] = (error - state[0] - t1 * state[1]) * inv;
                        (state[0] + t3 * state[1], state[1] + t3 * rate[1], 0.0)
                    }
                };
                signals.want = match actuator {
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
                        if free {
                            driven / (1.0 + feedback)
                        } else {
                            driven - feedback * limit_rate
                        }
                    }
                };
            }
        }
        if matches!(self.law, Law::Valve { .. } | Law::Degov1 { .. }) {
            signals.throttle_rate = if free { signals.want } else { limit_rate };
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
    pub(crate) fn pin(&self, mode: Mode, state: &mut [f64], speed: f64) {
        if mode.limiter == Limiter::None {
            return;
        }
        let limit = self.throttle(mode, state, speed);
        match self.law {
            Law::Constant { .. } | Law::General(_) => {}
            Law::Valve { .. } | Law::Degov1 { .. } => state[LIMITED] = limit,
            Law::Static { kp, .. } => {
                if mode.sub == Sub::Follow {
                    state[LIMITED] = limit + kp * speed;
                }
            }
        }
    }

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

    /// Brings a free throttle back between its limits, when a step was taken without locating the crossing.
    pub(crate) fn clamp(&self, mode: Mode, state: &mut [f64]) {
        if let Law::General(general) = &self.law {
            let (low, high) = general.limits();
            state[LIMITED] = state[LIMITED].clamp(low, high);
        } else if mode.limiter == Limiter::None
            && matches!(self.law, Law::Valve { .. } | Law::Degov1 { .. })
        {
            state[LIMITED] = state[LIMITED].min(self.upper_limit(state)).max(self.lower);
        }
    }
}
