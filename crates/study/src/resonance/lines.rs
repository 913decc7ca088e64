//! Lines of a load at the harmonics of its cadence, period by period.
//!
//! Every whole period gives complex amplitudes. Periods come early and late (jitter), so each is shifted in time until it fits the mean of those before best; the mean of the
//! shifted ones is the course that would repeat. How alike neighbours are *before* they are shifted says how much of it a slow mode gets to see.

use std::f64::consts::TAU;

use crate::resonance::record::Record;

/// Lines kept at least (the 21st of a square wave moves a shaft by a four-hundredth of its first) and at most, and the frequency beyond which no shaft follows, hertz.
const FEWEST: usize = 20;
const MOST: usize = 255;
const HIGHEST_HZ: f64 = 20.0;
/// Share of a cell's frequency that is resolved.
const RESOLVED: f64 = 0.4;
/// A period with less than this share of the upper quartile's energy is a pause.
const PAUSE: f64 = 0.25;
/// Halvings of the step in which the shift of a period is looked for.
const HALVINGS: u32 = 12;

/// A complex amplitude: `re cos(2πft) − im sin(2πft)`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Wave {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

impl Wave {
    pub(crate) fn of_angle(angle: f64) -> Self {
        Self {
            re: libm::cos(angle),
            im: libm::sin(angle),
        }
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            re: self.re + other.re,
            im: self.im + other.im,
        }
    }

    fn by(self, factor: f64) -> Self {
        Self {
            re: self.re * factor,
            im: self.im * factor,
        }
    }

    fn conjugate(self) -> Self {
        Self {
            re: self.re,
            im: -self.im,
        }
    }

    fn power(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    pub(crate) fn size(self) -> f64 {
        libm::hypot(self.re, self.im)
    }
}

/// One period: lines from the first harmonic on, mean power.
struct Period {
    from_s: f64,
    lines: Vec<Wave>,
    mean_w: f64,
}

/// What repeats in a load.
pub(crate) struct Repeating {
    pub(crate) period_s: f64,
    /// Course of a period that every one was shifted to: lines from the first harmonic on.
    pub(crate) lines: Vec<Wave>,
    pub(crate) mean_w: f64,
    /// Start of each period that counts, seconds, in order.
    pub(crate) starts_s: Vec<f64>,
    /// Per line: Σ of products of neighbours, Σ of their mean squares.
    neighbours: Vec<(Wave, f64)>,
}

impl Repeating {
    /// Correlation of a line (0: the first) between one period and the next, 0 to 1.
    pub(crate) fn coherence(&self, line: usize) -> f64 {
        match self.neighbours.get(line) {
            Some((product, power)) if *power > 0.0 => (product.size() / power).min(1.0),
            _ => 0.0,
        }
    }

    /// Turn of the first line from one period to the next, radians: a cadence that is not quite the one assumed.
    fn turn(&self) -> f64 {
        self.neighbours
            .first()
            .map_or(0.0, |(product, _)| libm::atan2(product.im, product.re))
    }

    /// Course over one period at even points, watts.
    pub(crate) fn course_w(&self) -> Vec<f64> {
        let points = (8 * self.lines.len()).max(256);
        let turns: Vec<Wave> = (0..points)
            .map(|i| Wave::of_angle(TAU * i as f64 / points as f64))
            .collect();
        (0..points)
            .map(|i| {
                let waves = self.lines.iter().enumerate().map(|(k, line)| {
                    let turn = turns[i * (k + 1) % points];
                    line.re * turn.re - line.im * turn.im
                });
                self.mean_w + waves.sum::<f64>()
            })
            .collect()
    }
}

/// Number of lines that a record can tell at multiples of a frequency.
fn told(record: &Record, period_s: f64) -> usize {
    let resolved = RESOLVED * period_s / record.cell_s;
    let moving = (HIGHEST_HZ * period_s).max(FEWEST as f64);
    resolved.min(moving).min(MOST as f64).max(0.0) as usize
}

fn periods(record: &Record, period_s: f64, (from_s, until_s): (f64, f64)) -> Vec<Period> {
    let count = told(record, period_s);
    let whole = ((until_s - from_s) / period_s + 1e-6).floor().max(0.0) as usize;
    // The mean over a cell wears a line down; this takes it back.
    let worn: Vec<f64> = (1..=count)
        .map(|k| {
            let angle = 0.5 * TAU * k as f64 * record.cell_s / period_s;
            angle / libm::sin(angle)
        })
        .collect();
    (0..whole)
        .map(|w| {
            let begin = from_s + w as f64 * period_s;
            let mut lines = vec![Wave::default(); count];
            let mut energy = 0.0;
            for (at_s, length_s, power_w) in record.power(begin, begin + period_s) {
                energy += power_w * length_s;
                let turn = Wave::of_angle(-TAU * (at_s - begin) / period_s);
                let mut now = turn.by(power_w * length_s);
                for line in &mut lines {
                    *line = line.plus(now);
                    now = now.times(turn);
                }
            }
            for (line, worn) in lines.iter_mut().zip(&worn) {
                *line = line.by(2.0 * worn / period_s);
            }
            Period {
                from_s: begin,
                lines,
                mean_w: energy / period_s,
            }
        })
        .collect()
}

/// How well a period fits the course when it comes `late` (share of a period, or early) and is shifted back.
fn fit(course: &[Wave], period: &[Wave], late: f64) -> f64 {
    let turn = Wave::of_angle(TAU * late);
    let mut now = turn;
    let mut sum = 0.0;
    for (a, b) in course.iter().zip(period) {
        let shifted = b.times(now);
        sum += a.re * shifted.re + a.im * shifted.im;
        now = now.times(turn);
    }
    sum
}

/// Share of a period by which it comes late; the one nearest to `before` of those that fit equally.
fn lateness(course: &[Wave], period: &[Wave], before: f64) -> f64 {
    let points = (4 * course.len()).max(32) as u32;
    let mut best = (before, fit(course, period, before));
    for i in 1..points {
        // 1, −1, 2, −2 …: outward from where the one before was.
        let away = f64::from(i.div_ceil(2)) / f64::from(points);
        let late = before + if i % 2 == 1 { away } else { -away };
        let fits = fit(course, period, late);
        if fits > best.1 * (1.0 + 1e-9) {
            best = (late, fits);
        }
    }
    let mut step = 0.5 / f64::from(points);
    for _ in 0..HALVINGS {
        for late in [best.0 - step, best.0 + step] {
            let fits = fit(course, period, late);
            if fits > best.1 {
                best = (late, fits);
            }
        }
        step *= 0.5;
    }
    best.0 - best.0.round()
}

/// Lines of the load at multiples of a cadence within a stretch; none where fewer than `fewest` periods fit in, or no line can be told.
pub(crate) fn repeating(
    record: &Record,
    period_s: f64,
    stretch: (f64, f64),
    fewest: usize,
) -> Option<Repeating> {
    let all = periods(record, period_s, stretch);
    let energy = |p: &Period| p.lines.iter().map(|l| l.power()).sum::<f64>();
    let mut sorted: Vec<f64> = all.iter().map(energy).collect();
    sorted.sort_by(f64::total_cmp);
    let quartile = *sorted.get(3 * sorted.len() / 4)?;
    if !(quartile > 0.0 && quartile.is_finite()) {
        return None;
    }
    let kept: Vec<bool> = all.iter().map(|p| energy(p) >= PAUSE * quartile).collect();
    let count = all.first()?.lines.len();
    let (mut course, mut mean_w) = (vec![Wave::default(); count], 0.0);
    let mut starts_s = Vec::new();
    let mut late = 0.0;
    for period in all.iter().zip(&kept).filter(|p| *p.1).map(|p| p.0) {
        if !starts_s.is_empty() {
            late = lateness(&course, &period.lines, late);
        }
        starts_s.push(period.from_s);
        let weight = 1.0 / starts_s.len() as f64;
        let turn = Wave::of_angle(TAU * late);
        let mut now = turn;
        for (mean, line) in course.iter_mut().zip(&period.lines) {
            let off = line.times(now).plus(mean.by(-1.0));
            *mean = mean.plus(off.by(weight));
            now = now.times(turn);
        }
        mean_w += (period.mean_w - mean_w) * weight;
    }
    if count == 0 || starts_s.len() < fewest {
        return None;
    }
    let mut neighbours = vec![(Wave::default(), 0.0); count];
    for (pair, kept) in all.windows(2).zip(kept.windows(2)) {
        if !(kept[0] && kept[1]) {
            continue;
        }
        for (sum, (a, b)) in neighbours
            .iter_mut()
            .zip(pair[0].lines.iter().zip(&pair[1].lines))
        {
            sum.0 = sum.0.plus(b.times(a.conjugate()));
            sum.1 += 0.5 * (a.power() + b.power());
        }
    }
    Some(Repeating {
        period_s,
        lines: course,
        mean_w,
        starts_s,
        neighbours,
    })
}

/// The same where the cadence is known from a spectrum only: twice, corrected by how the first line turns from period to period.
pub(crate) fn refined(
    record: &Record,
    mut period_s: f64,
    stretch: (f64, f64),
    fewest: usize,
) -> Option<Repeating> {
    for _ in 0..2 {
        let found = repeating(record, period_s, stretch, fewest)?;
        period_s /= 1.0 + found.turn() / TAU;
    }
    repeating(record, period_s, stretch, fewest)
}

/// Swing that a mode makes of a load whose amplitude correlates with `coherence` from one period to the next, over that of a perfectly periodic one: root mean square of
/// `Σ zⁿ a₋ₙ` over that of equal `a`, `z = e^{(σ + jψ)T}` the mode's change over a period seen from the line, `|a|` alike and `⟨a₀ a₋ₙ*⟩ = γⁿ`:
/// `ρ² = |1 − z|²/(1 − |z|²) · Re((1 + γz)/(1 − γz))`.
///
/// On the mode (`ψ = 0`) jitter takes away; beside it a line that jitter widens reaches the mode, and the swing may grow.
pub(crate) fn jitter_factor(coherence: f64, growth: f64, turn: f64) -> f64 {
    let c = coherence.clamp(0.0, 1.0);
    // A mode that does not decay has no settled answer: only what is perfectly periodic has one.
    let size = libm::exp(growth.min(-1e-9));
    let z = Wave::of_angle(turn).by(size);
    let cz = z.by(c);
    let away = Wave {
        re: 1.0 - cz.re,
        im: -cz.im,
    };
    // Re((1 + w)/(1 − w)) = (1 − |w|²)/|1 − w|²
    let kept = (1.0 - cz.power()) / away.power();
    let off = (1.0 - z.re) * (1.0 - z.re) + z.im * z.im;
    (off * kept / (1.0 - size * size)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_of_jitter_is_the_double_sum() {
        for (c, growth, turn) in [
            (1.0, -0.13, 0.0),
            (0.8, -0.13, 0.0),
            (0.8, -0.13, 0.26),
            (0.3, -0.5, 1.0),
            (0.0, -0.05, 0.4),
        ] {
            let count = 400_i32;
            let mut power = 0.0;
            for n in 0..count {
                for m in 0..count {
                    let size = libm::exp(growth * f64::from(n + m));
                    let angle = turn * f64::from(n - m);
                    power += size * libm::cos(angle) * f64::powi(c, (n - m).abs());
                }
            }
            let z = Wave::of_angle(turn).by(libm::exp(growth));
            let periodic = 1.0 / ((1.0 - z.re) * (1.0 - z.re) + z.im * z.im);
            let expected = (power / periodic).sqrt();
            let found = jitter_factor(c, growth, turn);
            assert!(
                (found / expected - 1.0).abs() < 1e-6,
                "{c} {growth} {turn}: {found} {expected}"
            );
        }
        // On the mode less is left; two half widths beside it there is more.
        assert!(jitter_factor(0.8, -0.13, 0.0) < 0.7);
        assert!(jitter_factor(0.8, -0.13, 0.26) > 1.05);
        assert!(
            jitter_factor(1.0, 0.0, 0.0).is_finite() && jitter_factor(0.5, 3.0, 0.0).is_finite()
        );
    }
}
