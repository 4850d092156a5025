//! What came of decisions, by the labels that they were given.

use std::collections::BTreeMap;

use clickhouse::Row;
use kaizen_catalogue::Component;
use kaizen_findings::LabelCounts;
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

    /// What should come of the decisions it calls better: of confidence that they are carried out, of what is said of the output that
    /// it reaches its aim.
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::ConfidenceLevel => "success",
            Self::QualityScore | Self::ImprovementPotential => "success_indicator",
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

#[derive(Row, Deserialize)]
struct DayRow {
    day: u32,
    /// Place of the level of each label from the best down, from 1; 0 without it.
    places: Vec<u8>,
    /// The levels.
    labels: Vec<String>,
    n: u64,
    successes: u64,
    judged: u64,
    positives: u64,
}

/// Decisions of a component by each of its labels and by day (UTC), with what should have come of those it calls better: of
/// [`Label::ALL`], in that order. A label without decisions has no days. Read from the decisions themselves, once for all labels.
///
/// # Errors
/// Any [`QueryError`].
pub async fn label_counts(
    client: &Client,
    component: &Component,
    window: Window,
) -> Result<[LabelCounts; 3], QueryError> {
    let [start, end] = window.bounds();
    let columns = Label::ALL.map(Label::columns);
    let each = |of: fn(&(&str, &str, &str)) -> String| columns.each_ref().map(of).join(", ");
    let places = each(|(_, place, _)| format!("toUInt8(ifNull({place}, 0))"));
    let labels = each(|(label, _, _)| format!("ifNull(CAST({label}, 'Nullable(String)'), '')"));
    let sql = format!(
        "SELECT toUInt32(toRelativeDayNum(timestamp, 'UTC')) AS day, [{places}] AS places, [{labels}] AS labels, count() AS n, \
         countIf(success) AS successes, countIf(isNotNull(success_indicator)) AS judged, \
         countIf(ifNull(success_indicator, false)) AS positives FROM decisions \
         WHERE log_type = ? AND timestamp >= toDateTime(?, 'UTC') AND timestamp < toDateTime(?, 'UTC') \
         GROUP BY day, places, labels"
    );
    let query = client.query(&sql).bind(&component.log_type).bind(start).bind(end);
    let rows: Vec<DayRow> = client.rows(query).await?;
    Ok([0, 1, 2].map(|at| counts_of(at, &rows)))
}

/// What the rows say of the label at a place in [`Label::ALL`].
fn counts_of(at: usize, rows: &[DayRow]) -> LabelCounts {
    let label = Label::ALL[at];
    let mut levels: BTreeMap<u8, &str> = BTreeMap::new();
    let mut days: BTreeMap<u32, BTreeMap<u8, (u64, u64)>> = BTreeMap::new();
    for row in rows {
        let level = row.places.get(at).zip(row.labels.get(at));
        let Some((place, name)) = level.filter(|(place, _)| **place > 0) else {
            continue;
        };
        levels.insert(*place, name);
        let cell = days.entry(row.day).or_default().entry(*place).or_default();
        let (well, n) = match label {
            Label::ConfidenceLevel => (row.successes, row.n),
            Label::QualityScore | Label::ImprovementPotential => (row.positives, row.judged),
        };
        *cell = (cell.0 + well, cell.1 + n);
    }
    let of_day = |cells: &BTreeMap<u8, (u64, u64)>| {
        let of_level = |place| cells.get(place).copied().unwrap_or_default();
        let counts = levels.keys().map(of_level);
        counts.map(|(well, n)| (well as f64, n as f64)).collect()
    };
    LabelCounts {
        label: label.name().to_owned(),
        of: label.outcome().to_owned(),
        days: days.values().map(of_day).collect(),
        levels: levels.values().map(|it| (*it).to_owned()).collect(),
    }
}
