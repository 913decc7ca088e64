//! The search for a periodic load: candidates, shapes, and the errors of what is found.

use crate::invert_fold::{MOST_LEVELS, Seen, Shape, first_edges, levels, refine, shares};
use crate::invert_periodic::{LEAST_UPDATES, PeriodicLevel, PeriodicLoad};

/// Most frequencies and samples of the search.
const MOST_FREQUENCIES: f64 = 60_000.0;
const MOST_SAMPLES: usize = 4_000;

/// Periods at the highest peaks of the periodogram, with twice and three times the highest.
pub(crate) fn peaks(
    seen: Seen<'_>,
    mean_w: f64,
    scatter: f64,
    shortest_s: f64,
    longest_s: f64,
) -> Vec<f64> {
    let (low_hz, high_hz) = (1.0 / longest_s, 1.0 / shortest_s);
    let origin = seen.update_s[0];
    let reach_s = MOST_FREQUENCIES / (5.0 * high_hz);
    let n = seen
        .update_s
        .iter()
        .take_while(|u| **u - origin <= reach_s)
        .count()
        .clamp(LEAST_UPDATES, MOST_SAMPLES)
        .min(seen.update_s.len());
    let span_s = (seen.update_s[n - 1] - origin).max(f64::MIN_POSITIVE);
    let step_hz = 1.0 / (5.0 * span_s);
    let count = (((high_hz - low_hz) / step_hz).ceil().max(0.0) as usize + 1).min(200_000);
    // Each sample turns by the same angle from one frequency to the next.
    let start = |t: f64, hz: f64| {
        let angle = std::f64::consts::TAU * (t * hz).fract();
        (libm::cos(angle), libm::sin(angle))
    };
    let mut at: Vec<(f64, f64)> = seen.update_s[..n]
        .iter()
        .map(|u| start(u - origin, low_hz))
        .collect();
    let turn: Vec<(f64, f64)> = seen.update_s[..n]
        .iter()
        .map(|u| start(u - origin, step_hz))
        .collect();
    let mut power = Vec::with_capacity(count);
    for _ in 0..count {
        let (mut c, mut s) = (0.0, 0.0);
        for ((y, here), by) in seen.value_w[..n].iter().zip(&mut at).zip(&turn) {
            let v = y - mean_w;
            c += v * here.0;
            s += v * here.1;
            *here = (here.0 * by.0 - here.1 * by.1, here.0 * by.1 + here.1 * by.0);
        }
        power.push(2.0 * (c * c + s * s) / (n as f64 * scatter));
    }
    let mut found: Vec<usize> = (0..count)
        .filter(|i| {
            (*i == 0 || power[*i] >= power[*i - 1])
                && (*i + 1 == count || power[*i] > power[*i + 1])
        })
        .collect();
    found.sort_by(|i, j| power[*j].total_cmp(&power[*i]));
    let mut chosen: Vec<usize> = Vec::new();
    for i in found {
        if chosen.iter().all(|other| other.abs_diff(i) > 12) {
            chosen.push(i);
        }
        if chosen.len() == 20 {
            break;
        }
    }
    let mut periods: Vec<f64> = chosen
        .iter()
        .map(|i| 1.0 / (low_hz + *i as f64 * step_hz))
        .collect();
    for i in 0..periods.len().min(2) {
        for multiple in [2.0, 3.0] {
            if multiple * periods[i] <= longest_s {
                periods.push(multiple * periods[i]);
            }
        }
    }
    periods
}

/// Fits shapes to what was seen.
pub(crate) struct Fitter<'a> {
    seen: Seen<'a>,
    middle_s: f64,
    pub(crate) span_s: f64,
    /// Sum of the squares about the mean.
    scatter: f64,
    /// From the lowest to the highest reading, watts.
    range_w: f64,
}

impl<'a> Fitter<'a> {
    pub(crate) fn new(seen: Seen<'a>, span_s: f64, scatter: f64) -> Self {
        Self {
            seen,
            middle_s: seen.update_s[0] + 0.5 * span_s,
            span_s,
            scatter,
            range_w: spread(seen.value_w),
        }
    }

    /// The best shape of all candidates, and the other periods that explain the readings as well with two levels.
    pub(crate) fn best(&self, candidates: &[f64], most_levels: usize) -> (Option<Shape>, Vec<f64>) {
        let mut shapes: Vec<Shape> = candidates
            .iter()
            .filter_map(|period_s| self.fit(*period_s, 2))
            .collect();
        shapes.sort_by(|a, b| self.criterion(a).total_cmp(&self.criterion(b)));
        let mut best: Option<Shape> = None;
        for two in shapes.iter().take(4) {
            let shape = self.grow(two.clone(), most_levels);
            // An alias must be clearly better than one that reaches less far.
            if best
                .as_ref()
                .is_none_or(|best| self.criterion(&shape) < self.criterion(best) - 10.0)
            {
                best = Some(shape);
            }
        }
        let best = best.map(|shape| self.once(shape));
        let n = self.seen.update_s.len() as f64;
        let others = best.as_ref().map_or_else(Vec::new, |best| {
            let limit = best.cost + 10.0 * (best.cost / n).max(1e-9 * self.scatter);
            shapes
                .iter()
                .filter(|other| {
                    other.cost <= limit && (other.period_s / best.period_s - 1.0).abs() > 1e-3
                })
                .map(|other| other.period_s)
                .collect()
        });
        (best, others)
    }

    /// The best shape near a period; none where a level lies clearly below nothing: a GPU feeds nothing back.
    fn fit(&self, period_s: f64, count: usize) -> Option<Shape> {
        let edges = first_edges(self.seen, period_s, self.middle_s, count)?;
        let start = levels(self.seen, period_s, &edges)?;
        let shape = refine(self.seen, start, self.middle_s, self.span_s);
        let low = shape.level_w.iter().copied().fold(f64::INFINITY, f64::min);
        (low > -0.03 * self.range_w - 1.0).then_some(shape)
    }

    /// A shape that repeats within its period as the one of the shorter period that it is: the window's gain is that of the shorter one.
    fn once(&self, shape: Shape) -> Shape {
        let count = shape.edge_s.len();
        let alike = |times: usize| {
            let part = count / times;
            let range_w = spread(&shape.level_w);
            count.is_multiple_of(times)
                && part >= 2
                && (0..count).all(|i| {
                    let other = (i + part) % count;
                    let apart_w = (shape.level_w[i] - shape.level_w[other]).abs();
                    let apart_s = (length(&shape, i) - length(&shape, other)).abs();
                    apart_w <= 0.05 * range_w && apart_s <= 0.05 * shape.period_s / times as f64
                })
        };
        let shorter = [3, 2]
            .into_iter()
            .find(|times| alike(*times))
            .and_then(|times| {
                let period_s = shape.period_s / times as f64;
                levels(self.seen, period_s, &shape.edge_s[..count / times])
            });
        shorter
            .filter(|s| s.cost <= shape.cost + 0.02 * self.scatter)
            .unwrap_or(shape)
    }

    /// Bayes' information criterion, with noise of at least a millionth of the scatter, of the residual times how far the levels reach
    /// beyond the readings: what is drawn out most says least.
    fn criterion(&self, shape: &Shape) -> f64 {
        let n = self.seen.update_s.len() as f64;
        let unknowns = 2.0 * shape.edge_s.len() as f64 + 1.0;
        let reach = (spread(&shape.level_w) / self.range_w).max(1.0);
        n * libm::log((shape.cost / n).max(1e-6 * self.scatter / n) * reach * reach)
            + unknowns * libm::log(n)
    }

    /// Adds levels while the criterion falls by more than ten and each lasts and differs.
    fn grow(&self, two: Shape, most: usize) -> Shape {
        let mut best = two;
        for count in 3..=most {
            let Some(next) = self.fit(best.period_s, count) else {
                continue;
            };
            let range_w = spread(&next.level_w);
            let apart = (0..count)
                .all(|i| (next.level_w[i] - next.level_w[(i + 1) % count]).abs() > 0.02 * range_w);
            let lasts = (0..count).all(|i| length(&next, i) > 0.02 * next.period_s);
            // A pulse within a level needs two edges more, so the next count is tried even where this one gains nothing.
            if apart && lasts && self.criterion(&next) < self.criterion(&best) - 10.0 {
                best = next;
            }
        }
        best
    }
}

fn spread(values: &[f64]) -> f64 {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    high - low
}

fn length(shape: &Shape, i: usize) -> f64 {
    let n = shape.edge_s.len();
    let to = if i + 1 < n {
        shape.edge_s[i + 1]
    } else {
        shape.edge_s[0] + shape.period_s
    };
    to - shape.edge_s[i]
}

/// Levels with their errors, and the mean, into a load.
pub(crate) fn fill(load: &mut PeriodicLoad, fitter: &Fitter<'_>, shape: &Shape) {
    let count = shape.edge_s.len();
    let n = fitter.seen.update_s.len() as f64;
    let seconds: Vec<f64> = (0..count).map(|i| length(shape, i)).collect();
    load.mean_w = (0..count)
        .map(|i| seconds[i] * shape.level_w[i])
        .sum::<f64>()
        / shape.period_s;
    let noise = (shape.cost / (n - 2.0 * count as f64 - 1.0).max(1.0)).sqrt();
    let covariance = covariance(fitter.seen, shape);
    // An edge that no window held lies anywhere between the looks beside it.
    let beside = (fitter.span_s / n / (fitter.span_s / shape.period_s).max(1.0))
        .min(0.5 * shape.period_s)
        / 12_f64.sqrt();
    let se = |i: usize| {
        covariance
            .as_ref()
            .map_or(f64::NAN, |c| noise * c[i][i].max(0.0).sqrt())
    };
    let edge_se = |i: usize| {
        let se = se(count + i);
        if se.is_finite() {
            se.max(1e-6).min(shape.period_s)
        } else {
            beside
        }
    };
    let level_se = |i: usize| {
        let se = se(i);
        if se.is_finite() {
            se
        } else {
            noise / (n * seconds[i] / shape.period_s).max(1.0).sqrt()
        }
    };
    load.levels = Some(
        (0..count)
            .map(|i| PeriodicLevel {
                from_s: shape.edge_s[i],
                from_se_s: edge_se(i),
                seconds: seconds[i],
                power_w: shape.level_w[i],
                power_se_w: level_se(i),
            })
            .collect(),
    );
    // d(mean) = Σ d_i/P·dv_i + Σ (v_{i−1} − v_i)/P·de_i
    let variance: f64 = (0..count)
        .map(|i| {
            let by_level = seconds[i] / shape.period_s * level_se(i);
            let step = shape.level_w[(i + count - 1) % count] - shape.level_w[i];
            let by_edge = step / shape.period_s * edge_se(i);
            by_level * by_level + by_edge * by_edge
        })
        .sum();
    load.mean_se_w = variance.sqrt();
}

/// Inverse of the normal matrix of levels, then edges; `None` where it has none.
fn covariance(seen: Seen<'_>, shape: &Shape) -> Option<Vec<Vec<f64>>> {
    let count = shape.edge_s.len();
    let size = 2 * count;
    let step = 0.02 * seen.window_s.min(shape.period_s);
    let mut a = vec![vec![0.0; 2 * size]; size];
    let mut share = [0.0; MOST_LEVELS];
    let mut row = vec![0.0; size];
    let mut edges = shape.edge_s.clone();
    for u in seen.update_s {
        shares(*u, seen.window_s, shape.period_s, &shape.edge_s, &mut share);
        row[..count].copy_from_slice(&share[..count]);
        for i in 0..count {
            let mut model = |by: f64| {
                edges[i] = shape.edge_s[i] + by;
                shares(*u, seen.window_s, shape.period_s, &edges, &mut share);
                edges[i] = shape.edge_s[i];
                (0..count).map(|j| share[j] * shape.level_w[j]).sum::<f64>()
            };
            row[count + i] = (model(step) - model(-step)) / (2.0 * step);
        }
        for i in 0..size {
            for j in 0..size {
                a[i][j] += row[i] * row[j];
            }
        }
    }
    // Gauss and Jordan.
    for (i, row) in a.iter_mut().enumerate() {
        row[size + i] = 1.0;
    }
    for i in 0..size {
        let pivot = (i..size).max_by(|j, k| a[*j][i].abs().total_cmp(&a[*k][i].abs()))?;
        a.swap(i, pivot);
        let d = a[i][i];
        if d.abs() < 1e-12 {
            return None;
        }
        for v in &mut a[i] {
            *v /= d;
        }
        let lead = a[i].clone();
        for (k, row) in a.iter_mut().enumerate() {
            let by = row[i];
            if k != i && by != 0.0 {
                for (v, l) in row.iter_mut().zip(&lead) {
                    *v -= by * l;
                }
            }
        }
    }
    Some(a.into_iter().map(|row| row[size..].to_vec()).collect())
}
