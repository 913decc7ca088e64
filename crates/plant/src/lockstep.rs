//! Plants side by side: as many as there are, four at a time in lock-step.

use crate::plant::{Plant, StepStatus};
use crate::quad::{Quad, alike, seatable};

/// Plants that advance together: corners of uncertain constants under one load, or realisations of the load of one plant.
///
/// Plants of equal structure (the same sets with the same models, one step) are integrated four at a time, which takes about half the time each; others,
/// and those with a dead time below the step or an entry without sets on the bus, one by one. Every plant is, bit for bit, what it would be alone. Nothing is allocated while advancing,
/// except where a planned event or a collapse changes who can go in lock-step.
#[derive(Debug, Clone)]
pub struct LockStep {
    plants: Vec<Plant>,
    quads: Vec<Quad>,
    /// Who is in no quad.
    alone: Vec<usize>,
}

impl LockStep {
    /// These plants, from where each of them stands.
    pub fn new(plants: Vec<Plant>) -> Self {
        let mut all = Self {
            plants,
            quads: Vec::new(),
            alone: Vec::new(),
        };
        let (mut who, alone): (Vec<usize>, Vec<usize>) =
            (0..all.plants.len()).partition(|&one| seatable(&all.plants[one]));
        all.alone = alone;
        while let Some(&first) = who.first() {
            let (like, other): (Vec<usize>, Vec<usize>) = who
                .iter()
                .partition(|&&next| alike(&all.plants[first], &all.plants[next]));
            for four in like.chunks(4) {
                all.seat(four);
            }
            who = other;
        }
        all
    }

    /// Puts plants that are alike into a quad; who cannot sit there is alone.
    fn seat(&mut self, who: &[usize]) {
        let quad = Quad::new(&mut self.plants, who);
        let sits = |who: usize| quad.iter().flat_map(Quad::seats).any(|one| one == who);
        self.alone.extend(who.iter().filter(|&&who| !sits(who)));
        self.quads.extend(quad);
    }

    /// Seats the plants of a quad anew.
    fn seat_anew(&mut self, index: usize) {
        let quad = self.quads.swap_remove(index);
        let who: Vec<usize> = quad.seats().collect();
        quad.dissolve(&mut self.plants);
        self.seat(&who);
    }

    /// Number of plants.
    pub fn len(&self) -> usize {
        self.plants.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.plants.is_empty()
    }

    /// Number of plants that advance in lock-step with others.
    pub fn in_lanes(&self) -> usize {
        self.quads.iter().flat_map(Quad::seats).count()
    }

    /// Advances all by `h_s` under one load, as [`Plant::advance_with_reactive`]: watts and vars at the start and the end.
    pub fn advance(&mut self, h_s: f64, start: (f64, f64), end: (f64, f64)) {
        self.advance_each(h_s, |_| [start, end]);
    }

    /// The same, each plant under its own load: at the start and the end, by its index.
    pub fn advance_each(&mut self, h_s: f64, load: impl Fn(usize) -> [(f64, f64); 2]) {
        for &who in &self.alone {
            let [start, end] = load(who);
            self.plants[who].advance_with_reactive(h_s, start, end);
        }
        for index in (0..self.quads.len()).rev() {
            if !self.quads[index].advance(&mut self.plants, h_s, &load) {
                self.seat_anew(index);
            }
        }
    }

    /// Whether plant `i` still runs.
    ///
    /// # Panics
    /// If `i` is not below [`LockStep::len`], here and below.
    pub fn status(&self, i: usize) -> StepStatus {
        self.plants[i].status()
    }

    /// Plant `i` at the present instant.
    pub fn plant(&mut self, i: usize) -> &Plant {
        for quad in &mut self.quads {
            quad.show(i, &mut self.plants[i]);
        }
        &self.plants[i]
    }

    /// Changes plant `i`, a trip for instance.
    pub fn change(&mut self, i: usize, with: impl FnOnce(&mut Plant)) {
        let index = self
            .quads
            .iter()
            .position(|quad| quad.seats().any(|who| who == i));
        if let Some(index) = index {
            let quad = self.quads.swap_remove(index);
            let who: Vec<usize> = quad.seats().collect();
            quad.dissolve(&mut self.plants);
            with(&mut self.plants[i]);
            self.seat(&who);
        } else {
            with(&mut self.plants[i]);
        }
    }

    /// The plants, as they stand.
    pub fn into_plants(mut self) -> Vec<Plant> {
        for quad in self.quads.drain(..) {
            quad.dissolve(&mut self.plants);
        }
        self.plants
    }
}
