//! Widgets of more than one view.

pub mod card;
pub mod key_values;
pub mod quantity_edit;
pub mod status;
pub mod table;
