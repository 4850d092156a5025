use super::window::Window;
use super::{Control, ControlUse};
use crate::cholesky::cholesky;
use crate::nnls::nonnegative_least_squares;

/// A control must have a value on this share of the used steps of each side.
const PRESENT: f64 = 0.8;

/// Up to as many controls are all used; of more, those that a synthetic control is made of, and no more than one for so many
/// steps before.
const FEW: usize = 4;
const STEPS_A_CONTROL: usize = 10;

/// Which controls are used, and why the others are not.
pub(super) struct Chosen {
    pub(super) used: Vec<usize>,
    pub(super) uses: Vec<ControlUse>,
    /// Whether they were chosen out of more.
    pub(super) synthetic: bool,
}

/// Chooses by what they were before the change, never by what the series did after.
pub(super) fn choose(window: &Window, controls: &[Control<'_>]) -> Chosen {
    let mut refusals: Vec<Option<&'static str>> = controls
        .iter()
        .map(|control| unfit(window, control.values))
        .collect();
    let mut used: Vec<usize> = (0..controls.len()).filter(|at| refusals[*at].is_none()).collect();
    let most = (window.before / STEPS_A_CONTROL).max(1);
    let synthetic = used.len() > FEW.min(most);
    if synthetic {
        let weights = synthetic_weights(window, controls, &used);
        let mut order: Vec<(usize, f64)> = used.iter().copied().zip(weights).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (rank, (at, weight)) in order.iter().enumerate() {
            if *weight <= 0.0 || rank >= most {
                refusals[*at] = Some("it has no weight in the synthetic control");
            }
        }
        used.retain(|at| refusals[*at].is_none());
    }
    let mut kept: Vec<usize> = Vec::new();
    for at in used {
        kept.push(at);
        if cholesky(&products(window, controls, &kept), kept.len()).is_none() {
            kept.pop();
            refusals[at] = Some("it is a sum of other controls");
        }
    }
    let uses = controls
        .iter()
        .zip(refusals)
        .map(|(control, refused)| ControlUse {
            name: control.name.to_owned(),
            refused,
            weight: None,
            moved_alone: None,
        })
        .collect();
    Chosen {
        used: kept,
        uses,
        synthetic,
    }
}

fn unfit(window: &Window, control: &[f64]) -> Option<&'static str> {
    if control.len() != window.values.len() {
        return Some("it has not one value for each step");
    }
    for (after, steps) in [(false, window.before), (true, window.after)] {
        let side = window.used().filter(|step| (*step >= window.change) == after);
        let there = side.filter(|step| control[*step].is_finite()).count();
        if (there as f64) < PRESENT * steps as f64 {
            return Some("values are missing on more than a fifth of the steps before or after");
        }
    }
    let mut before = window
        .used()
        .filter(|step| *step < window.change && control[*step].is_finite());
    let first = before.next()?;
    before
        .all(|step| control[step] == control[first])
        .then_some("it did not vary before the change")
}

/// Deviations before the change on the steps where all have values, and those of the series last.
fn deviations(window: &Window, controls: &[Control<'_>], used: &[usize]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let steps: Vec<usize> = window
        .used()
        .filter(|step| *step < window.change && used.iter().all(|at| controls[*at].values[*step].is_finite()))
        .collect();
    let around_mean = |column: &[f64]| -> Vec<f64> {
        let mean = steps.iter().map(|step| column[*step]).sum::<f64>() / steps.len() as f64;
        steps.iter().map(|step| column[*step] - mean).collect()
    };
    let columns = used.iter().map(|at| around_mean(controls[*at].values)).collect();
    (columns, around_mean(&window.values))
}

fn products(window: &Window, controls: &[Control<'_>], used: &[usize]) -> Vec<Vec<f64>> {
    let (columns, _) = deviations(window, controls, used);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    columns
        .iter()
        .map(|a| columns.iter().map(|b| dot(a, b)).collect())
        .collect()
}

/// What a step of each, in its own standard deviations, counts in the mixture that tells the series best.
fn synthetic_weights(window: &Window, controls: &[Control<'_>], used: &[usize]) -> Vec<f64> {
    let (mut columns, values) = deviations(window, controls, used);
    for column in &mut columns {
        let size = column.iter().map(|value| value * value).sum::<f64>().sqrt();
        if size > 0.0 {
            column.iter_mut().for_each(|value| *value /= size);
        }
    }
    nonnegative_least_squares(&columns, &values)
}
