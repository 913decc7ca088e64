use super::{Bin, Histogram, power_of_two};
use proptest::prelude::*;

fn of(values: &[f64]) -> Histogram {
    let mut histogram = Histogram::new();
    histogram.add_slice(values);
    histogram
}

fn exact_quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * values.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, values.len()) - 1]
}

fn occupied(histogram: &Histogram) -> (i32, i64, Vec<Bin>) {
    let bins = (histogram.first..=histogram.last)
        .map(|index| histogram.bins[histogram.slot(index)])
        .collect();
    (histogram.exponent, histogram.first, bins)
}

const SHARES: [f64; 8] = [0.0, 0.001, 0.05, 0.25, 0.5, 0.95, 0.999, 1.0];

#[test]
fn empty_histogram_has_no_envelope() {
    let mut empty = Histogram::new();
    assert_eq!(empty.quantile(0.5), None);
    assert_eq!(empty.envelope("nothing"), None);
    assert!(empty.load_duration(5).value.is_empty());
    assert_eq!((empty.count(), empty.min(), empty.max()), (0, 0.0, 0.0));
    assert_eq!((empty.mean(), empty.std()), (0.0, 0.0));
    empty.merge(&Histogram::new());
    assert_eq!(empty.count(), 0);
}

#[test]
fn constant_signal_is_exact() {
    for value in [0.0, 0.1, -123_456.789, 1e9 / 3.0, 1e-300, 1e139] {
        let envelope = of(&vec![value; 1000]).envelope("a constant").unwrap();
        let levels = [
            envelope.min,
            envelope.p5,
            envelope.p50,
            envelope.p95,
            envelope.p99_9,
            envelope.max,
            envelope.mean,
        ];
        assert_eq!(levels, [value; 7]);
        assert_eq!((envelope.std, envelope.resolution), (0.0, 0.0));
        assert_eq!(
            (envelope.samples, envelope.over.as_str()),
            (1000, "a constant")
        );
    }
}

#[test]
fn quantile_is_refused_outside_its_range() {
    let histogram = of(&[1.0, 2.0]);
    for q in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(histogram.quantile(q), None);
    }
    assert_eq!(histogram.quantile(0.0), Some(1.0));
    assert_eq!(histogram.quantile(1.0), Some(2.0));
}

#[test]
fn unusable_values_are_counted_apart() {
    let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200];
    let mut histogram = of(&bad);
    assert_eq!((histogram.count(), histogram.non_finite()), (0, 4));
    histogram.add_slice(&[1.0, 2.0, 3.0]);
    histogram.add_slice(&bad);
    let mut twice = histogram.clone();
    twice.merge(&histogram);
    assert_eq!((twice.count(), twice.non_finite()), (6, 16));
    assert_eq!(twice.mean(), 2.0);
    assert_eq!(twice.max(), 3.0);
}

#[test]
fn ramp_has_uniform_quantiles_and_a_straight_duration_curve() {
    let values: Vec<f64> = (0..100_000).map(|i| f64::from(i) * 10.0).collect();
    let histogram = of(&values);
    let envelope = histogram.envelope("ramp").unwrap();
    assert!(envelope.resolution <= 2.0 * 1e6 / 4096.0);
    assert!((envelope.p50 - 500_000.0).abs() <= envelope.resolution);
    assert!((envelope.mean - 499_995.0).abs() < 1e-6);
    assert!((envelope.std / (1e6 / 12.0_f64.sqrt()) - 1.0).abs() < 1e-9);
    let curve = histogram.load_duration(101);
    assert_eq!(curve.share.len(), 101);
    assert_eq!((curve.share[0], curve.share[100]), (0.0, 1.0));
    assert_eq!((curve.value[0], curve.value[100]), (999_990.0, 0.0));
    for (share, value) in curve.share.iter().zip(&curve.value) {
        assert!((value - 1e6 * (1.0 - share)).abs() <= envelope.resolution);
    }
}

#[test]
fn mean_and_spread_survive_a_large_offset() {
    let values: Vec<f64> = (0..1_000_000)
        .map(|i| 1e9 + if i % 2 == 0 { 1.0 } else { -1.0 })
        .collect();
    let histogram = of(&values);
    assert!((histogram.mean() - 1e9).abs() < 1e-6);
    assert!((histogram.std() - 1.0).abs() < 1e-9);
}

#[test]
fn both_signs_fit_at_the_extremes() {
    let mut histogram = Histogram::with_bins(1);
    histogram.add_slice(&[1e-300, 0.0, -1e140, 1e140, 5e-324, -5e-324]);
    assert_eq!(histogram.count(), 6);
    assert_eq!(histogram.quantile(1.0), Some(1e140));
    assert_eq!(histogram.quantile(0.0), Some(-1e140));
    assert!(histogram.std().is_finite());
}

#[test]
fn powers_of_two() {
    for k in [-1000, -3, 0, 10, 500] {
        assert_eq!(power_of_two(k), 2.0_f64.powi(k));
    }
}

fn signal() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        4 => -1e3..1e3_f64,
        2 => 1e6..1.001e6_f64,
        1 => Just(0.0),
        1 => -1e-3..1e-3_f64,
    ];
    prop::collection::vec(value, 1..300)
}

proptest! {
    #[test]
    fn two_levels_are_exact(
        low in -1e6..1e6_f64,
        apart in 1e-3..1e6_f64,
        lows in 1..500_usize,
        highs in 1..500_usize,
    ) {
        let high = low + apart;
        let mut values = vec![low; lows];
        values.extend(vec![high; highs]);
        let histogram = of(&values);
        // Levels apart by less than a bin would blur.
        prop_assert!(histogram.resolution() < apart);
        for i in 0..=1000 {
            let q = f64::from(i) / 1000.0;
            prop_assert_eq!(histogram.quantile(q), Some(exact_quantile(&values, q)));
        }
        prop_assert_eq!(histogram.share_above(high), 0.0);
        let share = highs as f64 / values.len() as f64;
        prop_assert_eq!(histogram.share_above(low), share);
        prop_assert_eq!(histogram.share_above(f64::midpoint(low, high)), share);
    }

    #[test]
    fn quantiles_are_within_a_bin_of_the_exact_ones(values in signal()) {
        let histogram = of(&values);
        let mut previous = f64::NEG_INFINITY;
        for q in SHARES {
            let value = histogram.quantile(q).unwrap();
            let error = (value - exact_quantile(&values, q)).abs();
            prop_assert!(error <= histogram.resolution() * (1.0 + 1e-12));
            prop_assert!(value >= previous);
            previous = value;
        }
        let span = histogram.max() - histogram.min();
        prop_assert!(histogram.resolution() <= 2.0 * span / 4095.0 + span * 1e-9);
        prop_assert_eq!(histogram.bins.iter().map(|b| b.count).sum::<u64>(), values.len() as u64);
    }

    #[test]
    fn bins_do_not_know_order_or_parts(values in signal(), cut in 0.0..1.0_f64) {
        let whole = of(&values);
        let mut reversed: Vec<f64> = values.clone();
        reversed.reverse();
        prop_assert_eq!(occupied(&of(&reversed)), occupied(&whole));
        let at = (cut * values.len() as f64) as usize;
        let (a, b) = (of(&values[..at]), of(&values[at..]));
        for (mut into, from) in [(a.clone(), &b), (b.clone(), &a)] {
            into.merge(from);
            prop_assert_eq!(occupied(&into), occupied(&whole));
            prop_assert_eq!(into.count(), whole.count());
            for q in SHARES {
                prop_assert_eq!(into.quantile(q), whole.quantile(q));
            }
            let scale = whole.max().abs().max(whole.min().abs());
            prop_assert!((into.mean() - whole.mean()).abs() <= 1e-12 * scale);
            prop_assert!((into.std() - whole.std()).abs() <= 1e-9 * scale);
        }
    }

    #[test]
    fn merging_unequal_sizes_equals_the_smaller(values in signal(), more in signal()) {
        let build = |bins: usize, parts: &[&[f64]]| {
            let mut histogram = Histogram::with_bins(bins);
            for part in parts {
                histogram.add_slice(part);
            }
            histogram
        };
        let small = build(64, &[&values, &more]);
        let mut a = build(64, &[&values]);
        a.merge(&build(512, &[&more]));
        prop_assert_eq!(occupied(&a), occupied(&small));
        let mut b = build(512, &[&values]);
        b.merge(&build(64, &[&more]));
        prop_assert_eq!(occupied(&b), occupied(&small));
        let mut c = build(64, &[]);
        c.merge(&build(512, &[&values, &more]));
        prop_assert_eq!(occupied(&c), occupied(&small));
    }

    #[test]
    fn chunks_do_not_matter(values in signal(), size in 1_usize..50) {
        let mut chunked = Histogram::new();
        for chunk in values.chunks(size) {
            chunked.add_slice(chunk);
        }
        prop_assert_eq!(chunked.envelope("x"), of(&values).envelope("x"));
    }
}

#[test]
fn share_above_is_the_quantile_turned_round() {
    let mut h = Histogram::new();
    for k in 0..10_000 {
        h.add(f64::from(k));
    }
    for (value, share) in [
        (-1.0, 1.0),
        (2499.5, 0.75),
        (9000.0, 0.1),
        (9999.0, 0.0),
        (1e6, 0.0),
    ] {
        assert!(
            (h.share_above(value) - share).abs() < 1e-3,
            "{value}: {}",
            h.share_above(value)
        );
    }
}

/// Three plateaus and two ramps: the plateaus keep their levels however the bins lie.
#[test]
fn plateaus_are_exact() {
    let mut values = vec![400.0; 6000];
    values.extend((0..100).map(|k| 400.0 + f64::from(k)));
    values.extend(vec![500.03; 3000]);
    values.extend((0..100).map(|k| 500.03 + 5.0 * f64::from(k)));
    values.extend(vec![1000.0; 800]);
    let histogram = of(&values);
    for (q, level) in [
        (0.05, 400.0),
        (0.5, 400.0),
        (0.75, 500.03),
        (0.95, 1000.0),
        (0.999, 1000.0),
    ] {
        assert_eq!(histogram.quantile(q), Some(level), "{q}");
    }
    assert_eq!(histogram.share_above(1000.0), 0.0);
    let curve = histogram.load_duration(11);
    assert_eq!(curve.value[10], 400.0);
}

#[test]
fn the_sign_of_zero_does_not_show() {
    let bits = |values: &[f64]| of(values).quantile(0.5).map(f64::to_bits);
    assert_eq!(bits(&[0.0, -0.0]), bits(&[-0.0, 0.0]));
    assert_eq!(of(&[-0.0]).min().to_bits(), 0.0_f64.to_bits());
}

#[test]
fn memory_is_said() {
    assert!(Histogram::bytes(1024) >= 24 * 1024 && Histogram::bytes(1024) < 25 * 1024);
}

proptest! {
    /// A slice is the same as its samples one by one, whatever the cuts; mean and spread included.
    #[test]
    fn a_slice_is_its_samples(values in signal(), cut in 1_usize..200) {
        let values: Vec<f64> = values.iter().cycle().take(5000).copied().collect();
        let mut one_by_one = Histogram::new();
        for v in &values {
            one_by_one.add(*v);
        }
        let mut cuts = Histogram::new();
        for part in values.chunks(cut) {
            cuts.add_slice(part);
        }
        prop_assert_eq!(occupied(&one_by_one), occupied(&cuts));
        prop_assert_eq!(one_by_one.mean().to_bits(), cuts.mean().to_bits());
        prop_assert_eq!(one_by_one.std().to_bits(), cuts.std().to_bits());
    }
}
