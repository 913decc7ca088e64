use super::{Stream, UnitOu, inverse_normal, normal_cdf, ou_coefficients};
use proptest::prelude::*;

fn normals(seed: u64, name: &str, entity: u64, case: u64, n: usize) -> Vec<f64> {
    let mut stream = Stream::new(seed, name, entity, case);
    (0..n).map(|_| stream.normal()).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - ma) * (y - mb);
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
    }
    ab / (aa * bb).sqrt()
}

#[test]
fn hash_of_the_name_is_fnv_1a() {
    // Test vectors of the FNV authors.
    assert_eq!(super::fnv1a(b""), 0xCBF2_9CE4_8422_2325);
    assert_eq!(super::fnv1a(b"a"), 0xAF63_DC4C_8601_EC8C);
    assert_eq!(super::fnv1a(b"foobar"), 0x8594_4171_F739_67E8);
}

#[test]
fn mixing_is_splitmix64() {
    // First outputs of SplitMix64 from state 1234567, as its reference implementation prints them.
    let mut state = 1_234_567_u64;
    let mut next = || {
        state = state.wrapping_add(super::GOLDEN);
        super::mix(state)
    };
    assert_eq!(next(), 6_457_827_717_110_365_317);
    assert_eq!(next(), 3_203_168_211_198_807_973);
}

#[test]
fn quantiles_match_known_values() {
    // AS241's own check values, and the tails from tables to 15 digits.
    let known = [
        (0.25, -0.674_489_750_196_081_7),
        (0.001, -3.090_232_306_167_813_5),
        (1e-20, -9.262_340_089_798_408),
        (0.975, 1.959_963_984_540_054),
        (0.841_344_746_068_542_9, 1.0),
        (0.5, 0.0),
    ];
    for (p, x) in known {
        let error = (inverse_normal(p) - x).abs();
        assert!(error <= 4e-16 * x.abs().max(1.0), "{p}: {error}");
    }
}

#[test]
fn quantile_has_limits_and_never_nan() {
    assert_eq!(inverse_normal(0.0), f64::NEG_INFINITY);
    assert_eq!(inverse_normal(-1.0), f64::NEG_INFINITY);
    assert_eq!(inverse_normal(1.0), f64::INFINITY);
    assert_eq!(inverse_normal(f64::NAN), 0.0);
}

#[test]
fn distribution_function_matches_known_values() {
    assert_eq!(normal_cdf(0.0), 0.5);
    assert!((normal_cdf(1.0) / 0.841_344_746_068_542_9 - 1.0).abs() < 1e-15);
    assert!((normal_cdf(-6.0) / 9.865_876_450_376_98e-10 - 1.0).abs() < 1e-13);
    assert_eq!(normal_cdf(f64::NEG_INFINITY), 0.0);
    assert_eq!(normal_cdf(f64::INFINITY), 1.0);
}

#[test]
fn extreme_bits_stay_inside_the_open_interval() {
    let unit = 2.0_f64.powi(-53);
    let of = |bits: u64| ((bits >> 11) | 1) as f64 * unit;
    assert_eq!(of(0), unit);
    assert_eq!(of(u64::MAX), 1.0 - unit);
    assert!(inverse_normal(of(u64::MAX)) < 8.21);
    assert_eq!(inverse_normal(of(u64::MAX)), -inverse_normal(of(0)));
}

#[test]
fn tails_are_those_of_the_normal_distribution() {
    let n = 12_000_000_u32;
    let mut stream = Stream::new(7, "tails", 0, 0);
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut beyond = [0_u32; 4];
    for _ in 0..n {
        let z = stream.normal();
        sum += z;
        squares += z * z;
        for (limit, count) in [1.0, 2.0, 3.0, 4.0].iter().zip(&mut beyond) {
            *count += u32::from(z.abs() > *limit);
        }
    }
    let n = f64::from(n);
    assert!((sum / n).abs() < 4.0 / n.sqrt());
    assert!((squares / n - 1.0).abs() < 4.0 * (2.0 / n).sqrt());
    for (limit, count) in [1.0, 2.0, 3.0, 4.0].iter().zip(beyond) {
        let expected = n * 2.0 * normal_cdf(-limit);
        // Four standard errors of a count.
        let error = (f64::from(count) - expected).abs();
        assert!(error < 4.0 * expected.sqrt(), "{limit}: {count} {expected}");
    }
}

#[test]
fn uniform_fills_its_interval_evenly() {
    let mut stream = Stream::new(1, "uniform", 2, 3);
    let mut bins = [0_u32; 64];
    let n = 640_000;
    for _ in 0..n {
        bins[(stream.uniform() * 64.0) as usize] += 1;
    }
    let expected = f64::from(n) / 64.0;
    let chi2: f64 = bins
        .iter()
        .map(|count| (f64::from(*count) - expected).powi(2) / expected)
        .sum();
    // 63 degrees of freedom: mean 63, standard deviation 11.2.
    assert!((20.0..110.0).contains(&chi2), "{chi2}");
}

#[test]
fn streams_of_different_purpose_are_unrelated() {
    let n = 40_000;
    let purposes = [
        normals(1, "rack noise", 0, 0, n),
        normals(2, "rack noise", 0, 0, n),
        normals(1, "rack noisf", 0, 0, n),
        normals(1, "job start", 0, 0, n),
        normals(1, "", 0, 0, n),
        normals(1, "rack noise", 1, 0, n),
        normals(1, "rack noise", 2, 0, n),
        normals(1, "rack noise", 0, 1, n),
        normals(1, "rack noise", 0, 2, n),
        normals(0, "rack noise", 1, 1, n),
        normals(1, "rack noise", u64::MAX, 0, n),
    ];
    for (i, a) in purposes.iter().enumerate() {
        for b in &purposes[..i] {
            assert_ne!(a[0], b[0]);
            // 55 pairs, standard error 1/200.
            assert!(correlation(a, b).abs() < 4.0 / (n as f64).sqrt());
            // Nor is one the other, a step later.
            assert!(correlation(&a[1..], &b[..n - 1]).abs() < 4.0 / (n as f64).sqrt());
        }
    }
}

#[test]
fn first_numbers_of_many_entities_are_unrelated_too() {
    let mut of_entities = Vec::new();
    let mut of_cases = Vec::new();
    for i in 0..100_000 {
        of_entities.push(Stream::new(5, "start", i, 0).normal());
        of_cases.push(Stream::new(5, "start", 0, i + 1).normal());
    }
    let bound = 4.0 / (of_entities.len() as f64).sqrt();
    assert!(correlation(&of_entities, &of_cases).abs() < bound);
    assert!(correlation(&of_entities[1..], &of_entities[..99_999]).abs() < bound);
    let variance = of_entities.iter().map(|z| z * z).sum::<f64>() / 1e5;
    assert!((variance - 1.0).abs() < 4.0 * (2.0_f64 / 1e5).sqrt());
}

#[test]
fn the_bytes_of_a_stream_never_change() {
    let mut stream = Stream::new(42, "rack noise", 3, 7);
    let bits: Vec<u64> = (0..4).map(|_| stream.next_u64()).collect();
    assert_eq!(bits, GOLDEN_BITS);
    let mut stream = Stream::new(42, "rack noise", 3, 7);
    let normal: Vec<u64> = (0..4).map(|_| stream.normal().to_bits()).collect();
    assert_eq!(normal, GOLDEN_NORMALS);
}

#[test]
fn process_is_stationary_with_unit_variance_and_exponential_memory() {
    let (a, b) = ou_coefficients(0.1, 1.0);
    assert!((a * a + b * b - 1.0).abs() < 1e-15);
    let mut process = UnitOu::new(Stream::new(3, "ou", 0, 0));
    let mut values = vec![process.value()];
    for _ in 0..2_000_000 {
        values.push(process.step(a, b));
    }
    assert_eq!(process.value(), values[2_000_000]);
    let n = values.len() as f64;
    // Correlated over 10 samples: some n/20 are independent.
    let error = 4.0 * (20.0 / n).sqrt();
    assert!((values.iter().sum::<f64>() / n).abs() < error);
    let variance = values.iter().map(|z| z * z).sum::<f64>() / n;
    assert!((variance - 1.0).abs() < error);
    let lag_one_tau = correlation(&values[10..], &values[..values.len() - 10]);
    assert!((lag_one_tau - (-1.0_f64).exp()).abs() < error);
}

#[test]
fn the_start_is_stationary() {
    let starts: Vec<f64> = (0..100_000)
        .map(|i| UnitOu::new(Stream::new(3, "ou", i, 0)).value())
        .collect();
    let variance = starts.iter().map(|z| z * z).sum::<f64>() / starts.len() as f64;
    assert!((variance - 1.0).abs() < 0.02);
}

#[test]
fn coefficients_at_the_edges() {
    assert_eq!(ou_coefficients(0.1, 0.0), (0.0, 1.0));
    assert_eq!(ou_coefficients(0.1, -1.0), (0.0, 1.0));
    assert_eq!(ou_coefficients(0.1, f64::NAN), (0.0, 1.0));
    assert_eq!(ou_coefficients(0.0, 1.0), (1.0, 0.0));
    assert_eq!(ou_coefficients(0.1, f64::INFINITY), (1.0, 0.0));
    assert_eq!(ou_coefficients(f64::INFINITY, 1.0), (0.0, 1.0));
    let (a, b) = ou_coefficients(1e-12, 1.0);
    assert!((1.0 - a) > 0.0 && (b / (2e-12_f64).sqrt() - 1.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn quantile_undoes_the_distribution_function(x in -37.0..6.0_f64) {
        let back = inverse_normal(normal_cdf(x));
        // Above 0 the distribution function itself runs out of digits.
        let lost = if x > 0.0 { 1e-16 / libm::exp(-0.5 * x * x) * 3.0 } else { 0.0 };
        prop_assert!((back - x).abs() <= 1e-14 * x.abs().max(1.0) + lost, "{x} {back}");
    }

    #[test]
    fn quantile_is_odd_about_one_half(k in 1_u64..(1 << 52)) {
        let p = k as f64 / 9_007_199_254_740_992.0;
        prop_assert_eq!(inverse_normal(1.0 - p), -inverse_normal(p));
    }
}

// Computed by an independent implementation of the recipe in the module documentation.
const GOLDEN_BITS: [u64; 4] = [
    1_679_489_673_383_436_753,
    2_229_761_926_782_332_294,
    1_733_468_323_477_891_766,
    18_216_789_343_634_746_876,
];
const GOLDEN_NORMALS: [u64; 4] = [
    0xBFF5_597A_B8C9_9353,
    0xBFF2_BADC_C5C2_DA58,
    0xBFF5_1128_1C1D_0A5A,
    0x4001_F08E_2F97_7DDA,
];
