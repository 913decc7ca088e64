//! Figures of the site's power, gathered block by block.

use ballast_series::{
    Histogram, Pyramid, PyramidBuilder, RampTable, RampTracker, Spectrum, SpectrumEstimator,
};

use crate::outcome::Extreme;
use crate::reactive::Apparent;
use crate::windows::Worst;

/// Windows of the design steps, seconds; those shorter than the step are left out.
pub(crate) const DESIGN_WINDOWS_S: [f64; 3] = [0.02, 0.1, 1.0];

/// What only the first realisation keeps: curves over time.
pub(crate) struct Curves {
    pub(crate) pyramid: PyramidBuilder,
    pub(crate) spectrum: SpectrumEstimator,
}

/// Figures of the site's power in one realisation.
pub(crate) struct SiteCollector {
    pub(crate) histogram: Histogram,
    pub(crate) ramps: RampTracker,
    pub(crate) design_steps: RampTracker,
    pub(crate) peak: Worst,
    pub(crate) gpu: Histogram,
    reactive: Apparent,
    curves: Option<Curves>,
    dt_s: f64,
    /// Number of the next sample.
    next: u64,
}

/// Stretch and place of a run's samples.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) dt_s: f64,
    /// Number of the first sample; it is at `first · dt_s`.
    pub(crate) first: u64,
    pub(crate) samples: u64,
    pub(crate) realisation: u32,
    /// Whether curves over time are kept.
    pub(crate) curves: bool,
}

impl Span {
    pub(crate) fn start_s(&self) -> f64 {
        self.first as f64 * self.dt_s
    }

    pub(crate) fn pyramid(&self) -> PyramidBuilder {
        PyramidBuilder::new(self.dt_s, self.samples).starting_at(self.start_s())
    }

    pub(crate) fn ramps(&self, windows_s: &[f64]) -> RampTracker {
        RampTracker::new(self.dt_s, windows_s, self.realisation).starting_at(self.start_s())
    }
}

/// Buckets of a curve that only ever fills the width of a page.
const PAGE_BUCKETS: usize = 1100;

/// A pyramid without the levels that are finer than a page shows: an outcome holds many of these.
pub(crate) fn for_a_page(mut pyramid: Pyramid) -> Pyramid {
    let fine = pyramid.levels.iter();
    let fine = fine.take_while(|l| l.mean.len() > PAGE_BUCKETS).count();
    pyramid.levels.drain(..fine);
    pyramid
}

/// Figures of a finished realisation's site power.
pub(crate) struct SiteResult {
    pub(crate) histogram: Histogram,
    pub(crate) ramps: Vec<RampTable>,
    pub(crate) design_steps: Vec<RampTable>,
    pub(crate) peak: Option<Extreme>,
    pub(crate) gpu: Histogram,
    pub(crate) reactive: Apparent,
    pub(crate) curves: Option<(Pyramid, Spectrum)>,
}

impl SiteCollector {
    pub(crate) fn new(span: Span, windows_s: &[f64]) -> Self {
        let (dt_s, samples, realisation) = (span.dt_s, span.samples, span.realisation);
        let design: Vec<f64> = DESIGN_WINDOWS_S
            .into_iter()
            .filter(|w| *w >= dt_s)
            .collect();
        let curves = span.curves.then(|| Curves {
            pyramid: span.pyramid(),
            spectrum: SpectrumEstimator::new(dt_s, samples),
        });
        Self {
            histogram: Histogram::new(),
            ramps: span.ramps(windows_s),
            design_steps: span.ramps(&design),
            peak: Worst::highest(realisation),
            gpu: Histogram::with_bins(64),
            reactive: Apparent::new(realisation),
            curves,
            dt_s,
            next: span.first,
        }
    }

    /// Takes the next samples: power at the bus, the part of it that tells ramps, reactive power at the bus, power at the GPUs;
    /// watts, var.
    pub(crate) fn take(&mut self, site_w: &[f64], fast_w: &[f64], site_var: &[f64], gpu_w: &[f64]) {
        self.histogram.add_slice(site_w);
        self.gpu.add_slice(gpu_w);
        self.ramps.push_slice(fast_w);
        self.design_steps.push_slice(fast_w);
        self.peak.take_slice(site_w, self.next, self.dt_s);
        for (i, (w, var)) in site_w.iter().zip(site_var).enumerate() {
            let at_s = (self.next + i as u64) as f64 * self.dt_s;
            self.reactive.take(*w, *var, at_s);
        }
        if let Some(curves) = &mut self.curves {
            curves.pyramid.push_slice(site_w);
            curves.spectrum.push_slice(fast_w);
        }
        self.next += site_w.len() as u64;
    }

    pub(crate) fn finish(self) -> SiteResult {
        SiteResult {
            histogram: self.histogram,
            ramps: self.ramps.tables(),
            design_steps: self.design_steps.tables(),
            peak: self.peak.extreme,
            gpu: self.gpu,
            reactive: self.reactive,
            curves: self
                .curves
                .map(|c| (c.pyramid.finish(), c.spectrum.finish())),
        }
    }
}
