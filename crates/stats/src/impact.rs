//! The effect of a change at a known time on a series, by a ladder of methods: the best that the data allow is used, and the
//! result tells why the others were not.

mod controls;
mod moved;
mod novelty;
mod placebo;
mod posterior;
mod regression;
mod window;

use std::ops::Range;

use crate::any_look::any_look_bound;
use crate::autocorrelation::effective_n;
use crate::seasonal::seasonal;
use crate::trend::trend;
use moved::Moves;
pub use novelty::Novelty;
pub use placebo::Placebo;
pub use posterior::Posterior;
use regression::{Fit, Regression, posterior};
use window::Window;

/// A series that the change did not touch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control<'a> {
    /// What it is called in the result.
    pub name: &'a str,
    /// A value for each step of the series; NaN is missing.
    pub values: &'a [f64],
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question<'a> {
    /// The series on even steps; NaN is missing.
    pub values: &'a [f64],
    /// First step after the change.
    pub change: usize,
    /// How many decisions each value rests on, where that is known.
    pub samples: Option<&'a [f64]>,
    /// Comparable series that the change did not touch.
    pub controls: &'a [Control<'a>],
    /// Lengths in steps, rising, of the seasons that the series may have.
    pub seasons: &'a [usize],
    /// Steps before the change that are no baseline: those that made someone think of the change.
    pub excluded: &'a [Range<usize>],
    /// Whether a rise is an improvement.
    pub higher_is_better: bool,
    /// Steps after the change for which the measurement is planned, 1 or more: until then it may be looked at after every
    /// step at the price of looking once at the end; it may be later too, at a higher price.
    pub horizon: usize,
}

/// A method of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The series less what up to four controls tell of it.
    ControlRegression,
    /// The series less what a mixture of controls, chosen among more, tells of it.
    SyntheticControl,
    /// The level after against the level before, seasons out.
    SeasonalLevel,
}

impl Method {
    /// Its name in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ControlRegression => "control_regression",
            Self::SyntheticControl => "synthetic_control",
            Self::SeasonalLevel => "seasonal_level",
        }
    }
}

/// What is said of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It made things better, with 95 % certainty however often it was looked at.
    Improved,
    /// An effect of the detectable size would probably have been seen, and none was.
    NoDetectableChange,
    /// It made things worse, as certainly.
    Worse,
    /// There is too little data, or an effect seen once that does not bear looking at daily.
    CannotTell,
}

impl Verdict {
    /// Its name in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::NoDetectableChange => "no_detectable_change",
            Self::Worse => "worse",
            Self::CannotTell => "cannot_tell",
        }
    }
}

/// How a control was used.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlUse {
    /// Its name.
    pub name: String,
    /// Why it was not.
    pub refused: Option<&'static str>,
    /// What the series does when the control rises by 1.
    pub weight: Option<f64>,
    /// Probability that something happened to it alone at the time of the change; as likely it is left out.
    pub moved_alone: Option<f64>,
}

/// The effect of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Impact {
    /// How it was measured.
    pub method: Method,
    /// Mean of the values after less what they would have been.
    pub effect: f64,
    /// 95 % interval of one look.
    pub interval: (f64, f64),
    /// Interval that holds the effect with 95 % at all looks together.
    pub interval_at_any_look: (f64, f64),
    /// Probability that the effect is above zero; whether that is better is another matter.
    pub p_positive: f64,
    /// What is said of it.
    pub verdict: Verdict,
    /// The smallest effect that is called with a probability of 80 %.
    pub detectable: f64,
    /// Mean of the values used before the change.
    pub before: f64,
    /// Mean of the values used after it.
    pub after: f64,
    /// Values used before and after.
    pub steps: (usize, usize),
    /// Values left out as being far from all others.
    pub far: usize,
    /// How alike neighbours are.
    pub phi: f64,
    /// Length of the season that was taken out, in steps.
    pub season: Option<usize>,
    /// Whether the series had a trend before the change, which was continued.
    pub drift: bool,
    /// The controls, in the order given.
    pub controls: Vec<ControlUse>,
    /// Probability that something happened to all controls, and so to the series, at the time of the change.
    pub shock: Option<f64>,
    /// What is known of the effect.
    pub posterior: Posterior,
    /// The same at times when nothing was changed.
    pub placebo: Placebo,
    /// Whether the effect fades.
    pub novelty: Option<Novelty>,
}

/// Values that are needed before and after.
const LEAST_BEFORE: usize = 14;
const LEAST_AFTER: usize = 2;

/// Half a 95 % interval, and how far a quantile of 80 % is, in standard errors.
const Z95: f64 = 1.959_963_984_540_054;
const Z80: f64 = 0.841_621_233_572_914;

/// Seasons of up to so many steps are fitted with the effect; longer ones are taken out before.
const SHORT: usize = 12;

/// The p-value below which a series without controls is taken to have a trend before the change.
const DRIFT: f64 = 0.01;

/// Measures the effect of a change. `None` with fewer than 14 values before or 2 after, or where nothing varies.
///
/// The series is explained by a step at the change, its season, and the controls, with noise of which neighbours are alike:
/// the coefficients by generalised least squares, their uncertainty by Student's t over all likenesses that the data allow,
/// each as probable as they make it. This is the difference in differences of D. Card and A. B. Krueger, "Minimum Wages and
/// Employment", Am. Econ. Rev. 84 (1994), with weights for the controls as in A. Abadie, A. Diamond and J. Hainmueller,
/// "Synthetic Control Methods for Comparative Case Studies", J. Am. Statist. Ass. 105 (2010), and the errors that M. Bertrand,
/// E. Duflo and S. Mullainathan, "How Much Should We Trust Differences-in-Differences Estimates?", Q. J. Econ. 119 (2004),
/// found missing.
pub fn impact(question: &Question<'_>) -> Option<Impact> {
    let prepared = Prepared::of(question);
    let measured = prepared.measure()?;
    let window = &prepared.window;
    let phi = measured.fits.iter().map(|fit| fit.weight * fit.phi).sum();
    let known = &measured.known;
    let information = |after: usize| 1.0 / (1.0 / effective_n(window.before, phi) + 1.0 / effective_n(after, phi));
    let bound = any_look_bound(information(window.after) / information(question.horizon.max(1)));
    let interval = known.interval(Z95);
    let interval_at_any_look = known.interval(bound.min(WIDEST));
    let p_positive = 1.0 - known.below(0.0);
    let error = (interval.1 - interval.0) / (2.0 * Z95);
    let mut uses = measured.uses;
    for (column, at) in prepared.used.iter().enumerate() {
        let mut weights = vec![0.0; measured.columns];
        weights[measured.first + column] = 1.0;
        uses[*at].weight = Some(posterior(&measured.fits, &weights).mean());
        uses[*at].moved_alone = measured.moves.as_ref().map(|moves| moves.wrong(column));
    }
    Some(Impact {
        method: measured.method,
        effect: known.mean(),
        interval,
        interval_at_any_look,
        p_positive,
        verdict: verdict(interval, interval_at_any_look, question.higher_is_better),
        detectable: error * (bound.min(WIDEST) + Z80),
        before: window.mean(&window.values, false),
        after: window.mean(&window.values, true),
        steps: (window.before, window.after),
        far: window.far,
        phi,
        season: prepared.season,
        drift: prepared.drift,
        controls: uses,
        shock: measured.moves.as_ref().map(Moves::shock),
        placebo: placebo::run(&prepared, &measured.fits),
        novelty: novelty::find(&prepared, known.mean()),
        posterior: measured.known,
    })
}

/// Bounds wider than this are not worth telling apart, and no digits are left for them.
const WIDEST: f64 = 8.0;

fn verdict(once: (f64, f64), at_any_look: (f64, f64), higher_is_better: bool) -> Verdict {
    let beyond = |interval: (f64, f64)| (interval.0 > 0.0).then_some(true).or((interval.1 < 0.0).then_some(false));
    match (beyond(at_any_look), beyond(once)) {
        (Some(rise), _) if rise == higher_is_better => Verdict::Improved,
        (Some(_), _) => Verdict::Worse,
        (None, None) => Verdict::NoDetectableChange,
        (None, Some(_)) => Verdict::CannotTell,
    }
}

/// A question made ready: the window cut, seasons known, controls chosen.
struct Prepared<'a> {
    question: &'a Question<'a>,
    window: Window,
    /// Controls used, by their place in the question, and without season.
    used: Vec<usize>,
    columns: Vec<Vec<f64>>,
    uses: Vec<ControlUse>,
    synthetic: bool,
    /// The season found, and the one of these that is fitted.
    season: Option<usize>,
    fitted: Option<usize>,
    drift: bool,
}

/// What the fits say.
struct Measured {
    method: Method,
    fits: Vec<Fit>,
    known: Posterior,
    moves: Option<Moves>,
    uses: Vec<ControlUse>,
    /// Number of coefficients, and where the controls start.
    columns: usize,
    first: usize,
}

/// Where the effect stands among the coefficients; the level is first.
const EFFECT: usize = 1;

impl<'a> Prepared<'a> {
    fn of(question: &'a Question<'a>) -> Self {
        let change = question.change.min(question.values.len());
        let seen = question.seasons.iter().filter(|period| 3 * **period <= change);
        let mut window = Window::of(question, seen.max().copied());
        let seasons = seasonal(&window.values[window.range.start..change], question.seasons).periods;
        let season = seasons.last().copied();
        let (short, long): (Vec<usize>, Vec<usize>) = seasons.into_iter().partition(|period| *period <= SHORT);
        let without = |values: &[f64]| -> Vec<f64> {
            if long.is_empty() {
                return values.to_vec();
            }
            let range = window.range.clone();
            let mut adjusted = vec![f64::NAN; values.len()];
            adjusted[range.clone()].copy_from_slice(&seasonal(&values[range], &long).adjusted);
            adjusted
        };
        let fitted = short.last().copied();
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
        let mut prepared = Self {
            question,
            window,
            used: chosen.used,
            columns,
            uses: chosen.uses,
            synthetic: chosen.synthetic,
            season,
            fitted,
            drift: false,
        };
        prepared.drift = prepared.used.is_empty() && prepared.drifts();
        prepared
    }

    /// Whether the series without its cycle has a trend before the change.
    fn drifts(&self) -> bool {
        let values = without_cycle(&self.window, &self.window.values, self.fitted);
        trend(&values[self.window.range.start..self.window.change]).is_some_and(|trend| trend.p_value < DRIFT)
    }

    /// What explains the series when the change is at this step.
    fn explaining(&self, change: usize) -> (Vec<Vec<f64>>, usize) {
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
        if self.drift {
            columns.push(of(&|step| (step as f64 - change as f64) / length as f64));
        }
        let first = columns.len();
        columns.extend(self.columns.iter().cloned());
        (columns, first)
    }

    fn measure(&self) -> Option<Measured> {
        if self.window.before < LEAST_BEFORE || self.window.after < LEAST_AFTER {
            return None;
        }
        let (columns, first) = self.explaining(self.window.change);
        let count = columns.len();
        let regression = Regression {
            values: &self.window.values,
            columns,
            samples: self.question.samples,
        };
        let fits = regression.fits()?;
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
        Some(Measured {
            method,
            fits,
            known,
            moves,
            uses: self.uses.clone(),
            columns: count,
            first,
        })
    }
}

/// 1 at one place, 0 at the others.
fn unit(at: usize, count: usize) -> Vec<f64> {
    (0..count).map(|place| f64::from(u8::from(place == at))).collect()
}

/// A column less the mean cycle that it has around the level of each side.
fn without_cycle(window: &Window, column: &[f64], period: Option<usize>) -> Vec<f64> {
    let Some(period) = period else { return column.to_vec() };
    let means = [false, true].map(|after| window.mean(column, after));
    let mut sums = vec![(0.0, 0.0); period];
    for step in window.used().filter(|step| column[*step].is_finite()) {
        let sum = &mut sums[step % period];
        sum.0 += column[step] - means[usize::from(step >= window.change)];
        sum.1 += 1.0;
    }
    let cycle: Vec<f64> = sums.iter().map(|(sum, count)| sum / f64::max(*count, 1.0)).collect();
    column
        .iter()
        .enumerate()
        .map(|(step, value)| value - cycle[step % period])
        .collect()
}
