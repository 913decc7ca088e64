//! What is wrong with a service's own fields.

use crate::check::Problems;
use crate::request_log::HIGHEST_RATE_PER_S;
use crate::{ArrivalSpec, InferenceJob, TokenSpec};

/// Time before the run that is followed at most, seconds.
const LONGEST_PAST_S: f64 = 86_400.0;
/// Shortest mean stay in a state of the rate, seconds.
const SHORTEST_STAY_S: f64 = 1e-3;
/// Most tokens of a prompt or an answer, in the mean.
const MOST_TOKENS: f64 = 1e7;
/// Highest ratio of standard deviation to mean of tokens.
const WIDEST_CV: f64 = 10.0;
/// Longest decode step, seconds.
const LONGEST_STEP_S: f64 = 3600.0;
/// Largest factor on the rate.
const LARGEST_FACTOR: f64 = 1000.0;
/// Longest time within a file, or until it begins again, seconds.
const LONGEST_FILE_S: f64 = 1e9;
/// Longest time from a request to its copies, seconds.
const LONGEST_SPREAD_S: f64 = 86_400.0;
const SMALLEST_SCALE: f64 = 1e-6;
const LARGEST_SCALE: f64 = 1e4;
const LARGEST_BATCH: u32 = 65_536;
const LONGEST_QUEUE: u32 = 1_000_000;
const LARGEST_REPLICA: u32 = 100_000;

struct Checks<'a> {
    path: &'a str,
    problems: &'a mut Problems,
}

impl Checks<'_> {
    /// One number: `good` says whether it is possible, `range` what would be.
    fn number(&mut self, key: &str, value: f64, good: bool, range: &str) -> bool {
        if !good {
            self.problems.add(
                format!("{}.{key}", self.path),
                format!("it is {value}"),
                range,
            );
        }
        good
    }

    fn count(&mut self, key: &str, value: u32, most: u32) {
        self.number(
            key,
            f64::from(value),
            (1..=most).contains(&value),
            &format!("give 1 to {most}"),
        );
    }

    fn rate(&mut self, key: &str, value: f64) -> bool {
        let good = (0.0..=HIGHEST_RATE_PER_S).contains(&value);
        self.number(
            key,
            value,
            good,
            "a rate lies between 0 and 1e6 requests per second",
        )
    }

    fn tokens(&mut self, key: &str, tokens: TokenSpec) {
        let mean = (1.0..=MOST_TOKENS).contains(&tokens.mean);
        self.number(
            &format!("{key}.mean"),
            tokens.mean,
            mean,
            "give 1 to 1e7 tokens",
        );
        let cv = (0.0..=WIDEST_CV).contains(&tokens.cv);
        self.number(
            &format!("{key}.cv"),
            tokens.cv,
            cv,
            "standard deviation over mean lies between 0 and 10",
        );
    }
}

/// Problems of a service on its own.
pub(crate) fn inference(path: &str, job: &InferenceJob, problems: &mut Problems) {
    let mut checks = Checks { path, problems };
    let c = &mut checks;
    let past = (-LONGEST_PAST_S..=f64::MAX).contains(&job.start_s);
    c.number(
        "start_s",
        job.start_s,
        past,
        "give a finite number of seconds, a day before the run at the earliest: a service's past is followed request by request",
    );
    let stagger = (0.0..=1e9).contains(&job.stagger_s);
    c.number(
        "stagger_s",
        job.stagger_s,
        stagger,
        "give a number of seconds, 0 or more",
    );
    c.count("gpus_per_replica", job.gpus_per_replica, LARGEST_REPLICA);
    c.count("batch_max", job.batch_max, LARGEST_BATCH);
    c.count("queue_max", job.queue_max, LONGEST_QUEUE);
    c.tokens("prompt_tokens", job.prompt_tokens);
    c.tokens("output_tokens", job.output_tokens);
    let hour = (0.0..=24.0).contains(&job.hour_at_start);
    c.number(
        "hour_at_start",
        job.hour_at_start,
        hour,
        "an hour of the day lies between 0 and 24",
    );
    arrivals(c, job);
    diurnal(c, job);
    service(c, job);
}

fn arrivals(c: &mut Checks<'_>, job: &InferenceJob) {
    match &job.arrivals {
        ArrivalSpec::Poisson { requests_per_s } => {
            c.rate("arrivals.requests_per_s", *requests_per_s);
        }
        ArrivalSpec::File { .. } => file(c, job),
        ArrivalSpec::Mmpp {
            low_per_s,
            high_per_s,
            mean_low_s,
            mean_high_s,
        } => {
            let low = c.rate("arrivals.low_per_s", *low_per_s);
            let high = c.rate("arrivals.high_per_s", *high_per_s);
            if low && high && low_per_s > high_per_s {
                c.problems.add(
                    format!("{}.arrivals.low_per_s", c.path),
                    format!("the low rate, {low_per_s} requests per second, is above the high one, {high_per_s}"),
                    "exchange them, with their mean stays",
                );
            }
            for (key, value) in [("mean_low_s", *mean_low_s), ("mean_high_s", *mean_high_s)] {
                let good = value.is_finite() && value >= SHORTEST_STAY_S;
                c.number(
                    &format!("arrivals.{key}"),
                    value,
                    good,
                    "give a finite time of 0.001 s or more",
                );
            }
        }
    }
}

fn file(c: &mut Checks<'_>, job: &InferenceJob) {
    let ArrivalSpec::File {
        file,
        prompt_column,
        output_column,
        rate_column,
        start_s,
        repeat_every_s,
        scale,
        copy_spread_s,
        ..
    } = &job.arrivals
    else {
        return;
    };
    let mut wrong = |key: &str, message: String, help: &str| {
        c.problems.add(format!("{}.{key}", c.path), message, help);
    };
    if file.trim().is_empty() {
        wrong(
            "arrivals.file",
            "no file is named".to_owned(),
            "name a CSV or Parquet file",
        );
    }
    if !job.diurnal.is_empty() {
        wrong(
            "diurnal",
            "the file of arrivals says when requests come; factors of the day would count twice"
                .to_owned(),
            "take `diurnal` out",
        );
    }
    if rate_column.is_some() && (prompt_column.is_some() || output_column.is_some()) {
        wrong(
            "arrivals.rate_column",
            "rows are points of a rate, or requests with tokens; not both".to_owned(),
            "take out rate_column, or prompt_column and output_column",
        );
    }
    if copy_spread_s.is_some() && scale.is_none_or(|s| s <= 1.0) {
        wrong(
            "arrivals.copy_spread_s",
            "there are no copies of requests: the scale is not above 1".to_owned(),
            "take it out, or set arrivals.scale above 1",
        );
    }
    let spans = [
        ("start_s", Some(*start_s), 0.0, LONGEST_FILE_S),
        (
            "repeat_every_s",
            *repeat_every_s,
            f64::MIN_POSITIVE,
            LONGEST_FILE_S,
        ),
        ("copy_spread_s", *copy_spread_s, 0.0, LONGEST_SPREAD_S),
        ("scale", *scale, SMALLEST_SCALE, LARGEST_SCALE),
    ];
    for (key, value, low, high) in spans {
        if let Some(value) = value {
            c.number(
                &format!("arrivals.{key}"),
                value,
                (low..=high).contains(&value),
                &format!("give {low:e} to {high:e}"),
            );
        }
    }
}

fn diurnal(c: &mut Checks<'_>, job: &InferenceJob) {
    for (k, point) in job.diurnal.iter().enumerate() {
        let hour = (0.0..24.0).contains(&point.hour);
        c.number(
            &format!("diurnal.{k}.hour"),
            point.hour,
            hour,
            "an hour of the day lies from 0 to below 24",
        );
        let factor = (0.0..=LARGEST_FACTOR).contains(&point.factor);
        c.number(
            &format!("diurnal.{k}.factor"),
            point.factor,
            factor,
            "a factor lies between 0 and 1000",
        );
        if job.diurnal[..k].iter().any(|p| p.hour == point.hour) {
            c.problems.add(
                format!("{}.diurnal.{k}.hour", c.path),
                format!("hour {} stands there twice", point.hour),
                "give each hour once",
            );
        }
    }
}

fn service(c: &mut Checks<'_>, job: &InferenceJob) {
    if let Some(rate) = job.prefill_tokens_per_s {
        let good = rate.is_finite() && rate >= 1e-3;
        c.number(
            "prefill_tokens_per_s",
            rate,
            good,
            "give a finite number of tokens per second above 0",
        );
    }
    if let Some(step_s) = job.decode_step_s {
        let good = (1e-7..=LONGEST_STEP_S).contains(&step_s);
        c.number(
            "decode_step_s",
            step_s,
            good,
            "a decode step takes from 1e-7 s to an hour",
        );
    }
    if let Some(each_s) = job.decode_step_per_sequence_s {
        let good = (0.0..=LONGEST_STEP_S).contains(&each_s);
        c.number(
            "decode_step_per_sequence_s",
            each_s,
            good,
            "it lies between 0 and 3600 s",
        );
    }
    if let Some(share) = job.decode_first_share {
        let good = (0.0..=1.0).contains(&share);
        c.number(
            "decode_first_share",
            share,
            good,
            "a share lies between 0 and 1",
        );
    }
    if let Some(full) = job.decode_full_sequences {
        c.count("decode_full_sequences", full, LARGEST_BATCH);
    }
}
