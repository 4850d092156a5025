//! Whether labels that say nothing, or are the wrong way round, are told, and those that order what comes of decisions are not.

use anyhow::Result;
use kaizen_findings::{About, Detail, LabelCounts, LabelShape, label_order};
use kaizen_simulator::{Scenario, Simulation};
use kaizen_stats::{Graded, cochran_armitage};

use super::Row;
use crate::cell::{Cell, Export};
use crate::estimate::{Estimate, Kind};
use crate::generate::fleet;
use crate::generate::labels::LabelTally;
use crate::seeds::Seeds;

pub(super) const ROW: Row = Row {
    number: 25,
    title: "Labels that do not order what comes of decisions told, 10,000 decisions",
    light: false,
    score,
};

/// Of a component of four.
const SIGNIFICANCE: f64 = 0.01 / 4.0;
const DAYS: usize = 7;
/// 10,000 in seven days; the other components make next to none.
const EVENTS_A_DAY: f64 = 10_000.0 / DAYS as f64;
/// Where `LabelTally` has them.
const LABELS: [(usize, &str); 2] = [(0, "confidence"), (1, "quality")];
/// How far labels are apart, in standard deviations, and what is to be told of them.
const APART: [(f64, &str, Option<LabelShape>); 4] = [
    (0.5, "called wrong", None),
    (0.2, "called uninformative", Some(LabelShape::Uninformative)),
    (0.0, "called uninformative", Some(LabelShape::Uninformative)),
    (-0.5, "called inverted", Some(LabelShape::Inverted)),
];
/// Seeds that the methods from PyPI are run on.
const REFERRED: u64 = 400;
/// Levels of the usual test.
const NOTHING: f64 = 0.05;
const SOMETHING: f64 = 0.01;

fn score(seeds: &Seeds) -> Result<Vec<Cell>> {
    let catalogue = fleet::catalogue()?;
    let mut cells = Vec::new();
    for (apart, name, wanted) in APART {
        let scenario = scenario(apart)?;
        let found = seeds.map(|seed| {
            let mut tally = LabelTally::default();
            for event in Simulation::new(&scenario, &catalogue, seed) {
                if event.value.windows(KIND.len()).any(|it| it == KIND) {
                    tally.add(&event.value)?;
                }
            }
            let counts = tally.counts();
            Ok(LABELS.map(|(at, _)| of_label(&counts[at], wanted)))
        })?;
        for (at, (_, label)) in LABELS.into_iter().enumerate() {
            let share = |of: fn(&Told) -> bool| {
                let hits: Vec<f64> = found.iter().map(|it| f64::from(u8::from(of(&it[at])))).collect();
                Estimate::of(Kind::Share, &hits)
            };
            let series = found.iter().take(seeds.first(REFERRED).count());
            let series = series.map(|it| it[at].levels.clone()).collect();
            let shape = wanted.map_or(0.0, |shape| {
                f64::from(1 + u8::from(shape == LabelShape::Inverted))
            });
            cells.push(
                Cell::new(
                    format!("{label}, {apart} deviations apart: {name}"),
                    share(|it| it.kaizen),
                )
                .constant("do nothing", 0.0)
                .constant("always alarm", 1.0)
                .beside("the trend of all days alone", share(|it| it.alone))
                .referring(Export::new("mislabelled", Kind::Share, series).with("wanted", shape)),
            );
        }
    }
    Ok(cells)
}

const KIND: &[u8] = b"\"log_type\":\"enrichment_decision\"";

/// A week of enrichment whose methods differ in nothing that a label sees.
fn scenario(apart: f64) -> Result<Scenario> {
    let mut set: Vec<String> = [0, 2, 3]
        .iter()
        .map(|other| format!("components.{other}.weight=0.001"))
        .collect();
    set.extend(
        (0..3).map(|method| format!("components.1.methods.{method}.quality={{mean: 75, deviation: 9}}")),
    );
    set.extend([
        format!("days={DAYS}"),
        format!("events_per_day={EVENTS_A_DAY}"),
        "components.1.text=20".to_owned(),
        "components.1.labelled=1".to_owned(),
        "components.1.confidence=null".to_owned(),
        format!("components.1.labels={{confidence: {apart}, quality: {apart}}}"),
    ]);
    fleet::scenario("tenant.yaml", &set)
}

/// What is said of a label.
struct Told {
    /// By a run, whatever is wanted; or anything at all where nothing is.
    kaizen: bool,
    /// The same by the usual test: no trend at 5 %, or one for the worse at 1 %.
    alone: bool,
    /// From the lowest level up, how many decisions, and how many came out well.
    levels: Vec<f64>,
}

fn of_label(counts: &LabelCounts, wanted: Option<LabelShape>) -> Told {
    let about = About {
        component: fleet::ENRICHMENT,
        metric: "",
        title: "",
        unit: "",
    };
    let shape = label_order(about, counts, SIGNIFICANCE).and_then(|it| match it.detail {
        Detail::LabelOrder(it) => Some(it.shape),
        _ => None,
    });
    let levels: Vec<Graded> = (0..counts.levels.len())
        .rev()
        .enumerate()
        .map(|(score, level)| Graded {
            score: score as f64,
            trials: counts.days.iter().map(|day| day[level].1).sum(),
            successes: counts.days.iter().map(|day| day[level].0).sum(),
        })
        .collect();
    let alone = cochran_armitage(&levels, 1.0).map(|it| {
        if it.p_value >= NOTHING {
            Some(LabelShape::Uninformative)
        } else {
            (it.z < 0.0 && it.p_value < SOMETHING).then_some(LabelShape::Inverted)
        }
    });
    let is = |told: Option<LabelShape>| told.is_some_and(|told| wanted.is_none_or(|wanted| told == wanted));
    Told {
        kaizen: is(shape),
        alone: is(alone.flatten()),
        levels: levels.iter().flat_map(|it| [it.trials, it.successes]).collect(),
    }
}
