//! Power as a function of power: GPU clamp, node, supply.

use crate::spec::{GpuProfile, HostSpec, PsuSpec};

impl GpuProfile {
    /// Power the GPU cannot exceed, watts: EDPp where it is known, else the thermal design power.
    ///
    /// EDPp holds over about 50 ms, TDP over about 1 s (arXiv 2508.14318).
    pub fn clamp_w(&self) -> f64 {
        self.edpp_w
            .as_ref()
            .map_or(self.tdp_w.value, |edpp| edpp.value)
    }
}

/// Load of a supply, as a share of its rating, at and below which its light-load power factor holds.
pub const LIGHT_LOAD: f64 = 0.2;

/// Reactive over active power of supplies over their load: see [`PsuSpec::reactive_share`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReactiveLine {
    /// The way from light to full load per watt, and where it stands without load.
    per_w: f64,
    at_none: f64,
    light: f64,
    more: f64,
}

impl ReactiveLine {
    /// Reactive over active power when the supplies draw `ac_w` together.
    #[inline]
    pub fn at(&self, ac_w: f64) -> f64 {
        let x = (ac_w * self.per_w + self.at_none).clamp(0.0, 1.0);
        self.light + self.more * x
    }
}

/// Reactive over active power for a signed power factor: positive for a lagging one (drawn), negative for a leading one (given).
///
/// What distortion takes from the power factor counts as reactive power, too (Fryze's non-active power).
pub fn tan_phi(power_factor: f64) -> f64 {
    let cos = power_factor.abs();
    // The square root is exact, the same on every machine.
    ((1.0 - cos) * (1.0 + cos)).max(0.0).sqrt() / power_factor
}

impl HostSpec {
    /// Power that follows slowly per watt of GPU power, once it has settled: `slow_share · (slope − 1)`; 0 if nothing does.
    pub fn slow_slope(&self) -> f64 {
        let share = self.slow_share.as_ref().map_or(0.0, |s| s.value);
        share * (self.slope.value - 1.0)
    }

    /// Time constant of that part, seconds; 0 if there is none.
    pub fn slow_time_s(&self) -> f64 {
        self.slow_lag_s.as_ref().map_or(0.0, |s| s.value)
    }

    /// Power of the node in watts when its GPUs draw `gpu_sum_w` watts together, on the side `metered` names.
    pub fn node_w(&self, gpu_sum_w: f64) -> f64 {
        self.fixed_w.value + self.slope.value * gpu_sum_w
    }
}

impl PsuSpec {
    /// AC power in watts that `psu_count` supplies take to give `dc_w` watts, shared equally.
    ///
    /// Loss of each: `rated (fixed + linear x + square x^2)`, `x = load / rated`. Without supplies (`psu_count = 0`)
    /// the load is fed directly, without loss.
    pub fn input_w(&self, dc_w: f64, psu_count: u32) -> f64 {
        if psu_count == 0 {
            return dc_w;
        }
        let capacity_w = f64::from(psu_count) * self.rated_w.value;
        let x = dc_w / capacity_w;
        dc_w + capacity_w
            * (self.loss_fixed.value + x * (self.loss_linear.value + x * self.loss_square.value))
    }

    /// Reactive over active power at the AC side of supplies that together draw `ac_w` of `capacity_w` watts rated.
    ///
    /// A straight line over load from [`LIGHT_LOAD`] to full load, constant outside; 0 without a power factor.
    pub fn reactive_share(&self, ac_w: f64, capacity_w: f64) -> f64 {
        self.reactive_line(capacity_w)
            .map_or(0.0, |line| line.at(ac_w))
    }

    /// The same as a line that is cheap to ask often; none without a power factor.
    pub fn reactive_line(&self, capacity_w: f64) -> Option<ReactiveLine> {
        let full = tan_phi(self.power_factor.as_ref()?.value);
        let light = self.power_factor_light.as_ref();
        let light = light.map_or(full, |l| tan_phi(l.value));
        Some(ReactiveLine {
            per_w: 1.0 / (capacity_w * (1.0 - LIGHT_LOAD)),
            at_none: -LIGHT_LOAD / (1.0 - LIGHT_LOAD),
            light,
            more: full - light,
        })
    }

    /// Derivative of [`Self::input_w`]: AC watts for one more DC watt at `dc_w`.
    pub fn input_slope(&self, dc_w: f64, psu_count: u32) -> f64 {
        if psu_count == 0 {
            return 1.0;
        }
        let x = dc_w / (f64::from(psu_count) * self.rated_w.value);
        1.0 + self.loss_linear.value + 2.0 * self.loss_square.value * x
    }
}

#[cfg(test)]
mod tests {
    use crate::check::fixture::{gpu, node, psu, sourced};

    #[test]
    fn the_clamp_is_edpp_where_known() {
        let mut gpu = gpu();
        assert_eq!(gpu.clamp_w(), 700.0);
        gpu.edpp_w = Some(sourced(910.0));
        assert_eq!(gpu.clamp_w(), 910.0);
    }

    #[test]
    fn node_power_is_linear_in_gpu_power() {
        // 8 GPUs at 72 W and at 700 W on 1.04 kW + 1.32: 1.8 kW idle and 8.43 kW under burn (arXiv 2412.08602).
        let host = node().host;
        assert!((host.node_w(576.0) - 1800.0).abs() < 1.0);
        assert!((host.node_w(5600.0) - 8432.0).abs() < 1e-9);
    }

    #[test]
    fn a_3_kw_orv3_supply_has_its_published_efficiencies() {
        let psu = psu();
        let efficiency = |x: f64| 3000.0 * x / psu.input_w(3000.0 * x, 1);
        assert!((efficiency(0.5) - 0.975).abs() < 5e-4);
        assert!((efficiency(1.0) - 0.965).abs() < 5e-4);
        assert_eq!(psu.input_w(0.0, 1), 15.0);
    }

    #[test]
    fn equal_supplies_share_the_load() {
        let psu = psu();
        let one = psu.input_w(1000.0, 1);
        assert!((psu.input_w(4000.0, 4) - 4.0 * one).abs() < 1e-9);
        assert_eq!(psu.input_w(4000.0, 0), 4000.0);
        assert_eq!(psu.input_slope(4000.0, 0), 1.0);
    }

    #[test]
    fn reactive_power_has_the_sign_of_the_power_factor() {
        let mut psu = psu();
        assert_eq!(psu.reactive_share(1500.0, 3000.0), 0.0);
        psu.power_factor = Some(sourced(-0.8));
        assert!((psu.reactive_share(1500.0, 3000.0) + 0.75).abs() < 1e-15);
        psu.power_factor_light = Some(sourced(0.6));
        // tan φ is 4/3 at 20 % and below, −3/4 at full load and beyond, half way at 60 %.
        for (load, tan) in [
            (0.0, 4.0 / 3.0),
            (0.2, 4.0 / 3.0),
            (0.6, 7.0 / 24.0),
            (1.0, -0.75),
            (1.5, -0.75),
        ] {
            let found = psu.reactive_share(3000.0 * load, 3000.0);
            assert!((found - tan).abs() < 1e-12, "{load}: {found}");
        }
        assert_eq!(super::tan_phi(1.0), 0.0);
    }

    #[test]
    fn the_slope_is_the_derivative() {
        let psu = psu();
        for dc_w in [0.0, 800.0, 5900.0] {
            let h = 0.5;
            let difference = (psu.input_w(dc_w + h, 2) - psu.input_w(dc_w - h, 2)) / (2.0 * h);
            assert!((psu.input_slope(dc_w, 2) - difference).abs() < 1e-9);
        }
    }
}
