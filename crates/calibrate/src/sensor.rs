//! What a GPU's power sensor shows of the power that is drawn.
//!
//! At instants `u_k = φ + k·T` (update period `T`) the reading becomes `y_k = g·m_k + o`, with `m_k` the mean of the power over the
//! window `[u_k − w, u_k]` (a boxcar), gain `g` and offset `o`; between updates it stands still. Where `w < T` the sensor looks for the
//! part `w/T` of the time only, its duty. Source of the form and of the table: Z. Yang, K. Adámek, W. Armour, "Part-time power
//! measurements: nvidia-smi's lack of attention", SC24 (arXiv 2312.02741) and the results its authors publish with it
//! (GPU_Power_Benchmark). Blackwell was not measured there: its period and window are unknown here until the data tell them.

use std::fmt;

use ballast_units::Grade;

/// The study the table rests on.
const STUDY: &str = "Yang, Adámek, Armour, SC24 (arXiv 2312.02741), result matrix";
/// Half width of the systematic error of a sensor that was not compared with a meter, relative. Source: Yang et al., SC24 (shunts and
/// their amplifiers; measured steady-state errors lie between −6.2 and +0.5 % in the mean).
pub const UNKNOWN_GAIN: f64 = 0.05;

/// Generation of a GPU, as far as its power sensor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Fermi: an estimate, no sensor.
    Fermi,
    /// Kepler.
    Kepler,
    /// Maxwell.
    Maxwell,
    /// Pascal.
    Pascal,
    /// Volta.
    Volta,
    /// Turing.
    Turing,
    /// Ampere GA100: A100, A800, A30.
    Ga100,
    /// Ampere GA10x: A10, A40, RTX 30, RTX A.
    Ga10x,
    /// Ada: L4, L40, RTX 40.
    Ada,
    /// Hopper: H100, H200, GH200.
    Hopper,
    /// Blackwell: B200, GB200, B300, RTX 50.
    Blackwell,
    /// A name that is none of these.
    Unknown,
}

/// Words of GPU names that tell the generation; the first that is found as a whole word counts.
const NAMES: [(Architecture, &[&str]); 11] = [
    (
        Architecture::Blackwell,
        &[
            "B100",
            "B200",
            "B300",
            "GB200",
            "GB300",
            "GB10",
            "BLACKWELL",
            "5090",
            "5080",
            "5070",
            "5060",
            "5050",
        ],
    ),
    (
        Architecture::Hopper,
        &["H100", "H200", "H800", "H20", "GH200"],
    ),
    (
        Architecture::Ada,
        &[
            "ADA", "L4", "L40", "L40S", "L20", "L2", "4090", "4080", "4070", "4060", "4050",
        ],
    ),
    (Architecture::Ga100, &["A100", "A800", "A30", "A100X"]),
    (
        Architecture::Ga10x,
        &[
            "A10", "A10G", "A10M", "A16", "A40", "A2", "A2000", "A4000", "A4500", "A5000", "A5500",
            "A6000", "3090", "3080", "3070", "3060", "3050",
        ],
    ),
    (
        Architecture::Turing,
        &[
            "T4", "T4G", "2080", "2070", "2060", "1660", "1650", "T1000", "T600", "T400",
        ],
    ),
    (Architecture::Volta, &["V100", "V100S", "GV100"]),
    (
        Architecture::Pascal,
        &[
            "P100", "P40", "P4", "P6", "GP100", "1080", "1070", "1060", "1050", "P6000", "P5000",
            "P4000", "P2000",
        ],
    ),
    (
        Architecture::Maxwell,
        &[
            "M40", "M60", "M10", "M6000", "M5000", "M4000", "980", "970", "960", "950", "750",
        ],
    ),
    (
        Architecture::Kepler,
        &[
            "K80", "K40", "K40C", "K40M", "K20", "K20X", "K10", "780", "770", "760", "680", "670",
            "660",
        ],
    ),
    (
        Architecture::Fermi,
        &[
            "C2050", "C2070", "C2075", "M2050", "M2070", "M2075", "M2090", "580", "570", "480",
            "470",
        ],
    ),
];

impl Architecture {
    /// From the name that the driver gives, such as `NVIDIA H100 80GB HBM3`.
    pub fn of(name: &str) -> Self {
        let upper = name.to_uppercase();
        let words: Vec<&str> = upper
            .split(|c: char| !c.is_ascii_alphanumeric())
            .flat_map(|word| {
                [
                    word,
                    word.trim_end_matches("TI"),
                    word.trim_end_matches('D'),
                ]
            })
            .collect();
        // `RTX 6000 Ada` and `RTX PRO 6000 Blackwell` say it in full; `Quadro RTX 6000` and `TITAN RTX` are Turing.
        for (architecture, known) in NAMES {
            if known.iter().any(|word| words.contains(word)) {
                return architecture;
            }
        }
        match () {
            () if words.contains(&"RTX")
                && (words.contains(&"QUADRO") || words.contains(&"TITAN")) =>
            {
                Self::Turing
            }
            () if words.contains(&"TITAN") && words.contains(&"V") => Self::Volta,
            () if words.contains(&"TITAN")
                && (words.contains(&"XP") || words.contains(&"PASCAL")) =>
            {
                Self::Pascal
            }
            () => Self::Unknown,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fermi => "Fermi",
            Self::Kepler => "Kepler",
            Self::Maxwell => "Maxwell",
            Self::Pascal => "Pascal",
            Self::Volta => "Volta",
            Self::Turing => "Turing",
            Self::Ga100 => "Ampere GA100",
            Self::Ga10x => "Ampere GA10x",
            Self::Ada => "Ada",
            Self::Hopper => "Hopper",
            Self::Blackwell => "Blackwell",
            Self::Unknown => "unknown architecture",
        })
    }
}

/// Which of the driver's two power readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// `power.draw.average`, and `power.draw` where that is the average.
    Average,
    /// `power.draw.instant`, and `power.draw` where that is the short window.
    Instant,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Average => "average",
            Self::Instant => "instant",
        })
    }
}

/// How a reading follows the power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// Mean over a window.
    Boxcar,
    /// Like a capacitor that charges; it cannot be inverted with a window.
    Logarithmic,
    /// No sensor: an estimate of the driver's.
    Estimate,
    /// Nobody has measured it.
    Unknown,
}

/// A sensor: what stands between the power drawn and the number shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorModel {
    /// Generation of the GPU.
    pub architecture: Architecture,
    /// Which reading this is the model of.
    pub reading: Reading,
    /// Time between updates, seconds (> 0). `None`: unknown.
    pub update_period_s: Option<f64>,
    /// Length of the window, seconds (> 0). `None`: unknown, or the response has none.
    pub window_s: Option<f64>,
    /// Kind of response.
    pub response: Response,
    /// Watts shown per watt drawn (> 0).
    pub gain: f64,
    /// Watts shown at none drawn.
    pub offset_w: f64,
    /// Half width of the systematic error that stays after gain and offset, relative (≥ 0).
    pub gain_error: f64,
    /// Where period and window come from.
    pub source: String,
    /// How they came to be known; `None` where they are not.
    pub grade: Option<Grade>,
}

/// A row of the table: update period and window in milliseconds.
type Row = (Response, Option<f64>, Option<f64>);

const UNKNOWN: Row = (Response::Unknown, None, None);

fn boxcar(update_ms: f64, window_ms: f64) -> Row {
    (Response::Boxcar, Some(update_ms), Some(window_ms))
}

/// The table of Yang et al., SC24: published, except that what it does not hold is unknown.
fn row(architecture: Architecture, driver: Option<u32>, reading: Reading) -> Row {
    // Drivers before 530 had one reading, 530 showed the short window under the same name, later ones have both.
    let driver = driver.unwrap_or(u32::MAX);
    match (architecture, reading) {
        (Architecture::Hopper, Reading::Average) => boxcar(100.0, 1000.0),
        (Architecture::Hopper, Reading::Instant) if driver >= 530 => boxcar(100.0, 25.0),
        (Architecture::Ada | Architecture::Ga10x, Reading::Average) if driver == 530 => {
            boxcar(100.0, 100.0)
        }
        (Architecture::Ada | Architecture::Ga10x, Reading::Average) => boxcar(100.0, 1000.0),
        (Architecture::Ada | Architecture::Ga10x, Reading::Instant) if driver >= 530 => {
            boxcar(100.0, 100.0)
        }
        // These have one reading, whatever column it stands in.
        (Architecture::Ga100, _) => boxcar(100.0, 25.0),
        (Architecture::Turing, _) => boxcar(100.0, 100.0),
        (Architecture::Volta | Architecture::Pascal, _) => boxcar(20.0, 10.0),
        (Architecture::Maxwell, _) => (Response::Logarithmic, Some(100.0), None),
        (Architecture::Kepler, _) => (Response::Logarithmic, Some(15.0), None),
        (Architecture::Fermi, _) => (Response::Estimate, None, None),
        _ => UNKNOWN,
    }
}

impl SensorModel {
    /// The model of a reading of a GPU, by its name and driver (such as `NVIDIA H100 80GB HBM3`, `580.82.07`; empty: the newest).
    ///
    /// Gain and offset are 1 and 0 with [`UNKNOWN_GAIN`] beside them: cards differ, and a card's own are known only from a meter.
    pub fn of(name: &str, driver: &str, reading: Reading) -> Self {
        let architecture = Architecture::of(name);
        let major = driver
            .split('.')
            .next()
            .and_then(|major| major.trim().parse().ok());
        let (response, update_ms, window_ms) = row(architecture, major, reading);
        let known = response != Response::Unknown;
        Self {
            architecture,
            reading,
            update_period_s: update_ms.map(|ms| ms / 1e3),
            window_s: window_ms.map(|ms| ms / 1e3),
            response,
            gain: 1.0,
            offset_w: 0.0,
            gain_error: UNKNOWN_GAIN,
            source: if known {
                STUDY.to_owned()
            } else {
                format!("not measured in {STUDY}: to be found from the data")
            },
            grade: known.then_some(Grade::Published),
        }
    }

    /// The same sensor with a gain and an offset known from a meter, and the relative error that is left.
    #[must_use]
    pub fn with_gain(mut self, gain: f64, offset_w: f64, gain_error: f64) -> Self {
        self.gain = gain;
        self.offset_w = offset_w;
        self.gain_error = gain_error;
        self
    }

    /// The same sensor with a period and a window found from data.
    #[must_use]
    pub fn with_timing(mut self, update_period_s: f64, window_s: f64) -> Self {
        self.update_period_s = Some(update_period_s);
        self.window_s = Some(window_s);
        self.response = Response::Boxcar;
        self.source = "found from the data".to_owned();
        self.grade = Some(Grade::Measured);
        self
    }

    /// Share of the time for which the sensor looks, 0 to 1. `None` where period or window is unknown.
    pub fn duty(&self) -> Option<f64> {
        Some((self.window_s? / self.update_period_s?).min(1.0))
    }

    /// Gain of the window for a sine of a frequency, hertz: `|sin(π·f·w)/(π·f·w)|`, 0 to 1. 1 where the window is unknown.
    pub fn gain_at(&self, frequency_hz: f64) -> f64 {
        boxcar_gain(self.window_s.unwrap_or(0.0) * frequency_hz)
    }

    /// Watts drawn, by gain and offset, where the reading shows `shown_w`.
    pub fn drawn_w(&self, shown_w: f64) -> f64 {
        (shown_w - self.offset_w) / self.gain
    }
}

/// Gain of a boxcar that holds `cycles` of a sine: `|sin(π·c)/(π·c)|`.
pub(crate) fn boxcar_gain(cycles: f64) -> f64 {
    let x = std::f64::consts::PI * cycles;
    if x.abs() < 1e-9 {
        1.0
    } else {
        (libm::sin(x) / x).abs()
    }
}

/// Gain and offset of one card that was compared with a meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CardGain {
    /// The card.
    pub card: &'static str,
    /// Words of the driver's name that tell it.
    words: &'static [&'static str],
    /// Watts shown per watt drawn.
    pub gain: f64,
    /// Watts shown at none drawn.
    pub offset_w: f64,
}

/// Cards compared with a meter in steady state: one card each, another of the same name may differ by several per cent.
/// Source: Yang et al., SC24, overall results published with it; published.
pub const CARD_GAINS: [CardGain; 7] = [
    CardGain {
        card: "A100 PCIe 40 GB",
        words: &["A100", "PCIE", "40GB"],
        gain: 0.954,
        offset_w: -1.177,
    },
    CardGain {
        card: "RTX 3090",
        words: &["3090"],
        gain: 0.9483,
        offset_w: 1.401,
    },
    CardGain {
        card: "RTX 3070 Ti",
        words: &["3070"],
        gain: 1.001,
        offset_w: -4.239,
    },
    CardGain {
        card: "RTX 4090",
        words: &["4090"],
        gain: 1.044,
        offset_w: -22.57,
    },
    CardGain {
        card: "RTX A5000",
        words: &["A5000"],
        gain: 0.9082,
        offset_w: 6.302,
    },
    CardGain {
        card: "P100 PCIe",
        words: &["P100", "PCIE"],
        gain: 0.9923,
        offset_w: 0.87,
    },
    CardGain {
        card: "RTX 2080 Ti",
        words: &["2080", "TI"],
        gain: 0.9664,
        offset_w: -5.678,
    },
];

/// Gain and offset of the card of this name that was compared with a meter, if one was. It is not applied by itself.
pub fn published_gain(name: &str) -> Option<CardGain> {
    let upper = name.to_uppercase();
    let words: Vec<&str> = upper.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    CARD_GAINS
        .into_iter()
        .find(|card| card.words.iter().all(|word| words.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_generation() {
        for (name, architecture) in [
            ("NVIDIA H100 80GB HBM3", Architecture::Hopper),
            ("NVIDIA GH200 480GB", Architecture::Hopper),
            ("NVIDIA A100-PCIE-40GB", Architecture::Ga100),
            ("NVIDIA A100-SXM4-80GB", Architecture::Ga100),
            ("NVIDIA A10", Architecture::Ga10x),
            ("NVIDIA RTX A5000", Architecture::Ga10x),
            ("NVIDIA L40S", Architecture::Ada),
            ("NVIDIA RTX 6000 Ada Generation", Architecture::Ada),
            ("NVIDIA GeForce RTX 4090", Architecture::Ada),
            ("NVIDIA GeForce RTX 3070 Ti", Architecture::Ga10x),
            ("Quadro RTX 6000", Architecture::Turing),
            ("Tesla T4", Architecture::Turing),
            ("Tesla V100-SXM2-16GB", Architecture::Volta),
            ("Tesla P100-PCIE-16GB", Architecture::Pascal),
            ("NVIDIA B200", Architecture::Blackwell),
            ("NVIDIA GB200", Architecture::Blackwell),
            (
                "NVIDIA RTX PRO 6000 Blackwell Server Edition",
                Architecture::Blackwell,
            ),
            ("Tesla K80", Architecture::Kepler),
            ("", Architecture::Unknown),
            ("AMD Instinct MI300X", Architecture::Unknown),
        ] {
            assert_eq!(Architecture::of(name), architecture, "{name}");
        }
    }

    #[test]
    fn the_table_by_driver_and_reading() {
        let of = |name, driver, reading| {
            let model = SensorModel::of(name, driver, reading);
            (model.update_period_s, model.window_s)
        };
        let h100 = "NVIDIA H100 PCIe";
        assert_eq!(
            of(h100, "525.60.13", Reading::Average),
            (Some(0.1), Some(1.0))
        );
        assert_eq!(of(h100, "525.60.13", Reading::Instant), (None, None));
        assert_eq!(
            of(h100, "550.54.15", Reading::Instant),
            (Some(0.1), Some(0.025))
        );
        assert_eq!(
            of("NVIDIA L4", "530.30.02", Reading::Average),
            (Some(0.1), Some(0.1))
        );
        assert_eq!(
            of("NVIDIA L4", "", Reading::Average),
            (Some(0.1), Some(1.0))
        );
        assert_eq!(
            of("Tesla V100-SXM2-32GB", "470.1", Reading::Instant),
            (Some(0.02), Some(0.01))
        );
        let blackwell = SensorModel::of("NVIDIA B200", "580.82.07", Reading::Instant);
        assert_eq!(
            (
                blackwell.update_period_s,
                blackwell.window_s,
                blackwell.grade
            ),
            (None, None, None)
        );
        assert_eq!(
            SensorModel::of(h100, "550", Reading::Instant).duty(),
            Some(0.25)
        );
    }

    #[test]
    fn a_window_lets_nothing_through_at_its_own_period() {
        let a100 = SensorModel::of("NVIDIA A100-PCIE-40GB", "", Reading::Instant);
        assert!(a100.gain_at(40.0) < 1e-12);
        assert!((a100.gain_at(20.0) - 2.0 / std::f64::consts::PI).abs() < 1e-12);
        assert!((a100.gain_at(0.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn gains_of_cards_that_were_compared() {
        assert_eq!(
            published_gain("NVIDIA A100-PCIE-40GB").map(|card| card.gain),
            Some(0.954)
        );
        assert_eq!(published_gain("NVIDIA A100-SXM4-40GB"), None);
        assert!(
            (SensorModel::of("x", "", Reading::Instant)
                .with_gain(0.954, -1.177, 0.01)
                .drawn_w(189.623)
                - 200.0)
                .abs()
                < 1e-9
        );
    }
}
