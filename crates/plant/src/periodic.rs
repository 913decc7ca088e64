//! A load that repeats: its course over one period and the lines it consists of.

use std::f64::consts::TAU;

use crate::complex::{Complex, ZERO};

/// Harmonics of a load given by its course; beyond them a two-level wave moves a shaft by less than 1e-5 of its first.
const HARMONICS: usize = 255;
/// Points of a load given by its lines, per period of the highest.
const POINTS_PER_PERIOD: usize = 32;
/// Highest multiple of the common period of several lines.
const HIGHEST_MULTIPLE: f64 = 1024.0;

/// A line of a load: `amplitude_w · cos(2π f t + phase_rad)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Harmonic {
    /// Frequency, hertz, above zero.
    pub frequency_hz: f64,
    /// Amplitude (half of peak to peak), watts.
    pub amplitude_w: f64,
    /// Phase at t = 0, radians.
    pub phase_rad: f64,
}

/// A periodic load that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum LoadError {
    /// A number is not finite, or a frequency or period not positive.
    #[error("{what} is {value}: give a finite number above zero")]
    NotPositive {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// The share of the high level is not between 0 and 1.
    #[error("the high level lasts {duty} of a period: give a share above 0 and below 1")]
    Duty {
        /// Share given.
        duty: f64,
    },
    /// Nothing was given.
    #[error("a periodic load needs at least {needed} {what}")]
    TooFew {
        /// Number needed.
        needed: usize,
        /// Of what.
        what: &'static str,
    },
    /// The lines are not multiples of one frequency.
    #[error(
        "{first_hz} Hz and {other_hz} Hz are no multiples of one frequency up to the 1024th: predict each cadence by itself"
    )]
    NoCommonPeriod {
        /// Lowest line, hertz.
        first_hz: f64,
        /// Line that does not fit, hertz.
        other_hz: f64,
    },
}

/// A straight piece of a period.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    /// Length as share of the period.
    pub(crate) share: f64,
    pub(crate) start_w: f64,
    pub(crate) end_w: f64,
}

/// A load that repeats.
#[derive(Debug, Clone)]
pub struct PeriodicLoad {
    fundamental_hz: f64,
    mean_w: f64,
    pieces: Vec<Piece>,
    /// Multiples of the fundamental, and `c` of `Re(c e^{j k θ})`.
    lines: Vec<(usize, Complex)>,
}

fn positive(what: &'static str, value: f64) -> Result<(), LoadError> {
    if value > 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(LoadError::NotPositive { what, value })
    }
}

fn finite(what: &'static str, value: f64) -> Result<(), LoadError> {
    if value.is_finite() {
        Ok(())
    } else {
        Err(LoadError::NotPositive { what, value })
    }
}

impl PeriodicLoad {
    /// Two levels: `high_w` for `duty` of every period, then `low_w`; steps between them.
    ///
    /// # Errors
    /// A frequency that is not positive, a duty outside 0 to 1, levels that are not finite.
    pub fn two_level(
        frequency_hz: f64,
        low_w: f64,
        high_w: f64,
        duty: f64,
    ) -> Result<Self, LoadError> {
        positive("the frequency of the load", frequency_hz)?;
        finite("the low level of the load", low_w)?;
        finite("the high level of the load", high_w)?;
        if !(duty > 0.0 && duty < 1.0) {
            return Err(LoadError::Duty { duty });
        }
        let level = |share: f64, w: f64| Piece {
            share,
            start_w: w,
            end_w: w,
        };
        let pieces = vec![level(duty, high_w), level(1.0 - duty, low_w)];
        Ok(Self::of_pieces(frequency_hz, pieces))
    }

    /// One period by samples at even distances, joined by straight lines, the last with the first.
    ///
    /// # Errors
    /// A period that is not positive, fewer than two samples, one that is not finite.
    pub fn sampled(period_s: f64, samples_w: &[f64]) -> Result<Self, LoadError> {
        positive("the period of the load", period_s)?;
        positive("the inverse of the period", 1.0 / period_s)?;
        if samples_w.len() < 2 {
            return Err(LoadError::TooFew {
                needed: 2,
                what: "samples",
            });
        }
        for sample in samples_w {
            finite("a sample of the load", *sample)?;
        }
        let share = 1.0 / samples_w.len() as f64;
        let next = samples_w.iter().cycle().skip(1);
        let pieces = samples_w.iter().zip(next).map(|(a, b)| Piece {
            share,
            start_w: *a,
            end_w: *b,
        });
        Ok(Self::of_pieces(1.0 / period_s, pieces.collect()))
    }

    /// A mean and lines that are multiples of one frequency (found here, up to the 1024th multiple).
    ///
    /// # Errors
    /// No line, a frequency that is not positive, a number that is not finite, no common period.
    pub fn of_lines(mean_w: f64, lines: &[Harmonic]) -> Result<Self, LoadError> {
        finite("the mean of the load", mean_w)?;
        for line in lines {
            positive("the frequency of a line", line.frequency_hz)?;
            finite("the amplitude of a line", line.amplitude_w)?;
            finite("the phase of a line", line.phase_rad)?;
        }
        let Some(lowest) = lines.iter().map(|l| l.frequency_hz).reduce(f64::min) else {
            return Err(LoadError::TooFew {
                needed: 1,
                what: "line",
            });
        };
        let misfit = |fundamental: f64| {
            lines.iter().map(|l| l.frequency_hz).find(|f| {
                let multiple = f / fundamental;
                (multiple - multiple.round()).abs() > 1e-6 * multiple || multiple > HIGHEST_MULTIPLE
            })
        };
        let mut fundamental = lowest;
        for divisor in 1..=32 {
            fundamental = lowest / f64::from(divisor);
            if misfit(fundamental).is_none() {
                break;
            }
        }
        if let Some(other_hz) = misfit(fundamental) {
            return Err(LoadError::NoCommonPeriod {
                first_hz: lowest,
                other_hz,
            });
        }
        let mut by_multiple: Vec<(usize, Complex)> = Vec::new();
        for line in lines {
            let multiple = (line.frequency_hz / fundamental).round() as usize;
            let value = Complex {
                re: line.amplitude_w * libm::cos(line.phase_rad),
                im: line.amplitude_w * libm::sin(line.phase_rad),
            };
            match by_multiple.iter_mut().find(|l| l.0 == multiple) {
                Some(known) => known.1 = known.1 + value,
                None => by_multiple.push((multiple, value)),
            }
        }
        by_multiple.sort_by_key(|l| l.0);
        let highest = by_multiple.last().map_or(1, |l| l.0);
        let count = (highest * POINTS_PER_PERIOD).max(256);
        let wave = synthesise(&by_multiple, count);
        let share = 1.0 / count as f64;
        let pieces = (0..count).map(|i| Piece {
            share,
            start_w: mean_w + wave[i],
            end_w: mean_w + wave[(i + 1) % count],
        });
        Ok(Self {
            fundamental_hz: fundamental,
            mean_w,
            pieces: pieces.collect(),
            lines: by_multiple,
        })
    }

    /// The same course at another frequency of its fundamental, hertz.
    ///
    /// # Errors
    /// A frequency that is not positive.
    pub fn at_frequency(&self, frequency_hz: f64) -> Result<Self, LoadError> {
        positive("the frequency of the load", frequency_hz)?;
        Ok(Self {
            fundamental_hz: frequency_hz,
            ..self.clone()
        })
    }

    fn of_pieces(fundamental_hz: f64, pieces: Vec<Piece>) -> Self {
        let mean_w = pieces
            .iter()
            .map(|p| p.share * 0.5 * (p.start_w + p.end_w))
            .sum();
        let lines = (1..=HARMONICS).map(|k| (k, line(&pieces, k))).collect();
        Self {
            fundamental_hz,
            mean_w,
            pieces,
            lines,
        }
    }

    /// Frequency at which it repeats, hertz.
    pub fn fundamental_hz(&self) -> f64 {
        self.fundamental_hz
    }

    /// Its mean, watts.
    pub fn mean_w(&self) -> f64 {
        self.mean_w
    }

    /// Its lines; of a course up to the 255th multiple.
    pub fn harmonics(&self) -> Vec<Harmonic> {
        self.lines
            .iter()
            .map(|(k, c)| Harmonic {
                frequency_hz: self.fundamental_hz * *k as f64,
                amplitude_w: c.abs(),
                phase_rad: libm::atan2(c.im, c.re),
            })
            .collect()
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Multiple of the fundamental and complex amplitude of every line.
    pub(crate) fn lines(&self) -> &[(usize, Complex)] {
        &self.lines
    }
}

/// Complex amplitude of one harmonic: `2 ∫ p(τ) e^{−j2πkτ} dτ`, exact for straight pieces.
fn line(pieces: &[Piece], k: usize) -> Complex {
    let turn = |share: f64| {
        // Whole turns are taken off before the sine.
        let angle = -TAU * ((share * k as f64) % 1.0);
        Complex {
            re: libm::cos(angle),
            im: libm::sin(angle),
        }
    };
    let inverse = Complex {
        re: 0.0,
        im: -1.0 / (TAU * k as f64),
    };
    let mut sum = ZERO;
    let mut at = 0.0;
    for piece in pieces {
        let (first, last) = (turn(at), turn(at + piece.share));
        let slope = (piece.end_w - piece.start_w) / piece.share;
        sum = sum
            - inverse * (last * piece.end_w - first * piece.start_w)
            - inverse * inverse * (last - first) * slope;
        at += piece.share;
    }
    sum * 2.0
}

/// `Σ Re(c e^{j2πkτ})` at even points of one period.
pub(crate) fn synthesise(lines: &[(usize, Complex)], points: usize) -> Vec<f64> {
    let turns: Vec<(f64, f64)> = (0..points)
        .map(|i| {
            let angle = TAU * i as f64 / points as f64;
            (libm::cos(angle), libm::sin(angle))
        })
        .collect();
    let mut wave = vec![0.0; points];
    for (k, c) in lines {
        for (i, value) in wave.iter_mut().enumerate() {
            let (cos, sin) = turns[i * k % points];
            *value += c.re * cos - c.im * sin;
        }
    }
    wave
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::{FRAC_PI_2, PI};

    #[test]
    fn a_square_wave_has_its_lines() {
        let load = PeriodicLoad::two_level(2.0, 1.0, 3.0, 0.5).unwrap();
        assert!((load.mean_w() - 2.0).abs() < 1e-15);
        for h in load.harmonics().iter().take(20) {
            let k = (h.frequency_hz / 2.0).round();
            let expected = if k % 2.0 == 1.0 { 4.0 / (PI * k) } else { 0.0 };
            assert!((h.amplitude_w - expected).abs() < 1e-12, "{h:?}");
            if expected > 0.0 {
                assert!((h.phase_rad + FRAC_PI_2).abs() < 1e-12, "{h:?}");
            }
        }
    }

    #[test]
    fn a_triangle_by_samples() {
        let load = PeriodicLoad::sampled(4.0, &[0.0, 1.0, 0.0, -1.0]).unwrap();
        for (k, h) in load.harmonics().iter().enumerate().take(9) {
            let k = k as f64 + 1.0;
            let expected = if k % 2.0 == 1.0 {
                8.0 / (PI * PI * k * k)
            } else {
                0.0
            };
            assert!((h.amplitude_w - expected).abs() < 1e-12, "{h:?}");
        }
    }

    #[test]
    fn lines_find_their_common_period() {
        let line = |frequency_hz: f64| Harmonic {
            frequency_hz,
            amplitude_w: 2.0,
            phase_rad: 0.3,
        };
        let load = PeriodicLoad::of_lines(5.0, &[line(0.5), line(0.75)]).unwrap();
        assert!((load.fundamental_hz() - 0.25).abs() < 1e-12);
        assert_eq!(load.harmonics().len(), 2);
        assert!((load.pieces()[0].start_w - 5.0 - 4.0 * libm::cos(0.3)).abs() < 1e-12);
        assert!(PeriodicLoad::of_lines(0.0, &[line(1.0), line(PI)]).is_err());
        assert!(PeriodicLoad::of_lines(0.0, &[]).is_err());
        assert!(PeriodicLoad::two_level(1.0, 0.0, 1.0, 1.0).is_err());
        assert!(PeriodicLoad::two_level(f64::NAN, 0.0, 1.0, 0.5).is_err());
    }
}
