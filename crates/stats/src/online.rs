use std::collections::VecDeque;

use crate::anomalies::{Anomaly, FAR, MATTERS, bulk, heaviness};
use crate::change_points::{ChangePoint, noise};
use crate::focus::Focus;
use crate::noise::Noise;
use crate::robust;
use crate::seasonal::seasonal;

/// What was found in a series looked at one value after the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Online {
    /// Changes of level, at the step at which they were told; effect and interval as known then.
    pub change_points: Vec<ChangePoint>,
    /// Anomalies, at the first step that was far.
    pub anomalies: Vec<Anomaly>,
}

/// Twice the log likelihood ratio that tells a change. With it one is told of a stable series of hours at most .014 times a week
/// (`kaizen-score --tune --rows 7`).
const TOLD: f64 = 23.0;

/// Values before the first judgement.
const WARM_UP: usize = 48;

/// Whitened values are pulled in to this: a single outlier is an anomaly and no change.
const PULLED: f64 = 3.0;

/// Looks at a series with only the past at each step: changes of level by FOCuS on the whitened series, anomalies by the
/// distance to the last values. Seasons, noise and scatter are learnt anew from the past each time it has grown by a
/// quarter. `candidates` are lengths that a season may have; `day` is how many steps one anomaly lasts at least.
///
/// G. Romano et al., J. Machine Learning Research 24 (2023); whitening: the loss is Lorden's bound for the long-run
/// variance, G. Lorden, "Procedures for Reacting to a Change in Distribution", Ann. Math. Statist. 42 (1971).
pub fn online(values: &[f64], candidates: &[usize], day: usize) -> Online {
    let mut found = Online::default();
    let mut start = 0;
    let mut watch: Option<Watch> = None;
    let mut learn_at = WARM_UP;
    let mut quiet_until = 0;
    // Until a day has been seen three times, its course looks like changes.
    let mut told_from = if candidates.contains(&day) { 3 * day } else { 0 };
    for (step, value) in values.iter().enumerate() {
        if step >= learn_at {
            let model = Model::learn(&values[..step], start, candidates);
            learn_at = step + (step / 4).max(24);
            if let Some(model) = model {
                watch = Some(Watch::over(model, values, start, step));
            }
        }
        let Some(watch) = &mut watch else { continue };
        if !value.is_finite() {
            watch.gap();
            continue;
        }
        if let Some(anomaly) = watch.anomaly(step, *value) {
            if step >= quiet_until {
                found.anomalies.push(anomaly);
            }
            quiet_until = step + day + 1;
        }
        if let Some((onset, change)) = watch.change(step, *value).filter(|_| step >= told_from) {
            // One a day: what goes on changing is told again then.
            told_from = step + day.max(FEWEST_APART);
            found.change_points.push(change);
            start = onset;
            // The new level is learnt from where it began.
            watch.restart(values, start, step + 1);
        }
    }
    found
}

/// What is known of a series from its past.
struct Model {
    /// One cycle of each season, with its length.
    seasons: Vec<f64>,
    /// Step that the seasons begin at; they repeat from there.
    repeats: usize,
    cycle: usize,
    noise: Noise,
    /// Standard deviation of the bulk around the last values.
    deviation: f64,
    /// Least distance that matters.
    matters: f64,
}

impl Model {
    /// `None` while nothing scatters.
    fn learn(past: &[f64], start: usize, candidates: &[usize]) -> Option<Model> {
        let found = seasonal(past, candidates);
        let cycle = found.periods.last().copied().unwrap_or(1);
        let repeats = past.len().saturating_sub(cycle);
        let seasons = found.season[repeats..].to_vec();
        // The level that runs now, if it has run for long enough.
        let since = if past.len() - start >= 4 * WARM_UP {
            start
        } else {
            0
        };
        let noise = noise(&found.adjusted[since..]);
        let level = last_medians(&found.adjusted);
        let rest: Vec<f64> = found
            .adjusted
            .iter()
            .zip(&level)
            .map(|(value, level)| value - level)
            .collect();
        let present = robust::present(past);
        let range = robust::quantile(&present, 0.99) - robust::quantile(&present, 0.01);
        let rest = robust::present(&rest);
        let deviation = bulk(&rest) * heaviness(&rest);
        (noise.variance > 0.0 || deviation > 0.0).then_some(Model {
            seasons,
            repeats,
            cycle,
            noise,
            deviation,
            matters: MATTERS * range,
        })
    }

    fn season(&self, step: usize) -> f64 {
        if step >= self.repeats {
            return self.seasons[(step - self.repeats) % self.cycle];
        }
        let back = (self.repeats - step) % self.cycle;
        self.seasons[(self.cycle - back) % self.cycle]
    }
}

/// Steps between two changes told, where a day has fewer.
const FEWEST_APART: usize = 12;

/// How many of the last values make the level that an anomaly is far from.
const LAST: usize = 25;

/// The median of the values before each.
fn last_medians(values: &[f64]) -> Vec<f64> {
    let centred = robust::running_median(values, LAST / 2);
    let shift = LAST / 2 + 1;
    (0..values.len())
        .map(|step| {
            if step < shift {
                f64::NAN
            } else {
                centred[step - shift]
            }
        })
        .collect()
}

/// Scatter of the last values that is no chance any more.
const PLAINLY: f64 = 1.6;

/// The state of looking.
struct Watch {
    model: Model,
    focus: Focus,
    /// First step that the focus has seen, and the steps it saw.
    seen: Vec<usize>,
    rest: Vec<f64>,
    last: Option<f64>,
    level: f64,
    recent: VecDeque<f64>,
    /// The last whitened values.
    whites: VecDeque<f64>,
}

impl Watch {
    /// Looks again at what there is from `start` up to `step`, without telling anything.
    fn over(model: Model, values: &[f64], start: usize, step: usize) -> Watch {
        let mut watch = Watch {
            model,
            focus: Focus::new(),
            seen: Vec::new(),
            rest: Vec::new(),
            last: None,
            level: 0.0,
            recent: VecDeque::new(),
            whites: VecDeque::new(),
        };
        watch.restart(values, start, step);
        watch
    }

    fn restart(&mut self, values: &[f64], start: usize, step: usize) {
        self.focus = Focus::new();
        self.seen.clear();
        self.rest.clear();
        self.last = None;
        self.recent.clear();
        self.whites.clear();
        let past: Vec<f64> = (start..step)
            .map(|step| values[step] - self.model.season(step))
            .collect();
        self.level = robust::median(&robust::present(&past));
        for (step, value) in values.iter().enumerate().take(step).skip(start) {
            if value.is_finite() {
                self.remember(value - self.model.season(step));
                self.look(step, *value);
            } else {
                self.gap();
            }
        }
    }

    fn gap(&mut self) {
        self.last = None;
    }

    fn remember(&mut self, rest: f64) {
        self.recent.push_back(rest);
        if self.recent.len() > LAST {
            self.recent.pop_front();
        }
    }

    /// The value as a distance from the last ones, if that is large.
    fn anomaly(&mut self, step: usize, value: f64) -> Option<Anomaly> {
        let rest = value - self.model.season(step);
        let recent: Vec<f64> = self.recent.iter().copied().collect();
        self.remember(rest);
        if recent.len() < LAST / 2 {
            return None;
        }
        let centre = robust::median(&recent);
        let deviation = self.model.deviation.max(robust::scale(&recent, centre));
        let distance = (rest - centre).abs();
        let score = if deviation > 0.0 {
            (distance / deviation).min(1e6)
        } else {
            0.0
        };
        (score > FAR && distance > self.model.matters).then_some(Anomaly {
            index: step,
            score,
            high: rest > centre,
        })
    }

    /// The step that the most likely change began at, and the change, if it is told.
    fn change(&mut self, step: usize, value: f64) -> Option<(usize, ChangePoint)> {
        let likely = self.look(step, value)?;
        if likely.statistic < TOLD {
            return None;
        }
        let before = &self.rest[..likely.before];
        let after = &self.rest[likely.before..];
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let effect = mean(after) - mean(before);
        let variance = self.model.noise.long_run() * (1.0 / before.len() as f64 + 1.0 / after.len() as f64);
        let reach = 1.96 * variance.sqrt();
        let change = ChangePoint {
            index: step,
            effect,
            interval: (effect - reach, effect + reach),
        };
        Some((self.seen[likely.before], change))
    }

    /// How much wilder than learnt the last values scatter, at least 1: told by their differences, which a new level does not
    /// enlarge.
    fn wilder(&mut self, white: f64) -> f64 {
        self.whites.push_back(white);
        if self.whites.len() > 2 * LAST {
            self.whites.pop_front();
        }
        if self.whites.len() < LAST {
            return 1.0;
        }
        let steps: Vec<f64> = self
            .whites
            .iter()
            .zip(self.whites.iter().skip(1))
            .map(|(a, b)| b - a)
            .collect();
        let scatter = robust::scale(&steps, 0.0) / std::f64::consts::SQRT_2;
        if scatter > PLAINLY { scatter } else { 1.0 }
    }

    fn look(&mut self, step: usize, value: f64) -> Option<crate::focus::Likely> {
        let Noise {
            variance,
            phi,
            inflation,
        } = self.model.noise;
        if variance <= 0.0 {
            return None;
        }
        let rest = value - self.model.season(step);
        let away = rest - self.level;
        // The coefficient is estimated: what it may be higher, the values count less.
        let less = (inflation * (1.0 - phi) / (1.0 + phi)).max(1.0).sqrt();
        let innovation = less * (variance * (1.0 - phi * phi)).sqrt();
        let white = match self.last {
            Some(last) => (away - phi * last) / innovation,
            // After a gap the value stands for itself, as the whitened ones do for the level.
            None => away * (1.0 - phi) / innovation,
        };
        let wild = self.wilder(white);
        let pulled = (white / wild).clamp(-PULLED, PULLED);
        // What is pulled in must not come back with the opposite sign from the next value.
        let kept = away + (pulled * wild - white) * innovation;
        self.last = Some(kept);
        self.seen.push(step);
        self.rest.push(rest);
        Some(self.focus.take(pulled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ar1;

    #[test]
    fn only_the_past_counts() {
        let mut values = ar1(1, 900, 0.5);
        values[600..].iter_mut().for_each(|value| *value += 2.0);
        values[400] += 15.0;
        let whole = online(&values, &[24], 24);
        let part = online(&values[..700], &[24], 24);
        let before = |found: &Online| -> Vec<usize> {
            found
                .change_points
                .iter()
                .map(|change| change.index)
                .filter(|index| *index < 700)
                .collect()
        };
        assert_eq!(before(&whole), before(&part));
        assert_eq!(
            whole
                .anomalies
                .iter()
                .map(|anomaly| anomaly.index)
                .filter(|index| *index < 590)
                .collect::<Vec<_>>(),
            [400]
        );
        let told = whole.change_points.first().unwrap();
        assert!((600..640).contains(&told.index) && told.effect > 1.0, "{told:?}");
    }

    #[test]
    fn a_series_without_a_change_is_quiet() {
        for phi in [0.0, 0.5, 0.8] {
            let told: usize = (0..40)
                .map(|seed| online(&ar1(seed, 1344, phi), &[24, 168], 24).change_points.len())
                .sum();
            // 320 weeks at 0.02 a week, and chance.
            assert!(told <= 14, "{told} at {phi}");
        }
    }
}
