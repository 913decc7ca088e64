//! Files as nvidia-smi, dcgmi dmon and Grafana write them: what is read, and what is refused.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use ballast_tables::{LoadedTrace, TableProblems, TimeUnit, TraceOptions, Unit, read_trace};
use proptest::prelude::*;

fn read(text: impl AsRef<[u8]>, options: &TraceOptions) -> Result<LoadedTrace, TableProblems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    std::fs::write(&path, text).unwrap();
    read_trace(&path, options)
}

fn good(text: &str, options: &TraceOptions) -> LoadedTrace {
    read(text, options).unwrap_or_else(|problems| panic!("{problems}"))
}

fn refused(text: &str, options: &TraceOptions, words: &[&str]) {
    let problems = read(text, options).unwrap_err().to_string();
    for word in words {
        assert!(problems.contains(word), "`{word}` is not in: {problems}");
    }
}

fn says(trace: &LoadedTrace, words: &str) {
    assert!(
        trace.found.iter().any(|f| f.contains(words)),
        "`{words}` is not in {:?}",
        trace.found
    );
}

fn devices(of: &str) -> TraceOptions {
    TraceOptions {
        devices: Some(of.into()),
        ..TraceOptions::default()
    }
}

fn every(interval_s: f64) -> TraceOptions {
    TraceOptions {
        interval_s: Some(interval_s),
        ..TraceOptions::default()
    }
}

const SMI: &str = "timestamp, index, uuid, power.draw [W], power.limit [W]\n\
    2026/11/21 07:00:00.123, 0, GPU-a, 100.50 W, 700.00 W\n\
    2026/11/21 07:00:00.125, 1, GPU-b, 200.00 W, 700.00 W\n\
    2026/11/21 07:00:00.223, 0, GPU-a, 110.00 W, 700.00 W\n\
    2026/11/21 07:00:00.224, 1, GPU-b, 210.25 W, 700.00 W\n\
    2026/11/21 07:00:00.323, 0, GPU-a, 120.00 W, 700.00 W\n\
    2026/11/21 07:00:00.325, 1, GPU-b, 220.00 W, 700.00 W\n";

#[test]
fn gpus_of_nvidia_smi_are_summed_per_poll() {
    let trace = good(SMI, &TraceOptions::default());
    assert_eq!(trace.value, [300.5, 320.25, 340.0]);
    assert_eq!(trace.time_s, [0.0, 0.1, 0.2]);
    assert_eq!((trace.unit, trace.time_unit), (Unit::W, TimeUnit::Iso8601));
    assert_eq!(trace.column, "power.draw [W]");
    // 2026-11-21 07:00:00.123 as if it were UTC.
    assert!((trace.start_unix_s.unwrap() - 1_795_244_400.123).abs() < 1e-3);
    says(&trace, "2 devices are summed poll by poll: `0`, `1`");
}

#[test]
fn one_gpu_is_chosen_by_index_or_uuid() {
    for of in ["1", "GPU-b", " 1 "] {
        assert_eq!(good(SMI, &devices(of)).value, [200.0, 210.25, 220.0]);
    }
    assert_eq!(good(SMI, &devices("0,1")).value, [300.5, 320.25, 340.0]);
    refused(SMI, &devices("2"), &["no device `2`", "`0`, `1`"]);
}

#[test]
fn nounits_and_gpus_with_the_same_stamp() {
    let text = "timestamp, index, power.draw [W]\n\
        2026/11/21 07:00:00.100, 0, 1\n2026/11/21 07:00:00.100, 1, 2\n\
        2026/11/21 07:00:01.100, 0, 3\n2026/11/21 07:00:01.100, 1, 4\n";
    assert_eq!(good(text, &TraceOptions::default()).value, [3.0, 7.0]);
}

#[test]
fn polls_without_a_value_are_gaps_and_a_dead_gpu_is_refused() {
    use std::fmt::Write as _;
    let mut text = "timestamp, index, power.draw [W]\n".to_owned();
    let mut dead = text.clone();
    for k in 0..30 {
        let second = format!("2026/11/21 07:00:{k:02}.000");
        let odd = if k == 7 { "[N/A]" } else { "50.00 W" };
        let _ = writeln!(text, "{second}, 0, 100.00 W\n{second}, 1, {odd}");
        let _ = writeln!(dead, "{second}, 0, 100.00 W\n{second}, 1, [Not Supported]");
    }
    // Cut off by Ctrl-C in the middle of a poll.
    text += "2026/11/21 07:00:30.000, 0, 100.00 W\n";
    let trace = good(&text, &TraceOptions::default());
    assert_eq!((trace.rows, trace.longest_gap_s), (29, 2.0));
    says(&trace, "1 polls are left out");
    says(
        &trace,
        "0 incomplete polls at the beginning and 1 at the end",
    );
    refused(
        &dead,
        &TraceOptions::default(),
        &[
            "device `1` has no value in 30 of 30 polls",
            "log.csv:2",
            "devices = \"0\"",
        ],
    );
    assert_eq!(good(&dead, &devices("0")).rows, 30);
}

#[test]
fn nvidia_smi_without_a_header_and_with_two_powers() {
    refused(
        "2026/11/21 07:00:00.123, GPU-a, 100.50 W\n2026/11/21 07:00:01.123, GPU-a, 100.50 W\n",
        &TraceOptions::default(),
        &["the first line is data", "noheader"],
    );
    refused(
        "timestamp, power.draw.average [W], power.draw.instant [W]\n2026/11/21 07:00:00.123, 1 W, 2 W\n",
        &TraceOptions::default(),
        &[
            "2 columns could be the power",
            "`power.draw.average [W]`, `power.draw.instant [W]`",
        ],
    );
}

#[test]
fn a_clock_that_is_set_back_is_told_with_the_line() {
    let text = "timestamp, index, power.draw [W]\n\
        2026/10/25 02:59:58.000, 0, 1 W\n2026/10/25 02:59:58.001, 1, 1 W\n\
        2026/10/25 02:59:59.000, 0, 1 W\n2026/10/25 02:59:59.001, 1, 1 W\n\
        2026/10/25 02:00:00.000, 0, 1 W\n2026/10/25 02:00:00.001, 1, 1 W\n";
    refused(
        text,
        &TraceOptions::default(),
        &["log.csv:6", "summer time", "UTC"],
    );
}

const DMON: &str = "#Entity   POWER     TOTEC          \nID        W         mJ             \n\
    GPU 0     100.5     1000000        \nGPU 1     200       5000000        \n\
    GPU 0     110.5     1011000        \nGPU 1     210       5020000        \n\
    #Entity   POWER     TOTEC          \nID        W         mJ             \n\
    GPU 0     120.5     1022500        \nGPU 1     220       5041000        \n";

#[test]
fn dcgmi_dmon_needs_its_interval() {
    let trace = good(DMON, &every(0.1));
    assert_eq!(trace.value, [300.5, 320.5, 340.5]);
    assert_eq!(trace.time_s, [0.0, 0.1, 0.2]);
    assert_eq!(trace.start_unix_s, None);
    says(&trace, "power from field POWER");
    says(&trace, "TOTEC");
    refused(
        DMON,
        &TraceOptions::default(),
        &["prints no times", "`interval_s`", "-d 100"],
    );
    refused(
        SMI,
        &every(1.0),
        &["times of its own", "take `interval_s` out"],
    );
}

#[test]
fn the_energy_counter_of_dcgmi_gives_mean_powers() {
    let options = TraceOptions {
        column: Some("TOTEC".into()),
        ..every(0.1)
    };
    // 11 J and 20 J in 0.1 s, then 11.5 J and 21 J.
    let trace = good(DMON, &options);
    for (value, expected) in trace.value.iter().zip([310.0, 325.0]) {
        assert!((value - expected).abs() < 1e-9, "{value}");
    }
    let reset = DMON.replace("1022500", "500");
    refused(&reset, &options, &["log.csv:9", "1011000 to 500 mJ"]);
}

#[test]
fn older_headers_stamps_and_what_is_no_gpu() {
    let old = "# Entity  POWER\n      Id\n    GPU 0  10.0\n    GPU-I 3  5.0\n    GPU 0  N/A\n    GPU 0  12.0\n\
        GPU 0 13.0\nGPU 0 13.0\nGPU 0 13.0\nGPU 0 13.0\nGPU 0 13.0\nGPU 0 13.0\nGPU 0 13.0\nGPU 0 13.0\n";
    let trace = good(old, &every(1.0));
    assert_eq!(&trace.value[..2], [10.0, 12.0]);
    assert_eq!(&trace.time_s[..2], [0.0, 2.0]);
    let stamped = "1795244400.000 #Entity   POWER\n1795244400.000 ID        W\n\
        1795244400.000 GPU 0  1\n1795244400.001 GPU 1  2\n1795244400.100 GPU 0  3\n1795244400.101 GPU 1  4\n";
    let trace = good(stamped, &TraceOptions::default());
    assert_eq!(trace.value, [3.0, 7.0]);
    assert!((trace.time_s[1] - 0.1).abs() < 1e-9);
    assert_eq!(trace.start_unix_s, Some(1_795_244_400.0));
    refused(
        "#Entity  SMCLK\nGPU 0  1410\n",
        &every(1.0),
        &["none of its fields is power", "dmon -e 155"],
    );
    refused(
        "#Entity  POWER\nGPU 0\n",
        &every(1.0),
        &["log.csv:2", "0 values"],
    );
}

#[test]
fn grafana_series_joined_by_time() {
    let text = "\u{feff}sep=;\r\n\"Time\";\"GPU 0\";\"GPU 1\"\r\n\
        1795244400000;850 W;1.2 kW\r\n1795244400500;0.9 kW;1.1 kW\r\n1795244401000;900 W;1 kW\r\n";
    let sum = TraceOptions {
        column: Some("GPU *".into()),
        ..TraceOptions::default()
    };
    let trace = good(text, &sum);
    assert_eq!(trace.value, [2050.0, 2000.0, 1900.0]);
    assert_eq!((trace.time_unit, trace.interval_s), (TimeUnit::Ms, 0.5));
    assert_eq!(trace.start_unix_s, Some(1_795_244_400.0));
    refused(
        text,
        &TraceOptions::default(),
        &["set `column` to one of `GPU 0`, `GPU 1`", "`*`"],
    );
    let one = TraceOptions {
        column: Some("GPU 1".into()),
        ..TraceOptions::default()
    };
    assert_eq!(good(text, &one).value, [1200.0, 1100.0, 1000.0]);
    // Lines count with the one for Excel.
    refused(
        &text.replace("1.1 kW", "1.1 kg"),
        &sum,
        &["log.csv:4", "another unit"],
    );
    refused(
        &text.replace("1.1 kW", "1.1"),
        &sum,
        &["log.csv:4", "another unit"],
    );
}

#[test]
fn grafana_in_long_form_and_with_plain_numbers() {
    let long = "\"Time\",\"gpu\",\"Value\"\n2026-11-21 07:00:00,0,100\n2026-11-21 07:00:05,0,110\n\
        2026-11-21 07:00:00,1,200\n2026-11-21 07:00:05,1,210\n";
    let watts = TraceOptions {
        unit: Some(Unit::W),
        ..TraceOptions::default()
    };
    let trace = good(long, &watts);
    assert_eq!(trace.value, [300.0, 320.0]);
    says(&trace, "never for ramps");
    refused(long, &TraceOptions::default(), &["set `unit`"]);
    let wide = "Time,{gpu=\"0\"},{gpu=\"1\"}\n2026-11-21 07:00:00,1,2\n2026-11-21 07:00:05,3,\n2026-11-21 07:00:10,5,6\n";
    let all = TraceOptions {
        column: Some("*".into()),
        ..watts
    };
    refused(wide, &all, &["has no value in 1 of 3 polls", "log.csv:3"]);
}

#[test]
fn a_held_sensor_value_is_told() {
    use std::fmt::Write as _;
    let mut text = "t_s,power_w\n".to_owned();
    for k in 0..200 {
        let _ = writeln!(text, "{},{}", f64::from(k) * 0.01, 100 + (k / 10 * 7) % 13);
    }
    let trace = good(&text, &TraceOptions::default());
    assert!((trace.interval_s - 0.01).abs() < 1e-9);
    says(&trace, "the value changes every 0.1");
}

/// Read or refused, never a panic, and what is read keeps its promises.
fn check_outcome(bytes: &[u8], options: &TraceOptions) {
    match read(bytes, options) {
        Ok(trace) => {
            assert!(trace.rows >= 2 && trace.time_s.len() == trace.rows);
            assert_eq!(trace.value.len(), trace.rows);
            assert!(trace.time_s[0] == 0.0 && trace.time_s.windows(2).all(|w| w[0] < w[1]));
            assert!(trace.value.iter().all(|v| v.is_finite() && *v >= 0.0));
        }
        Err(problems) => {
            assert!(!problems.0.is_empty() && problems.0.iter().all(|p| !p.message.is_empty()));
        }
    }
}

const PIECES: [&str; 14] = [
    "\n",
    "GPU 0",
    "GPU 1 5 5\n",
    "#Entity",
    "[N/A]",
    "N/A",
    ",",
    "0",
    "-",
    "1e308",
    "NaN",
    " kW",
    "sep=,\n",
    "2026/11/21 07:00:00.123, 0, ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn logs_with_random_changes_are_read_or_refused(
        which in 0..4_usize,
        changes in proptest::collection::vec((0..1000_usize, any::<u8>(), 0..4_u8), 0..10),
        stated in 0..4_u8,
    ) {
        let wide = "sep=,\n\"Time\",\"GPU 0\",\"GPU 1\"\n1795244400000,850 W,1.2 kW\n1795244400500,0.9 kW,1.1 kW\n";
        let json = r#"{"data":{"resultType":"matrix","result":[{"metric":{"__name__":"p_w","gpu":"0"},"values":[[1,"1"],[2,"3"]]},{"metric":{"__name__":"p_w","gpu":"1"},"values":[[1,"NaN"],[2,"3"]]}]}}"#;
        let mut bytes = [SMI, DMON, wide, json][which].as_bytes().to_vec();
        for (at, byte, how) in changes {
            let at = at % bytes.len().max(1);
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => { bytes.remove(at); }
                2 => { bytes.splice(at..at, PIECES[usize::from(byte) % PIECES.len()].bytes()); }
                _ => bytes.insert(at, byte),
            }
        }
        let options = TraceOptions {
            devices: (stated == 1).then(|| "0".into()),
            interval_s: (which == 1 || stated == 2).then_some(0.1),
            column: (stated == 3 || which == 2).then(|| "GPU *".into()),
            ..TraceOptions::default()
        };
        check_outcome(&bytes, &options);
    }
}

#[test]
fn each_reading_of_a_device_is_a_power() {
    let wrong = SMI.replace("210.25 W", "-50 W");
    let words = [
        "log.csv:5",
        "column `power.draw [W]`",
        "-50 W of device `1` is negative",
    ];
    refused(&wrong, &TraceOptions::default(), &words);
    let wrong = SMI.replace("210.25 W", "1e300 W");
    let words = ["log.csv:5", "1e300 W of device `1` is above 1e12 W"];
    refused(&wrong, &TraceOptions::default(), &words);
    // One bound for every format and for a single column.
    let single = "t_s,power_kw\n0,1\n1,1e40\n";
    let words = ["log.csv:3", "the power 1e40 kW is above 1e9 kW"];
    refused(single, &TraceOptions::default(), &words);
}

#[test]
fn a_gpu_that_starts_late_or_stops_early_is_named_with_its_time() {
    let log = |there: &dyn Fn(u32) -> bool| {
        let mut lines = vec!["timestamp, index, power.draw [W]".to_owned()];
        for s in 0..20 {
            lines.push(format!("2026/11/21 07:00:{s:02}.000, 0, 100 W"));
            if there(s) {
                lines.push(format!("2026/11/21 07:00:{s:02}.003, 1, 200 W"));
            }
        }
        let text = lines.join("\n") + "\n";
        good(&text, &TraceOptions::default())
    };
    let early = log(&|s| s < 12);
    assert_eq!(early.rows, 12);
    assert_eq!(early.notices.len(), 1, "{:?}", early.notices);
    let says = &early.notices[0];
    assert!(says.contains("device `1` stops early"), "{says}");
    assert!(says.contains("07:00:11.003"), "{says}");
    let late = log(&|s| s >= 5);
    assert!(
        late.notices[0].contains("device `1` starts late, at 2026-11-21 07:00:05.003"),
        "{:?}",
        late.notices
    );
    assert!(log(&|_| true).notices.is_empty());
}
