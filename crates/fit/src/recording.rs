//! A recording of frequency and power, checked and made ready.

use crate::spec::{FitSpec, RecordingSpec};

/// Most samples of one recording; more are a day's log, not an event.
const MOST_SAMPLES: usize = 200_000;
/// Power within this share of the rating of the first sample counts as quiet.
const QUIET_SHARE: f64 = 0.02;
/// Quiet samples below which the noise is not estimated.
const FEWEST_QUIET: usize = 10;
/// Least noise assumed, per unit of nominal frequency (3 mHz at 60 Hz): no transducer and no model is better.
const LEAST_NOISE_PU: f64 = 5e-5;
/// Noise assumed where it cannot be estimated, per unit.
const USUAL_NOISE_PU: f64 = 3e-4;

/// Columns of a recording, as a table reader gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Name for messages and reports, as the file's.
    pub name: String,
    /// Columns by name: `t_s`; `f_hz` or `f_pu`; `p_kw`. Capitals do not matter, others (a voltage) are not looked at.
    pub columns: Vec<(String, Vec<f64>)>,
}

/// A recording that can be compared with a simulation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prepared {
    pub(crate) name: String,
    pub(crate) t_s: Vec<f64>,
    pub(crate) p_w: Vec<f64>,
    /// Deviation of the frequency from where it stood before the load moved, per unit.
    pub(crate) deviation: Vec<f64>,
    /// Load in the quiet beginning, watts.
    pub(crate) first_w: f64,
    pub(crate) noise_pu: f64,
    /// Median time between samples, seconds.
    pub(crate) interval_s: f64,
    pub(crate) notes: Vec<String>,
}

/// What is wrong with a recording: message and what would be right.
pub(crate) type Wrong = (String, String);

/// Reads the columns.
///
/// # Errors
/// Every reason why the recording cannot be used.
pub(crate) fn prepare(
    recording: &Recording,
    spec: &RecordingSpec,
    set: &FitSpec,
) -> Result<Prepared, Vec<Wrong>> {
    let column = |names: &[&str]| {
        recording
            .columns
            .iter()
            .find(|(name, _)| names.iter().any(|n| name.trim().eq_ignore_ascii_case(n)))
            .map(|(name, values)| (name.as_str(), values))
    };
    let mut wrong = Vec::new();
    let found: Vec<&str> = recording.columns.iter().map(|(n, _)| n.as_str()).collect();
    let mut need = |names: &[&str]| {
        let got = column(names);
        if got.is_none() {
            wrong.push((
                format!(
                    "{}: no column {}; there are {}",
                    recording.name,
                    names.join(" or "),
                    found.join(", ")
                ),
                "name the columns t_s, f_hz (or f_pu) and p_kw".to_owned(),
            ));
        }
        got
    };
    let (t, f, p) = (need(&["t_s"]), need(&["f_hz", "f_pu"]), need(&["p_kw"]));
    let (Some((_, t)), Some((f_name, f)), Some((_, p))) = (t, f, p) else {
        return Err(wrong);
    };
    let scale = if f_name.trim().eq_ignore_ascii_case("f_hz") {
        set.frequency_hz
    } else {
        1.0
    };
    let (from, to) = (
        spec.from_s.unwrap_or(f64::NEG_INFINITY),
        spec.to_s.unwrap_or(f64::INFINITY),
    );
    let rows: Vec<(f64, f64, f64)> = t
        .iter()
        .zip(f)
        .zip(p)
        .map(|((t, f), p)| (*t, f / scale, p * 1e3))
        .filter(|(t, _, _)| (from..=to).contains(t))
        .collect();
    if rows.len() < 20 {
        wrong.push((
            format!(
                "{}: {} samples between from_s and to_s",
                recording.name,
                rows.len()
            ),
            "give at least 20, some of them before the load moves".to_owned(),
        ));
        return Err(wrong);
    }
    if rows.len() > MOST_SAMPLES {
        wrong.push((
            format!("{}: {} samples", recording.name, rows.len()),
            format!("at most {MOST_SAMPLES}; cut out the event with from_s and to_s"),
        ));
    }
    if let Some(at) = rows.windows(2).position(|w| w[1].0 <= w[0].0) {
        wrong.push((
            format!(
                "{}: the time does not rise after {} s",
                recording.name, rows[at].0
            ),
            "sort the rows; cut out one event with from_s and to_s".to_owned(),
        ));
    }
    if let Some(row) = rows.iter().find(|r| !(0.4..=1.6).contains(&r.1)) {
        wrong.push((
            format!(
                "{}: a frequency of {:.4} of nominal at {} s",
                recording.name, row.1, row.0
            ),
            "f_hz is in hertz, f_pu per unit of frequency_hz; cut out what no set does with from_s and to_s"
                .to_owned(),
        ));
    }
    let rated_w = set.rated_kw * 1e3;
    if let Some(row) = rows.iter().find(|r| r.2 < 0.0 || r.2 > 1.5 * rated_w) {
        wrong.push((
            format!(
                "{}: a power of {:.1} kW at {} s, the set has {} kW",
                recording.name,
                row.2 / 1e3,
                row.0,
                set.rated_kw
            ),
            "p_kw is the electrical power of this one set in kilowatts".to_owned(),
        ));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    ready(&rows, rated_w, recording, spec, set)
}

/// The quiet beginning gives the first load, where the frequency stood, and its noise.
fn ready(
    rows: &[(f64, f64, f64)],
    rated_w: f64,
    recording: &Recording,
    spec: &RecordingSpec,
    set: &FitSpec,
) -> Result<Prepared, Vec<Wrong>> {
    let quiet = rows
        .iter()
        .take_while(|r| (r.2 - rows[0].2).abs() <= QUIET_SHARE * rated_w)
        .count();
    if quiet == rows.len() {
        return Err(vec![(
            format!(
                "{}: the power never leaves ± {} % of the rating around its first sample",
                recording.name,
                QUIET_SHARE * 100.0
            ),
            "record a load step, or another part of the file".to_owned(),
        )]);
    }
    let calm = &rows[..quiet];
    let mean =
        |of: &dyn Fn(&(f64, f64, f64)) -> f64| calm.iter().map(of).sum::<f64>() / quiet as f64;
    let (f0, first_w) = (mean(&|r| r.1), mean(&|r| r.2));
    let spread = (calm.iter().map(|r| (r.1 - f0) * (r.1 - f0)).sum::<f64>()
        / (quiet as f64 - 1.0).max(1.0))
    .sqrt();
    let mut notes = Vec::new();
    let noise_pu = match spec.noise_hz {
        Some(hz) => hz / set.frequency_hz,
        None if quiet >= FEWEST_QUIET => spread.max(LEAST_NOISE_PU),
        None => {
            notes.push(format!(
                "{}: only {quiet} samples before the load moves; a noise of {:.3} Hz is assumed and the frequency before is uncertain",
                recording.name,
                USUAL_NOISE_PU * set.frequency_hz
            ));
            USUAL_NOISE_PU
        }
    };
    if spread > 2e-3 {
        notes.push(format!(
            "{}: the frequency is not steady before the load moves ({:.2} Hz)",
            recording.name,
            spread * set.frequency_hz
        ));
    }
    let start = rows[0].0;
    let mut intervals: Vec<f64> = rows.windows(2).map(|w| w[1].0 - w[0].0).collect();
    intervals.sort_by(f64::total_cmp);
    let interval_s = intervals[intervals.len() / 2];
    if interval_s > 0.1 {
        notes.push(format!(
            "{}: samples every {interval_s:.2} s do not show how a set answers in its first tenths of a second",
            recording.name
        ));
    }
    Ok(Prepared {
        name: recording.name.clone(),
        t_s: rows.iter().map(|r| r.0 - start).collect(),
        p_w: rows.iter().map(|r| r.2).collect(),
        deviation: rows.iter().map(|r| r.1 - f0).collect(),
        first_w,
        noise_pu,
        interval_s,
        notes,
    })
}
