//! Fuel curves that no engine has.

use ballast_plant::PlantSpec;

use super::Check;

/// Electrical efficiency beyond which a curve is taken for a slip of units: the best combined cycles reach some 0.64.
const BEST: f64 = 0.65;

impl Check<'_> {
    pub(super) fn fuel(&mut self, plant: &PlantSpec) {
        for (at, set) in plant.sets.iter().enumerate() {
            let shares = (1..=10).map(|tenth| f64::from(tenth) / 10.0);
            let best = shares.filter_map(|s| set.efficiency(s * set.rated_kw));
            let best = best.fold(0.0, f64::max);
            if best > BEST {
                self.warn(
                    &format!("plant.sets.{at}.fuel"),
                    format!(
                        "the curve makes an electrical efficiency of {:.0} %",
                        100.0 * best
                    ),
                    "check unit, rates and lhv_mj: engine sets reach 30 to 50 %",
                );
            }
        }
    }
}
