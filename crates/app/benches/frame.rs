//! Time of the interface per frame with eight linked plots of ten million samples each: layout, reading of the traces, meshes and text, without a window.
//! What a graphics card then draws comes on top of it.

use std::sync::{Arc, LazyLock};

use ballast_app::Actions;
use ballast_app::plot::model::{Ink, Series, Weight};
use ballast_app::plot::quantity::Quantity;
use ballast_app::plot::source::Source;
use ballast_app::plot::{TimeChart, TimePlot, TimeView, ViewContext};
use ballast_app::theme::Theme;
use ballast_app::trace::Trace;
use divan::Bencher;
use egui::{Context, Pos2, RawInput, Rect, UiBuilder, Vec2};

const PLOTS: usize = 8;
const SAMPLES: usize = 10_000_000;
const DT_S: f64 = 0.001;

fn main() {
    divan::main();
}

/// Two levels with ripple, other in each plot.
fn samples(plot: usize) -> Vec<f32> {
    let period = 800 + 37 * plot;
    let mut noise = 0x9e37_79b9_u32.wrapping_add(plot as u32);
    let sample = |i: usize| {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let level = if i % period < period / 2 {
            5.0e6
        } else {
            2.0e6
        };
        level + (noise >> 16) as f32
    };
    (0..SAMPLES).map(sample).collect()
}

static CHARTS: LazyLock<Vec<TimeChart>> = LazyLock::new(|| {
    let chart = |plot: usize| {
        let name = format!("site {plot}");
        let trace = Trace::from_samples(&name, "W", (0.0, DT_S), samples(plot));
        TimeChart {
            title: name.clone(),
            quantity: Quantity::Power,
            series: vec![Series {
                name,
                what: String::new(),
                ink: Ink::Load,
                weight: Weight::Full,
                source: Source::Trace(Arc::new(trace)),
                fine: None,
                shown: true,
            }],
            rules: Vec::new(),
            zones: Vec::new(),
            marks: Vec::new(),
            fine_s: None,
            summary: String::new(),
        }
    };
    (0..PLOTS).map(chart).collect()
});

struct Window {
    ctx: Context,
    plots: Vec<TimePlot>,
    frame: u32,
}

impl Window {
    fn new() -> Self {
        let ctx = Context::default();
        Theme::dark().apply(&ctx);
        ctx.set_theme(egui::Theme::Dark);
        Self {
            ctx,
            plots: (0..PLOTS).map(|_| TimePlot::default()).collect(),
            frame: 0,
        }
    }

    /// One frame of 1280 × 800 points in which everything moves: another stretch of time of this length, and the cursor.
    fn frame(&mut self, span_s: f64) -> usize {
        self.frame += 1;
        let whole_s = (0.0, SAMPLES as f64 * DT_S);
        let from_s = (f64::from(self.frame) * span_s * 0.013) % (whole_s.1 - span_s).max(1e-9);
        let time = TimeView {
            from_s,
            to_s: from_s + span_s,
            whole_s,
            cursor_s: Some(from_s + 0.4 * span_s),
        };
        let size = Vec2::new(1280.0, 800.0);
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
            time: Some(f64::from(self.frame) / 60.0),
            ..RawInput::default()
        };
        let plots = &mut self.plots;
        let mut actions = Actions::default();
        let output = self.ctx.run_ui(input, |ui| {
            let cell = Vec2::new(size.x / 2.0, size.y / 4.0);
            for (i, (plot, chart)) in plots.iter_mut().zip(CHARTS.iter()).enumerate() {
                let corner = Pos2::new((i % 2) as f32 * cell.x, (i / 2) as f32 * cell.y);
                let place = UiBuilder::new()
                    .id_salt(i)
                    .max_rect(Rect::from_min_size(corner, cell));
                ui.scope_builder(place, |ui| {
                    let mut cx = ViewContext {
                        theme: Theme::dark(),
                        time,
                        stale: false,
                        actions: &mut actions,
                    };
                    plot.show(ui, &mut cx, chart);
                });
            }
        });
        let shapes = output.shapes.len();
        output.drop_without_applying_deltas();
        shapes
    }
}

/// Spans: the whole run, a part, a second, a few samples.
#[divan::bench(args = [10_000.0, 900.0, 10.0, 0.05], sample_count = 50, sample_size = 4)]
fn eight_plots_that_move(bencher: Bencher<'_, '_>, span_s: f64) {
    LazyLock::force(&CHARTS);
    let mut window = Window::new();
    window.frame(span_s);
    window.frame(span_s);
    bencher.bench_local(|| window.frame(span_s));
}
