//! Modes of a throttle limiter and the events between them.
//!
//! Two kinds of limiter stand in the models. A limited *integrator* (DEGOV1 actuator, TGOV1 valve) stays on its limit
//! while the rate it is asked for points outward, and leaves it at the instant that rate turns inward. A limited
//! *sum* (PI, TGOV1 without valve lag) leaves when the sum is back inside; its integral is held meanwhile.
//! Holding alone deadlocks: at the limit the held sum may move inward and the running sum outward. The solution in
//! Filippov's sense then follows the limit, `Sub::Follow`. Source: Hiskens, "Trajectory deadlock in power system
//! models", ISCAS 2011.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::governor::{Group, Law, Signals};
use crate::lane::Lane;
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

    /// Whether the throttle is held by its limiter.
    #[inline(always)]
    pub(crate) fn limits(self) -> bool {
        self.limiter != Limiter::None
    }
}

/// What a function of the mode gives in the mode of each lane.
#[inline(always)]
pub(crate) fn by_mode<L: Lane>(modes: &L::Each<Mode>, value: impl Fn(Mode) -> L) -> L {
    let modes = modes.as_ref();
    let first = value(modes[0]);
    if L::WIDTH == 1 || modes[1..].iter().all(|mode| *mode == modes[0]) {
        return first;
    }
    L::by_lane(|lane| value(modes[lane]).lane(lane))
}

/// Outward rates of a limited sum.
struct Outward<L> {
    /// How far the sum is beyond the limit.
    excess: L,
    /// Rate of the integral.
    integral: L,
    /// Rate of the rest of the sum, relative to the limit.
    rest: L,
}

impl<L: Lane> Group<L> {
    #[inline(always)]
    fn outward(&self, limiter: Limiter, state: &[L], speed: L, signals: &Signals<L>) -> Outward<L> {
        let zero = L::of(0.0);
        let (kp, ki) = if let Law::Static { kp, ki } = self.law {
            (kp, ki)
        } else {
            (zero, zero)
        };
        let (sign, limit, limit_rate) = match limiter {
            Limiter::Lower => (L::of(-1.0), self.lower, zero),
            Limiter::Turbo => (L::of(1.0), self.upper_limit(state), signals.ceiling_rate),
            Limiter::Upper | Limiter::None => (L::of(1.0), self.upper, zero),
        };
        Outward {
            excess: sign * (self.unlimited(state, speed) - limit),
            integral: -sign * ki * speed,
            rest: sign * (-kp * signals.acceleration - limit_rate),
        }
    }

    #[inline(always)]
    fn above_upper(&self, state: &[L], speed: L, signals: &Signals<L>) -> L {
        let boost = self.boost_ceiling(state).below(self.upper);
        let limit_rate = L::pick(boost, signals.ceiling_rate, L::of(0.0));
        let above = self.unlimited(state, speed) - self.upper_limit(state);
        inside_if_returning(above, signals.want - limit_rate)
    }

    #[inline(always)]
    fn below_lower(&self, state: &[L], speed: L, signals: &Signals<L>) -> L {
        inside_if_returning(self.lower - self.unlimited(state, speed), -signals.want)
    }

    /// Positive when the mode has ended; continuous in time, so its zero can be located.
    #[inline(always)]
    pub(crate) fn pressure(
        &self,
        modes: &L::Each<Mode>,
        state: &[L],
        speed: L,
        signals: &Signals<L>,
    ) -> L {
        if matches!(self.law, Law::Constant { .. } | Law::General(_)) {
            return L::of(-1.0);
        }
        by_mode(modes, |mode| {
            if mode.limits() {
                self.pressure_at_limit(mode, state, speed, signals)
            } else {
                self.above_upper(state, speed, signals)
                    .or_more(self.below_lower(state, speed, signals))
            }
        })
    }

    fn pressure_at_limit(&self, mode: Mode, state: &[L], speed: L, signals: &Signals<L>) -> L {
        // Hand-over between the fixed and the moving upper limit.
        let hand_over = match mode.limiter {
            Limiter::Upper => self.upper - self.boost_ceiling(state),
            Limiter::Turbo => self.boost_ceiling(state) - self.upper,
            Limiter::Lower | Limiter::None => L::of(f64::NEG_INFINITY),
        };
        let tolerance = L::of(RATE_TOLERANCE);
        let leave = if let Law::Static { ki, .. } = self.law {
            let out = self.outward(mode.limiter, state, speed, signals);
            match mode.sub {
                Sub::Hold => (-out.integral - tolerance).or_more(-out.excess),
                Sub::Run => {
                    let integrates = ki.above(L::of(0.0));
                    let turned = (out.integral - tolerance).or_more(-out.excess);
                    L::pick(integrates, turned, -out.excess)
                }
                Sub::Follow => {
                    (out.rest - tolerance).or_more(-(out.rest + out.integral) - tolerance)
                }
            }
        } else {
            let inward = match mode.limiter {
                Limiter::Lower => signals.want,
                Limiter::Turbo => signals.ceiling_rate - signals.want,
                Limiter::Upper | Limiter::None => -signals.want,
            };
            inward - tolerance
        };
        leave.or_more(hand_over)
    }
}

impl Group {
    /// Which upper limit is the lower one.
    fn upper_limiter(&self, state: &[f64]) -> Limiter {
        if self.boost_ceiling(state) < self.upper {
            Limiter::Turbo
        } else {
            Limiter::Upper
        }
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
#[inline(always)]
fn inside_if_returning<L: Lane>(beyond: L, outward_rate: L) -> L {
    let zero = L::of(0.0);
    let inside =
        beyond.above(zero) & beyond.below(L::of(LEVEL_TOLERANCE)) & outward_rate.at_most(zero);
    L::pick(inside, -beyond, beyond)
}
