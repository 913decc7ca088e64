//! `ballast calibrate` without a log: it records the GPUs of the machine, here those of a stand-in, and calibrates what it recorded.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::common::Bench;
use crate::standin::{ballast, json};

/// A server that counts 500 tokens a second and says so to whoever asks, until it is dropped.
struct Server {
    url: String,
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(status: &'static str, metric: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicU64::new(0));
        let (ended, count) = (Arc::clone(&stop), Arc::clone(&asked));
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            while !ended.load(Ordering::Relaxed) {
                let Ok((mut stream, _)) = listener.accept() else {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                let mut request = [0; 1024];
                let n = stream.read(&mut request).unwrap_or(0);
                assert!(request[..n].starts_with(b"GET /metrics HTTP/1."));
                count.fetch_add(1, Ordering::Relaxed);
                let total = 500.0 * start.elapsed().as_secs_f64();
                let body = format!(
                    "# HELP {metric} Tokens made.\n# TYPE {metric} counter\n{metric}{{model=\"m 1\"}} {total}\nup 1\n"
                );
                drop(write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                ));
            }
        });
        Self {
            url,
            stop,
            asked,
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

const WAVE: &str =
    "gpus=2;name=NVIDIA H100 80GB HBM3;wave=square 150 600 1.37 0.5;update_ms=100;window_ms=25";

#[test]
fn it_records_the_gpus_and_the_server_and_calibrates_them() {
    let bench = Bench::new();
    let server = Server::start("200 OK", "vllm:generation_tokens_total");
    let words = [
        "calibrate",
        "--out",
        "gpu.toml",
        "--duration",
        "14s",
        "--rate",
        "50",
        "--throughput",
        &server.url,
        "--json",
    ];
    let said = ballast(&bench, WAVE, &words);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let found = json(&said);
    let group = &found["groups"][0];
    assert_eq!(group["gpus"].as_array().unwrap().len(), 2);
    let phase = group["phases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["label"] == "training")
        .unwrap();
    let near = |key: &str, truth: f64, share: f64| {
        let v = phase["cycle"][key].as_f64().unwrap();
        assert!((v / truth - 1.0).abs() < share, "{key}: {phase}");
    };
    near("period_s", 1.37, 0.01);
    near("low_w", 150.0, 0.02);
    near("high_w", 600.0, 0.02);
    let sensor = &group["sensors"][0];
    assert_eq!(sensor["mean_from"], "energy_counter");
    assert_eq!(sensor["window_s"], 0.025);
    // The recording is kept, and so is what the server said.
    assert!(!bench.read("gpu.parquet").is_empty());
    assert!(!bench.read("gpu.toml").is_empty());
    assert!(server.asked.load(Ordering::Relaxed) >= 10);
    let rate = found["throughput"][0]["tokens_per_s"].as_f64().unwrap();
    assert!((rate / 500.0 - 1.0).abs() < 0.05, "{rate}");
    // Both can be read again.
    let again = bench.ballast(&[
        "calibrate",
        "gpu.parquet",
        "--throughput",
        "gpu.parquet.metrics.txt",
        "--json",
    ]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(json(&again)["throughput"], found["throughput"]);
    let once_more = ballast(&bench, WAVE, &["calibrate", "--trace", "gpu.parquet"]);
    assert_eq!(once_more.code, 2);
    assert!(
        once_more.err.contains("exists already"),
        "{}",
        once_more.err
    );
}

#[test]
fn a_command_runs_meanwhile_and_marks_its_start() {
    let bench = Bench::new();
    let words = [
        "calibrate",
        "--gpu",
        "1",
        "--trace",
        "t.parquet",
        "--",
        "sh",
        "-c",
        "sleep 8",
    ];
    let said = ballast(&bench, WAVE, &words);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for word in [
        "recorded ",
        "wrote t.parquet",
        "a recording of this program: 1 GPUs, 2 marks",
        "GPU 1",
        "power_w = ",
    ] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}

#[test]
fn a_server_that_cannot_be_read_is_said_before_anything_is_recorded() {
    let bench = Bench::new();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let missing = Server::start("404 Not Found", "x");
    let other = Server::start("200 OK", "requests_total");
    for (url, word) in [
        (format!("http://{closed}/metrics"), "cannot be read"),
        (missing.url.clone(), "status 404"),
        (other.url.clone(), "no metric with `token`"),
        ("https://127.0.0.1/metrics".to_owned(), "https is not"),
    ] {
        let words = [
            "calibrate",
            "--trace",
            "t.parquet",
            "--duration",
            "1s",
            "--throughput",
            &url,
        ];
        let said = ballast(&bench, "", &words);
        assert_eq!(said.code, 2, "{url}: {}", said.err);
        assert!(said.err.contains(word), "{word}: {}", said.err);
        assert_eq!(std::fs::read_dir(bench.dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_gpu_lost_in_mid_run_ends_with_its_code_and_keeps_the_recording() {
    let bench = Bench::new();
    let words = [
        "calibrate",
        "--trace",
        "t.parquet",
        "--duration",
        "60s",
        "--out",
        "p.toml",
    ];
    let said = ballast(&bench, "lost=0@4;wave=square 100 400 1.1 0.5", &words);
    assert_eq!(said.code, 4, "{}", said.err);
    assert!(
        said.err.contains("GPU 0: lost") && said.err.contains("is kept in t.parquet"),
        "{}",
        said.err
    );
    assert!(!bench.path("p.toml").exists());
    let rest = bench.ballast(&["calibrate", "t.parquet", "--json"]);
    assert_eq!(rest.code, 0, "{}", rest.err);
}

#[test]
fn what_the_counter_and_the_sensor_went_through_is_in_the_report() {
    let bench = Bench::new();
    let words = ["calibrate", "--trace", "t.parquet", "--duration", "12s"];
    let script = "gpus=2;reset=0@5;stuck=1@3;back=2;wave=square 100 400 1.37 0.5;update_ms=100;window_ms=25;unsupported=temperature;denied=throttle";
    let said = ballast(&bench, script, &words);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for word in [
        "GPU 0: the energy counter went back",
        "GPU 1: the energy counter has not moved for 5 s",
        "GPU 1: the power has been the same for 5 s",
        "the driver's clock went back",
        "no temperature: not supported",
        "no throttle reasons: not permitted",
    ] {
        assert!(said.err.contains(word), "{word}: {}", said.err);
    }
    for word in [
        "the energy counter began anew at",
        "no thermal throttle: not checked",
    ] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}
