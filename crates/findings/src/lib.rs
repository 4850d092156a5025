//! From sums of decisions to findings. Pure: what the warehouse or a simulator has counted goes in, findings come out, and
//! the same input gives the same bits. The methods are `kaizen-stats`'; here is what is asked of them.

mod coverage;
mod cube;
mod explain;
mod facts;
mod finding;
mod judge;
mod recommend;
mod words;

pub use coverage::{Coverage, FARTHEST_WEEKS, Gap, HourlyCounts};
pub use cube::{CellSums, MetricCube, Quantity, REST, two_periods};
pub use explain::{Cause, Change, Explanation, Naming, explain};
pub use facts::{
    ChangeEntry, ComponentFacts, Correction, Costs, Explained, Facts, Groups, MetricFacts, Role, TrendFacts,
};
pub use finding::{
    About, Comparison, Detail, Finding, GroupStanding, LabelCounts, LabelOrder, LabelShape, LatencyTail,
    Level, Miscalibration, Missing, Reason, Stated, anomaly, label_order, latency_tail, level_change,
    level_order, missing_data, standings, stated_probabilities,
};
pub use judge::{
    Anomaly, Direction, History, Judgement, Move, Observed, Quality, Significance, Slope, Spans, Trend, judge,
};
pub use recommend::{
    Corrected, Difficulty, Estimate, Evidence, Example, Examples, Happened, Impact, Priority, Recommendation,
    Return, Standing, StandingChange, What, history, recommend, restores,
};
pub use words::{difference, in_words, told};
