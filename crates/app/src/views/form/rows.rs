//! The rows of the form and where they lie.

use std::collections::BTreeMap;

use egui::{FontId, Ui};

use crate::fields::{Field, FieldKind, Form, Section};
use crate::theme::Theme;

/// Sections that few scenarios use, or that presets fill: closed at first.
const CLOSED: [&str; 12] = [
    "simulation",
    "gpus",
    "nodes",
    "psus",
    "tenants",
    "correlation",
    "facility",
    "events",
    "contingencies",
    "zoom",
    "outputs",
    "variant",
];

/// A row: the head of a section, a problem of it, or a field.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) kind: RowKind,
    /// Numbers of the sections that lead to it.
    pub(super) at: Vec<usize>,
    /// What tells it from the others.
    pub(super) id: String,
    pub(super) y: f32,
    pub(super) height: f32,
    pub(super) indent: f32,
    /// Whether the section is open.
    pub(super) open: bool,
}

/// What a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// The head of a section.
    Section,
    /// A problem of the section, by number.
    Message(usize),
    /// A field, by number.
    Field(usize),
}

/// What the rows were measured for.
#[derive(Debug, Clone, Default, PartialEq)]
struct Made {
    revision: u64,
    query: String,
    open: BTreeMap<String, bool>,
    refused: Vec<String>,
    width: f32,
    pixels_per_point: f32,
}

/// The rows, from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) all: Vec<Row>,
    pub(super) height: f32,
    pub(super) width: f32,
    /// Fields that the search finds.
    pub(super) found: usize,
    made: Option<Made>,
}

impl Rows {
    /// Measures the rows, if anything changed.
    pub(super) fn measure(
        &mut self,
        ui: &Ui,
        theme: &Theme,
        form: &Form,
        query: &str,
        open: &BTreeMap<String, bool>,
        refused: &BTreeMap<String, (String, String)>,
    ) {
        let bar = ui.spacing().scroll.bar_width + ui.spacing().scroll.bar_inner_margin;
        let made = Made {
            revision: form.revision(),
            query: query.trim().to_lowercase(),
            open: open.clone(),
            refused: refused
                .iter()
                .map(|(k, (_, m))| format!("{k}{m}"))
                .collect(),
            width: ui.available_width() - bar - theme.space().small,
            pixels_per_point: ui.ctx().pixels_per_point(),
        };
        if self.made.as_ref() == Some(&made) {
            return;
        }
        let mut maker = Maker {
            ui,
            theme,
            made: &made,
            refused,
            rows: Vec::new(),
            y: 0.0,
            found: 0,
        };
        maker.sections(&form.sections, &mut Vec::new());
        (self.all, self.height, self.found) = (maker.rows, maker.y, maker.found);
        self.width = made.width;
        self.made = Some(made);
    }

    /// Top of the row of a field or section.
    pub(super) fn top_of(&self, key: &str) -> Option<f32> {
        self.all.iter().find(|r| r.id == key).map(|r| r.y)
    }
}

struct Maker<'a> {
    ui: &'a Ui,
    theme: &'a Theme,
    made: &'a Made,
    refused: &'a BTreeMap<String, (String, String)>,
    rows: Vec<Row>,
    y: f32,
    found: usize,
}

impl Maker<'_> {
    fn sections(&mut self, sections: &[Section], at: &mut Vec<usize>) {
        for (i, section) in sections.iter().enumerate() {
            at.push(i);
            self.section(section, at);
            at.pop();
        }
    }

    fn section(&mut self, section: &Section, at: &mut Vec<usize>) {
        let searching = !self.made.query.is_empty();
        let title = searching && self.matches_title(section);
        if searching && !title && !any_match(section, &self.made.query) {
            return;
        }
        let by_hand = self.made.open.get(&section.key).copied();
        let usual = if at.len() == 1 {
            !CLOSED.contains(&section.path.as_str())
        } else {
            section.given
        };
        let open = searching || by_hand.unwrap_or(usual);
        let space = self.theme.space();
        let indent = (at.len() - 1) as f32 * space.medium;
        let line = self.ui.spacing().interact_size.y;
        let sizes = self.theme.text_sizes();
        let size = if at.len() == 1 {
            sizes.strong
        } else {
            sizes.body
        };
        let room = head_width(section, self.made.width - indent, line) - line;
        let height = self.text(&section.title, size, room).max(line);
        if at.len() == 1 {
            self.y += space.small;
        }
        self.push(
            RowKind::Section,
            at,
            section.key.clone(),
            height,
            indent,
            open,
        );
        for (i, message) in section.problems.iter().enumerate() {
            let height = self.text(
                message,
                self.theme.text_sizes().small,
                self.made.width - indent,
            );
            let id = format!("{}\u{0}{i}", section.key);
            self.push(RowKind::Message(i), at, id, height, indent, open);
        }
        if !open {
            return;
        }
        let inner = indent + space.medium;
        for (i, field) in section.fields.iter().enumerate() {
            if searching && !title && !matches(field, &self.made.query) {
                continue;
            }
            self.found += 1;
            let height = self.field(field, inner);
            self.push(
                RowKind::Field(i),
                at,
                field.key.clone(),
                height,
                inner,
                open,
            );
        }
        self.sections(&section.sections, at);
    }

    fn matches_title(&self, section: &Section) -> bool {
        section.title.to_lowercase().contains(&self.made.query) && !section.fields.is_empty()
    }

    fn push(
        &mut self,
        kind: RowKind,
        at: &[usize],
        id: String,
        height: f32,
        indent: f32,
        open: bool,
    ) {
        self.rows.push(Row {
            kind,
            at: at.to_vec(),
            id,
            y: self.y,
            height,
            indent,
            open,
        });
        self.y += height + self.theme.space().small;
    }

    /// Height of a field with its label and messages.
    fn field(&self, field: &Field, indent: f32) -> f32 {
        let width = self.made.width - indent;
        let sizes = self.theme.text_sizes();
        let line = self.ui.spacing().interact_size.y;
        let space = self.theme.space();
        let label = label_width(self.made.width, indent);
        let label = self.text(&field.label, sizes.body, label) + space.small * 2.0;
        let room = editor_width(self.made.width, field, line) - space.medium * 2.0;
        let value = match field.kind {
            FieldKind::Choice(_) | FieldKind::Preset(_) => {
                self.text(&field.value, sizes.body, room - line) + space.small * 2.0
            }
            FieldKind::Text | FieldKind::List => {
                self.text(&field.value, sizes.body, room) + space.small * 2.0
            }
            _ => line,
        };
        let mut height = label.max(value).max(line);
        let refused = self.refused.get(&field.key).map(|(_, message)| message);
        for message in field.problems.iter().chain(refused) {
            height += self.text(message, sizes.small, width) + self.theme.space().small;
        }
        height
    }

    fn text(&self, text: &str, size: f32, width: f32) -> f32 {
        let galley = self.ui.painter().layout(
            text.to_owned(),
            FontId::proportional(size),
            self.theme.text,
            width.max(1.0),
        );
        galley.size().y
    }
}

/// Width of a section's head beside its buttons and the number of its problems.
pub(super) fn head_width(section: &Section, width: f32, line: f32) -> f32 {
    let buttons =
        f32::from(u8::from(section.can_add) + u8::from(section.can_remove)) * (line + 4.0);
    let problems = if problems(section) > 0 {
        line * 3.4
    } else {
        0.0
    };
    (width - buttons - problems - line / 2.0).max(line * 3.0)
}

/// Width of the labels in a row.
pub(super) fn label_width(width: f32, indent: f32) -> f32 {
    (width * 0.4).floor() - indent
}

/// Width of what stands beside the label, up to what stands at its right: the mark of low confidence, and reset.
pub(super) fn editor_width(width: f32, field: &Field, line: f32) -> f32 {
    let mark = if field.low_confidence {
        line * 1.6
    } else {
        0.0
    };
    (width * 0.6).floor() - line - mark - 12.0
}

/// The section that numbers lead to.
pub(super) fn section_at<'a>(sections: &'a [Section], at: &[usize]) -> Option<&'a Section> {
    let (first, rest) = at.split_first()?;
    let section = sections.get(*first)?;
    if rest.is_empty() {
        Some(section)
    } else {
        section_at(&section.sections, rest)
    }
}

/// Fields in all.
pub(super) fn count(sections: &[Section]) -> usize {
    sections
        .iter()
        .map(|s| s.fields.len() + count(&s.sections))
        .sum()
}

/// Problems in a section and all in it.
pub(super) fn problems(section: &Section) -> usize {
    let fields: usize = section.fields.iter().map(|f| f.problems.len()).sum();
    section.problems.len() + fields + section.sections.iter().map(problems).sum::<usize>()
}

fn any_match(section: &Section, query: &str) -> bool {
    section.fields.iter().any(|f| matches(f, query))
        || section.sections.iter().any(|s| {
            any_match(s, query) || s.title.to_lowercase().contains(query) && !s.fields.is_empty()
        })
}

/// Whether every word of the search stands in label, path or help.
fn matches(field: &Field, query: &str) -> bool {
    let text = format!("{} {} {}", field.label, field.path, field.help).to_lowercase();
    query.split_whitespace().all(|word| text.contains(word))
}
