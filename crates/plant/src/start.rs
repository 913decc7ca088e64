//! From a description to constants and the steady state at the first load.
//!
//! Shares: at the dispatched power (the first load unless given) every set carries the same part of its `rated_kw`.
//! If the first load is another one, isochronous sets take the difference (in proportion to `rated_kw`) at nominal
//! speed; without any, droop sets take it at the speed that results. Constant sets stay at the dispatched power.
//! With constant sets only, the dispatched power has no meaning and they carry the load.

use crate::bus::LoadModel;
use crate::error::PlantError;
use crate::general::{General, MOST};
use crate::governor::{
    Actuator, BOOST, ControlBox, Engine, Group, LAG, LIMITED, Law, Turbo, WIDTH,
};
use crate::machine::SPEED;
use crate::model::Model;
use crate::sharing::{Sharing, isochronous};
use crate::spec::{Degov1Spec, GovernorSpec, PlantSpec, SetSpec, TorqueConvention};
use crate::start_network::{bus, electrical, network, settle_references, unit};

/// Base of the plant's per-unit power: kVA of all sets, or of the grid's connection where there are none.
pub(crate) fn total_kva(spec: &PlantSpec) -> f64 {
    match &spec.utility {
        Some(utility) if spec.sets.is_empty() => utility.rated_kva,
        _ => spec
            .sets
            .iter()
            .map(|set| f64::from(set.count) * set.rated_kva)
            .sum(),
    }
}

/// Sum of kW over the plant.
pub(crate) fn total_kw(spec: &PlantSpec) -> f64 {
    spec.sets
        .iter()
        .map(|set| f64::from(set.count) * set.rated_kw)
        .sum()
}

/// How a set answers a lasting change of load.
#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Stays,
    /// Output per unit of falling speed.
    Droop(f64),
    Isochronous,
}

fn answer(governor: &GovernorSpec) -> Answer {
    if isochronous(governor) {
        return Answer::Isochronous;
    }
    match governor {
        GovernorSpec::Tgov1(t) => Answer::Droop(1.0 / t.droop_pu),
        GovernorSpec::Pi(p) if p.kp_pu > 0.0 => Answer::Droop(p.kp_pu),
        GovernorSpec::Degov1(d) => Answer::Droop(1.0 / d.droop_pu),
        // At the start the rest stand where the dispatch puts them, at nominal speed.
        _ => Answer::Stays,
    }
}

/// Constants, the first state and the first voltage of the bus; `reactive_var` only matters to alternators and a utility.
pub(crate) fn start(
    spec: &PlantSpec,
    load_w: f64,
    reactive_var: f64,
) -> Result<(Model, Vec<f64>, f64), PlantError> {
    let kva = total_kva(spec);
    let electric = spec.utility.is_some() || spec.has_alternators();
    let nominal = (load_w / (kva * 1e3), reactive_var / (kva * 1e3));
    let sets = spec.dispatch_kw.map_or(0.0, |kw| kw / kva);
    let (voltage, utility) = bus(spec, nominal, sets, kva)?;
    let (active_factor, reactive_factor) = if electric {
        LoadModel::new(&spec.load).factors(voltage)
    } else {
        (1.0, 1.0)
    };
    let mut load = nominal.0 * active_factor;
    let mut reactive = nominal.1 * reactive_factor;
    if utility.is_some() {
        (load, reactive) = (sets, 0.0); // of the sets
    }
    let dispatch = spec.dispatch_kw.map_or(load, |kw| kw / kva);
    let weight = |set: &SetSpec| f64::from(set.count) * set.rated_kva / kva;
    let answers: Vec<Answer> = spec.sets.iter().map(|set| answer(&set.governor)).collect();
    let damping: f64 = spec
        .sets
        .iter()
        .map(|set| weight(set) * set.damping_pu)
        .sum();
    let (dispatched, speed) = dispatched(spec, &answers, (load, dispatch), damping)?;
    let mut state = vec![speed];
    let mut groups = Vec::with_capacity(spec.sets.len());
    let (mut units, mut reactives) = (Vec::new(), Vec::new());
    for ((set, answer), power) in spec.sets.iter().zip(&answers).zip(&dispatched) {
        let throttle = if let Answer::Droop(gain) = answer {
            power - gain * speed
        } else {
            *power
        };
        let turbine = turbine_damping(&set.governor) * speed;
        let is_power = output_is_power(&set.governor);
        let active = electrical(spec, set, throttle - turbine, is_power, speed);
        let started = unit(spec, set, voltage, (active, reactive), speed)?;
        // The engine gives the losses in the armature as well.
        let losses = started.as_ref().map_or(0.0, |s| s.air_gap - active);
        let (throttle, power) = (throttle + losses, power + losses);
        let mut group = group(set, weight(set), power);
        (group.at, group.speed_at) = (state.len(), 0);
        let constant = matches!(group.law, Law::Constant { .. });
        let outside = throttle > group.upper + 1e-12 || throttle < group.lower - 1e-12;
        if !constant && outside {
            return Err(PlantError::ThrottleOutsideLimits {
                set: set.name.clone(),
                throttle_pu: throttle,
                min_pu: group.lower,
                max_pu: group.upper,
            });
        }
        let mut own = [0.0; LAG + MOST];
        let mut general_states = [0.0; MOST];
        own[LIMITED] = if let Law::Static { kp, .. } = group.law {
            throttle + kp * speed
        } else {
            throttle
        };
        if !matches!(group.engine, Engine::Direct) {
            own[LAG] = throttle;
        }
        own[BOOST] = throttle;
        if let Some((general, valve)) =
            General::start(&set.governor, power, active, &mut general_states)
        {
            own[LIMITED] = valve;
            own[LAG..].copy_from_slice(&general_states);
            group.width = LAG + general.own();
            group.always_over_speed = general.always_over_speed();
            group.law = Law::General(general);
        }
        state.extend_from_slice(&own[..group.width]);
        if let Some(mut started) = started {
            started.unit.machine_at = state.len();
            group.speed_at = state.len() + SPEED;
            state.extend_from_slice(&started.machine);
            started.unit.exciter_at = state.len();
            state.extend_from_slice(&started.exciter);
            reactives.push((weight(set), started.reactive));
            units.push(started.unit);
        }
        groups.push(group);
    }
    let two_h = groups
        .iter()
        .map(|group| 2.0 * group.weight * group.inertia)
        .sum();
    settle_references(&mut units, &reactives, speed);
    let sharing = Sharing::new(spec, &mut groups, &mut state);
    Ok((
        Model {
            groups,
            two_h,
            damping,
            torque: spec.torque,
            network: electric.then(|| network(spec, units, utility)),
            sharing,
        },
        state,
        voltage,
    ))
}

/// What every set delivers, per unit of its kVA, for the load and the dispatched power per unit of the plant's, and the speed deviation it goes with.
fn dispatched(
    spec: &PlantSpec,
    answers: &[Answer],
    (load, dispatch): (f64, f64),
    damping: f64,
) -> Result<(Vec<f64>, f64), PlantError> {
    let (kva, kw) = (total_kva(spec), total_kw(spec));
    // Per unit of a set's own kVA when the plant delivers `power`, per unit of the plant's.
    let share = |set: &SetSpec, power: f64| power * (kva / kw) * (set.rated_kw / set.rated_kva);
    let mut speed = 0.0;
    let mut dispatched: Vec<f64> = spec.sets.iter().map(|set| share(set, dispatch)).collect();
    if dispatch != load {
        let takes_the_rest = |answer: &Answer| *answer == Answer::Isochronous;
        let rating = |set: &SetSpec| f64::from(set.count) * set.rated_kw;
        if answers.iter().all(|answer| *answer == Answer::Stays) {
            dispatched = spec.sets.iter().map(|set| share(set, load)).collect();
        } else if answers.iter().any(takes_the_rest) {
            let willing: f64 = spec
                .sets
                .iter()
                .zip(answers)
                .filter(|(_, a)| takes_the_rest(a))
                .map(|(set, _)| rating(set))
                .sum();
            for ((set, answer), power) in spec.sets.iter().zip(answers).zip(&mut dispatched) {
                if takes_the_rest(answer) {
                    *power += (load - dispatch) * kva / willing * (set.rated_kw / set.rated_kva);
                }
            }
        } else {
            let surplus =
                |speed: f64| surplus_torque(spec, answers, &dispatched, damping, load, speed);
            let lost = PlantError::NoSteadySpeed {
                dispatch_w: dispatch * kva * 1e3,
                load_w: load * kva * 1e3,
            };
            speed = steady_speed(surplus).ok_or(lost)?;
        }
    }
    Ok((dispatched, speed))
}

/// Torque left over at a speed deviation, all governors at rest there.
fn surplus_torque(
    spec: &PlantSpec,
    answers: &[Answer],
    dispatched: &[f64],
    damping: f64,
    load: f64,
    speed: f64,
) -> f64 {
    let kva = total_kva(spec);
    let omega = if spec.torque == TorqueConvention::PowerOverSpeed {
        1.0 + speed
    } else {
        1.0
    };
    let mut torque = -load / omega - damping * speed;
    for ((set, answer), power) in spec.sets.iter().zip(answers).zip(dispatched) {
        let throttle = if let Answer::Droop(gain) = answer {
            power - gain * speed
        } else {
            *power
        };
        let turbine = turbine_damping(&set.governor) * speed;
        let over = if output_is_power(&set.governor) {
            omega
        } else {
            1.0
        };
        torque += f64::from(set.count) * set.rated_kva / kva * (throttle - turbine) / over;
    }
    torque
}

/// Zero of a surplus that falls with speed.
fn steady_speed(surplus: impl Fn(f64) -> f64) -> Option<f64> {
    let (mut low, mut high) = (-0.5, 0.5);
    if !(surplus(low) > 0.0 && surplus(high) < 0.0) {
        return None;
    }
    // Interval arithmetic ends at neighbouring numbers long before.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if surplus(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
}

/// What a turbine's power falls by with speed.
fn turbine_damping(governor: &GovernorSpec) -> f64 {
    if let GovernorSpec::Tgov1(t) = governor {
        t.dt_pu
    } else {
        0.0
    }
}

/// DEGOV1's throttle and a constant set are torque; TGOV1 and PI give power.
fn output_is_power(governor: &GovernorSpec) -> bool {
    !matches!(
        governor,
        GovernorSpec::Constant | GovernorSpec::Degov1(_) | GovernorSpec::Degov(_)
    )
}

fn group(set: &SetSpec, weight: f64, power: f64) -> Group {
    let mut group = Group {
        at: 0,
        width: WIDTH,
        speed_at: 0,
        trim_at: None,
        weight,
        inertia: set.inertia_s,
        inv_two_h: 1.0 / (2.0 * set.inertia_s),
        damping: set.damping_pu,
        law: Law::Constant { output: power },
        engine: Engine::Direct,
        turbine_damping: 0.0,
        output_is_power: output_is_power(&set.governor),
        always_over_speed: false,
        lower: f64::NEG_INFINITY,
        upper: f64::INFINITY,
        turbo: None,
        dead_time: 0.0,
    };
    match &set.governor {
        GovernorSpec::Constant => return group,
        GovernorSpec::Tgov1(t) => {
            let gain = 1.0 / t.droop_pu;
            group.law = if t.t1_s > 0.0 {
                Law::Valve {
                    inv_t1: 1.0 / t.t1_s,
                    gain,
                    setpoint: power,
                }
            } else {
                Law::Static { kp: gain, ki: 0.0 }
            };
            if t.t3_s > 0.0 {
                group.engine = Engine::LeadLag {
                    inv: 1.0 / t.t3_s,
                    lead: t.t2_s / t.t3_s,
                };
            }
            group.turbine_damping = t.dt_pu;
            (group.lower, group.upper) = (t.vmin_pu, t.vmax_pu);
        }
        GovernorSpec::Pi(p) => {
            group.law = Law::Static {
                kp: p.kp_pu,
                ki: p.ki_per_s,
            };
            if p.t_s > 0.0 {
                group.engine = Engine::Lag { inv: 1.0 / p.t_s };
            }
            group.dead_time = p.dead_time_s;
            (group.lower, group.upper) = (p.min_pu, p.max_pu);
        }
        GovernorSpec::Degov1(_) | GovernorSpec::Degov(_) => {
            if let Some(d) = set.governor.degov1() {
                group.law = degov1(&d, power);
                group.dead_time = d.dead_time_s;
                (group.lower, group.upper) = (d.tmin_pu, d.tmax_pu);
            }
        }
        GovernorSpec::Ggov1(g) => {
            group.dead_time = g.dead_time_s;
            let power = |stroke: f64| g.kturb * (stroke - g.wfnl_pu);
            (group.lower, group.upper) = (power(g.vmin_pu), power(g.vmax_pu));
        }
        GovernorSpec::Gast(g) => (group.lower, group.upper) = (g.vmin_pu, g.vmax_pu),
        GovernorSpec::Ieeeg1(g) => (group.lower, group.upper) = (g.pmin_pu, g.pmax_pu),
        GovernorSpec::Pid(p) => {
            group.dead_time = p.dead_time_s;
            (group.lower, group.upper) = (p.min_pu, p.max_pu);
        }
    }
    // Without fuel the engine absorbs its friction: net torque can go that much lower.
    group.lower -= set.friction_pu;
    if set.turbo.enabled {
        group.turbo = Some(Turbo {
            inv_tau: 1.0 / set.turbo.time_constant_s,
            acceptance: set.turbo.acceptance_pu,
        });
    }
    group
}

fn degov1(d: &Degov1Spec, power: f64) -> Law {
    let control = if d.t1_s == 0.0 {
        ControlBox::Through
    } else if d.t2_s == 0.0 {
        ControlBox::Lag {
            inv_t1: 1.0 / d.t1_s,
            lead: d.t3_s / d.t1_s,
        }
    } else {
        ControlBox::Second {
            t1: d.t1_s,
            inv: 1.0 / (d.t1_s * d.t2_s),
            t3: d.t3_s,
        }
    };
    let sum = d.t5_s + d.t6_s;
    let actuator = if sum == 0.0 {
        Actuator::Through
    } else if d.t5_s == 0.0 || d.t6_s == 0.0 {
        Actuator::Lag { inv: 1.0 / sum }
    } else {
        Actuator::Second {
            sum,
            inv: 1.0 / (d.t5_s * d.t6_s),
        }
    };
    Law::Degov1 {
        control,
        actuator,
        k: d.k,
        t4: d.t4_s,
        droop: d.droop_pu,
        reference: d.droop_pu * power,
    }
}
