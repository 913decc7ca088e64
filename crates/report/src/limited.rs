//! A quantity over time between its limits: a panel.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use crate::axis::{Law, Range};
use crate::canvas::{Canvas, Drawn};
use crate::number::{Unit, trimmed};
use crate::panel::{Frame, Panel, Swatch};
use crate::style;
use crate::time_figure::LIMIT_REACH;
use crate::trace::{self, Bucket};

/// What the panel shows.
pub(crate) struct Limited {
    /// What it is, with its unit.
    pub(crate) heading: &'static str,
    /// Symbol of its unit.
    pub(crate) symbol: &'static str,
    /// Colour of its line.
    pub(crate) colour: RGBColor,
    /// Its limits.
    pub(crate) limits: [Option<f64>; 2],
    /// Value around which the axis lies without samples.
    pub(crate) nominal: f64,
    /// Least width of the axis.
    pub(crate) least: f64,
    /// Name of the band in the legend.
    pub(crate) band: String,
}

impl Limited {
    /// Draws it.
    pub(crate) fn draw<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        frame: Frame,
        (x, time): (Range, Unit),
        buckets: &[Bucket],
        x_title: Option<&str>,
    ) -> Drawn<DB> {
        let (symbol, nominal) = (self.symbol, self.nominal);
        let data = trace::values(buckets)
            .unwrap_or(Range {
                lo: nominal,
                hi: nominal,
            })
            .opened(self.least);
        let reached = |l: &f64| data.including(*l).span() <= LIMIT_REACH * data.span();
        let (drawn, beyond): (Vec<f64>, Vec<f64>) =
            self.limits.into_iter().flatten().partition(reached);
        let range = drawn.iter().fold(data, |r, &l| r.including(l)).padded(0.08);
        let panel = Panel::new(frame, x, Law::Linear, range);
        panel.grid_y(canvas)?;
        panel.grid_x(canvas, x_title)?;
        if buckets.is_empty() {
            panel.remark(canvas, "No samples.")?;
        }
        trace::draw(canvas, &panel, buckets, (time.factor, 1.0), self.colour)?;
        for &limit in &drawn {
            let y = panel.y.at(limit);
            canvas.dashes(
                (frame.left, y),
                (frame.right, y),
                style::LIMIT,
                style::STRONG_LINE,
                style::DASH,
            )?;
        }
        panel.outline(canvas)?;
        let mut labels: Vec<_> = drawn
            .iter()
            .map(|&l| (l, style::LIMIT, format!("limit {} {symbol}", trimmed(l, 4))))
            .collect();
        if let Some(values) = trace::values(buckets) {
            let of = |name: &str, v: f64| {
                let text = format!("{name} {} {symbol}", trimmed(v, 3));
                (v, style::FAINT_INK, text)
            };
            if values.span() > 0.0 {
                labels.extend([of("highest", values.hi), of("lowest", values.lo)]);
            } else {
                labels.push(of("constant", values.lo));
            }
        }
        // From above to below: labels are moved apart in that order.
        labels.sort_by(|a, b| b.0.total_cmp(&a.0));
        panel.labels_beside(
            canvas,
            frame.right,
            style::PAGE_WIDTH - frame.right,
            &labels,
        )?;
        let mut legend = vec![
            (Swatch::Band(style::tint(self.colour)), self.band.clone()),
            (Swatch::Line(self.colour), "mean".to_owned()),
        ];
        if !drawn.is_empty() {
            legend.push((Swatch::Dashes(style::LIMIT), "limit".to_owned()));
        }
        if !beyond.is_empty() {
            let values: Vec<String> = beyond.iter().map(|&l| trimmed(l, 4)).collect();
            legend.push((
                Swatch::Bare,
                format!("off this axis: limit of {} {symbol}", values.join(" and ")),
            ));
        }
        panel.heading(canvas, self.heading, &legend)
    }
}
