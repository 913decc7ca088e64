//! A map of the racks, coloured by their power at the cursor's time.

use std::sync::Arc;

use egui::{
    Align2, EventFilter, Key, Mesh, Pos2, Rect, Role, Sense, Shape, TextStyle, Ui, Vec2, WidgetInfo,
};

use crate::plot::ViewContext;
use crate::plot::quantity::{self, Quantity};
use crate::result::RackMap;
use crate::theme::Theme;

/// Parts of the colour scale that are drawn.
const SCALE_STEPS: u32 = 48;

/// The map of a result, laid out in rows.
pub(crate) struct Model {
    map: Arc<RackMap>,
    /// Racks of each row, as numbers in the map.
    rows: Vec<Vec<usize>>,
    /// Most racks in a row.
    longest: usize,
    /// Bucket in which all racks together draw most.
    peak: usize,
}

impl Model {
    pub(crate) fn new(map: Arc<RackMap>) -> Self {
        let mut rows: Vec<(u32, Vec<usize>)> = Vec::new();
        for (i, (_, row)) in map.racks.iter().enumerate() {
            match rows.last_mut() {
                Some((number, racks)) if number == row => racks.push(i),
                _ => rows.push((*row, vec![i])),
            }
        }
        let rows: Vec<Vec<usize>> = rows.into_iter().map(|(_, racks)| racks).collect();
        let longest = rows.iter().map(Vec::len).max().unwrap_or(1);
        let sum = |bucket: &Vec<f32>| bucket.iter().map(|w| f64::from(*w)).sum::<f64>();
        let sums: Vec<f64> = map.mean_w.iter().map(sum).collect();
        let peak = (0..sums.len()).max_by(|a, b| sums[*a].total_cmp(&sums[*b]));
        Self {
            map,
            rows,
            longest,
            peak: peak.unwrap_or(0),
        }
    }

    /// Bucket of a moment, and its power by rack.
    fn at(&self, t_s: Option<f64>) -> (f64, &[f32]) {
        let map = &self.map;
        let last = map.mean_w.len().saturating_sub(1);
        let number = match t_s {
            Some(t) => (((t - map.t0_s) / map.dt_s).max(0.0) as usize).min(last),
            None => self.peak,
        };
        let power = map.mean_w.get(number).map_or(&[][..], Vec::as_slice);
        (map.t0_s + number as f64 * map.dt_s, power)
    }

    fn share(&self, w: f32) -> f32 {
        let (low, high) = self.map.range_w;
        if high > low {
            (w - low) / (high - low)
        } else {
            0.5
        }
    }

    /// In words: moment, range, the rack with most and with least.
    fn summary(&self, at_s: f64, power: &[f32]) -> String {
        let name = |i: usize| self.map.racks.get(i).map_or("", |(name, _)| name.as_str());
        let most = (0..power.len()).max_by(|a, b| power[*a].total_cmp(&power[*b]));
        let least = (0..power.len()).min_by(|a, b| power[*a].total_cmp(&power[*b]));
        let Some((most, least)) = most.zip(least) else {
            return "No power was kept.".to_owned();
        };
        format!(
            "{} racks in {} rows at {}. Highest {} in {}, lowest {} in {}.",
            power.len(),
            self.rows.len(),
            quantity::moment(at_s, self.map.dt_s.min(1.0)),
            kw(power[most]),
            name(most),
            kw(power[least]),
            name(least)
        )
    }
}

fn kw(w: f32) -> String {
    Quantity::Power.text(f64::from(w), 0.0)
}

/// What the map remembers: the chosen rack, as row and place in it.
#[derive(Debug, Default)]
pub(crate) struct State {
    chosen: Option<(usize, usize)>,
}

impl State {
    pub(crate) fn show(&mut self, ui: &mut Ui, cx: &ViewContext<'_>, model: &Model) {
        if cx.stale {
            ui.multiply_opacity(cx.theme.stale_alpha);
        }
        let theme = cx.theme;
        let (at_s, power) = model.at(cx.time.cursor_s);
        let when = quantity::moment(at_s, model.map.dt_s.min(1.0));
        let title = match cx.time.cursor_s {
            Some(_) => format!("at {when}"),
            None => format!("at {when} (peak)"),
        };
        ui.horizontal_wrapped(|ui| {
            scale(ui, theme, model);
            ui.label(egui::RichText::new(title).small().color(theme.muted));
        });
        let least = theme.space().small * 2.0;
        let room = ui.available_size().max(Vec2::splat(least));
        let across = room.x / model.longest as f32;
        let down = room.y / model.rows.len().max(1) as f32;
        // Never so small that a rack cannot be told: the map scrolls then.
        let side = Vec2::new(
            across.clamp(least, 3.0 * theme.panels().cell),
            down.clamp(least, 2.0 * theme.panels().cell),
        );
        egui::ScrollArea::both().auto_shrink(false).show(ui, |ui| {
            let size = Vec2::new(
                side.x * model.longest as f32,
                side.y * model.rows.len() as f32,
            );
            let (rect, response) = ui.allocate_exact_size(size, Sense::click());
            self.move_by_keys(ui, &response, model);
            let hovered = response
                .hover_pos()
                .and_then(|p| cell(model, rect, side, p));
            if response.clicked() {
                response.request_focus();
                self.chosen = hovered;
            }
            if response.gained_focus() && self.chosen.is_none() {
                self.chosen = Some((0, 0));
            }
            draw(ui, theme, model, power, (rect, side));
            let focus = self.chosen.filter(|_| response.has_focus());
            if let Some((row, place)) = hovered.or(focus) {
                let ring = cell_rect(rect, side, row, place);
                ui.painter().rect_stroke(
                    ring,
                    0,
                    theme.thick(theme.accent),
                    egui::StrokeKind::Inside,
                );
            }
            let words = |(row, place): (usize, usize)| {
                let rack = *model.rows.get(row)?.get(place)?;
                let (name, _) = model.map.racks.get(rack)?;
                let w = *power.get(rack)?;
                Some(format!("{name}, row {}: {}", row + 1, kw(w)))
            };
            let chosen = focus.and_then(words);
            let label = chosen.map_or_else(|| "Rack map".to_owned(), |c| format!("Rack map, {c}"));
            response.widget_info(|| WidgetInfo::labeled(Role::Figure, ui.is_enabled(), &label));
            ui.ctx().accesskit_node_builder(response.id, |node| {
                let summary = model.summary(at_s, power);
                node.set_description(format!("{summary} Arrow keys choose a rack."));
            });
            if let Some(text) = hovered.and_then(words) {
                response.on_hover_ui_at_pointer(|ui| {
                    ui.label(text);
                });
            } else if let Some(text) = focus.and_then(words) {
                response.show_tooltip_text(text);
            }
        });
    }

    fn move_by_keys(&mut self, ui: &Ui, response: &egui::Response, model: &Model) {
        if !response.has_focus() {
            return;
        }
        let filter = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
        let (row, place) = self.chosen.unwrap_or((0, 0));
        let pressed = |key| ui.input(|i| i.key_pressed(key));
        let (mut row, mut place) = (row, place);
        if pressed(Key::ArrowUp) {
            row = row.saturating_sub(1);
        }
        if pressed(Key::ArrowDown) {
            row += 1;
        }
        if pressed(Key::ArrowLeft) {
            place = place.saturating_sub(1);
        }
        if pressed(Key::ArrowRight) {
            place += 1;
        }
        row = row.min(model.rows.len().saturating_sub(1));
        let len = model.rows.get(row).map_or(1, Vec::len);
        self.chosen = Some((row, place.min(len.saturating_sub(1))));
    }
}

fn cell_rect(rect: Rect, side: Vec2, row: usize, place: usize) -> Rect {
    let corner = Vec2::new(place as f32 * side.x, row as f32 * side.y);
    Rect::from_min_size(rect.min + corner, side).shrink((side.min_elem() * 0.06).min(1.0))
}

fn cell(model: &Model, rect: Rect, side: Vec2, at: Pos2) -> Option<(usize, usize)> {
    let off = at - rect.min;
    if off.x < 0.0 || off.y < 0.0 {
        return None;
    }
    let (row, place) = ((off.y / side.y) as usize, (off.x / side.x) as usize);
    (place < model.rows.get(row)?.len()).then_some((row, place))
}

fn draw(ui: &Ui, theme: &Theme, model: &Model, power: &[f32], (rect, side): (Rect, Vec2)) {
    let mut mesh = Mesh::default();
    for (row, racks) in model.rows.iter().enumerate() {
        for (place, rack) in racks.iter().enumerate() {
            let w = power.get(*rack).copied().unwrap_or(f32::NAN);
            let colour = theme.heat(model.share(w));
            mesh.add_colored_rect(cell_rect(rect, side, row, place), colour);
        }
    }
    ui.painter().add(Shape::Mesh(Arc::new(mesh)));
    // Values where they fit.
    let small = theme.text_sizes().small;
    if side.x < small * 3.0 || side.y < small * 1.4 {
        return;
    }
    let font = TextStyle::Small.resolve(ui.style());
    let scale = Quantity::Power.scale(f64::from(model.map.range_w.1));
    for (row, racks) in model.rows.iter().enumerate() {
        for (place, rack) in racks.iter().enumerate() {
            let Some(w) = power.get(*rack).copied().filter(|w| !w.is_nan()) else {
                continue;
            };
            let text = quantity::decimal(f64::from(w) / scale.factor, 1);
            let colour = theme.on_heat(model.share(w));
            let middle = cell_rect(rect, side, row, place).center();
            ui.painter()
                .text(middle, Align2::CENTER_CENTER, text, font.clone(), colour);
        }
    }
}

/// The colour scale with its ends.
fn scale(ui: &mut Ui, theme: &Theme, model: &Model) {
    let (low, high) = model.map.range_w;
    let small = |w| egui::RichText::new(kw(w)).small().color(theme.muted);
    ui.label(small(low));
    let size = Vec2::new(theme.space().huge * 3.0, theme.text_sizes().small);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let mut mesh = Mesh::default();
    let step = rect.width() / SCALE_STEPS as f32;
    for i in 0..SCALE_STEPS {
        let share = i as f32 / (SCALE_STEPS - 1) as f32;
        let corner = rect.min + Vec2::new(i as f32 * step, 0.0);
        let part = Rect::from_min_size(corner, Vec2::new(step, rect.height()));
        mesh.add_colored_rect(part, theme.heat(share));
    }
    ui.painter().add(Shape::Mesh(Arc::new(mesh)));
    ui.label(small(high));
}
