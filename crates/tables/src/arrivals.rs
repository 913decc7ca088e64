//! Requests of a service from CSV or Parquet: a row per request, or points of a rate.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::cell::{decide_time_unit, moment, number};
use crate::csv_table::Table;
use crate::find;
use crate::load::{hex, is_parquet, read_bytes};
use crate::parquet_trace;
use crate::problem::{Kind, Problems, TableProblems};
use crate::samples::Moment;
use crate::unit::TimeUnit;

/// Names of columns, without case and without anything but letters and digits. Azure's LLM inference traces (2023, 2024) write
/// `ContextTokens` and `GeneratedTokens`, BurstGPT `Request tokens` and `Response tokens`.
const PROMPT_NAMES: [&str; 10] = [
    "contexttokens",
    "requesttokens",
    "prompttokens",
    "inputtokens",
    "numprefilltokens",
    "prompt",
    "input",
    "inputlength",
    "promptlength",
    "promptlen",
];
const OUTPUT_NAMES: [&str; 10] = [
    "generatedtokens",
    "responsetokens",
    "outputtokens",
    "completiontokens",
    "numdecodetokens",
    "output",
    "answertokens",
    "outputlength",
    "outputlen",
    "generationlength",
];
const RATE_NAMES: [&str; 8] = [
    "requestspers",
    "requestspersecond",
    "ratepers",
    "rate",
    "rps",
    "qps",
    "reqpers",
    "arrivalspers",
];
/// Names of times beside those of traces.
const TIME_NAMES: [&str; 10] = [
    "arrival",
    "arrivals",
    "arrivalms",
    "arrivalus",
    "arrivaltime",
    "arrivaltimes",
    "arrivaltimems",
    "arrivaltimeus",
    "arrivaltimestamp",
    "arrivedat",
];

/// Most tokens of one request; beyond, a column is not one of tokens.
const MOST_TOKENS: f64 = 1e7;

/// What is stated about a file of arrivals; the rest is found by its names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArrivalOptions {
    /// Column with the time.
    pub time_column: Option<String>,
    /// Unit of the time.
    pub time_unit: Option<TimeUnit>,
    /// Column with the tokens of the prompt.
    pub prompt_column: Option<String>,
    /// Column with the tokens of the answer.
    pub output_column: Option<String>,
    /// Column with a rate.
    pub rate_column: Option<String>,
}

/// Rows of a file of arrivals: at least one, times not decreasing, everything finite and not negative.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedArrivals {
    /// Time of each row, seconds after the first one.
    pub time_s: Vec<f64>,
    /// Tokens of each prompt, `None` where the cell is empty; no entry at all without such a column.
    pub prompt_tokens: Vec<Option<f32>>,
    /// Tokens of each answer, likewise.
    pub output_tokens: Vec<Option<f32>>,
    /// Rate at each row, requests per second; `None` if each row is a request.
    pub per_s: Option<Vec<f64>>,
    /// What was found rather than stated, in words.
    pub found: Vec<String>,
    /// SHA-256 of the file's bytes, in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Reads requests or rates from a CSV file (`,`, `;` or tab) or a Parquet file, told apart by its first bytes.
///
/// # Errors
/// Everything that is wrong with the file, with lines: unreadable, no header, columns unknown or ambiguous, cells that are no number,
/// times that step back, negative tokens or rates. Rows are never sorted: an order that is not the one of time may mean a wrong column.
pub fn read_arrivals(
    path: &Path,
    options: &ArrivalOptions,
) -> Result<LoadedArrivals, TableProblems> {
    let mut problems = Problems::new(path);
    let Some(bytes) = read_bytes(path, &mut problems) else {
        return Err(problems.into_problems());
    };
    let sha256 = hex(&Sha256::digest(&bytes));
    let rows = if is_parquet(&bytes) {
        from_parquet(&bytes, options, &mut problems)
    } else {
        from_csv(&bytes, options, &mut problems)
    };
    match rows.and_then(|rows| rows.finish(&mut problems)) {
        Some(arrivals) if problems.is_empty() => Ok(LoadedArrivals { sha256, ..arrivals }),
        _ => Err(problems.into_problems()),
    }
}

/// Columns that are read, by their index.
struct Columns {
    time: usize,
    prompt: Option<usize>,
    output: Option<usize>,
    rate: Option<usize>,
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .collect::<String>()
        .to_lowercase()
}

impl Columns {
    fn find(
        names: &[String],
        options: &ArrivalOptions,
        found: &mut Vec<String>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let arrival: Vec<&String> = names
            .iter()
            .filter(|n| TIME_NAMES.contains(&plain(n).as_str()))
            .collect();
        let time = match (&options.time_column, arrival.as_slice()) {
            (None, [one]) => {
                found.push(format!("time column `{one}`, found by its name"));
                names.iter().position(|n| n == *one)
            }
            (stated, _) => find::time_column(names, stated.as_deref(), found, problems),
        };
        let mut optional = |stated: &Option<String>, known: &[&str], key: &str, what: &str| {
            if let Some(wanted) = stated {
                return find::named(names, wanted, key, problems);
            }
            let hits: Vec<usize> = (0..names.len())
                .filter(|i| Some(*i) != time && known.contains(&plain(&names[*i]).as_str()))
                .collect();
            match hits.as_slice() {
                [] => None,
                [one] => {
                    found.push(format!(
                        "{what} in column `{}`, found by its name",
                        names[*one]
                    ));
                    Some(*one)
                }
                many => {
                    let spelled: Vec<&str> = many.iter().map(|i| names[*i].as_str()).collect();
                    problems.column(
                        None,
                        format!(
                            "{} columns could be {what}: {}",
                            many.len(),
                            find::list(&spelled)
                        ),
                        format!("set `{key}` to one of them"),
                    );
                    None
                }
            }
        };
        let prompt = optional(
            &options.prompt_column,
            &PROMPT_NAMES,
            "prompt_column",
            "tokens of prompts",
        );
        let output = optional(
            &options.output_column,
            &OUTPUT_NAMES,
            "output_column",
            "tokens of answers",
        );
        let rate = optional(&options.rate_column, &RATE_NAMES, "rate_column", "rates");
        let tokens_stated = options.prompt_column.is_some() || options.output_column.is_some();
        // What is stated decides over what is only called like it.
        let (prompt, output, rate) = match (tokens_stated, options.rate_column.is_some()) {
            (false, true) => (None, None, rate),
            (true, false) => (prompt, output, None),
            (true, true) => (prompt, output, rate),
            (false, false) => {
                if let (Some(tokens), Some(rate)) = (prompt.or(output), rate) {
                    problems.column(
                        None,
                        format!(
                            "rows may be requests with tokens (`{}`) or points of a rate (`{}`)",
                            names[tokens], names[rate]
                        ),
                        "set `rate_column` if they are points of a rate, `prompt_column` or `output_column` if each is a request",
                    );
                    return None;
                }
                (prompt, output, rate)
            }
        };
        let columns = Self {
            time: time?,
            prompt,
            output,
            rate,
        };
        if rate.is_some() && (prompt.is_some() || output.is_some()) {
            problems.file(
                "rows are points of a rate, or requests with tokens; not both",
                "take out rate_column, or the columns of tokens",
            );
        }
        let values = [prompt, output, rate];
        for (i, one) in values.iter().enumerate() {
            let Some(one) = one else { continue };
            if *one == columns.time || values[..i].contains(&Some(*one)) {
                problems.column(
                    Some(&names[*one]),
                    "is named for two things",
                    "name another column",
                );
            }
        }
        problems.is_empty().then_some(columns)
    }
}

/// Rows being put together.
struct Rows {
    unit: TimeUnit,
    place: &'static str,
    time_name: String,
    has: Columns,
    origin: Option<Moment>,
    before: Option<(f64, u64)>,
    count: u64,
    zero_tokens: u64,
    out: LoadedArrivals,
}

impl Rows {
    fn new(
        unit: TimeUnit,
        place: &'static str,
        names: &[String],
        has: Columns,
        found: Vec<String>,
    ) -> Self {
        Self {
            unit,
            place,
            time_name: names[has.time].clone(),
            out: LoadedArrivals {
                time_s: Vec::new(),
                prompt_tokens: Vec::new(),
                output_tokens: Vec::new(),
                per_s: has.rate.map(|_| Vec::new()),
                found,
                sha256: String::new(),
            },
            has,
            origin: None,
            before: None,
            count: 0,
            zero_tokens: 0,
        }
    }

    fn time(&mut self, line: u64, now: Option<Moment>, problems: &mut Problems) {
        self.count += 1;
        let Some(now) = now else { return };
        let origin = *self.origin.get_or_insert(now);
        let t_s = now.seconds_since(origin, self.unit);
        if let Some((before_s, before_line)) = self.before
            && t_s < before_s
        {
            let place = self.place;
            let what = if self.has.rate.is_some() {
                "the row"
            } else {
                "the request"
            };
            problems.add(Kind::Order, Some(line), Some(&self.time_name), || {
                (
                    format!(
                        "{what} comes {:.6} s before the one of {place} {before_line}",
                        before_s - t_s
                    ),
                    "sort the rows by this column, or name the column of arrivals in `time_column`"
                        .to_owned(),
                )
            });
            return;
        }
        self.before = Some((t_s, line));
        self.out.time_s.push(t_s);
    }

    /// Tokens of one cell; `None` for an empty one.
    fn tokens(
        &mut self,
        line: u64,
        name: &str,
        value: Option<f64>,
        problems: &mut Problems,
    ) -> Option<f32> {
        let value = value?;
        if !(0.0..=MOST_TOKENS).contains(&value) {
            problems.add(Kind::Negative, Some(line), Some(name), || {
                (
                    format!("{value} tokens"),
                    "give 0 to 1e7, or leave the cell empty for a draw".to_owned(),
                )
            });
            return None;
        }
        self.zero_tokens += u64::from(value < 1.0);
        Some(value as f32)
    }

    fn rate(&mut self, line: u64, name: &str, value: Option<f64>, problems: &mut Problems) {
        if let Some(per_s) = value.filter(|v| *v < 0.0) {
            problems.add(Kind::Negative, Some(line), Some(name), || {
                (
                    format!("a rate of {per_s} requests per second"),
                    "a rate is 0 or more".to_owned(),
                )
            });
        } else if let (Some(per_s), Some(all)) = (value, &mut self.out.per_s) {
            all.push(per_s);
        }
    }

    fn finish(mut self, problems: &mut Problems) -> Option<LoadedArrivals> {
        if self.count == 0 {
            problems.file(
                "there is no row below the header",
                "add requests, or points of a rate",
            );
        } else if self.count == 1 && self.out.per_s.is_some() {
            problems.file(
                "a single row is no course of a rate",
                "add a row at its end; for a constant rate use arrivals.kind = \"poisson\"",
            );
        }
        if self.zero_tokens > 0 {
            self.out.found.push(format!(
                "{} numbers of tokens are below one and count as one",
                self.zero_tokens
            ));
        }
        let what = if self.out.per_s.is_some() {
            "points of a rate"
        } else {
            "requests"
        };
        let span_s = self.out.time_s.last().copied().unwrap_or(0.0);
        self.out
            .found
            .push(format!("{} {what} over {span_s:.3} s", self.count));
        problems.is_empty().then_some(self.out)
    }
}

fn from_csv(bytes: &[u8], options: &ArrivalOptions, problems: &mut Problems) -> Option<Rows> {
    let mut table = Table::open(bytes, problems)?;
    let mut found = std::mem::take(&mut table.found);
    let names = table.names.clone();
    let columns = Columns::find(&names, options, &mut found, problems)?;
    let mut broken = false;
    let first = table
        .next_row(&mut broken, problems)
        .map(|(line, record)| (line, record.clone()));
    let cell = first
        .as_ref()
        .and_then(|(_, record)| record.get(columns.time));
    let unit = decide_time_unit(
        &names[columns.time],
        options.time_unit,
        cell,
        &mut found,
        problems,
    )?;
    let (time, prompt, output, rate) = (columns.time, columns.prompt, columns.output, columns.rate);
    let mut rows = Rows::new(unit, "line", &names, columns, found);
    let mut take = |line: u64, record: &csv::StringRecord, problems: &mut Problems| {
        let text = |i: usize| record.get(i).unwrap_or("");
        let now = moment(line, &names[time], text(time), unit, problems);
        rows.time(line, now, problems);
        let value = |i: usize, empty: bool, problems: &mut Problems| {
            if empty && text(i).is_empty() {
                return None;
            }
            number(line, &names[i], text(i), str::is_empty, "no unit", problems).map(|(v, _)| v)
        };
        if let Some(i) = prompt {
            let tokens = value(i, true, problems);
            let tokens = rows.tokens(line, &names[i], tokens, problems);
            rows.out.prompt_tokens.push(tokens);
        }
        if let Some(i) = output {
            let tokens = value(i, true, problems);
            let tokens = rows.tokens(line, &names[i], tokens, problems);
            rows.out.output_tokens.push(tokens);
        }
        if let Some(i) = rate {
            let per_s = value(i, false, problems);
            rows.rate(line, &names[i], per_s, problems);
        }
    };
    if let Some((line, record)) = &first {
        take(*line, record, problems);
    }
    while let Some((line, record)) = table.next_row(&mut broken, problems) {
        take(line, record, problems);
    }
    Some(rows)
}

fn from_parquet(bytes: &[u8], options: &ArrivalOptions, problems: &mut Problems) -> Option<Rows> {
    let names = parquet_trace::names(bytes, problems)?;
    let mut found = Vec::new();
    let columns = Columns::find(&names, options, &mut found, problems)?;
    let values: Vec<usize> = [columns.prompt, columns.output, columns.rate]
        .into_iter()
        .flatten()
        .collect();
    let table = parquet_trace::open(
        bytes,
        columns.time,
        &values,
        options.time_unit,
        &mut found,
        problems,
    )?;
    let mut next = table.values.iter();
    let mut column = |i: Option<usize>| i.and_then(|i| Some((names[i].as_str(), next.next()?)));
    let [prompt, output, rate] = [columns.prompt, columns.output, columns.rate].map(&mut column);
    let mut rows = Rows::new(table.times.unit, "row", &names, columns, found);
    let time = names[rows.has.time].as_str();
    for i in 0..table.rows {
        let row = i as u64 + 1;
        let (now, _) = table.times.at(i, row, time, problems);
        rows.time(row, now, problems);
        let finite = |name: &str, cells: &[Option<f64>], problems: &mut Problems| {
            cells[i]?;
            parquet_trace::present(row, name, cells[i], problems)
        };
        if let Some((name, cells)) = prompt {
            let tokens = finite(name, cells, problems);
            let tokens = rows.tokens(row, name, tokens, problems);
            rows.out.prompt_tokens.push(tokens);
        }
        if let Some((name, cells)) = output {
            let tokens = finite(name, cells, problems);
            let tokens = rows.tokens(row, name, tokens, problems);
            rows.out.output_tokens.push(tokens);
        }
        if let Some((name, cells)) = rate {
            let per_s = parquet_trace::present(row, name, cells[i], problems);
            rows.rate(row, name, per_s, problems);
        }
    }
    Some(rows)
}
