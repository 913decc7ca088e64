//! The crate from outside: sums against closed forms, courses, problems, and what must not change the result.

mod common;
mod courses;
mod events;
mod inference;
mod per_gpu;
mod problems;
mod same_bytes;
mod sigma;
mod smoothing;
mod storage;
mod tenants;
mod traffic_engines;
mod training;
