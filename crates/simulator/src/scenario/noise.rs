//! What the seed draws anew: the tenant, and the noise.

use serde::Deserialize;

/// What differs from seed to seed for good: one seed is one tenant. Nothing differs when all is absent.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The shares of methods, industries and values are drawn from a Dirichlet distribution around the given weights, with this
    /// concentration a value (1 and even weights: every division is as likely); 0.01 to 10⁶. As given when absent.
    pub concentration: Option<f64>,
    /// Standard deviation of what each value of a dimension adds to the log-odds, 0 to 3.
    #[serde(default)]
    pub spread: f64,
    /// Standard deviation of what is added to the log-odds of each component, 0 to 3.
    #[serde(default)]
    pub base: f64,
}

/// Noise beyond that of independent decisions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Shocks that last: they add up.
    #[serde(default)]
    pub shocks: Vec<Shock>,
    /// Standard deviation of a gamma factor of mean 1 on the number of decisions of each hour and component, 0 to 3: the numbers
    /// are negative binomial instead of Poisson.
    #[serde(default)]
    pub dispersion: f64,
}

/// A first-order autoregressive process that many decisions share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shock {
    /// Correlation from one step to the next, 0 to 0.999.
    pub phi: f64,
    /// Its standard deviation, 0 to 3: in log-odds, or of the logarithm of the number of decisions.
    pub sd: f64,
    /// Hours of a step: 1 to 168.
    #[serde(default = "hourly")]
    pub every_hours: u32,
    /// What it moves.
    #[serde(default)]
    pub on: Shocked,
    /// A dimension (`method_used`, `industry` or a pointer) each value of which has a shock of its own.
    pub by: Option<String>,
    /// Correlation of these shocks with each other, 0 to 1.
    #[serde(default)]
    pub correlation: f64,
}

fn hourly() -> u32 {
    1
}

/// What a shock moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shocked {
    /// The log-odds of success and approval.
    #[default]
    Outcome,
    /// The number of decisions.
    Volume,
}
