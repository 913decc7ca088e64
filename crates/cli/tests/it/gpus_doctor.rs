//! `doctor` on a stand-in for NVIDIA's library, and what it and the others say where there is no GPU.

use serde_json::Value;

use crate::common::{Bench, said};
use crate::standin::{ballast, json, library, recording};

#[test]
fn doctor_says_what_works_and_how_often_it_changes() {
    let bench = Bench::new();
    let script = format!(
        "gpus=2;wave=square 100 400 0.37 0.5;window_ms=100;update_ms=100;process={}",
        std::process::id()
    );
    let said = ballast(&bench, &script, &["doctor", "--json", "--watch", "3s"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let found = json(&said);
    let gpu = &found["examination"]["gpus"][1];
    assert_eq!(found["examination"]["driver"], "580.82.07");
    assert_eq!(gpu["architecture"], "Hopper");
    let update = &gpu["instant_update"];
    let (period_s, poll_s) = (
        update["period_s"].as_f64().unwrap(),
        update["poll_s"].as_f64().unwrap(),
    );
    assert!((period_s - 0.1).abs() < 0.005 + poll_s, "{update}");
    let counter_w = gpu["counter_mean_w"].as_f64().unwrap();
    // 3 s are no whole number of periods, and the counter moves every 100 ms.
    assert!((counter_w - 250.0).abs() < 40.0, "{counter_w}");
    assert!(
        gpu["readings"]
            .as_array()
            .unwrap()
            .iter()
            .all(|r| r["why"].is_null())
    );
    assert_eq!(gpu["module"][0]["reading"], "average power of the module");
    assert!(gpu["module"][0]["value"].is_f64());
    assert_eq!(gpu["buffer"]["samples"], 120);
    assert_eq!(
        (&gpu["mig"], gpu["default_limit_w"].as_f64()),
        (&Value::Bool(false), Some(700.0))
    );
    assert_eq!(gpu["processes"][0]["pid"], std::process::id());
    let text = ballast(&bench, "gpus=1", &["doctor", "--watch", "100ms"]);
    assert_eq!(text.code, 0);
    for word in [
        "GPU 0",
        "instant power",
        "energy counter",
        "window of the average power",
        "MIG",
        "DCGM",
    ] {
        assert!(text.out.contains(word), "{word} is not in {}", text.out);
    }
}

#[test]
fn without_a_gpu_all_say_why_and_what_helps() {
    let bench = Bench::new();
    let none = bench.path("none.so");
    let text = bench.write("text.so", "no library");
    let symbol = nvml_standin::library_without("nvmlInit_v2", &bench.path("old.so")).unwrap();
    let here = library();
    for (path, script, word) in [
        (&none, "", "cannot be loaded"),
        (&text, "", "cannot be loaded"),
        (&symbol, "", "none of NVIDIA's, or too old"),
        (&here, "gpus=0", "sees no GPU"),
        (&here, "init=9", "driver is not loaded"),
        (&here, "init=4", "may not use the GPUs"),
        (&here, "init=18", "different versions"),
        (&here, "init=999", "opening NVML failed"),
    ] {
        for words in [
            vec!["doctor"],
            vec!["record", "--out", "t.parquet"],
            vec!["calibrate", "--trace", "t.parquet", "--out", "p.toml"],
        ] {
            let mut command = bench.command();
            command
                .env(nvml_standin::VARIABLE, script)
                .args(words)
                .arg("--lib")
                .arg(path);
            let said = said(&command.output().unwrap());
            assert_eq!(said.code, 4, "{script}: {}", said.err);
            assert!(
                said.err.contains(word) && said.err.contains("help: "),
                "{word}: {}",
                said.err
            );
            assert!(!bench.path("t.parquet").exists() && !bench.path("t.parquet.parts").exists());
            assert!(!bench.path("p.toml").exists());
        }
    }
    let said = ballast(
        &bench,
        "gpus=2",
        &["record", "--gpu", "0,5", "--out", "t.parquet"],
    );
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("there is no GPU 5; there are 2"),
        "{}",
        said.err
    );
}

#[test]
fn readings_that_are_missing_say_why() {
    let bench = Bench::new();
    let lib =
        nvml_standin::library_without("nvmlDeviceGetTotalEnergyConsumption", &bench.path("x.so"))
            .unwrap();
    let mut command = bench.command();
    command
        .env(
            nvml_standin::VARIABLE,
            "unsupported=instant,module,samples,mig;denied=throttle,processes",
        )
        .args(["doctor", "--json", "--watch", "200ms", "--lib"])
        .arg(lib);
    let said = said(&command.output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let found = json(&said);
    let gpu = &found["examination"]["gpus"][0];
    let why = |k: usize| gpu["readings"][k]["why"].as_str().unwrap_or("").to_owned();
    assert_eq!(why(0), "");
    assert!(why(1).contains("not supported"), "{}", why(1));
    assert!(why(2).contains("lacks the call"), "{}", why(2));
    assert!(why(8).contains("not permitted"), "{}", why(8));
    assert!(gpu["mig"].is_null() && gpu["processes"].is_null());
    assert!(gpu["buffer"]["why"].is_string() && gpu["module"][1]["value"].is_null());
    let advice = found["advice"].to_string();
    for word in [
        "no instant power",
        "no energy counter",
        "throttle reasons: not permitted",
        "cannot be seen",
    ] {
        assert!(advice.contains(word), "{word} is not in {advice}");
    }
    let dark = ballast(
        &bench,
        "unsupported=instant,average,power_usage,energy",
        &["doctor", "--watch", "100ms"],
    );
    assert_eq!(dark.code, 4);
    assert!(dark.out.contains("no power can be read"), "{}", dark.out);
}

#[test]
fn without_the_fields_the_plain_reading_is_what_the_chip_makes_of_it() {
    let bench = Bench::new();
    for (file, script, average) in [
        ("a.parquet", "name=NVIDIA H100 80GB HBM3;arch=9", true),
        ("b.parquet", "name=NVIDIA A100-SXM4-80GB;arch=7", false),
        ("c.parquet", "name=NVIDIA RTX A6000;arch=7", true),
        ("d.parquet", "name=Tesla V100-SXM2-16GB;arch=5", false),
    ] {
        let script = format!("{script};unsupported=average,instant");
        let said = ballast(
            &bench,
            &script,
            &["record", "--out", file, "--duration", "300ms"],
        );
        assert_eq!(said.code, 0, "{}", said.err);
        let gpu = recording(&bench.path(file)).gpus.remove(0);
        assert_eq!(
            (gpu.average_w.is_some(), gpu.instant_w.is_some()),
            (average, !average),
            "{script}"
        );
    }
}
