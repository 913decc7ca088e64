//! Tests across crates; see the files beside this one. The corpus of scenario files lies in `corpus/`.
