use super::{Posterior, Verdict};
use crate::any_look::any_look_bound;

/// Half a 95 % interval, and how far a quantile of 80 % is, in standard errors.
const Z95: f64 = 1.959_963_984_540_054;
const Z80: f64 = 0.841_621_233_572_914;

/// With a smaller share of the planned information, nothing having been seen says nothing.
const EARLY: f64 = 0.25;

/// Bounds wider than this are not worth telling apart, and no digits are left for them.
const WIDEST: f64 = 8.0;

/// What is said of what is known.
pub(super) struct Said {
    pub(super) interval: (f64, f64),
    pub(super) interval_at_any_look: (f64, f64),
    pub(super) verdict: Verdict,
    pub(super) detectable: f64,
}

impl Said {
    pub(super) fn of(known: &Posterior, information: f64, higher_is_better: bool) -> Self {
        let bound = any_look_bound(information).min(WIDEST);
        let (interval, interval_at_any_look) = (known.interval(Z95), known.interval(bound));
        let beyond = |interval: (f64, f64)| {
            (interval.0 > 0.0)
                .then_some(true)
                .or((interval.1 < 0.0).then_some(false))
        };
        let verdict = match (beyond(interval_at_any_look), beyond(interval)) {
            (Some(rise), _) if rise == higher_is_better => Verdict::Improved,
            (Some(_), _) => Verdict::Worse,
            (None, None) if information >= EARLY => Verdict::NoDetectableChange,
            (None, _) => Verdict::CannotTell,
        };
        let half = f64::midpoint(interval_at_any_look.1, -interval_at_any_look.0);
        Self {
            interval,
            interval_at_any_look,
            verdict,
            detectable: half + Z80 * (interval.1 - interval.0) / (2.0 * Z95),
        }
    }
}
