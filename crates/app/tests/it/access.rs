//! Every page of two examples, light and dark, at 1280 × 800 pixels and at twice the scale: each widget has a name, no text is cut
//! off at the side, and the keyboard alone reaches everything.

use ballast_app::app::Page;
use ballast_app::command::Menu;
use ballast_app::platform::memory::MemoryPlatform;
use ballast_app::views::tiles::Tile;
use ballast_app::{Action, Command};
use egui::accesskit::Role;
use egui::{Key, Rect, Shape, Theme};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::help::Driven;

const SHORT: (&str, &str) = ("duration_s = 60.0", "duration_s = 12.0");
const WINDOW: (f32, f32) = (1280.0, 800.0);

/// Pages, the words of their tabs, and whether they scroll sideways: their text may be beyond the edge.
const PAGES: [(Page, &str, bool); 7] = [
    (Page::Form, "Scenario", false),
    (Page::Plots, "Plots", false),
    (Page::Verdicts, "Verdicts", false),
    (Page::Text, "Text", true),
    (Page::Compare, "Compare", true),
    (Page::Live, "Live power", false),
    (Page::Welcome, "Welcome", false),
];

/// Text that is seen only in part, or not at all, because of the edge at its side.
fn cut_off(driven: &Driven) -> Vec<String> {
    fn look(shape: &Shape, clip: Rect, cut: &mut Vec<String>) {
        match shape {
            Shape::Vec(all) => all.iter().for_each(|s| look(s, clip, cut)),
            Shape::Text(text) => {
                let rect = shape.visual_bounding_rect();
                let seen = rect.is_positive() && rect.y_range().intersects(clip.y_range());
                let beyond = rect.left() < clip.left() - 1.0 || rect.right() > clip.right() + 1.0;
                if seen && (beyond || text.galley.elided) {
                    cut.push(format!("{:?} at {rect} in {clip}", text.galley.text()));
                }
            }
            _ => {}
        }
    }
    let mut cut = Vec::new();
    for shape in &driven.harness.output().shapes {
        look(&shape.shape, shape.clip_rect, &mut cut);
    }
    cut
}

/// What a user can act on but lies beyond the window's sides.
fn outside(driven: &Driven) -> Vec<String> {
    let window = driven.harness.ctx.content_rect();
    let nodes = driven.harness.root().children_recursive();
    let inputs = nodes.filter(|n| egui::accessibility::is_input(n.accesskit_node().role()));
    let lost = inputs.filter(|n| {
        let rect = n.rect();
        rect.left() < window.left() - 1.0 || rect.right() > window.right() + 1.0
    });
    lost.map(|n| format!("{:?} at {}", n.accesskit_node().label(), n.rect()))
        .collect()
}

/// Parts of plots that are painted over the status line.
fn spilt(driven: &Driven) -> usize {
    fn count(shape: &Shape, clip: Rect, line: Rect) -> usize {
        match shape {
            Shape::Vec(all) => all.iter().map(|s| count(s, clip, line)).sum(),
            // The line itself is of text and rectangles.
            Shape::Rect(_) | Shape::Text(_) | Shape::Noop => 0,
            _ => {
                let seen = shape.visual_bounding_rect().intersect(clip);
                usize::from(seen.intersect(line).is_positive())
            }
        }
    }
    let tab = driven
        .harness
        .get_by(|n| n.role() == Role::Button && n.label().is_some_and(|l| l.starts_with("Jobs (")));
    let line = tab.rect();
    let shapes = driven.harness.output().shapes.iter();
    shapes.map(|s| count(&s.shape, s.clip_rect, line)).sum()
}

/// Fails where a widget has no name or, unless the page scrolls sideways, a text is cut off.
fn whole(driven: &mut Driven, sideways: bool, what: &str) {
    driven.harness.run_steps(2);
    driven.harness.check_accessibility();
    if !sideways {
        let (cut, outside) = (cut_off(driven), outside(driven));
        assert!(
            cut.is_empty() && outside.is_empty(),
            "{what}: {cut:#?} {outside:#?}"
        );
    }
}

fn every_page(example: &str, changes: &[(&str, &str)], looks: [(Theme, f32); 2]) {
    let machine = MemoryPlatform::new();
    machine.put("/measured/in/the/hall/power.csv", "time, power\n0, 1\n");
    let mut driven = Driven::opened(&machine, example, changes);
    driven.act(Action::Pin);
    driven.append("\n# another text\n");
    driven.settle();
    // A long message stands in the status line on every page.
    driven.act(Action::Open("/measured/in/the/hall/power.csv".into()));
    driven.click("Discard");
    driven.command(Command::ToggleBottom);
    assert!(driven.app().notices().last().is_some_and(|n| n.error));
    for (theme, scale) in looks {
        driven.look(theme, WINDOW, scale);
        let what = format!("{example}, {theme:?}, {scale}");
        let narrow = scale > 1.0;
        for (page, tab, sideways) in PAGES {
            if !narrow && matches!(page, Page::Form | Page::Verdicts) {
                continue;
            }
            driven.tab(page, tab);
            whole(&mut driven, sideways, &format!("{what}, {tab}"));
            assert_eq!(spilt(&driven), 0, "{what}, {tab}");
        }
        driven.command(Command::ToggleBottom);
        for tab in ["Problems (", "Jobs (", "Notices ("] {
            driven
                .harness
                .get_by(|n| {
                    n.role() == Role::Button && n.label().is_some_and(|l| l.starts_with(tab))
                })
                .click();
            whole(&mut driven, false, &format!("{what}, {tab}"));
        }
        driven.command(Command::ToggleBottom);
        for command in [
            Command::Shortcuts,
            Command::About,
            Command::Palette,
            Command::Quit,
        ] {
            driven.command(command);
            whole(&mut driven, false, &format!("{what}, {command:?}"));
            let window = driven.harness.ctx.content_rect();
            for button in ["Close", "Cancel", "Discard", "Save"] {
                for node in driven.harness.query_all_by_label(button) {
                    let rect = node.rect();
                    assert!(window.contains_rect(rect), "{what}, {command:?}: {button}");
                }
            }
            driven.harness.key_press(Key::Escape);
            driven.harness.run_steps(2);
        }
    }
}

#[test]
fn every_page_of_the_resonance_is_named_and_whole() {
    let looks = [(Theme::Light, 1.0), (Theme::Dark, 2.0)];
    every_page("training-resonance", &[SHORT], looks);
}

#[test]
fn every_page_of_the_lost_set_is_named_and_whole() {
    let looks = [(Theme::Dark, 1.0), (Theme::Light, 2.0)];
    every_page("n-minus-1", &[], looks);
}

/// The focused widget: its role and name.
fn focused(driven: &Driven) -> Option<(Role, String)> {
    let mut nodes = driven.harness.root().children_recursive();
    let node = nodes.find(egui_kittest::Node::is_focused)?.accesskit_node();
    Some((node.role(), node.label().unwrap_or_default()))
}

#[test]
fn the_keyboard_reaches_everything() {
    let mut driven = Driven::opened(&MemoryPlatform::new(), "training-resonance", &[SHORT]);
    let mut seen: Vec<(Role, String)> = Vec::new();
    loop {
        driven.harness.key_press(Key::Tab);
        driven.harness.run_steps(1);
        let now = focused(&driven).unwrap_or_else(|| panic!("lost after {:?}", seen.last()));
        if seen.first() == Some(&now) {
            break;
        }
        seen.push(now);
        assert!(seen.len() < 1000, "round and round: {seen:?}");
    }
    for (role, name) in [
        (Role::Button, "File"),
        (Role::Button, "Notices (0)"),
        (Role::TextInput, "Search fields"),
        (Role::TextInput, "Rated power"),
        (Role::DisclosureTriangle, "Variants"),
        (Role::Button, "FAIL: Swing of frequency"),
        (Role::DisclosureTriangle, "Inputs of low confidence"),
        (Role::Button, "Compare"),
        (Role::Figure, "Site power"),
        (Role::Figure, "Frequency"),
        (Role::Figure, "Spectrum"),
        (Role::Figure, "Rack map"),
    ] {
        let found = seen.iter().any(|(r, n)| *r == role && n.starts_with(name));
        assert!(found, "{role:?} {name} in {seen:?}");
    }
    // And back again: from the first to the last.
    driven
        .harness
        .key_press_modifiers(egui::Modifiers::SHIFT, Key::Tab);
    driven.harness.run_steps(2);
    assert_eq!(focused(&driven).as_ref(), seen.last());
}

#[test]
fn a_card_is_pressed_and_a_plot_is_moved_by_keys() {
    let mut driven = Driven::opened(&MemoryPlatform::new(), "training-resonance", &[SHORT]);
    let whole_s = driven.app().time().whole_s;
    driven
        .harness
        .get_by_role_and_label(Role::Figure, "Site power")
        .focus();
    driven.harness.run_steps(2);
    driven.harness.key_press(Key::Plus);
    driven.harness.run_steps(3);
    let time = driven.app().time();
    assert!(time.to_s - time.from_s < whole_s.1 - whole_s.0);
    driven
        .harness
        .get_by(|n| n.label().is_some_and(|l| l.starts_with("FAIL: Swing")))
        .focus();
    driven.harness.run_steps(2);
    driven.harness.key_press(Key::Enter);
    driven.harness.run_steps(3);
    let time = driven.app().time();
    let cursor_s = time.cursor_s.expect("the worst moment");
    assert!((time.from_s..=time.to_s).contains(&cursor_s));
    driven.says("Show the moment");
}

#[test]
fn menus_are_whole_at_twice_the_scale() {
    let mut driven = Driven::opened(&MemoryPlatform::new(), "smallest", &[]);
    driven.look(Theme::Light, WINDOW, 2.0);
    driven.command(Command::Welcome);
    for menu in Menu::ALL {
        driven
            .harness
            .get_all_by_role_and_label(Role::Button, menu.text())
            .next()
            .expect("a menu")
            .click();
        whole(&mut driven, false, menu.text());
        let mut entries: Vec<&str> = menu.commands().map(Command::text).collect();
        if menu == Menu::View {
            entries.extend(Tile::ALL.into_iter().map(Tile::title));
        }
        for entry in entries {
            // Drawn last: the page below may have buttons of the same words.
            let last = |driven: &Driven, scroll: bool| {
                let mut nodes = driven.harness.query_all_by_label_contains(entry);
                let last = nodes
                    .rfind(|n| egui::accessibility::is_input(n.accesskit_node().role()))
                    .expect("an entry");
                if scroll {
                    last.scroll_to_me();
                }
                last.rect()
            };
            last(&driven, true);
            driven.harness.run_steps(3);
            let (rect, window) = (last(&driven, false), driven.harness.ctx.content_rect());
            assert!(window.contains_rect(rect), "{entry} at {rect} in {window}");
        }
        driven.harness.key_press(Key::Escape);
        driven.harness.run_steps(2);
    }
}
