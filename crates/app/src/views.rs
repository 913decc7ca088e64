//! What is drawn: one module per view. Views take models and a [`ViewContext`](crate::plot::ViewContext); they compute and change nothing.

pub mod compare;
pub mod form;
pub mod jobs;
pub mod live;
pub mod problems;
pub mod tiles;
pub mod verdicts;
pub mod welcome;
