//! The figures of `docs/validation.md`: what it says was simulated comes out, and what it says was measured stands in the traces.

#![expect(clippy::panic, clippy::print_stderr, reason = "helpers of tests")]
