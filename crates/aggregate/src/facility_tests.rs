use super::*;
use crate::{CoolingSpec, FacilityPowerFactor, OtherItSpec};

const NONE: OtherItSpec = OtherItSpec {
    share: None,
    kw: Some(0.0),
};

fn spec() -> FacilitySpec {
    FacilitySpec {
        network: Some(NONE),
        storage: Some(NONE),
        management: Some(NONE),
        power_factor: None,
        ups: None,
        cooling: None,
        transformer: None,
    }
}

const LOSS: LossSpec = LossSpec {
    rated_kw: 100.0,
    loss_fixed: 0.01,
    loss_linear: 0.02,
    loss_square: 0.03,
};
const STAGES: StageSpec = StageSpec {
    count: 4,
    stage_kw: 5.0,
    hysteresis: 0.5,
    start_interval_s: 3.0,
    start_factor: 3.0,
    start_s: 1.0,
};

fn run(spec: &FacilitySpec, other_it_w: f64, racks_w: &[f64]) -> (Vec<f64>, FacilityReport) {
    let mut spec = spec.clone();
    spec.storage = Some(OtherItSpec {
        share: None,
        kw: Some(other_it_w / 1e3),
    });
    let mut facility = Facility::around(&spec, 0.0, 0.5);
    let mut w = racks_w.to_vec();
    let mut var = vec![0.0; w.len()];
    // In blocks of uneven length, which change nothing.
    let (a, b) = w.split_at_mut(racks_w.len() / 3);
    let (qa, qb) = var.split_at_mut(racks_w.len() / 3);
    facility.apply(a, qa);
    facility.apply(b, qb);
    assert!(var.iter().all(|q| *q == 0.0));
    (w, facility.report())
}

#[test]
fn nothing_around_the_racks_changes_nothing() {
    assert_eq!(run(&spec(), 0.0, &[1.0, 2.0, 3.0]).0, [1.0, 2.0, 3.0]);
}

#[test]
fn losses_follow_their_curve_and_the_parts_add_up() {
    let mut s = spec();
    (s.ups, s.transformer) = (Some(LOSS), Some(LOSS));
    s.cooling = Some(CoolingSpec {
        fixed_kw: 2.0,
        share: 0.2,
        lag_s: 0.0,
        stages: None,
    });
    let (w, r) = run(&s, 10e3, &[40e3; 30]);
    // 50 kW at the UPS: 100 · (0.01 + 0.5 · 0.02 + 0.25 · 0.03) = 2.75 kW.
    let heat = 52.75e3;
    let before = heat + 2e3 + 0.2 * heat;
    let x = before / 1e5;
    let bus = before + 1e5 * (0.01 + 0.02 * x + 0.03 * x * x);
    assert!(w.iter().all(|w| (w - bus).abs() < 1e-6), "{} {bus}", w[0]);
    let sum = r.racks_w + r.storage_w + r.ups_w + r.cooling_w + r.transformer_w;
    assert!((sum - bus).abs() < 1e-6 && (r.ups_w - 2.75e3).abs() < 1e-6);
    assert_eq!((r.ups_over_share, r.transformer_over_share), (0.0, 0.0));
    let (_, over) = run(&s, 10e3, &[95e3; 30]);
    assert_eq!(
        (over.ups_over_share, over.transformer_over_share),
        (1.0, 1.0)
    );
    assert!(
        over.text()
            .contains("the UPS is above its rating for 100.00 %")
    );
}

#[test]
fn cooling_lags_behind_the_heat() {
    let mut s = spec();
    s.cooling = Some(CoolingSpec {
        fixed_kw: 0.0,
        share: 0.5,
        lag_s: 10.0,
        stages: None,
    });
    let mut racks = vec![20e3; 10];
    racks.extend([40e3; 200]);
    let (w, _) = run(&s, 0.0, &racks);
    assert_eq!(w[9], 30e3);
    // The racks step at once, the cooling not yet.
    assert!(w[10] > 50e3 && w[10] < 50.5e3, "{}", w[10]);
    assert!((w[209] - 60e3).abs() < 1.0);
    // One time constant after the middle of the rise: 1 − 1/e of the way.
    let way = (0.5 * (w[29] + w[30]) - 50e3) / 10e3;
    assert!((way - (1.0 - (-1.0_f64).exp())).abs() < 0.01, "{way}");
}

#[test]
fn compressors_start_one_after_another_and_stop_with_a_margin() {
    let mut s = spec();
    s.cooling = Some(CoolingSpec {
        fixed_kw: 0.0,
        share: 0.25,
        lag_s: 0.0,
        stages: Some(STAGES),
    });
    // Wanted: 4 kW, then 14 kW, then 9 kW, then 7 kW.
    let racks: Vec<_> = [16e3, 56e3, 36e3, 28e3]
        .into_iter()
        .flat_map(|w| [w; 20])
        .collect();
    let (w, r) = run(&s, 0.0, &racks);
    let cooling: Vec<_> = w.iter().zip(&racks).map(|(w, r)| w - r).collect();
    assert!(cooling[..20].iter().all(|w| *w == 5e3));
    // The second starts at once, at three times its power for a second; the third 3 s later.
    assert_eq!(
        cooling[20..28],
        [20e3, 20e3, 10e3, 10e3, 10e3, 10e3, 25e3, 25e3]
    );
    assert!(cooling[28..40].iter().all(|w| *w == 15e3));
    // 9 kW is less than two give, but not by half a stage; 7 kW is.
    assert!(cooling[40..60].iter().all(|w| *w == 15e3));
    assert!(cooling[60..].iter().all(|w| *w == 10e3));
    assert_eq!((r.starts, r.short_share), (2, 0.0));
    let (_, hot) = run(&s, 0.0, &[100e3; 8]);
    assert_eq!(hot.short_share, 1.0);
}

#[test]
fn impossible_values_are_all_told() {
    let bad = FacilitySpec {
        network: Some(OtherItSpec {
            share: Some(-1.0),
            kw: None,
        }),
        storage: Some(OtherItSpec {
            share: None,
            kw: None,
        }),
        management: Some(OtherItSpec {
            share: Some(0.1),
            kw: Some(f64::NAN),
        }),
        power_factor: Some(FacilityPowerFactor {
            other_it: Some(0.0),
            ups_input: Some(-1.2),
            cooling: Some(f64::NAN),
            transformer_magnetising: Some(0.5),
        }),
        ups: Some(LossSpec {
            rated_kw: 0.0,
            loss_fixed: 0.6,
            loss_linear: f64::NAN,
            loss_square: -0.1,
        }),
        cooling: Some(CoolingSpec {
            fixed_kw: -1.0,
            share: 3.0,
            lag_s: f64::INFINITY,
            stages: Some(StageSpec {
                count: 0,
                stage_kw: 0.0,
                hysteresis: 2.0,
                start_interval_s: -1.0,
                start_factor: 0.5,
                start_s: f64::NAN,
            }),
        }),
        transformer: Some(LOSS),
    };
    let keys: Vec<_> = bad.problems().into_iter().map(|p| p.0).collect();
    assert_eq!(keys.len(), 21, "{keys:?}");
    assert!(spec().problems().is_empty());
}

#[test]
fn parts_of_the_it_are_shares_of_the_racks_or_known_powers() {
    let mut s = spec();
    assert_eq!(s.other_it_w(1e6), [0.0; 3]);
    assert_eq!(s.weak_defaults(), []);
    (s.network, s.storage) = (None, None);
    s.management = Some(OtherItSpec {
        share: Some(0.5),
        kw: None,
    });
    let [network, storage, management] = s.other_it_w(1e6);
    assert!((network - 110e3).abs() < 1e-6 && (storage - 30e3).abs() < 1e-6);
    assert_eq!(management, 500e3);
    let keys: Vec<_> = s.weak_defaults().iter().map(|d| d.key).collect();
    assert_eq!(keys, ["network.share", "storage.share"]);
    let report = Facility::around(&s, 1e6, 1.0).report();
    assert_eq!(report.management_w, 500e3);
    assert!(
        report
            .text()
            .contains("network 110.0 kW, storage 30.0 kW and management 500.0 kW")
    );
}

#[test]
fn reactive_power_adds_up_and_a_rectifier_hides_what_is_behind_it() {
    let mut s = spec();
    s.storage = Some(OtherItSpec {
        share: None,
        kw: Some(10.0),
    });
    s.ups = Some(LOSS);
    s.transformer = Some(LOSS);
    s.cooling = Some(CoolingSpec {
        fixed_kw: 8.0,
        share: 0.0,
        lag_s: 0.0,
        stages: None,
    });
    let mut given = FacilityPowerFactor {
        other_it: Some(-0.8),
        ups_input: None,
        cooling: Some(0.8),
        transformer_magnetising: Some(0.01),
    };
    let mut at_bus = |given: FacilityPowerFactor| {
        s.power_factor = Some(given);
        let (mut w, mut var) = ([40e3], [-5e3]);
        Facility::around(&s, 0.0, 1.0).apply(&mut w, &mut var);
        var[0]
    };
    // Racks −5, other IT −7.5, cooling 6, transformer 1 kvar; tan φ of 0.8 is 0.75.
    assert!((at_bus(given) - -5.5e3).abs() < 1e-9);
    given.ups_input = Some(0.6);
    // 52.75 kW at the input of the UPS, tan φ = 4/3.
    let expected = 52.75e3 * 4.0 / 3.0 + 7e3;
    assert!((at_bus(given) - expected).abs() < 1e-6);
}
