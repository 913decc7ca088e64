//! Modes of a throttle limiter and the events between them.
//!
//! Two kinds of limiter stand in the models. A limited *integrator* (DEGOV1 actuator, TGOV1 valve) stays on its limit
//! while the rate it is asked for points outward, and leaves it at the instant that rate turns inward. A limited
//! *sum* (PI, TGOV1 without valve lag) leaves when the sum is back inside; its integral is held meanwhile.
//! Holding alone deadlocks: at the limit the held sum may move inward and the running sum outward. The solution in
//! Filippov's sense then follows the limit, `Sub::Follow`. Source: Hiskens, "Trajectory deadlock in power system
//! models", ISCAS 2011.

use crate::governor::{Group, Law, Signals};
use crate::plant::Limiter;

/// Rates closer to zero than this do not switch a mode, so a steady state on a limit does not chatter.
const RATE_TOLERANCE: f64 = 1e-12;
/// Overshoot below which a throttle that moves inward counts as inside.
const LEVEL_TOLERANCE: f64 = 1e-12;

/// What the integral of a limited sum does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sub {
    /// Runs (its rate points inward).
    Run,
    /// Is held: its rate points outward.
    Hold,
    /// Follows the limit.
    Follow,
}

/// Mode of one limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) limiter: Limiter,
    pub(crate) sub: Sub,
}

impl Mode {
    pub(crate) const FREE: Self = Self {
        limiter: Limiter::None,
        sub: Sub::Run,
    };
}

/// Outward rates of a limited sum.
struct Outward {
    /// How far the sum is beyond the limit.
    excess: f64,
    /// Rate of the integral.
    integral: f64,
    /// Rate of the rest of the sum, relative to the limit.
    rest: f64,
}

impl Group {
    fn outward(&self, limiter: Limiter, state: &[f64], speed: f64, signals: &Signals) -> Outward {
        let (kp, ki) = if let Law::Static { kp, ki } = self.law {
            (kp, ki)
        } else {
            (0.0, 0.0)
        };
        let (sign, limit, limit_rate) = match limiter {
            Limiter::Lower => (-1.0, self.lower, 0.0),
            Limiter::Turbo => (1.0, self.upper_limit(state), signals.ceiling_rate),
            Limiter::Upper | Limiter::None => (1.0, self.upper, 0.0),
        };
        Outward {
            excess: sign * (self.unlimited(state, speed) - limit),
            integral: -sign * ki * speed,
            rest: sign * (-kp * signals.acceleration - limit_rate),
        }
    }

    /// Which upper limit is the lower one.
    fn upper_limiter(&self, state: &[f64]) -> Limiter {
        if self.boost_ceiling(state) < self.upper {
            Limiter::Turbo
        } else {
            Limiter::Upper
        }
    }

    fn above_upper(&self, state: &[f64], speed: f64, signals: &Signals) -> f64 {
        let limiter = self.upper_limiter(state);
        let limit_rate = if limiter == Limiter::Turbo {
            signals.ceiling_rate
        } else {
            0.0
        };
        let above = self.unlimited(state, speed) - self.upper_limit(state);
        inside_if_returning(above, signals.want - limit_rate)
    }

    fn below_lower(&self, state: &[f64], speed: f64, signals: &Signals) -> f64 {
        inside_if_returning(self.lower - self.unlimited(state, speed), -signals.want)
    }

    /// Positive when the mode has ended; continuous in time, so its zero can be located.
    pub(crate) fn pressure(&self, mode: Mode, state: &[f64], speed: f64, signals: &Signals) -> f64 {
        if matches!(self.law, Law::Constant { .. } | Law::General(_)) {
            return -1.0;
        }
        if mode.limiter == Limiter::None {
            return self
                .above_upper(state, speed, signals)
                .max(self.below_lower(state, speed, signals));
        }
        // Hand-over between the fixed and the moving upper limit.
        let hand_over = match mode.limiter {
            Limiter::Upper => self.upper - self.boost_ceiling(state),
            Limiter::Turbo => self.boost_ceiling(state) - self.upper,
            Limiter::Lower | Limiter::None => f64::NEG_INFINITY,
        };
        let leave = if let Law::Static { ki, .. } = self.law {
            let out = self.outward(mode.limiter, state, speed, signals);
            match mode.sub {
                Sub::Hold => (-out.integral - RATE_TOLERANCE).max(-out.excess),
                Sub::Run if ki == 0.0 => -out.excess,
                Sub::Run => (out.integral - RATE_TOLERANCE).max(-out.excess),
                Sub::Follow => {
                    (out.rest - RATE_TOLERANCE).max(-(out.rest + out.integral) - RATE_TOLERANCE)
                }
            }
        } else {
            let inward = match mode.limiter {
                Limiter::Lower => signals.want,
                Limiter::Turbo => signals.ceiling_rate - signals.want,
                Limiter::Upper | Limiter::None => -signals.want,
            };
            inward - RATE_TOLERANCE
        };
        leave.max(hand_over)
    }

    /// Mode after the event that made [`Group::pressure`] positive.
    pub(crate) fn next_mode(
        &self,
        mode: Mode,
        state: &[f64],
        speed: f64,
        signals: &Signals,
    ) -> Mode {
        let limiter = match mode.limiter {
            Limiter::None if self.above_upper(state, speed, signals) > 0.0 => {
                self.upper_limiter(state)
            }
            Limiter::None | Limiter::Lower => Limiter::Lower,
            Limiter::Upper | Limiter::Turbo => self.upper_limiter(state),
        };
        if matches!(self.law, Law::Static { .. }) {
            return self.resolve_sum(limiter, state, speed, signals);
        }
        let handed_over = limiter != mode.limiter;
        if handed_over {
            Mode {
                limiter,
                sub: Sub::Run,
            }
        } else {
            Mode::FREE
        }
    }

    /// Mode of a limited sum that stands at `limiter`.
    fn resolve_sum(&self, limiter: Limiter, state: &[f64], speed: f64, signals: &Signals) -> Mode {
        let out = self.outward(limiter, state, speed, signals);
        let sub = if out.excess > LEVEL_TOLERANCE {
            if out.integral > 0.0 {
                Sub::Hold
            } else {
                Sub::Run
            }
        } else if out.rest + out.integral <= 0.0 {
            return Mode::FREE;
        } else if out.integral <= 0.0 {
            Sub::Run
        } else if out.rest >= 0.0 {
            Sub::Hold
        } else {
            Sub::Follow
        };
        Mode { limiter, sub }
    }
}

/// Rounding may leave a throttle that has just been released a hair outside; it is inside if it moves inward.
fn inside_if_returning(beyond: f64, outward_rate: f64) -> f64 {
    if beyond > 0.0 && beyond < LEVEL_TOLERANCE && outward_rate <= 0.0 {
        -beyond
    } else {
        beyond
    }
}
