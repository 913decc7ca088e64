//! A power trace from the JSON that Prometheus' `query_range` answers with.
//!
//! Several series (one per GPU or node) are summed time by time, and every series must have a sample at every time: what is
//! missing is a problem, not a zero. Energy counters become the mean power since the sample before.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::devices::{Device, chosen};
use crate::find::decide_unit;
use crate::load::{LoadedTrace, Read, TraceOptions};
use crate::problem::{Kind, Problems};
use crate::samples::{ColumnNames, Moment, Samples, fault};
use crate::unit::{TimeUnit, Unit};

/// Samples of one series by time in microseconds since 1970.
struct Series {
    label: String,
    metric: String,
    /// Values of its labels, and `label=value` of each.
    names: Device,
    samples: BTreeMap<i64, f64>,
}

/// Whether the file is JSON rather than a table.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
}

/// Reads a trace; `None` when there are problems.
pub(crate) fn read(bytes: &[u8], options: &TraceOptions, problems: &mut Problems) -> Read {
    for (option, stated) in [
        ("column", &options.column),
        ("time_column", &options.time_column),
    ] {
        if stated.is_some() {
            problems.file(
                format!("`{option}` is set, and an answer of Prometheus has no columns"),
                "take it out, and choose the series in the query",
            );
        }
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let series = pick(
        parse(bytes, problems)?,
        options.devices.as_deref(),
        problems,
    );
    let metric = series.first()?.metric.clone();
    if let Some(other) = series.iter().find(|s| s.metric != metric) {
        problems.file(
            format!(
                "it holds several metrics, `{metric}` and `{}`",
                other.metric
            ),
            "query one metric: adding different quantities up means nothing",
        );
        return None;
    }
    let mut found = vec![format!(
        "answer of Prometheus with {} series of `{metric}`",
        series.len()
    )];
    if series.len() > 1 {
        found.push(
            "the series are summed time by time; each must have a sample at every time".to_owned(),
        );
    }
    let joules = joules_per_unit(&metric);
    let unit = match joules {
        Some(_) => Unit::W,
        None if metric.starts_with("DCGM_FI_DEV_POWER_USAGE") && options.unit.is_none() => {
            found.push("unit W, as DCGM defines this field".to_owned());
            Unit::W
        }
        None => decide_unit(&metric, options.unit, None, &mut found, problems)?,
    };
    complete(&series, problems);
    let series = match joules {
        Some(joules) => powers(series, joules, &mut found),
        None => series,
    };
    for one in &series {
        for (time, value) in &one.samples {
            if let Some(fault) = fault(*value, unit) {
                let of = format!(" at {}", seconds(*time));
                fault.tell(None, &one.label, &of, problems);
            }
        }
    }
    if !problems.is_empty() {
        return None;
    }
    let mut sum: BTreeMap<i64, f64> = BTreeMap::new();
    for (time, value) in series.iter().flat_map(|s| &s.samples) {
        *sum.entry(*time).or_default() += value;
    }
    let columns = ColumnNames {
        place: "sample",
        time: "time".to_owned(),
        value: metric.clone(),
    };
    let mut samples = Samples::new(columns, unit, TimeUnit::Us);
    let rows = sum.len();
    for (row, (time, value)) in (1..).zip(&sum) {
        let moment = Some(Moment::Number(*time as f64));
        samples.push(row, moment, &seconds(*time), Some(*value), problems);
    }
    let checked = samples.finish(options.max_gap_s, rows, problems)?;
    Some(LoadedTrace::of(
        checked,
        (&metric, "time"),
        unit,
        TimeUnit::S,
        found,
    ))
}

/// A name of each series that no other one has; empty where one has none.
pub(crate) fn device_names(bytes: &[u8], problems: &mut Problems) -> Vec<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let series = parse(bytes, problems).unwrap_or_default();
    let own = |names: &Device| {
        let single = |n: &&String| {
            !n.contains(',') && series.iter().filter(|s| s.names.contains(n)).count() == 1
        };
        let labelled = names.iter().filter(single);
        labelled
            .clone()
            .find(|n| n.starts_with("gpu="))
            .or(labelled.clone().next())
            .cloned()
    };
    let names: Option<Vec<String>> = series.iter().map(|s| own(&s.names)).collect();
    names.unwrap_or_default()
}

/// The series whose labels are named by `devices = "gpu=0,gpu=1"`.
fn pick(series: Vec<Series>, stated: Option<&str>, problems: &mut Problems) -> Vec<Series> {
    let devices: Vec<Device> = series.iter().map(|s| s.names.clone()).collect();
    let keep = chosen(&devices, stated, problems);
    series
        .into_iter()
        .zip(keep)
        .filter(|(_, keep)| *keep)
        .map(|(series, _)| series)
        .collect()
}

/// Joules per unit of an energy counter; `None` for other metrics.
fn joules_per_unit(metric: &str) -> Option<f64> {
    match metric {
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION" => Some(1e-3),
        name if name.ends_with("_joules_total") => Some(1.0),
        _ => None,
    }
}

fn seconds(micros: i64) -> String {
    format!("{}", micros as f64 / 1e6)
}

/// The series of an answer; `None` with problems when it is not one of `query_range`.
fn parse(bytes: &[u8], problems: &mut Problems) -> Option<Vec<Series>> {
    let answer: Value = match serde_json::from_slice(bytes) {
        Ok(answer) => answer,
        Err(error) => {
            problems.add(Kind::File, Some(error.line() as u64), None, || {
                (
                    format!("the JSON is damaged: {error}"),
                    "save the whole answer".into(),
                )
            });
            return None;
        }
    };
    let kind = answer.pointer("/data/resultType").and_then(Value::as_str);
    let result = answer.pointer("/data/result").and_then(Value::as_array);
    let (Some("matrix"), Some(result)) = (kind, result) else {
        problems.file(
            "this JSON is not the answer of a range query (resultType matrix)",
            "save what /api/v1/query_range answers",
        );
        return None;
    };
    if result.is_empty() {
        problems.file(
            "the answer holds no series",
            "check the query and its time range",
        );
        return None;
    }
    let mut all = Vec::new();
    for (number, one) in (1..).zip(result) {
        let labels = one.get("metric").and_then(Value::as_object);
        let metric = labels
            .and_then(|l| l.get("__name__")?.as_str())
            .unwrap_or("value")
            .to_owned();
        let names: Vec<String> = labels
            .into_iter()
            .flatten()
            .filter(|(key, _)| *key != "__name__")
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")))
            .collect();
        let mut series = Series {
            label: format!("series {number} ({})", names.join(", ")),
            metric,
            names: labels
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key, value.as_str()?)))
                .flat_map(|(key, value)| [value.to_owned(), format!("{key}={value}")])
                .collect(),
            samples: BTreeMap::new(),
        };
        let pairs = one.get("values").and_then(Value::as_array);
        for pair in pairs.into_iter().flatten() {
            let time = pair.get(0).and_then(Value::as_f64);
            let value = pair
                .get(1)
                .and_then(Value::as_str)
                .and_then(|v| v.parse::<f64>().ok());
            let (Some(time), Some(value)) = (
                time.filter(|t| t.abs() < 1e11),
                value.filter(|v| v.is_finite()),
            ) else {
                problems.add(Kind::NotANumber, None, Some(&series.label), || {
                    (
                        format!("{pair} is no time with a finite number"),
                        "leave it out".into(),
                    )
                });
                continue;
            };
            let micros = (time * 1e6).round() as i64;
            if series.samples.insert(micros, value).is_some() {
                problems.add(Kind::Order, None, Some(&series.label), || {
                    (format!("two samples at {time}"), "keep one of them".into())
                });
            }
        }
        all.push(series);
    }
    Some(all)
}

/// Every series must have a sample at every time that another one has.
fn complete(series: &[Series], problems: &mut Problems) {
    let mut times: BTreeMap<i64, usize> = BTreeMap::new();
    for time in series.iter().flat_map(|s| s.samples.keys()) {
        *times.entry(*time).or_default() += 1;
    }
    let (Some((&begin, _)), Some((&end, _))) = (times.first_key_value(), times.last_key_value())
    else {
        return;
    };
    for one in series {
        let own = (one.samples.first_key_value(), one.samples.last_key_value());
        let (Some((&first, _)), Some((&last, _))) = own else {
            continue;
        };
        let late = (first > begin).then(|| {
            format!(
                "starts late, at {}; others at {}",
                seconds(first),
                seconds(begin)
            )
        });
        let early = (last < end).then(|| {
            format!(
                "stops early: its last sample is at {}, of others at {}",
                seconds(last),
                seconds(end)
            )
        });
        for what in late.into_iter().chain(early) {
            problems.add(Kind::Range, None, Some(&one.label), || {
                (what, "query the range in which every series is there, or leave this one out with `devices`".into())
            });
        }
    }
    for (time, _) in times.iter().filter(|(_, n)| **n < series.len()) {
        for one in series.iter().filter(|s| !s.samples.contains_key(time)) {
            problems.add(Kind::Gap, None, Some(&one.label), || {
                let message = format!(
                    "no sample at {}, where other series have one",
                    seconds(*time)
                );
                (
                    message,
                    "query a range in which every series is whole, or leave this one out".into(),
                )
            });
        }
    }
}

/// Mean power since the sample before, from energy counters. After a reset the counter began at zero, as `rate()` has it.
fn powers(series: Vec<Series>, joules: f64, found: &mut Vec<String>) -> Vec<Series> {
    let mut resets = Vec::new();
    let powers = series
        .into_iter()
        .map(|one| {
            let mut before: Option<(i64, f64)> = None;
            let mut samples = BTreeMap::new();
            for (&time, &energy) in &one.samples {
                if let Some((then, had)) = before.replace((time, energy)) {
                    let reset = energy < had;
                    if reset {
                        resets.push(seconds(time));
                    }
                    let gained = if reset { energy } else { energy - had };
                    samples.insert(time, gained * joules / ((time - then) as f64 / 1e6));
                }
            }
            Series { samples, ..one }
        })
        .collect();
    found.push("energy counter: each value is the mean power since the sample before".to_owned());
    if !resets.is_empty() {
        let shown = resets
            .iter()
            .take(5)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        found.push(format!(
            "{} counter resets (at {shown}): the counter is taken to begin at 0 after each, so that the power there is a lower bound",
            resets.len()
        ));
    }
    powers
}
