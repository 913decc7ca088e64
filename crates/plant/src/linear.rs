//! The plant's equations of motion, linear around its start, every dead time exact.
//!
//! `x' = A x + Σ Bᵢ uᵢ(t − Tᵢ) + b ΔP`, `uᵢ = Cᵢ x`: one `u` for every engine with a dead time. `A`, `B`, `C`, `b` are central differences of the very
//! right side that is integrated, with throttles free, so every model has them. One extrapolation (Richardson) takes the error of the differences to the fourth
//! order of a step of 1e-4: what remains is rounding, about 1e-11 of the largest entry.
//!
//! Beside a utility the axes turn with its voltage: every angle counts, and the plant's speed, that of the grid, answers to nothing.
//!
//! Left out are what carries no motion: the sets' mean speed and the angle of one alternator (both follow from the rest), constants, and states that nothing looks at.

use crate::bus::Phasor;
use crate::complex::{Complex, real};
use crate::dense::Lu;
use crate::governor::{BOOST, Engine, Group, LAG, LIMITED, Law, Signals};
use crate::limiter::Mode;
use crate::machine::{ANGLE, SPEED};
use crate::model::{Instant, Memory, Model, Power, anchors, evaluate};
use crate::modes::StateKind;

/// Step of the differences; all states are per unit or radians.
const STEP: f64 = 1e-4;
/// Step where a clip or limit lies nearer.
const SMALL_STEP: f64 = 1e-7;
/// Differences that disagree by more than this, relative, span a kink.
const KINK: f64 = 1e-2;
/// Angular frequency above which only the inertia counts, rad/s.
const ONLY_INERTIA: f64 = 1e12;

/// A plant at rest.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    pub(crate) model: Model,
    pub(crate) state: Vec<f64>,
    pub(crate) load: Power,
    pub(crate) voltage: f64,
    /// Change of reactive power with active power.
    pub(crate) tan_phi: f64,
    pub(crate) step_s: f64,
    pub(crate) names: Vec<String>,
    pub(crate) frequency_hz: f64,
}

/// Whose state, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Index of the set; none for the common speed.
    pub(crate) set: Option<usize>,
    pub(crate) kind: StateKind,
    /// Slot in the whole state.
    pub(crate) slot: usize,
}

/// A linear function of the states and of the load.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) by_state: Vec<f64>,
    pub(crate) by_load: f64,
}

impl Row {
    /// Its value for a response.
    pub(crate) fn of(&self, x: &[Complex]) -> Complex {
        self.by_state
            .iter()
            .zip(x)
            .fold(real(self.by_load), |sum, (c, x)| sum + *x * *c)
    }
}

/// An engine's dead time: fuel from states, its effect on rates.
#[derive(Debug, Clone)]
pub(crate) struct Delayed {
    pub(crate) set: usize,
    pub(crate) dead_time: f64,
    pub(crate) fuel: Vec<f64>,
    pub(crate) effect: Vec<f64>,
}

/// The linear model.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) tags: Vec<Tag>,
    /// `A`, row by row.
    pub(crate) a: Vec<f64>,
    /// `b`: effect of one per unit of load.
    pub(crate) input: Vec<f64>,
    pub(crate) delayed: Vec<Delayed>,
    /// Speed of the plant.
    pub(crate) speed: Row,
    /// By set.
    pub(crate) set_speed: Vec<Row>,
    pub(crate) throttle: Vec<Row>,
    pub(crate) boost: Vec<Option<Row>>,
    /// Empty without alternators.
    pub(crate) voltage: Vec<Row>,
    /// The start stands on a limit, in a dead band or at another kink: slopes are means of both sides.
    pub(crate) at_a_kink: bool,
}

/// What an evaluation gives: rates, then fuels, speed, speeds, throttles, boosts, voltages.
#[derive(Clone)]
struct Evaluation {
    rate: Vec<f64>,
    fuel: Vec<f64>,
    throttle: Vec<f64>,
    voltage: Vec<f64>,
}

impl Evaluation {
    fn flat(&self) -> impl Iterator<Item = f64> + '_ {
        let parts = [&self.rate, &self.fuel, &self.throttle, &self.voltage];
        parts.into_iter().flatten().copied()
    }
}

/// What can be moved.
#[derive(Clone, Copy)]
enum Move {
    State(usize),
    Fuel(usize),
    Load,
}

struct Differences<'a> {
    rest: &'a Rest,
    memory: Memory,
    fuel: Vec<f64>,
    signals: Vec<Signals>,
    modes: Vec<[Mode; 1]>,
    /// Share of each set in the inertia; zero off the bus.
    inertia: Vec<f64>,
    /// Set whose angle follows from the others'.
    heaviest: usize,
    at_a_kink: bool,
}

impl<'a> Differences<'a> {
    fn new(rest: &'a Rest) -> Self {
        let model = &rest.model;
        let fuel: Vec<f64> = model
            .groups
            .iter()
            .map(|group| {
                let (own, speed) = (group.own(&rest.state), rest.state[group.speed_at]);
                let governed = group.governed(&rest.state);
                group.fuel(group.throttle(&[Mode::FREE], own, governed), speed)
            })
            .collect();
        let delays = model
            .groups
            .iter()
            .zip(&fuel)
            .map(|(group, fuel)| [crate::delay::Delay::new(group.dead_time, 1.0, *fuel)])
            .collect();
        let all: f64 = model.groups.iter().map(|g| g.weight * g.inertia).sum();
        let inertia: Vec<f64> = model
            .groups
            .iter()
            .map(|g| g.weight * g.inertia / all)
            .collect();
        let heaviest = (0..inertia.len()).fold(0, |best, index| {
            if inertia[index] > inertia[best] {
                index
            } else {
                best
            }
        });
        Self {
            rest,
            memory: Memory {
                delays,
                voltage: Phasor {
                    re: rest.voltage,
                    im: 0.0,
                },
                anchors: anchors(model, &rest.state),
            },
            fuel,
            signals: vec![Signals::default(); model.groups.len()],
            modes: vec![[Mode::FREE]; model.groups.len()],
            inertia,
            heaviest,
            at_a_kink: false,
        }
    }

    /// Moves what follows from the state that is moved as well.
    fn shift(&self, state: &mut [f64], slot: usize, by: f64) {
        state[slot] += by;
        let Some(network) = &self.rest.model.network else {
            return;
        };
        if network.utility.is_some() {
            return; // the axes turn with the grid
        }
        for (index, unit) in network.units.iter().enumerate() {
            if slot == unit.machine_at + SPEED {
                state[0] += by * self.inertia[index];
            } else if slot == unit.machine_at + ANGLE {
                let other = network.units[self.heaviest].machine_at + ANGLE;
                state[other] -= by * self.inertia[index] / self.inertia[self.heaviest];
            }
        }
    }

    fn evaluate(&mut self, moved: Move, by: f64) -> Evaluation {
        let rest = self.rest;
        let mut state = rest.state.clone();
        let mut load = rest.load;
        let mut fuel_of = None;
        match moved {
            Move::State(slot) => self.shift(&mut state, slot, by),
            Move::Fuel(index) => fuel_of = Some(index),
            Move::Load => {
                load.active += by;
                load.reactive += by * rest.tan_phi;
            }
        }
        for (index, ([delay], fuel)) in self.memory.delays.iter_mut().zip(&self.fuel).enumerate() {
            let extra = if fuel_of == Some(index) { by } else { 0.0 };
            delay.rest_at(fuel + extra);
        }
        self.memory.voltage = Phasor {
            re: rest.voltage,
            im: 0.0,
        };
        let mut rate = vec![0.0; state.len()];
        evaluate(
            &rest.model,
            &mut self.memory,
            &self.modes,
            Instant::new(0.0, load),
            &state,
            &mut rate,
            &mut self.signals,
        );
        let electric = rest.model.network.is_some();
        let by_set = |of: fn(&Signals) -> f64| self.signals.iter().map(of).collect::<Vec<f64>>();
        Evaluation {
            rate,
            fuel: by_set(|s| s.fuel),
            throttle: by_set(|s| s.throttle),
            voltage: if electric {
                by_set(|s| s.electric.voltage)
            } else {
                Vec::new()
            },
        }
    }

    /// Slope of everything along one move.
    fn slope(&mut self, moved: Move) -> Vec<f64> {
        let wide = self.slope_at(moved, STEP);
        if let Some(slope) = wide.0 {
            return slope;
        }
        let narrow = self.slope_at(moved, SMALL_STEP);
        narrow.0.unwrap_or_else(|| {
            self.at_a_kink = true;
            narrow.1
        })
    }

    /// Extrapolated slope if it is one, and the plain one.
    fn slope_at(&mut self, moved: Move, step: f64) -> (Option<Vec<f64>>, Vec<f64>) {
        let middle: Vec<f64> = self.evaluate(moved, 0.0).flat().collect();
        let mut central = |h: f64| {
            let up: Vec<f64> = self.evaluate(moved, h).flat().collect();
            let down: Vec<f64> = self.evaluate(moved, -h).flat().collect();
            let uneven = |i: usize| (up[i] - 2.0 * middle[i] + down[i]) / h;
            let slope: Vec<f64> = up
                .iter()
                .zip(&down)
                .map(|(u, d)| (u - d) / (2.0 * h))
                .collect();
            let bend: Vec<f64> = (0..up.len()).map(uneven).collect();
            (slope, bend)
        };
        let (one, bend) = central(step);
        let (two, wide_bend) = central(2.0 * step);
        // A kink bends by as much at either step, a smooth curve twice as much at twice the step.
        let kink = (0..one.len()).any(|i| {
            let size = one[i].abs().max(two[i].abs()).max(1e-3);
            (one[i] - two[i]).abs() > KINK * size
                || (bend[i].abs() > KINK * size && wide_bend[i].abs() < 1.5 * bend[i].abs())
        });
        let extrapolated = one.iter().zip(&two).map(|(a, b)| (4.0 * a - b) / 3.0);
        let extrapolated = (!kink).then(|| extrapolated.collect());
        (extrapolated, one)
    }
}

/// Slots that move, in an order that keeps elimination sparse: governors first.
fn slots(rest: &Rest, differences: &Differences<'_>) -> Vec<Tag> {
    let model = &rest.model;
    let mut tags = Vec::new();
    for (index, group) in model.groups.iter().enumerate() {
        if group.weight > 0.0 {
            tags.extend((0..group.width).map(|own| Tag {
                set: Some(index),
                kind: own_kind(group, own),
                slot: group.at + own,
            }));
        }
    }
    let members = model.sharing.iter().flat_map(|line| &line.members);
    tags.extend(
        members
            .filter(|member| model.groups[member.group].weight > 0.0)
            .map(|member| Tag {
                set: Some(member.group),
                kind: StateKind::Sharing,
                slot: member.at,
            }),
    );
    let Some(network) = &model.network else {
        tags.push(Tag {
            set: None,
            kind: StateKind::Speed,
            slot: 0,
        });
        return tags;
    };
    for (index, unit) in network.units.iter().enumerate() {
        if model.groups[index].weight == 0.0 {
            continue;
        }
        for own in 0..unit.machine.width() {
            let kind = match own {
                ANGLE if index == differences.heaviest && network.utility.is_none() => continue,
                ANGLE => StateKind::Angle,
                SPEED => StateKind::Speed,
                _ => StateKind::Flux,
            };
            tags.push(Tag {
                set: Some(index),
                kind,
                slot: unit.machine_at + own,
            });
        }
        tags.extend((0..unit.exciter.width()).map(|own| Tag {
            set: Some(index),
            kind: StateKind::Exciter,
            slot: unit.exciter_at + own,
        }));
    }
    tags
}

fn own_kind(group: &Group, own: usize) -> StateKind {
    match own {
        LIMITED => StateKind::Throttle,
        BOOST => StateKind::Boost,
        LAG if !matches!(group.engine, Engine::Direct) && !matches!(group.law, Law::General(_)) => {
            StateKind::Engine
        }
        _ => StateKind::Governor,
    }
}

impl Linear {
    /// Around a plant at rest.
    pub(crate) fn new(rest: &Rest) -> Self {
        let mut differences = Differences::new(rest);
        let model = &rest.model;
        let mut tags = slots(rest, &differences);
        let mut columns: Vec<Vec<f64>> = tags
            .iter()
            .map(|tag| differences.slope(Move::State(tag.slot)))
            .collect();
        let mut delayed: Vec<(usize, Vec<f64>)> = model
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| group.dead_time > 0.0 && group.weight > 0.0)
            .map(|(index, _)| (index, differences.slope(Move::Fuel(index))))
            .collect();
        let load = differences.slope(Move::Load);
        let watched = Watched::new(rest);
        prune(&mut tags, &mut columns, &mut delayed, &load, &watched);

        let states = rest.state.len();
        let sets = model.groups.len();
        let from_states = |at: usize| columns.iter().map(|c| c[at]).collect::<Vec<f64>>();
        let row = |at: usize| Row {
            by_state: from_states(at),
            by_load: load[at],
        };
        let picked = |weights: &dyn Fn(&Tag) -> f64| Row {
            by_state: tags.iter().map(weights).collect(),
            by_load: 0.0,
        };
        let slot_row = |slot: usize| picked(&|tag: &Tag| f64::from(tag.slot == slot));
        let inertia = &differences.inertia;
        let beside_a_grid = model.network.as_ref().is_some_and(|n| n.utility.is_some());
        let speed = if beside_a_grid {
            picked(&|_| 0.0)
        } else if model.network.is_some() {
            picked(&|tag: &Tag| match (tag.kind, tag.set) {
                (StateKind::Speed, Some(set)) => inertia[set],
                _ => 0.0,
            })
        } else {
            slot_row(0)
        };
        Self {
            a: tags.iter().flat_map(|tag| from_states(tag.slot)).collect(),
            input: tags.iter().map(|tag| load[tag.slot]).collect(),
            delayed: delayed
                .iter()
                .map(|(index, effect)| Delayed {
                    set: *index,
                    dead_time: model.groups[*index].dead_time,
                    fuel: from_states(states + index),
                    effect: tags.iter().map(|tag| effect[tag.slot]).collect(),
                })
                .collect(),
            speed,
            set_speed: model.groups.iter().map(|g| slot_row(g.speed_at)).collect(),
            throttle: (0..sets).map(|set| row(states + sets + set)).collect(),
            boost: model
                .groups
                .iter()
                .map(|g| g.turbo.map(|_| slot_row(g.at + BOOST)))
                .collect(),
            voltage: if model.network.is_some() {
                (0..sets).map(|set| row(states + 2 * sets + set)).collect()
            } else {
                Vec::new()
            },
            at_a_kink: differences.at_a_kink,
            tags,
        }
    }

    /// Number of states.
    pub(crate) fn order(&self) -> usize {
        self.tags.len()
    }

    /// `M(s) = s I − A − Σ Bᵢ Cᵢ e^{−s Tᵢ}`.
    pub(crate) fn matrix(&self, s: Complex) -> Vec<Complex> {
        let n = self.order();
        let mut m: Vec<Complex> = self.a.iter().map(|a| real(-a)).collect();
        for k in 0..n {
            m[k * n + k] = m[k * n + k] + s;
        }
        for d in &self.delayed {
            let late = (-(s * d.dead_time)).exp();
            for (row, effect) in m.chunks_exact_mut(n).zip(&d.effect) {
                if *effect != 0.0 {
                    for (own, fuel) in row.iter_mut().zip(&d.fuel) {
                        *own = *own - late * (effect * fuel);
                    }
                }
            }
        }
        m
    }

    /// States per unit of load at `s`; none where nothing holds them.
    pub(crate) fn response(&self, s: Complex) -> Option<Vec<Complex>> {
        let lu = Lu::new(self.order(), self.matrix(s));
        if lu.singular {
            return None;
        }
        let right: Vec<Complex> = self.input.iter().map(|b| real(*b)).collect();
        Some(lu.solve(&right))
    }

    /// `|Δω/ΔP|` and `|ΔV/ΔP|` of one set at `f_hz`; infinite where nothing holds the states.
    pub(crate) fn set_gains(&self, set: usize, f_hz: f64) -> (f64, Option<f64>) {
        let s = Complex {
            re: 0.0,
            im: std::f64::consts::TAU * f_hz.abs().min(ONLY_INERTIA),
        };
        let response = self.response(s);
        let of = |row: &Row| response.as_ref().map_or(f64::INFINITY, |x| row.of(x).abs());
        (of(&self.set_speed[set]), self.voltage.get(set).map(of))
    }

    /// `|Δω/ΔP|` at `f_hz`.
    pub(crate) fn gain(&self, f_hz: f64) -> f64 {
        let omega = std::f64::consts::TAU * f_hz.abs();
        if omega > ONLY_INERTIA {
            // Powers of s would overflow.
            let inertia: f64 = self
                .speed
                .by_state
                .iter()
                .zip(&self.input)
                .map(|(c, b)| c * b)
                .sum();
            return inertia.abs() / omega;
        }
        let s = Complex { re: 0.0, im: omega };
        self.response(s)
            .map_or(f64::INFINITY, |x| self.speed.of(&x).abs())
    }
}

/// What is looked at whatever the rates do.
struct Watched {
    /// Slots of speeds and boosts.
    slots: Vec<usize>,
    /// Places after the rates: fuels, throttles, voltages.
    from: usize,
}

impl Watched {
    fn new(rest: &Rest) -> Self {
        let groups = &rest.model.groups;
        let speeds = groups.iter().map(|g| g.speed_at);
        let boosts = groups
            .iter()
            .filter(|g| g.turbo.is_some())
            .map(|g| g.at + BOOST);
        Self {
            slots: speeds.chain(boosts).collect(),
            from: rest.state.len(),
        }
    }
}

/// Takes out constants and what nothing looks at, until there is no more.
fn prune(
    tags: &mut Vec<Tag>,
    columns: &mut Vec<Vec<f64>>,
    delayed: &mut [(usize, Vec<f64>)],
    load: &[f64],
    watched: &Watched,
) {
    loop {
        let constant = |slot: usize| {
            columns.iter().all(|c| c[slot] == 0.0)
                && delayed.iter().all(|(_, c)| c[slot] == 0.0)
                && load[slot] == 0.0
        };
        let unseen = |index: usize| {
            let own = tags[index].slot;
            let column = &columns[index];
            !watched.slots.contains(&own)
                && tags
                    .iter()
                    .all(|tag| tag.slot == own || column[tag.slot] == 0.0)
                && column[watched.from..].iter().all(|v| *v == 0.0)
        };
        let Some(index) = (0..tags.len())
            .find(|i| (constant(tags[*i].slot) && tags[*i].kind != StateKind::Speed) || unseen(*i))
        else {
            return;
        };
        tags.remove(index);
        columns.remove(index);
    }
}
