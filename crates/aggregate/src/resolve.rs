//! From the scenario's names to what the site consists of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ballast_buffer::Control;
use ballast_profile::{GpuProfile, MeteredSide, NodeSpec, PhaseKind, PsuSpec};

use crate::batch::BatchPlan;
use crate::buffers::RackStore;
use crate::check::{self, Problems, listed};
use crate::correlation::{self, median};
use crate::event_plan::EventPlan;
use crate::fleet::InferencePlan;
use crate::needs::{self, Fit};
use crate::place::{Run, bundles, cut, nodes_touched};
use crate::placement::Placement;
use crate::site::{CoursePlan, GroupInfo, Hardware, JobPlan, RackPlan, RowPlan, Site, SiteInput};
use crate::smoothing::Smoothing;
use crate::smoothing_notes::notes;
use crate::smoothing_spec::check_smoothing;
use crate::tenants::{JobGpus, TenantGpus};
use crate::timeline::{DEFAULT_CORRELATION_TIME_S, ProfileTable};
use crate::training_plan::{TrainingPlan, TrainingTimes};
use crate::{JobSpec, LevelShares, events, job_outage};

/// Groups with their hardware; `None` if one cannot be built. Fills the table of profiles.
pub(crate) fn resolve_groups(
    input: &SiteInput<'_>,
    tables: &mut Vec<ProfileTable>,
    problems: &mut Problems,
) -> Option<(Vec<GroupInfo>, Vec<Hardware>)> {
    let (mut groups, mut hardware) = (Vec::new(), Vec::new());
    let (mut names, mut reported) = (BTreeSet::new(), BTreeSet::new());
    let mut complete = true;
    let mut first_rack = 0;
    check::ambiguous_names(input.racks, problems);
    for (i, group) in input.racks.iter().enumerate() {
        let good = check::rack_group(i, group, &mut names, problems);
        let Some(node) = input.nodes.get(&group.node) else {
            problems.add(
                format!("racks.{i}.node"),
                format!("there is no node `{}`", group.node),
                listed(input.nodes.keys().map(String::as_str)),
            );
            complete = false;
            continue;
        };
        let parts = node_parts(
            input,
            &group.node,
            node,
            reported.insert(group.node.clone()),
            problems,
        );
        let good = check::other(i, group, node, problems) && good;
        let good = parts
            .is_none_or(|(profile, _)| check_smoothing(i, group, &node.gpu, profile, problems))
            && good;
        let (Some((profile, psu)), true) = (parts, good) else {
            complete = false;
            continue;
        };
        let table = tables
            .iter()
            .position(|t| t.name == node.gpu)
            .unwrap_or_else(|| {
                tables.push(ProfileTable::new(&node.gpu, profile));
                tables.len() - 1
            });
        let racks = first_rack..first_rack + group.count as usize;
        first_rack = racks.end;
        groups.push(GroupInfo {
            name: group.name.clone(),
            racks,
            node: group.node.clone(),
            gpu: node.gpu.clone(),
            nodes_per_rack: group.nodes_per_rack,
            gpus_per_node: node.gpus,
        });
        hardware.push(Hardware {
            host: node.host.clone(),
            psu: psu.clone(),
            psu_count: node.psu_count,
            nodes: group.nodes_per_rack,
            other_w: group.other_kw.as_ref().map_or(0.0, |o| o.value * 1e3),
            other_metered: group.other_metered.unwrap_or(MeteredSide::NodeAc),
            table,
            smoothing: group
                .gpu_smoothing
                .and_then(|s| Smoothing::new(&s, profile, &tables[table])),
            store: group.storage.as_ref().map(|s| RackStore {
                store: s.store(),
                // Nothing flows back through a rack's supplies.
                control: Control {
                    least_grid_w: 0.0,
                    ..s.control()
                },
            }),
        });
    }
    complete.then_some((groups, hardware))
}

/// Profile and supply of a node. Problems are told once per node (`first`), however many groups use it.
fn node_parts<'a>(
    input: &SiteInput<'a>,
    name: &str,
    node: &NodeSpec,
    first: bool,
    problems: &mut Problems,
) -> Option<(&'a GpuProfile, &'a PsuSpec)> {
    let profile = input.gpus.get(&node.gpu);
    let psu = input.psus.get(&node.psu);
    if first && profile.is_none() {
        problems.add(
            format!("nodes.{name}.gpu"),
            format!("there is no GPU profile `{}`", node.gpu),
            listed(input.gpus.keys().map(String::as_str)),
        );
    }
    if first && psu.is_none() {
        problems.add(
            format!("nodes.{name}.psu"),
            format!("there is no power supply `{}`", node.psu),
            listed(input.psus.keys().map(String::as_str)),
        );
    }
    let counted = (1..=64).contains(&node.gpus);
    if first && !counted {
        problems.add(
            format!("nodes.{name}.gpus"),
            format!("the node has {} GPUs", node.gpus),
            "give 1 to 64",
        );
    }
    if counted {
        Some((profile?, psu?))
    } else {
        None
    }
}

/// What each job needs on each profile it has GPUs of, by table index.
pub(crate) fn fit_all(
    input: &SiteInput<'_>,
    placement: &Placement,
    outages: &EventPlan,
    hardware: &[Hardware],
    tables: &[ProfileTable],
    problems: &mut Problems,
) -> Vec<BTreeMap<usize, Fit>> {
    let mut fits = Vec::with_capacity(input.jobs.len());
    for (j, job) in input.jobs.iter().enumerate() {
        let on: BTreeSet<usize> = placement.groups[j]
            .iter()
            .map(|&g| hardware[g].table)
            .collect();
        let touch = job_outage::touch(j, job, outages, &placement.runs);
        let mut by_table = BTreeMap::new();
        for table in on {
            let name = &tables[table].name;
            if let Some(profile) = input.gpus.get(name) {
                by_table.insert(table, needs::fit(j, job, name, profile, touch, problems));
            }
        }
        fits.push(by_table);
    }
    fits
}

fn job_plan(
    job: &JobSpec,
    shares: LevelShares,
    index: usize,
    placement: &Placement,
    outages: &EventPlan,
    fits: &BTreeMap<usize, Fit>,
    tables: &[ProfileTable],
) -> JobPlan {
    let runs = &placement.runs;
    let (name, course) = match job {
        JobSpec::Batch(b) => {
            let passing = fits.iter().map(|(t, f)| (*t, f.passing)).collect();
            (&b.name, CoursePlan::Batch(BatchPlan::new(b, passing)))
        }
        JobSpec::Training(t) => {
            let longest = |time: fn(&Fit) -> f64| fits.values().map(time).fold(0.0, f64::max);
            let times = TrainingTimes {
                checkpoint_s: longest(|f| f.checkpoint_s),
                restore_s: longest(|f| f.restore_s),
                passing: [
                    longest(|f| f.passing[0]),
                    longest(|f| f.passing[1]),
                    longest(|f| f.passing[2]),
                ],
            };
            let others = job_outage::interruptions(index, t, times.checkpoint_s, outages, runs);
            let size = (placement.nodes[index], placement.gpus[index]);
            let plan = TrainingPlan::new(t, size, times, others);
            (&t.name, CoursePlan::Training(Arc::new(plan)))
        }
        JobSpec::Inference(i) => {
            let gpus = placement.gpus[index];
            let plan = InferencePlan::new(i, gpus).with_outages(|each, replicas| {
                let outs = job_outage::replicas_out(index, each, replicas, outages, runs);
                job_outage::opening_late(outs, i.start_s, i.stagger_s)
            });
            (&i.name, CoursePlan::Inference(Arc::new(plan)))
        }
    };
    let taus = fits
        .keys()
        .filter_map(|&t| needs::steady_tau_s(job, |k| tables[t].level(k)))
        .collect();
    let tau_s = median(taus).unwrap_or(DEFAULT_CORRELATION_TIME_S);
    JobPlan {
        name: name.clone(),
        course,
        shares,
        tau_s,
        nodes: placement.nodes[index],
        secondary: match job {
            JobSpec::Training(t) => t.secondary_load,
            JobSpec::Batch(_) | JobSpec::Inference(_) => None,
        },
    }
}

/// GPUs of a pipeline's stage, where a job has several.
fn stage_gpus(job: &JobPlan) -> Option<u64> {
    match &job.course {
        CoursePlan::Training(t) if t.parts.len() > 1 => Some(t.stage_gpus),
        _ => None,
    }
}

pub(crate) fn assemble(
    input: &SiteInput<'_>,
    groups: Vec<GroupInfo>,
    hardware: Vec<Hardware>,
    tables: Vec<ProfileTable>,
    placement: &Placement,
    fits: &[BTreeMap<usize, Fit>],
    idle_groups: &[usize],
    outages: EventPlan,
    tenants: Vec<TenantGpus>,
) -> Site {
    let correlations: Vec<_> = input
        .jobs
        .iter()
        .map(|j| correlation::in_force(j, input.correlation))
        .collect();
    let jobs: Vec<_> = (0..input.jobs.len())
        .map(|j| {
            job_plan(
                &input.jobs[j],
                correlations[j].shares,
                j,
                placement,
                &outages,
                &fits[j],
                &tables,
            )
        })
        .collect();
    let mut used: BTreeSet<_> = fits
        .iter()
        .flatten()
        .flat_map(|(t, fit)| fit.used.iter().map(|k| (tables[*t].name.clone(), *k)))
        .collect();
    used.extend(
        idle_groups
            .iter()
            .map(|&g| (groups[g].gpu.clone(), PhaseKind::Idle)),
    );

    // A factor shared by several jobs has one correlation time: the median over the jobs that share it.
    let tau_of = |on: &BTreeSet<usize>| {
        median(on.iter().map(|&j| jobs[j].tau_s).collect()).unwrap_or(DEFAULT_CORRELATION_TIME_S)
    };
    let mut racks = Vec::with_capacity(placement.runs.len());
    let mut rows: Vec<RowPlan> = Vec::new();
    let mut nodes_before = vec![0u64; jobs.len()];
    let mut gpus_before = vec![0u64; jobs.len()];
    for (g, group) in groups.iter().enumerate() {
        let per_row = input.racks[g].racks_per_row.unwrap_or(u32::MAX) as usize;
        let mut on_row = BTreeSet::new();
        for (k, rack) in group.racks.clone().enumerate() {
            let runs = &placement.runs[rack];
            let on_rack: BTreeSet<usize> = runs.iter().filter_map(|r| r.job).collect();
            let borders = |run: &Run| {
                let stage_gpus = run.job.and_then(|j| stage_gpus(&jobs[j]));
                let before = run.job.map_or(0, |j| gpus_before[j]);
                stage_gpus.map_or_else(|| vec![*run], |gpus| cut(*run, before, gpus))
            };
            let pieces: Vec<Run> = runs.iter().flat_map(borders).collect();
            let mut bundles = bundles(&pieces, group.gpus_per_node);
            for cohort in bundles.iter_mut().flat_map(|b| &mut b.cohorts) {
                let Some(j) = cohort.job else { continue };
                let start = |runs: &[Run]| {
                    runs.iter()
                        .rfind(|r| r.job == Some(j) && r.start <= cohort.first)
                        .map_or(0, |r| r.start)
                };
                let (from, piece) = (start(runs), start(&pieces));
                let nodes = piece / group.gpus_per_node - from / group.gpus_per_node;
                cohort.place += nodes_before[j] as f64 + f64::from(nodes);
                cohort.ordinal = gpus_before[j] + u64::from(cohort.first - from);
            }
            for run in runs {
                if let Some(j) = run.job {
                    nodes_before[j] += u64::from(nodes_touched(*run, group.gpus_per_node));
                    gpus_before[j] += u64::from(run.end - run.start);
                }
            }
            if k % per_row == 0 {
                on_row = BTreeSet::new();
                rows.push(RowPlan {
                    name: format!("{}/row-{:03}", group.name, k / per_row + 1),
                    tau_s: 0.0,
                });
            }
            let tau_s = tau_of(&on_rack);
            on_row.extend(on_rack);
            let row = rows.len() - 1;
            rows[row].tau_s = tau_of(&on_row);
            racks.push(RackPlan {
                name: format!("{}-{:03}", group.name, k + 1),
                group: g,
                row,
                bundles,
                tau_s,
                outages: outages.of_rack(rack).to_vec(),
            });
        }
    }
    let gpus = groups
        .iter()
        .map(|g| g.racks.len() as u64 * u64::from(g.gpus_per_rack()))
        .sum();
    let tau_s = tau_of(&(0..jobs.len()).collect());
    let job_gpus = (input.jobs.iter().zip(&placement.gpus))
        .map(|(job, gpus)| JobGpus {
            name: job.name().to_owned(),
            tenant: job.tenant().map(str::to_owned),
            share: job.share(),
            gpus: *gpus,
        })
        .collect();
    let events = events::planned(input, &jobs, &outages, placement);
    let smoothing_notes = notes(input, (&groups, &hardware, &tables), placement);
    Site {
        groups,
        hardware,
        tables,
        racks,
        rows,
        jobs,
        tau_s,
        correlations,
        used,
        events,
        outages,
        gpus,
        tenants,
        job_gpus,
        smoothing_notes,
    }
}
