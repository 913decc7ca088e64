//! The model's schema as the walk, the merge and the patches read it.

use std::sync::OnceLock;

use serde_json::{Map, Value as Json};

use crate::tree::Node;

/// Schema of the merged scenario, without the `null`s that TOML cannot hold.
pub(crate) fn model_schema() -> &'static Json {
    static SCHEMA: OnceLock<Json> = OnceLock::new();
    SCHEMA.get_or_init(schema_of::<crate::Scenario>)
}

/// Schema of any Spec, without the `null`s that TOML cannot hold.
pub(crate) fn schema_of<T: schemars::JsonSchema>() -> Json {
    let mut schema = schemars::schema_for!(T).to_value();
    strip_null(&mut schema);
    restrict_names(&mut schema);
    schema
}

/// Pattern of names: they become names of columns and stand in messages, so they can be printed.
pub(crate) const NAME_PATTERN: &str = r"^[^\x00-\x1F\x7F-\x9F]+$";

/// Names without a pattern of their own are not empty, can be printed and end some time.
fn restrict_names(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            if let Some(Json::Object(name)) =
                map.get_mut("properties").and_then(|p| p.get_mut("name"))
                && name.get("type").and_then(Json::as_str) == Some("string")
                && !name.contains_key("pattern")
            {
                name.insert("pattern".to_owned(), NAME_PATTERN.into());
                name.insert("minLength".to_owned(), 1.into());
                name.insert("maxLength".to_owned(), 100.into());
            }
            map.values_mut().for_each(restrict_names);
        }
        Json::Array(items) => items.iter_mut().for_each(restrict_names),
        _ => {}
    }
}

/// `Option` gives `anyOf [X, null]` or `type [x, null]`; a TOML key that is absent is absent.
fn strip_null(schema: &mut Json) {
    match schema {
        Json::Object(map) => {
            if let Some(Json::Array(types)) = map.get("type")
                && let [one, Json::String(null)] = types.as_slice()
                && null == "null"
            {
                let one = one.clone();
                map.insert("type".to_owned(), one);
            }
            if let Some(Json::Array(options)) = map.get("anyOf")
                && let [Json::Object(one), null] = options.as_slice()
                && null.get("type").and_then(Json::as_str) == Some("null")
            {
                let one = one.clone();
                map.remove("anyOf");
                for (key, value) in one {
                    map.entry(key).or_insert(value);
                }
            }
            map.values_mut().for_each(strip_null);
        }
        Json::Array(items) => items.iter_mut().for_each(strip_null),
        _ => {}
    }
}

/// Schema of one place: what stands there and, if that is a reference, what it refers to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    root: &'a Json,
    site: &'a Json,
    target: &'a Json,
}

/// What a place holds.
#[derive(Debug, Clone)]
pub(crate) enum Form<'a> {
    /// A table with known keys.
    Table {
        /// Its keys.
        keys: Vec<&'a str>,
        /// The ones that cannot be left out.
        required: Vec<&'a str>,
    },
    /// A table with keys of the user's choice.
    Map(Shape<'a>),
    /// An array.
    Array(Shape<'a>),
    /// A table whose `tag` says which other keys it has.
    Tagged {
        /// Key that says which.
        tag: &'a str,
        /// Values of the key.
        names: Vec<&'a str>,
    },
    /// A text out of a list.
    Choice(Vec<&'a str>),
    /// Any text.
    Text,
    /// True or false.
    Boolean,
    /// A number.
    Number,
    /// A whole number.
    Integer,
}

impl<'a> Shape<'a> {
    /// The scenario as a whole.
    pub(crate) fn root() -> Shape<'static> {
        Shape::of(model_schema())
    }

    /// All of a schema.
    pub(crate) fn of(root: &'a Json) -> Self {
        Self {
            root,
            site: root,
            target: root,
        }
    }

    fn at(self, site: &'a Json) -> Self {
        let target = reference(site)
            .and_then(|name| self.root.get("$defs")?.get(name))
            .unwrap_or(site);
        Self {
            root: self.root,
            site,
            target,
        }
    }

    /// A schema keyword; that of the place wins over that of the definition.
    pub(crate) fn word(self, keyword: &str) -> Option<&'a Json> {
        self.site.get(keyword).or_else(|| self.target.get(keyword))
    }

    /// A schema keyword with a number.
    pub(crate) fn number(self, keyword: &str) -> Option<f64> {
        self.word(keyword).and_then(Json::as_f64)
    }

    /// Unit of the number, as it stands in `x-unit`.
    pub(crate) fn unit(self) -> Option<&'a str> {
        self.word("x-unit").and_then(Json::as_str)
    }

    /// Description in one line.
    pub(crate) fn description(self) -> String {
        let text = self
            .word("description")
            .and_then(Json::as_str)
            .unwrap_or("");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Name of the type that stands there, if it has one.
    pub(crate) fn definition(self) -> Option<&'a str> {
        reference(self.site)
    }

    /// Whether it is a number with source and confidence.
    pub(crate) fn is_sourced(self) -> bool {
        reference(self.site) == Some("Sourced")
    }

    /// Whether it is a table that says itself where its numbers come from.
    pub(crate) fn carries_provenance(self) -> bool {
        ["source", "grade", "confidence"]
            .iter()
            .all(|key| self.properties().is_some_and(|p| p.contains_key(*key)))
    }

    fn properties(self) -> Option<&'a Map<String, Json>> {
        self.target.get("properties").and_then(Json::as_object)
    }

    fn variants(self) -> Option<&'a Vec<Json>> {
        self.target.get("oneOf").and_then(Json::as_array)
    }

    /// What the place holds; none for a schema that no Spec of Ballast gives.
    pub(crate) fn form(self) -> Option<Form<'a>> {
        if let Some(variants) = self.variants() {
            if let Some(choices) = variants
                .iter()
                .map(|v| v.get("const").and_then(Json::as_str))
                .collect()
            {
                return Some(Form::Choice(choices));
            }
            let (tag, _) = variant_tag(variants.first()?)?;
            let names = variants
                .iter()
                .filter_map(|v| Some(variant_tag(v)?.1))
                .collect();
            return Some(Form::Tagged { tag, names });
        }
        if let Some(choices) = self.target.get("enum").and_then(Json::as_array) {
            return Some(Form::Choice(
                choices.iter().filter_map(Json::as_str).collect(),
            ));
        }
        match self.target.get("type")?.as_str()? {
            "object" => Some(match self.target.get("additionalProperties") {
                Some(other @ Json::Object(_)) => Form::Map(self.at(other)),
                _ => Form::Table {
                    keys: self
                        .properties()
                        .into_iter()
                        .flatten()
                        .map(|(key, _)| key.as_str())
                        .collect(),
                    required: self
                        .target
                        .get("required")
                        .and_then(Json::as_array)
                        .into_iter()
                        .flatten()
                        .filter_map(Json::as_str)
                        .collect(),
                },
            }),
            "array" => Some(Form::Array(self.at(self.target.get("items")?))),
            "string" => Some(Form::Text),
            "boolean" => Some(Form::Boolean),
            "number" => Some(Form::Number),
            "integer" => Some(Form::Integer),
            _ => None,
        }
    }

    /// Variant of a tagged table by the value of its tag.
    pub(crate) fn variant(self, name: &str) -> Option<Self> {
        let site = self
            .variants()?
            .iter()
            .find(|v| variant_tag(v).is_some_and(|(_, n)| n == name))?;
        Some(self.at(site))
    }

    /// The same place with its variant chosen by the tag in `node`, if it is a tagged table.
    pub(crate) fn chosen(self, node: &Node) -> Self {
        match self.form() {
            Some(Form::Tagged { tag, .. }) => node
                .get(tag)
                .and_then(Node::as_str)
                .and_then(|name| self.variant(name))
                .unwrap_or(self),
            _ => self,
        }
    }

    /// Shape of a key of a table; for a tagged table choose the variant first.
    pub(crate) fn key(self, key: &str) -> Option<Self> {
        match self.form()? {
            Form::Map(value) => Some(value),
            _ => Some(self.at(self.properties()?.get(key)?)),
        }
    }

    /// Shape of an array's items.
    pub(crate) fn item(self) -> Option<Self> {
        match self.form()? {
            Form::Array(item) => Some(item),
            _ => None,
        }
    }

    /// Shape of a path of plain keys (`plant.sets` gives the array); variants do not come in between.
    pub(crate) fn path(self, path: &str) -> Option<Self> {
        path.split('.').try_fold(self, Self::key)
    }
}

/// Name of the definition a schema refers to.
pub(crate) fn reference(site: &Json) -> Option<&str> {
    site.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// Tag and its value of a variant of a tagged table.
pub(crate) fn variant_tag(variant: &Json) -> Option<(&str, &str)> {
    let properties = variant.get("properties")?.as_object()?;
    properties
        .iter()
        .find_map(|(key, schema)| Some((key.as_str(), schema.get("const")?.as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place of the schema has a form the walk understands.
    #[test]
    fn every_place_has_a_form() {
        fn check(shape: Shape<'_>, path: &str) {
            match shape.form().unwrap_or_else(|| panic!("{path} has no form")) {
                Form::Table { keys, .. } => {
                    for key in keys {
                        if shape
                            .word("properties")
                            .and_then(|p| p.get(key)?.get("const"))
                            .is_none()
                        {
                            check(shape.key(key).unwrap(), &format!("{path}.{key}"));
                        }
                    }
                }
                Form::Map(inner) | Form::Array(inner) => check(inner, &format!("{path}.*")),
                Form::Tagged { names, .. } => {
                    for name in names {
                        check(shape.variant(name).unwrap(), &format!("{path}({name})"));
                    }
                }
                Form::Text => {
                    if let Some(pattern) = shape.word("pattern") {
                        assert!(
                            crate::pattern::matches(pattern.as_str().unwrap(), "x").is_some(),
                            "{path}"
                        );
                    }
                }
                _ => {}
            }
        }
        check(Shape::root(), "");
        assert!(!model_schema().to_string().contains("null"));
    }

    #[test]
    fn units_stand_at_the_place() {
        let rated = Shape::root()
            .path("plant.sets")
            .and_then(Shape::item)
            .and_then(|s| s.key("rated_kw"))
            .unwrap();
        assert_eq!(rated.unit(), Some("kW"));
        let tdp = Shape::root()
            .path("gpus")
            .and_then(|s| s.key("any"))
            .and_then(|s| s.key("edpp_w"))
            .unwrap();
        assert!(tdp.is_sourced() && tdp.unit() == Some("W"));
    }
}
