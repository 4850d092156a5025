use super::{Novelty, Placebo, Posterior};

/// Values that are needed before and after.
pub(super) const LEAST_BEFORE: usize = 14;
pub(super) const LEAST_AFTER: usize = 2;

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
    /// Share of the steps looked at that have a value; those that are no baseline are not looked at.
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
    /// Probability that the series rose or fell all the time; as likely that is continued.
    pub trend: f64,
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
    /// The change came too soon after what it mends.
    #[error("there are {0} values between what the change mends and the change; {LEAST_AFTER} are needed")]
    Between(usize),
    /// The values do not vary, or there are as many things to fit as values.
    #[error("the values do not vary, or there are too few of them for their season and controls")]
    Noise,
}

impl Confidence {
    pub(super) fn of(method: f64, information: f64, present: f64, placebo: f64) -> Self {
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
