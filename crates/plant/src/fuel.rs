//! Fuel of a set over its load.
//!
//! Straight lines through the points; below the lowest the line through the two lowest goes on to no load, above the highest that through the two
//! highest. Steady operation: what a set burns while it accelerates is not in a curve.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::SetSpec;

/// What a set burns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FuelKind {
    /// Diesel: about 35.9 MJ/L, 42.7 MJ/kg.
    Diesel,
    /// Natural gas: about 48 MJ/kg.
    Gas,
}

/// Unit of a fuel rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FuelUnit {
    /// Litres per hour, as diesel data sheets have it.
    LPerH,
    /// Kilograms per hour.
    KgPerH,
    /// Kilowatts of lower heating value, as gas data sheets have it.
    KwLhv,
}

impl FuelUnit {
    /// How it is written.
    pub fn label(self) -> &'static str {
        match self {
            Self::LPerH => "L/h",
            Self::KgPerH => "kg/h",
            Self::KwLhv => "kW LHV",
        }
    }
}

/// Fuel rate at some loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FuelSpec {
    /// What is burnt.
    pub kind: FuelKind,
    /// Unit of the rates.
    pub unit: FuelUnit,
    /// Load as a share of `rated_kw`, and the rate there; two at least, both rising.
    pub points: Vec<[f64; 2]>,
    /// Lower heating value, megajoules per litre or kilogram as `unit` has it; not used with `kw_lhv`. Default: diesel 35.9 MJ/L or 42.7 MJ/kg, gas
    /// 48 MJ/kg (recalled).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 200.0, "x-unit" = "MJ"))]
    pub lhv_mj: Option<f64>,
}

/// Seconds per hour times megajoules to kilojoules, inverted: MJ/h in kilowatts.
const KW_PER_MJ_PER_H: f64 = 1.0 / 3.6;

impl FuelSpec {
    /// Rate at a load, in the curve's unit; none for a load that is negative or not finite, or with fewer than two points.
    pub fn rate(&self, share: f64) -> Option<f64> {
        if !(share >= 0.0 && share.is_finite()) || self.points.len() < 2 {
            return None;
        }
        let above = self
            .points
            .iter()
            .position(|[at, _]| *at >= share)
            .unwrap_or(self.points.len() - 1)
            .max(1);
        let ([x0, y0], [x1, y1]) = (self.points[above - 1], self.points[above]);
        Some(y0 + (y1 - y0) * (share - x0) / (x1 - x0))
    }

    /// Heat of one unit per hour on the lower heating value, kilowatts: also kilowatt-hours of one unit.
    pub fn kw_per_unit(&self) -> f64 {
        let default = match (self.kind, self.unit) {
            (_, FuelUnit::KwLhv) => return 1.0,
            (FuelKind::Diesel, FuelUnit::LPerH) => 35.9,
            (FuelKind::Diesel, FuelUnit::KgPerH) => 42.7,
            // Litres of gas are refused by the check.
            (FuelKind::Gas, _) => 48.0,
        };
        self.lhv_mj.unwrap_or(default) * KW_PER_MJ_PER_H
    }

    /// Heat at a load, kilowatts of lower heating value.
    pub fn heat_kw(&self, share: f64) -> Option<f64> {
        Some(self.rate(share)? * self.kw_per_unit())
    }
}

impl SetSpec {
    /// Fuel rate of one set that delivers `power_kw`, in the unit of its curve.
    ///
    /// None without a curve, or for a power that is negative or not finite.
    pub fn fuel_rate(&self, power_kw: f64) -> Option<f64> {
        self.fuel.as_ref()?.rate(power_kw / self.rated_kw)
    }

    /// Electrical efficiency of one set that delivers `power_kw`, 0 to 1 on the lower heating value; none as with [`SetSpec::fuel_rate`].
    pub fn efficiency(&self, power_kw: f64) -> Option<f64> {
        Some(power_kw / self.fuel.as_ref()?.heat_kw(power_kw / self.rated_kw)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{FuelKind, FuelSpec, FuelUnit};

    /// Cummins QSK60-G4, 1500 rpm, on its prime power of 1730 kWm.
    fn curve() -> FuelSpec {
        FuelSpec {
            kind: FuelKind::Diesel,
            unit: FuelUnit::LPerH,
            points: vec![
                [0.25, 114.0],
                [0.5, 200.0],
                [0.75, 291.0],
                [1.0, 394.0],
                [1.107, 437.0],
            ],
            lhv_mj: None,
        }
    }

    #[test]
    fn straight_lines_through_the_points() {
        let rate = |share: f64| curve().rate(share).unwrap();
        for [share, value] in curve().points {
            assert!((rate(share) - value).abs() < 1e-9);
        }
        assert!((rate(0.625) - 245.5).abs() < 1e-9);
        assert!((rate(0.0) - 28.0).abs() < 1e-9, "114 − (200 − 114)");
        assert!(rate(1.2) > 437.0);
        assert_eq!(curve().rate(-0.1), None);
        assert_eq!(curve().rate(f64::NAN), None);
        assert_eq!(curve().rate(f64::INFINITY), None);
    }

    #[test]
    fn heat_in_three_units() {
        let heat = |unit, lhv_mj| {
            FuelSpec {
                unit,
                lhv_mj,
                ..curve()
            }
            .heat_kw(1.0)
            .unwrap()
        };
        assert!((heat(FuelUnit::KwLhv, None) - 394.0).abs() < 1e-9);
        assert!((heat(FuelUnit::LPerH, Some(36.0)) - 3940.0).abs() < 1e-9);
        assert!((heat(FuelUnit::KgPerH, Some(43.2)) - 394.0 * 12.0).abs() < 1e-9);
        // 1730 kW of shaft power from 394 L/h is 44 %: the engine alone, without its alternator.
        assert!((1730.0 / heat(FuelUnit::LPerH, None) - 0.44).abs() < 0.005);
    }
}
