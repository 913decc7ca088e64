//! What stands in a scenario file about a service: requests, replicas, and what they cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use ballast_units::{TimeUnit, WeakDefault};

use crate::CorrelationSpec;

/// Share of the way from idle to full decode power that the first running sequence takes.
pub const DEFAULT_DECODE_FIRST_SHARE: f64 = 0.65;
/// Sequences per replica from which decoding draws its full power.
pub const DEFAULT_DECODE_FULL_SEQUENCES: u32 = 192;
/// Duration of a decode step apart from its sequences, seconds.
pub const DEFAULT_DECODE_STEP_S: f64 = 0.016;
/// What each running sequence adds to a decode step, seconds.
pub const DEFAULT_DECODE_STEP_PER_SEQUENCE_S: f64 = 9.3e-5;
/// Prompt tokens a replica processes per second.
pub const DEFAULT_PREFILL_TOKENS_PER_S: f64 = 16_000.0;
/// Longest time between a request of a file and its copies, seconds.
pub const DEFAULT_COPY_SPREAD_S: f64 = 60.0;

/// A service: requests arrive, wait at a replica of the model, are prefilled, and decode together until their output is done.
///
/// Its GPUs have the model loaded from the start (`idle_context` while no request runs). Requests before `start_s` there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InferenceJob {
    /// Name of the job.
    pub name: String,
    /// Rack groups it runs on, filled in order. Default: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub racks: Vec<String>,
    /// GPUs it uses. Default: every free GPU of its racks, of its tenant's share where it has a tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub gpus: Option<u32>,
    /// Tenant whose GPUs it uses. Its racks are the tenant's, or those of them that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Share of its tenant's GPUs, without a tenant of the GPUs of its racks; instead of `gpus`. It gets whole replicas, and
    /// whole nodes where a replica is larger than a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1.0))]
    pub share: Option<f64>,
    /// Time from which requests come, seconds. Negative: the service ran before the run, and its queues are followed from then on.
    #[serde(default)]
    #[schemars(range(min = -86_400.0), extend("x-unit" = "s"))]
    pub start_s: f64,
    /// Replicas open one after another, evenly over this time from `start_s` on, seconds; requests go to those that are open. 0: all at once.
    #[serde(default, skip_serializing_if = "crate::spec::is_zero")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub stagger_s: f64,
    /// GPUs that hold one copy of the model and work as one; the job's GPUs are a whole number of replicas.
    #[schemars(range(min = 1, max = 100_000))]
    pub gpus_per_replica: u32,
    /// How requests come to the whole job.
    pub arrivals: ArrivalSpec,
    /// Factors on the rate over the day, at hours, joined by straight lines around midnight. Default: 1 all day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diurnal: Vec<HourFactor>,
    /// Hour of the day at t = 0.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 24.0), extend("x-unit" = "h"))]
    pub hour_at_start: f64,
    /// Tokens of a prompt.
    pub prompt_tokens: TokenSpec,
    /// Tokens of an answer.
    pub output_tokens: TokenSpec,
    /// Which replica a request goes to.
    #[serde(default)]
    pub router: RouterSpec,
    /// Sequences that a replica runs at once, at most.
    #[serde(default = "batch_256")]
    #[schemars(range(min = 1, max = 65_536))]
    pub batch_max: u32,
    /// Requests that wait at a replica, at most; one more is turned away, and counted.
    #[serde(default = "queue_1024")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub queue_max: u32,
    /// Prompt tokens a replica processes per second; decoding pauses meanwhile. Default: 16 000, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "1/s"))]
    pub prefill_tokens_per_s: Option<f64>,
    /// Duration of a decode step (one token for every running sequence) apart from its sequences, seconds. Default: 0.016, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
    pub decode_step_s: Option<f64>,
    /// What each running sequence adds to a decode step, seconds. Default: 0.000093, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "s"))]
    pub decode_step_per_sequence_s: Option<f64>,
    /// Share of the way from `idle_context` to `steady_decode` power that the first running sequence takes. Default: 0.65, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub decode_first_share: Option<f64>,
    /// Sequences at a replica from which it draws `steady_decode` power; up to there it rises in a straight line. Default: 192, low confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub decode_full_sequences: Option<u32>,
    /// How the fluctuation within the phases is shared. Default: `inference_traffic`, in which replicas share nothing but requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<CorrelationSpec>,
}

/// How requests come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ArrivalSpec {
    /// Independent requests at one rate.
    Poisson {
        /// Requests per second for the whole job.
        #[schemars(range(min = 0.0), extend("x-unit" = "1/s"))]
        requests_per_s: f64,
    },
    /// Bursts: a Poisson process whose rate changes between two levels, each held for an exponential time.
    Mmpp {
        /// Requests per second in the low state.
        #[schemars(range(min = 0.0), extend("x-unit" = "1/s"))]
        low_per_s: f64,
        /// Requests per second in the high state.
        #[schemars(range(min = 0.0), extend("x-unit" = "1/s"))]
        high_per_s: f64,
        /// Mean stay in the low state, seconds.
        #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
        mean_low_s: f64,
        /// Mean stay in the high state, seconds.
        #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "s"))]
        mean_high_s: f64,
    },
    /// As a file has them: its requests one by one, or Poisson at its rates.
    File {
        /// CSV or Parquet file, relative to the scenario file: a row per request, or a table of rates.
        file: String,
        /// Column with the time of arrival. Default: found by its name (`TIMESTAMP`, `Timestamp`, `t_s`, `arrival_time`, …).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_column: Option<String>,
        /// Unit of the time. Default: found in the column's name or its values; plain numbers are seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_unit: Option<TimeUnit>,
        /// Column with the tokens of the prompt. Default: found by its name (`ContextTokens`, `Request tokens`, `prompt_tokens`, …);
        /// without one, and where a cell is empty, `prompt_tokens` is drawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prompt_column: Option<String>,
        /// Column with the tokens of the answer. Default: found by its name (`GeneratedTokens`, `Response tokens`, `output_tokens`, …);
        /// without one, and where a cell is empty, `output_tokens` is drawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_column: Option<String>,
        /// Column with a rate, requests per second: the rows are then points of the rate, joined by straight lines. Default: found by its
        /// name (`requests_per_s`, `rate`, `rps`, …).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate_column: Option<String>,
        /// Time in the file that becomes t = 0 of the run, seconds after its first row.
        #[serde(default)]
        #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "s"))]
        start_s: f64,
        /// The file begins again after so many seconds, as it ended before so many: 86 400 for a file of one day. Default: before its
        /// first and after its last row there are no requests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e9, "x-unit" = "s"))]
        repeat_every_s: Option<f64>,
        /// Factor on the rate. Below 1 each request stays with this probability; above 1 it comes again, each copy a little later
        /// (`copy_spread_s`), with the same tokens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1e-6, max = 10_000.0))]
        scale: Option<f64>,
        /// A copy of a request comes evenly up to so much later, seconds. Default: 60, low confidence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0.0, max = 86_400.0), extend("x-unit" = "s"))]
        copy_spread_s: Option<f64>,
    },
}

/// Factor on the rate of requests at an hour of the day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HourFactor {
    /// Hour of the day.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 24.0, "x-unit" = "h"))]
    pub hour: f64,
    /// Factor on the rate.
    #[schemars(range(min = 0.0))]
    pub factor: f64,
}

/// Number of tokens, log-normal. A draw below one token counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// Mean.
    #[schemars(range(min = 1.0, max = 10_000_000.0))]
    pub mean: f64,
    /// Standard deviation over mean. Default: 0, all alike.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub cv: f64,
}

/// Which replica a request goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouterSpec {
    /// One after another.
    #[default]
    RoundRobin,
    /// The one with the fewest requests: as all report it every 0.25 s, and those sent there since.
    LeastLoaded,
    /// Any.
    Random,
}

fn batch_256() -> u32 {
    256
}

fn queue_1024() -> u32 {
    1024
}

const ML_ENERGY: &str = "ML.ENERGY leaderboard v3, Llama-3.1 70B in bfloat16 on 4 H100, batches of 8 to 256: median inter-token latency 16.6 to 39.8 ms, \
    mean power 441 to 589 W per GPU against 122 W idle with a context; other models and GPUs differ by factors";
const PREFILL: &str = "derived: 2 FLOP per parameter and token, 70e9 parameters, 4 H100 at 989 TFLOP/s dense and the 0.58 of it fitted by powertrace-sim; \
    other models and GPUs differ by factors";

const COPIES: &str = "Ballast's choice: copies that are users of their own come at times of their own; what the file shows within this time is blurred";

impl InferenceJob {
    /// The defaults of low confidence that this job leaves in force.
    pub fn weak_defaults(&self) -> Vec<WeakDefault> {
        let all = [
            (
                self.prefill_tokens_per_s.is_none(),
                "prefill_tokens_per_s",
                DEFAULT_PREFILL_TOKENS_PER_S,
                "1/s",
                PREFILL,
            ),
            (
                self.decode_step_s.is_none(),
                "decode_step_s",
                DEFAULT_DECODE_STEP_S,
                "s",
                ML_ENERGY,
            ),
            (
                self.decode_step_per_sequence_s.is_none(),
                "decode_step_per_sequence_s",
                DEFAULT_DECODE_STEP_PER_SEQUENCE_S,
                "s",
                ML_ENERGY,
            ),
            (
                self.decode_first_share.is_none(),
                "decode_first_share",
                DEFAULT_DECODE_FIRST_SHARE,
                "",
                ML_ENERGY,
            ),
            (
                self.decode_full_sequences.is_none(),
                "decode_full_sequences",
                f64::from(DEFAULT_DECODE_FULL_SEQUENCES),
                "",
                ML_ENERGY,
            ),
            (
                matches!(&self.arrivals, ArrivalSpec::File { scale: Some(scale), copy_spread_s: None, .. } if *scale > 1.0),
                "arrivals.copy_spread_s",
                DEFAULT_COPY_SPREAD_S,
                "s",
                COPIES,
            ),
        ];
        all.into_iter()
            .filter(|(absent, ..)| *absent)
            .map(|(_, key, value, unit, source)| WeakDefault {
                key,
                value,
                unit,
                source,
            })
            .collect()
    }

    /// Time after which the site has forgotten its requests, seconds: how long an answer takes in a full batch, and for bursts the
    /// correlation time of the rate, `1 / (1/mean_low + 1/mean_high)`; the longer of both.
    pub fn memory_s(&self) -> f64 {
        let step_s = self.decode_step_s.unwrap_or(DEFAULT_DECODE_STEP_S)
            + f64::from(self.batch_max)
                * self
                    .decode_step_per_sequence_s
                    .unwrap_or(DEFAULT_DECODE_STEP_PER_SEQUENCE_S);
        let answer_s = self.output_tokens.mean * step_s;
        match self.arrivals {
            // How long a file's rate remembers cannot be known from the scenario.
            ArrivalSpec::Poisson { .. } | ArrivalSpec::File { .. } => answer_s,
            ArrivalSpec::Mmpp {
                mean_low_s,
                mean_high_s,
                ..
            } => answer_s.max(1.0 / (1.0 / mean_low_s + 1.0 / mean_high_s)),
        }
    }
}
