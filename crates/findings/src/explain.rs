//! Why a metric changed: by how much its slices changed, each split into another mix and another rate.

use kaizen_stats::{SliceSearch, TwoPeriods, find_culprits, split_change, welch};

use crate::cube::{CellSums, MetricCube};

/// By how much the whole changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Now minus before, in the unit of the mean.
    pub difference: f64,
    /// 95 % interval of the difference.
    pub interval: (f64, f64),
    /// Two-sided p-value of no change (Welch).
    pub p_value: f64,
    /// The part that other shares of the cells make.
    pub mix: f64,
    /// The part that other means within cells make.
    pub rate: f64,
}

/// A slice that changed otherwise than the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// Dimension and value of each condition; 1 to 3.
    pub slice: Vec<(String, String)>,
    /// Its sums before.
    pub baseline: CellSums,
    /// Its sums now.
    pub current: CellSums,
    /// How much more it changed than the rest, in the unit of the mean.
    pub effect: f64,
    /// 95 % interval of the effect.
    pub interval: (f64, f64),
    /// p-value of no effect, times the number of slices searched; at most 1.
    pub p_value: f64,
    /// What it adds to the change of the whole by another share of the decisions.
    pub mix: f64,
    /// What it adds by another mean of its own.
    pub rate: f64,
}

/// Why a metric changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Explanation {
    /// All decisions before.
    pub baseline: CellSums,
    /// All decisions now.
    pub current: CellSums,
    /// By how much; `None` where a window has too little to say.
    pub change: Option<Change>,
    /// The slices that account for it, most important first. None when all slices changed alike.
    pub causes: Vec<Cause>,
}

/// When a slice is named.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Naming {
    /// Decisions it must rest on in each window.
    pub least_count: f64,
    /// Least difference to the rest worth a name, in the unit of the mean; `None` for 2 % of the earlier mean.
    pub least_effect: Option<f64>,
    /// Chance to name any slice when nothing happened, 0 to 1.
    pub false_alarm: f64,
}

/// A difference to the rest is worth a name from this part of the earlier mean on.
const LEAST_EFFECT: f64 = 0.02;

/// Explains the change of a mean or share, or of the share above an earlier quantile.
pub fn explain(metric: &MetricCube, naming: &Naming) -> Explanation {
    let cells = metric.cells.cells();
    let all = (cells.iter()).fold(TwoPeriods::default(), |all, cell| all.plus(cell));
    let search = SliceSearch {
        least_count: naming.least_count,
        least_effect: naming.least_effect.unwrap_or_else(|| usual_effect(&all)),
        false_alarm: naming.false_alarm,
        ..SliceSearch::default()
    };
    let causes = find_culprits(&metric.cells, &search)
        .into_iter()
        .map(|culprit| Cause {
            baseline: (&culprit.periods.baseline).into(),
            current: (&culprit.periods.current).into(),
            effect: culprit.effect,
            interval: culprit.interval,
            p_value: culprit.adjusted_p_value.min(1.0),
            mix: culprit.split.map_or(0.0, |split| split.mix),
            rate: culprit.split.map_or(0.0, |split| split.rate),
            slice: culprit.slice,
        });
    Explanation {
        baseline: (&all.baseline).into(),
        current: (&all.current).into(),
        change: change(&all, cells),
        causes: causes.collect(),
    }
}

fn usual_effect(all: &TwoPeriods) -> f64 {
    let mean = all.baseline.mean().abs() * LEAST_EFFECT;
    if mean.is_finite() { mean } else { 0.0 }
}

fn change(all: &TwoPeriods, cells: &[TwoPeriods]) -> Option<Change> {
    let test = welch(&all.baseline, &all.current, 1.0, 0.95)?;
    let whole = (all.baseline, all.current);
    // What a cell that is new or gone has in one window only is another mix.
    let rates = cells
        .iter()
        .filter_map(|cell| split_change((cell.baseline, cell.current), whole));
    let rate: f64 = rates.map(|split| split.rate).sum();
    Some(Change {
        difference: test.difference,
        interval: test.interval,
        p_value: test.p_value,
        mix: test.difference - rate,
        rate,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cube::Quantity;

    const NAMING: Naming = Naming {
        least_count: 30.0,
        least_effect: None,
        false_alarm: 0.01,
    };

    /// 3 models × 3 regions; `share` of n decisions succeed in each period.
    fn cube(n: impl Fn(usize, usize, bool) -> f64, share: impl Fn(usize, usize, bool) -> f64) -> MetricCube {
        let sums = |model, region, now| {
            let n = n(model, region, now);
            let sum = (n * share(model, region, now)).round();
            CellSums {
                n,
                sum,
                sum_squares: sum,
            }
        };
        let cells = (0..9).map(|at| (at / 3, at % 3)).map(|(model, region)| {
            let values = vec![format!("m{model}"), format!("r{region}")];
            (values, [sums(model, region, false), sums(model, region, true)])
        });
        MetricCube::of(Quantity::Mean, &["model", "region"], cells).unwrap()
    }

    #[test]
    fn a_slice_that_gets_worse_alone_is_named_with_its_size() {
        let worse = |model, region, now| {
            if now && (model, region) == (1, 2) {
                0.5
            } else {
                0.8
            }
        };
        let explanation = explain(&cube(|_, _, _| 1000.0, worse), &NAMING);
        let [cause] = explanation.causes.as_slice() else {
            panic!("{explanation:?}");
        };
        let slice =
            [("model", "m1"), ("region", "r2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(cause.slice, slice);
        assert!(cause.interval.0 < -0.3 && -0.3 < cause.interval.1, "{cause:?}");
        assert!(
            (cause.rate - -0.3 / 9.0).abs() < 1e-9 && cause.mix.abs() < 1e-9,
            "{cause:?}"
        );
    }

    #[test]
    fn what_all_slices_share_names_none_and_another_mix_is_called_so() {
        let alike = explain(
            &cube(|_, _, _| 1000.0, |_, _, now| if now { 0.6 } else { 0.8 }),
            &NAMING,
        );
        assert_eq!(alike.causes, []);
        let change = alike.change.unwrap();
        assert!(
            (change.rate - -0.2).abs() < 1e-9 && change.mix.abs() < 1e-9,
            "{change:?}"
        );
        // A model that is worse anyhow is used more.
        let more = |model, _, now| if now && model == 0 { 3000.0 } else { 1000.0 };
        let mix = explain(
            &cube(more, |model, _, _| if model == 0 { 0.4 } else { 0.8 }),
            &NAMING,
        );
        assert_eq!(mix.causes, []);
        let change = mix.change.unwrap();
        assert!(
            change.difference < -0.05 && change.rate.abs() < 1e-9,
            "{change:?}"
        );
        assert!((change.mix - change.difference).abs() < 1e-9, "{change:?}");
    }

    /// Log-odds that all share would move a share near a half further: what a culprit does must not be taken for shared.
    #[test]
    fn a_culprit_makes_no_culprits_of_slices_with_other_shares() {
        let shares = [0.62, 0.92, 0.9];
        let worse = |model: usize, _, now| if now && model == 1 { 0.67 } else { shares[model] };
        let explanation = explain(&cube(|_, _, _| 4_000.0, worse), &NAMING);
        let slices: Vec<_> = explanation
            .causes
            .iter()
            .map(|cause| cause.slice.clone())
            .collect();
        assert_eq!(slices, [vec![("model".to_owned(), "m1".to_owned())]]);
    }

    #[test]
    fn windows_without_decisions_have_no_change() {
        let nothing = explain(
            &cube(|_, _, now| if now { 0.0 } else { 100.0 }, |_, _, _| 0.5),
            &NAMING,
        );
        assert_eq!((nothing.change, nothing.causes), (None, vec![]));
    }

    proptest! {
        #[test]
        fn rate_and_mix_make_up_the_change(
            counts in prop::collection::vec(0..500_u32, 18), shares in prop::collection::vec(0.0..1.0_f64, 18),
        ) {
            let at = |model: usize, region: usize, now: bool| model * 3 + region + if now { 9 } else { 0 };
            let cube = cube(
                |model, region, now| f64::from(counts[at(model, region, now)]),
                |model, region, now| shares[at(model, region, now)],
            );
            if let Some(change) = explain(&cube, &NAMING).change {
                prop_assert!((change.mix + change.rate - change.difference).abs() < 1e-9);
                prop_assert!((0.0..=1.0).contains(&change.p_value));
            }
        }
    }
}
