//! A power trace, or a table of numbers, from Parquet.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{
    ArrowDataType, DataFrame, DataType, ParallelStrategy, ParquetReader, PolarsResult, SerReader,
    TimeUnit as PolarsTimeUnit,
};

use crate::cell::{decide_time_unit, moment};
use crate::find;
use crate::load::{LoadedTrace, Read, TraceOptions};
use crate::problem::{Kind, Problems};
use crate::samples::{ColumnNames, Moment, Samples};
use crate::unit::TimeUnit;

/// The column of a recording of GPUs with the sum over them.
const RECORDED_POWER: &str = "power_w";

/// Whether a file is a recording of GPUs, as `ballast record` writes it: `power_w` beside columns such as `gpu0.instant_w`.
fn is_recording(names: &[String]) -> bool {
    let of_gpu = |name: &String| {
        name.strip_prefix("gpu")
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(index, _)| index.parse::<u32>().is_ok())
    };
    names.iter().any(|n| n == RECORDED_POWER) && names.iter().any(of_gpu)
}

/// Name and type of a column.
type Field = (String, ArrowDataType);

/// Reads a trace; `None` when there are problems.
pub(crate) fn read(bytes: &[u8], options: &TraceOptions, problems: &mut Problems) -> Read {
    let schema = schema(bytes, problems)?;
    let names: Vec<String> = schema.iter().map(|(name, _)| name.clone()).collect();
    let mut found = Vec::new();
    let time = find::time_column(&names, options.time_column.as_deref(), &mut found, problems);
    let recording = options.column.is_none() && is_recording(&names);
    if recording {
        found.push(format!(
            "a recording of GPUs: `{RECORDED_POWER}` is the sum over them"
        ));
    }
    let stated = options.column.as_deref();
    let stated = stated.or_else(|| recording.then_some(RECORDED_POWER));
    let value = find::value_column(&names, stated, time, &mut found, problems);
    let unit =
        value.and_then(|i| find::decide_unit(&names[i], options.unit, None, &mut found, problems));
    if let Some(field) = value
        .map(|i| &schema[i])
        .filter(|field| !is_number(&field.1))
    {
        wrong_type(field, "numbers", problems);
    }
    if let Some(field) = time
        .map(|i| &schema[i])
        .filter(|field| !is_number(&field.1) && !is_time(&field.1))
    {
        wrong_type(field, "numbers or timestamps", problems);
    }
    let (Some(time), Some(value), Some(unit), true) = (time, value, unit, problems.is_empty())
    else {
        return None;
    };
    let (time, column) = (&names[time], &names[value]);

    let frame = columns(bytes, &[time, column], problems)?;
    let values = numbers(&frame, column, problems)?;
    let times = moments(&frame, time, options.time_unit, &mut found, problems)?;
    let rows = values.len();
    let place = ColumnNames {
        place: "row",
        time: time.clone(),
        value: column.clone(),
    };
    let mut samples = Samples::new(place, unit, times.unit);
    let mut skipped = 0_u64;
    for (i, value) in values.into_iter().enumerate() {
        let row = i as u64 + 1;
        // A recording has a hole where a GPU gave no power: a gap like any other.
        if recording && value.is_none() {
            skipped += 1;
            continue;
        }
        let value = present(row, column, value, problems);
        let (moment, text) = times.at(i, row, time, problems);
        samples.push(row, moment, &text, value, problems);
    }
    let checked = samples.finish(options.max_gap_s, rows - skipped as usize, problems)?;
    if skipped > 0 {
        found.push(format!(
            "{skipped} of {rows} samples are left out because a GPU gave no power in them: gaps, bridged as `max_gap_s` allows"
        ));
    }
    Some(LoadedTrace::of(
        checked,
        (column, time),
        unit,
        times.unit,
        found,
    ))
}

/// Reads all columns as numbers; `None` when there are problems.
pub(crate) fn read_all(bytes: &[u8], problems: &mut Problems) -> Option<Vec<(String, Vec<f64>)>> {
    let schema = schema(bytes, problems)?;
    for field in schema.iter().filter(|field| !is_number(&field.1)) {
        wrong_type(field, "numbers", problems);
    }
    if !problems.is_empty() {
        return None;
    }
    let names: Vec<&String> = schema.iter().map(|(name, _)| name).collect();
    let frame = columns(bytes, &names, problems)?;
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        let mut column = Vec::with_capacity(frame.height());
        for (i, value) in numbers(&frame, name, problems)?.into_iter().enumerate() {
            column.extend(present(i as u64 + 1, name, value, problems));
        }
        all.push((name.clone(), column));
    }
    problems.is_empty().then_some(all)
}

/// Columns with holes, and the file's key-value metadata.
pub(crate) type Holey = (Vec<(String, Vec<Option<f64>>)>, Vec<(String, String)>);

/// Reads all columns as numbers, and the metadata; `None` when there are problems.
pub(crate) fn read_holey(bytes: &[u8], problems: &mut Problems) -> Option<Holey> {
    let schema = schema(bytes, problems)?;
    for field in schema.iter().filter(|field| !is_number(&field.1)) {
        wrong_type(field, "numbers", problems);
    }
    if !problems.is_empty() {
        return None;
    }
    let names: Vec<&String> = schema.iter().map(|(name, _)| name).collect();
    let frame = columns(bytes, &names, problems)?;
    let columns = names
        .into_iter()
        .map(|name| Some((name.clone(), numbers(&frame, name, problems)?)))
        .collect::<Option<_>>()?;
    let metadata = guarded(problems, || {
        let mut reader = reader(bytes);
        let pairs = reader.get_metadata()?.key_value_metadata().as_ref();
        let pairs = pairs.into_iter().flatten();
        // The schema in Arrow's own form is the writer's business.
        Ok(pairs
            .filter(|pair| pair.key != "ARROW:schema")
            .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
            .collect())
    })?;
    Some((columns, metadata))
}

/// Names of the columns.
pub(crate) fn names(bytes: &[u8], problems: &mut Problems) -> Option<Vec<String>> {
    let schema = schema(bytes, problems)?;
    Some(schema.into_iter().map(|(name, _)| name).collect())
}

/// Names of the columns that hold numbers or times.
pub(crate) fn number_names(bytes: &[u8], problems: &mut Problems) -> Option<Vec<String>> {
    let schema = schema(bytes, problems)?;
    let usable = schema
        .into_iter()
        .filter(|(_, dtype)| is_number(dtype) || is_time(dtype));
    Some(usable.map(|(name, _)| name).collect())
}

/// Reads columns of numbers by their names; columns of texts are left empty.
pub(crate) fn open_named(
    bytes: &[u8],
    time: &str,
    values: &[&String],
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<Beside> {
    let schema = schema(bytes, problems)?;
    let place = |name: &str| schema.iter().position(|field| field.0 == name);
    let numeric: Vec<usize> = values
        .iter()
        .filter_map(|name| place(name))
        .filter(|i| is_number(&schema[*i].1))
        .collect();
    let mut table = open(bytes, place(time)?, &numeric, None, found, problems)?;
    let mut read = std::mem::take(&mut table.values).into_iter();
    table.values = values
        .iter()
        .map(|name| match place(name) {
            Some(i) if is_number(&schema[i].1) => read.next().unwrap_or_default(),
            _ => vec![None; table.rows],
        })
        .collect();
    Some(table)
}

/// A time column and columns of numbers beside it.
pub(crate) struct Beside {
    pub(crate) rows: usize,
    pub(crate) times: Moments,
    /// In the order they were asked for; `None` where a cell is null.
    pub(crate) values: Vec<Vec<Option<f64>>>,
}

/// Reads columns by their index; `None` when one is of a type that cannot serve.
pub(crate) fn open(
    bytes: &[u8],
    time: usize,
    values: &[usize],
    time_unit: Option<TimeUnit>,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<Beside> {
    let schema = schema(bytes, problems)?;
    let time = &schema[time];
    let values: Vec<&Field> = values.iter().map(|i| &schema[*i]).collect();
    for field in values.iter().filter(|field| !is_number(&field.1)) {
        wrong_type(field, "numbers", problems);
    }
    if !is_number(&time.1) && !is_time(&time.1) {
        wrong_type(time, "numbers or timestamps", problems);
    }
    if !problems.is_empty() {
        return None;
    }
    let mut wanted = vec![&time.0];
    wanted.extend(values.iter().map(|field| &field.0));
    let frame = columns(bytes, &wanted, problems)?;
    let times = moments(&frame, &time.0, time_unit, found, problems)?;
    let values = values
        .iter()
        .map(|field| numbers(&frame, &field.0, problems))
        .collect::<Option<Vec<_>>>()?;
    Some(Beside {
        rows: frame.height(),
        times,
        values,
    })
}

/// Runs polars on bytes that may be anything. Its decoder panics on some broken files; that is a problem like any other.
fn guarded<T>(problems: &mut Problems, work: impl FnOnce() -> PolarsResult<T>) -> Option<T> {
    let help = "write the file anew, or as CSV";
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            problems.file(
                format!("is no Parquet file that can be read: {error}"),
                help,
            );
            None
        }
        Err(_) => {
            problems.file(
                "is no Parquet file that can be read: its contents are damaged",
                help,
            );
            None
        }
    }
}

fn reader(bytes: &[u8]) -> ParquetReader<Cursor<&[u8]>> {
    ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None)
}

fn schema(bytes: &[u8], problems: &mut Problems) -> Option<Vec<Field>> {
    guarded(problems, || {
        let schema = reader(bytes).schema()?;
        Ok(schema
            .iter_values()
            .map(|field| (field.name.to_string(), field.dtype.clone()))
            .collect())
    })
}

/// Reads only the named columns; their types have been checked, as polars panics on types it was built without.
fn columns(bytes: &[u8], names: &[&String], problems: &mut Problems) -> Option<DataFrame> {
    let names = names.iter().map(|name| (*name).clone()).collect();
    guarded(problems, || {
        reader(bytes)
            .with_columns(Some(names))
            .set_rechunk(true)
            .finish()
    })
}

fn is_number(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as T;
    matches!(
        dtype,
        T::Int8
            | T::Int16
            | T::Int32
            | T::Int64
            | T::UInt8
            | T::UInt16
            | T::UInt32
            | T::UInt64
            | T::Float32
            | T::Float64
    )
}

fn is_time(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as T;
    matches!(
        dtype,
        T::Timestamp(..) | T::Date64 | T::Utf8 | T::LargeUtf8 | T::Utf8View
    )
}

fn wrong_type((name, dtype): &Field, wanted: &str, problems: &mut Problems) {
    problems.column(
        Some(name),
        format!("is of type {dtype:?}"),
        format!("write it as {wanted}, or state another column"),
    );
}

/// A column as 64-bit floats, `None` where it is null.
fn numbers(frame: &DataFrame, name: &str, problems: &mut Problems) -> Option<Vec<Option<f64>>> {
    guarded(problems, || {
        let column = frame.column(name)?.cast(&DataType::Float64)?;
        Ok(column.f64()?.iter().collect())
    })
}

fn null(row: u64, name: &str, problems: &mut Problems) {
    problems.add(Kind::Empty, Some(row), Some(name), || {
        (
            format!("row {row} is null"),
            "write a number, or leave the row out".into(),
        )
    });
}

/// A cell that is neither null nor infinite nor NaN; `None` with a problem otherwise.
pub(crate) fn present(
    row: u64,
    name: &str,
    value: Option<f64>,
    problems: &mut Problems,
) -> Option<f64> {
    match value {
        None => null(row, name, problems),
        Some(value) if !value.is_finite() => {
            problems.add(Kind::NotFinite, Some(row), Some(name), || {
                (
                    format!("row {row} is {value}, not a finite number"),
                    "write a number, or leave the row out".into(),
                )
            });
        }
        Some(value) => return Some(value),
    }
    None
}

/// A time column.
pub(crate) struct Moments {
    pub(crate) unit: TimeUnit,
    cells: Cells,
}

enum Cells {
    Numbers(Vec<Option<f64>>),
    /// Nanoseconds since 1970.
    Stamps(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
}

impl Moments {
    /// The moment of a row and the text it has in messages.
    pub(crate) fn at(
        &self,
        i: usize,
        row: u64,
        name: &str,
        problems: &mut Problems,
    ) -> (Option<Moment>, String) {
        let (found, text) = match &self.cells {
            Cells::Numbers(all) => {
                let value = all[i];
                return (
                    present(row, name, value, problems).map(Moment::Number),
                    value.map_or_else(String::new, |v| v.to_string()),
                );
            }
            Cells::Stamps(all) => (
                all[i].map(Moment::Nanos),
                all[i].map(|ns| format!("{ns} ns since 1970")),
            ),
            Cells::Texts(all) => match &all[i] {
                Some(text) => return (moment(row, name, text, self.unit, problems), text.clone()),
                None => (None, None),
            },
        };
        if found.is_none() {
            null(row, name, problems);
        }
        (found, text.unwrap_or_default())
    }
}

/// The time column of `frame` with its unit; `None` when there are problems.
fn moments(
    frame: &DataFrame,
    name: &str,
    stated: Option<TimeUnit>,
    found: &mut Vec<String>,
    problems: &mut Problems,
) -> Option<Moments> {
    let dtype = guarded(problems, || Ok(frame.column(name)?.dtype().clone()))?;
    match dtype {
        DataType::Datetime(polars_unit, _) => {
            let nanos = match polars_unit {
                PolarsTimeUnit::Nanoseconds => 1,
                PolarsTimeUnit::Microseconds => 1_000,
                PolarsTimeUnit::Milliseconds => 1_000_000,
            };
            if stated.is_some_and(|unit| unit != TimeUnit::Iso8601) {
                problems.column(
                    Some(name),
                    "holds timestamps, not numbers",
                    "leave out `time_unit`",
                );
                return None;
            }
            found.push(format!("column `{name}` holds timestamps"));
            let raw: Vec<Option<i64>> = guarded(problems, || {
                let physical = frame
                    .column(name)?
                    .as_materialized_series()
                    .to_physical_repr()
                    .into_owned();
                Ok(physical.i64()?.iter().collect())
            })?;
            let stamps: Option<Vec<Option<i64>>> = raw
                .into_iter()
                .map(|cell| {
                    cell.map_or(Some(None), |value: i64| value.checked_mul(nanos).map(Some))
                })
                .collect();
            if stamps.is_none() {
                problems.column(
                    Some(name),
                    "holds a time outside the years 1678 to 2262",
                    "correct it",
                );
            }
            Some(Moments {
                unit: TimeUnit::Iso8601,
                cells: Cells::Stamps(stamps?),
            })
        }
        DataType::String => {
            let texts: Vec<Option<String>> = guarded(problems, || {
                Ok(frame
                    .column(name)?
                    .str()?
                    .iter()
                    .map(|text| text.map(str::to_owned))
                    .collect())
            })?;
            let first = texts.first().and_then(Option::as_deref);
            let unit = decide_time_unit(name, stated, first, found, problems)?;
            Some(Moments {
                unit,
                cells: Cells::Texts(texts),
            })
        }
        _ => {
            let numbers = numbers(frame, name, problems)?;
            if stated == Some(TimeUnit::Iso8601) {
                problems.column(
                    Some(name),
                    "holds numbers, not dates and times",
                    "set `time_unit` to s, ms or us",
                );
                return None;
            }
            let first = numbers.first().copied().flatten().map(|v| v.to_string());
            let unit = decide_time_unit(name, stated, first.as_deref(), found, problems)?;
            Some(Moments {
                unit,
                cells: Cells::Numbers(numbers),
            })
        }
    }
}
