//! Energy, power, fuel, storage: figures beside the verdicts.

use ballast_study::compare::figures_of;
use ballast_study::outcome::{FuelAmounts, Outcome};
use ballast_units::format_number as number;

use super::{quantity, sentence};

/// Figures of one kind.
#[derive(Debug, Clone)]
pub(crate) struct FigureSection {
    /// Title.
    pub(crate) title: &'static str,
    /// Figures.
    pub(crate) rows: Vec<FigureRow>,
    /// What they are of, or rest on.
    pub(crate) note: String,
}

/// A figure with its name.
#[derive(Debug, Clone)]
pub(crate) struct FigureRow {
    /// What it is.
    pub(crate) label: String,
    /// Value with its unit.
    pub(crate) value: String,
}

fn row(label: &str, value: String) -> FigureRow {
    FigureRow {
        label: sentence(label),
        value,
    }
}

fn percent(share: f64) -> String {
    format!("{} %", number(100.0 * share))
}

/// All sections that the outcome has figures for.
pub(super) fn sections(o: &Outcome) -> Vec<FigureSection> {
    let all = [load(o), bus(o), fuel(o), storage(o), sharing(o)];
    all.into_iter().filter(|s| !s.rows.is_empty()).collect()
}

/// Rows of the key figures whose keys begin with one of these; the same figures as a comparison's.
fn keyed(o: &Outcome, keys: &[&str]) -> Vec<FigureRow> {
    figures_of(o)
        .iter()
        .filter(|f| keys.iter().any(|k| f.key.starts_with(k)))
        .map(|f| row(&f.label, quantity(f.value, f.unit)))
        .collect()
}

fn load(o: &Outcome) -> FigureSection {
    let first = [
        "energy_kwh",
        "site_",
        "swing_in_",
        "rise_in_",
        "fall_in_",
        "band_mw",
        "rack_peak",
    ];
    let mut rows = keyed(o, &first);
    let d = &o.design_values;
    rows.push(row(
        "lost if all load is rejected",
        quantity(d.load_rejection_w, "W"),
    ));
    if let Some(w) = d.nominal_w_per_gpu {
        rows.push(row("nominal per GPU at the bus", quantity(w, "W")));
    }
    if let Some(q) = &o.site.reactive {
        rows.push(row(
            "highest apparent power",
            quantity(q.peak_kva.value, "kVA"),
        ));
        let side = if q.power_factor_mean < 0.0 {
            " leading"
        } else {
            ""
        };
        rows.push(row(
            "mean power factor",
            format!("{:.3}{side}", q.power_factor_mean.abs()),
        ));
    }
    FigureSection {
        title: "Load",
        rows,
        note: format!("Metered: {}", o.site.metered),
    }
}

fn bus(o: &Outcome) -> FigureSection {
    let keys = [
        "frequency_",
        "rocof_",
        "voltage_",
        "predicted_swing",
        "expected_swing",
    ];
    let mut rows = keyed(o, &keys);
    if let Some(p) = &o.plant {
        if o.resonance.iter().all(|r| r.unstable.is_empty()) {
            rows.push(row(
                "gain, at most",
                format!(
                    "{} Hz/MW at {} Hz",
                    number(p.gain.peak_gain_hz_per_mw),
                    number(p.gain.peak_frequency_hz)
                ),
            ));
        }
        for s in &p.sets {
            let (name, mean) = (&s.name, percent(s.power_mean_share));
            let range = format!(
                "{mean}, {} to {}",
                percent(s.power_min_share.value),
                percent(s.power_max_share.value)
            );
            rows.push(row(&format!("load of a set {name}, mean and range"), range));
        }
    }
    let reserve = o.plant.as_ref().and_then(|p| p.reserve.as_ref());
    FigureSection {
        title: "Generation",
        rows,
        note: reserve.map_or_else(String::new, |r| format!("Reserve: {}", r.text)),
    }
}

fn fuel(o: &Outcome) -> FigureSection {
    let mut section = FigureSection {
        title: "Fuel",
        rows: Vec::new(),
        note: String::new(),
    };
    let Some(fuel) = o.plant.as_ref().and_then(|p| p.fuel.as_ref()) else {
        return section;
    };
    for s in &fuel.sets {
        amounts(&s.set, &s.amounts, &mut section.rows);
    }
    if fuel.sets.len() > 1 {
        amounts("all sets", &fuel.total, &mut section.rows);
    }
    section.note = sentence(&format!("{}; {}", fuel.over, fuel.basis));
    if !fuel.without_curve.is_empty() {
        let without = fuel.without_curve.join(", ");
        section.note += "; no curve, in no sum: ";
        section.note += &without;
    }
    section
}

fn amounts(of: &str, a: &FuelAmounts, rows: &mut Vec<FigureRow>) {
    for (amount, unit) in [(a.fuel_l, "L"), (a.fuel_kg, "kg")] {
        let Some(amount) = amount else { continue };
        let text = match (unit, amount) {
            ("L", l) if l >= 1e4 => format!("{} m³", number(l / 1e3)),
            _ => format!("{} {unit}", number(amount)),
        };
        rows.push(row(&format!("burnt by {of}"), text));
        // Of one kind of fuel only: the electricity of both together is no measure of either.
        if a.electricity_kwh > 0.0 && (a.fuel_l.is_none() || a.fuel_kg.is_none()) {
            rows.push(row(
                &format!("electricity of it, {of}"),
                format!("{} kWh/{unit}", number(a.electricity_kwh / amount)),
            ));
        }
    }
    let efficiency = a
        .efficiency
        .map_or_else(String::new, |e| format!(", {:.1} %", 100.0 * e));
    rows.push(row(
        &format!("from heat to terminals, {of}"),
        format!(
            "{} of {}{efficiency}",
            quantity(a.electricity_kwh, "kWh"),
            quantity(a.heat_kwh, "kWh")
        ),
    ));
}

fn storage(o: &Outcome) -> FigureSection {
    let mut rows = Vec::new();
    for s in &o.storage {
        let of = &s.group;
        let mut add = |label: &str, value: String| rows.push(row(&format!("{of}, {label}"), value));
        let swing = s.energy_j * (s.charge_max_share - s.charge_min_share);
        add(
            "storage used per rack",
            format!(
                "{} of {}",
                quantity(swing / 3.6e3, "Wh"),
                quantity(s.energy_j / 3.6e3, "Wh")
            ),
        );
        add(
            "charge",
            format!(
                "{} to {}",
                percent(s.charge_min_share),
                percent(s.charge_max_share)
            ),
        );
        add(
            "swing without and with it",
            format!(
                "{} → {}",
                quantity(s.swing_without_w, "W"),
                quantity(s.swing_with_w, "W")
            ),
        );
        add(
            "lost in it",
            format!(
                "{} ({})",
                quantity(s.lost_j / 3.6e3, "Wh"),
                percent(s.overhead_share)
            ),
        );
        add(
            "full cycles",
            format!("{} per hour", number(s.full_cycles_per_hour)),
        );
        add("time it fell short", percent(s.short_share));
    }
    let realisations = f64::from(o.provenance.realisations.max(1));
    for b in &o.bess {
        let of = &b.name;
        let mut add = |label: &str, value: String| rows.push(row(&format!("{of}, {label}"), value));
        let swing = b.energy_j * (b.charge_max_share - b.charge_min_share);
        add(
            "energy used",
            format!(
                "{} of {}",
                quantity(swing / 3.6e3, "Wh"),
                quantity(b.energy_j / 3.6e3, "Wh")
            ),
        );
        add(
            "charge",
            format!(
                "{} to {}",
                percent(b.charge_min_share),
                percent(b.charge_max_share)
            ),
        );
        add(
            "most given and taken",
            format!(
                "{} and {}",
                quantity(b.peak_discharge_w, "W"),
                quantity(b.peak_charge_w, "W")
            ),
        );
        add(
            "lost in it",
            quantity(b.lost_j / realisations / 3.6e3, "Wh"),
        );
        add(
            "full cycles",
            format!("{} per day", number(b.full_cycles_per_day)),
        );
        add("time it fell short", percent(b.short_share));
    }
    for k in &o.gpu_smoothing {
        let r = &k.report;
        let of = format!("smoothing of {}, {}", r.group, r.job);
        let added = r.floor_kwh + r.secondary_kwh;
        rows.push(row(
            &format!("{of}, energy added"),
            format!(
                "{} ({} %)",
                quantity(added, "kWh"),
                number(r.energy_overhead_percent)
            ),
        ));
        rows.push(row(
            &format!("{of}, time at the floor"),
            percent(r.floor_time_share),
        ));
    }
    FigureSection {
        title: "Storage and smoothing",
        rows,
        note: String::new(),
    }
}

/// How far peaks coincide, and where the power goes between racks and bus.
fn sharing(o: &Outcome) -> FigureSection {
    let mut rows = Vec::new();
    let mut note = String::new();
    if let Some(d) = &o.diversity {
        rows.push(row(
            "peak of all racks over the sum of their peaks",
            format!("{:.3}", d.racks.factor),
        ));
        if let Some(groups) = &d.groups {
            rows.push(row(
                "over the groups’ peaks",
                format!("{:.3}", groups.factor),
            ));
        }
        note = sentence(&d.over);
    }
    for part in &o.facility {
        rows.push(row(
            &format!("mean power, {}", part.part),
            quantity(part.mean_w, "W"),
        ));
    }
    FigureSection {
        title: "Racks and facility",
        rows,
        note,
    }
}
