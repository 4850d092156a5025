//! How often the analysis is right: the code that the services run, on simulated data whose truth is known, beside the usual
//! methods from PyPI on the same series. Each share has its binomial interval and its target; a target that is missed beyond
//! chance fails the run.
//!
//! ```text
//! options ─► rows ───────────────────► references ─────────► thresholds ──► report
//!            [rows]: one file a row,   [references]: the      [thresholds]:   [report]: a table a row,
//!            each a list of [cell]s    series to Python and   the targets,    between its marks in
//!            over report [seeds]       its verdicts back      frozen          docs/statistics.md
//! ```
//!
//! [agreement] puts seeds of the rows through the stack as well: what Kafka, collector and engine make of them is what is scored.

pub mod agreement;
pub mod cell;
pub mod estimate;
pub mod generate;
pub mod references;
pub mod report;
pub mod rows;
pub mod seeds;
pub mod thresholds;
