//! What is left when the largest set fails.

use crate::spec::PlantSpec;

/// Spinning reserve of the sets that run, against the loss of the largest one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpinningReserve {
    /// Rated active power of all running sets, watts.
    pub rated_w: f64,
    /// Rated power less the load, watts; negative where the sets are overloaded.
    pub reserve_w: f64,
    /// Rated active power of the largest single set, watts.
    pub largest_w: f64,
    /// What it has to cover: the rating of the largest set plus the load step, watts.
    pub needed_w: f64,
    /// Load after the step over the rating of the survivors; infinite without any.
    pub survivors_loading: f64,
    /// Whether the survivors carry it within their rating.
    pub holds: bool,
}

/// Entry of the largest single set; of equal ones the first. None where there are no sets.
pub fn worst_trip_set(spec: &PlantSpec) -> Option<usize> {
    worst_running(spec, |entry| spec.sets[entry].count)
}

/// Entry of the largest single set that runs, `on_bus` sets of an entry do; of equal ones the first. None where none runs.
pub fn worst_running(spec: &PlantSpec, on_bus: impl Fn(usize) -> u32) -> Option<usize> {
    (0..spec.sets.len())
        .filter(|&entry| on_bus(entry) > 0)
        .reduce(|a, b| {
            if spec.sets[b].rated_kw > spec.sets[a].rated_kw {
                b
            } else {
                a
            }
        })
}

/// Whether the running sets carry `load_w` and a step of `step_w` after the loss of the largest one (N−1), steadily.
///
/// `on_bus` is how many sets of an entry run, [`crate::Plant::on_bus`]. The rule: rating of the survivors at least load plus step. What happens in
/// between (dip, turbo ceiling) only a run tells. A utility is not counted.
pub fn spinning_reserve(
    spec: &PlantSpec,
    on_bus: impl Fn(usize) -> u32,
    load_w: f64,
    step_w: f64,
) -> SpinningReserve {
    let rated_w: f64 = spec
        .sets
        .iter()
        .enumerate()
        .map(|(entry, set)| f64::from(on_bus(entry)) * set.rated_kw * 1e3)
        .sum();
    let largest_w =
        worst_running(spec, &on_bus).map_or(0.0, |entry| spec.sets[entry].rated_kw * 1e3);
    let survivors_w = rated_w - largest_w;
    let after_w = load_w + step_w;
    SpinningReserve {
        rated_w,
        reserve_w: rated_w - load_w,
        largest_w,
        needed_w: largest_w + step_w,
        survivors_loading: if survivors_w > 0.0 {
            after_w / survivors_w
        } else {
            f64::INFINITY
        },
        holds: survivors_w > 0.0 && after_w <= survivors_w,
    }
}
