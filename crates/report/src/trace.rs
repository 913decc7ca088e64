//! A pyramid's finest level, cut to a window and thinned to what the page resolves without losing a peak.

use ballast_series::{Level, Pyramid};
use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use crate::axis::{Range, drawable};
use crate::canvas::{Canvas, Drawn};
use crate::panel::Panel;
use crate::style;

/// Values over a short stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    /// Its start, seconds.
    pub(crate) from_s: f64,
    /// Its end, seconds.
    pub(crate) to_s: f64,
    /// Lowest value.
    pub(crate) min: f64,
    /// Mean value.
    pub(crate) mean: f64,
    /// Highest value.
    pub(crate) max: f64,
}

impl Bucket {
    /// Its middle, seconds.
    pub(crate) fn middle_s(&self) -> f64 {
        f64::midpoint(self.from_s, self.to_s)
    }

    /// Both buckets as one; they must be adjacent.
    fn joined(self, next: Self) -> Self {
        let (a, b) = (self.to_s - self.from_s, next.to_s - next.from_s);
        let mean = if a + b > 0.0 {
            (self.mean * a + next.mean * b) / (a + b)
        } else {
            self.mean
        };
        Self {
            to_s: next.to_s,
            min: self.min.min(next.min),
            max: self.max.max(next.max),
            mean,
            ..self
        }
    }
}

/// The finest level of a pyramid, if it has one with a usable step.
pub(crate) fn finest(pyramid: &Pyramid) -> Option<&Level> {
    pyramid
        .levels
        .first()
        .filter(|l| drawable(l.dt_s) && l.dt_s > 0.0 && drawable(pyramid.t0_s))
}

/// All drawable buckets of the finest level, none longer than `end_s`.
pub(crate) fn buckets(pyramid: &Pyramid, end_s: f64) -> Vec<Bucket> {
    let Some(level) = finest(pyramid) else {
        return Vec::new();
    };
    let values = level.min.iter().zip(&level.mean).zip(&level.max);
    values
        .enumerate()
        .map(|(k, ((&min, &mean), &max))| {
            let from_s = pyramid.t0_s + k as f64 * level.dt_s;
            let to_s = from_s + level.dt_s;
            // The last bucket may be only partly filled.
            let to_s = if end_s > from_s {
                to_s.min(end_s)
            } else {
                to_s
            };
            Bucket {
                from_s,
                to_s,
                min,
                mean,
                max,
            }
        })
        .filter(|b| drawable(b.min) && drawable(b.mean) && drawable(b.max))
        .collect()
}

/// Those that touch `window`.
pub(crate) fn within(buckets: &[Bucket], window: Range) -> Vec<Bucket> {
    buckets
        .iter()
        .copied()
        .filter(|b| b.to_s >= window.lo && b.from_s <= window.hi)
        .collect()
}

/// Time covered; none without buckets.
pub(crate) fn covered(buckets: &[Bucket]) -> Option<Range> {
    Range::of(buckets.iter().flat_map(|b| [b.from_s, b.to_s]))
}

/// Values covered; none without buckets.
pub(crate) fn values(buckets: &[Bucket]) -> Option<Range> {
    Range::of(buckets.iter().flat_map(|b| [b.min, b.max]))
}

/// Mean over time; none without buckets.
pub(crate) fn mean(buckets: &[Bucket]) -> Option<f64> {
    let all = buckets.iter().copied().reduce(Bucket::joined)?;
    Some(all.mean)
}

/// Joins buckets that fall on the same pixel of the page: the lowest stays the lowest, the highest the highest.
pub(crate) fn thinned(buckets: &[Bucket], pixel: impl Fn(f64) -> f64) -> Vec<Bucket> {
    let mut thinned: Vec<Bucket> = Vec::new();
    for &bucket in buckets {
        match thinned.last_mut() {
            Some(last)
                if pixel(last.from_s).floor() == pixel(bucket.middle_s()).floor()
                    && touches(*last, bucket) =>
            {
                *last = last.joined(bucket);
            }
            _ => thinned.push(bucket),
        }
    }
    thinned
}

/// Whether nothing is missing between two buckets.
fn touches(a: Bucket, b: Bucket) -> bool {
    (b.from_s - a.to_s).abs() <= 0.5 * (b.to_s - b.from_s)
}

/// Draws the band from lowest to highest and the mean line over it. Gaps in the data stay gaps.
pub(crate) fn draw<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    panel: &Panel,
    buckets: &[Bucket],
    (time, value): (f64, f64),
    colour: RGBColor,
) -> Drawn<DB> {
    let (scale, whole) = ((time, value), (1.0, 0.0));
    band(canvas, panel, buckets, scale, style::tint(colour))?;
    line(canvas, panel, buckets, scale, (colour, whole))
}

/// Draws the band from lowest to highest alone.
pub(crate) fn band<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    panel: &Panel,
    buckets: &[Bucket],
    (time, value): (f64, f64),
    colour: RGBColor,
) -> Drawn<DB> {
    let thinned = thinned(buckets, |t| panel.x.at(t * time));
    for run in thinned.chunk_by(|a, b| touches(*a, *b)) {
        let places = to_the_ends(run);
        let place = |(t, b): &(f64, Bucket)| {
            let y = |v: f64| panel.y.at(v * value);
            (panel.x.at(t * time), y(b.max), y(b.min))
        };
        let points: Vec<(f64, f64, f64)> = places.iter().map(place).collect();
        canvas.band(&points, colour)?;
    }
    Ok(())
}

/// Draws the mean line alone, in dashes and gaps.
pub(crate) fn line<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    panel: &Panel,
    buckets: &[Bucket],
    (time, value): (f64, f64),
    (colour, pattern): (RGBColor, (f64, f64)),
) -> Drawn<DB> {
    let thinned = thinned(buckets, |t| panel.x.at(t * time));
    for run in thinned.chunk_by(|a, b| touches(*a, *b)) {
        let places = to_the_ends(run);
        let points: Vec<(f64, f64)> = places
            .iter()
            .map(|(t, b)| panel.at(t * time, b.mean * value))
            .collect();
        canvas.patterned(&points, colour, style::SERIES_LINE, pattern)?;
    }
    Ok(())
}

/// The middles of a run of buckets, with both ends at the edge of their bucket: a single bucket is a bar, not nothing.
fn to_the_ends(run: &[Bucket]) -> Vec<(f64, Bucket)> {
    let Some((first, last)) = run.first().zip(run.last()) else {
        return Vec::new();
    };
    std::iter::once((first.from_s, *first))
        .chain(run.iter().map(|b| (b.middle_s(), *b)))
        .chain(std::iter::once((last.to_s, *last)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pyramid(values: &[f64]) -> Pyramid {
        let level = Level {
            dt_s: 0.5,
            min: values.to_vec(),
            mean: values.to_vec(),
            max: values.to_vec(),
        };
        Pyramid {
            t0_s: 1.0,
            levels: vec![level],
        }
    }

    #[test]
    fn thinning_keeps_peaks_and_mean() {
        let all = buckets(&pyramid(&[1.0, 9.0, 2.0, 4.0]), 10.0);
        let one = thinned(&all, |_| 7.0);
        assert_eq!(one.len(), 1);
        assert_eq!((one[0].min, one[0].max, one[0].mean), (1.0, 9.0, 4.0));
        assert_eq!((one[0].from_s, one[0].to_s), (1.0, 3.0));
        assert_eq!(mean(&all), Some(4.0));
    }

    #[test]
    fn bad_values_leave_a_gap() {
        let all = buckets(&pyramid(&[1.0, f64::NAN, 2.0]), 10.0);
        assert_eq!(all.len(), 2);
        assert_eq!(thinned(&all, |_| 7.0).len(), 2);
        assert!(
            buckets(
                &Pyramid {
                    t0_s: 0.0,
                    levels: Vec::new()
                },
                1.0
            )
            .is_empty()
        );
    }

    #[test]
    fn the_last_bucket_ends_with_the_run() {
        let all = buckets(&pyramid(&[1.0, 2.0]), 1.75);
        assert_eq!(covered(&all), Some(Range { lo: 1.0, hi: 1.75 }));
        assert_eq!(within(&all, Range { lo: 1.6, hi: 5.0 }).len(), 1);
    }
}
