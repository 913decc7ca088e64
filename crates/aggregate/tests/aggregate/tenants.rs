//! Tenants and shares: who gets how many GPUs, and where.

use ballast_aggregate::{JobSpec, Site, TenantSpec};
use proptest::prelude::*;

use crate::common::{Build, batch, phase, racks, training};
use crate::inference::service;

fn tenant(name: &str, share: f64, racks: &[&str]) -> TenantSpec {
    TenantSpec {
        name: name.into(),
        share,
        racks: racks.iter().map(|r| (*r).to_owned()).collect(),
    }
}

fn of(name: &str, tenant: Option<&str>, share: Option<f64>, gpus: Option<u32>) -> JobSpec {
    let mut job = batch(name);
    (job.tenant, job.share, job.gpus) = (tenant.map(str::to_owned), share, gpus);
    JobSpec::Batch(job)
}

fn gpus(site: &Site) -> Vec<u64> {
    site.job_gpus().iter().map(|j| j.gpus).collect()
}

#[test]
fn shares_come_to_whole_nodes() {
    // Two racks of 5 nodes of 8 GPUs: 10 nodes.
    let jobs = vec![
        of("a1", Some("a"), Some(0.4), None),
        of("b1", Some("b"), Some(0.5), None),
        of("a2", Some("a"), None, Some(4)),
        of("a3", Some("a"), None, None),
    ];
    let mut build = Build::new(vec![racks("r", 2, 5)], jobs, 8, 0.0);
    build.tenants = vec![tenant("a", 0.66, &[]), tenant("b", 0.34, &["r"])];
    let site = build.site().unwrap();
    // 6.6 and 3.4 nodes are 7 and 3; 2.8 of 7 are 3, 1.5 of 3 are 2; what is left of 56 after 24 and 4 is 28.
    assert_eq!(gpus(&site), [24, 16, 4, 28]);
    let tenants: Vec<_> = site
        .tenants()
        .iter()
        .map(|t| (t.of_gpus, t.gpus, t.used_gpus))
        .collect();
    assert_eq!(tenants, [(80, 56, 56), (80, 24, 16)]);
}

#[test]
fn a_tenants_jobs_stay_on_its_racks() {
    let jobs = vec![
        of("a", Some("a"), Some(1.0), None),
        of("b", Some("b"), Some(1.0), None),
    ];
    let mut build = Build::new(
        vec![racks("r", 1, 2), racks("s", 1, 2), racks("t", 1, 1)],
        jobs,
        8,
        0.0,
    );
    build.tenants = vec![tenant("a", 1.0, &["s"]), tenant("b", 1.0, &["t", "r"])];
    assert_eq!(gpus(&build.site().unwrap()), [16, 24]);
    // The same powers as with racks and numbers written out.
    let shared = build.run(0.1, 50, 1);
    let mut plain = build;
    plain.tenants = vec![];
    for (job, racks) in plain.jobs.iter_mut().zip([vec!["s"], vec!["t", "r"]]) {
        let JobSpec::Batch(job) = job else { continue };
        (job.tenant, job.share) = (None, None);
        job.racks = racks.into_iter().map(str::to_owned).collect();
    }
    assert_eq!(shared.site_w, plain.run(0.1, 50, 1).site_w);
}

#[test]
fn replicas_and_stages_are_whole() {
    let shared = |mut job: JobSpec, share: f64| {
        match &mut job {
            JobSpec::Inference(i) => i.share = Some(share),
            JobSpec::Training(t) => t.share = Some(share),
            JobSpec::Batch(b) => b.share = Some(share),
        }
        job
    };
    let replicas = |each: u32| {
        let mut job = service("s", 1.0);
        job.gpus_per_replica = each;
        JobSpec::Inference(job)
    };
    let got = |job: JobSpec| {
        let mut build = Build::new(vec![racks("r", 1, 12)], vec![job], 8, 0.0);
        if let Some(gpu) = build.gpus.get_mut("gpu") {
            gpu.phases.steady_prefill = Some(phase(600.0, 0.0));
        }
        gpus(&build.site().unwrap())[0]
    };
    // 0.3 of 96 GPUs are 28.8.
    assert_eq!(got(shared(replicas(2), 0.3)), 28);
    assert_eq!(got(shared(replicas(16), 0.3)), 32);
    // A replica of 12 GPUs on nodes of 8: two replicas on three nodes.
    assert_eq!(got(shared(replicas(12), 0.3)), 24);
    assert_eq!(got(shared(JobSpec::Training(training("t")), 0.3)), 32);
}

#[test]
fn everything_wrong_with_shares_is_told_at_once() {
    let jobs = vec![
        of("both", Some("a"), Some(0.5), Some(8)),
        of("nobody", Some("zz"), None, None),
        of("much", Some("a"), Some(0.7), None),
        of("zero", None, Some(0.0), None),
        {
            let JobSpec::Batch(mut job) = of("elsewhere", Some("b"), None, None) else {
                return;
            };
            job.racks = vec!["r".into()];
            JobSpec::Batch(job)
        },
    ];
    let mut build = Build::new(vec![racks("r", 1, 2), racks("s", 1, 2)], jobs, 8, 0.0);
    build.tenants = vec![
        tenant("a", 0.8, &["r"]),
        tenant("b", 0.5, &["s"]),
        tenant("c", 0.3, &["r"]),
        tenant("a", 1.5, &["gone"]),
        tenant("d", 0.1, &["r", "s"]),
    ];
    let found = build.site().unwrap_err();
    let mut paths: Vec<_> = found.iter().map(|p| p.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "jobs.0.share",
            "jobs.1.tenant",
            "jobs.2.share",
            "jobs.3.share",
            "jobs.4.racks.0",
            "tenants.0.share",
            "tenants.2",
            "tenants.3.name",
            "tenants.3.racks.0",
            "tenants.3.share",
            "tenants.4",
            "tenants.4.racks",
            "tenants.4.racks",
            "tenants.4.racks",
        ],
        "{found:#?}"
    );
}

#[test]
fn a_share_that_is_nothing_is_refused() {
    let jobs = vec![
        of("a", Some("a"), Some(0.1), None),
        of("b", Some("b"), None, None),
    ];
    let mut build = Build::new(vec![racks("r", 1, 4)], jobs, 8, 0.0);
    build.tenants = vec![tenant("a", 0.9, &[]), tenant("b", 0.1, &[])];
    let found = build.site().unwrap_err();
    let paths: Vec<_> = found.iter().map(|p| p.path.as_str()).collect();
    assert!(
        paths.contains(&"tenants.1.share") && paths.contains(&"jobs.0.share"),
        "{found:#?}"
    );
    // More than the tenant has, though the racks have it.
    build.tenants = vec![tenant("a", 0.5, &[]), tenant("b", 0.5, &[])];
    build.jobs = vec![
        of("a", Some("a"), None, Some(24)),
        of("b", Some("b"), None, None),
    ];
    let found = build.site().unwrap_err();
    assert_eq!(found[0].path, "jobs.0.gpus");
    assert!(found[0].message.contains("16 of its tenant's"), "{found:?}");
}

proptest! {
    #[test]
    fn every_tenant_gets_its_share_within_a_node(
        parts in prop::collection::vec(1_u32..100, 1..6),
        nodes in 1_u32..40,
        count in 1_u32..5,
    ) {
        let sum = f64::from(parts.iter().sum::<u32>());
        let name = |t: usize| format!("t{t}");
        let jobs = (0..parts.len()).map(|t| of(&name(t), Some(&name(t)), None, None)).collect();
        let mut build = Build::new(vec![racks("r", count, nodes)], jobs, 8, 0.0);
        build.tenants = parts
            .iter()
            .enumerate()
            .map(|(t, part)| tenant(&name(t), f64::from(*part) / sum, &[]))
            .collect();
        match build.site() {
            Ok(site) => {
                let got = gpus(&site);
                prop_assert_eq!(got.iter().sum::<u64>(), site.gpu_count());
                for (gpus, part) in got.iter().zip(&parts) {
                    let wanted = f64::from(*part) / sum * site.gpu_count() as f64;
                    prop_assert!((*gpus as f64 - wanted).abs() < 8.0);
                    prop_assert_eq!(gpus % 8, 0);
                }
            }
            Err(found) => prop_assert!(found.iter().all(|p| p.message.contains("gets none"))),
        }
    }
}
