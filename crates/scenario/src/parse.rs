//! TOML text to [`Node`], with every syntax error at once.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::Report;
use crate::tree::{Entry, Node, Origin, Value};

/// Deepest nesting that is read. The deepest key of a scenario has seven levels.
const MAX_DEPTH: usize = 48;

/// Most segments of one dotted key.
const MAX_SEGMENTS: usize = 16;

/// Parses a document that is already among the sources. Syntax errors go to the report.
pub(crate) fn document(text: &str, file: usize, report: &mut Report) -> Option<Node> {
    if let Some(start) = overlong_key(text) {
        report.error(
            Origin { file, start },
            "",
            format!("a key of more than {MAX_SEGMENTS} parts"),
            "no key of a scenario has so many",
        );
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut clean = errors.is_empty();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let found = text.get(span.clone()).unwrap_or("");
        let duplicate = error.message().starts_with("duplicate key");
        let key = if duplicate {
            found.trim_matches(['"', '\''])
        } else {
            ""
        };
        report.error(
            Origin {
                file,
                start: span.start,
            },
            key,
            error.message(),
            syntax_help(error.message()),
        );
    }
    let root = table_node(
        table.get_ref(),
        Origin { file, start: 0 },
        0,
        &mut |origin| {
            clean = false;
            report.error(
                origin,
                "",
                "nested too deeply",
                "no key of a scenario lies so deep",
            );
        },
    );
    clean.then_some(root)
}

/// Parses one value, as it stands behind `=`; none if it is no TOML.
pub(crate) fn value(text: &str, file: usize) -> Option<Node> {
    if overlong_key(text).is_some() {
        return None;
    }
    let parsed = DeValue::parse(text).ok()?;
    let mut deep = false;
    let mut node = value_node(&parsed, file, 0, &mut |_| deep = true);
    node.origin = Origin { file, start: 0 };
    (!deep).then_some(node)
}

fn table_node(
    table: &DeTable<'_>,
    origin: Origin,
    depth: usize,
    deep: &mut dyn FnMut(Origin),
) -> Node {
    if depth > MAX_DEPTH {
        deep(origin);
        return Node::table(origin);
    }
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            origin: Origin {
                file: origin.file,
                start: key.span().start,
            },
            node: value_node(value, origin.file, depth + 1, deep),
        })
        .collect();
    entries.sort_by_key(|e| e.origin.start);
    Node {
        value: Value::Table(entries),
        origin,
    }
}

fn value_node(
    value: &Spanned<DeValue<'_>>,
    file: usize,
    depth: usize,
    deep: &mut dyn FnMut(Origin),
) -> Node {
    let origin = Origin {
        file,
        start: value.span().start,
    };
    let value = match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(n) => match i128::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => Value::Integer(n),
            // Beyond 128 bits the exact number no longer matters: every range refuses it.
            Err(_) => Value::Float(n.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(x) => Value::Float(x.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(b) => Value::Boolean(*b),
        DeValue::Datetime(d) => Value::Datetime(d.to_string()),
        DeValue::Array(items) => {
            if depth > MAX_DEPTH {
                deep(origin);
                Value::Array(Vec::new())
            } else {
                Value::Array(
                    items
                        .iter()
                        .map(|item| value_node(item, file, depth + 1, deep))
                        .collect(),
                )
            }
        }
        DeValue::Table(table) => return table_node(table, origin, depth, deep),
    };
    Node { value, origin }
}

/// Start of a dotted key of more than [`MAX_SEGMENTS`] parts. The parser nests a table for each, without a bound of its own.
fn overlong_key(text: &str) -> Option<usize> {
    let (mut quote, mut comment) = (None, false);
    let (mut start, mut dots, mut segment) = (0, 0, false);
    for (at, c) in text.char_indices() {
        if c == '\n' {
            (quote, comment, start, dots, segment) = (None, false, at + 1, 0, false);
            continue;
        }
        match (quote, c) {
            _ if comment => {}
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => segment = true,
            (None, '"' | '\'') => (quote, segment) = (Some(c), true),
            (None, '#') => comment = true,
            (None, '=' | ',' | '[' | ']' | '{' | '}') => {
                (start, dots, segment) = (at + 1, 0, false);
            }
            (None, '.') => {
                dots += usize::from(segment);
                segment = false;
            }
            (None, _) => segment |= !c.is_whitespace(),
        }
        if dots >= MAX_SEGMENTS {
            return Some(start);
        }
    }
    None
}

fn syntax_help(message: &str) -> &'static str {
    if message.starts_with("duplicate key") {
        "a key or table stands once; tables that repeat are written [[name]]"
    } else if message.contains("string") {
        "texts stand in double quotes, on one line"
    } else {
        "a line is `key = value`, `[table]`, `[[table]]` or `# comment`"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<(Option<u32>, String)> {
        let mut report = Report::default();
        let file = report.sources.add("t", Some(text.to_owned()));
        let node = document(text, file, &mut report);
        assert_eq!(node.is_some(), report.problems.is_empty());
        crate::Problems::sorted(report.problems)
            .0
            .into_iter()
            .map(|p| (p.line, p.message))
            .collect()
    }

    #[test]
    fn finds_several_syntax_errors() {
        let found = problems("a = \nb = 1\nc = [1, \n");
        assert!(found.len() >= 2, "{found:?}");
        assert_eq!(found[0].0, Some(1));
    }

    #[test]
    fn endless_keys_do_not_exhaust_the_stack() {
        assert_eq!(problems(&format!("{}a = 1", "a.".repeat(200_000))).len(), 1);
        assert_eq!(
            problems(&format!("[{}a]", "\"a\" . ".repeat(200_000))).len(),
            1
        );
        assert!(!problems(&format!("a = {}", "[".repeat(200_000))).is_empty());
        assert!(
            problems("a = 1 # 1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11. 12. 13. 14. 15. 16. 17. 18.")
                .is_empty()
        );
    }

    #[test]
    fn reads_every_kind_of_value() {
        let text = "i = 1_000\nh = 0xff\nf = 1_0.5e1\nn = nan\nb = true\nd = 2020-01-01\nbig = 99999999999999999999999\n";
        let mut report = Report::default();
        let node = document(text, 0, &mut report).unwrap();
        let show = |key| node.get(key).unwrap().describe();
        assert_eq!(show("i"), "the whole number 1000");
        assert_eq!(show("h"), "the whole number 255");
        assert_eq!(show("f"), "the number 105");
        assert_eq!(show("n"), "the number NaN");
        assert_eq!(show("big"), "the whole number 99999999999999999999999");
        assert_eq!(show("d"), "the date 2020-01-01");
    }
}
