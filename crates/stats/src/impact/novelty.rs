use super::regression::{Fit, Regression, posterior};
use super::{EFFECT, Prepared, unit};

/// Whether an effect is the same at the end as at the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Novelty {
    /// Effect in the first third of the steps after the change.
    pub first: f64,
    /// Effect in the last third.
    pub last: f64,
    /// Two-sided p-value of no difference between the two.
    pub p_value: f64,
    /// Whether the effect fades: the last third is nearer to zero, or beyond it, and that is no chance at 5 %.
    pub fading: bool,
}

/// Thirds need so many steps each.
const LEAST: usize = 3;

/// The p-value below which the effect is said to fade.
const CALLED: f64 = 0.05;

impl Novelty {
    /// The same of an effect that is smaller by `less`, the whole being `effect`.
    pub(super) fn less(self, less: f64, effect: f64) -> Self {
        Self {
            first: self.first - less,
            last: self.last - less,
            fading: self.p_value < CALLED && (self.last - self.first) * effect < 0.0,
            ..self
        }
    }
}

/// Fits in which the last third of the steps after the change may differ from the first: the difference is the coefficient
/// of a column put last. `None` where thirds are too short.
pub(super) fn fits(prepared: &Prepared<'_>) -> Option<Vec<Fit>> {
    let window = &prepared.window;
    let third = (window.range.end - window.change) / 3;
    if third < LEAST {
        return None;
    }
    let (mut columns, _) = prepared.explaining(window.change);
    let turn = |step: usize| match step {
        step if step < window.change || step >= window.range.end => 0.0,
        step if step < window.change + third => -0.5,
        step if step >= window.range.end - third => 0.5,
        _ => 0.0,
    };
    columns.push((0..window.values.len()).map(turn).collect());
    Regression {
        values: &window.values,
        columns,
        samples: prepared.question.samples,
        scales: prepared.question.scales,
    }
    .fits()
}

/// Reads from the fits of [`fits`] whether the effect fades.
pub(super) fn find(fits: &[Fit], effect: f64) -> Option<Novelty> {
    let count = fits.first()?.coefficients();
    let difference = posterior(fits, &unit(count - 1, count));
    let middle = posterior(fits, &unit(EFFECT, count)).mean();
    let below = difference.below(0.0);
    let p_value = 2.0 * below.min(1.0 - below);
    let half = difference.mean() / 2.0;
    Some(Novelty {
        first: middle - half,
        last: middle + half,
        p_value,
        fading: p_value < CALLED && half * effect < 0.0,
    })
}
