//! Contradictions between the limits on the load.

use ballast_plant::PlantSpec;

use super::Check;
use crate::limits::number;
use crate::spec::Scenario;

const AT: &str = "limits.load";

impl Check<'_> {
    pub(super) fn load_limits(&mut self, scenario: &Scenario) {
        let Some(limits) = &scenario.limits.load else {
            return;
        };
        let path = |key: &str| format!("{AT}.{key}");
        let step_s = scenario.simulation.step_s;
        let windows = [
            (
                "ramp_window_s",
                limits.has_ramps().then_some(limits.ramp_window_s),
            ),
            ("change_window_s", limits.changes_over_s()),
            (
                "range_window_s",
                limits.range_share.and(limits.range_window_s),
            ),
        ];
        for (key, window_s) in windows {
            if let Some(window_s) = window_s.filter(|w| *w < step_s) {
                self.add(
                    &path(key),
                    format!(
                        "a window of {} s is shorter than the step of {} s",
                        number(window_s),
                        number(step_s)
                    ),
                    format!("at least simulation.step_s = {}", number(step_s)),
                );
            }
        }
        let needs = [
            (
                "change_mw",
                limits.change_mw.is_some(),
                "change_window_s",
                limits.change_window_s.is_some(),
                "the window in which the load may change that much, in s",
            ),
            (
                "change_window_s",
                limits.change_window_s.is_some(),
                "change_mw",
                limits.change_mw.is_some(),
                "the largest change in that window, in MW",
            ),
            (
                "range_window_s",
                limits.range_window_s.is_some(),
                "range_share",
                limits.range_share.is_some(),
                "the largest range as a share of the highest power",
            ),
            (
                "band_share",
                limits.band_share.is_some(),
                "band_min_rms_mw",
                limits.band_min_rms_mw.is_some(),
                "the rms up to which the share may be exceeded, in MW: a share alone fails a load that hardly moves",
            ),
            (
                "band_min_rms_mw",
                limits.band_min_rms_mw.is_some(),
                "band_share",
                limits.band_share.is_some(),
                "the largest share of the energy in the band",
            ),
            (
                "flicker_x_over_r",
                limits.flicker_x_over_r.is_some(),
                "flicker_short_circuit_mva",
                limits.flicker_short_circuit_mva.is_some(),
                "the short-circuit power it belongs to, in MVA",
            ),
            (
                "flicker_short_circuit_mva",
                limits.flicker_short_circuit_mva.is_some(),
                "flicker_x_over_r",
                limits.flicker_x_over_r.is_some(),
                "the ratio of reactance to resistance: without it the drop is not known",
            ),
            (
                "flicker_short_circuit_mva",
                limits.flicker_short_circuit_mva.is_some(),
                "flicker_pst",
                limits.flicker_pst.is_some(),
                "the highest severity, 1 in most rules",
            ),
            (
                "flicker_lamp",
                limits.flicker_lamp.is_some(),
                "flicker_pst",
                limits.flicker_pst.is_some(),
                "the highest severity, 1 in most rules",
            ),
        ];
        for (key, given, other, there, what) in needs {
            if given && !there {
                self.add(
                    &path(key),
                    format!("{key} needs {other}"),
                    format!("add `{other}`, {what}"),
                );
            }
        }
        let (low, high) = (path("band_low_hz"), path("band_high_hz"));
        self.ordered(
            (&low, Some(limits.band_low_hz)),
            (&high, Some(limits.band_high_hz)),
        );
        let voltage = scenario
            .plant
            .as_ref()
            .is_some_and(PlantSpec::has_alternators);
        if limits.flicker_pst.is_some() && limits.flicker_short_circuit_mva.is_none() && !voltage {
            self.add(
                &path("flicker_pst"),
                "there is no voltage to look at",
                "add flicker_short_circuit_mva and flicker_x_over_r of the supply, or give every set an [alternator]",
            );
        }
    }
}
