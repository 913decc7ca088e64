//! Stores of energy, and the controller that smooths a load with one.
//!
//! Everything that buffers energy is a [`Store`]: the capacitors of a power shelf, a supercapacitor beside a rack, a battery backup unit, the
//! battery of a site. A store is energy, losses and charge, and nothing else: it is asked for a power over a time
//! ([`Store::exchange`]) and answers with the power that it can. Who asks is another matter: here a [`Controller`], which
//! smooths a load; several duties may share one store by adding up what they ask for before they ask.
//!
//! # Signs and sides
//!
//! Powers are at the store's terminals; positive charges. What the grid sees is the load plus the store's power. The charge is inside; between the
//! two stand the efficiencies. A power holds for one step: sample k stands for the time from sample k − 1 to sample k. So energies are sums of
//! `power · dt`.
//!
//! # The store
//!
//! `E₁ = E₀ − standing + ηc · charge · dt − discharge · dt / ηd`, and E never leaves the window `[low, high]`. Power is limited by its rating and by
//! what fits into the step: an empty or a full store exchanges nothing on that side, so it is as good as no store. What a store has taken in is what it
//! has given, lost and holds, to 1e-9 of what went through it ([`Books`]).
//!
//! # The controller
//!
//! It asks for `(r − p) + (E* − E)/T`: the reference r is the mean of the load p, of first order with a time constant τ, and the second term brings the
//! charge back to E*, the middle of the window, within T. The mean of the losses, with the same τ, is drawn on top. Both are exact exponentials at any step. For small swings and without losses
//! the grid then sees
//!
//! ```text
//! G(jω) = (1 + jω(τ + T)) / ((1 + jωτ)(1 + jωT))        Control::gain
//! ```
//!
//! that is 1/(1 + jωτ) where T ≫ τ, and up to 12 % above 1 near ω = 1/√(τT) where T = τ (4 % for T = 10 τ): what a buffer gives it has to take back.
//!
//! Towards the ends of the window the power tapers: the store gives at most `(E − low)/taper` and takes at most `(high − E)/taper`. So power
//! falls to nothing along an exponential, and the grid's power comes to the load's without a step: from one step to the next it moves by no more than
//! the load does, and by what the three time constants allow. Where the grid must not be fed (`least_grid_w`), the store gives no more than the load takes.
//!
//! # Where to look
//!
//! `spec` the numbers and what they must satisfy, `file` the same with sources as they stand in a file, `store` one store and its
//! books, `control` the controller, `bess` a site's battery
//! at the bus, `lanes` many equal stores side by side with the same arithmetic, `need` how
//! much energy a load asks for.

mod bess;
mod books;
mod control;
mod file;
mod lanes;
mod need;
mod spec;
mod store;

pub use bess::{Bess, BessSpec};
pub use books::{Books, Sum};
pub use control::{Controller, Smoother};
pub use file::StorageSpec;
pub use lanes::StoreLanes;
pub use need::{Need, need, square_swing_j};
pub use spec::{BufferProblem, Control, Reference, StoreSpec};
pub use store::Store;
