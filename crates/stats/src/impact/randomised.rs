use super::posterior::{Part, Posterior};
use crate::welch::Moments;

/// Decisions of which chance said whether the change applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arms {
    /// Without the change.
    pub without: Arm,
    /// With it.
    pub with: Arm,
    /// How many times the variance of a mean is that of independent values, 1 or more.
    pub dispersion: f64,
    /// Values of both arms for which the measurement is planned.
    pub planned: f64,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arm {
    /// The values.
    pub outcome: Moments,
    /// Something known of each before the change, if there is such a thing.
    pub covariate: Option<Covariate>,
}

/// A number known of each value before the change.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Covariate {
    /// Its moments.
    pub moments: Moments,
    /// Sum of its products with the values.
    pub products: f64,
}

/// What the arms tell: whether a covariate was used, and what is known of the effect. `None` with fewer than two values in an
/// arm, or where nothing varies.
///
/// B. L. Welch, Biometrika 34 (1947), for the freedom; A. Deng, Y. Xu, R. Kohavi and T. Walker, "Improving the Sensitivity of
/// Online Controlled Experiments by Utilizing Pre-Experiment Data", WSDM (2013), for what a covariate takes away.
pub(super) fn compare(arms: &Arms) -> Option<(bool, Posterior)> {
    let sides = [arms.without, arms.with];
    if !sides.iter().all(|arm| arm.outcome.count >= 2.0) {
        return None;
    }
    let slope = slope(&sides);
    let known = sides.map(|arm| arm.adjusted(slope));
    let [first, second] = known;
    let dispersion = arms.dispersion.max(1.0);
    let parts = [(first, sides[0]), (second, sides[1])]
        .map(|((_, variance), arm)| (variance / arm.outcome.count * dispersion, arm.outcome.count - 1.0));
    let square = parts[0].0 + parts[1].0;
    if !(square > 0.0 && square.is_finite()) {
        return None;
    }
    let freedom = square * square
        / parts
            .map(|(part, freedom)| part * part / freedom)
            .iter()
            .sum::<f64>();
    let part = Part {
        weight: 1.0,
        mean: second.0 - first.0,
        error: square.sqrt(),
        freedom,
    };
    Some((slope.is_some(), Posterior::new(vec![part])))
}

/// What the values rise by with the covariate, both arms together.
pub(super) fn slope(sides: &[Arm; 2]) -> Option<f64> {
    let (mut products, mut squares) = (0.0, 0.0);
    for arm in sides {
        let covariate = arm.covariate?;
        products += covariate.products - covariate.moments.mean() * arm.outcome.sum;
        squares += covariate.moments.squared_deviations();
    }
    (squares > 0.0).then(|| products / squares)
}

impl Arm {
    /// Mean of the values less what the covariate tells.
    pub(super) fn adjusted_mean(&self, slope: Option<f64>) -> f64 {
        let mean = self.outcome.mean();
        match (slope, self.covariate) {
            (Some(slope), Some(covariate)) => mean - slope * covariate.moments.mean(),
            _ => mean,
        }
    }

    /// Mean and variance of the values less what the covariate tells.
    pub(super) fn adjusted(&self, slope: Option<f64>) -> (f64, f64) {
        let (mean, variance) = (self.adjusted_mean(slope), self.outcome.variance());
        let (Some(slope), Some(covariate)) = (slope, self.covariate) else {
            return (mean, variance);
        };
        let together =
            (covariate.products - covariate.moments.mean() * self.outcome.sum) / (self.outcome.count - 1.0);
        let left = variance - 2.0 * slope * together + slope * slope * covariate.moments.variance();
        (mean, left.max(0.0))
    }
}
