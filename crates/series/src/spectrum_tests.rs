use super::{Decimator, SpectrumEstimator, boxcars_response, fitting, layout};
use crate::Spectrum;
use crate::rng::Stream;
use proptest::prelude::*;
use std::f64::consts::TAU;

fn spectrum(dt_s: f64, values: &[f64]) -> Spectrum {
    let mut estimator = SpectrumEstimator::new(dt_s, values.len() as u64);
    for chunk in values.chunks(1013) {
        estimator.push_slice(chunk);
    }
    estimator.finish()
}

fn sine(dt_s: f64, samples: usize, amplitude: f64, hz: f64) -> Vec<f64> {
    let turn = TAU * hz * dt_s;
    (0..samples)
        .map(|k| 1e6 + amplitude * libm::sin(turn * k as f64 + 0.3))
        .collect()
}

fn nearest_line(spectrum: &Spectrum, hz: f64) -> usize {
    (hz / spectrum.resolution_hz).round() as usize - 1
}

#[test]
fn a_sine_on_a_line_reads_its_amplitude() {
    for (dt_s, samples) in [(0.1, 600), (0.01, 60_000), (0.001, 100_000), (0.5, 40)] {
        let (factor, length) = layout(dt_s, samples as u64);
        assert_eq!(factor, 1);
        let resolution_hz = 1.0 / (length as f64 * dt_s);
        for line in [1, 3, length / 5, length / 3] {
            let hz = line as f64 * resolution_hz;
            let found = spectrum(dt_s, &sine(dt_s, samples, 250.0, hz));
            assert!((found.resolution_hz / resolution_hz - 1.0).abs() < 1e-12);
            assert!((found.frequency_hz[line - 1] / hz - 1.0).abs() < 1e-12);
            let amplitude = found.amplitude[line - 1];
            assert!(
                (amplitude / 250.0 - 1.0).abs() < 0.01,
                "{dt_s} {line} {amplitude}"
            );
            for far in found.amplitude.iter().skip(line + 2) {
                assert!(*far < 1e-6, "leakage {far}");
            }
        }
    }
}

#[test]
fn between_lines_a_sine_loses_at_most_fifteen_percent() {
    let (dt_s, samples) = (0.02, 30_000);
    let (_, length) = layout(dt_s, samples as u64);
    for quarter in 0..=4 {
        let hz = (100.0 + f64::from(quarter) * 0.25) / (length as f64 * dt_s);
        let found = spectrum(dt_s, &sine(dt_s, samples, 10.0, hz));
        let peak = found.amplitude.iter().copied().fold(0.0, f64::max);
        assert!((8.45..10.1).contains(&peak), "{quarter}: {peak}");
    }
}

#[test]
fn a_decimated_sine_reads_its_amplitude_up_to_the_last_line() {
    let (dt_s, samples) = (5e-5, 1_000_000);
    let (factor, length) = layout(dt_s, samples as u64);
    assert_eq!(factor, 7);
    let resolution_hz = 1.0 / (length as f64 * factor as f64 * dt_s);
    assert!((0.049..=0.05).contains(&resolution_hz));
    let last = (length as f64 / 2.0 * 0.4) as usize;
    for line in [2, 20, 1000, last] {
        let hz = line as f64 * resolution_hz;
        let found = spectrum(dt_s, &sine(dt_s, samples, 250.0, hz));
        assert_eq!(found.frequency_hz.len(), last);
        let amplitude = found.amplitude[line - 1];
        assert!((amplitude / 250.0 - 1.0).abs() < 0.01, "{line} {amplitude}");
    }
}

#[test]
fn what_folds_onto_reported_lines_is_weakened() {
    for (dt_s, decimation, bound) in [(2e-4, 2, 0.012), (1.2e-4, 3, 0.007), (5e-5, 7, 0.0045)] {
        let samples = (30.0 / dt_s) as usize;
        assert_eq!(layout(dt_s, samples as u64).0, decimation);
        let rate_hz = 1.0 / (decimation as f64 * dt_s);
        // Multiples of the rate fold to 0, a fifth beside them onto the last line.
        for share in [0.8, 0.805, 0.9, 0.99, 1.01, 1.2, 1.8, 2.2, 3.1] {
            if share > 0.5 * decimation as f64 {
                continue;
            }
            let found = spectrum(dt_s, &sine(dt_s, samples, 1.0, share * rate_hz));
            let most = found.amplitude.iter().copied().fold(0.0, f64::max);
            assert!(most < bound, "{decimation} {share}: {most}");
        }
    }
}

#[test]
fn the_decimator_has_the_response_it_is_corrected_for() {
    for factor in [2, 3, 8, 100] {
        let decimator = Decimator::new(factor);
        let turns = 0.2 / factor as f64;
        let (mut re, mut im) = (0.0, 0.0);
        for (k, weight) in decimator.weights.iter().enumerate() {
            re += weight * libm::cos(TAU * turns * k as f64);
            im += weight * libm::sin(TAU * turns * k as f64);
        }
        let response = libm::hypot(re, im);
        assert!((response - boxcars_response(turns, factor)).abs() < 1e-12);
        assert!((decimator.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn resolution_is_a_twentieth_of_a_hertz_where_the_run_allows() {
    for dt_s in [1e-5, 1e-4, 3e-4, 1e-3, 0.01, 0.1, 0.5] {
        for duration_s in [20.5, 31.7, 60.0, 600.0, 3600.0, 86_400.0] {
            let (factor, length) = layout(dt_s, crate::sample_count(duration_s, dt_s));
            let segment_s = dt_s * factor as f64 * length as f64;
            assert!(segment_s >= 20.0 - 1e-9, "{dt_s} {duration_s}: {segment_s}");
            assert!(segment_s <= duration_s && length <= 1 << 16 && length % 2 == 0);
            if dt_s >= 3.06e-4 {
                assert_eq!(factor, 1);
            }
        }
    }
}

#[test]
fn short_or_impossible_series_have_no_lines() {
    for (dt_s, samples) in [
        (0.1, 0),
        (0.1, 15),
        (0.0, 100),
        (-1.0, 100),
        (f64::NAN, 100),
    ] {
        let found = spectrum(dt_s, &vec![1.0; samples]);
        assert!(found.frequency_hz.is_empty() && found.amplitude.is_empty());
        assert_eq!((found.resolution_hz, found.segments), (0.0, 0));
        assert_eq!(found.window, "hann");
    }
    let found = spectrum(0.1, &sine(0.1, 16, 1.0, 2.5));
    assert_eq!((found.segments, found.amplitude.len()), (1, 8));
    assert!((found.amplitude[3] - 1.0).abs() < 1e-9);
}

#[test]
fn a_constant_has_no_amplitude() {
    let found = spectrum(0.1, &vec![1e6; 3000]);
    assert!(found.segments > 10);
    assert!(found.amplitude.iter().all(|a| *a < 1e-8));
}

#[test]
fn an_alternating_signal_shows_at_nyquist() {
    let values: Vec<f64> = (0..1000)
        .map(|k| if k % 2 == 0 { 3.0 } else { -3.0 })
        .collect();
    let found = spectrum(0.1, &values);
    let last = found.amplitude.len() - 1;
    assert!((found.frequency_hz[last] - 5.0).abs() < 1e-12);
    assert!((found.amplitude[last] - 3.0).abs() < 1e-9);
}

#[test]
fn power_of_white_noise_is_that_of_its_lines() {
    let mut stream = Stream::new(11, "white", 0, 0);
    let values: Vec<f64> = (0..200_000).map(|_| stream.normal()).collect();
    let found = spectrum(0.01, &values);
    assert!(found.segments >= 15);
    // Each line holds the power of 1.5 lines of noise.
    let power: f64 = found.amplitude.iter().map(|a| a * a / 2.0).sum::<f64>() / 1.5;
    assert!((power - 1.0).abs() < 0.02, "{power}");
}

#[test]
fn announcing_wrongly_still_gives_a_spectrum() {
    let values = sine(0.1, 3000, 4.0, 0.5);
    for announced in [0, 1, 200, 3000, 100_000_000] {
        let mut estimator = SpectrumEstimator::new(0.1, announced);
        estimator.push_slice(&values);
        let found = estimator.finish();
        let line = nearest_line(&found, 0.5);
        let near = &found.amplitude[line - 1..=line + 1];
        let peak = near.iter().copied().fold(0.0, f64::max);
        assert!((3.35..4.05).contains(&peak), "{announced}: {peak}");
    }
}

#[test]
fn unusable_samples_do_not_poison() {
    let mut values = sine(0.1, 3000, 4.0, 0.5);
    values[1234] = f64::NAN;
    values[1235] = f64::INFINITY;
    let mut estimator = SpectrumEstimator::new(0.1, 3000);
    estimator.push_slice(&values);
    assert_eq!(estimator.non_finite(), 2);
    let found = estimator.finish();
    assert!(found.amplitude.iter().all(|a| a.is_finite()));
    let amplitude = found.amplitude[nearest_line(&found, 0.5)];
    assert!((3.35..4.05).contains(&amplitude), "{amplitude}");
}

#[test]
fn steps_of_picoseconds_stay_bounded() {
    let estimator = SpectrumEstimator::new(1e-12, u64::MAX);
    assert!(estimator.length <= 1 << 16);
    assert_eq!(estimator.decimator.as_ref().unwrap().factor, 1 << 16);
    assert!(estimator.finish().amplitude.is_empty());
}

proptest! {
    #[test]
    fn segment_lengths_are_even_and_in_range(length in 0_u64..200_000, available in 0_u64..200_000) {
        let n = fitting(length, available);
        prop_assert!(n.is_multiple_of(2) && (16..=1 << 16).contains(&n));
        prop_assert!(n as u64 <= available.max(16));
    }

    #[test]
    fn blocks_do_not_matter(chunk in 1_usize..3000) {
        let mut stream = Stream::new(2, "blocks", 0, 0);
        let values: Vec<f64> = (0..5000).map(|_| stream.normal()).collect();
        let mut estimator = SpectrumEstimator::new(0.05, 5000);
        for chunk in values.chunks(chunk) {
            estimator.push_slice(chunk);
        }
        prop_assert_eq!(estimator.finish(), spectrum(0.05, &values));
    }
}

#[test]
fn energy_of_a_band_is_that_of_the_sines_in_it() {
    let dt_s = 0.01;
    let samples = 20_000;
    // 3 and 1.237 Hz inside, 30 Hz and 0.1 Hz outside.
    let lines = [(3.0, 2.0), (1.237, 1.0), (30.0, 5.0), (0.1, 4.0)];
    let signal: Vec<f64> = (0..samples)
        .map(|k| {
            100.0
                + lines
                    .iter()
                    .map(|(f, a)| a * (TAU * f * k as f64 * dt_s).sin())
                    .sum::<f64>()
        })
        .collect();
    let mut estimator = SpectrumEstimator::new(dt_s, samples);
    estimator.push_slice(&signal);
    let spectrum = estimator.finish();
    let inside = spectrum.mean_square(0.2, 20.0);
    assert!((inside / 2.5 - 1.0).abs() < 5e-3, "{inside}");
    let all = spectrum.mean_square(0.0, 50.0);
    assert!((all / 23.0 - 1.0).abs() < 0.02, "{all}");
    assert_eq!(spectrum.mean_square(40.0, 20.0), 0.0);
}
