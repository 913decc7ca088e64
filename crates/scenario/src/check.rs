//! Contradictions between values that are sound one by one.

mod bess;
mod contingencies;
mod events;
mod fuel;
mod jobs;
mod load_limits;
mod time;

pub use jobs::realisations_at_a_time;

use std::collections::BTreeMap;

use ballast_aggregate::{Site, SiteInput};
use ballast_plant::{GovernorSpec, PlantSpec, SpecProblem};

use crate::limits::number;
use crate::problem::Report;
use crate::shape::Shape;
use crate::tree::{Node, join};
use crate::{LoadSpec, PowerUnit, Scenario, SimulationSpec, StepsLoad, TraceLoad, TraceScope};

/// Most steps of one realisation: the step number and the time stay exact far beyond, the patience does not.
const MOST_STEPS: f64 = 2e9;
/// Steps in one sliding window of the limits: 80 MB.
const MOST_WINDOW_STEPS: f64 = 1e7;

/// Most nodes of a site.
const MOST_NODES: u64 = 10_000_000;

/// Reports every contradiction; returns the site if racks are there and sound.
pub(crate) fn check(scenario: &Scenario, root: &Node, report: &mut Report) -> Option<Site> {
    let mut check = Check { root, report };
    check.time(scenario);
    check.zoom(scenario);
    check.limits(scenario);
    check.windows(scenario);
    check.loads(scenario);
    check.profiles(scenario);
    check.plant(scenario);
    check.contingencies(scenario);
    if let Some(plant) = &scenario.plant {
        check.fuel(plant);
    }
    check.facility(scenario);
    check.bess(scenario);
    check.jobs(scenario);
    check.events(scenario);
    check.memory(scenario);
    let sound = check.report.problems.is_empty();
    check.site(scenario, sound)
}

/// Reports what can be told of a scenario in which values are out of range: what only compares them. Keys with a problem are left
/// alone; racks and jobs are put together only if all of theirs are sound.
pub(crate) fn check_unsound(scenario: &Scenario, root: &Node, report: &mut Report) {
    const APART: [&str; 5] = ["limits", "loads", "outputs", "simulation", "events"];
    let known: Vec<String> = report.problems.iter().map(|p| p.key.clone()).collect();
    let mut check = Check { root, report };
    check.limits(scenario);
    check.loads(scenario);
    check.jobs(scenario);
    check.events(scenario);
    let part = |key: &str| key.split('.').next().unwrap_or("").to_owned();
    if known.iter().all(|key| APART.contains(&part(key).as_str())) {
        check.profiles(scenario);
        check.site(scenario, false);
    }
    let mut at = 0;
    report.problems.retain(|p| {
        at += 1;
        at <= known.len() || !known.contains(&p.key)
    });
}

struct Check<'a> {
    root: &'a Node,
    report: &'a mut Report,
}

impl Check<'_> {
    fn add(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.report
            .error(self.root.origin_of(path), path, message, help);
    }

    fn warn(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.report
            .warn(self.root.origin_of(path), path, message, help);
    }

    fn limits(&mut self, scenario: &Scenario) {
        let limits = &scenario.limits;
        let nominal = scenario.plant.as_ref().map(|p| p.frequency_hz);
        match nominal {
            Some(nominal) => {
                if let Some(min) = limits.frequency_min_hz.filter(|min| *min >= nominal) {
                    self.add(
                        "limits.frequency_min_hz",
                        format!("{} Hz is not below the nominal {nominal} Hz", number(min)),
                        format!("a value below plant.frequency_hz = {nominal}"),
                    );
                }
                if let Some(max) = limits.frequency_max_hz.filter(|max| *max <= nominal) {
                    self.add(
                        "limits.frequency_max_hz",
                        format!("{} Hz is not above the nominal {nominal} Hz", number(max)),
                        format!("a value above plant.frequency_hz = {nominal}"),
                    );
                }
            }
            None => self.ordered(
                ("limits.frequency_min_hz", limits.frequency_min_hz),
                ("limits.frequency_max_hz", limits.frequency_max_hz),
            ),
        }
        self.ordered(
            ("limits.set_power_min_share", limits.set_power_min_share),
            ("limits.set_power_max_share", limits.set_power_max_share),
        );
        self.together(
            ("recovery_s", limits.recovery_s),
            ("recovery_band_hz", limits.recovery_band_hz),
            "the half-width of the band around nominal, in Hz",
        );
        self.voltage_limits(scenario);
        self.load_limits(scenario);
        let on_bus = [
            ("frequency_min_hz", limits.frequency_min_hz),
            ("frequency_max_hz", limits.frequency_max_hz),
            ("frequency_swing_hz", limits.frequency_swing_hz),
            ("rocof_hz_per_s", limits.rocof_hz_per_s),
            ("recovery_s", limits.recovery_s),
            ("set_power_max_share", limits.set_power_max_share),
            ("set_power_min_share", limits.set_power_min_share),
            ("load_step_window_s", limits.load_step_window_s),
            ("iso8528_column", limits.iso8528_column.map(|_| 0.0)),
        ];
        if scenario.plant.is_none() {
            let help = "add [plant] with its [[plant.sets]], or take the limit out";
            self.unchecked(&on_bus, "cannot be checked without [plant]", help);
        }
    }

    /// Limits that only sets with alternators can meet or break.
    fn voltage_limits(&mut self, scenario: &Scenario) {
        let limits = &scenario.limits;
        self.ordered(
            ("limits.voltage_min_pu", limits.voltage_min_pu),
            ("limits.voltage_max_pu", limits.voltage_max_pu),
        );
        self.together(
            ("voltage_recovery_s", limits.voltage_recovery_s),
            ("voltage_recovery_band_pu", limits.voltage_recovery_band_pu),
            "the half-width of the band around plant.voltage_pu, in pu",
        );
        let Some(plant) = scenario.plant.as_ref().filter(|p| p.has_alternators()) else {
            let given = [
                ("voltage_min_pu", limits.voltage_min_pu),
                ("voltage_max_pu", limits.voltage_max_pu),
                ("voltage_recovery_s", limits.voltage_recovery_s),
                ("set_reactive_min_share", limits.set_reactive_min_share),
            ];
            let help = "give every set an [alternator] (and an [exciter]), or take the limit out";
            self.unchecked(&given, "cannot be checked without alternators", help);
            return;
        };
        let start = plant.voltage_pu;
        let (min, max) = (limits.voltage_min_pu, limits.voltage_max_pu);
        if min.zip(max).is_some_and(|(min, max)| min >= max) {
            return;
        }
        if let Some(min) = min.filter(|min| *min >= start) {
            self.add(
                "limits.voltage_min_pu",
                format!(
                    "{} pu is not below the {start} pu of the start",
                    number(min)
                ),
                format!("a value below plant.voltage_pu = {start}"),
            );
        }
        if let Some(max) = max.filter(|max| *max <= start) {
            self.add(
                "limits.voltage_max_pu",
                format!(
                    "{} pu is not above the {start} pu of the start",
                    number(max)
                ),
                format!("a value above plant.voltage_pu = {start}"),
            );
        }
    }

    /// A longest time outside a band and the band need each other.
    fn together(&mut self, time: (&str, Option<f64>), band: (&str, Option<f64>), what: &str) {
        match (time.1, band.1) {
            (Some(_), None) => self.add(
                &join("limits", time.0),
                format!("{} needs {}", time.0, band.0),
                format!("add `{}`, {what}", band.0),
            ),
            (None, Some(_)) => self.add(
                &join("limits", band.0),
                format!("{} needs {}", band.0, time.0),
                format!("add `{}`, the longest time outside the band, in s", time.0),
            ),
            _ => {}
        }
    }

    /// Limits on what the scenario does not have say nothing; the reader should know before the run.
    fn unchecked(&mut self, limits: &[(&str, Option<f64>)], message: &str, help: &str) {
        for (key, _) in limits.iter().filter(|(_, limit)| limit.is_some()) {
            let path = join("limits", key);
            let origin = self.root.origin_of(&path);
            self.report.warn(origin, &path, message, help);
        }
    }

    /// Which of two values that contradict each other was set on top: by `--set`, then in the file, then by a preset.
    fn blamed<'p>(&self, first: &'p str, second: &'p str) -> &'p str {
        let rank = |path: &str| {
            let origin = self.root.origin_of(path);
            let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
            if self.report.sources.name(origin.file).starts_with("--set ") {
                3
            } else if origin.file != self.root.origin.file {
                0
            } else if origin == self.root.origin_of(parent) {
                1
            } else {
                2
            }
        };
        if rank(second) > rank(first) {
            second
        } else {
            first
        }
    }

    fn ordered(
        &mut self,
        (low_path, low): (&str, Option<f64>),
        (high_path, high): (&str, Option<f64>),
    ) {
        if let (Some(low), Some(high)) = (low, high)
            && low >= high
        {
            let (low, high) = (number(low), number(high));
            let path = self.blamed(low_path, high_path);
            let message = if path == low_path {
                format!("{low} is not below {high_path} = {high}")
            } else {
                format!("{high} is not above {low_path} = {low}")
            };
            self.add(path, message, "the lower limit below the upper one");
        }
    }

    fn windows(&mut self, scenario: &Scenario) {
        let step_s = scenario.simulation.step_s;
        let plant_step_s = scenario.simulation.plant_step();
        let limits = &scenario.limits;
        let windows = [
            (
                "limits.frequency_swing_window_s",
                limits.frequency_swing_window_s,
                limits.frequency_swing_hz.is_some(),
            ),
            (
                "limits.rocof_window_s",
                limits.rocof_window_s,
                limits.rocof_hz_per_s.is_some(),
            ),
            (
                "limits.set_power_min_window_s",
                limits.set_power_min_window_s,
                limits.set_power_min_share.is_some(),
            ),
            (
                "limits.survivor_power_window_s",
                limits.survivor_window_s(),
                limits.survivor_power_max_share.is_some(),
            ),
        ];
        for (path, window_s, used) in windows {
            if used && window_s < plant_step_s {
                self.add(
                    path,
                    format!(
                        "a window of {} s is shorter than the plant's step of {} s",
                        number(window_s),
                        number(plant_step_s)
                    ),
                    format!("at least the plant's step, {} s", number(plant_step_s)),
                );
            } else if window_s / plant_step_s > MOST_WINDOW_STEPS
                && scenario.simulation.duration_s / plant_step_s <= MOST_STEPS
            {
                let longest_s = MOST_WINDOW_STEPS * plant_step_s;
                self.add(
                    path,
                    format!(
                        "a window of {} s holds {:.3e} steps of {} s",
                        number(window_s),
                        window_s / plant_step_s,
                        number(plant_step_s)
                    ),
                    format!(
                        "at most {MOST_WINDOW_STEPS:e} steps, {} s: every one is kept in memory",
                        number(longest_s)
                    ),
                );
            }
        }
        // Windows that the user did not write are left out where the step is longer, see `fit_ramp_windows`.
        for (at, window_s) in scenario.outputs.ramp_windows_s.iter().enumerate() {
            let path = format!("outputs.ramp_windows_s.{at}");
            if *window_s <= 0.0 {
                self.add(
                    &path,
                    format!("a window of {} s", number(*window_s)),
                    "a window is above 0 s",
                );
            } else if *window_s < step_s {
                self.add(
                    &path,
                    format!(
                        "a window of {} s is shorter than the step of {} s",
                        number(*window_s),
                        number(step_s)
                    ),
                    format!("at least simulation.step_s = {}", number(step_s)),
                );
            } else if *window_s > scenario.simulation.duration_s {
                let duration_s = number(scenario.simulation.duration_s);
                self.warn(
                    &path,
                    format!(
                        "a window of {} s is longer than duration_s = {duration_s}",
                        number(*window_s)
                    ),
                    "its ramp is the largest of the whole run; take it out, or lengthen the run",
                );
            }
        }
    }

    fn loads(&mut self, scenario: &Scenario) {
        if scenario.racks.is_empty() && scenario.loads.is_empty() && scenario.jobs.is_empty() {
            self.add(
                "",
                "nothing draws power",
                "add [[racks]] with a [[jobs]] entry, or [[loads]]",
            );
        }
        let mut names = BTreeMap::new();
        for (at, load) in scenario.loads.iter().enumerate() {
            let path = format!("loads.{at}");
            let name = load.name();
            // Their range is the schema's; near 0 the reactive power has no bound.
            if let Some(factor) = load.power_factor().filter(|f| f.abs() < 0.3) {
                self.add(
                    &join(&path, "power_factor"),
                    format!("{} is out of range", number(factor)),
                    "0.3 to 1 for lagging, -0.3 to -1 for leading",
                );
            }
            if let Some(first) = names.insert(name.to_owned(), at) {
                self.add(
                    &join(&path, "name"),
                    format!("`{name}` is also the name of loads.{first}"),
                    "give each load its own name",
                );
            }
            match load {
                LoadSpec::Steps(steps) => self.steps(&path, steps, scenario.simulation.end_s()),
                LoadSpec::Trace(trace) => self.trace(&path, trace),
            }
        }
    }

    fn steps(&mut self, path: &str, load: &StepsLoad, end_s: f64) {
        let mut last = None;
        for (at, event) in load.events.iter().enumerate() {
            let path = format!("{path}.events.{at}.at_s");
            if let Some(before) = last.filter(|before| event.at_s <= *before) {
                self.add(
                    &path,
                    format!(
                        "{} s is not after the event before it, at {} s",
                        number(event.at_s),
                        number(before)
                    ),
                    "put the events in order of time",
                );
            }
            if event.at_s > end_s {
                self.add(
                    &path,
                    format!(
                        "{} s is beyond the end of the run at {} s",
                        number(event.at_s),
                        number(end_s)
                    ),
                    "an earlier time, or a longer simulation.duration_s",
                );
            }
            last = Some(event.at_s);
        }
    }

    fn trace(&mut self, path: &str, load: &TraceLoad) {
        match (load.unit, load.base_kw) {
            (Some(PowerUnit::PerUnit), None) => self.add(
                &join(path, "unit"),
                "`pu` needs `base_kw`",
                "add `base_kw`, the kilowatts that 1 in the file stands for",
            ),
            (Some(unit), Some(_)) if unit != PowerUnit::PerUnit => self.add(
                &join(path, "base_kw"),
                "`base_kw` goes with unit = \"pu\" only",
                "take it out, or set unit = \"pu\"",
            ),
            _ => {}
        }
        if load.count > 1 && load.scope == TraceScope::Site {
            self.add(
                &join(path, "count"),
                format!("`count` = {} with a trace of the whole site", load.count),
                "set scope = \"rack\" or \"node\", or take `count` out",
            );
        }
        let scales = [
            ("scale", load.scale),
            ("scale_to_mean_kw", load.scale_to_mean_kw),
            ("scale_to_peak_kw", load.scale_to_peak_kw),
        ];
        let given: Vec<&str> = scales
            .iter()
            .filter(|(_, v)| v.is_some())
            .map(|(key, _)| *key)
            .collect();
        if let [first, second, ..] = given.as_slice() {
            self.add(
                &join(path, second),
                format!("{} scale the same trace", given.join(" and ")),
                format!("keep one, as `{first}`"),
            );
        }
        self.trace_files(path, load);
    }

    fn trace_files(&mut self, path: &str, load: &TraceLoad) {
        if !load.file.is_empty() && !load.files.is_empty() {
            self.add(
                &join(path, "files"),
                "`file` and `files` both name what to read",
                "keep one of them",
            );
        }
        let key = if load.files.is_empty() {
            "file"
        } else {
            "files"
        };
        if load.paths().iter().any(|f| f.trim().is_empty()) {
            self.add(
                &join(path, key),
                "no file is named",
                "name a file relative to the scenario file: CSV, Parquet, text of dcgmi dmon, or JSON of Prometheus",
            );
        }
        for (i, file) in load.files.iter().enumerate() {
            if load.files[..i].contains(file) {
                self.add(
                    &join(path, &format!("files.{i}")),
                    format!("`{file}` is named twice"),
                    "name it once; for several equal nodes set `scope` and `count`",
                );
            }
        }
        let (offsets, files) = (load.clock_offset_s.len(), load.paths().len());
        if offsets > 0 && offsets != files {
            self.add(
                &join(path, "clock_offset_s"),
                format!("{offsets} offsets for {files} files"),
                "give one number of seconds for each file, in their order; 0 for a clock that is right",
            );
        }
    }

    fn profiles(&mut self, scenario: &Scenario) {
        let gpus = scenario
            .gpus
            .iter()
            .map(|(name, spec)| (format!("gpus.{name}"), spec.problems()));
        let nodes = scenario
            .nodes
            .iter()
            .map(|(name, spec)| (format!("nodes.{name}"), spec.problems()));
        let psus = scenario
            .psus
            .iter()
            .map(|(name, spec)| (format!("psus.{name}"), spec.problems()));
        for (prefix, problems) in gpus.chain(nodes).chain(psus) {
            for problem in problems {
                self.add(&join(&prefix, &problem.path), problem.message, problem.help);
            }
        }
    }

    fn plant(&mut self, scenario: &Scenario) {
        let Some(plant) = &scenario.plant else { return };
        let simulation = &scenario.simulation;
        let fine_s = scenario.zoom.map(|zoom| {
            let fine = SimulationSpec {
                step_s: zoom.step_s,
                ..simulation.clone()
            };
            fine.plant_step()
        });
        // At every step that is run: lags below half of it are taken as at rest, those up to twice of it are resolved at none.
        let mut found: Vec<SpecProblem> = Vec::new();
        for step_s in fine_s.into_iter().chain([simulation.plant_step()]) {
            let (integrated, _) = ballast_plant::residualise(plant, step_s);
            for problem in ballast_plant::problems(&integrated, step_s) {
                let known = |p: &SpecProblem| {
                    p.path == problem.path && p.longest_step_s == problem.longest_step_s
                };
                if !found.iter().any(known) {
                    found.push(problem);
                }
            }
        }
        // A step that is too long is one problem, of the step: the shortest of the longest steps would be right.
        let (coarse, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|p| p.longest_step_s.is_some());
        for problem in others {
            let path = join("plant", &problem.path);
            let other = problem
                .other
                .map_or_else(|| path.clone(), |o| join("plant", &o));
            let path = self.blamed(&path, &other).to_owned();
            self.add(&path, problem.message, problem.help);
        }
        self.dispatch(plant);
        let longest_s = coarse
            .iter()
            .filter_map(|p| p.longest_step_s)
            .fold(f64::INFINITY, f64::min);
        if let Some(tightest) = coarse.iter().find(|p| p.longest_step_s == Some(longest_s)) {
            let message = format!(
                "{} (plant.{}; {} in all)",
                tightest.message,
                tightest.path,
                coarse.len()
            );
            let path = if scenario.simulation.plant_step_s.is_some() {
                "simulation.plant_step_s"
            } else {
                "simulation.step_s"
            };
            self.add(
                path,
                message,
                format!("a step of {} s or less", number(longest_s)),
            );
        }
        let shape = Shape::root().path("plant.sets").and_then(Shape::item);
        let sets = self
            .root
            .get("plant")
            .and_then(|p| p.get("sets"))
            .map(Node::items)
            .unwrap_or_default();
        for (at, set) in sets.iter().enumerate() {
            for entry in set
                .get("provenance")
                .and_then(Node::entries)
                .unwrap_or_default()
            {
                let known =
                    entry
                        .key
                        .split('.')
                        .try_fold((shape, Some(set)), |(shape, node), key| {
                            let shape = match node {
                                Some(node) => shape?.chosen(node),
                                None => shape?,
                            };
                            Some((Some(shape.key(key)?), node.and_then(|n| n.get(key))))
                        });
                if known.is_none() {
                    let path = format!("plant.sets.{at}.provenance.{}", entry.key);
                    self.report.warn(
                        entry.origin,
                        &path,
                        "says where a value comes from that the set does not have",
                        "name a key of the set, as inertia_s or governor.k",
                    );
                }
            }
        }
    }

    fn facility(&mut self, scenario: &Scenario) {
        let Some(facility) = &scenario.facility else {
            return;
        };
        if scenario.racks.is_empty() {
            self.add(
                "facility",
                "there are no racks that it could be around",
                "add [[racks]], or give the rest of the site as one of the [[loads]]",
            );
        }
        for (key, message, help) in facility.problems() {
            self.add(&format!("facility.{key}"), message, help);
        }
    }

    /// Isochronous sets hold nominal speed at any load; only droop, a constant set beside others, or a grid knows a dispatched power.
    fn dispatch(&mut self, plant: &PlantSpec) {
        let all = |of: &dyn Fn(&GovernorSpec) -> bool| plant.sets.iter().all(|s| of(&s.governor));
        let constant = |governor: &GovernorSpec| matches!(governor, GovernorSpec::Constant);
        let island = plant.utility.is_none();
        if island
            && plant.dispatch_kw.is_some()
            && (all(&ballast_plant::isochronous) || all(&constant))
        {
            self.warn(
                "plant.dispatch_kw",
                "has no effect: no set has droop",
                "take it out, or give a set a governor with droop",
            );
        }
    }

    /// Racks that the UPS or the transformer cannot carry: `loss = rated · (fixed + linear · x + square · x²)` says nothing there.
    fn ratings(&mut self, scenario: &Scenario, site: &Site) {
        /// Input over output beyond which the parabola of losses is no device.
        const ABSURD: f64 = 10.0;
        let Some(facility) = &scenario.facility else {
            return;
        };
        let racks_kw = site.rated_ac_w() / 1e3;
        for (name, element) in [("ups", facility.ups), ("transformer", facility.transformer)] {
            let Some(loss) = element.filter(|l| l.rated_kw > 0.0 && racks_kw > l.rated_kw) else {
                continue;
            };
            let path = format!("facility.{name}.rated_kw");
            let x = racks_kw / loss.rated_kw;
            let lost_kw =
                loss.rated_kw * (loss.loss_fixed + x * (loss.loss_linear + x * loss.loss_square));
            let message = format!(
                "the racks take {racks_kw:.1} kW with every GPU at its limit, {x:.2} times the {} kW that it is rated for",
                number(loss.rated_kw)
            );
            let help = format!(
                "set it to {:.0} kW or more, or plan fewer racks",
                racks_kw.ceil()
            );
            if racks_kw + lost_kw > ABSURD * racks_kw {
                let message = format!("{message}; its losses would be {lost_kw:.1} kW");
                self.add(&path, message, help);
            } else {
                self.warn(&path, message, help);
            }
        }
    }

    fn site(&mut self, scenario: &Scenario, sound: bool) -> Option<Site> {
        if scenario.racks.is_empty() && scenario.jobs.is_empty() {
            return None;
        }
        let nodes: u64 = scenario
            .racks
            .iter()
            .map(|r| u64::from(r.count) * u64::from(r.nodes_per_rack))
            .sum();
        if nodes > MOST_NODES {
            self.add(
                "racks",
                format!("{nodes} nodes in all"),
                format!("at most {MOST_NODES}"),
            );
            return None;
        }
        let input = SiteInput {
            racks: &scenario.racks,
            jobs: &scenario.jobs,
            tenants: &scenario.tenants,
            correlation: scenario.correlation.as_ref(),
            events: &scenario.events,
            gpus: &scenario.gpus,
            nodes: &scenario.nodes,
            psus: &scenario.psus,
        };
        match Site::new(input) {
            Ok(site) => {
                self.ratings(scenario, &site);
                sound.then_some(site)
            }
            Err(problems) => {
                for problem in problems {
                    self.add(&problem.path, problem.message, problem.help);
                }
                None
            }
        }
    }
}
