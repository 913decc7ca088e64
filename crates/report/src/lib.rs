//! Figures of an outcome, SVG and PNG.
//!
//! What flows: an [`Outcome`], which holds bounded pyramids, spectra and percentiles and never full traces, goes in;
//! each figure is drawn twice by the same code, once into an SVG text and once into pixels, and written to a folder.
//! The same outcome gives the same bytes.
//!
//! | file | shows |
//! |---|---|
//! | `power-frequency` | site power, bus frequency and, with alternators, bus voltage over time, with limits and the worst moment (`power` without a plant) |
//! | `worst-moment` | the same, close up around the worst frequency, if the pyramid resolves it |
//! | `resonance` | amplitude spectrum of the load with the lines of its cadences over the plant's linear gain with its modes (`spectrum` without a plant) |
//! | `envelope` | percentiles of power per group of racks and of the site |
//! | `load-duration` | power against the share of time in which it is exceeded |
//! | `storage` | with storage in racks or batteries: power at the bus with and without it, charge, and what it takes and gives |
//! | `contingency-<n>` | of each of `[[contingencies]]`, in their order from 1: frequency, voltage and loading of the sets around the moment it strikes |
//!
//! `power-frequency`, `worst-moment` and `contingency-<n>` mark what happens (trips, events of grid and site, a collapse).
//!
//! [`write_comparison`] draws several outcomes on top of each other, [`write_sweep`] what comes of varying a number; [`write_curves`] draws curves that belong to no outcome, such as those of measured power beside simulated power.
//! [`write_segments`] draws a recording of GPUs with its phases.
//!
//! [`write_curves`] draws curves that belong to no outcome, such as those of measured power beside simulated power.
//!
//! A reader will look for: how it looks, all of it, in `style`; ranges and ticks in `axis`, units and printed
//! numbers in `number`; titles and footer in `page`; events in `marks`; plots and labels that keep apart in `panel`; which moment counts as the
//! worst in `worst`; one module per figure. `canvas` evens out what the backends do
//! differently, `trace` thins a pyramid to the page without losing a peak, `file` writes.

mod axis;
mod canvas;
mod compare;
mod contingency;
mod curves;
mod duration;
mod envelope;
mod file;
mod limited;
mod marks;
mod number;
mod page;
mod panel;
mod resonance;
mod segments;
mod sizing;
mod storage;
mod style;
mod time_figure;
mod trace;
mod voltage;
mod worst;

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use ballast_study::outcome::Outcome;
use plotters::backend::DrawingBackend;

use crate::canvas::{Canvas, Drawn};

pub use crate::curves::{Curve, CurvePanel, Curves};
pub use crate::segments::{SegmentPanel, Segments};
pub use crate::sizing::{Sweep, SweepLine, SweepPoint};

/// Why figures could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder for the figures cannot be used.
    #[error("folder for figures {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A figure could not be written.
    #[error("figure {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A figure could not be encoded as PNG.
    #[error("figure {}: {source}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the encoder says.
        source: png::EncodingError,
    },
    /// A figure could not be drawn.
    #[error("drawing the figure {figure}: {source}")]
    Draw {
        /// Name of the figure.
        figure: String,
        /// What the drawing library says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The font built into the program cannot be read.
    #[error("the built-in font of the figures cannot be read")]
    Font,
}

/// Writes all figures that `outcome` has data for to the existing `folder`, as SVG and PNG (1600 × 900 pixels).
///
/// Returns the files in the order of the table above, SVG before PNG. Files of the same name are replaced.
/// Errors name the folder, file or figure and the cause; figures written before an error stay.
pub fn write_figures(outcome: &Outcome, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let pictures = figures(outcome)
        .into_iter()
        .map(|figure| OfOutcome { figure, outcome });
    write_pictures(pictures, folder)
}

/// Writes a figure of curves to the existing `folder`, as SVG and PNG, as [`write_figures`] does; returns both files.
pub fn write_curves(curves: &Curves, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    write_pictures([curves], folder)
}

/// Writes the figure `compare` of several outcomes on top of each other, by name, to the existing `folder`, as SVG and PNG, as
/// [`write_figures`] does; returns both files. The first is the one that the others are compared with.
pub fn write_comparison(
    members: &[(&str, &Outcome)],
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    write_pictures([compare::Comparison { members }], folder)
}

/// Writes the figure `size` of a sweep to the existing `folder`, as SVG and PNG, as [`write_figures`] does; returns both files.
pub fn write_sweep(sweep: &Sweep, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    write_pictures([sweep], folder)
}

/// Writes `phases.svg` and `phases.png`, a recording with its phases, to the existing `folder`; returns both files.
pub fn write_segments(segments: &Segments, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    write_pictures([segments], folder)
}

fn write_pictures(
    pictures: impl IntoIterator<Item = impl Picture>,
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    file::check_folder(folder)?;
    if !style::register_fonts() {
        return Err(ReportError::Font);
    }
    let mut written = Vec::new();
    for picture in pictures {
        written.push(file::write_svg(&picture, folder)?);
        written.push(file::write_png(&picture, folder)?);
    }
    Ok(written)
}

/// What can be drawn by any backend.
trait Picture {
    /// Name of its files, without extension.
    fn name(&self) -> String;
    /// Draws it.
    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB>;
}

/// A figure and the outcome it is drawn from.
struct OfOutcome<'a> {
    figure: Figure,
    outcome: &'a Outcome,
}

impl Picture for OfOutcome<'_> {
    fn name(&self) -> String {
        self.figure.name()
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        self.figure.draw(self.outcome, canvas)
    }
}

impl Picture for &Curves {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        curves::draw(self, canvas)
    }
}

impl Picture for compare::Comparison<'_> {
    fn name(&self) -> String {
        "compare".to_owned()
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        compare::draw(self, canvas)
    }
}

impl Picture for &Sweep {
    fn name(&self) -> String {
        "size".to_owned()
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        sizing::draw(self, canvas)
    }
}

impl Picture for &Segments {
    fn name(&self) -> String {
        "phases".to_owned()
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        segments::draw(self, canvas)
    }
}

/// The figures an outcome has data for.
fn figures(outcome: &Outcome) -> Vec<Figure> {
    let with_plant = outcome.plant.is_some();
    let mut figures = vec![if with_plant {
        Figure::PowerFrequency
    } else {
        Figure::Power
    }];
    if worst::worst_window(outcome).is_some() {
        figures.push(Figure::WorstMoment);
    }
    figures.push(if with_plant {
        Figure::Resonance
    } else {
        Figure::Spectrum
    });
    figures.extend([Figure::Envelope, Figure::LoadDuration]);
    if outcome.storage_curves.is_some() {
        figures.push(Figure::Storage);
    }
    let failures = outcome.contingencies.iter().enumerate();
    let drawn = failures.filter(|(_, c)| contingency::is_drawn(c));
    figures.extend(drawn.map(|(index, _)| Figure::Contingency(index)));
    figures
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    PowerFrequency,
    Power,
    WorstMoment,
    Resonance,
    Spectrum,
    Envelope,
    LoadDuration,
    Storage,
    /// Number, from 0.
    Contingency(usize),
}

impl Figure {
    /// Name of its files.
    fn name(self) -> String {
        let name = match self {
            Self::PowerFrequency => "power-frequency",
            Self::Power => "power",
            Self::WorstMoment => "worst-moment",
            Self::Resonance => "resonance",
            Self::Spectrum => "spectrum",
            Self::Envelope => "envelope",
            Self::LoadDuration => "load-duration",
            Self::Storage => "storage",
            Self::Contingency(index) => return format!("contingency-{}", index + 1),
        };
        name.to_owned()
    }

    /// Draws it.
    fn draw<DB: DrawingBackend>(self, outcome: &Outcome, canvas: &Canvas<DB>) -> Drawn<DB> {
        match self {
            Self::PowerFrequency | Self::Power => time_figure::draw_run(outcome, canvas),
            Self::WorstMoment => time_figure::draw_worst(outcome, canvas),
            Self::Resonance | Self::Spectrum => resonance::draw(outcome, canvas),
            Self::Envelope => envelope::draw(outcome, canvas),
            Self::LoadDuration => duration::draw(outcome, canvas),
            Self::Storage => storage::draw(outcome, canvas),
            Self::Contingency(index) => contingency::draw(outcome, index, canvas),
        }
    }
}
