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
mod calibrate_formats;
mod calibrate_live;
mod calibrate_measured;
mod commands;
mod common;
mod compare;
mod contingencies;
mod folders;
mod genset;
mod gpus_doctor;
mod gpus_record;
mod gpus_settings;
mod honest;
mod measured;
mod output;
mod references;
mod reproducible;
mod standin;
mod zoom;
