//! The centre: tiles of linked plots.

mod arrange;
mod charge;
mod duration;
mod parts;
mod phases;
mod plant;
mod power;
mod rack_map;
mod ramps;
mod shown;
mod spectrum;

use std::collections::BTreeMap;
use std::sync::Arc;

use ballast_series as _;

use crate::plot::{self, ViewContext};
use crate::result::RunResult;
use arrange::Arrangement;
use shown::{Key, Panel};

/// A tile.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Tile {
    /// Phases of the GPU profiles.
    Phases,
    /// Envelope of the racks.
    RackEnvelope,
    /// Power of the site: bands and one realisation.
    Site,
    /// Ramps over windows.
    Ramps,
    /// Spectrum of the load and modes of the sets.
    Spectrum,
    /// Charge of the storage.
    Charge,
    /// Frequency.
    Frequency,
    /// Voltage.
    Voltage,
    /// Load duration.
    LoadDuration,
    /// Map of the racks at the cursor's time.
    RackMap,
}

impl Tile {
    /// All tiles, in the order of menus.
    pub const ALL: [Self; 10] = [
        Self::Site,
        Self::RackEnvelope,
        Self::Phases,
        Self::Frequency,
        Self::Voltage,
        Self::Charge,
        Self::Spectrum,
        Self::Ramps,
        Self::LoadDuration,
        Self::RackMap,
    ];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Phases => "GPU phases",
            Self::RackEnvelope => "Rack power",
            Self::Site => "Site power",
            Self::Ramps => "Ramps",
            Self::Spectrum => "Spectrum",
            Self::Charge => "Charge",
            Self::Frequency => "Frequency",
            Self::Voltage => "Voltage",
            Self::LoadDuration => "Load duration",
            Self::RackMap => "Rack map",
        }
    }

    /// What it shows, in a sentence.
    pub fn help(self) -> &'static str {
        match self {
            Self::Phases => "Power of each phase of the GPU profiles, with its spread and source",
            Self::RackEnvelope => {
                "Power of a rack of each group over time, with percentiles of all"
            }
            Self::Site => {
                "Power at the bus over time, with and without buffers, percentiles and limits"
            }
            Self::Ramps => "Largest rise and fall of the site's power within windows of time",
            Self::Spectrum => {
                "What repeats in the site's power, with the modes of the generating sets"
            }
            Self::Charge => "Charge of the storage over time",
            Self::Frequency => "Frequency of the bus over time, with limits and events",
            Self::Voltage => "Voltage over time, with limits and events",
            Self::LoadDuration => "Power that is exceeded for a share of the time",
            Self::RackMap => "Power of each rack at the cursor's time",
        }
    }
}

/// The tiles and how they lie.
#[derive(Default)]
pub struct Tiles {
    arrangement: Arrangement,
    /// What each tile shows of the results below, and what it remembers.
    panels: BTreeMap<Tile, Panel>,
    key: Option<Key>,
}

impl Tiles {
    /// Draws the tiles with a result, pinned ones on top of it; without one, an empty state that says what to do.
    pub fn show(
        &mut self,
        ui: &mut egui::Ui,
        cx: &mut ViewContext<'_>,
        result: Option<&RunResult>,
        pinned: &[Arc<RunResult>],
    ) {
        let same = match (&self.key, result) {
            (Some(key), Some(result)) => key.is_of(result, pinned),
            (None, None) => true,
            _ => false,
        };
        if !same {
            // What was built of older results goes, and the memory of their traces with it.
            self.panels.values_mut().for_each(Panel::forget);
            self.key = result.map(|r| Key::of(r, pinned));
        }
        let Self {
            arrangement,
            panels,
            ..
        } = self;
        plot::within(ui, |ui| {
            arrangement.show(ui, cx, |ui, cx, tile| {
                let panel = panels.entry(tile).or_default();
                plot::within(ui, |ui| panel.show(ui, cx, tile, result, pinned));
            });
        });
    }

    /// The tiles as at first.
    pub fn reset(&mut self) {
        self.arrangement = Arrangement::default();
    }

    /// Shows a tile, on top of those it shares its place with, or hides it.
    pub fn toggle(&mut self, tile: Tile) {
        self.arrangement.toggle(tile);
    }

    /// Whether a tile is open, though it may lie behind another.
    pub fn is_open(&self, tile: Tile) -> bool {
        self.arrangement.is_open(tile)
    }

    /// How the tiles lie, as text to be kept.
    pub fn layout(&self) -> String {
        self.arrangement.to_text()
    }

    /// Lays the tiles as a kept text says; one that is damaged or of other tiles leaves them as at first. Returns whether it could be used.
    pub fn set_layout(&mut self, text: &str) -> bool {
        match Arrangement::from_text(text) {
            Some(kept) => {
                self.arrangement = kept;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
