//! The effect of a change at a known time on a series, by a ladder of methods: the best that the data allow is used, and the
//! result tells why the others were not.

mod controls;
mod moved;
mod novelty;
mod over_time;
mod placebo;
mod posterior;
mod randomised;
mod regression;
mod window;

use std::ops::Range;

use crate::any_look::any_look_bound;
use crate::autocorrelation::effective_n;
use crate::seasonal::seasonal;
use crate::trend::trend;
use moved::Moves;
pub use novelty::Novelty;
pub use over_time::{Observed, impact_over_time};
pub use placebo::Placebo;
pub use posterior::Posterior;
pub use randomised::{Arm, Arms, Covariate};
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
    /// Where chance said which decisions the change applied to.
    pub arms: Option<&'a Arms>,
}

/// A method of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Decisions with the change against decisions without it, as chance dealt them.
    Randomised,
    /// The same less what a number known before the change tells.
    RandomisedWithCovariate,
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
            Self::Randomised => "randomised_welch",
            Self::RandomisedWithCovariate => "randomised_cuped",
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

/// A rung of the ladder, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// `randomised`, `controls` or `seasonal`.
    pub name: &'static str,
    /// Why it was not used; `None` for the one that was.
    pub refused: Option<&'static str>,
}

/// How much a measurement is to be trusted, 0..=1, and what that is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// The product of the others.
    pub value: f64,
    /// What the method can be trusted with at most: 1 randomised, 0.9 with controls, 0.7 without. Without either, whatever
    /// else happened at the time of the change looks like its effect.
    pub method: f64,
    /// What is known of what will be known at the horizon.
    pub information: f64,
    /// Share of the steps looked at that have a value.
    pub present: f64,
    /// 1 less the share of placebos that had as large an effect, for an effect that is called; else 1.
    pub placebo: f64,
}

/// The effect of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Impact {
    /// How it was measured.
    pub method: Method,
    /// The ladder down to the method used.
    pub rungs: Vec<Rung>,
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
    /// The smallest effect that is called at this look with a probability of 80 %.
    pub detectable: f64,
    /// How much all this is to be trusted.
    pub confidence: Confidence,
    /// Mean of the values used before the change, or without it.
    pub before: f64,
    /// Mean of the values used after it, or with it.
    pub after: f64,
    /// Values used before and after, or without and with it.
    pub values: (usize, usize),
    /// What is known of the effect.
    pub posterior: Posterior,
    /// What the series told; `None` where chance dealt the change.
    pub series: Option<SeriesFindings>,
}

/// What a series told besides the effect.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFindings {
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
    /// The same at times when nothing was changed.
    pub placebo: Placebo,
    /// Whether the effect fades.
    pub novelty: Option<Novelty>,
}

/// Why no effect can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmeasurable {
    /// The baseline is too short.
    #[error("there are {0} values before the change; {LEAST_BEFORE} are needed")]
    Before(usize),
    /// It is too early.
    #[error("there are {0} values after the change; {LEAST_AFTER} are needed")]
    After(usize),
    /// The values do not vary, or there are as many things to fit as values.
    #[error("the values do not vary, or there are too few of them for their season and controls")]
    Noise,
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

/// What a method can be trusted with at most.
const TRUST_CONTROLS: f64 = 0.9;
const TRUST_SEASONAL: f64 = 0.7;

/// With a smaller share of the planned information, nothing having been seen says nothing.
const EARLY: f64 = 0.25;

/// Measures the effect of a change.
///
/// The series is explained by a step at the change, its season, and the controls, with noise of which neighbours are alike:
/// the coefficients by generalised least squares, their uncertainty by Student's t over all likenesses that the data allow,
/// each as probable as they make it. This is the difference in differences of D. Card and A. B. Krueger, "Minimum Wages and
/// Employment", Am. Econ. Rev. 84 (1994), with weights for the controls as in A. Abadie, A. Diamond and J. Hainmueller,
/// "Synthetic Control Methods for Comparative Case Studies", J. Am. Statist. Ass. 105 (2010), and the errors that M. Bertrand,
/// E. Duflo and S. Mullainathan, "How Much Should We Trust Differences-in-Differences Estimates?", Q. J. Econ. 119 (2004),
/// found missing.
///
/// # Errors
/// With fewer than 14 values before the change or 2 after it, or where nothing varies, there is no effect to be told.
pub fn impact(question: &Question<'_>) -> Result<Impact, Unmeasurable> {
    let mut rungs = Vec::new();
    let mut rung = |name, refused| rungs.push(Rung { name, refused });
    match question.arms.map(|arms| (arms, randomised::compare(arms))) {
        Some((arms, Some((with_covariate, known)))) => {
            rung("randomised", None);
            return Ok(of_arms(question, arms, with_covariate, known, rungs));
        }
        Some((_, None)) => rung("randomised", Some("an arm has fewer than two values, or nothing varies")),
        None => rung("randomised", Some("chance did not say which decisions the change applies to")),
    }
    let prepared = Prepared::of(question);
    if prepared.used.is_empty() {
        rung(
            "controls",
            Some(match question.controls {
                [] => "there are no series that the change did not touch",
                _ => "no control can be used",
            }),
        );
        rung("seasonal", None);
    } else {
        rung("controls", None);
    }
    let measured = prepared.measure()?;
    Ok(of_series(&prepared, measured, rungs))
}

fn of_arms(question: &Question<'_>, arms: &Arms, with_covariate: bool, known: Posterior, rungs: Vec<Rung>) -> Impact {
    let values = arms.without.outcome.count + arms.with.outcome.count;
    let information = values / arms.planned.max(1.0);
    let said = Said::of(&known, information, question.higher_is_better);
    Impact {
        method: if with_covariate {
            Method::RandomisedWithCovariate
        } else {
            Method::Randomised
        },
        rungs,
        effect: known.mean(),
        interval: said.interval,
        interval_at_any_look: said.interval_at_any_look,
        p_positive: 1.0 - known.below(0.0),
        verdict: said.verdict,
        detectable: said.detectable,
        confidence: Confidence::of(1.0, information, 1.0, 1.0),
        before: arms.without.outcome.mean(),
        after: arms.with.outcome.mean(),
        values: (arms.without.outcome.count as usize, arms.with.outcome.count as usize),
        posterior: known,
        series: None,
    }
}

fn of_series(prepared: &Prepared<'_>, measured: Measured, rungs: Vec<Rung>) -> Impact {
    let (window, question, known) = (&prepared.window, prepared.question, &measured.known);
    let phi: f64 = measured.fits.iter().map(|fit| fit.weight * fit.phi).sum();
    let at = |after: usize| {
        let [before, after] = [window.before, after].map(|n| effective_n(n, phi.max(0.0)));
        1.0 / (1.0 / before + 1.0 / after)
    };
    let information = at(window.after) / at(question.horizon.max(1));
    let said = Said::of(known, information, question.higher_is_better);
    let placebo = placebo::run(prepared, &measured.fits);
    let called = matches!(said.verdict, Verdict::Improved | Verdict::Worse);
    let trusted = placebo.share().filter(|_| called).map_or(1.0, |share| 1.0 - share);
    let present = (window.before + window.after) as f64 / window.range.len() as f64;
    let most = match measured.method {
        Method::SeasonalLevel => TRUST_SEASONAL,
        _ => TRUST_CONTROLS,
    };
    Impact {
        method: measured.method,
        rungs,
        effect: known.mean(),
        interval: said.interval,
        interval_at_any_look: said.interval_at_any_look,
        p_positive: 1.0 - known.below(0.0),
        verdict: said.verdict,
        detectable: said.detectable,
        confidence: Confidence::of(most, information, present, trusted),
        before: window.mean(&window.values, false),
        after: window.mean(&window.values, true),
        values: (window.before, window.after),
        series: Some(SeriesFindings {
            far: window.far,
            phi,
            season: prepared.season,
            drift: prepared.drift,
            controls: prepared.uses(&measured),
            shock: measured.moves.as_ref().map(Moves::shock),
            placebo,
            novelty: measured.novelty,
        }),
        posterior: measured.known,
    }
}

impl Confidence {
    fn of(method: f64, information: f64, present: f64, placebo: f64) -> Self {
        let information = information.min(1.0);
        Self {
            value: method * information * present * placebo,
            method,
            information,
            present,
            placebo,
        }
    }
}

/// Bounds wider than this are not worth telling apart, and no digits are left for them.
const WIDEST: f64 = 8.0;

/// What is said of what is known.
struct Said {
    interval: (f64, f64),
    interval_at_any_look: (f64, f64),
    verdict: Verdict,
    detectable: f64,
}

impl Said {
    fn of(known: &Posterior, information: f64, higher_is_better: bool) -> Self {
        let bound = any_look_bound(information).min(WIDEST);
        let (interval, interval_at_any_look) = (known.interval(Z95), known.interval(bound));
        let beyond = |interval: (f64, f64)| (interval.0 > 0.0).then_some(true).or((interval.1 < 0.0).then_some(false));
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
    novelty: Option<Novelty>,
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

    fn measure(&self) -> Result<Measured, Unmeasurable> {
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
        };
        let constant = regression.fits().ok_or(Unmeasurable::Noise)?;
        let varying = novelty::fits(self).unwrap_or_default();
        let novelty = novelty::find(&varying, posterior(&constant, &unit(EFFECT, count)).mean());
        let fits = novelty::averaged(constant, varying);
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
            columns: count,
            first,
        })
    }
}

impl Prepared<'_> {
    /// The controls with what they counted for.
    fn uses(&self, measured: &Measured) -> Vec<ControlUse> {
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
