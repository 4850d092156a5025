use kaizen_stats::Moments;

/// Name of the value that stands for all that are too rare to stand for themselves.
pub use kaizen_stats::OTHER as REST;

/// A metric in two windows, cell by cell of the dimensions that may explain its change.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricCube {
    /// What the sums say.
    pub quantity: Quantity,
    /// Names of the dimensions.
    pub dimensions: Vec<String>,
    /// The cells that have decisions in either window.
    pub cells: Vec<Cell>,
}

/// What the sums of a cell say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// A mean or share: sums over a number of decisions.
    Mean,
    /// A number or sum that cells add up to.
    Total,
    /// The share of decisions above this value, the metric's quantile in the earlier window.
    Above(f64),
}

/// One combination of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// A value of each dimension, in their order; empty where decisions have none.
    pub values: Vec<String>,
    /// Before.
    pub baseline: CellSums,
    /// Now.
    pub current: CellSums,
}

/// A metric's sums in one cell and window.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CellSums {
    /// Decisions.
    pub n: f64,
    /// Sum over them: of hits, of a measure, or their number itself.
    pub sum: f64,
    /// Sum of squares. Of a share it is the sum.
    pub sum_squares: f64,
}

impl From<&CellSums> for Moments {
    fn from(sums: &CellSums) -> Self {
        Self {
            count: sums.n,
            sum: sums.sum,
            sum_of_squares: sums.sum_squares,
        }
    }
}

impl From<&Moments> for CellSums {
    fn from(moments: &Moments) -> Self {
        Self {
            n: moments.count,
            sum: moments.sum,
            sum_squares: moments.sum_of_squares,
        }
    }
}

impl CellSums {
    /// Mean over the decisions; `None` without any.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0.0).then(|| self.sum / self.n)
    }
}
