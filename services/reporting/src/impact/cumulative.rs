//! What all measured tickets returned together. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kaizen_api::analysis::v1::Estimate;
use kaizen_api::time::to_wire;
use kaizen_api::tracker::v1 as wire;
use kaizen_findings::restores;
use kaizen_stats::shrunk;

use super::estimate::{Z95, of_error};
use super::measured::MeasuredTicket;

/// A sum of independent numbers: value and variance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sum {
    value: f64,
    variance: f64,
}

impl Sum {
    fn of(value: f64, error: f64) -> Self {
        Self {
            value,
            variance: error * error,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            variance: self.variance + other.variance,
        }
    }

    fn estimate(self) -> Estimate {
        of_error(self.value, self.variance.sqrt())
    }
}

/// What counts of a ticket.
struct Counted {
    raw: Sum,
    shrunk: Sum,
    cost: f64,
    kind: &'static str,
    category: String,
    measured_at: Timestamp,
}

/// Sums up tickets, each with its latest measurement, the latest measured first. The benefits are drawn towards their mean by
/// what is left of them when all are looked at ([`shrunk`]); a cost is what it is. Sums take measurements as independent.
pub fn cumulative(tickets: Vec<MeasuredTicket>) -> wire::GetCumulativeRoiResponse {
    let returns: Vec<Option<wire::Return>> = tickets
        .iter()
        .map(|it| it.found.impact.as_ref()?.roi.clone())
        .collect();
    let measured: Vec<(f64, f64)> = returns.iter().flatten().map(benefit).collect();
    let mut drawn = shrunk(&measured).into_iter();
    let currency = returns.iter().flatten().next().map(|it| it.currency.clone());
    let (mut counted, mut contributions) = (Vec::new(), Vec::new());
    for (it, found) in tickets.into_iter().zip(returns) {
        let of_ticket = found.and_then(|found| {
            let (value, error) = benefit(&found);
            let drawn = drawn.next()?;
            Some(Counted {
                raw: Sum::of(value - found.cost, error),
                shrunk: Sum::of(drawn.value - found.cost, drawn.error),
                cost: found.cost,
                kind: kind(&it),
                category: it.ticket.category.clone(),
                measured_at: it.measured_at,
            })
        });
        contributions.push(contribution(it, of_ticket.as_ref()));
        counted.extend(of_ticket);
    }
    let total =
        |name: &str, belongs: &dyn Fn(&Counted) -> bool| total(name, counted.iter().filter(|it| belongs(it)));
    let categories: BTreeSet<&str> = counted.iter().map(|it| it.category.as_str()).collect();
    wire::GetCumulativeRoiResponse {
        currency: currency.unwrap_or_default(),
        total: Some(total("", &|_| true)),
        kinds: ["gain", "avoided_loss", "failed_work"]
            .map(|kind| total(kind, &|it| it.kind == kind))
            .into(),
        categories: categories
            .iter()
            .map(|category| total(category, &|it| it.category == *category))
            .collect(),
        points: points(&counted),
        contributions,
    }
}

/// Benefit and its standard error.
fn benefit(found: &wire::Return) -> (f64, f64) {
    let estimate = found.benefit.unwrap_or_default();
    let width = estimate.interval.map_or(0.0, |it| it.upper - it.lower);
    // What is certain still has an error above 0 to be weighed by
    (estimate.value, (width / (2.0 * Z95)).max(1e-9))
}

/// What a ticket's return is: something new, something that would have been lost, or work without an improvement.
fn kind(it: &MeasuredTicket) -> &'static str {
    let verdict = it.found.impact.as_ref().map(wire::Impact::verdict);
    match verdict {
        Some(wire::ImpactVerdict::Improved) if restores(&it.ticket.rule) => "avoided_loss",
        Some(wire::ImpactVerdict::Improved) => "gain",
        Some(wire::ImpactVerdict::NoDetectableChange | wire::ImpactVerdict::Worse) => "failed_work",
        Some(wire::ImpactVerdict::CannotTell | wire::ImpactVerdict::Unspecified) | None => "",
    }
}

fn contribution(it: MeasuredTicket, counted: Option<&Counted>) -> wire::Contribution {
    let why = match (&it.found.impact, counted) {
        (_, Some(_)) => String::new(),
        (Some(impact), None) => impact.roi_not_computed.clone(),
        (None, None) => it.found.unmeasurable.clone(),
    };
    wire::Contribution {
        ticket_id: it.ticket.id(),
        kind: kind(&it).to_owned(),
        verdict: (it.found.impact.as_ref())
            .map(|impact| impact.verdict)
            .unwrap_or_default(),
        title: it.ticket.title,
        category: it.ticket.category,
        change_time: Some(to_wire(it.implemented_at)),
        measure_time: Some(to_wire(it.measured_at)),
        net: counted.map(|it| it.raw.estimate()),
        shrunk: counted.map(|it| it.shrunk.estimate()),
        not_computed: why,
    }
}

fn total<'a>(name: &str, counted: impl Iterator<Item = &'a Counted>) -> wire::Total {
    let (mut tickets, mut cost) = (0, 0.0);
    let (mut raw, mut shrunk) = (Sum::default(), Sum::default());
    for it in counted {
        tickets += 1;
        cost += it.cost;
        (raw, shrunk) = (raw.plus(it.raw), shrunk.plus(it.shrunk));
    }
    wire::Total {
        name: name.to_owned(),
        tickets,
        net: Some(raw.estimate()),
        shrunk: Some(shrunk.estimate()),
        cost,
    }
}

/// Sums up to each measurement, earliest first.
fn points(counted: &[Counted]) -> Vec<wire::CumulativePoint> {
    let mut in_time: Vec<&Counted> = counted.iter().collect();
    in_time.sort_by_key(|it| it.measured_at);
    let (mut tickets, mut net, mut shrunk) = (0, 0.0, 0.0);
    let mut points = Vec::new();
    for it in in_time {
        tickets += 1;
        net += it.raw.value;
        shrunk += it.shrunk.value;
        points.push(wire::CumulativePoint {
            time: Some(to_wire(it.measured_at)),
            tickets,
            net,
            shrunk,
        });
    }
    points
}
