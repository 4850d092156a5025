//! Why decisions are missing: each reason by data that has it.

use std::collections::BTreeSet;

use anyhow::Result;
use kaizen_api::analysis::v1::finding::Detail;

use crate::fixture::{Fixture, request};

/// Two weeks of a decision of each kind every five minutes, without
/// - campaigns on Tuesday, 03:00 to 09:00, of the second week: the others are there;
/// - any decision on Wednesday at that time;
/// - enrichments on Thursday at that time: as many records are rejected then;
/// - analyses of websites from Saturday noon on;
/// - any decision on Sundays before 06:00, but for those of the CRM in the first week.
const DECISIONS: &str = "INSERT INTO kaizen.decisions (_offset, event_id, log_type, timestamp, _ingested_at, success) \
     SELECT number, toString(number), \
     ['campaign_generation', 'enrichment_decision', 'website_analysis', 'airtable_operation'][1 + number % 4] AS kind, \
     toDateTime64('2026-01-05 00:00:00', 3, 'UTC') + intDiv(number, 4) * 300 AS time, time, true \
     FROM numbers(2 * 7 * 288 * 4) \
     WHERE NOT (kind = 'campaign_generation' AND time >= '2026-01-13 03:00:00' AND time < '2026-01-13 09:00:00') \
     AND NOT (time >= '2026-01-14 03:00:00' AND time < '2026-01-14 09:00:00') \
     AND NOT (kind = 'enrichment_decision' AND time >= '2026-01-15 03:00:00' AND time < '2026-01-15 09:00:00') \
     AND NOT (kind = 'website_analysis' AND time >= '2026-01-17 12:00:00') \
     AND NOT (toDayOfWeek(time) = 7 AND toHour(time) < 6 AND (kind != 'airtable_operation' OR time >= '2026-01-18'))";

const REJECTIONS: &str = "INSERT INTO kaizen.rejections (_offset, _ingested_at, reason) SELECT number, \
     toDateTime64('2026-01-15 03:00:00', 3, 'UTC') + number * 300, 'invalid_json' FROM numbers(72)";

#[tokio::test]
async fn every_gap_is_told_with_its_reason() -> Result<()> {
    let fixture = Fixture::with(DECISIONS).await?;
    fixture.sql(REJECTIONS).await?;
    let found = fixture
        .service
        .runs()
        .await?
        .run_analysis(request("gaps")?)
        .await?
        .into_inner();
    let gaps: BTreeSet<(String, String, String)> = found
        .findings
        .into_iter()
        .filter_map(|finding| match finding.detail? {
            Detail::MissingData(gap) => {
                let start = gap.window?.start_time?.seconds;
                let start = jiff::Timestamp::from_second(start).ok()?;
                Some((finding.component, start.to_string(), gap.reason))
            }
            _ => None,
        })
        .collect();
    let expected = [
        ("crm_sync", "2026-01-14T03:00:00Z", "all_silent"),
        ("crm_sync", "2026-01-18T00:00:00Z", "unknown"),
        ("lead_enrichment", "2026-01-14T03:00:00Z", "all_silent"),
        ("lead_enrichment", "2026-01-15T03:00:00Z", "rejected"),
        ("ai_message_generation", "2026-01-13T03:00:00Z", "silent"),
        ("ai_message_generation", "2026-01-14T03:00:00Z", "all_silent"),
        ("website_scraping", "2026-01-14T03:00:00Z", "all_silent"),
        ("website_scraping", "2026-01-17T12:00:00Z", "not_yet"),
    ];
    let expected = expected
        .map(|(component, start, reason)| (component.to_owned(), start.to_owned(), reason.to_owned()));
    assert_eq!(gaps, BTreeSet::from(expected));
    Ok(())
}
