use super::averaging::{Alternative, averaged};
use super::moved::Moves;
use super::regression::{Fit, Regression, posterior};
use super::result::{LEAST_AFTER, LEAST_BEFORE};
use super::window::Window;
use super::{ControlUse, Method, Novelty, Posterior, Question, Unmeasurable, controls, novelty};
use crate::seasonal::seasonal;

/// Seasons of up to so many steps are fitted with the effect; longer ones are taken out before.
const SHORT: usize = 12;

/// How likely it is, beforehand, that an effect is not the same throughout, and that the series has a trend, in relation to
/// neither; and by how much the thirds then differ, or the ends, in standard deviations of a step. Beside controls a trend of
/// the series alone is not looked for.
const VARIES: (f64, f64) = (1.0, 2.0);
const TREND: (f64, f64) = (0.02, 2.0);

/// A question made ready: the window cut, seasons known, controls chosen.
pub(super) struct Prepared<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) window: Window,
    /// Controls used, by their place in the question, and without season.
    pub(super) used: Vec<usize>,
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) uses: Vec<ControlUse>,
    pub(super) synthetic: bool,
    /// The season found, and the short one that is fitted, found or not.
    pub(super) season: Option<usize>,
    pub(super) fitted: Option<usize>,
}

/// What the fits say.
pub(super) struct Measured {
    pub(super) method: Method,
    pub(super) fits: Vec<Fit>,
    pub(super) known: Posterior,
    pub(super) moves: Option<Moves>,
    pub(super) novelty: Option<Novelty>,
    /// Probability that the series had a trend.
    pub(super) trend: f64,
    /// Number of coefficients, and where the controls start.
    pub(super) columns: usize,
    pub(super) first: usize,
}

/// Where the effect stands among the coefficients; the level is first.
pub(super) const EFFECT: usize = 1;

impl<'a> Prepared<'a> {
    pub(super) fn of(question: &'a Question<'a>) -> Self {
        let change = question.change.min(question.values.len());
        let seen = question.seasons.iter().filter(|period| 3 * **period <= change);
        let mut window = Window::of(question, seen.max().copied());
        let seasons = seasonal(&window.values[window.range.start..change], question.seasons).periods;
        let season = seasons.last().copied();
        let (short, long): (Vec<usize>, Vec<usize>) =
            seasons.into_iter().partition(|period| *period <= SHORT);
        let without = |values: &[f64]| -> Vec<f64> {
            if long.is_empty() {
                return values.to_vec();
            }
            let range = window.range.clone();
            let mut adjusted = vec![f64::NAN; values.len()];
            adjusted[range.clone()].copy_from_slice(&seasonal(&values[range], &long).adjusted);
            adjusted
        };
        // A season that is not found is fitted all the same: whole seasons cost the effect nothing, and one that is there and
        // not fitted is taken for noise.
        let likely = question
            .seasons
            .iter()
            .rfind(|period| **period <= SHORT && 3 * **period <= change);
        let fitted = short.last().or(likely).copied();
        let chosen = controls::choose(&window, question.controls);
        let columns: Vec<Vec<f64>> = chosen
            .used
            .iter()
            .map(|at| without(question.controls[*at].values))
            .collect();
        let values = without(&window.values);
        window.values = values;
        let columns: Vec<Vec<f64>> = columns
            .iter()
            .map(|column| without_cycle(&window, column, fitted))
            .collect();
        Self {
            question,
            window,
            used: chosen.used,
            columns,
            uses: chosen.uses,
            synthetic: chosen.synthetic,
            season,
            fitted,
        }
    }

    /// What explains the series when the change is at this step.
    pub(super) fn explaining(&self, change: usize) -> (Vec<Vec<f64>>, usize) {
        let length = self.window.values.len();
        let of = |value: &dyn Fn(usize) -> f64| (0..length).map(value).collect::<Vec<f64>>();
        let mut columns = vec![of(&|_| 1.0), of(&|step| f64::from(u8::from(step >= change)))];
        if let Some(period) = self.fitted {
            // Around zero, the last step of the cycle being what the others leave.
            columns.extend((0..period - 1).map(|phase| {
                of(&|step| match step % period {
                    at if at == phase => 1.0,
                    at if at == period - 1 => -1.0,
                    _ => 0.0,
                })
            }));
        }
        let first = columns.len();
        columns.extend(self.columns.iter().cloned());
        (columns, first)
    }

    pub(super) fn measure(&self) -> Result<Measured, Unmeasurable> {
        if self.window.before < LEAST_BEFORE {
            return Err(Unmeasurable::Before(self.window.before));
        }
        if self.window.after < LEAST_AFTER {
            return Err(Unmeasurable::After(self.window.after));
        }
        let (columns, first) = self.explaining(self.window.change);
        let count = columns.len();
        let regression = Regression {
            values: &self.window.values,
            columns,
            samples: self.question.samples,
            scales: self.question.scales,
        };
        let plain = regression.fits().ok_or(Unmeasurable::Noise)?;
        let varying = novelty::fits(self).unwrap_or_default();
        let novelty = novelty::find(&varying, posterior(&plain, &unit(EFFECT, count)).mean());
        let trending = self.used.is_empty().then(|| self.trending()).flatten();
        let alternative = |fits, (prior, size)| Alternative { fits, prior, size };
        let others = [
            alternative(varying, VARIES),
            alternative(trending.unwrap_or_default(), TREND),
        ];
        let (fits, [_, trend]) = averaged(plain, others);
        let series = without_cycle(&self.window, &self.window.values, self.fitted);
        let controls: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        let moves = if controls.is_empty() {
            None
        } else {
            Moves::of(&self.window, &series, &controls)
        };
        let known = if let Some(moves) = &moves {
            moves.posterior(&fits, EFFECT, first, count)
        } else {
            posterior(&fits, &unit(EFFECT, count))
        };
        let method = match (controls.is_empty(), self.synthetic) {
            (true, _) => Method::SeasonalLevel,
            (false, true) => Method::SyntheticControl,
            (false, false) => Method::ControlRegression,
        };
        Ok(Measured {
            method,
            fits,
            known,
            moves,
            novelty,
            trend,
            columns: count,
            first,
        })
    }
}

impl Prepared<'_> {
    /// Fits in which the series rises or falls all the time: by how much from end to end is the coefficient of a column put
    /// last.
    fn trending(&self) -> Option<Vec<Fit>> {
        let (mut columns, _) = self.explaining(self.window.change);
        let (start, length) = (self.window.range.start as f64, self.window.range.len() as f64);
        let steps = 0..self.window.values.len();
        columns.push(steps.map(|step| (step as f64 - start) / length).collect());
        Regression {
            values: &self.window.values,
            columns,
            samples: self.question.samples,
            scales: self.question.scales,
        }
        .fits()
    }

    /// The controls with what they counted for.
    pub(super) fn uses(&self, measured: &Measured) -> Vec<ControlUse> {
        let mut uses = self.uses.clone();
        for (column, at) in self.used.iter().enumerate() {
            let weights = unit(measured.first + column, measured.columns);
            uses[*at].weight = Some(posterior(&measured.fits, &weights).mean());
            uses[*at].moved_alone = measured.moves.as_ref().map(|moves| moves.wrong(column));
        }
        uses
    }
}

/// 1 at one place, 0 at the others.
pub(super) fn unit(at: usize, count: usize) -> Vec<f64> {
    (0..count).map(|place| f64::from(u8::from(place == at))).collect()
}

/// A column less the mean cycle that it has around the level of each side.
fn without_cycle(window: &Window, column: &[f64], period: Option<usize>) -> Vec<f64> {
    let Some(period) = period else {
        return column.to_vec();
    };
    let means = [false, true].map(|after| window.mean(column, after));
    let mut sums = vec![(0.0, 0.0); period];
    for step in window.used().filter(|step| column[*step].is_finite()) {
        let sum = &mut sums[step % period];
        sum.0 += column[step] - means[usize::from(step >= window.change)];
        sum.1 += 1.0;
    }
    let cycle: Vec<f64> = sums
        .iter()
        .map(|(sum, count)| sum / f64::max(*count, 1.0))
        .collect();
    column
        .iter()
        .enumerate()
        .map(|(step, value)| value - cycle[step % period])
        .collect()
}
