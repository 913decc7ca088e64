//! Figures of the site's power, gathered block by block.

use ballast_series::{
    Histogram, Pyramid, PyramidBuilder, RampTable, RampTracker, Spectrum, SpectrumEstimator,
};

use crate::outcome::Extreme;
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
    curves: Option<Curves>,
    dt_s: f64,
    samples: u64,
}

/// Figures of a finished realisation's site power.
pub(crate) struct SiteResult {
    pub(crate) histogram: Histogram,
    pub(crate) ramps: Vec<RampTable>,
    pub(crate) design_steps: Vec<RampTable>,
    pub(crate) peak: Option<Extreme>,
    pub(crate) gpu: Histogram,
    pub(crate) curves: Option<(Pyramid, Spectrum)>,
}

impl SiteCollector {
    pub(crate) fn new(dt_s: f64, samples: u64, windows_s: &[f64], realisation: u32) -> Self {
        let design: Vec<f64> = DESIGN_WINDOWS_S
            .into_iter()
            .filter(|w| *w >= dt_s)
            .collect();
        let curves = (realisation == 1).then(|| Curves {
            pyramid: PyramidBuilder::new(dt_s, samples),
            spectrum: SpectrumEstimator::new(dt_s, samples),
        });
        Self {
            histogram: Histogram::new(),
            ramps: RampTracker::new(dt_s, windows_s, realisation),
            design_steps: RampTracker::new(dt_s, &design, realisation),
            peak: Worst::highest(realisation),
            gpu: Histogram::with_bins(64),
            curves,
            dt_s,
            samples: 0,
        }
    }

    /// Takes the next samples: power at the bus and at the GPUs, watts.
    pub(crate) fn take(&mut self, site_w: &[f64], gpu_w: &[f64]) {
        self.histogram.add_slice(site_w);
        self.gpu.add_slice(gpu_w);
        self.ramps.push_slice(site_w);
        self.design_steps.push_slice(site_w);
        self.peak.take_slice(site_w, self.samples, self.dt_s);
        if let Some(curves) = &mut self.curves {
            curves.pyramid.push_slice(site_w);
            curves.spectrum.push_slice(site_w);
        }
        self.samples += site_w.len() as u64;
    }

    pub(crate) fn finish(self) -> SiteResult {
        SiteResult {
            histogram: self.histogram,
            ramps: self.ramps.tables(),
            design_steps: self.design_steps.tables(),
            peak: self.peak.extreme,
            gpu: self.gpu,
            curves: self
                .curves
                .map(|c| (c.pyramid.finish(), c.spectrum.finish())),
        }
    }
}
