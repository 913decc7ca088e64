//! Reading traces from CSV: what is found, and every way a file can be broken.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use ballast_tables::{
    LoadedTrace, TableProblems, TimeUnit, TraceOptions, Unit, read_columns, read_trace,
};

/// Reads `text` as a file.
fn read(text: impl AsRef<[u8]>, options: &TraceOptions) -> Result<LoadedTrace, TableProblems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    std::fs::write(&path, text).unwrap();
    read_trace(&path, options)
}

fn good(text: &str) -> LoadedTrace {
    read(text, &TraceOptions::default()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Asserts that the file is refused with exactly these problems: line, part of the message, part of the help.
fn refused(text: impl AsRef<[u8]>, options: &TraceOptions, expected: &[(Option<u64>, &str, &str)]) {
    let problems = read(text, options).unwrap_err().0;
    let shown = TableProblems(problems.clone());
    assert_eq!(problems.len(), expected.len(), "{shown}");
    for (problem, (line, message, help)) in problems.iter().zip(expected) {
        assert_eq!(problem.line, *line, "{shown}");
        assert!(problem.message.contains(message), "{message} / {shown}");
        assert!(problem.help.contains(help), "{help} / {shown}");
        assert_eq!(problem.file.file_name().unwrap(), "trace.csv");
    }
}

fn broken(text: impl AsRef<[u8]>, line: Option<u64>, message: &str, help: &str) {
    refused(text, &TraceOptions::default(), &[(line, message, help)]);
}

#[test]
fn a_plain_trace_says_what_was_found() {
    let trace = good("time,power_kw\n10,1\n10.5,2\n11,3\n");
    assert_eq!(trace.time_s, [0.0, 0.5, 1.0]);
    assert_eq!(trace.value, [1000.0, 2000.0, 3000.0]);
    assert_eq!(
        (trace.column.as_str(), trace.time_column.as_str()),
        ("power_kw", "time")
    );
    assert_eq!(
        (trace.unit, trace.time_unit, trace.rows),
        (Unit::Kw, TimeUnit::S, 3)
    );
    assert_eq!((trace.interval_s, trace.longest_gap_s), (0.5, 0.5));
    assert_eq!(
        trace.found,
        [
            "time column `time`, found by its name",
            "power column `power_kw`, found by its name",
            "unit kW, found in the name of column `power_kw`",
            "time in s, as column `time` says no unit",
        ]
    );
    // As `sha256sum` has it.
    assert_eq!(
        trace.sha256,
        "b51251862c7ba36fb79d13bd7b44b8b2d2c43836c38a50f882739237428a7bfe"
    );
}

#[test]
fn what_is_stated_is_not_listed_as_found() {
    let options = TraceOptions {
        column: Some("b".into()),
        time_column: Some("c".into()),
        unit: Some(Unit::Mw),
        time_unit: Some(TimeUnit::Ms),
        max_gap_s: Some(1.0),
        ..TraceOptions::default()
    };
    let trace = read("a,b,c\n9,1,0\n9,2,500\n", &options).unwrap();
    assert_eq!(
        (trace.time_s, trace.value),
        (vec![0.0, 0.5], vec![1e6, 2e6])
    );
    assert!(trace.found.is_empty(), "{:?}", trace.found);
}

#[test]
fn spreadsheets_and_loggers_of_many_kinds() {
    // Byte order mark, CRLF, semicolons, quotes, comments, blank lines.
    let trace = good(
        "\u{feff}# made by a logger\r\n\r\n\"t_ms\";\"P; total [kW]\"\r\n0;\"1.5\"\r\n# a remark\r\n   \r\n20;2\r\n\r\n",
    );
    assert_eq!(
        (trace.time_s, trace.value),
        (vec![0.0, 0.02], vec![1500.0, 2000.0])
    );
    // Tabs.
    assert_eq!(good("t_us\twatts\n0\t1\n2000000\t3\n").time_s, [0.0, 2.0]);
    // nvidia-smi with units in the cells.
    let trace = good(
        "timestamp, power.draw [W], utilization.gpu [%]\n2025/01/31 23:59:59.900, 72.31 W, 3 %\n\
         2025/02/01 00:00:00.100, 80.00 W, 99 %\n",
    );
    assert_eq!(
        (trace.time_s, trace.value),
        (vec![0.0, 0.2], vec![72.31, 80.0])
    );
    assert_eq!(trace.time_unit, TimeUnit::Iso8601);
    // A unit only in the cells.
    assert_eq!(
        good("t,power\n0 ms,1 kW\n5 ms,2 kW\n").value,
        [1000.0, 2000.0]
    );
    // Clock values keep their digits.
    let trace = good("timestamp,power_w\n1689325967982958,1\n1689325967983058,1\n");
    assert_eq!(
        (trace.time_unit, trace.time_s),
        (TimeUnit::Us, vec![0.0, 1e-4])
    );
    assert!(trace.found.iter().any(|f| f.contains("the us since 1970")));
    // Deviations per unit may be negative.
    assert_eq!(good("time,dP_pu\n0,-0.5\n1,0.5\n").value, [-0.5, 0.5]);
}

#[test]
fn files_that_are_no_tables() {
    broken("", None, "the file is empty", "header");
    broken(
        "\n# only this\n\n",
        None,
        "nothing but blank lines",
        "header",
    );
    broken(",,\n", None, "there is no header", "t_s,power_w");
    broken(
        "t_s,power_w\n",
        None,
        "a header but no data",
        "at least two",
    );
    broken(
        "t_s,power_w\n0,1\n",
        None,
        "only one sample",
        "at least two",
    );
    broken(
        "0,1\n1,2\n",
        Some(1),
        "the first line is data (0, 1), not a header",
        "t_s,power_w",
    );
    broken(
        b"t_s,power_w\n0,1\n1,\xe4\n",
        Some(3),
        "not UTF-8 (byte 0xe4)",
        "UTF-8",
    );
    broken(b"\xff\xfet\0", None, "UTF-16", "UTF-8");
    broken("PAR1 but not really", None, "is no Parquet file", "anew");
}

#[test]
fn files_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let missing = read_trace(&folder.path().join("no.csv"), &TraceOptions::default()).unwrap_err();
    assert_eq!(missing.0[0].message, "there is no such file");
    assert!(
        missing
            .to_string()
            .contains("no.csv: there is no such file; check the path")
    );
    let directory = read_trace(folder.path(), &TraceOptions::default()).unwrap_err();
    assert_eq!(directory.0[0].message, "is a directory");
}

#[test]
fn rows_and_cells_with_lines() {
    broken(
        "t_s,power_w\n0,1\n1\n2,3\n",
        Some(3),
        "the row has 1 cells, the header has 2",
        "missing cells",
    );
    broken(
        "t_s,power_w\n0,1\n# x\n\n1,2,3\n2,3\n",
        Some(5),
        "has 3 cells",
        "extra cells",
    );
    broken(
        "t_s,power_w\n0,1\n1,\"2\n2,3\n",
        Some(3),
        "is not a number",
        "quote",
    );
    broken(
        "t_s,power_w\n0,1\n\"1,2\n2,3\n",
        Some(3),
        "has 1 cells",
        "quote",
    );
    broken(
        "t_s,power_w\n0,1\n1,x\n2,3\n",
        Some(3),
        "`x` is not a number",
        "leave the row out",
    );
    broken(
        "t_s,power_w\r\n\r\n0,1\r\n1,\r\n",
        Some(4),
        "the cell is empty",
        "leave the row out",
    );
    broken(
        "t_s,power_w\n0,1\n1,NaN\n2,3\n",
        Some(3),
        "`NaN` is not a finite number",
        "",
    );
    broken(
        "t_s,power_w\n0,1\n1,inf\n2,3\n",
        Some(3),
        "`inf` is not a finite",
        "",
    );
    broken(
        "t_s,power_w\n0,1\n1,1e999\n2,3\n",
        Some(3),
        "`1e999` is not a finite",
        "",
    );
    broken(
        "t_s;power_w\n0;1\n1;1,5\n2;3\n",
        Some(3),
        "`1,5` is not a number",
        "decimal point",
    );
    broken(
        "t_s,power_w\n0,1\n1,[N/A]\n2,3\n",
        Some(3),
        "`[N/A]` is not a number",
        "the logger had no value",
    );
    broken(
        "t_s,power_w\n0,1\n1,2 kW\n2,3\n",
        Some(3),
        "`2 kW` has another unit than the column, which is in W",
        "in W",
    );
    broken(
        "t_s,power_w\n0,1\n1,-0.1\n2,3\n",
        Some(3),
        "the power -0.1 W is negative",
        "pu",
    );
    broken(
        "timestamp,power_w\n2025-01-01,1\nx,2\n",
        Some(3),
        "`x` is no date and time",
        "2025-01-31T12:00:00.123",
    );
    broken(
        "t_s,power_w\n0,1\n2025-01-01,2\n",
        Some(3),
        "`2025-01-01` is not a number",
        "iso8601",
    );
}

#[test]
fn all_problems_come_at_once() {
    refused(
        "t_s,power_w\n0,x\n1,-1\n,2\n3\n2,2\n",
        &TraceOptions::default(),
        &[
            (Some(2), "`x` is not a number", ""),
            (Some(3), "is negative", ""),
            (Some(4), "is empty", ""),
            (Some(5), "has 1 cells", ""),
        ],
    );
    let rows: Vec<String> = (0..50).map(|t| format!("{t},?\n")).collect();
    let text = format!("t_s,power_w\n{}", rows.concat());
    let problems = read(text, &TraceOptions::default()).unwrap_err().0;
    assert_eq!(problems.len(), 21);
    assert_eq!(
        problems[20].message,
        "and 30 more cells that cannot be read"
    );
    // Columns and cells are told together.
    let problems = read("time,power\n0,1\n1,x\n2\n", &TraceOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        problems.contains("has no unit in its name; set `unit` to W, kW, MW or pu"),
        "{problems}"
    );
    assert!(
        problems.contains("`x` is not a number") && problems.contains("has 1 cells"),
        "{problems}"
    );
}

#[test]
fn times_must_increase() {
    broken(
        "t_s,power_w\n0,1\n2,1\n1,1\n3,1\n",
        Some(4),
        "time 1 comes after 2 in line 3",
        "must increase",
    );
    broken(
        "t_s,power_w\n0.0,1\n1.0,1\n1.00,1\n3,1\n",
        Some(4),
        "time 1.00 comes again after 1.0 in line 3",
        "per time",
    );
}

#[test]
fn gaps_are_refused_with_their_size_and_what_allows_them() {
    let text = "t_s,power_w\n0,1\n1,1\n2,1\n\n7.5,1\n8.5,1\n";
    broken(
        text,
        Some(6),
        "no sample for 5.500000 s since line 4 (t = 2.000000 s to 7.500000 s)",
        "`max_gap_s` to 5.5 or more",
    );
    let allowed = TraceOptions {
        max_gap_s: Some(5.5),
        ..TraceOptions::default()
    };
    assert_eq!(read(text, &allowed).unwrap().longest_gap_s, 5.5);
    let strict = TraceOptions {
        max_gap_s: Some(0.5),
        ..TraceOptions::default()
    };
    assert_eq!(read(text, &strict).unwrap_err().0.len(), 4);
    let nonsense = TraceOptions {
        max_gap_s: Some(f64::NAN),
        ..TraceOptions::default()
    };
    assert!(
        read(text, &nonsense).unwrap_err().0[0]
            .message
            .contains("`max_gap_s` is NaN")
    );
}

#[test]
fn columns_and_units_that_are_not_clear() {
    broken(
        "t,demand_w,measured_w\n0,1,1\n1,1,1\n",
        None,
        "2 columns could be the power: `demand_w`, `measured_w`",
        "set `column`",
    );
    broken(
        "t,a,b\n0,1,1\n1,1,1\n",
        None,
        "no column looks like power",
        "set `column` to one of `a`, `b`",
    );
    broken("t_s\n0\n1\n", None, "no column besides the time", "power_w");
    broken(
        "a,power_w\n0,1\n1,1\n",
        None,
        "no column looks like the time",
        "`a`, `power_w`",
    );
    broken(
        "time,t_s,power_w\n0,0,1\n1,1,1\n",
        None,
        "2 columns could be the time",
        "set `time_column`",
    );
    broken(
        "time_ns,power_w\n0,1\n1,1\n",
        None,
        "is in nanoseconds",
        "t_us",
    );
    broken(
        "time,power_w\n1689325967982958000,1\n1689325967982959000,1\n",
        None,
        "nanoseconds since 1970",
        "t_us",
    );
    broken(
        "t_s,P_mW\n0,1\n1,1\n",
        None,
        "is in milliwatts",
        "divide it by 1000",
    );
    broken(
        "t_s,power_mw\n0,60000\n1,61000\n",
        None,
        "may be milliwatts (as NVML counts) or megawatts",
        "set `unit` to \"MW\"",
    );
    let typo = TraceOptions {
        column: Some("power".into()),
        ..TraceOptions::default()
    };
    refused(
        "t_s,power_w\n0,1\n1,1\n",
        &typo,
        &[(None, "is not in the table", "did you mean `power_w`?")],
    );
    let twice = TraceOptions {
        column: Some("p".into()),
        unit: Some(Unit::W),
        ..TraceOptions::default()
    };
    refused(
        "t_s,p,p\n0,1,1\n1,1,1\n",
        &twice,
        &[(None, "more than once", "own name")],
    );
}

#[test]
fn tables_of_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "t_s,a\n0,1\n1,-2.5\n").unwrap();
    let columns = read_columns(&path).unwrap();
    assert_eq!(
        columns,
        [
            ("t_s".to_owned(), vec![0.0, 1.0]),
            ("a".to_owned(), vec![1.0, -2.5])
        ]
    );
    std::fs::write(&path, "t_s,a\n0,x\n1\n").unwrap();
    assert_eq!(read_columns(&path).unwrap_err().0.len(), 2);
}
