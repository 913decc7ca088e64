//! Same scenario and seed: same bytes, on any number of threads.

use crate::common::{Bench, SHORT};

#[test]
fn threads_do_not_change_a_byte() {
    let bench = Bench::new();
    bench.write(
        "short.toml",
        &SHORT.replace("seed = 11", "seed = 11\nrealisations = 3"),
    );
    for threads in ["1", "2", "8"] {
        let said = bench.ballast(&[
            "run",
            "short.toml",
            "--csv",
            "--threads",
            threads,
            "--out",
            &format!("t{threads}"),
        ]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    }
    for file in [
        "outcome.json",
        "traces.parquet",
        "traces.csv",
        "power-frequency.svg",
        "power-frequency.png",
    ] {
        let one = bench.read(&format!("t1/{file}"));
        assert!(!one.is_empty());
        for threads in ["2", "8"] {
            assert!(
                one == bench.read(&format!("t{threads}/{file}")),
                "{file} differs with {threads} threads"
            );
        }
    }
}

#[test]
fn another_seed_gives_other_traces() {
    let bench = Bench::new();
    bench.write("short.toml", SHORT);
    for seed in ["11", "12"] {
        let said = bench.ballast(&[
            "run",
            "short.toml",
            "--seed",
            seed,
            "--no-figures",
            "--out",
            &format!("s{seed}"),
        ]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    }
    assert!(bench.read("s11/traces.parquet") != bench.read("s12/traces.parquet"));
    assert_eq!(
        bench
            .outcome("s12")
            .pointer("/provenance/seed")
            .and_then(serde_json::Value::as_u64),
        Some(12)
    );
}
