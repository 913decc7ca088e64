//! Linear gain from load to speed.
//!
//! Around nominal speed, with `s = j 2π f` and per unit of the plant's kVA:
//! `Δω/ΔP = −1 / (2H s + D + Σ wᵢ Gᵢ(s))`, `Gᵢ` from falling speed to a set's output with the exact dead time
//! `e^{−s TD}`. With `Te = P/ω` the load's torque falls as speed rises, which adds `−P0`; a governor whose output is
//! power adds `+P0ᵢ` in the same way.

use crate::complex::{Complex, ONE, real};
use crate::governor::{Actuator, ControlBox, Engine, Group, Law};
use crate::model::Model;
use crate::sharing::{Member, Sharing};
use crate::spec::TorqueConvention;

/// Angular frequency above which only the inertia counts, rad/s.
const NO_GOVERNOR: f64 = 1e12;

/// `|Δω/ΔP|` at `f_hz`; `outputs` are the groups' outputs at the start, `load` the load there, per unit.
pub(crate) fn gain(model: &Model, load: f64, outputs: &[f64], f_hz: f64) -> f64 {
    let omega = 2.0 * std::f64::consts::PI * f_hz.abs();
    if omega > NO_GOVERNOR {
        return 1.0 / (model.two_h * omega); // powers of s would overflow; zero at infinity
    }
    let s = Complex { re: 0.0, im: omega };
    let mut stiffness = s * model.two_h + real(model.damping);
    let divide = model.torque == TorqueConvention::PowerOverSpeed;
    if divide {
        stiffness = stiffness + real(-load);
    }
    let mut responses = Vec::with_capacity(model.groups.len());
    for (group, output) in model.groups.iter().zip(outputs) {
        let Some(own) = response(group, s) else {
            return 0.0; // an isochronous governor holds nominal speed at f = 0
        };
        stiffness = stiffness + own * group.weight;
        let over_speed = divide && group.output_is_power;
        if over_speed {
            stiffness = stiffness + real(output * group.weight);
        }
        // Power a set gives up as the speed falls by one: governor, inertia, damping, torque over speed.
        let power = if over_speed { *output } else { 0.0 } - if divide { *output } else { 0.0 };
        let given = own + s * (2.0 * group.inertia) + real(group.damping + power);
        responses.push((own, given));
    }
    if let Some(sharing) = &model.sharing {
        stiffness = stiffness + shared(model, sharing, &responses, s) * -1.0;
    }
    1.0 / libm::hypot(stiffness.re, stiffness.im)
}

/// What the load-sharing line takes from the stiffness.
///
/// Per set `P = −Z Δω + G x`, trim `x = L (m − P/r)` with `L = g/(1+τ s)`, rating `r` and the line's mean `m = Σ w P / Σ w r`. With
/// `ρ = (L G/r)/(1 + L G/r)` the torque it adds is `w r ρ (m + Z Δω/r)`, and `m Σ w r (1−ρ) = −Δω Σ w Z (1−ρ)`.
fn shared(
    model: &Model,
    sharing: &Sharing,
    responses: &[(Complex, Complex)],
    s: Complex,
) -> Complex {
    let line = ONE / (ONE + s * (1.0 / sharing.inv_lag));
    let (mut mean, mut ratings) = (real(0.0), real(0.0));
    let each = |member: &Member| {
        let (own, given) = responses[member.group];
        let open = line * own * (member.gain / member.rating);
        let rest = ONE / (ONE + open);
        (given, open * rest, rest)
    };
    for member in &sharing.members {
        let weight = model.groups[member.group].weight;
        let (given, _, rest) = each(member);
        mean = mean + given * rest * weight;
        ratings = ratings + rest * (weight * member.rating);
    }
    if ratings.re == 0.0 && ratings.im == 0.0 {
        return real(0.0); // all of them off the bus
    }
    let mean = mean / ratings;
    let mut sum = real(0.0);
    for member in &sharing.members {
        let weight = model.groups[member.group].weight;
        let (given, closed, _) = each(member);
        sum = sum + closed * (given + mean * -member.rating) * weight;
    }
    sum
}

/// Output per unit of falling speed; `None` where it is infinite.
fn response(group: &Group, s: Complex) -> Option<Complex> {
    let throttle = match group.law {
        Law::Constant { .. } | Law::General(_) => return Some(real(0.0)),
        Law::Valve { inv_t1, gain, .. } => real(gain) / (ONE + s * (1.0 / inv_t1)),
        Law::Static { kp, ki: 0.0 } => real(kp),
        Law::Static { .. } | Law::Degov1 { droop: 0.0, .. } if s.im == 0.0 => return None,
        Law::Static { kp, ki } => real(kp) + real(ki) / s,
        Law::Degov1 {
            control,
            actuator,
            k,
            t4,
            droop,
            ..
        } => {
            let (lead, lag) = match control {
                ControlBox::Through => (ONE, ONE),
                ControlBox::Lag { inv_t1, lead } => {
                    (ONE + s * (lead / inv_t1), ONE + s * (1.0 / inv_t1))
                }
                ControlBox::Second { t1, inv, t3 } => {
                    (ONE + s * t3, ONE + s * t1 + s * s * (1.0 / inv))
                }
            };
            let slow = match actuator {
                Actuator::Through => ONE,
                Actuator::Lag { inv } => ONE + s * (1.0 / inv),
                Actuator::Second { sum, inv } => ONE + s * sum + s * s * (1.0 / inv),
            };
            let numerator = lead * (ONE + s * t4) * k;
            numerator / (s * lag * slow + numerator * droop)
        }
    };
    let engine = match group.engine {
        Engine::Direct => ONE,
        Engine::Lag { inv } => ONE / (ONE + s * (1.0 / inv)),
        Engine::LeadLag { inv, lead } => (ONE + s * (lead / inv)) / (ONE + s * (1.0 / inv)),
    };
    let angle = -s.im * group.dead_time;
    let delay = Complex {
        re: libm::cos(angle),
        im: libm::sin(angle),
    };
    Some(throttle * engine * delay + real(group.turbine_damping))
}
