//! Specifications without problems, for tests to break.

use ballast_units::{Confidence, Grade, Sourced};

use crate::spec::{
    GpuProfile, HostSpec, MeteredSide, NodeSpec, PhaseSpec, Phases, PsuSpec, TransitionSpec,
};

pub(crate) fn sourced(value: f64) -> Sourced {
    Sourced {
        value,
        low: None,
        high: None,
        source: "test".to_owned(),
        grade: Grade::Given,
        confidence: Confidence::Low,
    }
}

pub(crate) fn phase(power_w: f64) -> PhaseSpec {
    let step = TransitionSpec {
        delta_w: 100.0,
        time_s: 0.001,
        window_s: 0.000_2,
        source: "test".to_owned(),
        grade: Grade::Given,
        confidence: Confidence::Low,
    };
    PhaseSpec {
        power_w: sourced(power_w),
        spread_w: Some(sourced(5.0)),
        correlation_time_s: Some(sourced(0.73)),
        duration_s: Some(sourced(2.0)),
        rise: Some(step.clone()),
        fall: Some(step),
    }
}

pub(crate) fn gpu() -> GpuProfile {
    GpuProfile {
        label: "Test GPU".to_owned(),
        notes: String::new(),
        tdp_w: sourced(700.0),
        edpp_w: None,
        smoothing: None,
        phases: Phases {
            idle: Some(phase(72.0)),
            load: Some(phase(140.0)),
            ..Phases::default()
        },
    }
}

pub(crate) fn node() -> NodeSpec {
    NodeSpec {
        label: "Test node".to_owned(),
        notes: String::new(),
        gpu: "test".to_owned(),
        gpus: 8,
        host: HostSpec {
            fixed_w: sourced(1040.0),
            slope: sourced(1.32),
            slow_share: None,
            slow_lag_s: None,
            metered: MeteredSide::NodeAc,
        },
        psu: "test".to_owned(),
        psu_count: 4,
    }
}

/// ORv3, 3 kW.
pub(crate) fn psu() -> PsuSpec {
    PsuSpec {
        label: "Test supply".to_owned(),
        notes: String::new(),
        rated_w: sourced(3000.0),
        loss_fixed: sourced(0.005),
        loss_linear: sourced(0.0),
        loss_square: sourced(0.0313),
        lag_s: sourced(0.03),
        holdup_j: sourced(60.0),
        power_factor: None,
        power_factor_light: None,
    }
}
