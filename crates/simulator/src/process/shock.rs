//! Autoregressive shocks: what makes the hours near each other alike.

use rand_distr::{Distribution, StandardNormal};

use super::plan::Plan;
use super::stream::{Purpose, Streams};
use crate::scenario::{Shock, Shocked};

/// The path of a shock through a scenario, with standard deviation 1.
#[derive(Debug)]
pub(crate) struct Path<'a> {
    pub shock: &'a Shock,
    common: Vec<f64>,
    /// One for each value of the dimension; none when all share the common one.
    own: Vec<Vec<f64>>,
}

impl<'a> Path<'a> {
    /// Draws the `index`th shock of a scenario with that many hours, and at most so many values of the shock's dimension.
    pub(crate) fn draw(
        shock: &'a Shock,
        index: usize,
        hours: usize,
        values: usize,
        streams: &Streams,
    ) -> Self {
        let steps = hours.div_ceil(shock.every_hours as usize);
        let path = |part: usize| {
            let mut draws = streams.of(Purpose::Shocks, index, part);
            let mut normal = || -> f64 { StandardNormal.sample(&mut draws) };
            let (phi, fresh) = (shock.phi, (1.0 - shock.phi * shock.phi).sqrt());
            let mut at = normal();
            let step = |_| {
                let now = at;
                at = phi * at + fresh * normal();
                now
            };
            (0..steps).map(step).collect::<Vec<_>>()
        };
        Self {
            shock,
            common: path(0),
            own: (1..=values).map(path).collect(),
        }
    }

    /// What it adds in an hour, to decisions with this value of its dimension.
    pub(crate) fn at(&self, hour: usize, value: Option<usize>) -> f64 {
        let step = hour / self.shock.every_hours as usize;
        let common = self.common[step];
        let path = match value.and_then(|value| self.own.get(value)) {
            Some(own) => {
                let shared = self.shock.correlation;
                shared.sqrt() * common + (1.0 - shared).sqrt() * own[step]
            }
            None => common,
        };
        self.shock.sd * path
    }
}

/// The factor on the number of decisions, 1 in the mean.
pub(crate) fn volume(paths: &[Path<'_>], hour: usize) -> f64 {
    let on_volume = paths.iter().filter(|path| path.shock.on == Shocked::Volume);
    on_volume
        .map(|path| libm::exp(path.at(hour, None) - path.shock.sd * path.shock.sd / 2.0))
        .product()
}

/// What is added to the log-odds of a class's decisions.
pub(crate) fn outcome(paths: &[Path<'_>], plan: &Plan<'_>, class: usize, hour: usize) -> f64 {
    let mut sum = 0.0;
    for (path, axis) in paths.iter().zip(&plan.shocked_by) {
        if path.shock.on == Shocked::Outcome {
            let value = axis.map(|axis| usize::from(plan.classes[class].fixed[axis]));
            sum += path.at(hour, value);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_correlation_from_step_to_step_is_phi_and_the_deviation_is_as_given() {
        for phi in [0.0, 0.3, 0.6, 0.8] {
            for every_hours in [1, 24] {
                let (on, by) = (Shocked::Outcome, None);
                let shock = Shock {
                    phi,
                    sd: 0.2,
                    every_hours,
                    on,
                    by,
                    correlation: 0.0,
                };
                let steps = 40_000;
                let path = Path::draw(&shock, 0, steps * every_hours as usize, 0, &Streams::new(7));
                let at = |step: usize| path.at(step * every_hours as usize + every_hours as usize - 1, None);
                let product =
                    |lag: usize| (lag..steps).map(|it| at(it) * at(it - lag)).sum::<f64>() / steps as f64;
                let (variance, lagged) = (product(0), product(1));
                assert!(
                    (lagged / variance - phi).abs() < 0.015,
                    "{phi}: {}",
                    lagged / variance
                );
                assert!((variance.sqrt() / 0.2 - 1.0).abs() < 0.02, "{phi}: {variance}");
            }
        }
    }

    #[test]
    fn the_values_of_a_dimension_are_correlated_as_asked() {
        for correlation in [0.0, 0.3, 0.6, 0.8, 1.0] {
            let (on, by) = (Shocked::Outcome, Some("industry".to_owned()));
            let shock = Shock {
                phi: 0.5,
                sd: 1.0,
                every_hours: 1,
                on,
                by,
                correlation,
            };
            let path = Path::draw(&shock, 0, 40_000, 2, &Streams::new(7));
            let product = |a, b| {
                (0..40_000)
                    .map(|hour| path.at(hour, Some(a)) * path.at(hour, Some(b)))
                    .sum::<f64>()
            };
            let found = product(0, 1) / (product(0, 0) * product(1, 1)).sqrt();
            assert!((found - correlation).abs() < 0.03, "{correlation}: {found}");
        }
    }
}
