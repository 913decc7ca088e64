//! Floor, storage in racks and a battery at once: what goes in at the bus comes out somewhere.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::load_str;
use ballast_study::compare::{Member, compare, figure};
use ballast_study::outcome::Outcome;
use ballast_study::{Inputs, Silent};

const STEP_S: f64 = 0.002;
const RUN_S: f64 = 20.0;

fn run(racks: &str, rest: &str) -> Outcome {
    let text = format!(
        r#"[scenario]
name = "all"
[simulation]
duration_s = {RUN_S}
step_s = {STEP_S}
engine = "per_gpu"
seed = 3
[[racks]]
name = "r"
count = 4
preset = "gb200-nvl72"
{racks}
[[jobs]]
kind = "training"
name = "t"
start_s = -100
iteration_s = 1
compute_share = 0.7
node_jitter_s = 0.01
iteration_jitter_s = 0.02
{rest}
"#
    );
    let loaded = load_str("s.toml", &text, Path::new("."), &[]).unwrap_or_else(|p| panic!("{p}"));
    ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap()
}

const FLOOR: &str = "gpu_smoothing = { floor_share = 0.7 }\n";
const STORAGE: &str = "storage = { preset = \"supercap-sidecar\", energy_j = 20000 }\n";
const BATTERY: &str = "[[bess]]\nname = \"b\"\nenergy_kwh = 5\npower_kw = 150\ntime_constant_s = 4\nstanding_kw = 2\n";

/// Energy at the bus is that of the racks before, what the floors added, what stores lost and what they hold more.
#[test]
fn energy_at_the_bus_is_accounted_for() {
    let alone = run("", "");
    let floor = run(FLOOR, "");
    let stored = run(&format!("{FLOOR}{STORAGE}"), "");
    let all = run(&format!("{FLOOR}{STORAGE}"), BATTERY);

    // Floor: what it added at the GPUs is what the GPUs drew more; hosts that follow their GPUs and the supplies come on top.
    let added_j = floor
        .gpu_smoothing
        .iter()
        .map(|g| g.report.floor_kwh * 3.6e6)
        .sum::<f64>();
    let more_j = (floor.site.gpu.mean_w - alone.site.gpu.mean_w) * RUN_S;
    assert!((more_j / added_j - 1.0).abs() < 5e-3, "{more_j} {added_j}");
    let bus_j = floor.site.energy_j - alone.site.energy_j;
    assert!((1.0..1.6).contains(&(bus_j / added_j)), "{bus_j} {added_j}");

    // Stores: each keeps its own books to rounding.
    let s = &all.storage[0];
    let b = &all.bess[0];
    assert!(
        s.in_j > 1e5 && b.in_j > 1e3 && b.lost_j > 1.99e3 * RUN_S,
        "{s:?} {b:?}"
    );
    assert!((s.in_j - s.out_j - s.lost_j - s.stored_change_j).abs() <= 1e-9 * s.in_j);
    assert!((b.in_j - b.out_j - b.lost_j - b.stored_j).abs() <= 1e-9 * b.in_j);
    // The load that racks draw for themselves does not know of the battery.
    assert_eq!(s.out_j, stored.storage[0].out_j);

    // The bus: a store's books hold its power over a step, the bus joins samples by lines; they differ by half a step at either end.
    let rack_step_j = STEP_S * f64::from(s.racks) * (s.charge_peak_w + s.discharge_peak_w);
    let by_racks_j = stored.site.energy_j - floor.site.energy_j;
    assert!(
        (by_racks_j - (s.lost_j + s.stored_change_j)).abs() <= rack_step_j,
        "{by_racks_j} {s:?}"
    );
    let by_battery_j = all.site.energy_j - stored.site.energy_j;
    assert!(
        (by_battery_j - (b.lost_j + b.stored_j)).abs() <= STEP_S * b.power_w,
        "{by_battery_j} {b:?}"
    );
}

/// The comparison's rows are those books, and what is stored at the end is not counted as spent.
#[test]
fn the_comparison_shows_what_each_measure_did() {
    let alone = run("", "");
    let all = run(&format!("{FLOOR}{STORAGE}"), BATTERY);
    let member = |name, outcome| Member {
        name,
        description: "",
        outcome,
    };
    let table = compare(&[member("alone", &alone), member("all", &all)]);
    let value = |key: &str| {
        let row = table.rows.iter().find(|r| r.key == key);
        row.unwrap_or_else(|| panic!("{key} is missing"))
            .values
            .clone()
    };
    let (s, b) = (&all.storage[0], &all.bess[0]);
    assert_eq!(
        value("rack_storage_lost_kwh"),
        [None, Some(s.lost_j / 3.6e6)]
    );
    assert_eq!(value("bess_given_kwh"), [None, Some(b.out_j / 3.6e6)]);
    assert_eq!(
        value("bess_used_percent")[1],
        Some(100.0 * (b.charge_max_share - b.charge_min_share))
    );
    assert_eq!(
        value("gpu_floor_kwh")[1],
        Some(all.gpu_smoothing[0].report.floor_kwh)
    );
    let stored_kwh = (s.stored_change_j + b.stored_j) / 3.6e6;
    assert!((value("stored_change_kwh")[1].unwrap() - stored_kwh).abs() < 1e-12);
    let spent = (all.site.energy_j / 3.6e6 - stored_kwh) / (alone.site.energy_j / 3.6e6);
    assert!((value("energy_overhead_percent")[1].unwrap() - 100.0 * (spent - 1.0)).abs() < 1e-9);
    let band = all.site.band.as_ref().unwrap();
    assert_eq!(figure(&all, "band_mw_rms"), Some(band.rms_w / 1e6));
    assert!(value("band_mw_rms")[1] < value("band_mw_rms")[0].map(|mw| 0.4 * mw));
}
