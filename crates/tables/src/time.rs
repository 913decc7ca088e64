//! Dates and times as loggers write them, without a calendar library.

/// Nanoseconds per second.
const NANOS: i64 = 1_000_000_000;

/// Reads a date and time as nanoseconds since 1970-01-01T00:00:00, shifted by its UTC offset where it has one.
///
/// ISO 8601 ("2025-01-31T12:00:00.123+01:00", with a space for the T too) and the form of nvidia-smi
/// ("2025/01/31 12:00:00.123"). A time without offset is taken as it stands: only differences matter.
/// `None` for anything else and outside the years 1900 to 2200.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let days = parse_date(date.as_bytes())?;
    let midnight = days * 86_400;
    if rest.is_empty() {
        return Some(midnight * NANOS);
    }
    let clock = rest.strip_prefix(['T', 't', ' '])?.trim_start();
    let (clock, offset_s) = split_offset(clock)?;
    let (seconds, nanos) = parse_clock(clock)?;
    Some((midnight + seconds - offset_s) * NANOS + nanos)
}

/// Days since 1970-01-01 of "YYYY-MM-DD" or "YYYY/MM/DD".
fn parse_date(date: &[u8]) -> Option<i64> {
    let separator = date[4];
    if !matches!(separator, b'-' | b'/') || date[7] != separator {
        return None;
    }
    let (year, month, day) = (
        digits(&date[..4])?,
        digits(&date[5..7])?,
        digits(&date[8..10])?,
    );
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1900..=2200).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    // Civil-from-days of the proleptic Gregorian calendar: years counted from March, so that the leap day comes last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let day_of_year = (153 * m + 2) / 5 + day - 1;
    Some(365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719_468)
}

/// The date and time that [`parse_timestamp`] reads as this, to the millisecond.
pub(crate) fn format_timestamp(nanos: i64) -> String {
    let days = nanos.div_euclid(86_400 * NANOS);
    let of_day = nanos.rem_euclid(86_400 * NANOS);
    // The inverse of `parse_date`: eras of 400 years, years from March.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day = shifted.rem_euclid(146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let seconds = of_day / NANOS;
    format!(
        "{year:04}-{month:02}-{date:02} {:02}:{:02}:{:02}.{:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        of_day % NANOS / 1_000_000
    )
}

/// Clock time without its UTC offset, and the offset in seconds (0 when there is none).
fn split_offset(clock: &str) -> Option<(&str, i64)> {
    if let Some(plain) = clock.strip_suffix(['Z', 'z']) {
        return Some((plain.trim_end(), 0));
    }
    let Some(at) = clock.rfind(['+', '-']) else {
        return Some((clock, 0));
    };
    let sign = if clock[at..].starts_with('-') { -1 } else { 1 };
    let offset = &clock.as_bytes()[at + 1..];
    let (hours, minutes) = match offset.len() {
        2 => (digits(offset)?, 0),
        4 => (digits(&offset[..2])?, digits(&offset[2..])?),
        5 if offset[2] == b':' => (digits(&offset[..2])?, digits(&offset[3..])?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59)
        .then(|| (clock[..at].trim_end(), sign * (hours * 3600 + minutes * 60)))
}

/// Seconds since midnight and nanoseconds of "HH:MM", "HH:MM:SS" or "HH:MM:SS.fff…".
fn parse_clock(clock: &str) -> Option<(i64, i64)> {
    let (whole, fraction) = match clock.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole.as_bytes(), Some(fraction)),
        None => (clock.as_bytes(), None),
    };
    let (hours, minutes, seconds) = match whole.len() {
        5 if fraction.is_none() && whole[2] == b':' => {
            (digits(&whole[..2])?, digits(&whole[3..])?, 0)
        }
        8 if whole[2] == b':' && whole[5] == b':' => (
            digits(&whole[..2])?,
            digits(&whole[3..5])?,
            digits(&whole[6..])?,
        ),
        _ => return None,
    };
    // 60 is a leap second.
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let nanos = match fraction {
        None => 0,
        Some(fraction) => {
            let kept = &fraction.as_bytes()[..fraction.len().min(9)];
            if kept.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            kept.iter()
                .chain(std::iter::repeat_n(&b'0', 9 - kept.len()))
                .fold(0, |n, b| n * 10 + i64::from(b - b'0'))
        }
    };
    Some((hours * 3600 + minutes * 60 + seconds, nanos))
}

/// Value of a few decimal digits; `None` when there is anything else.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |n, b| {
        b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        assert_eq!(parse_timestamp("1970-01-01"), Some(0));
        assert_eq!(
            parse_timestamp("2025-01-31T12:00:00Z"),
            Some(1_738_324_800 * NANOS)
        );
        assert_eq!(
            parse_timestamp("2025/01/31 12:00:00.123"),
            Some(1_738_324_800_123_000_000)
        );
        assert_eq!(
            parse_timestamp("2025-01-31T13:30:00,5+01:30"),
            Some(1_738_324_800_500_000_000)
        );
        assert_eq!(
            parse_timestamp("2025-01-31T04:00-0800"),
            Some(1_738_324_800 * NANOS)
        );
        assert_eq!(
            parse_timestamp("2024-02-29 00:00:00.1234567891"),
            Some(1_709_164_800_123_456_789)
        );
        assert_eq!(
            parse_timestamp("2000-03-01T00:00:00+00"),
            Some(951_868_800 * NANOS)
        );
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "1970-01-01 00:00:00.000",
            "2024-02-29 23:59:59.999",
            "2100-03-01 00:00:00.001",
            "1969-12-31 12:00:00.500",
            "2026-11-21 07:00:00.123",
            "2000-12-31 01:02:03.004",
        ] {
            assert_eq!(
                parse_timestamp(text).map(format_timestamp).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "2025",
            "2025-02-29",
            "2025-13-01",
            "2025-00-01",
            "2025-01/31",
            "2025-01-31T25:00:00",
            "2025-01-31T12:61:00",
            "2025-01-31T12:00:00.",
            "2025-01-31T12:00:00.1x",
            "2025-01-31T12:00:00+1",
            "2025-01-31x12:00",
            "äöüäöüäöüäöü",
            "1200-01-01",
            "12.5",
        ] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }
}
