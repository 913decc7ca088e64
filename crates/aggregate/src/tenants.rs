//! Shares of tenants and jobs as whole numbers of GPUs.
//!
//! What is shared is given out in whole nodes or replicas by the method of the largest remainder (Hamilton's): each gets the whole
//! units that its share holds, and what rounding leaves of the sum goes, a unit each, to the largest remainders; of equal ones to the
//! first in the file.

use serde::Serialize;

use crate::check::Problems;
use crate::check_tenants::{Pool, ROUNDING, meant, pools};
use crate::site::GroupInfo;
use crate::{JobSpec, RackGroup, TenantSpec};

/// What a tenant has got.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantGpus {
    /// Tenant.
    pub name: String,
    /// Its share of the GPUs of its racks.
    pub share: f64,
    /// GPUs of its racks.
    pub of_gpus: u64,
    /// GPUs that are its own.
    pub gpus: u64,
    /// GPUs of those that its jobs use.
    pub used_gpus: u64,
}

/// What a job has got.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobGpus {
    /// Job.
    pub name: String,
    /// Tenant, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Its share, if it states one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// GPUs it uses.
    pub gpus: u64,
}

/// Numbers of GPUs in place of shares.
pub(crate) struct Allotment {
    pub(crate) tenants: Vec<TenantGpus>,
    /// Tenant of each job, as an index.
    pub(crate) tenant_of: Vec<Option<usize>>,
    /// What each job asks for; `None`: all that is free.
    pub(crate) asked: Vec<Option<u64>>,
}

/// Gives out what the shares say. Tenants, jobs and shares have passed their checks.
pub(crate) fn allot(
    tenants: &[TenantSpec],
    jobs: &[JobSpec],
    racks: &[RackGroup],
    groups: &[GroupInfo],
    problems: &mut Problems,
) -> Allotment {
    let found = of_tenants(tenants, racks, groups, problems);
    let tenant_of: Vec<Option<usize>> = jobs
        .iter()
        .map(|j| tenants.iter().position(|t| j.tenant() == Some(&t.name)))
        .collect();
    let mut asked: Vec<Option<u64>> = jobs.iter().map(|j| j.place().1.map(u64::from)).collect();
    for (pool, members) in pools(jobs, racks) {
        let total = match &pool {
            Pool::Tenant(name) => found.iter().find(|t| t.name == *name).map_or(0, |t| t.gpus),
            Pool::Racks(names) => gpus_of(groups, |g| names.contains(g)),
        };
        let wanted: Vec<Wanted> = members
            .iter()
            .map(|&j| {
                let on = racks_of(&jobs[j], tenants);
                let names = meant(on, racks);
                let node = node_unit(groups, |g| names.contains(g));
                Wanted {
                    gpus: jobs[j].share().unwrap_or(0.0) * total as f64,
                    unit: unit(&jobs[j], node),
                }
            })
            .collect();
        for ((&j, gpus), want) in members
            .iter()
            .zip(largest_remainder(&wanted, total))
            .zip(&wanted)
        {
            asked[j] = Some(gpus);
            if gpus == 0 && total > 0 {
                problems.add(
                    format!("jobs.{j}.share"),
                    format!(
                        "job `{}` gets none of {total} GPUs: its share is {:.2} GPUs, given out in units of {}",
                        jobs[j].name(),
                        want.gpus,
                        want.unit
                    ),
                    "raise the share, add racks, or give gpus instead",
                );
            }
        }
    }
    Allotment {
        tenants: found,
        tenant_of,
        asked,
    }
}

/// Tenants on the same racks share them.
fn of_tenants(
    tenants: &[TenantSpec],
    racks: &[RackGroup],
    groups: &[GroupInfo],
    problems: &mut Problems,
) -> Vec<TenantGpus> {
    let sets: Vec<_> = tenants.iter().map(|t| meant(&t.racks, racks)).collect();
    let mut found: Vec<TenantGpus> = Vec::with_capacity(tenants.len());
    for (t, tenant) in tenants.iter().enumerate() {
        let total = gpus_of(groups, |g| sets[t].contains(g));
        let unit = node_unit(groups, |g| sets[t].contains(g));
        let together: Vec<usize> = (0..tenants.len()).filter(|o| sets[*o] == sets[t]).collect();
        let wanted: Vec<Wanted> = together
            .iter()
            .map(|o| Wanted {
                gpus: tenants[*o].share * total as f64,
                unit,
            })
            .collect();
        let all = largest_remainder(&wanted, total);
        let at = together.iter().position(|o| *o == t).unwrap_or(0);
        if all[at] == 0 {
            problems.add(
                format!("tenants.{t}.share"),
                format!(
                    "tenant `{}` gets none of {total} GPUs: its share is {:.2} GPUs, given out in nodes of {unit}",
                    tenant.name, wanted[at].gpus
                ),
                "raise the share, or add racks",
            );
        }
        found.push(TenantGpus {
            name: tenant.name.clone(),
            share: tenant.share,
            of_gpus: total,
            gpus: all[at],
            used_gpus: 0,
        });
    }
    found
}

/// Rack groups a job runs on: those it names, else its tenant's; empty: all.
pub(crate) fn racks_of<'a>(job: &'a JobSpec, tenants: &'a [TenantSpec]) -> &'a [String] {
    let (named, _) = job.place();
    let tenant = tenants.iter().find(|t| job.tenant() == Some(&t.name));
    match tenant {
        Some(tenant) if named.is_empty() => &tenant.racks,
        _ => named,
    }
}

fn gpus_of(groups: &[GroupInfo], on: impl Fn(&str) -> bool) -> u64 {
    let of = groups.iter().filter(|g| on(&g.name));
    of.map(|g| g.racks.len() as u64 * u64::from(g.gpus_per_rack()))
        .sum()
}

/// GPUs of a node; where nodes differ, the fewest GPUs that are whole nodes of each kind.
fn node_unit(groups: &[GroupInfo], on: impl Fn(&str) -> bool) -> u64 {
    let nodes = groups.iter().filter(|g| on(&g.name));
    nodes.fold(1, |unit, g| common(unit, u64::from(g.gpus_per_node)))
}

/// What a job's share is given out in.
fn unit(job: &JobSpec, node: u64) -> u64 {
    match job {
        JobSpec::Batch(_) => node,
        // Stages are of equal size, too.
        JobSpec::Training(t) => {
            let (stages, replicas) = t.shape.stages();
            common(node, u64::from(stages) * u64::from(replicas))
        }
        JobSpec::Inference(i) => {
            let replica = u64::from(i.gpus_per_replica);
            if replica > node {
                common(replica, node)
            } else {
                replica.max(1)
            }
        }
    }
}

/// Least common multiple; what would be beyond any site is the first of the two, for which other checks speak.
fn common(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    if b == 0 || x == 0 {
        return a.max(1);
    }
    a.checked_mul(b / x).unwrap_or(a)
}

/// GPUs as the share has them, and the units in which they are given out.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    gpus: f64,
    unit: u64,
}

/// Whole units for each; their sum is at most `total`, and within half a unit of what is wanted where all units are equal.
fn largest_remainder(wanted: &[Wanted], total: u64) -> Vec<u64> {
    let whole = |w: &Wanted| (w.gpus / w.unit as f64 + ROUNDING).floor();
    let mut gpus: Vec<u64> = wanted.iter().map(|w| whole(w) as u64 * w.unit).collect();
    let sum: f64 = wanted.iter().map(|w| w.gpus).sum();
    let remainder = |w: &Wanted| w.gpus / w.unit as f64 - whole(w);
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    // Stable: equal remainders stay in the order of the file. Those that differ by rounding alone are equal.
    let rank = |i: &usize| (remainder(&wanted[*i]) / ROUNDING).round();
    order.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    for i in order {
        let unit = wanted[i].unit;
        let with = gpus.iter().sum::<u64>() + unit;
        if remainder(&wanted[i]) > ROUNDING
            && with <= total
            && with as f64 <= sum + unit as f64 * (0.5 + ROUNDING)
        {
            gpus[i] += unit;
        }
    }
    gpus
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shared(shares: &[f64], unit: u64, total: u64) -> Vec<u64> {
        let wanted: Vec<_> = shares
            .iter()
            .map(|s| Wanted {
                gpus: s * total as f64,
                unit,
            })
            .collect();
        largest_remainder(&wanted, total)
    }

    #[test]
    fn what_rounding_leaves_goes_to_the_largest_remainders() {
        // 10 nodes of 8: 3.33 each; the first of equal remainders gets the tenth node.
        let third = 1.0 / 3.0;
        assert_eq!(shared(&[third, third, third], 8, 80), [32, 24, 24]);
        // 4.7, 3.1 and 2.2 nodes.
        assert_eq!(shared(&[0.47, 0.31, 0.22], 8, 80), [40, 24, 16]);
        // Half of 3 nodes, the other half unclaimed: 1.5 is 2.
        assert_eq!(shared(&[0.5], 8, 24), [16]);
        assert_eq!(shared(&[0.4], 8, 24), [8]);
        assert_eq!(shared(&[0.04], 8, 80), [0]);
        // 0.1 + 0.2 + 0.7 is not 1 in floating point.
        assert_eq!(shared(&[0.1, 0.2, 0.7], 4, 40), [4, 8, 28]);
    }

    #[test]
    fn least_common_multiples() {
        assert_eq!((common(8, 12), common(4, 72), common(1, 8)), (24, 72, 8));
        assert_eq!(common(8, 0), 8);
        assert_eq!(common(8, u64::MAX), 8);
    }

    proptest! {
        #[test]
        fn no_share_is_a_unit_away_from_what_is_wanted(
            parts in prop::collection::vec((1_u32..1000, 1_u64..20), 1..8),
            equal in prop::bool::ANY,
            total in 1_u64..100_000,
        ) {
            let sum: f64 = parts.iter().map(|p| f64::from(p.0)).sum();
            let wanted: Vec<Wanted> = parts
                .iter()
                .map(|(part, unit)| Wanted {
                    gpus: f64::from(*part) / sum * total as f64,
                    unit: if equal { 8 } else { *unit },
                })
                .collect();
            let got = largest_remainder(&wanted, total);
            prop_assert!(got.iter().sum::<u64>() <= total);
            for (got, want) in got.iter().zip(&wanted) {
                prop_assert_eq!(got % want.unit, 0);
                prop_assert!((*got as f64 - want.gpus).abs() < want.unit as f64 + 1e-6);
            }
            if equal {
                // Shares that add up to 1 leave no whole node over.
                prop_assert_eq!(got.iter().sum::<u64>(), total / 8 * 8);
            }
        }
    }
}
