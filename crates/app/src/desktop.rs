//! The desktop: window, dialogs, folders, files, GPUs.

pub mod scratch;
