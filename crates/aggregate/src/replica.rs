//! One replica of a model: requests wait, are prefilled one by one, and decode together.
//!
//! Continuous batching as serving engines do it: while the batch has room, the oldest waiting request is prefilled, and decoding
//! pauses for it; then it joins the batch. Each decode step gives every running sequence one token and takes
//! `step(n) = decode_step_s + n · decode_step_per_sequence_s` with n of them. Between two events n does not change, so the replica
//! jumps from event to event: a sequence ends when the count of tokens given since it joined reaches its own.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use ballast_series::rng::Stream;

use crate::Request;
use crate::traffic::Tokens;

/// What all replicas of a job have in common.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) batch_max: usize,
    pub(crate) queue_max: usize,
    pub(crate) prompt: Tokens,
    pub(crate) output: Tokens,
    pub(crate) prefill_s_per_token: f64,
    /// Duration of a decode step by running sequences, 0 to `batch_max`, seconds.
    pub(crate) step_s: Vec<f64>,
    /// Decode power by running sequences, as a share of the way from idle to full.
    pub(crate) decode_share: Vec<f64>,
}

impl Service {
    /// Time a request takes of a replica with a full batch, seconds, with these numbers of tokens.
    pub(crate) fn request_s(&self, (prompt, output): (f64, f64)) -> f64 {
        let step_s = self.step_s.last().copied().unwrap_or(0.0);
        prompt * self.prefill_s_per_token + output * step_s / self.batch_max as f64
    }
}

/// A sequence in the batch: the count of tokens at which it ends, and when its request came.
#[derive(Debug, Clone, Copy)]
struct Running {
    ends_at_token: f64,
    arrived_s: f64,
}

impl PartialEq for Running {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Running {}

impl PartialOrd for Running {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Running {
    /// The first to end is the greatest, so that it is on top of a heap.
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .ends_at_token
            .total_cmp(&self.ends_at_token)
            .then(other.arrived_s.total_cmp(&self.arrived_s))
    }
}

#[derive(Debug, Clone, Copy)]
struct Prefill {
    end_s: f64,
    request: Request,
}

/// Mean of what a replica did between two samples.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Activity {
    /// Time share of decoding, weighted with its share of power.
    pub(crate) decode: f32,
    /// Time share of prefill.
    pub(crate) prefill: f32,
}

/// What came of a replica's requests, and sums over time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) arrived: u64,
    pub(crate) done: u64,
    pub(crate) turned_away: u64,
    /// Held when the replica lost its power or its network.
    pub(crate) lost: u64,
    pub(crate) waiting: u64,
    /// In prefill or in the batch.
    pub(crate) running: u64,
    /// Time with at least one request in prefill or batch, seconds.
    pub(crate) busy_s: f64,
    /// Requests present, integrated over time, seconds.
    pub(crate) present_s: f64,
    /// Time from arrival to end, summed over those done, seconds.
    pub(crate) sojourn_s: f64,
}

impl Count {
    pub(crate) fn add(&mut self, other: Self) {
        self.arrived += other.arrived;
        self.done += other.done;
        self.turned_away += other.turned_away;
        self.lost += other.lost;
        self.waiting += other.waiting;
        self.running += other.running;
        self.busy_s += other.busy_s;
        self.present_s += other.present_s;
        self.sojourn_s += other.sojourn_s;
    }
}

/// A replica at a moment. Grows to its batch and its queue at most.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    service: Arc<Service>,
    tokens: Stream,
    now_s: f64,
    /// Requests routed here that have not come yet, by time.
    inbox: VecDeque<Request>,
    waiting: VecDeque<Request>,
    prefill: Option<Prefill>,
    batch: BinaryHeap<Running>,
    /// Tokens given to each sequence that is there all along.
    token: f64,
    decode_s: f64,
    prefill_s: f64,
    count: Count,
    /// Times at which it loses all it holds, the last one first, seconds.
    losses_s: Vec<f64>,
}

impl Replica {
    /// Empty at `start_s`; `tokens` is its own stream.
    pub(crate) fn new(service: Arc<Service>, start_s: f64, tokens: Stream) -> Self {
        Self {
            batch: BinaryHeap::with_capacity(service.batch_max),
            service,
            tokens,
            now_s: start_s,
            inbox: VecDeque::new(),
            waiting: VecDeque::new(),
            prefill: None,
            token: 0.0,
            decode_s: 0.0,
            prefill_s: 0.0,
            count: Count::default(),
            losses_s: Vec::new(),
        }
    }

    /// The same, losing all it holds at these times, in order. Requests that come then or later are its own again.
    pub(crate) fn losing_all_at(mut self, mut losses_s: Vec<f64>) -> Self {
        losses_s.retain(|s| s.is_finite());
        losses_s.reverse();
        self.losses_s = losses_s;
        self
    }

    /// Sends it a request, which does not come before those sent earlier.
    pub(crate) fn send(&mut self, request: Request) {
        self.inbox.push_back(request);
    }

    /// Requests it holds.
    pub(crate) fn load(&self) -> u32 {
        (self.waiting.len() + self.batch.len() + usize::from(self.prefill.is_some())) as u32
    }

    /// What came of its requests so far.
    pub(crate) fn count(&self) -> Count {
        Count {
            waiting: self.waiting.len() as u64,
            running: (self.batch.len() + usize::from(self.prefill.is_some())) as u64,
            ..self.count
        }
    }

    /// Goes on to `to_s` with everything that happens up to and at it.
    pub(crate) fn advance(&mut self, to_s: f64) {
        loop {
            self.start_prefill();
            let arrival_s = self.inbox.front().map_or(f64::INFINITY, |r| r.at_s);
            let own_s = self.own_event_s();
            let loss_s = self.losses_s.last().copied().unwrap_or(f64::INFINITY);
            let next_s = arrival_s.min(own_s).min(loss_s);
            if next_s > to_s {
                self.pass(to_s);
                return;
            }
            self.pass(next_s);
            if loss_s <= next_s {
                self.lose();
            } else if own_s <= arrival_s {
                self.finish();
            } else {
                self.take();
            }
        }
    }

    /// Mean activity since the last call, over `span_s` seconds up to now.
    pub(crate) fn activity(&mut self, span_s: f64) -> Activity {
        let share = |sum_s: &mut f64| (std::mem::take(sum_s) / span_s).clamp(0.0, 1.0) as f32;
        Activity {
            decode: share(&mut self.decode_s),
            prefill: share(&mut self.prefill_s),
        }
    }

    fn start_prefill(&mut self) {
        if self.prefill.is_some() || self.batch.len() >= self.service.batch_max {
            return;
        }
        if let Some(request) = self.waiting.pop_front() {
            let prompt = self
                .service
                .prompt
                .known_or_drawn(request.prompt_tokens, &mut self.tokens);
            let end_s = self.now_s + prompt * self.service.prefill_s_per_token;
            self.prefill = Some(Prefill { end_s, request });
        }
    }

    /// End of the prefill, else of the sequence that ends first.
    fn own_event_s(&self) -> f64 {
        match (self.prefill, self.batch.peek()) {
            (Some(prefill), _) => prefill.end_s,
            (None, Some(first)) => {
                let left = (first.ends_at_token - self.token).max(0.0);
                self.now_s + left * self.service.step_s[self.batch.len()]
            }
            (None, None) => f64::INFINITY,
        }
    }

    /// Lets time pass without an event.
    fn pass(&mut self, to_s: f64) {
        let span_s = to_s - self.now_s;
        if span_s <= 0.0 {
            return;
        }
        let n = self.batch.len();
        if self.prefill.is_some() {
            self.prefill_s += span_s;
        } else if n > 0 {
            self.decode_s += self.service.decode_share[n] * span_s;
            self.token += span_s / self.service.step_s[n];
        }
        let present = self.load();
        if present > 0 {
            self.count.busy_s += span_s;
            self.count.present_s += f64::from(present) * span_s;
        }
        self.now_s = to_s;
    }

    /// Ends the prefill, or the sequence that is due.
    fn finish(&mut self) {
        if let Some(prefill) = self.prefill.take() {
            let request = prefill.request;
            let output = self
                .service
                .output
                .known_or_drawn(request.output_tokens, &mut self.tokens);
            self.batch.push(Running {
                ends_at_token: self.token + output,
                arrived_s: request.at_s,
            });
        } else if let Some(first) = self.batch.pop() {
            // Set rather than added up: rounding must not leave it short of the end.
            self.token = first.ends_at_token;
            self.count.done += 1;
            self.count.sojourn_s += self.now_s - first.arrived_s;
            if self.batch.is_empty() {
                self.token = 0.0;
            }
        }
    }

    /// Loses all it holds.
    fn lose(&mut self) {
        self.losses_s.pop();
        self.count.lost += u64::from(self.load());
        self.waiting.clear();
        self.prefill = None;
        self.batch.clear();
        self.token = 0.0;
    }

    /// Takes in the request that came.
    fn take(&mut self) {
        if let Some(request) = self.inbox.pop_front() {
            self.count.arrived += 1;
            if self.waiting.len() < self.service.queue_max {
                self.waiting.push_back(request);
            } else {
                self.count.turned_away += 1;
            }
        }
    }
}

#[cfg(test)]
#[path = "replica_tests.rs"]
mod tests;
