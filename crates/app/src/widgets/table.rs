//! A table whose cells tell screen readers their row and column.

use egui::accesskit::Role;
use egui::{Color32, Grid, Label, RichText, ScrollArea, Ui, WidgetInfo};

use crate::theme::Theme;

/// A cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Text.
    pub text: String,
    /// Second line, set back.
    pub below: String,
    /// Colour of the text; none: as the rest.
    pub colour: Option<Color32>,
    /// Whether it stands out.
    pub strong: bool,
}

impl Cell {
    /// A plain cell.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

/// A row: a head and a cell per column.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What its cells are.
    pub head: String,
    /// More about it; empty if there is none.
    pub hint: String,
    /// Its cells.
    pub cells: Vec<Cell>,
}

/// Draws the table; it scrolls to the side where it is wider than the room it has.
pub fn table(ui: &mut Ui, theme: &Theme, id: &str, columns: &[String], rows: &[Row]) {
    let space = theme.space();
    let widest = theme.panels().card_width;
    ScrollArea::horizontal().id_salt(id).show(ui, |ui| {
        Grid::new((id, "cells"))
            .striped(true)
            .spacing([space.large, space.small])
            .max_col_width(widest)
            .show(ui, |ui| {
                ui.label("");
                for column in columns {
                    ui.add(Label::new(RichText::new(column).strong()).wrap())
                        .widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, column));
                }
                ui.end_row();
                for row in rows {
                    let head = Label::new(RichText::new(&row.head).color(theme.muted)).wrap();
                    let head = ui.add(head);
                    head.widget_info(|| WidgetInfo::labeled(Role::RowHeader, true, &row.head));
                    if !row.hint.is_empty() {
                        head.on_hover_text(&row.hint);
                    }
                    for (cell, column) in row.cells.iter().zip(columns) {
                        draw(ui, theme, cell, &row.head, column);
                    }
                    ui.end_row();
                }
            });
    });
}

fn draw(ui: &mut Ui, theme: &Theme, cell: &Cell, head: &str, column: &str) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut text = RichText::new(&cell.text);
        if let Some(colour) = cell.colour {
            text = text.color(colour);
        }
        if cell.strong {
            text = text.strong();
        }
        let spoken = if cell.below.is_empty() {
            format!("{head}, {column}: {}", cell.text)
        } else {
            format!("{head}, {column}: {}, {}", cell.text, cell.below)
        };
        ui.label(text)
            .widget_info(|| WidgetInfo::labeled(Role::Cell, true, &spoken));
        if !cell.below.is_empty() {
            ui.label(RichText::new(&cell.below).small().color(theme.muted));
        }
    });
}

/// The table as text: cells with tabs between them, or in Markdown.
pub fn as_text(columns: &[String], rows: &[Row], markdown: bool) -> String {
    let cell = |text: &str| {
        let text = text.replace(['\t', '\n'], " ");
        if markdown {
            text.replace('|', "\\|")
        } else {
            text
        }
    };
    let line = |cells: Vec<String>| {
        if markdown {
            format!("| {} |\n", cells.join(" | "))
        } else {
            format!("{}\n", cells.join("\t"))
        }
    };
    let heads = std::iter::once(String::new()).chain(columns.iter().map(|c| cell(c)));
    let mut text = line(heads.collect());
    if markdown {
        text.push_str(&line(vec!["---".to_owned(); columns.len() + 1]));
    }
    for row in rows {
        let cells = row.cells.iter().map(|c| match c.below.as_str() {
            "" => cell(&c.text),
            below => cell(&format!("{} ({below})", c.text)),
        });
        text.push_str(&line(
            std::iter::once(cell(&row.head)).chain(cells).collect(),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_copies_as_tabs_and_as_markdown() {
        let columns = ["a".to_owned(), "b|c".to_owned()];
        let mut cell = Cell::of("1\t2");
        cell.below = "+1".to_owned();
        let rows = [Row {
            head: "peak".to_owned(),
            hint: String::new(),
            cells: vec![cell, Cell::of("3")],
        }];
        assert_eq!(
            as_text(&columns, &rows, false),
            "\ta\tb|c\npeak\t1 2 (+1)\t3\n"
        );
        assert_eq!(
            as_text(&columns, &rows, true),
            "|  | a | b\\|c |\n| --- | --- | --- |\n| peak | 1 2 (+1) | 3 |\n"
        );
    }
}
