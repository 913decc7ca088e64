//! The patterns of the schema: a row of character classes, each once or repeated.

/// Whether all of `text` matches `pattern`; none if the pattern is more than `^`, classes or characters with `*`, `+` or `?`, `$`.
///
/// A class takes as many characters as it can and gives none back; that is exact for patterns whose repeated class comes last.
pub(crate) fn matches(pattern: &str, text: &str) -> Option<bool> {
    let inner = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let mut rest = text.chars().peekable();
    let mut source = inner.chars().peekable();
    while let Some(first) = source.next() {
        let mut negated = false;
        let class = if first == '[' {
            negated = source.next_if_eq(&'^').is_some();
            let members: String = source.by_ref().take_while(|c| *c != ']').collect();
            class_members(&unescaped(&members))
        } else if first.is_alphanumeric() || "-_ ".contains(first) {
            vec![(first, first)]
        } else {
            return None;
        };
        let repeat = source.next_if(|c| "*+?".contains(*c));
        let mut taken = 0_usize;
        while (taken == 0 || matches!(repeat, Some('*' | '+')))
            && rest
                .next_if(|c| class.iter().any(|(from, to)| (from..=to).contains(&c)) != negated)
                .is_some()
        {
            taken += 1;
        }
        if taken == 0 && !matches!(repeat, Some('*' | '?')) {
            return Some(false);
        }
    }
    Some(rest.peek().is_none())
}

/// Characters of a class, with `\xHH` for those that cannot be printed.
fn unescaped(members: &str) -> Vec<char> {
    let mut parts = members.split("\\x");
    let mut chars: Vec<char> = parts.next().unwrap_or_default().chars().collect();
    for part in parts {
        let code = part.get(..2).and_then(|h| u8::from_str_radix(h, 16).ok());
        chars.extend(code.map(char::from));
        chars.extend(part.get(2..).unwrap_or_default().chars());
    }
    chars
}

/// Ranges of a class such as `A-Za-z0-9._-`.
fn class_members(chars: &[char]) -> Vec<(char, char)> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if at + 2 < chars.len() && chars[at + 1] == '-' {
            ranges.push((chars[at], chars[at + 2]));
            at += 3;
        } else {
            ranges.push((chars[at], chars[at]));
            at += 1;
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn matches_names() {
        let name = "^[A-Za-z0-9][A-Za-z0-9._-]*$";
        for (text, expected) in [
            ("a", true),
            ("A-1_b.c", true),
            ("", false),
            ("-a", false),
            ("a b", false),
            ("ä", false),
        ] {
            assert_eq!(matches(name, text), Some(expected), "{text}");
        }
        assert_eq!(matches("^(a|b)$", "a"), None);
        let printable = crate::shape::NAME_PATTERN;
        for (text, expected) in [
            ("G1", true),
            ("Satz 1 (ä)-x", true),
            ("", false),
            ("a\tb", false),
            ("a\n", false),
            ("\u{1b}[31m", false),
            ("\u{85}", false),
        ] {
            assert_eq!(matches(printable, text), Some(expected), "{text:?}");
        }
    }
}
