//! Phases of the GPU profiles: a bar per phase, with its spread.

use egui::{Pos2, Rect, Role, Sense, Stroke, TextStyle, Ui, Vec2, WidgetInfo};

use crate::plot::ViewContext;
use crate::plot::quantity::{Quantity, duration};
use crate::result::{PhaseBar, PhaseChart};

/// Draws the charts below each other.
pub(crate) fn show(ui: &mut Ui, cx: &ViewContext<'_>, charts: &[PhaseChart]) {
    if cx.stale {
        ui.multiply_opacity(cx.theme.stale_alpha);
    }
    let scroll = egui::ScrollArea::vertical().auto_shrink(false);
    scroll.show(ui, |ui| {
        legend(ui, cx, charts);
        for chart in charts {
            let tdp = Quantity::Power.text(chart.tdp_w, 0.0);
            ui.strong(&chart.gpu)
                .on_hover_text(format!("Thermal design power {tdp}"));
            let levels = chart.phases.iter().flat_map(|p| {
                let high = p.low_high_w.map_or(p.mean_w, |(_, high)| high);
                [high, p.mean_w + p.spread_w]
            });
            let most = levels.fold(chart.tdp_w, f64::max).max(1.0);
            let names = names_width(ui, chart);
            for phase in &chart.phases {
                bar(ui, cx, phase, (chart.tdp_w, most), names);
            }
            ui.add_space(cx.theme.space().medium);
        }
    });
}

/// What the marks of a bar mean.
fn legend(ui: &mut Ui, cx: &ViewContext<'_>, charts: &[PhaseChart]) {
    let theme = cx.theme;
    let phases = || charts.iter().flat_map(|c| &c.phases);
    let parts = [
        (theme.load.gamma_multiply(0.75), "mean", true),
        (
            theme.generation,
            "levels it alternates between",
            phases().any(|p| p.low_high_w.is_some()),
        ),
        (
            theme.text,
            "standard deviation",
            phases().any(|p| p.spread_w > 0.0),
        ),
        (theme.limit, "thermal design power", true),
    ];
    ui.horizontal_wrapped(|ui| {
        let small = theme.space().small;
        for (colour, text, _) in parts.into_iter().filter(|(_, _, is)| *is) {
            let size = Vec2::new(small * 2.0, theme.text_sizes().small);
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            ui.painter().rect_filled(rect.shrink(1.0), 0, colour);
            ui.label(egui::RichText::new(text).small().color(theme.muted));
            ui.add_space(small);
        }
    });
}

fn names_width(ui: &Ui, chart: &PhaseChart) -> f32 {
    let font = TextStyle::Small.resolve(ui.style());
    let widths = chart.phases.iter().map(|p| {
        let galley =
            ui.painter()
                .layout_no_wrap(p.name.clone(), font.clone(), egui::Color32::PLACEHOLDER);
        galley.size().x
    });
    widths.fold(0.0, f32::max)
}

/// In words: mean, levels, spread, duration, source.
fn words(phase: &PhaseBar) -> String {
    let power = |w| Quantity::Power.text(w, 0.0);
    let mut parts = vec![format!("{}, mean {}", phase.name, power(phase.mean_w))];
    if let Some((low, high)) = phase.low_high_w {
        parts.push(format!(
            "alternates between {} and {}",
            power(low),
            power(high)
        ));
    }
    parts.push(format!("standard deviation {}", power(phase.spread_w)));
    if let Some(s) = phase.duration_s {
        parts.push(format!("usually {}", duration(s)));
    }
    format!("{}\n{}", parts.join(", "), phase.source)
}

fn bar(ui: &mut Ui, cx: &ViewContext<'_>, phase: &PhaseBar, (tdp_w, most): (f64, f64), names: f32) {
    let theme = cx.theme;
    let space = theme.space();
    let font = TextStyle::Small.resolve(ui.style());
    let height = theme.text_sizes().small * 1.7;
    let size = Vec2::new(ui.available_width(), height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let text = words(phase);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    let painter = ui.painter();
    if response.has_focus() {
        let kind = egui::StrokeKind::Inside;
        painter.rect_stroke(rect, 0, theme.thin(theme.accent), kind);
    }
    let middle = rect.center().y;
    let value = Quantity::Power.text(phase.mean_w, 0.0);
    let value = painter.layout_no_wrap(value, font.clone(), theme.text);
    let name = painter.layout_no_wrap(phase.name.clone(), font, theme.muted);
    let name_at = Pos2::new(rect.left() + space.small, middle - name.size().y / 2.0);
    painter.galley(name_at, name, theme.muted);
    // Room for the longest value to the right of all bars.
    let room = theme.text_sizes().small * 6.0;
    let left = rect.left() + names + space.large;
    let right = (rect.right() - room).max(left + space.small);
    let x = |w: f64| left + (f64::from(right - left) * (w / most).clamp(0.0, 1.0)) as f32;
    let rows = middle - height * 0.3..=middle + height * 0.3;
    let area = Rect::from_x_y_ranges(left..=x(phase.mean_w), rows.clone());
    painter.rect_filled(area, 0, theme.load.gamma_multiply(0.75));
    let line = theme.line(theme.text);
    let upright = |x: f32, high: f32, stroke: Stroke| {
        painter.vline(x, middle - high..=middle + high, stroke);
    };
    if let Some((low, high)) = phase.low_high_w {
        let range = Rect::from_x_y_ranges(x(low)..=x(high), rows);
        painter.rect_filled(range, 0, theme.band(theme.generation));
        for w in [low, high] {
            upright(x(w), height * 0.3, theme.line(theme.generation));
        }
    }
    if phase.spread_w > 0.0 {
        let (a, b) = (
            x(phase.mean_w - phase.spread_w),
            x(phase.mean_w + phase.spread_w),
        );
        painter.hline(a..=b, middle, line);
        upright(a, height * 0.15, line);
        upright(b, height * 0.15, line);
    }
    upright(x(tdp_w), height * 0.5, theme.thin(theme.limit));
    let spot = Pos2::new(
        rect.right() - value.size().x - space.small,
        middle - value.size().y / 2.0,
    );
    painter.galley(spot, value, theme.text);
    response.on_hover_text(text);
}
