//! Recordings whose phases are known.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

use ballast_calibrate::{GpuRecording, Label, Recording, segment};
use ballast_series::rng::Stream;

/// Samples of several GPUs with one course of power and noise of their own and in common.
struct Course {
    dt_s: f64,
    gpus: u32,
    columns: bool,
}

impl Course {
    /// `level(t)`: power, spread, utilisation, memory in GB.
    fn record(&self, duration_s: f64, level: impl Fn(f64) -> (f64, f64, f64, f64)) -> Recording {
        let n = (duration_s / self.dt_s) as usize;
        let mut common = Stream::new(7, "common", 0, 0);
        let mut own: Vec<Stream> = (0..self.gpus)
            .map(|g| Stream::new(7, "own", u64::from(g), 0))
            .collect();
        let mut gpus: Vec<GpuRecording> = (0..self.gpus)
            .map(|index| GpuRecording {
                index,
                // Samples of the power itself: a name would bring in that sensor's window.
                name: "test GPU".to_owned(),
                driver: "580.82.07".to_owned(),
                limit_w: Some(700.0),
                average_w: Some(Vec::new()),
                utilisation: self.columns.then(Vec::new),
                memory_used_bytes: self.columns.then(Vec::new),
                throttle: self.columns.then(Vec::new),
                sm_mhz: self.columns.then(Vec::new),
                ..GpuRecording::default()
            })
            .collect();
        // First-order noise with 0.5 s.
        let phi = (-self.dt_s / 0.5_f64).exp();
        let fresh = (1.0 - phi * phi).sqrt();
        let mut shared = 0.0;
        let mut each = vec![0.0; self.gpus as usize];
        for i in 0..n {
            let t = i as f64 * self.dt_s;
            let (power, spread, used, memory) = level(t);
            shared = phi * shared + fresh * common.normal();
            for (g, gpu) in gpus.iter_mut().enumerate() {
                each[g] = phi * each[g] + fresh * own[g].normal();
                let noise = spread * (0.8_f64.sqrt() * shared + 0.2_f64.sqrt() * each[g]);
                gpu.time_s.push(t);
                gpu.average_w
                    .as_mut()
                    .unwrap()
                    .push((power + noise).max(0.0));
                if self.columns {
                    gpu.utilisation.as_mut().unwrap().push(used);
                    gpu.memory_used_bytes.as_mut().unwrap().push(memory * 1e9);
                    gpu.throttle.as_mut().unwrap().push(0);
                    gpu.sm_mhz.as_mut().unwrap().push(1980.0);
                }
            }
        }
        Recording {
            gpus,
            sha256: "0123456789abcdef".to_owned(),
            started: "2026-11-01 10:00:00.000".to_owned(),
            ..Recording::default()
        }
    }
}

/// Idle, load, warmup, training with a checkpoint every 60 s, idle.
fn training(t: f64) -> (f64, f64, f64, f64) {
    match t {
        t if t < 20.0 => (72.0, 1.0, 0.0, 0.5),
        t if t < 32.0 => (140.0, 4.0, 0.02, 20.0),
        t if t < 40.0 => (480.0, 8.0, 0.8, 70.0),
        t if t < 280.0 => {
            let within = (t - 40.0) % 60.0;
            if within >= 54.0 {
                (130.0, 4.0, 0.05, 70.0)
            } else if within % 1.5 < 1.1 {
                (650.0, 12.0, 1.0, 70.0)
            } else {
                (250.0, 8.0, 0.95, 70.0)
            }
        }
        _ => (72.0, 1.0, 0.0, 0.5),
    }
}

fn show(recording: &Recording) -> Vec<(Label, f64, f64)> {
    let groups = segment(recording).unwrap();
    assert_eq!(
        groups.len(),
        1,
        "{:?}",
        groups.iter().map(|g| g.gpus.clone()).collect::<Vec<_>>()
    );
    for p in &groups[0].phases {
        println!(
            "{:?} {:.2} {:.2} level {:.1} spread {:.2} tau {:?} cycle {:?} in {:?} ({})",
            p.label,
            p.from_s,
            p.to_s,
            p.level_w,
            p.spread_w,
            p.correlation_time_s,
            p.cycle,
            p.entered,
            p.why
        );
    }
    groups[0]
        .phases
        .iter()
        .map(|p| (p.label, p.from_s, p.to_s))
        .collect()
}

fn expect(found: &[(Label, f64, f64)], expected: &[(Label, f64)]) {
    expect_within(found, expected, 0.2);
}

fn expect_within(found: &[(Label, f64, f64)], expected: &[(Label, f64)], tolerance_s: f64) {
    let labels: Vec<Label> = found.iter().map(|f| f.0).collect();
    let wanted: Vec<Label> = expected.iter().map(|f| f.0).collect();
    assert_eq!(labels, wanted);
    for (f, e) in found.iter().zip(expected) {
        assert!(
            (f.1 - e.1).abs() <= tolerance_s,
            "{:?} begins at {:.2} s, not {:.2} s",
            f.0,
            f.1,
            e.1
        );
    }
}

#[test]
fn eight_gpus_training_with_checkpoints() {
    for columns in [true, false] {
        let course = Course {
            dt_s: 0.1,
            gpus: 8,
            columns,
        };
        let found = show(&course.record(300.0, training));
        let mut expected = vec![
            (Label::Idle, 0.0),
            (Label::Load, 20.0),
            (Label::Warmup, 32.0),
        ];
        for k in 0..4 {
            expected.push((Label::Training, 40.0 + 60.0 * f64::from(k)));
            expected.push((Label::Checkpoint, 94.0 + 60.0 * f64::from(k)));
        }
        // The last pause is followed by idle, not by work.
        expected.pop();
        let mut expected_tail = expected.clone();
        expected_tail.push((
            if columns {
                Label::IdleContext
            } else {
                Label::Stop
            },
            274.0,
        ));
        expected_tail.push((Label::Idle, 280.0));
        if !columns {
            println!("{found:?}");
        }
        let n = found.len().min(expected.len());
        expect(&found[..n], &expected[..n]);
        assert_eq!(found.last().unwrap().0, Label::Idle);
    }
}

#[test]
fn inference_at_one_level() {
    let course = Course {
        dt_s: 0.1,
        gpus: 1,
        columns: true,
    };
    let recording = course.record(200.0, |t| match t {
        t if t < 15.0 => (72.0, 1.0, 0.0, 0.5),
        t if t < 30.0 => (150.0, 4.0, 0.03, 40.0),
        t if t < 190.0 => (420.0, 12.0, 0.95, 70.0),
        _ => (120.0, 1.5, 0.0, 70.0),
    });
    let found = show(&recording);
    expect(
        &found,
        &[
            (Label::Idle, 0.0),
            (Label::Load, 15.0),
            (Label::Steady, 30.0),
            (Label::IdleContext, 190.0),
        ],
    );
}

#[test]
fn inference_at_100_ms_with_prompts_visible() {
    let course = Course {
        dt_s: 0.1,
        gpus: 1,
        columns: true,
    };
    // Tokens at 400 W, prompts at 620 W for 0.8 to 2 s, at times without a period.
    let mut draw = Stream::new(3, "prompts", 0, 0);
    let mut prompts = Vec::new();
    let mut at = 30.0;
    loop {
        at += 4.0 + 7.0 * draw.uniform();
        let to = at + 0.8 + 1.2 * draw.uniform();
        if to > 180.0 {
            break;
        }
        prompts.push((at, to));
        at = to;
    }
    let busy = |t: f64| prompts.iter().any(|(from, to)| t >= *from && t < *to);
    let recording = course.record(200.0, |t| match t {
        t if t < 15.0 => (72.0, 1.0, 0.0, 0.5),
        t if t < 30.0 => (150.0, 4.0, 0.03, 40.0),
        t if t < 190.0 && busy(t) => (620.0, 8.0, 1.0, 70.0),
        t if t < 190.0 => (400.0, 6.0, 0.95, 70.0),
        _ => (120.0, 1.5, 0.0, 70.0),
    });
    let done =
        ballast_calibrate::calibrate(&recording, &ballast_calibrate::Origin::default()).unwrap();
    println!("{}", ballast_calibrate::text(&done));
    let phases = &done.reports[0].phases;
    let found: Vec<_> = phases
        .iter()
        .filter(|p| p.label == Label::SteadyPrefill)
        .collect();
    assert_eq!(found.len(), prompts.len());
    for (p, (from, to)) in found.iter().zip(&prompts) {
        assert!(
            (p.from_s - from).abs() <= 0.2 && (p.to_s - to).abs() <= 0.2,
            "{from:.2} to {to:.2}: {:.2} to {:.2}",
            p.from_s,
            p.to_s
        );
    }
    let decode_s: f64 = phases
        .iter()
        .filter(|p| p.label == Label::SteadyDecode)
        .map(ballast_calibrate::Phase::duration_s)
        .sum();
    let prompts_s: f64 = prompts.iter().map(|(from, to)| to - from).sum();
    assert!((decode_s - (160.0 - prompts_s)).abs() < 2.0, "{decode_s}");
    let level = |spec: &Option<ballast_profile::PhaseSpec>| spec.as_ref().unwrap().power_w.value;
    let kinds = &done.profile.phases;
    let (prefill, decode) = (level(&kinds.steady_prefill), level(&kinds.steady_decode));
    assert!((prefill / 620.0 - 1.0).abs() < 0.02, "{prefill}");
    assert!((decode / 400.0 - 1.0).abs() < 0.02, "{decode}");
    assert!(done.reports[0].refit.as_ref().unwrap().good);
}

/// Checkpoints tell how often they come.
#[test]
fn checkpoints_have_a_rhythm() {
    let course = Course {
        dt_s: 0.1,
        gpus: 2,
        columns: true,
    };
    let groups = segment(&course.record(300.0, training)).unwrap();
    let found: Vec<_> = groups[0]
        .phases
        .iter()
        .filter(|p| p.label == Label::Checkpoint)
        .collect();
    assert_eq!(found.len(), 3);
    assert!(
        found
            .iter()
            .all(|p| p.why.contains("one begins every 60.0 s")),
        "{}",
        found[0].why
    );
}

/// Blocks that follow each other in turn, each time as long, are one cycle.
#[test]
fn two_levels_in_turn_are_one_cycle() {
    let course = Course {
        dt_s: 0.5,
        gpus: 2,
        columns: false,
    };
    let recording = course.record(700.0, |t| match t {
        t if !(50.0..650.0).contains(&t) => (70.0, 1.0, 0.0, 0.0),
        t if (t - 50.0) % 120.0 < 80.0 => (600.0, 6.0, 0.0, 0.0),
        _ => (300.0, 5.0, 0.0, 0.0),
    });
    let found = show(&recording);
    expect_within(
        &found,
        &[
            (Label::Idle, 0.0),
            (Label::Training, 50.0),
            (Label::Idle, 650.0),
        ],
        0.5,
    );
}

#[test]
fn the_profile_gives_a_training_log_back() {
    let course = Course {
        dt_s: 0.1,
        gpus: 8,
        columns: true,
    };
    let recording = course.record(300.0, training);
    let done =
        ballast_calibrate::calibrate(&recording, &ballast_calibrate::Origin::default()).unwrap();
    println!("{}", ballast_calibrate::text(&done));
    let report = &done.reports[0];
    let refit = report.refit.as_ref().unwrap();
    // The bounds of a good refit: energy 5 %, NRMSE 0.20, R² of the autocorrelation 0.90.
    assert!(refit.good, "{refit:?}");
    let train = report
        .phases
        .iter()
        .find(|p| p.label == Label::Training)
        .unwrap();
    let cycle = train.cycle.unwrap();
    assert!((cycle.period_s - 1.5).abs() < 0.01, "{cycle:?}");
    assert!(
        (cycle.high_w - 650.0).abs() < 15.0 && (cycle.low_w - 250.0).abs() < 15.0,
        "{cycle:?}"
    );
    // Four fifths of the variance are common to the GPUs.
    let steady = report
        .correlation
        .iter()
        .find(|c| c.label == Label::Training)
        .unwrap();
    assert!(
        (steady.coefficient.unwrap() - 0.8).abs() < 0.1,
        "{steady:?}"
    );
    assert!(
        report
            .gates
            .iter()
            .all(|g| g.status == ballast_calibrate::GateStatus::Pass),
        "{:?}",
        report.gates
    );
    assert!(
        done.profile.problems().iter().all(|p| p.path == "label"),
        "{:?}",
        done.profile.problems()
    );
}

#[test]
fn bad_recordings_are_refused_with_a_message() {
    let gpu = |time_s: Vec<f64>, power: Vec<f64>| Recording {
        gpus: vec![GpuRecording {
            time_s,
            average_w: Some(power),
            ..GpuRecording::default()
        }],
        ..Recording::default()
    };
    let line = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
    for recording in [
        Recording::default(),
        gpu(vec![], vec![]),
        gpu(vec![0.0], vec![5.0]),
        gpu(line(100), vec![f64::NAN; 100]),
        gpu(line(100), vec![50.0; 100]),
        gpu(vec![3.0; 100], line(100)),
        gpu(line(100).into_iter().rev().collect(), line(100)),
    ] {
        let error = segment(&recording).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
    // A gap and single failed readings are no reason to refuse.
    let mut times = line(200);
    times.iter_mut().skip(100).for_each(|t| *t += 500.0);
    let mut power: Vec<f64> = (0..200)
        .map(|i| if i % 100 < 50 { 70.0 } else { 400.0 })
        .collect();
    power[20] = f64::NAN;
    let groups = segment(&gpu(times, power)).unwrap();
    assert_eq!(groups[0].gaps.len(), 1);
}

/// Prompts of some seconds and the tokens after each, seconds: some in a row come about evenly.
const PROMPTS: [(f64, f64); 14] = [
    (2.3, 13.6),
    (1.7, 13.8),
    (1.9, 11.1),
    (2.7, 11.1),
    (2.3, 9.2),
    (2.6, 11.6),
    (2.0, 13.0),
    (1.9, 11.3),
    (1.7, 11.0),
    (1.8, 10.3),
    (2.7, 10.4),
    (2.2, 13.9),
    (2.9, 12.7),
    (2.3, 10.4),
];

/// Idle, load, warmup for as long as stated, serving, idle.
fn serving(t: f64, warmup_s: f64) -> (f64, f64, f64, f64) {
    match t {
        t if t < 15.0 => return (67.0, 0.5, 0.0, 0.5),
        t if t < 30.0 => return (108.0, 2.0, 0.04, 20.0),
        t if t < 30.0 + warmup_s => return (490.0, 8.0, 0.9, 68.0),
        _ => {}
    }
    let mut at = 30.0 + warmup_s;
    for (prompt_s, tokens_s) in PROMPTS {
        if t < at + prompt_s {
            return (550.0, 5.0, 1.0, 68.0);
        }
        at += prompt_s + tokens_s;
        if t < at {
            return (305.0, 3.0, 0.95, 68.0);
        }
    }
    (68.0, 0.5, 0.0, 0.5)
}

#[test]
fn serving_is_neither_training_nor_warmup() {
    for warmup_s in [0.0, 15.0] {
        let course = Course {
            dt_s: 0.1,
            gpus: 2,
            columns: true,
        };
        let found = show(&course.record(260.0, |t| serving(t, warmup_s)));
        let count = |label| found.iter().filter(|p| p.0 == label).count();
        assert_eq!(count(Label::Training), 0, "{found:?}");
        // A first prompt straight after the warmup is one piece with it where the levels are near.
        assert_eq!(
            count(Label::Warmup),
            usize::from(warmup_s > 0.0),
            "{found:?}"
        );
        assert!(
            count(Label::SteadyPrefill) >= PROMPTS.len() - 1,
            "{found:?}"
        );
        assert!(count(Label::SteadyDecode) >= PROMPTS.len() - 1, "{found:?}");
    }
}
