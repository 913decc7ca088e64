//! Scenario files: load, patch, presets, validate, schema, hash.
//!
//! A scenario is TOML that composes the Specs of the model crates ([`Scenario`]). Reading one finds every problem at once and
//! says for each where it stands and what would be right. What flows:
//!
//! ```text
//! text ─► parse  (recovering TOML parser)        every syntax error
//!      ─► tree   (values and keys with places)
//!      ─► merge  (base, preset, named presets)   names that stand for nothing
//!      ─► patch  (--set, sweeps, forms)          unknown paths, wrong units
//!      ─► walk   (against the schema)            unknown, missing, wrong, out of range
//!      ─► serde ─► Scenario
//!      ─► check  (across keys, and the checks of profile, plant and site)
//!      ─► Loaded: scenario, hash, weak inputs, warnings
//! ```
//!
//! Each arrow that collects problems ends in a stop: what follows would only repeat them. Places survive merging and patching,
//! so a contradiction between a preset and a `--set` is reported where each value comes from.
//!
//! **Presets.** A `[[plant.sets]]` entry names what it changes with `preset`, an entry of `[gpus]`, `[nodes]` or `[psus]` with `base`
//! (a preset, or another entry of the table). Nodes, GPUs and supplies that are only named come from the presets of that name. A
//! A name with a `/` or ending in `.toml` is a file of the same form, from the scenario's folder. A
//! governor of another `model` replaces the preset's as a whole. A changed value is *given* by the user: its source, grade and
//! confidence change with it, and a plain number may stand where a number with source is expected.
//!
//! **Patches.** [`Patch`] is `--set`, a row of a sweep and an edit in a form alike. Quantities with a unit ("2.5 MW") are for patches;
//! files hold numbers under keys that carry the unit.
//!
//! **Variants.** A `[[variant]]` is the scenario with changes of its own ([`load_variant`], [`load_all`]): the same machinery as a patch,
//! with the place of every value in the file.
//!
//! **Imports.** [`from_racks`] and [`from_sacct`] write scenario text from a list of racks and from Slurm's accounting.
//!
//! **Other files.** [`read_document`] reads any Spec as a file of its own with the same problems.
//!
//! **Forms.** [`Resolved`] is a text with everything merged, whatever its problems: every place with what holds there and where that comes
//! from, and what an edit would write.
//!
//! A reader looks for a message in `walk` (shape and range of single values) or `check` (contradictions), for what overrides what in
//! `merge`, what a name stands for in `names`, for the schema of the file in `schema`, for the schema as this crate reads it in `shape`.

mod check;
mod confidence;
mod contingency;
mod document;
mod given;
mod hostlist;
mod least;
mod limits;
mod load;
mod load_limits_spec;
mod merge;
mod names;
mod outline;
mod parse;
mod patch;
mod pattern;
mod presets;
mod problem;
mod rack_list;
mod rack_site;
mod reference;
mod resolved;
mod schema;
mod shape;
mod slurm;
mod slurm_racks;
mod slurm_sets;
mod slurm_write;
mod spec;
mod starter;
mod suggest;
mod tree;
mod variant;
mod walk;

pub use ballast_aggregate::{ArrivalSpec, EngineSpec, JobSpec, RackGroup};
pub use ballast_units::TimeUnit;
pub use check::realisations_at_a_time;
pub use confidence::LowInput;
pub use contingency::{ContingencyLimitsSpec, ContingencySpec, LoadRejectionSpec, SetTripSpec};
pub use document::{Document, document_from, document_schema, genset_preset, read_document};
pub use least::Least;
pub use load::{Loaded, NumberKey, load, load_all, load_all_str, load_str, load_variant};
pub use load_limits_spec::{LampSpec, LoadLimitsSpec};
pub use outline::{Place, PlaceFrom, PlaceKind, PlaceSource};
pub use patch::{Patch, PatchError};
pub use presets::{PresetKind, preset_names, preset_text};
pub use problem::{Problem, Problems};
pub use rack_site::from_racks;
pub use reference::reference_markdown;
pub use resolved::{Fitted, Resolved};
pub use schema::schema;
pub use slurm::{SACCT, SlurmJobs, from_sacct, from_sacct_on_racks};
pub use spec::{
    Interpolation, LimitsSpec, LoadEvent, LoadSpec, OutputSpec, PowerUnit, RackStatistics,
    RangeCorners, Scenario, ScenarioHead, SimulationSpec, StepsLoad, TraceLoad, TraceScope,
    TransientColumn, ZoomBy, ZoomSpec,
};
pub use starter::starter;
pub use variant::{VariantHead, VariantSpec};
