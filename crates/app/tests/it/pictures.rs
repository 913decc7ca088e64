//! Pictures of a few views, drawn by a software Vulkan and compared with those in `tests/snapshots`.
//!
//! Where there is no such driver they are skipped with a word, unless `BALLAST_SNAPSHOTS=required`. `UPDATE_SNAPSHOTS=1` takes the new ones over.

use std::io::Write as _;
use std::sync::LazyLock;

use ballast_app::app::Page;
use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::views::tiles::Tile;
use ballast_app::{Action, Command};
use egui::{Rect, Theme, pos2};
use egui_kittest::kittest::Queryable as _;

use crate::help::Driven;

/// Pixels of a picture: small, and narrow enough that each page has the window to itself.
const SIZE: (f32, f32) = (640.0, 440.0);
const SHORT: (&str, &str) = ("duration_s = 60.0", "duration_s = 6.0");

/// Whether a software Vulkan is here. Another driver draws the same, but not to the pixel.
#[expect(
    clippy::default_trait_access,
    reason = "the type's crate is not one of this package's"
)]
static SOFTWARE: LazyLock<bool> = LazyLock::new(|| {
    let found = std::panic::catch_unwind(|| {
        use egui_kittest::wgpu::{create_render_state, default_wgpu_setup};
        let state = create_render_state(default_wgpu_setup(), Default::default());
        let info = state.adapter.get_info();
        format!("{:?} {:?}", info.backend, info.device_type)
    });
    found.is_ok_and(|driver| driver == "Vulkan Cpu")
});

/// Whether pictures can be drawn here; fails where they must be.
fn can_draw() -> bool {
    let needs = "pictures need a software Vulkan (Debian packages libvulkan1 mesa-vulkan-drivers)";
    let required = std::env::var_os("BALLAST_SNAPSHOTS").is_some_and(|v| v == "required");
    assert!(*SOFTWARE || !required, "{needs}");
    if !*SOFTWARE {
        // Past what the test runner keeps to itself.
        drop(writeln!(std::io::stderr(), "skipped: {needs}"));
    }
    *SOFTWARE
}

/// Compares the window with the picture of this name. How long the run took is painted over.
fn compare(driven: &mut Driven, name: &str) {
    driven.harness.remove_cursor();
    driven.harness.run_steps(4);
    let took = driven.harness.query_by_label_contains("Up to date in");
    if let Some(rect) = took.map(|node| node.rect()) {
        let end = driven.harness.ctx.content_rect().right();
        let rest = Rect::from_min_max(rect.min, pos2(end, rect.max.y));
        driven.harness.mask(rest);
    }
    driven.harness.snapshot(name);
}

#[test]
fn the_first_page_looks_as_before() {
    if !can_draw() {
        return;
    }
    let mut driven = Driven::new(&MemoryPlatform::new());
    for (theme, name) in [
        (Theme::Light, "welcome-light"),
        (Theme::Dark, "welcome-dark"),
    ] {
        driven.look(theme, SIZE, 1.0);
        compare(&mut driven, name);
    }
}

#[test]
fn the_pages_of_a_small_run_look_as_before() {
    if !can_draw() {
        return;
    }
    let mut driven = Driven::opened(&MemoryPlatform::new(), "training-offgrid", &[SHORT]);
    driven.look(Theme::Light, SIZE, 1.0);
    for (page, tab, name) in [
        (Page::Form, "Scenario", "form"),
        (Page::Plots, "Plots", "plots"),
        (Page::Verdicts, "Verdicts", "verdicts"),
    ] {
        driven.tab(page, tab);
        compare(&mut driven, name);
    }
    driven.look(Theme::Dark, SIZE, 1.0);
    for tile in Tile::ALL.into_iter().filter(|t| *t != Tile::RackMap) {
        driven.act(Action::ToggleTile(tile));
    }
    compare(&mut driven, "rack-map");
    driven.act(Action::Pin);
    driven.type_in("plant.sets.diesel.count", "Count", "3");
    driven.settle();
    driven.command(Command::ShowCompare);
    compare(&mut driven, "compare");
}
