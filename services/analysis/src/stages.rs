//! The stages of a run, in their order.

mod count;
mod judge;
mod measure;
mod record;

use kaizen_catalogue::Catalogue;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{Analysis, MetricPoint, QueryError, TrendRecord};

pub use measure::Measured;

/// The names of the stages, in their order.
pub const STAGES: [&str; 4] = ["count", "measure", "judge", "record"];

/// What the stages work on, and what they have found so far.
pub struct Work<'a> {
    /// What is measured.
    pub catalogue: &'a Catalogue,
    /// Where the facts are.
    pub client: &'a Client,
    /// The run.
    pub analysis: Analysis,
    /// What is known of each metric.
    pub measured: Vec<Measured>,
    /// The values.
    pub points: Vec<MetricPoint>,
    /// The trends.
    pub trends: Vec<TrendRecord>,
}

impl Work<'_> {
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
            _ => record::record(self).await,
        }
    }
}
