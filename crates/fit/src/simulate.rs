//! One event on one set: what the frequency does.

use ballast_plant::{Limiter, Plant, PlantError, PlantSpec, StepStatus};

/// Step of the simulations, seconds; halved where a trial value needs it.
const STEP_S: f64 = 0.002;
/// Finest step that is tried, seconds.
const FINEST_S: f64 = 5e-5;
/// A frequency that stayed within half the band so long has recovered, seconds.
const SETTLED_S: f64 = 2.0;

/// A block step to simulate, in per unit and watts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepEvent {
    pub(crate) from_w: f64,
    pub(crate) to_w: f64,
    /// Half width of the recovery band.
    pub(crate) band_pu: f64,
    pub(crate) horizon_s: f64,
    /// The frequency comes back to nominal (no droop).
    pub(crate) isochronous: bool,
}

/// What a step gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepResponse {
    /// Largest deviation the way the step drives it, per unit, positive.
    pub(crate) dip_pu: f64,
    pub(crate) recovery_s: f64,
    /// Largest deviation to the other side of where it settles, after the dip.
    pub(crate) overshoot_pu: f64,
    pub(crate) ceiling: bool,
    /// Largest throttle above the boost, per unit; the ceiling binds where it reaches the acceptance.
    pub(crate) above_boost_pu: f64,
    pub(crate) collapsed: bool,
}

/// A plant at `load_w`, with the longest step its constants allow.
fn plant(spec: &PlantSpec, load_w: f64) -> Result<(Plant, f64), PlantError> {
    let mut step_s = STEP_S;
    loop {
        match Plant::new(spec, load_w, step_s) {
            Err(PlantError::StepTooCoarse { .. }) if step_s > FINEST_S => step_s *= 0.5,
            other => return Ok((other?, step_s)),
        }
    }
}

/// Whether the ceiling acts, and by how much the throttle exceeds the boost.
fn ceiling(plant: &Plant) -> (bool, f64) {
    let state = plant.set(0);
    let above = state
        .boost_pu
        .map_or(f64::NEG_INFINITY, |boost| state.throttle_pu - boost);
    (state.limited == Limiter::Turbo, above)
}

/// # Errors
/// A set that cannot be built or cannot carry the first load.
pub(crate) fn step(spec: &PlantSpec, event: &StepEvent) -> Result<StepResponse, PlantError> {
    let (mut plant, step_s) = plant(spec, event.from_w)?;
    let sign = if event.to_w >= event.from_w {
        -1.0
    } else {
        1.0
    };
    let first = plant.speed_pu();
    let mut speeds = vec![first];
    let (mut bound, mut above) = (false, f64::NEG_INFINITY);
    let mut last_out = 0;
    let steps = (event.horizon_s / step_s).ceil() as usize;
    for at in 1..=steps {
        let status = plant.advance(step_s, event.to_w, event.to_w);
        let (now, excess) = ceiling(&plant);
        bound |= now;
        above = above.max(excess);
        speeds.push(plant.speed_pu());
        if status == StepStatus::Collapsed {
            // Later is better: where a trial collapses the search still sees which way leads out.
            let late = (event.horizon_s - plant.time_s()) / event.horizon_s;
            return Ok(StepResponse {
                dip_pu: 0.5 * (1.0 + late),
                recovery_s: event.horizon_s * (4.0 + late),
                overshoot_pu: 0.0,
                ceiling: bound,
                above_boost_pu: above,
                collapsed: true,
            });
        }
        if event.isochronous {
            if (plant.speed_pu() - 1.0).abs() > 0.5 * event.band_pu {
                last_out = at;
            } else if (at - last_out) as f64 * step_s > SETTLED_S {
                break;
            }
        }
    }
    let settled = if event.isochronous {
        1.0
    } else {
        speeds.last().copied().unwrap_or(first)
    };
    let away: Vec<f64> = speeds.iter().map(|s| sign * (s - first)).collect();
    let (at, dip_pu) = peak(&away);
    let back: Vec<f64> = speeds[at..].iter().map(|s| sign * (settled - s)).collect();
    let (_, overshoot_pu) = peak(&back);
    let recovery_s = recovery(&speeds, settled, event, step_s);
    Ok(StepResponse {
        dip_pu,
        recovery_s,
        overshoot_pu: overshoot_pu.max(0.0),
        ceiling: bound,
        above_boost_pu: above,
        collapsed: false,
    })
}

/// Place and height of the highest value, by the parabola through it and its neighbours.
fn peak(values: &[f64]) -> (usize, f64) {
    let mut at = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[at] {
            at = i;
        }
    }
    let height = values.get(at).copied().unwrap_or(0.0);
    if at == 0 || at + 1 >= values.len() {
        return (at, height);
    }
    let (a, b, c) = (values[at - 1], values[at], values[at + 1]);
    let curve = a - 2.0 * b + c;
    if curve < 0.0 {
        (at, b - (a - c) * (a - c) / (8.0 * curve))
    } else {
        (at, height)
    }
}

/// Time after which the frequency stays in the band.
fn recovery(speeds: &[f64], settled: f64, event: &StepEvent, step_s: f64) -> f64 {
    let out = |speed: f64| (speed - settled).abs() - event.band_pu;
    let Some(last) = speeds.iter().rposition(|s| out(*s) > 0.0) else {
        return 0.0;
    };
    match speeds.get(last + 1) {
        Some(next) => {
            let (a, b) = (out(speeds[last]), out(*next));
            (last as f64 + a / (a - b)) * step_s
        }
        // Not back within the horizon: further out is worse.
        None => event.horizon_s * (1.0 + (out(speeds[last]) / event.band_pu).min(3.0)),
    }
}

/// What a recording's load gave at the times of its samples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Replay {
    /// Speed deviation, per unit.
    pub(crate) deviation: Vec<f64>,
    /// Its rate, per second.
    pub(crate) rate: Vec<f64>,
    pub(crate) ceiling: bool,
    pub(crate) above_boost_pu: f64,
    pub(crate) collapsed: bool,
}

/// # Errors
/// As [`step`].
pub(crate) fn replay(
    spec: &PlantSpec,
    t_s: &[f64],
    p_w: &[f64],
    first_w: f64,
) -> Result<Replay, PlantError> {
    let (mut plant, _) = plant(spec, first_w)?;
    let mut out = Replay {
        deviation: Vec::with_capacity(t_s.len()),
        rate: Vec::with_capacity(t_s.len()),
        ceiling: false,
        above_boost_pu: f64::NEG_INFINITY,
        collapsed: false,
    };
    let mut before = (t_s.first().copied().unwrap_or(0.0), first_w);
    for (at, (t, p)) in t_s.iter().zip(p_w).enumerate() {
        if at > 0 {
            let status = plant.advance(t - before.0, before.1, *p);
            let (now, excess) = ceiling(&plant);
            out.ceiling |= now;
            out.above_boost_pu = out.above_boost_pu.max(excess);
            out.collapsed |= status == StepStatus::Collapsed;
            before = (*t, *p);
        }
        out.deviation.push(plant.speed_pu() - 1.0);
        out.rate.push(if out.collapsed {
            0.0
        } else {
            plant.speed_rate_pu_per_s()
        });
    }
    Ok(out)
}

impl Replay {
    /// Deviation at `t_s[at] − shift_s`, by cubic Hermite pieces.
    pub(crate) fn shifted(&self, t_s: &[f64], at: usize, shift_s: f64) -> f64 {
        let t = t_s[at] - shift_s;
        let right = if shift_s >= 0.0 {
            // Shifts are about one interval: the search is short.
            let mut right = at;
            while right > 0 && t_s[right - 1] >= t {
                right -= 1;
            }
            right
        } else {
            let mut right = at;
            while right < t_s.len() && t_s[right] < t {
                right += 1;
            }
            right
        };
        if right == 0 {
            return self.deviation[0];
        }
        if right >= t_s.len() {
            return self.deviation[t_s.len() - 1];
        }
        let left = right - 1;
        let h = t_s[right] - t_s[left];
        let u = (t - t_s[left]) / h;
        let (u2, u3) = (u * u, u * u * u);
        (2.0 * u3 - 3.0 * u2 + 1.0) * self.deviation[left]
            + (u3 - 2.0 * u2 + u) * h * self.rate[left]
            + (3.0 * u2 - 2.0 * u3) * self.deviation[right]
            + (u3 - u2) * h * self.rate[right]
    }
}
