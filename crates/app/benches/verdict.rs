//! From a changed value to the new verdict: load, check, run, traces.

fn main() {}
