//! Tests of the tiles: with a real outcome, its pyramids and traces, driven and drawn without a window.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ballast_scenario::load_str;
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Observer};
use egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::*;
use crate::action::{Action, Actions};
use crate::plot::TimeView;
use crate::result::{PhaseBar, PhaseChart, RackMap};
use crate::theme::Theme;
use crate::trace::{Trace, TraceSet};

struct Still;
impl Observer for Still {}

fn run(text: &str) -> Outcome {
    let loaded = load_str("scenario.toml", text, Path::new(""), &[]).unwrap();
    ballast_study::run(&loaded, &Inputs::default(), None, &Still).unwrap()
}

/// The off-grid example, shorter, with a battery that hardly helps, and the loss of a set.
fn outcome() -> Arc<Outcome> {
    static DONE: OnceLock<Arc<Outcome>> = OnceLock::new();
    let made = DONE.get_or_init(|| {
        let text = include_str!("../../../../../examples/training-offgrid.toml");
        let text = text.replace("duration_s = 60.0", "duration_s = 20.0");
        let text = text.replace("step_s = 0.001", "step_s = 0.002");
        Arc::new(run(&text))
    });
    Arc::clone(made)
}

/// The same with a battery at the bus, fine time around the worst moment, and the loss of a set.
fn buffered() -> RunResult {
    static DONE: OnceLock<Arc<Outcome>> = OnceLock::new();
    let made = DONE.get_or_init(|| {
        let text = include_str!("../../../../../examples/training-offgrid.toml");
        let text = text.replace("duration_s = 60.0", "duration_s = 20.0");
        let text = text.replace("step_s = 0.001", "step_s = 0.002");
        let more = "[[bess]]\nname = \"yard\"\nenergy_kwh = 20\npower_kw = 400\ntime_constant_s = 5\n\n[[contingencies]]\nkind = \"set_trip\"\nafter_s = 5.0\n";
        Arc::new(run(&format!("{text}\n{more}")))
    });
    let mut result = result_of(Arc::clone(made));
    let traces = |(t0_s, dt_s): (f64, f64), samples: usize, columns: &[(&str, &str, f32, f32)]| {
        let traces = columns.iter().map(|(name, unit, low, high)| {
            let wave = |i: usize| {
                let t = t0_s + i as f64 * dt_s;
                let up = t.rem_euclid(1.0) < 0.8;
                let ripple = 0.02 * ((i * 7919) % 13) as f32 / 13.0;
                low + (high - low) * (if up { 0.9 } else { 0.1 } + ripple)
            };
            let values = (0..samples).map(wave).collect();
            Arc::new(Trace::from_samples(name, unit, (t0_s, dt_s), values))
        });
        Arc::new(TraceSet {
            t0_s,
            dt_s,
            samples: samples as u64,
            traces: traces.collect(),
        })
    };
    let site = ("site_w", "W", 7e5, 1e6);
    let f = ("f_hz", "Hz", 59.5, 60.4);
    let charge = ("charge_share_yard", "", 0.3, 0.7);
    result.traces = traces((0.0, 0.002), 10_000, &[site, f, charge]);
    result.zoom = Some(traces((8.0, 1e-4), 10_000, &[site, f]));
    result.unbuffered = Some(traces(
        (0.0, 0.002),
        10_000,
        &[("site_w", "W", 4e5, 1.05e6)],
    ));
    result
}

fn result_of(outcome: Arc<Outcome>) -> RunResult {
    let racks = 32;
    let mean_w: Vec<Vec<f32>> = (0..200)
        .map(|t| {
            let wave = |i: usize| 20e3 + 15e3 * (((t * 3 + i * 7) % 40) as f32 / 40.0);
            (0..racks).map(wave).collect()
        })
        .collect();
    let map = RackMap {
        racks: (0..racks)
            .map(|i| (format!("hall-{i:02}"), (i / 16) as u32))
            .collect(),
        t0_s: 0.0,
        dt_s: 0.1,
        mean_w,
        range_w: (20e3, 35e3),
    };
    let phase = |name: &str, mean_w, low_high_w, spread_w| PhaseBar {
        name: name.to_owned(),
        mean_w,
        low_high_w,
        spread_w,
        duration_s: Some(0.4),
        source: "source 002, measured, high confidence".to_owned(),
    };
    let phases = PhaseChart {
        gpu: "H100 SXM".to_owned(),
        tdp_w: 700.0,
        phases: vec![
            phase("idle", 70.0, None, 3.0),
            phase("prefill", 610.0, None, 45.0),
            phase("training", 520.0, Some((180.0, 690.0)), 60.0),
        ],
    };
    RunResult {
        job: 1,
        name: "training-offgrid".to_owned(),
        text: Arc::from(""),
        outcome,
        traces: Arc::new(TraceSet::default()),
        zoom: None,
        unbuffered: None,
        racks: Some(Arc::new(map)),
        phases: Arc::new(vec![phases]),
        took: Duration::ZERO,
        ranges_checked: true,
    }
}

/// The tiles with what the app keeps around them.
struct Stage {
    tiles: Tiles,
    time: TimeView,
    stale: bool,
    result: Option<RunResult>,
    pinned: Vec<Arc<RunResult>>,
    done: Vec<Action>,
}

impl Stage {
    fn new(result: Option<RunResult>) -> Rc<RefCell<Self>> {
        let end_s = result
            .as_ref()
            .map_or(60.0, |r| r.outcome.provenance.duration_s);
        Rc::new(RefCell::new(Self {
            tiles: Tiles::default(),
            time: TimeView {
                from_s: 0.0,
                to_s: end_s,
                whole_s: (0.0, end_s),
                cursor_s: None,
            },
            stale: false,
            result,
            pinned: Vec::new(),
            done: Vec::new(),
        }))
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        let mut actions = Actions::default();
        let mut cx = ViewContext {
            theme: Theme::of(ui.ctx()),
            time: self.time,
            stale: self.stale,
            actions: &mut actions,
        };
        self.tiles
            .show(ui, &mut cx, self.result.as_ref(), &self.pinned);
        for action in actions.drain() {
            match &action {
                Action::Zoom { from_s, to_s } => {
                    (self.time.from_s, self.time.to_s) = (*from_s, *to_s);
                }
                Action::ZoomAll => (self.time.from_s, self.time.to_s) = self.time.whole_s,
                Action::Cursor(at) => self.time.cursor_s = *at,
                Action::ToggleTile(tile) => self.tiles.toggle(*tile),
                _ => {}
            }
            self.done.push(action);
        }
    }
}

fn harness(stage: &Rc<RefCell<Stage>>, size: [f32; 2], dark: bool) -> Harness<'static> {
    let stage = Rc::clone(stage);
    let theme = if dark {
        egui::Theme::Dark
    } else {
        egui::Theme::Light
    };
    Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(|ctx| {
            Theme::light().apply(ctx);
            Theme::dark().apply(ctx);
        })
        .build_ui(move |ui| stage.borrow_mut().ui(ui))
}

fn tab<'a>(harness: &'a Harness<'_>, tile: Tile) -> egui_kittest::Node<'a> {
    harness.get_by_role_and_label(egui::accesskit::Role::Button, tile.title())
}

#[test]
fn every_tile_shows_or_says_what_to_do_and_has_names() {
    for result in [None, Some(result_of(outcome()))] {
        let stage = Stage::new(result);
        let mut harness = harness(&stage, [700.0, 700.0], true);
        harness.run();
        for tile in Tile::ALL {
            tab(&harness, tile).click();
            harness.run();
            harness.check_accessibility();
        }
    }
}

#[test]
fn tiles_close_reopen_and_are_kept() {
    let stage = Stage::new(Some(result_of(outcome())));
    let mut harness = harness(&stage, [700.0, 700.0], false);
    harness.run();
    assert!(
        Tile::ALL
            .into_iter()
            .all(|t| stage.borrow().tiles.is_open(t))
    );
    stage.borrow_mut().tiles.toggle(Tile::RackMap);
    harness.run();
    assert!(!stage.borrow().tiles.is_open(Tile::RackMap));
    let kept = stage.borrow().tiles.layout();
    let mut other = Tiles::default();
    assert!(other.set_layout(&kept));
    assert!(!other.is_open(Tile::RackMap) && other.is_open(Tile::Site));
    assert!(!other.set_layout("{}") && !other.set_layout("no layout"));
    // Reopened from the bar of tabs.
    harness
        .get_all_by_label("Open a closed plot")
        .next()
        .unwrap()
        .click();
    harness.run();
    tab(&harness, Tile::RackMap).click();
    harness.run();
    assert!(stage.borrow().tiles.is_open(Tile::RackMap));
    for tile in Tile::ALL {
        stage.borrow_mut().tiles.toggle(tile);
    }
    harness.run();
    harness.get_by_label("Reset layout").click();
    harness.run();
    let asked = stage
        .borrow()
        .done
        .iter()
        .any(|a| matches!(a, Action::Command(_)));
    assert!(asked);
}

#[test]
fn keys_move_zoom_and_set_the_cursor() {
    let stage = Stage::new(Some(result_of(outcome())));
    let mut harness = harness(&stage, [700.0, 700.0], false);
    harness.run();
    let figure = |h: &Harness<'_>| {
        let all = h.get_all_by_role_and_label(egui::accesskit::Role::Figure, "Frequency");
        all.into_iter().next().map(|n| n.rect()).unwrap()
    };
    let rect = figure(&harness);
    harness.hover_at(rect.center());
    harness.run();
    let cursor = stage.borrow().time.cursor_s.unwrap();
    assert!((cursor - 10.0).abs() < 0.1, "{cursor}");
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos: rect.center(),
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
    }
    harness.run();
    harness.key_press(Key::Plus);
    harness.run();
    let time = stage.borrow().time;
    assert!((time.to_s - time.from_s - 14.0).abs() < 1e-6, "{time:?}");
    harness.key_press(Key::End);
    harness.run();
    assert_eq!(stage.borrow().time.to_s, 20.0);
    harness.key_press(Key::ArrowLeft);
    harness.run();
    assert!((stage.borrow().time.to_s - 18.6).abs() < 1e-6);
    harness.key_press(Key::Num0);
    harness.run();
    assert_eq!(
        (stage.borrow().time.from_s, stage.borrow().time.to_s),
        (0.0, 20.0)
    );
    // The pointer leaves: the cursor stays for the rack map.
    harness.remove_cursor();
    harness.run();
    assert!(stage.borrow().time.cursor_s.is_some());
}

fn names(chart: &crate::plot::TimeChart) -> Vec<&str> {
    chart.series.iter().map(|s| s.name.as_str()).collect()
}

#[test]
fn charts_hold_what_the_result_has() {
    let result = buffered();
    let mut twin = buffered();
    twin.name = "before".to_owned();
    let twin = Arc::new(twin);
    let pinned = [Arc::clone(&twin), twin];
    let site = power::site(&result, &pinned).unwrap();
    let all = [
        "without buffers",
        "with buffers",
        "pinned before",
        "pinned before (2)",
    ];
    assert_eq!(names(&site), all);
    assert!(site.series[1].fine.is_some() && site.fine_s.is_some());
    assert!(site.summary.contains("5 to 95 %"), "{}", site.summary);
    let frequency = plant::frequency(&result, &[]).unwrap();
    assert_eq!(names(&frequency)[0], "bus");
    let failures: Vec<bool> = frequency.series[1..].iter().map(|s| s.shown).collect();
    assert_eq!(failures, [false], "a failure is a curve to be asked for");
    assert_eq!(frequency.zones.len(), 2);
    assert!(
        frequency
            .marks
            .iter()
            .any(|m| m.text.starts_with("Worst: lowest frequency"))
    );
    let charge = charge::chart(&result, &[]).unwrap();
    assert_eq!(names(&charge), ["yard"]);
    let spectrum = spectrum::chart(&result, &[]).unwrap();
    assert!(
        spectrum
            .uprights
            .iter()
            .any(|u| u.label.contains("damping"))
    );
    // Without a plant there is a sentence.
    let mut bare = Outcome::clone(&result.outcome);
    bare.plant = None;
    bare.storage_curves = None;
    let bare = result_of(Arc::new(bare));
    let none = plant::frequency(&bare, &[]).unwrap_err();
    assert!(
        none.starts_with("This site has no generating sets"),
        "{none}"
    );
    assert!(charge::chart(&bare, &[]).is_err());
    // And one without traces falls back on the pyramids of its outcome.
    assert_eq!(names(&power::site(&bare, &[]).unwrap()), ["site"]);
}

#[test]
fn charts_are_built_once_and_let_go() {
    let stage = Stage::new(Some(result_of(outcome())));
    let mut harness = harness(&stage, [700.0, 700.0], false);
    harness.run();
    let held = Arc::strong_count(&stage.borrow().result.as_ref().unwrap().traces);
    harness.run();
    let again = Arc::strong_count(&stage.borrow().result.as_ref().unwrap().traces);
    assert_eq!(held, again);
    let old = Arc::downgrade(&stage.borrow().result.as_ref().unwrap().traces);
    stage.borrow_mut().result = Some(result_of(outcome()));
    harness.run();
    assert!(
        old.upgrade().is_none(),
        "the traces of the older result are gone"
    );
}

/// Draws pictures of the tiles into the folder of `BALLAST_PICTURES`, to be looked at.
#[test]
fn pictures() {
    let Some(folder) = std::env::var_os("BALLAST_PICTURES") else {
        return;
    };
    let folder = Path::new(&folder);
    for dark in [false, true] {
        let stage = Stage::new(Some(result_of(outcome())));
        let mut harness = harness(&stage, [700.0, 690.0], dark);
        let name = if dark { "dark" } else { "light" };
        let save = |harness: &mut Harness<'_>, what: &str| {
            harness.run();
            let image = harness.render().unwrap();
            image
                .save(folder.join(format!("{name}-{what}.png")))
                .unwrap();
        };
        stage.borrow_mut().time.cursor_s = Some(7.3);
        save(&mut harness, "first");
        let mut pin = result_of(outcome());
        pin.name = "before".to_owned();
        stage.borrow_mut().pinned = vec![Arc::new(pin)];
        for tile in [Tile::RackEnvelope, Tile::Voltage, Tile::Ramps] {
            tab(&harness, tile).click();
            harness.run();
        }
        (stage.borrow_mut().time.from_s, stage.borrow_mut().time.to_s) = (7.0, 9.5);
        save(&mut harness, "second");
        for tile in [Tile::Phases, Tile::Charge, Tile::LoadDuration] {
            tab(&harness, tile).click();
            harness.run();
        }
        stage.borrow_mut().stale = true;
        save(&mut harness, "third");
    }
    for (name, time, scale) in [
        ("buffered", (0.0, 20.0), 1.0),
        ("near", (7.5, 9.5), 1.0),
        ("nearer", (8.795, 8.805), 1.0),
        ("double", (0.0, 20.0), 2.0),
    ] {
        let stage = Stage::new(Some(buffered()));
        let size = if scale == 2.0 {
            [350.0, 345.0]
        } else {
            [700.0, 690.0]
        };
        let mut harness = harness(&stage, size, scale == 2.0);
        harness.set_pixels_per_point(scale);
        (stage.borrow_mut().time.from_s, stage.borrow_mut().time.to_s) = time;
        stage.borrow_mut().time.cursor_s = Some(8.8);
        harness.run();
        tab(&harness, Tile::Charge).click();
        harness.run();
        let image = harness.render().unwrap();
        image.save(folder.join(format!("{name}.png"))).unwrap();
    }
}
