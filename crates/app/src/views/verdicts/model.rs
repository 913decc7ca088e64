//! What the cards say, in words: made once per result.

mod card;
mod figures;

use ballast_study::outcome::{Contingency, Outcome, Status, Verdict};
use ballast_units::format_number as number;

pub(crate) use card::Card;
pub(crate) use figures::FigureSection;

use crate::result::RunResult;

/// Cadences that are told; the rest stand in the outcome.
const TOLD_CADENCES: usize = 2;

/// Everything the right side shows of a result.
#[derive(Debug, Clone)]
pub(crate) struct VerdictsModel {
    /// Over all verdicts.
    pub(crate) overall: Status,
    /// One sentence.
    pub(crate) summary: String,
    /// How many verdicts there are of each state that has any, worst first.
    pub(crate) counts: Vec<(Status, usize)>,
    /// The run itself first, then the fine run, then what fails.
    pub(crate) groups: Vec<Group>,
    /// Figures by what they are of.
    pub(crate) figures: Vec<FigureSection>,
    /// What repeats in the load and what it does to the sets, a sentence each.
    pub(crate) resonance: Vec<String>,
    /// What happened, with its time.
    pub(crate) events: Vec<(f64, String)>,
    /// What a reader should know.
    pub(crate) notes: Vec<String>,
    /// What the models assume.
    pub(crate) assumptions: Vec<String>,
    /// Inputs of low confidence: path, value, source.
    pub(crate) low_confidence: Vec<[String; 3]>,
}

/// Verdicts of one run.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Name; none for the run itself.
    pub(crate) title: Option<String>,
    /// State over its verdicts; only where it has a name.
    pub(crate) overall: Status,
    /// When it strikes or is the worst, seconds.
    pub(crate) at_s: Option<f64>,
    /// What it is about.
    pub(crate) about: Vec<String>,
    /// FAIL, INCONCLUSIVE, limits given that nobody looked at, PASS by smallest margin.
    pub(crate) cards: Vec<Card>,
    /// What no limit is on: what it is, the worst value if there is one, and why.
    pub(crate) not_checked: Vec<NotChecked>,
}

/// Something nobody judged.
#[derive(Debug, Clone)]
pub(crate) struct NotChecked {
    /// What it is.
    pub(crate) label: String,
    /// Its worst value, where it was looked at.
    pub(crate) worst: Option<String>,
    /// Why it was not judged.
    pub(crate) why: String,
    /// Time of the worst value, seconds.
    pub(crate) at_s: Option<f64>,
}

impl VerdictsModel {
    pub(crate) fn of(result: &RunResult) -> Self {
        let o = &*result.outcome;
        let about = Context {
            outcome: o,
            ranges_checked: result.ranges_checked,
        };
        let mut groups = vec![about.group(None, o.overall, None, Vec::new(), &o.verdicts)];
        if let Some(zoom) = &o.zoom {
            let s = &zoom.outcome.scenario.simulation;
            let fine = Context {
                outcome: &zoom.outcome,
                ..about
            };
            groups.push(fine.group(
                Some(format!("Fine run around {} s", number(zoom.at_s))),
                zoom.outcome.overall,
                Some(zoom.at_s),
                vec![
                    zoom.why.clone(),
                    format!(
                        "{} s to {} s of realisation {}, steps of {} s",
                        number(s.start_s),
                        number(s.end_s()),
                        zoom.realisation,
                        number(s.step_s)
                    ),
                ],
                &zoom.outcome.verdicts,
            ));
        }
        groups.extend(o.contingencies.iter().map(|c| about.contingency(c)));
        Self {
            overall: o.overall,
            summary: o.summary.clone(),
            counts: counts(o),
            groups,
            figures: figures::sections(o),
            resonance: resonance(o),
            events: events(o),
            notes: o.diagnostics.iter().map(|d| d.text.clone()).collect(),
            assumptions: assumptions(o),
            low_confidence: o
                .low_confidence
                .iter()
                .map(|l| [l.path.clone(), l.value.clone(), l.source.clone()])
                .collect(),
        }
    }
}

/// What a verdict is judged with.
#[derive(Clone, Copy)]
struct Context<'a> {
    outcome: &'a Outcome,
    ranges_checked: bool,
}

impl Context<'_> {
    fn group(
        &self,
        title: Option<String>,
        overall: Status,
        at_s: Option<f64>,
        about: Vec<String>,
        verdicts: &[Verdict],
    ) -> Group {
        let judged = |v: &&Verdict| v.status != Status::NotChecked || v.unseen();
        let mut cards: Vec<Card> = verdicts
            .iter()
            .filter(judged)
            .map(|v| Card::of(v, self.outcome, self.ranges_checked))
            .collect();
        cards.sort_by(|a, b| {
            let used = |c: &Card| c.used.unwrap_or(f64::NEG_INFINITY);
            let rank = rank(a.status).cmp(&rank(b.status));
            rank.then(used(b).total_cmp(&used(a)))
        });
        Group {
            title,
            overall,
            at_s,
            about,
            cards,
            not_checked: verdicts
                .iter()
                .filter(|v| !judged(v))
                .map(|v| NotChecked {
                    label: sentence(&v.label),
                    worst: v.worst_value.map(|x| quantity(x, &v.unit)),
                    why: v.basis.clone(),
                    at_s: v.at_s,
                })
                .collect(),
        }
    }

    fn contingency(&self, c: &Contingency) -> Group {
        let kind = match c.kind.as_str() {
            "set_trip" => "N−1",
            _ => "Load rejection",
        };
        // Its own name often says the kind already.
        let title = if c.name.to_lowercase().contains(&kind.to_lowercase()) {
            sentence(&c.name)
        } else {
            format!("{kind}, {}", c.name)
        };
        let mut about = vec![sentence(&c.summary)];
        let tried = match c.tried.len() {
            0 | 1 => String::new(),
            n => format!("worst of {n} moments tried, each limit at its own, "),
        };
        about.push(sentence(&format!(
            "{tried}{}realisation {}, looked at from {} s to {} s",
            if c.why.is_empty() {
                String::new()
            } else {
                format!("{}, ", c.why)
            },
            c.realisation,
            number(c.start_s),
            number(c.end_s)
        )));
        if let Some(f) = &c.figures
            && let (Some(before_kw), Some(after_kw)) = (f.reserve_before_kw, f.reserve_after_kw)
        {
            about.push(format!(
                "Reserve {} before, {} after",
                quantity(before_kw, "kW"),
                quantity(after_kw, "kW")
            ));
        }
        self.group(Some(title), c.overall, Some(c.at_s), about, &c.verdicts)
    }
}

/// Place among the cards.
fn rank(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Inconclusive => 1,
        Status::NotChecked => 2,
        Status::Pass => 3,
    }
}

fn counts(o: &Outcome) -> Vec<(Status, usize)> {
    let each = [
        Status::Fail,
        Status::Inconclusive,
        Status::NotChecked,
        Status::Pass,
    ];
    // What nobody looked at is told once, not again for each contingency: as the summary counts it.
    let of = |s: Status| match s {
        Status::NotChecked => o.verdicts.iter().filter(|v| v.status == s).count(),
        _ => o.all_verdicts().filter(|v| v.status == s).count(),
    };
    each.into_iter()
        .map(|s| (s, of(s)))
        .filter(|(_, n)| *n > 0)
        .collect()
}

fn resonance(o: &Outcome) -> Vec<String> {
    let Some(r) = &o.resonance else {
        return Vec::new();
    };
    let told = r.cadences.iter().take(TOLD_CADENCES);
    let mut text: Vec<String> = told.flat_map(|c| &c.text).map(|t| sentence(t)).collect();
    if let Some(more) = r.cadences.len().checked_sub(TOLD_CADENCES)
        && more > 0
    {
        text.push(format!("{more} more cadences in outcome.json"));
    }
    text.extend(
        r.none_because
            .iter()
            .map(|why| format!("Nothing predicted: {why}")),
    );
    text
}

/// Events of all runs, in order of time; the starts and ends of jobs are left to the plots where there are many.
fn events(o: &Outcome) -> Vec<(f64, String)> {
    let routine = ["job_start", "job_stop"];
    let own = o
        .events
        .iter()
        .filter(|e| o.events.len() <= 40 || !routine.contains(&e.kind.as_str()));
    let fine = o.zoom.iter().flat_map(|z| &z.outcome.events);
    let mut all: Vec<(f64, String)> = own
        .chain(fine)
        .map(|e| {
            (
                e.at_s,
                format!("{:.3} s, {}: {}", e.at_s, e.element, e.text),
            )
        })
        .collect();
    let failures = o.contingencies.iter().flat_map(|c| {
        c.events.iter().map(move |e| {
            let text = format!("{:.3} s, {} ({}): {}", e.at_s, e.element, c.name, e.text);
            (e.at_s, text)
        })
    });
    all.extend(failures);
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.dedup();
    all
}

fn assumptions(o: &Outcome) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let fine = o.zoom.iter().flat_map(|z| &z.outcome.assumptions);
    let failures = o.contingencies.iter().flat_map(|c| &c.assumptions);
    let assumed = o.resonance.iter().flat_map(|r| &r.assumed);
    for text in o
        .assumptions
        .iter()
        .chain(fine)
        .chain(failures)
        .chain(assumed)
    {
        let text = sentence(text);
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// A figure with its unit, as the command prints it.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    ballast_units::format_in_unit(value, unit)
}

/// The text with a capital at its start; words that are names (`f_hz`, `N−1`) stay.
pub(crate) fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) if first.is_lowercase() => {
            let word = text.split_whitespace().next().unwrap_or_default();
            if word
                .chars()
                .all(|c| c.is_lowercase() || ",;:-–’'".contains(c))
            {
                first.to_uppercase().chain(rest).collect()
            } else {
                text.to_owned()
            }
        }
        _ => text.to_owned(),
    }
}
