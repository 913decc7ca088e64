//! What stands in a scenario file about how the load meets the bus.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the load depends on voltage and frequency. Needs sets with alternators; without, voltage is nominal throughout.
///
/// `P = P0 (1 + frequency_pu Δω) (a_p + a_i V + a_z V²)` with `a_p = 1 − current_share − impedance_share`; reactive power likewise, without frequency.
/// Default: constant power, as power supplies and UPS inputs draw. How much reactive power there is, the power factors of racks, site and loads say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LoadModelSpec {
    /// Share of the active power that is proportional to voltage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub current_share: f64,
    /// Share of the active power that goes with the square of the voltage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub impedance_share: f64,
    /// Share of the reactive power that is proportional to voltage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub reactive_current_share: f64,
    /// Share of the reactive power that goes with the square of the voltage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub reactive_impedance_share: f64,
    /// Voltage below which the constant-power part draws no more current, per unit: the current limit of power supplies.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-unit" = "pu"))]
    pub current_limit_below_pu: f64,
    /// Active power per per unit of frequency: 0 for power supplies, 1 to 3 for motors and fans on the line.
    #[schemars(range(min = -5.0, max = 5.0), extend("x-unit" = "pu"))]
    pub frequency_pu: f64,
}

impl Default for LoadModelSpec {
    fn default() -> Self {
        Self {
            current_share: 0.0,
            impedance_share: 0.0,
            reactive_current_share: 0.0,
            reactive_impedance_share: 0.0,
            current_limit_below_pu: 0.7,
            frequency_pu: 0.0,
        }
    }
}
