//! Four plants of equal structure in lock-step.
//!
//! What a step does without an event is done in all lanes at once. A plant to which something happens in a call (a limiter, a kink that leaves a dead time, a trip, a
//! collapse) leaves its lane for the rest of the call, goes on alone from the state it has, and takes its seat again. So each is, bit for bit, the plant alone.

use multiversion::multiversion;

use crate::delay::Delay;
use crate::integrate::LoadLine;
use crate::lane::{F64x4, LANES, Lane};
use crate::limiter::Mode;
use crate::model::{Instant, Memory, Model, Power, anchors};
use crate::motion::{Course, Motion};
use crate::network::Anchor;
use crate::plant::Plant;

/// Four lanes and who sits in them.
#[derive(Debug, Clone)]
pub(crate) struct Quad {
    motion: Motion<F64x4>,
    seats: [Option<usize>; LANES],
    /// The lane has gone on since its plant was last written.
    stale: [bool; LANES],
    /// Anchors before a step: a plant that leaves begins the step with them.
    anchors: Vec<Anchor<F64x4>>,
}

/// Two sets of numbers, one a lane of the other.
fn each_number<const N: usize>(
    lanes: [&mut F64x4; N],
    one: [&mut f64; N],
    mut with: impl FnMut(&mut F64x4, &mut f64),
) {
    for (lanes, one) in lanes.into_iter().zip(one) {
        with(lanes, one);
    }
}

/// Whether a plant can advance in a lane: all its sets are on the bus, and no dead time ends within a step.
pub(crate) fn seatable(plant: &Plant) -> bool {
    let kernel = plant.kernel();
    let model = &kernel.motion.model;
    let short = |dead_time: f64| dead_time > 0.0 && dead_time < kernel.step();
    !kernel.collapsed
        && !model
            .groups
            .iter()
            .any(|group| group.off() || short(group.dead_time))
}

/// Whether two plants can share a quad.
pub(crate) fn alike(a: &Plant, b: &Plant) -> bool {
    let (a, b) = (a.kernel(), b.kernel());
    let (one, other) = (&a.motion.model, &b.motion.model);
    a.step() == b.step() && Model::pack([one, other, other, other]).is_some()
}

impl Quad {
    /// Of at most four plants, by index; `None` if fewer than two can sit or they are not alike.
    pub(crate) fn new(plants: &mut [Plant], who: &[usize]) -> Option<Self> {
        let mut sitting = who.iter().copied().filter(|&who| seatable(&plants[who]));
        let seats: [Option<usize>; LANES] = std::array::from_fn(|_| sitting.next());
        seats[1]?;
        let first = seats[0]?;
        // An empty lane repeats the first, so that nothing odd is computed there.
        let shown = seats.map(|seat| seat.unwrap_or(first));
        let model = Model::pack(shown.map(|who| &plants[who].kernel().motion.model))?;
        let width = plants[first].kernel().motion.state.len();
        let nothing = || std::array::from_fn(|_| Delay::new(0.0, 1.0, 0.0));
        let state = vec![F64x4::default(); width];
        let memory = Memory {
            delays: model.groups.iter().map(|_| nothing()).collect(),
            voltage: Course::default().voltage,
            anchors: anchors(&model, &state),
        };
        let mut quad = Self {
            anchors: memory.anchors.clone(),
            motion: Motion::new(model, state, memory, &[Mode::FREE; LANES]),
            seats,
            stale: [false; LANES],
        };
        for (lane, &who) in shown.iter().enumerate() {
            quad.copy(lane, &mut plants[who], |lanes, one| lanes.set(lane, *one));
        }
        for (lane, seat) in seats.iter().enumerate() {
            if let Some(who) = *seat {
                quad.swap_delays(lane, &mut plants[who]);
            }
        }
        Some(quad)
    }

    /// Whose lanes these are.
    pub(crate) fn seats(&self) -> impl Iterator<Item = usize> + '_ {
        self.seats.iter().flatten().copied()
    }

    /// All numbers of a plant with those of its lane.
    fn copy(&mut self, lane: usize, plant: &mut Plant, with: impl Fn(&mut F64x4, &mut f64)) {
        let (lanes, one) = (&mut self.motion, &mut plant.kernel_mut().motion);
        let pairs = |a: &mut [F64x4], b: &mut [f64]| {
            for (lanes, one) in a.iter_mut().zip(b) {
                with(lanes, one);
            }
        };
        pairs(&mut lanes.state, &mut one.state);
        pairs(&mut lanes.rate, &mut one.rate);
        for (lanes, one) in lanes.signals.iter_mut().zip(&mut one.signals) {
            each_number(lanes.numbers(), one.numbers(), &with);
        }
        each_number(lanes.course.numbers(), one.course.numbers(), &with);
        let (a, b) = (&mut lanes.memory, &mut one.memory);
        for (lanes, one) in a.anchors.iter_mut().zip(&mut b.anchors) {
            each_number(lanes.numbers(), one.numbers(), &with);
        }
        with(&mut a.voltage.re, &mut b.voltage.re);
        with(&mut a.voltage.im, &mut b.voltage.im);
        // Modes only change while a plant is alone.
        for (modes, [mode]) in lanes.modes.iter_mut().zip(&one.modes) {
            modes[lane] = *mode;
        }
    }

    fn swap_delays(&mut self, lane: usize, plant: &mut Plant) {
        let memory = &mut plant.kernel_mut().motion.memory;
        for (lanes, [one]) in self.motion.memory.delays.iter_mut().zip(&mut memory.delays) {
            std::mem::swap(&mut lanes[lane], one);
        }
    }

    /// Writes a plant as its lane is, to be looked at.
    pub(crate) fn show(&mut self, who: usize, plant: &mut Plant) {
        for lane in 0..LANES {
            if self.seats[lane] == Some(who) && self.stale[lane] {
                self.copy(lane, plant, |lanes, one| *one = lanes.lane(lane));
                self.stale[lane] = false;
            }
        }
    }

    /// Writes a plant as its lane is, with its past: it can go on alone.
    fn leave(&mut self, lane: usize, plant: &mut Plant) {
        self.copy(lane, plant, |lanes, one| *one = lanes.lane(lane));
        self.swap_delays(lane, plant);
    }

    /// Takes a plant that has gone on alone back into its lane.
    fn come_back(&mut self, lane: usize, plant: &mut Plant) {
        self.copy(lane, plant, |lanes, one| lanes.set(lane, *one));
        self.swap_delays(lane, plant);
        self.stale[lane] = false;
    }

    /// All plants go on alone from here.
    pub(crate) fn dissolve(mut self, plants: &mut [Plant]) {
        for lane in 0..LANES {
            if let Some(who) = self.seats[lane] {
                self.leave(lane, &mut plants[who]);
            }
        }
    }

    /// Advances all; false if someone can no longer sit here, or is no longer what it was.
    pub(crate) fn advance(
        &mut self,
        plants: &mut [Plant],
        h_s: f64,
        load: &impl Fn(usize) -> [(f64, f64); 2],
    ) -> bool {
        let mut lines: [Option<LoadLine>; LANES] = [None; LANES];
        let mut back = [false; LANES];
        let mut unchanged = true;
        for lane in 0..LANES {
            let Some(who) = self.seats[lane] else {
                continue;
            };
            let ([start, end], plant) = (load(who), &mut plants[who]);
            lines[lane] = plant.plain_line(h_s, start, end);
            if lines[lane].is_none() {
                self.leave(lane, plant);
                plant.advance_with_reactive(h_s, start, end);
                back[lane] = true;
                unchanged = false;
            }
        }
        self.jump(plants, &mut lines, &mut back);
        let mut elapsed = 0.0;
        while let Some(any) = lines.iter().flatten().next().copied() {
            if !any.goes_on(elapsed) {
                break;
            }
            let mut length = 0.0;
            for lane in 0..LANES {
                if let (Some(who), Some(line)) = (self.seats[lane], lines[lane]) {
                    let kernel = plants[who].kernel_mut();
                    // The same in all lanes: they have one step and one line's length.
                    length = kernel.piece(line, elapsed);
                    if kernel.until_kink() < length {
                        self.go_alone(lane, plants, &mut lines, &mut back, elapsed);
                    }
                }
            }
            self.step(plants, &mut lines, &mut back, (elapsed, length));
            elapsed += length;
        }
        for lane in 0..LANES {
            let Some(who) = self.seats[lane] else {
                continue;
            };
            if let Some(line) = lines[lane] {
                plants[who].kernel_mut().arrive(line);
            }
            if back[lane] {
                self.come_back(lane, &mut plants[who]);
                unchanged &= seatable(&plants[who]);
            }
        }
        unchanged
    }

    /// A plant leaves its lane and finishes its line alone.
    fn go_alone(
        &mut self,
        lane: usize,
        plants: &mut [Plant],
        lines: &mut [Option<LoadLine>; LANES],
        back: &mut [bool; LANES],
        elapsed: f64,
    ) {
        if let (Some(who), Some(line)) = (self.seats[lane], lines[lane].take()) {
            self.leave(lane, &mut plants[who]);
            plants[who].kernel_mut().finish(line, elapsed);
            back[lane] = true;
        }
    }

    /// Derivatives of those whose load has jumped since the last call.
    fn jump(
        &mut self,
        plants: &mut [Plant],
        lines: &mut [Option<LoadLine>; LANES],
        back: &mut [bool; LANES],
    ) {
        let mut jumped = [false; LANES];
        for lane in 0..LANES {
            if let (Some(who), Some(line)) = (self.seats[lane], lines[lane]) {
                let kernel = plants[who].kernel_mut();
                kernel.begin(line.start);
                jumped[lane] = kernel.jumps(line.start);
            }
        }
        if !jumped.contains(&true) {
            return;
        }
        let time = self.times(plants);
        self.anchors.copy_from_slice(&self.motion.memory.anchors);
        evaluate_four(&mut self.motion, Instant::new(time, loads(lines, 0.0)));
        let electric = self.motion.model.network.is_some();
        for lane in 0..LANES {
            if !jumped[lane] {
                continue;
            }
            if electric && self.motion.end_rate[0].lane(lane).is_nan() {
                // No voltage goes with the load: the plant itself says what that means.
                jumped[lane] = false;
                if let (Some(who), Some(line)) = (self.seats[lane], lines[lane].take()) {
                    self.restore_anchors(lane);
                    self.leave(lane, &mut plants[who]);
                    let kernel = plants[who].kernel_mut();
                    kernel.evaluate_start(line.start);
                    kernel.finish(line, 0.0);
                    back[lane] = true;
                }
            }
        }
        if jumped == [true; LANES] {
            self.motion.take_evaluation();
            return;
        }
        let motion = &mut self.motion;
        for lane in (0..LANES).filter(|&lane| jumped[lane]) {
            let set = |into: &mut F64x4, from: &F64x4| into.set(lane, from.lane(lane));
            for (into, from) in motion.rate.iter_mut().zip(&motion.end_rate) {
                set(into, from);
            }
            for (into, from) in motion.signals.iter_mut().zip(&mut motion.end_signals) {
                for (into, from) in into.numbers().into_iter().zip(from.numbers()) {
                    set(into, from);
                }
            }
            let mut course = Course::from(motion.memory.voltage);
            for (into, from) in motion.course.numbers().into_iter().zip(course.numbers()) {
                set(into, from);
            }
        }
    }

    /// One step of all lanes that have a line; who meets an event leaves at its beginning.
    fn step(
        &mut self,
        plants: &mut [Plant],
        lines: &mut [Option<LoadLine>; LANES],
        back: &mut [bool; LANES],
        (elapsed, length): (f64, f64),
    ) {
        if lines.iter().all(Option::is_none) {
            return;
        }
        let motion = &mut self.motion;
        for (delays, signals) in motion.memory.delays.iter_mut().zip(&motion.signals) {
            for (lane, delay) in delays.iter_mut().enumerate() {
                delay.begin(signals.fuel_rate.lane(lane));
            }
        }
        let middle = loads(lines, elapsed + 0.5 * length);
        let last = loads(lines, elapsed + length);
        self.anchors.copy_from_slice(&self.motion.memory.anchors);
        let time = self.times(plants);
        let [before, after] = trial_of_four(&mut self.motion, length, time, [middle, last]);
        for lane in 0..LANES {
            if lines[lane].is_some() && !(before.lane(lane) <= 0.0 && after.lane(lane) <= 0.0) {
                self.restore_anchors(lane);
                self.go_alone(lane, plants, lines, back, elapsed);
            }
        }
        if lines.iter().all(Option::is_none) {
            return;
        }
        accept_four(&mut self.motion, length);
        let motion = &mut self.motion;
        for lane in 0..LANES {
            let (Some(who), true) = (self.seats[lane], lines[lane].is_some()) else {
                continue;
            };
            let kernel = plants[who].kernel_mut();
            kernel.tick(length);
            let time = kernel.time();
            for (delays, signals) in motion.memory.delays.iter_mut().zip(&motion.signals) {
                let (fuel, rate) = (signals.fuel.lane(lane), signals.fuel_rate.lane(lane));
                delays[lane].push(time, fuel, rate);
            }
            self.stale[lane] = true;
        }
    }

    fn restore_anchors(&mut self, lane: usize) {
        let anchors = self.motion.memory.anchors.iter_mut();
        for (into, from) in anchors.zip(&mut self.anchors) {
            for (into, from) in into.numbers().into_iter().zip(from.numbers()) {
                into.set(lane, from.lane(lane));
            }
        }
    }

    /// Time of each plant; an empty lane has that of the first.
    fn times(&self, plants: &[Plant]) -> F64x4 {
        let of = |seat: Option<usize>| seat.map(|who| plants[who].kernel().time());
        F64x4::by_lane(|lane| of(self.seats[lane].or(self.seats[0])).unwrap_or_default())
    }
}

/// Load of each lane at a time along its line; a lane without one has that of another.
fn loads(lines: &[Option<LoadLine>; LANES], elapsed: f64) -> Power<F64x4> {
    let zero = Power {
        active: 0.0,
        reactive: 0.0,
    };
    let any = lines.iter().flatten().next();
    let at = lines
        .each_ref()
        .map(|line| line.as_ref().or(any).map_or(zero, |line| line.at(elapsed)));
    Power {
        active: F64x4::by_lane(|lane| at[lane].active),
        reactive: F64x4::by_lane(|lane| at[lane].reactive),
    }
}

#[multiversion(targets("x86_64+avx2"))]
fn evaluate_four(motion: &mut Motion<F64x4>, at: Instant<F64x4>) {
    motion.evaluate(at);
}

/// Pressure on the limiters before a step and after it.
#[multiversion(targets("x86_64+avx2"))]
fn trial_of_four(
    motion: &mut Motion<F64x4>,
    length: f64,
    time: F64x4,
    loads: [Power<F64x4>; 2],
) -> [F64x4; 2] {
    let before = motion.pressure();
    motion.runge_kutta(length, time, loads);
    [before, motion.pressure_at_end(true)]
}

#[multiversion(targets("x86_64+avx2"))]
fn accept_four(motion: &mut Motion<F64x4>, length: f64) {
    motion.accept(length, true);
}
