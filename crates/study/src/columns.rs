//! The traces of a run: one column per quantity, handed out block by block.

use ballast_aggregate::{DemandBlock, Site};
use ballast_plant::Plant;
use ballast_series::{TraceBlock, TraceColumn, TraceSink};

use crate::error::StudyError;
use crate::realisation::{BLOCK, Shared};

/// Columns of the traces, one buffer each.
pub(crate) struct Columns {
    names: Vec<(String, &'static str)>,
    values: Vec<Vec<f64>>,
    nominal_hz: f64,
}

impl Columns {
    pub(crate) fn new(shared: &Shared<'_>) -> Self {
        let mut names = vec![("site_w".to_owned(), "W")];
        if shared.site.is_some() {
            names.push(("gpu_w".to_owned(), "W"));
        }
        if let Some(plant) = &shared.scenario.plant {
            names.push(("f_hz".to_owned(), "Hz"));
            for set in &plant.sets {
                for quantity in ["f", "Pm", "Pe", "Tm", "throttle"] {
                    names.push((format!("{quantity}_pu_{}", set.name), "pu"));
                }
            }
        }
        let values = names.iter().map(|_| Vec::with_capacity(BLOCK)).collect();
        let nominal_hz = shared
            .scenario
            .plant
            .as_ref()
            .map_or(0.0, |p| p.frequency_hz);
        Self {
            names,
            values,
            nominal_hz,
        }
    }

    /// Appends one row: site, GPUs, then the plant's columns.
    pub(crate) fn push(&mut self, site_w: f64, gpu_w: Option<f64>, plant: Option<&Plant>) {
        let nominal_hz = self.nominal_hz;
        let mut columns = self.values.iter_mut();
        let mut put = |v: f64| {
            if let Some(c) = columns.next() {
                c.push(v);
            }
        };
        put(site_w);
        if let Some(w) = gpu_w {
            put(w);
        }
        if let Some(plant) = plant {
            put(plant.speed_pu() * nominal_hz);
            for i in 0..plant.set_count() {
                let s = plant.set(i);
                put(plant.speed_pu());
                put(s.mechanical_pu);
                put(s.electrical_pu);
                put(s.torque_pu);
                put(s.throttle_pu);
            }
        }
    }

    /// Hands the rows to `sink`, with the first `len` samples of every rack of `block` if `racks` are wanted.
    pub(crate) fn send(
        &self,
        sink: &mut dyn TraceSink,
        t0_s: f64,
        dt_s: f64,
        racks: Option<&Site>,
        block: &DemandBlock,
        len: usize,
    ) -> Result<(), StudyError> {
        let names: Vec<String> = racks.map_or_else(Vec::new, |site| {
            (0..site.rack_count())
                .map(|i| format!("rack_w_{}", site.rack_name(i)))
                .collect()
        });
        let traced = names.iter().enumerate().map(|(i, name)| TraceColumn {
            name,
            unit: "W",
            values: &block.rack(i)[..len],
        });
        let columns: Vec<TraceColumn<'_>> = self
            .names
            .iter()
            .zip(&self.values)
            .map(|((name, unit), values)| TraceColumn { name, unit, values })
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
