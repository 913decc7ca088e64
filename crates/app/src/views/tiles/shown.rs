//! What a tile shows: a chart built once per result, and the plot that draws it.

use std::sync::Arc;

use ballast_study::outcome::Outcome;
use egui::Ui;

use crate::plot::{TimeChart, TimePlot, ViewContext, XyChart, XyPlot};
use crate::result::{PhaseChart, RackMap, RunResult};
use crate::trace::TraceSet;
use crate::views::tiles::{
    Tile, charge, duration, parts, phases, plant, power, rack_map, ramps, spectrum,
};

/// Results that charts were built of. Holds them, so that no other can have their address.
pub(crate) struct Key(Vec<Parts>);

struct Parts {
    outcome: Arc<Outcome>,
    traces: Arc<TraceSet>,
    zoom: Option<Arc<TraceSet>>,
    unbuffered: Option<Arc<TraceSet>>,
    racks: Option<Arc<RackMap>>,
    phases: Arc<Vec<PhaseChart>>,
}

impl Parts {
    fn of(result: &RunResult) -> Self {
        Self {
            outcome: Arc::clone(&result.outcome),
            traces: Arc::clone(&result.traces),
            zoom: result.zoom.clone(),
            unbuffered: result.unbuffered.clone(),
            racks: result.racks.clone(),
            phases: Arc::clone(&result.phases),
        }
    }

    fn is_of(&self, result: &RunResult) -> bool {
        let same = |a: &Option<Arc<TraceSet>>, b: &Option<Arc<TraceSet>>| {
            a.as_ref().map(Arc::as_ptr) == b.as_ref().map(Arc::as_ptr)
        };
        Arc::ptr_eq(&self.outcome, &result.outcome)
            && Arc::ptr_eq(&self.traces, &result.traces)
            && Arc::ptr_eq(&self.phases, &result.phases)
            && same(&self.zoom, &result.zoom)
            && same(&self.unbuffered, &result.unbuffered)
            && self.racks.as_ref().map(Arc::as_ptr) == result.racks.as_ref().map(Arc::as_ptr)
    }
}

impl Key {
    pub(crate) fn of(result: &RunResult, pinned: &[Arc<RunResult>]) -> Self {
        let pinned = pinned.iter().map(|p| Parts::of(p));
        Self(std::iter::once(Parts::of(result)).chain(pinned).collect())
    }

    pub(crate) fn is_of(&self, result: &RunResult, pinned: &[Arc<RunResult>]) -> bool {
        let pinned = pinned.iter().map(AsRef::as_ref);
        let all = std::iter::once(result).chain(pinned);
        self.0.len() == all.clone().count() && self.0.iter().zip(all).all(|(k, r)| k.is_of(r))
    }
}

/// A chart, or why there is none and what to do.
enum Built {
    Time(TimeChart),
    Xy(XyChart),
    Phases(Arc<Vec<PhaseChart>>),
    Racks(rack_map::Model),
    Empty(String),
}

/// A tile's chart and what its plot remembers.
#[derive(Default)]
pub(crate) struct Panel {
    built: Option<Built>,
    time: TimePlot,
    xy: XyPlot,
    racks: rack_map::State,
}

impl Panel {
    pub(crate) fn forget(&mut self) {
        self.built = None;
        self.time.forget();
    }

    pub(crate) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut ViewContext<'_>,
        tile: Tile,
        result: Option<&RunResult>,
        pinned: &[Arc<RunResult>],
    ) {
        let built = self.built.get_or_insert_with(|| match result {
            Some(result) => build(tile, result, pinned),
            None => Built::Empty(
                "No result yet. Short runs start by themselves, long ones with Run (F5)."
                    .to_owned(),
            ),
        });
        match built {
            Built::Time(chart) => {
                self.time.show(ui, cx, chart);
            }
            Built::Xy(chart) => {
                self.xy.show(ui, cx, chart);
            }
            Built::Phases(charts) => phases::show(ui, cx, charts),
            Built::Racks(model) => self.racks.show(ui, cx, model),
            Built::Empty(why) => parts::empty(ui, cx, why),
        }
    }
}

fn build(tile: Tile, result: &RunResult, pinned: &[Arc<RunResult>]) -> Built {
    let time = |chart: Result<TimeChart, String>| chart.map_or_else(Built::Empty, Built::Time);
    let xy = |chart: Result<XyChart, String>| chart.map_or_else(Built::Empty, Built::Xy);
    match tile {
        Tile::Site => time(power::site(result, pinned)),
        Tile::RackEnvelope => time(power::racks(result, pinned)),
        Tile::Frequency => time(plant::frequency(result, pinned)),
        Tile::Voltage => time(plant::voltage(result, pinned)),
        Tile::Charge => time(charge::chart(result, pinned)),
        Tile::Spectrum => xy(spectrum::chart(result, pinned)),
        Tile::Ramps => xy(ramps::chart(result, pinned)),
        Tile::LoadDuration => xy(duration::chart(result, pinned)),
        Tile::Phases if result.phases.is_empty() => Built::Empty(
            "This scenario has no GPUs: its load is given. Add racks with GPUs to see their phases."
                .to_owned(),
        ),
        Tile::Phases => Built::Phases(Arc::clone(&result.phases)),
        Tile::RackMap => match result.racks.as_ref().filter(|m| !m.racks.is_empty()) {
            Some(map) => Built::Racks(rack_map::Model::new(Arc::clone(map))),
            None => Built::Empty(if result.outcome.racks.is_empty() {
                "This site has no racks: its load is given. Add racks to see them on a map.".to_owned()
            } else {
                "The power of each rack was not kept for this result. Run it again to see the map.".to_owned()
            }),
        },
    }
}
