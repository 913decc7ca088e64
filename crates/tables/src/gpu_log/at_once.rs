//! Rows of several GPUs that nothing tells apart.

use super::GpuColumns;

/// Longest time between rows of one poll, seconds; how much longer the pause to the next one is; fewest polls, and share of them with as many rows.
const AT_ONCE_S: f64 = 0.02;
const PAUSE: f64 = 3.0;
const LEAST_POLLS: usize = 5;
const AS_MANY: f64 = 0.9;

/// How many rows without an index or UUID come at once, then pause, every time: several GPUs that nothing tells apart. None for one at a time.
pub(super) fn rows_at_once(gpu: &GpuColumns) -> Option<usize> {
    if gpu.index.is_some() || !gpu.uuid.is_empty() {
        return None;
    }
    let (mut sizes, mut rows) = (Vec::new(), 1_usize);
    let (mut longest_within, mut shortest_pause) = (0.0_f64, f64::INFINITY);
    for pair in gpu.time_s.windows(2) {
        let apart = pair[1] - pair[0];
        if apart <= AT_ONCE_S {
            rows += 1;
            longest_within = longest_within.max(apart);
        } else {
            sizes.push(rows);
            rows = 1;
            shortest_pause = shortest_pause.min(apart);
        }
    }
    sizes.push(rows);
    let polls = sizes.len();
    let mut sorted = sizes.clone();
    sorted.sort_unstable();
    let usual = sorted[polls / 2];
    let as_many = sizes.iter().filter(|n| **n == usual).count() as f64;
    let apart = shortest_pause >= PAUSE * longest_within;
    (usual >= 2 && polls >= LEAST_POLLS && apart && as_many >= AS_MANY * polls as f64)
        .then_some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(gpus: u32, poll_s: f64) -> GpuColumns {
        let time_s = (0..50_u32)
            .flat_map(|k| (0..gpus).map(move |g| f64::from(k) * poll_s + 0.0015 * f64::from(g)))
            .collect();
        GpuColumns {
            time_s,
            ..GpuColumns::default()
        }
    }

    #[test]
    fn rows_that_come_together_are_several_gpus() {
        assert_eq!(rows_at_once(&log(8, 0.5)), Some(8));
        assert_eq!(rows_at_once(&log(2, 0.1)), Some(2));
        let mut torn = log(8, 0.5);
        torn.time_s.truncate(397);
        assert_eq!(rows_at_once(&torn), Some(8));
    }

    #[test]
    fn one_gpu_is_one_gpu() {
        for poll_s in [0.001, 0.015, 0.1, 1.0] {
            assert_eq!(rows_at_once(&log(1, poll_s)), None);
        }
        let mut named = log(8, 0.5);
        named.index = Some(0);
        assert_eq!(rows_at_once(&named), None);
        let mut doubled = log(1, 0.1);
        doubled.time_s.insert(20, doubled.time_s[20]);
        assert_eq!(rows_at_once(&doubled), None);
    }

    #[test]
    fn a_log_without_an_index_is_refused() {
        let rows = (0..20).flat_map(|k| {
            (0..4)
                .map(move |g| format!("2026/11/20 14:03:{k:02}.0{g}0, NVIDIA H100 PCIe, 47.2 W\n"))
        });
        let text = "timestamp, name, power.draw [W]\n".to_owned() + &rows.collect::<String>();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        std::fs::write(&path, text).unwrap();
        let problems = crate::read_gpu_log(&path, &crate::GpuLogOptions::default());
        let told = problems.unwrap_err().to_string();
        assert!(
            told.contains("4 rows at each time and no column that says which GPU"),
            "{told}"
        );
    }
}
