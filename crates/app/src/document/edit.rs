//! Edits of a text that change nothing but what they are about: bytes are put in, taken out or replaced; all others stay.

use std::ops::Range;

use ballast_scenario::{Fitted, Least, PlaceKind};

use super::spots::{Form, Spot};

/// What is said when an edit has no place in the way the text is written.
const NO_PLACE: &str =
    "The way the text is written leaves no place for this. Change it in the text editor.";

/// The text with the value in its place.
pub(super) fn set(text: &str, fitted: &Fitted) -> Result<String, String> {
    let Some((_, parent)) = fitted.steps.split_last() else {
        return Err(NO_PLACE.to_owned());
    };
    let mut text = text.to_owned();
    for key in &fitted.leave {
        let mut steps = parent.to_vec();
        steps.push(key.clone());
        if let Ok(without) = remove(&text, &steps) {
            text = without;
        }
    }
    let spots = parse(&text)?;
    if let Some(there) = spots.at(&fitted.steps) {
        let toml = fitted.toml().ok_or(NO_PLACE)?;
        if there.is_value() {
            let old = text.get(there.span.clone()).ok_or(NO_PLACE)?;
            let toml = in_style(&toml, old);
            return checked(splice(&text, there.span.clone(), &toml));
        }
        text = remove(&text, &fitted.steps)?;
        return put(&text, &fitted.steps, &toml, None);
    }
    // An entry of a list that only a preset has: the list comes in whole.
    let held = depth_of(&spots, &fitted.steps);
    let lists = |depth: &usize| fitted.toml_at(*depth).is_some_and(|t| t.starts_with('['));
    let depth = (held + 1..fitted.steps.len())
        .find(lists)
        .unwrap_or(fitted.steps.len());
    let toml = fitted.toml_at(depth).ok_or(NO_PLACE)?;
    let steps = fitted.steps.get(..depth).ok_or(NO_PLACE)?;
    put(&text, steps, &toml, fitted.base.as_deref())
}

/// The text without what stands at the steps.
pub(super) fn remove(text: &str, steps: &[String]) -> Result<String, String> {
    let spots = parse(text)?;
    let nothing = || "Nothing stands there to take out.".to_owned();
    let (last, parent) = steps.split_last().ok_or_else(nothing)?;
    let parent = spots.at(parent).ok_or_else(nothing)?;
    let there = parent.child(last).ok_or_else(nothing)?;
    if matches!(parent.form, Form::Inline | Form::List) || inside_value(&spots, steps) {
        return without_item(text, steps);
    }
    let entry = parent.form == Form::Tables || there.form != Form::Leaf;
    let mut ranges: Vec<Range<usize>> = Vec::new();
    if there.is_value() {
        ranges.push(lines(text, there.key_start..there.span.end));
    } else if there.form == Form::Dotted {
        for value in there.own_values() {
            ranges.push(lines(text, value.key_start..value.span.end));
        }
    }
    for header in there.headers() {
        let block = lines(text, header.span.start..header.own_end());
        ranges.push(if entry {
            with_comment(text, block)
        } else {
            block
        });
    }
    ranges.sort_by_key(|r| std::cmp::Reverse(r.start));
    let mut out = text.to_owned();
    for range in ranges {
        out = if there.headers().is_empty() {
            splice(&out, range, "")
        } else {
            without_block(&out, range)
        };
    }
    checked(out)
}

/// The text with a new entry.
pub(super) fn add(text: &str, least: &Least) -> Result<String, String> {
    let spots = parse(text)?;
    let inline = || {
        let keys: Vec<String> = least
            .keys
            .iter()
            .map(|(k, v)| format!("{k} = {v}"))
            .collect();
        if keys.is_empty() {
            "{}".to_owned()
        } else {
            format!("{{ {} }}", keys.join(", "))
        }
    };
    let body = |open: &str, close: &str, steps: &[String]| {
        let mut lines = vec![format!("{open}{}{close}", dotted(steps))];
        lines.extend(least.keys.iter().map(|(k, v)| format!("{k} = {v}")));
        lines
    };
    let there = spots.at(&least.steps);
    let in_entry = least.steps.iter().any(|s| s.parse::<usize>().is_ok());
    match (&least.what, there) {
        (PlaceKind::Array, Some(list)) if list.form == Form::List => {
            checked(with_item(text, list, &inline()))
        }
        (PlaceKind::Array, Some(tables)) => {
            let ends = tables.headers().into_iter().map(Spot::own_end);
            let end = ends.max().ok_or(NO_PLACE)?;
            let plain: Vec<String> = header_steps(&spots, &least.steps);
            checked(with_block(text, Some(end), &body("[[", "]]", &plain)))
        }
        (PlaceKind::Array, None) if in_entry || inside_value(&spots, &least.steps) => {
            put(text, &least.steps, &format!("[{}]", inline()), None)
        }
        (PlaceKind::Array, None) => {
            checked(with_block(text, None, &body("[[", "]]", &least.steps)))
        }
        (PlaceKind::Map, Some(map)) if map.form == Form::Inline => {
            let item = format!("{} = {}", key(&least.name), inline());
            checked(with_item(text, map, &item))
        }
        (PlaceKind::Map, there) => {
            let mut steps = least.steps.clone();
            steps.push(least.name.clone());
            if in_entry {
                return put(text, &steps, &inline(), None);
            }
            let ends = there.map(Spot::headers).unwrap_or_default();
            let end = ends.into_iter().map(Spot::own_end).max();
            checked(with_block(text, end, &body("[", "]", &steps)))
        }
        (_, Some(_)) => Err(NO_PLACE.to_owned()),
        (_, None) if in_entry || inside_value(&spots, &least.steps) => {
            put(text, &least.steps, &inline(), None)
        }
        (_, None) => checked(with_block(text, None, &body("[", "]", &least.steps))),
    }
}

/// Puts a value where nothing stands. `base`: the preset that the new entry of a table changes.
fn put(text: &str, steps: &[String], toml: &str, base: Option<&str>) -> Result<String, String> {
    let spots = parse(text)?;
    let held = depth_of(&spots, steps);
    // The table with lines of its own that it goes into, and the depth of that.
    let owner = (0..=held)
        .rev()
        .filter_map(|depth| Some((depth, spots.at(steps.get(..depth)?)?)))
        .find(|(_, spot)| spot.form != Form::Dotted);
    let (depth, owner) = owner.ok_or(NO_PLACE)?;
    let rest = steps.get(depth..).ok_or(NO_PLACE)?;
    let line = format!("{} = {toml}", dotted(rest));
    match owner.form {
        Form::Inline => checked(with_item(text, owner, &line)),
        Form::Header => checked(with_line(text, owner.own_end(), &line)),
        // Beside its dotted keys.
        Form::Root if held > depth => {
            let near = spots.at(steps.get(..held).unwrap_or_default());
            let end = near.ok_or(NO_PLACE)?.own_end();
            checked(with_line(text, end, &line))
        }
        Form::Root | Form::Implied => {
            // A table of its own, so that nothing before it changes its meaning.
            let own = match (owner.form, rest.len()) {
                (Form::Implied, 1) => depth,
                (Form::Root, 1) => {
                    let first = spots.headers().into_iter().map(|h| h.span.start).min();
                    let at = first.map_or(text.len(), |at| line_start(text, at));
                    let end = newline(text);
                    return checked(splice(text, at..at, &format!("{line}{end}{end}")));
                }
                (Form::Root, 3..) if base.is_some() || is_named(steps) => depth + 2,
                _ => depth + 1,
            };
            let (header, keys) = steps.split_at_checked(own).ok_or(NO_PLACE)?;
            let mut lines = vec![format!("[{}]", dotted(header))];
            lines.extend(base.map(|base| format!("base = {}", quoted(base))));
            lines.push(format!("{} = {toml}", dotted(keys)));
            let beside = header.len().min(depth.max(1));
            let near = header.get(..beside).and_then(|s| spots.at(s));
            let ends = near.map(Spot::headers).unwrap_or_default();
            let end = ends.into_iter().map(Spot::own_end).max();
            checked(with_block(text, end, &lines))
        }
        _ => Err(NO_PLACE.to_owned()),
    }
}

fn is_named(steps: &[String]) -> bool {
    let tables = ["gpus", "nodes", "psus"];
    steps.first().is_some_and(|s| tables.contains(&s.as_str()))
}

fn parse(text: &str) -> Result<Spot, String> {
    Spot::of(text).ok_or_else(|| "The text is no TOML. Mend it in the text editor.".to_owned())
}

/// An edit never makes the text unreadable.
fn checked(text: String) -> Result<String, String> {
    if Spot::of(&text).is_some() {
        Ok(text)
    } else {
        Err(NO_PLACE.to_owned())
    }
}

/// How many of the steps stand in the text.
fn depth_of(spots: &Spot, steps: &[String]) -> usize {
    let mut spot = spots;
    for (depth, step) in steps.iter().enumerate() {
        match spot.child(step) {
            Some(child) => spot = child,
            None => return depth,
        }
    }
    steps.len()
}

/// Whether what stands or would stand at the steps lies in `{ … }` or `[ … ]`.
fn inside_value(spots: &Spot, steps: &[String]) -> bool {
    let within = steps
        .get(..steps.len().saturating_sub(1))
        .unwrap_or_default();
    (1..=within.len()).any(|depth| {
        within
            .get(..depth)
            .and_then(|s| spots.at(s))
            .is_some_and(|s| matches!(s.form, Form::Inline | Form::List))
    })
}

/// Steps without the numbers of entries: as a header names the table.
fn header_steps(spots: &Spot, steps: &[String]) -> Vec<String> {
    let mut spot = Some(spots);
    let mut named = Vec::new();
    for step in steps {
        let entry = spot.is_some_and(|s| s.form == Form::Tables);
        if !entry {
            named.push(step.clone());
        }
        spot = spot.and_then(|s| s.child(step));
    }
    named
}

fn splice(text: &str, range: Range<usize>, with: &str) -> String {
    let (before, after) = (text.get(..range.start), text.get(range.end..));
    format!(
        "{}{with}{}",
        before.unwrap_or_default(),
        after.unwrap_or_default()
    )
}

/// A number keeps its decimal point: `60.0` becomes `120.0`.
fn in_style(toml: &str, old: &str) -> String {
    let whole = |t: &str| {
        t.trim_start_matches('-')
            .bytes()
            .all(|b| b.is_ascii_digit())
    };
    let point = old.parse::<f64>().is_ok() && old.contains('.') && !old.contains(['e', 'E']);
    if point && whole(toml) {
        format!("{toml}.0")
    } else {
        toml.to_owned()
    }
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.rfind('\n').map_or(0, |n| n + 1)
}

/// First byte of the next line.
fn line_end(text: &str, at: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    after.find('\n').map_or(text.len(), |n| at + n + 1)
}

/// Whole lines around a range.
fn lines(text: &str, range: Range<usize>) -> Range<usize> {
    line_start(text, range.start)..line_end(text, range.end)
}

/// A block with the comment right above it, unless that is the head of the file.
fn with_comment(text: &str, block: Range<usize>) -> Range<usize> {
    let mut start = block.start;
    while start > 0 {
        let above = line_start(text, start - 1);
        let line = text.get(above..start).unwrap_or_default();
        if !line.trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    if start == 0 { block } else { start..block.end }
}

/// Takes lines out, and the empty line that would be one too many.
fn without_block(text: &str, range: Range<usize>) -> String {
    let empty = |at: usize| {
        let line = text.get(at..line_end(text, at)).unwrap_or("x");
        at < text.len() && line.trim().is_empty()
    };
    let above_empty = range.start == 0 || empty(line_start(text, range.start - 1));
    let mut range = range;
    if above_empty {
        while empty(range.end) {
            range.end = line_end(text, range.end);
        }
        if range.end == text.len() && range.start > 0 {
            range.start = line_start(text, range.start - 1);
        }
    }
    splice(text, range, "")
}

/// Puts a line after the one in which `at` stands, as far in as that one.
fn with_line(text: &str, at: usize, line: &str) -> String {
    let start = line_start(text, at);
    let before = text.get(start..).unwrap_or_default();
    let depth = before.len() - before.trim_start_matches([' ', '\t']).len();
    let indent = before.get(..depth).unwrap_or_default();
    // The last line of a list is no measure for a key.
    let indent = if before.trim_start().starts_with([']', '}']) {
        ""
    } else {
        indent
    };
    let end = line_end(text, at);
    let newline = newline(text);
    let ends_open = !text.get(..end).unwrap_or_default().ends_with('\n');
    if ends_open {
        splice(text, end..end, &format!("{newline}{indent}{line}"))
    } else {
        splice(text, end..end, &format!("{indent}{line}{newline}"))
    }
}

/// Puts a table after the line in which `at` stands, or at the end of the text, with an empty line before it.
fn with_block(text: &str, at: Option<usize>, lines: &[String]) -> String {
    let newline = newline(text);
    let end = at.map_or(text.len(), |at| line_end(text, at));
    let before = text.get(..end).unwrap_or_default();
    let mut block = String::new();
    if !before.is_empty() {
        if !before.ends_with('\n') {
            block.push_str(newline);
        }
        let trimmed = before.trim_end_matches(['\r', '\n']);
        if before
            .get(trimmed.len()..)
            .unwrap_or_default()
            .matches('\n')
            .count()
            < 2
        {
            block.push_str(newline);
        }
    }
    for line in lines {
        block.push_str(line);
        block.push_str(newline);
    }
    let after = text.get(end..).unwrap_or_default();
    if !after.is_empty() && !after.starts_with(['\r', '\n']) {
        block.push_str(newline);
    }
    splice(text, end..end, &block)
}

/// Puts an item at the end of `{ … }` or `[ … ]`.
fn with_item(text: &str, list: &Spot, item: &str) -> String {
    let ends = list.own_values().into_iter().map(|v| v.span.end);
    if let Some(end) = ends.max() {
        return splice(text, end..end, &format!(", {item}"));
    }
    let (open, close) = if list.form == Form::List {
        ("[", "]")
    } else {
        ("{ ", " }")
    };
    splice(text, list.span.clone(), &format!("{open}{item}{close}"))
}

/// Takes an item out of `{ … }` or `[ … ]`, with the comma that parted it from its neighbour.
fn without_item(text: &str, steps: &[String]) -> Result<String, String> {
    let mut text = text.to_owned();
    // Keys with dots may make several items of one table: one after the other. Numbers of entries shift: one only.
    loop {
        let spots = parse(&text)?;
        let Some(there) = spots.at(steps) else {
            return Ok(text);
        };
        let container = (0..steps.len())
            .rev()
            .filter_map(|depth| spots.at(steps.get(..depth)?))
            .find(|s| matches!(s.form, Form::Inline | Form::List))
            .ok_or(NO_PLACE)?;
        let list = container.form == Form::List;
        let bytes = |item: &Spot| -> Range<usize> {
            let inside = container.span.start + 1;
            let before = text.get(inside..item.key_start).unwrap_or_default();
            // A dotted key begins where its first part does.
            let start = match before.rfind(',') {
                _ if list => item.key_start,
                Some(comma) => inside + comma + 1,
                None => inside,
            };
            let gap = text.get(start..item.key_start).unwrap_or_default();
            let gap = gap.len() - gap.trim_start().len();
            (start + gap).min(item.key_start)..item.span.end
        };
        let item = if there.is_value() {
            there
        } else {
            there.own_values().first().copied().ok_or(NO_PLACE)?
        };
        let single = there.is_value();
        let own = bytes(item);
        let values = container.own_values();
        let others = values.iter().map(|spot| bytes(spot));
        let before = others.clone().map(|r| r.end).filter(|e| *e <= own.start);
        let after = others.map(|r| r.start).filter(|s| *s >= own.end).min();
        text = match (before.max(), after) {
            (Some(before), _) => splice(&text, before..own.end, ""),
            (None, Some(after)) => splice(&text, own.start..after, ""),
            (None, None) => {
                let empty = if list { "[]" } else { "{}" };
                splice(&text, container.span.clone(), empty)
            }
        };
        if Spot::of(&text).is_none() {
            return Err(NO_PLACE.to_owned());
        }
        if single {
            return Ok(text);
        }
    }
}

/// Keys with dots between them.
fn dotted(steps: &[String]) -> String {
    let keys: Vec<String> = steps.iter().map(|s| key(s)).collect();
    keys.join(".")
}

fn key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007F")
}
