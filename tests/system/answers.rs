//! Answers about metrics are kept, and rest on all that was stored shortly before the question came all the same.

use std::time::Duration;

use anyhow::{Context, Result};
use kaizen_api::analysis::v1::Step;
use kaizen_testkit::Sandbox;

use crate::client::{series, window};

/// What was stored or removed as long ago, every answer rests on.
const AGE: Duration = Duration::from_millis(50);

/// A message and an enrichment each minute of a Monday; every second enrichment fails.
const DECISIONS: &str = "INSERT INTO kaizen.decisions (_offset, event_id, log_type, session_id, timestamp, _ingested_at, success) \
     SELECT number, concat('event-', toString(number)), ['campaign_generation', 'enrichment_decision'][1 + number % 2], \
     concat('session-', toString(intDiv(number, 2))), \
     toDateTime64('2026-01-12 00:00:00', 3, 'UTC') + intDiv(number, 2) * 60 AS time, now64(3), intDiv(number, 2) % 2 = 0 \
     FROM numbers(2 * 1440)";

const LATE: &str = "INSERT INTO kaizen.decisions (_offset, event_id, log_type, session_id, timestamp, _ingested_at, success) \
     VALUES (9000, 'late', 'enrichment_decision', 'late', '2026-01-12 12:00:00', now64(3), true)";

/// A reply in a session, two days later.
fn reply(session: u32) -> String {
    format!(
        "INSERT INTO kaizen.outcomes (_offset, event_id, session_id, outcome, timestamp, _ingested_at) \
         VALUES ({session}, 'reply-{session}', 'session-{session}', 'replied', '2026-01-14 09:00:00', now64(3))"
    )
}

/// Changes what is stored; returns when every answer is to rest on it.
async fn changed(sandbox: &Sandbox, statement: &str) -> Result<()> {
    sandbox.stack().clickhouse().query(statement).await?;
    tokio::time::sleep(AGE).await;
    Ok(())
}

/// How many decisions a metric rests on that Monday, and its value.
async fn asked(sandbox: &Sandbox, metric: &str) -> Result<Option<(u64, Option<f64>)>> {
    let monday = window("2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z")?;
    let all = series(sandbox, metric, monday, Step::Hour, "").await?;
    let total = all.first().map(|it| it.total.context("a total")).transpose()?;
    Ok(total.map(|it| (it.n, it.value)))
}

#[tokio::test]
async fn an_answer_that_was_given_stands_until_something_it_rests_on_has_been_stored_or_removed() -> Result<()>
{
    let sandbox = Sandbox::start().await?;
    changed(&sandbox, DECISIONS).await?;
    changed(&sandbox, &reply(3)).await?;
    let (enriched, replied) = ("lead_enrichment.success_rate", "ai_message_generation.reply_rate");
    for _ in 0..3 {
        assert_eq!(asked(&sandbox, enriched).await?, Some((1440, Some(0.5))));
        assert_eq!(asked(&sandbox, replied).await?, Some((1440, Some(1.0 / 1440.0))));
    }
    changed(&sandbox, LATE).await?;
    assert_eq!(
        asked(&sandbox, enriched).await?,
        Some((1441, Some(721.0 / 1441.0)))
    );
    changed(&sandbox, &reply(7)).await?;
    assert_eq!(asked(&sandbox, replied).await?, Some((1440, Some(2.0 / 1440.0))));
    let removed = "ALTER TABLE kaizen.rollup_hourly DELETE WHERE log_type = 'enrichment_decision' AND toHour(hour) >= 6 \
                   SETTINGS mutations_sync = 1";
    changed(&sandbox, removed).await?;
    assert_eq!(asked(&sandbox, enriched).await?, Some((360, Some(0.5))));
    Ok(())
}
