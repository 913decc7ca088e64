//! A table as text, to be copied.

/// A cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Text.
    pub text: String,
    /// Second line, set back.
    pub below: String,
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
    /// Its cells.
    pub cells: Vec<Cell>,
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
