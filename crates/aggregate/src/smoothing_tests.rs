use super::*;

fn smoothing() -> Smoothing {
    Smoothing {
        floor_w: 600.0,
        up_w_per_s: 200.0,
        down_w_per_s: 300.0,
        stop_delay_s: 0.5,
        peaks: None,
        active: PhaseKind::ALL.map(works),
    }
}

/// Envelopes at steps of 0.1 s of phases that last so many steps, with a mean of 100 W where idle.
fn run(shaper: &mut Shaper, course: &[(PhaseKind, f64, usize)]) -> Vec<Envelope> {
    let mut all = Vec::new();
    for &(phase, mean_w, steps) in course {
        for _ in 0..steps {
            all.push(shaper.at(all.len() as f64 * 0.1, 1e-7, phase, mean_w));
        }
    }
    all
}

#[test]
fn the_cap_rises_the_floor_is_held_and_falls() {
    let mut shaper = Shaper::new(Some(smoothing()), None, 1000.0, Vec::new());
    let course = [
        (PhaseKind::Idle, 100.0, 10),
        (PhaseKind::TrainCompute, 900.0, 60),
        (PhaseKind::Idle, 100.0, 40),
    ];
    let all = run(&mut shaper, &course);
    for e in &all[..10] {
        assert_eq!(*e, Envelope::NONE);
    }
    for (k, e) in all[10..55].iter().enumerate() {
        let cap_w = 100.0 + 20.0 * k as f64;
        assert!((e.cap_w - cap_w).abs() < 1e-9, "{k}: {e:?}");
        assert!((e.floor_w - cap_w.min(600.0)).abs() < 1e-9);
    }
    // From 1000 W on the cap limits nothing.
    assert_eq!((all[56].cap_w, all[56].floor_w), (f64::INFINITY, 600.0));
    for (k, e) in all[70..].iter().enumerate() {
        let falls_s = 0.1 * k as f64 - 0.5;
        let floor_w = (600.0 - 300.0 * falls_s.max(0.0)).max(0.0);
        assert!((e.floor_w - floor_w).abs() < 1e-6, "{k}: {e:?}");
    }
    assert_eq!(shaper.rises, 1);
    assert!(shaper.due_s(20.0).is_infinite());
}

#[test]
fn activity_within_the_delay_changes_nothing_and_after_it_ramps_from_the_floor() {
    let mut shaper = Shaper::new(Some(smoothing()), None, 1000.0, Vec::new());
    let course = [
        (PhaseKind::TrainCompute, 900.0, 5),
        (PhaseKind::Checkpoint, 100.0, 4),
        (PhaseKind::TrainCompute, 900.0, 5),
        (PhaseKind::Checkpoint, 100.0, 15),
        (PhaseKind::TrainCompute, 900.0, 3),
    ];
    let all = run(&mut shaper, &course);
    for e in &all[..14] {
        assert_eq!((e.floor_w, e.cap_w), (600.0, f64::INFINITY));
    }
    // 1.5 s of pause: 0.5 s held, 1 s of fall at 300 W/s.
    assert!((all[29].cap_w - 300.0).abs() < 1e-6, "{:?}", all[29]);
    assert!((all[31].cap_w - 340.0).abs() < 1e-6);
    assert_eq!(shaper.rises, 1);
}

#[test]
fn a_rack_without_power_holds_no_floor() {
    let mut shaper = Shaper::new(Some(smoothing()), None, 1000.0, vec![(0.25, 1.0)]);
    let course = [
        (PhaseKind::TrainCompute, 900.0, 3),
        (PhaseKind::Idle, 100.0, 12),
    ];
    let all = run(&mut shaper, &course);
    assert_eq!(all[2].floor_w, 600.0);
    assert!(all[3..].iter().all(|e| *e == Envelope::NONE));
}

#[test]
fn a_secondary_load_follows_late() {
    let secondary = Secondary {
        fill_w: 500.0,
        reaction_s: 0.3,
    };
    let mut shaper = Shaper::new(None, Some(secondary), 1000.0, Vec::new());
    let course = [
        (PhaseKind::TrainCompute, 900.0, 5),
        (PhaseKind::TrainCommunication, 200.0, 6),
        (PhaseKind::TrainCompute, 900.0, 5),
        (PhaseKind::Idle, 100.0, 10),
    ];
    let all = run(&mut shaper, &course);
    for (k, e) in all.iter().enumerate() {
        let fills = (8..11).contains(&k);
        assert_eq!(e.secondary, fills, "{k}");
        assert_eq!(e.floor_w, if fills { 500.0 } else { 0.0 });
    }
}

#[test]
fn an_average_never_passes_its_limit() {
    let budget = Budget::new(1320.0, 0.05, 0.01);
    let (mut y, mut at_limit) = (400.0, None);
    for k in 0..200 {
        let p = 1700.0_f64.min(budget.allows_w(y));
        y = budget.next(y, p);
        assert!(y <= 1320.0 + 1e-9);
        if p < 1700.0 && at_limit.is_none() {
            at_limit = Some(k);
        }
    }
    // From 400 W at 1700 W the average is at 1320 W after 0.05 ln(1300/380) = 61.5 ms.
    assert_eq!(at_limit, Some(6));
    assert!((budget.allows_w(y) - 1320.0).abs() < 1e-6);
}
