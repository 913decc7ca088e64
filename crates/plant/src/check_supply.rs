//! Contradictions in fuel curves, acceptance tables and stated ranges.

use crate::check::{List, number};
use crate::fuel::{FuelKind, FuelSpec, FuelUnit};
use crate::indicative::value;
use crate::spec::SetSpec;

/// What concerns one set beside its dynamics.
pub(crate) fn check_supply(list: &mut List, set: &SetSpec) {
    if let Some(fuel) = &set.fuel {
        check_fuel(list, fuel);
    }
    check_acceptance(list, set);
    for (key, entry) in &set.provenance {
        let path = format!("provenance.{key}");
        let (low, high) = (entry.low, entry.high);
        if [low, high].iter().flatten().any(|end| !end.is_finite()) {
            list.add(
                &path,
                "an end of the range is not finite".to_owned(),
                "give finite values, or leave the range out".to_owned(),
            );
            continue;
        }
        let own = value(set, key);
        let wrong = match (low, high, own) {
            (Some(low), Some(high), _) if low > high => true,
            (low, high, Some(own)) => low.is_some_and(|l| own < l) || high.is_some_and(|h| own > h),
            _ => false,
        };
        if wrong {
            let show = |end: Option<f64>| end.map_or_else(|| "-".to_owned(), number);
            let message = match own {
                Some(own) => format!(
                    "the range {} to {} does not hold the value {}",
                    show(low),
                    show(high),
                    number(own)
                ),
                None => format!("the range {} to {} is empty", show(low), show(high)),
            };
            list.add(&path, message, "low, then the value, then high".to_owned());
        }
    }
}

fn check_fuel(list: &mut List, fuel: &FuelSpec) {
    if fuel.kind == FuelKind::Gas && fuel.unit == FuelUnit::LPerH {
        list.add(
            "fuel.unit",
            "gas is not measured in litres per hour".to_owned(),
            "kw_lhv or kg_per_h".to_owned(),
        );
    }
    if let Some(lhv) = fuel.lhv_mj {
        list.positive("fuel.lhv_mj", lhv, "MJ");
    }
    let points = &fuel.points;
    if points.len() < 2 {
        list.add(
            "fuel.points",
            "one load tells no curve".to_owned(),
            "give two points at least, as [[0.5, 200], [1.0, 394]]".to_owned(),
        );
        return;
    }
    let sound =
        |[share, rate]: &[f64; 2]| (0.0..=1.5).contains(share) && *rate > 0.0 && rate.is_finite();
    if let Some([share, rate]) = points.iter().find(|point| !sound(point)) {
        list.add(
            "fuel.points",
            format!(
                "[{}, {}] is not a share of load from 0 to 1.5 and a rate above zero",
                number(*share),
                number(*rate)
            ),
            "as [0.5, 200]: half load, 200 in the curve's unit".to_owned(),
        );
        return;
    }
    if let Some(pair) = points
        .windows(2)
        .find(|pair| pair[1][0] <= pair[0][0] || pair[1][1] <= pair[0][1])
    {
        list.add(
            "fuel.points",
            format!(
                "[{}, {}] does not rise from [{}, {}]",
                number(pair[1][0]),
                number(pair[1][1]),
                number(pair[0][0]),
                number(pair[0][1])
            ),
            "more load burns more: both columns rise".to_owned(),
        );
    } else if let Some(idle) = fuel.rate(0.0)
        && idle < 0.0
    {
        list.add(
            "fuel.points",
            format!(
                "the line through the two lowest points gives {} {} at no load",
                number(idle),
                fuel.unit.label()
            ),
            "an engine burns fuel at no load: give the point [0, rate]".to_owned(),
        );
    }
}

fn check_acceptance(list: &mut List, set: &SetSpec) {
    let rows = &set.acceptance;
    for (index, row) in rows.iter().enumerate() {
        let at = |key: &str| format!("acceptance.{index}.{key}");
        list.not_negative(&at("from_share"), row.from_share, "of rated power");
        list.positive(&at("step_share"), row.step_share, "of rated power");
        list.positive(&at("recovery_s"), row.recovery_s, "s");
        let before = index.checked_sub(1).map(|i| rows[i]);
        match before {
            None if row.from_share != 0.0 => list.add(
                &at("from_share"),
                format!("the first row steps from {}", number(row.from_share)),
                "begin with from_share = 0".to_owned(),
            ),
            Some(before) if row.from_share <= before.from_share => list.add(
                &at("from_share"),
                format!(
                    "{} does not rise from {}",
                    number(row.from_share),
                    number(before.from_share)
                ),
                "rows in the order of the load".to_owned(),
            ),
            _ => {}
        }
    }
}
