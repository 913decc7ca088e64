//! A CSV file as header and rows: encoding, delimiter, comments, blank lines, ragged rows.

use csv::StringRecord;

use crate::problem::{Kind, Problems};
use crate::time::parse_timestamp;

/// A CSV file whose header has been read.
pub(crate) struct Table<'a> {
    /// Names of the columns; one without a name is called by its place, "column 3".
    pub(crate) names: Vec<String>,
    /// What was found out about the file, in words.
    pub(crate) found: Vec<String>,
    text: &'a str,
    /// Lines before `text`.
    skipped: u64,
    reader: csv::Reader<&'a [u8]>,
    record: StringRecord,
}

/// A number with what follows it, such as `72.31 W`.
pub(crate) fn split_number(cell: &str) -> Option<(f64, &str)> {
    let cell = cell.trim();
    if let Ok(value) = cell.parse() {
        return Some((value, ""));
    }
    let end = cell
        .rfind(|c: char| !(c.is_alphabetic() || c == 'µ'))
        .map_or(0, |at| {
            at + cell[at..].chars().next().map_or(0, char::len_utf8)
        });
    cell[..end]
        .trim_end()
        .parse()
        .ok()
        .map(|value| (value, &cell[end..]))
}

impl<'a> Table<'a> {
    /// Reads the header; `None` with a problem when there is none.
    pub(crate) fn open(bytes: &'a [u8], problems: &mut Problems) -> Option<Self> {
        let whole = decode(bytes, problems)?;
        let (stated, text) = excel_line(whole);
        let skipped = u64::from(stated.is_some());
        let Some(first) = text
            .lines()
            .find(|l| !l.trim().is_empty() && !l.starts_with('#'))
        else {
            problems.file(
                "there is nothing but blank lines and comments",
                "write a header line and at least two rows",
            );
            return None;
        };
        let delimiter = stated.unwrap_or_else(|| sniff(first));
        let mut found = Vec::new();
        if delimiter != b',' {
            let name = if delimiter == b'\t' {
                "tab"
            } else {
                "semicolon"
            };
            found.push(format!("cells are separated by {name}s"));
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .comment(Some(b'#'))
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        while record.iter().all(str::is_empty) {
            if !reader.read_record(&mut record).unwrap_or(false) {
                problems.file(
                    "there is no header",
                    "name the columns in the first line, such as `t_s,power_w`",
                );
                return None;
            }
        }
        let line = Some(skipped + line_of(text, &record));
        let numbers = record
            .iter()
            .all(|cell| split_number(cell).is_some() || parse_timestamp(cell).is_some());
        let dated = record.iter().any(|cell| parse_timestamp(cell).is_some());
        if numbers || dated {
            problems.add(Kind::File, line, None, || {
                let cells = record.iter().take(4).collect::<Vec<_>>().join(", ");
                let message = format!("the first line is data ({cells}), not a header");
                (
                    message,
                    "put a line with the names of the columns above it, such as `t_s,power_w`, or print it without `noheader`"
                        .into(),
                )
            });
            return None;
        }
        let mut names: Vec<String> = record.iter().map(str::to_owned).collect();
        for (i, name) in names
            .iter_mut()
            .enumerate()
            .filter(|(_, name)| name.is_empty())
        {
            *name = format!("column {}", i + 1);
        }
        Some(Self {
            names,
            found,
            text,
            skipped,
            reader,
            record,
        })
    }

    /// The next row that has as many cells as the header, with its line; `None` at the end. Other rows are problems,
    /// and `broken` is set.
    pub(crate) fn next_row(
        &mut self,
        broken: &mut bool,
        problems: &mut Problems,
    ) -> Option<(u64, &StringRecord)> {
        loop {
            // The text is UTF-8 and rows may have any length, so that reading from memory has no way to fail.
            if !self.reader.read_record(&mut self.record).unwrap_or(false) {
                return None;
            }
            let blank = self.record.len() <= 1
                && self.record.iter().all(str::is_empty)
                && self.names.len() > 1;
            if blank {
                continue;
            }
            if self.record.len() == self.names.len() {
                let line = self.skipped + line_of(self.text, &self.record);
                return Some((line, &self.record));
            }
            *broken = true;
            let (has, wants) = (self.record.len(), self.names.len());
            let open_quote = self.record.iter().any(|cell| cell.contains('\n'));
            let line = self.skipped + line_of(self.text, &self.record);
            problems.add(Kind::Ragged, Some(line), None, || {
                let help = if open_quote {
                    "a quote that opens here is not closed on this line; close it"
                } else if has < wants {
                    "fill in the missing cells, or remove the row (a last row may be cut off)"
                } else {
                    "remove the extra cells, and put texts with the separator in them in quotes"
                };
                (
                    format!("the row has {has} cells, the header has {wants}"),
                    help.into(),
                )
            });
        }
    }
}

/// Line on which a row begins, counted from 1. The csv crate's position is that of the blank lines and comments before.
fn line_of(text: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else {
        return 0;
    };
    let mut line = position.line();
    let mut rest = text.get(position.byte() as usize..).unwrap_or("");
    while let Some((skipped, after)) = rest.split_once('\n')
        && (skipped.trim_end_matches('\r').is_empty() || skipped.starts_with('#'))
    {
        line += 1;
        rest = after;
    }
    line
}

/// The separator that a first line `sep=;` states, as Grafana writes it for Excel, and the text below that line.
fn excel_line(text: &str) -> (Option<u8>, &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let stated = first.trim_end_matches('\r').trim_matches('"');
    match stated.strip_prefix("sep=").map(str::as_bytes) {
        Some([separator @ (b',' | b';' | b'\t' | b'|')]) => (Some(*separator), rest),
        _ => (None, text),
    }
}

/// The text without a byte order mark; `None` with a problem when it is not UTF-8.
pub(crate) fn decode<'a>(bytes: &'a [u8], problems: &mut Problems) -> Option<&'a str> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        problems.file("the text is UTF-16", "save it as UTF-8");
        return None;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let at = error.valid_up_to();
            let line = bytes[..at].split(|b| *b == b'\n').count() as u64;
            let byte = bytes.get(at).copied().unwrap_or(0);
            problems.add(Kind::File, Some(line), None, || {
                (
                    format!("the text is not UTF-8 (byte 0x{byte:02x})"),
                    "save it as UTF-8, or name a CSV file".into(),
                )
            });
            None
        }
    }
}

/// The separator that is most frequent in the header outside quotes; the comma wins a tie.
fn sniff(header: &str) -> u8 {
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in header.bytes() {
        quoted ^= byte == b'"';
        if let Some(entry) = counts.iter_mut().find(|(d, _)| *d == byte && !quoted) {
            entry.1 += 1;
        }
    }
    let mut best = counts[0];
    for entry in &counts[1..] {
        if entry.1 > best.1 {
            best = *entry;
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_and_without_units() {
        assert_eq!(split_number("72.31 W"), Some((72.31, "W")));
        assert_eq!(split_number(" 5kW "), Some((5.0, "kW")));
        assert_eq!(split_number("1e3"), Some((1000.0, "")));
        assert_eq!(split_number("1e"), Some((1.0, "e")));
        assert_eq!(split_number("3 µs"), Some((3.0, "µs")));
        assert_eq!(split_number("W"), None);
        assert_eq!(split_number("[N/A]"), None);
        assert_eq!(split_number("1,5"), None);
        assert!(split_number("nan").is_some_and(|(v, _)| v.is_nan()));
        assert_eq!(split_number(""), None);
        assert_eq!(split_number("五"), None);
    }

    #[test]
    fn the_separator_is_the_most_frequent_one_outside_quotes() {
        assert_eq!(sniff("a,b,c"), b',');
        assert_eq!(sniff("a;b,c;d"), b';');
        assert_eq!(sniff("\"a;b;c\",d"), b',');
        assert_eq!(sniff("a\tb"), b'\t');
        assert_eq!(sniff("a"), b',');
    }
}
