//! All replicas of a service: requests from arrival over router to replica, and what each replica does at every sample.
//!
//! Requests are drawn and routed in order, by one thread; then the replicas, which know nothing of each other, run side by side.
//! A router that looks at loads sees them as reported on a fixed grid of time, so nothing depends on blocks or threads.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use ballast_series::rng::Stream;
use rayon::prelude::*;

use crate::job_outage::ReplicaOut;
use crate::keys::entity;
use crate::replay::Replay;
use crate::replica::{Activity, Count, Replica, Service};
use crate::request_log::LogUse;
use crate::traffic::{Arrivals, Diurnal, Drawn, Tokens, highest_rate_per_s, mean_rate_per_s};
use crate::{ArrivalSpec, InferenceJob, RequestLog, RouterSpec, TokenSpec};
use crate::{
    DEFAULT_DECODE_FIRST_SHARE, DEFAULT_DECODE_FULL_SEQUENCES, DEFAULT_DECODE_STEP_PER_SEQUENCE_S,
    DEFAULT_DECODE_STEP_S, DEFAULT_PREFILL_TOKENS_PER_S,
};

/// Replicas report their load to the router this often, seconds.
const REPORT_S: f64 = 0.25;

/// Replicas run for this long at most between two looks at the arrivals, seconds: bounds the requests on their way.
const LONGEST_WINDOW_S: f64 = 10.0;

/// A service, resolved.
#[derive(Debug, Clone)]
pub(crate) struct InferencePlan {
    pub(crate) start_s: f64,
    pub(crate) gpus_per_replica: u32,
    pub(crate) replicas: usize,
    arrivals: ArrivalSpec,
    /// Requests of a file, once they have been read.
    log: Option<(Arc<RequestLog>, LogUse)>,
    diurnal: Diurnal,
    router: RouterSpec,
    service: Arc<Service>,
    /// Tokens as the job states them.
    tokens: [TokenSpec; 2],
    /// Requests per second that all replicas can serve together, of the mean number of tokens.
    capacity_per_s: f64,
    /// When each replica is out, in order of time; empty if none ever is.
    outs: Vec<Vec<ReplicaOut>>,
}

impl InferencePlan {
    /// `gpus` are the job's.
    pub(crate) fn new(job: &InferenceJob, gpus: u64) -> Self {
        let or = |stated: Option<f64>, default: f64| stated.unwrap_or(default);
        let step_s = or(job.decode_step_s, DEFAULT_DECODE_STEP_S);
        let each_s = or(
            job.decode_step_per_sequence_s,
            DEFAULT_DECODE_STEP_PER_SEQUENCE_S,
        );
        let first = or(job.decode_first_share, DEFAULT_DECODE_FIRST_SHARE);
        let full = job
            .decode_full_sequences
            .unwrap_or(DEFAULT_DECODE_FULL_SEQUENCES);
        let share = |n: u32| match n {
            0 => 0.0,
            n if n >= full => 1.0,
            n => first + (1.0 - first) * f64::from(n - 1) / f64::from(full - 1),
        };
        let prefill_s_per_token = 1.0 / or(job.prefill_tokens_per_s, DEFAULT_PREFILL_TOKENS_PER_S);
        let service = Service {
            batch_max: job.batch_max as usize,
            queue_max: job.queue_max as usize,
            prompt: Tokens::new(job.prompt_tokens),
            output: Tokens::new(job.output_tokens),
            prefill_s_per_token,
            step_s: (0..=job.batch_max)
                .map(|n| step_s + f64::from(n) * each_s)
                .collect(),
            decode_share: (0..=job.batch_max).map(share).collect(),
        };
        let replicas = (gpus / u64::from(job.gpus_per_replica.max(1))) as usize;
        let means = (job.prompt_tokens.mean, job.output_tokens.mean);
        Self {
            start_s: job.start_s,
            gpus_per_replica: job.gpus_per_replica,
            replicas,
            arrivals: job.arrivals.clone(),
            log: None,
            diurnal: Diurnal::new(&job.diurnal, job.hour_at_start),
            router: job.router,
            capacity_per_s: replicas as f64 / service.request_s(means),
            service: Arc::new(service),
            tokens: [job.prompt_tokens, job.output_tokens],
            outs: Vec::new(),
        }
    }

    /// Takes the requests of the file that the job names; nothing if it names none.
    pub(crate) fn give(&mut self, log: &Arc<RequestLog>) {
        if let Some(how) = LogUse::new(&self.arrivals) {
            let means = log.mean_tokens(self.tokens[0].mean, self.tokens[1].mean);
            self.capacity_per_s = self.replicas as f64 / self.service.request_s(means);
            self.log = Some((log.clone(), how));
        }
    }

    /// Mean and highest rate as stated, 1/s.
    fn rates_per_s(&self) -> (f64, f64) {
        match &self.log {
            Some((log, how)) => (how.mean_rate_per_s(log), how.highest_rate_per_s(log)),
            None => (
                mean_rate_per_s(&self.arrivals) * self.diurnal.mean(),
                highest_rate_per_s(&self.arrivals) * self.diurnal.most(),
            ),
        }
    }

    /// The same with the stretches in which its replicas are out, as `outs` finds them for GPUs per replica and replicas.
    pub(crate) fn with_outages(
        self,
        outs: impl FnOnce(u32, usize) -> Vec<Vec<ReplicaOut>>,
    ) -> Self {
        Self {
            outs: outs(self.gpus_per_replica, self.replicas),
            ..self
        }
    }

    /// Whether a replica takes new requests at `t_s`.
    fn open(&self, replica: usize, t_s: f64) -> bool {
        let outs = self.outs.get(replica).map_or(&[][..], Vec::as_slice);
        outs.iter().all(|o| t_s < o.from_s || o.until_s <= t_s)
    }

    /// The first replica from `from` on, around, that takes new requests at `t_s`.
    fn first_open(&self, from: usize, t_s: f64) -> Option<usize> {
        let all = (from..self.replicas).chain(0..from);
        all.into_iter().find(|r| self.open(*r, t_s))
    }
}

/// What came of a service's requests so far in a realisation, and how they stand to what it can serve.
#[derive(Debug, Clone, PartialEq)]
pub struct TrafficReport {
    /// Job.
    pub job: String,
    /// Requests that came.
    pub arrived: u64,
    /// Requests served.
    pub done: u64,
    /// Requests turned away because the queue of their replica was full, or no replica was there.
    pub turned_away: u64,
    /// Requests lost with a replica that lost its power or its network.
    pub lost: u64,
    /// Requests waiting now.
    pub waiting: u64,
    /// Requests in prefill or in a batch now.
    pub running: u64,
    /// Whether the requests are those of a file.
    pub from_file: bool,
    /// Mean rate as stated, over the day, or over the whole of a file, 1/s.
    pub mean_rate_per_s: f64,
    /// Highest rate as stated, at the day's largest factor, or over a minute of a file's requests, 1/s.
    pub highest_rate_per_s: f64,
    /// Requests per second that all replicas can serve together with full batches of the mean number of tokens.
    pub capacity_per_s: f64,
    /// Share of time in which a replica has work, mean over replicas.
    pub busy_share: f64,
    /// Requests present at a replica, mean over time and replicas.
    pub present_mean: f64,
    /// Time from arrival to end of those served, mean, seconds; 0 if none was.
    pub sojourn_mean_s: f64,
    /// Time followed so far, seconds; from the start of the service.
    pub span_s: f64,
}

impl TrafficReport {
    /// Whether traffic is beyond capacity: by the stated mean rate (of a file, the rate of what came), or because requests were turned
    /// away.
    pub fn over_capacity(&self) -> bool {
        let rate_per_s = if !self.from_file {
            self.mean_rate_per_s
        } else if self.span_s > 0.0 {
            self.arrived as f64 / self.span_s
        } else {
            0.0
        };
        rate_per_s > self.capacity_per_s || self.turned_away > 0
    }

    /// The report in words.
    pub fn text(&self) -> String {
        let served = if self.done > 0 {
            format!("; a request took {:.2} s in the mean", self.sojourn_mean_s)
        } else {
            String::new()
        };
        let capacity = if self.over_capacity() && self.span_s > 0.0 {
            let grows = (self.waiting + self.turned_away) as f64 / self.span_s;
            format!(
                ". Traffic is beyond capacity: waiting and turned away grew by {grows:.3} requests per second. Add replicas, lower the rate, or shorten the answers"
            )
        } else if self.highest_rate_per_s > self.capacity_per_s {
            ". The highest rate is beyond capacity: queues grow while it lasts".to_owned()
        } else {
            String::new()
        };
        let lost = if self.lost > 0 {
            format!(", {} lost with their replicas", self.lost)
        } else {
            String::new()
        };
        let (stated, most) = if self.from_file {
            (
                "rate of the file",
                "in its fullest stretch of a minute or less",
            )
        } else {
            ("stated rate", "at most")
        };
        format!(
            "job `{}`: {} requests came in {:.0} s, {} served, {} waiting, {} running, {} turned away{lost}; {stated} {:.3}/s in the mean and {:.3}/s {most}, \
             estimated capacity {:.3}/s; a replica is busy {:.1} % of the time with {:.2} requests in the mean{served}{capacity}",
            self.job,
            self.arrived,
            self.span_s,
            self.done,
            self.waiting,
            self.running,
            self.turned_away,
            self.mean_rate_per_s,
            self.highest_rate_per_s,
            self.capacity_per_s,
            100.0 * self.busy_share,
            self.present_mean
        )
    }
}

/// The replicas of a service over time.
#[derive(Debug, Clone)]
pub(crate) struct Fleet {
    job: String,
    plan: Arc<InferencePlan>,
    dt_s: f64,
    arrivals: Arrivals,
    routing: Stream,
    /// Next replica in turn, and where ties begin.
    turn: usize,
    /// Loads as the router knows them, with a tie-break and the replica; kept for its allocation.
    loads: BinaryHeap<Reverse<(u32, u32, u32)>>,
    /// Windows begun so far.
    windows: u64,
    /// Requests that found no replica.
    unserved: u64,
    replicas: Vec<Replica>,
    /// `[replica][step]`, of the block filled last.
    pub(crate) activity: Vec<Activity>,
}

impl Fleet {
    /// At the start of the service. `open` opens a stream of the realisation.
    pub(crate) fn new(
        job: &str,
        plan: &Arc<InferencePlan>,
        dt_s: f64,
        open: impl Fn(&str, u64) -> Stream,
    ) -> Self {
        let key = entity(&[job], 0);
        let replica = |i: usize| {
            let tokens = open("request-tokens", entity(&[job], i as u64));
            let outs = plan.outs.get(i).map_or(&[][..], Vec::as_slice);
            let losses_s = outs.iter().map(|o| o.lost_s).collect();
            Replica::new(plan.service.clone(), plan.start_s, tokens).losing_all_at(losses_s)
        };
        let arrivals = match &plan.log {
            Some((log, how)) => Arrivals::Replay(Replay::new(
                log.clone(),
                *how,
                plan.start_s,
                open("request-replay", key),
            )),
            None => Arrivals::Drawn(Drawn::new(
                &plan.arrivals,
                plan.diurnal.clone(),
                plan.start_s,
                open("request-gaps", key),
                open("request-rate", key),
            )),
        };
        Self {
            job: job.to_owned(),
            plan: plan.clone(),
            dt_s,
            arrivals,
            routing: open("request-routing", key),
            turn: 0,
            loads: BinaryHeap::with_capacity(plan.replicas),
            windows: 0,
            unserved: 0,
            replicas: (0..plan.replicas).map(replica).collect(),
            activity: Vec::new(),
        }
    }

    fn window_s(&self) -> f64 {
        match self.plan.router {
            RouterSpec::LeastLoaded => REPORT_S,
            RouterSpec::RoundRobin | RouterSpec::Random => LONGEST_WINDOW_S,
        }
    }

    /// Activity at samples `first..first + steps`, each the mean over the step before it. `starts`: the run begins with them.
    pub(crate) fn fill(&mut self, first: u64, steps: usize, starts: bool) {
        self.activity.clear();
        self.activity
            .resize(self.replicas.len() * steps, Activity::default());
        if starts {
            // What lies before the step that ends at the first sample shows in no sample.
            self.run_to((first as f64 - 1.0) * self.dt_s);
            for replica in &mut self.replicas {
                replica.activity(self.dt_s);
            }
        }
        let sample_s = |k: usize, dt_s: f64| (first + k as u64) as f64 * dt_s;
        let mut done = 0;
        while done < steps {
            // Samples up to the next window; a sample on its edge belongs before it.
            let edge_s = self.edge_s();
            let mut until = done;
            while until < steps && sample_s(until, self.dt_s) <= edge_s {
                until += 1;
            }
            let dt_s = self.dt_s;
            self.replicas
                .par_iter_mut()
                .zip(self.activity.par_chunks_mut(steps))
                .for_each(|(replica, out)| {
                    for (k, out) in out.iter_mut().enumerate().take(until).skip(done) {
                        let t_s = sample_s(k, dt_s);
                        replica.advance(t_s);
                        *out = replica.activity(dt_s);
                    }
                    if until < steps {
                        replica.advance(edge_s);
                    }
                });
            if until < steps {
                self.begin_window();
            }
            done = until;
        }
    }

    /// Runs to `to_s` without samples.
    fn run_to(&mut self, to_s: f64) {
        while self.edge_s() < to_s {
            let edge_s = self.edge_s();
            self.replicas.par_iter_mut().for_each(|r| r.advance(edge_s));
            self.begin_window();
        }
        self.replicas.par_iter_mut().for_each(|r| r.advance(to_s));
    }

    /// End of the window whose requests are routed; the start of the service before the first.
    fn edge_s(&self) -> f64 {
        self.plan.start_s + self.windows as f64 * self.window_s()
    }

    /// Routes the requests of the next window; all replicas stand at its beginning.
    fn begin_window(&mut self) {
        let begin_s = self.edge_s();
        self.windows += 1;
        let end_s = self.edge_s();
        let n = self.replicas.len();
        if n == 0 {
            return;
        }
        if self.plan.router == RouterSpec::LeastLoaded {
            self.loads.clear();
            // Of equal loads the one that has been waiting longest for its turn comes first.
            let (turn, plan) = (self.turn, &self.plan);
            self.loads.extend(
                self.replicas
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| plan.open(*i, begin_s))
                    .map(|(i, r)| Reverse((r.load(), ((i + n - turn) % n) as u32, i as u32))),
            );
        }
        while self.arrivals.next().at_s <= end_s {
            let to = match self.plan.router {
                RouterSpec::RoundRobin => self.turn,
                RouterSpec::Random => ((self.routing.uniform() * n as f64) as usize).min(n - 1),
                RouterSpec::LeastLoaded => self.least_loaded(),
            };
            let request = self.arrivals.next();
            self.arrivals.advance();
            // What a replica that is out would get goes to the next one that is there.
            let Some(to) = self.plan.first_open(to, request.at_s) else {
                self.unserved += 1;
                continue;
            };
            self.turn = (to + 1) % n;
            self.replicas[to].send(request);
        }
    }

    /// Takes the replica with the fewest requests, and counts the one that goes there.
    fn least_loaded(&mut self) -> usize {
        let Some(mut top) = self.loads.peek_mut() else {
            return 0;
        };
        let Reverse((load, tie, replica)) = *top;
        *top = Reverse((load + 1, tie, replica));
        replica as usize
    }

    /// Requests so far.
    pub(crate) fn report(&self, now_s: f64) -> TrafficReport {
        let mut sum = Count::default();
        for replica in &self.replicas {
            sum.add(replica.count());
        }
        let plan = &self.plan;
        let (mean_rate_per_s, highest_rate_per_s) = plan.rates_per_s();
        let span_s = (now_s - plan.start_s).max(0.0);
        let replica_s = span_s * self.replicas.len() as f64;
        let over = |x: f64| if replica_s > 0.0 { x / replica_s } else { 0.0 };
        TrafficReport {
            job: self.job.clone(),
            arrived: sum.arrived + self.unserved,
            done: sum.done,
            turned_away: sum.turned_away + self.unserved,
            lost: sum.lost,
            waiting: sum.waiting,
            running: sum.running,
            from_file: plan.log.is_some(),
            mean_rate_per_s,
            highest_rate_per_s,
            capacity_per_s: plan.capacity_per_s,
            busy_share: over(sum.busy_s),
            present_mean: over(sum.present_s),
            sojourn_mean_s: if sum.done > 0 {
                sum.sojourn_s / sum.done as f64
            } else {
                0.0
            },
            span_s,
        }
    }
}
