//! An alternator: flux states, stator, saturation, and its steady state.
//!
//! Per unit on the set's own kVA; the stator is at nominal frequency (speed voltages without `ω`), as positive-sequence tools have it.
//! The q axis lies at the rotor angle `δ`: `vd + j vq = V e^{−j(δ − π/2)}`. A machine is a voltage `E'' = E''d + j E''q` behind
//! `Ra`, `X''d` and `X''q`:
//!
//! `vd = E''d − Ra id + X''q iq`, `vq = E''q − Ra iq − X''d id`; air-gap power `E''d id + E''q iq + (X''q − X''d) id iq`.
//!
//! Flux states: GENSAL `e'q, ψkd, E''d`; GENROU `e'q, ψkd, e'd, ψkq`; GENCLS none.

#![expect(
    clippy::inline_always,
    reason = "compiled for the vector width of the caller"
)]

use crate::alternator_spec::AlternatorSpec;
use crate::lane::{F64x4, LANES, Lane};

/// Slots of a machine's states, from where they begin.
pub(crate) const ANGLE: usize = 0;
/// Speed deviation of its shaft.
pub(crate) const SPEED: usize = 1;
/// First flux state.
pub(crate) const FLUX: usize = 2;
/// Flux states at most.
pub(crate) const FLUXES: usize = 4;

/// Quadratic saturation through S(1.0) and S(1.2): `S(ψ) = B (ψ − A)² / ψ` above A.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saturation<L = f64> {
    pub(crate) a: L,
    pub(crate) b: L,
}

impl Saturation {
    /// Through two points; `None` where there is no saturation at the higher one.
    pub(crate) fn through(e1: f64, s1: f64, e2: f64, s2: f64) -> Option<Self> {
        let (e1, s1, e2, s2) = if e1 <= e2 {
            (e1, s1, e2, s2)
        } else {
            (e2, s2, e1, s1)
        };
        if s2 <= 0.0 || e2 <= e1 {
            return None;
        }
        // √(S E) is a straight line through A with slope √B.
        let (r1, r2) = ((s1 * e1).sqrt(), (s2 * e2).sqrt());
        if r2 <= r1 {
            return None;
        }
        let slope = (r2 - r1) / (e2 - e1);
        Some(Self {
            a: e2 - r2 / slope,
            b: slope * slope,
        })
    }

    /// Those of four plants; without a curve it begins at infinity.
    pub(crate) fn pack(each: [Option<&Self>; LANES]) -> Option<Saturation<F64x4>> {
        each.iter().any(Option::is_some).then(|| Saturation {
            a: F64x4::by_lane(|lane| each[lane].map_or(f64::INFINITY, |curve| curve.a)),
            b: F64x4::by_lane(|lane| each[lane].map_or(0.0, |curve| curve.b)),
        })
    }
}

impl<L: Lane> Saturation<L> {
    /// `S(ψ) ψ`.
    #[inline(always)]
    pub(crate) fn times(self, flux: L) -> L {
        let above = flux - self.a;
        L::pick(above.above(L::of(0.0)), self.b * above * above, L::of(0.0))
    }
}

/// What the fluxes obey.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Classical,
    Salient,
    Round,
}

/// Constants of an alternator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine<L = f64> {
    kind: Kind,
    xd: L,
    xq: L,
    xd1: L,
    xq1: L,
    xl: L,
    pub(crate) ra: L,
    pub(crate) xd2: L,
    pub(crate) xq2: L,
    /// Reactance from the terminals to the bus.
    line: L,
    /// Admittance from `E''` to the bus in the machine's own axes: `(id, iq) = Y (E'' − v)`.
    pub(crate) admittance: [[L; 2]; 2],
    inv_td01: L,
    inv_td02: L,
    inv_tq01: L,
    inv_tq02: L,
    /// Weights of transient and subtransient states in the flux, and what the dampers take from the field.
    gd1: L,
    gd2: L,
    gq1: L,
    gq2: L,
    saturation: Option<Saturation<L>>,
    /// `(Xq − Xl)/(Xd − Xl)`: share of GENROU's saturation on the q axis.
    q_share: L,
    /// GENCLS: its voltage.
    pub(crate) emf: L,
}

/// Stator at an instant, per unit of the set.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Stator<L = f64> {
    pub(crate) vd: L,
    pub(crate) vq: L,
    pub(crate) id: L,
    pub(crate) iq: L,
}

/// A machine in steady state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steady {
    pub(crate) angle: f64,
    pub(crate) flux: [f64; FLUXES],
    /// Field voltage that holds it.
    pub(crate) field: f64,
    /// Air-gap power.
    pub(crate) air_gap: f64,
    /// Voltage and reactive power at the terminals.
    pub(crate) terminals: f64,
    pub(crate) reactive: f64,
}

impl Machine {
    pub(crate) fn new(spec: &AlternatorSpec, line: f64) -> Self {
        let mut m = Self {
            kind: Kind::Classical,
            xd: 0.0,
            xq: 0.0,
            xd1: 0.0,
            xq1: 0.0,
            xl: 0.0,
            ra: 0.0,
            xd2: 0.0,
            xq2: 0.0,
            line,
            admittance: [[0.0; 2]; 2],
            inv_td01: 0.0,
            inv_td02: 0.0,
            inv_tq01: 0.0,
            inv_tq02: 0.0,
            gd1: 1.0,
            gd2: 0.0,
            gq1: 1.0,
            gq2: 0.0,
            saturation: None,
            q_share: 0.0,
            emf: 1.0,
        };
        let weights = |x1: f64, x2: f64, xl: f64| {
            ((x2 - xl) / (x1 - xl), (x1 - x2) / ((x1 - xl) * (x1 - xl)))
        };
        match spec {
            AlternatorSpec::Gencls(s) => {
                (m.xd2, m.xq2, m.xq, m.xd, m.ra) =
                    (s.xd1_pu, s.xd1_pu, s.xd1_pu, s.xd1_pu, s.ra_pu);
            }
            AlternatorSpec::Gensal(s) => {
                m.kind = Kind::Salient;
                (m.xd, m.xq, m.xd1, m.xl, m.ra) = (s.xd_pu, s.xq_pu, s.xd1_pu, s.xl_pu, s.ra_pu);
                (m.xd2, m.xq2) = (s.xd2_pu, s.xq2_pu.unwrap_or(s.xd2_pu));
                (m.inv_td01, m.inv_td02, m.inv_tq02) =
                    (1.0 / s.td01_s, 1.0 / s.td02_s, 1.0 / s.tq02_s);
                (m.gd1, m.gd2) = weights(s.xd1_pu, s.xd2_pu, s.xl_pu);
                m.saturation = Saturation::through(1.0, s.s10, 1.2, s.s12);
            }
            AlternatorSpec::Genrou(s) => {
                m.kind = Kind::Round;
                (m.xd, m.xq, m.xd1, m.xq1) = (s.xd_pu, s.xq_pu, s.xd1_pu, s.xq1_pu);
                (m.xd2, m.xq2, m.xl, m.ra) = (s.xd2_pu, s.xd2_pu, s.xl_pu, s.ra_pu);
                (m.inv_td01, m.inv_td02) = (1.0 / s.td01_s, 1.0 / s.td02_s);
                (m.inv_tq01, m.inv_tq02) = (1.0 / s.tq01_s, 1.0 / s.tq02_s);
                (m.gd1, m.gd2) = weights(s.xd1_pu, s.xd2_pu, s.xl_pu);
                (m.gq1, m.gq2) = weights(s.xq1_pu, s.xd2_pu, s.xl_pu);
                m.saturation = Saturation::through(1.0, s.s10, 1.2, s.s12);
                m.q_share = (s.xq_pu - s.xl_pu) / (s.xd_pu - s.xl_pu);
            }
        }
        let (d, q) = (m.xd2 + line, m.xq2 + line);
        let inv = 1.0 / (m.ra * m.ra + d * q);
        m.admittance = [[m.ra * inv, q * inv], [-d * inv, m.ra * inv]];
        m
    }
}

impl<L: Lane> Machine<L> {
    /// Number of its states: angle, speed, fluxes.
    #[inline(always)]
    pub(crate) fn width(&self) -> usize {
        FLUX + match self.kind {
            Kind::Classical => 0,
            Kind::Salient => 3,
            Kind::Round => 4,
        }
    }

    /// Voltage behind the subtransient reactances, `(E''d, E''q)`.
    #[inline(always)]
    pub(crate) fn behind(&self, flux: &[L]) -> (L, L) {
        let one = L::of(1.0);
        match self.kind {
            Kind::Classical => (L::of(0.0), self.emf),
            Kind::Salient => (flux[2], self.gd1 * flux[0] + (one - self.gd1) * flux[1]),
            Kind::Round => (
                self.gq1 * flux[2] + (one - self.gq1) * flux[3],
                self.gd1 * flux[0] + (one - self.gd1) * flux[1],
            ),
        }
    }

    /// Stator for a voltage of the bus; its own voltage is that of the terminals.
    #[inline(always)]
    pub(crate) fn stator(&self, (ed, eq): (L, L), vd: L, vq: L) -> Stator<L> {
        let y = &self.admittance;
        let (dd, dq) = (ed - vd, eq - vq);
        let id = y[0][0] * dd + y[0][1] * dq;
        let iq = y[1][0] * dd + y[1][1] * dq;
        Stator {
            vd: vd - self.line * iq,
            vq: vq + self.line * id,
            id,
            iq,
        }
    }

    /// Power across the air gap.
    #[inline(always)]
    pub(crate) fn air_gap(&self, s: Stator<L>) -> L {
        s.vd * s.id + s.vq * s.iq + self.ra * (s.id * s.id + s.iq * s.iq)
    }

    /// Field current `XadIfd`, in per unit of the field voltage that would hold it, and the q-axis counterpart; with the voltage of [`Machine::behind`].
    #[inline(always)]
    pub(crate) fn field(&self, flux: &[L], (ed, eq): (L, L), s: Stator<L>) -> (L, L) {
        let zero = L::of(0.0);
        match self.kind {
            Kind::Classical => (self.emf, zero),
            Kind::Salient => {
                let saturation = self.saturation.map_or(zero, |c| c.times(flux[0]));
                (self.open_field(flux, s.id) + saturation, zero)
            }
            Kind::Round => {
                let (mut d, mut q) = (zero, zero);
                if let Some(curve) = self.saturation {
                    let all = (ed * ed + eq * eq).root();
                    let share = curve.times(all) / all;
                    let share = L::pick(all.above(zero), share, zero);
                    (d, q) = (share * eq, share * ed * self.q_share);
                }
                let q_field = flux[2]
                    + (self.xq - self.xq1) * (self.gq2 * (flux[2] - flux[3]) - self.gq1 * s.iq)
                    + q;
                (self.open_field(flux, s.id) + d, q_field)
            }
        }
    }

    #[inline(always)]
    fn open_field(&self, flux: &[L], id: L) -> L {
        flux[0] + (self.xd - self.xd1) * (self.gd1 * id + self.gd2 * (flux[0] - flux[1]))
    }

    /// Rates of the fluxes with the currents of [`Machine::field`].
    #[inline(always)]
    pub(crate) fn rates(
        &self,
        flux: &[L],
        s: Stator<L>,
        (field, q_field): (L, L),
        efd: L,
        rate: &mut [L],
    ) {
        match self.kind {
            Kind::Classical => {}
            Kind::Salient => {
                rate[0] = (efd - field) * self.inv_td01;
                rate[1] = (flux[0] - flux[1] - (self.xd1 - self.xl) * s.id) * self.inv_td02;
                rate[2] = ((self.xq - self.xq2) * s.iq - flux[2]) * self.inv_tq02;
            }
            Kind::Round => {
                rate[0] = (efd - field) * self.inv_td01;
                rate[1] = (flux[0] - flux[1] - (self.xd1 - self.xl) * s.id) * self.inv_td02;
                rate[2] = -q_field * self.inv_tq01;
                rate[3] = (flux[2] - flux[3] + (self.xq1 - self.xl) * s.iq) * self.inv_tq02;
            }
        }
    }
}

impl Machine {
    /// Those of four plants; `None` where they are of different kinds.
    pub(crate) fn pack(each: [&Self; LANES]) -> Option<Machine<F64x4>> {
        let kind = each[0].kind;
        if each.iter().any(|machine| machine.kind != kind) {
            return None;
        }
        let of = |get: fn(&Self) -> f64| F64x4::by_lane(|lane| get(each[lane]));
        Some(Machine {
            kind,
            xd: of(|m| m.xd),
            xq: of(|m| m.xq),
            xd1: of(|m| m.xd1),
            xq1: of(|m| m.xq1),
            xl: of(|m| m.xl),
            ra: of(|m| m.ra),
            xd2: of(|m| m.xd2),
            xq2: of(|m| m.xq2),
            line: of(|m| m.line),
            admittance: [
                [of(|m| m.admittance[0][0]), of(|m| m.admittance[0][1])],
                [of(|m| m.admittance[1][0]), of(|m| m.admittance[1][1])],
            ],
            inv_td01: of(|m| m.inv_td01),
            inv_td02: of(|m| m.inv_td02),
            inv_tq01: of(|m| m.inv_tq01),
            inv_tq02: of(|m| m.inv_tq02),
            gd1: of(|m| m.gd1),
            gd2: of(|m| m.gd2),
            gq1: of(|m| m.gq1),
            gq2: of(|m| m.gq2),
            saturation: Saturation::pack(each.map(|m| m.saturation.as_ref())),
            q_share: of(|m| m.q_share),
            emf: of(|m| m.emf),
        })
    }

    /// Steady state with bus voltage `v` at angle 0, delivering `p + jq` there. For GENCLS it sets the voltage as well.
    pub(crate) fn steady(&mut self, v: f64, p: f64, q: f64) -> Steady {
        // V terminals = V + j X I, I = (p − jq)/V.
        let (re, im) = (v + self.line * q / v, self.line * p / v);
        let losses = self.line * (p * p + q * q) / (v * v);
        let terminals = libm::hypot(re, im);
        let mut steady = self.steady_at_terminals(terminals, p, q + losses);
        steady.angle += libm::atan2(im, re);
        steady.terminals = terminals;
        steady.reactive = q + losses;
        steady
    }

    fn steady_at_terminals(&mut self, v: f64, p: f64, q: f64) -> Steady {
        // I = conj(S/V) with V real.
        let (ir, ii) = (p / v, -q / v);
        if matches!(self.kind, Kind::Classical) {
            let (er, ei) = (
                v + self.ra * ir - self.xd2 * ii,
                self.ra * ii + self.xd2 * ir,
            );
            self.emf = libm::hypot(er, ei);
            let flux = [0.0; FLUXES];
            return Steady {
                angle: libm::atan2(ei, er),
                flux,
                field: self.emf,
                air_gap: p + self.ra * (ir * ir + ii * ii),
                terminals: v,
                reactive: q,
            };
        }
        let at = |angle: f64| self.at_angle(angle, v, ir, ii);
        // Without saturation on the q axis the q axis lies along V + (Ra + j Xq) I; saturation only pulls it back.
        let unsaturated = libm::atan2(self.ra * ii + self.xq * ir, v + self.ra * ir - self.xq * ii);
        let mut angle = unsaturated;
        if matches!(self.kind, Kind::Round) && self.saturation.is_some() {
            let (mut low, mut high) = (unsaturated - 1.0, unsaturated + 1.0);
            let rising = at(high).2 > at(low).2;
            for _ in 0..200 {
                angle = 0.5 * (low + high);
                if (at(angle).2 > 0.0) == rising {
                    high = angle;
                } else {
                    low = angle;
                }
            }
        }
        let (flux, stator, _) = at(angle);
        Steady {
            angle,
            flux,
            field: self.field(&flux, self.behind(&flux), stator).0,
            air_gap: self.air_gap(stator),
            terminals: v,
            reactive: q,
        }
    }

    /// Fluxes at rest (but for the q-axis transient one, whose residual is returned) with the q axis at `angle`.
    fn at_angle(&self, angle: f64, v: f64, ir: f64, ii: f64) -> ([f64; FLUXES], Stator, f64) {
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        // x_d + j x_q = x e^{−j(δ − π/2)}
        let turn = |re: f64, im: f64| (sin * re - cos * im, cos * re + sin * im);
        let ((vd, vq), (id, iq)) = (turn(v, 0.0), turn(ir, ii));
        let ed = vd + self.ra * id - self.xq2 * iq;
        let eq = vq + self.ra * iq + self.xd2 * id;
        let stator = Stator { vd, vq, id, iq };
        // ψkd = e'q − (X'd − Xl) id, so E''q = e'q − (1 − gd1)(X'd − Xl) id.
        let eq1 = eq + (1.0 - self.gd1) * (self.xd1 - self.xl) * id;
        let kd = eq1 - (self.xd1 - self.xl) * id;
        match self.kind {
            Kind::Classical => ([0.0; FLUXES], stator, 0.0),
            Kind::Salient => ([eq1, kd, ed, 0.0], stator, ed - (self.xq - self.xq2) * iq),
            Kind::Round => {
                let ed1 = ed - (1.0 - self.gq1) * (self.xq1 - self.xl) * iq;
                let kq = ed1 + (self.xq1 - self.xl) * iq;
                let flux = [eq1, kd, ed1, kq];
                (flux, stator, self.field(&flux, (ed, eq), stator).1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alternator_spec::{GenrouSpec, GensalSpec};

    fn genrou(s10: f64, s12: f64) -> AlternatorSpec {
        AlternatorSpec::Genrou(GenrouSpec {
            xd_pu: 2.55,
            xq_pu: 1.32,
            xd1_pu: 0.25,
            xq1_pu: 0.6,
            xd2_pu: 0.19,
            xl_pu: 0.1,
            ra_pu: 0.01,
            td01_s: 4.8,
            td02_s: 0.048,
            tq01_s: 0.3,
            tq02_s: 0.024,
            s10,
            s12,
        })
    }

    #[test]
    fn a_steady_state_has_no_rates_and_delivers_its_power() {
        let gensal = AlternatorSpec::Gensal(GensalSpec {
            xd_pu: 2.4,
            xq_pu: 1.2,
            xd1_pu: 0.2,
            xd2_pu: 0.13,
            xq2_pu: Some(0.15),
            xl_pu: 0.09,
            ra_pu: 0.01,
            td01_s: 5.0,
            td02_s: 0.01,
            tq02_s: 0.02,
            s10: 0.1,
            s12: 0.4,
        });
        for spec in [genrou(0.0, 0.0), genrou(0.1, 0.5), gensal] {
            for (p, q) in [(0.2, 0.0), (0.8, 0.6), (0.5, -0.2), (0.0, 0.0)] {
                let mut machine = Machine::new(&spec, 0.1);
                let steady = machine.steady(1.02, p, q);
                let (sin, cos) = (libm::sin(steady.angle), libm::cos(steady.angle));
                let behind = machine.behind(&steady.flux);
                let stator = machine.stator(behind, 1.02 * sin, 1.02 * cos);
                let mut rate = [0.0; FLUXES];
                let field = machine.field(&steady.flux, behind, stator);
                machine.rates(&steady.flux, stator, field, steady.field, &mut rate);
                assert!(rate.iter().all(|r| r.abs() < 1e-10), "{p} {q}: {rate:?}");
                let power = stator.vd * stator.id + stator.vq * stator.iq;
                let reactive = stator.vq * stator.id - stator.vd * stator.iq;
                assert!((power - p).abs() < 1e-12, "{p} {power}");
                let line = 0.1 * (stator.id * stator.id + stator.iq * stator.iq);
                assert!((reactive - line - q).abs() < 1e-12, "{q} {reactive}");
            }
        }
    }

    #[test]
    fn saturation_goes_through_its_points() {
        let curve = Saturation::through(1.0, 0.1, 1.2, 0.5).unwrap();
        assert!((curve.times(1.0) - 0.1).abs() < 1e-14);
        assert!((curve.times(1.2) - 0.6).abs() < 1e-14);
        assert!(Saturation::through(1.0, 0.0, 1.2, 0.0).is_none());
        assert_eq!(
            Saturation::through(1.0, 0.0, 1.2, 0.3).unwrap().times(0.9),
            0.0
        );
    }
}
