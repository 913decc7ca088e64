//! Racks that leave the bus for a while on the battery of their UPS, and what the bus gives back to it.
//!
//! With `s` the share of the racks in the power of all racks and `f` the part that the bus feeds (0 while away, 0 → 1 in a straight line
//! over the walk-in, 1 after), the bus sees `1 − s (1 − f)` of what racks, other IT and UPS draw; the battery gives the rest from the
//! moment the racks leave their source. What it gave, over the efficiency, comes back at constant power once the walk-in is over. Energy
//! is counted as the bus counts it, in straight lines from sample to sample, and the last two samples of a recharge are cut so that it ends exactly.

use crate::block::DemandBlock;
use crate::event_plan::TransferPlan;
use crate::site::Site;

/// Racks whose power is taken together.
#[derive(Debug, Clone, Copy)]
enum Racks {
    Group(usize),
    One(usize),
}

#[derive(Debug, Clone)]
struct Battery {
    plan: TransferPlan,
    /// Its racks: whole groups, and the racks of groups that it has in part, in order of the site.
    parts: Vec<Racks>,
    recharge_most_w: f64,
    /// Share of the racks in the power of all racks, over the block.
    share: Vec<f64>,
    /// At the last sample, watts.
    gives_w: f64,
    takes_w: f64,
    /// Sums so far, joules.
    given_j: f64,
    taken_j: f64,
}

/// The transfers of a realisation. Memory does not grow with duration.
#[derive(Debug, Clone)]
pub struct Transfers {
    batteries: Vec<Battery>,
    dt_s: f64,
    sample: u64,
    /// First sample of the run.
    first_sample: u64,
}

/// What the batteries of one transfer gave and took, over a realisation.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferReport {
    /// Racks, as the scenario names them.
    pub racks: String,
    /// Energy that the batteries gave, joules; with the losses of the UPS that they fed.
    pub given_j: f64,
    /// Energy that the bus gave to recharge them, joules.
    pub recharged_j: f64,
    /// Energy that the bus still has to give to make them full, joules.
    pub missing_j: f64,
}

impl TransferReport {
    /// The report in words.
    pub fn text(&self) -> String {
        let kwh = |j: f64| format!("{:.2} kWh", j / 3.6e6);
        let missing = if self.missing_j > 1e-6 * self.given_j {
            format!(
                "; {} more would make them full after the run",
                kwh(self.missing_j)
            )
        } else {
            String::new()
        };
        format!(
            "transfer of {}: the batteries gave {}, the bus returned {}{missing}",
            self.racks,
            kwh(self.given_j),
            kwh(self.recharged_j)
        )
    }
}

/// `racks` are in order of the site's.
fn parts(site: &Site, racks: &[usize]) -> Vec<Racks> {
    let mut parts = Vec::new();
    for (group, info) in site.groups().iter().enumerate() {
        let of_group = racks.iter().filter(|r| info.racks.contains(r));
        if of_group.clone().count() == info.racks.len() {
            parts.push(Racks::Group(group));
        } else {
            parts.extend(of_group.map(|r| Racks::One(*r)));
        }
    }
    parts
}

impl Transfers {
    /// At the first sample of a run, at `first_sample · dt_s`; `None` where nothing is transferred. `dt_s` is the step in seconds,
    /// finite and above 0. What batteries gave before the run is as if the power had always been that of its first sample.
    pub fn new(site: &Site, dt_s: f64, first_sample: u64) -> Option<Self> {
        let plans = &site.outages.transfers;
        let battery = |plan: &TransferPlan| Battery {
            recharge_most_w: plan.recharge_share * site.rated_ac_of_w(&plan.racks),
            parts: parts(site, &plan.racks),
            plan: plan.clone(),
            share: Vec::new(),
            gives_w: 0.0,
            takes_w: 0.0,
            given_j: 0.0,
            taken_j: 0.0,
        };
        (!plans.is_empty()).then(|| Self {
            batteries: plans.iter().map(battery).collect(),
            dt_s,
            sample: 0,
            first_sample,
        })
    }

    /// Looks at the racks of a block, of which [`Self::apply`] gets the site's power next.
    pub fn look(&mut self, block: &DemandBlock) {
        let steps = block.len();
        for battery in &mut self.batteries {
            let share = &mut battery.share;
            share.clear();
            share.resize(steps, 0.0);
            // The site's own sum is that of its groups: all racks together have exactly 1.
            for part in &battery.parts {
                let power_w = match *part {
                    Racks::Group(group) => block.group(group),
                    Racks::One(rack) => block.rack(rack),
                };
                share.iter_mut().zip(power_w).for_each(|(sum, w)| *sum += w);
            }
            share.iter_mut().zip(&block.site_w).for_each(|(sum, all)| {
                *sum = if *all > 0.0 { *sum / all } else { 0.0 };
            });
        }
    }

    /// Takes from `power_w` and `reactive_var`, drawn by racks, other IT and UPS at the block's samples, what the bus does not feed,
    /// and adds what it recharges, at a power factor of 1.
    pub fn apply(&mut self, power_w: &mut [f64], reactive_var: &mut [f64]) {
        let first_w = power_w.first().copied().unwrap_or(0.0);
        while self.sample < self.first_sample {
            self.step(0, first_w);
        }
        for (k, (w, var)) in power_w.iter_mut().zip(reactive_var).enumerate() {
            let (away, recharge_w) = self.step(k, *w);
            // Shares of disjoint racks sum to 1 at most but for rounding.
            let fed = (1.0 - away).max(0.0);
            *w = *w * fed + recharge_w;
            *var *= fed;
        }
    }

    /// Goes on by one sample, with the shares of sample `k` of the block and the power there. Returns the share of the power that the
    /// bus does not feed, and the power it recharges with.
    fn step(&mut self, k: usize, power_w: f64) -> (f64, f64) {
        // A change that falls on a sample but for rounding counts at that sample.
        let exact_s = self.sample as f64 * self.dt_s;
        let t_s = exact_s + 1e-6 * self.dt_s;
        // The very first sample has no stretch before it.
        let span_s = if self.sample == 0 { 0.0 } else { self.dt_s };
        self.sample += 1;
        let (mut away, mut recharge_w) = (0.0, 0.0);
        for battery in &mut self.batteries {
            let share = battery.share.get(k).copied().unwrap_or(0.0);
            let off = share * (1.0 - battery.plan.fed(t_s, exact_s));
            away += off;
            recharge_w += battery.step(t_s, off * power_w, self.dt_s, span_s);
        }
        (away, recharge_w)
    }

    /// What each transfer's batteries gave and took so far.
    pub fn report(&self) -> Vec<TransferReport> {
        let one = |b: &Battery| TransferReport {
            racks: b.plan.name.clone(),
            given_j: b.given_j,
            recharged_j: b.taken_j,
            missing_j: (b.given_j / b.plan.efficiency - b.taken_j).max(0.0),
        };
        self.batteries.iter().map(one).collect()
    }
}

impl Battery {
    /// Goes on by one sample, `span_s` after the one before, at which the racks draw `off_w` that the bus does not feed. Returns the
    /// power of the recharge.
    fn step(&mut self, t_s: f64, off_w: f64, dt_s: f64, span_s: f64) -> f64 {
        let gives_w = if t_s >= self.plan.battery_s {
            off_w
        } else {
            0.0
        };
        self.given_j += 0.5 * (self.gives_w + gives_w) * span_s;
        self.gives_w = gives_w;
        let back = t_s >= self.plan.on_s + self.plan.walk_in_s;
        let missing_j = self.given_j / self.plan.efficiency - self.taken_j;
        let takes_w = if back {
            // What is left when the power falls from here to 0 over the next step.
            (missing_j / dt_s - 0.5 * self.takes_w).clamp(0.0, self.recharge_most_w)
        } else {
            0.0
        };
        self.taken_j += 0.5 * (self.takes_w + takes_w) * span_s;
        self.takes_w = takes_w;
        takes_w
    }
}

impl TransferPlan {
    /// Part of the racks' power that the bus feeds at `exact_s`; `t_s` is that, and what rounding may have taken from it.
    fn fed(&self, t_s: f64, exact_s: f64) -> f64 {
        if t_s < self.off_s {
            1.0
        } else if t_s < self.on_s {
            0.0
        } else if t_s < self.on_s + self.walk_in_s {
            // Begun a rounding error ahead of the sample: at 0, not below.
            ((exact_s - self.on_s) / self.walk_in_s).max(0.0)
        } else {
            1.0
        }
    }
}
