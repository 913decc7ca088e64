//! What a form shows of a scenario, and what its edits write.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::{Place, PlaceFrom, PlaceKind, Resolved};

const TEXT: &str = r#"
[scenario]
name = "x"
[[racks]]
name = "hall"
count = 2
node = "hgx-h100"
nodes_per_rack = 4
[[plant.sets]]
preset = "generic-diesel-1000kw"
name = "a.b"
governor.droop_pu = 0.03
"#;

fn find<'a>(place: &'a Place, key: &str) -> Option<&'a Place> {
    if place.key == key {
        return Some(place);
    }
    place.places.iter().find_map(|p| find(p, key))
}

fn resolved(text: &str) -> Resolved {
    Resolved::new("t.toml", text, Path::new("")).unwrap()
}

#[test]
fn places_say_where_their_value_comes_from() {
    let outline = resolved(TEXT).outline();
    let get = |key: &str| find(&outline, key).unwrap();
    let droop = get("plant.sets.0.governor.droop_pu");
    assert_eq!(droop.path, "plant.sets.\"a.b\".governor.droop_pu");
    assert_eq!(
        (droop.value.as_str(), droop.from),
        ("0.03", PlaceFrom::File)
    );
    assert_eq!(get("plant.sets.0.inertia_s").from, PlaceFrom::Preset);
    assert!(get("plant.sets.0.inertia_s").source.is_some());
    assert_eq!(get("simulation.step_s").from, PlaceFrom::Default);
    assert_eq!(get("simulation.step_s").value, "0.001");
    assert_eq!(get("facility").from, PlaceFrom::Absent);
    assert!(get("facility").places.is_empty() && get("facility").optional);
    assert_eq!(get("gpus.h100-sxm5.tdp_w").what, PlaceKind::Number);
    assert_eq!(get("gpus.h100-sxm5").from, PlaceFrom::Preset);
}

#[test]
fn what_is_wrong_elsewhere_hides_nothing() {
    let text = TEXT.replace("generic-diesel-1000kw", "no-such") + "rated_kw = -1\n[nonsense]\n";
    let outline = resolved(&text).outline();
    assert_eq!(find(&outline, "plant.sets.0.rated_kw").unwrap().value, "-1");
    assert!(Resolved::new("t", "a = [", Path::new("")).is_err());
}

#[test]
fn an_edit_is_fitted_to_its_key_or_refused() {
    let resolved = resolved(TEXT);
    let toml = |path: &str, value: &str| resolved.fit(path, value).unwrap().toml().unwrap();
    assert_eq!(toml("plant.sets.0.rated_kw", "1.1 MW"), "1100");
    assert_eq!(toml("simulation.duration_s", "300 ms"), "0.3");
    assert_eq!(toml("scenario.description", "a \"b\""), "\"a \\\"b\\\"\"");
    assert_eq!(toml("outputs.ramp_windows_s", "[1, 2]"), "[1, 2]");
    let fitted = resolved.fit("gpus.h100-sxm5.tdp_w", "0.6 kW").unwrap();
    assert_eq!(fitted.base.as_deref(), Some("h100-sxm5"));
    let fitted = resolved
        .fit("plant.sets.0.governor.model", "constant")
        .unwrap();
    assert!(
        fitted.leave.contains(&"droop_pu".to_owned()),
        "{:?}",
        fitted.leave
    );
    for (path, value) in [
        ("plant.sets.0.rated_kw", "5 s"),
        ("racks.hall.count", "0"),
        ("racks.hall.cuont", "1"),
        ("racks.hall", "1"),
        ("gpus.nobody.tdp_w", "1"),
    ] {
        assert!(resolved.fit(path, value).is_err(), "{path}");
    }
}

/// A form follows every key that is typed.
#[test]
fn it_is_ready_at_once() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/campus.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let (mut read_s, mut outline_s) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..10 {
        let start = std::time::Instant::now();
        let resolved = resolved(&text);
        read_s = read_s.min(start.elapsed().as_secs_f64());
        let start = std::time::Instant::now();
        let outline = resolved.outline();
        outline_s = outline_s.min(start.elapsed().as_secs_f64());
        assert!(outline.places.len() > 10);
    }
    eprintln!(
        "read {:.2} ms, outline {:.2} ms",
        read_s * 1e3,
        outline_s * 1e3
    );
    // Without optimisation it takes much longer, which is no sign of harm.
    let most_s = if cfg!(debug_assertions) { 0.3 } else { 0.005 };
    assert!(read_s + outline_s < most_s, "{read_s} {outline_s}");
}
