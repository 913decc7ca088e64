//! The desktop: window, dialogs, folders, files, GPUs.
