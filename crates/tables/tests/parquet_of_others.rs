//! Traces in Parquet files that other programs wrote.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use ballast_tables::{TimeUnit, TraceOptions, read_columns, read_trace};
use polars::prelude::TimeUnit as TimeUnitP;
use polars::prelude::{Column, DataFrame, DataType, ParquetWriter, TimeZone};

/// Writes columns as Parquet as another program would.
fn foreign(columns: Vec<Column>) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.parquet");
    let mut frame = DataFrame::new_infer_height(columns).unwrap();
    ParquetWriter::new(std::fs::File::create(&path).unwrap())
        .finish(&mut frame)
        .unwrap();
    (folder, path)
}

#[test]
fn timestamps_of_every_unit_and_small_numbers() {
    let power = Column::new("power_kw".into(), [3_i16, 4, 5]);
    for (unit, per_second) in [
        (TimeUnitP::Milliseconds, 1_000),
        (TimeUnitP::Microseconds, 1_000_000),
        (TimeUnitP::Nanoseconds, 1_000_000_000),
    ] {
        for zone in [None, Some(TimeZone::UTC)] {
            let start = 1_738_324_800_i64 * per_second;
            let stamps = Column::new(
                "when".into(),
                [start, start + per_second / 10, start + per_second / 5],
            )
            .cast(&DataType::Datetime(unit, zone))
            .unwrap();
            let (_folder, path) = foreign(vec![stamps, power.clone()]);
            let options = TraceOptions {
                time_column: Some("when".into()),
                ..TraceOptions::default()
            };
            let trace = read_trace(&path, &options).unwrap();
            assert_eq!(trace.time_s, [0.0, 0.1, 0.2]);
            assert_eq!(trace.value, [3000.0, 4000.0, 5000.0]);
            assert_eq!(trace.time_unit, TimeUnit::Iso8601);
        }
    }
    let texts = Column::new(
        "timestamp".into(),
        [
            "2025-01-31T12:00:00Z",
            "2025-01-31T12:00:01Z",
            "2025-01-31 12:00:02",
        ],
    );
    let (_folder, path) = foreign(vec![texts, power.cast(&DataType::UInt8).unwrap()]);
    assert_eq!(
        read_trace(&path, &TraceOptions::default()).unwrap().time_s,
        [0.0, 1.0, 2.0]
    );
    let counts = Column::new("t_ms".into(), [10_u32, 20, 30]);
    let (_folder, path) = foreign(vec![counts, power.cast(&DataType::Float32).unwrap()]);
    assert_eq!(
        read_trace(&path, &TraceOptions::default()).unwrap().time_s,
        [0.0, 0.01, 0.02]
    );
}

#[test]
fn parquet_problems_come_with_rows() {
    let time = Column::new(
        "t_s".into(),
        [Some(0.0), Some(1.0), None, Some(1.0), Some(4.0)],
    );
    let power = Column::new(
        "power_w".into(),
        [Some(1.0), None, Some(f64::NAN), Some(2.0), Some(-1.0)],
    );
    let (_folder, path) = foreign(vec![time, power]);
    let problems = read_trace(&path, &TraceOptions::default()).unwrap_err().0;
    let told: Vec<(Option<u64>, &str)> = problems
        .iter()
        .map(|p| (p.line, p.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Some(2), "row 2 is null"),
            (Some(3), "row 3 is NaN, not a finite number"),
            (Some(3), "row 3 is null"),
            (Some(4), "time 1 comes again after 1 in row 2"),
            (Some(5), "the power -1 W is negative"),
        ]
    );
    assert!(read_columns(&path).is_err());
}

#[test]
fn parquet_columns_that_are_no_numbers() {
    let time = Column::new("t_s".into(), [0.0, 1.0]);
    let words = Column::new("power_w".into(), ["a", "b"]);
    let (_folder, path) = foreign(vec![time.clone(), words]);
    let problems = read_trace(&path, &TraceOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        problems.contains("column `power_w`: is of type Utf8View; write it as numbers"),
        "{problems}"
    );
    let flags = Column::new("on".into(), [true, false]);
    let (_folder, path) = foreign(vec![time.clone(), flags]);
    let problems = read_trace(&path, &TraceOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        problems.contains("is of type Boolean") && problems.contains("has no unit"),
        "{problems}"
    );
    let (_folder, path) = foreign(vec![
        time.clone(),
        Column::new("power_w".into(), [1.0, 2.0]),
    ]);
    let options = TraceOptions {
        time_unit: Some(TimeUnit::Iso8601),
        ..TraceOptions::default()
    };
    assert!(
        read_trace(&path, &options)
            .unwrap_err()
            .to_string()
            .contains("holds numbers, not dates and times")
    );
    let (_folder, path) = foreign(vec![
        time.clear(),
        Column::new_empty("power_w".into(), &DataType::Float64),
    ]);
    assert!(
        read_trace(&path, &TraceOptions::default())
            .unwrap_err()
            .to_string()
            .contains("no data")
    );
}
