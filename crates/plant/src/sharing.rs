//! Load-sharing line between isochronous governors: a trim of each one's speed reference, one state each.

use crate::governor::{Group, Signals};
use crate::governor_spec::Ggov1Feedback;
use crate::lane::{F64x4, LANES, Lane};
use crate::spec::{GovernorSpec, PlantSpec};
use crate::together_spec::SharingSpec;

/// Whether a governor's integral drives the speed to its reference whatever the load, so that it has no share of its own.
pub fn isochronous(governor: &GovernorSpec) -> bool {
    match governor {
        GovernorSpec::Pi(p) => p.ki_per_s > 0.0,
        GovernorSpec::Degov1(d) => d.droop_pu == 0.0,
        GovernorSpec::Degov(_) => true,
        GovernorSpec::Pid(p) => p.ki_per_s > 0.0 && p.droop_pu == 0.0,
        // A supervisor brings it back to its own power; then it is not free.
        GovernorSpec::Ggov1(g) => {
            let no_droop = g.feedback == Ggov1Feedback::Isochronous || g.droop_pu == 0.0;
            no_droop && g.kigov_per_s > 0.0 && g.kimw_per_s == 0.0
        }
        GovernorSpec::Constant
        | GovernorSpec::Tgov1(_)
        | GovernorSpec::Gast(_)
        | GovernorSpec::Ieeeg1(_) => false,
    }
}

/// One group on the line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<L = f64> {
    pub(crate) group: usize,
    /// Slot of its trim.
    pub(crate) at: usize,
    pub(crate) gain: L,
    /// Rated active power per unit of its kVA.
    pub(crate) rating: L,
}

/// The line.
#[derive(Debug, Clone)]
pub(crate) struct Sharing<L = f64> {
    pub(crate) inv_lag: L,
    pub(crate) members: Vec<Member<L>>,
}

impl Sharing {
    /// The line of a plant whose groups stand in the order of the description; their trims go to the end of the state.
    pub(crate) fn new(
        spec: &PlantSpec,
        groups: &mut [Group],
        state: &mut Vec<f64>,
    ) -> Option<Self> {
        let SharingSpec::Isochronous(line) = spec.sharing.as_ref()?;
        let mut members = Vec::new();
        for (index, (set, group)) in spec.sets.iter().zip(groups).enumerate() {
            if !isochronous(&set.governor) {
                continue;
            }
            group.trim_at = Some(state.len());
            members.push(Member {
                group: index,
                at: state.len(),
                gain: line.gain(&set.name),
                rating: set.rated_kw / set.rated_kva,
            });
            // Shares are even at the start.
            state.push(0.0);
        }
        Some(Self {
            inv_lag: 1.0 / line.lag_s,
            members,
        })
    }

    /// Those of four plants; `None` where other sets hang on it.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<Sharing<F64x4>> {
        let first = each[0];
        let like = |line: &Self| {
            line.members.len() == first.members.len()
                && line
                    .members
                    .iter()
                    .zip(&first.members)
                    .all(|(a, b)| (a.group, a.at) == (b.group, b.at))
        };
        let members = first
            .members
            .iter()
            .enumerate()
            .map(|(index, member)| Member {
                group: member.group,
                at: member.at,
                gain: F64x4::by_lane(|lane| each[lane].members[index].gain),
                rating: F64x4::by_lane(|lane| each[lane].members[index].rating),
            });
        each.into_iter().all(like).then(|| Sharing {
            inv_lag: F64x4::by_lane(|lane| each[lane].inv_lag),
            members: members.collect(),
        })
    }
}

impl<L: Lane> Sharing<L> {
    /// Rates of the trims; the groups' powers are in `signals`, which get trim and governed acceleration.
    pub(crate) fn rates(
        &self,
        groups: &[Group<L>],
        state: &[L],
        rate: &mut [L],
        signals: &mut [Signals<L>],
    ) {
        let (mut power, mut rating) = (L::of(0.0), L::of(0.0));
        for member in &self.members {
            let weight = groups[member.group].weight;
            power += weight * signals[member.group].power;
            rating += weight * member.rating;
        }
        for member in &self.members {
            let signal = &mut signals[member.group];
            if groups[member.group].off() {
                rate[member.at] = L::of(0.0);
                continue;
            }
            let wanted = member.gain * (power / rating - signal.power / member.rating);
            rate[member.at] = (wanted - state[member.at]) * self.inv_lag;
            signal.trim = state[member.at];
            signal.trim_rate = rate[member.at];
            signal.acceleration = signal.acceleration - signal.trim_rate;
        }
    }
}
