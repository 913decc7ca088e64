//! Puts a trace together row by row and checks it; the same for every file format.

use crate::problem::{Kind, Problems};
use crate::time::format_timestamp;
use crate::unit::{TimeUnit, Unit};

/// A point in time as it stands in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Moment {
    /// A number in the column's time unit.
    Number(f64),
    /// A date and time, nanoseconds since 1970.
    Nanos(i64),
}

impl Moment {
    /// Seconds from `origin` to here. The origin is taken off first, so that large clock values lose no digits.
    pub(crate) fn seconds_since(self, origin: Self, unit: TimeUnit) -> f64 {
        match (self, origin) {
            (Self::Nanos(now), Self::Nanos(start)) => {
                (i128::from(now) - i128::from(start)) as f64 / 1e9
            }
            (now, start) => (now.number() - start.number()) / unit.per_second(),
        }
    }

    fn number(self) -> f64 {
        match self {
            Self::Number(value) => value,
            Self::Nanos(nanos) => nanos as f64 / 1e9,
        }
    }

    /// The time as a message shows it.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Number(value) => value.to_string(),
            Self::Nanos(nanos) => format_timestamp(nanos),
        }
    }

    /// Seconds since 1970, where the file says so: a date, or a count that is too large for anything else.
    fn unix_s(self, unit: TimeUnit) -> Option<f64> {
        match self {
            Self::Nanos(nanos) => Some(nanos as f64 / 1e9),
            Self::Number(value) => {
                (TimeUnit::of_epoch(value) == Some(unit)).then(|| value / unit.per_second())
            }
        }
    }
}

/// The previous row's time.
struct Previous {
    time_s: f64,
    line: u64,
    text: String,
}

/// What messages call the columns and the place of a row.
pub(crate) struct ColumnNames {
    /// "line" or "row".
    pub(crate) place: &'static str,
    pub(crate) time: String,
    pub(crate) value: String,
}

/// A trace being put together.
pub(crate) struct Samples {
    names: ColumnNames,
    unit: Unit,
    time_unit: TimeUnit,
    origin: Option<Moment>,
    previous: Option<Previous>,
    time_s: Vec<f64>,
    value: Vec<f64>,
    line: Vec<u64>,
    whole: bool,
}

/// A trace that passed every check.
pub(crate) struct Checked {
    pub(crate) time_s: Vec<f64>,
    pub(crate) value: Vec<f64>,
    pub(crate) interval_s: f64,
    pub(crate) longest_gap_s: f64,
    pub(crate) start_unix_s: Option<f64>,
}

impl Samples {
    pub(crate) fn new(names: ColumnNames, unit: Unit, time_unit: TimeUnit) -> Self {
        Self {
            names,
            unit,
            time_unit,
            origin: None,
            previous: None,
            time_s: Vec::new(),
            value: Vec::new(),
            line: Vec::new(),
            whole: true,
        }
    }

    /// Tells that a row could not be read; its problem is listed already.
    pub(crate) fn broken_row(&mut self) {
        self.whole = false;
    }

    /// Adds a row. `None` stands for a cell whose problem is listed already; `time_text` is the time as the file has it.
    pub(crate) fn push(
        &mut self,
        line: u64,
        time: Option<Moment>,
        time_text: &str,
        value: Option<f64>,
        problems: &mut Problems,
    ) {
        let time_s = time.and_then(|t| self.time(line, t, time_text, problems));
        let value = value.and_then(|v| self.power(line, v, problems));
        match (time_s, value) {
            (Some(time_s), Some(value)) => {
                self.time_s.push(time_s);
                self.value.push(value);
                self.line.push(line);
            }
            _ => self.whole = false,
        }
    }

    fn time(
        &mut self,
        line: u64,
        time: Moment,
        text: &str,
        problems: &mut Problems,
    ) -> Option<f64> {
        let origin = *self.origin.get_or_insert(time);
        let time_s = time.seconds_since(origin, self.time_unit);
        if !time_s.is_finite() {
            problems.add(Kind::NotFinite, Some(line), Some(&self.names.time), || {
                (
                    format!("{text} is no time in reach of the first one"),
                    "correct it".into(),
                )
            });
            return None;
        }
        let before = self.previous.replace(Previous {
            time_s,
            line,
            text: text.to_owned(),
        });
        match before {
            Some(before) if time_s <= before.time_s => {
                let why = if time_s == before.time_s {
                    "again after"
                } else {
                    "after"
                };
                problems.add(Kind::Order, Some(line), Some(&self.names.time), || {
                    let message = format!("time {text} comes {why} {} in {} {}", before.text, self.names.place, before.line);
                    let back_s = before.time_s - time_s;
                    if whole_hours(back_s).is_some() {
                        let help = format!("the clock went back by {back_s:.0} s, as at the end of summer time: log in UTC, or cut the file here");
                        return (message, help);
                    }
                    let help = "times must increase from row to row: sort them, keep one row per time, and where \
                                rows of several devices alternate sum them per time first";
                    (message, help.into())
                });
                None
            }
            _ => Some(time_s),
        }
    }

    fn power(&self, line: u64, value: f64, problems: &mut Problems) -> Option<f64> {
        match fault(value, self.unit) {
            None => Some(value * self.unit.factor()),
            Some(fault) => {
                fault.tell(Some(line), &self.names.value, "", problems);
                None
            }
        }
    }

    /// Checks the whole: two samples at least, no long gap. `None` when there are problems.
    pub(crate) fn finish(
        self,
        max_gap_s: Option<f64>,
        rows: usize,
        problems: &mut Problems,
    ) -> Option<Checked> {
        if rows == 0 {
            problems.file(
                "there is a header but no data",
                "add rows below the header, at least two",
            );
            return None;
        }
        if rows == 1 {
            problems.file("there is only one sample", "a trace needs at least two");
            return None;
        }
        if !self.whole || self.time_s.len() < 2 {
            return None;
        }
        let steps: Vec<f64> = self.time_s.windows(2).map(|w| w[1] - w[0]).collect();
        let mut sorted = steps.clone();
        sorted.sort_by(f64::total_cmp);
        let interval_s = sorted[sorted.len() / 2];
        let longest_gap_s = sorted[sorted.len() - 1];
        let allowed_s = max_gap_s.unwrap_or(USUAL_GAP * interval_s);
        for (i, step) in steps
            .iter()
            .enumerate()
            .filter(|(_, step)| **step > allowed_s)
        {
            problems.add(Kind::Gap, Some(self.line[i + 1]), Some(&self.names.time), || {
                let message = format!(
                    "no sample for {step:.6} s since {} {} (t = {:.6} s to {:.6} s), with {interval_s:.6} s between \
                     samples elsewhere and at most {allowed_s:.6} s allowed",
                    self.names.place,
                    self.line[i],
                    self.time_s[i],
                    self.time_s[i + 1],
                );
                let mut help = format!("set `max_gap_s` to {} or more to bridge it, or fill it", round_up(longest_gap_s));
                if whole_hours(step - interval_s).is_some() {
                    help += "; a clock put forward (summer time) leaves such a gap: log in UTC";
                }
                (message, help)
            });
        }
        problems.is_empty().then_some(Checked {
            time_s: self.time_s,
            value: self.value,
            interval_s,
            longest_gap_s,
            start_unix_s: self.origin.and_then(|o| o.unix_s(self.time_unit)),
        })
    }
}

/// Largest power of a trace: 1e9 kW, the bound of every key in kW; in per unit the same number of bases.
const MOST_W: f64 = 1e12;

/// What makes a power unusable.
pub(crate) struct Fault {
    kind: Kind,
    message: String,
    help: &'static str,
}

impl Fault {
    /// Lists it; `of` names the device whose power it is, as " of device `1`", or nothing.
    pub(crate) fn tell(self, line: Option<u64>, column: &str, of: &str, problems: &mut Problems) {
        problems.add(self.kind, line, Some(column), || {
            (self.message.replacen("{of}", of, 1), self.help.to_owned())
        });
    }
}

/// Why a single reading, of one device or of the whole, is no power.
pub(crate) fn fault(value: f64, unit: Unit) -> Option<Fault> {
    let power = value * unit.factor();
    let symbol = unit.symbol();
    let most = if unit == Unit::PerUnit { 1e9 } else { MOST_W };
    // Without 300 digits where it is huge.
    let shown = if value.abs() < 1e15 {
        value.to_string()
    } else {
        format!("{value:e}")
    };
    if !power.is_finite() {
        return Some(Fault {
            kind: Kind::NotFinite,
            message: format!("{shown}{{of}} is not a finite power"),
            help: "write a number, or leave the row out",
        });
    }
    if power < 0.0 && unit != Unit::PerUnit {
        return Some(Fault {
            kind: Kind::Negative,
            message: format!("the power {shown} {symbol}{{of}} is negative"),
            help: "a load takes power: turn the sign round, or set `unit = \"pu\"` for a deviation",
        });
    }
    (power.abs() > most).then(|| Fault {
        kind: Kind::TooLarge,
        message: format!(
            "the power {shown} {symbol}{{of}} is above {:e} {symbol}",
            most / unit.factor()
        ),
        help: "correct it, leave the row out, or set the `unit` that it is in",
    })
}

/// Whole hours in a time, not zero, where it is within a minute of them: the mark of a time zone or of summer time.
pub(crate) fn whole_hours(time_s: f64) -> Option<i32> {
    const NEAR_S: f64 = 60.0;
    const LARGEST_H: f64 = 14.0;
    let hours = (time_s / 3600.0).round();
    let near = (time_s - hours * 3600.0).abs() <= NEAR_S;
    (near && hours != 0.0 && hours.abs() <= LARGEST_H).then_some(hours as i32)
}

/// Gaps up to so many usual intervals pass without a word.
const USUAL_GAP: f64 = 5.0;

/// A short number that is not below `value`, for advice.
fn round_up(value: f64) -> f64 {
    let step = 10_f64.powf(value.log10().floor() - 2.0);
    let rounded = (value / step).ceil() * step;
    // Written with three digits, so that no 0.30000000000000004 is shown.
    let shown = format!("{rounded:.2e}").parse().unwrap_or(value);
    if shown >= value { shown } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn advice_is_short_and_never_too_small() {
        for (value, advice) in [
            (0.543, 0.543),
            (12.3456, 12.4),
            (1234.5, 1240.0),
            (1e-7, 1e-7),
            (9.999, 10.0),
        ] {
            assert_eq!(round_up(value), advice);
        }
    }

    #[test]
    fn one_late_sample_does_not_make_all_others_late() {
        let names = ColumnNames {
            place: "line",
            time: "t".into(),
            value: "p".into(),
        };
        let mut samples = Samples::new(names, Unit::W, TimeUnit::S);
        let mut problems = Problems::new(Path::new("x.csv"));
        for (line, t) in [0.0, 1.0, 100.0, 2.0, 3.0, 4.0].into_iter().enumerate() {
            samples.push(
                line as u64 + 2,
                Some(Moment::Number(t)),
                &t.to_string(),
                Some(1.0),
                &mut problems,
            );
        }
        assert!(samples.finish(None, 6, &mut problems).is_none());
        let listed = problems.into_problems().0;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].line, Some(5));
        assert_eq!(listed[0].message, "time 2 comes after 100 in line 4");
    }
}
