use std::io::{Error, ErrorKind};
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::platform::Scratch;

struct Room {
    values: Mutex<Vec<f32>>,
    most: usize,
}

impl Scratch for Room {
    fn append(&self, values: &[f32]) -> std::io::Result<()> {
        let mut all = self.values.lock().unwrap();
        if all.len() + values.len() > self.most {
            return Err(Error::from(ErrorKind::StorageFull));
        }
        all.extend_from_slice(values);
        Ok(())
    }

    fn read(&self, first: u64, into: &mut [f32]) -> std::io::Result<usize> {
        let all = self.values.lock().unwrap();
        let from = all.get(first as usize..).unwrap_or_default();
        let len = from.len().min(into.len());
        into[..len].copy_from_slice(&from[..len]);
        Ok(len)
    }
}

/// The same trace with its samples in a scratch file, as column 1 of 2.
fn scratched(samples: &[f32], time: (f64, f64)) -> Trace {
    let mut trace = Trace::from_samples("a", "W", time, samples.to_vec());
    let file = Room {
        values: Mutex::default(),
        most: usize::MAX,
    };
    for chunk in samples.chunks(store::CHUNK) {
        let mut chunk = chunk.to_vec();
        chunk.resize(store::CHUNK, f32::NAN);
        file.append(&vec![-1e9; store::CHUNK]).unwrap();
        file.append(&chunk).unwrap();
    }
    trace.store = Store::Scratch {
        file: Arc::new(file),
        column: 1,
        columns: 2,
    };
    trace
}

fn brute(samples: &[f32]) -> (f32, f32, f32) {
    let good: Vec<f32> = samples.iter().copied().filter(|v| v.is_finite()).collect();
    if good.is_empty() {
        return (f32::NAN, f32::NAN, f32::NAN);
    }
    let mean = good.iter().map(|v| f64::from(*v)).sum::<f64>() / good.len() as f64;
    (
        good.iter().copied().fold(f32::INFINITY, f32::min),
        mean as f32,
        good.iter().copied().fold(f32::NEG_INFINITY, f32::max),
    )
}

fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

fn check(
    trace: &Trace,
    samples: &[f32],
    (t0_s, dt_s): (f64, f64),
    (from, to): (f64, f64),
    buckets: usize,
    fine: bool,
) {
    let mut window = Window::default();
    trace.window(from, to, buckets, &mut window);
    let count = window.min.len();
    assert!(count <= buckets.max(2), "{count} of {buckets}");
    assert_eq!((window.mean.len(), window.max.len()), (count, count));
    let first = ((window.t0_s - t0_s) / dt_s).round() as usize;
    let size = (window.dt_s / dt_s).round() as usize;
    for k in 0..count {
        let part = &samples[first + k * size..(first + (k + 1) * size).min(samples.len())];
        let (min, mean, max) = brute(part);
        assert!(same(window.min[k], min), "{} {min}", window.min[k]);
        assert!(same(window.max[k], max), "{} {max}", window.max[k]);
        // Means of f32 are kept as f32 on each level.
        let span = (max - min).abs().max(min.abs()).max(max.abs());
        assert!(
            mean.is_nan() && window.mean[k].is_nan()
                || (window.mean[k] - mean).abs() <= 1e-5 * span,
            "{} {mean}",
            window.mean[k]
        );
    }
    // Everything in the stretch is in some bucket.
    let inside: Vec<usize> = (0..samples.len())
        .filter(|k| (from..=to).contains(&(t0_s + *k as f64 * dt_s)))
        .collect();
    if let (Some(low), Some(high)) = (inside.first(), inside.last()) {
        assert!(first <= *low && *high < first + count * size);
        // About half at least: whole buckets of 64 samples where the file is not read.
        if fine && inside.len() >= buckets {
            assert!(2 * count + 2 >= buckets, "{count} of {buckets}");
        }
    }
    let (min, _, max) = brute(&inside.iter().map(|k| samples[*k]).collect::<Vec<_>>());
    let found = trace.extremes(from, to);
    assert_eq!(found.is_none(), min.is_nan());
    if let Some(found) = found {
        assert_eq!(found, (min, max));
    }
}

fn samples() -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![
        40 => -1e6_f32..1e6,
        1 => Just(f32::NAN),
        1 => Just(f32::INFINITY),
    ];
    prop_oneof![
        prop::collection::vec(value.clone(), 0..300),
        prop::collection::vec(value, 4000..9000),
        // Long stretches without a sample.
        (0_usize..5000, 0_usize..3000).prop_map(|(good, bad)| {
            let mut all: Vec<f32> = (0..good).map(|k| (k % 977) as f32).collect();
            all.extend(std::iter::repeat_n(f32::NAN, bad));
            all
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn every_window_has_the_extremes_of_its_samples(
        samples in samples(),
        a in -0.2_f64..1.2,
        b in -0.2_f64..1.2,
        zoom in 0_i32..4,
        buckets in 2_usize..700,
    ) {
        let time = (3.5, 0.001);
        let span_s = samples.len() as f64 * time.1;
        let from = time.0 + a.min(b) * span_s;
        let to = from + (a - b).abs() * span_s * 10_f64.powi(-zoom);
        let trace = Trace::from_samples("a", "W", time, samples.clone());
        check(&trace, &samples, time, (from, to), buckets, true);
        let trace = scratched(&samples, time);
        check(&trace, &samples, time, (from, to), buckets, true);
    }
}

#[test]
fn a_day_at_a_millisecond_shows_the_one_peak_at_any_zoom() {
    let mut samples = vec![1.0_f32; 8_640_000];
    samples[4_321_987] = 7.0;
    let time = (0.0, 0.01);
    let trace = Trace::from_samples("a", "W", time, samples.clone());
    let peak_s = 43_219.87;
    let mut window = Window::default();
    let mut half_s = 43_200.0;
    while half_s > 0.01 {
        trace.window(peak_s - half_s, peak_s + half_s, 1000, &mut window);
        let highest = window.max.iter().copied().fold(0.0, f32::max);
        assert_eq!(highest, 7.0, "{half_s}");
        let k = window.max.iter().position(|m| *m == 7.0).unwrap() as f64;
        let (from, to) = (
            window.t0_s + k * window.dt_s,
            window.t0_s + (k + 1.0) * window.dt_s,
        );
        assert!(from <= peak_s + 1e-6 && peak_s < to + 1e-6);
        half_s *= 0.3;
    }
    assert_eq!(trace.at(43_219.875), Some(7.0));
    assert_eq!(trace.at(-1.0), None);
    assert_eq!(trace.extremes(0.0, 43_219.0), Some((1.0, 1.0)));
}

#[test]
fn far_too_many_samples_in_a_file_are_shown_from_the_pyramid() {
    let samples: Vec<f32> = (0..200_000).map(|k| ((k * 7919) % 10_007) as f32).collect();
    let trace = scratched(&samples, (0.0, 1.0));
    assert_eq!(trace.bytes(), trace.levels.bytes());
    check(&trace, &samples, (0.0, 1.0), (10.0, 150_000.0), 3000, false);
    check(&trace, &samples, (0.0, 1.0), (10.0, 1_000.0), 3000, true);
}

#[test]
fn no_samples_give_an_empty_window() {
    let trace = Trace::from_samples("a", "W", (0.0, 0.1), Vec::new());
    let mut window = Window::default();
    trace.window(0.0, 1.0, 100, &mut window);
    assert!(window.min.is_empty() && trace.is_empty());
    assert_eq!(trace.extremes(0.0, 1.0), None);
    assert_eq!(trace.at(0.0), None);
    let set = TraceSet::default();
    assert_eq!(set.end_s(), 0.0);
    assert!(set.named("site_w").is_none());
}

#[test]
fn a_gap_stays_a_gap() {
    let mut samples = vec![1.0_f32; 1000];
    samples[300..700].fill(f32::NAN);
    let trace = Trace::from_samples("a", "W", (0.0, 1.0), samples);
    assert_eq!(trace.gaps(), 400);
    let mut window = Window::default();
    trace.window(0.0, 999.0, 11, &mut window);
    assert!(window.min.iter().any(|v| v.is_nan()));
    assert_eq!(trace.at(500.0), None);
    assert_eq!(trace.extremes(400.0, 600.0), None);
}
