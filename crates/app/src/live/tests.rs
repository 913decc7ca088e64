//! Tests of the live model.
