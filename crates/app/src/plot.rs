//! Plots that share a time axis and a cursor, with bands that lose no peak.
//!
//! A view builds a chart ([`TimeChart`], [`XyChart`]) once per result; a plot ([`TimePlot`], [`XyPlot`]) draws it each frame: it reads of each
//! series as many buckets as there are pixels, with their extremes, and draws them as meshes ([`band`]). Axes and grid are egui_plot's. The shared time
//! ([`TimeView`]) is the app's: plots ask for another stretch or cursor by actions and keep none of their own. The cursor stays where the pointer left a plot, so
//! that the rack map can be looked at for that moment.

mod axis;
pub mod band;
mod gesture;
mod legend;
pub mod look;
pub mod model;
pub mod quantity;
pub mod source;
mod time_plot;
mod xy_plot;

pub use model::{TimeChart, XyChart};
pub use time_plot::TimePlot;
pub use xy_plot::XyPlot;

use crate::action::Actions;
use crate::theme::Theme;

/// Draws `plots` within what `ui` may draw on: egui_plot clips to a plot's frame alone, also where that is scrolled out of sight.
pub(crate) fn within<R>(ui: &mut egui::Ui, plots: impl FnOnce(&mut egui::Ui) -> R) -> R {
    let (layer, clip) = (ui.layer_id(), ui.clip_rect());
    let first = ui.ctx().graphics_mut(|g| g.entry(layer).next_idx());
    let drawn = plots(ui);
    ui.ctx().graphics_mut(|g| {
        let list = g.entry(layer);
        for n in first.0..list.next_idx().0 {
            list.mutate_shape(egui::layers::ShapeIdx(n), |shape| {
                shape.clip_rect = shape.clip_rect.intersect(clip);
            });
        }
    });
    drawn
}

/// What all plots over time share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeView {
    /// Shown stretch, seconds.
    pub from_s: f64,
    /// See `from_s`.
    pub to_s: f64,
    /// The whole run, seconds.
    pub whole_s: (f64, f64),
    /// Cursor, seconds.
    pub cursor_s: Option<f64>,
}

/// What every view gets.
pub struct ViewContext<'a> {
    /// Colours and sizes.
    pub theme: &'a Theme,
    /// Shared time axis.
    pub time: TimeView,
    /// Whether what is shown is older than the document.
    pub stale: bool,
    /// Where to ask for changes.
    pub actions: &'a mut Actions,
}
