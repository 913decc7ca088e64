//! The phases by name.

use crate::spec::{PhaseKind, PhaseSpec, Phases};

impl PhaseKind {
    /// Every phase, in the order a GPU usually passes through them.
    pub const ALL: [Self; 11] = [
        Self::Idle,
        Self::IdleContext,
        Self::Launch,
        Self::Load,
        Self::Warmup,
        Self::SteadyPrefill,
        Self::SteadyDecode,
        Self::SteadyMixed,
        Self::TrainCompute,
        Self::TrainCommunication,
        Self::Checkpoint,
    ];

    /// The phase's key under `[phases]` in a TOML file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::IdleContext => "idle_context",
            Self::Launch => "launch",
            Self::Load => "load",
            Self::Warmup => "warmup",
            Self::SteadyPrefill => "steady_prefill",
            Self::SteadyDecode => "steady_decode",
            Self::SteadyMixed => "steady_mixed",
            Self::TrainCompute => "train_compute",
            Self::TrainCommunication => "train_communication",
            Self::Checkpoint => "checkpoint",
        }
    }
}

impl Phases {
    /// The phase, if the profile has it.
    pub fn get(&self, kind: PhaseKind) -> Option<&PhaseSpec> {
        match kind {
            PhaseKind::Idle => self.idle.as_ref(),
            PhaseKind::IdleContext => self.idle_context.as_ref(),
            PhaseKind::Launch => self.launch.as_ref(),
            PhaseKind::Load => self.load.as_ref(),
            PhaseKind::Warmup => self.warmup.as_ref(),
            PhaseKind::SteadyPrefill => self.steady_prefill.as_ref(),
            PhaseKind::SteadyDecode => self.steady_decode.as_ref(),
            PhaseKind::SteadyMixed => self.steady_mixed.as_ref(),
            PhaseKind::TrainCompute => self.train_compute.as_ref(),
            PhaseKind::TrainCommunication => self.train_communication.as_ref(),
            PhaseKind::Checkpoint => self.checkpoint.as_ref(),
        }
    }

    /// The phases the profile has, in the order of [`PhaseKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (PhaseKind, &PhaseSpec)> {
        PhaseKind::ALL
            .into_iter()
            .filter_map(|kind| self.get(kind).map(|phase| (kind, phase)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::fixture::phase;

    #[test]
    fn every_phase_is_listed_once_under_its_own_key() {
        let mut keys = PhaseKind::ALL.map(PhaseKind::key).to_vec();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), PhaseKind::ALL.len());
        // A file with one phase must come back under that phase and no other: key(), get() and serde agree.
        for kind in PhaseKind::ALL {
            let table = toml::Table::from_iter([(
                kind.key().to_owned(),
                toml::Value::try_from(phase(100.0)).unwrap(),
            )]);
            let phases: Phases = table.try_into().unwrap();
            let found: Vec<_> = phases.iter().map(|(found, _)| found).collect();
            assert_eq!(found, [kind]);
            let named: PhaseKind = toml::Value::String(kind.key().to_owned())
                .try_into()
                .unwrap();
            assert_eq!(named, kind);
        }
    }
}
