use super::*;

fn plan() -> TrainingPlan {
    TrainingPlan {
        name: "t".into(),
        start_s: 0.0,
        stop_s: f64::INFINITY,
        iteration_s: 2.0,
        compute_share: 0.75,
        iteration_jitter_s: 0.0,
        node_jitter_s: 0.0,
        checkpoint_every: 0,
        checkpoint_s: 0.0,
        interruptions: vec![],
        mtbf_s: f64::INFINITY,
        down_s: f64::INFINITY,
        passing: [1.0, 2.0, 3.0],
    }
}

fn course(plan: TrainingPlan, offset_s: f64) -> TrainingCourse {
    TrainingCourse::new(Arc::new(plan), Streams::new(1, 0), offset_s)
}

fn down(from_s: f64, until_s: f64) -> Interruption {
    Interruption::crash(from_s, until_s - from_s)
}

fn take(course: &mut TrainingCourse, n: usize) -> Vec<(f64, PhaseKind)> {
    (0..n)
        .map(|_| course.next())
        .map(|c| (c.at_s, c.phase))
        .collect()
}

use PhaseKind::{
    Checkpoint as Ckp, Idle, Launch, Load, TrainCommunication as Com, TrainCompute as Cpu, Warmup,
};

#[test]
fn iterations_and_checkpoints() {
    let mut c = course(
        TrainingPlan {
            checkpoint_every: 2,
            checkpoint_s: 5.0,
            ..plan()
        },
        0.0,
    );
    let expected = [
        (0.0, Cpu),
        (1.5, Com),
        (2.0, Cpu),
        (3.5, Com),
        (4.0, Ckp),
        (9.0, Cpu),
        (10.5, Com),
    ];
    assert_eq!(take(&mut c, 7), expected);
}

#[test]
fn crash_strikes_at_once_and_restart_goes_through_the_phases() {
    let crash = TrainingPlan {
        interruptions: vec![down(3.0, 13.0)],
        stop_s: 22.0,
        ..plan()
    };
    let mut c = course(crash, 0.1);
    let got = take(&mut c, 9);
    let phases: Vec<_> = got.iter().map(|c| c.1).collect();
    assert_eq!(
        phases,
        [Cpu, Com, Cpu, Idle, Launch, Load, Warmup, Cpu, Com]
    );
    assert_eq!(got[3].0, 3.0);
    for (change, at_s) in got[4..].iter().zip([13.1, 14.1, 16.1, 19.1, 20.6]) {
        assert!((change.0 - at_s).abs() < 1e-12);
    }
    assert_eq!(take(&mut c, 3)[1], (22.0, Idle));
    assert_eq!(c.next(), Change::NEVER);
}

#[test]
fn crash_without_restart_stays_down() {
    let mut c = course(
        TrainingPlan {
            interruptions: vec![down(1.0, f64::INFINITY)],
            ..plan()
        },
        0.0,
    );
    assert_eq!(
        take(&mut c, 3),
        [(0.0, Cpu), (1.0, Idle), (f64::INFINITY, Idle)]
    );
}

#[test]
fn shares_of_zero_and_one_have_one_phase() {
    let mut all = course(
        TrainingPlan {
            compute_share: 1.0,
            ..plan()
        },
        0.0,
    );
    assert!(take(&mut all, 5).iter().all(|c| c.1 == Cpu));
    let mut none = course(
        TrainingPlan {
            compute_share: 0.0,
            ..plan()
        },
        0.0,
    );
    assert!(take(&mut none, 5).iter().all(|c| c.1 == Com));
}

#[test]
fn under_way_keeps_the_phase_of_the_clock() {
    // 1 000 000 s of past: iterations end at even seconds.
    let mut c = course(
        TrainingPlan {
            start_s: -1e6,
            ..plan()
        },
        0.0,
    );
    let first = c.next();
    assert!(first.at_s <= 0.0 && first.at_s >= -8.0, "{first:?}");
    assert_eq!(first.at_s % 2.0, 0.0);
    // With a checkpoint of 5 s after every 3 iterations the cycle is 11 s.
    let cycle = TrainingPlan {
        start_s: -1100.0,
        checkpoint_every: 3,
        checkpoint_s: 5.0,
        ..plan()
    };
    let at_zero = take(&mut course(cycle, 0.0), 20);
    assert!(at_zero[0].0 < 0.0);
    assert!(
        at_zero.contains(&(0.0, Cpu)) && at_zero.contains(&(6.0, Ckp)),
        "{at_zero:?}"
    );
}

#[test]
fn cohorts_share_the_jitter_and_keep_their_offset() {
    let jittery = TrainingPlan {
        iteration_jitter_s: 0.3,
        ..plan()
    };
    let mut a = course(jittery.clone(), 0.0);
    let mut b = course(jittery, 0.05);
    let (a, b) = (take(&mut a, 2000), take(&mut b, 2000));
    for (x, y) in a.iter().zip(&b) {
        assert!((y.0 - x.0 - 0.05).abs() < 1e-9);
    }
    let mean = (a[1998].0 - a[0].0) / 999.0;
    assert!((mean - 2.0).abs() < 0.05, "{mean}");
    assert!(a.windows(2).all(|w| w[1].0 > w[0].0));
}

#[test]
fn an_iteration_keeps_a_tenth_of_its_length() {
    let wild = TrainingPlan {
        iteration_jitter_s: 50.0,
        ..plan()
    };
    let all = take(&mut course(wild, 0.0), 4000);
    let starts: Vec<_> = all.iter().filter(|c| c.1 == Cpu).map(|c| c.0).collect();
    assert!(starts.windows(2).all(|w| w[1] - w[0] >= 0.2 - 1e-9));
}

/// Ages of iterations between a restart and t = 0 take no time, and leave the phase of the clock where it was.
#[test]
fn a_restart_long_ago_is_not_followed() {
    let restart = |crash_s: f64| TrainingPlan {
        start_s: 10.0 * crash_s,
        interruptions: vec![down(crash_s, crash_s + 1.0)],
        ..plan()
    };
    // Launch, load and warmup take 6 s: iterations of 2 s begin 7 s after the crash.
    for crash_s in [-1e8 - 7.0, -107.0] {
        let got = take(&mut course(restart(crash_s), 0.0), 12);
        let phases: Vec<_> = got.iter().map(|c| c.1).collect();
        let first = phases.iter().position(|p| *p == Warmup).unwrap() + 1;
        assert_eq!(phases[first..first + 4], [Cpu, Com, Cpu, Com], "{crash_s}");
        assert!(got.windows(2).all(|w| w[0].0 <= w[1].0));
        assert!(
            got.contains(&(0.0, Cpu)) && got.contains(&(1.5, Com)),
            "{got:?}"
        );
    }
}

/// Checkpoints after the restart fall where they fall if every iteration is followed.
#[test]
fn a_past_restart_keeps_its_checkpoints() {
    let restart = |crash_s: f64| TrainingPlan {
        start_s: crash_s - 10.0,
        interruptions: vec![down(crash_s, crash_s + 1.0)],
        checkpoint_every: 3,
        checkpoint_s: 4.0,
        ..plan()
    };
    let after = |crash_s: f64, from_s: f64| -> Vec<(f64, PhaseKind)> {
        take(&mut course(restart(crash_s), 0.0), 2000)
            .into_iter()
            .filter(|c| c.0 >= from_s)
            .map(|(at_s, phase)| (at_s - from_s, phase))
            .take(30)
            .collect()
    };
    // The same course 1000 s earlier (100 cycles of 10 s) and with nothing to skip.
    assert_eq!(after(-1000.0, 0.0), after(0.0, 1000.0));
}

/// However many iterations a cohort's offset let it begin before the crash, all are in lockstep after the restart.
#[test]
fn cohorts_are_in_lockstep_after_a_restart() {
    let after = |offset_s: f64| -> Vec<f64> {
        let plan = TrainingPlan {
            iteration_jitter_s: 0.1,
            interruptions: vec![down(7.0, 8.0)],
            ..plan()
        };
        let mut course = course(plan, offset_s);
        let changes = take(&mut course, 60);
        let compute = changes
            .iter()
            .filter(|c| c.1 == PhaseKind::TrainCompute && c.0 > 8.0);
        compute.map(|c| c.0 - offset_s).take(8).collect()
    };
    let mine = after(0.0);
    assert_eq!(mine.len(), 8);
    for k in 1..40 {
        for (a, b) in mine.iter().zip(after(-0.025 * f64::from(k))) {
            assert!((a - b).abs() < 1e-9, "{a} {b} at offset {k}");
        }
    }
}

/// A wait for another's restart, the death of the processes meanwhile, and one restart after both.
#[test]
fn interruptions_in_a_chain_have_one_restart() {
    let wait = Interruption {
        from_s: 3.0,
        until_s: 5.0,
        phase: Com,
    };
    let twice = TrainingPlan {
        interruptions: merged(vec![wait, down(4.0, 9.0), down(20.0, 21.0)]),
        ..plan()
    };
    for offset_s in [-0.2, 0.0, 0.2] {
        let got = take(&mut course(twice.clone(), offset_s), 40);
        let from = got.iter().position(|c| *c == (3.0, Com)).unwrap();
        assert_eq!(got[from + 1], (4.0, Idle));
        let phases: Vec<_> = got[from + 2..from + 6].iter().map(|c| c.1).collect();
        assert_eq!(phases, [Launch, Load, Warmup, Cpu]);
        assert!((got[from + 2].0 - 9.0 - offset_s).abs() < 1e-12);
        let again = got.iter().position(|c| *c == (20.0, Idle)).unwrap();
        assert!((got[again + 1].0 - 21.0 - offset_s).abs() < 1e-12);
        assert!(got.windows(2).all(|w| w[0].0 <= w[1].0));
    }
}

/// Crashes at random strike all cohorts at the same times.
#[test]
fn random_crashes_are_common() {
    let fragile = TrainingPlan {
        mtbf_s: 50.0,
        down_s: 5.0,
        ..plan()
    };
    let crashes = |offset_s: f64| -> Vec<f64> {
        let all = take(&mut course(fragile.clone(), offset_s), 2000);
        all.iter().filter(|c| c.1 == Idle).map(|c| c.0).collect()
    };
    let (a, b) = (crashes(0.0), crashes(0.3));
    assert!(a.len() > 10);
    assert!(a.iter().zip(&b).take(10).all(|(a, b)| a == b));
}
