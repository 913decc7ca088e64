//! Units of power and time, and how the names of columns spell them.

/// Unit of a trace's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Watts.
    W,
    /// Kilowatts.
    Kw,
    /// Megawatts.
    Mw,
    /// Per unit of a base that the table does not know.
    PerUnit,
}

impl Unit {
    /// Watts per unit; 1 for [`Unit::PerUnit`], which stays per unit.
    pub fn factor(self) -> f64 {
        match self {
            Self::W | Self::PerUnit => 1.0,
            Self::Kw => 1e3,
            Self::Mw => 1e6,
        }
    }

    /// The unit as it is written after a number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::W => "W",
            Self::Kw => "kW",
            Self::Mw => "MW",
            Self::PerUnit => "pu",
        }
    }

    /// Reads a unit; "MW" is megawatts, and any other spelling of "mw" none of them: loggers of GPUs mean milliwatts by it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "MW" {
            return Some(Self::Mw);
        }
        match text.to_ascii_lowercase().as_str() {
            "w" | "watt" | "watts" => Some(Self::W),
            "kw" | "kilowatt" | "kilowatts" => Some(Self::Kw),
            "megawatt" | "megawatts" => Some(Self::Mw),
            "pu" | "p.u." | "perunit" => Some(Self::PerUnit),
            _ => None,
        }
    }
}

/// Unit of a trace's time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Date and time: ISO 8601, or with slashes in the date as nvidia-smi writes it.
    Iso8601,
}

impl TimeUnit {
    /// So many of the unit make a second; 1 for [`TimeUnit::Iso8601`], which is read as seconds.
    pub fn per_second(self) -> f64 {
        match self {
            Self::S | Self::Iso8601 => 1.0,
            Self::Ms => 1e3,
            Self::Us => 1e6,
        }
    }

    /// The unit as it is written after a number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::S => "s",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Iso8601 => "iso8601",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.to_lowercase().as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" => Some(Self::S),
            "ms" | "msec" | "millis" | "milliseconds" => Some(Self::Ms),
            "us" | "µs" | "μs" | "usec" | "micros" | "microseconds" => Some(Self::Us),
            "iso8601" | "iso" | "utc" => Some(Self::Iso8601),
            _ => None,
        }
    }

    /// Unit of a count since 1970, told from its size: 1e8 s is 1973, 1e11 s would be the year 5138.
    pub(crate) fn of_epoch(value: f64) -> Option<Self> {
        match value {
            v if (1e8..1e11).contains(&v) => Some(Self::S),
            v if (1e11..1e14).contains(&v) => Some(Self::Ms),
            v if (1e14..1e17).contains(&v) => Some(Self::Us),
            _ => None,
        }
    }
}

/// The unit part of a column's name: what stands in brackets at its end, else its last word.
pub(crate) fn unit_text(name: &str) -> &str {
    let name = name.trim();
    for (open, close) in [('[', ']'), ('(', ')')] {
        if let Some(inside) = name.strip_suffix(close).and_then(|n| n.rsplit_once(open)) {
            return inside.1.trim();
        }
    }
    name.rsplit(|c: char| !c.is_alphanumeric() && c != '.')
        .find(|word| !word.is_empty())
        .unwrap_or("")
}

/// Unit of power in a column's name: `power_w`, `P_kW`, `kW`, `power.draw [W]`, `watts`, `dP_pu`.
pub(crate) fn power_unit(name: &str) -> Option<Unit> {
    let text = unit_text(name);
    Unit::parse(text).or_else(|| text.rsplit('.').next().and_then(Unit::parse))
}

/// Whether the unit is spelled in a way that may mean milliwatts or megawatts: `power_mw`, `mW`.
pub(crate) fn says_mw(text: &str) -> bool {
    text != "MW" && text.eq_ignore_ascii_case("mw")
}

/// Unit of time in a column's name: `t_s`, `time_ms`, `timestamp [us]`.
pub(crate) fn time_unit(name: &str) -> Option<TimeUnit> {
    TimeUnit::parse(unit_text(name))
}

/// Whether a column's name says nanoseconds, which are no unit of a trace.
pub(crate) fn says_nanoseconds(name: &str) -> bool {
    matches!(
        unit_text(name).to_ascii_lowercase().as_str(),
        "ns" | "nsec" | "nanos" | "nanoseconds"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_in_names() {
        for (name, unit) in [
            ("power_w", Some(Unit::W)),
            ("power_kw", Some(Unit::Kw)),
            ("power_mw", None),
            ("P_MW", Some(Unit::Mw)),
            ("P_mW", None),
            ("P_kW", Some(Unit::Kw)),
            ("kW", Some(Unit::Kw)),
            ("power.draw [W]", Some(Unit::W)),
            ("Leistung (kW)", Some(Unit::Kw)),
            ("watts", Some(Unit::W)),
            ("site.power.kw", Some(Unit::Kw)),
            ("dP_pu", Some(Unit::PerUnit)),
            ("P [p.u.]", Some(Unit::PerUnit)),
            ("power", None),
            ("clocks.current.sm [MHz]", None),
            ("energy_wh", None),
            ("", None),
            ("]", None),
            ("[]", None),
        ] {
            assert_eq!(power_unit(name), unit, "{name}");
        }
        assert_eq!(time_unit("t_s"), Some(TimeUnit::S));
        assert_eq!(time_unit("timestamp [ms]"), Some(TimeUnit::Ms));
        assert_eq!(time_unit("time (µs)"), Some(TimeUnit::Us));
        assert_eq!(time_unit("time"), None);
        assert!(says_nanoseconds("time_ns"));
    }
}
