//! How long a signal remembers itself.

use crate::hold::usable;

/// Autocorrelation of a uniformly sampled signal at the given lags, counted in samples: 1 at lag 0, within −1..=1 at all.
///
/// The estimate is `Σ (x_k − m)(x_{k+lag} − m) / Σ (x_k − m)²` with the mean `m` over all samples (Box and Jenkins, Time
/// Series Analysis). Its sum has `n − lag` terms over one of `n`, so it fades to zero at lags that are no longer small
/// against the signal.
///
/// None at every lag where there is no answer: a constant, an empty signal, one that holds a sample that is not finite or
/// beyond [`crate::LARGEST_MAGNITUDE`]; and at a lag as long as the signal or longer.
pub fn autocorrelation(values: &[f64], lags: &[usize]) -> Vec<Option<f64>> {
    let n = values.len();
    if n == 0 || values.iter().any(|v| !usable(*v)) {
        return vec![None; lags.len()];
    }
    // The mean of differences to the first sample: exact for a constant, whatever its size.
    let first = values[0];
    let offset = values.iter().map(|v| v - first).sum::<f64>() / n as f64;
    let from_mean = |v: f64| v - first - offset;
    let squares: f64 = values.iter().map(|v| from_mean(*v) * from_mean(*v)).sum();
    let at = |lag: &usize| {
        if *lag >= n || squares <= 0.0 {
            return None;
        }
        let products: f64 = values
            .iter()
            .zip(&values[*lag..])
            .map(|(a, b)| from_mean(*a) * from_mean(*b))
            .sum();
        Some((products / squares).clamp(-1.0, 1.0))
    };
    lags.iter().map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::autocorrelation;
    use crate::rng::Stream;
    use proptest::prelude::*;

    #[test]
    fn a_sine_has_the_cosine_of_its_lag() {
        // 100 periods of 40 samples: the estimate is the cosine times (n − lag)/n.
        let n = 4000;
        let wave: Vec<f64> = (0..n)
            .map(|k| 5e6 + (std::f64::consts::TAU * f64::from(k) / 40.0).sin())
            .collect();
        for (lag, cosine) in [(0, 1.0), (10, 0.0), (20, -1.0), (40, 1.0)] {
            let r = autocorrelation(&wave, &[lag])[0].unwrap();
            let exact = cosine * (1.0 - lag as f64 / f64::from(n));
            // A quarter of a period that has no partner leaves up to 10/n.
            assert!((r - exact).abs() < 0.0025, "{lag}: {r} {exact}");
        }
    }

    #[test]
    fn a_first_order_process_forgets_exponentially() {
        let mut stream = Stream::new(3, "autocorrelation", 0, 0);
        let (mut x, phi) = (0.0, 0.9_f64);
        let values: Vec<f64> = (0..200_000)
            .map(|_| {
                x = phi * x + stream.normal();
                x
            })
            .collect();
        // One standard error of r is about sqrt((1 + φ²)/(1 − φ²)/n) = 0.7 % (Bartlett).
        for (lag, r) in [1, 5, 20]
            .into_iter()
            .zip(autocorrelation(&values, &[1, 5, 20]))
        {
            let exact = phi.powi(lag);
            assert!((r.unwrap() - exact).abs() < 0.03, "{lag}: {r:?} {exact}");
        }
    }

    #[test]
    fn without_an_answer_there_is_none() {
        assert_eq!(autocorrelation(&[], &[0]), [None]);
        assert_eq!(autocorrelation(&[1e140 / 3.0; 7], &[0, 1]), [None, None]);
        assert_eq!(autocorrelation(&[1.0, f64::NAN, 2.0], &[0]), [None]);
        assert_eq!(autocorrelation(&[1.0, f64::MAX], &[0]), [None]);
        assert_eq!(autocorrelation(&[1.0, 2.0], &[0, 2]), [Some(1.0), None]);
    }

    proptest! {
        #[test]
        fn never_beyond_one(values in prop::collection::vec(-1e6..1e6_f64, 0..60), lag in 0_usize..70) {
            if let Some(r) = autocorrelation(&values, &[lag])[0] {
                prop_assert!(r.is_finite() && r.abs() <= 1.0);
            }
        }
    }
}
