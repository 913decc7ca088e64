//! Lists of nodes as Slurm writes them: `gpu[001-032,040],login1`.
//!
//! Source: SchedMD, scontrol(1), "hostlist expression": numbers in a range keep the zeros of its first one.

/// So many names a list may have; more is taken for an error in it.
const MOST: usize = 200_000;

/// The names in a list, in its order. None if it is no list of nodes.
pub(crate) fn expand(list: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for part in split(list)? {
        names.append(&mut one(part)?);
        if names.len() > MOST {
            return None;
        }
    }
    Some(names)
}

/// Parts between commas outside brackets.
fn split(list: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    for (at, c) in list.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if !(0..=1).contains(&depth) {
            return None;
        }
    }
    parts.push(&list[start..]);
    (depth == 0).then_some(parts)
}

/// The names of one part, such as `r[1-2]n[1-4]`.
fn one(part: &str) -> Option<Vec<String>> {
    let mut names = vec![String::new()];
    let mut rest = part;
    while let Some((fixed, after)) = rest.split_once('[') {
        let (body, after) = after.split_once(']')?;
        let mut numbers = Vec::new();
        for range in body.split(',') {
            let (low, high) = range.split_once('-').unwrap_or((range, range));
            let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
            if !digits(low) || !digits(high) {
                return None;
            }
            let (from, to): (u64, u64) = (low.parse().ok()?, high.parse().ok()?);
            if to < from || to - from >= MOST as u64 {
                return None;
            }
            numbers.extend((from..=to).map(|n| format!("{n:0width$}", width = low.len())));
        }
        if names.len().checked_mul(numbers.len())? > MOST {
            return None;
        }
        names = names
            .iter()
            .flat_map(|name| numbers.iter().map(move |n| format!("{name}{fixed}{n}")))
            .collect();
        rest = after;
    }
    for name in &mut names {
        name.push_str(rest);
    }
    let sound = |n: &String| !n.is_empty() && !n.contains([' ', ']', '|']);
    names.iter().all(sound).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_are_expanded() {
        for (list, names) in [
            ("n1", &["n1"][..]),
            (
                "gpu[008-010,2],login1",
                &["gpu008", "gpu009", "gpu010", "gpu2", "login1"],
            ),
            ("r[1-2]n[1-2]x", &["r1n1x", "r1n2x", "r2n1x", "r2n2x"]),
        ] {
            assert_eq!(expand(list).unwrap(), names, "{list}");
        }
        for list in [
            "None assigned",
            "n[1-",
            "n[x]",
            "",
            "a,,b",
            "n[3-1]",
            "n]1[",
            "n[0-18446744073709551615]",
            "n[[1]]",
            "n[]",
            "n[+1-2]",
        ] {
            assert_eq!(expand(list), None, "{list}");
        }
        assert_eq!(expand("a,b,c[0-9]").unwrap().len(), 12);
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_none(text in "[a-z0-9\\[\\],\\- ]{0,30}") {
            if let Some(names) = expand(&text) {
                prop_assert!(!names.is_empty() && names.iter().all(|n| !n.is_empty()));
            }
        }
    }
}
