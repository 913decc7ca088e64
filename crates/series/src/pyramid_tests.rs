use super::PyramidBuilder;
use crate::rng::Stream;
use crate::{Level, Pyramid};
use proptest::prelude::*;

fn build(values: &[f64], announced: u64, chunk: usize) -> Pyramid {
    let mut builder = PyramidBuilder::new(0.5, announced).starting_at(10.0);
    for chunk in values.chunks(chunk) {
        builder.push_slice(chunk);
    }
    builder.finish()
}

/// Checks every bucket of a level against the samples it covers.
fn check(level: &Level, values: &[f64]) {
    let per_bucket = (level.dt_s / 0.5).round() as usize;
    assert_eq!(level.min.len(), values.len().div_ceil(per_bucket));
    assert_eq!(level.mean.len(), level.min.len());
    assert_eq!(level.max.len(), level.min.len());
    for (i, covered) in values.chunks(per_bucket).enumerate() {
        let min = covered.iter().copied().fold(f64::INFINITY, f64::min);
        let max = covered.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = covered.iter().sum::<f64>() / covered.len() as f64;
        assert_eq!((level.min[i], level.max[i]), (min, max));
        assert!((level.mean[i] - mean).abs() < 1e-9);
        assert!(level.min[i] <= level.mean[i] && level.mean[i] <= level.max[i]);
    }
}

fn noise(n: usize) -> Vec<f64> {
    let mut stream = Stream::new(9, "pyramid", 0, 0);
    (0..n).map(|_| stream.normal()).collect()
}

#[test]
fn every_level_covers_every_sample() {
    let values = noise(100_000);
    let pyramid = build(&values, 100_000, 999);
    assert_eq!(pyramid.t0_s, 10.0);
    assert_eq!(pyramid.levels[0].dt_s, 12.5);
    assert!(pyramid.levels[0].min.len() <= 4096);
    for level in &pyramid.levels {
        check(level, &values);
    }
    for pair in pyramid.levels.windows(2) {
        assert_eq!(pair[1].dt_s, 4.0 * pair[0].dt_s);
        assert_eq!(pair[1].min.len(), pair[0].min.len().div_ceil(4));
        assert!(pair[0].min.len() > 16);
    }
    assert!(pyramid.levels.last().unwrap().min.len() <= 16);
}

#[test]
fn a_single_peak_is_never_lost() {
    let mut values = vec![1.0; 1_000_000];
    values[654_321] = 9.0;
    values[123_456] = -9.0;
    for level in build(&values, 1_000_000, 4096).levels {
        assert_eq!(level.max.iter().filter(|v| **v == 9.0).count(), 1);
        assert_eq!(level.min.iter().filter(|v| **v == -9.0).count(), 1);
    }
}

#[test]
fn more_samples_than_announced_coarsen_and_fewer_leave_room() {
    let values = noise(40_000);
    for announced in [0, 1, 5000, 40_000, 10_000_000] {
        let pyramid = build(&values, announced, 1000);
        assert!(pyramid.levels[0].min.len() <= 4096);
        check(&pyramid.levels[0], &values);
    }
    assert_eq!(build(&values, 5000, 1).levels[0].dt_s, 8.0);
}

#[test]
fn few_samples_are_one_level_and_none_are_none() {
    let pyramid = build(&[1.0, 2.0, 3.0], 3, 2);
    assert_eq!(pyramid.levels.len(), 1);
    assert_eq!(pyramid.levels[0].mean, [1.0, 2.0, 3.0]);
    assert_eq!(pyramid.levels[0].dt_s, 0.5);
    assert!(build(&[], 3, 1).levels.is_empty());
}

#[test]
fn unusable_samples_repeat_the_last() {
    let mut builder = PyramidBuilder::new(1.0, 4);
    builder.push_slice(&[5.0, f64::NAN, f64::INFINITY, 7.0]);
    assert_eq!(builder.non_finite(), 2);
    assert_eq!(builder.finish().levels[0].mean, [5.0, 5.0, 5.0, 7.0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn chunks_do_not_matter(n in 1_usize..20_000, announced in 0_u64..30_000, chunk in 1_usize..5000) {
        let values = noise(n);
        let pyramid = build(&values, announced, chunk);
        for level in &pyramid.levels {
            check(level, &values);
        }
        prop_assert_eq!(pyramid, build(&values, announced, n));
    }
}
