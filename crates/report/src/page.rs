//! What every figure's page says: titles and footer.

use ballast_study::outcome::Outcome;
use plotters::backend::DrawingBackend;

use crate::canvas::{Align, Canvas, Drawn, fitted};
use crate::number::trimmed;
use crate::style;

/// Titles and footer of a figure: `what` it shows, and on the second line what `basis` it rests on.
pub(crate) fn page<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    outcome: &Outcome,
    what: &str,
    basis: &str,
) -> Drawn<DB> {
    let width = (style::PAGE_WIDTH - 2.0 * style::PAGE_MARGIN) * style::TITLE_SHARE;
    let left = style::PAGE_MARGIN;
    canvas.clear()?;
    let title = title(outcome, what);
    // A long name shrinks before it is cut.
    let natural = style::text_width(&title, style::TITLE_EM);
    let em = (style::TITLE_EM * width / natural).clamp(style::LABEL_EM, style::TITLE_EM);
    canvas.text(
        (left, style::TITLE_Y),
        Align::Left,
        em,
        style::INK,
        &fitted(&title, em, width),
    )?;
    let basis = fitted(basis, style::HEADING_EM, width);
    canvas.text(
        (left, style::SUBTITLE_Y),
        Align::Left,
        style::HEADING_EM,
        style::FAINT_INK,
        &basis,
    )?;
    let run = &outcome.provenance;
    let hash: String = run.scenario_sha256.chars().take(12).collect();
    let footer = fitted(
        &format!("{} {} · scenario {hash}", run.program, run.version),
        style::LABEL_EM,
        width,
    );
    canvas.text(
        (left, style::FOOTER_Y),
        Align::Left,
        style::LABEL_EM,
        style::FAINT_INK,
        &footer,
    )
}

/// First line: the scenario and what is shown.
fn title(outcome: &Outcome, what: &str) -> String {
    let s = &outcome.scenario.simulation;
    let part = if s.start_s > 0.0 {
        format!(
            ", {} s to {} s",
            trimmed(s.start_s, 3),
            trimmed(s.end_s(), 3)
        )
    } else {
        String::new()
    };
    format!("{}{part}: {what}", outcome.scenario.scenario.name)
}

/// Where the power is metered, without what stands in brackets: a line of a figure has no room for what feeds what.
fn metered(outcome: &Outcome) -> &str {
    let text = outcome.site.metered.as_str();
    text.split_once(" (").map_or(text, |(place, _)| place)
}

/// `metered …, realisation 1 of N, seed S` for what is drawn from the first realisation.
pub(crate) fn basis_first(outcome: &Outcome) -> String {
    let run = &outcome.provenance;
    let which = match run.shown {
        Some(realisation) => format!("realisation {realisation}"),
        None => format!("realisation 1 of {}", run.realisations),
    };
    format!(
        "Power metered at {} · {which} · seed {}",
        metered(outcome),
        run.seed
    )
}

/// The same for what is taken over all realisations.
pub(crate) fn basis_all(outcome: &Outcome) -> String {
    let run = &outcome.provenance;
    let realisations = match run.realisations {
        0 | 1 if run.shown.is_some() => return basis_first(outcome),
        0 | 1 => "realisation 1 of 1".to_owned(),
        n => format!("realisations 1 to {n}"),
    };
    format!(
        "Power metered at {} · {realisations} · seed {}",
        metered(outcome),
        run.seed
    )
}
