//! What `ballast calibrate` reads: every format of a log, a meter of the node, tokens of a server.

use std::fmt::Write as _;

use ballast_tables::write_table;
use serde_json::{Value, json};

use crate::calibrate::training_log;
use crate::common::{Bench, Said};

/// 2026-11-21 07:00:00 UTC.
const START: f64 = 1_795_244_400.0;

fn found(said: &Said) -> Value {
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// Idle, 100 s of iterations of 4 s, idle: one sample a second, a few watts apart from GPU to GPU.
fn watts(t_s: f64, gpu: u32) -> f64 {
    let noise = ((t_s * 7.0 + f64::from(gpu) * 13.0) % 11.0) - 5.0;
    noise
        + match t_s {
            t if !(20.0..120.0).contains(&t) => 72.0,
            t if t % 4.0 < 2.5 => 650.0,
            _ => 250.0,
        }
}

fn seconds() -> impl Iterator<Item = f64> {
    (0..170).map(f64::from)
}

/// Every GPU of a log, and that work and idle were told apart.
fn check(found: &Value, gpus: &[u64]) {
    let groups = found["groups"].as_array().unwrap();
    let mut seen: Vec<u64> = groups
        .iter()
        .flat_map(|g| g["gpus"].as_array().unwrap())
        .map(|g| g.as_u64().unwrap())
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, gpus);
    let phases = groups[0]["phases"].as_array().unwrap();
    assert_eq!(phases[0]["label"], "idle", "{phases:?}");
    let work: f64 = phases
        .iter()
        .filter(|p| p["label"] == "training" || p["label"] == "steady")
        .map(|p| p["to_s"].as_f64().unwrap() - p["from_s"].as_f64().unwrap())
        .sum();
    assert!((work - 100.0).abs() < 6.0, "{work} s of work: {phases:?}");
    let idle = &found["profile"]["phases"]["idle"]["power_w"]["value"];
    assert!((idle.as_f64().unwrap() - 72.0).abs() < 4.0, "{idle}");
}

#[test]
fn dcgmi_text_of_two_gpus() {
    let bench = Bench::new();
    let mut text = String::from("#Entity   POWER\nID            W\n");
    for t in seconds() {
        for gpu in 0..2 {
            let _ = writeln!(text, "GPU {gpu}     {:.3}", watts(t, gpu));
        }
    }
    bench.write("dmon.txt", &text);
    let said = bench.ballast(&["calibrate", "dmon.txt", "--interval-s", "1", "--json"]);
    check(&found(&said), &[0, 1]);
    let missing = bench.ballast(&["calibrate", "dmon.txt"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("interval"), "{}", missing.err);
}

#[test]
fn a_query_range_of_prometheus_by_device() {
    let bench = Bench::new();
    let series: Vec<Value> = (0..2)
        .map(|gpu| {
            let values: Vec<Value> = seconds()
                .map(|t| json!([START + t, format!("{:.2}", watts(t, gpu))]))
                .collect();
            json!({ "metric": { "__name__": "DCGM_FI_DEV_POWER_USAGE", "gpu": gpu.to_string() }, "values": values })
        })
        .collect();
    let answer =
        json!({ "status": "success", "data": { "resultType": "matrix", "result": series } });
    bench.write("range.json", &answer.to_string());
    check(
        &found(&bench.ballast(&["calibrate", "range.json", "--json"])),
        &[0, 1],
    );
}

#[test]
fn a_table_of_grafana() {
    let bench = Bench::new();
    let mut text = String::from("sep=;\n\"Time\";\"gpu0_power_w\";\"gpu1_power_w\"\n");
    for t in seconds() {
        let (minute, second) = ((t / 60.0).floor(), t % 60.0);
        let _ = writeln!(
            text,
            "2026-11-21 07:{minute:02}:{second:02};{:.2};{:.2}",
            watts(t, 0),
            watts(t, 1)
        );
    }
    bench.write("grafana.csv", &text);
    check(
        &found(&bench.ballast(&["calibrate", "grafana.csv", "--json"])),
        &[0, 1],
    );
}

#[test]
fn a_parquet_log_and_a_folder_of_parts() {
    let bench = Bench::new();
    let columns = |from: usize, to: usize| {
        let times: Vec<f64> = seconds().skip(from).take(to - from).collect();
        let mut columns = vec![("t_s".to_owned(), times.clone())];
        for gpu in 0..2 {
            columns.push((
                format!("gpu{gpu}_power_w"),
                times.iter().map(|t| watts(*t, gpu)).collect(),
            ));
        }
        columns
    };
    write_table(&bench.path("log.parquet"), &columns(0, 170), &[]).unwrap();
    check(
        &found(&bench.ballast(&["calibrate", "log.parquet", "--json"])),
        &[0, 1],
    );
    // A recording of this program that was cut off: its closed parts.
    let gpus = json!([{ "index": 0, "uuid": "", "name": "test GPU", "driver": "" }]).to_string();
    let metadata: Vec<(String, String)> = [
        ("ballast.recording", "1"),
        ("ballast.started", "2026-11-21T07:00:00.000Z"),
        ("ballast.rate_hz", "1"),
        ("ballast.gpus", &gpus),
        ("ballast.marks", "[]"),
        ("ballast.notes", "[]"),
        ("ballast.missed", "0"),
        ("ballast.ended", "still recording"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .to_vec();
    let folder = bench.path("cut.parquet.parts");
    std::fs::create_dir(&folder).unwrap();
    for (part, (from, to)) in [(0, 90), (90, 170)].into_iter().enumerate() {
        let times: Vec<f64> = seconds().skip(from).take(to - from).collect();
        let power: Vec<f64> = times.iter().map(|t| watts(*t, 0)).collect();
        let own = vec![
            ("t_s".to_owned(), times.clone()),
            ("power_w".to_owned(), power.clone()),
            ("gpu0.t_s".to_owned(), times),
            ("gpu0.instant_w".to_owned(), power),
        ];
        let name = ballast_tables::part_name(part as u32);
        write_table(&folder.join(name), &own, &metadata).unwrap();
    }
    let said = bench.ballast(&["calibrate", "cut.parquet.parts", "--json"]);
    check(&found(&said), &[0]);
}

#[test]
fn eight_gpus_of_nvidia_smi_beside_the_meter_of_their_node() {
    let bench = Bench::new();
    bench.write("log.csv", &training_log(8));
    // The node: 900 W and 1.25 W per watt of its GPUs, on a clock 3 s ahead, once a second.
    let one = |t: f64| match t {
        t if !(10.0..160.0).contains(&t) => 72.0,
        t if (80.0..88.0).contains(&t) => 130.0,
        t if (t - 10.0) % 1.5 < 1.1 => 650.0,
        _ => 250.0,
    };
    let mut meter = String::from("timestamp,power_w\n");
    for i in 0..167 {
        let shown: f64 = (0..10)
            .map(|k| one(f64::from(i) + f64::from(k) * 0.1))
            .sum::<f64>()
            / 10.0;
        let at = f64::from(i) + 3.5;
        let _ = writeln!(
            meter,
            "2026/11/21 07:{:02}:{:06.3},{:.1}",
            (at / 60.0).floor(),
            at % 60.0,
            900.0 + 1.25 * 8.0 * shown
        );
    }
    bench.write("meter.csv", &meter);
    let said = bench.ballast(&["calibrate", "log.csv", "--node", "meter.csv", "--json"]);
    let found = found(&said);
    let fit = &found["node"]["fit"];
    let of = |key: &str| fit[key][0].as_f64().unwrap();
    assert!((of("slope") - 1.25).abs() < 0.06, "{fit}");
    assert!((of("fixed_w") - 900.0).abs() < 200.0, "{fit}");
    assert!(
        (fit["offset_s"].as_f64().unwrap() - 3.0).abs() < 1.0,
        "{fit}"
    );
    assert!(
        found["node"]["toml"].as_str().unwrap().contains("fixed_w"),
        "{found}"
    );
    // What cannot be a meter of this node is refused.
    let mut other = String::from("timestamp,power_w\n");
    for i in 0..167_u32 {
        let _ = writeln!(
            other,
            "2026/11/21 07:{:02}:{:02},{}",
            i / 60,
            i % 60,
            3000 + i * 7919 % 13
        );
    }
    bench.write("other.csv", &other);
    let refused = bench.ballast(&["calibrate", "log.csv", "--node", "other.csv"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("do not go together"),
        "{}",
        refused.err
    );
    // What could not be checked is in the profile, and lowers what it may be trusted for.
    let toml = found["profile_toml"].as_str().unwrap();
    assert!(
        toml.contains("Gate `steady part at least 60 s` holds"),
        "{toml}"
    );
    assert_eq!(found["confidence"], "medium");
    let mut bare = String::from("t_s,power_w\n");
    for i in 0..1700_u32 {
        let t = f64::from(i) * 0.1;
        let _ = writeln!(bare, "{t:.1},{}", one(t) + f64::from(i % 7));
    }
    bench.write("bare.csv", &bare);
    let bare = self::found(&bench.ballast(&["calibrate", "bare.csv", "--json"]));
    assert_eq!(bare["confidence"], "low");
    let toml = bare["profile_toml"].as_str().unwrap();
    for gate in [
        "utilisation above 70 %",
        "no thermal throttle",
        "clocks steady",
    ] {
        assert!(
            toml.contains(&format!("Gate `{gate}` was not checked")),
            "{toml}"
        );
    }
}

#[test]
fn tokens_from_a_file_and_from_saved_metrics() {
    let bench = Bench::new();
    bench.write("log.csv", &training_log(8));
    // 1000 tokens a second while the GPUs work.
    let mut rates = String::from("timestamp,tokens_per_s\n");
    let mut metrics = String::from("# TYPE vllm:generation_tokens_total counter\n");
    let mut total = 0.0;
    for i in 0..170_u32 {
        let t = f64::from(i);
        let rate = if (10.0..160.0).contains(&t) {
            1000.0
        } else {
            0.0
        };
        total += rate;
        let _ = writeln!(rates, "2026/11/21 07:{:02}:{:02},{rate}", i / 60, i % 60);
        let _ = writeln!(
            metrics,
            "vllm:generation_tokens_total{{model=\"m\"}} {total} {:.0}",
            1000.0 * (START + t)
        );
    }
    bench.write("rates.csv", &rates);
    bench.write("metrics.txt", &metrics);
    for file in ["rates.csv", "metrics.txt"] {
        let said = bench.ballast(&["calibrate", "log.csv", "--throughput", file, "--json"]);
        let found = found(&said);
        let served = found["throughput"].as_array().unwrap();
        let training: Vec<&Value> = served.iter().filter(|s| s["label"] == "training").collect();
        assert!(!training.is_empty(), "{file}: {served:?}");
        for phase in training {
            let rate = phase["tokens_per_s"].as_f64().unwrap();
            assert!((rate - 1000.0).abs() < 20.0, "{file}: {phase}");
            // 650 W for 1.1 s of 1.5 s and 250 W for the rest: 543 W for each of eight.
            let each = phase["j_per_token"].as_f64().unwrap();
            assert!((each - 8.0 * 0.543).abs() < 0.1, "{file}: {phase}");
        }
        let idle = served.iter().find(|s| s["label"] == "idle").unwrap();
        assert_eq!(idle["tokens_per_s"], 0.0, "{file}");
        assert!(idle["j_per_token"].is_null());
    }
    let url = bench.ballast(&[
        "calibrate",
        "log.csv",
        "--throughput",
        "http://127.0.0.1:9/metrics",
    ]);
    assert_eq!(url.code, 2);
    assert!(
        url.err.contains("tells of now") && url.err.contains("record --metrics"),
        "{}",
        url.err
    );
}
