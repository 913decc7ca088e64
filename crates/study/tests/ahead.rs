//! The load is drawn ahead of the sets where there are threads for it: nothing may tell, not even a collapse that the load was ahead of.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::load_str;
use ballast_series::{SinkError, TraceBlock, TraceSink};
use ballast_study::{Inputs, Silent};

const SCENARIO: &str = r#"
[scenario]
name = "s"
[simulation]
duration_s = 12
realisations = 2
[[racks]]
name = "r"
count = 6
node = "hgx-h100"
nodes_per_rack = 4
gpu_smoothing = { floor_share = 0.5 }
[[jobs]]
kind = "training"
name = "t"
start_s = 3.3
iteration_s = 1.0
compute_share = 0.8
[correlation]
kind = "preset"
name = "training_sync"
[facility]
[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "d"
rated_kw = RATED
rated_kva = KVA
[outputs]
range_corners = "off"
rack_traces = true
"#;

struct Samples(Vec<u64>);

impl TraceSink for Samples {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        let values = block.columns.iter().flat_map(|c| c.values);
        self.0.extend(values.map(|v| v.to_bits()));
        Ok(())
    }
}

fn outcome(threads: usize, rated_kw: f64) -> (String, Vec<u64>, bool) {
    let text = SCENARIO
        .replace("RATED", &rated_kw.to_string())
        .replace("KVA", &(1.25 * rated_kw).to_string());
    let loaded = load_str("s.toml", &text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let mut sink = Samples(Vec::new());
    let run = || ballast_study::run(&loaded, &Inputs::default(), Some(&mut sink), &Silent);
    let o = pool.install(run).unwrap_or_else(|e| panic!("{e}"));
    let collapsed = o.summary.contains("collapse") || o.site.envelope.samples < 2 * 12_001;
    (serde_json::to_string(&o).unwrap(), sink.0, collapsed)
}

#[test]
fn a_run_is_the_same_with_and_without_a_thread_for_the_load() {
    for (rated_kw, collapses) in [(900.0, false), (110.0, true)] {
        let (one, three) = (outcome(1, rated_kw), outcome(3, rated_kw));
        assert_eq!(one.2, collapses, "{rated_kw}");
        assert!(one == three, "{rated_kw}");
    }
}
