//! Drives the whole app without a window: on a machine in memory, through its commands and widgets.

mod files;
mod help;
mod killed;
mod window;
