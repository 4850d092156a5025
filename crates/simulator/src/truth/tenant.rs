//! What a seed drew for good.

use serde::Serialize;

use crate::process::plan::{Axis, Plan};
use crate::process::size::six_digits;

/// A component as the seed has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantTruth {
    /// Kind of its decisions.
    pub log_type: String,
    /// Added to the log-odds of success and approval of all its decisions.
    pub log_odds: f64,
    /// Method, industry and the declared dimensions.
    pub dimensions: Vec<DimensionTruth>,
}

/// A dimension as the seed has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DimensionTruth {
    /// `method_used`, `industry`, or the pointer.
    pub name: String,
    /// Its values.
    pub values: Vec<ValueTruth>,
}

/// A value as the seed has it, before anything befalls it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueTruth {
    /// The value.
    pub value: String,
    /// Its share of the decisions.
    pub share: f64,
    /// What it adds to the log-odds of success and approval.
    pub log_odds: f64,
}

pub(super) fn tenant(plan: &Plan<'_>) -> TenantTruth {
    let dimension = |axis: &Axis| DimensionTruth {
        name: axis.name.clone(),
        values: (axis.values.iter().zip(&axis.shares).zip(&axis.log_odds))
            .map(|((value, share), log_odds)| ValueTruth {
                value: value.clone(),
                share: six_digits(*share),
                log_odds: six_digits(*log_odds),
            })
            .collect(),
    };
    TenantTruth {
        log_type: plan.component.log_type.clone(),
        log_odds: six_digits(plan.base),
        dimensions: plan.axes.iter().map(dimension).collect(),
    }
}
