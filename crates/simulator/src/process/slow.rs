//! Quantiles of a slice's seconds, before and with a slowdown.

use super::expect::Expectation;
use super::latency::bisect;
use super::plan::Plan;
use super::plant::Planted;
use super::size::Size;
use crate::scenario::Slowdown;

/// The seconds of the decisions within, all methods together.
struct Mixture<'m, 'a> {
    plan: &'m Plan<'a>,
    within: &'m [bool],
}

/// The seconds between which decisions are slowed down.
pub(crate) fn bounds(plan: &Plan<'_>, within: &[bool], slow: Slowdown) -> (f64, f64) {
    let mixture = Mixture { plan, within };
    let bound = |rank: f64| match rank {
        0.0 => 0.0,
        1.0 => f64::INFINITY,
        rank => mixture.quantile(rank, |seconds, method| plan.latencies[method].survival(seconds)),
    };
    (bound(slow.above), bound(slow.below))
}

impl Mixture<'_, '_> {
    /// Share of the decisions that take longer, given that of each method.
    fn survival(&self, of_method: impl Fn(usize) -> f64) -> f64 {
        let (mut sum, mut whole) = (0.0, 0.0);
        for (class, _) in self.plan.classes.iter().zip(self.within).filter(|it| *it.1) {
            sum += class.share * of_method(class.method);
            whole += class.share;
        }
        sum / whole
    }

    fn quantile(&self, rank: f64, survival: impl Fn(f64, usize) -> f64) -> f64 {
        let beyond = |at: f64| self.survival(|method| survival(libm::exp(at), method));
        libm::exp(bisect(-20.0, 30.0, |at| beyond(at) > 1.0 - rank))
    }
}

/// What a slowdown does to the quantiles; what moves the tail alone is told of the tail first.
pub(crate) fn sizes(plan: &Plan<'_>, planted: &Planted<'_>, expectation: &Expectation<'_, '_>) -> Vec<Size> {
    let Some(slow) = planted.fault.effect.seconds else {
        return Vec::new();
    };
    let mixture = Mixture {
        plan,
        within: &planted.befalls,
    };
    let (_, a_day) = expectation.decisions(&planted.befalls, &Vec::new());
    let before = |seconds: f64, method: usize| plan.latencies[method].survival(seconds);
    let after = |seconds: f64, method: usize| {
        let survival = |seconds: f64| plan.latencies[method].survival(seconds);
        // Of those that are slowed down, the ones that then take longer; of the others, as before.
        let befallen = |from: f64| (survival(from.max(planted.slow.0)) - survival(planted.slow.1)).max(0.0);
        survival(seconds) + slow.share * (befallen(seconds / slow.factor) - befallen(seconds))
    };
    let size = |(of, rank): (&str, f64)| {
        let at = mixture.quantile(rank, before);
        // The asymptotic variance of a sample quantile: q (1 − q) ÷ (n f²).
        let beyond = |seconds: f64| mixture.survival(|method| before(seconds, method));
        let density = (beyond(at * 0.99) - beyond(at * 1.01)) / (0.02 * at);
        let deviation = (rank * (1.0 - rank) / a_day).sqrt() / density;
        Size::new(of, at, mixture.quantile(rank, after), Some(deviation))
    };
    let mut sizes: Vec<_> = [("p50_seconds", 0.5), ("p95_seconds", 0.95), ("p99_seconds", 0.99)]
        .map(size)
        .into();
    if slow.is_of_tail() {
        sizes.reverse();
    }
    sizes
}
