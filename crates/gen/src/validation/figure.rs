//! The figure of the page: how long which power lasts, and how long it is remembered, measured and simulated.

use std::path::{Path, PathBuf};

use ballast_report::{Curve, CurvePanel, Curves, write_curves};
use ballast_series::autocorrelation;

use super::stats::Course;
use super::{ValidationError, measured, simulated};

/// Lags up to 60 s, at the 0.2 s of the traces.
const LAGS: usize = 300;

fn duration(course: &Course) -> Vec<(f64, f64)> {
    let curve = course.histogram().load_duration(401);
    let mean = course.mean();
    let point = |(share, value): (&f64, &f64)| (100.0 * share, 100.0 * value / mean);
    curve.share.iter().zip(&curve.value).map(point).collect()
}

fn memory(course: &Course) -> Vec<(f64, f64)> {
    let lags: Vec<usize> = (0..=LAGS).collect();
    let found = autocorrelation(&course.power, &lags);
    let at = |(lag, r): (&usize, Option<f64>)| Some((*lag as f64 * course.dt_s, r?));
    lags.iter().zip(found).filter_map(at).collect()
}

/// Draws the job of 64 H100, measured (from the folder `traces`) and simulated, to `docs/img` below `root`; returns the files.
pub fn draw(root: &Path, traces: &Path) -> Result<Vec<PathBuf>, ValidationError> {
    let training = measured::h100_training(&measured::h100(traces)?);
    let mut courses = vec![("measured", training)];
    for (label, name) in [
        ("simulated, powers of the presets", "h100x64-presets"),
        ("simulated, lower level from the trace", "h100x64-levels"),
    ] {
        courses.push((label, simulated::as_seen(&simulated::gpus(root, name)?)));
    }
    let curves = |points: fn(&Course) -> Vec<(f64, f64)>| {
        let one = |(label, course): &(&str, Course)| Curve {
            label: (*label).to_owned(),
            points: points(course),
        };
        courses.iter().map(one).collect()
    };
    let figure = Curves {
        name: "validation-h100x64",
        title: "64 H100 in one training job: measured and simulated".to_owned(),
        basis: "Sum of GPU power while the job iterates, means over 1 s, every 0.2 s for 1710 s".to_owned(),
        footer: "Measured: NLR dataset, DOI 10.7799/3025227 (CC BY 4.0), through bram-exe/PSCAD-Hypersim-Data-Center-Modeling".to_owned(),
        panels: [
            CurvePanel {
                heading: "Power (% of its mean)".to_owned(),
                across: "Share of time in which the power is exceeded (%)".to_owned(),
                curves: curves(duration),
            },
            CurvePanel {
                heading: "Autocorrelation".to_owned(),
                across: "Lag (s)".to_owned(),
                curves: curves(memory),
            },
        ],
    };
    Ok(write_curves(&figure, &root.join("docs/img"))?)
}
