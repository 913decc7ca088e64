//! What a service's replicas do to the power of the GPUs they run on.

use ballast_profile::PhaseKind;

use crate::fleet::InferencePlan;
use crate::place::Cohort;
use crate::rack::Common;
use crate::timeline::{Point, ProfileTable};

/// The replicas that a cohort's GPUs belong to.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    job: usize,
    rest: PhaseKind,
    /// Replica, and the share of the cohort's GPUs that are its; a replica may reach over nodes and racks.
    parts: Vec<(usize, f64)>,
}

impl Serving {
    /// `rest` is the phase of a replica without requests.
    pub(crate) fn new(job: usize, rest: PhaseKind, cohort: &Cohort, plan: &InferencePlan) -> Self {
        let each = u64::from(plan.gpus_per_replica);
        let (from, to) = (cohort.ordinal, cohort.ordinal + u64::from(cohort.gpus));
        let replicas = from / each..to.div_ceil(each);
        let part = |r: u64| {
            let gpus = to.min((r + 1) * each) - from.max(r * each);
            (r as usize, gpus as f64 / f64::from(cohort.gpus))
        };
        Self {
            job,
            rest,
            parts: replicas.map(part).collect(),
        }
    }

    /// Mean and spread per GPU at step `k` of the block, and the phase most of the time goes to.
    pub(crate) fn at(
        &self,
        k: usize,
        common: &Common<'_>,
        steps: usize,
        table: &ProfileTable,
    ) -> (Point, PhaseKind) {
        let (mut decode, mut prefill) = (0.0, 0.0);
        for &(replica, share) in &self.parts {
            let activity = common.activity[self.job][replica * steps + k];
            decode += share * f64::from(activity.decode);
            prefill += share * f64::from(activity.prefill);
        }
        let rest = 1.0 - decode - prefill;
        let [at_rest, decoding, prefilling] =
            [self.rest, PhaseKind::SteadyDecode, PhaseKind::SteadyPrefill].map(|p| table.level(p));
        let point = Point {
            mean_w: rest * at_rest.power_w
                + decode * decoding.power_w
                + prefill * prefilling.power_w,
            sigma_w: rest * at_rest.sigma_w
                + decode * decoding.sigma_w
                + prefill * prefilling.sigma_w,
        };
        let phase = if rest >= decode && rest >= prefill {
            self.rest
        } else if decode >= prefill {
            PhaseKind::SteadyDecode
        } else {
            PhaseKind::SteadyPrefill
        };
        (point, phase)
    }
}
