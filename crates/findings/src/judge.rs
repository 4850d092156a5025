//! Which way metrics go, and when they turned.
//!
//! ```text
//! history ─► days ─┬─► the long run (Mann-Kendall, Theil-Sen)             ─┐
//!         │        └─► shift: the period beside the one before (paired t) ─┴─► verdict, one family a run
//!         └► hours, or days ─► moves: changes of level, anomalies
//! ```
//!
//! An hour or day most of whose decisions are missing has no value, so that an outage is a fault of the data and never a
//! change of what is measured.

mod history;
mod moves;
mod shift;
mod verdict;

pub use history::{History, Observed, Quality, Spans};
pub use moves::{Anomaly, Move};
pub use verdict::{Direction, Significance, Slope, Trend};

/// What is found in the past of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Which way it goes.
    pub trend: Trend,
    /// Its changes of level in the two periods, in the order of time.
    pub moves: Vec<Move>,
    /// Values of the two periods far from what was likely, in the order of time.
    pub anomalies: Vec<Anomaly>,
}

/// Judges the metrics of a run together: of the trends it calls, about one in twenty is chance, however many metrics there
/// are.
pub fn judge(histories: &[History], spans: Spans) -> Vec<Judgement> {
    let moves = histories
        .iter()
        .map(|history| moves::find(history, histories.len(), spans));
    let evidence: Vec<_> = histories
        .iter()
        .map(|history| verdict::weigh(history, spans))
        .collect();
    let trends = verdict::judge(histories, &evidence);
    let found = trends.into_iter().zip(moves);
    found
        .map(|(trend, (moves, anomalies))| Judgement {
            trend: trend.with_onset(&moves),
            moves,
            anomalies,
        })
        .collect()
}
