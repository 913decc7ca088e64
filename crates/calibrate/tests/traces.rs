//! Segmentation and refit on measured traces of other people, where they are at hand.

#![expect(clippy::print_stdout, reason = "figures and skipped tests are told")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use ballast_calibrate::{Calibration, GpuRecording, Origin, Recording, calibrate, text};

fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BALLAST_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("traces").join(name);
    if !path.is_dir() {
        println!("skipped: the measured traces {name} are not at hand (BALLAST_SHARED)");
        return None;
    }
    Some(path)
}

/// Columns of a log by the words their names begin with, by GPU; a ragged row and one that steps back in time are left out.
fn read(file: &Path, name: &str, time: &str, gpu: Option<&str>, power: &str) -> Recording {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').map(str::trim).collect();
    let at = |word: &str| header.iter().position(|h| h.starts_with(word));
    let (t, p) = (at(time).unwrap(), at(power).unwrap());
    let (g, u, m) = (
        gpu.and_then(at),
        at("util_gpu").or(at("utilization.gpu")),
        at("mem_used_mib"),
    );
    let percent = header.iter().any(|h| h.starts_with("utilization.gpu"));
    let mut gpus: Vec<GpuRecording> = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() != header.len() {
            continue;
        }
        let number = |i: usize| cells[i].parse::<f64>().ok();
        let seconds = number(t).or_else(|| {
            let clock: Vec<f64> = cells[t]
                .split(' ')
                .nth(1)?
                .split(':')
                .filter_map(|c| c.parse().ok())
                .collect();
            Some(3600.0 * clock.first()? + 60.0 * clock.get(1)? + clock.get(2)?)
        });
        let (Some(seconds), Some(power_w)) = (seconds, number(p)) else {
            continue;
        };
        let index = g.and_then(number).unwrap_or(0.0) as u32;
        if !gpus.iter().any(|found| found.index == index) {
            gpus.push(GpuRecording {
                index,
                name: name.to_owned(),
                instant_w: Some(Vec::new()),
                utilisation: u.map(|_| Vec::new()),
                memory_used_bytes: m.map(|_| Vec::new()),
                ..GpuRecording::default()
            });
        }
        let gpu = gpus.iter_mut().find(|found| found.index == index).unwrap();
        if gpu.time_s.last().is_some_and(|last| seconds <= *last) {
            continue;
        }
        gpu.time_s.push(seconds);
        gpu.instant_w.as_mut().unwrap().push(power_w);
        if let (Some(column), Some(u)) = (&mut gpu.utilisation, u) {
            let scale = if percent { 0.01 } else { 1.0 };
            column.push(scale * number(u).unwrap_or(f64::NAN));
        }
        if let (Some(column), Some(m)) = (&mut gpu.memory_used_bytes, m) {
            column.push(1_048_576.0 * number(m).unwrap_or(f64::NAN));
        }
    }
    // Rows that two writers mixed up can name a GPU that never was.
    gpus.retain(|gpu| gpu.time_s.len() >= 20);
    gpus.sort_by_key(|gpu| gpu.index);
    Recording {
        gpus,
        ..Recording::default()
    }
}

/// Calibrates and checks the three figures of every group.
fn figures(what: &str, recording: &Recording) -> Calibration {
    let done = calibrate(recording, &Origin::default()).unwrap();
    println!("{what}\n{}", text(&done));
    for report in &done.reports {
        let refit = report.refit.as_ref().unwrap();
        println!(
            "| {what} | {:?} | energy {:.2} % | R2 {:?} | NRMSE {:.3} |",
            report.gpus,
            100.0 * refit.energy_error,
            refit.acf_r2,
            refit.nrmse
        );
    }
    done
}

fn good(done: &Calibration, what: &str) {
    for report in &done.reports {
        let refit = report.refit.as_ref().unwrap();
        assert!(refit.good, "{what} {:?}: {refit:?}", report.gpus);
    }
}

const A100: &str = "NVIDIA A100-PCIE-40GB";
const V100: &str = "Tesla V100-SXM2-32GB";

#[test]
fn a100_steady_wave() {
    let Some(folder) = folder("nvml-vs-meter-a100") else {
        return;
    };
    let recording = read(
        &folder.join("5050/A100/gpudata.csv"),
        A100,
        "timestamp",
        None,
        "power.draw.instant",
    );
    let done = figures("a100 steady wave", &recording);
    good(&done, "a100 steady wave");
}

#[test]
fn a100_load_step() {
    let Some(folder) = folder("nvml-vs-meter-a100") else {
        return;
    };
    let recording = read(
        &folder.join("Transient_Response/A100_TR/gpudata.csv"),
        A100,
        "timestamp",
        None,
        "power.draw.instant",
    );
    good(&figures("a100 load step", &recording), "a100 load step");
}

#[test]
fn v100_caps_and_bursts() {
    let Some(folder) = folder("v100x3-cap-steps/v100_raw") else {
        return;
    };
    let mut all = Vec::new();
    for (file, time, gpu, power) in [
        (
            "E1_power_cap_sweep/bursty_alternating_pcap300_sm1380.csv",
            "t_s",
            "gpu_index",
            "power_w",
        ),
        (
            "E1_power_cap_sweep/inference_memory_bound_pcap300_sm1380.csv",
            "t_s",
            "gpu_index",
            "power_w",
        ),
        (
            "E1_power_cap_sweep/matmul_compute_bound_pcap300_sm1380.csv",
            "t_s",
            "gpu_index",
            "power_w",
        ),
        ("E2_inner_loop/telemetry.csv", "t_s", "gpu_index", "power_w"),
        (
            "E3_outer_loop/bursty_alternating_telemetry.csv",
            "t_s",
            "gpu_index",
            "power_w",
        ),
        (
            "E4_closed_loop/bursty_alternating_trajectory.csv",
            "t",
            "",
            "measured_w",
        ),
        (
            "E6_multigpu/budget_900_telemetry.csv",
            "t",
            "gpu_index",
            "power_w",
        ),
    ] {
        let gpu = (!gpu.is_empty()).then_some(gpu);
        let recording = read(&folder.join(file), V100, time, gpu, power);
        all.push((file, figures(file, &recording)));
    }
    for (file, done) in &all {
        good(done, file);
    }
}

#[test]
fn h100_fine_tuning() {
    let Some(folder) = folder("h100x64-llama2-70b-lora") else {
        return;
    };
    let mut recording = read(
        &folder.join("pscad_load_profile.csv"),
        "",
        "time",
        None,
        "dP_pu",
    );
    // Power over its mean is 1 + dP/0.05; the mean is not published: 1 kW stands for it, and no name, for it is a sum of 64 sensors.
    for value in recording.gpus[0].instant_w.iter_mut().flatten() {
        *value = 1000.0 * (1.0 + *value / 0.05);
    }
    good(&figures("h100 fine-tuning", &recording), "h100 fine-tuning");
}
