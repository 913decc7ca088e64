//! What a calibration found, ready to be drawn.

use ballast_calibrate::{
    Calibration, Cycle, Gate, GateStatus, GroupReport, Label, PairLag, Phase, PhaseCorrected,
    Recording, Refit, SEEDS, SensorSeen, Signal, toml,
};
use ballast_profile::GpuProfile;
use ballast_units::{Confidence, Grade, Sourced, parse_in_unit};

/// Buckets of a drawn trace: more than a plot has pixels.
const BUCKETS: usize = 2000;

/// How something came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Holds.
    Pass,
    /// Does not hold.
    Fail,
    /// Could not be checked.
    NotChecked,
}

impl Status {
    /// In a word.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::Fail => "Fail",
            Self::NotChecked => "Not checked",
        }
    }
}

/// A condition that a good recording holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateView {
    /// What is asked.
    pub name: String,
    /// How it came out.
    pub status: Status,
    /// With the figures.
    pub finding: String,
    /// What to do about it; none where it holds.
    pub advice: Option<&'static str>,
}

/// A figure with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub name: String,
    /// The figure, with its unit, or a sentence.
    pub value: String,
    /// Whether it is within its bound; none where it has none.
    pub status: Option<Status>,
}

/// A phase as it is drawn and listed.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseView {
    /// Begin and end, seconds.
    pub span_s: (f64, f64),
    /// Mean power that was drawn, W per GPU.
    pub level_w: f64,
    /// Mean of the samples as they were read, W; none where there is none.
    pub read_w: Option<f64>,
    /// Statistical and systematic error of the mean, W; none where the phase is too short for its sensor.
    pub error_w: Option<(f64, f64)>,
    /// 5th and 95th percentile of the samples, W.
    pub range_w: (f64, f64),
    /// What it is.
    pub label: &'static str,
    /// Number of its kind, for its colour.
    pub kind: usize,
    /// Its cycle in words, or why its levels cannot be told; none where it has none.
    pub cycle: Option<String>,
    /// What told its label.
    pub why: String,
}

/// Extremes and mean in a bucket; NaN where nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Middle of the bucket, seconds.
    pub t_s: f64,
    /// Smallest, mean and largest power, W.
    pub w: [f32; 3],
}

/// GPUs that move together.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupView {
    /// Which GPUs.
    pub heading: String,
    /// Mean power of its GPUs.
    pub trace: Vec<Band>,
    /// Its phases.
    pub phases: Vec<PhaseView>,
    /// Whether the recording is good enough.
    pub gates: Vec<GateView>,
    /// How well the profile gives the recording back.
    pub refit: Vec<Finding>,
    /// How the GPUs move together.
    pub correlation: Vec<Finding>,
    /// What the sensor does, and what is left of its error.
    pub sensor: Vec<Finding>,
}

/// A calibration, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Name of the file.
    pub file: String,
    /// How long it is, seconds, and how many GPUs it has.
    pub seconds: f64,
    /// See `seconds`.
    pub gpus: usize,
    /// Confidence in the profile's numbers.
    pub confidence: Confidence,
    /// Its groups.
    pub groups: Vec<GroupView>,
    /// Phases of the profile: name and mean power, W.
    pub profile_phases: Vec<(String, f64)>,
    /// Suggested name.
    pub name: String,
    /// Thermal design power that the recording tells, W.
    pub tdp_w: f64,
    profile: GpuProfile,
}

impl Report {
    /// What is shown of a calibration of the file of that name.
    pub fn new(recording: &Recording, done: &Calibration, file: &str) -> Self {
        let many = done.reports.len() > 1;
        let span = recording.gpus.iter().filter_map(|g| {
            let (first, last) = (g.time_s.first()?, g.time_s.last()?);
            Some(last - first)
        });
        Self {
            file: file.to_owned(),
            seconds: span.fold(0.0, f64::max),
            gpus: recording.gpus.len(),
            confidence: done.confidence,
            groups: done
                .groups
                .iter()
                .zip(&done.reports)
                .enumerate()
                .map(|(i, (group, report))| GroupView {
                    heading: heading(report),
                    trace: bands(&group.mean),
                    phases: report
                        .phases
                        .iter()
                        .enumerate()
                        .map(|(i, p)| phase(p, report.corrected.get(i)))
                        .collect(),
                    gates: report.gates.iter().map(gate).collect(),
                    refit: refit(report.refit.as_ref(), report.refit_as_shown),
                    correlation: correlation(report, if many && i > 0 { &[] } else { &done.lags }),
                    sensor: sensor(group.reading, &report.sensors),
                })
                .collect(),
            profile_phases: done
                .profile
                .phases
                .iter()
                .map(|(kind, p)| (kind.key().replace('_', " "), p.power_w.value))
                .collect(),
            name: done.profile.label.clone(),
            tdp_w: done.profile.tdp_w.value,
            profile: done.profile.clone(),
        }
    }

    /// The profile as a file, under a name and with a thermal design power as typed (empty: the recording's).
    ///
    /// # Errors
    /// No name; a power that is none. In words, with what to do.
    pub fn toml(&self, name: &str, tdp: &str) -> Result<String, String> {
        let name = name.trim();
        if name.is_empty() {
            return Err("Give the profile a name".to_owned());
        }
        let mut profile = self.profile.clone();
        name.clone_into(&mut profile.label);
        if !tdp.trim().is_empty() {
            let w = parse_in_unit(tdp, "W")
                .map_err(|e| format!("The design power is not understood: {e}; write 700 W"))?;
            if !(w > 0.0 && w.is_finite()) {
                return Err(format!("A design power of {w} W cannot be: write 700 W"));
            }
            if w != profile.tdp_w.value {
                profile.tdp_w = Sourced {
                    value: w,
                    low: None,
                    high: None,
                    source: "typed in by the user".to_owned(),
                    grade: Grade::Given,
                    confidence: Confidence::Medium,
                };
            }
        }
        Ok(toml(&profile))
    }

    /// How many gates came out this way.
    pub fn count(&self, status: Status) -> usize {
        let gates = self.groups.iter().flat_map(|g| &g.gates);
        gates.filter(|g| g.status == status).count()
    }
}

fn heading(report: &GroupReport) -> String {
    let gpus: Vec<String> = report.gpus.iter().map(u32::to_string).collect();
    match gpus.as_slice() {
        [one] => format!("GPU {one}"),
        _ => format!("GPUs {}", gpus.join(", ")),
    }
}

/// Extremes and means of a signal in at most [`BUCKETS`] buckets.
fn bands(signal: &Signal) -> Vec<Band> {
    let each = signal.value.len().div_ceil(BUCKETS).max(1);
    signal
        .value
        .chunks(each)
        .enumerate()
        .map(|(i, values)| {
            let there = || values.iter().copied().filter(|v| v.is_finite());
            let count = there().count();
            let w = if count == 0 {
                [f32::NAN; 3]
            } else {
                [
                    there().fold(f64::INFINITY, f64::min) as f32,
                    (there().sum::<f64>() / count as f64) as f32,
                    there().fold(f64::NEG_INFINITY, f64::max) as f32,
                ]
            };
            Band {
                t_s: signal.time_s(i * each) + 0.5 * values.len() as f64 * signal.dt_s,
                w,
            }
        })
        .collect()
}

fn phase(p: &Phase, corrected: Option<&PhaseCorrected>) -> PhaseView {
    PhaseView {
        span_s: (p.from_s, p.to_s),
        level_w: p.level_w,
        read_w: corrected.and_then(|c| c.naive_mean_w),
        error_w: corrected.and_then(|c| c.mean_se_w.zip(c.mean_systematic_w)),
        range_w: (p.low_w, p.high_w),
        label: p.label.text(),
        kind: kind(p.label),
        cycle: p.cycle.as_ref().map(cycle).or_else(|| {
            let why = corrected?.unidentifiable.as_ref()?;
            Some(format!("levels cannot be told: {why}"))
        }),
        why: p.why.clone(),
    }
}

fn cycle(c: &Cycle) -> String {
    format!(
        "{:.0} periods of {:.3} s: {:.0} W for {:.0} %, then {:.0} W",
        c.count,
        c.period_s,
        c.high_w,
        100.0 * c.duty,
        c.low_w
    )
}

/// Number of a kind of phase: neighbours in a run differ.
fn kind(label: Label) -> usize {
    match label {
        Label::Idle | Label::Unknown => 0,
        Label::Steady | Label::Training => 1,
        Label::IdleContext | Label::Stop => 2,
        Label::Launch | Label::SteadyPrefill => 3,
        Label::Load | Label::SteadyDecode => 4,
        Label::Warmup | Label::Checkpoint => 5,
    }
}

fn gate(gate: &Gate) -> GateView {
    let status = match gate.status {
        GateStatus::Pass => Status::Pass,
        GateStatus::Fail => Status::Fail,
        GateStatus::NotChecked => Status::NotChecked,
    };
    GateView {
        name: sentence(gate.name),
        status,
        finding: gate.finding.clone(),
        advice: (status != Status::Pass).then(|| advice(gate.name, status)),
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// What to do when a gate does not hold or was not checked.
fn advice(name: &str, status: Status) -> &'static str {
    let about = |word: &str| name.contains(word);
    if status == Status::NotChecked {
        return if about("iterations") {
            "Serving has no iterations; for training, record at 20 Hz or more so that they show"
        } else {
            "Record with the assistant or `ballast record`: they log all that is asked for"
        };
    }
    if about("60 s") {
        "Record longer: at least a minute of unchanged work after the warmup"
    } else if about("iterations") {
        "Record longer: at least 50 iterations after the warmup"
    } else if about("variation") {
        "Keep the work unchanged while you record: one model, one batch size, nothing else on the GPU"
    } else if about("utilisation") {
        "Give the GPU more work, or larger batches: it waited for something else"
    } else if about("thermal") {
        "See to the cooling and record again: a hot GPU draws another power"
    } else if about("cap") {
        "Raise the power limit, or say in the profile's name that it holds at this limit only"
    } else if about("clocks") {
        "Lock the clocks, or record when nothing else changes them"
    } else {
        "Record again under steady conditions"
    }
}

fn within(name: &str, value: String, holds: bool) -> Finding {
    Finding {
        name: name.to_owned(),
        value,
        status: Some(if holds { Status::Pass } else { Status::Fail }),
    }
}

fn plain(name: &str, value: String) -> Finding {
    Finding {
        name: name.to_owned(),
        value,
        status: None,
    }
}

/// Bounds of a good refit: energy, NRMSE, R².
const BOUNDS: (f64, f64, f64) = (0.05, 0.20, 0.90);

fn refit(refit: Option<&Refit>, as_shown: bool) -> Vec<Finding> {
    let Some(r) = refit else {
        return vec![within(
            "Replay",
            "The profile cannot be played back: record the work and the idle GPU".to_owned(),
            false,
        )];
    };
    vec![
        within(
            "Energy off by",
            format!("{:.2} % (at most 5 %)", 100.0 * r.energy_error),
            r.energy_error <= BOUNDS.0,
        ),
        within(
            "NRMSE",
            format!("{:.3} (at most 0.20)", r.nrmse),
            r.nrmse <= BOUNDS.1,
        ),
        r.acf_r2.map_or_else(
            || {
                plain(
                    "R² of the autocorrelation",
                    "none: the power is constant".to_owned(),
                )
            },
            |v| {
                within(
                    "R² of the autocorrelation",
                    format!("{v:.3} (at least 0.90)"),
                    v >= BOUNDS.2,
                )
            },
        ),
        plain(
            "Quantiles off by",
            format!("{:.1} % of the mean", 100.0 * r.quantile_error),
        ),
        plain(
            "Played",
            if as_shown {
                format!(
                    "{SEEDS} times, the median counts; with the cycles as the samples show them, for the load's own are hidden by the sensor's window"
                )
            } else {
                format!("{SEEDS} times; the median counts")
            },
        ),
    ]
}

fn correlation(report: &GroupReport, lags: &[PairLag]) -> Vec<Finding> {
    let mut found: Vec<Finding> = report
        .correlation
        .iter()
        .filter(|c| c.pairs > 0)
        .map(|c| {
            let value = c.coefficient.zip(c.range).map_or_else(
                || "none to be seen".to_owned(),
                |(mean, (lo, hi))| {
                    if c.pairs == 1 {
                        format!("{mean:.2}")
                    } else {
                        format!("{mean:.2} ({lo:.2} to {hi:.2} over {} pairs)", c.pairs)
                    }
                },
            );
            plain(&format!("In {}", c.label.text()), value)
        })
        .collect();
    found.extend(lags.iter().map(|l| {
        let number = |v: Option<f64>| v.map_or_else(|| "none".to_owned(), |v| format!("{v:.2}"));
        plain(
            &format!("GPU {} with GPU {}", l.gpus.1, l.gpus.0),
            format!(
                "{} as they are; {} s later {}",
                number(l.coefficient),
                number(l.lag_s),
                number(l.at_lag)
            ),
        )
    }));
    if found.is_empty() {
        found.push(plain(
            "Between GPUs",
            "One GPU: record several to see how they move together".to_owned(),
        ));
    }
    found
}

fn sensor(reading: &str, sensors: &[SensorSeen]) -> Vec<Finding> {
    let Some(first) = sensors.first() else {
        return vec![plain(
            "Reading",
            format!("{reading}: it has no window to take out"),
        )];
    };
    let ms =
        |s: Option<f64>| s.map_or_else(|| "unknown".to_owned(), |s| format!("{:.0} ms", 1e3 * s));
    let mut found = vec![
        plain(
            "Reading",
            format!("{} power of {}", first.reading, first.architecture),
        ),
        plain(
            "Window, renewed every",
            format!(
                "{}, {} ({})",
                ms(first.window_s),
                ms(first.update_period_s),
                first.source
            ),
        ),
    ];
    for s in sensors {
        let name = |what: &str| {
            if sensors.len() == 1 {
                what.to_owned()
            } else {
                format!("GPU {}, {}", s.gpu, what.to_lowercase())
            }
        };
        found.push(plain(
            &name("Mean as read"),
            format!("{:.1} W", s.naive_mean_w),
        ));
        found.push(plain(
            &name("Mean corrected"),
            format!(
                "{:.1} W ± {:.1} W statistical ± {:.1} W systematic, from the {}",
                s.mean_w, s.mean_se_w, s.mean_systematic_w, s.mean_from
            ),
        ));
    }
    found.push(plain(
        "Gain of the card",
        format!(
            "known to ± {:.0} %: compare the card with a meter for less",
            100.0 * first.gain_error
        ),
    ));
    if let Some(s) = first.levels_hidden_below_s {
        found.push(plain(
            "Levels hidden",
            format!("of swings faster than {:.0} ms", 1e3 * s),
        ));
    }
    let mut notes: Vec<&String> = sensors.iter().flat_map(|s| &s.notes).collect();
    notes.dedup();
    found.extend(notes.into_iter().map(|n| plain("Note", n.clone())));
    found
}
