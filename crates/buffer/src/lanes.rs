//! Many equal stores side by side, each with a load of its own.

use crate::books::{Books, Sum, two_sum};
use crate::control::Law;
use crate::spec::{Control, Reference, StoreSpec};
use crate::store::{END_SHARE, Fit, SHORT_SHARE, conversion_loss_j};

/// N stores of one kind with a controller each: the same arithmetic as [`crate::Smoother`], lane by lane, so that neighbours and vector
/// width change nothing.
///
/// [`Self::step`] is inlined into its caller, who may compile it for several instruction sets.
#[derive(Debug, Clone)]
pub struct StoreLanes<const N: usize> {
    spec: StoreSpec,
    fit: Fit,
    law: Law,
    dt_s: f64,
    started: bool,
    constant_w: Option<f64>,
    near_low_j: f64,
    near_high_j: f64,
    stored_j: [f64; N],
    reference_w: [f64; N],
    lost_w: [f64; N],
    /// Sums of powers over steps, and what rounding took from them.
    into_w: [[f64; N]; 2],
    out_w: [[f64; N]; 2],
    short_w: [[f64; N]; 2],
    standing_j: [[f64; N]; 2],
    least_j: [f64; N],
    most_j: [f64; N],
    peak_charge_w: [f64; N],
    peak_discharge_w: [f64; N],
    /// Charge of a store without losses, limits or ends, from its start: now, lowest, highest.
    free_j: [[f64; N]; 3],
    /// Counts of steps: whole numbers.
    empty: [f64; N],
    full: [f64; N],
    short: [f64; N],
    steps: [f64; N],
}

impl<const N: usize> StoreLanes<N> {
    /// At the start, for steps of `dt_s` seconds. Neither spec has problems.
    pub fn new(control: &Control, spec: &StoreSpec, dt_s: f64) -> Self {
        let stored_j = spec.start_share * spec.energy_j;
        let none = [0.0; N];
        let constant_w = match control.reference {
            Reference::Constant { power_w } => Some(power_w),
            Reference::Average { .. } => None,
        };
        let margin_j = END_SHARE * spec.window_j();
        let fit = Fit::new(spec, dt_s);
        Self {
            near_low_j: fit.low_j + margin_j,
            near_high_j: fit.high_j - margin_j,
            spec: *spec,
            fit,
            law: Law::new(control, spec, dt_s),
            dt_s,
            started: constant_w.is_some(),
            constant_w,
            stored_j: [stored_j; N],
            reference_w: [constant_w.unwrap_or(0.0); N],
            lost_w: none,
            into_w: [none; 2],
            out_w: [none; 2],
            short_w: [none; 2],
            standing_j: [none; 2],
            least_j: [stored_j; N],
            most_j: [stored_j; N],
            peak_charge_w: none,
            peak_discharge_w: none,
            free_j: [none; 3],
            empty: none,
            full: none,
            short: none,
            steps: none,
        }
    }

    /// The kind of store.
    pub fn spec(&self) -> &StoreSpec {
        &self.spec
    }

    /// Charge of each, J.
    pub fn stored_j(&self) -> &[f64; N] {
        &self.stored_j
    }

    /// The next step: in come the loads, out go the powers that the grid sees, W. A lane that is not `on` is cut off: its store neither takes nor gives
    /// nor ages, and its reference begins anew at nothing.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub fn step_of(&mut self, power_w: &mut [f64; N], on: &[bool; N]) {
        let before = self.clone();
        let load_w = *power_w;
        self.step(power_w);
        for l in 0..N {
            if !on[l] {
                self.put_back(&before, l);
                self.reference_w[l] = self.constant_w.unwrap_or(0.0);
                self.lost_w[l] = 0.0;
                power_w[l] = load_w[l];
            }
        }
    }

    fn put_back(&mut self, from: &Self, l: usize) {
        for (to, from) in [
            (&mut self.into_w, &from.into_w),
            (&mut self.out_w, &from.out_w),
            (&mut self.short_w, &from.short_w),
            (&mut self.standing_j, &from.standing_j),
        ] {
            (to[0][l], to[1][l]) = (from[0][l], from[1][l]);
        }
        for (to, from) in self.free_j.iter_mut().zip(&from.free_j) {
            to[l] = from[l];
        }
        for (to, from) in [
            (&mut self.stored_j, &from.stored_j),
            (&mut self.least_j, &from.least_j),
            (&mut self.most_j, &from.most_j),
            (&mut self.peak_charge_w, &from.peak_charge_w),
            (&mut self.peak_discharge_w, &from.peak_discharge_w),
            (&mut self.empty, &from.empty),
            (&mut self.full, &from.full),
            (&mut self.short, &from.short),
            (&mut self.steps, &from.steps),
        ] {
            to[l] = from[l];
        }
    }

    /// The next step with all lanes on: in come the loads, out go the powers that the grid sees, W.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub fn step(&mut self, power_w: &mut [f64; N]) {
        if !self.started {
            // A run begins with the reference settled.
            self.started = true;
            self.reference_w = *power_w;
        }
        let (fit, law, dt_s) = (self.fit, self.law, self.dt_s);
        let (near_low_j, near_high_j) = (self.near_low_j, self.near_high_j);
        for (l, power_w) in power_w.iter_mut().enumerate() {
            let load_w = *power_w;
            let before_j = self.stored_j[l];
            let reference_w = law.next_w(self.reference_w[l], load_w);
            let grid_w = reference_w + self.lost_w[l];
            let wanted_w = law.wanted_w(grid_w, load_w, before_j);
            let wanted_w = law.allowed_w(wanted_w, load_w);
            let left_j = fit.stand(before_j);
            // The taper lets through at most what fits, so the store gives what is asked.
            let got_w = fit.limit(left_j, law.share, wanted_w);
            let stored_j = fit.after(left_j, got_w);
            self.reference_w[l] = reference_w;
            self.lost_w[l] = law.next_lost_w(self.lost_w[l], got_w);
            self.stored_j[l] = stored_j;
            *power_w = load_w + got_w;
            let free_w = law.free_w(reference_w, load_w, self.free_j[0][l]);
            let free_j = self.free_j[0][l] + free_w * dt_s;
            self.free_j[0][l] = free_j;
            let lowest_j = self.free_j[1][l];
            self.free_j[1][l] = if free_j < lowest_j { free_j } else { lowest_j };
            let highest_j = self.free_j[2][l];
            self.free_j[2][l] = if free_j > highest_j {
                free_j
            } else {
                highest_j
            };
            let into_w = if got_w > 0.0 { got_w } else { 0.0 };
            let out_w = into_w - got_w;
            (self.into_w[0][l], self.into_w[1][l]) =
                two_sum(self.into_w[0][l], self.into_w[1][l], into_w);
            (self.out_w[0][l], self.out_w[1][l]) =
                two_sum(self.out_w[0][l], self.out_w[1][l], out_w);
            (self.standing_j[0][l], self.standing_j[1][l]) = two_sum(
                self.standing_j[0][l],
                self.standing_j[1][l],
                before_j - left_j,
            );
            let short_w = (wanted_w - got_w).abs();
            let is_short = short_w > SHORT_SHARE * wanted_w.abs();
            let counted_w = if is_short { short_w } else { 0.0 };
            (self.short_w[0][l], self.short_w[1][l]) =
                two_sum(self.short_w[0][l], self.short_w[1][l], counted_w);
            self.short[l] += if is_short { 1.0 } else { 0.0 };
            self.empty[l] += if stored_j <= near_low_j { 1.0 } else { 0.0 };
            self.full[l] += if stored_j >= near_high_j { 1.0 } else { 0.0 };
            self.steps[l] += 1.0;
            let least_j = self.least_j[l];
            self.least_j[l] = if stored_j < least_j {
                stored_j
            } else {
                least_j
            };
            let most_j = self.most_j[l];
            self.most_j[l] = if stored_j > most_j { stored_j } else { most_j };
            let peak_w = self.peak_charge_w[l];
            self.peak_charge_w[l] = if into_w > peak_w { into_w } else { peak_w };
            let peak_w = self.peak_discharge_w[l];
            self.peak_discharge_w[l] = if out_w > peak_w { out_w } else { peak_w };
        }
    }

    /// Books of one lane so far; `None` if there is no lane `l`.
    pub fn books(&self, l: usize) -> Option<Books> {
        if l >= N {
            return None;
        }
        let sum = |s: &[[f64; N]; 2]| Sum::of(s[0][l], s[1][l]).value();
        let (in_j, out_j) = (sum(&self.into_w) * self.dt_s, sum(&self.out_w) * self.dt_s);
        let standing_j = sum(&self.standing_j);
        Some(Books {
            in_j,
            out_j,
            lost_j: conversion_loss_j(&self.spec, in_j, out_j) + standing_j,
            standing_j,
            start_j: self.spec.start_share * self.spec.energy_j,
            stored_j: self.stored_j[l],
            least_j: self.least_j[l],
            most_j: self.most_j[l],
            peak_charge_w: self.peak_charge_w[l],
            peak_discharge_w: self.peak_discharge_w[l],
            empty_s: self.empty[l] * self.dt_s,
            full_s: self.full[l] * self.dt_s,
            short_s: self.short[l] * self.dt_s,
            short_j: sum(&self.short_w) * self.dt_s,
            time_s: self.steps[l] * self.dt_s,
            free_least_j: self.free_j[1][l],
            free_most_j: self.free_j[2][l],
        })
    }
}
