//! Progress and cancellation, without any idea of how they are shown.

/// Told about progress, asked whether to stop. Called from several threads.
pub trait Observer: Sync {
    /// A share of the whole run, 0 to 1, that is done. Called about once per block of steps, from any thread, so that a
    /// later call may bring a slightly smaller share.
    fn progress(&self, share: f64) {
        let _ = share;
    }

    /// Whether to stop at the next block.
    fn cancelled(&self) -> bool {
        false
    }
}

/// An observer that says nothing and never stops a run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
