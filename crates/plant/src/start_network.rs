//! The steady state of alternators and exciters.
//!
//! The bus starts at `voltage_pu`, its angle is zero. Active power comes from the governors' start; reactive power is shared by kVA.
//! Beside a utility the sets deliver the dispatched power and no reactive power, the grid gives the rest and its source the bus voltage.

use crate::alternator_spec::ExciterSpec;
use crate::bus::LoadModel;
use crate::error::PlantError;
use crate::exciter::{EXCITER_WIDTH, Exciter};
use crate::machine::Machine;
use crate::network::{Control, Network, Unit};
use crate::spec::{PlantSpec, SetSpec, TorqueConvention};
use crate::utility::Utility;

/// Knee of the roll-off where none is given: within the 57 to 58 Hz of 60, 47.5 Hz of 50, that makers set.
const DEFAULT_KNEE_PU: f64 = 0.95;

/// Alternator and exciter of a set at the start, and the air-gap power its engine has to give.
pub(crate) struct Started {
    pub(crate) unit: Unit,
    /// Its machine states, then its exciter states.
    pub(crate) machine: Vec<f64>,
    pub(crate) exciter: Vec<f64>,
    pub(crate) air_gap: f64,
    /// Reactive power at the terminals.
    pub(crate) reactive: f64,
}

/// One set at a bus of this voltage with `active` and `reactive` power, per unit of its kVA, and a speed deviation.
pub(crate) fn unit(
    plant: &PlantSpec,
    set: &SetSpec,
    voltage: f64,
    (active, reactive): (f64, f64),
    speed: f64,
) -> Result<Option<Started>, PlantError> {
    let Some(alternator) = &set.alternator else {
        return Ok(None);
    };
    let mut machine = Machine::new(alternator, set.line_x_pu);
    let steady = machine.steady(voltage, active, reactive);
    let mut states = vec![steady.angle, speed];
    states.extend_from_slice(&steady.flux[..machine.width() - states.len()]);
    let mut own = [0.0; EXCITER_WIDTH];
    let spec = set.exciter.unwrap_or(ExciterSpec::Constant);
    let exciter = Exciter::start(
        &spec,
        steady.field,
        steady.field,
        steady.terminals,
        &mut own,
    )
    .map_err(|out| PlantError::ExciterOutsideLimits {
        set: set.name.clone(),
        what: out.what,
        value_pu: out.value,
        min_pu: out.low,
        max_pu: out.high,
    })?;
    let c = set.voltage_control;
    let control = Control {
        droop: c.droop_pu,
        cross: c.cross_current_pu,
        knee: c
            .knee_hz
            .map_or(DEFAULT_KNEE_PU, |hz| hz / plant.frequency_hz),
        slope: c.volts_per_hertz,
        at_start: 0.0,
    };
    let width = exciter.width();
    Ok(Some(Started {
        unit: Unit {
            machine,
            machine_at: 0,
            exciter,
            exciter_at: 0,
            control,
        },
        machine: states,
        exciter: own[..width].to_vec(),
        air_gap: steady.air_gap,
        reactive: steady.reactive,
    }))
}

/// Makes the references up for the shifts at the start; `reactive` are kVA weights and reactive powers at the terminals.
pub(crate) fn settle_references(units: &mut [Unit], reactive: &[(f64, f64)], speed: f64) {
    let all: f64 = reactive.iter().map(|(weight, _)| weight).sum();
    let mean = reactive.iter().map(|(weight, q)| weight * q).sum::<f64>() / all;
    for (unit, (_, q)) in units.iter_mut().zip(reactive) {
        unit.control.at_start = -unit.control.shift(speed, *q, mean);
    }
}

/// Electrical power of a set whose governor gives `output` at a steady speed deviation.
pub(crate) fn electrical(
    plant: &PlantSpec,
    set: &SetSpec,
    output: f64,
    output_is_power: bool,
    speed: f64,
) -> f64 {
    let omega = 1.0 + speed;
    if plant.torque == TorqueConvention::PowerOverSpeed {
        let torque = if output_is_power {
            output / omega
        } else {
            output
        };
        omega * (torque - set.damping_pu * speed)
    } else {
        output - set.damping_pu * speed
    }
}

/// Voltage of the bus at the start, and the grid where there is one; `load` and `sets` per unit of the plant.
pub(crate) fn bus(
    plant: &PlantSpec,
    (active, reactive): (f64, f64),
    sets: f64,
    base_kva: f64,
) -> Result<(f64, Option<Utility>), PlantError> {
    let Some(spec) = &plant.utility else {
        return Ok((plant.voltage_pu, None));
    };
    let mut utility = Utility::new(spec, base_kva);
    let load = LoadModel::new(&plant.load);
    let drawn = |v: f64| {
        let (p, q) = load.factors(v);
        (active * p - sets, reactive * q)
    };
    let voltage = utility.settle(drawn).ok_or(PlantError::NoVoltage {
        load_w: active * base_kva * 1e3,
        short_circuit_w: spec.short_circuit_kva() * 1e3,
    })?;
    Ok((voltage, Some(utility)))
}

/// The network of these units.
pub(crate) fn network(plant: &PlantSpec, units: Vec<Unit>, utility: Option<Utility>) -> Network {
    Network {
        load: LoadModel::new(&plant.load),
        omega_base: 2.0 * std::f64::consts::PI * plant.frequency_hz,
        crosses: units.iter().any(|unit| unit.control.cross != 0.0),
        units,
        utility,
    }
}
