//! Nonlinear least squares: Levenberg-Marquardt with bounds and a numeric Jacobian.
//!
//! Source: Marquardt (SIAM J. Appl. Math. 11, 1963) with his scaling by the diagonal. Unknowns at a bound that the
//! gradient pushes outward rest for the iteration; trial values are clamped to the bounds.

use crate::linear::{dot, normal, solve};
use crate::task::Task;

/// Most iterations of one descent.
const MOST_ITERATIONS: usize = 60;
/// Longest step of one unknown in an iteration: a factor of e^0.7 = 2 of a parameter.
const LONGEST_STEP: f64 = 0.7;
/// Relative change of the sum of squares below which a descent has ended.
const SMALL_CHANGE: f64 = 1e-7;
/// Differences of the numeric Jacobian while descending, in unknowns (0.1 % of a parameter).
const DIFFERENCE: f64 = 1e-3;

/// Where a descent ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Solution {
    pub(crate) x: Vec<f64>,
    /// Sum of the squares of the residuals.
    pub(crate) cost: f64,
    pub(crate) iterations: usize,
    pub(crate) converged: bool,
}

/// Sum of squares.
pub(crate) fn cost(residuals: &[f64]) -> f64 {
    let cost = dot(residuals, residuals);
    if cost.is_finite() { cost } else { f64::MAX }
}

/// Columns of the Jacobian for the unknowns in `active`; `central` differences of `width` or one-sided ones.
pub(crate) fn jacobian(
    task: &Task,
    x: &[f64],
    at_x: &[f64],
    active: &[usize],
    width: f64,
    central: bool,
) -> Vec<Vec<f64>> {
    let bounds = task.bounds();
    let mut places = Vec::new();
    let mut widths = Vec::new();
    for unknown in active {
        // One-sided differences go where there is room.
        let (_, high) = bounds[*unknown];
        let up = if x[*unknown] + width > high {
            -width
        } else {
            width
        };
        widths.push(up);
        let mut place = x.to_vec();
        place[*unknown] += up;
        places.push(place);
        if central {
            let mut place = x.to_vec();
            place[*unknown] -= up;
            places.push(place);
        }
    }
    let found = task.residuals(&places);
    let per = if central { 2 } else { 1 };
    found
        .chunks(per)
        .zip(widths)
        .map(|(sides, up)| {
            let other = if central { &sides[1] } else { at_x };
            let over = if central { 2.0 * up } else { up };
            sides[0]
                .iter()
                .zip(other)
                .map(|(a, b)| (a - b) / over)
                .collect()
        })
        .collect()
}

/// Descends from `x` over the unknowns in `active`; `go_on` is asked before every iteration.
pub(crate) fn descend(
    task: &Task,
    x: Vec<f64>,
    active: &[usize],
    go_on: &mut dyn FnMut() -> bool,
) -> Solution {
    let bounds = task.bounds();
    let mut residuals = task.residuals(std::slice::from_ref(&x)).concat();
    let mut at = Solution {
        cost: cost(&residuals),
        x,
        iterations: 0,
        converged: active.is_empty(),
    };
    let mut damping = 1e-2;
    while !at.converged && at.iterations < MOST_ITERATIONS && go_on() {
        at.iterations += 1;
        let columns = jacobian(task, &at.x, &residuals, active, DIFFERENCE, false);
        let gradient: Vec<f64> = columns.iter().map(|c| dot(c, &residuals)).collect();
        let moving: Vec<usize> = (0..active.len())
            .filter(|i| {
                let (low, high) = bounds[active[*i]];
                let value = at.x[active[*i]];
                !(value <= low && gradient[*i] > 0.0 || value >= high && gradient[*i] < 0.0)
            })
            .collect();
        let used: Vec<Vec<f64>> = moving.iter().map(|i| columns[*i].clone()).collect();
        let information = normal(&used);
        let down: Vec<f64> = moving.iter().map(|i| -gradient[*i]).collect();
        let mut improved = false;
        for _ in 0..14 {
            let mut damped = information.clone();
            for (i, row) in damped.iter_mut().enumerate() {
                // The constant keeps unknowns that nothing depends on where they are.
                row[i] += damping * row[i] + 1e-9;
            }
            let Some(step) = solve(&damped, &down) else {
                damping *= 10.0;
                continue;
            };
            let longest = step.iter().fold(0.0_f64, |most, s| most.max(s.abs()));
            let shorten = (LONGEST_STEP / longest.max(1e-300)).min(1.0);
            let mut trial = at.x.clone();
            for (i, s) in moving.iter().zip(&step) {
                let (low, high) = bounds[active[*i]];
                let place = &mut trial[active[*i]];
                *place = (*place + shorten * s).clamp(low, high);
            }
            let found = task.residuals(std::slice::from_ref(&trial)).concat();
            let new_cost = cost(&found);
            if new_cost < at.cost {
                let change = (at.cost - new_cost) / at.cost;
                let most = trial
                    .iter()
                    .zip(&at.x)
                    .fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
                at.converged = change < SMALL_CHANGE || new_cost < 1e-10 || most < 1e-6;
                (at.x, at.cost, residuals) = (trial, new_cost, found);
                damping = (damping * 0.2).max(1e-12);
                improved = true;
                break;
            }
            if longest * shorten < 1e-6 {
                break;
            }
            damping *= 5.0;
        }
        if !improved {
            // No step of any length helps: a minimum, or the kink of an event that begins or ceases there.
            at.converged = true;
        }
    }
    at
}
