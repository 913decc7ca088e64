//! Power smoothing of one GPU: the state machine that says between which powers it is held.
//!
//! What a GPU's work would draw is `x`. Its own smoothing holds it within an envelope, `p = min(max(min(x, c), f), u)`: the power
//! cap `c` that ramps up when a GPU becomes active, the floor `f` that is held while it is and for a while after, and the limit
//! `u` on peaks. What decides is what the GPU's phase is, so `c` and `f` are the same for all GPUs of a cohort, and both
//! engines have them from here. The limit on peaks looks at each GPU's own power.
//!
//! | state | from | floor | cap |
//! |---|---|---|---|
//! | down | the end of a fall, a rack without power | none | none |
//! | up | down or falling, on activity at t₀ | min(floor, c) | `c = p₀ + up·(t − t₀)`, p₀ the mean power before |
//! | open | up, once `c` has reached the profile's limit | floor | none |
//! | hold | up or open, when activity ends at t₁ | as at t₁ | none |
//! | fall | hold, at `t₁ + delay` | `f₁ − down·(t − t₁ − delay)` | none |
//!
//! Activity within `hold` leads back to where it came from, within `fall` to `up` from the floor as it is. A GPU that is active at the
//! run's first sample was so before.

use ballast_profile::{GpuProfile, PhaseKind};

use crate::smoothing_spec::{
    DEFAULT_EDP_WINDOW_S, DEFAULT_REACTION_S, DEFAULT_TDP_WINDOW_S, works,
};
use crate::timeline::{KINDS, ProfileTable};
use crate::{GpuSmoothing, SecondaryLoad};

/// Power smoothing of one GPU model as a group has set it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Smoothing {
    pub(crate) floor_w: f64,
    /// Infinite: no limit.
    pub(crate) up_w_per_s: f64,
    /// Infinite: at once.
    pub(crate) down_w_per_s: f64,
    pub(crate) stop_delay_s: f64,
    pub(crate) peaks: Option<PeakLimits>,
    /// Phases in which the GPU counts as active.
    pub(crate) active: [bool; KINDS],
}

/// Limits on averages of a GPU's power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PeakLimits {
    pub(crate) edp_w: f64,
    pub(crate) edp_window_s: f64,
    pub(crate) tdp_w: f64,
    pub(crate) tdp_window_s: f64,
}

impl Smoothing {
    /// `None` where nothing of it acts, so that the GPUs are as without it.
    pub(crate) fn new(
        spec: &GpuSmoothing,
        profile: &GpuProfile,
        table: &ProfileTable,
    ) -> Option<Self> {
        let tdp_w = profile.tdp_w.value;
        let active = PhaseKind::ALL.map(|phase| match spec.active_above_share {
            Some(share) => {
                table.level(phase).present && table.level(phase).stated_w > share * tdp_w
            }
            None => works(phase),
        });
        let smoothing = Self {
            floor_w: spec.floor_share * tdp_w,
            up_w_per_s: spec.ramp_up_w_per_s.unwrap_or(f64::INFINITY),
            down_w_per_s: spec.ramp_down_w_per_s.unwrap_or(f64::INFINITY),
            stop_delay_s: spec.stop_delay_s,
            peaks: spec.edp_share.map(|share| PeakLimits {
                edp_w: share * tdp_w,
                edp_window_s: spec.edp_window_s.unwrap_or(DEFAULT_EDP_WINDOW_S),
                tdp_w,
                tdp_window_s: spec.tdp_window_s.unwrap_or(DEFAULT_TDP_WINDOW_S),
            }),
            active,
        };
        let acts = smoothing.floor_w > 0.0
            || smoothing.up_w_per_s.is_finite()
            || smoothing.peaks.is_some();
        acts.then_some(smoothing)
    }
}

/// A co-runner: power up to which it fills, and how late it follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Secondary {
    pub(crate) fill_w: f64,
    pub(crate) reaction_s: f64,
}

impl Secondary {
    pub(crate) fn new(spec: &SecondaryLoad, tdp_w: f64) -> Self {
        Self {
            fill_w: spec.fill_share * tdp_w,
            reaction_s: spec.reaction_s.unwrap_or(DEFAULT_REACTION_S),
        }
    }
}

/// Between which powers a GPU's work is held at an instant, W.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Envelope {
    /// Never above `cap_w`.
    pub(crate) floor_w: f64,
    /// Infinite: none.
    pub(crate) cap_w: f64,
    /// Whether the floor is the secondary load's, which fills higher than the GPU's own.
    pub(crate) secondary: bool,
}

impl Envelope {
    pub(crate) const NONE: Self = Self {
        floor_w: 0.0,
        cap_w: f64::INFINITY,
        secondary: false,
    };
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Before the first sample.
    Unknown,
    Down,
    Up {
        since_s: f64,
        from_w: f64,
    },
    Open,
    Hold {
        since_s: f64,
        floor_w: f64,
        open: bool,
    },
    Fall {
        since_s: f64,
        from_w: f64,
    },
}

/// The state machine of a cohort's GPUs. Times given to it never fall.
#[derive(Debug, Clone)]
pub(crate) struct Shaper {
    pub(crate) smoothing: Option<Smoothing>,
    secondary: Option<Secondary>,
    /// Power at which a rising cap is no limit any more.
    most_w: f64,
    /// Stretches without power, in order of time.
    dark: Vec<(f64, f64)>,
    state: State,
    /// Mean power of the work when the GPU was last not active.
    rest_w: f64,
    /// Since when the job has drawn less than its secondary load fills to; infinite: it does not.
    low_since_s: f64,
    /// Times that the cap began to rise.
    pub(crate) rises: u32,
}

impl Shaper {
    pub(crate) fn new(
        smoothing: Option<Smoothing>,
        secondary: Option<Secondary>,
        most_w: f64,
        dark: Vec<(f64, f64)>,
    ) -> Self {
        Self {
            smoothing,
            secondary,
            most_w,
            dark,
            state: State::Unknown,
            rest_w: 0.0,
            low_since_s: f64::INFINITY,
            rises: 0,
        }
    }

    /// The envelope at `t_s` with the work in `phase` at a mean of `mean_w` per GPU. What falls due up to `early_s` later counts.
    pub(crate) fn at(&mut self, t_s: f64, early_s: f64, phase: PhaseKind, mean_w: f64) -> Envelope {
        if self
            .dark
            .iter()
            .any(|(off, on)| *off <= t_s + early_s && t_s + early_s < *on)
        {
            (self.state, self.low_since_s, self.rest_w) = (State::Down, f64::INFINITY, 0.0);
            return Envelope::NONE;
        }
        let mut envelope = match self.smoothing {
            Some(smoothing) => self.hardware(&smoothing, t_s, early_s, phase, mean_w),
            None => Envelope::NONE,
        };
        if let Some(secondary) = self.secondary {
            let runs = matches!(
                phase,
                PhaseKind::TrainCompute | PhaseKind::TrainCommunication | PhaseKind::Checkpoint
            );
            if !runs || mean_w >= secondary.fill_w {
                self.low_since_s = f64::INFINITY;
            } else if self.low_since_s.is_infinite() {
                self.low_since_s = t_s;
            }
            let fills = self.low_since_s + secondary.reaction_s <= t_s + early_s;
            let fill_w = secondary.fill_w.min(envelope.cap_w);
            if fills && fill_w > envelope.floor_w {
                (envelope.floor_w, envelope.secondary) = (fill_w, true);
            }
        }
        envelope
    }

    fn hardware(
        &mut self,
        s: &Smoothing,
        t_s: f64,
        early_s: f64,
        phase: PhaseKind,
        mean_w: f64,
    ) -> Envelope {
        let active = s.active[phase as usize];
        let now_s = t_s + early_s;
        self.state = match (self.state, active) {
            (State::Unknown | State::Hold { open: true, .. }, true) => State::Open,
            (State::Unknown, false) => State::Down,
            (State::Down, true) => self.rise(s, t_s, self.rest_w),
            (State::Fall { since_s, from_w }, true) => {
                let floor_w = fallen(s, t_s - since_s, from_w);
                self.rise(s, t_s, floor_w.max(self.rest_w))
            }
            (State::Hold { floor_w, .. }, true) => self.rise(s, t_s, floor_w.max(self.rest_w)),
            (State::Up { since_s, from_w }, true) => {
                if from_w + s.up_w_per_s * (t_s - since_s) >= self.most_w {
                    State::Open
                } else {
                    self.state
                }
            }
            (State::Up { since_s, from_w }, false) => State::Hold {
                since_s: t_s,
                floor_w: s.floor_w.min(from_w + s.up_w_per_s * (t_s - since_s)),
                open: false,
            },
            (State::Open, false) => State::Hold {
                since_s: t_s,
                floor_w: s.floor_w,
                open: true,
            },
            (state, _) => state,
        };
        // One after the other at the same instant, where a delay or a rate takes no time.
        if let State::Hold {
            since_s, floor_w, ..
        } = self.state
            && since_s + s.stop_delay_s <= now_s
        {
            self.state = State::Fall {
                since_s: since_s + s.stop_delay_s,
                from_w: floor_w,
            };
        }
        if let State::Fall { since_s, from_w } = self.state
            && fallen(s, t_s - since_s, from_w) <= 0.0
        {
            self.state = State::Down;
        }
        if !active {
            self.rest_w = mean_w;
        }
        let (floor_w, cap_w) = match self.state {
            State::Unknown | State::Down => (0.0, f64::INFINITY),
            State::Up { since_s, from_w } => {
                let cap_w = from_w + s.up_w_per_s * (t_s - since_s);
                (s.floor_w.min(cap_w), cap_w)
            }
            State::Open => (s.floor_w, f64::INFINITY),
            State::Hold { floor_w, .. } => (floor_w, f64::INFINITY),
            State::Fall { since_s, from_w } => (fallen(s, t_s - since_s, from_w), f64::INFINITY),
        };
        Envelope {
            floor_w,
            cap_w,
            secondary: false,
        }
    }

    fn rise(&mut self, s: &Smoothing, t_s: f64, from_w: f64) -> State {
        if s.up_w_per_s.is_infinite() || from_w >= self.most_w {
            return State::Open;
        }
        self.rises += 1;
        State::Up {
            since_s: t_s,
            from_w,
        }
    }

    /// When to look next after `t_s`, although the work stays as it is: at every step, at a time, or never (infinite).
    pub(crate) fn due_s(&self, t_s: f64) -> f64 {
        let own_s = match (self.state, self.smoothing) {
            (State::Up { .. } | State::Fall { .. }, _) => t_s,
            (State::Hold { since_s, .. }, Some(s)) => since_s + s.stop_delay_s,
            _ => f64::INFINITY,
        };
        let fills_s = match self.secondary {
            Some(s) if self.low_since_s + s.reaction_s > t_s => self.low_since_s + s.reaction_s,
            _ => f64::INFINITY,
        };
        own_s.min(fills_s)
    }
}

/// Floor so long after the beginning of its fall, W.
fn fallen(s: &Smoothing, since_s: f64, from_w: f64) -> f64 {
    if s.down_w_per_s.is_infinite() {
        return 0.0;
    }
    (from_w - s.down_w_per_s * since_s.max(0.0)).max(0.0)
}

/// First-order averages of a GPU's power against their limits, at one step.
///
/// `y ← d y + (1 − d) p` with `d = e^(−h/τ)` is the average of a power held over the step. The most that keeps `y` at its
/// limit L is `(L − d y)/(1 − d)`: above L while the average is below, L itself from then on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) limit_w: f64,
    pub(crate) keep: f64,
    /// `1/(1 − keep)`.
    pub(crate) gain: f64,
}

impl Budget {
    pub(crate) fn new(limit_w: f64, window_s: f64, dt_s: f64) -> Self {
        let keep = libm::exp(-dt_s / window_s);
        Self {
            limit_w,
            keep,
            gain: 1.0 / (1.0 - keep),
        }
    }

    pub(crate) fn allows_w(self, average_w: f64) -> f64 {
        (self.limit_w - self.keep * average_w) * self.gain
    }

    pub(crate) fn next(self, average_w: f64, power_w: f64) -> f64 {
        self.keep * average_w + (1.0 - self.keep) * power_w
    }
}

impl PeakLimits {
    /// Over the short window, over the long one.
    pub(crate) fn budgets(&self, dt_s: f64) -> [Budget; 2] {
        [
            Budget::new(self.edp_w, self.edp_window_s, dt_s),
            Budget::new(self.tdp_w, self.tdp_window_s, dt_s),
        ]
    }
}

#[cfg(test)]
#[path = "smoothing_tests.rs"]
mod tests;
