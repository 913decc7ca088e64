//! What a limit on each GPU's power would do to a Gaussian fluctuation, and how often the bound on a cohort acted.

use ballast_profile::PhaseKind;
use ballast_series::rng::normal_cdf;
use serde::Serialize;

/// How a job's phase stands to the power limits of its GPU.
///
/// The per-GPU engine clips every GPU at every step. The group engine sums Gaussian fluctuations; single GPUs have no power of their own in it, so it cannot clip them. It keeps
/// the mean of a phase within 0 and the clamp, bounds the average power of a cohort to the same range (no cohort can
/// draw more than all its GPUs at the clamp, or less than nothing), and reports here what clipping each GPU would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClampReport {
    /// Job; absent for GPUs without one.
    pub job: Option<String>,
    /// Phase.
    pub phase: PhaseKind,
    /// GPU profile.
    pub profile: String,
    /// Upper limit of a GPU's power, watts: peak electrical design power, else thermal design power.
    pub clamp_w: f64,
    /// Probability that an unclamped GPU in this phase is above the clamp.
    pub probability: f64,
    /// By how much clipping at the clamp would lower the mean power, `E[max(0, x − clamp)]`, watts per GPU. The group
    /// engine's mean is too high by this, less what the bound on cohorts already took off where it acted.
    pub bias_w_per_gpu: f64,
    /// Probability that an unclamped GPU in this phase is below zero.
    pub floor_probability: f64,
    /// By how much clipping at zero would raise the mean power, `E[max(0, −x)]`, watts per GPU.
    pub floor_bias_w_per_gpu: f64,
    /// Share of the job's GPU time on this profile spent in the phase, 0 to 1, so far in this realisation.
    pub time_share: f64,
    /// Share of the phase's GPU time in which the bound at the clamp acted on a cohort's average.
    pub bounded_share: f64,
    /// Share of the phase's GPU time in which the floor at zero acted on a cohort's average.
    pub floored_share: f64,
    /// Whether GPUs were clipped one by one (per-GPU engine), so that the two shares above count GPUs and not cohorts.
    pub per_gpu: bool,
    /// All this in words.
    pub text: String,
}

impl ClampReport {
    /// Whether a reader should be told: a bound acted on a cohort's average, or clipping moves the mean by more than
    /// 0.1 % of the clamp.
    pub fn worth_telling(&self) -> bool {
        let bias = self.bias_w_per_gpu.max(self.floor_bias_w_per_gpu);
        let bounded = !self.per_gpu && (self.bounded_share > 0.0 || self.floored_share > 0.0);
        bounded || bias > 1e-3 * self.clamp_w
    }
}

/// Samples of a phase, each counted once per GPU.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) samples: u64,
    pub(crate) high: u64,
    pub(crate) low: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.samples += other.samples;
        self.high += other.high;
        self.low += other.low;
    }
}

/// Probability that a Gaussian of mean `mean` and standard deviation `sigma` is above `limit`, and `E[max(0, x − limit)]`.
///
/// `z = (limit − mean)/σ`: `P = 1 − Φ(z)`, `E = σ φ(z) − (limit − mean)(1 − Φ(z))`.
pub(crate) fn excess(mean: f64, sigma: f64, limit: f64) -> (f64, f64) {
    let gap = limit - mean;
    if sigma <= 0.0 {
        return if gap < 0.0 { (1.0, -gap) } else { (0.0, 0.0) };
    }
    let z = gap / sigma;
    let above = normal_cdf(-z);
    let density = libm::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
    (above, (sigma * density - gap * above).max(0.0))
}

/// What a report is made of.
pub(crate) struct Subject<'a> {
    pub(crate) job: Option<&'a str>,
    pub(crate) phase: PhaseKind,
    pub(crate) profile: &'a str,
    pub(crate) power_w: f64,
    pub(crate) sigma_w: f64,
    pub(crate) clamp_w: f64,
    pub(crate) per_gpu: bool,
}

pub(crate) fn report(subject: &Subject<'_>, tally: Tally, all_samples: u64) -> ClampReport {
    let &Subject {
        job,
        phase,
        profile,
        power_w,
        sigma_w,
        clamp_w,
        per_gpu,
    } = subject;
    let (probability, bias) = excess(power_w, sigma_w, clamp_w);
    let (floor_probability, floor_bias) = excess(-power_w, sigma_w, 0.0);
    let share = |part: u64, whole: u64| {
        if whole == 0 {
            0.0
        } else {
            part as f64 / whole as f64
        }
    };
    let bounded_share = share(tally.high, tally.samples);
    let floored_share = share(tally.low, tally.samples);
    let key = phase.key();
    let owner = job.map_or_else(|| "GPUs without a job".to_owned(), |j| format!("job `{j}`"));
    let (would, effect, held) = if per_gpu {
        ("", "Every GPU was clipped by itself.", "GPUs were")
    } else {
        (
            "would ",
            "The sum is of unclipped fluctuations, so its mean and its highest values lie above what clipped GPUs would draw.",
            "The average of a cohort was",
        )
    };
    let (lower, raise) = if per_gpu {
        ("lowers", "raises")
    } else {
        ("lower", "raise")
    };
    let mut sentences = vec![format!(
        "{owner}, phase {key} of {profile}: {power_w:.0} W with a spread of {sigma_w:.0} W under a clamp of {clamp_w:.0} W. \
         A GPU is above the clamp with probability {probability:.2e}; clipping each GPU {would}{lower} the mean by {bias:.2} W per GPU. \
         {effect}"
    )];
    if power_w > clamp_w && !per_gpu {
        sentences.push("The phase's mean lies above the clamp and was lowered to it.".to_owned());
    }
    if bounded_share > 0.0 {
        let percent = 100.0 * bounded_share;
        sentences.push(format!(
            "{held} held at the clamp {percent:.2} % of the time."
        ));
    }
    if floor_probability > 1e-6 {
        sentences.push(format!(
            "It is below zero with probability {floor_probability:.2e}; clipping {would}{raise} the mean by {floor_bias:.2} W per GPU."
        ));
    }
    if floored_share > 0.0 {
        let percent = 100.0 * floored_share;
        sentences.push(format!("{held} held at zero {percent:.2} % of the time."));
    }
    ClampReport {
        job: job.map(str::to_owned),
        phase,
        profile: profile.to_owned(),
        clamp_w,
        probability,
        bias_w_per_gpu: bias,
        floor_probability,
        floor_bias_w_per_gpu: floor_bias,
        time_share: share(tally.samples, all_samples),
        bounded_share,
        floored_share,
        per_gpu,
        text: sentences.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballast_series::rng::Stream;

    #[test]
    fn at_the_limit_itself() {
        let (p, e) = excess(700.0, 20.0, 700.0);
        assert!((p - 0.5).abs() < 1e-12);
        assert!((e - 20.0 / (2.0 * std::f64::consts::PI).sqrt()).abs() < 1e-9);
        assert_eq!(excess(710.0, 0.0, 700.0), (1.0, 10.0));
        assert_eq!(excess(690.0, 0.0, 700.0), (0.0, 0.0));
    }

    #[test]
    fn agrees_with_drawn_numbers() {
        let mut s = Stream::new(3, "clamp", 0, 0);
        let (mean, sigma, limit, n) = (640.0, 50.0, 700.0, 400_000);
        let sum: f64 = (0..n)
            .map(|_| (mean + sigma * s.normal() - limit).max(0.0))
            .sum();
        let (_, e) = excess(mean, sigma, limit);
        assert!((sum / f64::from(n) / e - 1.0).abs() < 0.02);
    }

    #[test]
    fn far_limits_give_nothing() {
        let (p, e) = excess(100.0, 1.0, 1e6);
        assert_eq!((p, e), (0.0, 0.0));
    }
}
