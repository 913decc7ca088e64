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
    #[error("`{unit}` is not a unit that converts to {}", if wanted.is_empty() { "a plain number" } else { wanted })]
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

/// Prints a quantity that is told in `unit` with the SI prefix that suits it and four significant digits: 1500 in "kW" is "1.500 MW", as
/// [`format_figure`] does; in a unit that takes no prefix as [`format_number`] does, with the unit behind it.
pub fn format_in_unit(value: f64, unit: &str) -> String {
    let power = ["W", "VA", "var", "Wh", "J"];
    let base = power.iter().find_map(|base| {
        let prefix = unit.strip_suffix(base)?;
        let (_, factor) = PREFIXES.iter().find(|(p, _)| *p == prefix)?;
        Some((*base, *factor))
    });
    match base {
        Some((base, factor)) => format_figure(value * factor, base, 4),
        None if unit.is_empty() => format_number(value),
        None => format!("{} {unit}", format_number(value)),
    }
}

/// Whether a figure has so many zeros that only a power of ten shows it.
fn is_extreme(x: f64) -> bool {
    x != 0.0 && !(1e-6..1e15).contains(&x.abs())
}

/// Prints a figure with an SI prefix and `digits` significant digits, as [`format_si`] does; one that would be all zeros with a power of ten.
pub fn format_figure(value: f64, unit: &str, digits: usize) -> String {
    if is_extreme(value) {
        format!("{} {unit}", format_number(value))
    } else {
        format_si(value, unit, digits)
    }
}

/// Prints a figure with five significant digits at most, without trailing zeros.
pub fn format_number(x: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    if is_extreme(x) {
        let text = format!("{x:.4e}");
        return match text.split_once('e') {
            Some((m, e)) => format!("{}e{e}", m.trim_end_matches('0').trim_end_matches('.')),
            None => text,
        };
    }
    let digits = (4 - x.abs().log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{x:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
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

    #[test]
    fn figures_are_short_and_true() {
        assert_eq!(format_number(59.123_456), "59.123");
        assert_eq!(format_number(1012.34), "1012.3");
        assert_eq!(format_number(0.000_123_456), "0.00012346");
        assert_eq!(format_number(-2.0), "-2");
        assert_eq!(format_number(123_456.0), "123456");
        assert_eq!(format_number(1e300), "1e300");
        assert_eq!(format_number(-1.234_567e-9), "-1.2346e-9");
        assert_eq!(format_number(9.9e14), "990000000000000");
        assert_eq!(format_figure(1e300, "W", 4), "1e300 W");
        assert_eq!(format_figure(2.5e6, "W", 4), "2.500 MW");
        assert_eq!(format_in_unit(1500.0, "kW"), "1.500 MW");
        assert_eq!(format_in_unit(12.5, "kWh"), "12.50 kWh");
        assert_eq!(format_in_unit(0.0, "kW"), "0 W");
        assert_eq!(format_in_unit(59.123_456, "Hz"), "59.123 Hz");
        assert_eq!(format_in_unit(1.48, "of rated"), "1.48 of rated");
        assert_eq!(format_in_unit(f64::NAN, "Hz"), "NaN Hz");
    }
}
