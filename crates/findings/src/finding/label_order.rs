use kaizen_stats::{Graded, StratifiedAuc, cochran_armitage, stratified_auc};
use serde::{Deserialize, Serialize};

use super::{About, Detail, Finding, Level};

/// A label that does not tell good decisions from bad ones, or tells them the wrong way round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelOrder {
    /// The label: `confidence_level`, `quality_score` or `improvement_potential`.
    pub label: String,
    /// What came of the decisions: `success` or `success_indicator`.
    pub of: String,
    /// What is wrong with it.
    pub shape: LabelShape,
    /// Probability that, of a decision of a day that came out well and one that did not, the one that did has the better label, ties
    /// half: the area under the ROC curve. .5 of a label that says nothing, less of one that is the wrong way round.
    pub auc: f64,
    /// 95 % interval of it.
    pub interval: (f64, f64),
    /// p-value, adjusted for the number of labels: of an inverted label that it says nothing, of an uninformative one that it says
    /// enough to matter.
    pub p_value: f64,
    /// The label's levels, the best first, and what came of them.
    pub levels: Vec<Level>,
}

/// What is wrong with a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelShape {
    /// Better labels come out worse.
    Inverted,
    /// It is known to say too little to matter.
    Uninformative,
}

impl LabelShape {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inverted => "inverted",
            Self::Uninformative => "uninformative",
        }
    }
}

/// Decisions by a label, and what came of them.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelCounts {
    /// The label.
    pub label: String,
    /// What came of the decisions.
    pub of: String,
    /// Its levels, the best first.
    pub levels: Vec<String>,
    /// Of each day, for each level, how many came out well and how many there are.
    pub days: Vec<Vec<(f64, f64)>>,
}

impl LabelCounts {
    /// What came of each level on all days.
    fn sums(&self) -> Vec<(f64, f64)> {
        let of_level = |at: usize| {
            let cells = self.days.iter().filter_map(|day| day.get(at));
            cells.fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1))
        };
        (0..self.levels.len()).map(of_level).collect()
    }
}

/// How many labels of a component are looked at: confidence, quality and potential.
const LABELS: f64 = 3.0;
/// The smallest difference that matters, J. Cohen's d of a small effect: "Statistical Power Analysis for the Behavioral Sciences",
/// 2nd ed. (1988), 2.2.
const SMALL: f64 = 0.2;
/// What it makes of the area under the ROC curve, Φ(d/√2), less a half: areas of .444 to .556 do not matter.
const MARGIN: f64 = 0.056_231_4;
/// Fewest decisions that came out well, and that did not.
const FEWEST: f64 = 30.0;

/// Tells of a label that orders what came of decisions the wrong way round, by more than chance and by so much that it matters; or that
/// is known not to order it by so much that it matters, while its levels differ by no more than that in any other way. Decisions are
/// compared with those of their day. `significance` is the chance to be wrong about any label of the component: to call one inverted that
/// says nothing, or uninformative one that says just enough to matter. Not to be told from chance is no finding.
pub fn label_order(about: About<'_>, counts: &LabelCounts, significance: f64) -> Option<Finding> {
    let sums = counts.sums();
    let (well, all) = sums
        .iter()
        .fold((0.0, 0.0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    if well < FEWEST || all - well < FEWEST {
        return None;
    }
    // Methods have the lowest level first.
    let upwards = counts.days.iter().map(|day| day.iter().rev().copied().collect());
    let order = stratified_auc(&upwards.collect::<Vec<_>>())?;
    let adjusted = |p_value: f64| (p_value * LABELS).min(1.0);
    let wrong_way = adjusted(if order.z < 0.0 { order.p_value / 2.0 } else { 1.0 });
    let too_little = adjusted(order.equivalence_p_value(MARGIN));
    let (shape, p_value) = if order.auc < 0.5 - MARGIN && wrong_way < significance {
        (LabelShape::Inverted, wrong_way)
    } else if too_little < significance && spread(&sums) < SMALL {
        (LabelShape::Uninformative, too_little)
    } else {
        return None;
    };
    let levels = counts.levels.iter().zip(&sums).filter(|(_, (_, n))| *n > 0.0);
    let detail = LabelOrder {
        label: counts.label.clone(),
        of: counts.of.clone(),
        shape,
        auc: order.auc,
        interval: order.interval(0.95),
        p_value,
        levels: levels
            .map(|(stated, (well, n))| Level {
                stated: stated.clone(),
                observed: well / n,
                n: *n,
            })
            .collect(),
    };
    Some(about.finding(
        text(about, &detail, &order),
        Some(true),
        Detail::LabelOrder(detail),
    ))
}

/// How far apart the shares of levels are in any way, in units of a decision's deviation.
fn spread(sums: &[(f64, f64)]) -> f64 {
    let graded = sums.iter().enumerate().map(|(at, (successes, trials))| Graded {
        score: at as f64,
        trials: *trials,
        successes: *successes,
    });
    cochran_armitage(&graded.collect::<Vec<_>>(), 1.0).map_or(0.0, |found| found.spread)
}

fn text(about: About<'_>, it: &LabelOrder, order: &StratifiedAuc) -> String {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let interval = format!("{} to {}", percent(it.interval.0), percent(it.interval.1));
    let well = came_out_well(&it.of);
    match it.shape {
        LabelShape::Inverted => format!(
            "{}: {} is the wrong way round: of a decision that {well} and one that did not, the one that did has the better label in \
             {} of cases ({interval}), where 50 % is chance",
            about.title,
            it.label,
            percent(order.auc),
        ),
        LabelShape::Uninformative => format!(
            "{}: {} does not tell which decisions come out well: of a decision that {well} and one that did not, the one that did has \
             the better label in {} of cases ({interval}), where 50 % is chance",
            about.title,
            it.label,
            percent(order.auc),
        ),
    }
}

/// Of a decision, in words.
fn came_out_well(of: &str) -> &'static str {
    if of == "success" {
        "succeeded"
    } else {
        "reached its aim"
    }
}
