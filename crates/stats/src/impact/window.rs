use std::ops::Range;

use super::Question;
use crate::robust;

/// The steps that an impact is measured on: whole seasons, without what is left out.
pub(super) struct Window {
    /// The series; NaN on steps that are not used.
    pub(super) values: Vec<f64>,
    /// First step after the change.
    pub(super) change: usize,
    /// Values used before and after.
    pub(super) before: usize,
    pub(super) after: usize,
    /// Values left out as being far from all others.
    pub(super) far: usize,
    /// Steps of the range that are no baseline.
    pub(super) excluded: usize,
    /// First and last step used, the last exclusive.
    pub(super) range: Range<usize>,
}

/// A value this many standard deviations of the bulk from the middle is no value of the series.
const FAR: f64 = 6.0;

impl Window {
    /// Of a question: whole seasons of `period` on both sides where there are that many steps, without what is excluded.
    pub(super) fn of(question: &Question<'_>, period: Option<usize>) -> Self {
        let length = question.values.len();
        let change = question.change.min(length);
        let period = period.unwrap_or(1);
        let whole = |steps: usize| {
            if steps < period {
                steps
            } else {
                steps - steps % period
            }
        };
        let range = change - whole(change)..change + whole(length - change);
        let mut values = vec![f64::NAN; length];
        values[range.clone()].copy_from_slice(&question.values[range.clone()]);
        let mut is_excluded = vec![false; length];
        for excluded in question.excluded {
            let end = excluded.end.min(change);
            let excluded = excluded.start.min(end)..end;
            values[excluded.clone()].fill(f64::NAN);
            is_excluded[excluded].fill(true);
        }
        let excluded = is_excluded[range.clone()].iter().filter(|it| **it).count();
        values
            .iter_mut()
            .filter(|value| !value.is_finite())
            .for_each(|value| *value = f64::NAN);
        let far = leave_out_far(&mut values, change);
        let present = |side: &[f64]| side.iter().filter(|value| value.is_finite()).count();
        Self {
            before: present(&values[..change]),
            after: present(&values[change..]),
            values,
            change,
            far,
            excluded,
            range,
        }
    }

    /// Steps that have a value.
    pub(super) fn used(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.values.len()).filter(|step| self.values[*step].is_finite())
    }

    /// Mean of what a column has on the used steps of a side; NaN where there is nothing.
    pub(super) fn mean(&self, column: &[f64], after: bool) -> f64 {
        let side = self.used().filter(|step| (*step >= self.change) == after);
        let there = side.map(|step| column[step]).filter(|value| value.is_finite());
        let (sum, count) = there.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        sum / count
    }
}

/// Takes out what is far from the middle of its side, by the scatter of both sides together.
fn leave_out_far(values: &mut [f64], change: usize) -> usize {
    let middles = [&values[..change], &values[change..]].map(|side| robust::median(&robust::present(side)));
    let middle = |step: usize| middles[usize::from(step >= change)];
    let distances: Vec<f64> = (0..values.len())
        .filter(|step| values[*step].is_finite())
        .map(|step| values[step] - middle(step))
        .collect();
    let limit = FAR * robust::scale(&distances, 0.0);
    // Half of the values are the same: nothing is told of scatter.
    if limit.is_nan() || limit <= 0.0 {
        return 0;
    }
    let far: Vec<usize> = (0..values.len())
        .filter(|step| (values[*step] - middle(*step)).abs() > limit)
        .collect();
    far.iter().for_each(|step| values[*step] = f64::NAN);
    far.len()
}
