//! Colours and sizes, all of them, from `theme/light.toml`, `theme/dark.toml` and `theme/sizes.toml`.
//!
//! A lint (`clippy.toml`) forbids colours anywhere else.

use std::sync::LazyLock;

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, TextStyle, Vec2};
use serde::Deserialize;

static LIGHT: LazyLock<Theme> = LazyLock::new(|| Theme::parse(include_str!("../theme/light.toml")));
static DARK: LazyLock<Theme> = LazyLock::new(|| Theme::parse(include_str!("../theme/dark.toml")));
static SIZES: LazyLock<Sizes> = LazyLock::new(|| {
    // A test parses the files.
    toml::from_str(include_str!("../theme/sizes.toml")).unwrap_or_default()
});

/// Which theme the user wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl ThemeChoice {
    /// The choice that follows when the user toggles.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// In words, for a message.
    pub fn text(self) -> &'static str {
        match self {
            Self::System => "Theme as the system has it",
            Self::Light => "Light theme",
            Self::Dark => "Dark theme",
        }
    }

    /// The preference egui follows.
    pub fn preference(self) -> egui::ThemePreference {
        match self {
            Self::System => egui::ThemePreference::System,
            Self::Light => egui::ThemePreference::Light,
            Self::Dark => egui::ThemePreference::Dark,
        }
    }
}

/// Colours and sizes of one theme.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Whether it is dark.
    pub dark: bool,
    /// Behind everything.
    #[serde(deserialize_with = "colour")]
    pub window: Color32,
    /// Ground of panels.
    #[serde(deserialize_with = "colour")]
    pub panel: Color32,
    /// Ground of cards, menus and dialogs.
    #[serde(deserialize_with = "colour")]
    pub card: Color32,
    /// Ground of plots.
    #[serde(deserialize_with = "colour")]
    pub plot: Color32,
    /// Ground of text fields.
    #[serde(deserialize_with = "colour")]
    pub field: Color32,
    /// Ground of buttons.
    #[serde(deserialize_with = "colour")]
    pub control: Color32,
    /// Ground of the button under the pointer.
    #[serde(deserialize_with = "colour")]
    pub control_hover: Color32,
    /// Ground of the button held down.
    #[serde(deserialize_with = "colour")]
    pub control_active: Color32,
    /// Thin lines between things.
    #[serde(deserialize_with = "colour")]
    pub border: Color32,
    /// Lines that must be seen, such as the border of a field.
    #[serde(deserialize_with = "colour")]
    pub border_strong: Color32,
    /// Grid of plots.
    #[serde(deserialize_with = "colour")]
    pub grid: Color32,
    /// Ground of selected text.
    #[serde(deserialize_with = "colour")]
    pub selection: Color32,
    /// Shadow of menus and dialogs.
    #[serde(deserialize_with = "colour")]
    pub shadow: Color32,
    /// Text.
    #[serde(deserialize_with = "colour")]
    pub text: Color32,
    /// Text that steps back: units, hints, sources.
    #[serde(deserialize_with = "colour")]
    pub muted: Color32,
    /// Links, focus, the main button.
    #[serde(deserialize_with = "colour")]
    pub accent: Color32,
    /// Text on `accent`.
    #[serde(deserialize_with = "colour")]
    pub on_accent: Color32,
    /// What the site draws.
    #[serde(deserialize_with = "colour")]
    pub load: Color32,
    /// What generating sets give.
    #[serde(deserialize_with = "colour")]
    pub generation: Color32,
    /// What buffers give and take.
    #[serde(deserialize_with = "colour")]
    pub buffer: Color32,
    /// Lines of limits.
    #[serde(deserialize_with = "colour")]
    pub limit: Color32,
    /// What lies beyond a limit.
    #[serde(deserialize_with = "colour")]
    pub violation: Color32,
    /// The cursor that all plots share.
    #[serde(deserialize_with = "colour")]
    pub cursor: Color32,
    /// PASS.
    #[serde(deserialize_with = "colour")]
    pub pass: Color32,
    /// FAIL, and errors.
    #[serde(deserialize_with = "colour")]
    pub fail: Color32,
    /// INCONCLUSIVE.
    #[serde(deserialize_with = "colour")]
    pub inconclusive: Color32,
    /// NOT CHECKED.
    #[serde(deserialize_with = "colour")]
    pub not_checked: Color32,
    /// Warnings, low confidence.
    #[serde(deserialize_with = "colour")]
    pub warning: Color32,
    /// Opacity of bands under a line.
    pub band_alpha: f32,
    /// Opacity of a result that is older than the document.
    pub stale_alpha: f32,
    /// Opacity of the area beyond a limit.
    pub violation_alpha: f32,
    #[serde(deserialize_with = "colours")]
    series: Vec<Color32>,
    #[serde(deserialize_with = "colours")]
    heat: Vec<Color32>,
}

/// Sizes in points.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// Sizes of text.
    pub text: TextSizes,
    /// Room between things.
    pub space: Space,
    /// Radii of corners.
    pub radius: Radii,
    /// Widths of lines.
    pub stroke: Strokes,
    /// Widths and heights of panels and what stands in them.
    pub panel: PanelSizes,
}

/// Sizes of text, points.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSizes {
    /// Notes and sources.
    pub small: f32,
    /// Everything else.
    pub body: f32,
    /// Headings of cards and sections.
    pub strong: f32,
    /// Headings of panels and dialogs.
    pub heading: f32,
    /// Title of the first page.
    pub title: f32,
    /// Text of files.
    pub mono: f32,
}

/// Room between things, points.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Inside a group.
    pub small: f32,
    /// Between groups.
    pub medium: f32,
    /// Between sections.
    pub large: f32,
    /// Around a page.
    pub huge: f32,
}

/// Radii of corners, points.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Radii {
    /// Badges, cells.
    pub small: u8,
    /// Buttons, fields.
    pub medium: u8,
    /// Cards, dialogs.
    pub large: u8,
}

/// Widths of lines, points.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strokes {
    /// Borders, grids.
    pub thin: f32,
    /// Lines of plots.
    pub normal: f32,
    /// Focus, marks.
    pub thick: f32,
}

/// Widths and heights of panels and what stands in them, points.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelSizes {
    /// Width of the form at first.
    pub form_width: f32,
    /// Its smallest width.
    pub form_width_min: f32,
    /// Width of the verdicts at first.
    pub verdicts_width: f32,
    /// Its smallest width.
    pub verdicts_width_min: f32,
    /// Height of problems, jobs and notices at first.
    pub bottom_height: f32,
    /// Its smallest height.
    pub bottom_height_min: f32,
    /// Width of dialogs.
    pub dialog_width: f32,
    /// Width of the palette.
    pub palette_width: f32,
    /// Largest height of its list.
    pub palette_height: f32,
    /// Largest width of a page of text.
    pub page_width: f32,
    /// Width of a card on a page.
    pub card_width: f32,
    /// Largest width of tooltips.
    pub tooltip_width: f32,
    /// Width of a field for a number.
    pub field_width: f32,
    /// Smallest height of what can be clicked.
    pub button_height: f32,
    /// Width of the vertical axis of plots, the same in all so that they align.
    pub plot_axis_width: f32,
    /// Smallest height of a plot.
    pub plot_height_min: f32,
    /// Side of a cell of a map.
    pub cell: f32,
}

impl Theme {
    /// The light theme.
    pub fn light() -> &'static Self {
        &LIGHT
    }

    /// The dark theme.
    pub fn dark() -> &'static Self {
        &DARK
    }

    /// The theme that `ctx` shows.
    pub fn of(ctx: &egui::Context) -> &'static Self {
        match ctx.theme() {
            egui::Theme::Light => Self::light(),
            egui::Theme::Dark => Self::dark(),
        }
    }

    fn parse(text: &str) -> Self {
        // A test parses the files.
        toml::from_str(text).unwrap_or_default()
    }

    /// Colour of series number `i`; Okabe and Ito's, in turn.
    pub fn series(&self, i: usize) -> Color32 {
        self.series
            .get(i % self.series.len().max(1))
            .copied()
            .unwrap_or(self.text)
    }

    /// How many series have colours of their own.
    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    /// Colour of a share from 0 to 1 on the scale of maps; muted if it is no number.
    pub fn heat(&self, share: f32) -> Color32 {
        let (Some(last), true) = (self.heat.len().checked_sub(1), share.is_finite()) else {
            return self.muted;
        };
        let at = share.clamp(0.0, 1.0) * last as f32;
        let low = (at.floor() as usize).min(last);
        let high = (low + 1).min(last);
        self.heat[low].lerp_to_gamma(self.heat[high], at - low as f32)
    }

    /// Text that can be read on [`heat`](Self::heat) of the same share.
    pub fn on_heat(&self, share: f32) -> Color32 {
        if luminance(self.heat(share)) > 0.179 {
            Color32::BLACK
        } else {
            Color32::WHITE
        }
    }

    /// `colour` as a band under its line.
    pub fn band(&self, colour: Color32) -> Color32 {
        colour.gamma_multiply(self.band_alpha)
    }

    /// `colour` as of a result that is older than the document.
    pub fn faded(&self, colour: Color32, stale: bool) -> Color32 {
        if stale {
            colour.gamma_multiply(self.stale_alpha)
        } else {
            colour
        }
    }

    /// Ground of the area beyond a limit.
    pub fn violation_area(&self) -> Color32 {
        self.violation.gamma_multiply(self.violation_alpha)
    }

    /// Sizes; the same in both themes.
    pub fn sizes(&self) -> &'static Sizes {
        &SIZES
    }

    /// Room between things.
    pub fn space(&self) -> &'static Space {
        &SIZES.space
    }

    /// Sizes of text.
    pub fn text_sizes(&self) -> &'static TextSizes {
        &SIZES.text
    }

    /// Widths and heights of panels and what stands in them.
    pub fn panels(&self) -> &'static PanelSizes {
        &SIZES.panel
    }

    /// A thin line.
    pub fn thin(&self, colour: Color32) -> Stroke {
        Stroke::new(SIZES.stroke.thin, colour)
    }

    /// A line of a plot.
    pub fn line(&self, colour: Color32) -> Stroke {
        Stroke::new(SIZES.stroke.normal, colour)
    }

    /// A thick line.
    pub fn thick(&self, colour: Color32) -> Stroke {
        Stroke::new(SIZES.stroke.thick, colour)
    }

    /// Frame of a card.
    pub fn card_frame(&self) -> egui::Frame {
        egui::Frame::new()
            .fill(self.card)
            .stroke(self.thin(self.border))
            .corner_radius(SIZES.radius.large)
            .inner_margin(Margin::same(SIZES.space.medium as i8))
    }

    /// Frame of a dialog.
    pub fn dialog_frame(&self) -> egui::Frame {
        self.card_frame()
            .inner_margin(Margin::same(SIZES.space.large as i8))
    }

    /// Frame of a panel.
    pub fn panel_frame(&self) -> egui::Frame {
        egui::Frame::new()
            .fill(self.panel)
            .inner_margin(Margin::same(SIZES.space.medium as i8))
    }

    /// Text style of headings of cards and sections.
    pub fn strong_style() -> TextStyle {
        TextStyle::Name("strong".into())
    }

    /// Text style of the title of the first page.
    pub fn title_style() -> TextStyle {
        TextStyle::Name("title".into())
    }

    /// Sets egui's visuals and text styles for this theme.
    pub fn apply(&self, ctx: &egui::Context) {
        let theme = if self.dark {
            egui::Theme::Dark
        } else {
            egui::Theme::Light
        };
        ctx.set_fonts(fonts());
        ctx.style_mut_of(theme, |style| {
            style.visuals = self.visuals();
            style.text_styles = text_styles();
            let space = &mut style.spacing;
            space.item_spacing = Vec2::new(SIZES.space.medium, SIZES.space.small);
            space.button_padding = Vec2::new(SIZES.space.medium, SIZES.space.small);
            space.interact_size.y = SIZES.panel.button_height;
            space.tooltip_width = SIZES.panel.tooltip_width;
            space.menu_margin = Margin::same(SIZES.space.small as i8);
            space.window_margin = Margin::same(SIZES.space.large as i8);
        });
    }

    fn visuals(&self) -> egui::Visuals {
        let mut visuals = if self.dark {
            egui::Visuals::dark()
        } else {
            egui::Visuals::light()
        };
        let radius = CornerRadius::same(SIZES.radius.medium);
        visuals.weak_text_color = Some(self.muted);
        visuals.hyperlink_color = self.accent;
        visuals.faint_bg_color = self.panel.lerp_to_gamma(self.control, 0.5);
        visuals.extreme_bg_color = self.field;
        visuals.text_edit_bg_color = Some(self.field);
        visuals.code_bg_color = self.control;
        visuals.warn_fg_color = self.warning;
        visuals.error_fg_color = self.fail;
        visuals.window_fill = self.card;
        visuals.window_stroke = self.thin(self.border);
        visuals.window_corner_radius = CornerRadius::same(SIZES.radius.large);
        visuals.menu_corner_radius = radius;
        visuals.panel_fill = self.panel;
        visuals.selection.bg_fill = self.selection;
        visuals.selection.stroke = self.line(self.accent);
        visuals.window_shadow = Shadow {
            color: self.shadow,
            ..visuals.window_shadow
        };
        visuals.popup_shadow = Shadow {
            color: self.shadow,
            ..visuals.popup_shadow
        };
        let widgets = &mut visuals.widgets;
        for (state, ground, border, text) in [
            (
                &mut widgets.noninteractive,
                self.panel,
                self.border,
                self.text,
            ),
            (
                &mut widgets.inactive,
                self.control,
                self.border_strong,
                self.text,
            ),
            (
                &mut widgets.hovered,
                self.control_hover,
                self.border_strong,
                self.text,
            ),
            (
                &mut widgets.active,
                self.control_active,
                self.accent,
                self.text,
            ),
            (
                &mut widgets.open,
                self.control_hover,
                self.border_strong,
                self.text,
            ),
        ] {
            state.bg_fill = ground;
            state.weak_bg_fill = ground;
            state.bg_stroke = self.thin(border);
            state.fg_stroke = self.thin(text);
            state.corner_radius = radius;
        }
        // Buttons stand out by their ground; a border of their own would shout.
        widgets.inactive.bg_stroke = Stroke::NONE;
        visuals
    }
}

/// The fonts of egui; arrows and marks that the font of text lacks come from the one of files.
fn fonts() -> egui::FontDefinitions {
    let mut fonts = egui::FontDefinitions::default();
    let text = fonts.families.entry(FontFamily::Proportional).or_default();
    text.push("Hack".to_owned());
    fonts
}

fn text_styles() -> std::collections::BTreeMap<TextStyle, FontId> {
    let sizes = &SIZES.text;
    let plain = |size| FontId::new(size, FontFamily::Proportional);
    [
        (TextStyle::Small, plain(sizes.small)),
        (TextStyle::Body, plain(sizes.body)),
        (TextStyle::Button, plain(sizes.body)),
        (TextStyle::Heading, plain(sizes.heading)),
        (Theme::strong_style(), plain(sizes.strong)),
        (Theme::title_style(), plain(sizes.title)),
        (
            TextStyle::Monospace,
            FontId::new(sizes.mono, FontFamily::Monospace),
        ),
    ]
    .into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where colours are made"
)]
fn hex(text: &str) -> Result<Color32, String> {
    Color32::from_hex(text).map_err(|_| format!("\"{text}\" is no colour: write #rrggbb"))
}

fn colour<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Color32, D::Error> {
    hex(&String::deserialize(from)?).map_err(serde::de::Error::custom)
}

fn colours<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Color32>, D::Error> {
    Vec::<String>::deserialize(from)?
        .iter()
        .map(|text| hex(text).map_err(serde::de::Error::custom))
        .collect()
}

/// Relative luminance, 0 to 1 (WCAG 2.2).
fn luminance(colour: Color32) -> f64 {
    let linear = |c: u8| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn themes() -> [Theme; 2] {
        [
            toml::from_str(include_str!("../theme/light.toml")).expect("light.toml"),
            toml::from_str(include_str!("../theme/dark.toml")).expect("dark.toml"),
        ]
    }

    #[test]
    fn all_tokens_are_there() {
        let [light, dark] = themes();
        assert!(!light.dark && dark.dark);
        assert_eq!((light.series.len(), dark.series.len()), (8, 8));
        assert_eq!(light.heat.len(), dark.heat.len());
        assert_eq!(&light, Theme::light());
        assert_eq!(&dark, Theme::dark());
        let sizes: Sizes = toml::from_str(include_str!("../theme/sizes.toml")).expect("sizes.toml");
        assert_eq!(&sizes, light.sizes());
    }

    #[test]
    fn a_missing_or_unknown_token_is_an_error() {
        let text = include_str!("../theme/light.toml");
        let missing = text.replace("violation = \"#b3261e\"\n", "");
        assert!(toml::from_str::<Theme>(&missing).is_err());
        let unknown = format!("puce = \"#cc8899\"\n{text}");
        assert!(toml::from_str::<Theme>(&unknown).is_err());
        let no_colour = text.replace("\"#b3261e\"", "\"red\"");
        assert!(toml::from_str::<Theme>(&no_colour).is_err());
    }

    #[test]
    fn text_can_be_read() {
        for theme in themes() {
            let grounds = [
                theme.window,
                theme.panel,
                theme.card,
                theme.plot,
                theme.field,
            ];
            for ground in grounds {
                for text in [
                    theme.text,
                    theme.muted,
                    theme.accent,
                    theme.pass,
                    theme.fail,
                    theme.inconclusive,
                    theme.not_checked,
                    theme.warning,
                ] {
                    let is = contrast(text, ground);
                    assert!(is >= 4.5, "{text:?} on {ground:?}: {is:.2}");
                }
            }
            for control in [
                theme.control,
                theme.control_hover,
                theme.control_active,
                theme.selection,
            ] {
                let is = contrast(theme.text, control);
                assert!(is >= 4.5, "text on {control:?}: {is:.2}");
            }
            assert!(contrast(theme.on_accent, theme.accent) >= 4.5);
            for i in 0_u8..=20 {
                let share = f32::from(i) / 20.0;
                assert!(contrast(theme.on_heat(share), theme.heat(share)) >= 4.5);
            }
        }
    }

    #[test]
    fn lines_can_be_seen() {
        for theme in themes() {
            let roles = [
                theme.load,
                theme.generation,
                theme.buffer,
                theme.limit,
                theme.violation,
                theme.cursor,
            ];
            let series = (0..theme.series_count()).map(|i| theme.series(i));
            for line in series.chain(roles) {
                let is = contrast(line, theme.plot);
                assert!(is >= 3.0, "{line:?}: {is:.2}");
            }
            for ground in [theme.card, theme.panel, theme.field] {
                assert!(contrast(theme.border_strong, ground) >= 3.0);
            }
        }
    }
}
