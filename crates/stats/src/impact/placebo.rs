use super::regression::{Fit, Regression};
use super::{EFFECT, Prepared, unit};

/// The same measurement at times when nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Placebo {
    /// Times before the change at which it was tried; they share most of their steps.
    pub tried: usize,
    /// Of these, how many had an effect at least as large, in standard errors.
    pub as_large: usize,
}

impl Placebo {
    /// Share that had an effect as large; `None` where none could be tried.
    pub fn share(&self) -> Option<f64> {
        (self.tried > 0).then(|| self.as_large as f64 / self.tried as f64)
    }
}

/// At most so many times are tried.
const MOST: usize = 20;

/// A placebo needs so many steps before it and after it.
const BEFORE: usize = 21;
const AFTER: usize = 7;

/// Pretends that the change was at earlier times, using the steps before the true one alone, with the
/// noise as it is most likely for all.
///
/// A. Abadie, A. Diamond and J. Hainmueller, "Comparative Politics and the Synthetic Control Method", Am. J. Polit. Sci. 59
/// (2015), section "placebo studies".
pub(super) fn run(prepared: &Prepared<'_>, fits: &[Fit]) -> Placebo {
    let (window, mut placebo) = (&prepared.window, Placebo::default());
    let (first, last) = (window.range.start + BEFORE, window.change.saturating_sub(AFTER));
    if last < first {
        return placebo;
    }
    let Some(likeliest) = fits.iter().max_by(|a, b| a.weight.total_cmp(&b.weight)) else {
        return placebo;
    };
    let seen = errors(likeliest);
    let steps_after = window.range.end - window.change;
    let apart = (last - first + 1).div_ceil(MOST);
    for change in (first..=last).step_by(apart) {
        let mut values = window.values.clone();
        let end = (change + steps_after.max(AFTER)).min(window.change);
        values[end..].fill(f64::NAN);
        let (columns, _) = prepared.explaining(change);
        let regression = Regression {
            values: &values,
            columns,
            samples: prepared.question.samples,
            scales: prepared.question.scales,
        };
        let Some(pretended) = regression.fit_at(likeliest.phi, likeliest.scatter) else {
            continue;
        };
        placebo.tried += 1;
        placebo.as_large += usize::from(errors(&pretended) >= seen);
    }
    placebo
}

/// The effect in its standard errors.
fn errors(fit: &Fit) -> f64 {
    let (effect, error) = fit.combined(&unit(EFFECT, fit.coefficients()));
    effect.abs() / error
}
