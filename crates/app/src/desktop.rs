//! The desktop: window, dialogs, folders, files, GPUs.

pub mod live;
pub mod recording_file;
mod recording_parts;
