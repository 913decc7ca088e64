//! Which time constants bound the step: the single lags, then the fastest root of the loop they form.
//!
//! Single lags are not enough. A governor with a strong lead and droop closes a loop on itself, and an undelayed
//! governor one through the shaft, that can be a hundred times faster than any lag in it; Runge-Kutta is then unstable
//! although each lag is resolved. Roots are those of one set alone: sets on a common shaft share the inertia in the
//! ratio in which they share the torque, so the plant's loop is no faster than the fastest set's.

use crate::alternator_spec::AlternatorSpec;
use crate::complex::{Complex, ONE, real};
use crate::exciter::Exciter;
use crate::spec::{Degov1Spec, GovernorSpec, SetSpec};

/// A time constant a step has to resolve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepNeed {
    /// Key under the set.
    pub(crate) key: &'static str,
    /// What it is, for a message.
    pub(crate) what: &'static str,
    pub(crate) value_s: f64,
}

impl StepNeed {
    /// Half the constant: Runge-Kutta is stable to 2.8 times it and exact to 3e-4 of the lag's change at half.
    pub(crate) fn longest_step_s(&self) -> f64 {
        0.5 * self.value_s
    }
}

/// Time constants of a set that a step of `step_s` does not resolve.
///
/// The loop is looked at only if every single lag is resolved: its root would repeat the complaint.
pub(crate) fn unresolved(set: &SetSpec, step_s: f64) -> Vec<StepNeed> {
    let coarse = |need: &StepNeed| step_s > need.longest_step_s();
    let lags: Vec<StepNeed> = lags(set).into_iter().filter(coarse).collect();
    if lags.is_empty() {
        closed_loop(set, step_s)
            .into_iter()
            .filter(coarse)
            .collect()
    } else {
        lags
    }
}

fn lags(set: &SetSpec) -> Vec<StepNeed> {
    let mut needs = Vec::new();
    let mut need = |key: &'static str, what: &'static str, value_s: f64| {
        if value_s > 0.0 {
            needs.push(StepNeed { key, what, value_s });
        }
    };
    match &set.governor {
        GovernorSpec::Constant => {}
        GovernorSpec::Tgov1(t) => {
            need("governor.t1_s", "the valve lag", t.t1_s);
            need("governor.t3_s", "the lag", t.t3_s);
        }
        GovernorSpec::Pi(p) => need("governor.t_s", "the engine lag", p.t_s),
        GovernorSpec::Degov1(_) | GovernorSpec::Degov(_) => {
            let Some(d) = &set.governor.degov1() else {
                return needs;
            };
            need(
                "governor.t1_s",
                "the fastest pole of the control box",
                control_box_s(d),
            );
            need("governor.t5_s", "the actuator lag", d.t5_s);
            need("governor.t6_s", "the actuator lag", d.t6_s);
        }
        GovernorSpec::Ggov1(g) => {
            need("governor.tpelec_s", "the power measurement", g.tpelec_s);
            need("governor.tdgov_s", "the derivative's lag", g.tdgov_s);
            need("governor.tact_s", "the actuator lag", g.tact_s);
            need("governor.tb_s", "the engine lag", g.tb_s);
            need(
                "governor.tfload_s",
                "the temperature measurement",
                g.tfload_s,
            );
            need("governor.tsb_s", "the exhaust lag", g.tsb_s);
            if g.acceleration_limiter {
                need("governor.ta_s", "the acceleration measurement", g.ta_s);
                need("governor.delt_s", "the acceleration limiter", g.delt_s);
            }
        }
        GovernorSpec::Gast(g) => {
            need("governor.t1_s", "the valve lag", g.t1_s);
            need("governor.t2_s", "the turbine lag", g.t2_s);
            need("governor.t3_s", "the exhaust lag", g.t3_s);
        }
        GovernorSpec::Ieeeg1(g) => {
            need("governor.t1_s", "the governor lag", g.t1_s);
            need("governor.t3_s", "the valve lag", g.t3_s);
            for t_s in g.stages_s {
                need("governor.stages_s", "a stage of the turbine", t_s);
            }
        }
        GovernorSpec::Pid(p) => {
            need("governor.td_s", "the derivative's lag", p.td_s);
            need("governor.tact_s", "the actuator lag", p.tact_s);
            need("governor.t_s", "the engine lag", p.t_s);
        }
    }
    for (key, t_s) in set.exciter.iter().flat_map(Exciter::lags) {
        need(key, "the exciter's lag", t_s);
    }
    match &set.alternator {
        None | Some(AlternatorSpec::Gencls(_)) => {}
        Some(AlternatorSpec::Gensal(m)) => {
            need("alternator.td02_s", "the damper winding", m.td02_s);
            need("alternator.tq02_s", "the damper winding", m.tq02_s);
        }
        Some(AlternatorSpec::Genrou(m)) => {
            need("alternator.td02_s", "the damper winding", m.td02_s);
            need("alternator.tq02_s", "the damper winding", m.tq02_s);
        }
    }
    if set.turbo.enabled && !matches!(set.governor, GovernorSpec::Constant) {
        need(
            "turbo.time_constant_s",
            "the boost",
            set.turbo.time_constant_s,
        );
    }
    needs
}

/// Inverse of the largest pole of `1+T1 s+T1 T2 s²`.
fn control_box_s(d: &Degov1Spec) -> f64 {
    if d.t2_s == 0.0 || d.t1_s == 0.0 {
        return d.t1_s;
    }
    let discriminant = d.t1_s * d.t1_s - 4.0 * d.t1_s * d.t2_s;
    if discriminant <= 0.0 {
        (d.t1_s * d.t2_s).sqrt()
    } else {
        2.0 * d.t1_s * d.t2_s / (d.t1_s + discriminant.sqrt())
    }
}

/// Inverse of the fastest root of one set: shaft and governor, or governor alone behind a dead time.
fn closed_loop(set: &SetSpec, step_s: f64) -> Option<StepNeed> {
    // Output per unit of falling speed, numerator and denominator in ascending powers of s.
    let (numerator, denominator, dead_time, key) = match &set.governor {
        GovernorSpec::Constant => (vec![0.0], vec![1.0], 0.0, "damping_pu"),
        GovernorSpec::Tgov1(t) => {
            let lag = product(&[1.0, t.t1_s], &[1.0, t.t3_s]);
            let droop = [1.0 / t.droop_pu, t.t2_s / t.droop_pu];
            (
                sum(&droop, &product(&[t.dt_pu], &lag)),
                lag,
                0.0,
                "governor.droop_pu",
            )
        }
        GovernorSpec::Pi(p) => (
            vec![p.ki_per_s, p.kp_pu],
            vec![0.0, 1.0, p.t_s],
            p.dead_time_s,
            "governor.kp_pu",
        ),
        GovernorSpec::Degov1(_) | GovernorSpec::Degov(_) => {
            let d = set.governor.degov1()?;
            let lead = product(&[d.k, d.k * d.t3_s], &[1.0, d.t4_s]);
            let lag = product(
                &product(&[1.0, d.t5_s], &[1.0, d.t6_s]),
                &[1.0, d.t1_s, d.t1_s * d.t2_s],
            );
            let open = product(&[0.0, 1.0], &lag);
            (
                lead.clone(),
                sum(&open, &product(&[d.droop_pu], &lead)),
                d.dead_time_s,
                "governor.k",
            )
        }
        GovernorSpec::Ggov1(_)
        | GovernorSpec::Gast(_)
        | GovernorSpec::Ieeeg1(_)
        | GovernorSpec::Pid(_) => return None,
    };
    let shaft = product(&[set.damping_pu, 2.0 * set.inertia_s], &denominator);
    // A dead time of a step or more opens the loop through the shaft within that step.
    let characteristic = if dead_time >= step_s {
        shaft
    } else {
        sum(&shaft, &numerator)
    };
    let rate = fastest_root(&characteristic);
    Some(StepNeed {
        key,
        what: "the fastest root of the governor's loop,",
        value_s: 1.0 / rate,
    })
}

fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            out[i + j] += x * y;
        }
    }
    out
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    let at = |values: &[f64], i: usize| values.get(i).copied().unwrap_or(0.0);
    (0..a.len().max(b.len()))
        .map(|i| at(a, i) + at(b, i))
        .collect()
}

/// Largest magnitude among the roots of a polynomial in ascending powers; zero if it has no root but zero.
///
/// Durand-Kerner on the unit disc after scaling by Fujiwara's bound, which also answers where the iteration cannot.
fn fastest_root(ascending: &[f64]) -> f64 {
    let Some(degree) = ascending
        .iter()
        .rposition(|coefficient| *coefficient != 0.0)
    else {
        return 0.0;
    };
    let relative = |k: usize| ascending[degree - k] / ascending[degree];
    let bound = (1..=degree).fold(0.0_f64, |most, k| {
        most.max(2.0 * libm::pow(relative(k).abs(), 1.0 / k as f64))
    });
    if bound == 0.0 || !bound.is_finite() {
        return bound;
    }
    let scaled: Vec<f64> = (0..=degree)
        .map(|k| relative(k) / libm::pow(bound, k as f64))
        .collect();
    let value = |z: Complex| {
        scaled
            .iter()
            .fold(real(0.0), |sum, coefficient| sum * z + real(*coefficient))
    };
    // The usual start: powers of a number that is neither real nor of modulus one.
    let mut roots = vec![Complex { re: 0.4, im: 0.9 }; degree];
    for k in 1..degree {
        roots[k] = roots[k - 1] * roots[0];
    }
    for _ in 0..500 {
        let mut moved = 0.0_f64;
        for k in 0..degree {
            let mut others = ONE;
            for (_, other) in roots.iter().enumerate().filter(|(index, _)| *index != k) {
                others = others * (roots[k] + *other * -1.0);
            }
            let change = value(roots[k]) / others;
            roots[k] = roots[k] + change * -1.0;
            moved = moved.max(libm::hypot(change.re, change.im));
        }
        if moved < 1e-14 {
            break;
        }
    }
    let largest = roots.iter().fold(0.0_f64, |most, root| {
        most.max(libm::hypot(root.re, root.im))
    });
    let sound = roots
        .iter()
        .all(|root| root.re.is_finite() && root.im.is_finite())
        && largest <= 1.0 + 1e-6;
    if sound { largest * bound } else { bound }
}

#[cfg(test)]
mod tests {
    use super::{fastest_root, product};

    #[test]
    fn roots_of_known_polynomials() {
        let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
        near(fastest_root(&[2.0, 3.0, 1.0]), 2.0);
        near(fastest_root(&[25.0, 2.0, 1.0]), 5.0);
        let wide = product(
            &product(&[1.0, 1.0], &[1e4, 1.0]),
            &product(&[3.0, 1.0], &[0.0, 1.0]),
        );
        near(fastest_root(&wide), 1e4);
        assert!(
            (fastest_root(&product(&[1.0, 2.0, 1.0], &[1.0, 2.0, 1.0])) - 1.0).abs() < 1e-2,
            "a fourfold root"
        );
        assert_eq!(fastest_root(&[0.0, 0.0, 5.0]), 0.0);
        assert_eq!(fastest_root(&[7.0]), 0.0);
        assert!(fastest_root(&[1.0, 1e-300, 1e-320]) > 1e100);
    }
}
