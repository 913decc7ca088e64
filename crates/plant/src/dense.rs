//! Complex linear equations with many zeros: Gaussian elimination that skips them.

use crate::complex::{Complex, ZERO};

/// What stands for a pivot of zero; its square is still a number.
const SMALLEST: f64 = 1e-140;

/// `P M = L U` of a square matrix, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Lu {
    n: usize,
    values: Vec<Complex>,
    rows: Vec<usize>,
    /// A pivot was zero and has been replaced by a number below rounding.
    pub(crate) singular: bool,
}

impl Lu {
    /// Factors a matrix of `n` rows.
    pub(crate) fn new(n: usize, mut values: Vec<Complex>) -> Self {
        let mut rows: Vec<usize> = (0..n).collect();
        let mut singular = false;
        let largest = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let floor = (largest * f64::EPSILON).max(SMALLEST);
        for k in 0..n {
            let (mut best, mut at) = (0.0, k);
            for row in k..n {
                let size = values[row * n + k].abs();
                if size > best {
                    (best, at) = (size, row);
                }
            }
            if at != k {
                for column in 0..n {
                    values.swap(at * n + column, k * n + column);
                }
                rows.swap(at, k);
            }
            if best == 0.0 {
                singular = true;
                values[k * n + k] = Complex { re: floor, im: 0.0 };
            }
            let pivot = values[k * n + k];
            let (above, below) = values.split_at_mut((k + 1) * n);
            let pivot_row = &above[k * n..];
            for row in below.chunks_exact_mut(n) {
                if row[k] == ZERO {
                    continue;
                }
                let factor = row[k] / pivot;
                row[k] = factor;
                for (own, other) in row[k + 1..].iter_mut().zip(&pivot_row[k + 1..n]) {
                    *own = *own - factor * *other;
                }
            }
        }
        Self {
            n,
            values,
            rows,
            singular,
        }
    }

    fn at(&self, row: usize, column: usize) -> Complex {
        self.values[row * self.n + column]
    }

    /// `x` of `M x = right`.
    pub(crate) fn solve(&self, right: &[Complex]) -> Vec<Complex> {
        let mut x: Vec<Complex> = self.rows.iter().map(|row| right[*row]).collect();
        for i in 0..self.n {
            for k in 0..i {
                x[i] = x[i] - self.at(i, k) * x[k];
            }
        }
        for i in (0..self.n).rev() {
            for k in i + 1..self.n {
                x[i] = x[i] - self.at(i, k) * x[k];
            }
            x[i] = x[i] / self.at(i, i);
        }
        x
    }

    /// `x` of `Mᵀ x = right`, nothing conjugated.
    pub(crate) fn solve_transposed(&self, right: &[Complex]) -> Vec<Complex> {
        let mut y = right.to_vec();
        for i in 0..self.n {
            for k in 0..i {
                y[i] = y[i] - self.at(k, i) * y[k];
            }
            y[i] = y[i] / self.at(i, i);
        }
        for i in (0..self.n).rev() {
            for k in i + 1..self.n {
                y[i] = y[i] - self.at(k, i) * y[k];
            }
        }
        let mut x = vec![ZERO; self.n];
        for (value, row) in y.into_iter().zip(&self.rows) {
            x[*row] = value;
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_both_ways() {
        let c = |re: f64, im: f64| Complex { re, im };
        let m = [
            c(0.0, 0.0),
            c(2.0, 1.0),
            c(1.0, 0.0),
            c(1.0, -1.0),
            c(0.0, 0.0),
            c(3.0, 0.0),
            c(4.0, 0.0),
            c(1.0, 0.5),
            c(0.0, 2.0),
        ];
        let lu = Lu::new(3, m.to_vec());
        let b = [c(1.0, 2.0), c(-1.0, 0.0), c(0.5, 0.25)];
        let (x, y) = (lu.solve(&b), lu.solve_transposed(&b));
        for i in 0..3 {
            let (mut row, mut column) = (ZERO, ZERO);
            for k in 0..3 {
                row = row + m[i * 3 + k] * x[k];
                column = column + m[k * 3 + i] * y[k];
            }
            assert!((row - b[i]).abs() < 1e-14 && (column - b[i]).abs() < 1e-14);
        }
        assert!(Lu::new(1, vec![ZERO]).singular);
    }
}
