//! What an outcome says of modes, and of loads that repeat.

use serde::Serialize;

/// Modes of the sets, and what each cadence of the load does to them once it has settled.
#[derive(Debug, Clone, Serialize)]
pub struct ResonanceKpis {
    /// Where the load's lines are metered.
    pub metered: String,
    /// Modes that oscillate, those that move the frequency most first; at most 16.
    pub modes: Vec<ModeKpis>,
    /// Modes that grow by more than 0.001 per second, oscillating or not, the fastest first; at most 16. With one there is no steady answer to a load, and no gain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unstable: Vec<ModeKpis>,
    /// Whether the operating point stands on a limit or in a dead band: small and large motion then differ.
    pub at_a_kink: bool,
    /// Cadences of the load, the one with the largest expected swing first; at most 8.
    pub cadences: Vec<CadenceResonance>,
    /// Why there is no cadence; absent where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none_because: Option<String>,
    /// Cadences that were not predicted, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What the predictions assume.
    pub assumed: Vec<String>,
}

/// A mode of the sets at the operating point.
#[derive(Debug, Clone, Serialize)]
pub struct ModeKpis {
    /// What it is and whose: "speed governor mode of G1".
    pub name: String,
    /// The same to be matched on: `speed_governor`, `electromechanical`, `voltage_regulator`, `flux`, `boost`, `governor`.
    pub kind: String,
    /// Sets that take part with a fifth of it or more, largest share first.
    pub sets: Vec<String>,
    /// Frequency, hertz.
    pub frequency_hz: f64,
    /// Damping ratio; negative where it grows.
    pub damping_ratio: f64,
    /// Growth, per second; negative where it decays.
    pub growth_per_s: f64,
    /// Whether it decays.
    pub stable: bool,
}

/// What gave a cadence away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CadenceSource {
    /// Iterations of a training job.
    Training,
    /// A load of steps that repeat.
    Steps,
    /// A line that stands out of the load's spectrum.
    Spectrum,
}

/// A cadence of the load and the settled swing it makes.
#[derive(Debug, Clone, Serialize)]
pub struct CadenceResonance {
    /// Whose: "job llm".
    pub cadence: String,
    /// What gave it away.
    pub source: CadenceSource,
    /// How often the load repeats, hertz.
    pub frequency_hz: f64,
    /// Stretch of the run in which its lines were gathered, seconds: from.
    pub from_s: f64,
    /// Until.
    pub until_s: f64,
    /// Whole periods gathered, of the run's first realisation.
    pub periods: u32,
    /// Mean power over them, watts at the bus.
    pub mean_w: f64,
    /// Swing of frequency allowed, hertz peak to peak; absent without that limit.
    pub limit_swing_hz: Option<f64>,
    /// Settled swing with every limit of the sets, hertz peak to peak, if the load repeated perfectly.
    pub predicted_swing_hz: f64,
    /// Lowest frequency in it, hertz.
    pub predicted_lowest_hz: f64,
    /// Highest frequency in it, hertz.
    pub predicted_highest_hz: f64,
    /// How the prediction came out.
    pub settled: SettledAs,
    /// Periods after which frequency repeats; 0 where it does not.
    pub repeats_after: u32,
    /// The same swing without any limit, linear; absent where it has no steady state.
    pub unlimited_linear_swing_hz: Option<f64>,
    /// Limits that sets reach in every period.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits_reached: Vec<LimitReached>,
    /// How alike a period and the next are at the strongest line: correlation of its complex amplitude, 0 to 1.
    pub coherence: f64,
    /// Root mean square swing of the mode where periods are no more alike than that, over that of a load that repeats perfectly: below 1 on the mode, where jitter
    /// takes away; above 1 beside it, where jitter widens the line towards the mode.
    pub jitter_factor: f64,
    /// What jitter makes of the predicted swing, hertz peak to peak: the factor times the swing. Where sets reach a limit it is the lesser of the predicted and the
    /// factor times the linear one: a rule of thumb that was not held against runs.
    pub expected_swing_hz: f64,
    /// What the run itself showed; absent where its end was not reached by whole periods.
    pub simulated: Option<SimulatedSwing>,
    /// The line of the load that moves the frequency most.
    pub line: Option<LineKpis>,
    /// Lines of the load, strongest swing first; at most 12.
    pub lines: Vec<LineKpis>,
    /// The mode nearest to that line.
    pub mode: Option<ModeKpis>,
    /// Whether the line meets it: within 10 % of its frequency or two half widths.
    pub meets: bool,
    /// What would bring the swing within the limit; absent without a limit and where the swing is within it.
    pub moves: Option<Moves>,
    /// The same in words, a sentence each: swing, mode and line, what would move it.
    pub text: Vec<String>,
}

/// How a prediction came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettledAs {
    /// The frequency repeats with the load.
    Periodic,
    /// It does not repeat within the periods tried.
    NotPeriodic,
    /// Not looked for, as so long a period would be more than a bounded search: predicted is the linear value without limits.
    Linear,
    /// The bus collapses on the way.
    Collapsed,
}

/// A set that reaches a limit in every period.
#[derive(Debug, Clone, Serialize)]
pub struct LimitReached {
    /// Name of the set.
    pub set: String,
    /// Which limit: `upper`, `lower`, `boost`.
    pub limit: String,
    /// Share of the period spent there, 0 to 1.
    pub share: f64,
}

/// Swings of frequency in the settled part of the run's first realisation.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SimulatedSwing {
    /// Median over the periods, hertz peak to peak.
    pub median_swing_hz: f64,
    /// Highest of any period, hertz peak to peak.
    pub highest_swing_hz: f64,
    /// Periods looked at.
    pub periods: u32,
    /// Start of that part, seconds.
    pub from_s: f64,
    /// Whether the slowest oscillation had time to settle before it (five times its time constant).
    pub settled: bool,
}

/// A line of the load.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct LineKpis {
    /// Multiple of the cadence.
    pub harmonic: u32,
    /// Frequency, hertz.
    pub frequency_hz: f64,
    /// Amplitude (half of peak to peak), watts at the bus.
    pub amplitude_w: f64,
    /// Amplitude of frequency that it makes by itself, hertz, linear.
    pub swing_hz: f64,
    /// Linear gain there, hertz per megawatt.
    pub gain_hz_per_mw: f64,
}

/// What would bring a swing within its limit; each by itself.
#[derive(Debug, Clone, Serialize)]
pub struct Moves {
    /// Ranges of cadence that are safe, hertz.
    pub safe_cadences_hz: Vec<(f64, f64)>,
    /// Range searched for them, hertz.
    pub searched_hz: (f64, f64),
    /// Standard deviation of independent timing errors of the periods, seconds (linear; a lower bound).
    pub jitter_s: Option<f64>,
    /// Damping ratio of the mode (linear).
    pub damping_ratio: Option<f64>,
    /// Damping torque that is: more on every set, per unit of its kVA and of speed.
    pub damping_more_pu: Option<f64>,
    /// Power a storage takes off the strongest line, amplitude, watts at the bus (linear).
    pub storage_w: Option<f64>,
    /// Energy it moves to and fro for that, joules: from its emptiest to its fullest.
    pub storage_j: Option<f64>,
    /// Governors retuned by one value, in those sets that have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retuned: Vec<RetunedKpis>,
    /// Some of the cadences and governors were judged by the linear model alone although a limit may be reached, as the search is bounded.
    pub partly_linear: bool,
}

/// A governor with another value.
#[derive(Debug, Clone, Serialize)]
pub struct RetunedKpis {
    /// Key under `governor`: "droop_pu".
    pub key: String,
    /// Value now, of the first set that has it.
    pub from: f64,
    /// Value tried.
    pub to: f64,
    /// Swing with it, hertz peak to peak.
    pub swing_hz: f64,
    /// Whether that is within the limit.
    pub enough: bool,
}
