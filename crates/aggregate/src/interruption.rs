//! When a training job does not train, whatever the cause: stretches of time that strike all its GPUs at once and end in a restart.

use ballast_profile::PhaseKind;
use ballast_series::rng::Stream;

/// A stretch in which a job is down. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interruption {
    pub(crate) from_s: f64,
    /// The restart begins; infinite: never.
    pub(crate) until_s: f64,
    /// What the GPUs do meanwhile. In `TrainCommunication` they wait, and go on without a restart if nothing else strikes them.
    pub(crate) phase: PhaseKind,
}

impl Interruption {
    /// A crash: the GPUs are idle.
    pub(crate) fn crash(at_s: f64, down_s: f64) -> Self {
        Self {
            from_s: at_s,
            until_s: at_s + down_s,
            phase: PhaseKind::Idle,
        }
    }
}

/// Sorts interruptions and makes those that overlap one chain: in the result each begins when the one before has ended, or later.
///
/// Where one begins exactly as another ends there is no restart between them. While several hold, the GPUs are idle if any of
/// them makes them so, for a process that is gone waits for nothing; else they do what the first of them brought.
/// A crash that ends at once is a restart at that time, unless the job is down anyway; other interruptions without duration are none.
pub(crate) fn merged(mut all: Vec<Interruption>) -> Vec<Interruption> {
    let at_once = |i: &Interruption| i.until_s == i.from_s && i.phase == PhaseKind::Idle;
    let crashes: Vec<Interruption> = all.iter().copied().filter(at_once).collect();
    all.retain(|i| i.until_s > i.from_s);
    all.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
    let mut edges_s: Vec<f64> = all.iter().flat_map(|i| [i.from_s, i.until_s]).collect();
    edges_s.sort_by(f64::total_cmp);
    edges_s.dedup();
    let mut chain: Vec<Interruption> = Vec::with_capacity(all.len());
    let mut holding: Vec<Interruption> = Vec::new();
    let mut begun = all.iter().peekable();
    for edge in edges_s.windows(2) {
        let (from_s, until_s) = (edge[0], edge[1]);
        holding.retain(|i| i.until_s > from_s);
        while let Some(i) = begun.next_if(|i| i.from_s <= from_s) {
            holding.push(*i);
        }
        let idle = holding.iter().find(|i| i.phase == PhaseKind::Idle);
        let Some(phase) = idle.or(holding.first()).map(|i| i.phase) else {
            continue;
        };
        match chain.last_mut() {
            Some(last) if last.until_s == from_s && last.phase == phase => last.until_s = until_s,
            _ => chain.push(Interruption {
                from_s,
                until_s,
                phase,
            }),
        }
    }
    for crash in crashes {
        insert(&mut chain, crash);
    }
    chain
}

/// Puts a crash without duration into a chain.
fn insert(chain: &mut Vec<Interruption>, crash: Interruption) {
    let at_s = crash.from_s;
    let Some(k) = chain
        .iter()
        .position(|i| i.from_s <= at_s && at_s < i.until_s)
    else {
        let next = chain.partition_point(|i| i.until_s <= at_s);
        chain.insert(next, crash);
        return;
    };
    let around = chain[k];
    if around.phase == PhaseKind::Idle {
        return;
    }
    // What waits is gone from here on, for the rest of the wait too.
    chain[k].from_s = at_s;
    chain.insert(k, crash);
    if around.from_s < at_s {
        let before = Interruption {
            until_s: at_s,
            ..around
        };
        chain.insert(k, before);
    }
}

/// Whether a job that has these interruptions is gone already when something strikes it at `at_s`, and has not begun to start again.
pub(crate) fn gone_before(chain: &[Interruption], at_s: f64) -> bool {
    let (mut gone, mut until_s) = (false, f64::NEG_INFINITY);
    for i in chain.iter().take_while(|i| i.from_s < at_s) {
        // Without a gap there was no restart.
        gone = (gone && i.from_s <= until_s) || i.phase == PhaseKind::Idle;
        until_s = i.until_s;
    }
    gone && at_s <= until_s
}

/// Crashes at random: the time to the next is exponential, counted from the start or the last restart.
#[derive(Debug, Clone)]
pub(crate) struct RandomCrashes {
    stream: Stream,
    mtbf_s: f64,
    down_s: f64,
    next_s: f64,
}

impl RandomCrashes {
    /// `stream` is the job's, opened anew for each cohort, so that a crash strikes all of them at the same time.
    ///
    /// The exponential distribution has no memory, so a job under way at t = 0 is taken as up then.
    pub(crate) fn new(stream: Stream, mtbf_s: f64, down_s: f64, start_s: f64) -> Self {
        let mut crashes = Self {
            stream,
            mtbf_s,
            down_s,
            next_s: f64::INFINITY,
        };
        crashes.up_again(start_s.max(0.0));
        crashes
    }

    fn up_again(&mut self, at_s: f64) {
        self.next_s = at_s - self.mtbf_s * libm::log(self.stream.uniform());
    }
}

/// A job's interruptions one after another: the planned ones (see [`merged`]) and those at random.
#[derive(Debug, Clone)]
pub(crate) struct Interruptions {
    at: usize,
    random: Option<RandomCrashes>,
}

impl Interruptions {
    pub(crate) fn new(random: Option<RandomCrashes>) -> Self {
        Self { at: 0, random }
    }

    /// Start of the next one; infinite if none is left.
    pub(crate) fn next_s(&self, planned: &[Interruption]) -> f64 {
        let planned_s = planned.get(self.at).map_or(f64::INFINITY, |i| i.from_s);
        let random_s = self.random.as_ref().map_or(f64::INFINITY, |r| r.next_s);
        planned_s.min(random_s)
    }

    /// Whether the next one is drawn.
    pub(crate) fn next_is_random(&self, planned: &[Interruption]) -> bool {
        let planned_s = planned.get(self.at).map_or(f64::INFINITY, |i| i.from_s);
        self.random.as_ref().is_some_and(|r| r.next_s < planned_s)
    }

    /// The next one. The second value says whether another follows without a restart between.
    pub(crate) fn take(&mut self, planned: &[Interruption]) -> Option<(Interruption, bool)> {
        let is_random = self.next_is_random(planned);
        let taken = if let Some(random) = self.random.as_ref().filter(|_| is_random) {
            let mut crash = Interruption::crash(random.next_s, random.down_s);
            // The job is down already: what else strikes it can only keep it down for longer.
            while let Some(other) = planned.get(self.at).filter(|o| o.from_s <= crash.until_s) {
                crash.until_s = crash.until_s.max(other.until_s);
                self.at += 1;
            }
            crash
        } else {
            let next = *planned.get(self.at)?;
            self.at += 1;
            next
        };
        let follows = planned
            .get(self.at)
            .is_some_and(|n| n.from_s <= taken.until_s);
        if let Some(random) = &mut self.random {
            random.next_s = f64::INFINITY;
            if !follows && taken.until_s.is_finite() {
                random.up_again(taken.until_s);
            }
        }
        Some((taken, follows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PhaseKind::{Idle, TrainCommunication as Com};
    use proptest::prelude::*;

    fn at(from_s: f64, until_s: f64, phase: PhaseKind) -> Interruption {
        Interruption {
            from_s,
            until_s,
            phase,
        }
    }

    #[test]
    fn overlapping_ones_become_a_chain() {
        // A wait from 10 to 40; the processes die from 20 to 30 meanwhile.
        let got = merged(vec![at(20.0, 30.0, Idle), at(10.0, 40.0, Com)]);
        assert_eq!(
            got,
            [
                at(10.0, 20.0, Com),
                at(20.0, 30.0, Idle),
                at(30.0, 40.0, Com)
            ]
        );
        let got = merged(vec![
            at(0.0, 5.0, Idle),
            at(3.0, 9.0, Idle),
            at(9.5, 9.5, Com),
        ]);
        assert_eq!(got, [at(0.0, 9.0, Idle)]);
        let got = merged(vec![at(0.0, f64::INFINITY, Idle), at(3.0, 9.0, Com)]);
        assert_eq!(got, [at(0.0, f64::INFINITY, Idle)]);
    }

    #[test]
    fn a_crash_with_an_immediate_restart_is_one() {
        let crash = at(5.0, 5.0, Idle);
        assert_eq!(merged(vec![crash]), [crash]);
        assert_eq!(
            merged(vec![at(8.0, 9.0, Idle), crash, at(1.0, 2.0, Com)]),
            [at(1.0, 2.0, Com), crash, at(8.0, 9.0, Idle)]
        );
        // Down anyway; waiting.
        assert_eq!(
            merged(vec![at(4.0, 9.0, Idle), crash]),
            [at(4.0, 9.0, Idle)]
        );
        assert_eq!(
            merged(vec![at(4.0, 9.0, Com), crash]),
            [at(4.0, 5.0, Com), crash, at(5.0, 9.0, Com)]
        );
        assert_eq!(
            merged(vec![at(5.0, 9.0, Com), crash]),
            [crash, at(5.0, 9.0, Com)]
        );
    }

    #[test]
    fn what_is_gone_is_gone_until_it_starts_again() {
        let chain = [
            at(10.0, 20.0, Com),
            at(20.0, 30.0, Idle),
            at(30.0, 40.0, Com),
            at(50.0, 60.0, Com),
        ];
        let gone = [5.0, 15.0, 20.0, 25.0, 35.0, 40.0, 45.0, 55.0].map(|t| gone_before(&chain, t));
        let wanted = [false, false, false, true, true, true, false, false];
        assert_eq!(gone, wanted);
        assert!(!gone_before(&[at(5.0, 5.0, Idle)], 5.0));
    }

    #[test]
    fn random_crashes_keep_their_mean_and_swallow_what_falls_into_them() {
        let stream = Stream::new(1, "crash", 0, 0);
        let mut all = Interruptions::new(Some(RandomCrashes::new(stream, 100.0, 10.0, -5.0)));
        let (mut last_s, mut sum_s) = (0.0, 0.0);
        let n = 20_000;
        for _ in 0..n {
            let (crash, follows) = all.take(&[]).unwrap();
            assert!(!follows && crash.from_s > last_s);
            assert!((crash.until_s - crash.from_s - 10.0).abs() < 1e-6);
            sum_s += crash.from_s - last_s;
            last_s = crash.until_s;
        }
        // Standard error of an exponential mean over 20 000: 0.7 s; five of them.
        assert!((sum_s / f64::from(n) - 100.0).abs() < 3.6);
        let stream = Stream::new(1, "crash", 0, 0);
        let mut all = Interruptions::new(Some(RandomCrashes::new(stream, 100.0, 10.0, 0.0)));
        let first_s = all.next_s(&[]);
        let planned = [at(first_s + 5.0, first_s + 25.0, Com)];
        let (taken, follows) = all.take(&planned).unwrap();
        assert_eq!((taken.phase, follows), (Idle, false));
        assert!((taken.until_s - first_s - 25.0).abs() < 1e-9);
        assert!(all.next_s(&planned) > taken.until_s);
    }

    proptest! {
        /// The union of the times stays the same, nothing overlaps, and idle wins.
        #[test]
        fn the_chain_covers_what_was_covered(raw in prop::collection::vec((0u32..60, 1u32..30, any::<bool>()), 0..8)) {
            let all: Vec<_> = raw.iter().map(|(from, long, idle)| {
                at(f64::from(*from), f64::from(from + long), if *idle { Idle } else { Com })
            }).collect();
            let chain = merged(all.clone());
            prop_assert!(chain.windows(2).all(|w| w[0].until_s <= w[1].from_s));
            for k in 0..100 {
                let t_s = f64::from(k) + 0.5;
                let holds = |i: &&Interruption| i.from_s <= t_s && t_s < i.until_s;
                let here: Vec<_> = all.iter().filter(holds).collect();
                let got = chain.iter().find(holds).map(|i| i.phase);
                let wanted = if here.iter().any(|i| i.phase == Idle) { Some(Idle) } else { here.first().map(|i| i.phase) };
                prop_assert_eq!(got, wanted, "{}", t_s);
            }
        }
    }
}
