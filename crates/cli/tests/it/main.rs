//! The command from outside: what a user types, what comes back, what is written.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

mod bad_input;
mod calibrate;
mod commands;
mod common;
mod compare;
mod contingencies;
mod folders;
mod genset;
mod gpus;
mod honest;
mod measured;
mod output;
mod references;
mod reproducible;
mod zoom;
