//! What is wrong with tenants and with the shares of jobs, before it is known how many GPUs there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Problems, listed};
use crate::{JobSpec, RackGroup, TenantSpec};

/// Shares that miss 1 by a rounding error are whole.
pub(crate) const ROUNDING: f64 = 1e-9;

/// Problems of tenants and shares. True if GPUs can be given out.
pub(crate) fn tenants(
    tenants: &[TenantSpec],
    jobs: &[JobSpec],
    groups: &[RackGroup],
    problems: &mut Problems,
) -> bool {
    let before = problems.0.len();
    let mut names = BTreeSet::new();
    for (t, tenant) in tenants.iter().enumerate() {
        let path = format!("tenants.{t}");
        let help = "name the tenant; its jobs name it";
        if problems.name(&format!("{path}.name"), &tenant.name, help)
            && !names.insert(tenant.name.as_str())
        {
            problems.add(
                format!("{path}.name"),
                format!("there are two tenants `{}`", tenant.name),
                "give each tenant its own name",
            );
        }
        share(&format!("{path}.share"), tenant.share, problems);
        problems.racks(&path, &tenant.racks, groups);
        if groups.is_empty() {
            let message = format!("tenant `{}` has no racks", tenant.name);
            problems.add(path, message, "add [[racks]], or remove the tenant");
        } else if !jobs.iter().any(|j| j.tenant() == Some(&tenant.name)) {
            problems.add(
                path,
                format!("tenant `{}` has no job", tenant.name),
                format!(
                    "write tenant = \"{}\" in its jobs, or remove the tenant; GPUs without a job are idle",
                    tenant.name
                ),
            );
        }
    }
    common_racks(tenants, groups, problems);
    for (j, job) in jobs.iter().enumerate() {
        of_job(j, job, tenants, groups, problems);
    }
    job_sums(tenants, jobs, groups, problems);
    problems.0.len() == before
}

fn share(path: &str, share: f64, problems: &mut Problems) {
    if !(share > 0.0 && share <= 1.0) {
        problems.add(
            path,
            format!("the share is {share}"),
            "it is above 0 and at most 1",
        );
    }
}

/// Names of the groups that a list means, in order of their names.
pub(crate) fn meant<'a>(racks: &'a [String], groups: &'a [RackGroup]) -> BTreeSet<&'a str> {
    if racks.is_empty() {
        groups.iter().map(|g| g.name.as_str()).collect()
    } else {
        racks.iter().map(String::as_str).collect()
    }
}

/// Tenants on the same racks, whose shares add up to 1 at most; tenants that have only some of their racks in common.
fn common_racks(tenants: &[TenantSpec], groups: &[RackGroup], problems: &mut Problems) {
    for (t, tenant) in tenants.iter().enumerate() {
        let own = meant(&tenant.racks, groups);
        let (mut first, mut sum) = (true, tenant.share);
        for (o, other) in tenants.iter().enumerate().filter(|(o, _)| *o != t) {
            let others = meant(&other.racks, groups);
            if own == others {
                first &= t < o;
                sum += other.share;
            } else if o < t && !own.is_disjoint(&others) {
                problems.add(
                    format!("tenants.{t}.racks"),
                    format!(
                        "tenants `{}` and `{}` have some of their racks in common, and not all",
                        other.name, tenant.name
                    ),
                    "give them the same racks, with a share each, or racks of their own",
                );
            }
        }
        if first && sum > 1.0 + ROUNDING && tenant.share <= 1.0 {
            problems.add(
                format!("tenants.{t}.share"),
                format!(
                    "the shares of the tenants on the racks of `{}` add up to {sum:.6}",
                    tenant.name
                ),
                "lower them until they add up to 1 at most",
            );
        }
    }
}

fn of_job(
    index: usize,
    job: &JobSpec,
    tenants: &[TenantSpec],
    groups: &[RackGroup],
    problems: &mut Problems,
) {
    let path = format!("jobs.{index}");
    let (racks, gpus) = job.place();
    if let Some(value) = job.share() {
        share(&format!("{path}.share"), value, problems);
        if gpus.is_some() {
            problems.add(
                format!("{path}.share"),
                format!("job `{}` has a number of GPUs and a share", job.name()),
                "keep gpus or share",
            );
        }
    }
    let Some(name) = job.tenant() else { return };
    let Some(tenant) = tenants.iter().find(|t| t.name == name) else {
        problems.add(
            format!("{path}.tenant"),
            format!("there is no tenant `{name}`"),
            listed(tenants.iter().map(|t| t.name.as_str())),
        );
        return;
    };
    let own = meant(&tenant.racks, groups);
    for (k, rack) in racks.iter().enumerate() {
        // Groups that are not there are told of already.
        if groups.iter().any(|g| &g.name == rack) && !own.contains(rack.as_str()) {
            problems.add(
                format!("{path}.racks.{k}"),
                format!("tenant `{name}` has no share of rack group `{rack}`"),
                listed(own.iter().copied()),
            );
        }
    }
}

/// Jobs whose shares are of the same GPUs: those of a tenant, or those of the same racks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pool<'a> {
    Tenant(&'a str),
    Racks(BTreeSet<&'a str>),
}

/// Jobs with a share by what it is a share of, in the order of the file.
pub(crate) fn pools<'a>(
    jobs: &'a [JobSpec],
    groups: &'a [RackGroup],
) -> BTreeMap<Pool<'a>, Vec<usize>> {
    let mut pools: BTreeMap<Pool<'a>, Vec<usize>> = BTreeMap::new();
    for (j, job) in jobs.iter().enumerate().filter(|j| j.1.share().is_some()) {
        let pool = job
            .tenant()
            .map_or_else(|| Pool::Racks(meant(job.place().0, groups)), Pool::Tenant);
        pools.entry(pool).or_default().push(j);
    }
    pools
}

fn job_sums(
    tenants: &[TenantSpec],
    jobs: &[JobSpec],
    groups: &[RackGroup],
    problems: &mut Problems,
) {
    for (pool, members) in pools(jobs, groups) {
        let shares: Vec<f64> = members.iter().filter_map(|j| jobs[*j].share()).collect();
        let sum: f64 = shares.iter().sum();
        // One that is wrong by itself is told of already.
        if sum <= 1.0 + ROUNDING || shares.iter().any(|s| !(*s > 0.0 && *s <= 1.0)) {
            continue;
        }
        let names: Vec<_> = members.iter().map(|j| jobs[*j].name()).collect();
        let of = match pool {
            Pool::Tenant(name) if tenants.iter().any(|t| t.name == name) => {
                format!("tenant `{name}`")
            }
            Pool::Tenant(_) => continue,
            Pool::Racks(_) => "the same racks".to_owned(),
        };
        problems.add(
            format!("jobs.{}.share", members[members.len() - 1]),
            format!(
                "the shares of the jobs of {of} ({}) add up to {sum:.6}",
                names.join(", ")
            ),
            "lower them until they add up to 1 at most",
        );
    }
}
