//! The stages of a run, in their order.

mod count;
mod exemplify;
mod explain;
mod inspect;
mod judge;
mod measure;
mod recommend;
mod record;

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kaizen_catalogue::{Catalogue, Component, Metric};
use kaizen_findings::{Correction, Costs, Finding, Groups, History, Recommendation};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{
    Analysis, Comparison, MetricExplanation, MetricPoint, MetricQuery, MetricTrend, QueryError, Volume,
    Window,
};

/// The names of the stages, in their order.
pub const STAGES: [&str; 7] = [
    "count",
    "measure",
    "judge",
    "explain",
    "inspect",
    "recommend",
    "record",
];

/// The past that a period is seen in, back from its end: thirteen weeks, a quarter; more if the two periods are longer.
const PAST: SignedDuration = SignedDuration::from_hours(13 * 7 * 24);

/// Questions to ClickHouse at once. Some of its steps run on one core alone: two questions keep two cores busy.
const AT_ONCE: usize = 2;

/// What the stages work on, and what they have found so far.
pub struct Work<'a> {
    /// What is measured.
    pub catalogue: &'a Catalogue,
    /// Where the facts are.
    pub client: Client,
    /// What work costs.
    pub costs: &'a Costs,
    /// How the forecasts of rules are corrected, by the name of the rule.
    pub corrections: BTreeMap<String, Correction>,
    /// The run.
    pub analysis: Analysis,
    /// What the coverage of each component rests on, over its past and the period, in the order of the catalogue.
    pub volumes: Vec<Volume>,
    /// The past of each metric.
    pub histories: Vec<History>,
    /// The values.
    pub points: Vec<MetricPoint>,
    /// The trends.
    pub trends: Vec<MetricTrend>,
    /// Why metrics changed.
    pub explanations: Vec<MetricExplanation>,
    /// Split metrics by their groups, by the name of the metric.
    pub groups: HashMap<String, Groups>,
    /// What else was found.
    pub findings: Vec<Finding>,
    /// What to do, each with its identity.
    pub recommendations: Vec<(String, Recommendation)>,
}

impl Work<'_> {
    /// The question about a metric over the whole period, beside the one before.
    fn query<'b>(&'b self, component: &'b Component, metric: &'b Metric) -> MetricQuery<'b> {
        MetricQuery {
            component,
            metric,
            window: self.analysis.period,
            step: None,
            zone: TimeZone::UTC,
            filters: Vec::new(),
            group_by: None,
            compare_to: Some(Comparison::Window(self.analysis.previous)),
            now: self.analysis.created_at,
            volume: self.volume(component),
            hours: None,
        }
    }

    fn volume(&self, component: &Component) -> Option<&Volume> {
        let mut all = self.catalogue.components().iter().zip(&self.volumes);
        all.find(|(it, _)| it.name == component.name)
            .map(|(_, volume)| volume)
    }

    /// The past that the period is seen in, with both periods.
    fn past(&self) -> Result<Window, QueryError> {
        let end = self.analysis.period.end();
        let start = (end - PAST).min(self.analysis.previous.start());
        Window::new("period", start.max(Timestamp::UNIX_EPOCH), end)
    }

    /// Runs the stage of that index.
    ///
    /// # Errors
    /// Any [`QueryError`].
    pub async fn stage(&mut self, index: usize) -> Result<(), QueryError> {
        match index {
            0 => count::count(self).await,
            1 => measure::measure(self).await,
            2 => {
                judge::judge(self);
                Ok(())
            }
            3 => explain::explain(self).await,
            4 => inspect::inspect(self).await,
            5 => recommend::recommend(self).await,
            _ => record::record(self).await,
        }
    }
}
