use ballast_profile::{HostSpec, PsuSpec};
use ballast_units::{Confidence, Grade, Sourced};
use proptest::prelude::*;

use super::*;

fn sourced(value: f64) -> Sourced {
    Sourced {
        value,
        low: None,
        high: None,
        source: "test".to_owned(),
        grade: Grade::Given,
        confidence: Confidence::Medium,
    }
}

fn hardware(metered: MeteredSide, other_w: f64, other_metered: MeteredSide) -> Hardware {
    Hardware {
        host: HostSpec {
            fixed_w: sourced(100.0),
            slope: sourced(1.4),
            slow_share: Some(sourced(0.5)),
            slow_lag_s: Some(sourced(10.0)),
            metered,
        },
        psu: PsuSpec {
            label: "test supply".to_owned(),
            notes: String::new(),
            rated_w: sourced(3000.0),
            loss_fixed: sourced(0.005),
            loss_linear: sourced(0.01),
            loss_square: sourced(0.03),
            lag_s: sourced(0.0),
            holdup_j: sourced(60.0),
            power_factor: None,
            power_factor_light: None,
        },
        psu_count: 2,
        nodes: 3,
        other_w,
        other_metered,
        table: 0,
        smoothing: None,
        store: None,
    }
}

/// AC power of nodes with these GPU powers, each with `d` watts more at its DC side.
fn nodes_w(h: &Hardware, gpus_w: [f64; 3], d: f64) -> f64 {
    let dc = |gpu_w: f64| h.host.node_w(gpu_w) + d;
    gpus_w
        .iter()
        .map(|w| h.psu.input_w(dc(*w), h.psu_count))
        .sum()
}

#[test]
fn what_is_added_is_what_uneven_nodes_would_draw() {
    let h = hardware(MeteredSide::NodeDc, 0.0, MeteredSide::NodeAc);
    let gpus_w = [300.0, 2100.0, 3900.0];
    for d in [-200.0, 0.0, 350.0] {
        let added = h.added_ac_w(gpus_w.iter().sum(), 3.0 * d);
        let exact = nodes_w(&h, gpus_w, d) - nodes_w(&h, gpus_w, 0.0);
        // Differences of kilowatts: rounding of 1e-12.
        assert!((added - exact).abs() < 1e-8, "{added} {exact}");
    }
}

#[test]
fn a_step_of_the_gpus_reaches_the_slow_part_as_a_first_order_lag() {
    let h = hardware(MeteredSide::NodeAc, 0.0, MeteredSide::NodeAc);
    let (dt_s, low, high) = (0.01, 1000.0, 6000.0);
    let mut part = HostPart::new(&h, dt_s);
    let mut gpu_w = vec![low; 10];
    gpu_w.resize(4010, high);
    let mut rack_w: Vec<f64> = gpu_w.iter().map(|w| 300.0 + 1.4 * w).collect();
    // Blocks of uneven length, which change nothing.
    let (a, b) = rack_w.split_at_mut(7);
    part.apply(&h, &gpu_w[..7], a);
    part.apply(&h, &gpu_w[7..], b);
    // It starts settled.
    assert!(rack_w[..10].iter().all(|w| (*w - 1700.0).abs() < 1e-9));
    // 0.2 of each watt of GPU power is slow: the rise between samples 9 and 10 leaves it behind.
    for (k, w) in rack_w.iter().enumerate().skip(10) {
        let since_s = (k as f64 - 9.5) * dt_s;
        let exact = 8700.0 - 0.2 * 5000.0 * (-since_s / 10.0).exp();
        // A straight rise over one step against a jump in its middle: (h/τ)²/24 of the step.
        assert!((w - exact).abs() < 1e-4, "{k}: {w} {exact}");
    }
}

#[test]
fn once_settled_nothing_is_left_but_what_stands_beside_the_nodes() {
    for other in [MeteredSide::NodeDc, MeteredSide::NodeAc] {
        let h = hardware(MeteredSide::NodeDc, 600.0, other);
        let mut part = HostPart::new(&h, 0.1);
        let gpus_w = [2000.0; 3];
        let mut rack_w = [nodes_w(&h, gpus_w, 0.0); 4];
        part.apply(&h, &[6000.0; 4], &mut rack_w);
        let expected = match other {
            MeteredSide::NodeDc => nodes_w(&h, gpus_w, 200.0),
            MeteredSide::NodeAc => nodes_w(&h, gpus_w, 0.0) + 600.0,
        };
        assert!(rack_w.iter().all(|w| (w - expected).abs() < 1e-8));
        assert!((h.rack_ac_w(2000.0) - expected).abs() < 1e-8);
    }
}

proptest! {
    /// Whatever the nodes do and however the run is cut into blocks, the rack draws what its nodes draw one by one.
    #[test]
    fn a_rack_is_the_sum_of_its_nodes(
        gpus_w in prop::collection::vec(prop::array::uniform3(0.0..6000.0_f64), 2..40),
        cut in 0.0..1.0_f64,
        other_w in 0.0..2000.0_f64,
    ) {
        let h = hardware(MeteredSide::NodeDc, other_w, MeteredSide::NodeDc);
        let sums_w: Vec<f64> = gpus_w.iter().map(|g| g.iter().sum()).collect();
        let mut rack_w: Vec<f64> = gpus_w.iter().map(|g| nodes_w(&h, *g, 0.0)).collect();
        let mut part = HostPart::new(&h, 0.5);
        let at = (cut * rack_w.len() as f64) as usize;
        let (a, b) = rack_w.split_at_mut(at);
        part.apply(&h, &sums_w[..at], a);
        part.apply(&h, &sums_w[at..], b);
        let mut lag = Lag::new(0.5, 10.0);
        let mut lagged_w = sums_w.clone();
        lag.apply(&mut lagged_w);
        for (k, w) in rack_w.iter().enumerate() {
            let d = (0.2 * (lagged_w[k] - sums_w[k]) + other_w) / 3.0;
            let exact = nodes_w(&h, gpus_w[k], d);
            prop_assert!((w - exact).abs() < 1e-7, "{k}: {w} {exact}");
        }
    }
}
