//! Files of requests and of rates against what they must come to.

use super::*;
use crate::{RatePoint, RequestLogError};
use proptest::prelude::*;

const AS_IT_IS: LogUse = LogUse {
    start_s: 0.0,
    period_s: None,
    scale: 1.0,
    spread_s: 60.0,
};

fn requests(times: &[f64]) -> Arc<RequestLog> {
    let rows = times.iter().enumerate().map(|(i, t)| Request {
        at_s: *t,
        prompt_tokens: Some(i as f32 + 1.0),
        output_tokens: None,
    });
    Arc::new(RequestLog::requests(rows.collect()).unwrap())
}

fn rates(points: &[(f64, f64)]) -> Arc<RequestLog> {
    let points = points
        .iter()
        .map(|&(at_s, per_s)| RatePoint { at_s, per_s });
    Arc::new(RequestLog::rates(points.collect()).unwrap())
}

fn replay(log: &Arc<RequestLog>, how: LogUse, from_s: f64) -> Replay {
    Replay::new(log.clone(), how, from_s, Stream::new(3, "replay", 0, 0))
}

/// Requests up to `end_s`.
fn until(mut r: Replay, end_s: f64) -> Vec<Request> {
    let mut all = Vec::new();
    while r.next().at_s <= end_s {
        all.push(r.next());
        r.advance();
    }
    all
}

fn times(of: &[Request]) -> Vec<f64> {
    of.iter().map(|r| r.at_s).collect()
}

#[test]
fn requests_come_when_the_file_has_them() {
    // Times count from the first row; two at once stay two.
    let log = requests(&[100.0, 101.5, 101.5, 110.0]);
    let all = until(replay(&log, AS_IT_IS, 0.0), 1e9);
    assert_eq!(times(&all), [0.0, 1.5, 1.5, 10.0]);
    assert_eq!(all[3].prompt_tokens, Some(4.0));
    // From a place within the file, and from a start before it.
    let later = LogUse {
        start_s: 1.0,
        ..AS_IT_IS
    };
    assert_eq!(
        times(&until(replay(&log, later, 0.0), 1e9)),
        [0.5, 0.5, 9.0]
    );
    assert_eq!(
        times(&until(replay(&log, later, -5.0), 1.0)),
        [-1.0, 0.5, 0.5]
    );
}

#[test]
fn a_file_repeats_in_both_directions() {
    let log = requests(&[0.0, 4.0, 9.0]);
    let daily = LogUse {
        period_s: Some(10.0),
        start_s: 3.0,
        ..AS_IT_IS
    };
    let all = until(replay(&log, daily, -12.0), 15.0);
    assert_eq!(times(&all), [-9.0, -4.0, -3.0, 1.0, 6.0, 7.0, 11.0]);
    assert_eq!(all[0].prompt_tokens, Some(2.0));
}

#[test]
fn a_scale_below_one_thins_and_above_one_copies() {
    let every_second: Vec<f64> = (0..40_000).map(f64::from).collect();
    let log = requests(&every_second);
    let count = |scale, from_s, to_s: f64| {
        let how = LogUse { scale, ..AS_IT_IS };
        let all = until(replay(&log, how, from_s), to_s);
        assert!(times(&all).is_sorted());
        all.len() as f64
    };
    // Binomial with n = 40 000: standard deviation 92 at a half.
    assert!((count(0.5, 0.0, 1e9) - 20_000.0).abs() < 400.0);
    // 2.25: two of each for certain, a third with a quarter.
    assert!((count(2.25, 0.0, 1e9) - 90_000.0).abs() < 400.0);
    // Copies of what came before the start are there from the start on: no lull.
    let first = count(8.0, 1000.0, 1010.0);
    assert!((50.0..120.0).contains(&first), "{first}");
    // A copy has the tokens of its request.
    let how = LogUse {
        scale: 3.0,
        spread_s: 0.0,
        ..AS_IT_IS
    };
    let all = until(replay(&requests(&[0.0, 1.0]), how, 0.0), 1e9);
    assert_eq!(times(&all), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    assert!(all[..3].iter().all(|r| r.prompt_tokens == Some(1.0)));
}

#[test]
fn a_table_of_rates_is_a_poisson_process_of_them() {
    let log = rates(&[(50.0, 0.0), (1050.0, 20.0), (1050.0, 5.0), (2050.0, 5.0)]);
    let how = LogUse {
        scale: 2.0,
        ..AS_IT_IS
    };
    let all = until(replay(&log, how, -100.0), 1e9);
    let between = |from_s: f64, to_s: f64| {
        let n = all.iter().filter(|r| (from_s..to_s).contains(&r.at_s));
        n.count() as f64
    };
    // A ramp from 0 to 40/s, then 10/s, then nothing. Five standard deviations of a Poisson count.
    for (from_s, to_s, expected) in [
        (0.0, 500.0, 5_000.0_f64),
        (500.0, 1000.0, 15_000.0),
        (1000.0, 2000.0, 10_000.0),
    ] {
        let n = between(from_s, to_s);
        assert!(
            (n - expected).abs() < 5.0 * expected.sqrt(),
            "{n} {expected}"
        );
    }
    assert_eq!(all.len() as f64, between(0.0, 2000.0));
}

#[test]
fn rates_run_over_the_seam_and_may_be_zero() {
    let log = rates(&[(0.0, 10.0), (100.0, 0.0)]);
    let how = LogUse {
        period_s: Some(200.0),
        ..AS_IT_IS
    };
    // A triangle of 5/s in the mean, for ever and before t = 0.
    let n = until(replay(&log, how, -1000.0), 9000.0).len() as f64;
    assert!((n - 50_000.0).abs() < 5.0 * 50_000.0_f64.sqrt(), "{n}");
    assert!((how.mean_rate_per_s(&log) - 5.0).abs() < 1e-12);
    // The period may be the span: the last point and the first are one instant.
    let short = LogUse {
        period_s: Some(100.0),
        ..AS_IT_IS
    };
    let n = until(replay(&log, short, 0.0), 10_000.0).len() as f64;
    assert!((n - 50_000.0).abs() < 5.0 * 50_000.0_f64.sqrt(), "{n}");
    let none = rates(&[(0.0, 0.0), (1.0, 0.0)]);
    assert_eq!(replay(&none, short, 0.0).next().at_s, f64::INFINITY);
    // One point is no stretch.
    assert_eq!(
        replay(&rates(&[(0.0, 3.0)]), AS_IT_IS, -1.0).next().at_s,
        f64::INFINITY
    );
}

#[test]
fn rows_that_cannot_be_are_refused() {
    assert_eq!(RequestLog::requests(vec![]), Err(RequestLogError::Empty));
    let back = vec![Request::at(1.0), Request::at(0.5)];
    assert_eq!(
        RequestLog::requests(back),
        Err(RequestLogError::Order { row: 2, at_s: 0.5 })
    );
    let negative = Request {
        output_tokens: Some(-1.0),
        ..Request::at(0.0)
    };
    assert!(matches!(
        RequestLog::requests(vec![negative]),
        Err(RequestLogError::Tokens { row: 1, .. })
    ));
    let rate = RatePoint {
        at_s: 0.0,
        per_s: f64::NAN,
    };
    assert!(matches!(
        RequestLog::rates(vec![rate]),
        Err(RequestLogError::Rate { row: 1, .. })
    ));
}

proptest! {
    #[test]
    fn any_use_gives_requests_in_order_and_about_as_many_as_the_scale_says(
        gaps in proptest::collection::vec(0.0_f64..30.0, 1..200),
        scale in 0.05_f64..6.0,
        start_s in 0.0_f64..3000.0,
        from_s in -500.0_f64..0.0,
        more_s in 0.1_f64..100.0,
    ) {
        let mut t_s = 0.0;
        let at: Vec<f64> = gaps.iter().map(|g| { t_s += g; t_s }).collect();
        let log = requests(&at);
        let period_s = log.span_s() + more_s;
        let how = LogUse { start_s, period_s: Some(period_s), scale, spread_s: 10.0 };
        let cycles = 20.0;
        let all = until(replay(&log, how, from_s), from_s + cycles * period_s);
        prop_assert!(times(&all).is_sorted());
        prop_assert!(all.iter().all(|r| r.at_s >= from_s));
        // Each whole cycle has every row once in the mean times the scale; six standard deviations of independent rows, and the
        // copies over both ends.
        let rows = cycles * gaps.len() as f64;
        let spread = 6.0 * (rows * scale.max(0.25)).sqrt() + 2.0 * scale * gaps.len() as f64;
        prop_assert!((all.len() as f64 - scale * rows).abs() < spread);
    }
}
