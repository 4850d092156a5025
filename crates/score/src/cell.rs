//! One figure of a row, ours beside others'.

use std::collections::BTreeMap;

use crate::estimate::{Estimate, Kind};

/// One cell of a row.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What is simulated and asked, unique in its row: the thresholds know it by this.
    pub name: String,
    /// What the production code comes to.
    pub kaizen: Estimate,
    /// What others come to, in the order of the columns.
    pub others: Vec<(String, Estimate)>,
    /// What the methods from PyPI are to be run on.
    pub export: Option<Export>,
}

impl Cell {
    /// A cell without others.
    pub fn new(name: impl Into<String>, kaizen: Estimate) -> Self {
        Self {
            name: name.into(),
            kaizen,
            others: Vec::new(),
            export: None,
        }
    }

    /// What one who does nothing, or always alarms, comes to: it rests on no trial.
    #[must_use]
    pub fn constant(self, method: &str, value: f64) -> Self {
        let interval = (value, value);
        self.beside(
            method,
            Estimate {
                value,
                interval,
                trials: 0,
            },
        )
    }

    /// Another method's figure.
    #[must_use]
    pub fn beside(mut self, method: &str, estimate: Estimate) -> Self {
        self.others.push((method.to_owned(), estimate));
        self
    }

    /// Runs methods from PyPI on the same series.
    #[must_use]
    pub fn referring(mut self, export: Export) -> Self {
        self.export = Some(export);
        self
    }
}

/// Series for the methods from PyPI.
#[derive(Debug, Clone)]
pub struct Export {
    /// Name of the function in `references/score.py`.
    pub task: &'static str,
    /// What its numbers say.
    pub kind: Kind,
    /// One series a trial.
    pub series: Vec<Vec<f64>>,
    /// What the function is told.
    pub parameters: BTreeMap<&'static str, f64>,
}

impl Export {
    /// Series with nothing else told.
    pub fn new(task: &'static str, kind: Kind, series: Vec<Vec<f64>>) -> Self {
        Self {
            task,
            kind,
            series,
            parameters: BTreeMap::new(),
        }
    }

    /// Tells the function a number.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        self.parameters.insert(name, value);
        self
    }
}
