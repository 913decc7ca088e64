//! Outcomes side by side: one table of key figures, differences to the first member, verdicts limit by limit.
//!
//! Pure: outcomes in, a [`Comparison`] out. Every figure comes from one entry of `figures` or `measures`; a new one is one more entry there,
//! and appears in the table, the CSV and the JSON alike.

mod extra;
mod figures;
mod measures;

use serde::Serialize;

use crate::outcome::{Outcome, RunPart, Status, Verdict};

pub use extra::ExtraRacks;
pub use figures::{Figure, figure, figures_of, swing_key};

/// Members side by side.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Version of this layout.
    pub format: u32,
    /// The members; differences are to the first.
    pub members: Vec<MemberHead>,
    /// Key figures, a value per member.
    pub rows: Vec<Row>,
    /// Limits, a verdict per member.
    pub verdicts: Vec<VerdictRow>,
    /// Racks that would still fit under the limit on the site's power, per member; absent where none is asked or none can be told.
    pub extra_racks: Vec<Option<ExtraRacks>>,
    /// What makes the members less comparable: other seeds, durations, steps.
    pub cautions: Vec<String>,
    /// What the figures are and are not.
    pub basis: Vec<String>,
}

/// One member.
#[derive(Debug, Clone, Serialize)]
pub struct MemberHead {
    /// Name in tables and figures.
    pub name: String,
    /// What it tries; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Name of its scenario.
    pub scenario: String,
    /// SHA-256 of the scenario as it was run.
    pub scenario_sha256: String,
    /// Seed of the random streams.
    pub seed: u64,
    /// Realisations run.
    pub realisations: u32,
    /// Simulated time of each, seconds.
    pub duration_s: f64,
    /// Step, seconds.
    pub step_s: f64,
    /// PASS, FAIL, INCONCLUSIVE over all its limits.
    pub overall: Status,
    /// One sentence that sums it up.
    pub summary: String,
    /// Inputs of low confidence that it rests on.
    pub low_confidence: usize,
}

/// One key figure of all members.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Stable name with its unit: `site_peak_kw`.
    pub key: String,
    /// What it is, in words.
    pub label: String,
    /// Unit.
    pub unit: String,
    /// Where a power is metered; absent where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metered: Option<String>,
    /// Value of each member; absent where it has none.
    pub values: Vec<Option<f64>>,
    /// Value less the first member's; absent where either has none.
    pub differences: Vec<Option<f64>>,
}

/// One limit in all members.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictRow {
    /// Key of the limit.
    pub limit: String,
    /// What it is, in words.
    pub label: String,
    /// Unit of its values.
    pub unit: String,
    /// Which of two runs it is of; absent where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunPart>,
    /// Name of the contingency it is of; absent for the run itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contingency: Option<String>,
    /// What came of it in each member; absent where it is not among its limits.
    pub members: Vec<Option<VerdictCell>>,
}

/// What came of a limit in one member.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictCell {
    /// Its state.
    pub status: Status,
    /// Value of the limit.
    pub limit_value: Option<f64>,
    /// Worst value met.
    pub worst_value: Option<f64>,
    /// Distance to the limit, positive when it holds.
    pub margin: Option<f64>,
    /// Whether it is INDICATIVE: it rests on weak constants of the sets.
    pub indicative: bool,
    /// Where it is: whether every corner of their stated ranges decides alike; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corners_agree: Option<bool>,
}

impl VerdictCell {
    fn of(v: &Verdict) -> Self {
        Self {
            status: v.status,
            limit_value: v.limit_value,
            worst_value: v.worst_value,
            margin: v.margin,
            indicative: v.indicative.is_some(),
            corners_agree: v.indicative.as_ref().and_then(|i| i.all_agree),
        }
    }
}

/// An outcome with its name.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Name in tables and figures.
    pub name: &'a str,
    /// What it tries.
    pub description: &'a str,
    /// What came of it.
    pub outcome: &'a Outcome,
}

/// Puts outcomes side by side. Differences are to the first.
pub fn compare(members: &[Member<'_>]) -> Comparison {
    let figures: Vec<Vec<Figure>> = members.iter().map(|m| figures_of(m.outcome)).collect();
    let mut rows: Vec<Row> = Vec::new();
    for (at, figure) in figures
        .iter()
        .enumerate()
        .flat_map(|(at, f)| f.iter().map(move |f| (at, f)))
    {
        let row = row_of(&mut rows, figure, members.len());
        row.values[at] = Some(figure.value);
    }
    overhead(&mut rows, members);
    for row in &mut rows {
        let first = row.values.first().copied().flatten();
        row.differences = row
            .values
            .iter()
            .map(|v| Some((*v)? - first?).filter(|d| d.is_finite()))
            .collect();
    }
    Comparison {
        format: 1,
        members: members.iter().map(head).collect(),
        rows,
        verdicts: verdicts(members),
        extra_racks: members.iter().map(|m| extra::estimate(m.outcome)).collect(),
        cautions: cautions(members),
        basis: basis(members),
    }
}

fn head(member: &Member<'_>) -> MemberHead {
    let o = member.outcome;
    MemberHead {
        name: member.name.to_owned(),
        description: member.description.to_owned(),
        scenario: o.scenario.scenario.name.clone(),
        scenario_sha256: o.provenance.scenario_sha256.clone(),
        seed: o.provenance.seed,
        realisations: o.provenance.realisations,
        duration_s: o.provenance.duration_s,
        step_s: o.provenance.step_s,
        overall: o.overall,
        summary: o.summary.clone(),
        low_confidence: o.low_confidence.len(),
    }
}

/// The row of a figure; a figure that only a later member has stands behind the one before it in that member.
fn row_of<'a>(rows: &'a mut Vec<Row>, figure: &Figure, members: usize) -> &'a mut Row {
    let at = rows
        .iter()
        .position(|r| r.key == figure.key)
        .unwrap_or_else(|| {
            let rank = |key: &str| figures::rank(key);
            let before = rows
                .iter()
                .rposition(|r| rank(&r.key) <= rank(&figure.key))
                .map_or(0, |p| p + 1);
            rows.insert(
                before,
                Row {
                    key: figure.key.clone(),
                    label: figure.label.clone(),
                    unit: figure.unit.to_owned(),
                    metered: figure.metered.clone(),
                    values: vec![None; members],
                    differences: Vec::new(),
                },
            );
            before
        });
    &mut rows[at]
}

/// Energy beyond the first member's: what a measure costs. What stores hold more at the end than at the start is not lost.
fn overhead(rows: &mut Vec<Row>, members: &[Member<'_>]) {
    let Some(at) = rows.iter().position(|r| r.key == figures::ENERGY) else {
        return;
    };
    let spent: Vec<Option<f64>> = members
        .iter()
        .zip(&rows[at].values)
        .map(|(m, kwh)| Some((*kwh)? - measures::stored_kwh(m.outcome).unwrap_or(0.0)))
        .collect();
    let duration = |m: &Member<'_>| m.outcome.provenance.duration_s;
    let Some((first, Some(first_kwh))) = members.first().zip(spent.first().copied()) else {
        return;
    };
    let values = members
        .iter()
        .zip(spent)
        .map(|(m, kwh)| {
            // Of the same stretch of time only.
            let same = (duration(m) - duration(first)).abs() <= 1e-9 * duration(first);
            Some(100.0 * (kwh? / first_kwh - 1.0)).filter(|p| same && p.is_finite())
        })
        .collect();
    let row = Row {
        key: "energy_overhead_percent".to_owned(),
        label: format!("spent beyond {}", first.name),
        unit: "%".to_owned(),
        metered: rows[at].metered.clone(),
        values,
        differences: Vec::new(),
    };
    let behind = rows.iter().rposition(|r| r.key == measures::STORED);
    rows.insert(behind.unwrap_or(at) + 1, row);
}

impl VerdictRow {
    fn is_of(&self, v: &Verdict) -> bool {
        self.limit == v.limit
            && self.run == v.run
            && self.contingency == v.contingency
            && self.label == row_label(v)
    }
}

/// What it is, and of which failure's run.
fn row_label(v: &Verdict) -> String {
    let kind = match v.run {
        Some(RunPart::SetTrip) => "N−1: ",
        _ => "",
    };
    match &v.contingency {
        Some(name) => format!("{} ({kind}{name})", v.label),
        None => v.label.clone(),
    }
}

fn verdicts(members: &[Member<'_>]) -> Vec<VerdictRow> {
    let mut rows: Vec<VerdictRow> = Vec::new();
    for (at, member) in members.iter().enumerate() {
        for v in member.outcome.all_verdicts() {
            let given = v.status != Status::NotChecked || v.limit_value.is_some();
            let known = rows.iter().position(|r| r.is_of(v));
            let row = match known {
                Some(row) => row,
                None if given => {
                    rows.push(VerdictRow {
                        limit: v.limit.clone(),
                        label: row_label(v),
                        unit: v.unit.clone(),
                        run: v.run,
                        contingency: v.contingency.clone(),
                        members: vec![None; members.len()],
                    });
                    rows.len() - 1
                }
                None => continue,
            };
            rows[row].members[at] = Some(VerdictCell::of(v));
        }
    }
    // A limit that the first member does not have: what it says of that is known too.
    for (at, member) in members.iter().enumerate() {
        for row in rows.iter_mut().filter(|r| r.members[at].is_none()) {
            let v = member.outcome.all_verdicts().find(|v| row.is_of(v));
            row.members[at] = v.map(VerdictCell::of);
        }
    }
    rows
}

/// What differs between members that should not where measures are compared.
fn cautions(members: &[Member<'_>]) -> Vec<String> {
    let mut cautions = Vec::new();
    let mut differs = |what: &str, of: &dyn Fn(&Outcome) -> String, why: &str| {
        let all: Vec<String> = members.iter().map(|m| of(m.outcome)).collect();
        if all.windows(2).any(|w| w[0] != w[1]) {
            let named: Vec<String> = members
                .iter()
                .zip(&all)
                .map(|(m, v)| format!("{} {v}", m.name))
                .collect();
            cautions.push(format!("the {what} differ ({}): {why}", named.join(", ")));
        }
    };
    differs(
        "seeds",
        &|o| o.provenance.seed.to_string(),
        "the members do not meet the same random streams",
    );
    differs(
        "starts",
        &|o| format!("{} s", o.scenario.simulation.start_s),
        "the members show other stretches of time",
    );
    differs(
        "durations",
        &|o| format!("{} s", o.provenance.duration_s),
        "extremes grow with the time looked at, and energies cannot be compared",
    );
    differs(
        "steps",
        &|o| format!("{} s", o.provenance.step_s),
        "a longer step shows less of peaks and ramps",
    );
    differs(
        "realisations",
        &|o| o.provenance.realisations.to_string(),
        "extremes grow with their number",
    );
    let band = |o: &Outcome| {
        let band = figures::band_of(o);
        band.map_or_else(
            || "none".to_owned(),
            |b| format!("{} to {} Hz", b.low_hz, b.high_hz),
        )
    };
    differs(
        "critical bands",
        &band,
        "their powers are of other frequencies",
    );
    cautions
}

fn basis(members: &[Member<'_>]) -> Vec<String> {
    let mut basis = vec![
        "Random streams are named by purpose and entity: with the same seed, what a member does not change meets the same randomness in all.".to_owned(),
        "Peaks, ramps, frequency and voltage are the worst of all realisations and of the fine run where there is one; energy, band and curves are of the first realisation.".to_owned(),
    ];
    let any = |of: &dyn Fn(&Outcome) -> bool| members.iter().any(|m| of(m.outcome));
    if any(&|o| !o.storage.is_empty() || !o.bess.is_empty()) {
        basis.push("Charge used is from the lowest to the highest of any store, as a share of its usable energy; energies given and lost are of all stores together, mean of the realisations. Energy that is stored at the end and was not at the start is not counted as spent.".to_owned());
    }
    if any(&|o| o.all_verdicts().any(|v| v.indicative.is_some())) {
        basis.push("INDICATIVE: the verdict rests on constants of the sets that are estimated or of low confidence; each member's outcome.json has the corners of their ranges.".to_owned());
    }
    if members.iter().any(|m| extra::estimate(m.outcome).is_some()) {
        basis.push("Extra racks are an estimate from the margin of site_peak_kw and the peak of a rack, unless they were found by runs: other limits may break first.".to_owned());
    }
    basis
}
