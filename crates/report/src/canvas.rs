//! Drawing in page pixels, over any plotters backend.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontFamily, FontTransform, IntoFont as _, RGBColor, ShapeStyle, TextStyle,
};

use crate::style;

/// What drawing on a backend gives.
pub(crate) type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// A point on the page: right, down.
pub(crate) type Point = (f64, f64);

/// Kind of backend. The two place text and take its size differently, so the canvas evens that out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    /// Pixels.
    Raster,
    /// SVG.
    Vector,
}

impl Medium {
    /// Size to ask of plotters for text of 1 em: the bitmap takes ascender to descender, the SVG 1.24 em.
    fn size_per_em(self) -> f64 {
        match self {
            Self::Raster => style::FONT_HEIGHT_EM,
            Self::Vector => 1.24,
        }
    }

    /// From the top anchor down to the base line, in em: half the size in the bitmap, 0.76 em in the SVG.
    fn ascent_em(self) -> f64 {
        match self {
            Self::Raster => style::FONT_HEIGHT_EM / 2.0,
            Self::Vector => 0.76,
        }
    }
}

/// Where a text stands to its point; it is always centred on it vertically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Right of it.
    Left,
    /// Around it.
    Centre,
    /// Left of it.
    Right,
}

/// A page to draw on.
pub(crate) struct Canvas<DB: DrawingBackend> {
    area: DrawingArea<DB, Shift>,
    medium: Medium,
}

impl<DB: DrawingBackend> Canvas<DB> {
    /// A page on `area`, which is [`style::OVERSAMPLING`] times the page's size.
    pub(crate) fn new(area: DrawingArea<DB, Shift>, medium: Medium) -> Self {
        Self { area, medium }
    }

    /// Paints the paper.
    pub(crate) fn clear(&self) -> Drawn<DB> {
        self.area.fill(&style::PAPER)
    }

    /// Hands everything drawn to the backend's target.
    pub(crate) fn present(&self) -> Drawn<DB> {
        self.area.present()
    }

    /// A line of text.
    pub(crate) fn text(
        &self,
        at: Point,
        align: Align,
        em: f64,
        colour: RGBColor,
        text: &str,
    ) -> Drawn<DB> {
        self.place_text(at, align, em, colour, text, FontTransform::None)
    }

    /// A line of text that reads upwards; `align` is along the reading direction.
    pub(crate) fn text_upwards(
        &self,
        at: Point,
        align: Align,
        em: f64,
        colour: RGBColor,
        text: &str,
    ) -> Drawn<DB> {
        self.place_text(at, align, em, colour, text, FontTransform::Rotate270)
    }

    fn place_text(
        &self,
        at: Point,
        align: Align,
        em: f64,
        colour: RGBColor,
        text: &str,
        turn: FontTransform,
    ) -> Drawn<DB> {
        // From the middle of the capitals to the anchor, across the reading direction.
        let across = (style::CAPITAL_EM / 2.0 - self.medium.ascent_em()) * em;
        let at = if matches!(turn, FontTransform::Rotate270) {
            (at.0 + across, at.1)
        } else {
            (at.0, at.1 + across)
        };
        let h_pos = match align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let size = em * self.medium.size_per_em() * f64::from(style::OVERSAMPLING);
        let font = (FontFamily::Name(style::FONT_FAMILY), size)
            .into_font()
            .transform(turn);
        let text_style = TextStyle::from(font)
            .color(&colour)
            .pos(Pos::new(h_pos, VPos::Top));
        self.area
            .draw_text(&printable(text), &text_style, device(at))
    }

    /// A line through `points`.
    pub(crate) fn line(&self, points: &[Point], colour: RGBColor, width: f64) -> Drawn<DB> {
        let points: Vec<(i32, i32)> = points.iter().copied().map(device).collect();
        if points.len() < 2 {
            return Ok(());
        }
        match self.medium {
            Medium::Vector => self
                .area
                .draw(&PathElement::new(points, stroke(colour, width))),
            // One by one: plotters' outline of a wide path that turns sharply has holes.
            Medium::Raster => points
                .windows(2)
                .try_for_each(|pair| self.segment(pair[0], pair[1], colour, width)),
        }
    }

    /// One piece of a line in the bitmap, in runs of pixels across its direction: plotters' filled polygons have ragged
    /// edges. Both ends get a run, so that pieces join.
    fn segment(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor, width: f64) -> Drawn<DB> {
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let is_steep = dy.abs() > dx.abs();
        // `along` is the direction with a run per pixel, `across` the other one.
        let swap = |(x, y): (i32, i32)| if is_steep { (y, x) } else { (x, y) };
        let (a, b) = (swap(from), swap(to));
        let (a, b) = if a.0 <= b.0 { (a, b) } else { (b, a) };
        let (along, across) = (f64::from(b.0 - a.0), f64::from(b.1 - a.1));
        let slope = if along > 0.0 { across / along } else { 0.0 };
        let thick = (width * f64::from(style::OVERSAMPLING) * (1.0 + slope * slope).sqrt())
            .round()
            .max(1.0) as i32;
        // The far corner of a filled rectangle is not painted. A straight piece is one rectangle; a point is a square.
        if a.1 == b.1 {
            let first = a.1 - thick / 2;
            let (start, end) = if along > 0.0 {
                (a.0, b.0 + 1)
            } else {
                (a.0 - thick / 2, a.0 - thick / 2 + thick)
            };
            return self.area.draw(&Rectangle::new(
                [swap((start, first)), swap((end, first + thick))],
                colour.filled(),
            ));
        }
        for step in a.0..=b.0 {
            let middle = f64::from(a.1) + slope * f64::from(step - a.0);
            let first = (middle - f64::from(thick) / 2.0).round() as i32;
            let run = [swap((step, first)), swap((step + 1, first + thick))];
            self.area.draw(&Rectangle::new(run, colour.filled()))?;
        }
        Ok(())
    }

    /// A dashed straight line: horizontal or vertical.
    pub(crate) fn dashes(
        &self,
        from: Point,
        to: Point,
        colour: RGBColor,
        width: f64,
        (dash, gap): (f64, f64),
    ) -> Drawn<DB> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt();
        let at = |s: f64| (from.0 + dx * s / length, from.1 + dy * s / length);
        let mut start = 0.0;
        while start < length {
            self.line(&[at(start), at((start + dash).min(length))], colour, width)?;
            start += dash + gap;
        }
        Ok(())
    }

    /// A line through `points` of dashes and gaps that go on around its corners; without a gap it is whole.
    pub(crate) fn patterned(
        &self,
        points: &[Point],
        colour: RGBColor,
        width: f64,
        (dash, gap): (f64, f64),
    ) -> Drawn<DB> {
        if gap <= 0.0 || dash <= 0.0 {
            return self.line(points, colour, width);
        }
        let mut piece: Vec<Point> = points.first().copied().into_iter().collect();
        let (mut inked, mut left) = (true, dash);
        for pair in points.windows(2) {
            let (mut from, to) = (pair[0], pair[1]);
            loop {
                let length = (to.0 - from.0).hypot(to.1 - from.1);
                if length < left {
                    left -= length;
                    piece.push(to);
                    break;
                }
                let share = left / length;
                from = (
                    from.0 + share * (to.0 - from.0),
                    from.1 + share * (to.1 - from.1),
                );
                piece.push(from);
                if inked {
                    self.line(&piece, colour, width)?;
                }
                inked = !inked;
                left = if inked { dash } else { gap };
                piece = vec![from];
            }
        }
        if inked {
            self.line(&piece, colour, width)?;
        }
        Ok(())
    }

    /// A filled rectangle.
    pub(crate) fn fill(&self, from: Point, to: Point, colour: RGBColor) -> Drawn<DB> {
        self.area
            .draw(&Rectangle::new([device(from), device(to)], colour.filled()))
    }

    /// The area between `upper` and `lower`, both from left to right at the same abscissae.
    ///
    /// It is at least a device pixel high, so that a flat stretch stays visible.
    pub(crate) fn band(&self, points: &[(f64, f64, f64)], colour: RGBColor) -> Drawn<DB> {
        if points.len() < 2 {
            return Ok(());
        }
        let upper = points.iter().map(|&(x, top, _)| device((x, top)));
        let lower = points.iter().rev().map(|&(x, top, bottom)| {
            let (x, bottom) = device((x, bottom));
            (x, bottom.max(device((0.0, top)).1 + 1))
        });
        self.area.draw(&Polygon::new(
            upper.chain(lower).collect::<Vec<_>>(),
            colour.filled(),
        ))
    }

    /// A disc with a rim of paper, so that it stands out from what lies under it.
    pub(crate) fn marker(&self, at: Point, colour: RGBColor, filled: bool) -> Drawn<DB> {
        let radius = |r: f64| (r * f64::from(style::OVERSAMPLING)).round() as i32;
        self.area.draw(&Circle::new(
            device(at),
            radius(style::MARKER + 2.0),
            style::PAPER.filled(),
        ))?;
        self.area.draw(&Circle::new(
            device(at),
            radius(style::MARKER),
            colour.filled(),
        ))?;
        if filled {
            return Ok(());
        }
        self.area.draw(&Circle::new(
            device(at),
            radius(style::MARKER - 2.5),
            style::PAPER.filled(),
        ))
    }
}

/// Style of a stroke `width` page pixels wide.
fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    colour.stroke_width((width * f64::from(style::OVERSAMPLING)).round().max(1.0) as u32)
}

/// Device pixel of a point of the page. Axes map onto the page, so nothing lies far off it.
fn device((x, y): Point) -> (i32, i32) {
    let pixel = |v: f64| (v * f64::from(style::OVERSAMPLING)).round() as i32;
    (pixel(x), pixel(y))
}

/// `text` without the control characters that XML forbids.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || c == '\u{FFFE}' || c == '\u{FFFF}' {
                ' '
            } else {
                c
            }
        })
        .collect()
}

/// `text` shortened with `…` until it is at most `width` wide at `em`.
pub(crate) fn fitted(text: &str, em: f64, width: f64) -> String {
    if style::text_width(text, em) <= width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let shortened: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if style::text_width(&shortened, em) <= width {
            return shortened;
        }
    }
    String::new()
}
