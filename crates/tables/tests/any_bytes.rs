//! Bytes of any kind are read or refused, never a panic.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use ballast_tables::{TraceOptions, read_columns, read_trace};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_outcome(&bytes);
    }

    #[test]
    fn a_table_with_random_changes_is_read_or_refused(
        changes in proptest::collection::vec((0..1000_usize, any::<u8>(), 0..3_u8), 0..12),
        pieces in proptest::collection::vec(0..PIECES.len(), 0..6),
    ) {
        let mut bytes = b"timestamp, power.draw [W], x\r\n2025/01/31 12:00:00.100, 72.31 W, 1\r\n# c\r\n\
            2025/01/31 12:00:00.200, 80 W, \"2\"\r\n2025/01/31 12:00:00.300, 81e0 W, 3\r\n".to_vec();
        for (piece, (at, _, _)) in pieces.iter().zip(&changes) {
            let at = at % (bytes.len() + 1);
            bytes.splice(at..at, PIECES[*piece].bytes());
        }
        for (at, byte, how) in changes {
            let at = at % bytes.len().max(1);
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => { bytes.remove(at); }
                _ => bytes.insert(at, byte),
            }
        }
        check_outcome(&bytes);
    }
}

const PIECES: [&str; 14] = [
    "\n",
    "\"",
    ";",
    "\t",
    "#",
    "\r",
    "-",
    "1e308",
    "NaN",
    "\u{feff}",
    "µs",
    "2025-01-31T00:00:00+99:99",
    ",,,,",
    "0",
];

/// Read or refused, never a panic, and what is read keeps its promises.
fn check_outcome(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("any.csv");
    std::fs::write(&path, bytes).unwrap();
    match read_trace(&path, &TraceOptions::default()) {
        Ok(trace) => {
            assert!(
                trace.rows >= 2
                    && trace.time_s.len() == trace.rows
                    && trace.value.len() == trace.rows
            );
            assert!(trace.time_s.windows(2).all(|w| w[0] < w[1]) && trace.time_s[0] == 0.0);
            assert!(trace.value.iter().all(|v| v.is_finite()));
        }
        Err(problems) => {
            assert!(!problems.0.is_empty() && problems.0.iter().all(|p| !p.message.is_empty()));
        }
    }
    if let Err(problems) = read_columns(&path) {
        assert!(!problems.0.is_empty());
    }
}
