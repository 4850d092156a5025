//! The rollup beside its decisions, to the last digit.

use std::time::Duration;

use jiff::Timestamp;
use kaizen_warehouse::Client;
use kaizen_warehouse::queries::{HourCount, RollupAudit, Window, audit_rollup, rollup_hours};
use kaizen_warehouse::rollup::Rollup;

/// Decisions compared by one query: some seconds.
const AT_ONCE: u64 = 1_000_000;
/// The rollup is behind by a moment while decisions are inserted. A difference that is the same in so many looks, so far
/// apart, is none of these.
const LOOKS: usize = 3;
const APART: Duration = Duration::from_millis(500);
const HOUR: u32 = 3600;

/// How many hours there are from second `since` on, and those that differ.
pub async fn audit(
    client: &Client,
    window: Option<Window>,
    since: u32,
) -> anyhow::Result<(usize, Vec<RollupAudit>)> {
    let bounds = |second: u32| {
        let second = i64::from(second);
        window.is_none_or(|it| (it.start().as_second()..it.end().as_second()).contains(&second))
    };
    let mut hours = rollup_hours(client).await?;
    // Beyond what the rollup knows, the window tells where to look for decisions that it does not have.
    let edges = window.map(|it| [it.start(), it.end() - jiff::SignedDuration::from_hours(1)]);
    let (first, last) = (hours.first().map(|it| it.hour), hours.last().map(|it| it.hour));
    for edge in edges.into_iter().flatten() {
        let hour = u32::try_from(edge.as_second())?;
        if first.is_some_and(|first| first < hour) && last.is_some_and(|last| hour < last) {
            hours.push(HourCount { hour, decisions: 0 });
        }
    }
    hours.retain(|it| it.hour >= since && bounds(it.hour));
    hours.sort_unstable_by_key(|it| it.hour);
    let rollup = Rollup::read(client).await?;
    let mut differing = Vec::new();
    for window in windows(&hours)? {
        let mut found = audit_rollup(client, &rollup, window).await?;
        for _ in 1..LOOKS {
            if found.is_empty() {
                break;
            }
            tokio::time::sleep(APART).await;
            let again = audit_rollup(client, &rollup, window).await?;
            found.retain(|it| again.contains(it));
        }
        differing.extend(found);
    }
    let decided = hours.iter().filter(|it| it.decisions > 0).count();
    Ok((decided.max(differing.len()), differing))
}

/// Whole hours taken together, with all between.
fn windows(hours: &[HourCount]) -> anyhow::Result<Vec<Window>> {
    let mut parts: Vec<(u32, u32, u64)> = Vec::new();
    for HourCount { hour, decisions } in hours {
        match parts.last_mut() {
            Some((_, end, together)) if *together + decisions <= AT_ONCE => {
                *end = hour + HOUR;
                *together += decisions;
            }
            before => {
                let first = before.map_or(*hour, |(_, end, _)| *end);
                parts.push((first, hour + HOUR, *decisions));
            }
        }
    }
    let time = |second: u32| Timestamp::from_second(second.into());
    let window = |(start, end, _): (u32, u32, u64)| Ok(Window::new("window", time(start)?, time(end)?)?);
    parts.into_iter().map(window).collect()
}
