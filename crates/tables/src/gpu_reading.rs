//! What the columns of a log of GPUs hold, by their names.

use crate::gpu_log::number;
use crate::unit::{power_unit, unit_text};

/// A quantity of a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reading {
    /// Power without a word on its window, watts.
    PowerW,
    /// Averaged power, watts.
    AverageW,
    /// Instantaneous power, watts.
    InstantW,
    /// Energy counter, joules.
    EnergyJ,
    /// Clock of the SMs, MHz.
    SmMhz,
    /// Clock of the memory, MHz.
    MemoryMhz,
    /// Share of time in which something ran, 0 to 1.
    Utilisation,
    /// Memory in use, bytes.
    MemoryUsedBytes,
    /// Temperature, degrees Celsius.
    TemperatureC,
    /// Reasons why clocks are held back, as NVML's bits.
    Throttle,
    /// Power limit in force, watts.
    LimitW,
    /// Line of the file.
    #[doc(hidden)]
    Line,
}

impl Reading {
    /// Whether it is a power that was drawn.
    pub(crate) fn is_power(self) -> bool {
        matches!(self, Self::PowerW | Self::AverageW | Self::InstantW)
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::AverageW => "averaged power",
            Self::InstantW => "instantaneous power",
            _ => "power",
        }
    }
}

/// What a column holds, and how its numbers become the reading's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) reading: Reading,
    factor: f64,
    /// The bit that `Active` sets, for columns of yes and no.
    pub(crate) bit: Option<u32>,
}

impl Wanted {
    pub(crate) fn of(reading: Reading, factor: f64) -> Self {
        Self {
            reading,
            factor,
            bit: None,
        }
    }

    pub(crate) fn scaled(self, value: f64) -> f64 {
        match self.bit {
            Some(bit) => value * f64::from(bit),
            None => value * self.factor,
        }
    }

    /// The number in a cell; none where it holds none.
    pub(crate) fn value(self, text: &str) -> Option<f64> {
        let text = text.trim();
        if self.reading == Reading::Throttle {
            let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
            if let Some(bits) = hex.and_then(|h| u64::from_str_radix(h, 16).ok()) {
                return Some(bits as f64);
            }
            match text.to_ascii_lowercase().as_str() {
                "active" => return Some(self.scaled(1.0)),
                "not active" => return Some(0.0),
                _ => {}
            }
        }
        number(text).map(|v| self.scaled(v))
    }
}

/// Name without its unit, in lower case, with `.` and blanks as `_`.
fn plain(name: &str) -> String {
    let name = name.split(['[', '(']).next().unwrap_or(name).trim();
    name.to_lowercase().replace(['.', ' ', '-'], "_")
}

/// The GPU in front of a column's name, `gpu0_power_w` or `gpu0.power.draw [W]`, and the rest of the name.
pub(crate) fn gpu_of(name: &str) -> (Option<u32>, &str) {
    let lower = name.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("gpu") else {
        return (None, name);
    };
    let rest = rest.trim_start_matches(['_', ' ']);
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, after) = rest.split_at(digits);
    match (
        number.parse().ok(),
        after.strip_prefix(['_', '.', ' ', ':']),
    ) {
        (Some(gpu), Some(tail)) => (Some(gpu), &name[name.len() - tail.len()..]),
        _ => (None, name),
    }
}

/// Whether a column names the GPU of its row.
pub(crate) fn identity(name: &str) -> bool {
    [
        "index",
        "gpu",
        "gpu_index",
        "gpu_id",
        "gpu_uuid",
        "uuid",
        "gpu_name",
        "name",
        "pci_bus_id",
        "hostname",
    ]
    .contains(&plain(name).as_str())
}

/// Whether a column holds the driver's version.
pub(crate) fn driver_column(name: &str) -> bool {
    plain(name) == "driver_version"
}

/// What a column holds, by its name; none for what is of no use here.
pub(crate) fn wanted(name: &str) -> Option<Wanted> {
    let plain = plain(name);
    let unit = unit_text(name).to_ascii_lowercase();
    let is = |names: &[&str]| names.contains(&plain.as_str());
    let of = |reading, factor| Some(Wanted::of(reading, factor));
    if let Some(reason) = ["clocks_throttle_reasons_", "clocks_event_reasons_"]
        .iter()
        .find_map(|p| plain.strip_prefix(p))
    {
        return throttle(reason);
    }
    if is(&[
        "throttle_reasons",
        "throttle",
        "clocks_event_reasons",
        "clocks_throttle_reasons",
    ]) {
        return of(Reading::Throttle, 1.0);
    }
    if is(&[
        "clocks_current_sm",
        "clocks_sm",
        "sm_clock_mhz",
        "sm_mhz",
        "sm_clock",
    ]) {
        return of(Reading::SmMhz, 1.0);
    }
    if is(&[
        "clocks_current_memory",
        "clocks_mem",
        "clocks_current_mem",
        "mem_clock_mhz",
        "memory_mhz",
        "mem_mhz",
    ]) {
        return of(Reading::MemoryMhz, 1.0);
    }
    if is(&[
        "utilization_gpu",
        "utilisation_gpu",
        "util_gpu",
        "utilisation",
        "utilization",
        "utilisation_share",
        "gpu_util",
    ]) {
        return of(
            Reading::Utilisation,
            if name.contains('%') { 0.01 } else { 1.0 },
        );
    }
    if is(&[
        "memory_used",
        "mem_used_mib",
        "memory_used_mib",
        "memory_used_bytes",
        "mem_used_bytes",
        "fb_used",
    ]) {
        let bytes = plain.ends_with("bytes") || unit == "b" || unit == "bytes";
        return of(
            Reading::MemoryUsedBytes,
            if bytes { 1.0 } else { 1_048_576.0 },
        );
    }
    if is(&["temperature_gpu", "temperature_c", "temperature", "temp_c"]) {
        return of(Reading::TemperatureC, 1.0);
    }
    if is(&[
        "energy_j",
        "total_energy_j",
        "energy_mj",
        "total_energy_consumption",
    ]) {
        return of(
            Reading::EnergyJ,
            if plain.ends_with("_j") { 1.0 } else { 1e-3 },
        );
    }
    let watts = power_unit(name).map_or(1.0, crate::unit::Unit::factor);
    if is(&[
        "power_limit",
        "enforced_power_limit",
        "power_limit_w",
        "limit_w",
        "pcap_set",
    ]) {
        return of(Reading::LimitW, watts);
    }
    if is(&[
        "power_draw_instant",
        "instant_w",
        "power_instant_w",
        "power_draw_instant_w",
    ]) {
        return of(Reading::InstantW, watts);
    }
    if is(&[
        "power_draw_average",
        "average_w",
        "power_average_w",
        "power_draw_average_w",
    ]) {
        return of(Reading::AverageW, watts);
    }
    if is(&[
        "power_draw",
        "power_w",
        "power",
        "power_draw_w",
        "gpu_power_w",
    ]) {
        return of(Reading::PowerW, watts);
    }
    None
}

/// A column of one reason, or of all of them together.
fn throttle(reason: &str) -> Option<Wanted> {
    let bit = match reason {
        "active" => return Some(Wanted::of(Reading::Throttle, 1.0)),
        "gpu_idle" => 0x1,
        "applications_clocks_setting" => 0x2,
        "sw_power_cap" => 0x4,
        "hw_slowdown" => 0x8,
        "sync_boost" => 0x10,
        "sw_thermal_slowdown" => 0x20,
        "hw_thermal_slowdown" => 0x40,
        "hw_power_brake_slowdown" => 0x80,
        _ => return None,
    };
    Some(Wanted {
        reading: Reading::Throttle,
        factor: 1.0,
        bit: Some(bit),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_nvidia_smi_and_plain_words_are_known() {
        let reading = |name: &str| wanted(gpu_of(name).1).map(|w| w.reading);
        for (name, expected) in [
            ("power.draw [W]", Some(Reading::PowerW)),
            ("power.draw.instant [W]", Some(Reading::InstantW)),
            ("power.draw.average [W]", Some(Reading::AverageW)),
            ("power.limit [W]", Some(Reading::LimitW)),
            ("clocks.current.sm [MHz]", Some(Reading::SmMhz)),
            ("utilization.gpu [%]", Some(Reading::Utilisation)),
            ("memory.used [MiB]", Some(Reading::MemoryUsedBytes)),
            ("temperature.gpu", Some(Reading::TemperatureC)),
            ("clocks_event_reasons.active", Some(Reading::Throttle)),
            ("gpu0_power_w", Some(Reading::PowerW)),
            ("gpu12.energy_j", Some(Reading::EnergyJ)),
            ("pstate", None),
            ("fan_pct", None),
        ] {
            assert_eq!(reading(name), expected, "{name}");
        }
        assert_eq!(gpu_of("gpu12.energy_j"), (Some(12), "energy_j"));
        assert_eq!(gpu_of("gpu_index"), (None, "gpu_index"));
        let percent = wanted("utilization.gpu [%]").unwrap();
        assert_eq!(percent.value("97 %"), Some(0.97));
        let reasons = wanted("throttle_reasons").unwrap();
        assert_eq!(reasons.value("0x0000000000000024"), Some(36.0));
        let slow = wanted("clocks_throttle_reasons.sw_thermal_slowdown").unwrap();
        assert_eq!(slow.value("Active"), Some(32.0));
        assert_eq!(slow.value("Not Active"), Some(0.0));
    }
}
