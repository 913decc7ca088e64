//! The window.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::machine::Machine;
use crate::action::Action;
use crate::app::prefs::Preferences;
use crate::{App, Platform};

/// Size of the window at first, points.
const SIZE: (f32, f32) = (1280.0, 800.0);
/// Its smallest size, points.
const SMALLEST: (f32, f32) = (480.0, 360.0);
/// Side of the icon, pixels.
const ICON: u32 = 64;

/// Opens the window and stays until it is closed. With `first_frame_only` it closes after the first frame and returns how long that took
/// from `started`.
///
/// # Errors
/// There is no display, or no way to draw on it: in words, with what to do.
pub fn open(
    file: Option<PathBuf>,
    started: Instant,
    first_frame_only: bool,
) -> Result<Option<Duration>, String> {
    let machine = Arc::new(Machine::new());
    let (width, height) = Preferences::read(&*machine).window.unwrap_or(SIZE);
    let viewport = egui::ViewportBuilder::default()
        .with_title("Ballast")
        .with_app_id("ballast")
        .with_icon(icon())
        .with_inner_size((width.max(SMALLEST.0), height.max(SMALLEST.1)))
        .with_min_inner_size(SMALLEST);
    let options = eframe::NativeOptions {
        viewport,
        ..eframe::NativeOptions::default()
    };
    let first_frame = Arc::new(std::sync::OnceLock::new());
    let seen = Arc::clone(&first_frame);
    let run = eframe::run_native(
        "Ballast",
        options,
        Box::new(move |cc| {
            machine.set_window(&cc.egui_ctx);
            let platform: Arc<dyn Platform> = machine;
            let mut app = App::new(platform, &cc.egui_ctx);
            if let Some(file) = file {
                app.act(Action::Open(file));
            }
            Ok(Box::new(Window {
                app,
                started,
                first_frame: seen,
                first_frame_only,
            }))
        }),
    );
    run.map_err(|e| {
        format!(
            "the window cannot be opened: {}. Start it in a desktop session with OpenGL; without one, `ballast run` does the same studies",
            reason(&e)
        )
    })?;
    Ok(first_frame.get().copied())
}

/// Why there is no window; in words, as those of the libraries name their source files.
fn reason(error: &eframe::Error) -> String {
    match error {
        eframe::Error::WinitEventLoop(_) => {
            "there is no display (neither DISPLAY nor WAYLAND_DISPLAY names one that answers)"
                .to_owned()
        }
        eframe::Error::Winit(_) => "the display does not open windows".to_owned(),
        eframe::Error::Glutin(_) | eframe::Error::NoGlutinConfigs(..) => {
            "the display offers no OpenGL".to_owned()
        }
        other => other.to_string(),
    }
}

struct Window {
    app: App,
    started: Instant,
    first_frame: Arc<std::sync::OnceLock<Duration>>,
    first_frame_only: bool,
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        self.app.logic(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        self.app.ui(ui);
        if self.first_frame_only && self.first_frame.set(self.started.elapsed()).is_err() {
            // The second frame begins: the first one is on the screen.
            self.app.leave_at_once();
        }
        if self.first_frame_only {
            ui.ctx().request_repaint();
        }
    }
}

/// A wave between two lines, in the colours of the app.
fn icon() -> egui::IconData {
    let theme = crate::theme::Theme::dark();
    let side = ICON as f32;
    let mut rgba = Vec::with_capacity((ICON * ICON * 4) as usize);
    for y in 0..ICON {
        for x in 0..ICON {
            let (fx, fy) = (x as f32 + 0.5, y as f32 + 0.5);
            let wave = side * (0.5 - 0.18 * (fx / side * std::f32::consts::TAU * 1.5).sin());
            let colour = if (fy - wave).abs() < side * 0.06 {
                theme.load
            } else if (fy - side * 0.2).abs() < side * 0.025
                || (fy - side * 0.8).abs() < side * 0.025
            {
                theme.limit
            } else {
                theme.panel
            };
            rgba.extend_from_slice(&colour.to_array());
        }
    }
    egui::IconData {
        rgba,
        width: ICON,
        height: ICON,
    }
}
