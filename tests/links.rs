//! Links between crates: what one hands to the next is what it should be.

#![expect(clippy::panic, reason = "helpers of tests")]

use std::path::Path;

use ballast_scenario::{Loaded, load_str};
use ballast_series::{SinkError, TraceBlock, TraceSink};
use ballast_study::{Inputs, Observer, Silent, StudyError};

fn load(text: &str) -> Loaded {
    load_str("test.toml", text, Path::new("."), &[]).unwrap_or_else(|e| panic!("{e}"))
}

/// Keeps columns in memory.
#[derive(Default)]
struct Kept {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    next_s: f64,
}

impl TraceSink for Kept {
    fn block(&mut self, block: &TraceBlock<'_>) -> Result<(), SinkError> {
        if self.names.is_empty() {
            self.names = block.columns.iter().map(|c| c.name.to_owned()).collect();
            self.columns = vec![Vec::new(); self.names.len()];
        } else {
            assert!(
                (block.t0_s - self.next_s).abs() < 1e-9,
                "blocks follow each other"
            );
        }
        for (into, c) in self.columns.iter_mut().zip(block.columns) {
            into.extend_from_slice(c.values);
        }
        self.next_s = block.t0_s + block.len() as f64 * block.dt_s;
        Ok(())
    }
}

impl Kept {
    fn column(&self, name: &str) -> &[f64] {
        let i = self
            .names
            .iter()
            .position(|n| n == name)
            .unwrap_or_else(|| panic!("no column {name} in {:?}", self.names));
        &self.columns[i]
    }
}

fn traces(text: &str) -> Kept {
    let mut kept = Kept::default();
    ballast_study::run(&load(text), &Inputs::default(), Some(&mut kept), &Silent)
        .unwrap_or_else(|e| panic!("{e}"));
    kept
}

const SET: &str = r#"
[plant]
torque = "power"
[[plant.sets]]
name = "G1"
rated_kw = 2500
rated_kva = 3125
inertia_s = 1.0
turbo = { enabled = false, time_constant_s = 1.5, acceptance_pu = 0.45 }
[plant.sets.governor]
model = "tgov1"
droop_pu = 0.05
t1_s = 0.1
vmax_pu = 10
vmin_pu = -10
"#;

/// cf2a in closed form: droop governor with one lag, +0.2 pu; through the whole chain, with a step off the grid.
#[test]
fn a_block_step_from_file_to_trace() {
    for at_s in [1.0, 1.000_37] {
        let text = format!(
            "[scenario]\nname = \"cf2a\"\n[simulation]\nduration_s = 4\n[[loads]]\nkind = \"steps\"\nname = \"block\"\n\
             initial_kw = 1250\nevents = [{{ at_s = {at_s}, power_kw = 1875 }}]\n{SET}"
        );
        let kept = traces(&text);
        let (f, p) = (kept.column("f_pu_G1"), kept.column("site_w"));
        assert_eq!(f.len(), 4001);
        assert_eq!((p[999], p[1002]), (1.25e6, 1.875e6));
        let (wn, zeta, dp, r) = (10.0_f64, 0.5_f64, 0.2, 0.05);
        let (sg, wd) = (zeta * wn, wn * (1.0 - zeta * zeta).sqrt());
        let c = (sg - 0.1 * wn * wn) / wd;
        for (k, f) in f.iter().enumerate() {
            let t = k as f64 * 1e-3 - at_s;
            let dw = if t <= 0.0 {
                0.0
            } else {
                -dp * r * (1.0 - (-sg * t).exp() * ((wd * t).cos() + c * (wd * t).sin()))
            };
            assert!((f - 1.0 - dw).abs() < 1e-9, "at {t}: {f} {}", 1.0 + dw);
        }
    }
}

/// A rack that is added changes no other rack's power.
#[test]
fn racks_keep_their_randomness() {
    let head = "[scenario]\nname = \"r\"\n[simulation]\nduration_s = 1\nstep_s = 0.01\n[outputs]\nrack_traces = true\nramp_windows_s = [0.02]\n\
        [correlation]\nkind = \"equal\"\ncoefficient = 0.3\n[[jobs]]\nkind = \"batch\"\nname = \"a\"\nracks = [\"a\"]\nstart_s = -1000\n\
        [[racks]]\nname = \"a\"\ncount = 3\nnode = \"hgx-h100\"\nnodes_per_rack = 2\n";
    let more = format!(
        "{head}[[racks]]\nname = \"b\"\ncount = 2\nnode = \"hgx-h200\"\nnodes_per_rack = 1\n"
    );
    let (few, many) = (traces(head), traces(&more));
    for rack in ["rack_w_a-001", "rack_w_a-002", "rack_w_a-003"] {
        assert_eq!(few.column(rack), many.column(rack), "{rack}");
    }
    let sum: Vec<f64> = (0..few.column("site_w").len())
        .map(|i| {
            (1..=3)
                .map(|r| few.column(&format!("rack_w_a-00{r}"))[i])
                .sum()
        })
        .collect();
    for (s, w) in sum.iter().zip(few.column("site_w")) {
        assert!((s - w).abs() < 1e-6 * w, "{s} {w}");
    }
}

/// Power is conserved from racks and loads to the sets.
#[test]
fn sets_carry_the_load() {
    let text = format!(
        "[scenario]\nname = \"p\"\n[simulation]\nduration_s = 2\n[[racks]]\nname = \"a\"\ncount = 20\nnode = \"hgx-h100\"\nnodes_per_rack = 4\n\
         [[jobs]]\nkind = \"training\"\nname = \"t\"\nstart_s = -3\niteration_s = 0.5\ncompute_share = 0.6\n\
         [[loads]]\nkind = \"steps\"\nname = \"s\"\ninitial_kw = 300\nevents = [{{ at_s = 0.7003, power_kw = 500 }}]\n{SET}"
    );
    let kept = traces(&text);
    for (w, pe) in kept
        .column("site_w")
        .iter()
        .zip(kept.column("Pe_pu_G1"))
        .skip(1)
    {
        // The sample at a load step shows the load after it and the sets before it; the step here lies off the grid.
        assert!((pe * 3.125e6 - w).abs() < 1e-6 * w, "{w} {pe}");
    }
}

struct StopAtOnce;

impl Observer for StopAtOnce {
    fn cancelled(&self) -> bool {
        true
    }
}

#[test]
fn an_observer_can_stop_a_run() {
    let text = format!(
        "[scenario]\nname = \"x\"\n[[loads]]\nkind = \"steps\"\nname = \"s\"\ninitial_kw = 300\n{SET}"
    );
    let result = ballast_study::run(&load(&text), &Inputs::default(), None, &StopAtOnce);
    assert!(matches!(
        result,
        Err(StudyError::Interrupted { realisation: 1, .. })
    ));
}

/// The turbo ceiling binds on a 75 % and a 100 % block, not on a 50 % one (from no load, DEGOV1 of the references).
#[test]
fn the_turbo_ceiling_binds_where_it_should() {
    let events = |power_kw: f64| {
        let text = format!(
            "[scenario]\nname = \"turbo\"\n[simulation]\nduration_s = 6\n[[loads]]\nkind = \"steps\"\nname = \"block\"\ninitial_kw = 0\n\
             events = [{{ at_s = 1.0, power_kw = {power_kw} }}]\n[plant]\ntorque = \"power\"\n[[plant.sets]]\nname = \"G1\"\n\
             rated_kw = 2500\nrated_kva = 3125\ninertia_s = 1.07\nturbo = {{ time_constant_s = 1.5, acceptance_pu = 0.45 }}\n\
             [plant.sets.governor]\nmodel = \"degov1\"\nt1_s = 0.01\nt2_s = 0.02\nt3_s = 0.2\nk = 40\nt4_s = 0.25\nt5_s = 0.009\n\
             t6_s = 0.0384\ndead_time_s = 0.024\ntmax_pu = 1.1\n"
        );
        let outcome = ballast_study::run(&load(&text), &Inputs::default(), None, &Silent)
            .unwrap_or_else(|e| panic!("{e}"));
        outcome
            .events
            .iter()
            .filter(|e| e.kind == "turbo_ceiling")
            .count()
    };
    assert_eq!(events(0.4 * 3125.0), 0);
    assert_eq!(events(0.6 * 3125.0), 1);
    assert_eq!(events(0.8 * 3125.0), 1);
}
