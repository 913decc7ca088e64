//! Modes of a plant at its operating point: the roots of `det(s I − A − Σ Bᵢ Cᵢ e^{−s Tᵢ})`.
//!
//! A dead time has infinitely many roots. Candidates are the eigenvalues of `A` with every dead time as a polynomial of its past on Chebyshev nodes (Breda, Maset, Vermiglio,
//! "Pseudospectral differencing methods for characteristic roots of delay differential equations", SIAM J. Sci. Comput. 27 (2005) 482); each is then refined
//! on the exact equation by a two-sided Rayleigh quotient. Candidates that do not stay where they were are not roots of the plant.
//! Participation is `|wₖ vₖ|` of left and right null vectors, summing to one (Pérez-Arriaga, Verghese, Schweppe, IEEE Trans. PAS-101 (1982) 3117), with the share of a dead time.

use std::fmt;

use nalgebra::DMatrix;
use nalgebra::linalg::{Schur, balancing::balance_parlett_reinsch};

use crate::complex::{Complex, ONE, ZERO, real};
use crate::dense::Lu;
use crate::linear::{Linear, Rest, Tag};

/// Nodes of a dead time beside its beginning.
const NODES: usize = 10;
/// States beyond which modes are not looked for: the work grows with the cube.
const MOST: usize = 500;
/// A refined root farther from its candidate, relative, is not that candidate.
const STAYS: f64 = 0.05;
/// Two roots closer than this, relative, are one.
const SAME: f64 = 1e-7;
/// Share of a mode above which a set or kind of state is named.
const NAMED: f64 = 0.2;
/// Roots slower than this beside the axis count as on it, per second.
pub(crate) const ON_THE_AXIS: f64 = 1e-9;

/// What a state of the plant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateKind {
    /// Speed of a shaft, or of the whole plant.
    Speed,
    /// Angle of a rotor against the mean of all.
    Angle,
    /// Throttle, valve, or the integral of a PI governor.
    Throttle,
    /// Another state of the governor.
    Governor,
    /// Trim of the speed reference by a load-sharing line.
    Sharing,
    /// Engine or turbine behind the throttle.
    Engine,
    /// Dead time of the engine.
    DeadTime,
    /// Boost of a turbocharger.
    Boost,
    /// Flux of an alternator.
    Flux,
    /// Voltage regulator and exciter.
    Exciter,
}

impl fmt::Display for StateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Speed => "speed",
            Self::Angle => "rotor angle",
            Self::Throttle => "throttle",
            Self::Governor => "governor",
            Self::Sharing => "load sharing",
            Self::Engine => "engine",
            Self::DeadTime => "dead time",
            Self::Boost => "boost",
            Self::Flux => "flux",
            Self::Exciter => "exciter",
        })
    }
}

/// What a mode is, by the states that take part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeKind {
    /// Speed against governor and engine.
    SpeedGovernor,
    /// Rotors against each other.
    Electromechanical,
    /// Voltage regulator and field.
    VoltageRegulator,
    /// Fluxes of the alternators alone.
    Flux,
    /// Boost of a turbocharger.
    Boost,
    /// Within a governor or engine.
    Governor,
}

/// Share of one kind of state of one set in a mode.
#[derive(Debug, Clone, PartialEq)]
pub struct Participation {
    /// Name of the set; none for the speed that all share.
    pub set: Option<String>,
    /// What the states are.
    pub state: StateKind,
    /// Share, 0 to 1; all of a mode sum to 1.
    pub share: f64,
}

/// A mode of the plant: free motion as `e^{σt} cos(ωt)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    /// What it is and whose: "speed governor mode of g1".
    pub name: String,
    /// The same to be matched on.
    pub kind: ModeKind,
    /// Growth σ, per second; negative where it decays.
    pub growth_per_s: f64,
    /// Frequency ω/2π, hertz; 0 where it does not oscillate.
    pub frequency_hz: f64,
    /// Damping ratio `−σ/√(σ²+ω²)`; 1 or −1 where it does not oscillate.
    pub damping_ratio: f64,
    /// Time in which it changes by a factor of e, seconds; infinite on the border.
    pub time_constant_s: f64,
    /// Whether it decays. A mode at zero does not: nothing holds the speed, or how isochronous sets share the load.
    pub stable: bool,
    /// Who takes part, largest share first.
    pub participation: Vec<Participation>,
    /// Roots in this place, where equal sets swing alike.
    pub multiplicity: usize,
    /// How strongly the load moves the plant's speed through it: `|c v wᵀ b / wᵀ M' v|`, per unit and second.
    pub speed_residue: f64,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.frequency_hz > 0.0 {
            write!(
                f,
                " at {:.3} Hz, damping ratio {:.3}",
                self.frequency_hz, self.damping_ratio
            )?;
        }
        if self.growth_per_s.abs() <= ON_THE_AXIS {
            return f.write_str(", neither decays nor grows");
        }
        write!(f, ", time constant {:.3} s", self.time_constant_s)?;
        f.write_str(if self.stable {
            ""
        } else {
            ", UNSTABLE: it grows"
        })
    }
}

/// The modes of a plant at its operating point.
#[derive(Debug, Clone, PartialEq)]
pub struct Modes {
    /// Slowest decay (or fastest growth) first. With a dead time there are infinitely many: those below its resolution are here.
    pub modes: Vec<Mode>,
    /// The operating point stands on a limit or in a dead band: small and large motion differ.
    pub at_a_kink: bool,
}

impl Modes {
    /// Whether no mode grows. One that stands still (how isochronous sets share the load is nobody's concern) is no harm.
    pub fn stable(&self) -> bool {
        self.modes.iter().all(|m| m.growth_per_s <= ON_THE_AXIS)
    }

    /// The oscillating mode of the plant's speed nearest to a frequency, hertz, by `|j2πf − s|`.
    pub fn nearest(&self, f_hz: f64) -> Option<&Mode> {
        let strongest = self
            .modes
            .iter()
            .map(|m| m.speed_residue)
            .fold(0.0, f64::max);
        let distance = |m: &Mode| {
            let off = std::f64::consts::TAU * (f_hz - m.frequency_hz);
            libm::hypot(off, m.growth_per_s)
        };
        self.modes
            .iter()
            .filter(|m| m.frequency_hz > 0.0 && m.speed_residue > 1e-3 * strongest)
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }
}

/// Differentiation matrix on `count + 1` Chebyshev points of 0 to 1, in order; rows are points.
fn chebyshev(count: usize) -> Vec<Vec<f64>> {
    let at = |j: usize| 0.5 - 0.5 * libm::cos(std::f64::consts::PI * j as f64 / count as f64);
    let weight = |j: usize| {
        let end = if j == 0 || j == count { 0.5 } else { 1.0 };
        if j.is_multiple_of(2) { end } else { -end }
    };
    (0..=count)
        .map(|i| {
            let mut row: Vec<f64> = (0..=count)
                .map(|j| {
                    if i == j {
                        0.0
                    } else {
                        weight(j) / weight(i) / (at(i) - at(j))
                    }
                })
                .collect();
            row[i] = -row.iter().sum::<f64>();
            row
        })
        .collect()
}

/// Candidates for roots, upper half of the plane; none if there are too many states or the iteration fails.
pub(crate) fn candidates(linear: &Linear) -> Option<Vec<Complex>> {
    let n = linear.order();
    let all = n + NODES * linear.delayed.len();
    if all > MOST {
        return None;
    }
    let mut m = DMatrix::<f64>::zeros(all, all);
    for row in 0..n {
        for column in 0..n {
            m[(row, column)] = linear.a[row * n + column];
        }
    }
    let derivative = chebyshev(NODES);
    for (index, d) in linear.delayed.iter().enumerate() {
        let first = n + index * NODES;
        for row in 0..n {
            m[(row, first + NODES - 1)] += d.effect[row];
        }
        // u(t − θT): ∂u/∂t = −(1/T) ∂u/∂θ, and u(t) = C x at θ = 0.
        for (node, slopes) in derivative.iter().enumerate().skip(1) {
            let row = first + node - 1;
            for column in 0..n {
                m[(row, column)] -= slopes[0] / d.dead_time * d.fuel[column];
            }
            for other in 1..=NODES {
                m[(row, first + other - 1)] -= slopes[other] / d.dead_time;
            }
        }
    }
    if m.iter().any(|v| !v.is_finite()) {
        return None;
    }
    if all == 0 {
        return Some(Vec::new());
    }
    balance_parlett_reinsch(&mut m);
    let schur = Schur::try_new(m, f64::EPSILON, 200 * all)?;
    let roots = schur.complex_eigenvalues();
    Some(
        roots
            .iter()
            .filter(|root| root.im >= 0.0)
            .map(|root| Complex {
                re: root.re,
                im: root.im,
            })
            .collect(),
    )
}

/// A root with its vectors.
struct Root {
    s: Complex,
    right: Vec<Complex>,
    left: Vec<Complex>,
    /// `wᵀ M' v`.
    norm: Complex,
}

fn dot(a: &[Complex], b: &[Complex]) -> Complex {
    a.iter().zip(b).fold(ZERO, |sum, (a, b)| sum + *a * *b)
}

fn plain(a: &[f64], b: &[Complex]) -> Complex {
    a.iter().zip(b).fold(ZERO, |sum, (a, b)| sum + *b * *a)
}

fn normalised(mut v: Vec<Complex>) -> Vec<Complex> {
    let size = v.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    for x in &mut v {
        *x = *x * (1.0 / size);
    }
    v
}

/// Refines a candidate on the exact equation.
fn refine(linear: &Linear, start: Complex) -> Option<Root> {
    let n = linear.order();
    // Any vector that is not orthogonal to the one sought.
    let seed = |phase: f64| -> Vec<Complex> {
        (0..n)
            .map(|k| real(1.0 + 0.5 * libm::sin(phase + 1.7 * k as f64)))
            .collect()
    };
    let (mut right, mut left) = (seed(0.3), seed(1.1));
    let mut s = start;
    for pass in 0..40 {
        let m = linear.matrix(s);
        let lu = Lu::new(n, m.clone());
        right = normalised(lu.solve(&right));
        left = normalised(lu.solve_transposed(&left));
        let mut norm = dot(&left, &right);
        for d in &linear.delayed {
            norm = norm
                + delay_share(
                    d.dead_time,
                    s,
                    plain(&d.effect, &left),
                    plain(&d.fuel, &right),
                );
        }
        let residual = m
            .chunks_exact(n)
            .zip(&left)
            .fold(ZERO, |sum, (row, w)| sum + *w * dot(row, &right));
        let step = residual / norm;
        if !(step.re.is_finite() && step.im.is_finite()) {
            return None;
        }
        s = s - step;
        let scale = s.abs().max(1e-3);
        if step.abs() <= 1e-13 * scale || (pass > 6 && step.abs() <= 1e-10 * scale) {
            return Some(Root {
                s,
                right,
                left,
                norm,
            });
        }
    }
    None
}

/// Part of a dead time in `wᵀ M' v`.
fn delay_share(dead_time: f64, s: Complex, effect: Complex, fuel: Complex) -> Complex {
    effect * fuel * (-(s * dead_time)).exp() * dead_time
}

/// Roots of the exact equation, with their multiplicity.
fn roots(linear: &Linear) -> Option<Vec<(Root, usize)>> {
    let mut found: Vec<(Root, usize)> = Vec::new();
    for candidate in candidates(linear)? {
        let Some(mut root) = refine(linear, candidate) else {
            continue;
        };
        let scale = candidate.abs().max(1e-3);
        if (root.s - candidate).abs() > STAYS * scale {
            continue;
        }
        if root.s.im < 0.0 {
            root.s.im = 0.0;
        }
        let same = |other: &(Root, usize)| (other.0.s - root.s).abs() <= SAME * scale;
        if let Some(old) = found.iter_mut().find(|other| same(other)) {
            old.1 += 1;
        } else {
            found.push((root, 1));
        }
    }
    found.sort_by(|a, b| {
        let by_growth = b.0.s.re.total_cmp(&a.0.s.re);
        by_growth.then(a.0.s.im.total_cmp(&b.0.s.im))
    });
    Some(found)
}

/// Growth of the fastest-growing mode, per second; none as in [`modes`].
pub(crate) fn growth(linear: &Linear) -> Option<f64> {
    let roots = roots(linear)?;
    Some(
        roots
            .iter()
            .map(|r| r.0.s.re)
            .fold(f64::NEG_INFINITY, f64::max),
    )
}

/// All modes; none if there are too many states.
pub(crate) fn modes(rest: &Rest, linear: &Linear) -> Option<Modes> {
    let modes = roots(linear)?
        .into_iter()
        .map(|(root, multiplicity)| describe(rest, linear, &root, multiplicity))
        .collect();
    Some(Modes {
        modes,
        at_a_kink: linear.at_a_kink,
    })
}

fn describe(rest: &Rest, linear: &Linear, root: &Root, multiplicity: usize) -> Mode {
    let Root {
        s,
        right,
        left,
        norm,
    } = root;
    let mut shares: Vec<(Option<usize>, StateKind, f64)> = Vec::new();
    let mut add = |set: Option<usize>, kind: StateKind, share: f64| match shares
        .iter_mut()
        .find(|x| (x.0, x.1) == (set, kind))
    {
        Some(known) => known.2 += share,
        None => shares.push((set, kind, share)),
    };
    for ((tag, v), w) in linear.tags.iter().zip(right).zip(left) {
        add(tag.set, tag.kind, (*v * *w).abs());
    }
    for d in &linear.delayed {
        let (effect, fuel) = (plain(&d.effect, left), plain(&d.fuel, right));
        let share = delay_share(d.dead_time, *s, effect, fuel).abs();
        add(Some(d.set), StateKind::DeadTime, share);
    }
    let all: f64 = shares.iter().map(|x| x.2).sum();
    for share in &mut shares {
        share.2 /= all;
    }
    shares.sort_by(|a, b| b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    let kind = kind(&shares);
    let oscillates = s.im > 1e-9 * s.re.abs().max(ON_THE_AXIS);
    let size = s.abs();
    let residue = linear.speed.of(right) * plain(&linear.input, left) / *norm;
    Mode {
        name: name(rest, linear, kind, &shares, right),
        kind,
        growth_per_s: s.re,
        frequency_hz: if oscillates {
            s.im / std::f64::consts::TAU
        } else {
            0.0
        },
        damping_ratio: if size > 0.0 { -s.re / size } else { 0.0 },
        time_constant_s: 1.0 / s.re.abs(),
        stable: s.re < -ON_THE_AXIS,
        participation: shares
            .into_iter()
            .map(|(set, state, share)| Participation {
                set: set.map(|i| rest.names[i].clone()),
                state,
                share,
            })
            .collect(),
        multiplicity,
        speed_residue: residue.abs(),
    }
}

fn kind(shares: &[(Option<usize>, StateKind, f64)]) -> ModeKind {
    let sum = |kinds: &[StateKind]| -> f64 {
        shares
            .iter()
            .filter(|x| kinds.contains(&x.1))
            .map(|x| x.2)
            .sum()
    };
    let angle = sum(&[StateKind::Angle]);
    let speed = sum(&[StateKind::Speed]);
    let governor = sum(&[
        StateKind::Throttle,
        StateKind::Governor,
        StateKind::Sharing,
        StateKind::Engine,
        StateKind::DeadTime,
    ]);
    let (boost, flux) = (sum(&[StateKind::Boost]), sum(&[StateKind::Flux]));
    let exciter = sum(&[StateKind::Exciter]);
    if angle > NAMED {
        ModeKind::Electromechanical
    } else if boost > 0.5 {
        ModeKind::Boost
    } else if flux + exciter > speed + governor {
        if exciter > 0.5 * NAMED {
            ModeKind::VoltageRegulator
        } else {
            ModeKind::Flux
        }
    } else if speed > 0.5 * NAMED {
        ModeKind::SpeedGovernor
    } else {
        ModeKind::Governor
    }
}

/// Names of the sets that take part, by their whole share.
fn who(rest: &Rest, shares: &[(Option<usize>, StateKind, f64)]) -> String {
    let mut by_set = vec![0.0; rest.names.len()];
    for (set, _, share) in shares {
        if let Some(set) = set {
            by_set[*set] += share;
        }
    }
    let most = by_set.iter().copied().fold(0.0, f64::max);
    let named: Vec<&str> = (0..by_set.len())
        .filter(|i| by_set[*i] > NAMED * most)
        .map(|i| rest.names[i].as_str())
        .collect();
    if most == 0.0 || (named.len() == rest.names.len() && named.len() > 1) {
        if rest.names.len() == 1 {
            rest.names[0].clone()
        } else {
            "all sets".to_owned()
        }
    } else {
        named.join(", ")
    }
}

fn name(
    rest: &Rest,
    linear: &Linear,
    kind: ModeKind,
    shares: &[(Option<usize>, StateKind, f64)],
    right: &[Complex],
) -> String {
    let what = match kind {
        ModeKind::Electromechanical => {
            let (one, other) = opposed(rest, linear, right);
            if !one.is_empty() && !other.is_empty() {
                return format!("electromechanical mode {one} against {other}");
            }
            "electromechanical mode"
        }
        ModeKind::SpeedGovernor => "speed governor mode",
        ModeKind::VoltageRegulator => "voltage regulator mode",
        ModeKind::Flux => "flux mode",
        ModeKind::Boost => "boost of the turbocharger",
        ModeKind::Governor => "mode within the governor",
    };
    format!("{what} of {}", who(rest, shares))
}

/// Sets whose speeds swing one way and the other.
fn opposed(rest: &Rest, linear: &Linear, right: &[Complex]) -> (String, String) {
    let speeds: Vec<(&Tag, Complex)> = linear
        .tags
        .iter()
        .zip(right)
        .filter(|(tag, _)| tag.kind == StateKind::Speed)
        .map(|(tag, v)| (tag, *v))
        .collect();
    let Some(first) = speeds.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) else {
        return (String::new(), String::new());
    };
    let along = |v: Complex| {
        let turned = if first.1 == ZERO { ONE } else { v / first.1 };
        turned.re
    };
    let side = |positive: bool| {
        speeds
            .iter()
            .filter(|(_, v)| along(*v).abs() > NAMED && (along(*v) > 0.0) == positive)
            .filter_map(|(tag, _)| tag.set.map(|i| rest.names[i].as_str()))
            .collect::<Vec<&str>>()
            .join(", ")
    };
    (side(true), side(false))
}
