use std::ops::Range;

use super::Arms;

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
    /// How much each value scatters in relation to the others, above 0: a share of 0.5 scatters more than one of 0.95. Where
    /// it is not given, all alike.
    pub scales: Option<&'a [f64]>,
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
