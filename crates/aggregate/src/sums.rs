//! The kernel of the group engine: sixteen racks side by side, from random numbers to AC power.
//!
//! Between two shifts (`follow`) the sums of a rack are constant, so all that is left at a step is arithmetic on sixteen racks at
//! a time: the noise, the sum, the parabola of the supplies, the lag. Single racks would wait for each other's
//! results from step to step; sixteen side by side do not.
//!
//! All loops are over arrays of sixteen in a fixed order and nothing is fused, so the vector width changes the speed and no bit of the
//! result. [`Simd`] picks the width: the kernel is compiled three times.

use ballast_series::lanes::{LANES, NormalLanes};
use multiversion::multiversion;

use crate::follow::{Shift, Shifts};
use crate::host::{AddedCurve, added_w};
use crate::layer_bends::LayerBends;
use crate::rack::Lag;
use crate::site::{Hardware, NodeCurve};
use crate::tile::Simd;

/// One value per rack of a tile.
pub(crate) type Wide = [f64; LANES];

/// Steps handled at a time, so that they stay in the nearest cache. Nothing in the result depends on it.
pub(crate) const CHUNK: usize = 64;

/// Sixteen autoregressive processes of unit variance.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    draws: NormalLanes,
    z: Wide,
}

impl Process {
    /// At its drawn start.
    pub(crate) fn new(mut draws: NormalLanes) -> Self {
        let z = draws.draw().map(f64::from);
        Self { draws, z }
    }

    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn step(&mut self, a: &Wide, b: &Wide) {
        let n = self.draws.draw();
        for l in 0..LANES {
            self.z[l] = a[l] * self.z[l] + b[l] * f64::from(n[l]);
        }
    }
}

/// A factor of its own for every rack in which several jobs load on it.
#[derive(Debug, Clone)]
pub(crate) struct RackFactors {
    pub(crate) process: Process,
    pub(crate) a: Wide,
    pub(crate) b: Wide,
}

/// One job of every rack; racks may have different ones, or none.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// Absent where nothing fluctuates.
    pub(crate) process: Option<Process>,
    /// Limit of the job's power in the rack, W.
    pub(crate) most_w: Wide,
    /// Loading on the rack's factor where no other job of the rack has one: it is then part of the process.
    pub(crate) rack_loading: Wide,
    /// Autoregressive coefficient of the rack's factor.
    pub(crate) rack_a: Wide,
    /// Loading on [`RackFactors`].
    pub(crate) factor_loading: Wide,
    /// Factors beyond the rack: index of [`crate::rack::Common::shared`], and 1 for the racks that it reaches.
    pub(crate) sources: Vec<(usize, Wide)>,
    /// Present where GPUs are held within limits of their power smoothing.
    pub(crate) bends: Option<Box<LayerBends>>,
    mean_w: Wide,
    spread_w: Wide,
    variance: Wide,
    memory: Wide,
    /// Of the process as it stands: standard deviation, W, and coefficients.
    root_w: Wide,
    a: Wide,
    b: Wide,
}

impl Layer {
    pub(crate) fn new(process: Option<Process>) -> Self {
        let none = [0.0; LANES];
        Self {
            process,
            most_w: none,
            rack_loading: none,
            rack_a: none,
            factor_loading: none,
            sources: Vec::new(),
            bends: None,
            mean_w: none,
            spread_w: none,
            variance: none,
            memory: none,
            root_w: none,
            a: none,
            b: [1.0; LANES],
        }
    }

    fn shift(&mut self, shift: &Shift) {
        let l = usize::from(shift.lane);
        self.mean_w[l] += shift.by.mean_w;
        self.spread_w[l] += shift.by.spread_w;
        self.variance[l] += shift.by.variance;
        self.memory[l] += shift.by.memory;
    }

    /// The process for the sums as they stand. The sum of independent terms has at a lag of one step the correlation
    /// of their coefficients weighted with their variances.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn settle(&mut self) {
        for l in 0..LANES {
            let rack_w = self.spread_w[l] * self.rack_loading[l];
            let variance = self.variance[l] + rack_w * rack_w;
            let memory = self.memory[l] + rack_w * rack_w * self.rack_a[l];
            // Without variance nothing shows, and the process keeps the memory it had.
            let a = if variance > 0.0 {
                memory / variance
            } else {
                self.a[l]
            };
            let a = if a > 1.0 { 1.0 } else { a };
            self.root_w[l] = variance.sqrt();
            self.a[l] = a;
            self.b[l] = (1.0 - a * a).sqrt();
        }
    }
}

/// From the sum over a rack to its AC side.
#[derive(Debug, Clone)]
pub(crate) struct Supplies {
    /// AC power over the power of all GPUs of a rack if they share it evenly: `c0 + c1 g + c2 g²`, W.
    curve: NodeCurve,
    /// What nodes that differ from their mean add, per W² of the squares of the differences.
    square: f64,
    nodes: f64,
    /// Weights of the lag: last output, last input, input.
    lag: [f64; 3],
    /// Absent where nothing is added to the nodes.
    beside: Option<Beside>,
    started: bool,
    input_w: Wide,
    output_w: Wide,
    mean_w: Wide,
    squares: Wide,
    /// Variance of the nodes' and GPUs' own terms, W².
    variance: Wide,
    /// Power on top of the curve, W: as the sums stand, and at the last sample that the lag has seen.
    more_w: Wide,
    before_w: Wide,
}

/// Hosts that follow slowly, and what stands beside the nodes: `host`, sixteen racks at a time.
#[derive(Debug, Clone)]
struct Beside {
    /// Slow power per watt that the GPUs are ahead.
    slow: f64,
    lag: [f64; 3],
    curve: AddedCurve,
    dc_w: f64,
    ac_w: f64,
    input_w: Wide,
    output_w: Wide,
}

impl Beside {
    fn new(hardware: &Hardware, dt_s: f64) -> Option<Self> {
        let slow = hardware.host.slow_slope();
        let (dc_w, ac_w) = hardware.other_w();
        if slow == 0.0 && dc_w == 0.0 && ac_w == 0.0 {
            return None;
        }
        Some(Self {
            slow,
            lag: Lag::new(dt_s, hardware.host.slow_time_s()).weights(),
            curve: hardware.added_curve(),
            dc_w,
            ac_w,
            input_w: [0.0; LANES],
            output_w: [0.0; LANES],
        })
    }

    /// Adds its power to `ac_w`. The first sample finds the lag settled.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn add(&mut self, gpu_w: &Wide, ac_w: &mut Wide, started: bool) {
        let [decay, old, new] = self.lag;
        for (l, &gpu_w) in gpu_w.iter().enumerate() {
            let follows_w = if started {
                decay * self.output_w[l] + (old * self.input_w[l] + new * gpu_w)
            } else {
                gpu_w
            };
            let more_w = self.slow * (follows_w - gpu_w) + self.dc_w;
            ac_w[l] += added_w(self.curve, gpu_w, more_w) + self.ac_w;
            (self.input_w[l], self.output_w[l]) = (gpu_w, follows_w);
        }
    }
}

impl Supplies {
    pub(crate) fn new(hardware: &Hardware, dt_s: f64) -> Self {
        let none = [0.0; LANES];
        let (node, nodes) = (hardware.node_curve(), f64::from(hardware.nodes));
        Self {
            curve: [nodes * node[0], node[1], node[2] / nodes],
            square: node[2],
            nodes,
            lag: Lag::new(dt_s, hardware.psu.lag_s.value).weights(),
            beside: Beside::new(hardware, dt_s),
            started: false,
            input_w: none,
            output_w: none,
            mean_w: none,
            squares: none,
            variance: none,
            more_w: none,
            before_w: none,
        }
    }

    fn shift(&mut self, shift: &Shift) {
        let l = usize::from(shift.lane);
        self.mean_w[l] += shift.by.mean_w;
        self.squares[l] += shift.square;
        self.variance[l] += shift.by.variance;
    }

    /// Takes in the mean of what limits add.
    fn bend(&mut self, shifts: &Shifts, k: usize) {
        for (shift, bend) in shifts.bends_at(k) {
            self.mean_w[usize::from(shift.lane)] += bend.mean_w;
        }
    }

    /// A parabola's mean over nodes is its value at their mean and the curvature times their variance. Of independent terms
    /// of n nodes all but one n-th of the variance lies between the nodes and not in their sum.
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn settle(&mut self) {
        let between = 1.0 - 1.0 / self.nodes;
        for l in 0..LANES {
            let apart = self.squares[l] - self.mean_w[l] * self.mean_w[l] / self.nodes;
            let apart = if apart > 0.0 { apart } else { 0.0 };
            self.more_w[l] = self.square * (apart + between * self.variance[l]);
        }
    }
}

/// The state of a tile that the kernel moves.
#[derive(Debug, Clone)]
pub(crate) struct Sums {
    pub(crate) layers: Vec<Layer>,
    pub(crate) factors: Option<RackFactors>,
    pub(crate) supplies: Supplies,
    pub(crate) fresh: bool,
}

/// Work space of one thread; every use overwrites what it reads.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) shifts: Shifts,
    factor: Vec<Wide>,
    shared: Vec<Wide>,
    layer_w: Vec<Wide>,
    gpu_w: Vec<Wide>,
    ac_w: Vec<Wide>,
    /// Steps of the chunk from which on the supplies' `more_w` is another one.
    more_w: Vec<(usize, Wide)>,
    /// Steps at which a layer was held at its limit and at zero, one bit each: `[layer][rack][word]`, empty if there are none.
    pub(crate) high: Vec<u64>,
    pub(crate) low: Vec<u64>,
}

/// A block of one tile.
pub(crate) struct Run<'a> {
    pub(crate) racks: usize,
    pub(crate) steps: usize,
    pub(crate) shared: &'a [Vec<f64>],
    /// `[rack][step]`, W.
    pub(crate) ac_w: &'a mut [f64],
    pub(crate) gpu_w: &'a mut [f64],
}

/// Runs a block with the instructions allowed.
pub(crate) fn run(simd: Simd, sums: &mut Sums, work: &mut Work, run: &mut Run<'_>) {
    match simd {
        Simd::Widest => widest(sums, work, run),
        Simd::Avx2 => at_most_avx2(sums, work, run),
        Simd::Baseline => body(sums, work, run),
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl", "x86_64+avx2"))]
fn widest(sums: &mut Sums, work: &mut Work, run: &mut Run<'_>) {
    body(sums, work, run);
}

#[multiversion(targets("x86_64+avx2"))]
fn at_most_avx2(sums: &mut Sums, work: &mut Work, run: &mut Run<'_>) {
    body(sums, work, run);
}

#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn body(sums: &mut Sums, work: &mut Work, run: &mut Run<'_>) {
    for buffer in [
        &mut work.factor,
        &mut work.shared,
        &mut work.layer_w,
        &mut work.gpu_w,
        &mut work.ac_w,
    ] {
        buffer.resize(CHUNK, [0.0; LANES]);
    }
    work.high.clear();
    work.low.clear();
    let mut at = 0;
    while at < run.steps {
        let steps = CHUNK.min(run.steps - at);
        if let Some(factors) = &mut sums.factors {
            let (hold, move_on) = ([1.0; LANES], [0.0; LANES]);
            let mut now = factors.process.clone();
            for (k, row) in work.factor[..steps].iter_mut().enumerate() {
                if sums.fresh && at + k == 0 {
                    now.step(&hold, &move_on);
                } else {
                    now.step(&factors.a, &factors.b);
                }
                *row = now.z;
            }
            factors.process = now;
        }
        for index in 0..sums.layers.len() {
            layer_pass(sums, index, work, run, at, steps);
        }
        supply_pass(sums, work, steps);
        for (from, to) in [(&work.gpu_w, &mut *run.gpu_w), (&work.ac_w, &mut *run.ac_w)] {
            for (rack, row) in to.chunks_exact_mut(run.steps).take(run.racks).enumerate() {
                for (w, lanes) in row[at..at + steps].iter_mut().zip(from) {
                    *w = lanes[rack];
                }
            }
        }
        at += steps;
    }
    sums.fresh = false;
}

/// The shared part of a layer's fluctuation, for σ = 1.
trait Shared {
    fn at(&self, k: usize) -> Wide;
}

/// The same in every rack that it reaches.
struct Same<'a>(&'a [f64], &'a Wide);

impl Shared for Same<'_> {
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn at(&self, k: usize) -> Wide {
        self.1.map(|reaches| reaches * self.0[k])
    }
}

impl Shared for &[Wide] {
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn at(&self, k: usize) -> Wide {
        self[k]
    }
}

struct Nothing;

impl Shared for Nothing {
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the vector width of its caller"
    )]
    #[inline(always)]
    fn at(&self, _: usize) -> Wide {
        [0.0; LANES]
    }
}

/// Power of one layer over a chunk, added to the racks' sums.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn layer_pass(
    sums: &mut Sums,
    index: usize,
    work: &mut Work,
    run: &Run<'_>,
    at: usize,
    steps: usize,
) {
    let layer = &mut sums.layers[index];
    let loads = sums.factors.is_some() && layer.factor_loading.iter().any(|l| *l > 0.0);
    let out = if index == 0 {
        &mut work.gpu_w
    } else {
        &mut work.layer_w
    };
    let whole = Chunk {
        index,
        at,
        steps,
        fresh: sums.fresh,
    };
    let mut supplies = (index == 0).then_some((&mut sums.supplies, &mut work.more_w));
    let supplies = &mut supplies;
    let extremes = match (layer.sources.len(), loads) {
        (0, false) => stretches(layer, supplies, &work.shifts, whole, &Nothing, out),
        (1, false) => {
            let (source, reach) = layer.sources[0];
            let shared = Same(&run.shared[source][at..at + steps], &reach);
            stretches(layer, supplies, &work.shifts, whole, &shared, out)
        }
        _ => {
            for (k, row) in work.shared[..steps].iter_mut().enumerate() {
                for (l, z) in row.iter_mut().enumerate() {
                    *z = layer.factor_loading[l] * work.factor[k][l];
                }
            }
            for (source, reach) in &layer.sources {
                for (row, z) in work
                    .shared
                    .iter_mut()
                    .zip(&run.shared[*source][at..at + steps])
                {
                    for l in 0..LANES {
                        row[l] += reach[l] * z;
                    }
                }
            }
            stretches(
                layer,
                supplies,
                &work.shifts,
                whole,
                &&work.shared[..steps],
                out,
            )
        }
    };
    if (0..LANES).any(|l| extremes.0[l] > layer.most_w[l] || extremes.1[l] < 0.0) {
        let words = run.steps / 64 + 1;
        let all = sums.layers.len() * LANES * words;
        let most_w = &sums.layers[index].most_w;
        work.high.resize(all, 0);
        work.low.resize(all, 0);
        for (k, row) in out[..steps].iter_mut().enumerate() {
            for l in 0..LANES {
                let (word, bit) = ((index * LANES + l) * words + (at + k) / 64, (at + k) % 64);
                if row[l] > most_w[l] {
                    row[l] = most_w[l];
                    work.high[word] |= 1 << bit;
                } else if row[l] < 0.0 {
                    row[l] = 0.0;
                    work.low[word] |= 1 << bit;
                }
            }
        }
    }
    if index > 0 {
        for (sum, row) in work.gpu_w[..steps].iter_mut().zip(&work.layer_w) {
            for l in 0..LANES {
                sum[l] += row[l];
            }
        }
    }
}

/// Which layer and which steps of the block.
#[derive(Clone, Copy)]
struct Chunk {
    index: usize,
    at: usize,
    steps: usize,
    fresh: bool,
}

/// The chunk from shift to shift. Returns the highest and the lowest power met by each rack, unbounded.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn stretches<S: Shared>(
    layer: &mut Layer,
    supplies: &mut Option<(&mut Supplies, &mut Vec<(usize, Wide)>)>,
    shifts: &Shifts,
    chunk: Chunk,
    shared: &S,
    out: &mut [Wide],
) -> (Wide, Wide) {
    let mut extremes = ([f64::NEG_INFINITY; LANES], [f64::INFINITY; LANES]);
    let Chunk {
        index,
        at,
        steps,
        fresh,
    } = chunk;
    let end = at + steps;
    let mut k = at;
    while k < end {
        let (mut shifted, mut any) = (false, false);
        for shift in shifts.at(k) {
            any = true;
            if usize::from(shift.layer) == index {
                layer.shift(shift);
                shifted = true;
            }
            if let Some((supplies, _)) = supplies {
                supplies.shift(shift);
            }
        }
        if shifted {
            layer.settle();
            if let Some(bends) = &mut layer.bends {
                bends.shift(shifts, k, index);
            }
        }
        if any && let Some((supplies, changes)) = supplies {
            supplies.bend(shifts, k);
            supplies.settle();
            changes.push((k - at, supplies.more_w));
        }
        let first = fresh && k == 0;
        let to = if first { 1 } else { shifts.next(k + 1, end) };
        let hold = ([1.0; LANES], [0.0; LANES]);
        let (a, b) = if first { hold } else { (layer.a, layer.b) };
        let (mean_w, spread_w, root_w) = (layer.mean_w, layer.spread_w, layer.root_w);
        let (mut high, mut low) = extremes;
        if let Some(process) = &mut layer.process {
            // A copy, so that the state stays in registers.
            let mut now = process.clone();
            for (k, row) in out[k - at..to - at]
                .iter_mut()
                .enumerate()
                .map(|(i, row)| (k - at + i, row))
            {
                let z = shared.at(k);
                now.step(&a, &b);
                for l in 0..LANES {
                    let w = mean_w[l] + (spread_w[l] * z[l] + root_w[l] * now.z[l]);
                    high[l] = if w > high[l] { w } else { high[l] };
                    low[l] = if w < low[l] { w } else { low[l] };
                    row[l] = w;
                }
            }
            *process = now;
        } else {
            for (k, row) in out[k - at..to - at]
                .iter_mut()
                .enumerate()
                .map(|(i, row)| (k - at + i, row))
            {
                let z = shared.at(k);
                for l in 0..LANES {
                    let w = mean_w[l] + spread_w[l] * z[l];
                    high[l] = if w > high[l] { w } else { high[l] };
                    low[l] = if w < low[l] { w } else { low[l] };
                    row[l] = w;
                }
            }
        }
        if let Some(bends) = &layer.bends {
            for (i, row) in out[k - at..to - at].iter_mut().enumerate() {
                bends.add(&shared.at(k - at + i), row, &mut high);
            }
        }
        extremes = (high, low);
        k = to;
    }
    extremes
}

/// From the racks' sums to their AC side.
#[expect(
    clippy::inline_always,
    reason = "it must be compiled for the vector width of its caller"
)]
#[inline(always)]
fn supply_pass(sums: &mut Sums, work: &mut Work, steps: usize) {
    let supplies = &mut sums.supplies;
    let [c0, c1, c2] = supplies.curve;
    let [decay, old, new] = supplies.lag;
    let (mut input_w, mut output_w) = (supplies.input_w, supplies.output_w);
    let mut more_w = supplies.before_w;
    // A copy, so that the state stays in registers.
    let mut beside = supplies.beside.clone();
    let mut from = 0;
    let mut changes = work.more_w.iter().copied();
    while from < steps {
        let (to, next_w) = changes.next().unwrap_or((steps, more_w));
        for (gpu_w, ac_w) in work.gpu_w[from..to].iter().zip(&mut work.ac_w[from..to]) {
            let mut u = [0.0; LANES];
            for l in 0..LANES {
                let g = gpu_w[l];
                u[l] = c0 + more_w[l] + g * (c1 + g * c2);
            }
            if let Some(beside) = &mut beside {
                beside.add(gpu_w, &mut u, supplies.started);
            }
            if supplies.started {
                for l in 0..LANES {
                    output_w[l] = decay * output_w[l] + (old * input_w[l] + new * u[l]);
                }
                input_w = u;
            } else {
                // A run begins with the lag settled.
                supplies.started = true;
                (input_w, output_w) = (u, u);
            }
            *ac_w = output_w;
        }
        (from, more_w) = (to, next_w);
    }
    work.more_w.clear();
    supplies.beside = beside;
    (supplies.input_w, supplies.output_w, supplies.before_w) = (input_w, output_w, more_w);
}
