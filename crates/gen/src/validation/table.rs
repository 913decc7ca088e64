//! Which statistics stand beside each other, by which criterion they agree, and how the page shows it.

use std::fmt::Write as _;

use super::{Figures, ValidationError};

/// By what two figures agree.
#[derive(Debug, Clone, Copy)]
enum By {
    /// Within this share of the measured figure.
    Share(f64),
    /// Within this much of it.
    Of(f64),
    /// Not compared, for the reason given.
    Not(&'static str),
}

/// How a figure is written: decimals, factor, unit.
#[derive(Debug, Clone, Copy)]
struct Shown(usize, f64, &'static str);

const PERCENT: Shown = Shown(1, 1.0, " %");
const PLAIN: Shown = Shown(3, 1.0, "");
const RATIO: Shown = Shown(2, 1.0, "");
const HERTZ: Shown = Shown(4, 1.0, " Hz");
const WATT: Shown = Shown(1, 1.0, " W");
const MILLISECONDS: Shown = Shown(2, 1000.0, " ms");

struct Row {
    key: &'static str,
    label: &'static str,
    shown: Shown,
    /// One for each simulated column.
    by: &'static [By],
}

struct Table {
    name: &'static str,
    /// Case of the measured figures.
    measured: &'static str,
    /// Heading and case of each simulated column.
    simulated: &'static [(&'static str, &'static str)],
    rows: &'static [Row],
}

const fn row(key: &'static str, label: &'static str, shown: Shown, by: &'static [By]) -> Row {
    Row {
        key,
        label,
        shown,
        by,
    }
}

// Levels within a tenth, ramps and spreads within a quarter: about what the presets' own ranges promise. Autocorrelations
// within 0.1: their own error over 160 iterations is below that.
const LEVEL: By = By::Share(0.1);
const SWING: By = By::Share(0.25);
const MEMORY: By = By::Of(0.1);
const TAKEN: By = By::Not("taken from the trace");
const GIVEN: By = By::Not("given by the experiment");
// The preset's figure was read from this trace: that it comes out is calibration, that it does not is news.
const CALIBRATED: By = By::Not("calibration");

const LEVELS: &[By] = &[LEVEL, LEVEL];
const SWINGS: &[By] = &[SWING, SWING];
const MEMORIES: &[By] = &[MEMORY, MEMORY];

const TABLES: &[Table] = &[
    Table {
        name: "h100",
        measured: "h100",
        simulated: &[
            ("Powers of the presets", "h100_presets"),
            ("Lower level taken from the trace", "h100_levels"),
        ],
        rows: &[
            row("load_over_idle", "loading / idle", RATIO, LEVELS),
            row("upper_over_idle", "upper level / idle", RATIO, LEVELS),
            row(
                "lower_over_idle",
                "lower level / idle",
                RATIO,
                &[LEVEL, TAKEN],
            ),
            row("min", "lowest / mean", PERCENT, LEVELS),
            row("p5", "5 % quantile / mean", PERCENT, LEVELS),
            row("p50", "median / mean", PERCENT, LEVELS),
            row("p95", "95 % quantile / mean", PERCENT, LEVELS),
            row("p99_9", "99.9 % quantile / mean", PERCENT, LEVELS),
            row("max", "highest / mean", PERCENT, LEVELS),
            row("cv", "coefficient of variation", PERCENT, SWINGS),
            row(
                "rise_0.2",
                "largest rise in 0.2 s, of mean",
                PERCENT,
                SWINGS,
            ),
            row(
                "fall_0.2",
                "largest fall in 0.2 s, of mean",
                PERCENT,
                SWINGS,
            ),
            row("rise_1", "largest rise in 1 s, of mean", PERCENT, SWINGS),
            row("fall_1", "largest fall in 1 s, of mean", PERCENT, SWINGS),
            row("rise_5", "largest rise in 5 s, of mean", PERCENT, SWINGS),
            row("fall_5", "largest fall in 5 s, of mean", PERCENT, SWINGS),
            row("acf_0.2", "autocorrelation at 0.2 s", PLAIN, MEMORIES),
            row("acf_1", "at 1 s", PLAIN, MEMORIES),
            row("acf_2", "at 2 s", PLAIN, MEMORIES),
            row("acf_5", "at 5 s, half an iteration", PLAIN, MEMORIES),
            row("acf_10.4", "at 10.4 s, one iteration", PLAIN, MEMORIES),
            row("acf_21", "at 21 s, two", PLAIN, MEMORIES),
            row("acf_52.4", "at 52.4 s, five", PLAIN, MEMORIES),
            row("line_hz", "strongest line", HERTZ, &[TAKEN, TAKEN]),
            row("line", "its amplitude, of mean", PERCENT, SWINGS),
            row("third", "third harmonic / line", PLAIN, SWINGS),
        ],
    },
    Table {
        name: "square",
        measured: "square",
        simulated: &[("Simulated", "square")],
        rows: &[
            row("low", "lower level", WATT, &[TAKEN]),
            row("high", "upper level", WATT, &[TAKEN]),
            row("edges", "edges up and down", Shown(0, 1.0, ""), &[GIVEN]),
            row("line_hz", "strongest line", HERTZ, &[GIVEN]),
            row(
                "rise_time",
                "rise, 10 to 90 %, median",
                MILLISECONDS,
                &[SWING],
            ),
            row(
                "fall_time",
                "fall, 90 to 10 %, median",
                MILLISECONDS,
                &[SWING],
            ),
            row("min", "lowest / mean", PERCENT, &[LEVEL]),
            row("p5", "5 % quantile / mean", PERCENT, &[LEVEL]),
            row("p95", "95 % quantile / mean", PERCENT, &[LEVEL]),
            row("p99_9", "99.9 % quantile / mean", PERCENT, &[LEVEL]),
            row("max", "highest / mean", PERCENT, &[LEVEL]),
            row("cv", "coefficient of variation", PERCENT, &[SWING]),
            row("rise_0.001", "largest rise in 1 ms", WATT, &[SWING]),
            row("fall_0.001", "largest fall in 1 ms", WATT, &[SWING]),
            row("rise_0.005", "largest rise in 5 ms", WATT, &[SWING]),
            row("fall_0.005", "largest fall in 5 ms", WATT, &[SWING]),
            row("rise_0.05", "largest rise in 50 ms", WATT, &[SWING]),
            row("fall_0.05", "largest fall in 50 ms", WATT, &[SWING]),
            row("acf_0.001", "autocorrelation at 1 ms", PLAIN, &[MEMORY]),
            row("acf_0.005", "at 5 ms", PLAIN, &[MEMORY]),
            row(
                "acf_0.026",
                "at 26 ms, a quarter of a period",
                PLAIN,
                &[MEMORY],
            ),
            row("acf_0.052", "at 52 ms, half a period", PLAIN, &[MEMORY]),
            row("acf_0.1044", "at 104.4 ms, one period", PLAIN, &[MEMORY]),
            row(
                "line",
                "amplitude of the strongest line, of mean",
                PERCENT,
                &[SWING],
            ),
            row("third", "third harmonic / line", PLAIN, &[SWING]),
        ],
    },
    Table {
        name: "step",
        measured: "step",
        simulated: &[("Simulated", "step")],
        rows: &[
            row("low", "before the step", WATT, &[CALIBRATED]),
            row("high", "3 s into the step", WATT, &[TAKEN]),
            row(
                "early",
                "in its first 0.2 s, of that",
                PERCENT,
                &[By::Share(0.01)],
            ),
            row("spread", "spread / mean while it lasts", PERCENT, &[SWING]),
            row("rise_time", "rise, 10 to 90 %", MILLISECONDS, &[SWING]),
            row("fall_time", "fall, 90 to 10 %", MILLISECONDS, &[SWING]),
            row("rise_0.001", "largest rise in 1 ms", WATT, &[SWING]),
            row("rise_0.005", "largest rise in 5 ms", WATT, &[SWING]),
            row("rise_0.05", "largest rise in 50 ms", WATT, &[SWING]),
            row("rise_0.1", "largest rise in 100 ms", WATT, &[SWING]),
        ],
    },
    Table {
        name: "v100_matmul",
        measured: "v100_matmul",
        simulated: &[("`h100-sxm5`, `train_compute`", "v100_matmul")],
        rows: &[row(
            "cv",
            "spread / mean, matrix products",
            PERCENT,
            &[SWING],
        )],
    },
    Table {
        name: "v100_memory",
        measured: "v100_memory",
        simulated: &[("`h100-sxm5`, `steady_decode`", "v100_memory")],
        rows: &[row(
            "cv",
            "spread / mean, bound by memory",
            PERCENT,
            &[SWING],
        )],
    },
    Table {
        name: "kalos",
        measured: "kalos",
        simulated: &[("`a100-sxm4`", "kalos")],
        rows: PRODUCTION,
    },
    Table {
        name: "seren",
        measured: "seren",
        simulated: &[("`a100-sxm4`", "seren")],
        rows: PRODUCTION,
    },
];

const PRODUCTION: &[Row] = &[
    row("p5", "5 % quantile; the preset's idle", WATT, &[LEVEL]),
    row(
        "p95",
        "95 % quantile; the most a GPU can draw here",
        WATT,
        &[LEVEL],
    ),
    row(
        "p99",
        "99 % quantile; the most a GPU can draw here",
        WATT,
        &[LEVEL],
    ),
    row(
        "max",
        "highest; the most a GPU can draw here",
        WATT,
        &[LEVEL],
    ),
    row(
        "above_400",
        "share above 400 W, the design power",
        PERCENT,
        &[By::Of(1.0)],
    ),
];

/// A comparison that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Table of the page.
    pub table: &'static str,
    /// Heading of the simulated column.
    pub column: &'static str,
    /// What was compared.
    pub label: &'static str,
    /// Measured figure, in the unit of the statistics.
    pub measured: f64,
    /// Simulated figure.
    pub simulated: f64,
    /// Whether they agree; none where that is no question: a figure that went in cannot be checked by what comes out.
    pub agrees: Option<bool>,
}

fn get(figures: &Figures, case: &str, key: &str) -> Result<f64, ValidationError> {
    let name = format!("{case}.{key}");
    let found = figures.get(&name).copied();
    found
        .filter(|v| v.is_finite())
        .ok_or(ValidationError::Missing(name))
}

/// Every comparison of every table, in the order of the page.
pub fn judge(measured: &Figures, simulated: &Figures) -> Result<Vec<Judged>, ValidationError> {
    let mut judged = Vec::new();
    for table in TABLES {
        for row in table.rows {
            let one = get(measured, table.measured, row.key)?;
            for ((column, case), by) in table.simulated.iter().zip(row.by) {
                let other = get(simulated, case, row.key)?;
                judged.push(Judged {
                    table: table.name,
                    column,
                    label: row.label,
                    measured: one,
                    simulated: other,
                    agrees: match *by {
                        By::Share(share) => Some((other - one).abs() <= share * one.abs()),
                        By::Of(most) => Some((other - one).abs() <= most),
                        By::Not(_) => None,
                    },
                });
            }
        }
    }
    Ok(judged)
}

fn written(value: f64, shown: Shown) -> String {
    let Shown(decimals, factor, unit) = shown;
    let text = format!("{:.decimals$}{unit}", value * factor);
    // No minus before a zero.
    match text.strip_prefix('-') {
        Some(rest) if !rest.contains(|c: char| ('1'..='9').contains(&c)) => rest.to_owned(),
        _ => text,
    }
}

fn criterion(by: By, shown: Shown) -> String {
    match by {
        By::Share(share) => format!("± {} %", 100.0 * share),
        By::Of(most) => format!("± {most}{}", shown.2),
        By::Not(_) => String::new(),
    }
}

fn render(
    table: &Table,
    measured: &Figures,
    simulated: &Figures,
) -> Result<String, ValidationError> {
    let judged = judge(measured, simulated)?;
    let mut text = String::from("\n| Statistic | Measured |");
    for (heading, _) in table.simulated {
        let _ = write!(text, " {heading} | Agrees? |");
    }
    text.push_str(" Criterion |\n|---|---|");
    text.push_str(&"---|---|".repeat(table.simulated.len()));
    text.push_str("---|\n");
    for row in table.rows {
        let of_row: Vec<&Judged> = judged
            .iter()
            .filter(|j| j.table == table.name && j.label == row.label)
            .collect();
        let Some(first) = of_row.first() else {
            continue;
        };
        let _ = write!(
            text,
            "| {} | {} |",
            row.label,
            written(first.measured, row.shown)
        );
        for (one, by) in of_row.iter().zip(row.by) {
            let verdict = match (one.agrees, *by) {
                (Some(true), _) => "yes",
                (Some(false), _) => "**no**",
                (None, By::Not(why)) => why,
                (None, _) => "",
            };
            let _ = write!(text, " {} | {verdict} |", written(one.simulated, row.shown));
        }
        let criterion = row
            .by
            .iter()
            .map(|by| criterion(*by, row.shown))
            .find(|c| !c.is_empty())
            .unwrap_or_default();
        let _ = writeln!(text, " {criterion} |");
    }
    Ok(text)
}

/// The page with its tables and counts filled in; everything outside the markers stays as it is.
pub fn page(
    text: &str,
    measured: &Figures,
    simulated: &Figures,
) -> Result<String, ValidationError> {
    let mut text = text.to_owned();
    for table in TABLES {
        let filled = render(table, measured, simulated)?;
        text = between(&text, table.name, &filled)?;
    }
    let judged = judge(measured, simulated)?;
    let count = |agrees| judged.iter().filter(|j| j.agrees == agrees).count();
    let counts = format!(
        "\n{} figures were compared: {} agree, {} do not. {} more went into a scenario or preset and check nothing.\n",
        count(Some(true)) + count(Some(false)),
        count(Some(true)),
        count(Some(false)),
        count(None)
    );
    let text = between(&text, "counts", &counts)?;
    let rise = |case: &str| get(simulated, case, "rise_0.2");
    let sensor = format!(
        "\nLargest rise in 0.2 s of the simulated sum, powers of the presets: {:.1} % of the mean at the GPUs, {:.1} % through the sensor.\n",
        rise("h100_presets_direct")?,
        rise("h100_presets")?
    );
    between(&text, "sensor", &sensor)
}

/// `text` with `filled` between `<!-- table name -->` and the next `<!-- end -->`.
fn between(text: &str, name: &'static str, filled: &str) -> Result<String, ValidationError> {
    let missing = || ValidationError::Marker { table: name };
    let begin = format!("<!-- table {name} -->");
    let start = text.find(&begin).ok_or_else(missing)? + begin.len();
    let end = start + text[start..].find("<!-- end -->").ok_or_else(missing)?;
    Ok(format!("{}\n{filled}\n{}", &text[..start], &text[end..]))
}
