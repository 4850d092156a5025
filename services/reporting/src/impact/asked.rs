//! The question that a ticket asks.

use jiff::Timestamp;
use kaizen_catalogue::{Catalogue, Component, Metric};
use kaizen_ledger::{Implementation, Ticket};
use kaizen_warehouse::queries::{Filter, Window};

use crate::tracker::Frozen;

/// A change, and what it was to improve.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The ticket.
    pub ticket: &'a Ticket,
    /// Component of the metric.
    pub component: &'a Component,
    /// The metric.
    pub metric: &'a Metric,
    /// What was done.
    pub change: &'a Implementation,
    /// The decisions it applies to, as dimension and value; empty for all.
    pub slice: Vec<(String, String)>,
    /// The recommendation it rests on.
    pub frozen: Option<Frozen>,
    /// Days after the change that are measured.
    pub period: u32,
    /// Days after the change for which looks are planned: `period`, or more.
    pub horizon: u32,
    /// The time it is.
    pub now: Timestamp,
}

/// Why a ticket asks nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unasked {
    /// Nothing is done yet.
    #[error("the ticket is not implemented: it is {0}")]
    NotImplemented(kaizen_ledger::State),
    /// It is not known what should improve.
    #[error("the ticket has no metric")]
    NoMetric,
    /// The catalogue has changed.
    #[error("the ticket's metric {0} is not in the catalogue")]
    UnknownMetric(String),
    /// The catalogue has changed, or the slice is none.
    #[error("the change applies to {0}, which is no dimension of the component")]
    UnknownDimension(String),
    /// All but some values cannot be asked for.
    #[error("the change applies to the rarer values of {0} together, which cannot be measured")]
    Rest(String),
    /// The ledger's text is none.
    #[error("the ticket's evidence cannot be read")]
    Evidence(#[from] serde_json::Error),
}

/// What stands for all but the most frequent values of a dimension.
const REST: &str = kaizen_findings::REST;

impl<'a> Asked<'a> {
    /// What `ticket` asks, for `period` days after its change.
    ///
    /// # Errors
    /// Any [`Unasked`].
    pub fn of(
        catalogue: &'a Catalogue,
        ticket: &'a Ticket,
        period: u32,
        now: Timestamp,
    ) -> Result<Self, Unasked> {
        let change = ticket.implementation.as_ref();
        let change = change.ok_or(Unasked::NotImplemented(ticket.state))?;
        if ticket.metric.is_empty() {
            return Err(Unasked::NoMetric);
        }
        let (component, metric) = catalogue
            .metric(&ticket.metric)
            .ok_or_else(|| Unasked::UnknownMetric(ticket.metric.clone()))?;
        let frozen = ticket.evidence.as_ref().map(Frozen::parse).transpose()?;
        let recommended = frozen.as_ref().map(|it| it.recommendation.slice.clone());
        let slice = if change.slice.is_empty() {
            recommended.unwrap_or_default()
        } else {
            change.slice.clone()
        };
        for (dimension, value) in &slice {
            if !component.has_dimension(dimension) {
                return Err(Unasked::UnknownDimension(dimension.clone()));
            }
            if value == REST {
                return Err(Unasked::Rest(dimension.clone()));
            }
        }
        Ok(Self {
            ticket,
            component,
            metric,
            change,
            slice,
            frozen,
            period,
            horizon: period,
            now,
        })
    }

    /// The same, as one of the looks that are planned up to day `horizon`.
    #[must_use]
    pub fn planned_for(self, horizon: u32) -> Self {
        Self {
            horizon: horizon.max(self.period),
            ..self
        }
    }

    /// The decisions it applies to.
    pub fn filters(&self) -> Vec<Filter> {
        self.slice.iter().map(filter).collect()
    }

    /// Whether the change is to mend what had come in that window: before it, things were other than without the change.
    pub fn restores(&self) -> bool {
        kaizen_findings::restores(&self.ticket.rule)
    }

    /// The window whose analysis raised the recommendation: it is no baseline, being chosen for how bad it was.
    pub fn raised(&self) -> Option<Window> {
        self.frozen.as_ref().and_then(Frozen::period)
    }
}

/// One condition.
pub(super) fn filter((dimension, value): &(String, String)) -> Filter {
    Filter {
        dimension: dimension.clone(),
        values: vec![value.clone()],
    }
}
