//! Decisions, dealt from the counts of their hour.
//!
//! Given what becomes of a decision, its class is drawn by the odds of both together, and its values by rejection: drawn as if
//! nothing were known, and kept with the probability that it then comes out so. The decisions of an hour are thus those of
//! independent draws whose counts happened to be the ones drawn before.

use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, StandardNormal};

use super::class::Class;
use super::odds::{FATES, Fate, Odds};
use super::plan::{ABSENT, AXES, FAILURE, Plan, expit};
use super::split::Split;
use crate::decimal::Decimal;
use crate::scenario::MOST_MEASURES;

/// A decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dealt {
    /// Component, by its place in the scenario.
    pub component: u16,
    pub class: u16,
    /// Values at the axes of the component's plan.
    pub values: [u8; AXES],
    pub success: bool,
    pub label: Option<bool>,
    /// True log-odds of success.
    pub log_odds: f64,
    /// Place in [`CONFIDENCE`](super::fill::CONFIDENCE).
    pub confidence: u8,
    pub seconds: Decimal,
    pub quality: Option<Decimal>,
    pub numbers: [Decimal; MOST_MEASURES],
    /// Milliseconds since the hour began.
    pub at: u32,
    pub lead: u32,
    /// It is sent twice.
    pub repeated: bool,
}

/// Appends the decisions of an hour to `dealt`.
pub(crate) fn deal(
    plan: &Plan<'_>,
    odds: &Odds,
    split: &Split,
    draws: &mut ChaCha12Rng,
    dealt: &mut Vec<Dealt>,
) {
    let deviation = plan.component.confidence.as_ref().map_or(0.0, |it| it.spread);
    for (place, fate) in FATES.into_iter().enumerate() {
        if split.fates[place] == 0 {
            continue;
        }
        let classes = Cumulative::of(odds, place);
        let bound = |(class, log_odds): (&Class, &(f64, f64))| most(class, *log_odds, deviation, fate);
        let most: Vec<f64> = plan.classes.iter().zip(&odds.log_odds).map(bound).collect();
        for number in 0..split.fates[place] {
            let class = classes.pick(draws.random());
            let drawn = &plan.classes[class];
            let (mut values, added) =
                values_of(drawn, odds.log_odds[class], deviation, (fate, most[class]), draws);
            if let Some(kinds) = plan.failure.as_ref().filter(|_| fate == Fate::Failed) {
                values[FAILURE] = pick(&kinds.shares, draws.random());
            }
            let labelled = number < split.labelled[place];
            dealt.push(Dealt {
                component: plan.index as u16,
                class: class as u16,
                values,
                success: fate != Fate::Failed,
                label: labelled.then_some(fate == Fate::Reached),
                log_odds: odds.log_odds[class].0 + added,
                confidence: 0,
                seconds: Decimal::default(),
                quality: None,
                numbers: [Decimal::default(); MOST_MEASURES],
                at: 0,
                lead: 0,
                repeated: false,
            });
        }
    }
}

/// The values of a decision of that class and fate, and what they and its own deviation add to log-odds.
fn values_of(
    class: &Class,
    log_odds: (f64, f64),
    deviation: f64,
    (fate, most): (Fate, f64),
    draws: &mut ChaCha12Rng,
) -> ([u8; AXES], f64) {
    let certain = class.nodes.len() == 1;
    loop {
        let mut values = [ABSENT; AXES];
        let mut added = 0.0;
        for choice in &class.choices {
            let random = if choice.is_free() { draws.random() } else { 0.0 };
            let (value, adds) = choice.at(random);
            values[choice.axis] = value;
            added += adds;
        }
        if deviation > 0.0 {
            let own: f64 = StandardNormal.sample(draws);
            added += deviation * own;
        }
        if certain || draws.random::<f64>() * most < probability(fate, log_odds, added) {
            return (values, added);
        }
    }
}

/// A probability that no decision of the class exceeds, so that few are drawn in vain.
fn most(class: &Class, log_odds: (f64, f64), deviation: f64, fate: Fate) -> f64 {
    if deviation > 0.0 {
        return 1.0;
    }
    let (low, high) = class.bounds;
    let most = match fate {
        Fate::Failed => probability(fate, log_odds, low),
        Fate::Reached => probability(fate, log_odds, high),
        Fate::Missed => expit(log_odds.0 + high) * (1.0 - expit(log_odds.1 + low)),
    };
    // A little more, against the rounding of sums in another order.
    most * (1.0 + 1e-9)
}

/// Of a fate, given the log-odds.
fn probability(fate: Fate, (success, approval): (f64, f64), added: f64) -> f64 {
    let carried_out = expit(success + added);
    match fate {
        Fate::Failed => 1.0 - carried_out,
        Fate::Reached => carried_out * expit(approval + added),
        Fate::Missed => carried_out * (1.0 - expit(approval + added)),
    }
}

/// Cumulative probabilities of the classes, given a fate.
struct Cumulative(Vec<f64>);

impl Cumulative {
    fn of(odds: &Odds, fate: usize) -> Self {
        let mut sum = 0.0;
        let add = |joint: &[f64; 3]| {
            sum += joint[fate];
            sum
        };
        Self(odds.joint.iter().map(add).collect())
    }

    fn pick(&self, random: f64) -> usize {
        let at = random * self.0.last().copied().unwrap_or_default();
        let found = self.0.partition_point(|cumulative| *cumulative <= at);
        found.min(self.0.len() - 1)
    }
}

/// One of the shares, which are 1 in sum, at a random number from 0 to 1.
pub(crate) fn pick(shares: &[f64], random: f64) -> u8 {
    let mut left = random;
    let found = shares.iter().position(|share| {
        left -= share;
        left < 0.0
    });
    let last = || shares.iter().rposition(|share| *share > 0.0).unwrap_or_default();
    found.unwrap_or_else(last) as u8
}
