//! The same scenario without anything that smooths its load.

use ballast_scenario::{JobSpec, Scenario};

/// The scenario without power smoothing, storage in racks, secondary load, staggered starts and batteries; none if it has none of them.
/// What is only looked at for verdicts (contingencies, the fine run, further realisations) is left out of it too.
pub(super) fn without_buffers(scenario: &Scenario) -> Option<Scenario> {
    let mut bare = scenario.clone();
    for rack in &mut bare.racks {
        rack.gpu_smoothing = None;
        rack.storage = None;
    }
    for job in &mut bare.jobs {
        match job {
            JobSpec::Training(training) => {
                training.secondary_load = None;
                training.stagger_s = 0.0;
            }
            JobSpec::Inference(service) => service.stagger_s = 0.0,
            JobSpec::Batch(batch) => batch.stagger_s = 0.0,
        }
    }
    bare.bess.clear();
    if bare == *scenario {
        return None;
    }
    bare.contingencies.clear();
    bare.zoom = None;
    bare.simulation.realisations = 1;
    Some(bare)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ballast_scenario::load_str;

    use super::*;

    #[test]
    fn a_scenario_without_buffers_has_none_to_take_out() {
        let text = include_str!("../../../../examples/training-offgrid.toml");
        let mut scenario = load_str("a.toml", text, Path::new("."), &[])
            .unwrap()
            .scenario;
        assert!(without_buffers(&scenario).is_none());
        scenario.simulation.realisations = 3;
        let JobSpec::Training(job) = &mut scenario.jobs[0] else {
            panic!("training")
        };
        job.stagger_s = 2.0;
        let bare = without_buffers(&scenario).unwrap();
        assert_eq!(bare.simulation.realisations, 1);
        assert!(without_buffers(&bare).is_none());
    }
}
