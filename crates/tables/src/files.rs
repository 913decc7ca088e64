//! One trace from several files, each with a clock of its own: nodes or racks that were logged apart and are summed.
//!
//! Files are put together by absolute time. Their clocks are believed only as far as they agree: files that hardly overlap, or
//! that begin and end whole hours apart (time zones, summer time), are refused until `clock_offset_s` says what to add to each.
//! The sum stands at the samples of the coarsest file, so that its interval is the true one; the others are read between their
//! samples by straight lines. Only the time that all files cover is kept.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::load::{LoadedTrace, TraceOptions, hex, read_trace};
use crate::problem::{TableProblem, TableProblems};
use crate::samples::whole_hours;
use crate::time::format_timestamp;
use crate::unit::Unit;

/// Files must share this part of the shortest one, unless their clocks are stated.
const LEAST_SHARED: f64 = 0.5;

/// A file's span on the common clock, in seconds.
struct Span {
    start_s: f64,
    end_s: f64,
}

/// Reads the sum of several traces; with one file the same as [`read_trace`].
///
/// `clock_offset_s` is empty, or holds the seconds to add to the clock of each file, in their order; stating it means that the
/// clocks are known, so that only files without any common time are refused. [`LoadedTrace::sha256`] is the checksum of the files'
/// checksums.
///
/// # Errors
/// All problems of all files; units that do not go together; clocks that cannot be compared or do not agree, with the first and
/// last time of each file.
pub fn read_traces(
    files: &[PathBuf],
    clock_offset_s: &[f64],
    options: &TraceOptions,
) -> Result<LoadedTrace, TableProblems> {
    let mut problems = Vec::new();
    let mut traces = Vec::new();
    for file in files {
        match read_trace(file, options) {
            Ok(trace) => traces.push((file.as_path(), trace)),
            Err(found) => problems.extend(found.0),
        }
    }
    if !problems.is_empty() {
        return Err(TableProblems(problems));
    }
    let shift = |i: usize| clock_offset_s.get(i).copied().unwrap_or(0.0);
    match traces.as_mut_slice() {
        [] => Err(one(Path::new(""), "no file is named", "name at least one")),
        [(_, only)] => {
            let start = only.start_unix_s.map(|s| s + shift(0));
            Ok(LoadedTrace {
                start_unix_s: start,
                ..only.clone()
            })
        }
        _ => {
            same_units(&traces)?;
            let spans = spans(&traces, clock_offset_s)?;
            agree(&traces, &spans, !clock_offset_s.is_empty())?;
            sum(&traces, &spans)
        }
    }
}

fn one(file: &Path, message: impl Into<String>, help: impl Into<String>) -> TableProblems {
    TableProblems(vec![TableProblem {
        file: file.to_owned(),
        line: None,
        column: None,
        message: message.into(),
        help: help.into(),
    }])
}

/// Watts and per unit cannot be summed.
fn same_units(traces: &[(&Path, LoadedTrace)]) -> Result<(), TableProblems> {
    let per_unit = |t: &LoadedTrace| t.unit == Unit::PerUnit;
    match traces
        .iter()
        .find(|t| per_unit(&t.1) != per_unit(&traces[0].1))
    {
        Some((file, _)) => Err(one(
            file,
            format!(
                "one of {} and it is in per unit, the other is not",
                traces[0].0.display()
            ),
            "set `unit`, or give all files in one unit",
        )),
        None => Ok(()),
    }
}

/// Where each file lies on the common clock.
fn spans(traces: &[(&Path, LoadedTrace)], offset_s: &[f64]) -> Result<Vec<Span>, TableProblems> {
    let dated = traces.iter().filter(|t| t.1.start_unix_s.is_some()).count();
    if dated < traces.len() && (dated > 0 || offset_s.is_empty()) {
        let without: Vec<String> = traces
            .iter()
            .filter(|t| t.1.start_unix_s.is_none())
            .map(|t| t.0.display().to_string())
            .collect();
        let help = if dated > 0 {
            "write dates and times into all files, or into none"
        } else {
            "set `clock_offset_s` to the seconds by which each file began after the first: [0, 0] if at the same moment"
        };
        return Err(one(
            traces[0].0,
            format!(
                "nothing says how the clocks of the files stand to each other: no dates in {}",
                without.join(", ")
            ),
            help,
        ));
    }
    Ok(traces
        .iter()
        .enumerate()
        .map(|(i, (_, trace))| {
            let start_s =
                trace.start_unix_s.unwrap_or(0.0) + offset_s.get(i).copied().unwrap_or(0.0);
            Span {
                start_s,
                end_s: start_s + trace.time_s.last().copied().unwrap_or(0.0),
            }
        })
        .collect())
}

/// The time that all files cover.
fn common(spans: &[Span]) -> Span {
    Span {
        start_s: spans
            .iter()
            .map(|s| s.start_s)
            .fold(f64::NEG_INFINITY, f64::max),
        end_s: spans.iter().map(|s| s.end_s).fold(f64::INFINITY, f64::min),
    }
}

/// Refuses clocks that do not agree.
fn agree(
    traces: &[(&Path, LoadedTrace)],
    spans: &[Span],
    stated: bool,
) -> Result<(), TableProblems> {
    let shared = common(spans);
    let shared_s = shared.end_s - shared.start_s;
    let shortest_s = spans
        .iter()
        .map(|s| s.end_s - s.start_s)
        .fold(f64::INFINITY, f64::min);
    let hours: Vec<i32> = spans.iter().map(|s| hours_off(&spans[0], s)).collect();
    let zones = hours.iter().any(|h| *h != 0);
    let enough = if stated {
        shared_s > 0.0
    } else {
        shared_s >= LEAST_SHARED * shortest_s
    };
    if enough && (stated || !zones) {
        return Ok(());
    }
    let what = if zones {
        "the clocks of the files are whole hours apart, as with another time zone or summer time"
            .to_owned()
    } else if shared_s <= 0.0 {
        "the files have no time in common".to_owned()
    } else {
        format!(
            "the files have {shared_s:.1} s in common, less than half of the shortest one ({shortest_s:.1} s)"
        )
    };
    let list: Vec<String> = traces
        .iter()
        .zip(spans)
        .map(|((file, trace), span)| {
            format!(
                "{} from {} to {} ({:+.3} s)",
                file.display(),
                shown(span.start_s, trace.start_unix_s.is_some()),
                shown(span.end_s, trace.start_unix_s.is_some()),
                span.start_s - spans[0].start_s
            )
        })
        .collect();
    let offsets: Vec<String> = spans
        .iter()
        .zip(&hours)
        .map(|(span, hours)| {
            let by_s = if zones {
                -3600.0 * f64::from(*hours)
            } else {
                spans[0].start_s - span.start_s
            };
            format!("{:.0}", by_s + 0.0)
        })
        .collect();
    let help = format!(
        "set `clock_offset_s` to the seconds to add to the clock of each file ([{}] if they {}), or name files of the same time",
        offsets.join(", "),
        if zones {
            "recorded the same hours"
        } else {
            "began at the same moment"
        }
    );
    Err(one(
        traces[0].0,
        format!("{what}: {}", list.join("; ")),
        help,
    ))
}

/// By how many whole hours a file begins and ends later than the first one; 0 if by no whole number of hours.
fn hours_off(first: &Span, other: &Span) -> i32 {
    let start = whole_hours(other.start_s - first.start_s);
    let end = whole_hours(other.end_s - first.end_s);
    start.filter(|_| start == end).unwrap_or(0)
}

fn shown(time_s: f64, dated: bool) -> String {
    if dated {
        format_timestamp((time_s * 1e3).round() as i64 * 1_000_000)
    } else {
        format!("{time_s:.3} s")
    }
}

/// The sum over the time that all files cover, at the samples of the coarsest one.
fn sum(traces: &[(&Path, LoadedTrace)], spans: &[Span]) -> Result<LoadedTrace, TableProblems> {
    let shared = common(spans);
    let mut coarsest = 0;
    for (i, (_, trace)) in traces.iter().enumerate() {
        if trace.interval_s > traces[coarsest].1.interval_s * (1.0 + 1e-6) {
            coarsest = i;
        }
    }
    // Times from the start of the coarsest file: differences of absolute times lose digits.
    let lead_s: Vec<f64> = spans
        .iter()
        .map(|s| spans[coarsest].start_s - s.start_s)
        .collect();
    let base = &traces[coarsest].1;
    let slack_s = 1e-6;
    let first_s = shared.start_s - spans[coarsest].start_s - slack_s;
    let last_s = shared.end_s - spans[coarsest].start_s + slack_s;
    let grid: Vec<usize> = (0..base.rows)
        .filter(|i| (first_s..=last_s).contains(&base.time_s[*i]))
        .collect();
    let ([first, .., last], true) = (grid.as_slice(), grid.len() > 1) else {
        return Err(one(
            traces[0].0,
            format!(
                "the files have less than two samples of {} in common",
                traces[coarsest].0.display()
            ),
            "set `clock_offset_s`, or name files of the same time",
        ));
    };
    let mut value = vec![0.0; grid.len()];
    for ((_, trace), lead_s) in traces.iter().zip(&lead_s) {
        for (sum, i) in value.iter_mut().zip(&grid) {
            *sum += at(trace, base.time_s[*i] + lead_s);
        }
    }
    let time_s: Vec<f64> = grid
        .iter()
        .map(|i| base.time_s[*i] - base.time_s[*first])
        .collect();
    let longest_gap_s = time_s.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max);
    let longest_gap_s = traces
        .iter()
        .map(|t| t.1.longest_gap_s)
        .fold(longest_gap_s, f64::max);
    let mut found = Vec::new();
    let mut notices = Vec::new();
    for (file, trace) in traces {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        found.extend(trace.found.iter().map(|f| format!("{name}: {f}")));
        notices.extend(trace.notices.iter().map(|n| format!("{name}: {n}")));
    }
    found.push(format!(
        "{} files are summed at the samples of {}, over the {:.3} s that all of them cover, {:.3} s after its first sample",
        traces.len(),
        traces[coarsest].0.display(),
        base.time_s[*last] - base.time_s[*first],
        base.time_s[*first]
    ));
    let mut all = Sha256::new();
    for (_, trace) in traces {
        all.update(trace.sha256.as_bytes());
    }
    Ok(LoadedTrace {
        rows: value.len(),
        interval_s: base.interval_s,
        longest_gap_s,
        start_unix_s: base
            .start_unix_s
            .map(|_| spans[coarsest].start_s + base.time_s[*first]),
        sha256: hex(&all.finalize()),
        column: base.column.clone(),
        time_column: base.time_column.clone(),
        unit: base.unit,
        time_unit: base.time_unit,
        time_s,
        value,
        found,
        notices,
    })
}

/// Value of a trace at a time inside it, on the line between two samples; beyond them the end ones.
fn at(trace: &LoadedTrace, time_s: f64) -> f64 {
    let after = trace.time_s.partition_point(|t| *t <= time_s);
    let (Some(before), true) = (after.checked_sub(1), after < trace.rows) else {
        let end = if after == 0 { 0 } else { trace.rows - 1 };
        return trace.value[end];
    };
    let share = (time_s - trace.time_s[before]) / (trace.time_s[after] - trace.time_s[before]);
    trace.value[before] + (trace.value[after] - trace.value[before]) * share
}
