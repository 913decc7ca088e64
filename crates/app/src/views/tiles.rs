//! The centre: tiles of linked plots.

use ballast_series as _;

use crate::plot::ViewContext;
use crate::result::RunResult;

/// A tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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

/// The tiles and how they lie.
#[derive(Default)]
pub struct Tiles {}

impl Tiles {
    /// Draws the tiles with a result, pinned ones on top of it; without one, an empty state that says what to do.
    pub fn show(
        &mut self,
        ui: &mut egui::Ui,
        cx: &mut ViewContext<'_>,
        result: Option<&RunResult>,
        pinned: &[std::sync::Arc<RunResult>],
    ) {
        let _ = (ui, cx, result, pinned);
    }

    /// The tiles as at first.
    pub fn reset(&mut self) {}
}
