//! Rows of a log that cannot be: which are left out where that is asked for, and how it is told.

use super::{GpuColumns, GpuLog};

/// GPUs with a smaller share of the rows than another has are what torn rows left.
const CRUMBS: f64 = 0.01;
/// Largest share of rows that may be left out.
pub(super) const MOST_BAD: f64 = 0.05;

/// Rows that were left out, in words.
pub(super) fn left_out(why: &str, lines: &[u64], count: u64) -> String {
    let shown: Vec<String> = lines.iter().take(20).map(u64::to_string).collect();
    let more = if count > shown.len() as u64 {
        format!(" and {} more", count - shown.len() as u64)
    } else {
        String::new()
    };
    format!(
        "{count} rows that {why} were left out: lines {}{more}",
        shown.join(", ")
    )
}

/// Places of the rows to keep so that no time falls: as many as can be.
fn in_order(time_s: &[f64]) -> Vec<usize> {
    // Longest non-decreasing subsequence: `ends[k]` is the place of the smallest time at which one of k + 1 rows ends.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; time_s.len()];
    for (i, t) in time_s.iter().enumerate() {
        let at = ends.partition_point(|end| time_s[*end] <= *t);
        before[i] = at.checked_sub(1).map(|k| ends[k]);
        if at == ends.len() {
            ends.push(i);
        } else {
            ends[at] = i;
        }
    }
    let mut kept = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some(i) = at {
        kept.push(i);
        at = before[i];
    }
    kept.reverse();
    kept
}

/// Leaves out GPUs of which hardly a row is left beside the others', and says so.
pub(super) fn drop_crumbs(log: &mut GpuLog) {
    let most = log.gpus.iter().map(|g| g.time_s.len()).max().unwrap_or(0);
    let found = &mut log.found;
    log.gpus.retain(|gpu| {
        let rows = gpu.time_s.len();
        let enough = rows > 1 && rows as f64 > CRUMBS * most as f64;
        if !enough {
            let name = gpu
                .index
                .map_or_else(|| gpu.uuid.clone(), |i| i.to_string());
            found.push(format!(
                "GPU {name} was left out: it has {rows} rows where another has {most}"
            ));
        }
        enough
    });
}

/// Leaves out the rows of a GPU whose time steps back; their lines.
pub(super) fn put_in_order(gpu: &mut GpuColumns, lines: &mut Vec<f64>) -> Vec<u64> {
    let kept = in_order(&gpu.time_s);
    if kept.len() == gpu.time_s.len() {
        return Vec::new();
    }
    let dropped = (0..lines.len())
        .filter(|i| kept.binary_search(i).is_err())
        .map(|i| lines[i] as u64)
        .collect();
    let n = gpu.time_s.len();
    let pick = |column: &Vec<f64>| kept.iter().map(|i| column[*i]).collect();
    for column in gpu.readings.values_mut() {
        column.resize(n, f64::NAN);
        *column = pick(column);
    }
    gpu.time_s = pick(&gpu.time_s);
    *lines = pick(lines);
    dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu_reading::Reading;
    use crate::{GpuLogOptions, read_gpu_log};

    #[test]
    fn as_many_rows_as_can_be_are_kept_in_order() {
        assert_eq!(in_order(&[0.0, 1.0, 1.0, 2.0]), [0, 1, 2, 3]);
        // One row from the future does not push out what follows it.
        assert_eq!(in_order(&[0.0, 1.0, 5299.0, 2.0, 3.0]), [0, 1, 3, 4]);
        assert_eq!(in_order(&[5.0, 0.0, 1.0]), [1, 2]);
        assert!(in_order(&[]).is_empty());
    }

    /// A log of two GPUs as several processes left it.
    fn torn(bad: &[(usize, &str)]) -> (tempfile::TempDir, std::path::PathBuf) {
        let mut lines = vec!["t_s,gpu_index,power_w".to_owned()];
        for i in 0..200 {
            lines.push(format!(
                "{:.1},{},{}",
                f64::from(i / 2) * 0.1,
                i % 2,
                300 + i % 7
            ));
        }
        for (at, line) in bad {
            lines.insert(*at, (*line).to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log.csv");
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        (folder, file)
    }

    #[test]
    fn half_a_last_row_is_left_out_and_told() {
        let (_folder, file) = torn(&[]);
        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{whole}10.0,0")).unwrap();
        let log = read_gpu_log(&file, &GpuLogOptions::default()).unwrap();
        assert_eq!(log.gpus[0].time_s.len(), 100);
        assert!(
            log.found
                .join("\n")
                .contains("the last row, line 202, is cut off")
        );
        // With an end of line it is no half of a row that was still to come.
        std::fs::write(&file, format!("{whole}10.0,0\n")).unwrap();
        assert!(read_gpu_log(&file, &GpuLogOptions::default()).is_err());
    }

    #[test]
    fn torn_rows_are_refused_or_left_out_and_told() {
        let bad = [
            (20, "0.9,0,300,0.9,1,301"),
            (40, "1.9,0,3.0.1"),
            (60, "99.0,1,300"),
            (80, "5.5,7,310"),
            (90, "1"),
        ];
        let (_folder, file) = torn(&bad);
        let strict = read_gpu_log(&file, &GpuLogOptions::default()).unwrap_err();
        let text = strict.to_string();
        for word in [
            ":21: the row has 6 cells",
            "`3.0.1` is not a number",
            "steps back",
            ":91: the row has 1",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
        let lenient = GpuLogOptions {
            skip_bad_rows: true,
            ..GpuLogOptions::default()
        };
        let log = read_gpu_log(&file, &lenient).unwrap();
        let rows: Vec<usize> = log.gpus.iter().map(|g| g.time_s.len()).collect();
        assert_eq!(rows, [100, 100]);
        let told = log.found.join("\n");
        for word in [
            "3 rows that are torn were left out: lines 21, 41, 91",
            "1 rows that step back in time were left out: lines 61",
            "GPU 7 was left out: it has 1 rows",
        ] {
            assert!(told.contains(word), "{word}: {told}");
        }
        // A log that is bad throughout is none.
        let many: Vec<(usize, &str)> = (0..30).map(|i| (5 * i + 1, "x")).collect();
        let (_folder, file) = torn(&many);
        assert!(read_gpu_log(&file, &lenient).is_err());
    }

    #[test]
    fn a_column_can_be_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log.csv");
        std::fs::write(&file, "t_s,demand_w,measured_w\n0,1,100\n1,1,110\n").unwrap();
        assert!(read_gpu_log(&file, &GpuLogOptions::default()).is_err());
        let named = GpuLogOptions {
            column: Some("measured_w".to_owned()),
            ..GpuLogOptions::default()
        };
        let log = read_gpu_log(&file, &named).unwrap();
        assert_eq!(log.gpus[0].readings[&Reading::PowerW], [100.0, 110.0]);
    }
}
