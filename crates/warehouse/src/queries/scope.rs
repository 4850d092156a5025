//! Which decisions a query is about: a component's, in a window, with chosen values of dimensions.

use clickhouse::query::Query;
use kaizen_catalogue::{BUILT_IN_DIMENSIONS, Component};

use super::cells::Cells;
use super::{QueryError, Window};
use crate::client::Client;

/// Most filters of a query.
pub const MAX_FILTERS: usize = 10;
/// Most values of a filter.
pub const MAX_FILTER_VALUES: usize = 100;

/// Keeps only decisions whose dimension has one of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Name of a dimension.
    pub dimension: String,
    /// Values to keep, 1 to [`MAX_FILTER_VALUES`]; empty for decisions without the dimension.
    pub values: Vec<String>,
}

/// Refuses too many filters, dimensions the component lacks and filters without values.
pub(super) fn check_filters(component: Option<&Component>, filters: &[Filter]) -> Result<(), QueryError> {
    if filters.len() > MAX_FILTERS {
        return Err(QueryError::invalid(
            "filters",
            format!("{} given, at most {MAX_FILTERS} allowed", filters.len()),
        ));
    }
    for (index, filter) in filters.iter().enumerate() {
        let known: Vec<&str> = component.map_or(BUILT_IN_DIMENSIONS.to_vec(), |component| {
            component.dimension_names().collect()
        });
        check_dimension(&format!("filters[{index}].dimension"), &filter.dimension, &known)?;
        if filter.values.is_empty() || filter.values.len() > MAX_FILTER_VALUES {
            let reason = format!("{} given, 1 to {MAX_FILTER_VALUES} allowed", filter.values.len());
            return Err(QueryError::invalid(format!("filters[{index}].values"), reason));
        }
    }
    Ok(())
}

pub(super) fn check_dimension(field: &str, dimension: &str, known: &[&str]) -> Result<(), QueryError> {
    if known.contains(&dimension) {
        return Ok(());
    }
    Err(QueryError::invalid(
        field,
        format!(
            "`{dimension}` is no dimension here; there are {}",
            known.join(", ")
        ),
    ))
}

/// SQL for the value of a dimension of a rollup row, as a string; empty when the decision has none. A declared
/// dimension leaves one `?`, for which [`bind_dimension`] fills in the name.
pub(super) fn dimension_sql(dimension: &str) -> String {
    match BUILT_IN_DIMENSIONS
        .into_iter()
        .find(|built_in| *built_in == dimension)
    {
        Some(built_in) => format!("toString({built_in})"),
        None => "toString(arrayFirst(d -> d.1 = ?, dims).2)".to_owned(),
    }
}

pub(super) fn bind_dimension(query: Query, dimension: &str) -> Query {
    if BUILT_IN_DIMENSIONS.contains(&dimension) {
        query
    } else {
        query.bind(dimension)
    }
}

/// What rows are grouped by: the values of dimensions, of each the listed ones, the others as one value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Split<'a> {
    /// All rows are one group without a name.
    None,
    /// A group is a value of a dimension.
    By(&'a Listed<'a>),
    /// A group is a combination of values, named by its number.
    ByCell(&'a Cells<'a>),
}

/// Values of a dimension.
#[derive(Debug, Clone)]
pub(super) struct Listed<'a> {
    pub(super) dimension: &'a str,
    pub(super) values: Vec<String>,
    /// What the others are called.
    pub(super) other: &'static str,
}

impl<'a> Split<'a> {
    /// SQL of a row's group, to be bound by [`Split::bind`]; `value` gives that of a dimension.
    pub(super) fn sql(self, value: impl Fn(&str) -> String) -> String {
        match self {
            Self::None => "''".to_owned(),
            Self::By(listed) => {
                let value = value(listed.dimension);
                format!("if(({value} AS value0) IN ?, value0, ?)")
            }
            Self::ByCell(cells) => cells.sql(value),
        }
    }

    /// ClickHouse's type of [`Split::sql`].
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::None | Self::By(_) => "String",
            Self::ByCell(cells) => cells.kind(),
        }
    }

    pub(super) fn bind(self, query: Query) -> Query {
        match self {
            Self::None => query,
            Self::By(listed) => bind_dimension(query, listed.dimension)
                .bind(listed.values_or_none())
                .bind(listed.other),
            Self::ByCell(cells) => cells.bind(query),
        }
    }
}

impl Listed<'_> {
    /// ClickHouse has no empty list; a value that stands for the others stands in for it.
    pub(super) fn values_or_none(&self) -> Vec<&str> {
        if self.values.is_empty() {
            vec![self.other]
        } else {
            self.values.iter().map(String::as_str).collect()
        }
    }
}

/// The rollup rows a query reads.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) client: &'a Client,
    pub(super) component: &'a Component,
    pub(super) window: Window,
    pub(super) filters: &'a [Filter],
}

impl Scope<'_> {
    /// The condition of the `WHERE` clause, to be bound by [`Scope::bind`].
    pub(super) fn condition(&self) -> String {
        let mut sql =
            "log_type = ? AND hour >= toDateTime(?, 'UTC') AND hour < toDateTime(?, 'UTC')".to_owned();
        for filter in self.filters {
            sql += &format!(" AND {} IN ?", dimension_sql(&filter.dimension));
        }
        sql
    }

    pub(super) fn bind(&self, query: Query) -> Query {
        let [start, end] = self.window.bounds();
        let mut query = query.bind(&self.component.log_type).bind(start).bind(end);
        for filter in self.filters {
            query = bind_dimension(query, &filter.dimension).bind(&filter.values);
        }
        query
    }
}
