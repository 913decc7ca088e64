//! Dead time of an engine: the throttle's past as cubic Hermite pieces, and the kinks that will come out of it.

/// A past instant of the throttle. The slopes differ where a mode or the load changed.
#[derive(Debug, Clone, Copy)]
struct Node {
    time: f64,
    value: f64,
    left: f64,
    right: f64,
}

/// Ring of nodes that covers one dead time.
///
/// Steps split by events and callers with very small steps would overfill it; then neighbouring pieces that together
/// are no longer than one nominal step are merged, which keeps the interpolation at the order of the integrator.
#[derive(Debug, Clone)]
pub(crate) struct Delay {
    dead_time: f64,
    span: f64,
    nodes: Vec<Node>,
    mask: usize,
    /// Count of the oldest node kept, of the newest, and of the piece used last (never wraps in practice: 2⁶⁴ steps).
    first: usize,
    last: usize,
    cursor: usize,
    /// Length, end value and end slope of the step being taken, for dead times shorter than the step.
    ahead: (f64, f64, f64),
}

/// Slope difference, relative, above which a node is a kink.
const KINK: f64 = 1e-9;

impl Delay {
    /// A delay at rest at `value`; `span` is the nominal step.
    pub(crate) fn new(dead_time: f64, span: f64, value: f64) -> Self {
        let wanted = if dead_time > 0.0 {
            2.0 * dead_time / span + 64.0
        } else {
            2.0
        };
        // A dead time of ten seconds at a microsecond is 2²⁵ nodes; beyond that pieces are merged.
        let capacity = (wanted.min(33_554_432.0) as usize).next_power_of_two();
        let node = Node {
            time: 0.0,
            value,
            left: 0.0,
            right: 0.0,
        };
        Self {
            dead_time,
            span,
            nodes: vec![node; capacity],
            mask: capacity - 1,
            first: 0,
            last: 0,
            cursor: 0,
            ahead: (span, value, 0.0),
        }
    }

    /// What comes out at time zero, for a linearisation around the start.
    pub(crate) fn rest_at(&mut self, value: f64) {
        let first = self.first & self.mask;
        self.nodes[first].value = value;
    }

    pub(crate) fn dead_time(&self) -> f64 {
        self.dead_time
    }

    fn node(&self, count: usize) -> &Node {
        &self.nodes[count & self.mask]
    }

    /// Throttle one dead time before `time`.
    pub(crate) fn past(&mut self, time: f64) -> f64 {
        let at = time - self.dead_time;
        let newest = self.node(self.last);
        if at >= newest.time {
            let (length, value, slope) = self.ahead;
            return hermite(
                at - newest.time,
                length,
                (newest.value, newest.right),
                (value, slope),
            );
        }
        if at <= self.node(self.first).time {
            return self.node(self.first).value; // the plant stood still before the start
        }
        let mut piece = self.cursor.clamp(self.first, self.last - 1);
        while self.node(piece).time > at {
            piece -= 1;
        }
        while self.node(piece + 1).time < at {
            piece += 1;
        }
        self.cursor = piece;
        let (a, b) = (self.node(piece), self.node(piece + 1));
        hermite(
            at - a.time,
            b.time - a.time,
            (a.value, a.right),
            (b.value, b.left),
        )
    }

    /// Slope with which the step from the newest node begins.
    pub(crate) fn begin(&mut self, slope: f64) {
        let newest = self.last & self.mask;
        self.nodes[newest].right = slope;
    }

    /// First guess of the step being taken: a straight line.
    pub(crate) fn guess(&mut self, length: f64) {
        let newest = self.node(self.last);
        self.ahead = (length, newest.value + length * newest.right, newest.right);
    }

    /// Better end of the step being taken; returns how far it was off.
    pub(crate) fn correct(&mut self, value: f64, slope: f64) -> f64 {
        let (length, old_value, old_slope) = self.ahead;
        self.ahead = (length, value, slope);
        (value - old_value)
            .abs()
            .max(length * (slope - old_slope).abs())
    }

    /// Adds the end of an accepted step; without a dead time there is nothing to keep.
    pub(crate) fn push(&mut self, time: f64, value: f64, slope: f64) {
        if self.dead_time <= 0.0 {
            return;
        }
        let node = Node {
            time,
            value,
            left: slope,
            right: slope,
        };
        while self.last > self.first + 1 && self.node(self.first + 1).time <= time - self.dead_time
        {
            self.first += 1;
        }
        let held = self.last - self.first + 1;
        let capacity = self.mask + 1;
        if held > capacity / 2 && held >= 3 {
            let newest = self.node(self.last);
            let smooth = (newest.right - newest.left).abs() <= KINK * (1.0 + newest.left.abs());
            let short = time - self.node(self.last - 1).time <= self.span * (1.0 + 1e-9);
            if held == capacity || (smooth && short) {
                let newest = self.last & self.mask;
                self.nodes[newest] = node;
                return;
            }
        }
        self.last += 1;
        let newest = self.last & self.mask;
        self.nodes[newest] = node;
    }
}

/// Cubic Hermite piece of `length` at `offset`; ends are (value, slope).
fn hermite(offset: f64, length: f64, a: (f64, f64), b: (f64, f64)) -> f64 {
    let s = offset / length;
    let rise = b.0 - a.0;
    let p = a.1 * length - rise;
    let q = rise - b.1 * length;
    a.0 + s * (rise + (1.0 - s) * (p * (1.0 - s) + q * s))
}

/// Times at which a kink of the throttle leaves a dead time: steps are split there.
///
/// One pass through shaft and governor smooths by at least one order, so after [`PASSES`] it no longer matters to a
/// fourth-order method. A full queue drops kinks: that costs accuracy, not stability.
#[derive(Debug, Clone)]
pub(crate) struct Kinks {
    pending: Vec<Kink>,
    next: f64,
}

#[derive(Debug, Clone, Copy)]
struct Kink {
    time: f64,
    dead_time: f64,
    pass: u8,
}

const PASSES: u8 = 3;
const PENDING: usize = 256;
/// Two kinks closer than this are one, seconds.
pub(crate) const SAME_TIME_S: f64 = 1e-12;

impl Kinks {
    pub(crate) fn new() -> Self {
        Self {
            pending: Vec::with_capacity(PENDING),
            next: f64::INFINITY,
        }
    }

    /// Time of the next one, infinite if there is none.
    pub(crate) fn next(&self) -> f64 {
        self.next
    }

    /// Notes a kink at `time` of a throttle with this dead time; nothing to note if that is zero.
    pub(crate) fn note_if_delayed(&mut self, time: f64, dead_time: f64) {
        if dead_time <= 0.0 {
            return;
        }
        let kink = Kink {
            time: time + dead_time,
            dead_time,
            pass: 1,
        };
        let known = |old: &Kink| {
            (old.time - kink.time).abs() < SAME_TIME_S && old.dead_time == kink.dead_time
        };
        if self.pending.len() < PENDING && !self.pending.iter().any(known) {
            self.pending.push(kink);
            self.next = self.next.min(kink.time);
        }
    }

    /// Takes out what is due at `time`; each comes back one dead time later until it is smooth.
    pub(crate) fn pass(&mut self, time: f64) {
        let due = time + SAME_TIME_S;
        while self.next <= due {
            let mut index = 0;
            while index < self.pending.len() {
                let kink = self.pending[index];
                if kink.time > due {
                    index += 1;
                    continue;
                }
                self.pending.swap_remove(index);
                let again = kink.time + kink.dead_time;
                if kink.pass < PASSES && again > due {
                    self.pending.push(Kink {
                        time: again,
                        pass: kink.pass + 1,
                        ..kink
                    });
                }
            }
            self.next = self
                .pending
                .iter()
                .fold(f64::INFINITY, |least, kink| least.min(kink.time));
        }
    }
}
