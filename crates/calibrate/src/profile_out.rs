//! The profile of a recording, as a specification and as a TOML file like the presets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ballast_profile::{GpuProfile, PhaseKind, PhaseSpec, Phases, TransitionSpec};
use ballast_units::{Confidence, Grade, Sourced};

use crate::gates::{Gate, GateStatus};
use crate::segment::{Change, Group, Label, Phase};
use crate::{Recording, UNKNOWN_GAIN};

/// What is known about a recording beside its samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// Name of the profile.
    pub label: String,
    /// Program and version that made it.
    pub tool: String,
    /// Thermal design power, watts, where it is known, and from where.
    pub tdp_w: Option<(f64, String)>,
    /// Name of the file.
    pub file: String,
    /// Relative error that is left of the cards' gain, where a meter told it. None: [`UNKNOWN_GAIN`].
    pub gain_error: Option<f64>,
    /// What the sensor is and what was corrected, in lines.
    pub sensor: String,
}

/// Figures of all phases of one kind, weighted by their duration.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pool {
    level_w: f64,
    low_w: f64,
    high_w: f64,
    spread_w: f64,
    time_s: Option<f64>,
    duration_s: f64,
    rise: Option<Change>,
    fall: Option<Change>,
}

/// A stretch as it goes into a pool: level, spread, and the phase it is of.
struct Part<'a> {
    phase: &'a Phase,
    level_w: f64,
    spread_w: f64,
}

fn kinds(phase: &Phase) -> Vec<(PhaseKind, f64, f64)> {
    let one = |kind| vec![(kind, phase.level_w, phase.spread_w)];
    match (phase.label, &phase.cycle) {
        (Label::Idle, _) => one(PhaseKind::Idle),
        (Label::IdleContext, _) => one(PhaseKind::IdleContext),
        (Label::Launch, _) => one(PhaseKind::Launch),
        (Label::Load, _) => one(PhaseKind::Load),
        (Label::Warmup, _) => one(PhaseKind::Warmup),
        (Label::Steady, _) | (Label::Training, None) => one(PhaseKind::SteadyMixed),
        (Label::SteadyPrefill, _) => one(PhaseKind::SteadyPrefill),
        (Label::SteadyDecode, _) => one(PhaseKind::SteadyDecode),
        (Label::Training, Some(c)) => vec![
            (PhaseKind::TrainCompute, c.high_w, c.high_spread_w),
            (PhaseKind::TrainCommunication, c.low_w, c.low_spread_w),
        ],
        (Label::Checkpoint, _) => one(PhaseKind::Checkpoint),
        (Label::Stop | Label::Unknown, _) => Vec::new(),
    }
}

fn pool(parts: &[Part<'_>]) -> Pool {
    let total: f64 = parts.iter().map(|p| p.phase.duration_s()).sum();
    let mean = |of: &dyn Fn(&Part<'_>) -> f64| {
        parts
            .iter()
            .map(|p| of(p) * p.phase.duration_s())
            .sum::<f64>()
            / total
    };
    let level_w = mean(&|p| p.level_w);
    let lowest = parts
        .iter()
        .map(|p| p.level_w)
        .fold(f64::INFINITY, f64::min);
    let highest = parts.iter().map(|p| p.level_w).fold(0.0, f64::max);
    let times: Vec<f64> = parts
        .iter()
        .filter_map(|p| p.phase.correlation_time_s)
        .collect();
    let change = |up: bool| {
        parts
            .iter()
            .filter_map(|p| p.phase.entered)
            .filter(|c| (c.delta_w > 0.0) == up)
            .max_by(|a, b| a.delta_w.abs().total_cmp(&b.delta_w.abs()))
    };
    Pool {
        level_w,
        low_w: lowest.min(level_w),
        high_w: highest.max(level_w),
        spread_w: mean(&|p| p.spread_w * p.spread_w).max(0.0).sqrt(),
        time_s: (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64),
        duration_s: total / parts.len() as f64,
        rise: change(true),
        fall: change(false),
    }
}

/// Four significant digits: more than any log knows.
pub(crate) fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[expect(clippy::too_many_lines, reason = "one number after the other")]
/// The profile that the phases of all groups give; none where no phase has a kind of its own.
pub fn profile(
    recording: &Recording,
    groups: &[Group],
    gates: &[Gate],
    confidence: Confidence,
    origin: &Origin,
) -> Option<GpuProfile> {
    let mut parts: BTreeMap<PhaseKind, Vec<Part<'_>>> = BTreeMap::new();
    for phase in groups.iter().flat_map(|g| &g.phases) {
        for (kind, level_w, spread_w) in kinds(phase) {
            if level_w.is_finite() && phase.duration_s() > 0.0 {
                let spread_w = if spread_w.is_finite() {
                    spread_w.min(level_w)
                } else {
                    0.0
                };
                parts.entry(kind).or_default().push(Part {
                    phase,
                    level_w,
                    spread_w,
                });
            }
        }
    }
    if parts.is_empty() {
        return None;
    }
    let source = |what: &str| {
        format!(
            "{what}; {} of {}, sha256 {}",
            groups.first().map_or("power", |g| g.reading),
            origin.file,
            recording.sha256.get(..12).unwrap_or(&recording.sha256)
        )
    };
    let sourced = |value: f64, low: f64, high: f64, what: &str| Sourced {
        value: rounded(value),
        low: Some(rounded(low.min(value))),
        high: Some(rounded(high.max(value))),
        source: source(what),
        grade: Grade::Measured,
        confidence,
    };
    let gain_error = origin.gain_error.unwrap_or(UNKNOWN_GAIN);
    let gain = match origin.gain_error {
        Some(error) => format!("{:.1} % error of the gain", 100.0 * error),
        None => format!("{:.0} % unknown gain", 100.0 * UNKNOWN_GAIN),
    };
    let mut phases = Phases::default();
    let mut top = 0.0_f64;
    for (kind, parts) in &parts {
        let p = pool(parts);
        top = top.max(p.level_w);
        let transition = |c: Option<Change>| {
            c.map(|c| TransitionSpec {
                delta_w: rounded(c.delta_w.abs()),
                time_s: rounded(c.time_s),
                window_s: rounded(c.window_s),
                source: source(if c.unresolved {
                    "as short as the sampling shows, an upper bound"
                } else {
                    "10 to 90 % of the change, divided by 0.8"
                }),
                grade: Grade::Measured,
                confidence,
            })
        };
        let stretches = format!(
            "mean over {} stretch(es), {:.1} s each",
            parts.len(),
            p.duration_s
        );
        let passing = matches!(
            kind,
            PhaseKind::Launch | PhaseKind::Load | PhaseKind::Warmup | PhaseKind::Checkpoint
        );
        let time_s = p.time_s.unwrap_or(0.5);
        // An iteration's edges are no transitions between phases of a job; what was seen there are the cycle's own.
        let spec = PhaseSpec {
            power_w: sourced(
                p.level_w,
                p.low_w * (1.0 - gain_error),
                p.high_w * (1.0 + gain_error),
                &format!("{stretches}; range with {gain}"),
            ),
            spread_w: Some(sourced(
                p.spread_w,
                0.0,
                1.5 * p.spread_w,
                "standard deviation of one GPU around the level",
            )),
            correlation_time_s: Some(sourced(
                time_s,
                0.5 * time_s,
                2.0 * time_s,
                "autocorrelation falls to 1/e; a sensor's own averaging lengthens it",
            )),
            duration_s: passing.then(|| {
                sourced(
                    p.duration_s,
                    0.5 * p.duration_s,
                    2.0 * p.duration_s,
                    "mean duration",
                )
            }),
            rise: transition(p.rise),
            fall: transition(p.fall),
        };
        *slot(&mut phases, *kind) = Some(spec);
    }
    let limit = groups
        .iter()
        .flat_map(|g| &g.gpus)
        .filter_map(|g| recording.gpus.get(*g)?.limit_w)
        .reduce(f64::max);
    let (tdp_w, tdp_source, grade) = match (&origin.tdp_w, limit) {
        (Some((tdp, from)), _) => (*tdp, from.clone(), Grade::Published),
        (None, Some(limit)) => (limit, source("power limit in the log"), Grade::Measured),
        (None, None) => (
            1.1 * top,
            "estimate: 1.1 x the highest level of the log, which has no power limit".to_owned(),
            Grade::Estimated,
        ),
    };
    Some(GpuProfile {
        smoothing: None,
        label: origin.label.clone(),
        notes: notes(recording, groups, gates, origin),
        tdp_w: Sourced {
            value: rounded(tdp_w),
            low: None,
            high: None,
            source: tdp_source,
            grade,
            confidence: if grade == Grade::Estimated {
                Confidence::Low
            } else {
                confidence
            },
        },
        // A level above the limit was seen: over tens of milliseconds at least it may be.
        edpp_w: (top > rounded(tdp_w)).then(|| {
            sourced(
                1.02 * top,
                top,
                1.1 * top,
                "highest level of the log, above the limit",
            )
        }),
        phases,
    })
}

fn slot(phases: &mut Phases, kind: PhaseKind) -> &mut Option<PhaseSpec> {
    match kind {
        PhaseKind::Idle => &mut phases.idle,
        PhaseKind::IdleContext => &mut phases.idle_context,
        PhaseKind::Launch => &mut phases.launch,
        PhaseKind::Load => &mut phases.load,
        PhaseKind::Warmup => &mut phases.warmup,
        PhaseKind::SteadyPrefill => &mut phases.steady_prefill,
        PhaseKind::SteadyDecode => &mut phases.steady_decode,
        PhaseKind::SteadyMixed => &mut phases.steady_mixed,
        PhaseKind::TrainCompute => &mut phases.train_compute,
        PhaseKind::TrainCommunication => &mut phases.train_communication,
        PhaseKind::Checkpoint => &mut phases.checkpoint,
    }
}

fn notes(recording: &Recording, groups: &[Group], gates: &[Gate], origin: &Origin) -> String {
    let mut text = String::new();
    let names: Vec<&str> = {
        let mut names: Vec<&str> = recording.gpus.iter().map(|g| g.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|n| !n.is_empty());
        names
    };
    let or = |text: &str| {
        if text.is_empty() {
            "not in the log".to_owned()
        } else {
            text.to_owned()
        }
    };
    let driver = recording.gpus.first().map_or("", |g| g.driver.as_str());
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "Made by {} from {}. GPU: {}, {} of them; driver: {}; date: {}; sha256 of the log: {}.",
        origin.tool,
        origin.file,
        or(&names.join(", ")),
        recording.gpus.len(),
        or(driver),
        or(&recording.started),
        or(&recording.sha256),
    );
    text.push_str(&origin.sensor);
    for phase in groups.iter().flat_map(|g| &g.phases) {
        if let Some(c) = &phase.cycle {
            let _ = writeln!(
                text,
                "Training from {:.1} s to {:.1} s: iteration_s = {:.4}, compute_share = {:.3}, iteration_jitter_s = {:.4}.",
                phase.from_s, phase.to_s, c.period_s, c.duty, c.jitter_s
            );
        }
    }
    for gate in gates {
        let word = match gate.status {
            GateStatus::Pass => "holds",
            GateStatus::Fail => "FAILS",
            GateStatus::NotChecked => "was not checked",
        };
        let _ = writeln!(text, "Gate `{}` {word}: {}.", gate.name, gate.finding);
    }
    text
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn word(value: &impl serde::Serialize) -> String {
    // The word as serde has it in a file: its JSON without the quotes' ambiguity.
    let mut out = String::new();
    let _ = write!(out, "{}", Plain(value));
    out
}

struct Plain<'a, T>(&'a T);

impl<T: serde::Serialize> std::fmt::Display for Plain<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A formatter of the standard library takes the names of unit variants.
        self.0.serialize(f)
    }
}

fn line(number: &Sourced) -> String {
    let end = |key: &str, v: Option<f64>| v.map_or_else(String::new, |v| format!(", {key} = {v}"));
    format!(
        "{{ value = {}{}{}, source = {}, grade = \"{}\", confidence = \"{}\" }}",
        number.value,
        end("low", number.low),
        end("high", number.high),
        quoted(&number.source),
        word(&number.grade),
        word(&number.confidence)
    )
}

fn transition(t: &TransitionSpec) -> String {
    format!(
        "{{ delta_w = {}, time_s = {}, window_s = {}, source = {}, grade = \"{}\", confidence = \"{}\" }}",
        t.delta_w,
        t.time_s,
        t.window_s,
        quoted(&t.source),
        word(&t.grade),
        word(&t.confidence)
    )
}

/// The profile as a file, in the format of `profiles/gpu`.
pub fn toml(profile: &GpuProfile) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "# {}: from a log, by `ballast calibrate`.",
        profile.label.replace(char::is_control, " ")
    );
    let _ = writeln!(
        text,
        "# Every number: value, plausible range, source, grade, confidence.\n"
    );
    let _ = writeln!(text, "label = {}", quoted(&profile.label));
    let notes = profile.notes.replace('\\', "\\\\").replace("\"\"\"", "'''");
    let notes: String = notes
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    let _ = writeln!(text, "notes = \"\"\"\n{notes}\"\"\"");
    let _ = writeln!(text, "tdp_w = {}", line(&profile.tdp_w));
    if let Some(edpp) = &profile.edpp_w {
        let _ = writeln!(text, "edpp_w = {}", line(edpp));
    }
    for (kind, phase) in profile.phases.iter() {
        let _ = writeln!(text, "\n[phases.{}]", kind.key());
        let _ = writeln!(text, "power_w = {}", line(&phase.power_w));
        for (key, number) in [
            ("spread_w", &phase.spread_w),
            ("correlation_time_s", &phase.correlation_time_s),
            ("duration_s", &phase.duration_s),
        ] {
            if let Some(number) = number {
                let _ = writeln!(text, "{key} = {}", line(number));
            }
        }
        for (key, change) in [("rise", &phase.rise), ("fall", &phase.fall)] {
            if let Some(change) = change {
                let _ = writeln!(text, "{key} = {}", transition(change));
            }
        }
    }
    text
}
