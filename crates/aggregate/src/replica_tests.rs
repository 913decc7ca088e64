//! A replica's queue against the closed forms of queueing theory.

use super::*;
use crate::TokenSpec;
use proptest::prelude::*;

fn service(batch_max: usize, queue_max: usize, output: TokenSpec) -> Arc<Service> {
    Arc::new(Service {
        batch_max,
        queue_max,
        prompt: Tokens::new(TokenSpec {
            mean: 100.0,
            cv: 0.0,
        }),
        output: Tokens::new(output),
        prefill_s_per_token: 0.001,
        step_s: (0..=batch_max).map(|n| 0.01 + 0.001 * n as f64).collect(),
        decode_share: (0..=batch_max)
            .map(|n| if n == 0 { 0.0 } else { 1.0 })
            .collect(),
    })
}

/// Poisson requests over `span_s`, advanced in steps of `dt_s`.
fn run(service: &Arc<Service>, rate: f64, span_s: f64, dt_s: f64) -> (Replica, f64) {
    let mut replica = Replica::new(service.clone(), 0.0, Stream::new(1, "tokens", 0, 0));
    let mut gaps = Stream::new(1, "gaps", 0, 0);
    let mut next_s = 0.0;
    let mut busy = 0.0;
    for k in 1..=(span_s / dt_s) as u64 {
        let to_s = k as f64 * dt_s;
        while next_s <= to_s {
            replica.send(Request::at(next_s));
            next_s -= gaps.uniform().ln() / rate;
        }
        replica.advance(to_s);
        let activity = replica.activity(dt_s);
        busy += f64::from(activity.decode + activity.prefill) * dt_s;
    }
    (replica, busy)
}

const FIXED: TokenSpec = TokenSpec {
    mean: 82.0,
    cv: 0.0,
};

#[test]
fn one_at_a_time_is_an_m_d_1_queue() {
    // Service 0.1 s prefill + 82 · 0.011 s = 1.002 s.
    let service_s = 1.002;
    for rho in [0.3, 0.7] {
        let rate = rho / service_s;
        let (replica, busy_s) = run(&service(1, 100_000, FIXED), rate, 200_000.0, 5.0);
        let c = replica.count();
        assert!(
            (c.busy_s / 200_000.0 - rho).abs() < 0.01,
            "{rho} {}",
            c.busy_s
        );
        assert!((busy_s / c.busy_s - 1.0).abs() < 1e-4);
        // Pollaczek–Khinchine with a fixed service time: W = ρ S / (2 (1 − ρ)).
        let expected_s = service_s + rho * service_s / (2.0 * (1.0 - rho));
        let sojourn_s = c.sojourn_s / c.done as f64;
        assert!(
            (sojourn_s / expected_s - 1.0).abs() < 0.03,
            "{rho} {sojourn_s} {expected_s}"
        );
    }
}

#[test]
fn littles_law_holds_in_a_batch() {
    let spread = TokenSpec {
        mean: 80.0,
        cv: 1.0,
    };
    let (replica, _) = run(&service(32, 1000, spread), 3.0, 50_000.0, 1.0);
    let c = replica.count();
    let present = c.present_s / 50_000.0;
    let (rate, sojourn_s) = (c.done as f64 / 50_000.0, c.sojourn_s / c.done as f64);
    assert!(
        (present / (rate * sojourn_s) - 1.0).abs() < 0.005,
        "{present} {rate} {sojourn_s}"
    );
    // Batching serves more than one at a time could: 3/s against 1/s.
    assert!((rate - 3.0).abs() < 0.05, "{rate}");
}

#[test]
fn no_request_is_lost_beyond_capacity() {
    let (replica, _) = run(&service(2, 50, FIXED), 10.0, 1000.0, 0.5);
    let c = replica.count();
    assert_eq!(c.arrived, c.done + c.turned_away + c.waiting + c.running);
    assert_eq!(c.waiting, 50);
    assert!(c.turned_away > 1000 && c.done > 500, "{c:?}");
    // Two at a time: each pair's turn is 2 · 0.1 s of prefill and 82 steps of 0.012 s, shared by two.
    let per_request_s = 0.1 + 82.0 * 0.012 / 2.0;
    assert!(
        (c.done as f64 * per_request_s / 1000.0 - 1.0).abs() < 0.02,
        "{c:?}"
    );
}

#[test]
fn the_course_does_not_depend_on_where_it_is_looked_at() {
    let spread = TokenSpec {
        mean: 80.0,
        cv: 1.0,
    };
    let (coarse, _) = run(&service(8, 1000, spread), 2.0, 5000.0, 5.0);
    let (fine, _) = run(&service(8, 1000, spread), 2.0, 5000.0, 0.125);
    let (a, b) = (coarse.count(), fine.count());
    assert_eq!(
        (a.arrived, a.done, a.waiting, a.running),
        (b.arrived, b.done, b.waiting, b.running)
    );
    assert!((a.sojourn_s / b.sojourn_s - 1.0).abs() < 1e-9);
}

#[test]
fn decoding_pauses_for_prefill() {
    let service = service(4, 10, FIXED);
    let mut replica = Replica::new(service, 0.0, Stream::new(1, "tokens", 0, 0));
    replica.send(Request::at(0.0));
    replica.send(Request::at(0.5));
    replica.advance(0.1);
    assert_eq!(
        replica.activity(0.1),
        Activity {
            decode: 0.0,
            prefill: 1.0
        }
    );
    replica.advance(0.5);
    assert_eq!(
        replica.activity(0.4),
        Activity {
            decode: 1.0,
            prefill: 0.0
        }
    );
    replica.advance(0.6);
    assert_eq!(
        replica.activity(0.1),
        Activity {
            decode: 0.0,
            prefill: 1.0
        }
    );
    replica.advance(10.0);
    // The first: 0.1 s, 0.4 s of steps alone, 0.1 s of waiting, then the rest in steps of two.
    let alone = 0.4 / 0.011;
    let first_s = 0.6 + (82.0 - alone) * 0.012;
    let second_s = first_s + alone * 0.011;
    let c = replica.count();
    assert_eq!(c.done, 2);
    assert!(
        (c.sojourn_s - (first_s + second_s - 0.5)).abs() < 1e-9,
        "{}",
        c.sojourn_s
    );
}

#[test]
fn one_at_a_time_with_spread_answers_is_an_m_g_1_queue() {
    // S = 0.1 s of prefill + 0.011 s · N, N log-normal with mean 82 and cv 1 (a draw below one token is rare: 1e-7).
    let (mean, cv): (f64, f64) = (82.0, 1.0);
    let service_s = 0.1 + 0.011 * mean;
    let second = service_s.powi(2) + (0.011 * mean * cv).powi(2);
    for rho in [0.3, 0.6] {
        let rate = rho / service_s;
        let output = TokenSpec { mean, cv };
        let (replica, _) = run(&service(1, 1_000_000, output), rate, 600_000.0, 10.0);
        let c = replica.count();
        // Pollaczek-Khinchine: W = S + rate · E[S²] / (2 (1 − ρ)). Over 600 000 s some 2e5 to 4e5 requests; the mean wait of a queue with
        // heavy service at ρ = 0.6 is known to about 1.5 % from that many, so 5 % is more than three standard errors.
        let expected_s = service_s + rate * second / (2.0 * (1.0 - rho));
        let sojourn_s = c.sojourn_s / c.done as f64;
        assert!(
            (sojourn_s / expected_s - 1.0).abs() < 0.05,
            "{rho} {sojourn_s} {expected_s}"
        );
    }
}

#[test]
fn tokens_of_a_request_stand_before_those_of_the_job() {
    let mut replica = Replica::new(service(1, 10, FIXED), 0.0, Stream::new(1, "tokens", 0, 0));
    let request = |prompt, output| Request {
        at_s: 0.0,
        prompt_tokens: prompt,
        output_tokens: output,
    };
    // 0.2 s + 10 · 0.011 s, then the job's 0.1 s + 5 · 0.011 s, then one token of each: 0.001 s + 0.011 s.
    replica.send(request(Some(200.0), Some(10.0)));
    replica.send(request(None, Some(5.0)));
    replica.send(request(Some(0.0), Some(0.0)));
    replica.advance(100.0);
    let c = replica.count();
    assert_eq!(c.done, 3);
    let ends_s = [0.31, 0.465, 0.477];
    let expected_s: f64 = ends_s.iter().sum();
    assert!((c.sojourn_s - expected_s).abs() < 1e-9, "{}", c.sojourn_s);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn nothing_is_lost_and_littles_law_holds_whatever_the_service(
        batch_max in 1_usize..24,
        queue_max in 1_usize..40,
        rate in 0.05_f64..6.0,
        mean in 1.0_f64..120.0,
        cv in 0.0_f64..1.5,
        dt_s in 0.05_f64..3.0,
    ) {
        let span_s = 2000.0;
        let (replica, _) = run(&service(batch_max, queue_max, TokenSpec { mean, cv }), rate, span_s, dt_s);
        let c = replica.count();
        prop_assert_eq!(c.arrived, c.done + c.turned_away + c.waiting + c.running);
        prop_assert!(c.waiting <= queue_max as u64 && c.running <= batch_max as u64);
        prop_assert!(c.busy_s <= span_s * (1.0 + 1e-9));
        // Little over a finite time: what is present, summed over time, is the time of those done and the part, so far, of those
        // still there, each at most the whole span.
        let open_s = (c.waiting + c.running) as f64 * span_s;
        prop_assert!(c.present_s >= c.sojourn_s * (1.0 - 1e-9) - 1e-6, "{:?}", c);
        prop_assert!(c.present_s <= c.sojourn_s + open_s + 1e-6, "{:?}", c);
        if c.waiting + c.running == 0 {
            prop_assert!((c.present_s - c.sojourn_s).abs() <= 1e-6 * c.sojourn_s.max(1.0));
        }
    }
}
