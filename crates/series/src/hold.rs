//! What readers that need every instant do with a sample that is no usable number.

use crate::LARGEST_MAGNITUDE;

/// Whether a reader may use this sample: finite, and its square still summable.
pub(crate) fn usable(v: f64) -> bool {
    v.abs() <= LARGEST_MAGNITUDE
}

/// Replaces unusable samples by the last usable one (0 before the first) and counts them, so that
/// the samples behind them keep their place in time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hold {
    last: f64,
    replaced: u64,
}

impl Hold {
    pub(crate) fn pass(&mut self, v: f64) -> f64 {
        if usable(v) {
            self.last = v;
        } else {
            self.replaced += 1;
        }
        self.last
    }

    pub(crate) fn replaced(&self) -> u64 {
        self.replaced
    }
}

#[cfg(test)]
mod tests {
    use super::Hold;

    #[test]
    fn unusable_samples_repeat_the_last_usable_one() {
        let mut hold = Hold::default();
        assert_eq!(hold.pass(f64::NAN), 0.0);
        assert_eq!(hold.pass(7.0), 7.0);
        assert_eq!(hold.pass(f64::INFINITY), 7.0);
        assert_eq!(hold.pass(-1e200), 7.0);
        assert_eq!(hold.pass(8.0), 8.0);
        assert_eq!(hold.replaced(), 3);
    }
}
