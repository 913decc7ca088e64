//! Widgets of more than one view.

pub mod quantity_edit;
pub mod card;
pub mod key_values;
pub mod status;
pub mod table;
