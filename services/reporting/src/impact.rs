//! What an implemented ticket changed, measured by the ladder of `kaizen_stats::impact`, and what that returned.
//!
//! [`Asked`] reads the question from the ticket, [`Course`] lays days around the change, `series` fetches the metric,
//! `controls` the slices that the change did not touch, `arms` the experiment if there is one; `measure` puts the question to
//! the statistics and `answer` their result into the wire's form, with `guardrails`, `overlaps` and `returns` beside it.
//! [`Schedule`] measures when it is due and moves tickets to their verdict; from what was measured, `learn` learns how the
//! forecasts of rules are to be corrected.

mod answer;
mod arms;
mod asked;
mod calibration;
mod controls;
mod corrections;
mod course;
mod cumulative;
mod estimate;
mod guardrails;
mod kept;
mod learn;
mod measure;
mod measured;
mod outcome;
mod overlaps;
mod returns;
mod schedule;
mod series;

use std::sync::Arc;

use kaizen_catalogue::Catalogue;
use kaizen_findings::Costs;
use kaizen_ledger::Ledger;
use kaizen_warehouse::Client;

pub use answer::decisions_a_day;
pub use asked::{Asked, Unasked};
pub use calibration::calibration;
pub use corrections::to_wire as correction;
pub use cumulative::cumulative;
pub use kept::{Kept, Unreadable, kept, verdict_of, word_of};
pub use measure::{MeasureError, measure};
pub use measured::{MeasuredError, MeasuredTicket, measured};
pub use returns::{Terms, of_effect, sign};
pub use schedule::Schedule;

/// What measuring needs. Cheap to clone.
#[derive(Clone)]
pub struct Measurer {
    /// What is measured.
    pub catalogue: Arc<Catalogue>,
    /// Where decisions are.
    pub client: Client,
    /// Where tickets and measurements are.
    pub ledger: Ledger,
    /// What work costs and how long an improvement is counted.
    pub costs: Arc<Costs>,
}
