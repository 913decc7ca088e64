//! Whole plants at the corners of the ranges of their sets' weak constants.

use ballast_plant::{PlantSpec, SetSpec, Variant, WeakParameter, variants, weak_parameters};

/// Most corners of one plant.
const MOST_CORNERS: usize = 64;

/// A plant at a corner of the ranges.
#[derive(Clone)]
pub(crate) struct Corner {
    /// Which, as `inertia_s = 0.6 (low)`, `inertia_s = 0.6 (low) of G1, G2` or `all worst, gain low`.
    pub(crate) name: String,
    pub(crate) plant: PlantSpec,
}

/// Entries with the same weak constants: what is estimated alike is wrong alike.
struct Alike {
    entries: Vec<usize>,
    /// Variants of each of them, the same corners in the same order.
    variants: Vec<Vec<Variant>>,
}

impl Alike {
    /// Sets of the plant with those of this group at variant number `i`.
    fn put(&self, sets: &mut [SetSpec], i: usize) {
        for (entry, variants) in self.entries.iter().zip(&self.variants) {
            sets[*entry].clone_from(&variants[i].set);
        }
    }

    /// Numbers of the variants in which all constants are moved; gains low first.
    fn together(&self) -> impl DoubleEndedIterator<Item = usize> {
        let all = self.variants.first().map_or(&[][..], Vec::as_slice);
        all.iter()
            .enumerate()
            .filter(|(_, v)| v.together)
            .map(|(i, _)| i)
    }
}

/// Whether two sets have the same constants from the same sources, so that they are moved together.
fn alike(a: &[WeakParameter], b: &[WeakParameter]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            (&a.key, a.value, a.range, &a.source) == (&b.key, b.value, b.range, &b.source)
        })
}

fn groups(plant: &PlantSpec) -> Vec<Alike> {
    let mut found: Vec<(Vec<WeakParameter>, Alike)> = Vec::new();
    for (entry, set) in plant.sets.iter().enumerate() {
        let (weak, variants) = (weak_parameters(set), variants(set));
        if variants.is_empty() {
            continue;
        }
        let group = found.iter_mut().find(|(of, group)| {
            alike(of, &weak) && group.variants.iter().all(|v| v.len() == variants.len())
        });
        if let Some((_, group)) = group {
            group.entries.push(entry);
            group.variants.push(variants);
        } else {
            let group = Alike {
                entries: vec![entry],
                variants: vec![variants],
            };
            found.push((weak, group));
        }
    }
    found.into_iter().map(|(_, group)| group).collect()
}

/// The corners that are run, and what is left out of them.
///
/// Each weak constant alone at both ends of its range, in all sets at once that have it from the same source; then all constants of all sets at
/// their worse ends. A corner that is the plant itself, or an earlier corner, is left out.
pub(crate) fn corners(plant: &PlantSpec) -> (Vec<Corner>, Option<String>) {
    let groups = groups(plant);
    let mut found: Vec<Corner> = Vec::new();
    let mut add = |name: String, sets: Vec<SetSpec>| {
        let corner = PlantSpec {
            sets,
            ..plant.clone()
        };
        if same(plant, &corner) || found.iter().any(|c| same(&c.plant, &corner)) {
            return;
        }
        found.push(Corner {
            name,
            plant: corner,
        });
    };
    let together = [
        ("all worst, gain low", false),
        ("all worst, gain high", true),
    ];
    let gains = groups.iter().any(|g| g.together().count() > 1);
    let single: usize = groups
        .iter()
        .filter_map(|g| g.variants.first())
        .map(|v| v.iter().filter(|v| !v.together).count())
        .sum();
    let too_many = single + together.len() > MOST_CORNERS;
    if !too_many {
        for group in &groups {
            let Some(variants) = group.variants.first() else {
                continue;
            };
            let names: Vec<&str> = group
                .entries
                .iter()
                .map(|i| plant.sets[*i].name.as_str())
                .collect();
            let of = if names.len() == plant.sets.len() {
                String::new()
            } else {
                format!(" of {}", names.join(", "))
            };
            for (i, variant) in variants.iter().enumerate().filter(|(_, v)| !v.together) {
                let mut sets = plant.sets.clone();
                group.put(&mut sets, i);
                add(format!("{}{of}", variant.corner), sets);
            }
        }
    }
    for (name, gain_high) in together {
        let mut sets = plant.sets.clone();
        for group in &groups {
            let which = if gain_high {
                group.together().next_back()
            } else {
                group.together().next()
            };
            if let Some(i) = which {
                group.put(&mut sets, i);
            }
        }
        if !groups.is_empty() {
            add(if gains { name } else { "all worst" }.to_owned(), sets);
        }
    }
    let left_out = too_many.then(|| {
        format!(
            "{single} corners of one constant each are more than {MOST_CORNERS} and were left out"
        )
    });
    (found, left_out)
}

/// Whether two plants move alike: what is said of their values does not count.
fn same(a: &PlantSpec, b: &PlantSpec) -> bool {
    let bare = |plant: &PlantSpec| {
        let mut sets = plant.sets.clone();
        for set in &mut sets {
            set.provenance.clear();
        }
        sets
    };
    bare(a) == bare(b)
}

#[cfg(test)]
mod tests {
    use ballast_plant::PlantSpec;

    use super::corners;

    fn plant(sets: &str) -> PlantSpec {
        let spec = format!("{{ \"frequency_hz\": 60, \"sets\": [{sets}] }}");
        serde_json::from_str(&spec).unwrap()
    }

    fn set(name: &str, inertia_s: f64, provenance: &str) -> String {
        format!(
            r#"{{ "name": "{name}", "rated_kw": 1000, "rated_kva": 1250, "inertia_s": {inertia_s},
            "governor": {{ "model": "pi", "kp_pu": 5, "ki_per_s": 2, "t_s": 0.2, "dead_time_s": 0.03 }}, "provenance": {{ {provenance} }} }}"#
        )
    }

    fn weak(key: &str, low: f64, high: f64) -> String {
        format!(
            r#""{key}": {{ "source": "guess", "grade": "estimated", "confidence": "low", "low": {low}, "high": {high} }}"#
        )
    }

    fn names(plant: &PlantSpec) -> Vec<String> {
        corners(plant).0.into_iter().map(|c| c.name).collect()
    }

    #[test]
    fn equal_guesses_move_together() {
        let inertia = weak("inertia_s", 0.5, 1.2);
        let both = [
            set("a", 0.8, &inertia),
            set("b", 0.8, &inertia),
            set("c", 0.9, &inertia),
        ];
        let all = plant(&both.join(","));
        assert_eq!(
            names(&all),
            [
                "inertia_s = 0.5 (low) of a, b",
                "inertia_s = 1.2 (high) of a, b",
                "inertia_s = 0.5 (low) of c",
                "inertia_s = 1.2 (high) of c",
                "all worst"
            ]
        );
        let (found, left_out) = corners(&all);
        let of =
            |i: usize| -> Vec<f64> { found[i].plant.sets.iter().map(|s| s.inertia_s).collect() };
        assert_eq!(of(0), [0.5, 0.5, 0.9]);
        assert_eq!(of(4), [0.5, 0.5, 0.5]);
        assert_eq!(left_out, None);
    }

    #[test]
    fn a_corner_that_is_another_is_none() {
        let one = plant(&set("a", 0.8, &weak("inertia_s", 0.5, 1.2)));
        assert_eq!(
            names(&one),
            ["inertia_s = 0.5 (low)", "inertia_s = 1.2 (high)"]
        );
        let at_the_end = plant(&set("a", 0.5, &weak("inertia_s", 0.5, 1.2)));
        assert_eq!(names(&at_the_end), ["inertia_s = 1.2 (high)"]);
        assert!(names(&plant(&set("a", 0.8, ""))).is_empty());
    }

    #[test]
    fn too_many_leave_those_of_all_constants() {
        let sets: Vec<String> = (0..40)
            .map(|i| {
                set(
                    &format!("s{i}"),
                    0.6 + 0.01 * f64::from(i),
                    &weak("inertia_s", 0.5, 1.2),
                )
            })
            .collect();
        let (found, left_out) = corners(&plant(&sets.join(",")));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "all worst");
        assert!(left_out.unwrap().contains("80 corners"));
    }
}
