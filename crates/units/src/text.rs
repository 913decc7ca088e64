//! Quantities as people write them: "2.5 MW", "20 ms", "1 250 kVA".

/// Why a text is no quantity in the wanted unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    /// No number at the start of the text.
    #[error("`{text}` does not start with a number")]
    NoNumber {
        /// The text as given.
        text: String,
    },
    /// The unit is not one that can be converted.
    #[error("`{unit}` is not a unit that converts to {wanted}")]
    WrongUnit {
        /// The unit as given.
        unit: String,
        /// The unit that was wanted.
        wanted: String,
    },
}

/// Base units that take an SI prefix.
const BASE_UNITS: [&str; 9] = ["W", "VA", "var", "s", "Hz", "J", "Wh", "V", "A"];

/// SI prefixes from micro to giga with their factors.
const PREFIXES: [(&str, f64); 7] = [
    ("", 1.0),
    ("µ", 1e-6),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
];

/// Dimension and factor to the base unit of a unit such as "kW" or "min".
fn dimension(unit: &str) -> Option<(&'static str, f64)> {
    match unit {
        "min" => return Some(("s", 60.0)),
        "h" => return Some(("s", 3600.0)),
        "d" => return Some(("s", 86_400.0)),
        _ => {}
    }
    for base in BASE_UNITS {
        if let Some(prefix) = unit.strip_suffix(base)
            && let Some((_, factor)) = PREFIXES.iter().find(|(p, _)| *p == prefix)
        {
            return Some(if base == "Wh" {
                ("J", factor * 3600.0)
            } else {
                (base, *factor)
            });
        }
    }
    None
}

/// Reads a number with an optional unit and returns it in `unit`.
///
/// "2.5 MW" in "kW" is 2500; a bare number is taken to be in `unit` already.
///
/// # Errors
/// When there is no number, or its unit does not convert to `unit`.
pub fn parse_in_unit(text: &str, unit: &str) -> Result<f64, ParseQuantityError> {
    let trimmed = text.trim();
    let number_end = (0..=trimmed.len())
        .rev()
        .filter(|end| trimmed.is_char_boundary(*end))
        .find(|end| {
            trimmed[..*end]
                .trim_end()
                .parse::<f64>()
                .is_ok_and(f64::is_finite)
        })
        .ok_or_else(|| ParseQuantityError::NoNumber {
            text: text.to_owned(),
        })?;
    let number: f64 =
        trimmed[..number_end]
            .trim_end()
            .parse()
            .map_err(|_| ParseQuantityError::NoNumber {
                text: text.to_owned(),
            })?;
    let given = trimmed[number_end..].trim();
    if given.is_empty() || given == unit {
        return Ok(number);
    }
    match (dimension(given), dimension(unit)) {
        (Some((a, from)), Some((b, to))) if a == b => Ok(number * from / to),
        _ => Err(ParseQuantityError::WrongUnit {
            unit: given.to_owned(),
            wanted: unit.to_owned(),
        }),
    }
}

/// Prints a quantity with an SI prefix and `digits` significant digits: 2 500 000 W is "2.50 MW".
pub fn format_si(value: f64, unit: &str, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value} {unit}");
    }
    let (prefix, factor) = [
        ("G", 1e9),
        ("M", 1e6),
        ("k", 1e3),
        ("", 1.0),
        ("m", 1e-3),
        ("µ", 1e-6),
    ]
    .into_iter()
    .find(|(_, f)| value.abs() >= f * 0.999_5)
    .unwrap_or(("µ", 1e-6));
    let scaled = value / factor;
    let whole = scaled.abs().log10().floor().max(0.0) as usize + 1;
    format!("{scaled:.*} {prefix}{unit}", digits.saturating_sub(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_prefixes_and_bare_numbers() {
        assert_eq!(parse_in_unit("2.5 MW", "kW"), Ok(2500.0));
        assert_eq!(parse_in_unit("20ms", "s"), Ok(0.02));
        assert_eq!(parse_in_unit("7", "Hz"), Ok(7.0));
        assert_eq!(parse_in_unit("1e3 W", "kW"), Ok(1.0));
        assert_eq!(parse_in_unit("2 min", "s"), Ok(120.0));
        assert_eq!(parse_in_unit("1 kWh", "J"), Ok(3.6e6));
    }

    #[test]
    fn refuses_what_is_no_such_quantity() {
        assert!(matches!(
            parse_in_unit("fast", "s"),
            Err(ParseQuantityError::NoNumber { .. })
        ));
        assert!(matches!(
            parse_in_unit("inf", "s"),
            Err(ParseQuantityError::NoNumber { .. })
        ));
        assert!(matches!(
            parse_in_unit("3 kW", "s"),
            Err(ParseQuantityError::WrongUnit { .. })
        ));
        assert!(matches!(
            parse_in_unit("3 m", "s"),
            Err(ParseQuantityError::WrongUnit { .. })
        ));
    }

    #[test]
    fn prints_significant_digits() {
        assert_eq!(format_si(2.5e6, "W", 3), "2.50 MW");
        assert_eq!(format_si(0.02, "s", 3), "20.0 ms");
        assert_eq!(format_si(999.9, "W", 3), "1.00 kW");
        assert_eq!(format_si(0.0, "W", 3), "0 W");
    }
}
