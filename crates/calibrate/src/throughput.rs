//! Tokens per second and energy per token, phase by phase.

use serde::Serialize;

use crate::segment::{Group, Label};
use crate::segment_signal::moments;

/// Throughput in one phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseThroughput {
    /// The phase.
    pub label: Label,
    /// Its begin, seconds.
    pub from_s: f64,
    /// Its end, seconds.
    pub to_s: f64,
    /// Mean tokens per second.
    pub tokens_per_s: f64,
    /// GPU energy per token, joules; none where no token was made.
    pub j_per_token: Option<f64>,
}

/// Throughput by phase of a group; samples are rates on the recording's clock.
pub fn throughput(group: &Group, samples: &[(f64, f64)]) -> Vec<PhaseThroughput> {
    group
        .phases
        .iter()
        .filter_map(|p| {
            let inside = samples
                .iter()
                .filter(|(t, _)| *t >= p.from_s && *t < p.to_s);
            let (tokens_per_s, _) = moments(inside.map(|s| s.1));
            tokens_per_s.is_finite().then(|| PhaseThroughput {
                label: p.label,
                from_s: p.from_s,
                to_s: p.to_s,
                tokens_per_s,
                j_per_token: (tokens_per_s > 0.0)
                    .then(|| p.level_w * group.gpus.len() as f64 / tokens_per_s),
            })
        })
        .collect()
}

/// Rates from saved text of a Prometheus endpoint: samples `name{labels} value milliseconds` of metrics with `token` in their name.
///
/// Several scrapes may follow each other. Metrics whose name ends in `_total` or says `counter` in a `# TYPE` line are differenced to rates;
/// series of one name are summed. The metric that speaks of generated or output tokens is taken before others. Times in seconds since 1970.
pub fn prometheus_text(text: &str) -> Vec<(f64, f64)> {
    let mut counters: Vec<&str> = Vec::new();
    let mut all: Vec<(&str, i64, f64)> = Vec::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            if let Some((name, "counter")) = kind.trim().split_once(' ') {
                counters.push(name);
            }
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let (name, rest) = name_and_rest(line);
        let mut words = rest.split_whitespace();
        let value: Option<f64> = words.next().and_then(|w| w.parse().ok());
        let time: Option<i64> = words.next().and_then(|w| w.parse().ok());
        if let (true, Some(value), Some(time)) = (name.contains("token"), value, time)
            && value.is_finite()
        {
            all.push((name, time, value));
        }
    }
    let rank = |name: &str| {
        let told = ["generation", "generated", "output", "completion"];
        !told.iter().any(|w| name.contains(w))
    };
    let Some(name) = all.iter().map(|s| s.0).min_by_key(|n| (rank(n), *n)) else {
        return Vec::new();
    };
    let mut sums: std::collections::BTreeMap<i64, f64> = std::collections::BTreeMap::new();
    for (_, time, value) in all.iter().filter(|s| s.0 == name) {
        *sums.entry(*time).or_insert(0.0) += value;
    }
    let points: Vec<(f64, f64)> = sums.into_iter().map(|(t, v)| (t as f64 / 1e3, v)).collect();
    if name.ends_with("_total") || counters.contains(&name) {
        points
            .windows(2)
            // A counter that falls began anew.
            .filter(|w| w[1].1 >= w[0].1)
            .map(|w| (w[1].0, (w[1].1 - w[0].1) / (w[1].0 - w[0].0)))
            .collect()
    } else {
        points
    }
}

/// Name of a sample, and what follows its labels.
fn name_and_rest(line: &str) -> (&str, &str) {
    match line.split_once('{') {
        Some((name, rest)) => (name, rest.rsplit_once('}').map_or("", |r| r.1)),
        None => line.split_once(' ').unwrap_or((line, "")),
    }
}

/// What a scrape says of tokens, each sample with its time, so that scrapes can follow each other in one file for [`prometheus_text`]. Servers
/// leave the time out; it is that of the scrape, milliseconds since 1970.
pub fn stamped(scrape: &str, unix_ms: i64) -> String {
    let mut out = String::new();
    for line in scrape.lines().map(str::trim_end) {
        let name = line.strip_prefix("# TYPE ").unwrap_or(line);
        let named = name_and_rest(name).0;
        if !named.contains("token") || line.starts_with('#') && !line.starts_with("# TYPE ") {
            continue;
        }
        out.push_str(line);
        if !line.starts_with('#') && name_and_rest(line).1.split_whitespace().count() == 1 {
            out.push_str(&format!(" {unix_ms}"));
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_become_rates() {
        let text = "# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total{model=\"a\"} 100 1000\nvllm:prompt_tokens_total 7 1000\n\
                    vllm:generation_tokens_total{model=\"a\"} 350 2000\nvllm:generation_tokens_total{model=\"a\"} 10 3000\nnonsense\n";
        assert_eq!(prometheus_text(text), [(2.0, 250.0)]);
        assert!(prometheus_text("").is_empty());
    }

    #[test]
    fn scrapes_without_times_get_that_of_the_scrape() {
        let scrape = |n: u32| {
            format!(
                "# HELP vllm:generation_tokens_total Tokens\n# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total{{model=\"a b\"}} {n}.0\nup 1\n"
            )
        };
        let text = stamped(&scrape(100), 1000) + &stamped(&scrape(350), 2000);
        assert_eq!(prometheus_text(&text), [(2.0, 250.0)]);
        assert!(!text.contains("up 1") && !text.contains("HELP"), "{text}");
    }
}
