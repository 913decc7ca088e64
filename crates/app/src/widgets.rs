//! Widgets of more than one view.
