use super::*;
use PipelineSchedule::{Gpipe, OneForwardOneBackward};
use proptest::prelude::*;

fn pipeline(
    stages: u32,
    microbatches: u32,
    schedule: PipelineSchedule,
    forward: f64,
) -> IterationShape {
    IterationShape::Pipeline {
        stages,
        microbatches,
        replicas: 1,
        schedule,
        forward_share: Some(forward),
    }
}

/// Shares of computing in the segments, and their ends.
fn levels(part: &Part) -> Vec<(f64, f64)> {
    part.segments
        .iter()
        .map(|s| (s.until_share, s.mix.0[0]))
        .collect()
}

fn near(got: &[(f64, f64)], wanted: &[(f64, f64)]) {
    assert_eq!(got.len(), wanted.len(), "{got:?}");
    for (g, w) in got.iter().zip(wanted) {
        assert!(
            (g.0 - w.0).abs() < 1e-9 && (g.1 - w.1).abs() < 1e-9,
            "{got:?} {wanted:?}"
        );
    }
}

#[test]
fn the_default_has_two_levels() {
    let part = &parts(&IterationShape::default(), 0.75)[0];
    assert_eq!(levels(part), [(0.75, 1.0), (1.0, 0.0)]);
    assert_eq!(part.barrier, 1);
    let all = &parts(&IterationShape::default(), 1.0)[0];
    assert_eq!((levels(all), all.barrier), (vec![(1.0, 1.0)], 1));
    let none = &parts(&IterationShape::default(), 0.0)[0];
    assert_eq!((levels(none), none.barrier), (vec![(1.0, 0.0)], 0));
}

/// Half of the communication during the backward pass: forward 0.2, backward 0.4 with 0.2 of communication mixed in, 0.2 left.
#[test]
fn overlap_keeps_the_mean() {
    let shape = IterationShape::DataParallel { overlap_share: 0.5 };
    let part = &parts(&shape, 0.6)[0];
    near(&levels(part), &[(0.2, 1.0), (0.8, 2.0 / 3.0), (1.0, 0.0)]);
    assert!((part.mean().0[0] - 0.6).abs() < 1e-12);
    let hidden = &parts(&IterationShape::DataParallel { overlap_share: 1.0 }, 0.6)[0];
    assert_eq!((hidden.segments.len(), hidden.barrier), (2, 2));
}

/// `GPipe` in closed form: stage s computes from s·t_f for m·t_f, and again from (m+p−1)·t_f + (p−1−s)·t_b for m·t_b.
#[test]
fn gpipe_has_its_timetable() {
    let (p, m, f) = (4_u32, 6_u32, 0.3);
    let unit = 1.0 / f64::from(m + p - 1);
    for (s, busy) in timetable(p as usize, m as usize, f, Gpipe)
        .iter()
        .enumerate()
    {
        let s = s as f64;
        let (m, p) = (f64::from(m), f64::from(p));
        let back = (m + p - 1.0) * f + (p - 1.0 - s) * (1.0 - f);
        let mut wanted = vec![
            (s * f * unit, (s + m) * f * unit),
            (back * unit, (back + m * (1.0 - f)) * unit),
        ];
        if s == p - 1.0 {
            wanted = vec![(wanted[0].0, wanted[1].1)];
        }
        near(busy, &wanted);
    }
}

/// Two stages, two micro-batches, backward twice forward. Stage 0: F F . B . B; stage 1: . F B F B (units of t_f: 9 in all).
#[test]
fn one_forward_one_backward_by_hand() {
    let busy = timetable(2, 2, 1.0 / 3.0, OneForwardOneBackward);
    let n = |x: f64| x / 9.0;
    near(
        &busy[0],
        &[(0.0, n(2.0)), (n(4.0), n(6.0)), (n(7.0), n(9.0))],
    );
    near(&busy[1], &[(n(1.0), n(7.0))]);
}

#[test]
fn short_stretches_are_averaged_before_the_barrier_only() {
    let shape = pipeline(8, 8, OneForwardOneBackward, 1.0 / 3.0);
    for part in parts(&shape, 0.8) {
        let coarse = part.coarse(0.1);
        assert!((coarse.mean().0[0] - part.mean().0[0]).abs() < 1e-12);
        assert_eq!(coarse.segments[coarse.barrier..].len(), 1);
        assert!((coarse.segments[coarse.barrier - 1].until_share - 0.8).abs() < 1e-12);
        let mut from = 0.0;
        for s in &coarse.segments {
            assert!(s.until_share - from >= 0.1 - 1e-12, "{coarse:?}");
            from = s.until_share;
        }
        assert_eq!(part.coarse(1e-9), part);
    }
}

proptest! {
    /// Every stage computes the share m/(m+p−1), one after another without overlap, and the last pass ends with the time.
    #[test]
    fn the_bubble_is_that_of_the_formula(p in 1usize..20, m in 1usize..40, f in 0.05..0.95_f64, gpipe: bool) {
        let busy = timetable(p, m, f, if gpipe { Gpipe } else { OneForwardOneBackward });
        let wanted = m as f64 / (m + p - 1) as f64;
        for (s, stage) in busy.iter().enumerate() {
            let sum: f64 = stage.iter().map(|(a, b)| b - a).sum();
            prop_assert!((sum - wanted).abs() < 1e-9, "stage {} computes {} of {}", s, sum, wanted);
            prop_assert!(stage.windows(2).all(|w| w[0].1 < w[1].0));
            prop_assert!(stage[0].0 >= 0.0 && stage[stage.len() - 1].1 <= 1.0 + 1e-12);
            // Stage s begins s forward passes after the first.
            let begins = s as f64 * f / (m + p - 1) as f64;
            prop_assert!((stage[0].0 - begins).abs() < 1e-9);
        }
        prop_assert!((busy[0][busy[0].len() - 1].1 - 1.0).abs() < 1e-12);
    }

    /// However coarse, the mean over the iteration stays.
    #[test]
    fn coarse_keeps_the_mean(p in 1u32..10, m in 1u32..20, c in 0.0..1.0_f64, shortest in 0.0..1.2_f64, gpipe: bool) {
        let shape = pipeline(p, m, if gpipe { Gpipe } else { OneForwardOneBackward }, 0.4);
        for part in parts(&shape, c) {
            let bubble = f64::from(m) / f64::from(m + p - 1);
            prop_assert!((part.mean().0[0] - c * bubble).abs() < 1e-9);
            let coarse = part.coarse(shortest);
            prop_assert!((coarse.mean().0[0] - c * bubble).abs() < 1e-9);
            prop_assert!(coarse.segments.windows(2).all(|w| w[0].until_share < w[1].until_share));
        }
    }
}
