//! Ranges of numbers, as the schema states them and as messages say them.

use crate::shape::Shape;

/// A number for a message: very small and very large ones with an exponent.
pub(crate) fn number(value: f64) -> String {
    // Whole numbers are exact up to 2^53, and a bound such as that of a seed is written out.
    let whole = value.trunc() == value && value.abs() <= 9_007_199_254_740_991.0;
    if whole || (1e-6..1e15).contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// Range of a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits<'a> {
    min: Option<f64>,
    above: Option<f64>,
    max: Option<f64>,
    below: Option<f64>,
    /// What to do instead, for a value out of range.
    hint: Option<&'a str>,
    /// Unit of the number.
    pub(crate) unit: Option<&'a str>,
}

impl<'a> Limits<'a> {
    /// Range of a plain number.
    pub(crate) fn of(shape: Shape<'a>) -> Self {
        let format = match shape.word("format").and_then(serde_json::Value::as_str) {
            Some("uint32") => Some(f64::from(u32::MAX)),
            _ => None,
        };
        Self {
            min: shape.number("minimum"),
            above: shape.number("exclusiveMinimum"),
            max: shape.number("maximum").or(format),
            below: shape.number("exclusiveMaximum"),
            hint: shape.word("x-hint").and_then(serde_json::Value::as_str),
            unit: shape.unit(),
        }
    }

    /// Range of a sourced number's `value`, `low` and `high`.
    pub(crate) fn of_sourced(shape: Shape<'a>) -> Self {
        Self {
            min: shape.number("x-min-value"),
            above: shape.number("x-min-value-exclusive"),
            max: shape.number("x-max-value"),
            below: shape.number("x-max-value-exclusive"),
            hint: shape.word("x-hint").and_then(serde_json::Value::as_str),
            unit: shape.unit(),
        }
    }

    /// Whether a value lies in the range.
    pub(crate) fn hold(&self, value: f64) -> bool {
        self.min.is_none_or(|m| value >= m)
            && self.above.is_none_or(|m| value > m)
            && self.max.is_none_or(|m| value <= m)
            && self.below.is_none_or(|m| value < m)
    }

    /// " in kW"; empty without unit.
    pub(crate) fn in_unit(&self) -> String {
        self.unit.map_or_else(String::new, |u| format!(" in {u}"))
    }

    /// "a number above 0, at most 50, in s".
    pub(crate) fn describe(&self, what: &str) -> String {
        let range = self.range();
        let range = if range.is_empty() {
            String::new()
        } else {
            format!(" {range}")
        };
        format!(
            "{what}{range}{}{}",
            self.unit.map_or_else(String::new, |u| format!(", in {u}")),
            self.hint.map_or_else(String::new, |h| format!("; {h}"))
        )
    }

    /// "above 0, at most 50"; empty without bounds.
    pub(crate) fn range(&self) -> String {
        let parts = [
            ("at least", self.min),
            ("above", self.above),
            ("at most", self.max),
            ("below", self.below),
        ];
        let words: Vec<String> = parts
            .iter()
            .filter_map(|(word, end)| Some(format!("{word} {}", number((*end)?))))
            .collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_stay_short() {
        for (value, text) in [
            (0.0, "0"),
            (60.0, "60"),
            (-0.002, "-0.002"),
            (1e9, "1000000000"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (1e-300, "1e-300"),
            (-1.5e308, "-1.5e308"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
