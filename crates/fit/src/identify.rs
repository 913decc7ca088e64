//! What the figures can tell apart, from the Jacobian where a fit ended.

use crate::linear::{eigen, normal};
use crate::minimise::{Solution, jacobian};
use crate::task::Task;

/// Relative standard error above which a parameter counts as not identified.
pub(crate) const MOST_ERROR: f64 = 0.25;
/// Correlation above which two parameters are named as a pair.
pub(crate) const STRONG: f64 = 0.95;
/// Relative standard error above which a parameter in such a pair counts as not identified.
pub(crate) const MOST_ERROR_IN_PAIR: f64 = 0.12;
/// Width of the differences, in unknowns: 1 % of a parameter sees past the rounding of events.
const WIDTH: f64 = 1e-2;
/// Least information along a direction: a relative error of a thousand is as good as none.
const LEAST: f64 = 1e-6;

/// What is known about the active unknowns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identified {
    /// Relative standard error of each unknown of the task; 0 for those that were held.
    pub(crate) error: Vec<f64>,
    /// Correlated pairs of parameters with their coefficient.
    pub(crate) pairs: Vec<(usize, usize, f64)>,
    /// Singular values of the scaled Jacobian, descending.
    pub(crate) singular: Vec<f64>,
    /// Factor on the variances: residuals larger than their tolerances say that these were too small.
    pub(crate) inflation: f64,
}

/// Errors and correlations at a solution, over the unknowns in `active`.
pub(crate) fn identify(task: &Task, at: &Solution, active: &[usize]) -> Identified {
    let residuals = task.residuals(std::slice::from_ref(&at.x)).concat();
    let columns = jacobian(task, &at.x, &residuals, active, WIDTH, true);
    let (values, vectors) = eigen(&normal(&columns));
    let freedom = residuals.len() as f64 - active.len() as f64;
    let inflation = if freedom >= 1.0 {
        (at.cost / freedom).max(1.0)
    } else {
        1.0
    };
    let covariance = |i: usize, j: usize| -> f64 {
        (0..active.len())
            .map(|k| vectors[i][k] * vectors[j][k] / values[k].max(LEAST))
            .sum()
    };
    let mut error = vec![0.0; task.unknowns()];
    for (i, unknown) in active.iter().enumerate() {
        error[*unknown] = (covariance(i, i) * inflation).sqrt();
    }
    let mut pairs = Vec::new();
    for (i, a) in active.iter().enumerate() {
        for (j, b) in active.iter().enumerate().skip(i + 1) {
            if a.max(b) >= &task.parameters.len() {
                continue;
            }
            let both = (covariance(i, i) * covariance(j, j)).sqrt();
            let correlation = covariance(i, j) / both;
            if correlation.abs() > STRONG {
                pairs.push((*a, *b, correlation));
            }
        }
    }
    let mut singular: Vec<f64> = values.iter().map(|v| v.max(0.0).sqrt()).collect();
    singular.sort_by(|a, b| b.total_cmp(a));
    Identified {
        error,
        pairs,
        singular,
        inflation,
    }
}

impl Identified {
    /// How badly each parameter is known, as a share of what is allowed; above 1 it is not identified.
    pub(crate) fn doubt(&self, parameter: usize) -> f64 {
        let error = self.error[parameter];
        let paired = self
            .pairs
            .iter()
            .any(|(a, b, _)| *a == parameter || *b == parameter);
        error
            / if paired {
                MOST_ERROR_IN_PAIR
            } else {
                MOST_ERROR
            }
    }
}
