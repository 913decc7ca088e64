//! The desktop: window, dialogs, folders, files, GPUs.

mod dialogs;
mod drafts;
mod files;
pub mod machine;
pub mod window;
