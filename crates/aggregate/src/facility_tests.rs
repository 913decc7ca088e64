use super::*;
use crate::CoolingSpec;

fn spec() -> FacilitySpec {
    FacilitySpec {
        other_it_share: Some(0.0),
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
    let mut facility = Facility::with_other_it(spec, other_it_w, 0.5);
    let mut w = racks_w.to_vec();
    // In blocks of uneven length, which change nothing.
    let (a, b) = w.split_at_mut(racks_w.len() / 3);
    facility.apply(a);
    facility.apply(b);
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
    let sum = r.racks_w + r.other_it_w + r.ups_w + r.cooling_w + r.transformer_w;
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
        other_it_share: Some(-1.0),
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
    assert_eq!(keys.len(), 14, "{keys:?}");
    assert!(spec().problems().is_empty());
}
