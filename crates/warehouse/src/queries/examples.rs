//! A handful of decisions that show what was found, the worst first.

use clickhouse::Row;
use clickhouse::query::Query;
use kaizen_catalogue::{BUILT_IN_DIMENSIONS, Component, Expression, Measure, StatedOf};
use kaizen_findings::Example;
use serde::Deserialize;

use super::arms::value;
use super::decisions::column;
use super::scope::check_filters;
use super::{Filter, Label, QueryError, Window};
use crate::client::Client;

/// Decisions that show something.
#[derive(Debug, Clone)]
pub struct ExamplesQuery<'a> {
    /// Component of the decisions.
    pub component: &'a Component,
    /// Timestamps of the decisions.
    pub window: Window,
    /// Filters, all of which must hold.
    pub filters: Vec<Filter>,
    /// Which of them.
    pub which: Which<'a>,
    /// At most so many.
    pub limit: u32,
}

/// Which decisions come first.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// The latest.
    Latest,
    /// Of a share the latest that count for the worse, of a measure those with the worst values; of anything else the latest.
    Worst {
        /// What is measured.
        expression: &'a Expression,
        /// Whether more of it is better.
        higher_is_better: bool,
    },
    /// Those that failed and were surest of themselves.
    SureAndWrong,
    /// Those that missed their aim and were labelled best.
    PraisedAndWrong(Label),
}

#[derive(Row, Deserialize)]
struct ExampleRow {
    event_id: String,
    timestamp: i64,
    shown: Option<f64>,
}

/// What a choice asks of the table, and what its `?` stand for.
#[derive(Default)]
struct Choice {
    /// What is shown of a decision.
    shown: String,
    shown_binds: Vec<String>,
    /// Conditions beside window and filters.
    condition: String,
    condition_binds: Vec<String>,
    /// What comes first, before the latest.
    order: &'static str,
}

/// The decisions. They are read from the table of decisions itself: a component's, within a window.
///
/// # Errors
/// [`QueryError::Invalid`] for a wrong filter; otherwise ClickHouse's.
pub async fn examples(client: &Client, query: &ExamplesQuery<'_>) -> Result<Vec<Example>, QueryError> {
    check_filters(Some(query.component), &query.filters)?;
    let choice = choice(query);
    let shown = match choice.shown.as_str() {
        "" => "CAST(NULL, 'Nullable(Float64)')".to_owned(),
        value => format!("toNullable(toFloat64({value}))"),
    };
    let mut sql = format!(
        "SELECT event_id, timestamp, {shown} AS shown FROM decisions WHERE log_type = ? \
         AND timestamp >= toDateTime(?, 'UTC') AND timestamp < toDateTime(?, 'UTC')"
    );
    for filter in &query.filters {
        sql += &format!(" AND {} IN ?", column(&filter.dimension));
    }
    sql += &choice.condition;
    sql += &format!(
        " ORDER BY {}timestamp DESC, _topic DESC, _partition DESC, _offset DESC LIMIT ?",
        choice.order
    );
    let rows: Vec<ExampleRow> = client.rows(bind(client.query(&sql), query, &choice)).await?;
    let example = |row: ExampleRow| Example {
        event_id: row.event_id,
        at: row.timestamp,
        value: row.shown,
    };
    Ok(rows.into_iter().map(example).collect())
}

fn bind(mut sql: Query, query: &ExamplesQuery<'_>, choice: &Choice) -> Query {
    let [start, end] = query.window.bounds();
    for text in &choice.shown_binds {
        sql = sql.bind(text);
    }
    sql = sql.bind(&query.component.log_type).bind(start).bind(end);
    for filter in &query.filters {
        if !BUILT_IN_DIMENSIONS.contains(&filter.dimension.as_str()) {
            sql = sql.bind(&filter.dimension);
        }
        sql = sql.bind(&filter.values);
    }
    for text in &choice.condition_binds {
        sql = sql.bind(text);
    }
    sql.bind(query.limit)
}

fn choice(query: &ExamplesQuery<'_>) -> Choice {
    match query.which {
        Which::Latest => Choice::default(),
        Which::Worst {
            expression,
            higher_is_better,
        } => worst(expression, higher_is_better),
        Which::SureAndWrong => sure_and_wrong(query.component),
        Which::PraisedAndWrong(label) => praised_and_wrong(label),
    }
}

fn worst(expression: &Expression, higher_is_better: bool) -> Choice {
    let single = match expression {
        Expression::Quantile(measure, _) | Expression::Sum(measure) => Expression::Mean(measure.clone()),
        expression => expression.clone(),
    };
    let Some((shown, is_there, (shown_binds, there_binds))) = value(&single) else {
        return Choice::default();
    };
    if matches!(single, Expression::Share(_)) {
        // Those that count for the worse: the share's own where less is better, the others where more is.
        let sign = if higher_is_better { "NOT " } else { "" };
        return Choice {
            condition: format!(" AND {is_there} AND {sign}({shown})"),
            condition_binds: [there_binds, shown_binds.clone()].concat(),
            shown,
            shown_binds,
            order: "",
        };
    }
    Choice {
        condition: format!(" AND {is_there}"),
        condition_binds: there_binds,
        shown,
        shown_binds,
        order: if higher_is_better {
            "shown ASC, "
        } else {
            "shown DESC, "
        },
    }
}

/// By the place of the label from the best down; of a score, which is shown, by itself.
fn praised_and_wrong(label: Label) -> Choice {
    let wrong = match label.outcome() {
        "success" => "NOT success",
        _ => "ifNull(NOT success_indicator, false)",
    };
    match label {
        Label::QualityScore => Choice {
            condition: format!(" AND isNotNull(quality_score) AND {wrong}"),
            shown: "quality_score".to_owned(),
            order: "shown DESC, ",
            ..Choice::default()
        },
        Label::ConfidenceLevel => Choice {
            condition: format!(" AND confidence_level = 'high' AND {wrong}"),
            ..Choice::default()
        },
        Label::ImprovementPotential => Choice {
            condition: format!(" AND improvement_potential = 'low' AND {wrong}"),
            ..Choice::default()
        },
    }
}

/// By the probability that decisions state, or by their level of confidence.
fn sure_and_wrong(component: &Component) -> Choice {
    let Some(stated) = &component.stated_probability else {
        return Choice {
            condition: " AND confidence_level = 'high' AND NOT success".to_owned(),
            ..Choice::default()
        };
    };
    let failed = match stated.of {
        StatedOf::Success => "NOT success",
        StatedOf::SuccessIndicator => "ifNull(NOT success_indicator, false)",
    };
    let by_measure = value(&Expression::Mean(Measure::Declared(stated.measure.clone())));
    let (shown, is_there, (shown_binds, condition_binds)) = by_measure.unwrap_or_default();
    Choice {
        condition: format!(" AND {is_there} AND {failed}"),
        condition_binds,
        shown,
        shown_binds,
        order: "shown DESC, ",
    }
}
