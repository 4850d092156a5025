//! How long decisions take: log-normal, with a Pareto tail if asked for.

use crate::scenario::Method;

/// The seconds of a method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    median: f64,
    sigma: f64,
    tail: Option<Cut>,
}

/// Where the tail begins.
#[derive(Debug, Clone, Copy)]
struct Cut {
    z: f64,
    seconds: f64,
    /// Share of the decisions in the tail.
    share: f64,
    alpha: f64,
}

impl Latency {
    pub(crate) fn of(method: &Method) -> Self {
        let (median, sigma) = (method.seconds.median, method.seconds.sigma);
        let tail = method.tail.map(|tail| {
            let z = normal_quantile(tail.above);
            Cut {
                z,
                seconds: median * libm::exp(sigma * z),
                share: 1.0 - tail.above,
                alpha: tail.alpha,
            }
        });
        Self { median, sigma, tail }
    }

    /// The seconds at a standard normal deviate: the same rank in both distributions.
    pub(crate) fn at(&self, z: f64) -> f64 {
        match self.tail {
            Some(cut) if z > cut.z => {
                let beyond = (upper(z) / cut.share).max(1e-12);
                cut.seconds * libm::pow(beyond, -1.0 / cut.alpha)
            }
            _ => self.median * libm::exp(self.sigma * z),
        }
    }

    /// Share of the decisions that take longer.
    pub(crate) fn survival(&self, seconds: f64) -> f64 {
        match self.tail {
            Some(cut) if seconds > cut.seconds => cut.share * libm::pow(seconds / cut.seconds, -cut.alpha),
            _ if self.sigma == 0.0 => f64::from(u8::from(seconds < self.median)),
            _ => upper(libm::log(seconds / self.median) / self.sigma),
        }
    }
}

/// Probability that a standard normal number is greater.
pub(crate) fn upper(z: f64) -> f64 {
    libm::erfc(z / std::f64::consts::SQRT_2) / 2.0
}

/// The number that a standard normal one is below with probability `rank`.
pub(crate) fn normal_quantile(rank: f64) -> f64 {
    if rank <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if rank >= 1.0 {
        return f64::INFINITY;
    }
    bisect(-40.0, 40.0, |z| 1.0 - upper(z) < rank)
}

/// Where a condition that holds from `low` on ceases to hold.
pub(crate) fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = low.midpoint(high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.midpoint(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{LogNormal, Tail};

    #[test]
    fn survival_is_the_inverse_of_the_quantile_in_body_and_tail() {
        let method = Method {
            name: String::new(),
            weight: 1.0,
            success: 1.0,
            approval: 1.0,
            seconds: LogNormal {
                median: 2.0,
                sigma: 0.4,
            },
            tail: Some(Tail {
                above: 0.95,
                alpha: 1.5,
            }),
            quality: None,
        };
        let latency = Latency::of(&method);
        for rank in [0.01, 0.5, 0.9, 0.9499, 0.951, 0.99, 0.9999] {
            let seconds = latency.at(normal_quantile(rank));
            assert!((latency.survival(seconds) - (1.0 - rank)).abs() < 1e-9, "{rank}");
        }
        let (p95, p9995) = (
            latency.at(normal_quantile(0.95)),
            latency.at(normal_quantile(0.9995)),
        );
        assert!(
            (p9995 / p95 - 100_f64.powf(1.0 / 1.5)).abs() < 1e-6,
            "{p95} {p9995}"
        );
    }

    #[test]
    fn the_normal_quantiles_are_those_of_the_tables() {
        for (rank, z) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.01, -2.326_347_874)] {
            assert!((normal_quantile(rank) - z).abs() < 1e-8);
        }
    }
}
