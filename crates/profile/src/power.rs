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

impl HostSpec {
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
    fn the_slope_is_the_derivative() {
        let psu = psu();
        for dc_w in [0.0, 800.0, 5900.0] {
            let h = 0.5;
            let difference = (psu.input_w(dc_w + h, 2) - psu.input_w(dc_w - h, 2)) / (2.0 * h);
            assert!((psu.input_slope(dc_w, 2) - difference).abs() < 1e-9);
        }
    }
}
