//! Numbers of ISO 8528-5 for one load step.
//!
//! The standard's operating limits for generating sets, and what one step of a simulation says of them. It never says that a set has a class: that takes
//! the maker's declaration and every prescribed step on the real set.
//!
//! # What is known of the numbers
//! The standard itself was not read. *Published*: read in public documents that quote it (DGUV Information 203-032; makers' data sheets and
//! specifications for G2). *Recalled*: not read again; medium confidence, low for the spark-ignition note and the tolerance band. Documents
//! disagree on which edition they quote; the table is taken as that of the 2018 edition.

use ballast_units::{Confidence, Grade};

/// Edition the numbers are taken to be of.
pub const EDITION: &str = "ISO 8528-5:2018";

/// Column of the table of operating limits. A fourth one, G4, is by agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Lighting and simple loads.
    G1,
    /// Loads that would do with the public supply.
    G2,
    /// Telecommunications and the like.
    G3,
}

impl Column {
    /// As the standard writes it.
    pub fn label(self) -> &'static str {
        match self {
            Self::G1 => "G1",
            Self::G2 => "G2",
            Self::G3 => "G3",
        }
    }
}

/// How the engine ignites: a note of the table lets spark-ignited gas engines dip further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignition {
    /// Diesel.
    Compression,
    /// Gas.
    Spark,
}

/// A number of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Value, in the unit of the field that holds it.
    pub value: f64,
    /// How it came to be known.
    pub grade: Grade,
    /// How far it can be trusted.
    pub confidence: Confidence,
}

const fn published(value: f64) -> Limit {
    Limit {
        value,
        grade: Grade::Published,
        confidence: Confidence::Medium,
    }
}

const fn recalled(value: f64, confidence: Confidence) -> Limit {
    Limit {
        value,
        grade: Grade::Recalled,
        confidence,
    }
}

/// One column of operating limits. Depths and heights are positive, percent of rated frequency or voltage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingLimits {
    /// Frequency droop from no load to rated load, percent.
    pub droop_pct: Limit,
    /// Steady-state frequency band, percent, whole width.
    pub frequency_band_pct: Limit,
    /// Deepest frequency after a sudden increase of load, percent below the one before.
    pub frequency_dip_pct: Limit,
    /// Highest frequency after a sudden decrease of load, percent above the one before.
    pub frequency_rise_pct: Limit,
    /// Frequency recovery, seconds.
    pub frequency_recovery_s: Limit,
    /// Tolerance band of the recovery α_f, percent; see [`BandReading`].
    pub recovery_band_pct: Limit,
    /// Steady-state voltage deviation, ± percent.
    pub voltage_steady_pct: Limit,
    /// Deepest voltage after a sudden increase of load, percent below rated.
    pub voltage_dip_pct: Limit,
    /// Highest voltage after a sudden decrease of load, percent above rated.
    pub voltage_rise_pct: Limit,
    /// Voltage recovery into the steady-state deviation, seconds.
    pub voltage_recovery_s: Limit,
}

/// The table's column for an engine.
pub fn operating_limits(column: Column, ignition: Ignition) -> OperatingLimits {
    use Confidence::{Low, Medium};
    let known = |value| recalled(value, Medium);
    let mut limits = match column {
        Column::G1 => OperatingLimits {
            droop_pct: published(8.0),
            frequency_band_pct: known(2.5),
            frequency_dip_pct: known(15.0),
            frequency_rise_pct: known(18.0),
            frequency_recovery_s: known(10.0),
            recovery_band_pct: recalled(3.5, Low),
            voltage_steady_pct: published(5.0),
            voltage_dip_pct: known(25.0),
            voltage_rise_pct: known(35.0),
            voltage_recovery_s: known(10.0),
        },
        Column::G2 => OperatingLimits {
            droop_pct: published(5.0),
            frequency_band_pct: published(1.5),
            frequency_dip_pct: published(10.0),
            frequency_rise_pct: published(12.0),
            frequency_recovery_s: published(5.0),
            recovery_band_pct: recalled(2.0, Low),
            voltage_steady_pct: published(2.5),
            voltage_dip_pct: published(20.0),
            voltage_rise_pct: published(25.0),
            voltage_recovery_s: published(6.0),
        },
        Column::G3 => OperatingLimits {
            droop_pct: published(3.0),
            frequency_band_pct: known(0.5),
            frequency_dip_pct: known(7.0),
            frequency_rise_pct: known(10.0),
            frequency_recovery_s: known(3.0),
            recovery_band_pct: recalled(2.0, Low),
            voltage_steady_pct: published(1.0),
            voltage_dip_pct: known(15.0),
            voltage_rise_pct: known(20.0),
            voltage_recovery_s: known(4.0),
        },
    };
    if ignition == Ignition::Spark {
        limits.frequency_dip_pct = recalled(
            match column {
                Column::G1 => 25.0,
                Column::G2 => 20.0,
                Column::G3 => 15.0,
            },
            Low,
        );
    }
    limits
}

/// How the tolerance band α_f of the recovery is read; the documents at hand do not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BandReading {
    /// α_f is the whole width: ± half of it. The stricter reading, and the one used unless asked otherwise.
    #[default]
    WholeWidth,
    /// α_f to either side.
    EitherSide,
}

/// Band into which the frequency has to come back, ± percent of rated.
pub fn recovery_band_pct(column: Column, reading: BandReading) -> f64 {
    let alpha = operating_limits(column, Ignition::Compression)
        .recovery_band_pct
        .value;
    match reading {
        BandReading::WholeWidth => 0.5 * alpha,
        BandReading::EitherSide => alpha,
    }
}

/// Which way the load stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Sudden increase.
    Increase,
    /// Sudden decrease.
    Decrease,
}

/// Time to come back into a band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recovery {
    /// After this many seconds, to stay.
    After(f64),
    /// Not by the end of what was looked at.
    Never,
}

/// One prescribed load step, as it went. What was not looked at is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepEvent {
    /// Which way the load stepped.
    pub step: Step,
    /// Furthest frequency in that direction (down for an increase) from the one before, percent of rated, positive.
    pub frequency_pct: Option<f64>,
    /// Time until the frequency is within [`recovery_band_pct`] of its steady value.
    pub frequency_recovery: Option<Recovery>,
    /// Furthest voltage in that direction from rated, percent, positive.
    pub voltage_pct: Option<f64>,
    /// Time until the voltage is within the steady-state deviation of its steady value.
    pub voltage_recovery: Option<Recovery>,
    /// How the band of the frequency's recovery was read.
    pub reading: BandReading,
}

/// What became of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The event kept to it.
    Met,
    /// The event went beyond it.
    Missed,
    /// The event does not say.
    NotLookedAt,
}

/// One number of the table against the event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What it is, as "frequency dip".
    pub what: &'static str,
    /// `%` or `s`.
    pub unit: &'static str,
    /// Value of the event; none where it was not looked at or did not recover.
    pub value: Option<f64>,
    /// Number of the table.
    pub limit: Limit,
    /// What became of it.
    pub outcome: Outcome,
}

/// One event against one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Column looked at.
    pub column: Column,
    /// Frequency, its recovery, voltage, its recovery.
    pub rows: Vec<Row>,
    /// The result in a sentence with edition, grades and the reading of the band.
    pub words: String,
}

/// Looks at one step against the transient numbers of a column.
///
/// A value equal to its number meets it; a value that is not a number misses it. The sentence says "inside" only if all four numbers were looked at
/// and met.
pub fn assess(column: Column, ignition: Ignition, event: &StepEvent) -> Assessment {
    let limits = operating_limits(column, ignition);
    let (f, v) = match event.step {
        Step::Increase => (
            ("frequency dip", limits.frequency_dip_pct),
            ("voltage dip", limits.voltage_dip_pct),
        ),
        Step::Decrease => (
            ("frequency rise", limits.frequency_rise_pct),
            ("voltage rise", limits.voltage_rise_pct),
        ),
    };
    let rows = vec![
        extreme(f, event.frequency_pct),
        recovery(
            ("frequency recovery", limits.frequency_recovery_s),
            event.frequency_recovery,
        ),
        extreme(v, event.voltage_pct),
        recovery(
            ("voltage recovery", limits.voltage_recovery_s),
            event.voltage_recovery,
        ),
    ];
    let words = sentence(column, ignition, event.reading, &rows);
    Assessment {
        column,
        rows,
        words,
    }
}

fn judged(value: f64, limit: f64) -> Outcome {
    if value <= limit {
        Outcome::Met
    } else {
        Outcome::Missed
    }
}

fn extreme((what, limit): (&'static str, Limit), value: Option<f64>) -> Row {
    Row {
        what,
        unit: "%",
        value,
        limit,
        outcome: value.map_or(Outcome::NotLookedAt, |v| judged(v, limit.value)),
    }
}

fn recovery((what, limit): (&'static str, Limit), value: Option<Recovery>) -> Row {
    let (value, outcome) = match value {
        None => (None, Outcome::NotLookedAt),
        Some(Recovery::Never) => (None, Outcome::Missed),
        Some(Recovery::After(s)) => (Some(s), judged(s, limit.value)),
    };
    Row {
        what,
        unit: "s",
        value,
        limit,
        outcome,
    }
}

fn of(rows: &[Row], outcome: Outcome) -> Vec<&Row> {
    rows.iter().filter(|row| row.outcome == outcome).collect()
}

fn names(rows: &[&Row]) -> String {
    let names: Vec<&str> = rows.iter().map(|row| row.what).collect();
    names.join(", ")
}

fn grades(rows: &[&Row]) -> String {
    [
        (
            Grade::Published,
            Confidence::Medium,
            "quoted in public documents",
        ),
        (Grade::Recalled, Confidence::Medium, "recalled"),
        (Grade::Recalled, Confidence::Low, "recalled, low confidence"),
    ]
    .into_iter()
    .filter_map(|(grade, confidence, said)| {
        let such: Vec<&Row> = rows
            .iter()
            .copied()
            .filter(|row| row.limit.grade == grade && row.limit.confidence == confidence)
            .collect();
        (!such.is_empty()).then(|| format!("{} {said}", names(&such)))
    })
    .collect::<Vec<_>>()
    .join("; ")
}

fn sentence(column: Column, ignition: Ignition, reading: BandReading, rows: &[Row]) -> String {
    let (missed, open) = (of(rows, Outcome::Missed), of(rows, Outcome::NotLookedAt));
    let label = column.label();
    let looked: Vec<&Row> = rows
        .iter()
        .filter(|row| row.outcome != Outcome::NotLookedAt)
        .collect();
    if looked.is_empty() {
        return format!("none of the {label} transient numbers was looked at for this event");
    }
    let result = if !missed.is_empty() {
        let beyond: Vec<String> = missed
            .iter()
            .map(|row| match row.value {
                Some(value) => format!(
                    "{} {value:.2} {unit} against {} {unit}",
                    row.what,
                    row.limit.value,
                    unit = row.unit
                ),
                None => format!(
                    "no {} within what was looked at, against {} {}",
                    row.what, row.limit.value, row.unit
                ),
            })
            .collect();
        format!(
            "outside the {label} transient numbers for this event: {}",
            beyond.join(", ")
        )
    } else if open.is_empty() {
        format!("inside the {label} transient numbers for this event")
    } else {
        format!(
            "inside those {label} transient numbers that were looked at for this event ({})",
            names(&looked)
        )
    };
    let left = if open.is_empty() {
        String::new()
    } else {
        format!("; not looked at: {}", names(&open))
    };
    let note = match ignition {
        Ignition::Compression => "",
        Ignition::Spark => ", dip of the note for spark ignition",
    };
    let band = recovery_band_pct(column, reading);
    let how = match reading {
        BandReading::WholeWidth => "its band taken as a whole width",
        BandReading::EitherSide => "its band taken to either side",
    };
    format!(
        "{result}{left} ({EDITION}{note}; numbers: {}; frequency recovery into ±{band} %, {how}, an assumption)",
        grades(&looked)
    )
}

#[cfg(test)]
mod tests {
    use super::{
        Assessment, BandReading, Column, Ignition, Outcome, Recovery, Step, StepEvent, assess,
        operating_limits, recovery_band_pct,
    };

    const FINE: StepEvent = StepEvent {
        step: Step::Increase,
        frequency_pct: Some(6.0),
        frequency_recovery: Some(Recovery::After(2.0)),
        voltage_pct: Some(12.0),
        voltage_recovery: Some(Recovery::After(1.0)),
        reading: BandReading::WholeWidth,
    };

    fn diesel(column: Column, event: StepEvent) -> Assessment {
        assess(column, Ignition::Compression, &event)
    }

    /// No sentence may say that a set has a class or conforms to anything.
    fn is_modest(words: &str) {
        let lower = words.to_lowercase();
        for word in ["class", "complian", "complies", "conform", "certif", "pass"] {
            assert!(!lower.contains(word), "{words}");
        }
        assert!(words.contains("for this event"), "{words}");
    }

    #[test]
    fn inside() {
        let a = diesel(Column::G2, FINE);
        assert!(a.rows.iter().all(|row| row.outcome == Outcome::Met));
        assert_eq!(
            a.words,
            "inside the G2 transient numbers for this event (ISO 8528-5:2018; numbers: frequency dip, frequency recovery, voltage dip, \
             voltage recovery quoted in public documents; frequency recovery into ±1 %, its band taken as a whole width, an assumption)"
        );
    }

    #[test]
    fn outside() {
        let event = StepEvent {
            frequency_pct: Some(12.4),
            voltage_recovery: Some(Recovery::Never),
            ..FINE
        };
        let a = diesel(Column::G3, event);
        assert!(
            a.words.starts_with(
                "outside the G3 transient numbers for this event: frequency dip 12.40 % against 7 %, no voltage recovery within what was \
                 looked at, against 4 s ("
            ),
            "{}",
            a.words
        );
        assert_eq!(a.rows[1].outcome, Outcome::Met);
        assert!(a.words.contains("recalled"), "{}", a.words);
    }

    #[test]
    fn not_looked_at() {
        let frequency_only = StepEvent {
            voltage_pct: None,
            voltage_recovery: None,
            ..FINE
        };
        let a = diesel(Column::G2, frequency_only);
        assert!(
            a.words.starts_with(
                "inside those G2 transient numbers that were looked at for this event (frequency dip, frequency recovery); \
                 not looked at: voltage dip, voltage recovery ("
            ),
            "{}",
            a.words
        );
        let nothing = StepEvent {
            frequency_pct: None,
            frequency_recovery: None,
            ..frequency_only
        };
        assert_eq!(
            diesel(Column::G2, nothing).words,
            "none of the G2 transient numbers was looked at for this event"
        );
    }

    #[test]
    fn spark_ignition_dips_further() {
        let event = StepEvent {
            frequency_pct: Some(18.0),
            ..FINE
        };
        assert_eq!(diesel(Column::G2, event).rows[0].outcome, Outcome::Missed);
        let gas = assess(Column::G2, Ignition::Spark, &event);
        assert_eq!(gas.rows[0].outcome, Outcome::Met);
        assert!(gas.words.contains("spark ignition") && gas.words.contains("low confidence"));
    }

    #[test]
    fn decrease_looks_at_the_rise() {
        let event = StepEvent {
            step: Step::Decrease,
            frequency_pct: Some(11.0),
            voltage_pct: Some(25.0),
            ..FINE
        };
        let a = diesel(Column::G2, event);
        assert_eq!(
            (a.rows[0].what, a.rows[2].what),
            ("frequency rise", "voltage rise")
        );
        assert!(
            a.rows.iter().all(|row| row.outcome == Outcome::Met),
            "equal is met"
        );
    }

    #[test]
    fn every_sentence_is_modest_and_not_a_number_is_missed() {
        for column in [Column::G1, Column::G2, Column::G3] {
            for ignition in [Ignition::Compression, Ignition::Spark] {
                for frequency_pct in [None, Some(1.0), Some(60.0), Some(f64::NAN)] {
                    for reading in [BandReading::WholeWidth, BandReading::EitherSide] {
                        let event = StepEvent {
                            frequency_pct,
                            reading,
                            ..FINE
                        };
                        let a = assess(column, ignition, &event);
                        is_modest(&a.words);
                        let met = frequency_pct == Some(1.0);
                        assert_eq!(a.words.starts_with("inside the"), met);
                    }
                }
            }
        }
    }

    /// A higher column asks for no less anywhere.
    #[test]
    fn columns_tighten() {
        let all = |column| {
            let l = operating_limits(column, Ignition::Compression);
            [
                l.droop_pct,
                l.frequency_band_pct,
                l.frequency_dip_pct,
                l.frequency_rise_pct,
                l.frequency_recovery_s,
                l.recovery_band_pct,
                l.voltage_steady_pct,
                l.voltage_dip_pct,
                l.voltage_rise_pct,
                l.voltage_recovery_s,
            ]
        };
        for (low, high) in [(Column::G1, Column::G2), (Column::G2, Column::G3)] {
            for (a, b) in all(low).iter().zip(all(high)) {
                assert!(a.value >= b.value);
            }
        }
        assert_eq!(recovery_band_pct(Column::G2, BandReading::EitherSide), 2.0);
        assert_eq!(recovery_band_pct(Column::G1, BandReading::WholeWidth), 1.75);
    }
}
