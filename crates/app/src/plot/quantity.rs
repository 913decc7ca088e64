//! Numbers as plots write them: SI prefixes chosen by range, decimals by the step of the axis, time as ms, s or h:min.

/// What an axis or a value is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Power, W.
    Power,
    /// Reactive power, var.
    Reactive,
    /// Frequency, Hz.
    Frequency,
    /// Per unit.
    PerUnit,
    /// A share, 0 to 1; written in per cent.
    Share,
}

/// The unit that a range is written in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Base units in one of it.
    pub factor: f64,
    /// Its name.
    pub unit: &'static str,
}

impl Quantity {
    /// The unit for values up to `largest` in magnitude, base units.
    pub fn scale(self, largest: f64) -> Scale {
        let prefixed = |names: [&'static str; 4]| {
            let steps = [(1e9, names[3]), (1e6, names[2]), (1e3, names[1])];
            let found = steps.into_iter().find(|(factor, _)| largest >= *factor);
            let (factor, unit) = found.unwrap_or((1.0, names[0]));
            Scale { factor, unit }
        };
        let plain = |factor, unit| Scale { factor, unit };
        match self {
            Self::Power => prefixed(["W", "kW", "MW", "GW"]),
            Self::Reactive => prefixed(["var", "kvar", "Mvar", "Gvar"]),
            Self::Frequency => plain(1.0, "Hz"),
            Self::PerUnit => plain(1.0, "pu"),
            Self::Share => plain(0.01, "%"),
        }
    }

    /// A value with its unit: to about a thousandth of `span`, the range that is looked at; to four digits where there is none.
    pub fn text(self, value: f64, span: f64) -> String {
        let scale = self.scale(value.abs());
        let number = value / scale.factor;
        let number = if span > 0.0 {
            decimal(number, decimals(span / scale.factor / 1e3).min(6))
        } else {
            significant(number, 4)
        };
        format!("{number} {}", scale.unit)
    }
}

impl Scale {
    /// Label of a tick of an axis in this unit whose ticks are `step` base units apart.
    pub fn tick(self, value: f64, step: f64) -> String {
        let (value, step) = (value / self.factor, step / self.factor);
        let places = decimals(step);
        // Steps of 0.25 or 2.5 have a digit more than their size tells.
        let leads = step * 10_f64.powi(i32::try_from(places).unwrap_or(0));
        let odd = (leads - leads.round()).abs() > 1e-6;
        decimal(value, places + usize::from(odd))
    }
}

/// Decimals that tell values `step` apart; at most 9.
pub fn decimals(step: f64) -> usize {
    if !step.is_finite() || step <= 0.0 {
        return 0;
    }
    let places = (-step.log10() - 1e-9).ceil();
    places.clamp(0.0, 9.0) as usize
}

/// A number with so many decimals, a true minus sign, and no negative zero.
pub fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let zero = !text.chars().any(|c| ('1'..='9').contains(&c));
    match text.strip_prefix('-') {
        Some(magnitude) if zero => magnitude.to_owned(),
        Some(magnitude) => format!("\u{2212}{magnitude}"),
        None => text,
    }
}

/// Frequency with an SI prefix: "5 mHz", "2.5 Hz", "1 kHz".
pub fn hertz(value: f64) -> String {
    let (factor, unit) = match value {
        v if v >= 1e3 => (1e3, "kHz"),
        v if v >= 0.1 => (1.0, "Hz"),
        _ => (1e-3, "mHz"),
    };
    format!("{} {unit}", significant(value / factor, 3))
}

/// A number to so many significant digits, without zeros at its end.
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return decimal(value, 0);
    }
    let places = (digits - 1 - value.abs().log10().floor() as i32).clamp(0, 9);
    let text = decimal(value, usize::try_from(places).unwrap_or(0));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A moment, to be told from others `step_s` apart: "125 ms", "12.5 s", "1:05 h" (hours and minutes), "1:05:30 h".
pub fn moment(t_s: f64, step_s: f64) -> String {
    if step_s >= 60.0 {
        let minutes = (t_s / 60.0).round();
        let (sign, minutes) = (if minutes < 0.0 { "\u{2212}" } else { "" }, minutes.abs());
        let (hours, minutes) = ((minutes / 60.0).floor(), minutes % 60.0);
        return format!("{sign}{hours}:{minutes:02} h");
    }
    if step_s >= 1.0 && t_s.abs() >= 3600.0 {
        let seconds = t_s.abs().round();
        let sign = if t_s < 0.0 { "\u{2212}" } else { "" };
        let (hours, rest) = ((seconds / 3600.0).floor(), seconds % 3600.0);
        let (minutes, seconds) = ((rest / 60.0).floor(), rest % 60.0);
        return format!("{sign}{hours}:{minutes:02}:{seconds:02} h");
    }
    if step_s < 1.0 && t_s.abs() < 1.0 && step_s >= 1e-6 {
        return format!("{} ms", decimal(t_s * 1e3, decimals(step_s * 1e3)));
    }
    format!("{} s", decimal(t_s, decimals(step_s)))
}

/// A length of time: "20 ms", "1.5 s", "10 min", "24 h".
pub fn duration(s: f64) -> String {
    let (factor, unit) = match s.abs() {
        v if v >= 7200.0 => (3600.0, "h"),
        v if v >= 120.0 => (60.0, "min"),
        v if v >= 1.0 || v == 0.0 => (1.0, "s"),
        v if v >= 1e-3 => (1e-3, "ms"),
        _ => (1e-6, "µs"),
    };
    format!("{} {unit}", significant(s / factor, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_chooses_the_unit() {
        assert_eq!(Quantity::Power.text(5_320_000.0, 1e6), "5.320 MW");
        assert_eq!(Quantity::Power.text(812.0, 0.0), "812 W");
        assert_eq!(Quantity::Power.text(-45_600.0, 1e4), "\u{2212}45.60 kW");
        assert_eq!(Quantity::Share.text(0.525, 1.0), "52.5 %");
        assert_eq!(Quantity::Frequency.text(49.873, 0.5), "49.8730 Hz");
        assert_eq!(Quantity::Power.scale(2.5e9).tick(2.5e9, 5e8), "2.5");
        let mega = Quantity::Power.scale(1e6);
        assert_eq!(mega.tick(0.75e6, 0.25e6), "0.75");
        assert_eq!(mega.tick(1e6, 0.25e6), "1.00");
        assert_eq!(mega.tick(0.8e6, 0.2e6), "0.8");
    }

    #[test]
    fn times_are_short_at_every_zoom() {
        assert_eq!(moment(0.125, 0.005), "125 ms");
        assert_eq!(moment(12.5, 0.5), "12.5 s");
        assert_eq!(moment(3900.0, 300.0), "1:05 h");
        assert_eq!(moment(37_709.2, 30.0), "10:28:29 h");
        assert_eq!(moment(37_709.2, 0.1), "37709.2 s");
        assert_eq!(moment(1234.5678, 0.0005), "1234.5678 s");
        assert_eq!(duration(0.02), "20 ms");
        assert_eq!(duration(86_400.0), "24 h");
        assert_eq!(hertz(0.005), "5 mHz");
        assert_eq!(decimal(-0.0001, 2), "0.00");
    }
}
