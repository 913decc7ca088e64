//! What is generated beside the schema and the reference page: the tables that set measured power beside simulated power.

pub mod validation;
