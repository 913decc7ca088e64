//! Live power of GPUs, and the assistant that records and calibrates. (Model; drawn by `views::live`.)

/// Readings of all GPUs at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveReading {
    /// Seconds since the start.
    pub t_s: f64,
    /// Power of each GPU, W; none where a reading failed.
    pub power_w: Vec<Option<f64>>,
}

/// GPUs that can be read: a machine's, or a recording's.
pub trait LiveSource: Send {
    /// Name of each GPU.
    fn names(&self) -> Vec<String>;

    /// The next reading; blocks until it is due. None: the recording has ended.
    ///
    /// # Errors
    /// In words, with what to do: GPU lost, driver gone.
    fn next(&mut self) -> Result<Option<LiveReading>, String>;
}

/// What the live panel asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveAction {
    /// Look for GPUs and show their power.
    Start,
    /// Stop.
    Stop,
}
