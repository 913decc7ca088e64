//! What figures are made of: plots with axes, legends, labels beside and above a plot.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use crate::axis::{Axis, Law, Range, Tick, linear_ticks, log_ticks, spread};
use crate::canvas::{Align, Canvas, Drawn, Point, fitted};
use crate::style;

/// Edges of a plot on the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Left edge.
    pub(crate) left: f64,
    /// Upper edge.
    pub(crate) top: f64,
    /// Right edge.
    pub(crate) right: f64,
    /// Lower edge.
    pub(crate) bottom: f64,
    /// Height of the strip between heading and plot.
    pub(crate) strip: f64,
}

impl Frame {
    /// A plot alone on the page.
    pub(crate) fn single(right: f64) -> Self {
        Self {
            left: style::PLOT_LEFT,
            top: style::CONTENT_TOP + style::PANEL_HEADING,
            right,
            bottom: style::CONTENT_BOTTOM - style::PANEL_FOOT,
            strip: 0.0,
        }
    }

    /// The same with a strip of so much height between heading and plot.
    pub(crate) fn with_strip(self, height: f64) -> Self {
        Self {
            top: self.top + height,
            strip: self.strip + height,
            ..self
        }
    }

    /// Plots one above the other that share the lowest one's axis.
    pub(crate) fn stacked<const N: usize>(right: f64) -> [Self; N] {
        std::array::from_fn(|i| Self::nth(right, i, N))
    }

    /// The same, of a number that is not known before.
    pub(crate) fn column(right: f64, count: usize) -> Vec<Self> {
        (0..count).map(|i| Self::nth(right, i, count)).collect()
    }

    /// Number `i` of `count` plots one above the other.
    fn nth(right: f64, i: usize, count: usize) -> Self {
        let whole = Self::single(right);
        let between = style::PANEL_GAP + style::PANEL_HEADING;
        let count = count.max(1) as f64;
        let height = (whole.bottom - whole.top - between * (count - 1.0)) / count;
        let top = whole.top + i as f64 * (height + between);
        Self {
            top,
            bottom: top + height,
            ..whole
        }
    }
}

/// How an entry of a legend looks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Swatch {
    /// A line.
    Line(RGBColor),
    /// An area.
    Band(RGBColor),
    /// A dashed line.
    Dashes(RGBColor),
    /// A line of dashes and gaps of its own; no gap: whole.
    Pattern(RGBColor, (f64, f64)),
    /// A thin line.
    Thin(RGBColor),
    /// Nothing: a remark.
    Bare,
}

/// A plot: a frame with an axis along two of its sides, in shown units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel {
    /// Across.
    pub(crate) x: Axis,
    /// Up.
    pub(crate) y: Axis,
    frame: Frame,
}

impl Panel {
    /// A plot of `x` (spaced by `law`) and `y` in `frame`.
    pub(crate) fn new(frame: Frame, x: Range, law: Law, y: Range) -> Self {
        Self {
            x: Axis {
                range: x,
                law,
                from: frame.left,
                to: frame.right,
            },
            y: Axis {
                range: y,
                law: Law::Linear,
                from: frame.bottom,
                to: frame.top,
            },
            frame,
        }
    }

    /// Edges.
    pub(crate) fn frame(&self) -> Frame {
        self.frame
    }

    /// Place of a point.
    pub(crate) fn at(&self, x: f64, y: f64) -> Point {
        (self.x.at(x), self.y.at(y))
    }

    /// Grid and tick labels of the vertical axis.
    pub(crate) fn grid_y<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        let most = (self.y.length() / (1.5 * style::LINE_HEIGHT)) as usize;
        for tick in linear_ticks(self.y.range, most) {
            let y = self.y.at(tick.value);
            canvas.line(
                &[(self.frame.left, y), (self.frame.right, y)],
                style::GRID,
                style::THIN_LINE,
            )?;
            let end = (self.frame.left - style::LABEL_OFFSET, y);
            canvas.text(end, Align::Right, style::LABEL_EM, style::INK, &tick.label)?;
        }
        Ok(())
    }

    /// Grid of the horizontal axis; with its labels and `title` if there is one.
    pub(crate) fn grid_x<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        title: Option<&str>,
    ) -> Drawn<DB> {
        let (top, bottom) = (self.frame.top, self.frame.bottom);
        let mut edge = f64::NEG_INFINITY;
        for tick in self.ticks_x() {
            let x = self.x.at(tick.value);
            let colour = if tick.label.is_empty() {
                style::FINE_GRID
            } else {
                style::GRID
            };
            canvas.line(&[(x, top), (x, bottom)], colour, style::THIN_LINE)?;
            let half = style::text_width(&tick.label, style::LABEL_EM) / 2.0;
            if title.is_none() || tick.label.is_empty() || x - half < edge {
                continue;
            }
            edge = x + half + style::LABEL_GAP;
            let under = (x, bottom + 18.0);
            canvas.text(
                under,
                Align::Centre,
                style::LABEL_EM,
                style::INK,
                &tick.label,
            )?;
        }
        let Some(title) = title else { return Ok(()) };
        let middle = (
            f64::midpoint(self.frame.left, self.frame.right),
            bottom + 47.0,
        );
        canvas.text(middle, Align::Centre, style::HEADING_EM, style::INK, title)
    }

    /// Ticks of the horizontal axis, as many as their labels leave room for.
    fn ticks_x(&self) -> Vec<Tick> {
        if self.x.law == Law::Log {
            return log_ticks(self.x.range);
        }
        let widest = |ticks: &[Tick]| {
            ticks
                .iter()
                .map(|t| style::text_width(&t.label, style::LABEL_EM))
                .fold(0.0, f64::max)
        };
        for most in (2..=12).rev() {
            let ticks = linear_ticks(self.x.range, most);
            if (widest(&ticks) + 2.0 * style::LABEL_GAP) * ticks.len() as f64 <= self.x.length() {
                return ticks;
            }
        }
        linear_ticks(self.x.range, 1)
    }

    /// The frame, over the data's edges.
    pub(crate) fn outline<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        let Frame {
            left,
            top,
            right,
            bottom,
            ..
        } = self.frame;
        let corners = [
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        ];
        canvas.line(&corners, style::INK, style::THIN_LINE)
    }

    /// What the vertical axis shows, and a legend to its right on the same line.
    pub(crate) fn heading<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        text: &str,
        legend: &[(Swatch, String)],
    ) -> Drawn<DB> {
        let y = self.frame.top - self.frame.strip - 0.57 * style::PANEL_HEADING;
        let left = self.frame.left - style::PLOT_LEFT + style::PAGE_MARGIN;
        canvas.text((left, y), Align::Left, style::HEADING_EM, style::INK, text)?;
        let mut right = self.frame.right;
        let limit = left + style::text_width(text, style::HEADING_EM) + style::LEGEND_GAP;
        for (swatch, label) in legend.iter().rev() {
            let room = right - style::SWATCH - style::LABEL_OFFSET - limit;
            let label = fitted(label, style::LABEL_EM, room);
            let start = right - style::text_width(&label, style::LABEL_EM);
            canvas.text((start, y), Align::Left, style::LABEL_EM, style::INK, &label)?;
            let end = start - style::LABEL_OFFSET;
            let begin = end - style::SWATCH;
            match *swatch {
                Swatch::Line(colour) => {
                    canvas.line(&[(begin, y), (end, y)], colour, style::STRONG_LINE)?;
                }
                Swatch::Thin(colour) => {
                    canvas.line(&[(begin, y), (end, y)], colour, style::THIN_LINE)?;
                }
                Swatch::Dashes(colour) => canvas.dashes(
                    (begin, y),
                    (end, y),
                    colour,
                    style::STRONG_LINE,
                    style::DASH,
                )?,
                Swatch::Pattern(colour, pattern) => {
                    canvas.patterned(
                        &[(begin, y), (end, y)],
                        colour,
                        style::STRONG_LINE,
                        pattern,
                    )?;
                }
                Swatch::Bare => {}
                Swatch::Band(colour) => canvas.fill((begin, y - 7.0), (end, y + 7.0), colour)?,
            }
            right = if matches!(swatch, Swatch::Bare) {
                start
            } else {
                begin
            } - style::LEGEND_GAP;
        }
        Ok(())
    }

    /// A remark in the middle of a plot that has nothing to show.
    pub(crate) fn remark<DB: DrawingBackend>(&self, canvas: &Canvas<DB>, text: &str) -> Drawn<DB> {
        let Frame {
            left,
            top,
            right,
            bottom,
            ..
        } = self.frame;
        let text = fitted(text, style::HEADING_EM, right - left);
        let middle = (f64::midpoint(left, right), f64::midpoint(top, bottom));
        let (half, rise) = (
            style::text_width(&text, style::HEADING_EM) / 2.0,
            style::LINE_HEIGHT / 2.0,
        );
        canvas.fill(
            (middle.0 - half, middle.1 - rise),
            (middle.0 + half, middle.1 + rise),
            style::PAPER,
        )?;
        canvas.text(
            middle,
            Align::Centre,
            style::HEADING_EM,
            style::FAINT_INK,
            &text,
        )
    }

    /// Labels to the right of `x` at their values, moved apart and led to their value where they had to move.
    pub(crate) fn labels_beside<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        x: f64,
        width: f64,
        labels: &[(f64, RGBColor, String)],
    ) -> Drawn<DB> {
        let wanted: Vec<f64> = labels.iter().map(|l| self.y.at(l.0)).collect();
        let heights = vec![style::LINE_HEIGHT; labels.len()];
        let half = style::LINE_HEIGHT / 2.0;
        // Beside the plot, a label may reach half a line beyond its ends; within it, it keeps off the frame.
        let margin = if x < self.frame.right { -3.0 } else { half };
        let room = Range {
            lo: self.frame.top - margin,
            hi: self.frame.bottom + margin,
        };
        let placed = spread(&wanted, &heights, room);
        for ((&from, &to), (_, colour, text)) in wanted.iter().zip(&placed).zip(labels) {
            let start = x + 2.0 * style::LABEL_OFFSET;
            let text = fitted(text, style::LABEL_EM, width - 2.0 * style::LABEL_OFFSET);
            // Within a plot, the grid must not cross the text.
            let end = start + style::text_width(&text, style::LABEL_EM);
            canvas.fill(
                (start - 2.0, to - half + 2.0),
                (end, to + half - 2.0),
                style::PAPER,
            )?;
            let leader = [
                (x + 2.0, from),
                (x + 8.0, from),
                (start - 6.0, to),
                (start - 3.0, to),
            ];
            canvas.line(&leader, *colour, style::THIN_LINE)?;
            canvas.text((start, to), Align::Left, style::LABEL_EM, style::INK, &text)?;
        }
        Ok(())
    }

    /// Labels in a row at the top of the plot, above points `(x, y)`, each led down to its point.
    pub(crate) fn labels_above<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        labels: &[(f64, f64, String)],
        colour: RGBColor,
    ) -> Drawn<DB> {
        let wanted: Vec<f64> = labels.iter().map(|l| self.x.at(l.0)).collect();
        let widths: Vec<f64> = labels
            .iter()
            .map(|l| style::text_width(&l.2, style::LABEL_EM) + style::LABEL_GAP)
            .collect();
        let placed = spread(
            &wanted,
            &widths,
            Range {
                lo: self.frame.left,
                hi: self.frame.right,
            },
        );
        let row = self.frame.top + style::LINE_HEIGHT;
        for ((&middle, width), (x, y, text)) in placed.iter().zip(&widths).zip(labels) {
            let point = self.at(*x, *y);
            let under = (middle, row + style::LINE_HEIGHT / 2.0);
            canvas.line(
                &[under, (point.0, point.1 - style::MARKER - 4.0)],
                style::FAINT_INK,
                style::THIN_LINE,
            )?;
            canvas.marker(point, colour, true)?;
            backed_text(canvas, (middle, row), width - style::LABEL_GAP, text)?;
        }
        Ok(())
    }

    /// Share of the height that a row of labels at the top takes, with its leaders.
    pub(crate) fn row_share(frame: Frame) -> f64 {
        (3.2 * style::LINE_HEIGHT / (frame.bottom - frame.top)).min(0.5)
    }
}

/// A centred label on a patch of paper, so that lines under it do not cross it.
pub(crate) fn backed_text<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    at: Point,
    width: f64,
    text: &str,
) -> Drawn<DB> {
    let (half, rise) = (width / 2.0 + 3.0, style::LINE_HEIGHT / 2.0 - 1.0);
    canvas.fill(
        (at.0 - half, at.1 - rise),
        (at.0 + half, at.1 + rise),
        style::PAPER,
    )?;
    canvas.text(at, Align::Centre, style::LABEL_EM, style::INK, text)
}
