//! The grid as a source on the bus: a voltage behind an impedance, and what its frequency and voltage do over time.
//!
//! The network's axes then turn with the grid's own voltage, so its angle stays where it was at the start and slot 0 of the state is its
//! frequency. Constants are per unit of the plant.

use crate::bus::{Norton, Phasor};
use crate::lane::{F64x4, LANES, Lane};
use crate::together_spec::UtilitySpec;

/// Constants and present values of the grid's source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Utility<L = f64> {
    r: L,
    x: L,
    /// Admittance as a matrix on (re, im).
    y: [[L; 2]; 2],
    /// Its voltage's direction, and size.
    towards: Phasor<L>,
    size: L,
    /// Rate of its frequency, per unit per second.
    pub(crate) slope: L,
}

/// A root below this is a collapsed bus whose load is at its current limit, not where a site starts, per unit.
const LEAST_VOLTAGE: f64 = 0.5;

impl Utility {
    /// With the impedance given; `base_kva` is the plant's. Its angle is set by [`Utility::settle`].
    pub(crate) fn new(spec: &UtilitySpec, base_kva: f64) -> Self {
        let z = base_kva / spec.short_circuit_kva();
        let all = libm::hypot(1.0, spec.x_over_r);
        let (r, x) = (z / all, z * spec.x_over_r / all);
        let inverse = 1.0 / (z * z);
        Self {
            r,
            x,
            y: [[r * inverse, x * inverse], [-x * inverse, r * inverse]],
            towards: Phasor { re: 1.0, im: 0.0 },
            size: spec.voltage_pu,
            slope: 0.0,
        }
    }

    /// Voltage of the bus with `power(v)` drawn from it, and the source turned so that the bus has angle zero. `None`: it cannot carry that.
    ///
    /// `E² = |V + Z conj(S(V)/V)|²`; the higher root, where a grid runs.
    pub(crate) fn settle(&mut self, power: impl Fn(f64) -> (f64, f64)) -> Option<f64> {
        let source = |v: f64| {
            let (p, q) = power(v);
            Phasor {
                re: v + (self.r * p + self.x * q) / v,
                im: (self.x * p - self.r * q) / v,
            }
        };
        let over = |v: f64| {
            let e = source(v);
            e.re * e.re + e.im * e.im - self.size * self.size
        };
        // Exported power lifts the bus above the source: begin well above it.
        let pieces = 4000;
        let at = |k: u32| 2.0 * self.size * f64::from(k) / f64::from(pieces);
        if over(at(pieces)).is_nan() || over(at(pieces)) <= 0.0 {
            return None;
        }
        let below = (1..pieces).rev().find(|&k| over(at(k)) <= 0.0)?;
        let (mut low, mut high) = (at(below), at(below + 1));
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if over(middle) <= 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let v = 0.5 * (low + high);
        if v < LEAST_VOLTAGE {
            return None;
        }
        let e = source(v);
        let size = libm::hypot(e.re, e.im);
        self.towards = Phasor {
            re: e.re / size,
            im: e.im / size,
        };
        Some(v)
    }

    pub(crate) fn set_size(&mut self, size: f64) {
        self.size = size;
    }

    /// Those of four plants.
    pub(crate) fn pack(each: [&Self; LANES]) -> Utility<F64x4> {
        let of = |get: fn(&Self) -> f64| F64x4::by_lane(|lane| get(each[lane]));
        Utility {
            r: of(|u| u.r),
            x: of(|u| u.x),
            y: [
                [of(|u| u.y[0][0]), of(|u| u.y[0][1])],
                [of(|u| u.y[1][0]), of(|u| u.y[1][1])],
            ],
            towards: Phasor {
                re: of(|u| u.towards.re),
                im: of(|u| u.towards.im),
            },
            size: of(|u| u.size),
            slope: of(|u| u.slope),
        }
    }
}

impl<L: Lane> Utility<L> {
    fn voltage(&self) -> [L; 2] {
        [self.size * self.towards.re, self.size * self.towards.im]
    }

    pub(crate) fn feed(&self, sources: &mut Norton<L>) {
        sources.add(L::of(1.0), self.y, self.voltage());
    }

    /// Active and reactive power into the bus.
    pub(crate) fn power(&self, bus: Phasor<L>) -> (L, L) {
        let [re, im] = self.voltage();
        let (dr, di) = (re - bus.re, im - bus.im);
        let (ir, ii) = (
            self.y[0][0] * dr + self.y[0][1] * di,
            self.y[1][0] * dr + self.y[1][1] * di,
        );
        (bus.re * ir + bus.im * ii, bus.im * ir - bus.re * ii)
    }
}

/// An instant at which the grid's frequency jumps or changes its rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FrequencyKnot {
    pub(crate) at_s: f64,
    /// Deviation from nominal from then on, per unit, and its rate.
    pub(crate) deviation: f64,
    pub(crate) slope: f64,
}

/// All of them in order. Values are sums over the events themselves, so nothing accumulates.
pub(crate) fn frequency_knots(spec: &UtilitySpec, nominal_hz: f64) -> Vec<FrequencyKnot> {
    let events = &spec.frequency_events;
    let mut times: Vec<f64> = events
        .iter()
        .flat_map(|e| [e.at_s, e.at_s + e.over_s])
        .collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    times
        .into_iter()
        .map(|at_s| {
            let (mut deviation, mut slope) = (0.0, 0.0);
            for event in events {
                let change = event.change_hz / nominal_hz;
                if at_s >= event.at_s + event.over_s {
                    deviation += change;
                } else if at_s >= event.at_s {
                    deviation += change * ((at_s - event.at_s) / event.over_s);
                    slope += change / event.over_s;
                }
            }
            FrequencyKnot {
                at_s,
                deviation,
                slope,
            }
        })
        .collect()
}

/// Times at which the size of the grid's voltage changes, with the size from then on.
pub(crate) fn voltage_knots(spec: &UtilitySpec) -> Vec<(f64, f64)> {
    let events = &spec.voltage_events;
    let end = |e: &crate::together_spec::VoltageEventSpec| {
        e.duration_s.map_or(f64::INFINITY, |d| e.at_s + d)
    };
    let mut times: Vec<f64> = events.iter().flat_map(|e| [e.at_s, end(e)]).collect();
    times.retain(|t| t.is_finite());
    times.sort_by(f64::total_cmp);
    times.dedup();
    times
        .into_iter()
        .map(|at_s| {
            let rules = events
                .iter()
                .filter(|e| e.at_s <= at_s && at_s < end(e))
                .reduce(|a, b| if b.at_s >= a.at_s { b } else { a });
            (at_s, rules.map_or(spec.voltage_pu, |e| e.voltage_pu))
        })
        .collect()
}
