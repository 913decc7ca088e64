//! What a scenario needs beside itself: its traces and requests, read from their files. The command and the app share it.
//!
//! `trace` and `arrivals` read one load or job each, `place` finds the key of the scenario at which a problem of a table stands.
//! Beside a scenario: `gpu_log` makes recordings of GPUs' logs, `parts` (feature `record`) writes a recording's segments to files.

mod arrivals;
mod gpu_log;
#[cfg(feature = "record")]
mod parts;
mod place;
mod trace;

use ballast_scenario::{JobSpec, LoadSpec, Loaded, Problem};
use ballast_study::{Inputs, Ready};

pub use crate::gpu_log::{gpu_recording, own_recording};
#[cfg(feature = "record")]
pub use crate::parts::Parts;

use crate::arrivals::arrivals;
use crate::trace::{compare_clocks, trace};

/// Reads the traces and requests that a scenario names, relative to its folder. What a person should see of them is added to its warnings.
///
/// # Errors
/// All problems of the files: in a file at its line, else at the key that would put it right.
pub fn read(mut loaded: Loaded) -> Result<Ready, Vec<Problem>> {
    let mut inputs = Inputs::default();
    let mut zeros_unix_s = Vec::new();
    let mut problems = Vec::new();
    let mut notices = Vec::new();
    for (index, load) in loaded.scenario.loads.iter().enumerate() {
        let LoadSpec::Trace(spec) = load else {
            continue;
        };
        match trace(&loaded, index, spec) {
            Ok((input, zero, seen)) => {
                inputs.traces.push(input);
                zeros_unix_s.push(zero);
                notices.extend(seen);
            }
            Err(found) => problems.extend(found),
        }
    }
    compare_clocks(&mut inputs.traces, &zeros_unix_s);
    for (index, job) in loaded.scenario.jobs.iter().enumerate() {
        let JobSpec::Inference(service) = job else {
            continue;
        };
        match arrivals(&loaded, index, &service.arrivals) {
            Ok(input) => inputs.arrivals.extend(input),
            Err(found) => problems.extend(found),
        }
    }
    loaded.warnings.extend(notices);
    if problems.is_empty() {
        Ok(Ready { loaded, inputs })
    } else {
        Err(problems)
    }
}
