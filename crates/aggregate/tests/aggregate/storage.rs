//! Storage in racks: the same as one store beside each rack's power, in both engines.

use crate::common::{Build, batch, psu, racks, sourced, storage, training};
use ballast_aggregate::{
    DemandBlock, Engine, EngineKind, GroupEngine, JobSpec, RackLoss, SiteEventSpec,
};
use ballast_buffer::{Control, Smoother};

const DT_S: f64 = 0.01;

/// 20 racks in two tiles, training in step.
fn plain(sigma_w: f64) -> Build {
    let mut job = training("t");
    job.racks = vec!["x".into()];
    let mut build = Build::new(
        vec![racks("x", 20, 4)],
        vec![JobSpec::Training(job)],
        8,
        sigma_w,
    );
    build.psus.insert("psu".into(), psu(0.02));
    build
}

fn with_storage(sigma_w: f64, energy_j: f64) -> Build {
    let mut build = plain(sigma_w);
    build.racks[0].storage = Some(storage(energy_j));
    build
}

#[expect(clippy::unwrap_used, reason = "a test without a site has failed")]
fn run(build: &Build, kind: EngineKind, steps: usize) -> (DemandBlock, Engine) {
    let site = build.site().unwrap();
    let mut engine = Engine::new(&site, DT_S, 5, 0, kind);
    let mut block = DemandBlock::new(site.rack_count(), steps);
    engine.fill(&mut block);
    (block, engine)
}

/// Rack by rack, to the bit, it is what one store makes of the rack's power without storage.
#[test]
fn each_rack_is_one_store_beside_its_power() {
    for kind in [EngineKind::Group, EngineKind::PerGpu] {
        let (without, _) = run(&plain(30.0), kind, 900);
        let (with, engine) = run(&with_storage(30.0, 3e3), kind, 900);
        let spec = storage(3e3);
        let control = Control {
            least_grid_w: 0.0,
            ..spec.control()
        };
        let (mut stored_j, mut lost_j) = (vec![0.0; 900], 0.0);
        let (mut moved, mut in_j) = (false, 0.0);
        for rack in 0..20 {
            let mut alone = Smoother::new(control, spec.store());
            for (k, w) in without.rack(rack).iter().enumerate() {
                let expected_w = w + alone.step(*w, DT_S);
                assert_eq!(
                    expected_w.to_bits(),
                    with.rack(rack)[k].to_bits(),
                    "{rack} {k}"
                );
                stored_j[k] += alone.store().stored_j();
                moved |= expected_w != *w;
            }
            lost_j += alone.books().lost_j;
            in_j += alone.books().in_j;
        }
        assert!(moved);
        for (a, b) in stored_j.iter().zip(with.stored(0)) {
            assert!((a - b).abs() <= 1e-12 * a, "{a} {b}");
        }
        let report = &engine.storage_report()[0];
        assert_eq!((report.group, report.racks), (0, 20));
        assert!((report.books.lost_j - lost_j).abs() < 1e-9 * in_j);
        assert!((report.books.in_j - in_j).abs() < 1e-9 * in_j);
        assert!(report.books.imbalance_j().abs() < 1e-9 * in_j);
        // What the site drew more is what was lost and what is stored more.
        let more_j: f64 = with
            .site_w
            .iter()
            .zip(&without.site_w)
            .map(|(a, b)| (a - b) * DT_S)
            .sum();
        let expected_j = lost_j + report.books.stored_j - report.books.start_j;
        assert!(
            (more_j - expected_j).abs() < 1e-6 * in_j,
            "{more_j} {expected_j}"
        );
        // GPUs do not notice.
        assert_eq!(with.gpu_w, without.gpu_w);
    }
}

/// Storage smooths what the racks do; without, there is no charge to show.
#[test]
fn it_smooths() {
    let swing = |block: &DemandBlock| {
        let late = &block.site_w[300..];
        let high = late.iter().copied().fold(f64::MIN, f64::max);
        high - late.iter().copied().fold(f64::MAX, f64::min)
    };
    let (without, none) = run(&plain(0.0), EngineKind::Group, 900);
    let (with, _) = run(&with_storage(0.0, 1e5), EngineKind::Group, 900);
    assert!(
        swing(&with) < 0.8 * swing(&without),
        "{} {}",
        swing(&with),
        swing(&without)
    );
    assert!(without.stored(0).is_empty() && none.storage_report().is_empty());
}

/// A rack that is out neither charges nor delivers, and comes back softly.
#[test]
fn a_rack_that_is_out_rests() {
    let mut build = with_storage(10.0, 3e3);
    build.events = vec![SiteEventSpec::RackLoss(RackLoss {
        at_s: 2.0,
        racks: vec!["x-018".into()],
        restore_after_s: Some(3.0),
        boot_s: Some(0.5),
    })];
    let JobSpec::Training(job) = &mut build.jobs[0] else {
        unreachable!()
    };
    job.restart_after_s = Some(5.0);
    let site = build.site().unwrap();
    let mut engine = GroupEngine::new(&site, DT_S, 5, 0);
    let mut block = DemandBlock::new(site.rack_count(), 200);
    engine.fill(&mut block);
    let before = engine.storage_report()[0].books;
    block.set_len(299);
    engine.fill(&mut block);
    assert!(block.rack(17).iter().all(|w| *w == 0.0));
    let out = engine.storage_report()[0].books;
    // Nineteen racks went on.
    assert!((out.time_s - before.time_s - 19.0 * 2.99).abs() < 1e-9);
    block.set_len(301);
    engine.fill(&mut block);
    let back = block.rack(17);
    assert!(back.iter().all(|w| *w >= 0.0));
    assert!(back[3] < 0.5 * block.rack(16)[3] && back[299] > 0.0);
    let books = engine.storage_report()[0].books;
    assert!(books.imbalance_j().abs() < 1e-9 * books.in_j);
}

/// Only where supplies could be asked for more than they hold is anybody told of it.
#[test]
fn capacitors_are_told_where_they_matter() {
    let mut build = plain(0.0);
    build.psus.get_mut("psu").unwrap().holdup_j = sourced(1e7);
    let (roomy, engine) = run(&build, EngineKind::Group, 500);
    assert!(engine.bulk_report().is_empty());
    build.psus.get_mut("psu").unwrap().holdup_j = sourced(2.0);
    let (tight, engine) = run(&build, EngineKind::Group, 500);
    let (group, report) = engine.bulk_report()[0];
    assert_eq!(group, 0);
    assert!(
        report.followed_s > 0.0 && report.given_j <= report.window_j,
        "{report:?}"
    );
    assert_ne!(roomy.site_w, tight.site_w);
    // The energy is the same but for what the capacitors of either hold at the end, at most lag times swing, and half a step at it.
    let sum = |b: &DemandBlock| b.site_w.iter().sum::<f64>() * DT_S;
    let high_w = roomy.site_w.iter().copied().fold(f64::MIN, f64::max);
    let swing_w = high_w - roomy.site_w.iter().copied().fold(f64::MAX, f64::min);
    let difference_j = (sum(&roomy) - sum(&tight)).abs();
    assert!(
        difference_j < (0.02 + DT_S) * swing_w,
        "{difference_j} {swing_w}"
    );
    assert_eq!(build.site().unwrap().bulk_of(0).unwrap().1, 0.02);
    let mut job = batch("b");
    job.racks = vec!["x".into()];
    assert!(build.site().unwrap().bulk_of(1).is_none());
}

/// All problems of storage at once, at its keys.
#[test]
fn problems_stand_at_their_keys() {
    let mut build = with_storage(0.0, 3e3);
    let bad = build.racks[0].storage.as_mut().unwrap();
    bad.energy_j = sourced(0.0);
    bad.charge_w = sourced(0.0);
    bad.discharge_efficiency = sourced(1.1);
    bad.start_share = Some(sourced(0.05));
    bad.time_constant_s = sourced(0.0);
    let problems = build.site().unwrap_err();
    let paths: Vec<_> = problems.iter().map(|p| p.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "racks.0.storage.energy_j",
            "racks.0.storage.charge_w",
            "racks.0.storage.discharge_efficiency",
            "racks.0.storage.start_share",
            "racks.0.storage.time_constant_s"
        ]
    );
}
