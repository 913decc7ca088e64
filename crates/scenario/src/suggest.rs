//! Near names, for "did you mean".

/// The candidate nearest to a misspelt name, if one is near.
pub(crate) fn near<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            // `inertia` for `inertia_s`: the unit was forgotten, or is another one.
            let stem = lower.split('_').next().unwrap_or(&lower);
            let same_stem = stem.len() > 2
                && candidate.split('_').next() == Some(stem)
                && candidate.contains('_');
            let extended = lower.len() > 2 && candidate.to_lowercase().starts_with(&lower);
            (distance <= allowed || same_stem || extended).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or the list to choose from.
pub(crate) fn help(name: &str, what: &str, candidates: &[&str]) -> String {
    match near(name, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if candidates.is_empty() => format!("there are no {what}"),
        None => format!("{what}: {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn finds_the_near_name_only() {
        let keys = ["rated_kw", "rated_kva", "inertia_s", "count", "name"];
        assert_eq!(near("inertia", keys), Some("inertia_s"));
        assert_eq!(near("rated_mw", keys), Some("rated_kw"));
        assert_eq!(near("cuont", keys), Some("count"));
        assert_eq!(near("colour", keys), None);
        assert_eq!(near("x", keys), None);
    }
}
