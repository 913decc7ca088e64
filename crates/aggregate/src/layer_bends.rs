//! Where GPUs are held within limits: what bends the sums of sixteen racks with the shared factor (`bend`).

use ballast_series::lanes::LANES;

use crate::bend::{Bend, Corner, corner};
use crate::follow::Shifts;
use crate::sums::Wide;

/// One limit of sixteen racks.
#[derive(Debug, Clone, Copy, Default)]
struct Limit {
    /// Sums as [`Corner`] has them, each by rack.
    sums: [Wide; 3],
    /// Of the sums as they stand: scale, W, and argument of the bend at z = 0 and per z.
    scale_w: Wide,
    at: Wide,
    per_z: Wide,
    any: bool,
}

impl Limit {
    fn shift(&mut self, lane: usize, by: Corner) {
        for (sum, by) in self.sums.iter_mut().zip(by) {
            sum[lane] += by;
        }
    }

    fn settle(&mut self) {
        self.any = false;
        for l in 0..LANES {
            let scale_w = self.sums[0][l];
            let over = if scale_w > 0.0 { 1.0 / scale_w } else { 0.0 };
            self.scale_w[l] = scale_w;
            self.at[l] = over * self.sums[1][l];
            self.per_z[l] = over * self.sums[2][l];
            self.any |= scale_w > 0.0;
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn at(&self, z: &Wide) -> Wide {
        let mut w = [0.0; LANES];
        for l in 0..LANES {
            w[l] = self.scale_w[l] * corner(self.at[l] + self.per_z[l] * z[l]);
        }
        w
    }
}

/// Both limits of one layer.
#[derive(Debug, Clone, Default)]
pub(crate) struct LayerBends {
    floor: Limit,
    cap: Limit,
}

impl LayerBends {
    /// Takes in the shifts of a layer at step `k`.
    pub(crate) fn shift(&mut self, shifts: &Shifts, k: usize, layer: usize) {
        let mut bent = false;
        for (shift, bend) in shifts.bends_at(k) {
            if usize::from(shift.layer) == layer && *bend != Bend::default() {
                let lane = usize::from(shift.lane);
                self.floor.shift(lane, bend.floor);
                self.cap.shift(lane, bend.cap);
                bent = true;
            }
        }
        if bent {
            self.floor.settle();
            self.cap.settle();
        }
    }

    /// Adds its power to `w` where the shared factors stand at `z`, and widens `high`.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    pub(crate) fn add(&self, z: &Wide, w: &mut Wide, high: &mut Wide) {
        if self.floor.any {
            let more = self.floor.at(z);
            for l in 0..LANES {
                w[l] += more[l];
                high[l] = if w[l] > high[l] { w[l] } else { high[l] };
            }
        }
        if self.cap.any {
            let less = self.cap.at(z);
            for l in 0..LANES {
                w[l] -= less[l];
            }
        }
    }
}
