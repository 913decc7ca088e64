//! The verdict table and what stands around it.

use ballast_study::outcome::{Event, Outcome, Status, Verdict};
use ballast_units::format_si;

use crate::printer::Printer;

/// Events up to which all of them are printed.
const MOST_EVENTS: usize = 40;

/// Prints an outcome for people.
pub(crate) fn outcome(outcome: &Outcome, printer: &Printer) {
    let head = &outcome.scenario.scenario;
    printer.line(&printer.paint("1", &head.name));
    if !head.description.is_empty() {
        printer.line(&head.description);
    }
    printer.line("");
    part(outcome, printer);
    if let Some(zoom) = &outcome.zoom {
        let s = &zoom.outcome.scenario.simulation;
        let title = format!(
            "zoom: {} s to {} s of realisation {} at {} s",
            number(s.start_s),
            number(s.end_s()),
            zoom.realisation,
            number(s.step_s)
        );
        printer.line(&format!("\n{}", printer.paint("1", &title)));
        printer.line(&format!("around {:.3} s: {}", zoom.at_s, zoom.why));
        printer.line("");
        part(&zoom.outcome, printer);
    }
    printer.line(&format!(
        "\n{}  {}",
        painted(outcome.overall, printer),
        outcome.summary
    ));
}

/// What one run says.
fn part(outcome: &Outcome, printer: &Printer) {
    table(&outcome.verdicts, printer);
    load_lines(outcome, printer);
    storage_lines(outcome, printer);
    if let Some(v) = outcome
        .verdicts
        .iter()
        .find(|v| v.status != Status::NotChecked)
    {
        printer.line(&format!("\nbasis         {}", v.basis));
    }
    for v in outcome
        .verdicts
        .iter()
        .filter(|v| v.status == Status::Inconclusive)
    {
        printer.line(&format!("inconclusive  {}: {}", v.label, v.basis));
    }
    for v in outcome.verdicts.iter().filter(|v| unseen(v)) {
        printer.line(&format!("not checked   {}: {}", v.label, v.basis));
    }
    let not_checked: Vec<&str> = outcome
        .verdicts
        .iter()
        .filter(|v| v.status == Status::NotChecked && !unseen(v))
        .map(|v| v.label.as_str())
        .collect();
    if !not_checked.is_empty() {
        printer.line(&format!("not checked   {}", not_checked.join("; ")));
    }
    // Where there are many, the starts and ends of jobs are left to the outcome.
    let many = outcome.events.len() > MOST_EVENTS;
    let routine = |e: &Event| many && ["job_start", "job_stop"].contains(&e.kind.as_str());
    for e in outcome.events.iter().filter(|e| !routine(e)) {
        printer.line(&format!(
            "event         {:.3} s, {}: {}",
            e.at_s, e.element, e.text
        ));
    }
    let left = outcome.events.iter().filter(|e| routine(e)).count();
    if left > 0 {
        printer.line(&format!(
            "events        {left} starts and ends of jobs: see outcome.json"
        ));
    }
    for d in &outcome.diagnostics {
        printer.line(&format!("note          {}", d.text));
    }
}

/// Whether it is a limit that was given and that nobody looked at.
fn unseen(v: &Verdict) -> bool {
    v.status == Status::NotChecked && v.limit_value.is_some()
}

fn painted(status: Status, printer: &Printer) -> String {
    let ansi = match status {
        Status::Pass => "1;32",
        Status::Fail => "1;31",
        Status::Inconclusive => "1;33",
        Status::NotChecked => "2",
    };
    printer.paint(ansi, status.label())
}

fn table(verdicts: &[Verdict], printer: &Printer) {
    let header = [
        "", "limit", "worst", "allowed", "margin", "at", "where", "over",
    ];
    let shown: Vec<&Verdict> = verdicts
        .iter()
        .filter(|v| v.status != Status::NotChecked || unseen(v))
        .collect();
    let rows: Vec<[String; 8]> = shown
        .iter()
        .map(|v| {
            let unit = |x: Option<f64>| {
                x.map_or_else(|| "–".to_owned(), |x| format!("{} {}", number(x), v.unit))
            };
            [
                v.status.label().to_owned(),
                v.label.clone(),
                unit(v.worst_value),
                unit(v.limit_value),
                unit(v.margin),
                v.at_s
                    .map_or_else(|| "–".to_owned(), |t| format!("{t:.3} s")),
                v.element.clone().unwrap_or_else(|| "–".to_owned()),
                if unseen(v) {
                    "given, not looked at".to_owned()
                } else {
                    v.window.clone()
                },
            ]
        })
        .collect();
    if rows.is_empty() {
        printer.line("no limit was given: add some under [limits]");
        return;
    }
    let width = |i: usize| {
        rows.iter()
            .map(|r| r[i].chars().count())
            .chain([header[i].len()])
            .max()
            .unwrap_or(0)
    };
    let line = |cells: [&str; 8]| -> String {
        let padded: Vec<String> = cells
            .iter()
            .enumerate()
            .map(|(i, c)| format!("{c:<w$}", w = width(i)))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    printer.line(&line(header));
    for (row, v) in rows.iter().zip(shown) {
        let text = line(row.each_ref().map(String::as_str));
        // Colour goes in last, so that it does not count as width.
        printer.line(&text.replacen(v.status.label(), &painted(v.status, printer), 1));
    }
}

/// Whether a figure has so many zeros that only a power of ten shows it.
fn is_extreme(x: f64) -> bool {
    x != 0.0 && !(1e-6..1e15).contains(&x.abs())
}

/// A figure with an SI prefix and `digits` significant digits.
fn si(x: f64, unit: &str, digits: usize) -> String {
    if is_extreme(x) {
        format!("{} {unit}", number(x))
    } else {
        format_si(x, unit, digits)
    }
}

/// A figure with five significant digits at most, without trailing zeros.
fn number(x: f64) -> String {
    if x == 0.0 {
        return "0".to_owned();
    }
    if is_extreme(x) {
        let text = format!("{x:.4e}");
        return match text.split_once('e') {
            Some((m, e)) => format!("{}e{e}", m.trim_end_matches('0').trim_end_matches('.')),
            None => text,
        };
    }
    let digits = (4 - x.abs().log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{x:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// What the storage of each group of racks did.
fn storage_lines(outcome: &Outcome, printer: &Printer) {
    for s in &outcome.storage {
        let kw = |w: f64| number(w / 1e3);
        printer.line(&format!(
            "storage       {} ({} racks, {} each): charge {} to {} %, swing {} → {} kW, peak {} → {} kW, lost {} ({} % of the racks' energy), {} full cycles per hour, short {} % of the time",
            s.group,
            s.racks,
            si(s.energy_j, "J", 3),
            number(100.0 * s.charge_min_share),
            number(100.0 * s.charge_max_share),
            kw(s.swing_without_w),
            kw(s.swing_with_w),
            kw(s.peak_without_w),
            kw(s.peak_with_w),
            si(s.lost_j, "J", 3),
            number(100.0 * s.overhead_share),
            number(s.full_cycles_per_hour),
            number(100.0 * s.short_share)
        ));
    }
}

fn load_lines(outcome: &Outcome, printer: &Printer) {
    let e = &outcome.site.envelope;
    let w = |x: f64| si(x, "W", 4);
    printer.line(&format!(
        "\nsite          mean {}, median {}, 99.9 % {}, maximum {} ({})",
        w(e.mean),
        w(e.p50),
        w(e.p99_9),
        w(e.max),
        e.over
    ));
    for r in &outcome.racks {
        printer.line(&format!(
            "racks {:<7} median {}, 99.9 % {}, maximum {} in {} at {:.3} s (each, metered: {})",
            r.group,
            w(r.envelope.p50),
            w(r.envelope.p99_9),
            w(r.worst_w),
            r.worst_rack,
            r.worst_at_s,
            r.metered
        ));
    }
    diversity_line(outcome, printer);
    if let Some(q) = &outcome.site.reactive {
        printer.line(&format!(
            "apparent      maximum {} at {:.3} s with power factor {}, mean {} (metered: bus{})",
            si(q.peak_kva.value * 1e3, "VA", 4),
            q.peak_kva.at_s,
            side(q.power_factor_at_peak),
            side(q.power_factor_mean),
            match q.not_given.len() {
                0 => String::new(),
                1 => "; 1 power factor not given, taken as 1".to_owned(),
                n => format!("; {n} power factors not given, taken as 1"),
            }
        ));
    }
    printer.line(&format!(
        "metered       site, steps, design: {}",
        outcome.site.metered
    ));
    if outcome.design_values.steps.is_empty()
        && let Some(why) = &outcome.site.ramps_basis
    {
        printer.line(&format!(
            "largest step  {}: {why}",
            Status::NotChecked.label()
        ));
    }
    for s in &outcome.design_values.steps {
        printer.line(&format!(
            "largest step  {} up, {} down within {}",
            w(s.up.delta),
            w(s.down.delta.abs()),
            si(s.window_s, "s", 3)
        ));
    }
    design_line(outcome, printer);
    if let Some(p) = &outcome.plant {
        printer.line(&format!(
            "gain          at most {} Hz per MW of load, at {} Hz (linear)",
            number(p.gain.peak_gain_hz_per_mw),
            number(p.gain.peak_frequency_hz)
        ));
        if let (Some(low), Some(high)) = (p.voltage_min, p.voltage_max) {
            printer.line(&format!(
                "voltage       {} pu at {:.3} s to {} pu at {:.3} s (bus)",
                number(low.value),
                low.at_s,
                number(high.value),
                high.at_s
            ));
        }
    }
}

/// A power factor as people write it.
fn side(power_factor: f64) -> String {
    let word = match power_factor {
        p if p < 0.0 => " leading",
        p if p < 1.0 => " lagging",
        _ => "",
    };
    format!("{:.3}{word}", power_factor.abs())
}

/// Coincident peak over sum of peaks.
fn diversity_line(outcome: &Outcome, printer: &Printer) {
    let Some(d) = &outcome.diversity else { return };
    let groups = outcome.racks.iter().filter_map(|r| {
        let in_group = r.diversity.as_ref().filter(|_| outcome.racks.len() > 1)?;
        Some(format!("{} {:.3}", r.group, in_group.factor))
    });
    let mut parts = vec![format!(
        "site over racks {:.3} (realisation {})",
        d.racks.factor, d.racks.realisation
    )];
    if let Some(over) = &d.groups {
        parts.push(format!("over groups {:.3}", over.factor));
    }
    parts.extend(groups);
    printer.line(&format!(
        "diversity     {}; {}; metered: {}",
        parts.join(", "),
        d.over,
        d.metered
    ));
}

/// Figures for generator studies; source 002's, for an H100 PCIe, stand beside them in `outcome.json` only.
fn design_line(outcome: &Outcome, printer: &Printer) {
    let d = &outcome.design_values;
    let w = |x: f64| si(x, "W", 4);
    printer.line(&format!(
        "design        nominal {}, peak {} ({} % of {} s), load rejection {}",
        w(d.nominal_w),
        w(d.design_peak_w),
        number(d.design_peak_quantile * 100.0),
        number(d.horizon_s),
        w(d.load_rejection_w)
    ));
    if let (Some(nominal_w), Some(peak_w)) = (d.nominal_w_per_gpu, d.design_peak_w_per_gpu) {
        printer.line(&format!(
            "per GPU       nominal {}, peak {} at the bus",
            w(nominal_w),
            w(peak_w)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::{number, si};

    #[test]
    fn figures_are_short_and_true() {
        assert_eq!(number(59.123_456), "59.123");
        assert_eq!(number(1012.34), "1012.3");
        assert_eq!(number(0.000_123_456), "0.00012346");
        assert_eq!(number(-2.0), "-2");
        assert_eq!(number(123_456.0), "123456");
        assert_eq!(number(1e300), "1e300");
        assert_eq!(number(-1.234_567e-9), "-1.2346e-9");
        assert_eq!(number(9.9e14), "990000000000000");
        assert_eq!(si(1e300, "W", 4), "1e300 W");
        assert_eq!(si(2.5e6, "W", 4), "2.500 MW");
    }
}
