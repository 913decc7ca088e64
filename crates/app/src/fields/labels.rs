//! Names of keys as people read them.

/// Ends of keys that say the unit, longest first.
const UNITS: [&str; 24] = [
    "_litres_per_h",
    "_l_per_h",
    "_kw_per_s",
    "_hz_per_s",
    "_pu_per_s",
    "_w_per_s",
    "_kwh",
    "_kvar",
    "_kva",
    "_mva",
    "_kw",
    "_mw",
    "_hz",
    "_ms",
    "_us",
    "_pu",
    "_kv",
    "_mh",
    "_w",
    "_s",
    "_j",
    "_v",
    "_h",
    "_c",
];

/// Words that are not written in small letters.
const WORDS: [(&str, &str); 24] = [
    ("gpu", "GPU"),
    ("gpus", "GPUs"),
    ("rocof", "ROCOF"),
    ("ups", "UPS"),
    ("bess", "BESS"),
    ("psu", "PSU"),
    ("psus", "PSUs"),
    ("it", "IT"),
    ("tdp", "TDP"),
    ("edpp", "EDPp"),
    ("dc", "DC"),
    ("ac", "AC"),
    ("avr", "AVR"),
    ("hz", "Hz"),
    ("p99", "p99"),
    ("cpu", "CPU"),
    ("xd", "Xd"),
    ("xq", "Xq"),
    ("td0", "Td0"),
    ("tq0", "Tq0"),
    ("pst", "Pst"),
    ("id", "ID"),
    ("pue", "PUE"),
    ("iso", "ISO"),
];

/// Titles of sections that their keys do not give.
const TITLES: [(&str, &str); 11] = [
    ("gpus", "GPU profiles"),
    ("psus", "Power supplies"),
    ("bess", "Batteries at the bus"),
    ("sets", "Generating sets"),
    ("variant", "Variants"),
    ("zoom", "Fine run of the worst moment"),
    ("loads", "Other loads"),
    ("gpu_smoothing", "GPU power smoothing"),
    ("storage", "Rack storage"),
    ("correlation", "Correlation of the GPUs"),
    ("events", "Events"),
];

/// Labels of fields that their keys do not give.
const LABELS: [(&str, &str); 17] = [
    ("rated_kw", "Rated power"),
    ("rated_kva", "Rated apparent power"),
    ("other_kw", "Other power"),
    ("base", "Preset"),
    ("x_over_r", "X/R ratio"),
    ("k", "Gain K"),
    ("gpu", "GPU profile"),
    ("psu", "Power supply"),
    // Limits as their verdicts name them.
    ("frequency_min_hz", "Lowest frequency"),
    ("frequency_max_hz", "Highest frequency"),
    ("frequency_swing_hz", "Swing of frequency"),
    ("voltage_min_pu", "Lowest voltage"),
    ("voltage_max_pu", "Highest voltage"),
    ("set_power_max_share", "Highest power of a set"),
    ("set_power_min_share", "Lowest power of a set"),
    ("rack_peak_kw", "Highest power of a rack"),
    ("iso8528_column", "ISO 8528 column"),
];

/// Title of a section.
pub(super) fn title(key: &str) -> String {
    let known = TITLES.iter().find(|(k, _)| *k == key);
    known.map_or_else(|| label(key, false), |(_, title)| (*title).to_owned())
}

/// A key as a label in sentence case; the unit, which stands beside the value, is left out.
pub(super) fn label(key: &str, has_unit: bool) -> String {
    if let Some((_, label)) = LABELS.iter().find(|(k, _)| *k == key) {
        return (*label).to_owned();
    }
    let stem = UNITS
        .iter()
        .filter(|_| has_unit)
        .find_map(|unit| key.strip_suffix(unit))
        .filter(|stem| !stem.is_empty())
        .unwrap_or(key);
    let mut words: Vec<String> = stem
        .split('_')
        .filter(|w| !w.is_empty())
        .map(|word| {
            let known = WORDS.iter().find(|(w, _)| *w == word);
            known.map_or_else(|| word.to_owned(), |(_, as_read)| (*as_read).to_owned())
        })
        .collect();
    if let Some(first) = words.first_mut() {
        let mut letters = first.chars();
        if let Some(letter) = letters.next() {
            *first = letter.to_uppercase().chain(letters).collect();
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{label, title};

    #[test]
    fn labels_are_in_sentence_case_and_without_unit() {
        for (key, unit, expected) in [
            ("rated_kw", true, "Rated power"),
            ("duration_s", true, "Duration"),
            ("rocof_hz_per_s", true, "ROCOF"),
            ("nodes_per_rack", false, "Nodes per rack"),
            ("gpus", false, "GPUs"),
            ("t1_s", true, "T1"),
            ("tdp_w", true, "TDP"),
            ("s", true, "S"),
        ] {
            assert_eq!(label(key, unit), expected);
        }
        assert_eq!(title("gpus"), "GPU profiles");
    }
}
