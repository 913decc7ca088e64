//! `--vary KEY=FROM..TO[:N][:log]`: which values a key takes.

use std::str::FromStr;

use ballast_units::parse_in_unit;

/// Values of a key as given; quantities may have their unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vary {
    /// Dotted path, as `--set` takes it.
    pub(crate) key: String,
    /// First value, as text.
    pub(crate) from: String,
    /// Last value, as text.
    pub(crate) to: String,
    /// How many values; none where nothing is said.
    pub(crate) points: Option<u32>,
    /// Whether they are spaced by their logarithm.
    pub(crate) log: bool,
}

/// Most values of a key.
pub(crate) const MOST_POINTS: u32 = 200;

impl FromStr for Vary {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const HOW: &str = "write KEY=FROM..TO, KEY=FROM..TO:N or KEY=FROM..TO:N:log";
        let (key, range) = text.split_once('=').ok_or(HOW)?;
        let mut parts = range.split(':').map(str::trim);
        let (from, to) = parts.next().and_then(|r| r.split_once("..")).ok_or(HOW)?;
        let mut vary = Self {
            key: key.trim().to_owned(),
            from: from.trim().to_owned(),
            to: to.trim().to_owned(),
            points: None,
            log: false,
        };
        if vary.key.is_empty() || vary.from.is_empty() || vary.to.is_empty() {
            return Err(HOW.to_owned());
        }
        for part in parts {
            match part.parse::<u32>() {
                Ok(n) if (2..=MOST_POINTS).contains(&n) && vary.points.is_none() => {
                    vary.points = Some(n);
                }
                Ok(_) => return Err(format!("the number of values is 2 to {MOST_POINTS}")),
                Err(_) if part == "log" => vary.log = true,
                Err(_) => return Err(HOW.to_owned()),
            }
        }
        Ok(vary)
    }
}

impl Vary {
    /// Both ends as numbers in `unit`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn ends(&self, unit: &str, integer: bool) -> Result<(f64, f64), String> {
        let end = |text: &str| parse_in_unit(text, unit).map_err(|e| e.to_string());
        let (from, to) = (end(&self.from)?, end(&self.to)?);
        if !(from.is_finite() && to.is_finite() && from < to) {
            return Err(format!(
                "the range goes from {from} to {to}: it has to rise"
            ));
        }
        if self.log && from <= 0.0 {
            return Err(format!(
                "log needs positive values, and the range begins at {from}"
            ));
        }
        if integer && (from.fract() != 0.0 || to.fract() != 0.0) {
            return Err("the key takes whole numbers".to_owned());
        }
        Ok((from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_not() {
        let vary: Vary = "a.b=0.5 MW..2 MW:7:log".parse().unwrap();
        assert_eq!(
            (vary.key.as_str(), vary.points, vary.log),
            ("a.b", Some(7), true)
        );
        assert_eq!(vary.ends("kW", false), Ok((500.0, 2000.0)));
        let plain: Vary = "n=-2..6".parse().unwrap();
        assert_eq!(
            (plain.ends("", true), plain.points),
            (Ok((-2.0, 6.0)), None)
        );
        for bad in [
            "",
            "a",
            "a=1",
            "a=1..",
            "=1..2",
            "a=1..2:1",
            "a=1..2:3:4",
            "a=1..2:lin",
            "a=1..2:999",
        ] {
            assert!(bad.parse::<Vary>().is_err(), "{bad}");
        }
        for bad in ["a=2..1", "a=1..1", "a=0..3:log", "a=x..3", "a=1.5..3"] {
            assert!(
                bad.parse::<Vary>().unwrap().ends("", true).is_err(),
                "{bad}"
            );
        }
    }
}
