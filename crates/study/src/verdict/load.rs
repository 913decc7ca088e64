//! Limits on the power of site and racks.

use ballast_aggregate::Site;

use crate::inputs::Inputs;
use crate::outcome::{Extreme, Verdict};
use crate::verdict::quantile::quantile_verdict;
use crate::verdict::{Bench, Limit, at_bus};

pub(super) fn load_verdicts(
    bench: &Bench<'_>,
    inputs: &Inputs,
    site: Option<&Site>,
    all: &mut Vec<Verdict>,
) {
    let limits = &bench.scenario.limits;
    if limits.site_peak_quantile < 1.0 {
        all.push(quantile_verdict(bench, inputs, site));
    } else {
        all.push(bench.judge(&Limit {
            key: "site_peak_kw",
            label: "highest power of the site",
            unit: "kW",
            value: limits.site_peak_kw,
            upper: true,
            window: "instant".to_owned(),
            worst: &|e| at_bus(e.site_peak.map(kilowatts)),
            needs_s: 0.0,
            of_load: true,
            open: |_| false,
        }));
    }
    let Some(site) = site else {
        all.push(bench.unchecked(
            "rack_peak_kw",
            "highest power of a rack",
            "kW",
            limits.rack_peak_kw,
            "the scenario has no racks (a trace is not split into racks)",
        ));
        return;
    };
    all.push(bench.judge(&Limit {
        key: "rack_peak_kw",
        label: "highest power of a rack",
        unit: "kW",
        value: limits.rack_peak_kw,
        upper: true,
        window: "instant".to_owned(),
        worst: &|e| {
            let worst = e
                .rack_worst
                .iter()
                .flatten()
                .reduce(|a, b| if b.0.value > a.0.value { b } else { a })?;
            Some((kilowatts(worst.0), site.rack_name(worst.1).to_owned()))
        },
        needs_s: 0.0,
        of_load: true,
        open: |_| false,
    }));
}

fn kilowatts(e: Extreme) -> Extreme {
    Extreme {
        value: e.value / 1e3,
        ..e
    }
}
