//! How the fluctuation of the GPUs is shared: named presets, shares, and the time constants of shared factors.
//!
//! A GPU's deviation from its mean is `σ · (Σ_levels √share · Z_level + √own · Z_gpu)` with independent factors of unit variance,
//! so two GPUs are correlated by the sum of the shares of the levels they have in common.

use ballast_units::Confidence;
use serde::Serialize;

use crate::site::SiteProblem;
use crate::{CorrelationSpec, JobSpec, LevelShares};

/// A named set of shares. All are estimates: no measured correlation between replicas, racks or sites was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CorrelationPreset {
    /// Name as it stands in a scenario.
    pub name: &'static str,
    /// Shares of the variance by level.
    pub shares: LevelShares,
    /// Low end of the stated range of the correlation of any two GPUs; absent where there is none.
    pub low: Option<f64>,
    /// High end of that range.
    pub high: Option<f64>,
    /// What the shares rest on.
    pub source: &'static str,
    /// How far they can be trusted.
    pub confidence: Confidence,
}

const NONE: LevelShares = LevelShares {
    site: 0.0,
    row: 0.0,
    rack: 0.0,
    job: 0.0,
    node: 0.0,
};
const ESTIMATE: &str = "estimate; a replica's share rests on the correlation of 0.97 between the four H100 of one tensor-parallel replica, \
    derived from one log of powertrace-sim (77 samples); no measurement between replicas, racks or sites was found";
const SOURCE002: &str = "source 002 (H100 phase-profile study), part 5.1: middle of its range, the same for every two GPUs; the study names no measurement";

/// Order of the names is the order in which they are listed to a user.
static PRESETS: [CorrelationPreset; 9] = [
    estimate(
        "training_sync",
        LevelShares {
            job: 0.90,
            node: 0.05,
            ..NONE
        },
    ),
    estimate(
        "inference_live",
        LevelShares {
            site: 0.05,
            node: 0.88,
            ..NONE
        },
    ),
    // As `inference_live`, without what it gives the site: where requests are followed, they are what replicas share.
    estimate("inference_traffic", LevelShares { node: 0.88, ..NONE }),
    estimate(
        "batch_inference",
        LevelShares {
            site: 0.10,
            job: 0.40,
            node: 0.43,
            ..NONE
        },
    ),
    estimate(
        "mixed",
        LevelShares {
            site: 0.05,
            job: 0.25,
            node: 0.60,
            ..NONE
        },
    ),
    source002("source002_training", 0.7, 0.8, 0.9),
    source002("source002_inference", 0.3, 0.4, 0.5),
    source002("source002_batch", 0.6, 0.65, 0.7),
    source002("source002_mixed", 0.4, 0.5, 0.6),
];

const fn estimate(name: &'static str, shares: LevelShares) -> CorrelationPreset {
    CorrelationPreset {
        name,
        shares,
        low: None,
        high: None,
        source: ESTIMATE,
        confidence: Confidence::Low,
    }
}

const fn source002(name: &'static str, low: f64, middle: f64, high: f64) -> CorrelationPreset {
    let shares = LevelShares {
        site: middle,
        ..NONE
    };
    CorrelationPreset {
        name,
        shares,
        low: Some(low),
        high: Some(high),
        source: SOURCE002,
        confidence: Confidence::Low,
    }
}

/// The named sets of shares a scenario can use.
pub fn correlation_presets() -> &'static [CorrelationPreset] {
    &PRESETS
}

/// The shares in force for a job, and where they come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobCorrelation {
    /// Name of the job.
    pub job: String,
    /// Preset's name, `equal` or `levels`.
    pub kind: String,
    /// Whether neither the job nor the scenario states it, so that the default of its kind of job applies.
    pub by_default: bool,
    /// Shares of the variance by level.
    pub shares: LevelShares,
    /// What the shares rest on.
    pub source: String,
}

/// Shares in force for a job: its own, else the scenario's, else `training_sync`, `inference_live` or `inference_traffic` by its kind.
///
/// An invalid spec yields no shares here; [`check`] says what is wrong with it.
pub(crate) fn in_force(job: &JobSpec, common: Option<&CorrelationSpec>) -> JobCorrelation {
    let fallback = match job {
        JobSpec::Batch(_) => "inference_live",
        JobSpec::Training(_) => "training_sync",
        JobSpec::Inference(_) => "inference_traffic",
    };
    let stated = job.correlation().or(common);
    let named = |name: &str| PRESETS.iter().find(|p| p.name == name);
    let (kind, shares, source) = match stated {
        None => (
            fallback,
            named(fallback).map_or(NONE, |p| p.shares),
            ESTIMATE,
        ),
        Some(CorrelationSpec::Preset { name }) => match named(name) {
            Some(p) => (p.name, p.shares, p.source),
            None => (name.as_str(), NONE, ""),
        },
        Some(CorrelationSpec::Equal { coefficient }) => (
            "equal",
            LevelShares {
                site: *coefficient,
                ..NONE
            },
            "scenario",
        ),
        Some(CorrelationSpec::Levels { shares }) => ("levels", *shares, "scenario"),
    };
    JobCorrelation {
        job: job.name().to_owned(),
        kind: kind.to_owned(),
        by_default: stated.is_none(),
        shares,
        source: source.to_owned(),
    }
}

/// Share of the variance that is a GPU's own.
pub(crate) fn own_share(s: LevelShares) -> f64 {
    (1.0 - (s.site + s.row + s.rack + s.job + s.node)).max(0.0)
}

/// Every problem of a correlation spec at `path`.
pub(crate) fn check(path: &str, spec: &CorrelationSpec, problems: &mut Vec<SiteProblem>) {
    match spec {
        CorrelationSpec::Preset { name } => {
            if !PRESETS.iter().any(|p| p.name == name) {
                let names = PRESETS
                    .iter()
                    .map(|p| p.name)
                    .collect::<Vec<_>>()
                    .join(", ");
                problems.push(SiteProblem::new(
                    format!("{path}.name"),
                    format!("there is no correlation preset `{name}`"),
                    format!("presets: {names}"),
                ));
            }
        }
        CorrelationSpec::Equal { coefficient } => {
            if !(0.0..=1.0).contains(coefficient) {
                problems.push(SiteProblem::new(
                    format!("{path}.coefficient"),
                    format!("the correlation coefficient is {coefficient}"),
                    "it must lie between 0 (independent) and 1 (in step)".to_owned(),
                ));
            }
        }
        CorrelationSpec::Levels { shares } => check_shares(path, *shares, problems),
    }
}

fn check_shares(path: &str, s: LevelShares, problems: &mut Vec<SiteProblem>) {
    let before = problems.len();
    for (name, value) in [
        ("site", s.site),
        ("row", s.row),
        ("rack", s.rack),
        ("job", s.job),
        ("node", s.node),
    ] {
        if !(0.0..=1.0).contains(&value) {
            problems.push(SiteProblem::new(
                format!("{path}.shares.{name}"),
                format!("the share of the level `{name}` is {value}"),
                "a share of the variance lies between 0 and 1".to_owned(),
            ));
        }
    }
    let sum = s.site + s.row + s.rack + s.job + s.node;
    // Decimal shares that add up to 1 on paper may miss it by rounding.
    if problems.len() == before && sum > 1.0 + 1e-9 {
        problems.push(SiteProblem::new(
            format!("{path}.shares"),
            format!("the shares sum to {sum:.4}, more than the whole variance"),
            "lower them so that they sum to 1 at most; what is missing to 1 is the GPU's own fluctuation".to_owned(),
        ));
    }
}

/// Median; the mean of the two middle values of an even number. `None` of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let high = values.get(n / 2).copied()?;
    Some(if n % 2 == 1 {
        high
    } else {
        0.5 * (values[n / 2 - 1] + high)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_unique() {
        let mut problems = Vec::new();
        for p in correlation_presets() {
            check_shares(p.name, p.shares, &mut problems);
            assert_eq!(
                correlation_presets()
                    .iter()
                    .filter(|q| q.name == p.name)
                    .count(),
                1
            );
            assert_eq!(p.confidence, Confidence::Low);
            if let (Some(low), Some(high)) = (p.low, p.high) {
                assert!(low <= p.shares.site && p.shares.site <= high);
            }
        }
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn bad_specs_are_named() {
        let mut problems = Vec::new();
        check(
            "correlation",
            &CorrelationSpec::Preset {
                name: "trainig".into(),
            },
            &mut problems,
        );
        check(
            "correlation",
            &CorrelationSpec::Equal {
                coefficient: f64::NAN,
            },
            &mut problems,
        );
        let shares = LevelShares {
            site: 0.6,
            job: 0.5,
            ..NONE
        };
        check(
            "jobs.0.correlation",
            &CorrelationSpec::Levels { shares },
            &mut problems,
        );
        let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "correlation.name",
                "correlation.coefficient",
                "jobs.0.correlation.shares"
            ]
        );
        assert!(problems[0].help.contains("training_sync"));
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
    }
}
