//! Writing traces and reading them back; errors while writing.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use ballast_series::{TraceBlock, TraceColumn, TraceSink};
use ballast_tables::{
    CsvSink, ParquetSink, TimeUnit, TraceOptions, Unit, WriteError, read_columns, read_trace,
};
use polars::prelude::{ParquetReader, SerReader};

const DT_S: f64 = 0.02;

/// Two signals with awkward values at sample `k`.
fn sample(k: usize) -> (f64, f64) {
    let x = k as f64;
    (
        1.0e6 + 1.0e5 * (0.37 * x).sin() / 3.0,
        if k.is_multiple_of(7) {
            -1e-9 * x
        } else {
            x * 1e17 / 3.0
        },
    )
}

/// Sends `rows` samples to the sink in blocks of `block` rows.
fn send(sink: &mut impl TraceSink, rows: usize, block: usize) {
    for from in (0..rows).step_by(block) {
        let (a, b): (Vec<f64>, Vec<f64>) = (from..rows.min(from + block)).map(sample).unzip();
        let columns = [
            TraceColumn {
                name: "site_power_w",
                unit: "W",
                values: &a,
            },
            TraceColumn {
                name: "odd, \"name\"_pu",
                unit: "pu",
                values: &b,
            },
        ];
        sink.block(&TraceBlock {
            t0_s: from as f64 * DT_S,
            dt_s: DT_S,
            columns: &columns,
        })
        .unwrap();
    }
}

fn metadata() -> Vec<(String, String)> {
    vec![
        ("ballast.version".into(), "0.1.0".into()),
        ("ballast.seed".into(), "42\nof many".into()),
    ]
}

fn parquet(path: &Path, rows: usize, block: usize) -> Vec<u8> {
    let mut sink = ParquetSink::create(path, &metadata()).unwrap();
    send(&mut sink, rows, block);
    assert_eq!(sink.finish().unwrap(), path);
    std::fs::read(path).unwrap()
}

fn check_read_back(path: &Path, rows: usize) {
    let columns = read_columns(path).unwrap();
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["t_s", "site_power_w", "odd, \"name\"_pu"]);
    for (_, column) in &columns {
        assert_eq!(column.len(), rows);
    }
    for k in 0..rows {
        let (a, b) = sample(k);
        let expected = [k as f64 * DT_S, a, b];
        for (value, (name, column)) in expected.iter().zip(&columns) {
            assert_eq!(value.to_bits(), column[k].to_bits(), "{name} at {k}");
        }
    }
}

#[test]
fn what_is_written_reads_back_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    // More than two row groups, with blocks that do not divide them.
    let rows = 2 * 65_536 + 1234;
    let path = folder.path().join("traces.parquet");
    parquet(&path, rows, 1000);
    check_read_back(&path, rows);
    let mut reader = ParquetReader::new(std::fs::File::open(&path).unwrap());
    let footer = reader.get_metadata().unwrap();
    assert_eq!(
        footer
            .row_groups
            .iter()
            .map(|group| group.num_rows() as u64)
            .collect::<Vec<_>>(),
        [65_536, 65_536, 1234]
    );
    let pairs: Vec<(String, Option<String>)> = footer
        .key_value_metadata()
        .iter()
        .flatten()
        .map(|kv| (kv.key.clone(), kv.value.clone()))
        .collect();
    assert!(
        pairs.contains(&("ballast.seed".into(), Some("42\nof many".into()))),
        "{pairs:?}"
    );
    assert!(
        pairs.contains(&("ballast.version".into(), Some("0.1.0".into()))),
        "{pairs:?}"
    );

    let path = folder.path().join("traces.csv");
    let mut sink = CsvSink::create(&path, &metadata()).unwrap();
    send(&mut sink, 3000, 700);
    assert_eq!(sink.finish().unwrap(), path);
    check_read_back(&path, 3000);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(
        "# ballast.version: 0.1.0\n# ballast.seed: 42 of many\nt_s,site_power_w,\"odd, \"\"name\"\"_pu\"\n0,1000000,-0\n0.02,"
    ));
    // Nothing else is left behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_written_trace_can_be_the_load_of_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.parquet");
    parquet(&path, 500, 100);
    let options = TraceOptions {
        column: Some("site_power_w".into()),
        ..TraceOptions::default()
    };
    let trace = read_trace(&path, &options).unwrap();
    assert_eq!(
        (trace.unit, trace.time_unit, trace.rows),
        (Unit::W, TimeUnit::S, 500)
    );
    assert_eq!(trace.value[3], sample(3).0);
    assert!((trace.interval_s - DT_S).abs() < 1e-12);
}

#[test]
fn the_same_blocks_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let first = parquet(&folder.path().join("a.parquet"), 100_000, 4096);
    // Other block sizes are other calls, but the same rows.
    let second = parquet(&folder.path().join("b.parquet"), 100_000, 333);
    assert!(first == second);
}

/// Run by `the_bytes_do_not_depend_on_threads` in other processes, as polars makes its threads once; alone it does nothing.
#[test]
fn child_that_writes() {
    if let Some(path) = std::env::var_os("BALLAST_TEST_CHILD_WRITES") {
        parquet(Path::new(&path), 150_000, 4096);
    }
}

#[test]
fn the_bytes_do_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let written: Vec<Vec<u8>> = ["1", "2", "7"]
        .iter()
        .map(|threads| {
            let path = folder.path().join(format!("{threads}.parquet"));
            let status = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child_that_writes", "--quiet"])
                .env("POLARS_MAX_THREADS", threads)
                .env("BALLAST_TEST_CHILD_WRITES", &path)
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap();
            assert!(status.success());
            std::fs::read(path).unwrap()
        })
        .collect();
    assert!(written[0] == written[1] && written[0] == written[2]);
    assert!(!written[0].is_empty());
}

fn one_block(
    name: &str,
    t0_s: f64,
    values: &[f64],
    sink: &mut impl TraceSink,
) -> Result<(), String> {
    let columns = [TraceColumn {
        name,
        unit: "W",
        values,
    }];
    sink.block(&TraceBlock {
        t0_s,
        dt_s: DT_S,
        columns: &columns,
    })
    .map_err(|error| error.to_string())
}

fn check(sink: &mut impl TraceSink) {
    let error = one_block("p_w", 0.0, &[f64::INFINITY], sink).unwrap_err();
    assert!(error.contains("`p_w` is inf at t = 0 s"), "{error}");
    one_block("p_w", 0.0, &[1.0, 2.0], sink).unwrap();
    let error = one_block("q_w", 0.04, &[1.0], sink).unwrap_err();
    assert!(
        error.contains("the columns change at t = 0.04 s"),
        "{error}"
    );
    let error = one_block("p_w", 0.08, &[1.0], sink).unwrap_err();
    assert!(
        error.contains("begins at t = 0.08 s with a step of 0.02 s where t = 0.04 s was next"),
        "{error}"
    );
    let error = one_block("p_w", 0.04, &[1.0, f64::NAN], sink).unwrap_err();
    assert!(error.contains("`p_w` is NaN at t = 0.06 s"), "{error}");
    one_block("p_w", 0.04, &[1.0, 2.0], sink).unwrap();
}

#[test]
fn blocks_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = CsvSink::create(&folder.path().join("a.csv"), &[]).unwrap();
    let mut parquet = ParquetSink::create(&folder.path().join("a.parquet"), &[]).unwrap();
    check(&mut csv);
    check(&mut parquet);
    csv.finish().unwrap();
    parquet.finish().unwrap();
    assert_eq!(
        read_columns(&folder.path().join("a.csv")).unwrap()[0].1,
        [0.0, 0.02, 0.04, 0.06]
    );
    assert_eq!(
        read_columns(&folder.path().join("a.parquet")).unwrap()[1].1,
        [1.0, 2.0, 1.0, 2.0]
    );
}

#[test]
fn an_unfinished_trace_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = ParquetSink::create(&folder.path().join("a.parquet"), &[]).unwrap();
    one_block("p_w", 0.0, &[1.0], &mut sink).unwrap();
    drop(sink);
    let sink = CsvSink::create(&folder.path().join("a.csv"), &[]).unwrap();
    assert!(matches!(sink.finish(), Err(WriteError::Nothing { .. })));
    let sink = ParquetSink::create(&folder.path().join("b.parquet"), &[]).unwrap();
    assert!(matches!(sink.finish(), Err(WriteError::Nothing { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn files_that_cannot_be_made_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no").join("a.csv");
    let error = CsvSink::create(&path, &[]).unwrap_err().to_string();
    assert!(
        error.contains("no/a.csv") && error.contains("No such file"),
        "{error}"
    );
    let error = ParquetSink::create(folder.path(), &[])
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with("cannot create") && error.contains("directory"),
        "{error}"
    );
}

/// A link to the device that is always full stands in for a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let full = |name: &str| {
        let path = folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", folder.path().join(format!("{name}.partial")))
            .unwrap();
        path
    };
    // Little enough to stay in the buffer until the end.
    let mut sink = CsvSink::create(&full("a.csv"), &[]).unwrap();
    one_block("p_w", 0.0, &[1.0], &mut sink).unwrap();
    let error = sink.finish().unwrap_err().to_string();
    assert!(
        error.contains("cannot write")
            && error.contains("a.csv")
            && error.contains("No space left"),
        "{error}"
    );
    let mut sink = ParquetSink::create(&full("a.parquet"), &[]).unwrap();
    one_block("p_w", 0.0, &[1.0], &mut sink).unwrap();
    let error = sink.finish().unwrap_err().to_string();
    assert!(
        error.contains("cannot write")
            && error.contains("a.parquet")
            && error.contains("No space left"),
        "{error}"
    );
    // So much that it fails on the way.
    let values: Vec<f64> = (0..200_000).map(|k| sample(k).0).collect();
    let mut sink = CsvSink::create(&full("b.csv"), &[]).unwrap();
    let error = one_block("p_w", 0.0, &values, &mut sink).unwrap_err();
    assert!(
        error.contains("b.csv") && error.contains("No space left"),
        "{error}"
    );
    let mut sink = ParquetSink::create(&full("b.parquet"), &[]).unwrap();
    let error = one_block("p_w", 0.0, &values, &mut sink).unwrap_err();
    assert!(
        error.contains("b.parquet") && error.contains("No space left"),
        "{error}"
    );
}

/// Broken Parquet must end in a problem, whatever the decoder makes of it.
#[test]
fn damaged_parquet_is_refused_or_read_but_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let whole = parquet(&path, 300, 100);
    for length in (0..whole.len()).step_by(97) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(read_columns(&path).is_err(), "{length}");
    }
    let mut state = 1_u64;
    for _ in 0..200 {
        let mut bytes = whole.clone();
        for _ in 0..4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = 4 + (state >> 33) as usize % (bytes.len() - 4);
            bytes[at] ^= (state >> 20) as u8 | 1;
        }
        std::fs::write(&path, &bytes).unwrap();
        let _ = read_columns(&path);
        let _ = read_trace(
            &path,
            &TraceOptions {
                column: Some("site_power_w".into()),
                ..TraceOptions::default()
            },
        );
    }
}
