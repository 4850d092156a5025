use kaizen_stats::{Cube, Moments, NotOfTheCube, TwoPeriods};

/// Name of the value that stands for all that are too rare to stand for themselves.
pub use kaizen_stats::OTHER as REST;

/// A metric in two windows, cell by cell of the dimensions that may explain its change.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricCube {
    /// What the sums say.
    pub quantity: Quantity,
    /// The cells that have decisions in either window; a value is empty where decisions have none.
    pub cells: Cube<TwoPeriods>,
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

impl MetricCube {
    /// Of cells by their values, each with its sums before and now.
    ///
    /// # Errors
    /// A cell does not have one value for each dimension.
    pub fn of<S: AsRef<str>>(
        quantity: Quantity,
        dimensions: &[&str],
        cells: impl IntoIterator<Item = (Vec<S>, [CellSums; 2])>,
    ) -> Result<Self, NotOfTheCube> {
        let mut cube = Cube::new(dimensions.iter().copied());
        for (values, sums) in cells {
            cube.add(&values, two_periods(&sums))?;
        }
        Ok(Self {
            quantity,
            cells: cube,
        })
    }
}

/// A cell's sums before and now.
pub fn two_periods([baseline, current]: &[CellSums; 2]) -> TwoPeriods {
    TwoPeriods {
        baseline: baseline.into(),
        current: current.into(),
    }
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
