//! Racks that are without power for a while.

use std::ops::Range;

use crate::event_plan::Outage;

/// Of `len` samples from `first_sample` on, those at which a rack that is out has no power.
pub(crate) fn without_power(
    outage: &Outage,
    first_sample: u64,
    dt_s: f64,
    len: usize,
) -> Range<usize> {
    // Samples before this time lie before it by more than rounding.
    let index = |t_s: f64| ((t_s / dt_s - 1e-6).ceil() - first_sample as f64).max(0.0);
    let (from, to) = (index(outage.off_s), index(outage.on_s));
    if from < len as f64 {
        from as usize..(to as usize).min(len)
    } else {
        0..0
    }
}

/// Takes the power from a block of a rack's samples while the rack has none, whatever its engine made of it.
///
/// The fall is at the first sample at or after the loss: what the supplies still hold is spent within milliseconds behind a line
/// that carries nothing. A loss that falls on a sample but for rounding counts at that sample.
pub(crate) fn apply(outages: &[Outage], first_sample: u64, dt_s: f64, samples: &mut [f64]) {
    for outage in outages {
        let range = without_power(outage, first_sample, dt_s, samples.len());
        samples[range].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_plan::Cause;

    fn outage(off_s: f64, on_s: f64) -> Outage {
        Outage {
            from_s: off_s,
            off_s,
            on_s,
            work_s: on_s,
            cause: Cause::Loss,
        }
    }

    #[test]
    fn nothing_between_loss_and_return() {
        for (first, len) in [(0, 10), (0, 3), (4, 6), (3, 1), (9, 1)] {
            let mut w = vec![1.0; len];
            apply(&[outage(0.3, 0.65)], first, 0.1, &mut w);
            for (k, w) in w.iter().enumerate() {
                // 0.3/0.1 is a rounding error off 3; 0.65 s lies between two samples.
                let out = (3..7).contains(&(first as usize + k));
                assert_eq!(*w == 0.0, out, "{first} {k}");
            }
        }
    }

    #[test]
    fn for_good_and_never() {
        let mut w = vec![1.0; 4];
        apply(&[outage(f64::INFINITY, f64::INFINITY)], 0, 0.1, &mut w);
        assert_eq!(w, [1.0; 4]);
        apply(&[outage(0.2, f64::INFINITY)], 0, 0.1, &mut w);
        assert_eq!(w, [1.0, 1.0, 0.0, 0.0]);
    }
}
