//! How many more racks would fit under the limit on the site's power.

use serde::Serialize;

use crate::outcome::{Outcome, Status};

/// Key of the limit that counts.
const LIMIT: &str = "site_peak_kw";

/// Racks that would still fit at the unchanged limit.
#[derive(Debug, Clone, Serialize)]
pub struct ExtraRacks {
    /// Group of racks that grows: the largest.
    pub group: String,
    /// Racks that fit beside those that are there.
    pub racks: u32,
    /// Whether it is an estimate; otherwise it was found by runs with that many racks.
    pub estimate: bool,
    /// Limit that they fit under.
    pub limit: String,
    /// Whether as many were tried as may be: more might fit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// Overall verdict with so many racks more; absent for an estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overall: Option<Status>,
    /// How it was found.
    pub basis: String,
}

impl ExtraRacks {
    /// Whether the outcome leaves room under the limit: it was checked, and holds in every run.
    pub fn holds(outcome: &Outcome) -> bool {
        let mut checked = outcome
            .all_verdicts()
            .filter(|v| v.limit == LIMIT)
            .peekable();
        checked.peek().is_some() && checked.all(|v| v.status == Status::Pass)
    }

    /// Name, number in the scenario and count of the group that would grow: the largest, the first of equals.
    pub fn group_of(outcome: &Outcome) -> Option<(String, usize, u32)> {
        let groups = outcome.scenario.racks.iter().enumerate();
        let (at, group) = groups.reduce(|a, b| if b.1.count > a.1.count { b } else { a })?;
        Some((group.name.clone(), at, group.count))
    }
}

/// An estimate: the margin over what one more rack adds at the bus when all peaks coincide as far as they do here.
pub(super) fn estimate(outcome: &Outcome) -> Option<ExtraRacks> {
    let (group, ..) = ExtraRacks::group_of(outcome)?;
    let margins = outcome
        .all_verdicts()
        .filter(|v| v.limit == LIMIT)
        .map(|v| v.margin);
    let margin_kw = margins.flatten().reduce(f64::min)?;
    let rack = outcome.racks.iter().find(|r| r.group == group)?;
    let diversity = outcome.diversity.as_ref().map_or(1.0, |d| d.racks.factor);
    // What the rest of the site adds to a watt of the racks: UPS, cooling, transformer.
    let parts: f64 = outcome.facility.iter().map(|p| p.mean_w).sum();
    let racks = outcome
        .facility
        .iter()
        .find(|p| p.part == "racks")
        .map_or(0.0, |p| p.mean_w);
    let site = if racks > 0.0 { parts / racks } else { 1.0 };
    let each_kw = rack.worst_w / 1e3 * diversity * site;
    let fits = (margin_kw / each_kw).floor();
    if !fits.is_finite() || each_kw <= 0.0 {
        return None;
    }
    Some(ExtraRacks {
        group,
        racks: fits.clamp(0.0, 1e7) as u32,
        estimate: true,
        limit: LIMIT.to_owned(),
        at_least: false,
        overall: None,
        basis: format!(
            "estimate: margin {margin_kw:.1} kW over {each_kw:.2} kW at the bus for each rack (its peak × diversity {diversity:.3} × site {site:.3}); no run was made with them"
        ),
    })
}
