//! Serving: prompts stand out of the tokens' level for a short while.

use crate::phases::Piece;

/// Longest stretch that is taken for prompts, seconds; how far above the tokens' level; fewest of them.
const LONGEST_PROMPT_S: f64 = 10.0;
const ABOVE: f64 = 1.12;
const LEAST_PROMPTS: usize = 3;

/// Which pieces are prompts: short work that stands above a longer stretch of work beside it. None where there are too few, or where most of
/// the work repeats with a period.
pub(crate) fn prompts(pieces: &[Piece], working: &[usize], dt_s: f64) -> Option<Vec<bool>> {
    let seconds = |p: &Piece| (p.to - p.from) as f64 * dt_s;
    let (mut flat_s, mut cyclic_s) = (0.0, 0.0);
    for i in working {
        let p = &pieces[*i];
        if p.period.is_some() || p.beat.is_some() {
            cyclic_s += seconds(p);
        } else {
            flat_s += seconds(p);
        }
    }
    if cyclic_s > flat_s {
        return None;
    }
    let works = |i: usize| working.binary_search(&i).is_ok();
    let stands_out = |i: usize| {
        let p = &pieces[i];
        if !works(i) || p.period.is_some() || seconds(p) > LONGEST_PROMPT_S {
            return false;
        }
        let beside = [i.checked_sub(1), Some(i + 1)];
        let mut higher = false;
        for k in beside
            .into_iter()
            .flatten()
            .filter(|k| *k < pieces.len() && works(*k))
        {
            let q = &pieces[k];
            if q.level_w > p.level_w * ABOVE {
                return false;
            }
            higher |= p.level_w > q.level_w * ABOVE && seconds(q) > seconds(p);
        }
        higher
    };
    let found: Vec<bool> = (0..pieces.len()).map(stands_out).collect();
    (found.iter().filter(|f| **f).count() >= LEAST_PROMPTS).then_some(found)
}
