//! Numbers of one plant, or of four plants side by side.
//!
//! Every model's equations are written once over a [`Lane`]: `f64`, or [`F64x4`] whose operations are those of `f64` in each lane. A lane of four is therefore, bit for
//! bit, the plant alone. Where a branch would depend on a value, both sides are computed and one is picked.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use std::fmt::{self, Debug};
use std::ops::{Add, AddAssign, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

/// Lanes of [`F64x4`].
pub(crate) const LANES: usize = 4;

/// Truth in every lane.
pub(crate) trait Mask:
    Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self>
{
    /// In any lane.
    fn any(self) -> bool;
    /// In all lanes.
    fn every(self) -> bool {
        !(!self).any()
    }
}

/// A number in every lane.
pub(crate) trait Lane:
    Copy
    + Default
    + Debug
    + PartialEq
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// Number of lanes.
    const WIDTH: usize;
    /// What comparing gives.
    type Mask: Mask + Debug;
    /// One of something for each lane.
    type Each<T: Clone + Debug>: Clone + Debug + AsRef<[T]> + AsMut<[T]>;
    /// The same number in all lanes.
    fn of(value: f64) -> Self;
    /// A number for each lane.
    fn by_lane(value: impl FnMut(usize) -> f64) -> Self;
    /// The number of a lane.
    fn lane(self, lane: usize) -> f64;
    /// Truth for each lane.
    fn mask(truth: impl FnMut(usize) -> bool) -> Self::Mask;
    /// `yes` where the mask is true, `no` elsewhere.
    fn pick(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// `self > other`.
    fn above(self, other: Self) -> Self::Mask;
    /// `self >= other`.
    fn at_least(self, other: Self) -> Self::Mask;
    /// Neither infinite nor not a number.
    fn sound(self) -> Self::Mask;
    /// Square root.
    fn root(self) -> Self;
    /// Size without sign.
    fn size(self) -> Self;
    /// The higher one; `other` where either is not a number.
    fn or_more(self, other: Self) -> Self;
    /// The lower one; `other` where either is not a number.
    fn or_less(self, other: Self) -> Self;

    /// `self < other`.
    #[inline(always)]
    fn below(self, other: Self) -> Self::Mask {
        other.above(self)
    }

    /// `self <= other`.
    #[inline(always)]
    fn at_most(self, other: Self) -> Self::Mask {
        other.at_least(self)
    }

    /// Within limits that are in order.
    #[inline(always)]
    fn within(self, low: Self, high: Self) -> Self {
        let raised = Self::pick(self.below(low), low, self);
        Self::pick(raised.above(high), high, raised)
    }
}

impl Mask for bool {
    #[inline(always)]
    fn any(self) -> bool {
        self
    }
}

impl Lane for f64 {
    const WIDTH: usize = 1;
    type Mask = bool;
    type Each<T: Clone + Debug> = [T; 1];

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn by_lane(mut value: impl FnMut(usize) -> f64) -> Self {
        value(0)
    }
    #[inline(always)]
    fn lane(self, _: usize) -> f64 {
        self
    }
    #[inline(always)]
    fn mask(mut truth: impl FnMut(usize) -> bool) -> bool {
        truth(0)
    }
    #[inline(always)]
    fn pick(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
    #[inline(always)]
    fn above(self, other: Self) -> bool {
        self > other
    }
    #[inline(always)]
    fn at_least(self, other: Self) -> bool {
        self >= other
    }
    #[inline(always)]
    fn sound(self) -> bool {
        self.is_finite()
    }
    #[inline(always)]
    fn root(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn size(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn or_more(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn or_less(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
}

/// Four numbers, in registers of whatever width there is: left to itself the compiler packs the wrong numbers together.
#[derive(Clone, Copy, Default, PartialEq)]
#[repr(transparent)]
pub(crate) struct F64x4(wide::f64x4);

/// Four truths.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask4(wide::f64x4);

impl F64x4 {
    /// Sets the number of a lane.
    pub(crate) fn set(&mut self, lane: usize, value: f64) {
        self.0.as_mut_array()[lane] = value;
    }
}

impl fmt::Debug for F64x4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_array().fmt(f)
    }
}

impl Add for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

impl Div for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0)
    }
}

impl Neg for F64x4 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for F64x4 {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl BitAnd for Mask4 {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Mask4 {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Mask4 {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Self(self.0 ^ wide::f64x4::splat(f64::from_bits(u64::MAX)))
    }
}

impl Mask for Mask4 {
    #[inline(always)]
    fn any(self) -> bool {
        self.0.any()
    }
}

impl Lane for F64x4 {
    const WIDTH: usize = LANES;
    type Mask = Mask4;
    type Each<T: Clone + Debug> = [T; LANES];

    #[inline(always)]
    fn of(value: f64) -> Self {
        Self(wide::f64x4::splat(value))
    }
    #[inline(always)]
    fn by_lane(mut value: impl FnMut(usize) -> f64) -> Self {
        Self(wide::f64x4::new([value(0), value(1), value(2), value(3)]))
    }
    #[inline(always)]
    fn lane(self, lane: usize) -> f64 {
        self.0.to_array()[lane]
    }
    #[inline(always)]
    fn mask(mut truth: impl FnMut(usize) -> bool) -> Mask4 {
        let mut bits = |lane| f64::from_bits(if truth(lane) { u64::MAX } else { 0 });
        Mask4(wide::f64x4::new([bits(0), bits(1), bits(2), bits(3)]))
    }
    #[inline(always)]
    fn pick(mask: Mask4, yes: Self, no: Self) -> Self {
        Self(mask.0.select(yes.0, no.0))
    }
    #[inline(always)]
    fn above(self, other: Self) -> Mask4 {
        Mask4(self.0.simd_gt(other.0))
    }
    #[inline(always)]
    fn at_least(self, other: Self) -> Mask4 {
        Mask4(self.0.simd_ge(other.0))
    }
    #[inline(always)]
    fn sound(self) -> Mask4 {
        self.size().below(Self::of(f64::INFINITY))
    }
    #[inline(always)]
    fn root(self) -> Self {
        Self(self.0.sqrt())
    }
    #[inline(always)]
    fn size(self) -> Self {
        Self(self.0.abs())
    }
    #[inline(always)]
    fn or_more(self, other: Self) -> Self {
        Self::pick(self.above(other), self, other)
    }
    #[inline(always)]
    fn or_less(self, other: Self) -> Self {
        Self::pick(self.below(other), self, other)
    }
}
