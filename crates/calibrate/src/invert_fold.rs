//! A periodic load of several levels behind a window: the model, its linear part, and where to begin.

/// A periodic waveform of constant levels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// Period, seconds.
    pub(crate) period_s: f64,
    /// Where each level begins, seconds, rising, within one period.
    pub(crate) edge_s: Vec<f64>,
    /// Levels, watts.
    pub(crate) level_w: Vec<f64>,
    /// Sum of the squares of the residuals.
    pub(crate) cost: f64,
}

/// Most levels there can be.
pub(crate) const MOST_LEVELS: usize = 6;

/// Samples that are means over a window that ends at each instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) update_s: &'a [f64],
    pub(crate) value_w: &'a [f64],
    pub(crate) window_s: f64,
}

/// Shares of a window that ends at `update_s` spent in each level.
pub(crate) fn shares(
    update_s: f64,
    window_s: f64,
    period_s: f64,
    edge_s: &[f64],
    out: &mut [f64; MOST_LEVELS],
) {
    let n = edge_s.len();
    // Time spent in a level up to t, from the level's own beginning on.
    let spent = |t: f64, from: f64, length: f64| {
        let turns = ((t - from) / period_s).floor();
        turns * length + (t - from - turns * period_s).min(length)
    };
    for i in 0..n {
        let from = edge_s[i];
        let to = if i + 1 < n {
            edge_s[i + 1]
        } else {
            edge_s[0] + period_s
        };
        let length = to - from;
        out[i] =
            (spent(update_s, from, length) - spent(update_s - window_s, from, length)) / window_s;
    }
}

/// Best levels for a period and edges, and the sum of squares left; `None` where a level is not seen or the edges do not rise.
pub(crate) fn levels(seen: Seen<'_>, period_s: f64, edge_s: &[f64]) -> Option<Shape> {
    let n = edge_s.len();
    let rises =
        edge_s.windows(2).all(|pair| pair[1] > pair[0]) && edge_s[n - 1] < edge_s[0] + period_s;
    if !(rises && period_s > 0.0) {
        return None;
    }
    let mut a = [[0.0; MOST_LEVELS]; MOST_LEVELS];
    let mut b = [0.0; MOST_LEVELS];
    let mut share = [0.0; MOST_LEVELS];
    let mut total = 0.0;
    for (u, y) in seen.update_s.iter().zip(seen.value_w) {
        shares(*u, seen.window_s, period_s, edge_s, &mut share);
        total += y * y;
        for i in 0..n {
            b[i] += share[i] * y;
            for j in i..n {
                a[i][j] += share[i] * share[j];
            }
        }
    }
    // Cholesky.
    let mut l = [[0.0; MOST_LEVELS]; MOST_LEVELS];
    for i in 0..n {
        for j in 0..=i {
            let s: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            if i == j {
                let d = a[i][i] - s;
                if d < 1e-6 * (1.0 + a[i][i]) {
                    return None;
                }
                l[i][i] = d.sqrt();
            } else {
                l[i][j] = (a[j][i] - s) / l[j][j];
            }
        }
    }
    let mut x = b;
    for i in 0..n {
        let s: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (x[i] - s) / l[i][i];
    }
    // What the levels explain is the square of the half-way solution.
    let explained: f64 = x[..n].iter().map(|v| v * v).sum();
    for i in (0..n).rev() {
        let s: f64 = (i + 1..n).map(|k| l[k][i] * x[k]).sum();
        x[i] = (x[i] - s) / l[i][i];
    }
    Some(Shape {
        period_s,
        edge_s: edge_s.to_vec(),
        level_w: x[..n].to_vec(),
        cost: (total - explained).max(0.0),
    })
}

/// Edges to begin with: the best `count` constant pieces of the samples folded by the period, by dynamic programming over bins.
pub(crate) fn first_edges(
    seen: Seen<'_>,
    period_s: f64,
    origin_s: f64,
    count: usize,
) -> Option<Vec<f64>> {
    let bins = (seen.update_s.len() / 3).clamp(12, 96);
    let mut n = vec![0.0; bins];
    let mut sum = vec![0.0; bins];
    let mut square = vec![0.0; bins];
    for (u, y) in seen.update_s.iter().zip(seen.value_w) {
        let turns = (u - 0.5 * seen.window_s - origin_s) / period_s;
        let i = (((turns - turns.floor()) * bins as f64) as usize).min(bins - 1);
        n[i] += 1.0;
        sum[i] += y;
        square[i] += y * y;
    }
    let full: Vec<usize> = (0..bins).filter(|i| n[*i] > 0.0).collect();
    let m = full.len();
    if m < 2 * count {
        return None;
    }
    // The circle is cut at its largest jump.
    let mean = |i: usize| sum[full[i % m]] / n[full[i % m]];
    let cut = (0..m).max_by(|i, j| {
        (mean(*i + 1) - mean(*i))
            .abs()
            .total_cmp(&(mean(*j + 1) - mean(*j)).abs())
    })? + 1;
    let order: Vec<usize> = (0..m).map(|i| full[(cut + i) % m]).collect();
    let running = |of: &[f64]| {
        let mut total = vec![0.0];
        for i in &order {
            total.push(total[total.len() - 1] + of[*i]);
        }
        total
    };
    let (cn, cs, cq) = (running(&n), running(&sum), running(&square));
    let piece = |from: usize, to: usize| {
        let (k, s, q) = (cn[to] - cn[from], cs[to] - cs[from], cq[to] - cq[from]);
        (q - s * s / k).max(0.0)
    };
    let mut best: Vec<f64> = (0..=m)
        .map(|to| if to == 0 { 0.0 } else { piece(0, to) })
        .collect();
    let mut from = Vec::new();
    for k in 1..count {
        let mut next = vec![f64::INFINITY; m + 1];
        let mut begin = vec![0; m + 1];
        for to in k + 1..=m {
            for (start, before) in best.iter().enumerate().take(to).skip(k) {
                let cost = before + piece(start, to);
                if cost < next[to] {
                    (next[to], begin[to]) = (cost, start);
                }
            }
        }
        best = next;
        from.push(begin);
    }
    let mut starts = vec![0];
    let mut to = m;
    for begin in from.iter().rev() {
        to = begin[to];
        starts.insert(1, to);
    }
    // An edge lies in the middle between the bins it parts.
    let place = |i: usize| {
        let here = order[i] as f64;
        let before = order[(i + m - 1) % m] as f64;
        let gap = (here - before).rem_euclid(bins as f64);
        let mut at = here - 0.5 * gap + 0.5;
        if i > 0 && at < order[0] as f64 - 0.5 * bins as f64 {
            at += bins as f64;
        }
        at
    };
    let first = place(0);
    let edges: Vec<f64> = starts
        .into_iter()
        .map(|i| first + (place(i) - first).rem_euclid(bins as f64))
        .map(|bin| origin_s + bin * period_s / bins as f64)
        .collect();
    Some(edges)
}

/// Improves period and edges by a pattern search with the levels solved at every place.
pub(crate) fn refine(seen: Seen<'_>, start: Shape, middle_s: f64, span_s: f64) -> Shape {
    let mut best = start;
    // Edges are held as they lie around the middle of the samples, so that a change of period turns about it.
    let cycles = (span_s / best.period_s).max(1.0);
    let mut edge_step = best.period_s / 24.0;
    let mut period_step = 4.0 * best.period_s / (24.0 * cycles);
    let shift = ((middle_s - best.edge_s[0]) / best.period_s).floor() * best.period_s;
    for edge in &mut best.edge_s {
        *edge += shift;
    }
    for _ in 0..40 {
        let mut improved = false;
        let count = best.edge_s.len();
        for parameter in 0..=count + 1 {
            for sign in [-1.0, 1.0] {
                for _ in 0..12 {
                    let mut edges = best.edge_s.clone();
                    let mut period_s = best.period_s;
                    match edges.get_mut(parameter) {
                        Some(edge) => *edge += sign * edge_step,
                        // All edges together.
                        None if parameter == count => {
                            edges.iter_mut().for_each(|edge| *edge += sign * edge_step)
                        }
                        None => period_s += sign * period_step,
                    }
                    match levels(seen, period_s, &edges) {
                        Some(shape) if shape.cost < best.cost * (1.0 - 1e-12) => {
                            best = shape;
                            improved = true;
                        }
                        _ => break,
                    }
                }
            }
        }
        if !improved {
            edge_step *= 0.5;
            period_step *= 0.5;
            if edge_step < 1e-7 * best.period_s {
                break;
            }
        }
    }
    best
}
