//! Events of the site: what loses its power draws none, what is not struck does not notice, and energy is kept.

use ballast_aggregate::{
    CoolingSpec, CoolingTrip, DemandBlock, Engine, EngineKind, Facility, FacilitySpec,
    InferenceJob, JobSpec, LossSpec, Maintenance, OtherItSpec, RackLoss, RouterSpec, SiteEventSpec,
    SwitchLoss, TrafficReport, TrainingJob, Transfer, TransferDirection, Transfers,
};

use crate::common::{Build, batch, phase, psu, racks, training};
use crate::inference::{service, site};

const DT_S: f64 = 0.1;

#[expect(
    clippy::unwrap_used,
    reason = "a test that runs a site has a valid one"
)]
fn run_on(build: &Build, steps: usize, kind: EngineKind) -> (DemandBlock, Vec<TrafficReport>) {
    let site = build.site().unwrap();
    let mut engine = Engine::new(&site, DT_S, 5, 1, kind);
    let mut block = DemandBlock::new(site.rack_count(), steps);
    engine.fill(&mut block);
    (block, engine.traffic_report())
}

fn run(build: &Build, steps: usize) -> DemandBlock {
    run_on(build, steps, EngineKind::Group).0
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|n| (*n).to_owned()).collect()
}

fn loss(at_s: f64, racks: &[&str], restore_after_s: Option<f64>) -> SiteEventSpec {
    SiteEventSpec::RackLoss(RackLoss {
        at_s,
        racks: names(racks),
        restore_after_s,
        boot_s: Some(5.0),
    })
}

fn switch(at_s: f64, racks: &[&str], restore_after_s: Option<f64>) -> SiteEventSpec {
    SiteEventSpec::SwitchLoss(SwitchLoss {
        at_s,
        racks: names(racks),
        restore_after_s,
        timeout_s: Some(6.0),
    })
}

fn transfer(at_s: f64, racks: &[&str]) -> Transfer {
    Transfer {
        at_s,
        racks: names(racks),
        direction: TransferDirection::ThereAndBack,
        battery_s: Some(10.0),
        walk_in_s: Some(5.0),
        recharge_share: Some(0.05),
        recharge_efficiency: Some(0.8),
    }
}

fn rack(block: &DemandBlock, rack: usize) -> &[f64] {
    let n = block.len();
    &block.rack_w[rack * n..(rack + 1) * n]
}

/// Four racks of 2 nodes of 4 GPUs; a lag of the supplies, so that power must not linger.
fn four(jobs: Vec<JobSpec>, sigma_w: f64, events: Vec<SiteEventSpec>) -> Build {
    let mut build = Build::new(vec![racks("r", 4, 2)], jobs, 4, sigma_w);
    build.psus.insert("psu".into(), psu(0.5));
    build.events = events;
    build
}

#[test]
fn a_lost_rack_draws_nothing_and_the_others_do_not_notice() {
    let jobs = vec![JobSpec::Batch(batch("b"))];
    for kind in [EngineKind::Group, EngineKind::PerGpu] {
        let (calm, _) = run_on(&four(jobs.clone(), 20.0, vec![]), 600, kind);
        let event = loss(10.0, &["r-002"], Some(20.0));
        let (struck, _) = run_on(&four(jobs.clone(), 20.0, vec![event]), 600, kind);
        for r in [0, 2, 3] {
            assert_eq!(rack(&calm, r), rack(&struck, r), "{kind:?} {r}");
        }
        let (calm, struck) = (rack(&calm, 1), rack(&struck, 1));
        assert_eq!(calm[..100], struck[..100]);
        // 10 s to 30 s nothing; to 35 s boot at idle, 8 GPUs of 100 W; then launch 150, load 200, warmup 400 of 1 s each.
        assert!(struck[100..300].iter().all(|w| *w == 0.0));
        for (k, each_w) in [(340, 100.0), (359, 149.0), (369, 194.0), (379, 380.0)] {
            let lagging_w = 8.0 * each_w;
            assert!(
                (struck[k] / lagging_w - 1.0).abs() < 0.08,
                "{k} {}",
                struck[k]
            );
        }
        let mean_w = struck[450..].iter().sum::<f64>() / 150.0;
        assert!((mean_w / 4000.0 - 1.0).abs() < 0.03, "{mean_w}");
    }
}

fn one_training(spec: TrainingJob) -> Vec<JobSpec> {
    let own = TrainingJob {
        gpus: Some(24),
        start_s: -100.0,
        ..spec
    };
    // The fourth rack is another's.
    vec![JobSpec::Training(own), JobSpec::Batch(batch("other"))]
}

#[test]
fn training_with_one_rack_lost_crashes_as_a_whole() {
    let restarts = TrainingJob {
        restart_after_s: Some(3.0),
        ..training("t")
    };
    let event = || vec![loss(10.0, &["r-002"], Some(20.0))];
    let block = run(&four(one_training(restarts), 0.0, event()), 600);
    let stays = run(&four(one_training(training("t")), 0.0, event()), 600);
    for r in [0, 1, 2] {
        let (again, stays) = (rack(&block, r), rack(&stays, r));
        // Long after the crash, behind the lag: idle, or nothing where the power is lost.
        let down_w = if r == 1 { 0.0 } else { 800.0 };
        for k in 150..300 {
            assert!((again[k] - down_w).abs() < 1e-3 * 800.0, "{r} {k}");
            assert_eq!(again[k], stays[k]);
        }
        // All wait for the boot of the rack, and pass launch, load and warmup: iterations from 38 s on.
        assert!(again[300..350].iter().all(|w| (w - 800.0).abs() < 1.0));
        assert!(again[400..].iter().any(|w| *w > 8.0 * 500.0));
        assert!(stays[300..].iter().all(|w| (w - 800.0).abs() < 1.0));
    }
    assert!(rack(&block, 3).iter().all(|w| (w - 4000.0).abs() < 1e-6));
}

#[test]
fn training_without_network_waits_then_crashes() {
    let restarts = TrainingJob {
        restart_after_s: Some(0.0),
        ..training("t")
    };
    let of = |restore_s: f64| {
        let events = vec![switch(10.0, &["r-003"], Some(restore_s))];
        run(&four(one_training(restarts.clone()), 0.0, events), 600)
    };
    // Six seconds at the level of communication, 200 W, then idle until 30 s, then launch.
    let long = of(20.0);
    for r in [0, 1, 2] {
        let w = rack(&long, r);
        assert!(
            w[140..160].iter().all(|w| (w - 1600.0).abs() < 5.0),
            "{w:?}"
        );
        assert!(w[210..300].iter().all(|w| (w - 800.0).abs() < 1.0));
        assert!((w[309] / 1140.0 - 1.0).abs() < 0.05, "{}", w[309]);
    }
    // Back in time: it goes on at once, without launch.
    let short = of(4.0);
    for r in [0, 1, 2] {
        let w = rack(&short, r);
        assert!(w[130..140].iter().all(|w| (w - 1600.0).abs() < 10.0));
        assert!(w[141..147].windows(2).all(|w| w[1] > w[0]));
        assert!(w[147] > 3500.0, "{}", w[147]);
    }
}

#[test]
fn batch_without_network_waits_with_its_model_loaded() {
    let mut build = four(
        vec![JobSpec::Batch(batch("b"))],
        0.0,
        vec![switch(10.0, &["r-001"], Some(20.0))],
    );
    if let Some(gpu) = build.gpus.get_mut("gpu") {
        gpu.phases.idle_context = Some(phase(130.0, 0.0));
    }
    let block = run(&build, 400);
    let w = rack(&block, 0);
    assert!(w[200..300].iter().all(|w| (w - 8.0 * 130.0).abs() < 1.0));
    // Without launch, load and warmup.
    assert!(w[340..].iter().all(|w| (w - 4000.0).abs() < 5.0));
}

#[test]
fn a_batch_job_does_what_is_left_of_it() {
    let mut job = batch("b");
    (job.start_s, job.steady_s) = (0.0, Some(20.0));
    let of = |events| run(&four(vec![JobSpec::Batch(job.clone())], 0.0, events), 700);
    let energy_j = |block: &DemandBlock| rack(block, 1).iter().sum::<f64>() * DT_S;
    let (calm, struck) = (of(vec![]), of(vec![loss(13.0, &["r-002"], Some(12.0))]));
    // 12 s without power instead of idle, and once more launch, load, warmup above idle: −12·100 + 50 + 100 + 300 per GPU. Straight lines
    // between samples and the lag cut off by the loss make up the tolerance: half a step of 500 W, and 0.5 s of 400 W.
    let difference_w = energy_j(&struck) - energy_j(&calm);
    assert!(
        (difference_w - 8.0 * (450.0 - 1200.0)).abs() < 8.0 * 250.0,
        "{difference_w}"
    );
    // 3 s of launch, load, warmup, 10 s steady; back at 25 + 5 s; 3 s again and the 10 s left: idle from 43 s on.
    let w = rack(&struck, 1);
    assert!((w[425] - 4000.0).abs() < 1.0 && (w[490] - 800.0).abs() < 10.0);
}

#[test]
fn maintenance_drains_rack_after_rack() {
    let writes = TrainingJob {
        checkpoint_every: Some(1000),
        checkpoint_s: Some(4.0),
        ..training("t")
    };
    let drained = |racks: &[&str]| {
        vec![SiteEventSpec::Maintenance(Maintenance {
            at_s: 10.0,
            racks: names(racks),
            duration_s: 30.0,
            stagger_s: 4.0,
            drain_s: Some(6.0),
            boot_s: Some(5.0),
        })]
    };
    let block = run(
        &four(
            one_training(writes.clone()),
            0.0,
            drained(&["r-002", "r-001"]),
        ),
        700,
    );
    let zero = |r: usize| {
        let w = rack(&block, r);
        let first = w.iter().position(|w| *w == 0.0);
        (first, w.iter().filter(|w| **w == 0.0).count())
    };
    assert_eq!(zero(1), (Some(160), 240));
    assert_eq!(zero(0), (Some(200), 240));
    // The whole job writes its checkpoint (120 W) from 10 s to 14 s and pauses; it needs no rule to start again.
    let w = rack(&block, 2);
    assert!((w[139] - 960.0).abs() < 20.0, "{}", w[139]);
    assert!(w[200..490].iter().all(|w| (w - 800.0).abs() < 5.0));
    assert!(w[550..].iter().any(|w| *w > 4000.0));
    // A checkpoint that outlasts the drain would be cut off.
    let slow = TrainingJob {
        checkpoint_s: Some(7.0),
        ..writes
    };
    let problems = four(one_training(slow), 0.0, drained(&["r-001"]))
        .site()
        .unwrap_err();
    assert!(problems[0].message.contains("7 s to write"), "{problems:?}");
}

#[test]
fn requests_go_to_the_replicas_that_are_left() {
    for router in [
        RouterSpec::RoundRobin,
        RouterSpec::Random,
        RouterSpec::LeastLoaded,
    ] {
        let job = InferenceJob {
            router,
            ..service("s", 6.0)
        };
        let mut build = site(8, job, 0.0);
        let (calm, told) = run_on(&build, 1500, EngineKind::Group);
        build.events = vec![loss(30.0, &["r-001"], Some(60.0))];
        let (struck, after) = run_on(&build, 1500, EngineKind::Group);
        let (t, a) = (&told[0], &after[0]);
        // The same requests come; what the lost replicas held is lost, and nothing else.
        assert_eq!(t.arrived, a.arrived);
        assert_eq!(
            a.arrived,
            a.done + a.turned_away + a.lost + a.waiting + a.running
        );
        assert!(t.lost == 0 && a.lost > 0 && a.lost < 200, "{a:?}");
        assert_eq!(rack(&calm, 0)[..300], rack(&struck, 0)[..300]);
        assert!(rack(&struck, 0)[300..900].iter().all(|w| *w == 0.0));
        let mean = |w: &[f64]| w.iter().sum::<f64>() / w.len() as f64;
        let (before_w, meanwhile_w) = (
            mean(&rack(&calm, 1)[350..950]),
            mean(&rack(&struck, 1)[350..950]),
        );
        // Most of a replica's power comes with its first sequence: the rest makes some 5 %.
        assert!(meanwhile_w > 1.02 * before_w, "{before_w} {meanwhile_w}");
        // Back at work at 95 s.
        assert!(mean(&rack(&struck, 0)[1050..]) > 1.2 * 3200.0);
    }
}

#[test]
fn drained_replicas_finish_and_a_site_without_any_turns_away() {
    let drained = |racks: &[&str], drain_s: f64| {
        let mut build = site(8, service("s", 6.0), 0.0);
        build.events = vec![SiteEventSpec::Maintenance(Maintenance {
            at_s: 30.0,
            racks: names(racks),
            duration_s: 100.0,
            stagger_s: 0.0,
            drain_s: Some(drain_s),
            boot_s: Some(5.0),
        })];
        run_on(&build, 1000, EngineKind::Group).1.remove(0)
    };
    // Answers take some 4 s here, the longest half a minute.
    let one = drained(&["r-001"], 60.0);
    assert_eq!((one.lost, one.turned_away), (0, 0), "{one:?}");
    let hasty = drained(&["r-001"], 0.0);
    assert!(hasty.lost > 0);
    let all = drained(&["r"], 60.0);
    assert!(all.turned_away > 300 && all.lost == 0, "{all:?}");
    assert!(all.text().contains("turned away"));
    assert!(hasty.text().contains("lost with their replicas"));
}

/// Bus power with transfers, through a facility or without one.
#[expect(
    clippy::unwrap_used,
    reason = "a test that runs a site has a valid one"
)]
fn bus(
    build: &Build,
    facility: Option<&FacilitySpec>,
    steps: usize,
) -> (Vec<f64>, Option<Transfers>) {
    let site = build.site().unwrap();
    let mut engine = Engine::new(&site, DT_S, 5, 1, EngineKind::Group);
    let mut transfers = Transfers::new(&site, DT_S, 0);
    let mut facility = facility.map(|f| Facility::new(f, &site, DT_S, 0));
    let mut all_w = Vec::new();
    // In blocks of uneven length, which change nothing.
    for len in [1, 7, 92, 150, steps - 250] {
        let mut block = DemandBlock::new(site.rack_count(), len);
        engine.fill(&mut block);
        if let Some(transfers) = &mut transfers {
            transfers.look(&block);
        }
        match (&mut facility, &mut transfers) {
            (Some(f), t) => f.apply_with(&mut block.site_w, &mut block.site_q_var, t.as_mut()),
            (None, Some(t)) => t.apply(&mut block.site_w, &mut block.site_q_var),
            (None, None) => {}
        }
        all_w.extend_from_slice(&block.site_w);
    }
    (all_w, transfers)
}

fn other(share: f64) -> OtherItSpec {
    OtherItSpec {
        share: Some(share),
        kw: None,
    }
}

fn energy_j(w: &[f64]) -> f64 {
    w.windows(2).map(|w| 0.5 * (w[0] + w[1]) * DT_S).sum()
}

#[test]
fn a_transfer_keeps_the_books() {
    let facility = FacilitySpec {
        network: Some(other(0.0005)),
        storage: Some(other(0.0)),
        management: Some(other(0.0)),
        power_factor: None,
        ups: Some(LossSpec {
            rated_kw: 30.0,
            loss_fixed: 0.01,
            loss_linear: 0.02,
            loss_square: 0.03,
        }),
        cooling: Some(CoolingSpec {
            fixed_kw: 1.0,
            share: 0.2,
            lag_s: 5.0,
            stages: None,
        }),
        transformer: None,
    };
    let jobs = vec![JobSpec::Batch(batch("b"))];
    let of = |events| four(jobs.clone(), 20.0, events);
    for facility in [None, Some(&facility)] {
        for racks in [&["r"][..], &["r-004", "r-001"]] {
            let (calm, none) = bus(&of(vec![]), facility, 9000);
            assert!(none.is_none());
            let spec = Transfer {
                // Of racks rated 100 kW a GPU: 800 W a rack.
                recharge_share: Some(1e-3),
                ..transfer(10.0, racks)
            };
            let (moved, transfers) = bus(&of(vec![SiteEventSpec::Transfer(spec)]), facility, 9000);
            let report = transfers.unwrap().report().remove(0);
            assert!(
                report.given_j > 1e4 && report.missing_j < 1e-6 * report.given_j,
                "{report:?}"
            );
            // What the batteries gave is what the bus saved, and what it returns is that over the efficiency.
            let (saved_j, returned_j) = (report.given_j, report.recharged_j);
            assert!((saved_j - 0.8 * returned_j).abs() < 1e-6 * saved_j);
            let difference_j = energy_j(&moved) - energy_j(&calm);
            let error_j = difference_j - (returned_j - saved_j);
            assert!(
                error_j.abs() < 1e-9 * energy_j(&calm),
                "{error_j} {difference_j}"
            );
            // Nothing from the racks while the battery carries all of them; jobs do not notice.
            assert_eq!(calm[..100], moved[..100]);
            if racks == ["r"] && facility.is_none() {
                assert!(moved[100..=200].iter().all(|w| *w == 0.0));
                assert!((moved[225] / (0.5 * calm[225]) - 1.0).abs() < 1e-9);
            }
            assert!(moved[200..250].windows(2).all(|w| w[1] > w[0] - 800.0));
            assert_eq!(calm[8999], moved[8999]);
        }
    }
}

#[test]
fn away_and_here_are_the_two_halves() {
    let of = |direction, battery_s| {
        let spec = Transfer {
            direction,
            battery_s,
            walk_in_s: battery_s.map(|_| 5.0),
            recharge_share: battery_s.map(|_| 0.0),
            recharge_efficiency: None,
            ..transfer(10.0, &["r"])
        };
        let jobs = vec![JobSpec::Batch(batch("b"))];
        let (w, transfers) = bus(
            &four(jobs, 0.0, vec![SiteEventSpec::Transfer(spec)]),
            None,
            500,
        );
        (w, transfers.unwrap().report().remove(0))
    };
    let (w, report) = of(TransferDirection::Away, None);
    assert!(w[..100].iter().all(|w| (w - 16e3).abs() < 1e-6));
    assert!(w[100..].iter().all(|w| *w == 0.0));
    assert_eq!((report.given_j, report.recharged_j), (0.0, 0.0));
    let (w, report) = of(TransferDirection::Here, Some(3.0));
    assert!(w[..=130].iter().all(|w| *w == 0.0));
    assert!((w[155] - 8e3).abs() < 1e-6 && w[180..].iter().all(|w| (w - 16e3).abs() < 1e-6));
    // 3 s on battery, half of 5 s of walk-in, and half a step at either end of what is a jump.
    assert!(
        (report.given_j - 16e3 * 5.5).abs() < 16e3 * DT_S,
        "{report:?}"
    );
    assert!(report.missing_j > 0.0 && report.text().contains("more would make them full"));
}

fn everything(sigma_w: f64) -> Build {
    let jobs = vec![
        JobSpec::Training(TrainingJob {
            gpus: Some(12),
            start_s: -50.0,
            restart_after_s: Some(2.0),
            iteration_jitter_s: 0.05,
            node_jitter_s: 0.02,
            ..training("t")
        }),
        JobSpec::Inference(InferenceJob {
            gpus: Some(16),
            gpus_per_replica: 4,
            ..service("s", 2.0)
        }),
        JobSpec::Batch(batch("b")),
    ];
    let events = vec![
        loss(3.0, &["r-001"], Some(4.0)),
        switch(5.0, &["r-002"], Some(3.0)),
        SiteEventSpec::Maintenance(Maintenance {
            at_s: 20.0,
            racks: names(&["r-003", "r-004"]),
            duration_s: 8.0,
            stagger_s: 2.0,
            drain_s: Some(3.0),
            boot_s: Some(1.0),
        }),
    ];
    let mut build = four(jobs, sigma_w, events);
    if let Some(gpu) = build.gpus.get_mut("gpu") {
        gpu.phases.steady_prefill = Some(phase(650.0, sigma_w));
    }
    build
}

#[test]
fn threads_and_block_length_change_no_byte() {
    let site = everything(20.0).site().unwrap();
    for kind in [EngineKind::Group, EngineKind::PerGpu] {
        let run = |length: usize, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let mut engine = Engine::new(&site, DT_S, 5, 0, kind);
                let mut block = DemandBlock::new(site.rack_count(), length);
                let mut bits = Vec::new();
                while bits.len() < 400 {
                    block.set_len(length.min(400 - bits.len()));
                    engine.fill(&mut block);
                    bits.extend(block.site_w.iter().map(|w| w.to_bits()));
                }
                (bits, engine.traffic_report())
            })
        };
        let whole = run(400, 1);
        assert!(run(13, 3) == whole && run(64, 2) == whole);
    }
}

#[test]
fn both_engines_follow_the_same_course() {
    let build = everything(0.0);
    let (group, told) = run_on(&build, 400, EngineKind::Group);
    let (each, also) = run_on(&build, 400, EngineKind::PerGpu);
    assert_eq!(told, also);
    for (g, e) in group.rack_w.iter().zip(&each.rack_w) {
        // Single precision up to the node.
        assert!((g - e).abs() <= 1e-6 * g.abs(), "{g} {e}");
    }
}

#[test]
fn planned_events_tell_what_comes() {
    let kinds: Vec<_> = everything(20.0)
        .site()
        .unwrap()
        .events()
        .into_iter()
        .map(|e| (e.at_s, e.kind))
        .collect();
    for wanted in [
        (3.0, "rack_loss"),
        (3.0, "crash"),
        (5.0, "switch_loss"),
        (7.0, "rack_return"),
        (8.0, "switch_return"),
        (12.0, "restart"),
        (20.0, "drain"),
        (30.0, "rack_return"),
    ] {
        assert!(kinds.contains(&wanted), "{wanted:?} of {kinds:?}");
    }
    assert!(kinds.windows(2).all(|w| w[0].0 <= w[1].0));
}

#[test]
fn every_problem_of_the_events_is_told() {
    let trip = CoolingTrip {
        at_s: -1.0,
        share: 1.5,
        restore_after_s: Some(0.0),
        rebound_s: None,
        rebound_share: None,
        shutdown_after_s: None,
        racks: names(&["r"]),
        shutdown_s: None,
        boot_s: None,
    };
    let bad = vec![
        loss(f64::NAN, &["r-005", "q", "r", "r-001"], None),
        SiteEventSpec::CoolingTrip(trip),
        SiteEventSpec::Transfer(Transfer {
            direction: TransferDirection::Away,
            ..transfer(1.0, &[])
        }),
    ];
    let jobs = vec![JobSpec::Batch(batch("b"))];
    let problems = four(jobs.clone(), 0.0, bad).site().unwrap_err();
    let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "events.0.at_s",
            "events.0.racks.0",
            "events.0.racks.1",
            "events.0.racks.3",
            "events.1.at_s",
            "events.1.restore_after_s",
            "events.1.share",
            "events.1.racks",
            "events.2.racks",
            "events.2.battery_s",
            "events.2.walk_in_s",
            "events.2.recharge_share",
            "events.2.recharge_efficiency",
        ]
    );
    assert!(problems[1].help.contains("r-001 to r-004"), "{problems:?}");
    let twice = vec![
        loss(1.0, &["r"], Some(5.0)),
        switch(10.9, &["r-002"], None),
        loss(11.0, &["r-001"], None),
    ];
    let problems = four(jobs, 0.0, twice).site().unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("rack `r-002` is out twice"));
}

/// Events of a kind at a job, with their times.
#[expect(
    clippy::unwrap_used,
    reason = "a test that runs a site has a valid one"
)]
fn told(build: &Build, kind: &str) -> Vec<f64> {
    let events = build.site().unwrap().events();
    let of_job = events.iter().filter(|e| e.element == "t" && e.kind == kind);
    of_job.map(|e| e.at_s).collect()
}

#[test]
fn a_crash_with_an_immediate_restart_happens() {
    let job = TrainingJob {
        crash_at_s: Some(20.0),
        restart_after_s: Some(0.0),
        ..training("t")
    };
    let build = four(one_training(job), 0.0, vec![]);
    assert_eq!(
        (told(&build, "crash"), told(&build, "restart")),
        (vec![20.0], vec![20.0])
    );
    let block = run(&build, 400);
    for r in [0, 1, 2] {
        let w = rack(&block, r);
        // Launch 150 W, load 200 W and warmup 400 W, 1 s each, behind a lag of 0.5 s that keeps e^−2 of a step: of that from 600 W to 150 W
        // 0.4 of what launch draws.
        for (k, each_w) in [(209, 150.0), (219, 200.0), (229, 400.0)] {
            assert!((w[k] / (8.0 * each_w) - 1.0).abs() < 0.41, "{k} {}", w[k]);
        }
        assert!(w[300..].iter().any(|w| *w > 8.0 * 500.0));
    }
}

#[test]
fn what_is_down_does_not_crash_again() {
    let job = |crash_at_s| TrainingJob {
        crash_at_s: Some(crash_at_s),
        restart_after_s: Some(3.0),
        ..training("t")
    };
    let of = |crash_at_s, event| four(one_training(job(crash_at_s)), 0.0, vec![event]);
    let first = of(12.0, loss(10.0, &["r-002"], Some(20.0)));
    assert_eq!(told(&first, "crash"), [10.0]);
    let second = of(10.0, loss(12.0, &["r-002"], Some(20.0)));
    assert_eq!(told(&second, "crash"), [10.0]);
    assert_eq!(told(&second, "restart"), [37.0]);
    // Waiting for the network it can crash, and then it no longer waits.
    let waiting = of(12.0, switch(10.0, &["r-002"], Some(20.0)));
    assert_eq!(told(&waiting, "crash"), [12.0]);
}

#[test]
fn crashes_without_number_are_told_by_number() {
    let job = TrainingJob {
        mtbf_s: Some(1.0),
        restart_after_s: Some(0.0),
        ..training("t")
    };
    let site = four(one_training(job), 0.0, vec![]).site().unwrap();
    let events = site.drawn_events(1, 1, 1e4);
    assert_eq!(events.iter().filter(|e| e.kind == "crash").count(), 100);
    let last = events.last().unwrap();
    assert_eq!(last.kind, "more_crashes");
    let more: f64 = last
        .text
        .split_whitespace()
        .find_map(|w| w.parse().ok())
        .unwrap();
    // A Poisson number of 10 000, less the 100: five standard deviations.
    assert!((more - 9900.0).abs() < 500.0, "{}", last.text);
    assert_eq!(events, site.drawn_events(1, 1, 1e4));
}

#[test]
fn training_without_a_rule_to_restart_is_said_to_end_for_good() {
    let trip = SiteEventSpec::CoolingTrip(CoolingTrip {
        at_s: 10.0,
        share: 1.0,
        restore_after_s: Some(100.0),
        rebound_s: None,
        rebound_share: None,
        shutdown_after_s: Some(10.0),
        racks: names(&["r-001"]),
        shutdown_s: Some(5.0),
        boot_s: Some(5.0),
    });
    for (restart_after_s, wanted) in [(None, "ends for good"), (Some(1.0), "starts again")] {
        let job = TrainingJob {
            restart_after_s,
            ..training("t")
        };
        let build = four(one_training(job), 0.0, vec![trip.clone()]);
        let events = build.site().unwrap().events();
        let pause = events.iter().find(|e| e.kind == "job_pause").unwrap();
        assert!(pause.text.contains(wanted), "{}", pause.text);
    }
}
