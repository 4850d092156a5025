//! From facts to recommendations: one rule a file in `rules`, each a pure function of the facts; then what each is worth.

mod estimate;
mod labels;
mod life;
mod rules;

pub use estimate::Estimate;
pub use life::{Change as StandingChange, Happened, Standing, What, history};
pub use rules::restores;

use self::estimate::{Worth, worth};
use serde::{Deserialize, Serialize};

use crate::facts::{ChangeEntry, ComponentFacts, Correction, Facts};

/// What is to be done, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The rule that found it.
    pub rule: String,
    /// What it is filed under.
    pub category: String,
    /// Component it is about.
    pub component: String,
    /// Metric it would improve; empty when it is about the data.
    pub metric: String,
    /// Slice it is about; empty for all decisions.
    pub slice: Vec<(String, String)>,
    /// In one line.
    pub title: String,
    /// In a few sentences.
    pub description: String,
    /// What to do, in order.
    pub action_items: Vec<String>,
    /// How hard that is.
    pub difficulty: Difficulty,
    /// Hours of work.
    pub effort_hours: f64,
    /// What it rests on.
    pub evidence: Evidence,
    /// What it would change; `None` when that cannot be told.
    pub impact: Option<Impact>,
    /// What it would return; `None` when what the metric is worth is not known: not computed, never zero.
    pub roi: Option<Return>,
    /// Probability that it is right, the share of the data that is there counted, 0 to 1.
    pub certainty: f64,
    /// Expected value times certainty over effort. Orders recommendations of one priority.
    pub score: f64,
    /// How soon.
    pub priority: Priority,
    /// What would change the priority.
    pub would_change: String,
    /// Changes that may be the cause, latest first.
    pub candidates: Vec<ChangeEntry>,
    /// Share of the period's expected decisions that are there.
    pub coverage: Option<f64>,
    /// How impact and return were corrected, and what they would have been; `None` when they are the rule's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Corrected>,
    /// Decisions that show it; none from rules, which see sums alone.
    #[serde(default)]
    pub examples: Examples,
}

impl Recommendation {
    /// What the rule itself forecasts, before any correction.
    pub fn forecast(&self) -> Option<&Impact> {
        match &self.corrected {
            Some(corrected) => Some(&corrected.impact),
            None => self.impact.as_ref(),
        }
    }

    /// What tells it from others, in every run: its rule, metric or component, and slice.
    pub fn key(&self) -> String {
        let about = if self.metric.is_empty() {
            &self.component
        } else {
            &self.metric
        };
        let slice = self.slice.iter().map(|(name, value)| format!("{name}={value}"));
        [self.rule.clone(), about.clone()]
            .into_iter()
            .chain(slice)
            .collect::<Vec<_>>()
            .join("|")
    }
}

/// How soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Priority {
    /// Now.
    High,
    /// Soon.
    Medium,
    /// When there is time.
    Low,
}

impl Priority {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

/// How hard something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Difficulty {
    /// A setting, a route.
    Easy,
    /// A change and its test.
    Medium,
    /// Finding out comes first.
    Hard,
}

impl Difficulty {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}

/// What a recommendation rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was measured, in words.
    pub what: String,
    /// Its unit.
    pub unit: String,
    /// Before; of groups, the rest's.
    pub before: Option<f64>,
    /// Now; of groups, the group's own.
    pub now: Option<f64>,
    /// Decisions that rests on.
    pub n: f64,
    /// The effect.
    pub effect: Estimate,
    /// p-value of no effect, adjusted for how many were looked at.
    pub p_value: f64,
}

/// Decisions that show what was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Examples {
    /// What the examples' values are: a metric, or empty when they have none.
    pub what: String,
    /// Their unit.
    pub unit: String,
    /// Conditions on the decisions, dimension and value; those of the slice that can be asked for.
    pub filters: Vec<(String, String)>,
    /// Where to look for decisions of now: a half-open window, in seconds since 1970.
    pub window: (i64, i64),
    /// Where to look for decisions of before.
    pub window_before: (i64, i64),
    /// Of now, the worst first.
    pub now: Vec<Example>,
    /// Of before, the latest first.
    pub before: Vec<Example>,
}

/// A decision that shows what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Identity of the event.
    pub event_id: String,
    /// When it was made, in milliseconds since 1970.
    pub at: i64,
    /// What it counts with, where it has a value: of a share 0 or 1.
    pub value: Option<f64>,
}

/// What doing it would change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// Successes, or units of the measure, gained a week.
    pub per_week: Estimate,
    /// Improvement of the metric as a whole, in its unit; more is better.
    pub improvement: Estimate,
    /// The same in percent of the metric's value before.
    pub improvement_percent: Option<f64>,
}

/// A correction that was applied, and what there was before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    /// The correction.
    pub by: Correction,
    /// The impact as the rule estimates it.
    pub impact: Impact,
    /// The return on that.
    pub roi: Option<Return>,
    /// The priority by that.
    pub priority: Priority,
}

/// What doing it would return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Return {
    /// ISO 4217.
    pub currency: String,
    /// Weeks over which the benefit is counted.
    pub horizon_weeks: f64,
    /// Benefit over these weeks.
    pub benefit: Estimate,
    /// Cost of the work.
    pub cost: f64,
    /// Benefit less cost, over cost.
    pub roi: Estimate,
    /// Probability that the benefit is more than the cost.
    pub probability_above_zero: f64,
}

/// What a rule found.
struct Draft<'a> {
    rule: &'static str,
    component: &'a ComponentFacts,
    metric: &'a str,
    slice: Vec<(String, String)>,
    title: String,
    description: String,
    action_items: Vec<String>,
    difficulty: Difficulty,
    effort_hours: f64,
    evidence: Evidence,
    gain: Option<Gain>,
    /// What a unit of the gain is worth.
    value: Option<(f64, String)>,
    /// The metric as a whole before.
    before: Option<f64>,
    /// What stands for an improvement in percent where there is none to tell.
    urgency: f64,
    coverage: Option<f64>,
}

/// What would be gained.
#[derive(Clone, Copy)]
struct Gain {
    per_week: Estimate,
    whole: Estimate,
}

/// All that the facts give reason for, most urgent first.
pub fn recommend(facts: &Facts) -> Vec<Recommendation> {
    let mut all: Vec<Recommendation> = facts
        .components
        .iter()
        .flat_map(|component| rules::apply(component, facts))
        .map(|draft| complete(draft, facts))
        .collect();
    all.sort_by(|a, b| {
        let order = a.priority.cmp(&b.priority).then(b.score.total_cmp(&a.score));
        order.then_with(|| a.key().cmp(&b.key()))
    });
    all
}

fn complete(draft: Draft<'_>, facts: &Facts) -> Recommendation {
    let (worth, corrected) = corrected(&draft, facts);
    let candidates = candidates(&draft, &facts.changes);
    let mut action_items = draft.action_items;
    if let Some(latest) = candidates.first() {
        let ChangeEntry {
            kind,
            component,
            version,
            at,
            ..
        } = latest;
        action_items.insert(
            0,
            format!("Look at the {kind} of {component} to {version} at {at}, and undo it if it is the cause"),
        );
    }
    Recommendation {
        rule: draft.rule.to_owned(),
        category: draft.component.category.clone(),
        component: draft.component.name.clone(),
        metric: draft.metric.to_owned(),
        slice: draft.slice,
        title: draft.title,
        description: draft.description,
        action_items,
        difficulty: draft.difficulty,
        effort_hours: draft.effort_hours,
        evidence: draft.evidence,
        impact: worth.impact,
        roi: worth.roi,
        certainty: worth.certainty,
        score: worth.score,
        priority: worth.priority,
        would_change: worth.would_change,
        candidates,
        coverage: draft.coverage,
        corrected,
        examples: Examples::default(),
    }
}

/// What a draft is worth when its gain is corrected as earlier forecasts of its rule came true, and what was before.
fn corrected(draft: &Draft<'_>, facts: &Facts) -> (Worth, Option<Corrected>) {
    let own = worth(draft, draft.gain, &facts.costs);
    let Some(((by, gain), impact)) = facts.corrections.get(draft.rule).zip(draft.gain).zip(own.impact) else {
        return (own, None);
    };
    let gain = Gain {
        per_week: gain.per_week.corrected(by),
        whole: gain.whole.corrected(by),
    };
    let before = Corrected {
        by: by.clone(),
        impact,
        roi: own.roi,
        priority: own.priority,
    };
    (worth(draft, Some(gain), &facts.costs), Some(before))
}

/// Changes of the component, or to something the slice names.
fn candidates(draft: &Draft<'_>, changes: &[ChangeEntry]) -> Vec<ChangeEntry> {
    let of_component = [
        &draft.component.name,
        &draft.component.log_type,
        &draft.component.title,
    ];
    let concerns = |change: &&ChangeEntry| {
        let named = |it: &String| !it.is_empty() && (*it == change.component || *it == change.version);
        of_component.into_iter().any(|it| *it == change.component)
            || draft.slice.iter().any(|(_, value)| named(value))
    };
    changes.iter().rev().filter(concerns).cloned().collect()
}
