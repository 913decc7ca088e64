//! Ranges, ticks, the mapping from values to the page and places for labels. Nothing here draws.

use crate::number::fixed;

/// Least width of a range as a share of its values: below it, differences are rounding.
const LEAST_SPAN: f64 = 1e-6;

/// Whether a value can be drawn: a number, and not so large that a range of such values overflows.
pub(crate) fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() < 1e100
}

/// Values from `lo` to `hi`, both drawable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    /// Lowest.
    pub(crate) lo: f64,
    /// Highest.
    pub(crate) hi: f64,
}

impl Range {
    /// Range of the drawable values among `values`; none if there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        values
            .into_iter()
            .filter(|&v| drawable(v))
            .fold(None, |range: Option<Self>, v| {
                Some(range.map_or(Self { lo: v, hi: v }, |r| r.including(v)))
            })
    }

    /// The range widened to include `value`, if that can be drawn.
    pub(crate) fn including(self, value: f64) -> Self {
        if drawable(value) {
            Self {
                lo: self.lo.min(value),
                hi: self.hi.max(value),
            }
        } else {
            self
        }
    }

    /// Width.
    pub(crate) fn span(self) -> f64 {
        self.hi - self.lo
    }

    /// Largest absolute value.
    pub(crate) fn magnitude(self) -> f64 {
        self.lo.abs().max(self.hi.abs())
    }

    /// Whether `value` lies in it.
    pub(crate) fn contains(self, value: f64) -> bool {
        value >= self.lo && value <= self.hi
    }

    /// A range of at least `least` and of more than rounding, about the same middle: for constant signals.
    pub(crate) fn opened(self, least: f64) -> Self {
        let least = least.max(self.magnitude() * LEAST_SPAN);
        if self.span() >= least {
            return self;
        }
        let middle = self.lo + self.span() / 2.0;
        Self {
            lo: middle - least / 2.0,
            hi: middle + least / 2.0,
        }
    }

    /// The range with a margin on either side, as a share of its width.
    pub(crate) fn padded(self, share: f64) -> Self {
        let margin = self.span() * share;
        Self {
            lo: self.lo - margin,
            hi: self.hi + margin,
        }
    }

    /// A range for power, in watts: from zero if that costs little of the picture, open, with a margin above.
    pub(crate) fn for_power(self) -> Self {
        let swings = self.span() >= 0.25 * self.magnitude() && self.magnitude() >= 1e-3;
        if self.lo >= 0.0 && swings {
            return Self {
                lo: 0.0,
                hi: self.hi * 1.08,
            };
        }
        // A hundredth of a constant load, so that its noise does not fill the page; a watt around nothing.
        let least = if self.magnitude() < 1e-3 {
            1.0
        } else {
            0.01 * self.magnitude()
        };
        let padded = self.opened(least).padded(0.08);
        // No negative power on the axis for a load that has none.
        if self.lo >= 0.0 {
            Self {
                lo: padded.lo.max(0.0),
                hi: padded.hi,
            }
        } else {
            padded
        }
    }
}

/// How values are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Law {
    /// Evenly.
    Linear,
    /// By their logarithm; both ends of the range are positive.
    Log,
}

/// Values laid along a line of the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    /// Values shown; not empty.
    pub(crate) range: Range,
    /// Spacing.
    pub(crate) law: Law,
    /// Page coordinate of `range.lo`.
    pub(crate) from: f64,
    /// Page coordinate of `range.hi`.
    pub(crate) to: f64,
}

impl Axis {
    /// Page coordinate of `value`; values beyond the range lie on its end.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = match self.law {
            Law::Linear => (value - self.range.lo) / self.range.span(),
            Law::Log if value <= 0.0 => 0.0,
            Law::Log => (value / self.range.lo).ln() / (self.range.hi / self.range.lo).ln(),
        };
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Length on the page.
    pub(crate) fn length(&self) -> f64 {
        (self.to - self.from).abs()
    }
}

/// A labelled place on an axis, in shown units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// Value.
    pub(crate) value: f64,
    /// As printed; empty for a line without a label.
    pub(crate) label: String,
}

/// At most about `most` ticks at multiples of 1, 2 or 5 times a power of ten.
pub(crate) fn linear_ticks(range: Range, most: usize) -> Vec<Tick> {
    let rough = range.span() / most.max(1) as f64;
    let mut exponent = rough.log10().floor() as i32;
    let leading = rough / 10f64.powi(exponent);
    // Rounding must not lift 2.0000000001 to 5.
    let multiple = match leading {
        l if l <= 1.000_001 => 1.0,
        l if l <= 2.000_001 => 2.0,
        l if l <= 5.000_001 => 5.0,
        _ => {
            exponent += 1;
            1.0
        }
    };
    // Whole numbers of steps, so that 3 × 0.1 prints and lies as 0.3.
    let value = |index: f64| {
        if exponent < 0 {
            index * multiple / 10f64.powi(-exponent)
        } else {
            index * multiple * 10f64.powi(exponent)
        }
    };
    let step = value(1.0);
    let first = (range.lo / step - 1e-9).ceil();
    let last = (range.hi / step + 1e-9).floor();
    let count = (last - first).clamp(-1.0, 1000.0) as i64 + 1;
    (0..count)
        .map(|k| {
            let value = value(first + k as f64);
            Tick {
                value,
                label: fixed(value, (-exponent).max(0) as usize),
            }
        })
        .collect()
}

/// Ticks of a logarithmic axis: labels at 1, 2 and 5 per decade (1 alone over many decades), bare lines between.
pub(crate) fn log_ticks(range: Range) -> Vec<Tick> {
    let first = range.lo.log10().floor() as i32;
    let last = range.hi.log10().ceil() as i32;
    let many = last - first > 4;
    let mut ticks = Vec::new();
    for decade in first..=last {
        for multiple in 1..10 {
            let value = if decade < 0 {
                f64::from(multiple) / 10f64.powi(-decade)
            } else {
                f64::from(multiple) * 10f64.powi(decade)
            };
            if value < range.lo * (1.0 - 1e-9) || value > range.hi * (1.0 + 1e-9) {
                continue;
            }
            let labelled = multiple == 1 || (!many && (multiple == 2 || multiple == 5));
            let label = if labelled {
                fixed(value, (-decade).max(0) as usize)
            } else {
                String::new()
            };
            ticks.push(Tick { value, label });
        }
    }
    ticks
}

/// Moves the centres of things of the given sizes apart as little as needed, within `room`, keeping their order.
///
/// Squeezed together, their places rise with their order; the nearest such places in the sense of least squares are
/// the means of neighbours that would fall back ("pool adjacent violators", Barlow and others, "Statistical
/// inference under order restrictions", 1972). If they do not fit at all they reach beyond `room.hi`.
pub(crate) fn spread(centres: &[f64], sizes: &[f64], room: Range) -> Vec<f64> {
    let mut order: Vec<usize> = (0..centres.len()).collect();
    order.sort_by(|&a, &b| centres[a].total_cmp(&centres[b]));
    let mut before = 0.0;
    let mut offsets = vec![0.0; centres.len()];
    // Pools of neighbours: sum of their squeezed places, count.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for &i in &order {
        offsets[i] = before + sizes[i] / 2.0;
        before += sizes[i];
        let mut pool = (centres[i] - offsets[i], 1);
        while let Some(last) = pools.pop_if(|last| last.0 / last.1 as f64 > pool.0 / pool.1 as f64)
        {
            pool = (pool.0 + last.0, pool.1 + last.1);
        }
        pools.push(pool);
    }
    let highest = (room.hi - before).max(room.lo);
    let squeezed = pools.iter().flat_map(|&(sum, count)| {
        std::iter::repeat_n((sum / count as f64).clamp(room.lo, highest), count)
    });
    let mut placed = centres.to_vec();
    for (&i, place) in order.iter().zip(squeezed) {
        placed[i] = place + offsets[i];
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(
            labels(&linear_ticks(Range { lo: 59.4, hi: 60.5 }, 6)),
            ["59.4", "59.6", "59.8", "60.0", "60.2", "60.4"]
        );
        assert_eq!(
            labels(&linear_ticks(Range { lo: -0.3, hi: 0.3 }, 6)),
            ["-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3"]
        );
        assert_eq!(
            labels(&linear_ticks(
                Range {
                    lo: 0.0,
                    hi: 1080.0
                },
                6
            )),
            ["0", "200", "400", "600", "800", "1000"]
        );
        assert_eq!(linear_ticks(Range { lo: 0.0, hi: 1.0 }, 10)[3].value, 0.3);
    }

    #[test]
    fn log_labels_thin_out_over_many_decades() {
        let ticks = log_ticks(Range { lo: 0.05, hi: 20.0 });
        let shown: Vec<&str> = ticks
            .iter()
            .map(|t| t.label.as_str())
            .filter(|l| !l.is_empty())
            .collect();
        assert_eq!(
            shown,
            ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20"]
        );
        let wide = log_ticks(Range { lo: 1e-6, hi: 10.0 });
        assert!(
            wide.iter()
                .all(|t| t.label.is_empty() || t.label.contains('1'))
        );
    }

    #[test]
    fn zero_ranges_open() {
        for value in [0.0, 5.0, -3.0, 1e9, 1e-12] {
            let range = Range::of([value, value]).unwrap().for_power();
            assert!(
                range.span() > 0.0 && range.contains(value),
                "{value}: {range:?}"
            );
            assert!(linear_ticks(range, 6).len() >= 2, "{value}");
        }
        assert_eq!(Range::of([f64::NAN, f64::INFINITY]), None);
        assert_eq!(
            Range::of([1.0, f64::NAN, 2.0]),
            Some(Range { lo: 1.0, hi: 2.0 })
        );
    }

    #[test]
    fn spread_keeps_order_and_room() {
        let room = Range { lo: 0.0, hi: 100.0 };
        assert_eq!(
            spread(&[50.0, 52.0, 99.0], &[20.0, 20.0, 20.0], room),
            [41.0, 61.0, 90.0]
        );
        assert_eq!(spread(&[3.0, 1.0], &[20.0, 20.0], room), [30.0, 10.0]);
        assert_eq!(spread(&[20.0, 70.0], &[20.0, 20.0], room), [20.0, 70.0]);
    }
}
