use ballast_series::PyramidBuilder;
use std::sync::Arc;

use super::*;
use crate::plot::source::Source;

const PIXEL: f32 = 1.0;

fn stroke() -> Stroke {
    Stroke {
        line: Color32::WHITE,
        band: Color32::GRAY,
        width: 1.5,
        dash: None,
        pixel: PIXEL,
    }
}

/// Two levels with ripple, as the power of a training job: 0.25 s high, 0.15 s low, 1 ms apart.
fn square(samples: usize) -> Vec<f64> {
    (0..samples)
        .map(|i| {
            let level = if i % 400 < 250 { 5.0e6 } else { 2.0e6 };
            level + 4.0e4 * f64::from(((i * 7919) % 13) as u32)
        })
        .collect()
}

fn source(samples: &[f64]) -> Source {
    let mut pyramid = PyramidBuilder::new(1e-3, samples.len() as u64);
    pyramid.push_slice(samples);
    Source::Pyramid(Arc::new(pyramid.finish()))
}

/// Rows of each pixel column that any triangle covers: topmost and lowest.
fn covered(mesh: &Mesh, frame: Rect) -> Vec<Option<(f32, f32)>> {
    let mut all = vec![None; frame.width() as usize];
    for [a, b, c] in mesh.triangles() {
        let corner = |i: u32| mesh.vertices[i as usize].pos;
        let corners = [corner(a), corner(b), corner(c)];
        let xs = corners.map(|p| p.x);
        let left = xs.into_iter().fold(f32::INFINITY, f32::min);
        let right = xs.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let first = (left - frame.left()).floor().max(0.0) as usize;
        let last = (right - frame.left()).ceil().max(0.0) as usize;
        for column in first..last.min(all.len()) {
            // Where the triangle crosses the middle of the column, or all of it where it is narrower than that.
            let x = (frame.left() + column as f32 + 0.5).clamp(left, right);
            let mut rows: Vec<f32> = Vec::new();
            for (p, q) in [(0, 1), (1, 2), (2, 0)] {
                let (p, q) = (corners[p], corners[q]);
                if (p.x.min(q.x)..=p.x.max(q.x)).contains(&x) {
                    let share = if p.x == q.x {
                        0.0
                    } else {
                        (x - p.x) / (q.x - p.x)
                    };
                    rows.push(p.y + share * (q.y - p.y));
                    if p.x == q.x {
                        rows.push(q.y);
                    }
                }
            }
            let top = rows.iter().copied().fold(f32::INFINITY, f32::min);
            let bottom = rows.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let (t, b) = all[column].unwrap_or((top, bottom));
            all[column] = Some((t.min(top), b.max(bottom)));
        }
    }
    all
}

#[test]
fn every_column_is_covered_and_reaches_the_extremes() {
    let samples = square(60_000);
    let source = source(&samples);
    let frame = Rect::from_min_size(Pos2::new(10.0, 20.0), egui::Vec2::new(500.0, 200.0));
    let y = (1.0e6, 6.0e6);
    for (from, to) in [
        (0.0, 60.0),
        (10.0, 40.0),
        (10.0, 12.0),
        (10.0, 10.6),
        (10.0, 10.2),
        (10.2, 10.26),
    ] {
        let at = Mapping::new(frame, (from, to), y);
        let mut window = Window::default();
        source.window(from, to, 500, &mut window);
        let mut mesh = Mesh::default();
        draw(&window, &at, &stroke(), &mut mesh);
        assert!(mesh.is_valid());
        let columns = covered(&mesh, frame);
        let holes = columns.iter().filter(|c| c.is_none()).count();
        assert_eq!(holes, 0, "{from} to {to} s");
        // The extremes of the samples of each column are reached, to a pixel.
        for (n, column) in columns.iter().enumerate() {
            let t = |x: usize| at.t_s(frame.left() + x as f32);
            let first = (t(n) * 1e3).ceil() as usize;
            let last = ((t(n + 1) * 1e3).ceil() as usize).min(samples.len());
            let Some(inside) = samples.get(first..last).filter(|s| !s.is_empty()) else {
                continue;
            };
            let high = inside.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let low = inside.iter().copied().fold(f64::INFINITY, f64::min);
            let (top, bottom) = column.unwrap_or_default();
            assert!(
                top <= at.y(high) + PIXEL,
                "{from} to {to} s, column {n}: {top} {}",
                at.y(high)
            );
            assert!(
                bottom >= at.y(low) - PIXEL,
                "{from} to {to} s, column {n}: {bottom}"
            );
        }
        // Neighbours touch: no edge is lost.
        for (n, pair) in columns.windows(2).enumerate() {
            if let [Some(a), Some(b)] = pair {
                assert!(
                    a.0 <= b.1 + PIXEL && b.0 <= a.1 + PIXEL,
                    "{from} to {to} s: torn at {n}"
                );
            }
        }
    }
}

#[test]
fn a_gap_stays_a_gap_and_wild_values_stay_near() {
    let frame = Rect::from_min_size(Pos2::ZERO, egui::Vec2::new(100.0, 50.0));
    let at = Mapping::new(frame, (0.0, 10.0), (0.0, 1.0));
    for samples in [false, true] {
        let values = vec![0.5, 1e30, f32::NAN, f32::NAN, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
        let window = Window {
            t0_s: 0.0,
            dt_s: 1.0,
            min: values.clone(),
            mean: values.clone(),
            max: values,
            samples,
            pending: false,
        };
        let mut mesh = Mesh::default();
        draw(&window, &at, &stroke(), &mut mesh);
        assert!(mesh.vertices.iter().all(|v| v.pos.y.abs() < 1000.0));
        let columns = covered(&mesh, frame);
        assert!(columns[22..38].iter().all(Option::is_none), "{samples}");
        assert!(columns[45].is_some(), "{samples}");
    }
}

#[test]
fn a_dashed_line_has_gaps_and_no_others() {
    let frame = Rect::from_min_size(Pos2::ZERO, egui::Vec2::new(100.0, 50.0));
    let at = Mapping::new(frame, (0.0, 10.0), (0.0, 1.0));
    let dashed = Stroke {
        dash: Some(5.0),
        ..stroke()
    };
    let mut mesh = Mesh::default();
    curve(&[[0.0, 0.2], [10.0, 0.8]], &at, &dashed, &mut mesh);
    let columns = covered(&mesh, frame);
    let drawn = columns.iter().filter(|c| c.is_some()).count();
    assert!((45..75).contains(&drawn), "{drawn}");
}
