//! Questions to ClickHouse, one a file. Every query is a function of typed values: user input only ever reaches
//! ClickHouse as a bound parameter.

mod analyses;
mod arms;
mod attempts;
mod audit;
mod cells;
mod changes;
mod confidence;
mod contents;
mod coverage;
mod culprits;
mod data_window;
mod dead_letters;
mod decision;
mod decisions;
mod estimate;
mod examples;
mod findings;
mod hours;
mod ingested;
mod metric;
mod processing_times;
mod recommendations;
mod rejections;
mod reliability;
mod scope;
mod sightings;
mod trends;
mod window;

pub use analyses::{
    Analysis, AnalysisCursor, AnalysisState, MetricPoint, analyses, analysis, latest_succeeded, points,
    put_analysis, put_results, unended,
};
pub use arms::{ArmDay, ArmsQuery, arms};
pub use attempts::{
    Beat, Cancellation, Standing, cancellation, claim, put_attempt, put_beat, put_cancellation, standing,
};
pub use audit::{
    BLOCK, Block, HourCount, RollupAudit, Span, SpanAudit, Stored, audit_rollup, audit_spans, compare_rollup,
    rollup_hours, stored_spans, whole_since,
};
pub use changes::changes;
pub use confidence::{confidence_levels, stated_probabilities};
pub use contents::{Contents, contents};
pub use coverage::{Volume, volume};
pub use culprits::{MetricExplanation, explanations, put_explanations};
pub use data_window::data_window;
pub use dead_letters::{
    DeadLetter, DeadLettersQuery, LetterState, ReasonDepth, RecordPlace, dead_letter_depth, dead_letters,
};
pub use decision::{DecisionContent, DecisionDetail, decision};
pub use decisions::{DecisionCursor, DecisionSummary, DecisionsQuery, decisions};
pub use estimate::{Interval, Value};
pub use examples::{ExamplesQuery, Which, examples};
pub use findings::{findings, put_findings};
pub use hours::{Hours, hours};
pub use ingested::{
    Offsets, Place, StoredIdentity, Table, deduplication_window, is_inserting, last_stored_offset, position,
    stored_identities, stored_offsets,
};
pub use metric::{
    Compared, Comparison, Grouping, MetricAnswer, MetricQuery, OTHER, Point, Series, Spans, Split, compare,
    cube, explained, explaining, is_explained, metric, spans,
};
pub use processing_times::processing_times;
pub use recommendations::{
    RecommendationDecision, StoredRecommendation, is_recommended, put_recommendation_decision,
    put_recommendations, recommendation_decisions, recommendations,
};
pub use rejections::rejections;
pub use reliability::{Label, Labelled, label_counts, labelled};
pub use scope::{Filter, MAX_FILTER_VALUES, MAX_FILTERS};
pub use sightings::{Sighting, sightings};
pub use trends::{MetricTrend, put_trends, trends};
pub use window::{MAX_POINTS, Step, Window};

use crate::client::WarehouseError;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The question is wrong.
    #[error("{field}: {reason}")]
    Invalid {
        /// The part of the question at fault, as the API names it: `window.start_time`, `filters[0].dimension`.
        field: String,
        /// What is wrong with it and what is allowed.
        reason: String,
    },
    /// ClickHouse gave no answer.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// A row holds what no row should.
    #[error("{0} cannot be read")]
    Unreadable(String),
}

impl QueryError {
    /// A wrong `field`, and why.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            reason: reason.into(),
        }
    }
}
