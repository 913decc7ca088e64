//! Power and frequency of a run, kept in a bounded number of cells.

use crate::collect::Span;

/// Cells kept: 3 MB for the three values of each.
const CELLS: u64 = 1 << 17;
/// Longest cell that a run of short steps is averaged to, seconds: a hundredth of the period of a line at 1 Hz.
const LONGEST_S: f64 = 0.01;

/// Mean power and extremes of frequency over a short stretch.
#[derive(Debug, Clone, Copy)]
struct Cell {
    power_w: f64,
    lowest_hz: f64,
    highest_hz: f64,
}

impl Cell {
    const EMPTY: Self = Self {
        power_w: 0.0,
        lowest_hz: f64::INFINITY,
        highest_hz: f64::NEG_INFINITY,
    };
}

/// Gathers the cells of a run as it goes; the last [`CELLS`] of them stay.
pub(crate) struct Recorder {
    /// Power at the start of the run, watts.
    first_w: f64,
    start_s: f64,
    step_s: f64,
    /// Steps of the load in a cell.
    steps: u32,
    most: usize,
    cells: Vec<Cell>,
    /// Place of the oldest cell once all places are taken.
    oldest: usize,
    /// Cells that were overwritten.
    lost: u64,
    open: Cell,
    /// Energy in the open cell, joules, and its steps so far.
    energy_j: f64,
    filled: u32,
}

/// Cells of a run in order, all equally long.
pub(crate) struct Record {
    /// Power at the start of the run, watts.
    pub(crate) first_w: f64,
    /// Start of the first, seconds.
    pub(crate) start_s: f64,
    /// Length of each, seconds.
    pub(crate) cell_s: f64,
    cells: Vec<Cell>,
}

impl Recorder {
    pub(crate) fn new(span: Span) -> Self {
        let longest = (LONGEST_S / span.dt_s + 1e-6).floor().max(1.0);
        let steps = (span.samples.div_ceil(CELLS) as f64).clamp(1.0, longest) as u32;
        let most = (span.samples / u64::from(steps) + 1).min(CELLS) as usize;
        Self {
            first_w: 0.0,
            start_s: span.start_s(),
            step_s: span.dt_s,
            steps,
            most,
            cells: Vec::with_capacity(most),
            oldest: 0,
            lost: 0,
            open: Cell::EMPTY,
            energy_j: 0.0,
            filled: 0,
        }
    }

    /// Takes the power at the start of the run, watts.
    pub(crate) fn begin(&mut self, w: f64) {
        self.first_w = w;
    }

    /// Takes the frequency at a step of the plant.
    pub(crate) fn frequency(&mut self, f_hz: f64) {
        self.open.lowest_hz = self.open.lowest_hz.min(f_hz);
        self.open.highest_hz = self.open.highest_hz.max(f_hz);
    }

    /// Takes the energy of a step of the load, after the frequencies in it, joules.
    pub(crate) fn step(&mut self, energy_j: f64) {
        self.energy_j += energy_j;
        self.filled += 1;
        if self.filled < self.steps {
            return;
        }
        self.open.power_w = self.energy_j / (f64::from(self.steps) * self.step_s);
        if self.cells.len() < self.most {
            self.cells.push(self.open);
        } else {
            self.cells[self.oldest] = self.open;
            self.oldest = (self.oldest + 1) % self.most;
            self.lost += 1;
        }
        (self.open, self.energy_j, self.filled) = (Cell::EMPTY, 0.0, 0);
    }

    pub(crate) fn finish(mut self) -> Record {
        self.cells.rotate_left(self.oldest);
        let cell_s = f64::from(self.steps) * self.step_s;
        Record {
            first_w: self.first_w,
            start_s: self.start_s + self.lost as f64 * cell_s,
            cell_s,
            cells: self.cells,
        }
    }
}

impl Record {
    pub(crate) fn end_s(&self) -> f64 {
        self.start_s + self.cells.len() as f64 * self.cell_s
    }

    /// Cells that a stretch touches.
    fn touched(&self, from_s: f64, until_s: f64) -> std::ops::Range<usize> {
        let at = |t_s: f64| (t_s - self.start_s) / self.cell_s;
        let first = (at(from_s) + 1e-6).floor().max(0.0) as usize;
        let last = (at(until_s) - 1e-6).ceil().max(0.0) as usize;
        first.min(self.cells.len())..last.min(self.cells.len())
    }

    /// Middle of the part of each cell within a stretch, seconds, its length, and the power.
    pub(crate) fn power(
        &self,
        from_s: f64,
        until_s: f64,
    ) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        self.touched(from_s, until_s).filter_map(move |i| {
            let begin = self.start_s + i as f64 * self.cell_s;
            let (from, until) = (begin.max(from_s), (begin + self.cell_s).min(until_s));
            let length = until - from;
            (length > 0.0).then(|| (0.5 * (from + until), length, self.cells[i].power_w))
        })
    }

    /// Lowest and highest frequency in a stretch; none without one.
    pub(crate) fn frequency(&self, from_s: f64, until_s: f64) -> Option<(f64, f64)> {
        let cells = &self.cells[self.touched(from_s, until_s)];
        let low = cells.iter().fold(f64::INFINITY, |a, c| a.min(c.lowest_hz));
        let high = cells
            .iter()
            .fold(f64::NEG_INFINITY, |a, c| a.max(c.highest_hz));
        (low <= high).then_some((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(dt_s: f64, samples: u64) -> Span {
        Span {
            dt_s,
            first: 0,
            samples,
            realisation: 1,
            curves: true,
        }
    }

    #[test]
    fn memory_does_not_grow_and_the_end_stays() {
        let mut recorder = Recorder::new(span(1e-3, 3_000_000));
        for k in 0..2_999_999 {
            recorder.frequency(f64::from(k));
            recorder.step(f64::from(k) * 1e-3);
        }
        let record = recorder.finish();
        assert_eq!(record.cells.len(), CELLS as usize);
        assert!((record.cell_s - 0.01).abs() < 1e-12);
        // 299 999 whole cells, of which the last stay.
        assert!((record.end_s() - 2999.99).abs() < 1e-6);
        let last = record.frequency(2999.98, 2999.99).unwrap();
        assert_eq!(last, (2_999_980.0, 2_999_989.0));
        let (at_s, length_s, w) = record.power(2999.98, 2999.99).next().unwrap();
        assert!((at_s - 2999.985).abs() < 1e-6 && (length_s - 0.01).abs() < 1e-6);
        assert!((w - 2_999_984.5).abs() < 1e-6);
    }

    #[test]
    fn a_stretch_cuts_its_cells() {
        let mut recorder = Recorder::new(span(0.1, 11));
        for k in 0..10 {
            recorder.step(f64::from(k) * 0.1);
        }
        let record = recorder.finish();
        let parts: Vec<_> = record.power(0.25, 0.45).collect();
        assert_eq!(parts.len(), 3);
        let energy: f64 = parts.iter().map(|p| p.1 * p.2).sum();
        assert!((energy - (0.05 * 2.0 + 0.1 * 3.0 + 0.05 * 4.0)).abs() < 1e-12);
    }
}
