//! The aggregate rule of source 002, kept callable beside the exact one.

use serde::Serialize;

/// Standard deviation of the sum of `n` equal powers, watts.
///
/// Each has standard deviation `sigma_w` (watts) and every two have the correlation coefficient `c` (0 to 1):
/// `σ_sum = sqrt(N σ² (1 + (N − 1) C))`, from `Var ΣX = Σ Var + Σ Cov`. It holds for any distribution.
pub fn sum_sigma_w(n: u64, sigma_w: f64, c: f64) -> f64 {
    if n == 0 {
        return 0.0;
    }
    let gpus = n as f64;
    sigma_w * (gpus * (1.0 + (gpus - 1.0) * c)).sqrt()
}

/// Source 002's figure for a cluster with the exact one beside it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Source002Comparison {
    /// GPUs in the sum.
    pub gpus: u64,
    /// Correlation coefficient of every two GPUs, 0 to 1.
    pub coefficient: f64,
    /// Mean of the sum, watts; both rules agree on it.
    pub mean_w: f64,
    /// What source 002 adds to the mean, `sqrt(N C) σ`, watts. It calls the result a peak; it is less than one σ.
    pub source002_term_w: f64,
    /// `N P + sqrt(N C) σ`, watts (source 002, part 5.2).
    pub source002_w: f64,
    /// Exact standard deviation of the sum, watts: see [`sum_sigma_w`].
    pub exact_sigma_w: f64,
    /// Mean and one exact standard deviation, watts. Not a peak either: a peak is a quantile over a horizon.
    pub exact_w: f64,
    /// Exact standard deviation over source 002's term, `sqrt((1 + (N − 1) C) / C)`. Absent where the term is 0 (C, N or σ is 0).
    pub understates_by: Option<f64>,
}

/// Source 002's rule for `n` GPUs of mean power `mean_w` and standard deviation `sigma_w`, both watts per GPU, with the exact one beside it.
///
/// `c` is the correlation coefficient of every two GPUs, 0 to 1. Source: source 002 (H100 phase-profile study), part 5.2.
pub fn source002_aggregate(n: u64, mean_w: f64, sigma_w: f64, c: f64) -> Source002Comparison {
    let gpus = n as f64;
    let mean = gpus * mean_w;
    let term = (gpus * c).sqrt() * sigma_w;
    let exact = sum_sigma_w(n, sigma_w, c);
    Source002Comparison {
        gpus: n,
        coefficient: c,
        mean_w: mean,
        source002_term_w: term,
        source002_w: mean + term,
        exact_sigma_w: exact,
        exact_w: mean + exact,
        understates_by: (term > 0.0).then(|| exact / term),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_studys_own_example() {
        let c = source002_aggregate(8, 265.0, 15.0, 0.7);
        assert!((c.source002_w - 2155.5).abs() < 0.05);
        assert!((c.exact_sigma_w - 103.05).abs() < 0.01);
        assert!((c.mean_w + 3.0 * c.exact_sigma_w - 2429.2).abs() < 0.1);
    }

    #[test]
    fn factor_grows_with_the_root_of_n() {
        for (n, factor) in [(8, 2.9), (1000, 31.6), (100_000, 316.0)] {
            let by = source002_aggregate(n, 265.0, 15.0, 0.7)
                .understates_by
                .unwrap();
            assert!((by / factor - 1.0).abs() < 0.005, "{n}: {by}");
        }
    }

    #[test]
    fn limits_of_the_exact_rule() {
        assert!((sum_sigma_w(100, 15.0, 0.0) - 150.0).abs() < 1e-9);
        assert!((sum_sigma_w(100, 15.0, 1.0) - 1500.0).abs() < 1e-9);
        assert_eq!(sum_sigma_w(0, 15.0, 1.0), 0.0);
        assert_eq!(
            source002_aggregate(8, 265.0, 15.0, 0.0).understates_by,
            None
        );
    }
}
