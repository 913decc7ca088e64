//! Drives the whole app without a window: on a machine in memory, through its commands and widgets.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests stand outside their functions"
)]

mod access;
mod compare;
mod faults;
mod files;
mod form;
mod help;
mod killed;
mod pictures;
mod runs;
mod window;
