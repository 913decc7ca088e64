//! Units and numbers as they are printed.

use crate::axis::{Range, drawable};

/// A unit values are shown in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit {
    /// Shown value per stored value.
    pub(crate) factor: f64,
    /// Its symbol.
    pub(crate) symbol: &'static str,
}

impl Unit {
    /// `range` in this unit.
    pub(crate) fn range(&self, range: Range) -> Range {
        Range {
            lo: range.lo * self.factor,
            hi: range.hi * self.factor,
        }
    }
}

/// Unit for powers up to `largest_w` watts: numbers stay between 2 and 2000 where SI allows.
pub(crate) fn power_unit(largest_w: f64) -> Unit {
    let (factor, symbol) = match largest_w {
        w if w >= 2e9 => (1e-9, "GW"),
        w if w >= 2e6 => (1e-6, "MW"),
        w if w >= 2e3 => (1e-3, "kW"),
        _ => (1.0, "W"),
    };
    Unit { factor, symbol }
}

/// Unit for a stretch of time of `span_s` seconds.
pub(crate) fn time_unit(span_s: f64) -> Unit {
    let (factor, symbol) = match span_s {
        s if s > 4.0 * 86_400.0 => (1.0 / 86_400.0, "d"),
        s if s > 3.0 * 3600.0 => (1.0 / 3600.0, "h"),
        s if s > 600.0 => (1.0 / 60.0, "min"),
        s if s > 0.5 => (1.0, "s"),
        _ => (1e3, "ms"),
    };
    Unit { factor, symbol }
}

/// Unit for gains up to `largest` hertz per megawatt.
pub(crate) fn gain_unit(largest: f64) -> Unit {
    let (factor, symbol) = match largest {
        g if g >= 0.2 => (1.0, "Hz/MW"),
        g if g >= 2e-4 => (1e3, "mHz/MW"),
        g if g <= 0.0 => (1.0, "Hz/MW"),
        _ => (1e6, "µHz/MW"),
    };
    Unit { factor, symbol }
}

/// `value` with so many decimals, never `-0`.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| b == b'0' || b == b'.') => rest.to_owned(),
        _ => text,
    }
}

/// `value` with at most so many decimals and no zeros at their end.
pub(crate) fn trimmed(value: f64, decimals: usize) -> String {
    without_zeros(fixed(value, decimals))
}

/// `value` with so many significant digits, whole digits never dropped.
pub(crate) fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !drawable(value) {
        return fixed(value, 0);
    }
    let decimals = digits - 1 - value.abs().log10().floor() as i32;
    fixed(value, decimals.clamp(0, 12) as usize)
}

/// The same without zeros at the end of its decimals.
pub(crate) fn brief(value: f64, digits: i32) -> String {
    without_zeros(significant(value, digits))
}

/// A number as printed, without zeros at the end of its decimals.
fn without_zeros(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Decimals with which values tell about a hundredth of `span` apart.
pub(crate) fn decimals_for(span: f64) -> usize {
    if span > 0.0 && drawable(span) {
        (2.0 - span.log10()).ceil().clamp(0.0, 9.0) as usize
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_without_noise() {
        assert_eq!(fixed(-0.000_1, 2), "0.00");
        assert_eq!(trimmed(59.5, 6), "59.5");
        assert_eq!(trimmed(100.0, 6), "100");
        assert_eq!(brief(0.05, 3), "0.05");
        assert_eq!(brief(100.0, 3), "100");
        assert_eq!(significant(0.012_345, 3), "0.0123");
        assert_eq!(significant(12_345.6, 3), "12346");
        assert_eq!(significant(f64::MIN_POSITIVE, 3), "0.000000000000");
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!(power_unit(1.2e6).symbol, "kW");
        assert_eq!(power_unit(5e6).symbol, "MW");
        assert_eq!(power_unit(0.0).symbol, "W");
        assert_eq!(time_unit(60.0).symbol, "s");
        assert_eq!(gain_unit(0.01).symbol, "mHz/MW");
    }
}
