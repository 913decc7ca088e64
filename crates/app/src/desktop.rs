//! The desktop: window, dialogs, folders, files, GPUs.

mod dialogs;
mod drafts;
pub mod export;
mod files;
pub mod live;
pub mod machine;
pub mod recording_file;
pub mod scratch;
pub mod window;
