//! What holding each GPU within an envelope does to sums of many: the group engine's part of power smoothing.
//!
//! A GPU's work is Gaussian, `x = m + σ (z + ξ)` with `z` in step with other GPUs (variance s) and `ξ` its node's and its own
//! (variance 1 − s). Held between `f` and `u`, given `z`, its mean over `ξ` is, with `ω = σ √(1 − s)`,
//!
//! `F(z) = f + ω h((m + σz − f)/ω) − ω h((m + σz − u)/ω)`, `h(v) = E[max(0, v + n)] = v Φ(v) + φ(v)`.
//!
//! So at each limit that is near, a cohort bends the sum of its rack by a function of the shared factor, which the kernel evaluates at every
//! step; mean, quantiles and swing of what is shared come out exactly. Cohorts of one job and rack that are near the limit at the same time
//! with different means are taken at their mean distance. Farther than [`FAR`] standard deviations a limit either does nothing, or
//! the power is the limit.
//!
//! The rest, what nodes and GPUs have of their own, stays one Gaussian process: of `σ² (1 − s)` it keeps the share `V/σ²` for
//! independent GPUs (V the variance of a Gaussian held within the limits) and the share `P(f < x < u)` where all but little is shared, in
//! proportion between.

use ballast_series::rng::normal_cdf;

use crate::timeline::Point;

/// Standard deviations from which on a limit is not near: what lies beyond has a probability of 1e-9.
pub(crate) const FAR: f64 = 6.0;

/// Least standard deviation of what is not shared, share of σ: it rounds the corner where everything is shared, by 0.02 σ at most.
const LEAST_OWN: f64 = 0.05;

/// Bend at one limit, summed over GPUs, W: `Σ ω`, `Σ (m − limit)`, `Σ σ`.
pub(crate) type Corner = [f64; 3];

/// What a cohort's limits add to its rack beyond its [`crate::follow::Part`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Bend {
    pub(crate) floor: Corner,
    pub(crate) cap: Corner,
    /// Mean of both together, W.
    pub(crate) mean_w: f64,
}

impl Bend {
    pub(crate) fn less(self, old: Self) -> Self {
        let less = |a: Corner, b: Corner| [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
        Self {
            floor: less(self.floor, old.floor),
            cap: less(self.cap, old.cap),
            mean_w: self.mean_w - old.mean_w,
        }
    }
}

/// One GPU held between two limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Held {
    /// Part of the mean that no factor moves or all move in a straight line, W.
    pub(crate) base_w: f64,
    /// Spread in step with the shared factors, in a straight line, W.
    pub(crate) spread_w: f64,
    /// Share of `σ²` that own terms keep.
    pub(crate) own: f64,
    pub(crate) floor: Corner,
    pub(crate) cap: Corner,
    /// Mean power, W.
    pub(crate) mean_w: f64,
    /// Probability that the work is below the floor.
    pub(crate) under: f64,
}

/// Holds the Gaussian `point` between `floor_w` and `upper_w`, not below the floor; `shared` is the variance in step with others, 0 to 1.
pub(crate) fn hold(point: Point, floor_w: f64, upper_w: f64, shared: f64) -> Held {
    let (m, sigma) = (point.mean_w, point.sigma_w);
    let (below, above) = (m - floor_w, m - upper_w);
    let flat = |w: f64, under: f64| Held {
        base_w: w,
        spread_w: 0.0,
        own: 0.0,
        floor: [0.0; 3],
        cap: [0.0; 3],
        mean_w: w,
        under,
    };
    let reach = FAR * sigma;
    if below <= -reach {
        return flat(floor_w, 1.0);
    }
    if above >= reach {
        return flat(upper_w, 0.0);
    }
    let (near_floor, near_cap) = (below < reach, above > -reach);
    let mut held = Held {
        base_w: m,
        spread_w: sigma,
        own: 1.0,
        floor: [0.0; 3],
        cap: [0.0; 3],
        mean_w: m,
        under: 0.0,
    };
    if !near_floor && !near_cap {
        return held;
    }
    let own_sigma = sigma * (1.0 - shared).max(0.0).sqrt().max(LEAST_OWN);
    if near_floor {
        (held.base_w, held.spread_w) = (floor_w, 0.0);
        held.floor = [own_sigma, below, sigma];
    }
    if near_cap {
        held.cap = [own_sigma, above, sigma];
    }
    // In units of σ around the mean; a limit that is not near is taken at the end of the reach.
    let low = (-below / sigma).max(-FAR);
    let high = (-above / sigma).min(FAR);
    // What is far has no part in it, and costs nothing.
    let at = |near: bool, v: f64, z: f64| {
        if near {
            (normal_cdf(v), density(z))
        } else {
            (0.0, 0.0)
        }
    };
    let ((under, at_low), (over, at_high)) = (at(near_floor, low, low), at(near_cap, -high, high));
    let between = (1.0 - under - over).max(0.0);
    let first = low * under + high * over + at_low - at_high;
    let second = low * low * under + high * high * over + between - high * at_high + low * at_low;
    let variance = (second - first * first).clamp(0.0, 1.0);
    held.own = (1.0 - shared) * variance + shared * between;
    held.mean_w = m + sigma * first;
    held.under = under;
    held
}

fn density(v: f64) -> f64 {
    libm::exp(-0.5 * v * v) / (2.0 * std::f64::consts::PI).sqrt()
}

/// `h(v) = v Φ(v) + φ(v)` within 6e-5: `max(0, v)` and an even rest that is 0 from 5 on, a polynomial in the distance from there.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
pub(crate) fn corner(v: f64) -> f64 {
    let a = if v < 0.0 { -v } else { v };
    let t = 1.0 - 0.2 * a;
    let t = if t > 0.0 { t } else { 0.0 };
    let p = 8.103_000_597_981_262 + t * -3.258_692_602_974_890_4;
    let p = -5.842_759_508_146_656 + t * p;
    let p = 1.150_970_023_337_928_3 + t * p;
    let p = 0.425_251_218_309_085_7 + t * p;
    let p = -0.199_390_849_668_734_34 + t * p;
    let p = 0.020_563_219_187_823_296 + t * p;
    (if v > 0.0 { v } else { 0.0 }) + t * t * p
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_series::rng::Stream;

    #[test]
    fn the_corner_is_the_mean_of_what_is_above_zero() {
        for i in -800..=800 {
            let v = f64::from(i) * 0.01;
            let exact = v * normal_cdf(v) + density(v);
            assert!((corner(v) - exact).abs() < 6e-5, "{v}");
        }
    }

    #[test]
    fn means_and_variances_are_those_of_drawn_numbers() {
        let mut stream = Stream::new(5, "bend", 0, 0);
        let n = 200_000;
        for (mean_w, floor_w, upper_w) in [
            (500.0, 500.0, f64::INFINITY),
            (470.0, 500.0, 1000.0),
            (560.0, 500.0, 600.0),
            (500.0, 300.0, 480.0),
        ] {
            let point = Point {
                mean_w,
                sigma_w: 40.0,
            };
            let held = hold(point, floor_w, upper_w, 0.0);
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..n {
                let x: f64 = mean_w + 40.0 * stream.normal();
                let g = x.max(floor_w).min(upper_w);
                sum += g;
                squares += g * g;
            }
            let mean = sum / f64::from(n);
            let variance = squares / f64::from(n) - mean * mean;
            // Four standard errors of the mean.
            assert!((held.mean_w - mean).abs() < 4.0 * 40.0 / f64::from(n).sqrt());
            assert!(
                (held.own * 1600.0 / variance - 1.0).abs() < 0.03,
                "{held:?}"
            );
            // What the kernel adds up comes to the same mean where nothing is shared.
            let at = |c: Corner| {
                if c[0] > 0.0 {
                    c[0] * corner(c[1] / c[0])
                } else {
                    0.0
                }
            };
            let kernel_w = held.base_w + at(held.floor) - at(held.cap);
            assert!((kernel_w - held.mean_w).abs() < 0.01, "{kernel_w} {held:?}");
        }
    }

    #[test]
    fn far_limits_leave_the_power_or_are_it() {
        let point = Point {
            mean_w: 500.0,
            sigma_w: 20.0,
        };
        let free = hold(point, 300.0, 900.0, 0.5);
        assert_eq!((free.mean_w, free.spread_w, free.own), (500.0, 20.0, 1.0));
        let flat = hold(point, 700.0, 900.0, 0.5);
        assert_eq!((flat.mean_w, flat.spread_w, flat.own), (700.0, 0.0, 0.0));
        let capped = hold(point, 0.0, 300.0, 0.5);
        assert_eq!((capped.mean_w, capped.own), (300.0, 0.0));
        let still = Point {
            mean_w: 500.0,
            sigma_w: 0.0,
        };
        for (floor_w, upper_w, expected_w) in [
            (600.0, 900.0, 600.0),
            (100.0, 400.0, 400.0),
            (500.0, 900.0, 500.0),
        ] {
            assert_eq!(hold(still, floor_w, upper_w, 0.0).mean_w, expected_w);
        }
    }
}
