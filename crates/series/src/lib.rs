//! Time series as streams: what the simulation kernels draw from and what they are reduced to.
//!
//! A study of an hour at a millisecond is 3.6 million samples of every signal, times the number of
//! realisations, and nobody needs them all at once. So every signal flows through this crate in
//! uniform **blocks** (sample `k` of a signal is its value at `t = k·dt`), and each reader takes a
//! block, updates a bounded state and forgets the samples:
//!
//! | reader | answers | memory |
//! |---|---|---|
//! | [`Histogram`] | which levels, for what share of time (quantiles, load-duration curve) | its bins |
//! | [`RampTracker`] | the largest rise and fall inside a window | its windows, at most 4096 entries each |
//! | [`PyramidBuilder`] | what a plot shows at any zoom, with no peak lost | 4096 buckets |
//! | [`SpectrumEstimator`] | which frequencies the power swings at | one segment, at most 2¹⁶ samples |
//! | [`TraceSink`] | the trace itself, for whoever asked for the file | what the sink keeps |
//!
//! [`autocorrelation`] is no reader: it takes a whole signal that someone holds already.
//!
//! On the source side stand [`rng::Stream`] (random numbers that depend only on seed, stream name,
//! entity and case), [`lanes::NormalLanes`] (sixteen of them at a time), [`BlockSource`] (anything that can fill a block) and [`TraceSeries`] (a
//! measured trace with its own time stamps).
//!
//! # Promises
//!
//! * **Same input, same bytes.** No reader depends on how a signal was cut into blocks, on thread
//!   count or on the platform's mathematical library; reductions of several realisations happen in
//!   the order the caller merges them. The one exception is the last bit of the spectrum, whose
//!   FFT twiddle factors come from the platform's sine.
//! * **Bounded memory**, as in the table, whatever the duration.
//! * **No NaN comes out.** A sample that is not a usable number (not finite, or beyond
//!   [`LARGEST_MAGNITUDE`]) is kept out of the result, never mixed into it, and all readers but the
//!   ramp tracker say how many there were.

mod autocorrelation;
mod block;
mod flicker;
mod histogram;
mod hold;
pub mod lanes;
mod pyramid;
mod ramp;
pub mod rng;
mod spectrum;
mod trace;

pub use autocorrelation::autocorrelation;
pub use block::{BlockSource, SinkError, TraceBlock, TraceColumn, TraceSink};
pub use flicker::{Flicker, Flickermeter, Lamp, PST_PERIOD_S};
pub use histogram::{Envelope, Histogram, LoadDuration};
pub use pyramid::{Level, Pyramid, PyramidBuilder};
pub use ramp::{Ramp, RampFloor, RampTable, RampTracker, merge_ramps};
pub use spectrum::{Spectrum, SpectrumEstimator};
pub use trace::{SampledTrace, SeriesError, TraceSeries};

/// Largest absolute value any reader of this crate accepts as a sample, in the signal's own unit.
///
/// Beyond it a square, as the standard deviation and the spectrum need it, no longer fits a 64-bit
/// float once summed over a long run. Physical signals end some 120 decades earlier.
pub const LARGEST_MAGNITUDE: f64 = 1e140;

/// Number of samples of a run of `duration_s` seconds at a step of `dt_s` seconds:
/// `round(duration/dt)`, and at least 1.
///
/// Everyone who counts steps uses this one function, so that `60 s / 0.1 s` is 600 samples
/// everywhere, whatever the last bit of the quotient says. Sample `k` is the value at `k·dt`; the
/// sample at `duration` itself belongs to whatever follows the run.
///
/// A quotient that is no positive number (a zero or negative step or duration, or one that is not
/// finite) gives 1, the smallest run there is, except that an infinite quotient gives [`u64::MAX`];
/// both inputs are expected to be validated before.
pub fn sample_count(duration_s: f64, dt_s: f64) -> u64 {
    // The cast saturates and takes NaN to 0.
    ((duration_s / dt_s).round() as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::sample_count;

    #[test]
    fn sample_count_rounds_and_is_at_least_one() {
        assert_eq!(sample_count(60.0, 0.1), 600);
        assert_eq!(sample_count(0.3, 0.1), 3);
        assert_eq!(sample_count(3600.0, 0.001), 3_600_000);
        assert_eq!(sample_count(0.04, 0.1), 1);
        assert_eq!(sample_count(0.0, 0.1), 1);
        assert_eq!(sample_count(-5.0, 0.1), 1);
        assert_eq!(sample_count(f64::NAN, 0.1), 1);
        assert_eq!(sample_count(1.0, 0.0), u64::MAX);
    }
}
