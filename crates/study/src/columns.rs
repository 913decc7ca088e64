//! The traces of a run: one column per quantity, handed out block by block.

use ballast_aggregate::DemandBlock;
use ballast_plant::Plant;
use ballast_profile::MeteringPoint;
use ballast_scenario::Scenario;
use ballast_series::{TraceBlock, TraceColumn, TraceSink};

use crate::bess::SiteBess;
use crate::design;
use crate::error::StudyError;
use crate::realisation::{BLOCK, Shared};

/// A column of the traces: name, unit, and what it is and where it is metered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedColumn {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: &'static str,
    /// What it is; for a power, where it is metered.
    pub what: String,
}

/// The columns of a scenario's traces in their order, but for the time; `rack_w_<rack>` stands for those of all racks.
pub fn trace_columns(scenario: &Scenario) -> Vec<TracedColumn> {
    let mut all = columns(scenario);
    all.extend(charges(scenario).map(|(_, _, column)| column));
    if scenario.outputs.rack_traces && !scenario.racks.is_empty() {
        all.push(TracedColumn {
            name: "rack_w_<rack>".to_owned(),
            unit: "W",
            what: format!("active power; metered: {}", MeteringPoint::RackAc.text()),
        });
    }
    all
}

/// Columns of the charge of the racks' storage: group, usable energy of all its racks, J, and column.
fn charges(scenario: &Scenario) -> impl Iterator<Item = (usize, f64, TracedColumn)> {
    let groups = scenario.racks.iter().enumerate();
    groups.filter_map(|(index, group)| {
        let store = group.storage.as_ref()?.store();
        let column = TracedColumn {
            name: format!("soc_share_{}", group.name),
            unit: "1",
            what: "charge of the storage in the group's racks, share of its usable energy, mean of the racks".to_owned(),
        };
        Some((index, f64::from(group.count) * store.energy_j, column))
    })
}

/// The columns that do not depend on the racks.
fn columns(scenario: &Scenario) -> Vec<TracedColumn> {
    let column = |name: &str, unit, what: String| TracedColumn {
        name: name.to_owned(),
        unit,
        what,
    };
    let bus = design::bus(scenario);
    let mut all = vec![
        column("site_w", "W", format!("active power; metered: {bus}")),
        column(
            "Q_bus_kvar",
            "kvar",
            format!("reactive power, positive: drawn (lagging); metered: {bus}"),
        ),
    ];
    if !scenario.racks.is_empty() {
        let gpu = MeteringPoint::Gpu.text();
        let what = format!("power of all GPUs together; metered: {gpu}");
        all.push(column("gpu_w", "W", what));
    }
    for bess in &scenario.bess {
        let what = format!("power it takes, negative: gives; metered: {bus}");
        all.push(column(&format!("bess_w_{}", bess.name), "W", what));
        let what = "charge, share of its usable energy".to_owned();
        all.push(column(&format!("charge_share_{}", bess.name), "", what));
    }
    if let Some(plant) = &scenario.plant {
        all.push(column("f_hz", "Hz", "frequency of the bus".to_owned()));
        let terminals = MeteringPoint::Terminals.text();
        for set in &plant.sets {
            // The order is that of `Columns::push`.
            let electric = plant.has_alternators();
            let quantities = [
                (true, "f", "speed of the set".to_owned()),
                (electric, "V", format!("voltage; metered: {terminals}")),
                (
                    true,
                    "Pm",
                    "mechanical power, on rated_kva; metered: shaft".to_owned(),
                ),
                (
                    true,
                    "Pe",
                    format!("electrical power, on rated_kva; metered: {terminals}"),
                ),
                (
                    electric,
                    "Q",
                    format!("reactive power delivered, on rated_kva; metered: {terminals}"),
                ),
                (electric, "Efd", "field voltage".to_owned()),
                (true, "Tm", "torque of the engine".to_owned()),
                (true, "throttle", "throttle".to_owned()),
            ];
            for (_, quantity, what) in quantities.into_iter().filter(|q| q.0) {
                all.push(column(&format!("{quantity}_pu_{}", set.name), "pu", what));
            }
        }
    }
    all
}

/// Columns of the traces, one buffer each.
pub(crate) struct Columns {
    described: Vec<TracedColumn>,
    values: Vec<Vec<f64>>,
    nominal_hz: f64,
    charges: Vec<(usize, f64, TracedColumn)>,
    /// Names of the racks' columns; empty unless asked for.
    racks: Vec<String>,
}

impl Columns {
    pub(crate) fn new(shared: &Shared<'_>) -> Self {
        let described = columns(shared.scenario);
        let values = described
            .iter()
            .map(|_| Vec::with_capacity(BLOCK))
            .collect();
        let nominal_hz = shared
            .scenario
            .plant
            .as_ref()
            .map_or(0.0, |p| p.frequency_hz);
        Self {
            described,
            values,
            nominal_hz,
            charges: charges(shared.scenario).collect(),
            racks: shared
                .site
                .filter(|_| shared.scenario.outputs.rack_traces)
                .map_or_else(Vec::new, |site| {
                    (0..site.rack_count())
                        .map(|i| format!("rack_w_{}", site.rack_name(i)))
                        .collect()
                }),
        }
    }

    /// Appends one row: site (W, var), GPUs, batteries at the bus, then the plant's columns.
    pub(crate) fn push(
        &mut self,
        site_w: f64,
        site_var: f64,
        gpu_w: Option<f64>,
        bess: &SiteBess,
        plant: Option<&Plant>,
    ) {
        let nominal_hz = self.nominal_hz;
        let mut columns = self.values.iter_mut();
        let mut put = |v: f64| {
            if let Some(c) = columns.next() {
                c.push(v);
            }
        };
        put(site_w);
        put(site_var / 1e3);
        if let Some(w) = gpu_w {
            put(w);
        }
        for battery in bess.each() {
            put(battery.power_w());
            put(battery.share());
        }
        if let Some(plant) = plant {
            put(plant.speed_pu() * nominal_hz);
            for i in 0..plant.set_count() {
                let s = plant.set(i);
                put(s.speed_pu);
                s.voltage_pu.into_iter().for_each(&mut put);
                put(s.mechanical_pu);
                put(s.electrical_pu);
                let fields = [s.reactive_pu, s.field_pu];
                fields.into_iter().flatten().for_each(&mut put);
                put(s.torque_pu);
                put(s.throttle_pu);
            }
        }
    }

    /// Hands the rows to `sink`, with the first `len` samples of every rack of `block` if they are asked for.
    pub(crate) fn send(
        &self,
        sink: &mut dyn TraceSink,
        t0_s: f64,
        dt_s: f64,
        block: &DemandBlock,
        len: usize,
    ) -> Result<(), StudyError> {
        let charges: Vec<Vec<f64>> = self
            .charges
            .iter()
            .map(|(group, energy_j, _)| {
                let stored_j = &block.stored(*group)[..len];
                stored_j.iter().map(|j| j / energy_j).collect()
            })
            .collect();
        let charged = self.charges.iter().zip(&charges);
        let charged = charged.map(|((_, _, column), values)| TraceColumn {
            name: &column.name,
            unit: column.unit,
            values,
        });
        let traced = self.racks.iter().enumerate().map(|(i, name)| TraceColumn {
            name,
            unit: "W",
            values: &block.rack(i)[..len],
        });
        let columns: Vec<TraceColumn<'_>> = self
            .described
            .iter()
            .zip(&self.values)
            .map(|(column, values)| TraceColumn {
                name: &column.name,
                unit: column.unit,
                values,
            })
            .chain(charged)
            .chain(traced)
            .collect();
        Ok(sink.block(&TraceBlock {
            t0_s,
            dt_s,
            columns: &columns,
        })?)
    }

    pub(crate) fn clear(&mut self) {
        for v in &mut self.values {
            v.clear();
        }
    }
}
