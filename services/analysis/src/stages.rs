//! The stages of a run, in their order.

mod count;
mod explain;
mod inspect;
mod judge;
mod measure;
mod recommend;
mod record;

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use kaizen_catalogue::{Catalogue, Component, Metric};
use kaizen_findings::{Correction, Costs, Finding, Groups, History, Recommendation};
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{
    Analysis, Comparison, MetricExplanation, MetricPoint, MetricQuery, MetricTrend, QueryError,
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

/// What the stages work on, and what they have found so far.
pub struct Work<'a> {
    /// What is measured.
    pub catalogue: &'a Catalogue,
    /// Where the facts are.
    pub client: &'a Client,
    /// What work costs.
    pub costs: &'a Costs,
    /// How the forecasts of rules are corrected, by the name of the rule.
    pub corrections: BTreeMap<String, Correction>,
    /// The run.
    pub analysis: Analysis,
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
    fn query<'b>(&self, component: &'b Component, metric: &'b Metric) -> MetricQuery<'b> {
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
        }
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
