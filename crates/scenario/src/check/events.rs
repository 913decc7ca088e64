//! Events of the site against duration, racks and facility; what is wrong with them as such is found by the site.

use ballast_aggregate::{JobSpec, SiteEventSpec};

use super::Check;
use crate::Scenario;
use crate::limits::number;
use crate::tree::join;

impl Check<'_> {
    pub(super) fn events(&mut self, scenario: &Scenario) {
        if !scenario.events.is_empty() && scenario.racks.is_empty() {
            self.add(
                "events",
                "there are no racks that events could strike",
                "add [[racks]]; a load that changes in steps is one of the [[loads]]",
            );
        }
        let cooled = scenario
            .facility
            .as_ref()
            .is_some_and(|f| f.cooling.is_some());
        for (at, event) in scenario.events.iter().enumerate() {
            let path = format!("events.{at}");
            if matches!(event, SiteEventSpec::CoolingTrip(_)) && !cooled {
                self.add(
                    &join(&path, "kind"),
                    "there is no cooling that could trip",
                    "add [facility.cooling], or take the event out",
                );
            }
            self.late(&path, event, scenario.simulation.end_s());
            self.for_good(&path, event, &scenario.jobs);
        }
    }

    /// Training comes back with its racks after maintenance, but not after they lost their power or shut down, unless it has a rule.
    fn for_good(&mut self, path: &str, event: &SiteEventSpec, jobs: &[JobSpec]) {
        let returns = match event {
            SiteEventSpec::RackLoss(e) => e.restore_after_s.is_some(),
            SiteEventSpec::CoolingTrip(e) => {
                e.shutdown_at_s().is_some() && e.restore_after_s.is_some()
            }
            _ => false,
        };
        for job in jobs {
            if let JobSpec::Training(t) = job
                && returns
                && t.restart_after_s.is_none()
            {
                self.warn(
                    &join(path, "restore_after_s"),
                    format!(
                        "the racks come back; job `{}`, if it is on them, does not: it has no restart_after_s",
                        t.name
                    ),
                    "set the job's restart_after_s if it is to start again, 0 for as soon as its racks work",
                );
            }
        }
    }

    /// What lies beyond the run does not happen in it.
    fn late(&mut self, path: &str, event: &SiteEventSpec, end_s: f64) {
        let help = format!("a time before the end of the run, {} s", number(end_s));
        if event.at_s() >= end_s {
            self.warn(
                &join(path, "at_s"),
                format!(
                    "the event never happens in this run: it comes at {} s",
                    number(event.at_s())
                ),
                help,
            );
            return;
        }
        let back = match event {
            SiteEventSpec::RackLoss(e) => e.restore_after_s.map(|s| ("restore_after_s", s)),
            SiteEventSpec::SwitchLoss(e) => e.restore_after_s.map(|s| ("restore_after_s", s)),
            SiteEventSpec::CoolingTrip(e) => e.restore_after_s.map(|s| ("restore_after_s", s)),
            SiteEventSpec::Maintenance(e) => Some(("duration_s", e.stagger_s + e.duration_s)),
            SiteEventSpec::Transfer(e) => e.battery_s.map(|s| ("battery_s", s)),
        };
        if let Some((key, after_s)) = back.filter(|(_, s)| event.at_s() + s >= end_s) {
            self.warn(
                &join(path, key),
                format!(
                    "the return is at {} s, after the end of the run: never in this run",
                    number(event.at_s() + after_s)
                ),
                help,
            );
        }
        if let SiteEventSpec::CoolingTrip(e) = event
            && let (Some(after_s), None) = (e.shutdown_after_s, e.shutdown_at_s())
        {
            self.warn(
                &join(path, "shutdown_after_s"),
                format!(
                    "racks never shut down: the cooling is back within the {} s that they ride through",
                    number(after_s)
                ),
                "a time below restore_after_s, or take it out",
            );
        }
    }
}
