//! Contradictions in a plant's description, all at once.

use crate::check_alternator::{check_alternator, check_together};
use crate::check_general::check_general;
use crate::check_supply::check_supply;
use crate::check_together::check_running_together;
use crate::resolution::unresolved;
use crate::spec::{Degov1Spec, GovernorSpec, PiSpec, PlantSpec, SetSpec, Tgov1Spec};

/// A value that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{path}: {message}; {help}")]
pub struct SpecProblem {
    /// Place in the description, as `sets.0.governor.t5_s`.
    pub path: String,
    /// What is wrong, with the values.
    pub message: String,
    /// What would be right.
    pub help: String,
    /// Path of the other value, where two contradict each other.
    pub other: Option<String>,
    /// Longest step the value at `path` allows, seconds, if it is the step that does not fit.
    pub longest_step_s: Option<f64>,
}

/// Every problem of a description, with the step it is to be integrated with.
pub fn problems(spec: &PlantSpec, step_s: f64) -> Vec<SpecProblem> {
    let mut list = List {
        found: Vec::new(),
        prefix: String::new(),
    };
    list.positive("frequency_hz", spec.frequency_hz, "Hz");
    if spec.sets.is_empty() && spec.utility.is_none() {
        list.add(
            "sets",
            "no generating set".to_owned(),
            "give at least one [[sets]] entry, or a utility".to_owned(),
        );
    }
    if let Some(dispatch_kw) = spec.dispatch_kw {
        list.not_negative("dispatch_kw", dispatch_kw, "kW");
        let rated_kw: f64 = spec
            .sets
            .iter()
            .map(|set| f64::from(set.count) * set.rated_kw)
            .sum();
        if dispatch_kw > rated_kw {
            let message = format!(
                "{} kW is above the {} kW the sets are rated for",
                number(dispatch_kw),
                number(rated_kw)
            );
            list.add(
                "dispatch_kw",
                message,
                format!("at most {} kW", number(rated_kw)),
            );
        }
    }
    check_together(&mut list, spec);
    check_running_together(&mut list, spec);
    for (index, set) in spec.sets.iter().enumerate() {
        list.prefix = format!("sets.{index}.");
        if let Some(first) = spec.sets[..index]
            .iter()
            .position(|other| other.name == set.name)
        {
            let message = format!("\"{}\" is also the name of sets.{first}", set.name);
            list.add(
                "name",
                message,
                "give every entry its own name, or one entry a count".to_owned(),
            );
        }
        let before = list.found.len();
        check_set(&mut list, set);
        // Time constants derived from unusable values would only repeat the complaint.
        if list.found.len() == before {
            for need in unresolved(set, step_s) {
                let message = format!(
                    "a step of {} s is too long for {} of {} s",
                    number(step_s),
                    need.what,
                    number(need.value_s)
                );
                list.add(
                    need.key,
                    message,
                    format!("use a step of {} s or less", number(need.longest_step_s())),
                );
                if let Some(problem) = list.found.last_mut() {
                    problem.longest_step_s = Some(need.longest_step_s());
                }
            }
        }
    }
    list.found
}

fn check_set(list: &mut List, set: &SetSpec) {
    if set.count == 0 {
        list.add("count", "no set at all".to_owned(), "at least 1".to_owned());
    }
    list.positive("rated_kw", set.rated_kw, "kW");
    list.positive("rated_kva", set.rated_kva, "kVA");
    if set.rated_kw > set.rated_kva {
        let message = format!(
            "{} kW of active power is more than {} kVA of apparent power",
            number(set.rated_kw),
            number(set.rated_kva)
        );
        list.add(
            "rated_kw",
            message,
            "rated_kw is rated_kva times the rated power factor, often 0.8".to_owned(),
        );
        list.against("rated_kva");
    } else if set.rated_kw > 0.0 && set.rated_kva > LARGEST_KVA_PER_KW * set.rated_kw {
        let message = format!(
            "{} kVA of apparent power is more than {LARGEST_KVA_PER_KW} times the {} kW of active power",
            number(set.rated_kva),
            number(set.rated_kw)
        );
        list.add(
            "rated_kva",
            message,
            "rated_kva is rated_kw over the rated power factor, often 0.8".to_owned(),
        );
        list.against("rated_kw");
    }
    list.positive("inertia_s", set.inertia_s, "s");
    list.not_negative("damping_pu", set.damping_pu, "pu");
    list.not_negative("friction_pu", set.friction_pu, "pu");
    if set.turbo.enabled {
        list.positive("turbo.time_constant_s", set.turbo.time_constant_s, "s");
        list.positive("turbo.acceptance_pu", set.turbo.acceptance_pu, "pu");
    }
    check_alternator(list, set);
    check_supply(list, set);
    match &set.governor {
        GovernorSpec::Constant => {}
        GovernorSpec::Tgov1(t) => check_tgov1(list, t),
        GovernorSpec::Pi(p) => check_pi(list, p),
        GovernorSpec::Degov1(_) | GovernorSpec::Degov(_) => {
            if let Some(d) = set.governor.degov1() {
                check_degov1(list, &d);
            }
        }
        GovernorSpec::Ggov1(_)
        | GovernorSpec::Gast(_)
        | GovernorSpec::Ieeeg1(_)
        | GovernorSpec::Pid(_) => check_general(list, &set.governor),
    }
}

fn check_tgov1(list: &mut List, t: &Tgov1Spec) {
    list.positive("governor.droop_pu", t.droop_pu, "pu");
    list.not_negative("governor.t1_s", t.t1_s, "s");
    list.not_negative("governor.t2_s", t.t2_s, "s");
    list.not_negative("governor.t3_s", t.t3_s, "s");
    list.not_negative("governor.dt_pu", t.dt_pu, "pu");
    if t.t2_s > 0.0 && t.t3_s == 0.0 {
        let message = format!(
            "a lead T2 = {} s without the lag T3 is a pure differentiator",
            number(t.t2_s)
        );
        list.add(
            "governor.t2_s",
            message,
            "give t3_s above zero, or t2_s = 0".to_owned(),
        );
    }
    list.ordered(
        ("governor.vmin_pu", t.vmin_pu),
        ("governor.vmax_pu", t.vmax_pu),
    );
}

fn check_pi(list: &mut List, p: &PiSpec) {
    list.not_negative("governor.kp_pu", p.kp_pu, "pu");
    list.not_negative("governor.ki_per_s", p.ki_per_s, "1/s");
    list.not_negative("governor.t_s", p.t_s, "s");
    list.dead_time(p.dead_time_s);
    list.ordered(("governor.min_pu", p.min_pu), ("governor.max_pu", p.max_pu));
}

fn check_degov1(list: &mut List, d: &Degov1Spec) {
    let constants = [
        ("governor.t1_s", d.t1_s),
        ("governor.t2_s", d.t2_s),
        ("governor.t3_s", d.t3_s),
        ("governor.t4_s", d.t4_s),
        ("governor.t5_s", d.t5_s),
        ("governor.t6_s", d.t6_s),
    ];
    for (key, value) in constants {
        list.not_negative(key, value, "s");
    }
    list.positive("governor.k", d.k, "pu");
    list.not_negative("governor.droop_pu", d.droop_pu, "pu");
    list.dead_time(d.dead_time_s);
    if d.t1_s == 0.0 && d.t3_s > 0.0 {
        let message = format!(
            "with T1 = 0 the control box is 1 + T3 s, T3 = {} s: a pure differentiator",
            number(d.t3_s)
        );
        list.add(
            "governor.t3_s",
            message,
            "give t1_s above zero, or t3_s = 0".to_owned(),
        );
    }
    list.ordered(
        ("governor.tmin_pu", d.tmin_pu),
        ("governor.tmax_pu", d.tmax_pu),
    );
}

/// Most apparent power per active power: a rated power factor of 0.1, beyond which the two are of different sets.
const LARGEST_KVA_PER_KW: f64 = 10.0;

/// A number for a message: very small and very large ones with an exponent.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || (1e-6..1e15).contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// Longest dead time, seconds: bounds the memory of its history.
const LONGEST_DEAD_TIME_S: f64 = 10.0;

/// Last key of a path.
fn leaf(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

pub(crate) struct List {
    found: Vec<SpecProblem>,
    prefix: String,
}

impl List {
    /// Number of problems so far.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn add(&mut self, key: &str, message: String, help: String) {
        self.found.push(SpecProblem {
            path: format!("{}{key}", self.prefix),
            message,
            help,
            other: None,
            longest_step_s: None,
        });
    }

    /// Says which other key the last problem is about as well.
    pub(crate) fn against(&mut self, key: &str) {
        let path = format!("{}{key}", self.prefix);
        if let Some(problem) = self.found.last_mut() {
            problem.other = Some(path);
        }
    }

    pub(crate) fn positive(&mut self, key: &str, value: f64, unit: &str) {
        if !(value > 0.0 && value.is_finite()) {
            self.add(
                key,
                format!("{} {unit} is not above zero", number(value)),
                "give a finite value above zero".to_owned(),
            );
        }
    }

    pub(crate) fn not_negative(&mut self, key: &str, value: f64, unit: &str) {
        if !(value >= 0.0 && value.is_finite()) {
            self.add(
                key,
                format!("{} {unit} is negative or not finite", number(value)),
                "give zero or more".to_owned(),
            );
        }
    }

    pub(crate) fn dead_time(&mut self, value: f64) {
        self.not_negative("governor.dead_time_s", value, "s");
        if value > LONGEST_DEAD_TIME_S {
            let message = format!("{} s is longer than any engine's dead time", number(value));
            self.add(
                "governor.dead_time_s",
                message,
                format!("at most {LONGEST_DEAD_TIME_S} s; engines: 0.02 to 0.15 s"),
            );
        }
    }

    pub(crate) fn ordered(&mut self, lower: (&str, f64), upper: (&str, f64)) {
        for (key, value) in [lower, upper] {
            if !value.is_finite() {
                self.add(
                    key,
                    format!("{value} is not a finite limit"),
                    "give a finite value".to_owned(),
                );
            }
        }
        if upper.1 <= lower.1 {
            let message = format!(
                "the upper limit {} is not above the lower limit {}",
                number(upper.1),
                number(lower.1)
            );
            let help = format!("{} above {}", leaf(upper.0), leaf(lower.0));
            self.add(upper.0, message, help);
            self.against(lower.0);
        }
    }
}
