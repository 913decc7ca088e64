use super::{SeriesError, TraceSeries};
use crate::BlockSource;
use proptest::prelude::*;

fn uneven(hold: bool) -> TraceSeries {
    TraceSeries::new(
        vec![5.0, 6.0, 7.0, 11.0, 12.0],
        vec![10.0, 20.0, 0.0, 40.0, 40.0],
        hold,
    )
    .unwrap()
}

#[test]
fn what_is_no_trace_is_refused_with_the_reason() {
    let new = |time: &[f64], power: &[f64]| {
        TraceSeries::new(time.to_vec(), power.to_vec(), false).unwrap_err()
    };
    assert_eq!(
        new(&[0.0, 1.0], &[1.0]),
        SeriesError::LengthMismatch {
            times: 2,
            values: 1
        }
    );
    assert_eq!(new(&[], &[]), SeriesError::TooShort { samples: 0 });
    assert_eq!(new(&[0.0], &[1.0]), SeriesError::TooShort { samples: 1 });
    assert_eq!(
        new(&[0.0, f64::INFINITY], &[1.0, 1.0]),
        SeriesError::TimeNotFinite {
            index: 1,
            time_s: f64::INFINITY
        }
    );
    assert!(matches!(
        new(&[0.0, 1.0, 2.0], &[1.0, 1.0, f64::NAN]),
        SeriesError::PowerNotFinite { index: 2, power_w } if power_w.is_nan()
    ));
    for again in [1.0, 0.5] {
        let error = new(&[0.0, 1.0, again], &[1.0; 3]);
        assert_eq!(
            error,
            SeriesError::NotIncreasing {
                index: 2,
                previous_s: 1.0,
                time_s: again
            }
        );
        assert!(error.to_string().contains(&format!("{again} s")));
    }
}

#[test]
fn power_is_interpolated_or_held() {
    let mut line = uneven(false);
    let mut steps = uneven(true);
    let expected = [
        (0.0, 10.0, 10.0),
        (5.0, 10.0, 10.0),
        (5.5, 15.0, 10.0),
        (6.0, 20.0, 20.0),
        (6.75, 5.0, 20.0),
        (8.0, 10.0, 0.0),
        (11.5, 40.0, 40.0),
        (12.0, 40.0, 40.0),
        (99.0, 40.0, 40.0),
        (f64::NAN, 10.0, 10.0),
        (f64::INFINITY, 40.0, 40.0),
        (5.25, 12.5, 10.0),
    ];
    for (t_s, between, held) in expected {
        assert_eq!(line.at(t_s), between, "{t_s}");
        assert_eq!(steps.at(t_s), held, "{t_s}");
    }
}

#[test]
fn covers_its_own_time_only() {
    let trace = uneven(false);
    assert!(trace.covers(5.0) && trace.covers(8.0) && trace.covers(12.0));
    assert!(!trace.covers(4.9) && !trace.covers(12.1) && !trace.covers(f64::NAN));
}

#[test]
fn describes_itself() {
    let trace = uneven(false);
    assert_eq!(
        (trace.start_s(), trace.end_s(), trace.duration_s()),
        (5.0, 12.0, 7.0)
    );
    assert_eq!((trace.interval_s(), trace.longest_gap_s()), (1.0, 4.0));
    assert_eq!(
        (trace.min_w(), trace.max_w(), trace.samples()),
        (0.0, 40.0, 5)
    );
    // 15 + 10 + 80 + 40 J and 10 + 20 + 0 + 40 J over 7 s.
    assert!((trace.mean_w() - 145.0 / 7.0).abs() < 1e-12);
    assert!((uneven(true).mean_w() - 10.0).abs() < 1e-12);
    let even = TraceSeries::new(vec![0.0, 1.0, 4.0], vec![0.1; 3], false).unwrap();
    assert_eq!((even.interval_s(), even.mean_w()), (2.0, 0.1));
    assert_eq!(
        (even.time_s(), even.power_w()),
        (&[0.0, 1.0, 4.0][..], &[0.1; 3][..])
    );
}

#[test]
fn scales_unless_that_would_ruin_it() {
    let mut trace = uneven(false);
    assert!(trace.scale(0.5));
    assert_eq!((trace.max_w(), trace.at(6.0)), (20.0, 10.0));
    for factor in [f64::NAN, f64::INFINITY, 1e139] {
        assert!(!trace.scale(factor));
    }
    assert_eq!(trace.max_w(), 20.0);
}

#[test]
fn rebases_to_zero() {
    let mut trace = uneven(false);
    assert!(trace.rebase());
    assert_eq!(
        (trace.start_s(), trace.duration_s(), trace.at(1.0)),
        (0.0, 7.0, 20.0)
    );
    let mut crowded = TraceSeries::new(vec![-1e20, 1.0, 2.0], vec![0.0; 3], false).unwrap();
    assert!(!crowded.rebase());
    assert_eq!(crowded.start_s(), -1e20);
}

#[test]
fn plays_uniform_blocks() {
    let mut source = uneven(false).sampled(0.5).unwrap();
    assert_eq!(source.dt_s(), 0.5);
    let mut block = [0.0; 4];
    source.fill(0, &mut block);
    assert_eq!(block, [10.0, 15.0, 20.0, 10.0]);
    source.fill(12, &mut block);
    assert_eq!(block, [40.0; 4]);
    for dt_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            uneven(false).sampled(dt_s),
            Err(SeriesError::Step { .. })
        ));
    }
}

#[test]
fn held_samples_meet_their_decimal_stamps() {
    // Some of these stamps are one rounding above k·0.01.
    let time_s: Vec<f64> = (0..10_000).map(|k| f64::from(k) / 100.0).collect();
    let power_w: Vec<f64> = (0..10_000).map(f64::from).collect();
    let mut source = TraceSeries::new(time_s, power_w.clone(), true)
        .unwrap()
        .sampled(0.01)
        .unwrap();
    let mut block = vec![0.0; 10_000];
    source.fill(0, &mut block);
    assert_eq!(block, power_w);
}

proptest! {
    #[test]
    fn reading_order_does_not_matter(
        gaps in prop::collection::vec(0.01..5.0_f64, 2..60),
        readings in prop::collection::vec(-1.0..200.0_f64, 1..60),
        hold: bool,
    ) {
        let mut t_s = 0.0;
        let mut time_s = Vec::new();
        for gap in &gaps {
            time_s.push(t_s);
            t_s += gap;
        }
        let power_w: Vec<f64> = gaps.iter().map(|gap| gap * 100.0).collect();
        let fresh = TraceSeries::new(time_s.clone(), power_w.clone(), hold).unwrap();
        let mut used = fresh.clone();
        for t_s in readings {
            let value = used.at(t_s);
            prop_assert_eq!(value, fresh.clone().at(t_s));
            prop_assert!(value >= fresh.min_w() - 1e-9 && value <= fresh.max_w() + 1e-9);
        }
        for (t_s, power) in time_s.iter().zip(&power_w) {
            prop_assert_eq!(used.at(*t_s), *power);
        }
    }
}
