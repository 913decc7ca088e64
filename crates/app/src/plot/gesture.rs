//! What the user does to a plot: wheel, drag, keys.

use egui::{EventFilter, Key, PointerButton, Response, Ui};

use crate::theme::Theme;

/// The keys, in words.
pub(crate) const KEYS: &str = "Arrow keys move, plus and minus zoom, 0 shows all, Home and End go to the ends, Shift with arrow keys moves the cursor.";

/// A change of the range along the bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    /// By a share of the range.
    Move(f64),
    /// Range times `factor`, the point at this share of it stays.
    Zoom {
        /// Below 1: closer.
        factor: f64,
        /// Share of the range.
        around: f64,
    },
    /// To this part of it, in shares.
    To(f64, f64),
    /// To the start of all.
    Start,
    /// To the end of all.
    End,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Gesture {
    /// Another range.
    Change(Change),
    /// All of it.
    Whole,
    /// The cursor moves by a share of the range.
    Cursor(f64),
}

/// Share of the range that a key moves by.
const KEY_MOVE: f64 = 0.1;
/// Factor that a key zooms by.
const KEY_ZOOM: f64 = 0.7;
/// Share of the range that a key moves the cursor by.
const KEY_CURSOR: f64 = 0.005;
/// Zoom of a point of the wheel.
const WHEEL: f64 = 0.004;
/// Smallest range, share of the whole; and no smaller than floats can tell.
const SMALLEST: f64 = 1e-9;

impl Change {
    /// The range after the change, kept within `whole`.
    pub(crate) fn apply(self, (from, to): (f64, f64), whole: (f64, f64)) -> (f64, f64) {
        let span = to - from;
        let all = whole.1 - whole.0;
        let (from, to) = match self {
            Self::Move(share) => (from + share * span, to + share * span),
            Self::Zoom { factor, around } => {
                let fixed = from + around * span;
                (
                    fixed - around * span * factor,
                    fixed + (1.0 - around) * span * factor,
                )
            }
            Self::To(a, b) => (from + a.min(b) * span, from + a.max(b) * span),
            Self::Start => (whole.0, whole.0 + span),
            Self::End => (whole.1 - span, whole.1),
        };
        let largest = whole.0.abs().max(whole.1.abs());
        let least = (all * SMALLEST).max(largest * 1e-12).max(1e-9);
        let span = (to - from).clamp(least, all.max(least));
        let middle = f64::midpoint(from, to);
        let from = (middle - span / 2.0).min(whole.1 - span).max(whole.0);
        (from, from + span)
    }
}

/// What the user did to the plot of `response` in this frame. Draws the stretch being chosen and the ring of the focus.
pub(crate) fn of(ui: &Ui, response: &Response, theme: &Theme) -> Option<Gesture> {
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    if response.has_focus() {
        ring(ui, response, theme);
    }
    if response.double_clicked() {
        return Some(Gesture::Whole);
    }
    keys(ui, response)
        .or_else(|| drag(ui, response, theme))
        .or_else(|| wheel(ui, response))
}

fn ring(ui: &Ui, response: &Response, theme: &Theme) {
    let radius = theme.sizes().radius.small;
    let stroke = theme.thin(theme.accent);
    let kind = egui::StrokeKind::Inside;
    ui.painter()
        .rect_stroke(response.rect, radius, stroke, kind);
}

fn keys(ui: &Ui, response: &Response) -> Option<Gesture> {
    if !response.has_focus() {
        return None;
    }
    let filter = EventFilter {
        horizontal_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
    ui.input(|input| {
        if input.modifiers.command || input.modifiers.alt {
            return None;
        }
        let pressed = |key| input.key_pressed(key);
        let shift = input.modifiers.shift;
        let zoom = |factor| {
            Gesture::Change(Change::Zoom {
                factor,
                around: 0.5,
            })
        };
        let across = |sign: f64| {
            if shift {
                Gesture::Cursor(sign * KEY_CURSOR)
            } else {
                Gesture::Change(Change::Move(sign * KEY_MOVE))
            }
        };
        [
            (pressed(Key::ArrowLeft), across(-1.0)),
            (pressed(Key::ArrowRight), across(1.0)),
            (pressed(Key::Plus) || pressed(Key::Equals), zoom(KEY_ZOOM)),
            (pressed(Key::Minus), zoom(1.0 / KEY_ZOOM)),
            (pressed(Key::Num0), Gesture::Whole),
            (pressed(Key::Home), Gesture::Change(Change::Start)),
            (pressed(Key::End), Gesture::Change(Change::End)),
        ]
        .into_iter()
        .find_map(|(is, gesture)| is.then_some(gesture))
    })
}

/// Drag moves; with Shift or the secondary button it chooses a stretch.
fn drag(ui: &Ui, response: &Response, theme: &Theme) -> Option<Gesture> {
    let width = f64::from(response.rect.width().max(1.0));
    let shift = ui.input(|i| i.modifiers.shift);
    let choosing = response.dragged_by(PointerButton::Secondary)
        || shift && response.dragged_by(PointerButton::Primary);
    let chosen = response.id.with("chosen from");
    if choosing {
        let now = response.interact_pointer_pos()?;
        let press = ui.input(|i| i.pointer.press_origin()).unwrap_or(now);
        ui.data_mut(|d| d.insert_temp(chosen, (press.x, now.x)));
        let xs = press.x.min(now.x)..=press.x.max(now.x);
        let area = egui::Rect::from_x_y_ranges(xs, response.rect.y_range());
        let area = area.intersect(response.rect);
        ui.painter().rect_filled(area, 0, theme.band(theme.accent));
        return None;
    }
    if response.drag_stopped() {
        let (a, b) = ui.data_mut(|d| d.remove_temp::<(f32, f32)>(chosen))?;
        let share = |x: f32| (f64::from(x - response.rect.left()) / width).clamp(0.0, 1.0);
        let few = (a - b).abs() < theme.space().small;
        return (!few).then(|| Gesture::Change(Change::To(share(a), share(b))));
    }
    let by = f64::from(response.drag_delta().x);
    let moved = response.dragged_by(PointerButton::Primary) && by != 0.0;
    moved.then(|| Gesture::Change(Change::Move(-by / width)))
}

/// The wheel zooms around the pointer; sideways, or with Shift, it moves. In a list of plots it scrolls the list, and zooms with Ctrl.
fn wheel(ui: &Ui, response: &Response) -> Option<Gesture> {
    let pointer = response.hover_pos()?;
    let listed = ui.stack().contained_in(egui::UiKind::ScrollArea);
    let (scroll, pinch) = ui.input_mut(|i| {
        let mut scroll = std::mem::take(&mut i.smooth_scroll_delta);
        if listed {
            i.smooth_scroll_delta.y = std::mem::take(&mut scroll.y);
        }
        (scroll, i.zoom_delta())
    });
    let rect = response.rect;
    let around = f64::from((pointer.x - rect.left()) / rect.width().max(1.0));
    let zoom = |factor: f64| Some(Gesture::Change(Change::Zoom { factor, around }));
    if pinch != 1.0 {
        return zoom(1.0 / f64::from(pinch));
    }
    if scroll.x.abs() > scroll.y.abs() {
        let share = -f64::from(scroll.x) / f64::from(rect.width().max(1.0));
        return Some(Gesture::Change(Change::Move(share)));
    }
    if scroll.y != 0.0 {
        return zoom((-f64::from(scroll.y) * WHEEL).exp());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_stays_within_the_run() {
        let whole = (0.0, 100.0);
        let zoom = |factor, around| Change::Zoom { factor, around };
        assert_eq!(zoom(0.5, 0.0).apply((10.0, 20.0), whole), (10.0, 15.0));
        assert_eq!(zoom(100.0, 0.5).apply((10.0, 20.0), whole), whole);
        assert_eq!(Change::Move(-3.0).apply((10.0, 20.0), whole), (0.0, 10.0));
        assert_eq!(Change::Move(30.0).apply((10.0, 20.0), whole), (90.0, 100.0));
        assert_eq!(
            Change::To(0.75, 0.25).apply((0.0, 100.0), whole),
            (25.0, 75.0)
        );
        assert_eq!(Change::End.apply((10.0, 20.0), whole), (90.0, 100.0));
        let (from, to) = zoom(1e-30, 0.5).apply((50.0, 50.1), whole);
        assert!(to > from, "{from} {to}");
    }
}
