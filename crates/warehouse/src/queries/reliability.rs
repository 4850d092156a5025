//! What came of decisions, by the labels that they were given.

use clickhouse::Row;
use kaizen_catalogue::Component;
use serde::Deserialize;

use super::{QueryError, Window};
use crate::client::Client;

/// What decisions are labelled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// How sure the system was: high, medium or low.
    ConfidenceLevel,
    /// How good the output was, 0 to 100, in bands of ten; 100 is in the last.
    QualityScore,
    /// How much better the output could have been: low, medium or high.
    ImprovementPotential,
}

impl Label {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::ConfidenceLevel,
        Self::QualityScore,
        Self::ImprovementPotential,
    ];

    /// Its name, as decisions have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfidenceLevel => "confidence_level",
            Self::QualityScore => "quality_score",
            Self::ImprovementPotential => "improvement_potential",
        }
    }

    /// The label, its place from the best down, and its score where it is one.
    const fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::ConfidenceLevel => (
                "confidence_level",
                "indexOf(['high', 'medium', 'low'], confidence_level)",
                "NULL",
            ),
            Self::QualityScore => (
                "concat(toString(10 * floor(least(quality_score, 99) / 10)), ' to ', toString(10 * floor(least(quality_score, 99) / 10) + 10))",
                "if(isNull(quality_score), 0, 10 - floor(least(quality_score, 99) / 10))",
                "quality_score",
            ),
            Self::ImprovementPotential => (
                "improvement_potential",
                "indexOf(['low', 'medium', 'high'], improvement_potential)",
                "NULL",
            ),
        }
    }
}

/// Decisions of one label.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// The label; of a score the band, for example `80 to 90`.
    pub label: String,
    /// Mean of the scores; `None` of a label that is a word.
    pub score: Option<f64>,
    /// How many decisions.
    pub n: u64,
    /// How many of them were carried out without failure.
    pub successes: u64,
    /// How many have a `success_indicator`.
    pub judged: u64,
    /// How many of those have a true one.
    pub positives: u64,
}

#[derive(Row, Deserialize)]
struct LabelledRow {
    label: String,
    score: Option<f64>,
    n: u64,
    successes: u64,
    judged: u64,
    positives: u64,
}

/// Decisions of a component by their label, from the best label down. A label that none has is left out, and so are decisions
/// without one. Read from the decisions themselves.
///
/// # Errors
/// Any [`QueryError`].
pub async fn labelled(
    client: &Client,
    component: &Component,
    label: Label,
    window: Window,
) -> Result<Vec<Labelled>, QueryError> {
    let [start, end] = window.bounds();
    let (name, place, score) = label.columns();
    let sql = format!(
        "SELECT CAST(assumeNotNull({name}), 'String') AS label, CAST(avg({score}), 'Nullable(Float64)') AS score, count() AS n, \
         countIf(success) AS successes, countIf(isNotNull(success_indicator)) AS judged, \
         countIf(ifNull(success_indicator, false)) AS positives FROM decisions \
         WHERE log_type = ? AND timestamp >= toDateTime(?, 'UTC') AND timestamp < toDateTime(?, 'UTC') AND {place} > 0 \
         GROUP BY label, {place} AS place ORDER BY place"
    );
    let query = client.query(&sql).bind(&component.log_type).bind(start).bind(end);
    let rows: Vec<LabelledRow> = client.rows(query).await?;
    let row = |it: LabelledRow| Labelled {
        label: it.label,
        score: it.score,
        n: it.n,
        successes: it.successes,
        judged: it.judged,
        positives: it.positives,
    };
    Ok(rows.into_iter().map(row).collect())
}
