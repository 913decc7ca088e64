//! Marks of what happens at a moment: thin lines through the panels of a time figure, with labels above them that keep apart.

use ballast_study::outcome::{Event, Outcome};
use plotters::backend::DrawingBackend;

use crate::axis::{Axis, Range, drawable, spread};
use crate::canvas::{Align, Canvas, Drawn, fitted};
use crate::panel::Frame;
use crate::style;
use crate::worst::drawn;

/// Height of the strip that the labels take, between a panel's heading and its plot.
pub(crate) const STRIP: f64 = style::LINE_HEIGHT + 8.0;
/// Marks closer than so many pixels of the page are one.
const TOGETHER: f64 = 5.0;
/// Width of a label, at most.
const LABEL_WIDTH: f64 = 230.0;
/// Marks drawn as lines, at most.
const MOST_LINES: usize = 14;
/// Length of the tick of a mark that has no label.
const TICK: f64 = 9.0;

/// Something to mark.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    /// When, seconds.
    pub(crate) at_s: f64,
    /// In a few words.
    pub(crate) label: String,
    /// What is labelled first where there is no room for all: the lowest.
    pub(crate) rank: u8,
}

impl Mark {
    /// Of an event.
    pub(crate) fn of(event: &Event) -> Self {
        let kind = match event.kind.as_str() {
            "set_trip" => "trip",
            "turbo_ceiling" => "turbo limit",
            "rack_return" => "return",
            other => other,
        };
        let rank = match event.kind.as_str() {
            "collapse" | "no_start" => 0,
            "set_trip" => 1,
            "throttle_limit" | "turbo_ceiling" => 5,
            "crash" | "restart" | "more_crashes" => 4,
            "rack_return" | "drain" | "shutdown" => 3,
            _ => 2,
        };
        let kind = kind.replace('_', " ");
        let label = if event.element.is_empty() || event.element == "bus" {
            kind
        } else {
            format!("{kind} {}", event.element)
        };
        Self {
            at_s: event.at_s,
            label,
            rank,
        }
    }
}

/// What to mark in a figure of the realisation that is drawn. What is planned stands in the first one and happens in all.
pub(crate) fn of_run(outcome: &Outcome) -> Vec<Mark> {
    let shown = drawn(outcome);
    let alone = outcome.provenance.shown.is_some();
    let events = outcome.events.iter();
    events
        .filter(|e| e.realisation == shown || (alone && e.realisation == 1))
        .map(Mark::of)
        .collect()
}

/// Marks on the page.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Placed {
    /// With a label: where the mark is, where the middle of its label, the label.
    labelled: Vec<(f64, f64, String)>,
    /// Without.
    bare: Vec<f64>,
    /// Events behind those.
    unnamed: usize,
}

/// Events that fall on the same place.
struct Cluster {
    at: f64,
    rank: u8,
    first: String,
    all_equal: bool,
    count: usize,
}

impl Cluster {
    fn text(&self) -> String {
        let more = match (self.count, self.all_equal) {
            (1, _) => String::new(),
            (n, true) => format!(" ×{n}"),
            (n, false) => format!(" +{}", n - 1),
        };
        // What is counted stays when a long name loses its end.
        let room = LABEL_WIDTH - style::text_width(&more, style::LABEL_EM);
        fitted(&self.first, style::LABEL_EM, room) + &more
    }
}

impl Placed {
    /// Places `marks` within `window` on an axis of time whose values are seconds times `factor`.
    pub(crate) fn new(marks: &[Mark], window: Range, axis: &Axis, factor: f64) -> Self {
        let mut inside: Vec<&Mark> = marks
            .iter()
            .filter(|m| drawable(m.at_s) && window.contains(m.at_s))
            .collect();
        inside.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        let mut clusters: Vec<Cluster> = Vec::new();
        for mark in inside {
            let at = axis.at(mark.at_s * factor);
            match clusters.last_mut() {
                Some(last) if at - last.at < TOGETHER => {
                    last.count += 1;
                    last.all_equal &= last.first == mark.label;
                    if mark.rank < last.rank {
                        last.rank = mark.rank;
                        last.first.clone_from(&mark.label);
                    }
                }
                _ => clusters.push(Cluster {
                    at,
                    rank: mark.rank,
                    first: mark.label.clone(),
                    all_equal: true,
                    count: 1,
                }),
            }
        }
        let mut order: Vec<usize> = (0..clusters.len()).collect();
        order.sort_by_key(|&k| (clusters[k].rank, k));
        let room = Range {
            lo: axis.from,
            hi: axis.to,
        };
        let mut left = room.span();
        let mut named = vec![false; clusters.len()];
        for k in order.into_iter().take(MOST_LINES) {
            let width = width(&clusters[k].text());
            if width <= left {
                left -= width;
                named[k] = true;
            }
        }
        let (with, without): (Vec<_>, Vec<_>) =
            clusters.iter().zip(&named).partition(|(_, named)| **named);
        let texts: Vec<String> = with.iter().map(|(c, _)| c.text()).collect();
        let wanted: Vec<f64> = with.iter().map(|(c, _)| c.at).collect();
        let widths: Vec<f64> = texts.iter().map(|t| width(t)).collect();
        let middles = spread(&wanted, &widths, room);
        let labelled = wanted.into_iter().zip(middles).zip(texts);
        Self {
            labelled: labelled.map(|((at, to), text)| (at, to, text)).collect(),
            bare: without.iter().map(|(c, _)| c.at).collect(),
            unnamed: without.iter().map(|(c, _)| c.count).sum(),
        }
    }

    /// `frame` with room for the labels, if there are any.
    pub(crate) fn room_above(&self, frame: Frame) -> Frame {
        if self.is_empty() {
            frame
        } else {
            frame.with_strip(STRIP)
        }
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.labelled.is_empty() && self.bare.is_empty()
    }

    /// Draws the lines through `frames`: over the grid, which may have a line at the same place, and under labels within a plot.
    pub(crate) fn lines<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        frames: &[Frame],
    ) -> Drawn<DB> {
        for frame in frames {
            for (at, _, _) in &self.labelled {
                canvas.dashes(
                    (*at, frame.top),
                    (*at, frame.bottom),
                    style::INK,
                    style::THIN_LINE,
                    style::LONG_DASH,
                )?;
            }
            for at in &self.bare {
                canvas.line(
                    &[(*at, frame.top), (*at, frame.top + TICK)],
                    style::INK,
                    style::THIN_LINE,
                )?;
            }
        }
        Ok(())
    }

    /// Draws the labels in the strip above the plot of `first`.
    pub(crate) fn labels<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        first: Frame,
    ) -> Drawn<DB> {
        let y = first.top - STRIP + style::LINE_HEIGHT / 2.0 - 3.0;
        for (at, to, text) in &self.labelled {
            let foot = y + style::LINE_HEIGHT / 2.0 - 1.0;
            canvas.line(
                &[(*to, foot), (*at, first.top)],
                style::INK,
                style::THIN_LINE,
            )?;
            canvas.text((*to, y), Align::Centre, style::LABEL_EM, style::INK, text)?;
        }
        if self.unnamed == 0 {
            return Ok(());
        }
        let plural = if self.unnamed == 1 { "" } else { "s" };
        let text = format!("+ {} event{plural} (ticks)", self.unnamed);
        let from = first.right + style::LABEL_OFFSET;
        let text = fitted(&text, style::LABEL_EM, style::PAGE_WIDTH - from);
        canvas.text(
            (from, y),
            Align::Left,
            style::LABEL_EM,
            style::FAINT_INK,
            &text,
        )
    }
}

/// Width that a label takes, with its gap.
fn width(text: &str) -> f64 {
    style::text_width(text, style::LABEL_EM) + style::LABEL_GAP
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::Law;

    fn place(marks: &[Mark]) -> Placed {
        assert!(style::register_fonts());
        let window = Range { lo: 0.0, hi: 100.0 };
        let axis = Axis {
            range: window,
            law: Law::Linear,
            from: 120.0,
            to: 1370.0,
        };
        Placed::new(marks, window, &axis, 1.0)
    }

    fn mark(at_s: f64, label: &str, rank: u8) -> Mark {
        Mark {
            at_s,
            label: label.to_owned(),
            rank,
        }
    }

    #[test]
    fn labels_keep_apart_and_every_event_is_told() {
        let marks: Vec<Mark> = (0..400)
            .map(|k| mark(f64::from(k) * 0.25, &format!("crash job-{}", k % 7), 4))
            .chain([mark(50.0, "collapse", 0), mark(f64::NAN, "never", 0)])
            .collect();
        let placed = place(&marks);
        assert!(placed.labelled.len() <= MOST_LINES);
        assert!(placed.labelled.iter().any(|l| l.2.starts_with("collapse")));
        for pair in placed.labelled.windows(2) {
            let half = |l: &(f64, f64, String)| style::text_width(&l.2, style::LABEL_EM) / 2.0;
            assert!(pair[0].1 + half(&pair[0]) < pair[1].1 - half(&pair[1]));
        }
        let count = |text: &str| {
            let more = text.rsplit_once('+').map_or(0, |(_, n)| n.parse().unwrap());
            let times = text.rsplit_once('×').map_or(1, |(_, n)| n.parse().unwrap());
            more + times
        };
        let told: usize = placed.labelled.iter().map(|l| count(&l.2)).sum();
        assert_eq!(told + placed.unnamed, 401);
    }

    #[test]
    fn the_same_at_once_is_one_mark() {
        let placed = place(&[mark(3.0, "trip G", 1), mark(3.1, "trip G", 1)]);
        assert_eq!(placed.labelled.len(), 1);
        assert_eq!(placed.labelled[0].2, "trip G ×2");
        let mixed = place(&[mark(3.0, "restart", 4), mark(3.1, "trip G", 1)]);
        assert_eq!(mixed.labelled[0].2, "trip G +1");
        assert!(place(&[mark(200.0, "later", 1)]).is_empty());
    }
}
