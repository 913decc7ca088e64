//! A power trace from the text that `dcgmi dmon` prints.
//!
//! A header `#Entity  POWER  TOTEC …` (older versions: `# Entity`), a line with the units that begins with `ID`, then one row
//! per entity (`GPU 0  412.1  …`); the header comes again every screenful. Names of fields as `dcgmi dmon --list` shows them:
//! POWER is field 155 (W), POWINST 157 (W), TOTEC 156 (mJ since the driver was loaded). Source: NVIDIA, DCGM documentation,
//! "dcgmi dmon" and "Field Identifiers" (docs.nvidia.com/datacenter/dcgm), and the field table of its published source.
//!
//! The text has no times: they are counted with `interval_s`, the `-d` of the command. Where each line was stamped on its way
//! (`dcgmi dmon … | ts %.s`) the stamps count instead.

use crate::csv_table::decode;
use crate::devices::{Device, Row, Sums, chosen, is_absent, sum};
use crate::load::{LoadedTrace, Read, TraceOptions};
use crate::problem::{Kind, Problems};
use crate::samples::{ColumnNames, Moment, Samples};
use crate::time::parse_timestamp;
use crate::unit::{TimeUnit, Unit};

/// Fields with power, in W, the one a logger's user means first; then the energy counter, in mJ.
const POWERS: [&str; 2] = ["POWER", "POWINST"];
const ENERGY: &str = "TOTEC";

/// Text before the header's mark and the names of the fields; `None` for any other line.
fn header(line: &str) -> Option<(&str, Vec<&str>)> {
    let at = line.find("#Entity").or_else(|| line.find("# Entity"))?;
    let (before, rest) = line.split_at(at);
    let mut words = rest.trim_start_matches(['#', ' ']).split_whitespace();
    (words.next() == Some("Entity")).then(|| (before.trim(), words.collect()))
}

/// Whether this is the text of `dcgmi dmon`.
pub(crate) fn is_dmon(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = &bytes[..bytes.len().min(400)];
    String::from_utf8_lossy(head)
        .lines()
        .find(|l| !l.trim().is_empty())
        .and_then(header)
        .is_some_and(|(before, _)| before.is_empty() || stamp(before).is_some())
}

/// A stamp in front of a line: date and time, or seconds since 1970.
fn stamp(text: &str) -> Option<Moment> {
    parse_timestamp(text).map(Moment::Nanos).or_else(|| {
        let seconds: f64 = text.parse().ok()?;
        (TimeUnit::of_epoch(seconds) == Some(TimeUnit::S))
            .then(|| Moment::Nanos((seconds * 1e6).round() as i64 * 1000))
    })
}

/// Reads a trace; `None` when there are problems.
pub(crate) fn read(bytes: &[u8], options: &TraceOptions, problems: &mut Problems) -> Read {
    let text = decode(bytes, problems)?;
    let (before, fields) = text.lines().find_map(header)?;
    let stamped = !before.is_empty();
    let mut found = vec!["text of dcgmi dmon".to_owned()];
    let interval_s = interval(stamped, options, problems);
    let field = field(&fields, options, &mut found, problems);
    let (rows, devices) = rows(text, &fields, field.unwrap_or(0), stamped, problems);
    let pick = chosen(&devices, options.devices.as_deref(), problems);
    let (interval_s, field) = (interval_s?, field?);
    let name = fields[field];
    let rows: Vec<Row> = rows.into_iter().filter(|r| pick[r.device]).collect();
    if rows.is_empty() {
        problems.file(
            "there is no row of a GPU",
            "print some with: dcgmi dmon -e 155 -d 100",
        );
        return None;
    }
    if !problems.is_empty() {
        return None;
    }
    let (unit, rows) = if name == ENERGY {
        found.push("energy counter: each value is the mean power since the poll before".to_owned());
        let scale = if stamped { 1e-9 } else { interval_s };
        (Unit::W, powers(rows, devices.len(), scale, problems))
    } else {
        (Unit::W, rows)
    };
    let (rows, time_unit) = if stamped {
        (rows, TimeUnit::Iso8601)
    } else {
        // Counted polls become times; the numbers themselves are needed to tell polls apart.
        let timed = rows
            .into_iter()
            .map(|r| Row {
                time: scaled(r.time, interval_s),
                ..r
            })
            .collect();
        (timed, TimeUnit::S)
    };
    let Sums { polls, notices } = sum(
        rows,
        &devices,
        (name, unit),
        time_unit,
        &mut found,
        problems,
    )?;
    let columns = ColumnNames {
        place: "line",
        time: "time".to_owned(),
        value: name.to_owned(),
    };
    let mut samples = Samples::new(columns, unit, time_unit);
    let n = polls.len();
    for poll in polls {
        samples.push(
            poll.line,
            Some(poll.time),
            &poll.time.text(),
            Some(poll.sum),
            problems,
        );
    }
    let checked = samples.finish(options.max_gap_s, n, problems)?;
    Some(LoadedTrace {
        notices,
        ..LoadedTrace::of(checked, (name, "time"), unit, time_unit, found)
    })
}

/// The GPUs in the text.
pub(crate) fn device_names(bytes: &[u8], problems: &mut Problems) -> Vec<String> {
    let fields = decode(bytes, problems)
        .and_then(|text| text.lines().find_map(header).map(|found| (text, found)));
    let Some((text, (before, fields))) = fields else {
        return Vec::new();
    };
    let (_, devices) = rows(text, &fields, 0, !before.is_empty(), problems);
    devices.into_iter().flatten().collect()
}

/// The time between polls: 1 where the lines have stamps, which are used instead.
fn interval(stamped: bool, options: &TraceOptions, problems: &mut Problems) -> Option<f64> {
    match options.interval_s {
        None if stamped => Some(1.0),
        Some(_) if stamped => {
            problems.file(
                "`interval_s` is set, and the lines have times of their own",
                "take `interval_s` out",
            );
            None
        }
        None => {
            problems.file(
                "dcgmi dmon prints no times",
                "set `interval_s` to the seconds between its polls: `-d 100` is 0.1, without -d it is 1",
            );
            None
        }
        stated => stated,
    }
}

/// Index of the field with the power, stated or by its name.
fn field(
    fields: &[&str],
    options: &TraceOptions,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<usize> {
    let place = |name: &str| fields.iter().position(|f| *f == name);
    let known = || {
        let all = fields
            .iter()
            .copied()
            .filter(|f| POWERS.contains(f) || *f == ENERGY);
        crate::find::list(&all.collect::<Vec<_>>())
    };
    if let Some(stated) = options.column.as_deref() {
        let index = place(stated).filter(|_| POWERS.contains(&stated) || stated == ENERGY);
        if index.is_none() {
            problems.column(
                Some(stated),
                "is no field with power in this text",
                format!("set `column` to one of {}", known()),
            );
        }
        return index;
    }
    let Some(index) = POWERS
        .iter()
        .find_map(|f| place(f))
        .or_else(|| place(ENERGY))
    else {
        problems.file(
            format!("none of its fields is power: {}", crate::find::list(fields)),
            "print power with: dcgmi dmon -e 155 -d 100",
        );
        return None;
    };
    found.push(format!("power from field {}", fields[index]));
    if fields[index] != ENERGY && place(ENERGY).is_some() {
        found.push(
            "with `column = \"TOTEC\"` it would be the mean power from the energy counter"
                .to_owned(),
        );
    }
    Some(index)
}

/// All rows of GPUs; their times are numbers of polls where there are no stamps.
fn rows(
    text: &str,
    fields: &[&str],
    field: usize,
    stamped: bool,
    problems: &mut Problems,
) -> (Vec<Row>, Vec<Device>) {
    let mut rows: Vec<Row> = Vec::new();
    let mut devices: Vec<Device> = Vec::new();
    let mut last: Option<u64> = None;
    let mut poll = 0_u32;
    for (line, row) in (1_u64..).zip(text.lines()) {
        if let Some((_, again)) = header(row) {
            if again != fields {
                problems.add(Kind::Column, Some(line), None, || {
                    (
                        "the header changes here".into(),
                        "keep the text of one run of dcgmi in one file".into(),
                    )
                });
            }
            continue;
        }
        let (before, row) = match row.find("GPU ") {
            Some(at) if stamped => row.split_at(at),
            _ => ("", row),
        };
        let words: Vec<&str> = row.split_whitespace().collect();
        // Units, blank lines, and entities other than whole GPUs.
        let [kind, id, cells @ ..] = words.as_slice() else {
            continue;
        };
        if *kind != "GPU" {
            continue;
        }
        if cells.len() != fields.len() {
            problems.add(Kind::Ragged, Some(line), None, || {
                (
                    format!("the row has {} values, the header {} fields", cells.len(), fields.len()),
                    "remove the row (a last one may be cut off), or print it without -e fields that are texts".into(),
                )
            });
            continue;
        }
        let Ok(number) = id.parse::<u64>() else {
            continue;
        };
        let device = devices.iter().position(|d| d[0] == *id).unwrap_or_else(|| {
            devices.push(vec![(*id).to_owned()]);
            devices.len() - 1
        });
        if last.is_some_and(|l| number <= l) {
            poll += 1;
        }
        last = Some(number);
        let time = if stamped {
            stamp(before.trim())
        } else {
            Some(Moment::Number(f64::from(poll)))
        };
        let cell = cells[field];
        let value: Option<f64> = cell.parse().ok().filter(|v: &f64| v.is_finite());
        let Some(time) = time else {
            problems.add(Kind::NotANumber, Some(line), None, || {
                (
                    format!("`{}` is no time", before.trim()),
                    "stamp the lines with: dcgmi dmon … | ts %.s".into(),
                )
            });
            continue;
        };
        if value.is_none() && !is_absent(cell) {
            problems.add(Kind::NotANumber, Some(line), Some(fields[field]), || {
                (format!("`{cell}` is not a number"), "remove the row".into())
            });
            continue;
        }
        rows.push(Row {
            line,
            time,
            device,
            value,
        });
    }
    (rows, devices)
}

fn scaled(time: Moment, by: f64) -> Moment {
    match time {
        Moment::Number(n) => Moment::Number(n * by),
        nanos @ Moment::Nanos(_) => nanos,
    }
}

/// Mean power in W between the polls of an energy counter in mJ; `scale` is seconds per unit of time.
fn powers(rows: Vec<Row>, devices: usize, scale: f64, problems: &mut Problems) -> Vec<Row> {
    let mut before: Vec<Option<(Moment, f64)>> = vec![None; devices];
    let mut powers = Vec::new();
    for row in rows {
        let Some(energy_mj) = row.value else {
            powers.push(row);
            continue;
        };
        let Some((then, had_mj)) = before[row.device].replace((row.time, energy_mj)) else {
            continue;
        };
        let span_s = match (row.time, then) {
            (Moment::Nanos(now), Moment::Nanos(then)) => {
                (i128::from(now) - i128::from(then)) as f64 * scale
            }
            (Moment::Number(now), Moment::Number(then)) => (now - then) * scale,
            _ => 0.0,
        };
        if energy_mj < had_mj || span_s <= 0.0 {
            problems.add(Kind::Order, Some(row.line), Some(ENERGY), || {
                (
                    format!(
                        "the energy counter goes from {had_mj} to {energy_mj} mJ in {span_s} s"
                    ),
                    "the driver was loaded anew, or a clock was set back: cut the file here".into(),
                )
            });
            continue;
        }
        powers.push(Row {
            value: Some((energy_mj - had_mj) * 1e-3 / span_s),
            ..row
        });
    }
    powers
}
