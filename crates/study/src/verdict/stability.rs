//! Whether the sets stand still by themselves: a row only where they do not.
//!
//! A run that starts in balance stays there however unstable that balance is, until something moves. The modes at the mean load tell it without a push.

use crate::indicative::Indicative;
use crate::outcome::{ModeKpis, ResonanceKpis, Status, Verdict};
use crate::resonance::GROWS_PER_S;
use crate::verdict::Bench;

/// A mode as it is told: what, where, how it is damped, whose.
fn told(m: &ModeKpis) -> String {
    let motion = if m.frequency_hz > 0.0 {
        format!(
            " at {:.3} Hz, damping ratio {:.3}",
            m.frequency_hz, m.damping_ratio
        )
    } else {
        " without oscillation".to_owned()
    };
    format!(
        "{}{motion}, growing by a factor of e in {:.3} s",
        m.name,
        1.0 / m.growth_per_s
    )
}

/// The verdict on modes that grow; none where there is no such mode.
pub(super) fn stability_verdict(
    bench: &Bench<'_>,
    kpis: Option<&ResonanceKpis>,
) -> Option<Verdict> {
    let kpis = kpis?;
    let worst = kpis.unstable.first()?;
    let label = "small-signal stability at the operating point";
    let mut v = bench.blank("stability", label, "1/s", String::new());
    v.realisations = 1;
    "at the mean load".clone_into(&mut v.window);
    let modes: Vec<String> = kpis.unstable.iter().map(told).collect();
    let modes = modes.join("; ");
    if kpis.at_a_kink {
        v.basis = format!(
            "a set stands on a limit or in a dead band, where small and large motion differ; without those it is unstable: {modes}"
        );
        return Some(v);
    }
    v.status = Status::Fail;
    v.limit_value = Some(GROWS_PER_S);
    v.worst_value = Some(worst.growth_per_s);
    v.margin = Some(GROWS_PER_S - worst.growth_per_s);
    v.realisation = bench.merged.each.first().map(|e| e.realisation);
    v.element = Some(if worst.sets.is_empty() {
        "bus".to_owned()
    } else {
        worst.sets.join(", ")
    });
    v.indicative = Indicative::on_engines(&bench.plan.weak);
    v.basis = format!(
        "unstable without any push from the load: {modes}; linear, at the mean load of the run, whether or not anything in the run set it off"
    );
    Some(v)
}
