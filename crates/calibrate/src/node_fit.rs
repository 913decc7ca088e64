//! What a node draws beside its GPUs, from a meter's log and the GPUs' own.

use serde::Serialize;

use crate::correlate::lag;
use crate::segment_signal::{Signal, interval_s, on_grid};

/// `node = fixed + slope · GPUs`, with standard errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeFit {
    /// Power without GPUs, watts, and its standard error.
    pub fixed_w: (f64, f64),
    /// Watts of the node per watt of its GPUs, and its standard error.
    pub slope: (f64, f64),
    /// What the line leaves, standard deviation, watts.
    pub residual_w: f64,
    /// Share of the variance that it explains.
    pub r2: f64,
    /// By how much the meter's clock is ahead of the GPUs', seconds; good to an interval of the coarser log.
    pub offset_s: f64,
    /// Samples, and how many of them are as good as independent.
    pub samples: usize,
    /// See `samples`.
    pub independent: f64,
}

/// Why no node can be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NodeFitError {
    /// The logs hardly share any time.
    #[error("meter and GPUs have {samples} samples in common; at least 20 are needed")]
    TooFew {
        /// In common.
        samples: usize,
    },
    /// Nothing to align by.
    #[error(
        "the GPUs' power does not change, so the meter's clock and the slope cannot be found; log some idle and some work"
    )]
    Constant,
    /// The meter shows something else.
    #[error(
        "meter and GPUs do not go together (correlation {r:.2} at best); is it this node's meter, and the same time?"
    )]
    Unrelated {
        /// Best correlation.
        r: f64,
    },
}

/// Fits a node; both logs on one clock as far as it is known. The meter's clock may be off by up to `off_s` seconds.
///
/// # Errors
/// When the logs share too little time, the GPUs' power is constant, or the two do not go together.
pub fn fit_node(
    gpus: &Signal,
    (meter_s, meter_w): (&[f64], &[f64]),
    off_s: f64,
) -> Result<NodeFit, NodeFitError> {
    let few = |samples| NodeFitError::TooFew { samples };
    if meter_s.len() < 20 || gpus.value.len() < 20 {
        return Err(few(meter_s.len().min(gpus.value.len())));
    }
    // The coarser of both rules; a finer one for the clock is not there.
    let dt_s = gpus.dt_s.max(interval_s(meter_s, meter_w));
    let end_s = gpus.time_s(gpus.value.len());
    let bins = ((end_s - gpus.start_s) / dt_s) as usize;
    let times: Vec<f64> = (0..gpus.value.len())
        .map(|i| gpus.time_s(i) + 0.5 * gpus.dt_s)
        .collect();
    let shape = (gpus.start_s, dt_s, bins);
    let a = on_grid(&times, &gpus.value, shape);
    let b = on_grid(meter_s, meter_w, shape);
    let most = (off_s / dt_s).ceil() as usize;
    let (shift, r) = lag(&a.value, &b.value, most).ok_or_else(|| {
        let samples = common(&a.value, &b.value).len();
        if samples < 20 {
            few(samples)
        } else {
            NodeFitError::Constant
        }
    })?;
    if r < 0.5 {
        return Err(NodeFitError::Unrelated { r });
    }
    let offset_s = shift * dt_s;
    let moved: Vec<f64> = meter_s.iter().map(|t| t - offset_s).collect();
    let b = on_grid(&moved, meter_w, shape);
    let pairs = common(&a.value, &b.value);
    if pairs.len() < 20 {
        return Err(few(pairs.len()));
    }
    line(&pairs, offset_s)
}

fn common(a: &[f64], b: &[f64]) -> Vec<(f64, f64)> {
    a.iter()
        .zip(b)
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .map(|(x, y)| (*x, *y))
        .collect()
}

/// Least squares, with errors for residuals that remember themselves.
fn line(pairs: &[(f64, f64)], offset_s: f64) -> Result<NodeFit, NodeFitError> {
    let n = pairs.len() as f64;
    let (mx, my) = pairs
        .iter()
        .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / n, b + y / n));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        xx += (x - mx) * (x - mx);
        xy += (x - mx) * (y - my);
        yy += (y - my) * (y - my);
    }
    if !(xx > 1e-9 * n * mx * mx && yy > 0.0) {
        return Err(NodeFitError::Constant);
    }
    let slope = xy / xx;
    let fixed = my - slope * mx;
    let left: Vec<f64> = pairs.iter().map(|(x, y)| y - fixed - slope * x).collect();
    let squares: f64 = left.iter().map(|e| e * e).sum();
    let products: f64 = left.windows(2).map(|w| w[0] * w[1]).sum();
    let phi = if squares > 0.0 {
        (products / squares).clamp(0.0, 0.99)
    } else {
        0.0
    };
    let independent = (n * (1.0 - phi) / (1.0 + phi)).max(3.0);
    let variance = squares / n * independent / (independent - 2.0);
    Ok(NodeFit {
        fixed_w: (
            fixed,
            (variance * (1.0 / independent + mx * mx * n / (xx * independent))).sqrt(),
        ),
        slope: (slope, (variance * n / (xx * independent)).sqrt()),
        residual_w: (squares / n).sqrt(),
        r2: 1.0 - squares / yy,
        offset_s,
        samples: pairs.len(),
        independent,
    })
}

impl NodeFit {
    /// As part of a node in a scenario or preset.
    pub fn toml(&self, name: &str, source: &str) -> String {
        let word = |v: f64| crate::profile_out::rounded(v);
        let number = |(value, error): (f64, f64), least: f64| {
            let value = word(value.max(least));
            format!(
                "{{ value = {value}, low = {}, high = {}, source = {}, grade = \"measured\", confidence = \"{}\" }}",
                word((value - 2.0 * error).max(least)),
                word(value + 2.0 * error),
                crate::profile_toml::quoted(source),
                if self.r2 > 0.9 { "medium" } else { "low" }
            )
        };
        let warn = if self.slope.0 < 1.0 || self.fixed_w.0 < 0.0 {
            format!(
                "# The fit gives {:.1} W and a slope of {:.4}, which no node has (at least 0 and 1): the nearest it may be is written. Distrust it.\n",
                self.fixed_w.0, self.slope.0
            )
        } else {
            String::new()
        };
        format!(
            "{warn}[nodes.{name}.host]\nfixed_w = {}\nslope = {}\nmetered = \"node_ac\"\n",
            number(self.fixed_w, 0.0),
            number(self.slope, 1.0)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_series::rng::Stream;

    #[test]
    fn host_and_clock_are_found_again() {
        let mut stream = Stream::new(5, "node", 0, 0);
        let power = |t: f64| {
            if (t / 30.0).fract() < 0.5 {
                4000.0
            } else {
                900.0
            }
        };
        let gpus = Signal {
            start_s: 0.0,
            dt_s: 0.1,
            value: (0..6000)
                .map(|i| power(f64::from(i) * 0.1 + 0.05))
                .collect(),
        };
        // The meter shows once a second, and its clock is 7.3 s ahead.
        let time: Vec<f64> = (0..600).map(f64::from).collect();
        let watts: Vec<f64> = time
            .iter()
            .map(|t| 1040.0 + 1.32 * power(t - 7.3) + 20.0 * stream.normal())
            .collect();
        let fit = fit_node(&gpus, (&time, &watts), 30.0).unwrap();
        // Clocks are aligned to an interval of the coarser log.
        assert!((fit.offset_s - 7.3).abs() < 1.0, "{fit:?}");
        assert!((fit.slope.0 - 1.32).abs() < 0.05, "{fit:?}");
        assert!((fit.fixed_w.0 - 1040.0).abs() < 120.0, "{fit:?}");
        let constant = Signal {
            value: vec![500.0; 6000],
            ..gpus
        };
        assert_eq!(
            fit_node(&constant, (&time, &watts), 30.0),
            Err(NodeFitError::Constant)
        );
    }
}
