//! How figures look: the only place with colours, fonts and sizes. Lengths are pixels of the 1600 × 900 page.

use std::sync::OnceLock;

use plotters::style::{FontFamily, FontStyle, IntoFont as _, RGBColor, register_font};

/// Share of the page's width that titles may take as measured: a viewer's sans-serif may run a quarter wider.
pub(crate) const TITLE_SHARE: f64 = 0.86;

/// Width of the page.
pub(crate) const PAGE_WIDTH: f64 = 1600.0;
/// Height of the page.
pub(crate) const PAGE_HEIGHT: f64 = 900.0;
/// Device pixels per page pixel while drawing: the PNG is averaged down from it, which smooths edges, and
/// the SVG gets coordinates finer than a pixel.
pub(crate) const OVERSAMPLING: u32 = 3;
/// Pixels per metre noted in the PNG: 200 dpi, so that the figure prints 203 mm wide.
pub(crate) const PIXELS_PER_METRE: u32 = 7874;

/// Families an SVG viewer tries in turn; the bitmap uses the first one, which is built in.
pub(crate) const FONT_FAMILY: &str = "Ubuntu, Arial, sans-serif";
/// Height of the built-in font from ascender to descender, in em (its `hhea` table).
pub(crate) const FONT_HEIGHT_EM: f64 = 1.121;
/// Height of its capitals and digits, in em (its `OS/2` table).
pub(crate) const CAPITAL_EM: f64 = 0.693;
/// Room for viewers whose sans-serif runs wider than the built-in font.
pub(crate) const WIDTH_ALLOWANCE: f64 = 1.08;

/// Font size of the title, em.
pub(crate) const TITLE_EM: f64 = 28.0;
/// Font size of the second title line and of panel headings.
pub(crate) const HEADING_EM: f64 = 20.0;
/// Font size of ticks, legends, labels and the footer.
pub(crate) const LABEL_EM: f64 = 18.0;
/// Distance of two lines of labels.
pub(crate) const LINE_HEIGHT: f64 = 23.0;
/// Gap kept between two labels on a line.
pub(crate) const LABEL_GAP: f64 = 18.0;

/// Left edge of titles and footer.
pub(crate) const PAGE_MARGIN: f64 = 40.0;
/// Centre line of the title.
pub(crate) const TITLE_Y: f64 = 38.0;
/// Centre line of the second title line.
pub(crate) const SUBTITLE_Y: f64 = 76.0;
/// Centre line of the footer.
pub(crate) const FOOTER_Y: f64 = 878.0;
/// Top of the space for panels, headings included.
pub(crate) const CONTENT_TOP: f64 = 98.0;
/// Bottom of the space for panels, tick labels and axis titles included.
pub(crate) const CONTENT_BOTTOM: f64 = 856.0;
/// Left edge of plots: room for tick labels.
pub(crate) const PLOT_LEFT: f64 = 120.0;
/// Right edge of plots with nothing beside them.
pub(crate) const PLOT_RIGHT: f64 = 1560.0;
/// Right edge of plots with labels beside them.
pub(crate) const PLOT_RIGHT_LABELLED: f64 = 1370.0;
/// Height of a panel's heading.
pub(crate) const PANEL_HEADING: f64 = 42.0;
/// Height of tick labels and axis title under a panel.
pub(crate) const PANEL_FOOT: f64 = 62.0;
/// Gap between a panel and the heading of the next.
pub(crate) const PANEL_GAP: f64 = 12.0;
/// Distance from the plot's edge to labels beside it.
pub(crate) const LABEL_OFFSET: f64 = 12.0;
/// Length of a swatch in a legend.
pub(crate) const SWATCH: f64 = 34.0;
/// Gap between entries of a legend.
pub(crate) const LEGEND_GAP: f64 = 28.0;
/// Radius of a marker.
pub(crate) const MARKER: f64 = 6.0;
/// Width of the widest box of an envelope.
pub(crate) const BOX_WIDTH: f64 = 84.0;

/// Width of a series' line.
pub(crate) const SERIES_LINE: f64 = 2.0;
/// Width of the edges of a band among others.
pub(crate) const EDGE_LINE: f64 = 1.4;
/// Width of limits and other lines that must be seen.
pub(crate) const STRONG_LINE: f64 = 2.5;
/// Width of grid, frame and leaders.
pub(crate) const THIN_LINE: f64 = 1.0;
/// Dash and gap of limits.
pub(crate) const DASH: (f64, f64) = (12.0, 7.0);
/// Dash and gap of marks of events.
pub(crate) const LONG_DASH: (f64, f64) = (9.0, 4.0);
/// Dash and gap of lines that link panels.
pub(crate) const DOTS: (f64, f64) = (3.0, 5.0);

/// Paper.
pub(crate) const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Text and axes.
pub(crate) const INK: RGBColor = RGBColor(25, 25, 25);
/// Text of less weight, and leaders.
pub(crate) const FAINT_INK: RGBColor = RGBColor(90, 90, 90);
/// Grid.
pub(crate) const GRID: RGBColor = RGBColor(222, 222, 222);
/// Grid between labelled lines.
pub(crate) const FINE_GRID: RGBColor = RGBColor(240, 240, 240);

// Okabe & Ito, "Color Universal Design", 2008: told apart with every common kind of colour blindness.
/// Power: Okabe–Ito blue.
pub(crate) const POWER: RGBColor = RGBColor(0, 114, 178);
/// Frequency and gain: Okabe–Ito bluish green.
pub(crate) const FREQUENCY: RGBColor = RGBColor(0, 158, 115);
/// Voltage: Okabe–Ito reddish purple.
pub(crate) const VOLTAGE: RGBColor = RGBColor(204, 121, 167);
/// Limits and worst values: Okabe–Ito vermillion.
pub(crate) const LIMIT: RGBColor = RGBColor(213, 94, 0);
/// Band of the load as it would be without storage.
pub(crate) const WITHOUT_BAND: RGBColor = RGBColor(205, 205, 205);
/// The load as it would be without storage.
pub(crate) const WITHOUT: RGBColor = RGBColor(140, 140, 140);
/// Band of frequencies that a limit is about.
pub(crate) const LIMIT_BAND: RGBColor = RGBColor(246, 238, 226);
/// Quantiles: Okabe–Ito orange.
pub(crate) const QUANTILE: RGBColor = RGBColor(230, 159, 0);

/// Members of a comparison, the first in ink; Okabe–Ito blue, orange, bluish green, reddish purple, sky blue. Vermillion stays with the
/// limits.
pub(crate) const MEMBERS: [RGBColor; 6] = [
    INK,
    POWER,
    QUANTILE,
    FREQUENCY,
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

/// Colour and dash of line number `k` among several: told apart in black and white too. No gap: a whole line.
pub(crate) fn told_apart(k: usize) -> (RGBColor, (f64, f64)) {
    const COLOURS: [RGBColor; 5] = [POWER, QUANTILE, FREQUENCY, VOLTAGE, INK];
    const PATTERNS: [(f64, f64); 4] = [(1.0, 0.0), (14.0, 6.0), (5.0, 4.0), (22.0, 9.0)];
    (COLOURS[k % COLOURS.len()], PATTERNS[k % PATTERNS.len()])
}

/// Colour of the band behind a line of `colour`: opaque, so that nothing darkens where shapes overlap.
pub(crate) fn tint(colour: RGBColor) -> RGBColor {
    let mix = |channel: u8| 255 - (255 - channel) / 3;
    RGBColor(mix(colour.0), mix(colour.1), mix(colour.2))
}

/// Makes the built-in font known to plotters, once per process; says whether it could.
pub(crate) fn register_fonts() -> bool {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    *REGISTERED.get_or_init(|| {
        register_font(
            FONT_FAMILY,
            FontStyle::Normal,
            epaint_default_fonts::UBUNTU_LIGHT,
        )
        .is_ok()
    })
}

/// Width of `text` at `em` page pixels, with room for wider fonts.
pub(crate) fn text_width(text: &str, em: f64) -> f64 {
    // Measured large, because plotters rounds to whole pixels.
    let scale = 10.0;
    let font = (FontFamily::Name(FONT_FAMILY), em * FONT_HEIGHT_EM * scale).into_font();
    let measured = font.box_size(text).map_or_else(
        // Never met: drawing has failed before if the font is not there. A usual mean width of a character.
        |_| 0.55 * em * text.chars().count() as f64,
        |(width, _)| f64::from(width) / scale,
    );
    measured * WIDTH_ALLOWANCE
}
