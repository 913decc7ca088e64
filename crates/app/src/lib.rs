//! The desktop app: see the envelope, turn a knob, watch the generators.
//!
//! The library is the app without a desktop: windows, dialogs, folders and GPUs come through [`Platform`], so that the same app runs
//! in a window (`main`, feature `desktop`) and headless in tests. What flows, in one direction:
//!
//! ```text
//! Document (TOML text, undo/redo, drafts)          document
//!   │ every edit is a patch on the text
//!   ├──► Form: fields from the schema, problems at their fields          fields
//!   ▼ after a pause in typing
//! Engine: load ─► check ─► run, newest wins, cancellable                 engine
//!   ▼
//! RunResult: Outcome, traces as pyramids, phases, rack map                result, trace
//!   ▼
//! views: pure drawing of models ──► Actions                              views, plot, widgets, theme
//!   ▼
//! App::act: the only place that changes anything                         app
//! ```
//!
//! Views do not compute and change nothing: they take models and return [`Action`]s. Colours and sizes stand in `theme` alone.
//! Commands (menu, shortcut, palette, tests) are one list in `command`.

pub mod action;
pub mod app;
pub mod command;
#[cfg(feature = "desktop")]
pub mod desktop;
pub mod document;
pub mod engine;
pub mod export;
pub mod fields;
pub mod live;
pub mod platform;
pub mod plot;
pub mod result;
pub mod theme;
pub mod trace;
pub mod views;
pub mod widgets;

pub use action::{Action, Actions};
pub use app::App;
pub use command::Command;
pub use platform::{Platform, PlatformError};
