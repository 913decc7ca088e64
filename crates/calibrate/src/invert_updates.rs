//! When a sensor's reading changed, and so how often it is updated.

/// Update instants found from a polled reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Updates {
    /// Time between updates, seconds.
    pub period_s: f64,
    /// Standard error of it, seconds.
    pub period_se_s: f64,
    /// One of the update instants, seconds on the recording's clock, as far as polling shows it.
    pub phase_s: f64,
    /// Changes of value that were seen.
    pub changes: usize,
    /// RMS distance of the changes, each placed in the middle between the polls around it, from the grid, seconds. Polling at
    /// intervals of `p` alone gives `p/√12`.
    pub scatter_s: f64,
    /// Mean resultant length of the changes on the circle of the period, 0 to 1: near 1 where the updates keep to a grid.
    pub regularity: f64,
}

/// Fewest changes from which a period is told.
const LEAST_CHANGES: usize = 12;
/// Changes taken at first; the period is refined as the stretch doubles.
const FIRST_CHANGES: usize = 48;
/// Least regularity of a grid.
const LEAST_REGULARITY: f64 = 0.5;

/// Finite samples with times that rise: others (a failed reading, a poll told twice) are left out.
pub(crate) fn clean(time_s: &[f64], value: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut times: Vec<f64> = Vec::with_capacity(time_s.len().min(value.len()));
    let mut values = Vec::with_capacity(times.capacity());
    for (t, v) in time_s.iter().zip(value) {
        if t.is_finite() && v.is_finite() && times.last().is_none_or(|last| t > last) {
            times.push(*t);
            values.push(*v);
        }
    }
    (times, values)
}

/// Median; NaN of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The update grid of a reading, from the polls between which its value changed.
///
/// `None` where the value changes too rarely, or at about every poll (then the polls are no faster than the updates), or on no grid. The
/// changes are put in the middle between the polls around them; the period is the one on whose circle they lie closest together, by
/// the mean resultant length `|Σ exp(2πi·t/T)|/n`, searched around the median distance and refined as the stretch doubles.
pub fn find_updates(time_s: &[f64], reading_w: &[f64]) -> Option<Updates> {
    let (time_s, value) = clean(time_s, reading_w);
    let gaps: Vec<f64> = time_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let poll_s = median(&gaps);
    let mids: Vec<f64> = (1..time_s.len())
        // A change across a gap in the polls says little of when.
        .filter(|i| value[*i] != value[i - 1] && gaps[i - 1] < 3.0 * poll_s)
        .map(|i| f64::midpoint(time_s[i], time_s[i - 1]))
        .collect();
    if mids.len() < LEAST_CHANGES {
        return None;
    }
    let apart: Vec<f64> = mids.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // An update that happens to show the same value hides a change: longer distances are multiples.
    let shortest = median(&apart);
    let single: Vec<f64> = apart
        .iter()
        .copied()
        .filter(|d| *d < 1.5 * shortest)
        .collect();
    let rough = single.iter().sum::<f64>() / single.len() as f64;
    if rough < 1.6 * poll_s {
        return None;
    }
    let origin = mids[0];
    let mut period_s = rough;
    let mut reach = 0.15 * rough;
    let mut count = mids.len().min(FIRST_CHANGES);
    loop {
        let part = &mids[..count];
        let span = (part[count - 1] - origin).max(rough);
        // Steps of an eighth of a turn over the stretch.
        let step = period_s * period_s / (8.0 * span);
        let steps = (reach / step).ceil().clamp(1.0, 400.0) as i64;
        let mut best = (0.0, period_s);
        for i in -steps..=steps {
            let candidate = period_s + i as f64 * step;
            if candidate > 0.0 {
                let (length, _) = resultant(part, origin, candidate);
                if length > best.0 {
                    best = (length, candidate);
                }
            }
        }
        period_s = best.1;
        reach = 4.0 * step;
        if count == mids.len() {
            break;
        }
        count = (2 * count).min(mids.len());
    }
    let (regularity, angle) = resultant(&mids, origin, period_s);
    if regularity < LEAST_REGULARITY {
        return None;
    }
    // A line through the changes, by their number on the grid.
    let mut phase_s = origin + angle * period_s;
    let mut se = 0.0;
    let mut scatter_s = 0.0;
    for _ in 0..3 {
        let (mut sk, mut st, mut skk, mut skt) = (0.0, 0.0, 0.0, 0.0);
        let n = mids.len() as f64;
        for t in &mids {
            let k = ((t - phase_s) / period_s).round();
            let d = t - phase_s - k * period_s;
            sk += k;
            st += d;
            skk += k * k;
            skt += k * d;
        }
        let det = skk - sk * sk / n;
        if det <= 0.0 {
            return None;
        }
        let slope = (skt - sk * st / n) / det;
        phase_s += (st - slope * sk) / n;
        period_s += slope;
        let squares: f64 = mids
            .iter()
            .map(|t| {
                let turns = (t - phase_s) / period_s;
                let d = (turns - turns.round()) * period_s;
                d * d
            })
            .sum();
        scatter_s = (squares / n).sqrt();
        se = scatter_s / det.sqrt();
    }
    (period_s.is_finite() && period_s > 0.0).then_some(Updates {
        period_s,
        period_se_s: se,
        phase_s,
        changes: mids.len(),
        scatter_s,
        regularity,
    })
}

/// Mean resultant length on the circle of a period, and the direction as a share of the period.
fn resultant(times: &[f64], origin: f64, period_s: f64) -> (f64, f64) {
    let (mut c, mut s) = (0.0, 0.0);
    for t in times {
        let angle = std::f64::consts::TAU * ((t - origin) / period_s).fract();
        c += libm::cos(angle);
        s += libm::sin(angle);
    }
    (
        libm::sqrt(c * c + s * s) / times.len() as f64,
        libm::atan2(s, c) / std::f64::consts::TAU,
    )
}

/// One value per update, with the instant of the update.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Held {
    /// Instants of the updates, seconds.
    pub(crate) update_s: Vec<f64>,
    /// Values then shown.
    pub(crate) value: Vec<f64>,
}

/// What the sensor showed, update by update: the poll nearest to the middle of each hold speaks for it. Without a grid every poll
/// stands for an update half an update period before it.
pub(crate) fn held(
    time_s: &[f64],
    value: &[f64],
    updates: Option<&Updates>,
    update_period_s: f64,
) -> Held {
    let mut held = Held::default();
    let Some(grid) = updates else {
        held.update_s
            .extend(time_s.iter().map(|t| t - 0.5 * update_period_s));
        held.value.extend(value);
        return held;
    };
    let mut last = f64::NEG_INFINITY;
    let mut distance = f64::INFINITY;
    for (t, v) in time_s.iter().zip(value) {
        let turns = (t - grid.phase_s) / grid.period_s;
        let k = turns.floor();
        let off = (turns - k - 0.5).abs();
        if k > last {
            held.update_s.push(grid.phase_s + k * grid.period_s);
            held.value.push(*v);
            (last, distance) = (k, off);
        } else if off < distance {
            if let Some(kept) = held.value.last_mut() {
                *kept = *v;
            }
            distance = off;
        }
    }
    held
}
