//! Traces as a front end hands them over: read, in watts at the bus, with what is to be known of them.

use std::sync::Arc;

use ballast_aggregate::{RatePoint, Request, RequestLog};
use ballast_scenario::{Interpolation, TraceLoad, TraceScope};
use ballast_series::{SeriesError, TraceSeries};

use crate::error::StudyProblem;

/// Longest interval between samples of a trace that tells ramps, seconds: 1 s, and a little for loggers that wait 1 s and come
/// late. GPU clusters change power within milliseconds to seconds; means over longer show the course of a day and none of that.
const COARSE_S: f64 = 1.05;

/// What a scenario needs beside itself.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// One entry per load of kind `trace`, in the order of the scenario's `loads`.
    pub traces: Vec<TraceInput>,
    /// Requests of the services whose arrivals are of kind `file`.
    pub arrivals: Vec<ArrivalInput>,
}

/// Requests of a service, or their rates, as a file has them.
#[derive(Debug, Clone)]
pub struct ArrivalInput {
    /// Number of the job in the scenario's `jobs`.
    pub job: usize,
    /// File as it stands in the scenario.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its rows.
    pub log: Arc<RequestLog>,
    /// What was found in the file rather than stated in the scenario, in words.
    pub found: Vec<String>,
}

/// Rows of a file of arrivals: requests, or points of a rate.
#[derive(Debug, Clone)]
pub struct RawArrivals {
    /// Times, seconds from the first row, not decreasing.
    pub time_s: Vec<f64>,
    /// Tokens of the prompts, where the file has them.
    pub prompt_tokens: Vec<Option<f32>>,
    /// Tokens of the answers, where the file has them.
    pub output_tokens: Vec<Option<f32>>,
    /// Rates, requests per second; `None` if each row is a request.
    pub per_s: Option<Vec<f64>>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What was found rather than stated, in words.
    pub found: Vec<String>,
}

impl ArrivalInput {
    /// The rows of `file` as requests of job number `job`.
    ///
    /// # Errors
    /// A [`StudyProblem`] at the job's file for rows that are none: none at all, out of order, negative.
    pub fn new(job: usize, file: &str, raw: RawArrivals) -> Result<Self, StudyProblem> {
        let times = || raw.time_s.iter().copied();
        let log = match raw.per_s {
            Some(per_s) => {
                let points = times().zip(per_s);
                RequestLog::rates(
                    points
                        .map(|(at_s, per_s)| RatePoint { at_s, per_s })
                        .collect(),
                )
            }
            None => RequestLog::requests(
                times()
                    .enumerate()
                    .map(|(i, at_s)| Request {
                        at_s,
                        prompt_tokens: raw.prompt_tokens.get(i).copied().flatten(),
                        output_tokens: raw.output_tokens.get(i).copied().flatten(),
                    })
                    .collect(),
            ),
        };
        let log = log.map_err(|e| StudyProblem {
            path: format!("jobs.{job}.arrivals.file"),
            message: e.to_string(),
            help: "mend the rows of the file".to_owned(),
        })?;
        Ok(Self {
            job,
            file: file.to_owned(),
            sha256: raw.sha256,
            log: Arc::new(log),
            found: raw.found,
        })
    }
}

/// A measured or computed trace, converted to watts at the bus.
#[derive(Debug, Clone)]
pub struct TraceInput {
    /// Name of the load.
    pub name: String,
    /// File as it stands in the scenario.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its samples, scaled, in watts at the bus; t = 0 is the start of the run.
    pub series: TraceSeries,
    /// Whether it holds its samples rather than joining them by lines.
    pub hold: bool,
    /// What was found in the file rather than stated in the scenario, in words.
    pub found: Vec<String>,
    /// Factor that was applied beside unit and offset; 1 if none.
    pub scale: f64,
    /// How many racks or nodes follow it, all in step.
    pub count: u32,
}

/// Samples of a file before they are scaled.
#[derive(Debug, Clone)]
pub struct RawTrace {
    /// Times, seconds from the first sample.
    pub time_s: Vec<f64>,
    /// Values: watts, or per unit where `per_unit` says so.
    pub value: Vec<f64>,
    /// Whether the values are per unit of `base_kw`.
    pub per_unit: bool,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What was found rather than stated, in words.
    pub found: Vec<String>,
}

impl TraceInput {
    /// Converts the samples of load number `index` of the scenario to watts at the bus.
    ///
    /// # Errors
    /// A [`StudyProblem`] at the load's path when the samples cannot serve: negative power after the offset, a start
    /// beyond the end, a scale that does not exist (mean or peak of zero).
    pub fn new(index: usize, spec: &TraceLoad, raw: RawTrace) -> Result<Self, StudyProblem> {
        let at = |key: &str, message: String, help: &str| StudyProblem {
            path: format!("loads.{index}.{key}"),
            message,
            help: help.to_owned(),
        };
        let to_w = if raw.per_unit {
            spec.base_kw.unwrap_or(1.0) * 1e3
        } else {
            1.0
        };
        let offset_w = spec.offset_kw * 1e3;
        let mut power_w: Vec<f64> = raw.value.iter().map(|v| v * to_w + offset_w).collect();
        let mean_w = time_mean(&raw.time_s, &power_w);
        let peak_w = power_w.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let wanted = [
            (spec.scale_to_mean_kw, mean_w, "scale_to_mean_kw", "mean"),
            (spec.scale_to_peak_kw, peak_w, "scale_to_peak_kw", "peak"),
        ];
        let mut scale = spec.scale.unwrap_or(1.0);
        for (target_kw, value_w, key, word) in wanted {
            let Some(target_kw) = target_kw else { continue };
            if value_w <= 0.0 {
                return Err(at(
                    key,
                    format!("the {word} of the trace is {value_w} W: nothing to scale"),
                    "give a trace with power in it, or set `scale`",
                ));
            }
            scale = target_kw * 1e3 / value_w;
        }
        let count = if spec.scope == TraceScope::Site {
            1
        } else {
            spec.count
        };
        for p in &mut power_w {
            *p *= scale * f64::from(count);
        }
        if let Some((row, w)) = power_w.iter().enumerate().find(|(_, w)| **w < 0.0) {
            return Err(at(
                "offset_kw",
                format!(
                    "sample {} is {:.6} kW after unit, offset and scale: a load is not negative",
                    row + 1,
                    w / 1e3
                ),
                "check `unit`, `base_kw` and `offset_kw`",
            ));
        }
        let time_s: Vec<f64> = raw.time_s.iter().map(|t| t - spec.start_s).collect();
        let end_s = time_s.last().copied().unwrap_or(0.0);
        if end_s <= 0.0 {
            return Err(at(
                "start_s",
                format!(
                    "start_s = {} s lies at or beyond the end of the trace, {:.3} s",
                    spec.start_s,
                    end_s + spec.start_s
                ),
                "choose a start inside the trace",
            ));
        }
        let hold = spec.interpolation == Interpolation::Hold;
        let unusable = |e: SeriesError| at("file", e.to_string(), "mend the samples of the file");
        let mut series = TraceSeries::new(time_s, power_w, hold).map_err(unusable)?;
        let mut found = raw.found;
        // The jumps of a coarse trace are made by its sampling.
        let hold = hold && series.interval_s() <= COARSE_S;
        if series.hold() && !hold {
            series = series.joined();
            found.push(format!(
                "its samples are {} s apart and are joined, not held: the jumps between them would be made by the sampling (give known steps as a load of kind `steps`)",
                series.interval_s()
            ));
        }
        Ok(Self {
            name: spec.name.clone(),
            file: spec.paths().join(" + "),
            sha256: raw.sha256,
            series,
            hold,
            found,
            scale,
            count,
        })
    }

    /// Whether its samples are so far apart (above 1 s, median) that they show means and the course of a day, and nothing of
    /// ramps, steps or oscillations.
    pub fn is_coarse(&self) -> bool {
        self.series.interval_s() > COARSE_S
    }

    /// Highest frequency the samples can carry, hertz: half the sampling rate.
    pub fn bandwidth_hz(&self) -> f64 {
        0.5 / self.series.interval_s()
    }
}

/// Mean over time by the trapezoidal rule, so that uneven sampling does not weigh in.
fn time_mean(time_s: &[f64], value: &[f64]) -> f64 {
    let span = time_s.last().copied().unwrap_or(0.0) - time_s.first().copied().unwrap_or(0.0);
    if span <= 0.0 {
        return value.first().copied().unwrap_or(0.0);
    }
    let area: f64 = time_s
        .windows(2)
        .zip(value.windows(2))
        .map(|(t, v)| (t[1] - t[0]) * (v[0] + v[1]) / 2.0)
        .sum();
    area / span
}
