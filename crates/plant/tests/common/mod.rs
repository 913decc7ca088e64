//! Specs, traces and comparison shared by the tests.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test helpers; each test uses a part"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ballast_plant::{
    Degov1Spec, GovernorSpec, LoadModelSpec, LockStep, PiSpec, Plant, PlantSpec, SetSpec,
    Tgov1Spec, TorqueConvention, TurboSpec, VoltageControlSpec,
};

/// One set of 1000 kVA, so that its per unit is the plant's and 1 pu is 1e6 W.
pub const BASE_W: f64 = 1e6;

pub const NO_TURBO: TurboSpec = TurboSpec {
    enabled: false,
    time_constant_s: 1.5,
    acceptance_pu: 0.45,
};

pub fn one_set(
    governor: GovernorSpec,
    inertia_s: f64,
    damping_pu: f64,
    torque: TorqueConvention,
) -> PlantSpec {
    PlantSpec {
        frequency_hz: 60.0,
        torque,
        dispatch_kw: None,
        voltage_pu: 1.0,
        load: LoadModelSpec::default(),
        sharing: None,
        trips: Vec::new(),
        utility: None,
        sets: vec![set("g", governor, inertia_s, damping_pu)],
    }
}

pub fn set(name: &str, governor: GovernorSpec, inertia_s: f64, damping_pu: f64) -> SetSpec {
    SetSpec {
        name: name.to_owned(),
        label: String::new(),
        count: 1,
        rated_kw: 1000.0,
        rated_kva: 1000.0,
        inertia_s,
        damping_pu,
        governor,
        friction_pu: 0.0,
        turbo: NO_TURBO,
        alternator: None,
        exciter: None,
        line_x_pu: 0.0,
        voltage_control: VoltageControlSpec::default(),
        fuel: None,
        acceptance: Vec::new(),
        provenance: BTreeMap::new(),
    }
}

pub fn pi(kp: f64, ki: f64, t_s: f64, dead_time_s: f64) -> GovernorSpec {
    GovernorSpec::Pi(PiSpec {
        kp_pu: kp,
        ki_per_s: ki,
        t_s,
        dead_time_s,
        max_pu: 50.0,
        min_pu: -50.0,
    })
}

pub fn tgov1(droop_pu: f64, t1_s: f64) -> Tgov1Spec {
    Tgov1Spec {
        droop_pu,
        t1_s,
        t2_s: 0.0,
        t3_s: 0.0,
        vmax_pu: 50.0,
        vmin_pu: -50.0,
        dt_pu: 0.0,
    }
}

/// The Yeager and Willis constants of DEGOV1 for an emergency diesel.
pub fn yeager() -> Degov1Spec {
    Degov1Spec {
        t1_s: 0.01,
        t2_s: 0.02,
        t3_s: 0.2,
        k: 40.0,
        t4_s: 0.25,
        t5_s: 0.009,
        t6_s: 0.0384,
        dead_time_s: 0.024,
        tmax_pu: 1.1,
        tmin_pu: 0.0,
        droop_pu: 0.0,
    }
}

/// Plant and events from named parameters of a reference solution.
pub fn from_parameters(p: &BTreeMap<String, f64>) -> PlantSpec {
    let get = |key: &str| p.get(key).copied().unwrap_or(0.0);
    let governor = if get("model") == 1.0 {
        GovernorSpec::Tgov1(Tgov1Spec {
            droop_pu: get("R"),
            t1_s: get("T1"),
            t2_s: get("T2"),
            t3_s: get("T3"),
            vmax_pu: get("TMAX"),
            vmin_pu: get("TMIN"),
            dt_pu: get("Dt"),
        })
    } else {
        GovernorSpec::Degov1(Degov1Spec {
            t1_s: get("T1"),
            t2_s: get("T2"),
            t3_s: get("T3"),
            k: get("K"),
            t4_s: get("T4"),
            t5_s: get("T5"),
            t6_s: get("T6"),
            dead_time_s: get("TD"),
            tmax_pu: get("TMAX"),
            tmin_pu: get("TMIN").max(0.0),
            droop_pu: get("R"),
        })
    };
    let torque = if get("te") == 1.0 {
        TorqueConvention::PowerOverSpeed
    } else {
        TorqueConvention::Power
    };
    let mut spec = one_set(governor, get("H"), get("D"), torque);
    // A negative limit of the reference is friction here.
    spec.sets[0].friction_pu = (-get("TMIN")).max(0.0);
    if get("TAU") > 0.0 {
        spec.sets[0].turbo = TurboSpec {
            enabled: true,
            time_constant_s: get("TAU"),
            acceptance_pu: get("DT"),
        };
    }
    spec
}

/// Columns of a CSV file by name.
pub fn read_csv(path: &Path) -> BTreeMap<String, Vec<f64>> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines();
    let names: Vec<String> = lines
        .next()
        .unwrap()
        .split(',')
        .map(str::to_owned)
        .collect();
    let mut columns = vec![Vec::new(); names.len()];
    for line in lines {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.push(cell.parse().unwrap());
        }
    }
    names.into_iter().zip(columns).collect()
}

/// Every `every`-th row.
pub fn thin(trace: &BTreeMap<String, Vec<f64>>, every: usize) -> BTreeMap<String, Vec<f64>> {
    let column = |values: &Vec<f64>| values.iter().copied().step_by(every).collect();
    trace
        .iter()
        .map(|(name, values)| (name.clone(), column(values)))
        .collect()
}

/// Reference folder outside the repository, if it is there.
pub fn shared(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BALLAST_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("reference/plant").join(below);
    if path.is_dir() {
        return Some(path);
    }
    // Past the harness, which would swallow it: a check that was not made must be seen.
    let said = format!("SKIPPED: no reference solutions at {}\n", path.display());
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    None
}

/// Runs a plant along `times`, with load steps (time, per unit) from `load`; calls back at every time.
///
/// Between the times it takes steps of `step_s`, the last one shortened; at a time of an event the callback sees the
/// state just before it.
pub fn run(
    plant: &mut Plant,
    times: &[f64],
    mut load: f64,
    events: &[(f64, f64)],
    step_s: f64,
    mut see: impl FnMut(usize, &Plant),
) {
    let mut events = events.iter().copied().peekable();
    let mut now = 0.0;
    for (index, &time) in times.iter().enumerate() {
        while now < time - 1e-9 {
            if let Some(&(at, value)) = events.peek()
                && at <= now + 1e-9
            {
                load = value;
                events.next();
            }
            let bound = events.peek().map_or(time, |&(at, _)| at.min(time));
            let rest = bound - now;
            let length = if rest > step_s * (1.0 + 1e-9) {
                step_s
            } else {
                rest
            };
            plant.advance(length, load * BASE_W, load * BASE_W);
            now = if length == rest { bound } else { now + length };
        }
        see(index, plant);
    }
}

/// Largest differences of frequency, torque, throttle and boost from a reference trace.
#[derive(Debug, Default, Clone, Copy)]
pub struct Errors {
    pub speed: f64,
    pub torque: f64,
    pub throttle: f64,
    pub boost: f64,
}

pub fn compare(
    spec: &PlantSpec,
    trace: &BTreeMap<String, Vec<f64>>,
    start: f64,
    events: &[(f64, f64)],
    step_s: f64,
) -> Errors {
    let mut plant = Plant::new(spec, start * BASE_W, step_s).unwrap();
    let mut errors = Errors::default();
    let torque = trace.get("tm_pu").or_else(|| trace.get("Tm_pu")).unwrap();
    run(
        &mut plant,
        &trace["t_s"],
        start,
        events,
        step_s,
        |i, plant| {
            let set = plant.set(0);
            errors.speed = errors
                .speed
                .max((plant.speed_pu() - trace["f_pu"][i]).abs());
            errors.torque = errors.torque.max((set.torque_pu - torque[i]).abs());
            errors.throttle = errors
                .throttle
                .max((set.throttle_pu - trace["throttle_pu"][i]).abs());
            if let (Some(boost), Some(reference)) = (set.boost_pu, trace.get("boost_pu")) {
                errors.boost = errors.boost.max((boost - reference[i]).abs());
            }
        },
    );
    errors
}

/// Multiplies every number in a value.
fn scale(value: &mut serde_json::Value, by: f64) {
    match value {
        serde_json::Value::Number(n) => *value = serde_json::json!(n.as_f64().unwrap() * by),
        serde_json::Value::Array(all) => all.iter_mut().for_each(|v| scale(v, by)),
        serde_json::Value::Object(all) => all.values_mut().for_each(|v| scale(v, by)),
        _ => {}
    }
}

/// The same plant with other constants: models and zeros stay, the rest is multiplied.
pub fn varied(spec: &PlantSpec, by: f64) -> PlantSpec {
    let mut json = serde_json::to_value(spec).unwrap();
    for one in json["sets"].as_array_mut().unwrap() {
        for part in ["governor", "alternator", "exciter", "inertia_s", "turbo"] {
            if let Some(part) = one.get_mut(part) {
                scale(part, by);
            }
        }
    }
    serde_json::from_value(json).unwrap()
}

/// What can be seen of a plant, as bits.
pub fn seen(plant: &Plant) -> Vec<u64> {
    let mut all = vec![
        plant.time_s(),
        plant.speed_pu(),
        plant.speed_rate_pu_per_s(),
        plant.power_residual_pu(),
    ];
    all.extend(plant.bus_voltage_pu());
    all.extend(plant.utility_state().map(|grid| grid.power_w));
    for index in 0..plant.set_count() {
        let s = plant.set(index);
        let parts = [s.voltage_pu, s.reactive_pu, s.field_pu, s.boost_pu];
        all.extend([
            s.throttle_pu,
            s.torque_pu,
            s.mechanical_pu,
            s.electrical_pu,
            s.speed_pu,
            f64::from(s.limited as u8),
        ]);
        all.extend(parts.into_iter().flatten());
    }
    all.into_iter().map(f64::to_bits).collect()
}

/// A stretch of load: length of a call, load at its start and end (W), reactive over active power, how often.
pub type Stretch = (f64, f64, f64, f64, usize);

/// Variants of a plant advance in lock-step, each under its own part of the load, and alone: every one is the same to the bit. Returns how many sat in lanes.
pub fn side_by_side(
    spec: &PlantSpec,
    start_w: f64,
    variants: &[f64],
    stretches: &[Stretch],
) -> usize {
    let plants: Vec<Plant> = variants
        .iter()
        .filter_map(|by| Plant::new(&varied(spec, *by), start_w, 1e-3).ok())
        .collect();
    let mut alone = plants.clone();
    let mut together = LockStep::new(plants);
    let sat = together.in_lanes();
    for &(length, from_w, to_w, tan_phi, repeat) in stretches {
        let load = |who: usize| {
            // Every third one under another load.
            let part = if who % 3 == 2 { 0.8 } else { 1.0 };
            [from_w, to_w].map(|w| (part * w, part * w * tan_phi))
        };
        for _ in 0..repeat {
            together.advance_each(length, load);
            for (who, plant) in alone.iter_mut().enumerate() {
                let [start, end] = load(who);
                plant.advance_with_reactive(length, start, end);
                assert_eq!(together.status(who), plant.status(), "{who}");
                assert_eq!(seen(together.plant(who)), seen(plant), "{who} of {spec:?}");
            }
        }
    }
    sat
}
