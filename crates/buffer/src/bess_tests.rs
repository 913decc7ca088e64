use super::*;
use proptest::prelude::*;

fn bess(text: &str) -> BessSpec {
    let head = "name = \"b\"\nenergy_kwh = 100\npower_kw = 4000\ntime_constant_s = 20\n";
    toml::from_str(&format!("{head}{text}")).expect("a battery")
}

/// Lowest and highest power of the bus over the last `tail` steps.
fn range(
    spec: &BessSpec,
    load_w: impl Fn(u32) -> f64,
    steps: u32,
    dt_s: f64,
    tail: u32,
) -> (f64, f64) {
    let mut running = Bess::new(spec);
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for k in 0..steps {
        let load = load_w(k);
        let bus = load + running.step(load, dt_s);
        if k + tail >= steps {
            (low, high) = (low.min(bus), high.max(bus));
        }
    }
    (low, high)
}

#[test]
fn an_edge_passes_through_as_far_as_the_inverter_lags() {
    let spec = bess("response_s = 0.05");
    let mut running = Bess::new(&spec);
    for _ in 0..1000 {
        running.step(1e6, 0.001);
    }
    // 1 MW more: after one lag all but e⁻¹ of it is taken, less what the slow reference has given way.
    let mut power = 0.0;
    for _ in 0..50 {
        power = running.step(2e6, 0.001);
    }
    let expected = -1e6 * (1.0 - (-1.0_f64).exp());
    assert!((power / expected - 1.0).abs() < 0.01, "{power} {expected}");
}

#[test]
fn a_fast_square_wave_comes_out_flat_but_for_the_lag() {
    let square = |k: u32| {
        if (k / 500).is_multiple_of(2) {
            2e6
        } else {
            1e6
        }
    };
    let (low, high) = range(&bess("response_s = 0"), square, 300_000, 0.001, 2000);
    // 1 MW at 1 Hz behind 20 s: a first-order mean leaves ΔP·T/(4τ) = 12.5 kW, the recovery of ten times that a tenth more.
    assert!((high - low - 13.75e3).abs() < 0.2e3, "{}", high - low);
    let (low, high) = range(&bess("response_s = 0.05"), square, 60_000, 0.001, 2000);
    assert!(
        high - low > 0.9e6,
        "the edge itself is too fast: {}",
        high - low
    );
}

#[test]
fn the_bus_is_not_driven_below_its_least() {
    let spec = bess("response_s = 0\nleast_bus_kw = 800");
    let drop = |k: u32| if k < 5000 { 3e6 } else { 1e6 };
    let (low, _) = range(&spec, drop, 20_000, 0.001, 20_000);
    assert!(low >= 0.8e6 - 1e-3, "{low}");
}

#[test]
fn what_does_not_fit_together_is_told_by_its_key() {
    let spec = bess("low_share = 0.6\nhigh_share = 0.4\nstart_share = 0.9");
    let keys: Vec<&str> = spec.problems().iter().map(|p| p.key).collect();
    assert!(!keys.is_empty(), "{keys:?}");
    assert!(bess("").problems().is_empty());
    assert_eq!(bess("").weak_defaults().len(), 2);
}

proptest! {
    #[test]
    fn the_books_close_and_the_charge_stays_in_its_window(
        levels in prop::collection::vec(0.0..5e6_f64, 2..40),
        energy_kwh in 0.01..50.0_f64,
        response_s in 0.0..0.2_f64,
        dt_s in 0.001..0.5_f64,
        efficiency in 0.3..1.0_f64,
    ) {
        let spec = BessSpec {
            energy_kwh,
            response_s: Some(response_s),
            round_trip_efficiency: Some(efficiency),
            low_share: 0.1,
            high_share: 0.9,
            ..bess("")
        };
        let mut running = Bess::new(&spec);
        let mut through_j = 1.0;
        for level in levels {
            for _ in 0..50 {
                let power = running.step(level, dt_s);
                through_j += power.abs() * dt_s;
                prop_assert!(power.abs() <= 4e6 * (1.0 + 1e-12));
                prop_assert!(level + power >= -1e-6, "{} {}", level, power);
                prop_assert!((0.1 - 1e-12..=0.9 + 1e-12).contains(&running.share()));
            }
        }
        prop_assert!(running.books().imbalance_j().abs() <= 1e-9 * through_j);
    }
}
