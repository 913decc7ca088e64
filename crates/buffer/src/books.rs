//! What went in, what came out, what was lost.

/// A sum of many small numbers beside its rounding error (Knuth's two-sum): right to the last digits whatever the number of terms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum {
    sum: f64,
    rest: f64,
}

impl Sum {
    /// From a sum and what rounding took from it.
    pub fn of(sum: f64, rest: f64) -> Self {
        Self { sum, rest }
    }

    /// Adds a term.
    pub fn add(&mut self, term: f64) {
        (self.sum, self.rest) = two_sum(self.sum, self.rest, term);
    }

    /// The sum.
    pub fn value(self) -> f64 {
        self.sum + self.rest
    }
}

/// `sum + term`, and `rest` with what that addition lost.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
pub(crate) fn two_sum(sum: f64, rest: f64, term: f64) -> (f64, f64) {
    let new = sum + term;
    let back = new - sum;
    (new, rest + ((sum - (new - back)) + (term - back)))
}

/// The books of a store, or of several together, over a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Books {
    /// Energy taken in at the terminals, J.
    pub in_j: f64,
    /// Energy given at the terminals, J.
    pub out_j: f64,
    /// Lost between terminals and inside, and by itself, J.
    pub lost_j: f64,
    /// Of it lost by itself, J.
    pub standing_j: f64,
    /// Charge at the start, J.
    pub start_j: f64,
    /// Charge now, J.
    pub stored_j: f64,
    /// Lowest charge, J; of several stores together the sum of each one's lowest.
    pub least_j: f64,
    /// Highest charge, J; of several likewise.
    pub most_j: f64,
    /// Highest power taken, W; of several the highest of any.
    pub peak_charge_w: f64,
    /// Highest power given, W; of several the highest of any.
    pub peak_discharge_w: f64,
    /// Time within 1 % of the window's low end, s; of several the sum.
    pub empty_s: f64,
    /// Time within 1 % of its high end, s; of several the sum.
    pub full_s: f64,
    /// Time over which it gave or took less than it was asked for, s; of several the sum.
    pub short_s: f64,
    /// What it fell short by, both ways, J; of several the sum.
    pub short_j: f64,
    /// Time looked at, s; of several the sum.
    pub time_s: f64,
    /// How far below its start the charge of a store without losses, limits or ends would have gone under the same controller, J, 0 or below; of several
    /// the lowest of any. 0 where there is no controller.
    pub free_least_j: f64,
    /// How far above it, J, 0 or above.
    pub free_most_j: f64,
}

impl Books {
    /// By how much the books do not close: `in − out − lost − Δstored`, J.
    pub fn imbalance_j(&self) -> f64 {
        self.in_j - self.out_j - self.lost_j - (self.stored_j - self.start_j)
    }

    /// From lowest to highest charge of a store without losses, limits or ends, J: what would have to be there for a start at the right charge.
    pub fn free_swing_j(&self) -> f64 {
        self.free_most_j - self.free_least_j
    }

    /// The window that a start at its middle needs, so that neither end is met, J.
    pub fn needed_window_j(&self) -> f64 {
        2.0 * self.free_most_j.max(-self.free_least_j)
    }

    /// Times the whole usable energy went out, through the inside. `energy_j` is the usable energy of all stores of these books.
    pub fn full_cycles(&self, energy_j: f64, discharge_efficiency: f64) -> f64 {
        self.out_j / discharge_efficiency / energy_j
    }

    /// Adds those of another store.
    pub fn add(&mut self, other: &Self) {
        self.in_j += other.in_j;
        self.out_j += other.out_j;
        self.lost_j += other.lost_j;
        self.standing_j += other.standing_j;
        self.start_j += other.start_j;
        self.stored_j += other.stored_j;
        self.least_j += other.least_j;
        self.most_j += other.most_j;
        self.peak_charge_w = self.peak_charge_w.max(other.peak_charge_w);
        self.peak_discharge_w = self.peak_discharge_w.max(other.peak_discharge_w);
        self.empty_s += other.empty_s;
        self.full_s += other.full_s;
        self.short_s += other.short_s;
        self.short_j += other.short_j;
        self.time_s += other.time_s;
        self.free_least_j = self.free_least_j.min(other.free_least_j);
        self.free_most_j = self.free_most_j.max(other.free_most_j);
    }
}
