//! The bus: alternators behind their subtransient reactances, a utility, and a load that depends on voltage.
//!
//! Unknown is the bus voltage `V`: `Σ Yᵢ (E''ᵢ − V) + Yu (Eu − V) = conj(S(|V|)/V)`, two real equations, solved by Newton's method from the last
//! voltage found.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::lane::{F64x4, LANES, Lane, Mask};
use crate::load_spec::LoadModelSpec;

/// Voltage, real and imaginary part in the network's axes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Phasor<L = f64> {
    pub(crate) re: L,
    pub(crate) im: L,
}

impl<L: Lane> Phasor<L> {
    /// Its size.
    pub(crate) fn size(self) -> L {
        (self.re * self.re + self.im * self.im).root()
    }

    /// `yes` where the mask is true.
    #[inline(always)]
    pub(crate) fn pick(mask: L::Mask, yes: Self, no: Self) -> Self {
        Self {
            re: L::pick(mask, yes.re, no.re),
            im: L::pick(mask, yes.im, no.im),
        }
    }

    /// This one moved by a time times a rate.
    #[inline(always)]
    pub(crate) fn moved(self, by: L, rate: Self) -> Self {
        Self {
            re: self.re + by * rate.re,
            im: self.im + by * rate.im,
        }
    }
}

/// How the load depends on voltage.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadModel<L = f64> {
    active: Shares<L>,
    reactive: Shares<L>,
    /// Voltage below which constant power becomes constant current.
    current_limit: L,
    current_limit_square: L,
    /// Nothing but constant power, above that voltage.
    constant_power: bool,
    pub(crate) frequency: L,
}

/// Constant power, current, impedance.
#[derive(Debug, Clone, Copy)]
struct Shares<L> {
    power: L,
    current: L,
    impedance: L,
}

impl<L: Lane> Shares<L> {
    /// Factor at a voltage and its derivative.
    #[inline(always)]
    fn at(self, v: L, current_limit: L) -> (L, L) {
        let low = v.below(current_limit);
        let held = L::pick(low, v / current_limit, L::of(1.0));
        let slope = L::pick(low, L::of(1.0) / current_limit, L::of(0.0));
        (
            self.power * held + v * (self.current + self.impedance * v),
            self.power * slope + self.current + L::of(2.0) * self.impedance * v,
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

    /// Those of four plants; `None` where only some are constant power.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<LoadModel<F64x4>> {
        let constant_power = each[0].constant_power;
        if each
            .iter()
            .any(|load| load.constant_power != constant_power)
        {
            return None;
        }
        let of = |get: fn(&Self) -> f64| F64x4::by_lane(|lane| get(each[lane]));
        Some(LoadModel {
            active: Shares {
                power: of(|l| l.active.power),
                current: of(|l| l.active.current),
                impedance: of(|l| l.active.impedance),
            },
            reactive: Shares {
                power: of(|l| l.reactive.power),
                current: of(|l| l.reactive.current),
                impedance: of(|l| l.reactive.impedance),
            },
            current_limit: of(|l| l.current_limit),
            current_limit_square: of(|l| l.current_limit_square),
            constant_power,
            frequency: of(|l| l.frequency),
        })
    }
}

impl<L: Lane> LoadModel<L> {
    /// `P f/v²`, `Q f/v²` and, so that the derivative by re is that times re, `d(P f/v²)/dv / v` of both.
    #[inline(always)]
    fn conductance(&self, (p, q): (L, L), square: L) -> [L; 4] {
        let (two, inverse) = (L::of(2.0), L::of(1.0) / square);
        let (gp, gq) = (p * inverse, q * inverse);
        let plain = [gp, gq, -(two * gp) * inverse, -(two * gq) * inverse];
        let held = square.below(self.current_limit_square);
        if self.constant_power && !held.any() {
            return plain;
        }
        let v = square.root();
        let ((fp, sp), (fq, sq)) = (
            self.active.at(v, self.current_limit),
            self.reactive.at(v, self.current_limit),
        );
        let (gp, gq) = (p * fp * inverse, q * fq * inverse);
        let full = [
            gp,
            gq,
            (p * sp / v - two * gp) * inverse,
            (q * sq / v - two * gq) * inverse,
        ];
        if self.constant_power {
            // Each lane is what it would be alone.
            let pick = |index: usize| L::pick(held, full[index], plain[index]);
            [pick(0), pick(1), pick(2), pick(3)]
        } else {
            full
        }
    }
}

/// What feeds the bus, as a Norton equivalent per unit of the plant: `I = J − Y V`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Norton<L = f64> {
    pub(crate) y: [[L; 2]; 2],
    pub(crate) j: [L; 2],
}

impl<L: Lane> Norton<L> {
    /// Adds a voltage `e` behind the admittance `y`, both in the network's axes, with a weight.
    #[inline(always)]
    pub(crate) fn add(&mut self, weight: L, y: [[L; 2]; 2], e: [L; 2]) {
        for ((own, more), j) in self.y.iter_mut().zip(y).zip(&mut self.j) {
            own[0] += weight * more[0];
            own[1] += weight * more[1];
            *j += weight * (more[0] * e[0] + more[1] * e[1]);
        }
    }
}

/// Passes of Newton's method; from the voltage of a millisecond ago one or two suffice.
const PASSES: u32 = 30;
/// A last pass of this size leaves an error of its square: rounding, but for loads within a thousandth of the most the sources can carry.
const TOLERANCE: f64 = 3e-8;

/// Bus voltage under a load `p + jq` (at nominal voltage, per unit of the plant), and where one exists and is found.
#[inline(always)]
pub(crate) fn solve<L: Lane>(
    sources: &Norton<L>,
    load: &LoadModel<L>,
    power: (L, L),
    guess: Phasor<L>,
) -> (Phasor<L>, L::Mask) {
    let (found, done) = newton(sources, load, power, guess);
    if done.every() {
        return (found, done);
    }
    // Far from the last voltage: from that without a load, whence the higher root is the near one.
    let y = &sources.y;
    let inv = L::of(1.0) / (y[0][0] * y[1][1] - y[0][1] * y[1][0]);
    let open = Phasor {
        re: (sources.j[0] * y[1][1] - sources.j[1] * y[0][1]) * inv,
        im: (sources.j[1] * y[0][0] - sources.j[0] * y[1][0]) * inv,
    };
    let (again, done_again) = newton(sources, load, power, open);
    (Phasor::pick(done, found, again), done | done_again)
}

/// Each lane stops with the pass that is small enough, or with one that leads nowhere.
#[inline(always)]
fn newton<L: Lane>(
    sources: &Norton<L>,
    load: &LoadModel<L>,
    power: (L, L),
    guess: Phasor<L>,
) -> (Phasor<L>, L::Mask) {
    let y = &sources.y;
    let mut at = guess;
    let mut found = L::mask(|_| false);
    let mut running = L::mask(|_| true);
    for _ in 0..PASSES {
        let Phasor { re, im } = at;
        let square = re * re + im * im;
        running = running & square.above(L::of(1e-12));
        let [gp, gq, dp, dq] = load.conductance(power, square);
        // I = conj(S/V): (P re + Q im)/v², (P im − Q re)/v².
        let off_re = sources.j[0] - (y[0][0] + gp) * re - (y[0][1] + gq) * im;
        let off_im = sources.j[1] - (y[1][0] - gq) * re - (y[1][1] + gp) * im;
        let (along_re, along_im) = (dp * re + dq * im, dp * im - dq * re);
        let a = -y[0][0] - gp - along_re * re;
        let b = -y[0][1] - gq - along_re * im;
        let c = -y[1][0] + gq - along_im * re;
        let d = -y[1][1] - gp - along_im * im;
        let inv_det = L::of(1.0) / (a * d - b * c);
        let step_re = (b * off_im - d * off_re) * inv_det;
        let step_im = (c * off_re - a * off_im) * inv_det;
        let next = Phasor {
            re: re + step_re,
            im: im + step_im,
        };
        at = Phasor::pick(running, next, at);
        let small = (step_re.size() + step_im.size()).at_most(L::of(TOLERANCE));
        found = found | (running & small);
        running = running & !small & next.re.sound() & next.im.sound();
        if !running.any() {
            break;
        }
    }
    (at, found)
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
            let v = solve(&behind(e, x), &load, (p, q), FLAT).0.size();
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
        let v = solve(&behind(1.0, 0.2), &LoadModel::new(&spec), (0.0, 1.0), FLAT).0;
        assert!((v.size() - 1.0 / 1.2).abs() < 1e-12);
    }

    #[test]
    fn more_than_the_reactance_carries_has_no_voltage() {
        let spec = LoadModelSpec {
            current_limit_below_pu: 0.0,
            ..LoadModelSpec::default()
        };
        let load = LoadModel::new(&spec);
        assert!(!solve(&behind(1.0, 0.5), &load, (1.5, 0.0), FLAT).1);
    }
}
