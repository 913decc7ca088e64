//! Specifications to build sites from.

use std::collections::BTreeMap;

use ballast_aggregate::{
    BatchJob, CorrelationSpec, DemandBlock, GroupEngine, IterationShape, JobSpec, RackGroup, Site,
    SiteEventSpec, SiteInput, SiteProblem, TenantSpec, TrainingJob,
};
use ballast_buffer::StorageSpec;
use ballast_profile::{
    GpuProfile, HostSpec, MeteredSide, NodeSpec, PhaseKind, PhaseSpec, Phases, PsuSpec,
    TransitionSpec,
};
use ballast_units::{Confidence, Grade, Sourced};

pub(crate) fn sourced(value: f64) -> Sourced {
    Sourced {
        value,
        low: None,
        high: None,
        source: "test".into(),
        grade: Grade::Given,
        confidence: Confidence::Low,
    }
}

pub(crate) fn phase(power_w: f64, sigma_w: f64) -> PhaseSpec {
    PhaseSpec {
        power_w: sourced(power_w),
        spread_w: Some(sourced(sigma_w)),
        correlation_time_s: Some(sourced(1.0)),
        duration_s: Some(sourced(1.0)),
        rise: None,
        fall: None,
    }
}

pub(crate) fn way(time_s: f64) -> TransitionSpec {
    TransitionSpec {
        delta_w: 1.0,
        time_s,
        window_s: 0.001,
        source: "test".into(),
        grade: Grade::Given,
        confidence: Confidence::Low,
    }
}

/// Idle 100 W, launch 150, load 200, warmup 400, steady 500, compute 600, communication 200, checkpoint 120. Clamp 100 kW.
pub(crate) fn gpu(sigma_w: f64) -> GpuProfile {
    GpuProfile {
        label: "test GPU".into(),
        notes: String::new(),
        tdp_w: sourced(1e5),
        edpp_w: None,
        smoothing: None,
        phases: Phases {
            idle: Some(phase(100.0, 0.0)),
            launch: Some(phase(150.0, 0.0)),
            load: Some(phase(200.0, 0.0)),
            warmup: Some(phase(400.0, 0.0)),
            steady_decode: Some(phase(500.0, sigma_w)),
            train_compute: Some(phase(600.0, sigma_w)),
            train_communication: Some(phase(200.0, sigma_w)),
            checkpoint: Some(phase(120.0, 0.0)),
            ..Phases::default()
        },
    }
}

/// No host power, no losses, no lag: the rack's power is its GPUs'.
pub(crate) fn node(gpus: u32) -> NodeSpec {
    NodeSpec {
        label: "test node".into(),
        notes: String::new(),
        gpu: "gpu".into(),
        gpus,
        host: HostSpec {
            fixed_w: sourced(0.0),
            slope: sourced(1.0),
            slow_share: None,
            slow_lag_s: None,
            metered: MeteredSide::NodeAc,
        },
        psu: "psu".into(),
        psu_count: 2,
    }
}

pub(crate) fn psu(lag_s: f64) -> PsuSpec {
    PsuSpec {
        label: "test supply".into(),
        notes: String::new(),
        rated_w: sourced(3000.0),
        loss_fixed: sourced(0.005),
        loss_linear: sourced(0.0),
        loss_square: sourced(0.0313),
        lag_s: sourced(lag_s),
        holdup_j: sourced(60.0),
        power_factor: None,
        power_factor_light: None,
    }
}

/// Storage of so many joules that moves 10 kW either way.
pub(crate) fn storage(energy_j: f64) -> StorageSpec {
    StorageSpec {
        label: String::new(),
        notes: String::new(),
        count: Some(2),
        energy_j: sourced(energy_j / 2.0),
        charge_w: sourced(5e3),
        discharge_w: sourced(5e3),
        charge_efficiency: sourced(0.97),
        discharge_efficiency: sourced(0.96),
        standing_w: Some(sourced(1.0)),
        low_share: Some(sourced(0.1)),
        high_share: None,
        start_share: None,
        time_constant_s: sourced(0.5),
        recovery_s: sourced(5.0),
        taper_s: None,
    }
}

pub(crate) fn batch(name: &str) -> BatchJob {
    BatchJob {
        name: name.into(),
        racks: vec![],
        gpus: None,
        tenant: None,
        share: None,
        start_s: -1000.0,
        stagger_s: 0.0,
        start_jitter_s: 0.0,
        launch_s: None,
        load_s: None,
        warmup_s: None,
        steady: PhaseKind::SteadyDecode,
        steady_s: None,
        runs: vec![],
        correlation: None,
    }
}

pub(crate) fn training(name: &str) -> TrainingJob {
    TrainingJob {
        name: name.into(),
        racks: vec![],
        gpus: None,
        tenant: None,
        share: None,
        start_s: 0.0,
        stop_s: None,
        iteration_s: 1.0,
        compute_share: 0.75,
        iteration_jitter_s: 0.0,
        node_jitter_s: 0.0,
        checkpoint_every: None,
        checkpoint_s: None,
        shape: IterationShape::default(),
        straggler: None,
        crash_at_s: None,
        mtbf_s: None,
        restart_after_s: None,
        restore_s: None,
        restart_stagger_s: 0.0,
        restart_jitter_s: 0.0,
        stagger_s: 0.0,
        secondary_load: None,
        correlation: None,
    }
}

pub(crate) fn equal(coefficient: f64) -> CorrelationSpec {
    CorrelationSpec::Equal { coefficient }
}

pub(crate) fn racks(name: &str, count: u32, nodes_per_rack: u32) -> RackGroup {
    RackGroup {
        name: name.into(),
        count,
        node: "node".into(),
        nodes_per_rack,
        racks_per_row: None,
        other_kw: None,
        other_metered: None,
        gpu_smoothing: None,
        storage: None,
    }
}

/// A scenario to be changed and built.
pub(crate) struct Build {
    pub(crate) racks: Vec<RackGroup>,
    pub(crate) jobs: Vec<JobSpec>,
    pub(crate) tenants: Vec<TenantSpec>,
    pub(crate) correlation: Option<CorrelationSpec>,
    pub(crate) gpus: BTreeMap<String, GpuProfile>,
    pub(crate) nodes: BTreeMap<String, NodeSpec>,
    pub(crate) psus: BTreeMap<String, PsuSpec>,
    pub(crate) events: Vec<SiteEventSpec>,
}

impl Build {
    pub(crate) fn new(
        racks: Vec<RackGroup>,
        jobs: Vec<JobSpec>,
        gpus_per_node: u32,
        sigma_w: f64,
    ) -> Self {
        Self {
            racks,
            jobs,
            tenants: vec![],
            correlation: None,
            gpus: BTreeMap::from([("gpu".into(), gpu(sigma_w))]),
            nodes: BTreeMap::from([("node".into(), node(gpus_per_node))]),
            psus: BTreeMap::from([("psu".into(), psu(0.0))]),
            events: vec![],
        }
    }

    pub(crate) fn site(&self) -> Result<Site, Vec<SiteProblem>> {
        Site::new(SiteInput {
            racks: &self.racks,
            jobs: &self.jobs,
            tenants: &self.tenants,
            correlation: self.correlation.as_ref(),
            gpus: &self.gpus,
            nodes: &self.nodes,
            psus: &self.psus,
            events: &self.events,
        })
    }

    /// One block of the given length from t = 0.
    #[expect(
        clippy::unwrap_used,
        reason = "a test that runs a site has a valid one"
    )]
    pub(crate) fn run(&self, dt_s: f64, steps: usize, seed: u64) -> DemandBlock {
        let site = self.site().unwrap();
        let mut engine = GroupEngine::new(&site, dt_s, seed, 0);
        let mut block = DemandBlock::new(site.rack_count(), steps);
        engine.fill(&mut block);
        block
    }
}

/// Mean and standard deviation.
pub(crate) fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (
        mean,
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt(),
    )
}
