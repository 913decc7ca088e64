use super::*;
use crate::interruption::{Interruption, merged};
use crate::iteration::parts;
use crate::{IterationShape, RunStart, StragglerSpec};
use proptest::prelude::*;

fn plan() -> TrainingPlan {
    TrainingPlan {
        name: "t".into(),
        nodes: 4,
        start_s: 0.0,
        stagger_s: 0.0,
        stop_s: f64::INFINITY,
        iteration_s: 2.0,
        parts: parts(&IterationShape::default(), 0.75),
        stage_gpus: 32,
        straggler: None,
        iteration_jitter_s: 0.0,
        node_jitter_s: 0.0,
        checkpoint_every: 0,
        checkpoint_s: 0.0,
        interruptions: vec![],
        mtbf_s: f64::INFINITY,
        down_s: f64::INFINITY,
        restart: [(Launch, 1.0), (Load, 2.0), (Ckp, 0.0), (Warmup, 3.0)],
        restart_stagger_s: 0.0,
        restart_jitter_s: 0.0,
    }
}

fn seat(offset_s: f64) -> Seat {
    Seat {
        offset_s,
        key: 0,
        place: 0.0,
        nodes: 1.0,
        stage: 0,
    }
}

fn course(plan: TrainingPlan, offset_s: f64) -> TrainingCourse {
    TrainingCourse::new(
        Arc::new(plan),
        Streams::new(1, 0, RunStart::default()),
        seat(offset_s),
        0.0,
    )
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
            parts: parts(&IterationShape::default(), 1.0),
            ..plan()
        },
        0.0,
    );
    assert!(take(&mut all, 5).iter().all(|c| c.1 == Cpu));
    let mut none = course(
        TrainingPlan {
            parts: parts(&IterationShape::default(), 0.0),
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

/// The late node computes on while all others wait; the iteration lengthens for all, and the next ones follow.
#[test]
fn a_straggler_keeps_all_waiting() {
    let late = |node| TrainingPlan {
        straggler: Some(StragglerSpec {
            delay_s: 0.5,
            probability: 1.0,
            node: Some(node),
        }),
        ..plan()
    };
    let got = take(&mut course(late(1), 0.0), 6);
    // Its own computing goes on: 1.5 s and 0.5 s, the same phase twice.
    let wanted = [
        (0.0, Cpu),
        (1.5, Cpu),
        (2.0, Com),
        (2.5, Cpu),
        (4.0, Cpu),
        (4.5, Com),
    ];
    assert_eq!(got, wanted);
    let got = take(&mut course(late(3), 0.0), 6);
    let wanted = [
        (0.0, Cpu),
        (1.5, Com),
        (2.0, Com),
        (2.5, Cpu),
        (4.0, Com),
        (4.5, Com),
    ];
    assert_eq!(got, wanted);
    // A cohort of two nodes, one of them late: half of it computes on.
    let two = Seat {
        place: 0.5,
        nodes: 2.0,
        ..seat(0.0)
    };
    let mut course = TrainingCourse::new(
        Arc::new(late(2)),
        Streams::new(1, 0, RunStart::default()),
        two,
        0.0,
    );
    let mixed = (course.next(), course.next()).1;
    assert_eq!((mixed.at_s, mixed.mix), (1.5, Some(Mix::computing(0.5))));
}

#[test]
fn drawn_stragglers_come_as_often_as_stated_and_on_every_node() {
    let drawn = TrainingPlan {
        straggler: Some(StragglerSpec {
            delay_s: 0.5,
            probability: 0.3,
            node: None,
        }),
        ..plan()
    };
    let n = 20_000;
    let mut hits = 0;
    let mut last_s = 0.0;
    for node in 0..4_u32 {
        let place = Seat {
            place: f64::from(node),
            ..seat(0.0)
        };
        let mut course = TrainingCourse::new(
            Arc::new(drawn.clone()),
            Streams::new(1, 0, RunStart::default()),
            place,
            0.0,
        );
        let mut done = 0;
        let mut before = Change::to(0.0, Idle);
        while done < n {
            let change = course.next();
            hits += i32::from(change.phase == Cpu && before.phase == Cpu);
            done += i32::from(change.phase == Cpu && before.phase == Com);
            before = change;
        }
        assert!(
            node == 0 || before.at_s == last_s,
            "all nodes keep one clock"
        );
        last_s = before.at_s;
    }
    // 20 000 iterations with probability 0.3: standard deviation 65.
    assert!((f64::from(hits) - 6000.0).abs() < 330.0, "{hits}");
    assert!((last_s - 2.0 * f64::from(n) - 0.5 * f64::from(hits)).abs() < 1.0);
}

#[test]
fn a_restart_restores_and_waits_for_the_last_node() {
    let herd = TrainingPlan {
        interruptions: vec![down(3.0, 13.0)],
        restart: [(Launch, 1.0), (Load, 2.0), (Ckp, 4.0), (Warmup, 3.0)],
        restart_stagger_s: 6.0,
        restart_jitter_s: 2.0,
        ..plan()
    };
    let mut launches = Vec::new();
    for node in 0..4_u32 {
        let place = Seat {
            place: f64::from(node),
            key: u64::from(node),
            ..seat(0.0)
        };
        let mut course = TrainingCourse::new(
            Arc::new(herd.clone()),
            Streams::new(1, 0, RunStart::default()),
            place,
            0.0,
        );
        let got = take(&mut course, 12);
        let at = got.iter().position(|c| c.1 == Launch).unwrap();
        let phases: Vec<_> = got[at..at + 6].iter().map(|c| c.1).collect();
        assert_eq!(phases, [Launch, Load, Ckp, Warmup, Com, Cpu]);
        let planned_s = 13.0 + 2.0 * f64::from(node);
        assert!((planned_s..planned_s + 2.0).contains(&got[at].0));
        assert!((got[at + 4].0 - got[at].0 - 10.0).abs() < 1e-9);
        // 13 s, 10 s of phases, 6 s of stagger, 2 s of jitter.
        assert!((got[at + 5].0 - 31.0).abs() < 1e-9);
        launches.push(got[at].0 - planned_s);
    }
    assert!(launches.windows(2).all(|w| w[0] != w[1]));
    assert_eq!(herd.restart_lasts_s(), 18.0);
}

#[test]
fn lost_work_is_that_since_the_last_checkpoint() {
    let mut plan = plan();
    assert_eq!(plan.lost_s(10.0, 35.0), 25.0);
    // A cycle of 10 iterations and a checkpoint of 5 s takes 25 s.
    (plan.checkpoint_every, plan.checkpoint_s) = (10, 5.0);
    assert_eq!(plan.lost_s(10.0, 42.0), 7.0);
    // A checkpoint half written is of no use.
    assert_eq!(plan.lost_s(10.0, 34.0), 24.0);
}

#[test]
fn a_long_step_sees_the_mean_and_the_checkpoints() {
    let coarse = TrainingPlan {
        checkpoint_every: 10,
        checkpoint_s: 5.0,
        interruptions: vec![down(60.0, 70.0)],
        ..plan()
    };
    // 2 s iterations: 0.5 s of communication are two steps of 0.25 s.
    assert!(!coarse.coarse_at(0.25) && coarse.coarse_at(0.26));
    let mut course = TrainingCourse::new(
        Arc::new(coarse.clone()),
        Streams::new(1, 0, RunStart::default()),
        seat(0.0),
        1.0,
    );
    let got: Vec<_> = (0..8).map(|_| course.next()).collect();
    let times: Vec<_> = got.iter().map(|c| c.at_s).collect();
    assert_eq!(times, [0.0, 20.0, 25.0, 45.0, 50.0, 60.0, 70.0, 71.0]);
    assert_eq!(got[0].mix, Some(Mix::computing(0.75)));
    assert_eq!((got[1].phase, got[5].phase), (Ckp, Idle));
    // At 3 s the checkpoint of 5 s is too short: 5 of 25 s are part of the mean.
    let mut course = TrainingCourse::new(
        Arc::new(coarse),
        Streams::new(1, 0, RunStart::default()),
        seat(0.0),
        3.0,
    );
    let mix = course.next().mix.unwrap().0;
    let wanted = [0.6, 0.2, 0.2];
    assert!(
        mix.iter().zip(wanted).all(|(m, w)| (m - w).abs() < 1e-12),
        "{mix:?}"
    );
    assert_eq!(course.next().at_s, 60.0);
}

proptest! {
    /// Whatever the job, changes come in order of time and end in finite numbers or never.
    #[test]
    fn changes_are_in_order(
        share in 0.0..1.0_f64,
        jitter in 0.0..0.6_f64,
        (delay_s, probability) in (0.0..3.0_f64, 0.0..1.0_f64),
        (every, checkpoint_s) in (0u32..5, 0.0..4.0_f64),
        (crash_s, down_s, mtbf_s) in (-50.0..50.0_f64, 0.0..20.0_f64, 1.0..200.0_f64),
        (stages, step_s) in (1u32..6, 0.0..3.0_f64),
        offset_s in -0.5..0.5_f64,
        start_s in -100.0..20.0_f64,
    ) {
        let shape = IterationShape::Pipeline {
            stages, microbatches: 4, replicas: 1, schedule: crate::PipelineSchedule::default(), forward_share: None,
        };
        let any = TrainingPlan {
            start_s,
            parts: parts(&shape, share),
            straggler: Some(StragglerSpec { delay_s, probability, node: None }),
            iteration_jitter_s: jitter,
            checkpoint_every: every,
            checkpoint_s,
            interruptions: vec![down(crash_s, crash_s + down_s)],
            mtbf_s,
            down_s,
            restart_stagger_s: 1.0,
            ..plan()
        };
        let seat = Seat { stage: stages as usize - 1, ..seat(offset_s) };
        let mut course = TrainingCourse::new(Arc::new(any), Streams::new(3, 0, RunStart::default()), seat, step_s);
        let mut last_s = f64::NEG_INFINITY;
        for _ in 0..300 {
            let change = course.next();
            prop_assert!(change.at_s >= last_s, "{} after {}", change.at_s, last_s);
            if let Some(mix) = change.mix {
                prop_assert!((mix.0.iter().sum::<f64>() - 1.0).abs() < 1e-9 && mix.0.iter().all(|s| *s >= 0.0));
            }
            last_s = change.at_s;
        }
    }
}
