//! The scenario that `ballast new` writes.

const TEMPLATE: &str = include_str!("starter.toml");

/// Text of a scenario that runs as it is: 8 racks in training, two diesel sets, limits. Every other key stands in it as a comment.
///
/// Characters of `name` that a scenario's name cannot have become `-`.
pub fn starter(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .take(100)
        .collect();
    let name = name.trim_start_matches(['.', '_', '-']);
    let name = if name.is_empty() { "scenario" } else { name };
    TEMPLATE.replace("{name}", name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::shape::{Form, Shape};

    #[test]
    fn it_loads_without_a_problem_or_a_warning() {
        for name in ["first", "../a b", "", "ä"] {
            let loaded = crate::load_str("new.toml", &starter(name), Path::new("."), &[])
                .unwrap_or_else(|p| panic!("{p}"));
            assert_eq!(loaded.warnings, []);
            assert_eq!(
                loaded.scenario.racks.iter().map(|r| r.count).sum::<u32>(),
                8
            );
            assert_eq!(loaded.scenario.plant.unwrap().sets[0].count, 2);
        }
    }

    /// Every key of a scenario stands in the starter, set or as a comment that is valid TOML.
    #[test]
    fn it_shows_every_key() {
        fn keys(shape: Shape<'_>, path: &str, all: &mut Vec<String>) {
            match shape.form() {
                Some(Form::Table { keys: names, .. }) => {
                    for name in names {
                        all.push(name.to_owned());
                        if let Some(inner) = shape
                            .key(name)
                            .filter(|s| !s.is_sourced() && s.word("const").is_none())
                        {
                            keys(inner, &format!("{path}.{name}"), all);
                        }
                    }
                }
                Some(Form::Tagged { names, .. }) => names
                    .iter()
                    .for_each(|n| keys(shape.variant(n).unwrap(), path, all)),
                // Profiles, nodes and supplies have files of their own; the starter shows how to change one.
                Some(Form::Map(inner)) if path.contains("sets") => keys(inner, path, all),
                Some(Form::Array(inner)) => keys(inner, path, all),
                _ => {}
            }
        }
        let mut all = Vec::new();
        keys(Shape::root(), "", &mut all);
        let text = starter("x");
        for key in all {
            let found = text.match_indices(&key).any(|(at, _)| {
                let before = text[..at].chars().next_back().unwrap_or('\n');
                let after = text[at + key.len()..].chars().next().unwrap_or('\n');
                !before.is_alphanumeric()
                    && before != '_'
                    && !after.is_alphanumeric()
                    && after != '_'
            });
            assert!(found, "`{key}` does not stand in the starter");
        }
    }

    #[test]
    fn its_comments_hold_toml() {
        let mut seen = 0;
        for line in starter("x").lines() {
            let Some(comment) = line.strip_prefix("# ") else {
                continue;
            };
            let Some((key, _)) = comment.split_once(" = ") else {
                continue;
            };
            if key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                seen += 1;
                assert!(comment.parse::<toml::Table>().is_ok(), "{comment}");
            }
        }
        assert!(seen > 60);
    }
}
