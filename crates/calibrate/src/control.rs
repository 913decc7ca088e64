//! Settings of a GPU that are changed for a while and put back, whatever happens.

use crate::source::Missing;

/// GPUs whose power limit and clocks can be set.
pub trait Control {
    /// Their indices on the node, in the order of the calls' `gpu`.
    fn indices(&self) -> Vec<u32>;
    /// Power limit that was set, watts.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn limit_w(&mut self, gpu: usize) -> Result<f64, Missing>;
    /// Least and greatest power limit, watts.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn limit_range_w(&mut self, gpu: usize) -> Result<(f64, f64), Missing>;
    /// Sets the power limit, watts.
    ///
    /// # Errors
    /// Why it cannot be set.
    fn set_limit_w(&mut self, gpu: usize, limit_w: f64) -> Result<(), Missing>;
    /// Locks the SM clock, megahertz.
    ///
    /// # Errors
    /// Why it cannot be set.
    fn lock_clocks_mhz(&mut self, gpu: usize, clock_mhz: u32) -> Result<(), Missing>;
    /// Unlocks the SM clock.
    ///
    /// # Errors
    /// Why it cannot be set.
    fn reset_clocks(&mut self, gpu: usize) -> Result<(), Missing>;
}

/// A setting of all GPUs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// Power limit, watts.
    LimitW(f64),
    /// SM clock locked at so many megahertz.
    ClockMhz(u32),
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LimitW(w) => write!(f, "power limit {w} W"),
            Self::ClockMhz(mhz) => write!(f, "clocks locked at {mhz} MHz"),
        }
    }
}

/// Why a setting cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ControlError {
    /// The driver refuses.
    #[error("GPU {index}: {what}: {why}")]
    Refused {
        /// Index of the GPU.
        index: u32,
        /// What was to be read or set.
        what: String,
        /// Why not.
        why: Missing,
    },
    /// The limit is out of reach.
    #[error(
        "GPU {index}: a power limit of {limit_w} W is out of its range, {least_w} W to {most_w} W"
    )]
    Range {
        /// Index of the GPU.
        index: u32,
        /// What was asked for, watts.
        limit_w: f64,
        /// Least limit, watts.
        least_w: f64,
        /// Greatest limit, watts.
        most_w: f64,
    },
}

/// Makes settings, and puts back what it changed when it is dropped: on success, error and panic alike.
///
/// The power limit goes back to what it was. Locked clocks cannot be read from the driver: they are unlocked, so that a lock that
/// somebody had set before is gone.
pub struct Restoring<C: Control> {
    control: C,
    indices: Vec<u32>,
    /// The limits to put back, watts; `None` where nothing was changed.
    limits_w: Vec<Option<f64>>,
    clocks: Vec<bool>,
}

impl<C: Control> Restoring<C> {
    /// Changes nothing yet.
    pub fn new(control: C) -> Self {
        let indices = control.indices();
        Self {
            limits_w: vec![None; indices.len()],
            clocks: vec![false; indices.len()],
            indices,
            control,
        }
    }

    /// Whether a setting could be made, as far as that shows without making it.
    ///
    /// # Errors
    /// A limit out of range, or limits that cannot be read and so could not be put back.
    pub fn check(&mut self, setting: Setting) -> Vec<ControlError> {
        let Setting::LimitW(limit_w) = setting else {
            return Vec::new();
        };
        let mut wrong = Vec::new();
        for (gpu, &index) in self.indices.iter().enumerate() {
            let refused = |why| ControlError::Refused {
                index,
                what: "the power limit cannot be read, so it could not be put back".to_owned(),
                why,
            };
            if let Err(why) = self.control.limit_w(gpu) {
                wrong.push(refused(why));
            }
            if let Ok((least_w, most_w)) = self.control.limit_range_w(gpu)
                && !(least_w..=most_w).contains(&limit_w)
            {
                wrong.push(ControlError::Range {
                    index,
                    limit_w,
                    least_w,
                    most_w,
                });
            }
        }
        wrong
    }

    /// Makes a setting on all GPUs.
    ///
    /// # Errors
    /// The first GPU that refuses; those before it have the setting.
    pub fn apply(&mut self, setting: Setting) -> Result<(), ControlError> {
        for (gpu, &index) in self.indices.iter().enumerate() {
            let refused = |why| ControlError::Refused {
                index,
                what: format!("cannot set {setting}"),
                why,
            };
            match setting {
                Setting::LimitW(limit_w) => {
                    if self.limits_w[gpu].is_none() {
                        self.limits_w[gpu] = Some(self.control.limit_w(gpu).map_err(refused)?);
                    }
                    self.control.set_limit_w(gpu, limit_w).map_err(refused)?;
                }
                Setting::ClockMhz(mhz) => {
                    self.clocks[gpu] = true;
                    self.control.lock_clocks_mhz(gpu, mhz).map_err(refused)?;
                }
            }
        }
        Ok(())
    }

    /// Puts everything back; once. Returns what could not be put back.
    pub fn restore(&mut self) -> Vec<ControlError> {
        let mut failed = Vec::new();
        for (gpu, &index) in self.indices.iter().enumerate() {
            let mut keep = |what: String, done: Result<(), Missing>| {
                failed.extend(
                    done.err()
                        .map(|why| ControlError::Refused { index, what, why }),
                );
            };
            if let Some(limit_w) = self.limits_w[gpu].take() {
                keep(
                    format!(
                        "the power limit could not be put back to {limit_w} W (`nvidia-smi -i {index} -pl {limit_w}`)"
                    ),
                    self.control.set_limit_w(gpu, limit_w),
                );
            }
            if std::mem::take(&mut self.clocks[gpu]) {
                keep(
                    format!("the clocks could not be unlocked (`nvidia-smi -i {index} -rgc`)"),
                    self.control.reset_clocks(gpu),
                );
            }
        }
        failed
    }
}

impl<C: Control> Drop for Restoring<C> {
    fn drop(&mut self) {
        // Whoever wants to know what failed has called it before.
        drop(self.restore());
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    struct Log<'a>(&'a RefCell<Vec<String>>);

    impl Control for Log<'_> {
        fn indices(&self) -> Vec<u32> {
            vec![0, 3]
        }
        fn limit_w(&mut self, gpu: usize) -> Result<f64, Missing> {
            Ok(700.0 - gpu as f64)
        }
        fn limit_range_w(&mut self, _gpu: usize) -> Result<(f64, f64), Missing> {
            Ok((100.0, 700.0))
        }
        fn set_limit_w(&mut self, gpu: usize, limit_w: f64) -> Result<(), Missing> {
            self.0.borrow_mut().push(format!("limit {gpu} {limit_w}"));
            Ok(())
        }
        fn lock_clocks_mhz(&mut self, gpu: usize, clock_mhz: u32) -> Result<(), Missing> {
            self.0.borrow_mut().push(format!("lock {gpu} {clock_mhz}"));
            if gpu == 1 {
                Err(Missing::Denied)
            } else {
                Ok(())
            }
        }
        fn reset_clocks(&mut self, gpu: usize) -> Result<(), Missing> {
            self.0.borrow_mut().push(format!("reset {gpu}"));
            Ok(())
        }
    }

    #[test]
    fn everything_is_put_back_after_a_panic_and_only_what_was_changed() {
        let log = RefCell::new(Vec::new());
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let mut restoring = Restoring::new(Log(&log));
            restoring.apply(Setting::LimitW(300.0)).unwrap();
            restoring.apply(Setting::LimitW(400.0)).unwrap();
            panic!("something else goes wrong");
        }));
        assert!(ended.is_err());
        assert_eq!(
            log.into_inner(),
            [
                "limit 0 300",
                "limit 1 300",
                "limit 0 400",
                "limit 1 400",
                "limit 0 700",
                "limit 1 699"
            ]
        );
    }

    #[test]
    fn a_refused_lock_is_undone_too() {
        let log = RefCell::new(Vec::new());
        let mut restoring = Restoring::new(Log(&log));
        let refused = restoring.apply(Setting::ClockMhz(1200)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "GPU 3: cannot set clocks locked at 1200 MHz: not permitted to this user"
        );
        assert!(restoring.restore().is_empty());
        drop(restoring);
        assert_eq!(
            log.into_inner(),
            ["lock 0 1200", "lock 1 1200", "reset 0", "reset 1"]
        );
    }

    #[test]
    fn limits_out_of_range_are_seen_before() {
        let log = RefCell::new(Vec::new());
        let wrong = Restoring::new(Log(&log)).check(Setting::LimitW(50.0));
        assert_eq!(wrong.len(), 2);
        assert!(log.into_inner().is_empty());
    }
}
