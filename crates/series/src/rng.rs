//! Random streams that are a function of what they are for, not of when they are drawn.
//!
//! A study draws for thousands of entities (a rack's noise, a job's start) over many cases on any
//! number of threads. One generator handed from one to the next would tie every number to the order
//! of the work, so each purpose opens its own [`Stream`], keyed by
//! `(seed, stream name, entity, case)`.
//!
//! # The key
//!
//! With `G = 0x9E3779B97F4A7C15` (2⁶⁴ over the golden ratio), all arithmetic modulo 2⁶⁴ and
//!
//! ```text
//! mix(z):  z = (z ^ (z >> 30)) · 0xBF58476D1CE4E5B9
//!          z = (z ^ (z >> 27)) · 0x94D049BB133111EB
//!          z ^ (z >> 31)
//! ```
//!
//! (the finaliser of `SplitMix64`: Steele, Lea and Flood, "Fast splittable pseudorandom number
//! generators", OOPSLA 2014), the key is `k = 0`, then `k = mix((k ^ w) + G)` for `w` = the seed,
//! the FNV-1a hash (64 bit) of the name's UTF-8 bytes, the entity and the case, in this order. The
//! four words of the generator's state are `mix(k + G)`, `mix(k + 2G)`, `mix(k + 3G)`,
//! `mix(k + 4G)`, which is how the authors of xoshiro256++ advise seeding it (Blackman and Vigna,
//! "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021). Nothing in it depends on
//! the platform; a test holds the first values of a stream fixed.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of random numbers: xoshiro256++, seeded by seed, stream name, entity and case.
#[derive(Debug, Clone)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// Opens the stream for one purpose.
    ///
    /// `seed` is the study's, `stream` names what is drawn (such as `"rack noise"`), `entity` is
    /// which of many (a rack's index), `case` is which realisation. Streams that differ in any of
    /// the four are unrelated; equal ones give equal numbers.
    pub fn new(seed: u64, stream: &str, entity: u64, case: u64) -> Self {
        let mut key = 0;
        for word in [seed, fnv1a(stream.as_bytes()), entity, case] {
            key = mix((key ^ word).wrapping_add(GOLDEN));
        }
        let mut state = [0; 32];
        for bytes in state.chunks_exact_mut(8) {
            key = key.wrapping_add(GOLDEN);
            bytes.copy_from_slice(&mix(key).to_le_bytes());
        }
        Self(Xoshiro256PlusPlus::from_seed(state))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// The next number uniform in the open interval (0, 1).
    ///
    /// It is one of the 2⁵² odd multiples of 2⁻⁵³, each equally likely, so both it and its
    /// complement to 1 are exact and neither is ever 0. (Half a unit added to all 53 bits would
    /// not do: above one half the sum no longer fits 53 bits, and the largest rounds to 1.)
    pub fn uniform(&mut self) -> f64 {
        // 2⁻⁵³
        const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;
        ((self.next_u64() >> 11) | 1) as f64 * UNIT
    }

    /// The next standard normal number, the [`inverse_normal`] of one [`uniform`](Self::uniform).
    ///
    /// One draw takes one number of the stream, so the stream's position never depends on the
    /// values drawn. The largest magnitude is 8.2.
    pub fn normal(&mut self) -> f64 {
        inverse_normal(self.uniform())
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// FNV-1a, 64 bit (Fowler, Noll, Vo; RFC 9923).
fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    hash
}

// Coefficients of AS241's PPND16, highest power first, as the nearest 64-bit floats. CENTRE is for
// |p - 1/2| <= 0.425, MIDDLE for sqrt(-ln p) <= 5, FAR beyond.
const CENTRE_NUM: [f64; 8] = [
    2_509.080_928_730_122_7,
    33_430.575_583_588_13,
    67_265.770_927_008_7,
    45_921.953_931_549_87,
    13_731.693_765_509_46,
    1_971.590_950_306_551_3,
    133.141_667_891_784_38,
    3.387_132_872_796_366_5,
];
const CENTRE_DEN: [f64; 8] = [
    5_226.495_278_852_854,
    28_729.085_735_721_943,
    39_307.895_800_092_71,
    21_213.794_301_586_597,
    5_394.196_021_424_751,
    687.187_007_492_057_9,
    42.313_330_701_600_91,
    1.0,
];
const MIDDLE_NUM: [f64; 8] = [
    0.000_774_545_014_278_341_4,
    0.022_723_844_989_269_184,
    0.241_780_725_177_450_6,
    1.270_458_252_452_368_4,
    3.647_848_324_763_204_5,
    5.769_497_221_460_691,
    4.630_337_846_156_546,
    1.423_437_110_749_683_5,
];
const MIDDLE_DEN: [f64; 8] = [
    1.050_750_071_644_416_9e-9,
    0.000_547_593_808_499_534_5,
    0.015_198_666_563_616_457,
    0.148_103_976_427_480_08,
    0.689_767_334_985_1,
    1.676_384_830_183_803_8,
    2.053_191_626_637_759,
    1.0,
];
const FAR_NUM: [f64; 8] = [
    2.010_334_399_292_288_1e-7,
    2.711_555_568_743_487_6e-5,
    0.001_242_660_947_388_078_4,
    0.026_532_189_526_576_124,
    0.296_560_571_828_504_87,
    1.784_826_539_917_291_3,
    5.463_784_911_164_114,
    6.657_904_643_501_103,
];
const FAR_DEN: [f64; 8] = [
    2.044_263_103_389_939_7e-15,
    1.421_511_758_316_446e-7,
    1.846_318_317_510_054_8e-5,
    0.000_786_869_131_145_613_3,
    0.014_875_361_290_850_615,
    0.136_929_880_922_735_8,
    0.599_832_206_555_888,
    1.0,
];

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    let mut sum = 0.0;
    for c in coefficients {
        sum = sum * x + c;
    }
    sum
}

/// The quantile of the standard normal distribution: the `x` with `P(X <= x) = p`.
///
/// Algorithm AS241, PPND16, about 1 part in 10¹⁶ (Wichura, "The percentage points of the normal
/// distribution", Applied Statistics 37(3), 1988, 477–484). Outside the open interval (0, 1) it
/// is the limit: −∞ for `p <= 0` and +∞ for `p >= 1`. A `p` that is not a number has no quantile
/// and gives the median, 0.
pub fn inverse_normal(p: f64) -> f64 {
    if p.is_nan() {
        return 0.0;
    }
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE_NUM, r) / polynomial(&CENTRE_DEN, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-libm::log(tail)).sqrt();
    let x = if r <= 5.0 {
        polynomial(&MIDDLE_NUM, r - 1.6) / polynomial(&MIDDLE_DEN, r - 1.6)
    } else {
        polynomial(&FAR_NUM, r - 5.0) / polynomial(&FAR_DEN, r - 5.0)
    };
    if q < 0.0 { -x } else { x }
}

/// The standard normal distribution function `P(X <= x)`, accurate in both tails: `erfc(−x/√2)/2`.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// A stationary random process of zero mean and unit variance with exponential memory: an
/// Ornstein–Uhlenbeck process sampled exactly, which is the AR(1) process `z ← a·z + b·n`.
#[derive(Debug, Clone)]
pub struct UnitOu {
    stream: Stream,
    z: f64,
}

impl UnitOu {
    /// Starts the process in its stationary state: the first value is a standard normal drawn from
    /// the stream, so no run begins with a transient.
    pub fn new(mut stream: Stream) -> Self {
        let z = stream.normal();
        Self { stream, z }
    }

    /// Advances one step and returns the new value.
    ///
    /// `a` and `b` are those of [`ou_coefficients`]; unit variance needs `a² + b² = 1`. They are
    /// arguments, not state, so that one pair serves all processes of the same step and memory.
    pub fn step(&mut self, a: f64, b: f64) -> f64 {
        self.z = a * self.z + b * self.stream.normal();
        self.z
    }

    /// The current value.
    pub fn value(&self) -> f64 {
        self.z
    }
}

/// Coefficients `(a, b)` of the exact step of an Ornstein–Uhlenbeck process with correlation time
/// `tau_s` over `dt_s`, both in seconds: `a = exp(−dt/tau)`, `b = √(1 − a²)`.
///
/// The correlation of two values `T` apart is `exp(−T/tau)` whatever the step (Gillespie, "Exact
/// numerical simulation of the Ornstein–Uhlenbeck process", Physical Review E 54, 1996). A
/// correlation time that is not positive has no memory: `(0, 1)`, white noise. A step that is not
/// positive goes nowhere: `(1, 0)`.
pub fn ou_coefficients(dt_s: f64, tau_s: f64) -> (f64, f64) {
    let memory_exists = tau_s > 0.0;
    if !memory_exists {
        return (0.0, 1.0);
    }
    let moves = dt_s > 0.0;
    if !moves || tau_s == f64::INFINITY {
        return (1.0, 0.0);
    }
    let x = dt_s / tau_s;
    // expm1 keeps b right where a is within a few bits of 1.
    (libm::exp(-x), (-libm::expm1(-2.0 * x)).sqrt())
}

#[cfg(test)]
#[path = "rng_tests.rs"]
mod tests;
