//! The parts of a training iteration, stage by stage of a pipeline.

use crate::timeline::Mix;
use crate::training_spec::{DEFAULT_FORWARD_SHARE, IterationShape, PipelineSchedule};

/// A part of an iteration at one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Segment {
    /// Where it ends, share of the iteration.
    pub(crate) until_share: f64,
    /// Its level: shares of computing and communicating.
    pub(crate) mix: Mix,
}

/// What the GPUs of one stage do in an iteration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) segments: Vec<Segment>,
    /// Index of the first segment after the barrier: the exchange of gradients; the number of segments where none is left.
    pub(crate) barrier: usize,
}

/// Parts shorter than this many steps are averaged: a sampled signal shows nothing faster than two samples.
pub(crate) const SHORTEST_STEPS: f64 = 2.0;

/// Fewest steps in an iteration that is shown with its phases.
pub(crate) const FEWEST_STEPS_PER_ITERATION: f64 = 4.0;

impl Part {
    fn new() -> Self {
        Self {
            segments: Vec::new(),
            barrier: 0,
        }
    }

    fn push(&mut self, until_share: f64, computing: f64) {
        let from = self.segments.last().map_or(0.0, |s| s.until_share);
        // Ends that differ by rounding alone bound no segment.
        if until_share > from + 1e-12 {
            self.segments.push(Segment {
                until_share,
                mix: Mix::computing(computing),
            });
        }
    }

    fn close(&mut self, barrier_share: f64) {
        self.barrier = self.segments.len();
        if let Some(last) = self.segments.last_mut() {
            last.until_share = barrier_share;
        }
        self.push(1.0, 0.0);
        if let Some(last) = self.segments.last_mut() {
            last.until_share = 1.0;
        }
    }

    /// Its lengths, as shares, with equal neighbours as one.
    fn lengths(&self) -> Vec<f64> {
        let mut lengths: Vec<(Mix, f64)> = Vec::new();
        let mut from = 0.0;
        for s in &self.segments {
            match lengths.last_mut() {
                Some((mix, length)) if *mix == s.mix => *length += s.until_share - from,
                _ => lengths.push((s.mix, s.until_share - from)),
            }
            from = s.until_share;
        }
        lengths.into_iter().map(|(_, l)| l).collect()
    }

    /// Shortest stretch at one level, share of the iteration.
    pub(crate) fn shortest(&self) -> f64 {
        self.lengths().into_iter().fold(1.0, f64::min)
    }

    /// Mean level over the iteration.
    pub(crate) fn mean(&self) -> Mix {
        mean(&self.segments, 0.0)
    }

    /// Whether the exchange of gradients, or all before it, is too short to be told apart.
    pub(crate) fn lost(&self, shortest: f64) -> bool {
        let at = |i: usize| self.segments.get(i).map_or(0.0, |s| s.until_share);
        let before = if self.barrier == 0 {
            0.0
        } else {
            at(self.barrier - 1)
        };
        [before, 1.0 - before]
            .into_iter()
            .any(|l| l > 0.0 && l < shortest)
    }

    /// The same with stretches before the barrier that are shorter than `shortest` (share of the iteration) put together with
    /// their neighbours, each group at its mean.
    pub(crate) fn coarse(&self, shortest: f64) -> Self {
        let mut groups: Vec<(f64, Vec<Segment>)> = Vec::new();
        let mut from = 0.0;
        for s in &self.segments[..self.barrier] {
            let length = s.until_share - from;
            let long = length >= shortest;
            match groups.last_mut() {
                // A group that is long enough takes a short one in only if it consists of short ones.
                Some((start, group)) if from - *start < shortest || (!long && group.len() > 1) => {
                    group.push(*s);
                }
                _ => groups.push((from, vec![*s])),
            }
            from = s.until_share;
        }
        // What is left too short at the end goes to the group before.
        if groups.len() > 1
            && groups
                .last()
                .is_some_and(|(start, _)| from - start < shortest)
            && let Some((_, rest)) = groups.pop()
            && let Some((_, group)) = groups.last_mut()
        {
            group.extend(rest);
        }
        let mut segments: Vec<Segment> = groups
            .iter()
            .filter_map(|(start, group)| {
                Some(Segment {
                    until_share: group.last()?.until_share,
                    mix: mean(group, *start),
                })
            })
            .collect();
        let barrier = segments.len();
        segments.extend_from_slice(&self.segments[self.barrier..]);
        Self { segments, barrier }
    }
}

/// Mean level of segments that follow each other from `from` on.
fn mean(segments: &[Segment], from: f64) -> Mix {
    let (mut at, mut computing) = (from, 0.0);
    for s in segments {
        computing += (s.until_share - at) * s.mix.0[0];
        at = s.until_share;
    }
    if at > from {
        Mix::computing((computing / (at - from)).clamp(0.0, 1.0))
    } else {
        Mix::computing(1.0)
    }
}

/// The iteration of every stage. `compute_share` is the share of the iteration until the exchange of gradients.
pub(crate) fn parts(shape: &IterationShape, compute_share: f64) -> Vec<Part> {
    match *shape {
        IterationShape::DataParallel { overlap_share } => {
            let mut part = Part::new();
            let hidden = overlap_share * (1.0 - compute_share);
            let barrier = compute_share + hidden;
            if hidden > 0.0 {
                let forward = DEFAULT_FORWARD_SHARE * compute_share;
                part.push(forward, 1.0);
                part.push(barrier, (compute_share - forward) / (barrier - forward));
            } else {
                part.push(barrier, 1.0);
            }
            part.close(barrier);
            vec![part]
        }
        IterationShape::Pipeline {
            stages,
            microbatches,
            schedule,
            forward_share,
            ..
        } => {
            let forward = forward_share.unwrap_or(DEFAULT_FORWARD_SHARE);
            timetable(stages as usize, microbatches as usize, forward, schedule)
                .into_iter()
                .map(|busy| {
                    let mut part = Part::new();
                    for (from, until) in busy {
                        part.push(from * compute_share, 0.0);
                        part.push(until * compute_share, 1.0);
                    }
                    part.push(compute_share, 0.0);
                    part.close(compute_share);
                    part
                })
                .collect()
        }
    }
}

/// When each stage of a pipeline computes, in shares of the time from the first forward to the last backward pass.
///
/// All micro-batches take the same time on all stages, and handing over takes none. A pass begins when the stage has done the one
/// before it and the neighbouring stage has handed over its input.
fn timetable(
    stages: usize,
    microbatches: usize,
    forward: f64,
    schedule: PipelineSchedule,
) -> Vec<Vec<(f64, f64)>> {
    let backward = 1.0 - forward;
    // End of the passes done so far, by stage: forward, backward.
    let mut done = vec![(Vec::new(), Vec::new()); stages];
    let mut free = vec![0.0_f64; stages];
    let mut busy: Vec<Vec<(f64, f64)>> = vec![Vec::new(); stages];
    let mut left = 2 * stages * microbatches;
    while left > 0 {
        let before = left;
        for s in 0..stages {
            let ahead = match schedule {
                PipelineSchedule::Gpipe => microbatches,
                PipelineSchedule::OneForwardOneBackward => (stages - s).min(microbatches),
            };
            loop {
                let (f, b): (usize, usize) = (done[s].0.len(), done[s].1.len());
                if b == microbatches {
                    break;
                }
                let goes_forward = f < microbatches && f - b < ahead;
                let input = if goes_forward {
                    if s == 0 {
                        Some(0.0)
                    } else {
                        done[s - 1].0.get(f).copied()
                    }
                } else if s + 1 == stages {
                    done[s].0.get(b).copied()
                } else {
                    done[s + 1].1.get(b).copied()
                };
                let Some(input_s) = input else { break };
                let from: f64 = free[s].max(input_s);
                let until = from + if goes_forward { forward } else { backward };
                free[s] = until;
                if goes_forward {
                    done[s].0.push(until);
                } else {
                    done[s].1.push(until);
                }
                match busy[s].last_mut() {
                    Some(last) if from - last.1 < 1e-9 => last.1 = until,
                    _ => busy[s].push((from, until)),
                }
                left -= 1;
            }
        }
        if left == before {
            break; // cannot happen: some pass can always begin
        }
    }
    let all = free.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    for (from, until) in busy.iter_mut().flatten() {
        (*from, *until) = (*from / all, *until / all);
    }
    busy
}

#[cfg(test)]
#[path = "iteration_tests.rs"]
mod tests;
