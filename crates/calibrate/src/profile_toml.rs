//! A profile as a TOML file like the presets.

use std::fmt::Write as _;

use ballast_profile::{GpuProfile, TransitionSpec};
use ballast_units::Sourced;

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn word(value: &impl serde::Serialize) -> String {
    // The word as serde has it in a file: its JSON without the quotes' ambiguity.
    let mut out = String::new();
    let _ = write!(out, "{}", Plain(value));
    out
}

struct Plain<'a, T>(&'a T);

impl<T: serde::Serialize> std::fmt::Display for Plain<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A formatter of the standard library takes the names of unit variants.
        self.0.serialize(f)
    }
}

fn line(number: &Sourced) -> String {
    let end = |key: &str, v: Option<f64>| v.map_or_else(String::new, |v| format!(", {key} = {v}"));
    format!(
        "{{ value = {}{}{}, source = {}, grade = \"{}\", confidence = \"{}\" }}",
        number.value,
        end("low", number.low),
        end("high", number.high),
        quoted(&number.source),
        word(&number.grade),
        word(&number.confidence)
    )
}

fn transition(t: &TransitionSpec) -> String {
    format!(
        "{{ delta_w = {}, time_s = {}, window_s = {}, source = {}, grade = \"{}\", confidence = \"{}\" }}",
        t.delta_w,
        t.time_s,
        t.window_s,
        quoted(&t.source),
        word(&t.grade),
        word(&t.confidence)
    )
}

/// The profile as a file, in the format of `profiles/gpu`.
pub fn toml(profile: &GpuProfile) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "# {}: from a log, by `ballast calibrate`.",
        profile.label.replace(char::is_control, " ")
    );
    let _ = writeln!(
        text,
        "# Every number: value, plausible range, source, grade, confidence.\n"
    );
    let _ = writeln!(text, "label = {}", quoted(&profile.label));
    let notes = profile.notes.replace('\\', "\\\\").replace("\"\"\"", "'''");
    let notes: String = notes
        .chars()
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    let _ = writeln!(text, "notes = \"\"\"\n{notes}\"\"\"");
    let _ = writeln!(text, "tdp_w = {}", line(&profile.tdp_w));
    if let Some(edpp) = &profile.edpp_w {
        let _ = writeln!(text, "edpp_w = {}", line(edpp));
    }
    for (kind, phase) in profile.phases.iter() {
        let _ = writeln!(text, "\n[phases.{}]", kind.key());
        let _ = writeln!(text, "power_w = {}", line(&phase.power_w));
        for (key, number) in [
            ("spread_w", &phase.spread_w),
            ("correlation_time_s", &phase.correlation_time_s),
            ("duration_s", &phase.duration_s),
        ] {
            if let Some(number) = number {
                let _ = writeln!(text, "{key} = {}", line(number));
            }
        }
        for (key, change) in [("rise", &phase.rise), ("fall", &phase.fall)] {
            if let Some(change) = change {
                let _ = writeln!(text, "{key} = {}", transition(change));
            }
        }
    }
    text
}
