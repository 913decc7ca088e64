//! Progress on a terminal.

use std::time::{Duration, Instant};

use ballast_study::Observer;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::interrupt;

/// A run shorter than this shows no bar.
const QUIET: Duration = Duration::from_millis(700);
/// Ticks of the bar.
const TICKS: u64 = 1000;

/// Shows progress and passes Ctrl-C on.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    /// The bar appears on a terminal once the run turns out to be long.
    pub(crate) fn start() -> Self {
        let bar = ProgressBar::with_draw_target(Some(TICKS), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(
            "simulating {bar:40} {percent:>3} %  {elapsed} of about {duration}",
        ) {
            bar.set_style(style);
        }
        Self {
            bar,
            started: Instant::now(),
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn progress(&self, share: f64) {
        if self.bar.is_hidden() && self.started.elapsed() > QUIET {
            // Hidden again by the target itself when standard error is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position((share * TICKS as f64) as u64);
    }

    fn cancelled(&self) -> bool {
        interrupt::asked()
    }
}
