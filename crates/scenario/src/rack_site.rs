//! The scenario that `ballast new --racks` writes from a planner's list of racks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ballast_profile::{GpuProfile, MeteredSide, NodeSpec, PsuSpec, RackSpec};

use crate::presets::{PresetKind, preset_text};
use crate::problem::{Problem, Problems};
use crate::rack_list::{self, RackLine, System};

/// Share of the sets' rating that the nameplates may take.
const LOADING: f64 = 0.8;

/// Generating sets to choose from, with their rating in kW and the nameplate sum in kW up to which they are taken.
const SETS: [(&str, f64, f64); 3] = [
    ("generic-diesel-1000kw", 1000.0, 2000.0),
    ("generic-diesel-2000kw", 2000.0, 8000.0),
    ("generic-diesel-2500kw", 2500.0, f64::INFINITY),
];

/// Racks that become one rack group.
struct Group {
    name: String,
    system: System,
    /// Servers in each rack; whole racks count in `racks`.
    systems: u32,
    racks: u32,
    nameplate_kw: f64,
    peak_kw: f64,
}

/// Text of a scenario that runs as it is, made from a list of racks in CSV (`row, rack, model, count, nameplate_kw` or
/// `nameplate_w`, `feed, tenant`): rack groups, tenants where there are several, one training job for each, diesel sets, limits, and what was assumed as comments.
///
/// The nameplate of a line is that of all its systems. `name` must be one a scenario can have; `file` is for the messages.
///
/// # Errors
/// Everything that is wrong with the list, with lines.
pub fn from_racks(name: &str, file: &str, text: &str) -> Result<String, Problems> {
    let lines = rack_list::read(file, text)?;
    let mut groups: BTreeMap<(String, String, System, u32), Vec<&RackLine>> = BTreeMap::new();
    for line in &lines {
        // A line may name several whole racks; they are that many racks of one kind.
        let systems = match line.system {
            System::Node(_) => line.systems,
            System::Rack(_) => 1,
        };
        let key = (line.tenant.clone(), line.row.clone(), line.system, systems);
        groups.entry(key).or_default().push(line);
    }
    let mut taken: Vec<String> = Vec::new();
    let mut tenants: BTreeMap<&str, Vec<Group>> = BTreeMap::new();
    for ((tenant, row, system, systems), lines) in &groups {
        let rack_kw = peak_kw(*system, *systems).ok_or_else(|| no_preset(file, system.preset()))?;
        let racks: u32 = match system {
            System::Node(_) => lines.len() as u32,
            System::Rack(_) => lines.iter().map(|l| l.systems).sum(),
        };
        tenants.entry(tenant).or_default().push(Group {
            name: unique(&[tenant, row, system.preset()], &mut taken),
            system: *system,
            systems: *systems,
            racks,
            nameplate_kw: lines.iter().map(|r| r.nameplate_kw).sum(),
            peak_kw: rack_kw * f64::from(racks),
        });
    }
    Ok(write(name, &lines, &tenants))
}

fn no_preset(file: &str, node: &str) -> Problems {
    Problems(vec![Problem {
        file: file.to_owned(),
        line: None,
        column: None,
        key: "model".to_owned(),
        message: format!("the preset `{node}` cannot be read"),
        help: "this is an error in Ballast, please report it".to_owned(),
    }])
}

/// Most a rack can take at its AC side, kilowatts: every GPU at its clamp. `systems` servers, or one whole rack. None if there
/// is no such preset.
fn peak_kw(system: System, systems: u32) -> Option<f64> {
    let (name, nodes, other_w, side) = match system {
        System::Node(name) => (name.to_owned(), systems, 0.0, MeteredSide::NodeAc),
        System::Rack(name) => {
            let rack: RackSpec = toml::from_str(preset_text(PresetKind::Rack, name)?).ok()?;
            let other_w = rack.other_kw.map_or(0.0, |o| o.value * 1e3);
            let side = rack.other_metered.unwrap_or(MeteredSide::NodeAc);
            (rack.node, rack.nodes_per_rack, other_w, side)
        }
    };
    let node: NodeSpec = toml::from_str(preset_text(PresetKind::Node, &name)?).ok()?;
    let gpu: GpuProfile = toml::from_str(preset_text(PresetKind::Gpu, &node.gpu)?).ok()?;
    let psu: PsuSpec = toml::from_str(preset_text(PresetKind::Psu, &node.psu)?).ok()?;
    let nodes_w = node.host.node_w(f64::from(node.gpus) * gpu.clamp_w()) * f64::from(nodes);
    let behind_w = match side {
        MeteredSide::NodeDc => nodes_w + other_w,
        MeteredSide::NodeAc => nodes_w,
    };
    let ac_w = match node.host.metered {
        MeteredSide::NodeAc => behind_w,
        MeteredSide::NodeDc => psu.input_w(behind_w, node.psu_count * nodes),
    };
    let beside_w = match side {
        MeteredSide::NodeDc => 0.0,
        MeteredSide::NodeAc => other_w,
    };
    Some((ac_w + beside_w) / 1e3)
}

/// A name out of parts: letters, digits, `-`; not in `taken`, to which it is added.
pub(crate) fn unique(parts: &[&str], taken: &mut Vec<String>) -> String {
    let words: Vec<String> = parts
        .iter()
        .flat_map(|p| p.split(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect();
    let base: String = words.join("-").chars().take(80).collect();
    let base = if base.is_empty() {
        "tenant".to_owned()
    } else {
        base
    };
    let mut name = base.clone();
    let mut n = 2;
    while taken.contains(&name) {
        name = format!("{base}-{n}");
        n += 1;
    }
    taken.push(name.clone());
    name
}

/// A text from the list as a comment can hold it.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn write(name: &str, lines: &[RackLine], tenants: &BTreeMap<&str, Vec<Group>>) -> String {
    let nameplate_kw: f64 = lines.iter().map(|l| l.nameplate_kw).sum();
    let peak_kw: f64 = tenants.values().flatten().map(|g| g.peak_kw).sum();
    let size_kw = nameplate_kw.max(peak_kw);
    let (set, rated_kw, _) = SETS.into_iter().find(|s| size_kw <= s.2).unwrap_or(SETS[2]);
    let sets = (size_kw / LOADING / rated_kw).ceil().max(1.0) as u32;
    let mut feeds: BTreeMap<&str, f64> = BTreeMap::new();
    for line in lines {
        *feeds.entry(&line.feed).or_default() += line.nameplate_kw;
    }
    let mut out = format!(
        "# A Ballast scenario made from a list of racks. It runs as it is; what the list does not say was assumed and is marked.\n\
         #\n\
         # Nameplates: {nameplate_kw:.1} kW. Ballast's own highest power, every GPU at its limit at once: {peak_kw:.1} kW ({:.0} % of that).\n",
        100.0 * peak_kw / nameplate_kw
    );
    if peak_kw > nameplate_kw {
        out += "# The nameplates are below it: look whether they are for one system rather than for all systems of a line.\n";
    }
    let places: BTreeSet<_> = lines.iter().map(|l| (&l.row, &l.rack)).collect();
    if places.len() < lines.len() {
        out += "# Racks with several models or tenants stand here as a rack for each of them.\n";
    }
    if feeds.len() > 1 {
        out += "# Feeds, by nameplate; the scenario has one bus that carries them all:\n";
        for (feed, kw) in &feeds {
            let feed = if feed.is_empty() {
                "no feed".to_owned()
            } else {
                plain(feed)
            };
            let _ = writeln!(out, "#   {feed}: {kw:.1} kW");
        }
    }
    let _ = write!(
        out,
        "\n[scenario]\nname = \"{name}\"\n\n[simulation]\nduration_s = 60   # s; assumed\nstep_s = 0.001    # s\n"
    );
    let mut jobs = String::new();
    let mut taken = Vec::new();
    // One tenant alone needs no name to tell it from others; racks of nobody have none.
    let several = tenants.len() > 1;
    for (tenant, groups) in tenants {
        let named = several && !tenant.is_empty();
        let tenant = if tenant.is_empty() {
            "no tenant"
        } else {
            tenant
        };
        for g in groups {
            let what = match g.system {
                System::Node(node) => format!("node = \"{node}\"\nnodes_per_rack = {}", g.systems),
                System::Rack(rack) => format!("preset = \"{rack}\""),
            };
            let _ = write!(
                out,
                "\n# {}: nameplate {:.1} kW, Ballast's highest {:.1} kW\n[[racks]]\nname = \"{}\"\ncount = {}\n{what}\n",
                plain(tenant),
                g.nameplate_kw,
                g.peak_kw,
                g.name,
                g.racks,
            );
        }
        let names: Vec<String> = groups.iter().map(|g| format!("\"{}\"", g.name)).collect();
        let racks = format!("racks = [{}]", names.join(", "));
        let title = unique(&[tenant], &mut taken);
        let place = if named {
            // Tenants have racks of their own here, so each has the whole of its racks.
            let _ = write!(
                out,
                "\n[[tenants]]\nname = \"{title}\"\n{racks}\n# share = 1.0            # of the GPUs of these racks\n"
            );
            format!(
                "tenant = \"{title}\"\n# share = 1.0            # of the tenant's GPUs, where it has several jobs"
            )
        } else {
            racks
        };
        let _ = write!(
            jobs,
            "\n# {}: assumed to train one model on all its GPUs. For serving write kind = \"batch\", keep name, racks or tenant, and start_s,\n\
             # and take the four lines after start_s out.\n[[jobs]]\nkind = \"training\"\nname = \"{title}\"\n{place}\nstart_s = -10            # s; under way at the start\n\
             iteration_s = 2.5        # s; assumed\ncompute_share = 0.8      # assumed; the rest is communication\niteration_jitter_s = 0.02\nnode_jitter_s = 0.005\n",
            plain(tenant),
        );
    }
    out += &jobs;
    let _ = write!(
        out,
        "\n# Assumed: as few sets as keep the larger of nameplate and Ballast's highest power at {:.0} % of their rating: {:.1} of {:.0} kW.\n\
         # No set is spare, and cooling is not in the list: add [[loads]] for it.\n[plant]\nfrequency_hz = 60         # Hz; assumed\n\n[[plant.sets]]\n\
         preset = \"{set}\"\nname = \"G\"\ncount = {sets}\n\n# Assumed: put in your own.\n[limits]\nfrequency_min_hz = 57.0\nfrequency_max_hz = 63.0\n\
         rocof_hz_per_s = 2.0\nrocof_window_s = 0.5\nrecovery_s = 10\nrecovery_band_hz = 0.6\nset_power_max_share = 1.0\nsite_peak_kw = {nameplate_kw:.1} # the nameplates\n",
        100.0 * LOADING,
        size_kw,
        f64::from(sets) * rated_kw
    );
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_list_becomes_a_scenario_without_a_problem() {
        let text = "Row,Rack,Model,Count,Nameplate_kW,Feed,Tenant\n\
            A,A01,HGX H100,4,40.8,UPS-1,Blue \"x\"\nA,A02,DGX H100,4,40.8,UPS-2,Blue \"x\"\n\
            B,B01,GB200 NVL72,1,132,UPS-1,Red\nB,B02,L40S,4,20,UPS-1,\nC,C1,DGX Spark,10,2.4,,Red\n";
        let scenario = from_racks("site", "r.csv", text).unwrap_or_else(|p| panic!("{p}"));
        let loaded = crate::load_str("site.toml", &scenario, Path::new("."), &[])
            .unwrap_or_else(|p| panic!("{p}\n{scenario}"));
        assert_eq!(loaded.warnings, [], "{scenario}");
        let racks: Vec<_> = loaded
            .scenario
            .racks
            .iter()
            .map(|r| (r.name.as_str(), r.count, r.nodes_per_rack))
            .collect();
        assert_eq!(
            racks,
            [
                ("b-l40s-8", 1, 4),
                ("blue-x-a-hgx-h100", 2, 4),
                ("red-b-gb200-nvl72", 1, 18),
                ("red-c-dgx-spark", 1, 10),
            ]
        );
        let jobs: Vec<_> = loaded
            .scenario
            .jobs
            .iter()
            .map(|j| (j.name(), j.tenant()))
            .collect();
        assert_eq!(
            jobs,
            [
                ("no-tenant", None),
                ("blue-x", Some("blue-x")),
                ("red", Some("red"))
            ]
        );
        let tenants: Vec<_> = loaded
            .scenario
            .tenants
            .iter()
            .map(|t| (t.name.as_str(), t.share, t.racks.join(",")))
            .collect();
        assert_eq!(
            tenants,
            [
                ("blue-x", 1.0, "blue-x-a-hgx-h100".to_owned()),
                ("red", 1.0, "red-b-gb200-nvl72,red-c-dgx-spark".to_owned())
            ]
        );
        let one = text
            .replace("Red", "Blue \"x\"")
            .replace("UPS-1,\n", "UPS-1,Blue \"x\"\n");
        let scenario = from_racks("site", "r.csv", &one).unwrap();
        assert!(!scenario.contains("[[tenants]]"), "{scenario}");
        assert!(scenario.contains("# Nameplates: 236.0 kW"), "{scenario}");
        let sets = &loaded.scenario.plant.unwrap().sets;
        assert!(236.0 <= 0.8 * 1000.0 * f64::from(sets[0].count));
    }

    #[test]
    fn the_sets_grow_with_the_nameplates() {
        for (racks, nameplate) in [(1, 30.0), (60, 45.0), (400, 45.0)] {
            let mut text = "rack,model,count,nameplate_kw\n".to_owned();
            for i in 0..racks {
                let _ = writeln!(text, "r{i},HGX H100,4,{nameplate}");
            }
            let scenario = from_racks("s", "r.csv", &text).unwrap();
            let loaded = crate::load_str("s.toml", &scenario, Path::new("."), &[]).unwrap();
            let sets = &loaded.scenario.plant.unwrap().sets[0];
            let rating_kw = f64::from(sets.count) * sets.rated_kw;
            let sum_kw = f64::from(racks) * nameplate;
            assert!(sum_kw <= 0.8 * rating_kw, "{sum_kw} of {rating_kw}");
            assert_eq!(scenario.contains("below it"), nameplate < 34.0);
        }
    }
}
