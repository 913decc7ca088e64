//! Complex arithmetic for the linear model, its modes and the poles of a governor loop.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A complex number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Complex {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

/// One.
pub(crate) const ONE: Complex = real(1.0);

/// A real number as a complex one.
pub(crate) const fn real(re: f64) -> Complex {
    Complex { re, im: 0.0 }
}

/// Zero.
pub(crate) const ZERO: Complex = real(0.0);

impl Complex {
    /// Its modulus.
    pub(crate) fn abs(self) -> f64 {
        libm::hypot(self.re, self.im)
    }

    /// `e` to it.
    pub(crate) fn exp(self) -> Self {
        let size = libm::exp(self.re);
        Self {
            re: size * libm::cos(self.im),
            im: size * libm::sin(self.im),
        }
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self {
            re: self.re - other.re,
            im: self.im - other.im,
        }
    }
}

impl Neg for Complex {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            re: -self.re,
            im: -self.im,
        }
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            re: self.re + other.re,
            im: self.im + other.im,
        }
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

impl Mul<f64> for Complex {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self {
            re: self.re * factor,
            im: self.im * factor,
        }
    }
}

impl Div for Complex {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let square = other.re * other.re + other.im * other.im;
        self * Self {
            re: other.re / square,
            im: -other.im / square,
        }
    }
}
