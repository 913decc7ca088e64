//! What the stand-in plays, and when it fails.

/// The environment variable with the script.
pub const VARIABLE: &str = "NVML_STANDIN";

/// The load of a GPU over time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wave {
    /// Always the same watts.
    Constant(f64),
    /// Low and high watts, period in seconds, share of the period that is high.
    Square(f64, f64, f64, f64),
}

impl Wave {
    /// Energy from 0 to `t_s`, joules; before 0 the wave goes on backwards.
    pub(crate) fn energy_j(&self, t_s: f64) -> f64 {
        match *self {
            Self::Constant(w) => w * t_s,
            Self::Square(low, high, period_s, duty) => {
                let whole = (t_s / period_s).floor();
                let rest_s = t_s - whole * period_s;
                let on_s = duty * period_s;
                let in_period_j = low * period_s + (high - low) * on_s;
                whole * in_period_j + low * rest_s + (high - low) * rest_s.min(on_s)
            }
        }
    }

    /// Period in seconds; one second for a constant.
    pub(crate) fn period_s(&self) -> f64 {
        match *self {
            Self::Constant(_) => 1.0,
            Self::Square(_, _, period_s, _) => period_s,
        }
    }
}

/// Something that happens to a GPU at a time after the library was opened.
pub(crate) type At = Option<(usize, f64)>;

/// A script, read from `key=value` pairs between semicolons.
///
/// | key | value | else |
/// |---|---|---|
/// | `gpus` | number of GPUs | 1 |
/// | `name` | their name | `Stand-in GPU` |
/// | `driver` | driver version | `580.82.07` |
/// | `arch` | NVML's number of the architecture (7 Ampere, 9 Hopper, 10 Blackwell) | 9 |
/// | `wave` | `constant W`, or `square LOW HIGH PERIOD_S DUTY` | `square 100 400 2 0.5` |
/// | `update_ms`, `window_ms` | of the sensor | 100, 25 |
/// | `unsupported`, `denied` | readings and settings, between commas: `average`, `instant`, `power_usage`, `energy`, `clock`, `utilisation`, `memory`, `temperature`, `throttle`, `limit`, `samples`, `module`, `mig`, `processes`, `set_limit`, `set_clocks` | none |
/// | `init` | what opening the library returns | 0 |
/// | `lost`, `reset`, `stuck` | `GPU@SECONDS`: falls off the bus; its counter begins at 0; its readings stop moving | never |
/// | `back` | `SECONDS`: the driver's clock goes back by 5 s | never |
/// | `slow_ms` | what reading the power takes | 0 |
/// | `mig` | 1: divided into instances | 0 |
/// | `process` | pid of a process on each GPU | none |
/// | `log` | file to which every setting is added, a line each | none |
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub(crate) gpus: usize,
    pub(crate) name: String,
    pub(crate) driver: String,
    pub(crate) arch: u32,
    pub(crate) wave: Wave,
    pub(crate) update_s: f64,
    pub(crate) window_s: f64,
    pub(crate) unsupported: Vec<String>,
    pub(crate) denied: Vec<String>,
    pub(crate) init: u32,
    pub(crate) lost: At,
    pub(crate) reset: At,
    pub(crate) stuck: At,
    pub(crate) back_s: Option<f64>,
    pub(crate) slow_ms: u64,
    pub(crate) mig: u32,
    pub(crate) process: Option<u32>,
    pub(crate) log: Option<String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            gpus: 1,
            name: "Stand-in GPU".to_owned(),
            driver: "580.82.07".to_owned(),
            arch: 9,
            wave: Wave::Square(100.0, 400.0, 2.0, 0.5),
            update_s: 0.1,
            window_s: 0.025,
            unsupported: Vec::new(),
            denied: Vec::new(),
            init: 0,
            lost: None,
            reset: None,
            stuck: None,
            back_s: None,
            slow_ms: 0,
            mig: 0,
            process: None,
            log: None,
        }
    }
}

impl Script {
    /// Reads a script; `None` where it cannot be understood.
    pub fn parse(text: &str) -> Option<Self> {
        let mut script = Self::default();
        for pair in text.split(';').map(str::trim).filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            script.set(key.trim(), value.trim())?;
        }
        Some(script)
    }

    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        let words = || value.split(',').map(|w| w.trim().to_owned()).collect();
        match key {
            "gpus" => self.gpus = value.parse().ok()?,
            "name" => value.clone_into(&mut self.name),
            "driver" => value.clone_into(&mut self.driver),
            "arch" => self.arch = value.parse().ok()?,
            "wave" => self.wave = wave(value)?,
            "update_ms" => self.update_s = value.parse::<f64>().ok()? / 1000.0,
            "window_ms" => self.window_s = value.parse::<f64>().ok()? / 1000.0,
            "unsupported" => self.unsupported = words(),
            "denied" => self.denied = words(),
            "init" => self.init = value.parse().ok()?,
            "lost" => self.lost = at(value),
            "reset" => self.reset = at(value),
            "stuck" => self.stuck = at(value),
            "back" => self.back_s = value.parse().ok(),
            "slow_ms" => self.slow_ms = value.parse().ok()?,
            "mig" => self.mig = value.parse().ok()?,
            "process" => self.process = value.parse().ok(),
            "log" => self.log = Some(value.to_owned()),
            _ => return None,
        }
        Some(())
    }

    /// Whether what happens `at` has happened to this GPU by now.
    pub(crate) fn since(at: At, gpu: usize, t_s: f64) -> Option<f64> {
        at.filter(|(which, when_s)| *which == gpu && t_s >= *when_s)
            .map(|(_, when_s)| when_s)
    }

    /// The sensor's time: the last update, or the one at which it stuck.
    fn updated_s(&self, gpu: usize, t_s: f64) -> f64 {
        let t_s = Self::since(self.stuck, gpu, t_s).unwrap_or(t_s);
        (t_s / self.update_s).floor() * self.update_s
    }

    /// Mean power over a window before the last update, watts.
    pub(crate) fn power_w(&self, gpu: usize, t_s: f64, window_s: f64) -> f64 {
        let late_s = 0.1 * gpu as f64 * self.wave.period_s();
        let to_s = self.updated_s(gpu, t_s) - late_s;
        (self.wave.energy_j(to_s) - self.wave.energy_j(to_s - window_s)) / window_s
    }

    /// The energy counter, joules; it stands at 1000 J when the library is opened.
    pub(crate) fn counter_j(&self, gpu: usize, t_s: f64) -> f64 {
        let late_s = 0.1 * gpu as f64 * self.wave.period_s();
        let now_s = self.updated_s(gpu, t_s);
        let (from_s, start_j) = match Self::since(self.reset, gpu, t_s) {
            Some(when_s) => (when_s, 0.0),
            None => (0.0, 1000.0),
        };
        let grown = self.wave.energy_j(now_s - late_s) - self.wave.energy_j(from_s - late_s);
        start_j + grown.max(0.0)
    }
}

fn at(text: &str) -> At {
    let (gpu, when_s) = text.split_once('@')?;
    Some((gpu.parse().ok()?, when_s.parse().ok()?))
}

fn wave(text: &str) -> Option<Wave> {
    let mut words = text.split_whitespace();
    let kind = words.next()?;
    let numbers: Vec<f64> = words.map(|w| w.parse().ok()).collect::<Option<_>>()?;
    match (kind, numbers.as_slice()) {
        ("constant", &[w]) => Some(Wave::Constant(w)),
        ("square", &[low, high, period_s, duty]) => Some(Wave::Square(low, high, period_s, duty)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_sees_the_mean_of_the_wave() {
        let script = Script::parse("wave=square 100 400 2 0.5;update_ms=100;window_ms=200")
            .expect("a script");
        // Updates at 0.9 s: wholly high; at 1.1 s: half of the 200 ms high.
        assert!((script.power_w(0, 0.95, 0.2) - 400.0).abs() < 1e-9);
        assert!((script.power_w(0, 1.15, 0.2) - 250.0).abs() < 1e-6);
        assert!((script.counter_j(0, 4.0) - 2000.0).abs() < 1e-6);
    }

    #[test]
    fn nonsense_is_no_script() {
        assert_eq!(Script::parse("wave=round"), None);
        assert_eq!(Script::parse("speed=3"), None);
        assert_eq!(Script::parse(" ; "), Some(Script::default()));
    }
}
