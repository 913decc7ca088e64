//! Figures of made-up outcomes: they are written, sound and the same each time, whatever the outcome holds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use ballast_report::{
    ReportError, Sweep, SweepLine, SweepPoint, write_comparison, write_figures, write_sweep,
};
use ballast_study::outcome::Outcome;

/// Writes the figures, checks each file and returns their names in order. `BALLAST_FIGURES=<folder>` keeps them to look at.
fn check(outcome: &Outcome, case: &str) -> Vec<String> {
    let temporary = tempfile::tempdir().unwrap();
    let folder = match std::env::var_os("BALLAST_FIGURES") {
        Some(kept) => {
            let folder = Path::new(&kept).join(case);
            fs::create_dir_all(&folder).unwrap();
            folder
        }
        None => temporary.path().to_owned(),
    };
    let written = write_figures(outcome, &folder).unwrap();
    for path in &written {
        match path.extension().and_then(|e| e.to_str()) {
            Some("png") => check_png(path),
            Some("svg") => check_svg(path, outcome),
            other => panic!("{other:?}"),
        }
    }
    written
        .iter()
        .map(|p| p.file_name().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn check_png(path: &Path) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap()))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(
        (frame.width, frame.height),
        (1600, 900),
        "{}",
        path.display()
    );
    let ink = pixels.iter().filter(|&&p| p < 128).count();
    assert!(ink > 2000, "{} is nearly empty", path.display());
    assert!(
        pixels[..3] == [255; 3],
        "{} is not on white",
        path.display()
    );
}

/// Every tag closes, text is escaped, and the title stands in it.
fn check_svg(path: &Path, outcome: &Outcome) {
    let text = fs::read_to_string(path).unwrap();
    let name = path.display();
    assert!(
        text.starts_with("<svg width=\"1600\" height=\"900\" viewBox="),
        "{name}"
    );
    assert!(text.trim_end().ends_with("</svg>"), "{name}");
    assert!(
        text.contains(&format!("{}: ", outcome.scenario.scenario.name)),
        "{name}"
    );
    assert!(
        text.contains("sans-serif") && text.contains(&format!("seed {}", outcome.provenance.seed)),
        "{name}"
    );
    assert!(!text.contains("NaN") && !text.contains("inf<"), "{name}");
    let mut open = Vec::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        assert!(
            !rest[..start].contains('&') || rest[..start].contains(';'),
            "{name}: {}",
            &rest[..start]
        );
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "{name}");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap().to_owned());
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: {tag}");
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{name}: {open:?}");
}

fn names(figures: &[&str]) -> Vec<String> {
    figures
        .iter()
        .flat_map(|f| [format!("{f}.svg"), format!("{f}.png")])
        .collect()
}

const ALL: [&str; 5] = [
    "power-frequency",
    "worst-moment",
    "resonance",
    "envelope",
    "load-duration",
];

#[test]
fn a_plausible_run_has_all_figures() {
    assert_eq!(check(&common::plausible(), "plausible"), names(&ALL));
}

#[test]
fn modes_lines_and_voltage_are_marked() {
    let outcome = common::with_resonance();
    assert_eq!(check(&outcome, "resonance"), names(&ALL));
    let folder = tempfile::tempdir().unwrap();
    write_figures(&outcome, folder.path()).unwrap();
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let resonance = text("resonance.svg");
    // The second line of the cadence is too weak to be labelled; the third is not.
    for there in [
        "damping ratio 0.02",
        "3 Hz, damping ratio 0.3",
        "1 Hz: 300 kW",
        "3 Hz: 100 kW",
    ] {
        assert!(resonance.contains(there), "{there}");
    }
    assert!(!resonance.contains("2 Hz: 1") && !resonance.contains("0.9<"));
    assert!(text("power-frequency.svg").contains("Bus voltage (pu)"));
    assert!(text("worst-moment.svg").contains("Bus voltage (pu)"));
}

#[test]
fn lines_and_bands_are_there() {
    let folder = tempfile::tempdir().unwrap();
    write_figures(&common::plausible(), folder.path()).unwrap();
    let file = File::open(folder.path().join("power-frequency.png")).unwrap();
    let mut reader = png::Decoder::new(BufReader::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size()];
    reader.next_frame(&mut pixels).unwrap();
    let count = |colour: [u8; 3]| pixels.chunks_exact(3).filter(|p| p == &colour).count();
    // Power, frequency, limit.
    for colour in [[0, 114, 178], [0, 158, 115], [213, 94, 0]] {
        assert!(count(colour) > 1000, "{colour:?}: {}", count(colour));
    }
}

#[test]
fn events_are_marked_and_the_rest_is_counted() {
    let mut outcome = common::plausible();
    outcome.events = vec![
        common::event(5.0, "set_trip", "G1"),
        common::event(46.0, "throttle_limit", "G1"),
        common::event(70.0, "collapse", "bus"),
    ];
    let mut other = common::event(30.0, "set_trip", "G9");
    other.realisation = 2;
    outcome.events.push(other);
    let draw = |outcome: &Outcome| {
        assert_eq!(check(outcome, "events"), names(&ALL));
        let folder = tempfile::tempdir().unwrap();
        write_figures(outcome, folder.path()).unwrap();
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        (text("power-frequency.svg"), text("worst-moment.svg"))
    };
    let (whole, close) = draw(&outcome);
    assert!(whole.contains("trip G1") && whole.contains("throttle limit G1"));
    // Neither what is after the run nor what another realisation met.
    assert!(!whole.contains("collapse") && !whole.contains("G9") && !whole.contains("(ticks)"));
    assert!(close.contains("throttle limit G1") && !close.contains("trip G1"));
    let crash = |k: i32| common::event(f64::from(k) * 0.2, "crash", &format!("job <{k}>"));
    outcome.events.extend((0..300).map(crash));
    let (whole, _) = draw(&outcome);
    assert!(whole.contains("trip G1") && whole.contains("events (ticks)"));
}

#[test]
fn storage_and_contingencies_have_figures_of_their_own() {
    let mut outcome = common::plausible();
    outcome.storage_curves = Some(common::storage());
    let mut empty = common::contingency("nothing of it is known", 0);
    empty.frequency_pyramid = None;
    outcome.contingencies = vec![
        common::contingency("loss of one set", 1),
        empty,
        common::contingency(
            "loss of <another> & a name that is too long to stand above",
            8,
        ),
    ];
    let mut expected = ALL.to_vec();
    expected.extend(["storage", "contingency-1", "contingency-3"]);
    assert_eq!(check(&outcome, "storage"), names(&expected));
    let folder = tempfile::tempdir().unwrap();
    write_figures(&outcome, folder.path()).unwrap();
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let storage = text("storage.svg");
    for words in [
        "worst group",
        "B1",
        "without storage",
        "2 more batteries",
        "takes",
    ] {
        assert!(storage.contains(words), "{words}");
    }
    let first = text("contingency-1.svg");
    for words in [
        "loss of one set at 20 s: FAIL",
        "collapse",
        "limit 59 Hz",
        "limit 100 %",
        "G0 60 %",
    ] {
        assert!(first.contains(words), "{words}");
    }
    // The trip stands there once, under the contingency's name; a far limit is named, not drawn.
    assert!(!first.contains("trip G0") && first.contains("off this axis: limit of 75 Hz"));
    assert!(!first.contains("Bus voltage") && text("contingency-3.svg").contains("Bus voltage"));

    // Without anything to draw, the panels say so or are left out.
    let nothing = ballast_series::Pyramid {
        t0_s: f64::NAN,
        levels: Vec::new(),
    };
    let mut curves = common::storage();
    for store in curves
        .racks
        .iter_mut()
        .chain(&mut curves.worst_group)
        .chain(&mut curves.bess)
    {
        store.charge_share = nothing.clone();
        store.power_w = common::single(f64::NAN);
    }
    curves.before_w = nothing;
    let mut rotten = common::rotten();
    rotten.storage_curves = Some(curves);
    assert!(check(&rotten, "rotten-storage").contains(&"storage.png".to_owned()));
}

#[test]
fn the_band_of_a_limit_is_shaded_and_its_swing_told() {
    let mut outcome = common::plausible();
    outcome.site.band = Some(ballast_study::outcome::BandKpis {
        metered: "bus".to_owned(),
        low_hz: 0.1,
        high_hz: 20.0,
        seen_to_hz: 100.0,
        rms_w: 285e3,
        ac_rms_w: 290e3,
        share: 0.96,
        resolution_hz: 0.05,
        segments: 5,
    });
    let text = |outcome: &Outcome| {
        assert_eq!(check(outcome, "band"), names(&ALL));
        let folder = tempfile::tempdir().unwrap();
        write_figures(outcome, folder.path()).unwrap();
        fs::read_to_string(folder.path().join("resonance.svg")).unwrap()
    };
    assert!(!text(&outcome).contains("rms"));
    outcome.scenario.limits.load = Some(ballast_scenario::LoadLimitsSpec {
        band_share: Some(0.5),
        band_min_rms_mw: Some(0.1),
        ..ballast_scenario::LoadLimitsSpec::default()
    });
    assert!(text(&outcome).contains("shaded 0.1 to 20 Hz: 285 kW rms"));
}

#[test]
fn without_a_plant_only_the_load_is_drawn() {
    let mut outcome = common::plausible();
    outcome.plant = None;
    assert_eq!(
        check(&outcome, "no-plant"),
        names(&["power", "spectrum", "envelope", "load-duration"])
    );
}

#[test]
fn constant_signals_have_axes() {
    // A frequency that never moves has no worst moment.
    let expected = names(&["power-frequency", "resonance", "envelope", "load-duration"]);
    assert_eq!(check(&common::constant(700e3), "constant"), expected);
    assert_eq!(check(&common::constant(0.0), "zero"), expected);
}

#[test]
fn one_sample_and_no_spectrum_and_no_racks() {
    assert_eq!(
        check(&common::tiny(), "tiny"),
        names(&["power-frequency", "resonance", "envelope", "load-duration"])
    );
}

#[test]
fn values_that_are_no_numbers_are_left_out() {
    assert_eq!(
        check(&common::rotten(), "rotten"),
        names(&["power-frequency", "resonance", "envelope", "load-duration"])
    );
}

#[test]
fn a_worst_moment_of_another_realisation_is_not_put_on_the_trace() {
    let mut outcome = common::plausible();
    let plant = outcome.plant.as_mut().unwrap();
    plant.frequency_min.value = 59.35;
    plant.frequency_min.at_s = 58.0;
    plant.frequency_min.realisation = 3;
    // Far limits stay off the axis of a quiet bus.
    outcome.verdicts[1].limit_value = Some(75.0);
    assert_eq!(check(&outcome, "other-realisation"), names(&ALL));
}

#[test]
fn a_large_site_over_a_day_with_many_groups_and_odd_names() {
    let mut outcome = common::plausible();
    outcome.scenario = common::scenario(&"a-very-long-scenario-name-".repeat(4)[..100]);
    outcome.site.metered = "the \"bus\" <AC> & behind 'it'\u{7}".to_owned();
    let stretch = |p: &mut ballast_series::Pyramid, factor: f64, dt_s: f64| {
        for level in &mut p.levels {
            level.dt_s = dt_s;
            for values in [&mut level.min, &mut level.mean, &mut level.max] {
                for value in values.iter_mut() {
                    *value *= factor;
                }
            }
        }
    };
    stretch(&mut outcome.site.pyramid, 130.0, 21.6);
    let plant = outcome.plant.as_mut().unwrap();
    stretch(&mut plant.frequency_pyramid, 1.0, 21.6);
    for extreme in [&mut plant.frequency_min, &mut plant.frequency_max] {
        extreme.at_s *= 1440.0;
    }
    plant
        .gain
        .gain_hz_per_mw
        .iter_mut()
        .for_each(|g| *g *= 1e-3);
    plant.gain.peak_gain_hz_per_mw *= 1e-3;
    outcome.provenance.duration_s = 86_400.0;
    outcome
        .site
        .spectrum
        .amplitude
        .iter_mut()
        .for_each(|a| *a *= 130.0);
    let group = |k: u32| {
        common::group(
            &format!("hall {k} <row & aisle>"),
            16,
            5e3 * f64::from(k),
            13e4 + 1e4 * f64::from(k),
        )
    };
    outcome.racks = (1..=40).map(group).collect();
    assert_eq!(check(&outcome, "large"), names(&ALL));
}

#[test]
fn the_same_outcome_gives_the_same_bytes() {
    let outcome = common::plausible();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = write_figures(&outcome, first.path()).unwrap();
    let two = write_figures(&outcome, second.path()).unwrap();
    for (a, b) in one.iter().zip(&two) {
        assert!(
            fs::read(a).unwrap() == fs::read(b).unwrap(),
            "{}",
            a.display()
        );
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = write_figures(&common::tiny(), &missing).unwrap_err();
    assert!(
        matches!(&error, ReportError::Folder { path, .. } if *path == missing),
        "{error}"
    );
    assert!(error.to_string().contains("missing"), "{error}");

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        write_figures(&common::tiny(), &file),
        Err(ReportError::Folder { .. })
    ));

    // A folder in the way of a file: even root cannot write there.
    fs::create_dir(folder.path().join("power-frequency.png")).unwrap();
    let error = write_figures(&common::tiny(), folder.path()).unwrap_err();
    assert!(matches!(&error, ReportError::Write { .. }), "{error}");
    assert!(error.to_string().contains("power-frequency.png"), "{error}");
}

#[test]
fn members_lie_on_top_of_each_other_whatever_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, flat, tiny) = (common::plausible(), common::constant(5e5), common::tiny());
    let members = [
        ("as it is", &plain),
        (
            "no <swing> & nothing else, with a name that is much too long to stand in a legend beside seven others",
            &flat,
        ),
        ("again", &plain),
        ("tiny", &tiny),
        ("five", &flat),
        ("six", &plain),
        ("seven", &plain),
    ];
    for count in [1, 2, 7] {
        let written = write_comparison(&members[..count], folder.path()).unwrap();
        assert_eq!(written.len(), 2);
        let text = fs::read_to_string(folder.path().join("compare.svg")).unwrap();
        assert!(!text.contains("NaN") && !text.contains("<swing>"));
        check_png(&folder.path().join("compare.png"));
        assert!(text.contains("as it is"));
        assert_eq!(text.contains("1 more in the table"), count == 7);
        // Equal curves hide each other, which is told.
        assert_eq!(text.contains("again as as it is"), count == 7);
        if count > 1 {
            assert!(text.contains("close up"));
        }
    }
    let none: [(&str, &Outcome); 0] = [];
    assert_eq!(write_comparison(&none, folder.path()).unwrap().len(), 2);
}

#[test]
fn sweeps_of_any_size_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let point = |value: f64, left: Option<f64>| SweepPoint {
        value,
        left,
        right: left.map(|l| l * 1e-3),
        passes: value > 2.0,
    };
    let line = |points: Vec<SweepPoint>| SweepLine {
        label: "k = 1".to_owned(),
        points,
        smallest: Some(2.5),
    };
    for (log, points) in [
        (false, vec![]),
        (true, vec![point(1.0, Some(10.0))]),
        (true, vec![point(0.0, Some(10.0)), point(9.0, None)]),
        (true, vec![point(1.0, Some(10.0)), point(1e3, Some(0.0))]),
        (
            false,
            vec![point(-1.0, Some(f64::NAN)), point(3.0, Some(1e6))],
        ),
    ] {
        let sweep = Sweep {
            title: "a sweep".to_owned(),
            basis: String::new(),
            footer: String::new(),
            across: "key (kW)".to_owned(),
            log,
            headings: ("swing (kW)".to_owned(), Some("deviation (Hz)".to_owned())),
            lines: vec![line(points)],
        };
        assert_eq!(write_sweep(&sweep, folder.path()).unwrap().len(), 2);
        let text = fs::read_to_string(folder.path().join("size.svg")).unwrap();
        assert!(text.contains("a sweep") && !text.contains("NaN"));
        check_png(&folder.path().join("size.png"));
    }
}
