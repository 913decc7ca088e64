//! A log of GPUs with all it says of each: power, clocks, utilisation, memory, temperature, throttle reasons.
//!
//! [`read_trace`](crate::read_trace) sums GPUs to one power; here they stay apart. Rows of CSV and Parquet name their GPU in a column
//! (`index`, `gpu_index`, `uuid`), or columns do in front of their name (`gpu0_power_w`). Names of columns as `nvidia-smi
//! --help-query-gpu` has them, and those in plain words with a unit (`power_w`, `sm_clock_mhz`, `mem_used_mib`). A cell without a value
//! (`[N/A]`) is NaN. Of `dcgmi dmon` and Prometheus only the power is taken.

mod at_once;
mod bad_rows;

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::cell::{decide_time_unit, moment};
use crate::csv_table::{Table, split_number};
use crate::devices::is_absent;
use crate::find;
use crate::gpu_reading::{Reading, Wanted, driver_column, gpu_of, identity, wanted};
use crate::load::{hex, is_parquet, read_bytes};
use crate::problem::{Kind, Problems};
use crate::samples::Moment;
use crate::unit::TimeUnit;
use crate::{TableProblems, TraceOptions, dcgmi, parquet_trace, prometheus, read_trace};
use at_once::rows_at_once;
use bad_rows::{MOST_BAD, drop_crumbs, left_out, put_in_order};

/// One GPU's rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GpuColumns {
    /// Index on its node, where the log has one.
    pub index: Option<u32>,
    /// UUID; empty where the log has none.
    pub uuid: String,
    /// Name of the part; empty where the log has none.
    pub name: String,
    /// Driver; empty where the log has none.
    pub driver: String,
    /// Seconds after the first row of the log; never falls.
    pub time_s: Vec<f64>,
    /// Readings, as long as `time_s`; NaN where the log has no value.
    pub readings: BTreeMap<Reading, Vec<f64>>,
}

/// A log of GPUs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GpuLog {
    /// The GPUs in the order of their index, else as they come in the file.
    pub gpus: Vec<GpuColumns>,
    /// Date and time of the first row; empty where the log has none.
    pub started: String,
    /// Seconds since 1970 of the first row, where the log has dates.
    pub start_unix_s: Option<f64>,
    /// What was found rather than stated, in words.
    pub found: Vec<String>,
    /// SHA-256 of the file's bytes, lower-case hexadecimal digits.
    pub sha256: String,
}

/// How to read a log of GPUs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GpuLogOptions {
    /// Time between polls of text without times (`dcgmi dmon`), seconds.
    pub interval_s: Option<f64>,
    /// Whether rows of a CSV that are torn (another number of cells than the header, cells that are no number) or whose time steps back are
    /// left out, up to a twentieth of all, and told. Loggers of several processes that write to one file tear its rows.
    pub skip_bad_rows: bool,
    /// Column with the power, where its name does not tell it or several could be it.
    pub column: Option<String>,
}

/// Reads a log of GPUs; the format is told by its first bytes.
///
/// # Errors
/// Everything that is wrong with the file, with lines: unreadable, no column with power or time, cells that are no number, times that step
/// back, GPUs with fewer than two rows.
pub fn read_gpu_log(path: &Path, options: &GpuLogOptions) -> Result<GpuLog, TableProblems> {
    let interval_s = options.interval_s;
    let mut problems = Problems::new(path);
    let Some(bytes) = read_bytes(path, &mut problems) else {
        return Err(problems.into_problems());
    };
    let sha256 = hex(&Sha256::digest(&bytes));
    if dcgmi::is_dmon(&bytes) || prometheus::is_json(&bytes) {
        return power_alone(path, &bytes, interval_s, sha256);
    }
    let log = if is_parquet(&bytes) {
        parquet(&bytes, options, &mut problems)
    } else {
        csv(&bytes, options, &mut problems)
    };
    let log = log.and_then(|log| finish(log, options.skip_bad_rows, &mut problems));
    match log {
        Some(log) if problems.is_empty() => Ok(GpuLog { sha256, ..log }),
        _ => {
            if problems.is_empty() {
                problems.file(
                    "there is no row with a power",
                    "log at least two samples of each GPU",
                );
            }
            Err(problems.into_problems())
        }
    }
}

/// The power of each device, through the readers that know these formats.
fn power_alone(
    path: &Path,
    bytes: &[u8],
    interval_s: Option<f64>,
    sha256: String,
) -> Result<GpuLog, TableProblems> {
    let mut ignored = Problems::new(path);
    let names = if dcgmi::is_dmon(bytes) {
        dcgmi::device_names(bytes, &mut ignored)
    } else {
        prometheus::device_names(bytes, &mut ignored)
    };
    let options = TraceOptions {
        interval_s,
        ..TraceOptions::default()
    };
    // One device, or none that can be told apart: what is wrong is said by the reader.
    let names = if names.is_empty() {
        vec![None]
    } else {
        names.into_iter().map(Some).collect()
    };
    let mut log = GpuLog {
        sha256,
        ..GpuLog::default()
    };
    for name in names {
        let trace = read_trace(
            path,
            &TraceOptions {
                devices: name.clone(),
                ..options.clone()
            },
        )?;
        // Sample times count from each device's own first one.
        let base = *log
            .start_unix_s
            .get_or_insert(trace.start_unix_s.unwrap_or(0.0));
        let shift_s = trace.start_unix_s.map_or(0.0, |s| s - base);
        let text = name.unwrap_or_default();
        let number = text.rsplit(['=', ' ']).next().unwrap_or("").parse().ok();
        log.gpus.push(GpuColumns {
            index: number,
            name: String::new(),
            time_s: trace.time_s.iter().map(|t| t + shift_s).collect(),
            readings: BTreeMap::from([(Reading::PowerW, trace.value)]),
            ..GpuColumns::default()
        });
        log.found = trace.found;
    }
    Ok(log)
}

/// Rows as they come, before they are checked.
#[derive(Default)]
struct Gathered {
    /// GPU by its identity.
    gpus: Vec<(String, GpuColumns, Vec<u64>)>,
    origin: Option<Moment>,
    unit: Option<TimeUnit>,
    found: Vec<String>,
}

impl Gathered {
    fn gpu(&mut self, key: &str) -> &mut (String, GpuColumns, Vec<u64>) {
        let at = self
            .gpus
            .iter()
            .position(|g| g.0 == key)
            .unwrap_or_else(|| {
                self.gpus
                    .push((key.to_owned(), GpuColumns::default(), Vec::new()));
                self.gpus.len() - 1
            });
        &mut self.gpus[at]
    }
}

/// Which columns of a table hold what.
struct Layout {
    time: usize,
    unit: TimeUnit,
    /// Columns that name the GPU of a row.
    keys: Vec<usize>,
    /// Column, the GPU that its name begins with, what it holds.
    readings: Vec<(usize, Option<u32>, Wanted)>,
    driver: Option<usize>,
}

fn layout(
    names: &[String],
    first: Option<&str>,
    column: Option<&str>,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<Layout> {
    let time = find::time_column(names, None, found, problems)?;
    let unit = decide_time_unit(&names[time], None, first, found, problems)?;
    let others = (0..names.len()).filter(|i| *i != time);
    let mut readings: Vec<(usize, Option<u32>, Wanted)> = others
        .clone()
        .filter_map(|i| {
            let (gpu, name) = gpu_of(&names[i]);
            wanted(name).map(|w| (i, gpu, w))
        })
        .collect();
    // Beside columns of single GPUs, one without a GPU is their sum.
    if readings.iter().any(|r| r.1.is_some()) {
        readings.retain(|r| r.1.is_some());
    }
    let power = |r: &(usize, Option<u32>, Wanted)| r.2.reading.is_power();
    if column.is_some() {
        readings.retain(|r| !power(r));
    }
    if !readings.iter().any(power) {
        // A table in other words: the one column that looks like power.
        let column = find::value_column(names, column, Some(time), found, problems)?;
        let cell = find::decide_unit(&names[column], None, None, found, problems)?;
        readings.push((column, None, Wanted::of(Reading::PowerW, cell.factor())));
    }
    Some(Layout {
        time,
        unit,
        keys: others.clone().filter(|i| identity(&names[*i])).collect(),
        driver: others.clone().find(|i| driver_column(&names[*i])),
        readings,
    })
}

fn csv(bytes: &[u8], options: &GpuLogOptions, problems: &mut Problems) -> Option<GpuLog> {
    let skip_bad_rows = options.skip_bad_rows;
    // What is wrong with single rows.
    let mut torn = Problems::new(problems.path());
    let mut read = 0_u64;
    let mut table = Table::open(bytes, problems)?;
    let names = table.names.clone();
    let mut broken = false;
    let mut gathered = Gathered {
        found: std::mem::take(&mut table.found),
        ..Gathered::default()
    };
    let mut plan: Option<Layout> = None;
    while let Some((line, record)) = table.next_row(&mut broken, &mut torn) {
        read += 1;
        if plan.is_none() {
            let at = find::time_column(
                &names,
                None,
                &mut Vec::new(),
                &mut Problems::new(Path::new("")),
            );
            let first = at.and_then(|t| record.get(t)).map(str::to_owned);
            plan = Some(layout(
                &names,
                first.as_deref(),
                options.column.as_deref(),
                &mut gathered.found,
                problems,
            )?);
        }
        let Some(layout) = &plan else { break };
        let cell = |i: usize| record.get(i).unwrap_or("");
        let Some(when) = moment(
            line,
            &names[layout.time],
            cell(layout.time),
            layout.unit,
            &mut torn,
        ) else {
            continue;
        };
        let is_torn = |(i, _, w): &(usize, Option<u32>, Wanted)| {
            w.value(cell(*i)).is_none() && !is_absent(cell(*i))
        };
        if skip_bad_rows && layout.readings.iter().any(is_torn) {
            torn.add(Kind::NotANumber, Some(line), None, Default::default);
            continue;
        }
        let value = |w: Wanted, i: usize, problems: &mut Problems| {
            let text = cell(i);
            let value = w.value(text);
            if value.is_none() && !is_absent(text) {
                problems.add(Kind::NotANumber, Some(line), Some(&names[i]), || {
                    (
                        format!("`{text}` is not a number"),
                        "write a number, or [N/A] where there is none".into(),
                    )
                });
            }
            value.filter(|v| v.is_finite()).unwrap_or(f64::NAN)
        };
        take(
            &mut gathered,
            layout,
            (line, when),
            &names,
            &cell,
            value,
            &mut torn,
        );
    }
    let (lines, count) = torn.lines();
    // A logger that was stopped leaves half a row.
    let line = bytes.split(|b| *b == b'\n').count() as u64;
    if count == 1 && lines == [line] && !bytes.ends_with(b"\n") {
        gathered.found.push(format!(
            "the last row, line {line}, is cut off and was left out"
        ));
    } else if count > 0 && skip_bad_rows && count as f64 <= MOST_BAD * (read + count) as f64 {
        gathered.found.push(left_out("are torn", &lines, count));
    } else {
        problems.absorb(torn);
    }
    log_of(gathered)
}

/// Adds one row to the GPUs that it tells of.
fn take<'a>(
    gathered: &mut Gathered,
    layout: &Layout,
    (line, when): (u64, Moment),
    names: &[String],
    cell: &impl Fn(usize) -> &'a str,
    value: impl Fn(Wanted, usize, &mut Problems) -> f64,
    problems: &mut Problems,
) {
    let origin = *gathered.origin.get_or_insert(when);
    gathered.unit = Some(layout.unit);
    let time_s = when.seconds_since(origin, layout.unit);
    let key: String = layout
        .keys
        .iter()
        .map(|i| cell(*i))
        .collect::<Vec<_>>()
        .join("\u{1f}");
    let mut prefixes: Vec<Option<u32>> = layout.readings.iter().map(|r| r.1).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    for prefix in prefixes {
        let own = match prefix {
            Some(n) => format!("{key}\u{1f}gpu{n}"),
            None => key.clone(),
        };
        let (_, gpu, lines) = gathered.gpu(&own);
        if gpu.time_s.is_empty() {
            gpu.index = prefix;
            for i in &layout.keys {
                let (name, text) = (names[*i].to_lowercase(), cell(*i).trim());
                if name.contains("uuid") {
                    text.clone_into(&mut gpu.uuid);
                } else if name.contains("name") {
                    text.clone_into(&mut gpu.name);
                } else if gpu.index.is_none() {
                    gpu.index = text.parse().ok();
                }
            }
            if let Some(i) = layout.driver {
                cell(i).trim().clone_into(&mut gpu.driver);
            }
        }
        let n = gpu.time_s.len();
        gpu.time_s.push(time_s);
        lines.push(line);
        for (i, _, w) in layout.readings.iter().filter(|r| r.1 == prefix) {
            let found = value(*w, *i, problems);
            let column = gpu.readings.entry(w.reading).or_default();
            column.resize(n, f64::NAN);
            match w.bit {
                // Several columns of yes and no make one word of bits.
                Some(_) if column.len() > n => {
                    let had = column[n];
                    column[n] = if had.is_nan() {
                        found
                    } else if found.is_nan() {
                        had
                    } else {
                        had + found
                    };
                }
                // Of two columns with the same quantity (`power.limit`, `enforced.power.limit`) the first one counts.
                None if column.len() > n => {}
                _ => column.push(found),
            }
        }
    }
}

fn parquet(bytes: &[u8], options: &GpuLogOptions, problems: &mut Problems) -> Option<GpuLog> {
    let names = parquet_trace::number_names(bytes, problems)?;
    let mut gathered = Gathered::default();
    let time = find::time_column(&names, None, &mut gathered.found, problems)?;
    let columns: Vec<usize> = (0..names.len()).filter(|i| *i != time).collect();
    let wanted: Vec<&String> = columns.iter().map(|i| &names[*i]).collect();
    let table =
        parquet_trace::open_named(bytes, &names[time], &wanted, &mut gathered.found, problems)?;
    let plan = Layout {
        unit: table.times.unit,
        ..layout(
            &names,
            Some("0"),
            options.column.as_deref(),
            &mut Vec::new(),
            problems,
        )?
    };
    let place: BTreeMap<usize, usize> =
        columns.iter().enumerate().map(|(at, i)| (*i, at)).collect();
    for row in 0..table.rows {
        let line = row as u64 + 1;
        let (Some(when), _) = table.times.at(row, line, &names[time], problems) else {
            continue;
        };
        let number = |i: usize| place.get(&i).and_then(|at| table.values[*at][row]);
        let texts: Vec<String> = (0..names.len())
            .map(|i| number(i).map_or_else(String::new, |v| v.to_string()))
            .collect();
        let cell = |i: usize| texts.get(i).map_or("", String::as_str);
        let value = |w: Wanted, i: usize, _: &mut Problems| {
            number(i)
                .filter(|v| v.is_finite())
                .map_or(f64::NAN, |v| w.scaled(v))
        };
        take(
            &mut gathered,
            &plan,
            (line, when),
            &names,
            &cell,
            value,
            problems,
        );
    }
    log_of(gathered)
}

fn log_of(gathered: Gathered) -> Option<GpuLog> {
    let unit = gathered.unit?;
    let origin = gathered.origin?;
    let start_unix_s = match origin {
        Moment::Nanos(ns) => Some(ns as f64 / 1e9),
        Moment::Number(v) => (TimeUnit::of_epoch(v) == Some(unit)).then(|| v / unit.per_second()),
    };
    let started = match origin {
        Moment::Nanos(_) => origin.text(),
        Moment::Number(_) => String::new(),
    };
    let mut log = GpuLog {
        started,
        start_unix_s,
        found: gathered.found,
        ..GpuLog::default()
    };
    for (_, mut gpu, lines) in gathered.gpus {
        // The lines travel with the rows until they are checked.
        gpu.readings
            .insert(Reading::Line, lines.iter().map(|l| *l as f64).collect());
        log.gpus.push(gpu);
    }
    Some(log)
}

/// Checks what every log must satisfy, and puts shares that are percent right.
fn finish(mut log: GpuLog, skip_bad_rows: bool, problems: &mut Problems) -> Option<GpuLog> {
    let mut back: Vec<u64> = Vec::new();
    let rows: usize = log.gpus.iter().map(|g| g.time_s.len()).sum();
    for gpu in &mut log.gpus {
        let mut lines = gpu.readings.remove(&Reading::Line).unwrap_or_default();
        if skip_bad_rows {
            back.extend(put_in_order(gpu, &mut lines));
        }
        for (i, pair) in gpu.time_s.windows(2).enumerate() {
            if pair[1] < pair[0] {
                let line = lines.get(i + 1).map(|l| *l as u64);
                problems.add(Kind::Order, line, None, || {
                    (
                        format!("the time steps back by {:.3} s", pair[0] - pair[1]),
                        "a clock was set back, or rows are out of order: cut the file here or sort it".into(),
                    )
                });
            }
        }
        if let Some(shares) = gpu.readings.get_mut(&Reading::Utilisation)
            && shares.iter().any(|u| *u > 1.0)
        {
            for share in shares {
                *share *= 0.01;
            }
        }
        let n = gpu.time_s.len();
        for column in gpu.readings.values_mut() {
            column.resize(n, f64::NAN);
        }
        gpu.readings
            .retain(|_, column| column.iter().any(|v| v.is_finite()));
        for (reading, column) in gpu.readings.iter().filter(|(r, _)| r.is_power()) {
            for (value, line) in column.iter().zip(&lines) {
                if *value < 0.0 || *value > 1e5 {
                    problems.add(Kind::Negative, Some(*line as u64), None, || {
                        (
                            format!("the {} of a GPU is {value} W", reading.text()),
                            "give watts of one GPU, 0 to 100 000".into(),
                        )
                    });
                }
            }
        }
    }
    if !back.is_empty() {
        back.sort_unstable();
        if back.len() as f64 > MOST_BAD * rows as f64 {
            problems.file(
                format!(
                    "{} of {rows} rows step back in time, the first on line {}",
                    back.len(),
                    back[0]
                ),
                "more than a twentieth: sort the file by time first",
            );
        } else {
            log.found
                .push(left_out("step back in time", &back, back.len() as u64));
        }
    }
    log.gpus.retain(|g| {
        g.readings
            .keys()
            .any(|r| r.is_power() || *r == Reading::EnergyJ)
    });
    if skip_bad_rows {
        drop_crumbs(&mut log);
    }
    for gpu in &log.gpus {
        if let Some(rows) = rows_at_once(gpu) {
            problems.file(
                format!("{rows} rows at each time and no column that says which GPU"),
                "log `index` or `uuid` too; of one GPU, log times finer than the rows come",
            );
        }
    }
    for gpu in log.gpus.iter().filter(|g| g.time_s.len() < 2) {
        problems.file(
            format!(
                "GPU {} has one sample",
                gpu.index
                    .map_or_else(|| gpu.uuid.clone(), |i| i.to_string())
            ),
            "log at least two samples of each GPU",
        );
    }
    if log.gpus.iter().all(|g| g.index.is_some()) {
        log.gpus.sort_by_key(|g| g.index);
    }
    (!log.gpus.is_empty()).then_some(log)
}

/// A cell as a number, whatever unit follows it.
pub(crate) fn number(text: &str) -> Option<f64> {
    split_number(text.trim_end_matches(['%', ' '])).map(|(value, _)| value)
}
