//! What all measured tickets returned.

use kaizen_api::analysis::v1::Estimate;
use kaizen_api::tracker::v1::{Contribution, CumulativePoint, GetCumulativeRoiResponse, Total};
use serde_json::{Value, json};

use super::{estimated, money, price};
use crate::findings::instant;
use crate::impact::json::{estimate, some};
use crate::impact::words;
use crate::output::{self, Output, say, table};
use crate::tickets::exact;

/// Prints it.
pub fn print(answer: &GetCumulativeRoiResponse, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => output::json(&as_json(answer)),
        Output::Table if answer.contributions.is_empty() => {
            say("No ticket has been measured yet.");
            Ok(())
        }
        Output::Table => {
            say(text(answer));
            Ok(())
        }
    }
}

fn text(answer: &GetCumulativeRoiResponse) -> String {
    let currency = &answer.currency;
    let total = answer.total.clone().unwrap_or_default();
    let mut text = format!(
        "{} of {} measured tickets returned, less their cost of {}:\n\nas measured  {}\nshrunk       {}\n             \
         (drawn towards the mean of all, as the best of many are nearly always measured too high)",
        total.tickets,
        answer.contributions.len(),
        price(total.cost, currency),
        estimated(total.net, currency),
        estimated(total.shrunk, currency)
    );
    for (heading, totals) in [
        ("By what came of it", &answer.kinds),
        ("By category", &answer.categories),
    ] {
        if !totals.is_empty() {
            text += &format!("\n\n{heading}:\n{}", sums(totals, currency));
        }
    }
    let header = ["until", "tickets", "as measured", "shrunk"];
    let point = |it: &CumulativePoint| {
        vec![
            instant(it.time).unwrap_or_default(),
            it.tickets.to_string(),
            money(it.net, currency),
            money(it.shrunk, currency),
        ]
    };
    text += &format!(
        "\n\nOver time:\n{}",
        table(&header, 1, answer.points.iter().map(point))
    );
    text + &format!("\n\nTickets:\n{}", tickets(&answer.contributions, currency))
}

fn sums(totals: &[Total], currency: &str) -> String {
    let row = |it: &Total| {
        vec![
            kind(&it.name),
            it.tickets.to_string(),
            amount(it.net, currency),
            interval(it.net),
            amount(it.shrunk, currency),
            interval(it.shrunk),
            price(it.cost, currency),
        ]
    };
    let header = [
        "",
        "tickets",
        "as measured",
        "95 % interval",
        "shrunk",
        "95 % interval",
        "cost",
    ];
    table(&header, 1, totals.iter().map(row))
}

fn tickets(contributions: &[Contribution], currency: &str) -> String {
    let row = |it: &Contribution| {
        let kind = if it.not_computed.is_empty() {
            kind(&it.kind)
        } else {
            format!("not counted: {}", it.not_computed)
        };
        vec![
            it.ticket_id.clone(),
            it.title.clone(),
            it.category.clone(),
            words::verdict(it.verdict()).to_owned(),
            kind,
            amount(it.net, currency),
            amount(it.shrunk, currency),
        ]
    };
    let header = [
        "id",
        "what",
        "category",
        "verdict",
        "counts as",
        "as measured",
        "shrunk",
    ];
    table(&header, 5, contributions.iter().map(row))
}

/** What came of tickets, for people; a category as it is. */
fn kind(name: &str) -> String {
    match name {
        "avoided_loss" => "avoided loss",
        "failed_work" => "failed work",
        other => other,
    }
    .to_owned()
}

fn amount(of: Option<Estimate>, currency: &str) -> String {
    of.map_or_else(|| "–".to_owned(), |it| money(it.value, currency))
}

fn interval(of: Option<Estimate>) -> String {
    let ends = of.and_then(|it| it.interval);
    ends.map_or_else(String::new, |it| {
        format!(
            "{} … {}",
            super::digits(it.lower, true),
            super::digits(it.upper, true)
        )
    })
}

fn as_json(it: &GetCumulativeRoiResponse) -> Value {
    let point = |it: &CumulativePoint| json!({"time": exact(it.time), "tickets": it.tickets, "net": it.net, "shrunk": it.shrunk});
    json!({
        "currency": some(&it.currency), "total": it.total.as_ref().map(total),
        "kinds": it.kinds.iter().map(total).collect::<Vec<_>>(),
        "categories": it.categories.iter().map(total).collect::<Vec<_>>(),
        "points": it.points.iter().map(point).collect::<Vec<_>>(),
        "contributions": it.contributions.iter().map(contribution).collect::<Vec<_>>(),
    })
}

fn total(it: &Total) -> Value {
    json!({"name": some(&it.name), "tickets": it.tickets, "net": estimate(it.net.as_ref()),
           "shrunk": estimate(it.shrunk.as_ref()), "cost": it.cost})
}

fn contribution(it: &Contribution) -> Value {
    json!({"ticket_id": it.ticket_id, "title": it.title, "category": it.category, "change_time": exact(it.change_time),
           "measure_time": exact(it.measure_time), "verdict": words::name(it.verdict()),
           "net": estimate(it.net.as_ref()), "shrunk": estimate(it.shrunk.as_ref()), "kind": some(&it.kind),
           "not_computed": some(&it.not_computed)})
}
