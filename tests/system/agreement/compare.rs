//! What differs, told all at once.

use std::fmt::{Debug, Display};

use anyhow::{Result, bail};
use kaizen_findings::Explanation;
use kaizen_score::agreement::Tenant;

/// Most that are told.
const TOLD: usize = 40;

/// Where memory and engine disagree.
#[derive(Default)]
pub struct Differences {
    compared: usize,
    told: Vec<String>,
}

impl Differences {
    /// Tells the two unless they are equal.
    pub fn same<T: PartialEq + Debug>(&mut self, what: impl Display, memory: &T, engine: &T) {
        self.compared += 1;
        if memory != engine {
            self.told.push(format!(
                "{what}:\n  in memory  {memory:?}\n  end to end {engine:?}"
            ));
        }
    }

    /// Tells what one list lacks, or has otherwise than the other at the same place.
    pub fn same_list<T: PartialEq + Debug>(&mut self, what: &str, memory: &[T], engine: &[T]) {
        self.same(format!("number of {what}s"), &memory.len(), &engine.len());
        for (at, (memory, engine)) in memory.iter().zip(engine).enumerate() {
            self.same(format!("{what} {at}"), memory, engine);
        }
    }

    /// Fails if anything differs, with the seeds.
    pub fn are_none(self, tenants: &[Tenant]) -> Result<()> {
        if self.told.is_empty() && self.compared > 0 {
            return Ok(());
        }
        let seeds: Vec<String> = tenants.iter().map(ToString::to_string).collect();
        bail!(
            "{} of {} differ:\n{}\nseeds:\n{}",
            self.told.len(),
            self.compared,
            self.told[..self.told.len().min(TOLD)].join("\n"),
            seeds.join("\n")
        )
    }
}

/// Metric; decisions in both windows; change and causes in numbers.
pub type Told = (String, [f64; 2], Vec<f64>, Vec<(Vec<(String, String)>, Vec<f64>)>);

/// What is stored of an explanation; nothing is where there is no change.
pub fn told((metric, it): &(String, Explanation)) -> Option<Told> {
    let change = it.change?;
    let causes = it.causes.iter().map(|cause| {
        let numbers = vec![
            cause.effect,
            cause.interval.0,
            cause.interval.1,
            cause.p_value,
            cause.mix,
            cause.rate,
            cause.baseline.n,
            cause.current.n,
        ];
        (cause.slice.clone(), numbers)
    });
    let whole = vec![
        change.difference,
        change.interval.0,
        change.interval.1,
        change.p_value,
        change.mix,
        change.rate,
    ];
    Some((
        metric.clone(),
        [it.baseline.n, it.current.n],
        whole,
        causes.collect(),
    ))
}
