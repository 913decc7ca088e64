//! What is wrong with the site's events.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Problems, listed};
use crate::event_plan::{Cause, EventPlan, racks_named, strike};
use crate::event_spec::{
    CoolingTrip, DEFAULT_DRAIN_S, Maintenance, SiteEventSpec, Transfer, TransferDirection,
};
use crate::needs::Fit;
use crate::placement::Placement;
use crate::site::{GroupInfo, SiteInput};

/// Times beyond this are refused, seconds, as for jobs.
const LONGEST_S: f64 = 1e9;

/// From, until, and the event that brings it.
type Span = (f64, f64, usize);

/// A time in a message.
fn time(at_s: f64) -> String {
    if at_s.is_finite() {
        format!("until {at_s} s")
    } else {
        "for good".to_owned()
    }
}

/// Problems of all events, each by itself and with each other.
pub(crate) fn events(events: &[SiteEventSpec], groups: &[GroupInfo], problems: &mut Problems) {
    for (i, event) in events.iter().enumerate() {
        let mut check = Check {
            path: format!("events.{i}"),
            problems,
        };
        check.numbers(event);
        check.racks(event, groups);
        match event {
            SiteEventSpec::Maintenance(e) => check.maintenance(e),
            SiteEventSpec::CoolingTrip(e) => check.trip(e),
            SiteEventSpec::Transfer(e) => check.transfer(e),
            SiteEventSpec::RackLoss(_) | SiteEventSpec::SwitchLoss(_) => {}
        }
    }
    if problems.0.iter().all(|p| !p.path.starts_with("events.")) {
        overlaps(events, groups, problems);
    }
}

struct Check<'a> {
    path: String,
    problems: &'a mut Problems,
}

impl Check<'_> {
    fn add(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems
            .add(format!("{}.{key}", self.path), message, help);
    }

    /// Every number of an event in its range.
    fn numbers(&mut self, event: &SiteEventSpec) {
        // From 0, above 0; both in seconds.
        let (mut from_0, mut above_0) = (vec![("at_s", Some(event.at_s()))], Vec::new());
        // Lower end excluded or not, upper end.
        let mut shares: Vec<(&str, Option<f64>, bool, f64)> = Vec::new();
        match event {
            SiteEventSpec::RackLoss(e) => {
                above_0.push(("restore_after_s", e.restore_after_s));
                from_0.push(("boot_s", e.boot_s));
            }
            SiteEventSpec::SwitchLoss(e) => {
                above_0.push(("restore_after_s", e.restore_after_s));
                from_0.push(("timeout_s", e.timeout_s));
            }
            SiteEventSpec::CoolingTrip(e) => {
                above_0.extend([
                    ("restore_after_s", e.restore_after_s),
                    ("rebound_s", e.rebound_s),
                ]);
                from_0.extend([
                    ("shutdown_after_s", e.shutdown_after_s),
                    ("shutdown_s", e.shutdown_s),
                    ("boot_s", e.boot_s),
                ]);
                shares.extend([
                    ("share", Some(e.share), true, 1.0),
                    ("rebound_share", e.rebound_share, true, 10.0),
                ]);
            }
            SiteEventSpec::Maintenance(e) => {
                above_0.push(("duration_s", Some(e.duration_s)));
                from_0.extend([
                    ("stagger_s", Some(e.stagger_s)),
                    ("drain_s", e.drain_s),
                    ("boot_s", e.boot_s),
                ]);
            }
            SiteEventSpec::Transfer(e) => {
                from_0.extend([("battery_s", e.battery_s), ("walk_in_s", e.walk_in_s)]);
                shares.extend([
                    ("recharge_share", e.recharge_share, false, 10.0),
                    ("recharge_efficiency", e.recharge_efficiency, true, 1.0),
                ]);
            }
        }
        let seconds = from_0
            .into_iter()
            .map(|(key, value)| (key, value, false))
            .chain(above_0.into_iter().map(|(key, value)| (key, value, true)));
        for (key, value, above) in seconds {
            self.range(key, value, above, LONGEST_S, " s");
        }
        for (key, value, above, most) in shares {
            self.range(key, value, above, most, "");
        }
    }

    fn range(&mut self, key: &str, value: Option<f64>, above: bool, most: f64, unit: &str) {
        let Some(value) = value else { return };
        let good = (0.0..=most).contains(&value) && !(above && value == 0.0);
        if !good {
            let least = if above { "above" } else { "from" };
            self.add(
                key,
                format!("it is {value}{unit}"),
                format!("give a number {least} 0 to {most:e}"),
            );
        }
    }

    fn racks(&mut self, event: &SiteEventSpec, groups: &[GroupInfo]) {
        let names = event.racks();
        if names.is_empty() && !matches!(event, SiteEventSpec::CoolingTrip(_)) {
            self.add(
                "racks",
                "no rack is named",
                format!(
                    "name racks or groups; {}",
                    listed(groups.iter().map(|g| g.name.as_str()))
                ),
            );
        }
        let mut taken: BTreeMap<usize, &str> = BTreeMap::new();
        for (k, name) in names.iter().enumerate() {
            let Some(racks) = racks_named(name, groups) else {
                // A rack beyond the end of its group, or written without its zeros.
                let near = groups.iter().find(|g| {
                    name.strip_prefix(&g.name)
                        .is_some_and(|rest| rest.starts_with('-'))
                });
                let help = match near {
                    Some(g) => format!(
                        "the racks of `{}` are {}-001 to {}-{:03}",
                        g.name,
                        g.name,
                        g.name,
                        g.racks.len()
                    ),
                    None => listed(groups.iter().map(|g| g.name.as_str())),
                };
                self.add(
                    &format!("racks.{k}"),
                    format!("there is no rack or rack group `{name}`"),
                    help,
                );
                continue;
            };
            let twice = racks.clone().find_map(|r| taken.get(&r).copied());
            match twice {
                Some(first) => self.add(
                    &format!("racks.{k}"),
                    format!("`{name}` names a rack that `{first}` names too"),
                    "name each rack once",
                ),
                None => taken.extend(racks.map(|r| (r, name.as_str()))),
            }
        }
    }

    fn maintenance(&mut self, e: &Maintenance) {
        let drain_s = e.drain_s.unwrap_or(DEFAULT_DRAIN_S);
        if e.duration_s > 0.0 && drain_s >= e.duration_s {
            self.add(
                if e.drain_s.is_some() {
                    "drain_s"
                } else {
                    "duration_s"
                },
                format!(
                    "draining takes {drain_s} s, and the rack is back {} s after it begins",
                    e.duration_s
                ),
                "set drain_s below duration_s: a rack is off from the end of one to the end of the other",
            );
        }
    }

    fn trip(&mut self, e: &CoolingTrip) {
        if e.shutdown_after_s.is_none() {
            let needless = [
                ("racks", !e.racks.is_empty()),
                ("shutdown_s", e.shutdown_s.is_some()),
                ("boot_s", e.boot_s.is_some()),
            ];
            for (key, _) in needless.into_iter().filter(|(_, given)| *given) {
                self.add(
                    key,
                    "it is about racks that shut down, and none does",
                    "set shutdown_after_s, or take it out",
                );
            }
        }
    }

    fn transfer(&mut self, e: &Transfer) {
        let away = e.direction == TransferDirection::Away;
        if !away && e.battery_s.is_none() {
            self.add(
                "battery_s",
                "the racks come to this bus, and nothing says when",
                "set battery_s, the time on battery from at_s on; 0 for a transfer without a gap",
            );
        }
        let about_return = [
            ("battery_s", e.battery_s),
            ("walk_in_s", e.walk_in_s),
            ("recharge_share", e.recharge_share),
            ("recharge_efficiency", e.recharge_efficiency),
        ];
        for (key, _) in about_return
            .into_iter()
            .filter(|(_, v)| away && v.is_some())
        {
            self.add(
                key,
                "it is about the return, and the racks go away for good",
                "take it out, or set direction = \"there_and_back\"",
            );
        }
    }
}

/// A training job that is drained has written its checkpoint before its racks are switched off.
pub(crate) fn checkpoints(
    input: &SiteInput<'_>,
    outages: &EventPlan,
    placement: &Placement,
    fits: &[BTreeMap<usize, Fit>],
    problems: &mut Problems,
) {
    for (j, job) in input.jobs.iter().enumerate() {
        let written_s = fits[j].values().map(|f| f.checkpoint_s).fold(0.0, f64::max);
        for (event, o) in outages.of_job(j, &placement.runs) {
            let drain_s = o.off_s - o.from_s;
            if o.cause == Cause::Maintenance && written_s > drain_s {
                problems.add(
                    format!("events.{event}"),
                    format!(
                        "racks are off {drain_s} s after they are drained, and job `{}` takes {written_s} s to write its checkpoint",
                        job.name()
                    ),
                    "set a longer drain_s",
                );
            }
        }
    }
}

/// No rack is out twice at a time, or transferred twice at a time; trips of the cooling do not overlap.
fn overlaps(events: &[SiteEventSpec], groups: &[GroupInfo], problems: &mut Problems) {
    let mut outages: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
    let mut moves: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
    let mut trips = Vec::new();
    for (i, event) in events.iter().enumerate() {
        for (rack, o) in strike(i, event, groups).map_or_else(Vec::new, |s| s.racks) {
            outages
                .entry(rack)
                .or_default()
                .push((o.from_s, o.work_s, i));
        }
        match event {
            SiteEventSpec::CoolingTrip(e) => {
                let until_s = e.restore_after_s.map_or(f64::INFINITY, |s| e.at_s + s);
                trips.push((e.at_s, until_s, i));
            }
            SiteEventSpec::Transfer(e) => {
                let plan = EventPlan::new(std::slice::from_ref(event), groups);
                for t in plan.transfers {
                    let span = (
                        if e.direction == TransferDirection::Here {
                            f64::NEG_INFINITY
                        } else {
                            t.off_s
                        },
                        t.on_s + t.walk_in_s,
                        i,
                    );
                    for rack in t.racks {
                        moves.entry(rack).or_default().push(span);
                    }
                }
            }
            _ => {}
        }
    }
    let rack_name = |rack: usize| {
        let group = groups.iter().find(|g| g.racks.contains(&rack));
        group.map_or(String::new(), |g| {
            format!("{}-{:03}", g.name, rack - g.racks.start + 1)
        })
    };
    let mut told = BTreeSet::new();
    for (what, table) in [("out", outages), ("transferred", moves)] {
        for (rack, spans) in table {
            if let Some((first, second)) = overlap(spans)
                && told.insert((what, first.2, second.2))
            {
                problems.add(
                    format!("events.{}.at_s", second.2),
                    format!(
                        "rack `{}` is {what} twice at a time: events.{} has it {}",
                        rack_name(rack),
                        first.2,
                        time(first.1)
                    ),
                    "begin one after the other has ended (boot and walk-in count), or name other racks",
                );
            }
        }
    }
    if let Some((first, second)) = overlap(trips) {
        problems.add(
            format!("events.{}.at_s", second.2),
            format!(
                "two trips of the cooling at a time: that of events.{} lasts {}",
                first.2,
                time(first.1)
            ),
            "make them one with the sum of their shares, or let one end before the other",
        );
    }
}

/// The first two spans that overlap, in order of time.
fn overlap(mut spans: Vec<Span>) -> Option<(Span, Span)> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    spans
        .windows(2)
        .find(|w| w[1].0 < w[0].1)
        .map(|w| (w[0], w[1]))
}
