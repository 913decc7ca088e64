//! Linear gain from load to speed.
//!
//! Around nominal speed, with `s = j 2π f` and per unit of the plant's kVA:
//! `Δω/ΔP = −1 / (2H s + D + Σ wᵢ Gᵢ(s))`, `Gᵢ` from falling speed to a set's output with the exact dead time
//! `e^{−s TD}`. With `Te = P/ω` the load's torque falls as speed rises, which adds `−P0`; a governor whose output is
//! power adds `+P0ᵢ` in the same way.

use crate::complex::{Complex, ONE, real};
use crate::governor::{Actuator, ControlBox, Engine, Group, Law};
use crate::model::Model;
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
    if model.torque == TorqueConvention::PowerOverSpeed {
        stiffness = stiffness + real(-load);
    }
    for (group, output) in model.groups.iter().zip(outputs) {
        let Some(own) = response(group, s) else {
            return 0.0; // an isochronous governor holds nominal speed at f = 0
        };
        stiffness = stiffness + own * group.weight;
        if model.torque == TorqueConvention::PowerOverSpeed && group.output_is_power {
            stiffness = stiffness + real(output * group.weight);
        }
    }
    1.0 / libm::hypot(stiffness.re, stiffness.im)
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
