//! The bus: alternators behind their subtransient reactances, a utility, and a load that depends on voltage.
//!
//! Unknown is the bus voltage `V`: `Σ Yᵢ (E''ᵢ − V) + Yu (Eu − V) = conj(S(|V|)/V)`, two real equations, solved by Newton's method from the last
//! voltage found.

use crate::load_spec::LoadModelSpec;

/// Voltage, real and imaginary part in the network's axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Phasor {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

impl Phasor {
    /// Its size.
    pub(crate) fn size(self) -> f64 {
        (self.re * self.re + self.im * self.im).sqrt()
    }
}

/// How the load depends on voltage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadModel {
    active: Shares,
    reactive: Shares,
    /// Voltage below which constant power becomes constant current.
    current_limit: f64,
    current_limit_square: f64,
    /// Nothing but constant power, above that voltage.
    constant_power: bool,
    pub(crate) frequency: f64,
}

/// Constant power, current, impedance.
#[derive(Debug, Clone, Copy)]
struct Shares {
    power: f64,
    current: f64,
    impedance: f64,
}

impl Shares {
    /// Factor at a voltage and its derivative.
    fn at(self, v: f64, current_limit: f64) -> (f64, f64) {
        let (held, slope) = if v < current_limit {
            (v / current_limit, 1.0 / current_limit)
        } else {
            (1.0, 0.0)
        };
        (
            self.power * held + v * (self.current + self.impedance * v),
            self.power * slope + self.current + 2.0 * self.impedance * v,
        )
    }
}

impl LoadModel {
    pub(crate) fn new(spec: &LoadModelSpec) -> Self {
        let shares = |current: f64, impedance: f64| Shares {
            power: 1.0 - current - impedance,
            current,
            impedance,
        };
        Self {
            active: shares(spec.current_share, spec.impedance_share),
            reactive: shares(spec.reactive_current_share, spec.reactive_impedance_share),
            current_limit: spec.current_limit_below_pu,
            current_limit_square: spec.current_limit_below_pu * spec.current_limit_below_pu,
            constant_power: spec.current_share == 0.0
                && spec.impedance_share == 0.0
                && spec.reactive_current_share == 0.0
                && spec.reactive_impedance_share == 0.0,
            frequency: spec.frequency_pu,
        }
    }

    /// Factors on active and reactive power at a voltage.
    pub(crate) fn factors(&self, v: f64) -> (f64, f64) {
        (
            self.active.at(v, self.current_limit).0,
            self.reactive.at(v, self.current_limit).0,
        )
    }
}

/// What feeds the bus, as a Norton equivalent per unit of the plant: `I = J − Y V`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Norton {
    pub(crate) y: [[f64; 2]; 2],
    pub(crate) j: [f64; 2],
}

impl Norton {
    /// Adds a voltage `e` behind the admittance `y`, both in the network's axes, with a weight.
    pub(crate) fn add(&mut self, weight: f64, y: [[f64; 2]; 2], e: [f64; 2]) {
        for ((own, more), j) in self.y.iter_mut().zip(y).zip(&mut self.j) {
            own[0] += weight * more[0];
            own[1] += weight * more[1];
            *j += weight * (more[0] * e[0] + more[1] * e[1]);
        }
    }
}

/// Passes of Newton's method; from the voltage of a millisecond ago two or three suffice.
const PASSES: u32 = 30;
/// A last pass of this size leaves an error of its square: rounding, but for loads within a thousandth of the most the sources can carry.
const TOLERANCE: f64 = 3e-8;

/// Bus voltage under a load `p + jq` (at nominal voltage, per unit of the plant); `None` where none exists or is found.
pub(crate) fn solve(
    sources: &Norton,
    load: &LoadModel,
    power: (f64, f64),
    guess: Phasor,
) -> Option<Phasor> {
    newton(sources, load, power, guess).or_else(|| {
        // Far from the last voltage: from that without a load, whence the higher root is the near one.
        let y = &sources.y;
        let inv = 1.0 / (y[0][0] * y[1][1] - y[0][1] * y[1][0]);
        let open = Phasor {
            re: (sources.j[0] * y[1][1] - sources.j[1] * y[0][1]) * inv,
            im: (sources.j[1] * y[0][0] - sources.j[0] * y[1][0]) * inv,
        };
        newton(sources, load, power, open)
    })
}

fn newton(sources: &Norton, load: &LoadModel, (p, q): (f64, f64), guess: Phasor) -> Option<Phasor> {
    let y = &sources.y;
    let Phasor { mut re, mut im } = guess;
    for _ in 0..PASSES {
        let square = re * re + im * im;
        if square.is_nan() || square <= 1e-12 {
            return None;
        }
        let inverse = 1.0 / square;
        // P f/v² and, so that the derivative by re is that times re, d(P f/v²)/dv / v.
        let (gp, gq, dp, dq);
        if load.constant_power && square >= load.current_limit_square {
            (gp, gq) = (p * inverse, q * inverse);
            (dp, dq) = (-2.0 * gp * inverse, -2.0 * gq * inverse);
        } else {
            let v = square.sqrt();
            let ((fp, sp), (fq, sq)) = (
                load.active.at(v, load.current_limit),
                load.reactive.at(v, load.current_limit),
            );
            (gp, gq) = (p * fp * inverse, q * fq * inverse);
            dp = (p * sp / v - 2.0 * gp) * inverse;
            dq = (q * sq / v - 2.0 * gq) * inverse;
        }
        // I = conj(S/V): (P re + Q im)/v², (P im − Q re)/v².
        let off_re = sources.j[0] - (y[0][0] + gp) * re - (y[0][1] + gq) * im;
        let off_im = sources.j[1] - (y[1][0] - gq) * re - (y[1][1] + gp) * im;
        let (along_re, along_im) = (dp * re + dq * im, dp * im - dq * re);
        let a = -y[0][0] - gp - along_re * re;
        let b = -y[0][1] - gq - along_re * im;
        let c = -y[1][0] + gq - along_im * re;
        let d = -y[1][1] - gp - along_im * im;
        let inv_det = 1.0 / (a * d - b * c);
        let step_re = (b * off_im - d * off_re) * inv_det;
        let step_im = (c * off_re - a * off_im) * inv_det;
        re += step_re;
        im += step_im;
        if step_re.abs() + step_im.abs() <= TOLERANCE {
            return Some(Phasor { re, im });
        }
        if !(re.is_finite() && im.is_finite()) {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(e: f64, x: f64) -> Norton {
        let mut n = Norton::default();
        n.add(1.0, [[0.0, 1.0 / x], [-1.0 / x, 0.0]], [e, 0.0]);
        n
    }

    const FLAT: Phasor = Phasor { re: 1.0, im: 0.0 };

    #[test]
    fn constant_power_behind_a_reactance_meets_the_quadratic() {
        // v⁴ + v²(2 Q X − E²) + X²(P² + Q²) = 0, upper root.
        let load = LoadModel::new(&LoadModelSpec::default());
        for (p, q) in [(0.5, 0.0), (0.4, 0.3), (0.0, 0.5), (0.8, -0.2)] {
            let (e, x) = (1.05, 0.3);
            let v = solve(&behind(e, x), &load, (p, q), FLAT).unwrap().size();
            let b = 2.0 * q * x - e * e;
            let square = 0.5 * (-b + (b * b - 4.0 * x * x * (p * p + q * q)).sqrt());
            assert!((v - square.sqrt()).abs() < 1e-12, "{p} {q}: {v}");
        }
    }

    #[test]
    fn impedance_load_is_a_divider() {
        let spec = LoadModelSpec {
            reactive_impedance_share: 1.0,
            ..LoadModelSpec::default()
        };
        let v = solve(&behind(1.0, 0.2), &LoadModel::new(&spec), (0.0, 1.0), FLAT).unwrap();
        assert!((v.size() - 1.0 / 1.2).abs() < 1e-12);
    }

    #[test]
    fn more_than_the_reactance_carries_has_no_voltage() {
        let spec = LoadModelSpec {
            current_limit_below_pu: 0.0,
            ..LoadModelSpec::default()
        };
        let load = LoadModel::new(&spec);
        assert!(solve(&behind(1.0, 0.5), &load, (1.5, 0.0), FLAT).is_none());
    }
}
