//! Slurm's jobs on the racks of a planner's list, by the names of their nodes.
//!
//! A job's GPUs are spread evenly over its nodes. In a rack the sets of GPUs stand one behind the other: what each of them draws
//! does not depend on which of the rack's nodes it is on, but for the host power of nodes that several sets share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ballast_profile::NodeSpec;

use crate::problem::Problem;
use crate::rack_list::{RackLine, System};
use crate::rack_site::{plain, unique};
use crate::slurm::Job;
use crate::slurm_sets::{Pool, Sets, add};
use crate::{PresetKind, preset_text};

/// A rack with the GPUs that each set has in it.
struct Rack<'a> {
    line: &'a RackLine,
    gpus_per_node: u64,
    /// Sets by their number, with GPUs.
    sets: Vec<(usize, u64)>,
}

/// Rack groups, and GPUs in them.
pub(crate) type Part = (Vec<String>, u64);

/// Where the sets of GPUs are.
pub(crate) struct Placed {
    /// `[[racks]]` as TOML.
    pub(crate) racks: String,
    /// Jobs of each set, in order of time.
    pub(crate) sets: Vec<Vec<usize>>,
    /// For each set its parts: rack groups, and GPUs in them.
    pub(crate) parts: Vec<Vec<Part>>,
}

/// Places jobs, which are in order of their starts, on racks.
pub(crate) fn place(
    files: (&str, &str),
    jobs: &[Job],
    lines: &[RackLine],
) -> Result<Placed, Vec<Problem>> {
    let mut problems = Vec::new();
    let nodes = nodes(files.1, lines, &mut problems);
    let mut racks: Vec<Rack<'_>> = lines
        .iter()
        .map(|line| Rack {
            line,
            gpus_per_node: line
                .system
                .node()
                .and_then(|(node, _)| gpus_per_node(&node))
                .unwrap_or(0),
            sets: Vec::new(),
        })
        .collect();
    let shares: Vec<Vec<(&str, usize, u64)>> = jobs
        .iter()
        .map(|job| shares(files, job, &nodes, &racks, &mut problems))
        .collect();
    double(files.0, jobs, &shares, &racks, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut pools: BTreeMap<&str, Pool> = BTreeMap::new();
    for (j, parts) in shares.iter().enumerate() {
        for (node, rack, gpus) in parts {
            let pool = pools
                .entry(node)
                .or_insert_with(|| Pool::new(racks[*rack].gpus_per_node));
            // None are missing: `double` has found them free.
            pool.take(j, &jobs[j], *gpus);
        }
    }
    let mut sets = Sets::default();
    for rack in &mut racks {
        for name in &rack.line.node_names {
            let Some(pool) = pools.get(name.as_str()) else {
                continue;
            };
            for (set, gpus) in sets.of(pool) {
                add(&mut rack.sets, set, gpus);
            }
        }
    }
    Ok(write(&racks, sets.jobs))
}

/// GPUs of a node of a preset.
fn gpus_per_node(node: &str) -> Option<u64> {
    let node: NodeSpec = toml::from_str(preset_text(PresetKind::Node, node)?).ok()?;
    Some(u64::from(node.gpus))
}

fn problem(file: &str, line: u32, key: &str, message: String, help: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        line: Some(line),
        column: None,
        key: key.to_owned(),
        message,
        help: help.to_owned(),
    }
}

/// Rack of each node.
fn nodes<'a>(
    file: &str,
    lines: &'a [RackLine],
    problems: &mut Vec<Problem>,
) -> BTreeMap<&'a str, usize> {
    let mut nodes = BTreeMap::new();
    for (rack, line) in lines.iter().enumerate() {
        if line.node_names.is_empty() {
            problems.push(problem(
                file,
                line.line,
                "nodes",
                format!("the nodes of rack `{}` have no names", line.rack),
                "add a column `nodes` with the names Slurm has for them, such as \"gpu[001-004]\"",
            ));
        }
        for name in &line.node_names {
            if let Some(other) = nodes.insert(name.as_str(), rack) {
                problems.push(problem(
                    file,
                    line.line,
                    "nodes",
                    format!("node `{name}` is in rack `{}` already", lines[other].rack),
                    "name each node in one rack",
                ));
            }
        }
    }
    nodes
}

/// Nodes of a job with their rack and the job's GPUs there.
fn shares<'a>(
    (file, list): (&str, &str),
    job: &'a Job,
    nodes: &BTreeMap<&str, usize>,
    racks: &[Rack<'_>],
    problems: &mut Vec<Problem>,
) -> Vec<(&'a str, usize, u64)> {
    let all = job.node_names.len() as u64;
    let mut parts = Vec::new();
    let mut unknown = Vec::new();
    for (k, name) in (0_u64..).zip(&job.node_names) {
        let gpus = job.gpus / all + u64::from(k < job.gpus % all);
        let Some(&rack) = nodes.get(name.as_str()) else {
            unknown.push(name.as_str());
            continue;
        };
        let has = racks[rack].gpus_per_node;
        if gpus > has {
            problems.push(problem(
                file,
                job.line,
                "AllocTRES",
                format!(
                    "job {} has {} GPUs on {all} nodes, and node `{name}` ({}) has {has}",
                    job.id,
                    job.gpus,
                    racks[rack].line.system.preset()
                ),
                "correct the model of the rack, or the row",
            ));
        }
        if gpus > 0 {
            parts.push((name.as_str(), rack, gpus));
        }
    }
    if !unknown.is_empty() {
        let shown = unknown
            .iter()
            .take(5)
            .copied()
            .collect::<Vec<_>>()
            .join(", ");
        problems.push(problem(
            file,
            job.line,
            "NodeList",
            format!(
                "job {}: {} of its nodes are in no rack: {shown}",
                job.id,
                unknown.len()
            ),
            &format!("add them to the `nodes` of their racks in {list}, or take the job out"),
        ));
    }
    parts
}

/// Jobs that have the same GPUs at the same time.
fn double(
    file: &str,
    jobs: &[Job],
    shares: &[Vec<(&str, usize, u64)>],
    racks: &[Rack<'_>],
    problems: &mut Vec<Problem>,
) {
    let mut by_node: BTreeMap<&str, Vec<(usize, u64, u64)>> = BTreeMap::new();
    for (j, parts) in shares.iter().enumerate() {
        for (node, rack, gpus) in parts {
            let has = racks[*rack].gpus_per_node;
            by_node.entry(node).or_default().push((j, *gpus, has));
        }
    }
    let mut told = BTreeSet::new();
    for (node, parts) in by_node {
        // The jobs come in order of their starts.
        let mut active: Vec<(usize, u64)> = Vec::new();
        for (j, gpus, has) in parts {
            active.retain(|(a, _)| jobs[*a].end.is_none_or(|end| end > jobs[j].start));
            let used: u64 = active.iter().map(|a| a.1).sum();
            if let Some((other, _)) = active.first().filter(|_| used + gpus > has && gpus <= has)
                && told.insert(j)
            {
                problems.push(problem(
                    file,
                    jobs[j].line,
                    "NodeList",
                    format!(
                        "job {} has {gpus} GPUs of node `{node}`, of whose {has} GPUs {used} are taken at its start, by job {} (line {}) first",
                        jobs[j].id, jobs[*other].id, jobs[*other].line
                    ),
                    "two jobs cannot have the same GPUs at once: the row is damaged, the clock was set back, or the rack's model has more GPUs",
                ));
            }
            active.push((j, gpus));
        }
    }
}

/// What stands in the racks of a group, as a scenario has it. Several whole racks in one line are one rack of their trays.
fn content(line: &RackLine) -> String {
    match line.system {
        System::Rack(preset) if line.systems == 1 => format!("preset = \"{preset}\""),
        System::Rack(preset) => format!("preset = \"{preset}\"\nnodes_per_rack = {}", line.nodes),
        System::Node(node) => format!("node = \"{node}\"\nnodes_per_rack = {}", line.nodes),
    }
}

/// Rack groups, and what each set has of them. Racks that one set fills, or none, and that are equal, are one group.
fn write(racks: &[Rack<'_>], sets: Vec<Vec<usize>>) -> Placed {
    let mut groups: Vec<(Vec<usize>, bool)> = Vec::new();
    for (r, rack) in racks.iter().enumerate() {
        let size = rack.gpus_per_node * u64::from(rack.line.nodes);
        let whole = rack.sets.is_empty() || rack.sets.len() == 1 && rack.sets[0].1 == size;
        let twin = groups.iter_mut().find(|(members, grouped)| {
            let first = &racks[members[0]];
            whole
                && *grouped
                && (first.line.system, first.line.systems) == (rack.line.system, rack.line.systems)
                && first.sets == rack.sets
        });
        match twin {
            Some((members, _)) => members.push(r),
            None => groups.push((vec![r], whole)),
        }
    }
    let mut placed = Placed {
        racks: String::new(),
        parts: vec![Vec::new(); sets.len()],
        sets,
    };
    let mut filled: Vec<Part> = vec![Part::default(); placed.sets.len()];
    let mut taken = Vec::new();
    for (members, whole) in &groups {
        let first = racks[members[0]].line;
        let name = unique(&[&first.row, &first.rack], &mut taken);
        let names: Vec<String> = members
            .iter()
            .map(|r| plain(&racks[*r].line.rack))
            .collect();
        let _ = write!(
            placed.racks,
            "# {}\n[[racks]]\nname = \"{name}\"\ncount = {}\n{}\n\n",
            names.join(", "),
            members.len(),
            content(first)
        );
        for (set, gpus) in &racks[members[0]].sets {
            let gpus = gpus * members.len() as u64;
            if *whole {
                // Whole racks are filled one after the other, so that they can be one entry.
                filled[*set].0.push(name.clone());
                filled[*set].1 += gpus;
            } else {
                placed.parts[*set].push((vec![name.clone()], gpus));
            }
        }
    }
    for (parts, filled) in placed.parts.iter_mut().zip(filled) {
        if !filled.0.is_empty() {
            parts.insert(0, filled);
        }
    }
    placed
}
