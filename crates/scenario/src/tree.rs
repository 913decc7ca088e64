//! A document whose every value and key knows where it stands.

/// Where a value stands: a text of [`Sources`] and a byte in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    /// Index into [`Sources`].
    pub(crate) file: usize,
    /// First byte.
    pub(crate) start: usize,
}

/// A text that values come from.
#[derive(Debug, Clone)]
struct Source {
    name: String,
    /// Absent for `--set`: a place in it would say nothing.
    text: Option<String>,
    line_starts: Vec<usize>,
}

/// The texts that values come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources(Vec<Source>);

/// A place as a reader finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Name of the text.
    pub(crate) file: String,
    /// Line, from 1.
    pub(crate) line: Option<u32>,
    /// Column in characters, from 1.
    pub(crate) column: Option<u32>,
}

impl Sources {
    /// Adds a text and returns its number.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: Option<String>) -> usize {
        let line_starts = match &text {
            Some(text) => std::iter::once(0)
                .chain(text.match_indices('\n').map(|(at, _)| at + 1))
                .collect(),
            None => Vec::new(),
        };
        self.0.push(Source {
            name: name.into(),
            text,
            line_starts,
        });
        self.0.len() - 1
    }

    /// Number of a text added earlier under this name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|s| s.name == name)
    }

    /// Name of a text.
    pub(crate) fn name(&self, file: usize) -> &str {
        self.0.get(file).map_or("", |s| s.name.as_str())
    }

    /// Line and column of an origin.
    pub(crate) fn place(&self, origin: Origin) -> Place {
        let Some(source) = self.0.get(origin.file) else {
            return Place {
                file: String::new(),
                line: None,
                column: None,
            };
        };
        let Some(text) = &source.text else {
            return Place {
                file: source.name.clone(),
                line: None,
                column: None,
            };
        };
        let start = origin.start.min(text.len());
        let line = source.line_starts.partition_point(|s| *s <= start).max(1);
        let line_start = source.line_starts.get(line - 1).copied().unwrap_or(0);
        let column = text.get(line_start..start).map_or(0, |t| t.chars().count()) + 1;
        Place {
            file: source.name.clone(),
            line: u32::try_from(line).ok(),
            column: u32::try_from(column).ok(),
        }
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The value.
    pub(crate) value: Value,
    /// Where it stands. A table's place is its header or its opening brace.
    pub(crate) origin: Origin,
}

/// A TOML value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A table, in the order of the file.
    Table(Vec<Entry>),
    /// An array.
    Array(Vec<Node>),
    /// A text.
    String(String),
    /// A whole number; wide enough to say by how much one is too large.
    Integer(i128),
    /// A number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A date or time; no key takes one.
    Datetime(String),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) origin: Origin,
    /// Its value.
    pub(crate) node: Node,
}

impl Node {
    /// A text.
    pub(crate) fn string(text: impl Into<String>, origin: Origin) -> Self {
        Self {
            value: Value::String(text.into()),
            origin,
        }
    }

    /// An empty table.
    pub(crate) fn table(origin: Origin) -> Self {
        Self {
            value: Value::Table(Vec::new()),
            origin,
        }
    }

    /// The entries, if it is a table.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entries, if it is a table.
    pub(crate) fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items, if it is an array.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// The items, if it is an array.
    pub(crate) fn items_mut(&mut self) -> &mut [Node] {
        match &mut self.value {
            Value::Array(items) => items,
            _ => &mut [],
        }
    }

    /// The text, if it is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Value of a key, if it is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?
            .iter()
            .find(|e| e.key == key)
            .map(|e| &e.node)
    }

    /// Value of a key, if it is a table that has it.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries_mut()?
            .iter_mut()
            .find(|e| e.key == key)
            .map(|e| &mut e.node)
    }

    /// Sets a key of a table; nothing happens if it is none.
    pub(crate) fn set(&mut self, key: &str, origin: Origin, node: Node) {
        if let Some(entries) = self.entries_mut() {
            match entries.iter_mut().find(|e| e.key == key) {
                Some(entry) => (entry.origin, entry.node) = (origin, node),
                None => entries.push(Entry {
                    key: key.to_owned(),
                    origin,
                    node,
                }),
            }
        }
    }

    /// Takes a key out of a table.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Entry> {
        let entries = self.entries_mut()?;
        let at = entries.iter().position(|e| e.key == key)?;
        Some(entries.remove(at))
    }

    /// What kind of value it is, for messages.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Table(_) => "a table".to_owned(),
            Value::Array(_) => "an array".to_owned(),
            Value::String(text) => format!("the text {text:?}"),
            Value::Integer(n) => format!("the whole number {n}"),
            Value::Float(x) => format!("the number {}", crate::limits::number(*x)),
            Value::Boolean(b) => format!("{b}"),
            Value::Datetime(d) => format!("the date {d}"),
        }
    }

    /// Place of a dotted path; the nearest parent's, if it is absent.
    ///
    /// Keys that contain dots are found by their longest match.
    pub(crate) fn origin_of(&self, path: &str) -> Origin {
        if path.is_empty() {
            return self.origin;
        }
        let child = match &self.value {
            Value::Table(entries) => entries
                .iter()
                .filter_map(|e| Some((&e.node, rest_of(path, &e.key)?)))
                .min_by_key(|(_, rest)| rest.len()),
            Value::Array(items) => {
                let (head, rest) = path.split_once('.').unwrap_or((path, ""));
                head.parse::<usize>()
                    .ok()
                    .and_then(|at| items.get(at))
                    .map(|node| (node, rest))
            }
            _ => None,
        };
        child.map_or(self.origin, |(node, rest)| node.origin_of(rest))
    }

    /// The same value for serde. A number that is not finite becomes null; the walk has refused it before.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Table(entries) => Json::Object(
                entries
                    .iter()
                    .map(|e| (e.key.clone(), e.node.to_json()))
                    .collect(),
            ),
            Value::Array(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::String(text) | Value::Datetime(text) => Json::String(text.clone()),
            Value::Integer(n) => {
                i64::try_from(*n).map_or_else(|_| Json::from(*n as f64), Json::from)
            }
            Value::Float(x) => Json::from(*x),
            Value::Boolean(b) => Json::Bool(*b),
        }
    }
}

/// What follows `key` in `path`, if the path begins with it.
fn rest_of<'a>(path: &'a str, key: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(key)?;
    if rest.is_empty() {
        Some(rest)
    } else {
        rest.strip_prefix('.')
    }
}

/// Path of a child.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let mut sources = Sources::default();
        let file = sources.add("a.toml", Some("x = 1\nµ = 2\n".to_owned()));
        assert_eq!(
            sources.place(Origin { file, start: 0 }),
            Place {
                file: "a.toml".into(),
                line: Some(1),
                column: Some(1)
            }
        );
        let two = sources.place(Origin {
            file,
            start: 6 + "µ = ".len(),
        });
        assert_eq!((two.line, two.column), (Some(2), Some(5)));
        assert_eq!(sources.place(Origin { file, start: 999 }).line, Some(3));
        let set = sources.add("--set a=1", None);
        assert_eq!(
            sources
                .place(Origin {
                    file: set,
                    start: 0
                })
                .line,
            None
        );
    }

    #[test]
    fn an_absent_path_is_placed_at_its_nearest_parent() {
        let at = |start| Origin { file: 0, start };
        let mut inner = Node::table(at(2));
        inner.set("b.c", at(3), Node::string("v", at(4)));
        let mut root = Node::table(at(1));
        root.set("a", at(2), inner);
        assert_eq!(root.origin_of("a.b.c"), at(4));
        assert_eq!(root.origin_of("a.b.d"), at(2));
        assert_eq!(root.origin_of("z.z"), at(1));
    }
}
