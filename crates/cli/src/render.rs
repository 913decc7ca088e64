//! The verdict table and what stands around it.

use ballast_study::outcome::{Contingency, Event, Outcome, Status, Verdict, WeakConstant};
use ballast_units::format_figure as si;

use crate::printer::Printer;
use crate::render_indicative;
use crate::render_plant;

pub(crate) use ballast_units::format_number as number;

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
    for contingency in &outcome.contingencies {
        failure(contingency, &outcome.weak_constants, printer);
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
    resonance_lines(outcome, printer);
    storage_lines(outcome, printer);
    if let Some(v) = outcome
        .verdicts
        .iter()
        .find(|v| v.status != Status::NotChecked)
    {
        printer.line(&format!("\nbasis         {}", v.basis));
    }
    render_indicative::lines(&outcome.verdicts, &outcome.weak_constants, printer);
    for v in outcome
        .verdicts
        .iter()
        .filter(|v| v.status == Status::Inconclusive)
    {
        printer.line(&format!("inconclusive  {}: {}", v.label, v.basis));
    }
    for v in outcome.verdicts.iter().filter(|v| v.unseen()) {
        printer.line(&format!("not checked   {}: {}", v.label, v.basis));
    }
    let not_checked: Vec<&str> = outcome
        .verdicts
        .iter()
        .filter(|v| v.status == Status::NotChecked && !v.unseen())
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

/// What the run of a contingency says.
fn failure(contingency: &Contingency, weak: &[WeakConstant], printer: &Printer) {
    let kind = match contingency.kind.as_str() {
        "set_trip" => "N−1",
        _ => "load rejection",
    };
    let tries = contingency.tried.len();
    let (at, worst) = if tries > 1 {
        (
            format!(", {tries} moments tried, worst at"),
            "worst moment: ",
        )
    } else {
        (" at".to_owned(), "")
    };
    let title = format!(
        "{kind}: {}{at} {:.3} s of realisation {}, {} s to {} s",
        contingency.name,
        contingency.at_s,
        contingency.realisation,
        number(contingency.start_s),
        number(contingency.end_s)
    );
    printer.line(&format!("\n{}", printer.paint("1", &title)));
    printer.line(&format!("{worst}at {}", contingency.why));
    if tries > 1 {
        printer.line("each row below is the worst of all moments and says at which it was found");
    }
    printer.line("");
    if tries > 1 {
        let mut rows = contingency.verdicts.clone();
        for v in &mut rows {
            if let Some(at_s) = v.struck_at_s {
                v.window = format!("failure at {at_s:.3} s; {}", v.window);
            }
        }
        table(&rows, printer);
    } else {
        table(&contingency.verdicts, printer);
    }
    render_indicative::lines(&contingency.verdicts, weak, printer);
    printer.line(&format!("\nfailure       {}", contingency.summary));
    if let Some(f) = &contingency.figures
        && let (Some(before_kw), Some(after_kw)) = (f.reserve_before_kw, f.reserve_after_kw)
    {
        printer.line(&format!(
            "reserve       {} before, {} after (rated power of the sets on the bus less load)",
            si(before_kw * 1e3, "W", 4),
            si(after_kw * 1e3, "W", 4)
        ));
    }
    if contingency.tried.len() > 1 {
        for t in &contingency.tried {
            let hz = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), number);
            printer.line(&format!(
                "tried         {:.3} s of realisation {}, {} Hz to {} Hz, {}: {}{}",
                t.at_s,
                t.realisation,
                hz(t.frequency_min_hz),
                hz(t.frequency_max_hz),
                t.overall.label(),
                t.why,
                t.cut_short_s.map_or_else(String::new, |s| format!(
                    "; looked at for only {} s, to the end of the run",
                    number(s)
                ))
            ));
        }
    }
    let told = |v: &&Verdict| v.status == Status::Inconclusive || v.unseen();
    for v in contingency.verdicts.iter().filter(told) {
        printer.line(&format!(
            "{:<13} {}: {}",
            v.status.label().to_lowercase(),
            v.label,
            v.basis
        ));
    }
    for e in &contingency.events {
        printer.line(&format!(
            "event         {:.3} s, {}: {}",
            e.at_s, e.element, e.text
        ));
    }
}

pub(crate) fn painted(status: Status, printer: &Printer) -> String {
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
        .filter(|v| v.status != Status::NotChecked || v.unseen())
        .collect();
    let rows: Vec<[String; 8]> = shown
        .iter()
        .map(|v| {
            let unit = |x: Option<f64>| {
                x.map_or_else(|| "–".to_owned(), |x| format!("{} {}", number(x), v.unit))
            };
            [
                render_indicative::status(v),
                v.label.clone(),
                unit(v.worst_value),
                unit(v.limit_value),
                unit(v.margin),
                v.at_s
                    .map_or_else(|| "–".to_owned(), |t| format!("{t:.3} s")),
                v.element.clone().unwrap_or_else(|| "–".to_owned()),
                if v.unseen() {
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
    smoothing_lines(outcome, printer);
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
    if let Some(b) = &outcome.site.band {
        printer.line(&format!(
            "swing         {} rms between {} and {} Hz, {} % of the energy of its changes",
            w(b.rms_w),
            number(b.low_hz),
            number(b.high_hz.min(b.seen_to_hz)),
            number(b.share * 100.0)
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
    for b in &outcome.bess {
        let percent = |share: f64| format!("{} %", number(share * 100.0));
        printer.line(&format!(
            "battery {:<5} charge {} to {}, gave at most {}, took {}, lost {} kWh; empty {}, full {}, short of what was wanted {} of the time",
            b.name,
            percent(b.charge_min_share),
            percent(b.charge_max_share),
            w(b.peak_discharge_w),
            w(b.peak_charge_w),
            number(b.lost_j / 3.6e6),
            percent(b.empty_share),
            percent(b.full_share),
            percent(b.short_share)
        ));
    }
    if let Some(p) = &outcome.plant {
        let unstable = outcome.resonance.iter().flat_map(|r| &r.unstable).next();
        if let Some(m) = unstable {
            printer.line(&format!(
                "gain          unstable: no gain ({} at {} Hz, damping ratio {})",
                m.name,
                number(m.frequency_hz),
                number(m.damping_ratio)
            ));
        } else {
            printer.line(&format!(
                "gain          at most {} Hz per MW of load, at {} Hz (linear)",
                number(p.gain.peak_gain_hz_per_mw),
                number(p.gain.peak_frequency_hz)
            ));
        }
        if let Some(reserve) = &p.reserve {
            printer.line(&format!("reserve       {}", reserve.text));
        }
        if let (Some(low), Some(high)) = (p.voltage_min, p.voltage_max) {
            printer.line(&format!(
                "voltage       {} pu at {:.3} s to {} pu at {:.3} s (bus)",
                number(low.value),
                low.at_s,
                number(high.value),
                high.at_s
            ));
        }
        render_plant::lines(p, printer);
    }
}

/// Cadences printed; the rest stand in `outcome.json`.
const PRINTED_CADENCES: usize = 2;

/// What repeats in the load and what it does to the sets.
fn resonance_lines(outcome: &Outcome, printer: &Printer) {
    let Some(r) = &outcome.resonance else { return };
    for cadence in r.cadences.iter().take(PRINTED_CADENCES) {
        for (i, text) in cadence.text.iter().enumerate() {
            let head = if i == 0 {
                "\nresonance   "
            } else {
                "            "
            };
            printer.line(&format!("{head}  {text}"));
        }
    }
    if r.cadences.len() > PRINTED_CADENCES {
        printer.line(&format!(
            "resonance     {} more cadences: see outcome.json",
            r.cadences.len() - PRINTED_CADENCES
        ));
    }
    if let Some(why) = &r.none_because {
        printer.line(&format!("resonance     nothing predicted: {why}"));
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

/// What power smoothing did to each job's GPUs in each group.
fn smoothing_lines(outcome: &Outcome, printer: &Printer) {
    for k in &outcome.gpu_smoothing {
        let r = &k.report;
        let mut parts = Vec::new();
        let mut say = |share: f64, what: &str, energy_kwh: f64, how: &str| {
            if share > 0.0 || energy_kwh > 0.0 {
                let time = number(100.0 * share);
                let energy = si(energy_kwh * 1e3, "Wh", 4);
                parts.push(format!("{what} {time} % of the time ({energy} {how})"));
            }
        };
        say(r.floor_time_share, "at the floor", r.floor_kwh, "added");
        say(
            r.secondary_time_share,
            "secondary load",
            r.secondary_kwh,
            "added",
        );
        say(
            r.ramp_limited_time_share,
            "ramp-limited",
            r.deferred_kwh,
            "held back",
        );
        say(
            r.peak_limited_time_share,
            "EDP-capped",
            r.peak_cut_kwh,
            "cut",
        );
        if parts.is_empty() {
            parts.push("never acted".to_owned());
        }
        printer.line(&format!(
            "smoothing     {}, {}: energy +{:.2} %; {} (realisation {}, metered: {})",
            r.group,
            r.job,
            r.energy_overhead_percent,
            parts.join(", "),
            k.realisation,
            k.metered
        ));
    }
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
