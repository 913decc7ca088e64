//! The scripts: what clusters do, with figures drawn from a seed.

use super::{Course, Log, Logger, Odd, Segment};
use ballast_calibrate::Label;
use ballast_series::rng::Stream;

const H100: &str = "NVIDIA H100 80GB HBM3";
/// The log whose iterations are faster than twice its interval.
pub(crate) const TOO_FAST: &str = "iterations too fast for it, 1 s";

const A100: &str = "NVIDIA A100-SXM4-80GB";

/// Draws a script's figures.
struct Draw(Stream);

impl Draw {
    fn new(seed: u64, name: &'static str) -> Self {
        Self(Stream::new(seed, name, 0, 0))
    }

    fn from(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.uniform()
    }
}

fn flat(
    labels: &'static [Label],
    seconds: f64,
    level_w: f64,
    spread_w: f64,
    used: f64,
    memory_gb: f64,
) -> Segment {
    let course = Course::Flat {
        level_w,
        drift_w: 0.0,
    };
    Segment {
        labels,
        seconds,
        course,
        spread_w,
        used,
        memory_gb,
    }
}

/// Work that a pause of iterations may be taken for, or that is steady.
const WORK: &[Label] = &[
    Label::Steady,
    Label::SteadyDecode,
    Label::SteadyPrefill,
    Label::Training,
];
const PAUSE: &[Label] = &[Label::Checkpoint];
const IDLE: &[Label] = &[Label::Idle];
const REST: &[Label] = &[Label::Idle, Label::IdleContext, Label::Stop];
const LOAD: &[Label] = &[Label::Load, Label::Launch];
const WARM: &[Label] = &[Label::Warmup];

fn nvidia_smi(name: &'static str, poll_s: f64, average: bool, columns: bool) -> Logger {
    Logger {
        name,
        average,
        poll_s,
        columns,
        missing: 0.0,
        gaps: Vec::new(),
    }
}

fn idle(seconds: f64) -> Segment {
    flat(IDLE, seconds, 71.0, 0.8, 0.0, 0.6)
}

/// Idle, load, warmup, stretches of iterations with checkpoints between and one evaluation, idle.
fn training(
    draw: &mut Draw,
    period: (f64, f64),
    stretch_s: (f64, f64),
    pause_s: (f64, f64),
    stretches: usize,
) -> Vec<Segment> {
    let (high_w, low_w) = (draw.from(540.0, 660.0), draw.from(180.0, 380.0));
    let period_s = draw.from(period.0, period.1);
    let (duty, jitter) = (draw.from(0.55, 0.8), draw.from(0.003, 0.02));
    let memory = draw.from(50.0, 75.0);
    let every_s = draw.from(stretch_s.0, stretch_s.1);
    let pause = draw.from(pause_s.0, pause_s.1);
    let pause_w = draw.from(105.0, 160.0);
    let mut all = vec![
        idle(draw.from(15.0, 40.0)),
        flat(
            LOAD,
            draw.from(10.0, 30.0),
            draw.from(115.0, 145.0),
            3.0,
            0.02,
            0.4 * memory,
        ),
        flat(
            WARM,
            draw.from(15.0, 40.0),
            0.5 * (high_w + low_w) - 90.0,
            7.0,
            0.8,
            memory,
        ),
    ];
    for k in 0..stretches {
        // A checkpoint falls between two iterations.
        let whole = (every_s / period_s).round() * period_s;
        all.push(Segment {
            labels: &[Label::Training],
            seconds: whole,
            course: Course::Wave {
                high_w,
                low_w,
                period_s,
                duty,
                jitter,
            },
            spread_w: 8.0,
            used: 0.97,
            memory_gb: memory,
        });
        if k + 1 < stretches {
            if k == stretches / 2 {
                // Evaluation: forward passes at a level of their own.
                all.push(flat(
                    WORK,
                    draw.from(12.0, 30.0),
                    0.5 * (high_w + low_w) + 20.0,
                    7.0,
                    0.9,
                    memory,
                ));
            } else {
                all.push(flat(PAUSE, pause, pause_w, 4.0, 0.03, memory));
            }
        }
    }
    all.push(idle(draw.from(15.0, 40.0)));
    all
}

/// One log of each kind.
pub(crate) fn all(seed: u64) -> Vec<Log> {
    let mut logs = Vec::new();
    let mut log = |name, segments, gpus, logger, odd| {
        logs.push(Log {
            name,
            segments,
            gpus,
            logger,
            odd,
        });
    };
    let d = &mut Draw::new(seed, "training, 1 s");
    let segments = training(d, (7.0, 14.0), (170.0, 300.0), (12.0, 55.0), 6);
    log(
        "training, 8 GPUs, 1 s",
        segments,
        8,
        nvidia_smi(H100, 1.0, true, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "training, 1 s bare");
    let segments = training(d, (7.0, 14.0), (170.0, 300.0), (12.0, 55.0), 6);
    log(
        "training, power alone, 1 s",
        segments,
        8,
        nvidia_smi(A100, 1.0, false, false),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "training, 0.5 s");
    let segments = training(d, (3.5, 6.0), (120.0, 200.0), (8.0, 40.0), 6);
    log(
        "training, 8 GPUs, 0.5 s",
        segments,
        8,
        nvidia_smi(A100, 0.5, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "training, 0.1 s");
    let segments = training(d, (0.8, 2.2), (50.0, 90.0), (5.0, 15.0), 5);
    log(
        "training, 8 GPUs, 0.1 s",
        segments,
        8,
        nvidia_smi(H100, 0.1, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "restart");
    let mut segments = training(d, (3.5, 6.0), (120.0, 200.0), (8.0, 40.0), 3);
    segments.extend(
        training(
            &mut Draw::new(seed, "restart"),
            (3.5, 6.0),
            (120.0, 200.0),
            (8.0, 40.0),
            3,
        )
        .into_iter()
        .skip(1),
    );
    log(
        "stop and restart, 0.5 s",
        segments,
        8,
        nvidia_smi(H100, 0.5, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "missing");
    let segments = training(d, (3.5, 6.0), (120.0, 200.0), (8.0, 40.0), 5);
    let mut logger = nvidia_smi(A100, 0.5, false, true);
    logger.missing = 0.08;
    logger.gaps = vec![(segments[0].seconds + 150.0, 14.0)];
    log("missing samples, 0.5 s", segments, 8, logger, Odd::Nothing);
    let d = &mut Draw::new(seed, "one idle");
    let segments = training(d, (1.0, 2.2), (60.0, 100.0), (6.0, 15.0), 4);
    log(
        "one GPU idle of 8, 0.1 s",
        segments,
        8,
        nvidia_smi(H100, 0.1, false, true),
        Odd::Idle(3),
    );
    let d = &mut Draw::new(seed, "straggler");
    let segments = training(d, (1.5, 3.0), (60.0, 100.0), (6.0, 15.0), 4);
    log(
        "one straggler of 8, 0.1 s",
        segments,
        8,
        nvidia_smi(H100, 0.1, false, true),
        Odd::Straggler(5),
    );
    serving(seed, &mut log);
    others(seed, &mut log);
    logs
}

type Add<'a> = dyn FnMut(&'static str, Vec<Segment>, usize, Logger, Odd) + 'a;

fn serving(seed: u64, log: &mut Add<'_>) {
    let d = &mut Draw::new(seed, "bursts");
    let memory = 70.0;
    let (plateau_w, spike_w) = (d.from(330.0, 420.0), d.from(560.0, 660.0));
    let serve = |d: &mut Draw, scale: f64, seconds: f64| Segment {
        labels: &[Label::SteadyDecode, Label::SteadyPrefill, Label::Steady],
        seconds,
        course: Course::Spikes {
            plateau_w: scale * plateau_w,
            spike_w,
            spike_s: d.from(0.6, 1.6),
            every_s: d.from(5.0, 9.0),
        },
        spread_w: 6.0,
        used: 0.95,
        memory_gb: memory,
    };
    let gap = |d: &mut Draw| flat(REST, d.from(12.0, 30.0), 118.0, 1.2, 0.0, memory);
    let mut segments = vec![
        idle(20.0),
        flat(LOAD, d.from(12.0, 25.0), 140.0, 3.0, 0.02, 35.0),
    ];
    for _ in 0..5 {
        let seconds = d.from(40.0, 80.0);
        segments.push(serve(d, 1.0, seconds));
        segments.push(gap(d));
    }
    log(
        "serving, bursts and idle, 0.1 s",
        segments,
        1,
        nvidia_smi(H100, 0.1, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "batches");
    let mut segments = vec![
        idle(20.0),
        flat(LOAD, d.from(12.0, 25.0), 140.0, 3.0, 0.02, 35.0),
    ];
    for batch in [0.75, 1.0, 1.25, 0.85] {
        let seconds = d.from(50.0, 90.0);
        segments.push(serve(d, batch, seconds));
    }
    segments.push(gap(d));
    log(
        "serving, batches that change, 0.1 s",
        segments,
        1,
        nvidia_smi(H100, 0.1, false, true),
        Odd::Nothing,
    );
}

fn others(seed: u64, log: &mut Add<'_>) {
    let wave = |high_w, low_w, period_s, duty, seconds| Segment {
        labels: &[Label::Training],
        seconds,
        course: Course::Wave {
            high_w,
            low_w,
            period_s,
            duty,
            jitter: 0.002,
        },
        spread_w: 5.0,
        used: 0.8,
        memory_gb: 40.0,
    };
    let d = &mut Draw::new(seed, "matmul");
    let mut segments = vec![idle(20.0)];
    let high_w = d.from(580.0, 690.0);
    for period in [d.from(1.0, 2.0), d.from(3.0, 5.0), d.from(7.0, 11.0)] {
        // What lies between two kernels is the rest's own level, so the cycles end with the last fall.
        let (duty, count) = (d.from(0.3, 0.7), (80.0 / period).round().max(8.0));
        segments.push(wave(
            high_w,
            105.0,
            period,
            duty,
            (count - 1.0 + duty) * period,
        ));
        segments.push(flat(REST, d.from(20.0, 30.0), 105.0, 1.0, 0.0, 40.0));
    }
    log(
        "duty-cycled matmul, 0.1 s",
        segments,
        1,
        nvidia_smi(H100, 0.1, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "noisy idle");
    let segments = vec![
        flat(IDLE, d.from(150.0, 250.0), 70.0, 4.0, 0.0, 0.6),
        flat(REST, d.from(150.0, 250.0), 112.0, 6.0, 0.0, 40.0),
        flat(IDLE, d.from(80.0, 150.0), 70.0, 4.0, 0.0, 0.6),
    ];
    log(
        "noisy idle, 0.5 s",
        segments,
        4,
        nvidia_smi(A100, 0.5, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "cap");
    let mut segments = vec![idle(25.0)];
    let (full, capped) = (d.from(640.0, 690.0), d.from(380.0, 450.0));
    for level in [full, capped, full, capped] {
        segments.push(flat(WORK, d.from(50.0, 100.0), level, 6.0, 0.99, 60.0));
    }
    segments.push(idle(25.0));
    log(
        "power cap, 0.1 s",
        segments,
        8,
        nvidia_smi(H100, 0.1, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "drift");
    let segments = vec![
        idle(25.0),
        Segment {
            course: Course::Flat {
                level_w: d.from(560.0, 620.0),
                drift_w: d.from(40.0, 70.0),
            },
            ..flat(WORK, d.from(500.0, 800.0), 0.0, 5.0, 0.99, 60.0)
        },
        idle(25.0),
    ];
    log(
        "thermal drift, 0.5 s",
        segments,
        8,
        nvidia_smi(H100, 0.5, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "too fast");
    let segments = vec![
        idle(40.0),
        Segment {
            labels: WORK,
            ..wave(
                d.from(560.0, 640.0),
                d.from(250.0, 330.0),
                d.from(0.3, 0.7),
                0.65,
                500.0,
            )
        },
        idle(40.0),
    ];
    log(
        TOO_FAST,
        segments,
        8,
        nvidia_smi(A100, 1.0, false, true),
        Odd::Nothing,
    );
    let d = &mut Draw::new(seed, "blocks");
    let mut segments = vec![idle(20.0)];
    let (a, b) = (d.from(1.0, 1.6), d.from(2.4, 3.4));
    for _ in 0..6 {
        segments.push(wave(640.0, 260.0, a, 0.7, (30.0 / a).round() * a));
        segments.push(wave(480.0, 200.0, b, 0.5, (21.0 / b).round() * b));
    }
    segments.push(idle(20.0));
    log(
        "blocks of two cycles, 0.1 s",
        segments,
        8,
        nvidia_smi(H100, 0.1, false, true),
        Odd::Nothing,
    );
}
