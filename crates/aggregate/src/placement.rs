//! Which job has which GPUs.

use std::collections::BTreeSet;

use crate::check::Problems;
use crate::place::{Run, nodes_touched};
use crate::site::GroupInfo;
use crate::tenants::{Allotment, racks_of};
use crate::{InferenceJob, JobSpec, TenantSpec, TrainingJob};

/// Jobs on GPUs, before they become cohorts.
pub(crate) struct Placement {
    /// Runs by rack.
    pub(crate) runs: Vec<Vec<Run>>,
    /// Groups that each job has GPUs in.
    pub(crate) groups: Vec<BTreeSet<usize>>,
    pub(crate) gpus: Vec<u64>,
    pub(crate) nodes: Vec<u64>,
}

/// Gives each job its GPUs: groups in the job's order, racks, nodes and GPUs in theirs, the first free ones first.
pub(crate) fn place(
    jobs: &[JobSpec],
    tenants: &[TenantSpec],
    allotment: &mut Allotment,
    groups: &[GroupInfo],
    problems: &mut Problems,
) -> Placement {
    let racks = groups.last().map_or(0, |g| g.racks.end);
    let mut taken = vec![0u32; racks];
    let mut placement = Placement {
        runs: vec![Vec::new(); racks],
        groups: vec![BTreeSet::new(); jobs.len()],
        gpus: vec![0; jobs.len()],
        nodes: vec![0; jobs.len()],
    };
    for (j, job) in jobs.iter().enumerate() {
        let name = job.name();
        let (named, asked) = (racks_of(job, tenants), allotment.asked[j]);
        let tenant = allotment.tenant_of[j].map(|t| &mut allotment.tenants[t]);
        let own_left = tenant.as_ref().map(|t| t.gpus - t.used_gpus);
        let order: Vec<usize> = if named.is_empty() {
            (0..groups.len()).collect()
        } else {
            named
                .iter()
                .filter_map(|n| groups.iter().position(|g| &g.name == n))
                .collect()
        };
        // A tenant without any GPU has been told of.
        let nothing = tenant.as_ref().is_some_and(|t| t.gpus == 0);
        let most = own_left.unwrap_or(u64::MAX);
        let mut left = asked.unwrap_or(u64::MAX).min(most);
        for g in order {
            let group = &groups[g];
            for rack in group.racks.clone() {
                let free = group.gpus_per_rack() - taken[rack];
                let take = u64::from(free).min(left) as u32;
                if take == 0 {
                    continue;
                }
                let run = Run {
                    job: Some(j),
                    start: taken[rack],
                    end: taken[rack] + take,
                };
                placement.runs[rack].push(run);
                placement.groups[j].insert(g);
                placement.gpus[j] += u64::from(take);
                placement.nodes[j] += u64::from(nodes_touched(run, group.gpus_per_node));
                taken[rack] += take;
                left -= u64::from(take);
            }
        }
        let found = placement.gpus[j];
        if let Some(tenant) = tenant {
            tenant.used_gpus += found;
        }
        let key = if job.share().is_some() {
            "share"
        } else {
            "gpus"
        };
        let help = "use fewer GPUs, add racks, or name other racks; jobs take GPUs in the order of the file, and two jobs never share one";
        match asked {
            _ if nothing => {}
            Some(n) if n > most => problems.add(
                format!("jobs.{j}.{key}"),
                format!("job `{name}` asks for {n} GPUs, and {most} of its tenant's are left"),
                "use fewer GPUs, or raise the tenant's share; jobs take GPUs in the order of the file",
            ),
            Some(n) if n > found => problems.add(
                format!("jobs.{j}.{key}"),
                format!("job `{name}` asks for {n} GPUs, and {found} are free on its racks"),
                help,
            ),
            None if found == 0 => {
                problems.add(
                    format!("jobs.{j}.racks"),
                    if most == 0 {
                        format!("no GPU of its tenant's is left for job `{name}`")
                    } else {
                        format!("no GPU is free for job `{name}` on its racks")
                    },
                    help,
                );
            }
            _ => {}
        }
        match job {
            JobSpec::Inference(i) => whole_replicas(j, i, found, problems),
            JobSpec::Training(t) => {
                whole_stages(j, t, found, problems);
                a_node_of_its_own(j, t, placement.nodes[j], problems);
            }
            JobSpec::Batch(_) => {}
        }
    }
    // What no job took is idle.
    for group in groups {
        for rack in group.racks.clone() {
            placement.runs[rack].push(Run {
                job: None,
                start: taken[rack],
                end: group.gpus_per_rack(),
            });
        }
    }
    placement
}

/// A job's GPUs must make whole replicas: a part of a model serves nothing.
fn whole_replicas(index: usize, job: &InferenceJob, gpus: u64, problems: &mut Problems) {
    let each = u64::from(job.gpus_per_replica);
    if each == 0 || gpus == 0 || gpus.is_multiple_of(each) {
        return;
    }
    problems.add(
        format!("jobs.{index}.gpus_per_replica"),
        format!(
            "job `{}` has {gpus} GPUs, which are {} replicas of {each} and {} GPUs left over",
            job.name,
            gpus / each,
            gpus % each
        ),
        if gpus < each {
            "give the job more GPUs, or its replicas fewer".to_owned()
        } else {
            format!(
                "set gpus = {}, or another gpus_per_replica",
                gpus / each * each
            )
        },
    );
}

/// A pipeline's stages are of equal size.
fn whole_stages(index: usize, job: &TrainingJob, gpus: u64, problems: &mut Problems) {
    let (stages, replicas) = job.shape.stages();
    let pieces = u64::from(stages) * u64::from(replicas);
    if pieces == 0 || gpus == 0 || gpus.is_multiple_of(pieces) {
        return;
    }
    problems.add(
        format!("jobs.{index}.shape.stages"),
        format!(
            "job `{}` has {gpus} GPUs, which do not divide into {replicas} × {stages} stages of equal size",
            job.name
        ),
        if gpus < pieces {
            "give the job more GPUs, or fewer stages or replicas".to_owned()
        } else {
            format!(
                "set gpus = {}, or other stages or replicas",
                gpus / pieces * pieces
            )
        },
    );
}

fn a_node_of_its_own(index: usize, job: &TrainingJob, nodes: u64, problems: &mut Problems) {
    let Some(node) = job.straggler.and_then(|s| s.node) else {
        return;
    };
    if nodes > 0 && u64::from(node) > nodes {
        problems.add(
            format!("jobs.{index}.straggler.node"),
            format!(
                "job `{}` runs on {nodes} nodes, and the straggler is number {node}",
                job.name
            ),
            format!("give 1 to {nodes}, or leave it away to draw one for every iteration"),
        );
    }
}

pub(crate) fn idle_groups(groups: &[GroupInfo], placement: &Placement) -> Vec<usize> {
    let idle = |g: &GroupInfo| {
        g.racks.clone().any(|r| {
            placement.runs[r]
                .iter()
                .any(|r| r.job.is_none() && r.end > r.start)
        })
    };
    (0..groups.len()).filter(|&g| idle(&groups[g])).collect()
}
