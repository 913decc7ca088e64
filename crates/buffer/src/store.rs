//! One store.

use crate::books::{Books, Sum};
use crate::spec::StoreSpec;

/// A store's numbers at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    pub(crate) low_j: f64,
    pub(crate) high_j: f64,
    charge_w: f64,
    discharge_w: f64,
    /// Watts at the terminals that fill one joule of room in a step, and that empty one.
    room_w_per_j: f64,
    left_w_per_j: f64,
    /// Joules inside per watt at the terminals.
    into_j_per_w: f64,
    from_j_per_w: f64,
    standing_j: f64,
}

/// What one step did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) stored_j: f64,
    pub(crate) got_w: f64,
    pub(crate) standing_j: f64,
}

impl Fit {
    pub(crate) fn new(spec: &StoreSpec, dt_s: f64) -> Self {
        Self {
            low_j: spec.low_j(),
            high_j: spec.high_j(),
            charge_w: spec.charge_w,
            discharge_w: spec.discharge_w,
            room_w_per_j: 1.0 / (spec.charge_efficiency * dt_s),
            left_w_per_j: spec.discharge_efficiency / dt_s,
            into_j_per_w: spec.charge_efficiency * dt_s,
            from_j_per_w: dt_s / spec.discharge_efficiency,
            standing_j: spec.standing_w * dt_s,
        }
    }

    /// What is left at the start of a step, when the store has lost its standing loss.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn stand(&self, stored_j: f64) -> f64 {
        let left_j = stored_j - self.standing_j;
        if left_j < self.low_j {
            self.low_j
        } else {
            left_j
        }
    }

    /// What the ends of the window let through of a power asked for: at most `share` of what is there goes in this step.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn limit(&self, stored_j: f64, share: f64, asked_w: f64) -> f64 {
        let room_w = (self.high_j - stored_j) * (self.room_w_per_j * share);
        let left_w = (stored_j - self.low_j) * (self.left_w_per_j * share);
        let most_w = if room_w < self.charge_w {
            room_w
        } else {
            self.charge_w
        };
        let least_w = if left_w < self.discharge_w {
            -left_w
        } else {
            -self.discharge_w
        };
        let below_w = if asked_w > most_w { most_w } else { asked_w };
        if below_w < least_w { least_w } else { below_w }
    }

    /// The charge after a power that [`Self::limit`] let through. Rounding cannot take it out of the window.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn after(&self, stored_j: f64, got_w: f64) -> f64 {
        let per_w = if got_w > 0.0 {
            self.into_j_per_w
        } else {
            self.from_j_per_w
        };
        let new_j = stored_j + got_w * per_w;
        let above_j = if new_j < self.low_j {
            self.low_j
        } else {
            new_j
        };
        if above_j > self.high_j {
            self.high_j
        } else {
            above_j
        }
    }

    pub(crate) fn exchange(&self, stored_j: f64, asked_w: f64) -> Exchange {
        let left_j = self.stand(stored_j);
        let got_w = self.limit(left_j, 1.0, asked_w);
        Exchange {
            stored_j: self.after(left_j, got_w),
            got_w,
            standing_j: stored_j - left_j,
        }
    }
}

/// Energy, losses and charge; see the crate's page.
#[derive(Debug, Clone)]
pub struct Store {
    spec: StoreSpec,
    /// For the step it was last asked for.
    fit: Fit,
    dt_s: f64,
    stored_j: f64,
    into_j: Sum,
    out_j: Sum,
    standing_j: Sum,
    empty_s: Sum,
    full_s: Sum,
    short_s: Sum,
    short_j: Sum,
    time_s: Sum,
    least_j: f64,
    most_j: f64,
    peak_charge_w: f64,
    peak_discharge_w: f64,
}

impl Store {
    /// A store at its start. The spec has no [`StoreSpec::problems`].
    pub fn new(spec: StoreSpec) -> Self {
        let stored_j = spec.start_share * spec.energy_j;
        Self {
            fit: Fit::new(&spec, 1.0),
            dt_s: 1.0,
            stored_j,
            into_j: Sum::default(),
            out_j: Sum::default(),
            standing_j: Sum::default(),
            empty_s: Sum::default(),
            full_s: Sum::default(),
            short_s: Sum::default(),
            short_j: Sum::default(),
            time_s: Sum::default(),
            least_j: stored_j,
            most_j: stored_j,
            peak_charge_w: 0.0,
            peak_discharge_w: 0.0,
            spec,
        }
    }

    /// What it is.
    pub fn spec(&self) -> &StoreSpec {
        &self.spec
    }

    /// Charge, J.
    pub fn stored_j(&self) -> f64 {
        self.stored_j
    }

    /// Charge as a share of the usable energy.
    pub fn share(&self) -> f64 {
        self.stored_j / self.spec.energy_j
    }

    /// Its numbers at a step.
    pub(crate) fn fit(&mut self, dt_s: f64) -> Fit {
        if dt_s != self.dt_s {
            (self.fit, self.dt_s) = (Fit::new(&self.spec, dt_s), dt_s);
        }
        self.fit
    }

    /// Powers that it could take and give over a step of `dt_s` seconds, W at the terminals, both 0 or above.
    pub fn room_w(&mut self, dt_s: f64) -> (f64, f64) {
        let fit = self.fit(dt_s);
        let left_j = fit.stand(self.stored_j);
        (
            fit.limit(left_j, 1.0, f64::INFINITY),
            -fit.limit(left_j, 1.0, f64::NEG_INFINITY),
        )
    }

    /// Asks for a power over a step: `asked_w` at the terminals, positive charges, finite; `dt_s` above 0. Returns the power it gets, of the same sign
    /// and no larger.
    pub fn exchange(&mut self, asked_w: f64, dt_s: f64) -> f64 {
        let done = self.fit(dt_s).exchange(self.stored_j, asked_w);
        self.stored_j = done.stored_j;
        self.standing_j.add(done.standing_j);
        if done.got_w > 0.0 {
            self.into_j.add(done.got_w * dt_s);
        } else {
            self.out_j.add(-done.got_w * dt_s);
        }
        self.least_j = self.least_j.min(done.stored_j);
        self.most_j = self.most_j.max(done.stored_j);
        self.peak_charge_w = self.peak_charge_w.max(done.got_w);
        self.peak_discharge_w = self.peak_discharge_w.max(-done.got_w);
        self.time_s.add(dt_s);
        let margin_j = END_SHARE * self.spec.window_j();
        if done.stored_j <= self.fit.low_j + margin_j {
            self.empty_s.add(dt_s);
        }
        if done.stored_j >= self.fit.high_j - margin_j {
            self.full_s.add(dt_s);
        }
        self.fall_short(asked_w, done.got_w, dt_s);
        done.got_w
    }

    /// Notes what somebody wanted of it and did not get, beyond rounding.
    pub(crate) fn fall_short(&mut self, wanted_w: f64, got_w: f64, dt_s: f64) {
        let short_w = (wanted_w - got_w).abs();
        if short_w > SHORT_SHARE * wanted_w.abs() {
            self.short_s.add(dt_s);
            self.short_j.add(short_w * dt_s);
        }
    }

    /// Its books so far.
    pub fn books(&self) -> Books {
        let (in_j, out_j) = (self.into_j.value(), self.out_j.value());
        let standing_j = self.standing_j.value();
        Books {
            in_j,
            out_j,
            lost_j: conversion_loss_j(&self.spec, in_j, out_j) + standing_j,
            standing_j,
            start_j: self.spec.start_share * self.spec.energy_j,
            stored_j: self.stored_j,
            least_j: self.least_j,
            most_j: self.most_j,
            peak_charge_w: self.peak_charge_w,
            peak_discharge_w: self.peak_discharge_w,
            empty_s: self.empty_s.value(),
            full_s: self.full_s.value(),
            short_s: self.short_s.value(),
            short_j: self.short_j.value(),
            time_s: self.time_s.value(),
            free_least_j: 0.0,
            free_most_j: 0.0,
        }
    }
}

/// Within this share of the window a store counts as empty or full: the taper nears the end without reaching it.
pub(crate) const END_SHARE: f64 = 0.01;

/// Less than asked for by more than this share counts as short.
pub(crate) const SHORT_SHARE: f64 = 1e-9;

/// What the two conversions lose of what went through them.
pub(crate) fn conversion_loss_j(spec: &StoreSpec, in_j: f64, out_j: f64) -> f64 {
    (1.0 - spec.charge_efficiency) * in_j + (1.0 / spec.discharge_efficiency - 1.0) * out_j
}
