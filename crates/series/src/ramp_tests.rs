use super::{Ramp, RampTable, RampTracker, Reader, merge_ramps};
use crate::rng::Stream;
use proptest::prelude::*;

/// Largest rise and fall, and the later sample of each, by trying all pairs.
fn by_hand(values: &[f64], steps: usize) -> [(f64, usize); 2] {
    let (mut up, mut down) = ((0.0, 0), (0.0, 0));
    for later in 0..values.len() {
        for earlier in later.saturating_sub(steps)..later {
            let delta = values[later] - values[earlier];
            if delta > up.0 {
                up = (delta, later);
            }
            if delta < down.0 {
                down = (delta, later);
            }
        }
    }
    [up, down]
}

fn tables(values: &[f64], dt_s: f64, windows_s: &[f64], chunk: usize) -> Vec<RampTable> {
    let mut tracker = RampTracker::new(dt_s, windows_s, 3);
    for chunk in values.chunks(chunk) {
        tracker.push_slice(chunk);
    }
    tracker.tables()
}

#[test]
fn a_step_is_found_where_it_happens() {
    let mut values = vec![100.0; 50];
    values.extend([40.0; 50]);
    values.extend([90.0; 50]);
    let mut tracker = RampTracker::new(0.1, &[0.1, 100.0], 2).starting_at(1000.0);
    tracker.push_slice(&values);
    for table in tracker.tables() {
        assert_eq!((table.down.delta, table.up.delta), (-60.0, 50.0));
        assert_eq!((table.down.at_s, table.up.at_s), (1005.0, 1010.0));
        assert_eq!((table.down.realisation, table.up.realisation), (2, 2));
    }
}

#[test]
fn a_steady_rise_grows_with_the_window() {
    let values: Vec<f64> = (0..1000).map(f64::from).collect();
    let found = tables(&values, 0.1, &[0.05, 0.1, 0.3, 1.0, 60.0, 1e9], 64);
    let rises: Vec<f64> = found.iter().map(|table| table.up.delta).collect();
    assert_eq!(rises, [0.0, 1.0, 3.0, 10.0, 600.0, 999.0]);
    assert!(found.iter().all(|table| table.down.delta == 0.0));
    assert_eq!(found[1].window_s, 0.1);
}

#[test]
fn unusable_samples_keep_their_place_in_time() {
    let nan = f64::NAN;
    let values = [0.0, nan, nan, 10.0, f64::INFINITY, 4.0, 1e300];
    let found = tables(&values, 1.0, &[1.0, 2.0, 3.0], 2);
    let rises: Vec<f64> = found.iter().map(|table| table.up.delta).collect();
    let falls: Vec<f64> = found.iter().map(|table| table.down.delta).collect();
    assert_eq!(rises, [0.0, 0.0, 10.0]);
    assert_eq!(falls, [0.0, -6.0, -6.0]);
}

#[test]
fn nonsense_steps_and_windows_find_nothing() {
    for (dt_s, window_s) in [(-1.0, 1.0), (f64::NAN, 1.0), (1.0, f64::NAN), (1.0, -1.0)] {
        let table = tables(&[1.0, 5.0], dt_s, &[window_s], 1)[0];
        assert_eq!((table.up.delta, table.up.at_s), (0.0, 0.0));
    }
}

#[test]
fn queues_never_grow() {
    // A steadily rising signal fills the queue of the smallest values.
    let mut tracker = RampTracker::new(1.0, &[10_000.0, 4096.0, 7.0], 0);
    let before: Vec<usize> = capacities(&tracker);
    let values: Vec<f64> = (0..50_000).map(f64::from).collect();
    tracker.push_slice(&values);
    let turned: Vec<f64> = values.iter().map(|v| -v).collect();
    tracker.push_slice(&turned);
    assert_eq!(capacities(&tracker), before);
    assert!(before.iter().all(|capacity| *capacity <= 4100));
}

fn capacities(tracker: &RampTracker) -> Vec<usize> {
    let queues = tracker.readers.iter().flat_map(|r| match r {
        Reader::Short(_) => vec![],
        Reader::Long(w) => vec![w.low.queue.capacity(), w.high.queue.capacity()],
    });
    queues.chain([tracker.kept.capacity()]).collect()
}

#[test]
fn a_long_window_is_right_to_one_part_in_4096() {
    // 10 000 steps in groups of 3.
    let steps = 10_000;
    let mut stream = Stream::new(1, "walk", 0, 0);
    let mut level = 0.0;
    let mut values = Vec::new();
    for _ in 0..25_000 {
        level += stream.normal();
        values.push(level);
    }
    let found = tables(&values, 1.0, &[f64::from(steps)], 777)[0];
    let [up_most, down_most] = by_hand(&values, steps as usize);
    let [up_least, down_least] = by_hand(&values, steps as usize - 2);
    assert!(up_least.0 <= found.up.delta && found.up.delta <= up_most.0);
    assert!(down_most.0 <= found.down.delta && found.down.delta <= down_least.0);
}

#[test]
fn merging_keeps_the_larger_and_of_equals_the_lower_realisation() {
    let table = |window_s: f64, up: f64, down: f64, realisation: u32| RampTable {
        window_s,
        up: Ramp {
            delta: up,
            at_s: f64::from(realisation),
            realisation,
        },
        down: Ramp {
            delta: down,
            at_s: f64::from(realisation),
            realisation,
        },
    };
    let parts = [
        vec![table(1.0, 5.0, -3.0, 0), table(9.0, 1.0, -1.0, 0)],
        vec![table(1.0, 4.0, -8.0, 1), table(9.0, 1.0, -1.0, 1)],
        vec![table(1.0, 5.0, -8.0, 2), table(9.0, 1.0, -2.0, 2)],
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut merged = Vec::new();
        for i in order {
            merge_ramps(&mut merged, &parts[i]);
        }
        let who: Vec<(u32, u32)> = merged
            .iter()
            .map(|table| (table.up.realisation, table.down.realisation))
            .collect();
        assert_eq!(who, [(0, 1), (0, 2)]);
        assert_eq!((merged[0].up.delta, merged[0].down.delta), (5.0, -8.0));
    }
}

proptest! {
    #[test]
    fn equals_trying_all_pairs(
        values in prop::collection::vec(prop_oneof![-10.0..10.0_f64, Just(1.0), Just(-9.0)], 0..200),
        steps in prop::collection::vec(0_usize..60, 1..4),
        chunk in 1_usize..40,
    ) {
        let dt_s = 0.1;
        let windows_s: Vec<f64> = steps.iter().map(|n| *n as f64 * dt_s).collect();
        let found = tables(&values, dt_s, &windows_s, chunk);
        for (table, steps) in found.iter().zip(steps) {
            let [up, down] = by_hand(&values, steps);
            prop_assert_eq!((table.up.delta, table.up.at_s), (up.0, up.1 as f64 * dt_s));
            prop_assert_eq!((table.down.delta, table.down.at_s), (down.0, down.1 as f64 * dt_s));
        }
    }
}

proptest! {
    /// Of several signals only the steepest is asked for: floors lose nothing of it.
    #[test]
    fn floors_keep_the_steepest(
        signals in prop::collection::vec(prop::collection::vec(-10.0..10.0_f64, 300), 1..5),
        steps in 0_usize..200,
        chunk in 1_usize..130,
    ) {
        let windows_s = [steps as f64];
        let mut floors = Vec::new();
        let mut trackers = vec![RampTracker::new(1.0, &windows_s, 1); signals.len()];
        for from in (0..300).step_by(chunk) {
            for (tracker, signal) in trackers.iter_mut().zip(&signals) {
                tracker.push_slice_above(&signal[from..300.min(from + chunk)], &floors);
            }
            for tracker in &trackers {
                tracker.raise(&mut floors);
            }
        }
        let mut found = Vec::new();
        for tracker in &trackers {
            merge_ramps(&mut found, &tracker.tables());
        }
        let mut all = Vec::new();
        for signal in &signals {
            let mut tracker = RampTracker::new(1.0, &windows_s, 1);
            tracker.push_slice(signal);
            merge_ramps(&mut all, &tracker.tables());
        }
        prop_assert_eq!(found, all);
    }
}

#[test]
fn memory_is_bounded() {
    // A short window keeps its samples, a long one two queues.
    assert!(RampTracker::bytes(0.001, &[0.1]) >= 100 * 8);
    assert!(RampTracker::bytes(0.001, &[0.1]) < 100 * 8 + 1000);
    assert!(RampTracker::bytes(0.001, &[2.0]) >= 2 * 2000 * 16);
    assert!(RampTracker::bytes(1e-6, &[1e6]) < 2 * 4100 * 16 + 1000);
}
