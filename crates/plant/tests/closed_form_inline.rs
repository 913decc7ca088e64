//! Closed-form solutions computed here from their formulas: a fresh clone checks them, with no reference beside it.
//!
//! All per unit, one set of 1 s inertia, `Te = P`: `2H dω/dt = ΔPm − ΔP − D Δω`.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; measured errors are printed"
)]

mod common;

use std::f64::consts::TAU;
use std::ops::{Add, Div, Mul, Neg, Sub};

use ballast_plant::{GovernorSpec, Plant, TorqueConvention};
use common::{BASE_W, one_set, pi, run, tgov1};

const H_S: f64 = 1.0;
const T_S: f64 = 0.1;
const KP: f64 = 12.0;
const KI: f64 = 12.0;
const DROOP: f64 = 0.05;

/// Gain over the Laplace variable.
type Gain<'a> = &'a dyn Fn(C) -> C;

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct C(f64, f64);

impl Add for C {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self(self.0 + o.0, self.1 + o.1)
    }
}
impl Sub for C {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self(self.0 - o.0, self.1 - o.1)
    }
}
impl Mul for C {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self(self.0 * o.0 - self.1 * o.1, self.0 * o.1 + self.1 * o.0)
    }
}
impl Div for C {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        let square = o.0 * o.0 + o.1 * o.1;
        self * Self(o.0 / square, -o.1 / square)
    }
}
impl Neg for C {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0, -self.1)
    }
}

fn exp(z: C) -> C {
    let r = z.0.exp();
    C(r * z.1.cos(), r * z.1.sin())
}

/// Value of the polynomial with real coefficients, highest power first.
fn poly(coefficients: &[f64], s: C) -> C {
    coefficients
        .iter()
        .fold(C(0.0, 0.0), |sum, c| sum * s + C(*c, 0.0))
}

/// `2HT s³ + 2H s² + Kp s + Ki`: the set under a PI governor with one lag.
fn cubic() -> [f64; 4] {
    [2.0 * H_S * T_S, 2.0 * H_S, KP, KI]
}

/// Its poles and the residues of `(1 + sT)/cubic` at them: Durand and Kerner's iteration finds all three at once.
fn poles() -> [(C, C); 3] {
    let [a, b, c, _] = cubic();
    let mut p = [C(0.4, 0.9), C(-0.65, 0.72), C(-0.908, -0.297)].map(|z| z * C(5.0, 0.0));
    for _ in 0..200 {
        for i in 0..3 {
            let (j, k) = ((i + 1) % 3, (i + 2) % 3);
            let others = (p[i] - p[j]) * (p[i] - p[k]) * C(a, 0.0);
            p[i] = p[i] - poly(&cubic(), p[i]) / others;
        }
    }
    p.map(|s| {
        let slope = poly(&[3.0 * a, 2.0 * b, c], s);
        (s, (C(1.0, 0.0) + s * C(T_S, 0.0)) / slope)
    })
}

/// Largest difference from `formula` (time to speed deviation) over 10 s after a step of `change`.
fn worst(governor: GovernorSpec, damping: f64, change: f64, formula: impl Fn(f64) -> f64) -> f64 {
    let spec = one_set(governor, H_S, damping, TorqueConvention::Power);
    let times: Vec<f64> = (0..=10_000).map(|k| f64::from(k) * 1e-3).collect();
    let mut worst = 0.0_f64;
    for step in [1e-3, 0.7e-3] {
        let mut plant = Plant::new(&spec, 0.3 * BASE_W, step).unwrap();
        run(
            &mut plant,
            &times,
            0.3,
            &[(0.0, 0.3 + change)],
            step,
            |i, plant| worst = worst.max((plant.speed_pu() - 1.0 - formula(times[i])).abs()),
        );
    }
    worst
}

/// cf1: `Δω = −(ΔP/D)(1 − exp(−D t/2H))`.
#[test]
fn swing_with_damping() {
    let (damping, change) = (1.0, 0.2);
    let off = worst(GovernorSpec::Constant, damping, change, |t| {
        -change / damping * (1.0 - (-damping * t / (2.0 * H_S)).exp())
    });
    println!("cf1: {off:e}");
    assert!(off <= 1e-9, "{off:e}");
}

/// cf3: `Δω = −ΔP Re Σ residue · exp(pole · t)`.
#[test]
fn isochronous_pi() {
    let poles = poles();
    for (s, _) in poles {
        let rest = poly(&cubic(), s);
        assert!(rest.0.hypot(rest.1) < 1e-12, "{s:?} is no pole: {rest:?}");
    }
    for change in [0.2, 0.4] {
        let off = worst(pi(KP, KI, T_S, 0.0), 0.0, change, |t| {
            let sum = poles
                .iter()
                .map(|(s, r)| *r * exp(*s * C(t, 0.0)))
                .fold(C(0.0, 0.0), Add::add);
            -change * sum.0
        });
        println!("cf3, +{change}: {off:e}");
        assert!(off <= 1e-9, "{off:e}");
    }
}

/// cf5: the gain from load to speed: `1/2Hs`; `(1 + sT)/(2HT s² + 2H s + 1/R)`; `s(1 + sT)/cubic`.
#[test]
fn gain_over_frequency() {
    let one = C(1.0, 0.0);
    let lag = |s: C| one + s * C(T_S, 0.0);
    let cases: [(&str, GovernorSpec, Gain<'_>); 3] = [
        ("inertia alone", GovernorSpec::Constant, &|s| {
            one / (s * C(2.0 * H_S, 0.0))
        }),
        ("droop", GovernorSpec::Tgov1(tgov1(DROOP, T_S)), &|s| {
            lag(s) / poly(&[2.0 * H_S * T_S, 2.0 * H_S, 1.0 / DROOP], s)
        }),
        ("PI", pi(KP, KI, T_S, 0.0), &|s| {
            s * lag(s) / poly(&cubic(), s)
        }),
    ];
    for (name, governor, gain) in cases {
        let spec = one_set(governor, H_S, 0.0, TorqueConvention::Power);
        let plant = Plant::new(&spec, 0.3 * BASE_W, 1e-3).unwrap();
        let mut off = 0.0_f64;
        for k in 0..=300 {
            let f_hz = 10_f64.powf(-2.0 + 3.0 * f64::from(k) / 300.0);
            let exact = gain(C(0.0, TAU * f_hz));
            off = off.max((plant.gain_pu(f_hz) / exact.0.hypot(exact.1) - 1.0).abs());
        }
        println!("cf5, {name}: {off:e} relative");
        assert!(off <= 1e-12, "{name}: {off:e}");
    }
}

/// cf6: a square wave of ±a that has lasted for ever: in the half period after a rise the speed deviation is
/// `−2a Re Σ residue · exp(p t)/(1 + exp(p T/2))`, the sum of all past edges. The swing is twice its largest magnitude.
#[test]
fn square_wave_swing() {
    let poles = poles();
    let half = 0.12;
    for f_hz in [0.2, 0.5, 1.0, 2.0] {
        let per_half = (0.5 / f_hz / 1e-3_f64).round() as usize;
        let deviation = |t: f64| {
            let sum = poles
                .iter()
                .map(|(p, r)| {
                    *r * exp(*p * C(t, 0.0)) / (C(1.0, 0.0) + exp(*p * C(0.5 / f_hz, 0.0)))
                })
                .fold(C(0.0, 0.0), Add::add);
            -2.0 * half * sum.0
        };
        let exact = 2.0
            * (0..=per_half)
                .map(|k| deviation(k as f64 * 1e-3).abs())
                .fold(0.0, f64::max);
        let spec = one_set(pi(KP, KI, T_S, 0.0), H_S, 0.0, TorqueConvention::Power);
        let mut plant = Plant::new(&spec, 0.5 * BASE_W, 1e-3).unwrap();
        let halves = 2 * (30.0 * f_hz) as usize + 2;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for index in 0..halves {
            let load = (0.5 + if index % 2 == 0 { half } else { -half }) * BASE_W;
            for _ in 0..per_half {
                plant.advance(1e-3, load, load);
                if index + 2 >= halves {
                    low = low.min(plant.speed_pu());
                    high = high.max(plant.speed_pu());
                }
            }
        }
        let off = (high - low - exact).abs();
        println!("cf6 at {f_hz} Hz: {off:e} of {exact}");
        assert!(off <= 1e-9, "{f_hz} Hz: {off:e}");
    }
}
