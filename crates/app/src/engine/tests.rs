use std::io::{Error, ErrorKind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::Sender;
use std::time::Duration;

use ballast_study::{Inputs, Silent};

use super::*;
use crate::live::LiveSource;
use crate::platform::{Pick, Picked, PlatformError, Scratch};
use crate::trace::{Recorder, TraceSet, Window};

const OFFGRID: &str = include_str!("../../../../examples/training-offgrid.toml");
const CAMPUS: &str = include_str!("../../../../examples/campus.toml");

/// Threads, and the files beside a folder.
#[derive(Default)]
struct Machine {
    full: bool,
    panics: bool,
}

struct NoRoom;

impl Scratch for NoRoom {
    fn append(&self, _: &[f32]) -> std::io::Result<()> {
        Err(Error::from(ErrorKind::StorageFull))
    }

    fn read(&self, _: u64, _: &mut [f32]) -> std::io::Result<usize> {
        Ok(0)
    }
}

fn unavailable<T>() -> Result<T, PlatformError> {
    Err(PlatformError::Unavailable("not here".to_owned()))
}

impl Platform for Machine {
    fn spawn(&self, _: &str, work: Box<dyn FnOnce() + Send>) {
        std::thread::spawn(work);
    }

    fn read(&self, _: &Path) -> Result<String, PlatformError> {
        unavailable()
    }

    fn write(&self, _: &Path, _: &[u8]) -> Result<(), PlatformError> {
        unavailable()
    }

    fn remove(&self, _: &Path) -> Result<(), PlatformError> {
        unavailable()
    }

    fn data_dir(&self) -> Option<PathBuf> {
        None
    }

    fn pick(&self, _: Pick, _: Sender<Picked>) {}

    fn inputs(&self, loaded: Loaded) -> Result<(Loaded, Inputs), Vec<Problem>> {
        assert!(!self.panics, "a machine that fails");
        ballast_inputs::read(loaded).map(|ready| (ready.loaded, ready.inputs))
    }

    fn scratch(&self) -> std::io::Result<Arc<dyn Scratch>> {
        if self.full {
            return Ok(Arc::new(NoRoom));
        }
        crate::desktop::scratch::scratch()
    }

    fn write_figures(
        &self,
        _: &ballast_study::outcome::Outcome,
        _: &Path,
    ) -> Result<Vec<PathBuf>, PlatformError> {
        unavailable()
    }

    fn write_traces(
        &self,
        _: &TraceSet,
        _: &[(String, String)],
        _: &Path,
    ) -> Result<(), PlatformError> {
        unavailable()
    }

    fn live(&self) -> Result<Box<dyn LiveSource>, PlatformError> {
        unavailable()
    }

    fn playback(&self, _: &Path) -> Result<Box<dyn LiveSource>, PlatformError> {
        unavailable()
    }
}

fn engine(machine: Machine) -> Engine {
    Engine::new(Arc::new(machine), Arc::new(|| {}))
}

fn task(text: &str, kind: TaskKind) -> Task {
    Task {
        text: text.into(),
        name: "a.toml".to_owned(),
        base_dir: PathBuf::new(),
        kind,
    }
}

fn short(text: &str) -> String {
    text.replace("duration_s = 60.0", "duration_s = 6.0")
}

/// All answers up to the end of every job.
fn all(engine: &mut Engine) -> Vec<(u64, Answer)> {
    let mut answers = Vec::new();
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        answers.extend(engine.poll());
        if engine.jobs.iter().all(|j| j.phase != JobPhase::Running) {
            return answers;
        }
        assert!(Instant::now() < deadline, "no end");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn results(answers: &[(u64, Answer)]) -> Vec<Arc<RunResult>> {
    let result = |a: &(u64, Answer)| match &a.1 {
        Answer::Result(r) => Some(Arc::clone(r)),
        _ => None,
    };
    answers.iter().filter_map(result).collect()
}

#[test]
fn a_shown_run_says_what_the_command_says() {
    let text = short(OFFGRID);
    let mut engine = engine(Machine::default());
    let id = engine.start(task(&text, TaskKind::Shown));
    assert!(engine.shown_progress().is_some());
    let answers = all(&mut engine);
    let results = results(&answers);
    assert_eq!(results.len(), 2, "first at once, then over the ranges");
    assert!(answers.iter().all(|a| a.0 == id));
    assert!(!results[0].ranges_checked && results[1].ranges_checked);

    let loaded = ballast_scenario::load_str("a.toml", &text, Path::new(""), &[]).unwrap();
    let expected = ballast_study::run(&loaded, &Inputs::default(), None, &Silent).unwrap();
    let json = |o: &ballast_study::outcome::Outcome| serde_json::to_string(o).unwrap();
    assert_eq!(json(&results[1].outcome), json(&expected));
    for result in &results {
        let of = |o: &ballast_study::outcome::Outcome| -> Vec<_> {
            o.verdicts
                .iter()
                .map(|v| (v.limit.clone(), v.status, v.worst_value))
                .collect()
        };
        assert_eq!(of(&result.outcome), of(&expected));
        assert_eq!(result.outcome.provenance.scenario_sha256, loaded.sha256);
        assert_eq!(result.outcome.scenario, loaded.scenario);
        assert!(result.unbuffered.is_none() && result.zoom.is_none());
    }
    let result = &results[1];
    assert_eq!(result.traces.samples, 6001);
    let site = result.traces.named("site_w").unwrap();
    assert!(site.what.starts_with("active power"), "{}", site.what);
    assert!(
        result
            .traces
            .traces
            .iter()
            .all(|t| !t.name.starts_with("rack_w_"))
    );
    let (_, high) = site.extremes(0.0, 6.0).unwrap();
    assert_eq!(high, expected.site.envelope.max as f32);
    let racks = result.racks.as_ref().unwrap();
    assert_eq!(racks.racks.len(), 32);
    assert_eq!(racks.racks[0], ("hall-001".to_owned(), 0));
    assert_eq!(racks.racks[31], ("hall-032".to_owned(), 1));
    assert!(racks.mean_w.len() <= 2048 && racks.mean_w.iter().all(|b| b.len() == 32));
    assert_eq!(result.phases.len(), 1);
    assert_eq!(engine.jobs()[0].phase, JobPhase::Done);
    assert_eq!(engine.shown_progress(), None);
}

#[test]
fn buffers_are_compared_with_none() {
    let text = short(OFFGRID).replace("start_s = -10.0 ", "start_s = 1.0\nstagger_s = 2.0");
    let mut engine = engine(Machine::default());
    engine.start(task(&text, TaskKind::Shown));
    let results = results(&all(&mut engine));
    let (last, before) = (&results[2], &results[1]);
    assert!(before.unbuffered.is_none());
    let bare = last.unbuffered.as_ref().unwrap();
    assert_eq!(bare.samples, last.traces.samples);
    assert_ne!(
        bare.named("site_w").unwrap().extremes(0.0, 6.0),
        last.traces.named("site_w").unwrap().extremes(0.0, 6.0)
    );
    assert!(Arc::ptr_eq(&last.outcome, &before.outcome));
}

#[test]
fn the_newest_run_wins() {
    let mut engine = engine(Machine::default());
    let mut newest = 0;
    for k in 0..8 {
        let text = short(OFFGRID).replace("seed = 7", &format!("seed = {k}"));
        newest = engine.start(task(&text, TaskKind::Shown));
        std::thread::sleep(Duration::from_millis(5));
    }
    let answers = all(&mut engine);
    let shown = results(&answers);
    assert!(shown.iter().all(|r| r.job == newest));
    assert_eq!(shown.last().unwrap().outcome.provenance.seed, 7);
    assert_eq!(engine.jobs().len(), 1, "what was replaced is in no list");
}

#[test]
fn a_long_run_waits_to_be_asked_for_and_is_cancelled_at_once() {
    let text = CAMPUS.replace("[simulation]", "[simulation]\nrealisations = 50");
    let mut engine = engine(Machine::default());
    engine.start(task(&text, TaskKind::Shown));
    let answers = all(&mut engine);
    assert!(
        matches!(&answers[..], [(_, Answer::Long(e))] if e.seconds > 20.0),
        "{answers:?}"
    );
    // The best of a few: a machine that builds something else beside may take its time.
    let mut cancelled_in = Duration::MAX;
    for _ in 0..5 {
        let id = engine.start(task(&text, TaskKind::ShownAnyway));
        let begun = Instant::now();
        while engine.shown_progress().is_some_and(|p| p <= 0.0) {
            assert!(begun.elapsed() < Duration::from_mins(1));
            std::thread::sleep(Duration::from_millis(5));
        }
        engine.cancel(id);
        assert_eq!(engine.shown_progress(), None);
        let asked = Instant::now();
        let answers = all(&mut engine);
        cancelled_in = cancelled_in.min(asked.elapsed());
        assert!(
            matches!(answers[..], [(_, Answer::Cancelled)]),
            "{answers:?}"
        );
        assert_eq!(engine.jobs()[0].phase, JobPhase::Cancelled);
        if cancelled_in < Duration::from_secs(1) {
            return;
        }
    }
    panic!("cancelled in {cancelled_in:?}");
}

#[test]
fn what_is_wrong_with_the_text_is_told_with_its_place() {
    let missing = OFFGRID.replace("generic-diesel-1000kw", "generic-diesel-9999kw");
    let overloaded = OFFGRID.replace("count = 2\n", "count = 1\n");
    for (text, key, line) in [
        (&*missing, "plant.sets", true),
        (&*overloaded, "plant", false),
        ("[scenario\n", "", true),
    ] {
        let mut engine = engine(Machine::default());
        engine.start(task(text, TaskKind::Shown));
        let answers = all(&mut engine);
        let [(_, Answer::Problems(problems))] = &answers[..] else {
            panic!("{answers:?}")
        };
        assert!(problems[0].key.starts_with(key), "{problems:?}");
        assert!(!line || problems[0].line.is_some(), "{problems:?}");
        assert!(matches!(engine.jobs()[0].phase, JobPhase::Failed(_)));
    }
}

#[test]
fn a_trace_that_is_missing_or_has_no_number_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[scenario]\nname = \"a\"\n[simulation]\nduration_s = 2.0\n\
                [[loads]]\nkind = \"trace\"\nname = \"l\"\nfile = \"l.csv\"\nscope = \"site\"\n";
    let told = |csv: Option<&str>| {
        if let Some(csv) = csv {
            std::fs::write(folder.path().join("l.csv"), csv).unwrap();
        }
        let mut engine = engine(Machine::default());
        engine.start(Task {
            base_dir: folder.path().to_owned(),
            ..task(text, TaskKind::Shown)
        });
        let answers = all(&mut engine);
        match &answers[..] {
            [(_, Answer::Problems(problems))] => format!("{problems:?}"),
            other => format!("{other:?}"),
        }
    };
    assert!(told(None).contains("l.csv"));
    let nan = told(Some("time_s,power_w\n0,100\n1,NaN\n2,100\n3,100\n"));
    assert!(nan.contains("line: Some(3)"), "{nan}");
}

#[test]
fn a_part_that_panics_takes_no_window_with_it() {
    let text = "[scenario]\nname = \"a\"\n[[loads]]\nkind = \"trace\"\nname = \"l\"\nfile = \"l.csv\"\nscope = \"site\"\n";
    let mut engine = engine(Machine {
        panics: true,
        ..Machine::default()
    });
    engine.start(task(text, TaskKind::Shown));
    let answers = all(&mut engine);
    let [(_, Answer::Failed(why))] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert!(
        why.contains("a machine that fails") && why.contains("unchanged"),
        "{why}"
    );
}

#[test]
fn samples_beyond_memory_lie_in_a_file_and_a_full_disk_is_told() {
    let loaded = ballast_scenario::load_str("a.toml", &short(OFFGRID), Path::new(""), &[]).unwrap();
    let record = |memory, full| {
        let machine = Machine {
            full,
            ..Machine::default()
        };
        let mut sink = Recorder::new(Arc::new(machine), &loaded.scenario, 6001, memory);
        let ran = ballast_study::run(&loaded, &Inputs::default(), Some(&mut sink), &Silent);
        ran.map(|_| sink.finish().unwrap().0)
    };
    let (near, far) = (
        record(1 << 30, false).unwrap(),
        record(1000, false).unwrap(),
    );
    assert!(far.bytes() < near.bytes() / 4);
    let (mut a, mut b) = (Window::default(), Window::default());
    for (near, far) in near.traces.iter().zip(&far.traces) {
        for (from, to) in [(0.0, 6.0), (4.0, 4.5), (5.99, 6.0), (4.0955, 4.0975)] {
            near.window(from, to, 500, &mut a);
            far.window(from, to, 500, &mut b);
            assert_eq!(a, b);
        }
    }
    let error = record(1000, true).unwrap_err();
    let Stopped::Failed(why) = Stopped::of(&loaded, error) else {
        panic!("no failure")
    };
    assert!(
        why.contains("no room") && why.contains("free some space"),
        "{why}"
    );
}

#[test]
fn variants_stand_beside_the_scenario_while_the_shown_run_goes_on() {
    let text = format!(
        "{}\n[[variant]]\nname = \"three\"\n[variant.set]\nplant.sets.diesel.count = 3\n",
        short(OFFGRID)
    );
    let mut engine = engine(Machine::default());
    let compare = engine.start(task(&text, TaskKind::Compare));
    let shown = engine.start(task(&text, TaskKind::Shown));
    let answers = all(&mut engine);
    assert!(results(&answers).iter().all(|r| r.job == shown));
    let compared = answers.iter().find_map(|a| match &a.1 {
        Answer::Compared(all) if a.0 == compare => Some(all),
        _ => None,
    });
    let [base, three] = &compared.unwrap()[..] else {
        panic!("two results")
    };
    assert!(three.name.ends_with("three"), "{}", three.name);
    assert_ne!(
        base.outcome.provenance.scenario_sha256,
        three.outcome.provenance.scenario_sha256
    );
    assert_eq!(engine.jobs().len(), 2);
}

#[test]
fn progress_calls_the_window_ten_times_a_second_at_most() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&calls);
    let wake = move || log.lock().unwrap().push(Instant::now());
    let mut engine = Engine::new(Arc::new(Machine::default()), Arc::new(wake));
    engine.start(task(
        &short(OFFGRID).replace("6.0", "20.0"),
        TaskKind::Shown,
    ));
    let begun = Instant::now();
    let answers = all(&mut engine).len() + 1;
    let most = begun.elapsed().as_millis() as usize / 100 + 1 + answers;
    assert!(calls.lock().unwrap().len() <= most);
}
