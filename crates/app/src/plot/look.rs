//! Colours and strokes of what plots show, from the theme.

use egui::Color32;

use crate::plot::band::Stroke;
use crate::plot::model::{Ink, Weight};
use crate::theme::Theme;

/// Share of the band's opacity that thin and dashed series keep.
const FAINT: f32 = 0.5;

/// The colour of what an ink stands for.
pub fn colour(theme: &Theme, ink: Ink) -> Color32 {
    match ink {
        Ink::Load => theme.load,
        Ink::Generation => theme.generation,
        Ink::Buffer => theme.buffer,
        Ink::Unbuffered | Ink::Muted => theme.muted,
        Ink::Limit => theme.limit,
        Ink::Violation => theme.violation,
        Ink::Series(i) => theme.series(i),
    }
}

/// The stroke of a series.
pub fn stroke(theme: &Theme, ink: Ink, weight: Weight, pixels_per_point: f32) -> Stroke {
    let line = colour(theme, ink);
    let widths = &theme.sizes().stroke;
    let band = theme.band(line);
    let (width, band, dash) = match weight {
        Weight::Full => (widths.normal, band, None),
        Weight::Thin => (widths.thin, band.gamma_multiply(FAINT), None),
        Weight::Dashed => {
            let dash = theme.space().small;
            (widths.normal, band.gamma_multiply(FAINT), Some(dash))
        }
    };
    Stroke {
        line,
        band,
        width,
        dash,
        pixel: 1.0 / pixels_per_point.max(0.1),
    }
}
