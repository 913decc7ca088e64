//! What a rack draws beside the plain sum of its nodes: hosts that follow their GPUs slowly, and what stands beside the nodes.

use ballast_profile::MeteredSide;

use crate::rack::Lag;
use crate::site::Hardware;

/// The state of one rack's slow host part.
///
/// The engines sum the AC power of nodes whose hosts follow at once, `fixed + slope · ΣP`. Of that the share
/// `k = slow_share · (slope − 1)` follows through one first-order lag `L` for the whole rack: each of its N nodes draws
/// `d = k (L(ΣP) − ΣP)/N` more. What stands at the DC side beside the nodes is shared by them in the same way. Since the
/// loss of a supply is a parabola, the AC power of all nodes with `d` on each is known from their sum alone, exactly: see
/// [`Hardware::added_ac_w`]. So it is applied to a rack's sums over a block, whatever engine made them, before the lag of the supplies.
#[derive(Debug, Clone)]
pub(crate) struct HostPart {
    lag: Lag,
}

impl HostPart {
    /// At the first sample, which finds it settled. `dt_s` is the step in seconds.
    pub(crate) fn new(hardware: &Hardware, dt_s: f64) -> Self {
        Self {
            lag: Lag::new(dt_s, hardware.host.slow_time_s()),
        }
    }

    /// Turns the AC power of a rack's nodes with hosts that follow at once into that of the rack, W; `gpu_w` is the power of
    /// its GPUs at the same samples. Blocks come one after another, of any length.
    pub(crate) fn apply(&mut self, hardware: &Hardware, gpu_w: &[f64], rack_w: &mut [f64]) {
        let slow = hardware.host.slow_slope();
        let (other_dc_w, other_ac_w) = hardware.other_w();
        if slow == 0.0 && other_dc_w == 0.0 && other_ac_w == 0.0 {
            return;
        }
        let curve = hardware.added_curve();
        for (rack, &gpu) in rack_w.iter_mut().zip(gpu_w) {
            let behind_w = self.lag.step(gpu) - gpu;
            *rack += added_w(curve, gpu, slow * behind_w + other_dc_w) + other_ac_w;
        }
    }
}

/// AC power that more power at the DC side takes: `[c0, c1, c2]` of `more (c0 + c1 gpu + c2 more)`, W.
pub(crate) type AddedCurve = [f64; 3];

#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
pub(crate) fn added_w([c0, c1, c2]: AddedCurve, gpu_w: f64, more_w: f64) -> f64 {
    more_w * (c0 + c1 * gpu_w + c2 * more_w)
}

impl Hardware {
    /// Constant power beside the nodes, W: at the DC side of the supplies, at their AC side.
    pub(crate) fn other_w(&self) -> (f64, f64) {
        match self.other_metered {
            MeteredSide::NodeDc => (self.other_w, 0.0),
            MeteredSide::NodeAc => (0.0, self.other_w),
        }
    }

    /// AC power for `more_w` at the DC side, shared equally by the supplies of all nodes, on top of nodes whose GPUs draw
    /// `gpu_w` together, W. Where nodes are metered at their AC side, the losses are in their figures and `more_w` is AC power.
    pub(crate) fn added_ac_w(&self, gpu_w: f64, more_w: f64) -> f64 {
        added_w(self.added_curve(), gpu_w, more_w)
    }

    /// Coefficients of it: [`added_w`].
    pub(crate) fn added_curve(&self) -> AddedCurve {
        let capacity_w = self.supplies_w();
        if self.host.metered == MeteredSide::NodeAc || capacity_w <= 0.0 {
            return [1.0, 0.0, 0.0];
        }
        // Σ (x_i + d)² − Σ x_i² = d (2 Σ x_i + N d): the sum is enough.
        let fixed_w = f64::from(self.nodes) * self.host.fixed_w.value;
        let square = self.psu.loss_square.value / capacity_w;
        [
            1.0 + self.psu.loss_linear.value + 2.0 * square * fixed_w,
            2.0 * square * self.host.slope.value,
            square,
        ]
    }

    /// Rated output of all supplies of a rack together, W.
    pub(crate) fn supplies_w(&self) -> f64 {
        f64::from(self.nodes) * f64::from(self.psu_count) * self.psu.rated_w.value
    }

    /// AC power of a rack in steady state, W, with `gpu_w` drawn by the GPUs of each node.
    pub(crate) fn rack_ac_w(&self, gpu_w: f64) -> f64 {
        let nodes = f64::from(self.nodes);
        let (dc_w, ac_w) = self.other_w();
        nodes * self.node_ac_w(gpu_w) + self.added_ac_w(nodes * gpu_w, dc_w) + ac_w
    }
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
