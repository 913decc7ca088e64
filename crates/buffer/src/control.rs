//! The controller that smooths a load with a store.

use crate::books::Books;
use crate::spec::{Control, Reference, StoreSpec};
use crate::store::Store;

/// A controller's numbers at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Law {
    /// Weight of the load in the reference.
    pub(crate) follow: f64,
    /// Watts that bring back one joule of charge.
    pub(crate) recover_w_per_j: f64,
    /// Share of what is left that the taper lets go in a step.
    pub(crate) share: f64,
    pub(crate) target_j: f64,
    least_grid_w: f64,
    /// Lost per watt taken and given, and by itself, W.
    lost_taking: f64,
    lost_giving: f64,
    standing_w: f64,
}

/// `1 − e^(−dt/τ)`; 1 for τ = 0, 0 for an infinite one.
fn share_of(dt_s: f64, tau_s: f64) -> f64 {
    if tau_s <= 0.0 {
        1.0
    } else {
        -libm::expm1(-dt_s / tau_s)
    }
}

impl Law {
    pub(crate) fn new(control: &Control, store: &StoreSpec, dt_s: f64) -> Self {
        let follow = match control.reference {
            Reference::Average { time_constant_s } => share_of(dt_s, time_constant_s),
            Reference::Constant { .. } => 0.0,
        };
        let middle = f64::midpoint(store.low_share, store.high_share);
        Self {
            follow,
            recover_w_per_j: share_of(dt_s, control.recovery_s) / dt_s,
            share: share_of(dt_s, control.taper_s),
            target_j: control.target_share.unwrap_or(middle) * store.energy_j,
            least_grid_w: control.least_grid_w,
            lost_taking: 1.0 - store.charge_efficiency,
            lost_giving: 1.0 / store.discharge_efficiency - 1.0,
            standing_w: store.standing_w,
        }
    }

    /// The reference after the next load.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn next_w(&self, reference_w: f64, load_w: f64) -> f64 {
        reference_w + self.follow * (load_w - reference_w)
    }

    /// What of a power it may ask for beside a load, so that the grid's power stays at its least.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn allowed_w(&self, asked_w: f64, load_w: f64) -> f64 {
        let down_w = self.least_grid_w - load_w;
        let most_down_w = if down_w < 0.0 { down_w } else { 0.0 };
        if asked_w < most_down_w {
            most_down_w
        } else {
            asked_w
        }
    }

    /// The mean of what the store loses, after a step in which it took `got_w`: drawn on top of the load's mean, or the charge would stand
    /// below its target by the losses over the recovery.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn next_lost_w(&self, lost_w: f64, got_w: f64) -> f64 {
        let share = if got_w > 0.0 {
            self.lost_taking
        } else {
            -self.lost_giving
        };
        lost_w + self.follow * ((got_w * share + self.standing_w) - lost_w)
    }

    /// What it would ask of a store without losses, limits or ends whose charge is so far from its target.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn free_w(&self, reference_w: f64, load_w: f64, free_j: f64) -> f64 {
        (reference_w - load_w) - self.recover_w_per_j * free_j
    }

    /// What it asks of the store, ends of the window left aside.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn wanted_w(&self, reference_w: f64, load_w: f64, stored_j: f64) -> f64 {
        (reference_w - load_w) + self.recover_w_per_j * (self.target_j - stored_j)
    }
}

/// Decides what to ask of a store so that the grid sees a slow reference; see the crate's page.
///
/// Alone it serves where several duties share one store: each says what it wants, the sum goes to [`Store::exchange`].
#[derive(Debug, Clone)]
pub struct Controller {
    control: Control,
    store: StoreSpec,
    law: Law,
    dt_s: f64,
    /// `None` before the first load.
    reference_w: Option<f64>,
    /// Mean of the losses.
    lost_w: f64,
}

impl Controller {
    /// For a store of this kind. Neither spec has problems.
    pub fn new(control: Control, store: StoreSpec) -> Self {
        let reference_w = match control.reference {
            Reference::Constant { power_w } => Some(power_w),
            Reference::Average { .. } => None,
        };
        Self {
            law: Law::new(&control, &store, 1.0),
            control,
            store,
            dt_s: 1.0,
            reference_w,
            lost_w: 0.0,
        }
    }

    /// Where the mean of the load stands, W; 0 before the first load.
    pub fn reference_w(&self) -> f64 {
        self.reference_w.unwrap_or(0.0)
    }

    /// Lets the reference begin anew at a power, W: 0 after a load was cut off.
    pub fn restart(&mut self, power_w: f64) {
        if matches!(self.control.reference, Reference::Average { .. }) {
            self.reference_w = Some(power_w);
            self.lost_w = 0.0;
        }
    }

    /// Tells it what the store took of it in the step, W: it draws the mean of the losses as well. Without this, the charge stands below its target
    /// by the losses over the recovery time.
    pub fn took(&mut self, got_w: f64) {
        self.lost_w = self.law.next_lost_w(self.lost_w, got_w);
    }

    /// What it wants of the store over the next step, W at the terminals, positive charges: for the load of that step and the charge before it. The ends of
    /// the window are left aside; [`Self::taper`] brings them in.
    pub fn want(&mut self, load_w: f64, stored_j: f64, dt_s: f64) -> f64 {
        if dt_s != self.dt_s {
            (self.law, self.dt_s) = (Law::new(&self.control, &self.store, dt_s), dt_s);
        }
        let before_w = self.reference_w.unwrap_or(load_w);
        let reference_w = self.law.next_w(before_w, load_w);
        self.reference_w = Some(reference_w);
        let grid_w = reference_w + self.lost_w;
        let wanted_w = self.law.wanted_w(grid_w, load_w, stored_j);
        self.law.allowed_w(wanted_w, load_w)
    }

    /// What of a power it may ask for beside a load, so that the grid's power stays at its least, W.
    pub(crate) fn allowed_w(&self, asked_w: f64, load_w: f64) -> f64 {
        self.law.allowed_w(asked_w, load_w)
    }

    /// What of a power wanted may be asked for so that it tapers off towards the ends of the store's window, W.
    pub fn taper(&self, wanted_w: f64, store: &mut Store) -> f64 {
        let fit = store.fit(self.dt_s);
        let left_j = fit.stand(store.stored_j());
        fit.limit(left_j, self.law.share, wanted_w)
    }
}

/// A store with a controller of its own.
#[derive(Debug, Clone)]
pub struct Smoother {
    controller: Controller,
    store: Store,
    /// Charge of a store without losses, limits or ends, from its start: now, lowest, highest.
    free_j: [f64; 3],
}

impl Smoother {
    /// At the start. Neither spec has problems.
    pub fn new(control: Control, store: StoreSpec) -> Self {
        Self {
            controller: Controller::new(control, store),
            store: Store::new(store),
            free_j: [0.0; 3],
        }
    }

    /// What the store does beside a load over the next step of `dt_s` seconds, W: the grid sees `load_w` plus it.
    pub fn step(&mut self, load_w: f64, dt_s: f64) -> f64 {
        let wanted_w = self.controller.want(load_w, self.store.stored_j(), dt_s);
        let asked_w = self.controller.taper(wanted_w, &mut self.store);
        let got_w = self.store.exchange(asked_w, dt_s);
        self.controller.took(got_w);
        let law = self.controller.law;
        let free_w = law.free_w(self.controller.reference_w(), load_w, self.free_j[0]);
        let free_j = self.free_j[0] + free_w * dt_s;
        self.free_j = [
            free_j,
            self.free_j[1].min(free_j),
            self.free_j[2].max(free_j),
        ];
        self.store.fall_short(wanted_w, asked_w, dt_s);
        got_w
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The controller.
    pub fn controller(&self) -> &Controller {
        &self.controller
    }

    /// The store's books so far.
    pub fn books(&self) -> Books {
        Books {
            free_least_j: self.free_j[1],
            free_most_j: self.free_j[2],
            ..self.store.books()
        }
    }
}
