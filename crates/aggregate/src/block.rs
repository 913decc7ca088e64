//! A stretch of the load over time.

/// Power over consecutive samples: the site, its GPUs, each rack.
///
/// Grows with racks times steps, and with nothing else.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DemandBlock {
    /// AC power of all racks together, watts. `[step]`.
    pub site_w: Vec<f64>,
    /// AC power of the racks of each group together, watts. `[group][step]`, group after group without gaps.
    pub group_w: Vec<f64>,
    /// Reactive power of all racks together at their AC side, var; positive: drawn (lagging), negative: given (leading). `[step]`.
    pub site_q_var: Vec<f64>,
    /// Power of all GPUs together, metered at the GPUs, watts. `[step]`.
    pub gpu_w: Vec<f64>,
    /// AC power of each rack, watts. `[rack][step]`, rack after rack without gaps.
    pub rack_w: Vec<f64>,
    /// Charge of the storage of each group's racks together, joules. `[group][step]`, zeros for groups without; empty where no rack has any.
    pub stored_j: Vec<f64>,
    /// AC power of each group's racks together before their storage acts, watts. `[group][step]`; empty where no rack has any.
    pub before_storage_w: Vec<f64>,
    /// Number of the first sample, counted from the start of the run.
    pub first_sample: u64,
    racks: usize,
    groups: usize,
    steps: usize,
}

impl DemandBlock {
    /// A block of zeros for `racks` racks and `steps` samples; the fill gives it the site's groups.
    pub fn new(racks: usize, steps: usize) -> Self {
        let mut block = Self {
            racks,
            ..Self::default()
        };
        block.set_len(steps);
        block
    }

    /// Samples.
    pub fn len(&self) -> usize {
        self.steps
    }

    /// Whether it has no samples.
    pub fn is_empty(&self) -> bool {
        self.steps == 0
    }

    /// Racks.
    pub fn racks(&self) -> usize {
        self.racks
    }

    /// Changes the number of samples, as for the last block of a run. The content is undefined until the next fill.
    pub fn set_len(&mut self, steps: usize) {
        self.resize(self.racks, self.groups, steps);
    }

    pub(crate) fn resize(&mut self, racks: usize, groups: usize, steps: usize) {
        (self.racks, self.groups, self.steps) = (racks, groups, steps);
        self.site_w.resize(steps, 0.0);
        self.group_w.resize(groups * steps, 0.0);
        self.site_q_var.resize(steps, 0.0);
        self.gpu_w.resize(steps, 0.0);
        self.rack_w.resize(racks * steps, 0.0);
    }

    /// AC power of a rack, watts, `[step]`; empty if there is no rack `i`.
    pub fn rack(&self, i: usize) -> &[f64] {
        self.rack_w
            .get(i * self.steps..(i + 1) * self.steps)
            .unwrap_or(&[])
    }

    /// Charge of the storage of a group's racks together, joules, `[step]`; empty if there is no group `i` or no storage.
    pub fn stored(&self, i: usize) -> &[f64] {
        self.stored_j
            .get(i * self.steps..(i + 1) * self.steps)
            .unwrap_or(&[])
    }

    /// AC power of a group's racks together before their storage acts, watts, `[step]`; empty if there is no group `i` or no storage.
    pub fn before_storage(&self, i: usize) -> &[f64] {
        self.before_storage_w
            .get(i * self.steps..(i + 1) * self.steps)
            .unwrap_or(&[])
    }

    /// AC power of the racks of a group together, watts, `[step]`; empty if there is no group `i`.
    pub fn group(&self, i: usize) -> &[f64] {
        self.group_w
            .get(i * self.steps..(i + 1) * self.steps)
            .unwrap_or(&[])
    }
}
