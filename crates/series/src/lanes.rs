//! Standard normal numbers sixteen at a time, for kernels that draw one per GPU and step.
//!
//! [`NormalLanes`] holds sixteen independent xoshiro128++ generators side by side (Blackman and Vigna, "Scrambled linear
//! pseudorandom number generators", ACM TOMS 47, 2021) and turns each of their 32-bit numbers into a normal by
//! [`normal_from_bits`]. Everything is a plain loop over `[_; 16]` without branches, so the compiler turns it into vector
//! instructions of whatever width the calling function is compiled for. There is no fused multiply-add and no library
//! function beside the square root, which IEEE 754 rounds exactly: the numbers are the same bytes at every width.
//!
//! [`crate::rng::Stream`] is twice as fine and five times slower; use it wherever few numbers are drawn.

use crate::rng::Stream;

/// Lanes: numbers drawn at a time.
pub const LANES: usize = 16;

/// One number per lane.
pub type Lanes = [f32; LANES];

/// Sixteen independent streams of standard normal numbers.
#[derive(Debug, Clone)]
pub struct NormalLanes {
    state: [[u32; LANES]; 4],
}

impl NormalLanes {
    /// Opens sixteen streams with state drawn from `seeds`, lane after lane; two numbers of it for each lane.
    pub fn new(seeds: &mut Stream) -> Self {
        Self::from_state(|_| (seeds.next_u64(), seeds.next_u64()))
    }

    /// Opens sixteen streams with the state of each lane drawn from its own stream, two numbers each: what a lane draws
    /// does not depend on the lanes beside it. `seeds` is asked for each lane, 0 to 15, in order.
    pub fn by_lane(mut seeds: impl FnMut(usize) -> Stream) -> Self {
        Self::from_state(|lane| {
            let mut own = seeds(lane);
            (own.next_u64(), own.next_u64())
        })
    }

    fn from_state(mut words: impl FnMut(usize) -> (u64, u64)) -> Self {
        let mut state = [[0; LANES]; 4];
        for lane in 0..LANES {
            let (low, high) = words(lane);
            // All zero is the one state the generator never leaves.
            let words = [
                low as u32 | 1,
                (low >> 32) as u32,
                high as u32,
                (high >> 32) as u32,
            ];
            for (row, word) in state.iter_mut().zip(words) {
                row[lane] = word;
            }
        }
        Self { state }
    }

    /// The next number of every lane.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub fn draw(&mut self) -> Lanes {
        let [s0, s1, s2, s3] = &mut self.state;
        let mut out = [0.0; LANES];
        for i in 0..LANES {
            let bits = s0[i].wrapping_add(s3[i]).rotate_left(7).wrapping_add(s0[i]);
            let t = s1[i] << 9;
            s2[i] ^= s0[i];
            s3[i] ^= s1[i];
            s1[i] ^= s2[i];
            s0[i] ^= s3[i];
            s2[i] ^= t;
            s3[i] = s3[i].rotate_left(11);
            out[i] = normal_from_bits(bits);
        }
        out
    }
}

// Polynomials, highest power first, fitted for the least relative error. With w = −ln(1 − x²):
// z/x over w < 5 in w − 2.5 (2.2·10⁻⁶), z/x over 5 ≤ w ≤ 21.6 in √w − 3.5 (3.3·10⁻⁶), ln(1 + f)/f (1.1·10⁻⁶).
const NEAR: [f32; 7] = [
    -4.678_215_6e-6,
    -9.368_852e-7,
    3.089_791_3e-4,
    -1.789_346_6e-3,
    -5.909_919_7e-3,
    0.348_815_2,
    2.123_314_6,
];
const FAR: [f32; 7] = [
    9.417_176_5e-4,
    -1.665_390_2e-3,
    1.140_624_6e-3,
    -2.463_899_3e-3,
    4.796_289e-3,
    1.424_561_4,
    4.717_078_7,
];
const LOG: [f32; 7] = [
    0.118_960_95,
    -0.186_678_5,
    0.204_963_31,
    -0.249_097_45,
    0.333_145_08,
    -0.500_011_15,
    1.000_001,
];

/// The standard normal quantile of the 32-bit number `bits`, symmetric: the top bit is the sign, the other 31 give the
/// probability `(k + ½) 2⁻³²` of the tail beyond the result.
///
/// Counting from the tail keeps it fine where it is rare: the largest magnitude is 6.34, reached with probability 2⁻³¹.
/// Off the exact quantile by at most 4 parts in 10⁶. The form, a polynomial in `w = −ln(1 − x²)` times `x`, is that
/// of Giles, "Approximating the erfinv function", GPU Computing Gems, 2012; the polynomials are fitted anew to reach
/// further into the tail.
#[inline(always)]
pub fn normal_from_bits(bits: u32) -> f32 {
    /// Bits of √½, where the mantissa is cut so that its logarithm stays next to 0.
    const CUT: u32 = 0x3f35_04f3;
    const HALF_UNIT: f32 = 1.0 / (1_u32 << 31) as f32;
    // As a signed number: the conversion of those is one instruction everywhere.
    let k = (bits & 0x7fff_ffff).cast_signed();
    let twice_p = (k as f32 + 0.5) * HALF_UNIT;
    let v = twice_p * (2.0 - twice_p);
    let exponent = v.to_bits().wrapping_sub(CUT).cast_signed() >> 23;
    let f = f32::from_bits(v.to_bits().wrapping_sub((exponent << 23).cast_unsigned())) - 1.0;
    let mut log = LOG[0];
    for c in &LOG[1..] {
        log = log * f + c;
    }
    let w = -(exponent as f32 * std::f32::consts::LN_2 + f * log);
    let far = w >= 5.0;
    // At the centre w may come out a rounding error below 0; its root is not used there.
    let u = if far { w.sqrt() - 3.5 } else { w - 2.5 };
    let mut ratio = if far { FAR[0] } else { NEAR[0] };
    for (near, beyond) in NEAR[1..].iter().zip(&FAR[1..]) {
        ratio = ratio * u + if far { *beyond } else { *near };
    }
    let size = ratio * (1.0 - twice_p);
    f32::from_bits(size.to_bits() | (bits & 0x8000_0000))
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
