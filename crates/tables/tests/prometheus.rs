//! Traces from answers of Prometheus.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use ballast_tables::{LoadedTrace, TableProblems, TraceOptions, Unit, read_trace};

fn read(text: &str, options: &TraceOptions) -> Result<LoadedTrace, TableProblems> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answer.json");
    std::fs::write(&path, text).unwrap();
    read_trace(&path, options)
}

/// An answer with series of one metric.
fn answer(metric: &str, series: &[&str]) -> String {
    let result: Vec<String> = series
        .iter()
        .enumerate()
        .map(|(i, values)| {
            format!(r#"{{"metric":{{"__name__":"{metric}","gpu":"{i}"}},"values":[{values}]}}"#)
        })
        .collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
        result.join(",")
    )
}

fn messages(text: &str) -> String {
    read(text, &TraceOptions::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn series_are_summed_and_coarse_ones_are_no_ramps() {
    let text = answer(
        "DCGM_FI_DEV_POWER_USAGE",
        &[
            r#"[1700000000,"100"],[1700000015,"200.5"],[1700000030,"300"]"#,
            r#"[1700000000,"1"],[1700000015,"2"],[1700000030,"3"]"#,
        ],
    );
    let trace = read(&text, &TraceOptions::default()).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(trace.time_s, [0.0, 15.0, 30.0]);
    assert_eq!(trace.value, [101.0, 202.5, 303.0]);
    assert_eq!((trace.unit, trace.interval_s), (Unit::W, 15.0));
    let found = trace.found.join("\n");
    assert!(
        found.contains("2 series") && found.contains("never for ramps"),
        "{found}"
    );
}

#[test]
fn counters_become_powers_and_resets_are_said() {
    let text = answer(
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
        &[r#"[10,"1000"],[11,"301000"],[12,"100000"],[13,"500000"]"#],
    );
    let trace = read(&text, &TraceOptions::default()).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(trace.value, [300.0, 100.0, 400.0]);
    let found = trace.found.join("\n");
    assert!(found.contains("1 counter resets (at 12)"), "{found}");
    assert!(!found.contains("never for ramps"), "{found}");
}

#[test]
fn what_is_doubtful_is_refused() {
    let gap = answer(
        "p_watts",
        &[r#"[0,"1"],[1,"1"],[2,"1"]"#, r#"[0,"1"],[2,"1"]"#],
    );
    assert!(
        messages(&gap).contains("series 2 (gpu=1)`: no sample at 1,"),
        "{}",
        messages(&gap)
    );
    let long = answer("p_watts", &[r#"[0,"1"],[1,"1"],[2,"1"],[60,"1"]"#]);
    assert!(
        messages(&long).contains("no sample for 58"),
        "{}",
        messages(&long)
    );
    let nan = answer("p_watts", &[r#"[0,"1"],[1,"NaN"],[2,"1"]"#]);
    assert!(messages(&nan).contains("no time with a finite number"));
    assert!(messages(&answer("temperature", &[r#"[0,"1"],[1,"1"]"#])).contains("no unit"));
    assert!(messages("{\"status\":\"error\"}").contains("range query"));
    assert!(messages("{\"data\":").contains("damaged"));
    assert!(messages(&answer("p_watts", &[])).contains("no series"));
}

#[test]
fn series_are_chosen_by_their_labels() {
    let answer = r#"{"data":{"resultType":"matrix","result":[
        {"metric":{"__name__":"DCGM_FI_DEV_POWER_USAGE_INSTANT","gpu":"0","Hostname":"a"},"values":[[1,"10"],[2,"11"]]},
        {"metric":{"__name__":"DCGM_FI_DEV_POWER_USAGE_INSTANT","gpu":"1","Hostname":"a"},"values":[[1,"NaN"],[2,"21"]]}]}}"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.json");
    std::fs::write(&path, answer).unwrap();
    let read = |devices: &str| {
        let options = TraceOptions {
            devices: Some(devices.into()),
            ..TraceOptions::default()
        };
        read_trace(&path, &options)
    };
    // A NaN is a problem of the answer, also of a series that is not asked for.
    assert!(read("0").unwrap_err().to_string().contains("NaN"));
    std::fs::write(&path, answer.replace("NaN", "20")).unwrap();
    assert_eq!(read("gpu=0").unwrap().value, [10.0, 11.0]);
    assert_eq!(read("a").unwrap().value, [30.0, 32.0]);
    let refused = read("gpu=2").unwrap_err().to_string();
    assert!(refused.contains("no device `gpu=2`"), "{refused}");
}
