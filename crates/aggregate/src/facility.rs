//! The site around the racks, sample by sample: from the racks' AC side to the bus.

use ballast_profile::tan_phi;

use crate::facility_spec::{FacilitySpec, LossSpec, StageSpec};
use crate::facility_trip::Trips;
use crate::rack::Lag;
use crate::site::Site;
use crate::transfer::Transfers;

/// Input of a lossy element in watts for an output in watts.
fn input_w(loss: LossSpec, output_w: f64) -> f64 {
    let rated_w = loss.rated_kw * 1e3;
    let x = output_w / rated_w;
    output_w + rated_w * (loss.loss_fixed + x * (loss.loss_linear + x * loss.loss_square))
}

/// Compressors at a moment.
#[derive(Debug, Clone)]
struct Stages {
    /// With those that can run as `count`.
    spec: StageSpec,
    /// Those there are.
    all: u32,
    running: u32,
    started: bool,
    /// Samples since the last start; none yet: `u64::MAX`.
    since_start: u64,
}

/// Reactive over active power of the parts; at the input of the UPS only where it hides what is behind it.
#[derive(Debug, Clone, Copy)]
struct Reactive {
    other_it_var: f64,
    ups_input: Option<f64>,
    cooling: f64,
    transformer_var: f64,
}

impl Reactive {
    fn new(spec: &FacilitySpec, other_it_w: f64) -> Self {
        let given = spec.power_factor.unwrap_or_default();
        let tan = |factor: Option<f64>| factor.map_or(0.0, tan_phi);
        let rated_w = spec.transformer.map_or(0.0, |t| t.rated_kw * 1e3);
        Self {
            other_it_var: other_it_w * tan(given.other_it),
            ups_input: given.ups_input.filter(|_| spec.ups.is_some()).map(tan_phi),
            cooling: tan(given.cooling),
            transformer_var: given.transformer_magnetising.unwrap_or(0.0) * rated_w,
        }
    }

    /// Reactive power at the bus for that of the racks, var.
    fn bus_var(self, racks_var: f64, fed_w: f64, cooling_w: f64) -> f64 {
        let it_var = match self.ups_input {
            Some(tan) => tan * fed_w,
            None => racks_var + self.other_it_var,
        };
        it_var + self.cooling * cooling_w + self.transformer_var
    }
}

/// Energy and events so far; each part summed over samples, watts.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    samples: u64,
    racks_w: f64,
    ups_w: f64,
    cooling_w: f64,
    transformer_w: f64,
    starts: u64,
    short: u64,
    ups_over: u64,
    transformer_over: u64,
}

/// The site around the racks. Holds a state, not a history: memory does not grow with duration.
#[derive(Debug, Clone)]
pub struct Facility {
    spec: FacilitySpec,
    dt_s: f64,
    /// Network, storage, management.
    parts_w: [f64; 3],
    /// Their sum.
    other_it_w: f64,
    reactive: Reactive,
    lag: Lag,
    stages: Option<Stages>,
    trips: Option<Trips>,
    heat_w: Vec<f64>,
    sums: Sums,
}

/// Where the power of the site goes, over a realisation.
#[derive(Debug, Clone, PartialEq)]
pub struct FacilityReport {
    /// Mean AC power of the racks, watts.
    pub racks_w: f64,
    /// Power of the network outside the racks, watts.
    pub network_w: f64,
    /// Power of the storage, watts.
    pub storage_w: f64,
    /// Power of management, login and service nodes, watts.
    pub management_w: f64,
    /// Mean loss of the UPS, watts.
    pub ups_w: f64,
    /// Mean electrical power of the cooling, watts.
    pub cooling_w: f64,
    /// Mean loss of the transformer, watts.
    pub transformer_w: f64,
    /// Compressor starts.
    pub starts: u64,
    /// Share of time in which more cooling was wanted than all compressors give.
    pub short_share: f64,
    /// Share of time in which the UPS was above its rating.
    pub ups_over_share: f64,
    /// Share of time in which the transformer was above its rating.
    pub transformer_over_share: f64,
}

impl FacilityReport {
    /// The report in words.
    pub fn text(&self) -> String {
        let it_w = self.racks_w + self.network_w + self.storage_w + self.management_w;
        let bus_w = it_w + self.ups_w + self.cooling_w + self.transformer_w;
        let kw = |w: f64| format!("{:.1} kW", w / 1e3);
        let mut sentences = vec![format!(
            "mean power at the bus {}: racks {} (AC side), network {}, storage {} and management {} (AC side), UPS losses {}, cooling {}, transformer losses {}; {:.3} times the IT",
            kw(bus_w),
            kw(self.racks_w),
            kw(self.network_w),
            kw(self.storage_w),
            kw(self.management_w),
            kw(self.ups_w),
            kw(self.cooling_w),
            kw(self.transformer_w),
            if it_w > 0.0 { bus_w / it_w } else { 0.0 }
        )];
        if self.starts > 0 {
            sentences.push(format!("{} compressor starts", self.starts));
        }
        let exceeded = [
            (
                "more cooling is wanted than all compressors give",
                self.short_share,
            ),
            ("the UPS is above its rating", self.ups_over_share),
            (
                "the transformer is above its rating",
                self.transformer_over_share,
            ),
        ];
        for (what, share) in exceeded.into_iter().filter(|(_, share)| *share > 0.0) {
            sentences.push(format!("{what} for {:.2} % of the time", 100.0 * share));
        }
        sentences.join("; ")
    }
}

impl Facility {
    /// At the first sample of a run, at `first_sample · dt_s`; `dt_s` is the step in seconds, finite and above 0. The spec has no
    /// problems. What was tripped before the run left heat behind as if the heat had always been that of its first sample.
    pub fn new(spec: &FacilitySpec, site: &Site, dt_s: f64, first_sample: u64) -> Self {
        let mut facility = Self::around(spec, site.rated_ac_w(), dt_s);
        let lag_s = spec.cooling.map_or(0.0, |c| c.lag_s);
        facility.trips = Trips::new(&site.outages.trips, lag_s, dt_s, first_sample);
        facility
    }

    /// Around racks that are rated `racks_w` together.
    fn around(spec: &FacilitySpec, racks_w: f64, dt_s: f64) -> Self {
        let cooling = spec.cooling;
        let parts_w = spec.other_it_w(racks_w);
        let other_it_w = parts_w.iter().sum();
        Self {
            spec: spec.clone(),
            dt_s,
            parts_w,
            other_it_w,
            reactive: Reactive::new(spec, other_it_w),
            lag: Lag::new(dt_s, cooling.map_or(0.0, |c| c.lag_s)),
            stages: cooling.and_then(|c| c.stages).map(|spec| Stages {
                all: spec.count,
                spec,
                running: 0,
                started: false,
                since_start: u64::MAX,
            }),
            trips: None,
            heat_w: Vec::new(),
            sums: Sums::default(),
        }
    }

    /// Turns the racks' active and reactive power (watts, var) at the next samples into that at the bus; both are equally long.
    pub fn apply(&mut self, power_w: &mut [f64], reactive_var: &mut [f64]) {
        self.apply_with(power_w, reactive_var, None);
    }

    /// As [`Self::apply`], with racks that are fed from elsewhere for a while; those have looked at the block.
    pub fn apply_with(
        &mut self,
        power_w: &mut [f64],
        reactive_var: &mut [f64],
        transfers: Option<&mut Transfers>,
    ) {
        self.heat_w.clear();
        for w in &mut *power_w {
            let it_w = *w + self.other_it_w;
            let fed_w = self.spec.ups.map_or(it_w, |ups| {
                self.sums.ups_over += u64::from(it_w > ups.rated_kw * 1e3);
                input_w(ups, it_w)
            });
            self.sums.samples += 1;
            self.sums.racks_w += *w;
            self.sums.ups_w += fed_w - it_w;
            self.heat_w.push(fed_w);
            *w = fed_w;
        }
        // The heat stays where the racks are, whoever feeds them.
        if let Some(transfers) = transfers {
            transfers.apply(power_w, reactive_var);
        }
        let mut heat_w = std::mem::take(&mut self.heat_w);
        self.lag.apply(&mut heat_w);
        for ((w, var), heat_w) in power_w.iter_mut().zip(reactive_var).zip(&heat_w) {
            let cooling_w = self.cooling_w(*heat_w);
            *var = self.reactive.bus_var(*var, *w, cooling_w);
            self.sums.cooling_w += cooling_w;
            let output_w = *w + cooling_w;
            *w = self.spec.transformer.map_or(output_w, |t| {
                self.sums.transformer_over += u64::from(output_w > t.rated_kw * 1e3);
                input_w(t, output_w)
            });
            self.sums.transformer_w += *w - output_w;
        }
        self.heat_w = heat_w;
    }

    /// Electrical power of the cooling for the heat it has come to follow, watts.
    fn cooling_w(&mut self, heat_w: f64) -> f64 {
        let Some(cooling) = self.spec.cooling else {
            return 0.0;
        };
        let wanted_w = cooling.share * heat_w;
        let fixed_w = cooling.fixed_kw * 1e3;
        let Some(trips) = &mut self.trips else {
            let moving_w = match &mut self.stages {
                None => wanted_w,
                Some(stages) => stages.step(wanted_w, self.dt_s, &mut self.sums),
            };
            return fixed_w + moving_w;
        };
        // Before the first sample of the run: what happened until then, as if the heat had always asked for this. Compressors start by
        // their rules then too, or more heat would wait than they had left.
        let mut past = Sums::default();
        while trips.before_run() {
            tripped(trips, self.stages.as_mut(), wanted_w, self.dt_s, &mut past);
        }
        let stages = self.stages.as_mut();
        let (there, moving_w) = tripped(trips, stages, wanted_w, self.dt_s, &mut self.sums);
        there * fixed_w + moving_w
    }

    /// Where the power went so far.
    pub fn report(&self) -> FacilityReport {
        let s = self.sums;
        let n = s.samples.max(1) as f64;
        FacilityReport {
            racks_w: s.racks_w / n,
            network_w: self.parts_w[0],
            storage_w: self.parts_w[1],
            management_w: self.parts_w[2],
            ups_w: s.ups_w / n,
            cooling_w: s.cooling_w / n,
            transformer_w: s.transformer_w / n,
            starts: s.starts,
            short_share: s.short as f64 / n,
            ups_over_share: s.ups_over as f64 / n,
            transformer_over_share: s.transformer_over as f64 / n,
        }
    }
}

/// One sample of a cooling that trips: the share of it that is there, and the power that moves heat, watts.
fn tripped(
    trips: &mut Trips,
    stages: Option<&mut Stages>,
    wanted_w: f64,
    dt_s: f64,
    sums: &mut Sums,
) -> (f64, f64) {
    let (there, stopped) = trips.begin();
    let asked_w = trips.asked_w(wanted_w);
    let (moving_w, done_w) = match stages {
        None => (there * asked_w, there * asked_w),
        Some(stages) => {
            stages.limit(there, stopped);
            let drawn_w = stages.step(asked_w, dt_s, sums);
            // What a start draws beyond its running removes no heat.
            (drawn_w, stages.running_w())
        }
    };
    trips.done(wanted_w, done_w);
    (there, moving_w)
}

impl Stages {
    /// Leaves a share of the compressors able to run; where some have just `stopped`, of those that ran as well.
    fn limit(&mut self, there: f64, stopped: bool) {
        // A share that makes no whole number stops the next one too, but for rounding.
        let left = |n: u32| (there * f64::from(n) + 1e-9).floor() as u32;
        self.spec.count = left(self.all);
        if stopped {
            self.running = left(self.running);
        }
    }

    fn running_w(&self) -> f64 {
        f64::from(self.running) * self.spec.stage_kw * 1e3
    }

    /// One sample on; returns the power of the compressors.
    fn step(&mut self, wanted_w: f64, dt_s: f64, sums: &mut Sums) -> f64 {
        let stage_w = self.spec.stage_kw * 1e3;
        let has_w = |n: u32| f64::from(n) * stage_w;
        if wanted_w > has_w(self.spec.count) {
            sums.short += 1;
        }
        self.since_start = self.since_start.saturating_add(1);
        if !self.started {
            // As the lag, the stages have settled before the run.
            self.started = true;
            self.running = (wanted_w / stage_w)
                .ceil()
                .clamp(0.0, f64::from(self.spec.count)) as u32;
            return has_w(self.running);
        }
        let elapsed_s = |samples: u64| samples as f64 * dt_s;
        let rested = elapsed_s(self.since_start) >= self.spec.start_interval_s;
        if wanted_w > has_w(self.running) && self.running < self.spec.count && rested {
            self.running += 1;
            self.since_start = 0;
            sums.starts += 1;
        } else if self.running > 0
            && wanted_w < has_w(self.running - 1) - self.spec.hysteresis * stage_w
        {
            self.running -= 1;
        }
        let starting = self.running > 0 && elapsed_s(self.since_start) < self.spec.start_s;
        let extra_w = if starting {
            (self.spec.start_factor - 1.0) * stage_w
        } else {
            0.0
        };
        has_w(self.running) + extra_w
    }
}

#[cfg(test)]
#[path = "facility_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "facility_trip_tests.rs"]
mod trip_tests;
