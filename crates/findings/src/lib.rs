//! From sums of decisions to findings. Pure: what the warehouse or a simulator has counted goes in, findings come out, and
//! the same input gives the same bits. The methods are `kaizen-stats`'; here is what is asked of them.

mod cube;
mod explain;
mod facts;
mod judge;
mod recommend;

pub use cube::{Cell, CellSums, MetricCube, Quantity, REST};
pub use explain::{Cause, Change, Explanation, Naming, explain};
pub use facts::{ChangeEntry, ComponentFacts, Costs, Explained, Facts, Groups, MetricFacts, TrendFacts};
pub use judge::{
    Anomaly, Direction, History, Judgement, Move, Observed, Quality, Significance, Slope, Spans, Trend, judge,
};
pub use recommend::{Difficulty, Estimate, Evidence, Impact, Priority, Recommendation, Return, recommend};
