//! Widgets of more than one view.

pub mod quantity_edit;
