//! What a plot shows: built once per result, drawn every frame.

use crate::plot::quantity::{Quantity, duration, hertz};
use crate::plot::source::Source;

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Power drawn.
    Load,
    /// What sets do: frequency, voltage.
    Generation,
    /// Storage, and what it makes of the load.
    Buffer,
    /// The same without it.
    Unbuffered,
    /// A limit.
    Limit,
    /// What is beyond a limit.
    Violation,
    /// Helping lines.
    Muted,
    /// One of several of a kind.
    Series(usize),
}

/// How the line of a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Band and line.
    Full,
    /// A thin line and a faint band.
    Thin,
    /// A dashed line and a faint band.
    Dashed,
}

/// One signal of a plot.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name, unique in the plot.
    pub name: String,
    /// What it is, for a tooltip.
    pub what: String,
    /// Its colour.
    pub ink: Ink,
    /// How it is drawn.
    pub weight: Weight,
    /// Its values.
    pub source: Source,
    /// Its finer values in a part of the run, drawn over the others.
    pub fine: Option<Source>,
    /// Whether it is shown unless the user says otherwise.
    pub shown: bool,
}

/// A horizontal line.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it is.
    pub name: String,
    /// Where.
    pub value: f64,
    /// Its colour.
    pub ink: Ink,
    /// Number of the series it belongs to: hidden with it.
    pub of: Option<usize>,
}

/// A horizontal band.
#[derive(Debug, Clone)]
pub struct Zone {
    /// What it is.
    pub name: String,
    /// Lower end; minus infinity: all below.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Its colour, drawn lightly.
    pub ink: Ink,
    /// Number of the series it belongs to: hidden with it.
    pub of: Option<usize>,
}

/// A moment.
#[derive(Debug, Clone)]
pub struct Mark {
    /// When, seconds.
    pub at_s: f64,
    /// Value there, where there is one.
    pub value: Option<f64>,
    /// What happened.
    pub text: String,
    /// Its colour.
    pub ink: Ink,
}

/// A plot over time.
#[derive(Debug, Clone)]
pub struct TimeChart {
    /// What it shows, for screen readers: "Site power".
    pub title: String,
    /// What the values are.
    pub quantity: Quantity,
    /// Its signals.
    pub series: Vec<Series>,
    /// Lines across.
    pub rules: Vec<Rule>,
    /// Bands across.
    pub zones: Vec<Zone>,
    /// Moments.
    pub marks: Vec<Mark>,
    /// A stretch that was run finely, seconds.
    pub fine_s: Option<(f64, f64)>,
    /// What it says, in words.
    pub summary: String,
}

/// One axis of a [`XyChart`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AxisKind {
    /// Values of a quantity.
    Linear(Quantity),
    /// Logarithms to the base of ten of values of a quantity.
    Log(Quantity),
    /// Logarithms to the base of ten of frequencies in hertz.
    LogHertz,
    /// Logarithms to the base of ten of times in seconds.
    LogSeconds,
}

/// A curve or row of points of a [`XyChart`].
#[derive(Debug, Clone)]
pub struct Curve {
    /// Its name, unique in the plot.
    pub name: String,
    /// What it is, for a tooltip.
    pub what: String,
    /// Its colour.
    pub ink: Ink,
    /// How it is drawn.
    pub weight: Weight,
    /// Points with rising x, as [`AxisKind::place`] puts them.
    pub points: Vec<[f64; 2]>,
    /// Whether each point gets a marker.
    pub markers: bool,
    /// Whether it is shown unless the user says otherwise.
    pub shown: bool,
}

/// An upright line of a [`XyChart`].
#[derive(Debug, Clone)]
pub struct Upright {
    /// Where, as [`AxisKind::place`] puts it.
    pub at: f64,
    /// Words beside it.
    pub label: String,
    /// More words, for a tooltip.
    pub text: String,
    /// Its colour.
    pub ink: Ink,
}

/// A plot over something else than time.
#[derive(Debug, Clone)]
pub struct XyChart {
    /// What it shows, for screen readers.
    pub title: String,
    /// Axis along the bottom.
    pub x: AxisKind,
    /// Upright axis.
    pub y: AxisKind,
    /// Its curves.
    pub curves: Vec<Curve>,
    /// Lines across.
    pub rules: Vec<Rule>,
    /// Upright lines.
    pub uprights: Vec<Upright>,
    /// What it says, in words.
    pub summary: String,
}

impl AxisKind {
    /// Whether it is logarithmic.
    pub fn is_log(self) -> bool {
        !matches!(self, Self::Linear(_))
    }

    /// Where a value stands on the axis; none where it has no place (nothing below or at 0 on a logarithmic one).
    pub fn place(self, value: f64) -> Option<f64> {
        match self {
            Self::Linear(_) => value.is_finite().then_some(value),
            Self::Log(_) | Self::LogHertz | Self::LogSeconds => {
                (value > 0.0 && value.is_finite()).then(|| value.log10())
            }
        }
    }

    /// What stands at a place of the axis, in words; `span` is the range shown, in its own terms.
    pub fn text(self, place: f64, span: f64) -> String {
        match self {
            Self::Linear(quantity) => quantity.text(place, span),
            Self::Log(quantity) => quantity.text(10_f64.powf(place), 0.0),
            Self::LogHertz => hertz(10_f64.powf(place)),
            Self::LogSeconds => duration(10_f64.powf(place)),
        }
    }
}
