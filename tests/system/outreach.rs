//! The real outreach decisions: what the system says of them is what a direct count of the file says.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use kaizen_api::analysis::v1::Step;
use kaizen_testkit::{Sandbox, workspace};
use serde::Deserialize;

use crate::client::{series, text, window};

#[derive(Deserialize)]
struct Contact {
    contacted_at: String,
    subscribed: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Month {
    contacts: u64,
    conversions: u64,
}

fn file() -> PathBuf {
    workspace().join("tests/fixtures/outreach/outreach.csv.gz")
}

/// Counted from the file alone.
fn months() -> Result<BTreeMap<String, Month>> {
    let mut months: BTreeMap<String, Month> = BTreeMap::new();
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(file())?));
    for contact in reader.deserialize() {
        let contact: Contact = contact?;
        let month = contact.contacted_at.get(..7).context("a month")?.to_owned();
        let counted = months.entry(month).or_default();
        counted.contacts += 1;
        counted.conversions += u64::from(contact.subscribed == "yes");
    }
    Ok(months)
}

#[tokio::test]
async fn every_outreach_decision_arrives_and_conversion_per_month_is_that_of_the_file() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let path = file();
    let path = path.to_str().context("a path in UTF-8")?;
    let summary = sandbox
        .kaizen(&["import", path, "--mapping", "config/mappings/outreach.yaml"])
        .await?;
    ensure!(
        summary.contains("41188") || summary.contains("41,188"),
        "{summary}"
    );

    let clickhouse = sandbox.stack().clickhouse();
    let stored =
        "SELECT count(), uniqExact(_topic, _partition, _offset), uniqExact(event_id) FROM kaizen.decisions";
    assert_eq!(clickhouse.query(stored).await?, "41188\t41188\t41188");
    assert_eq!(
        clickhouse.query("SELECT count() FROM kaizen.rejections").await?,
        "0"
    );
    assert_eq!(
        clickhouse
            .query("SELECT countIf(lead_name != '' OR company != '') FROM kaizen.decisions")
            .await?,
        "0"
    );

    let mut truth = months()?;
    let span = window("2008-05-01T00:00:00Z", "2010-12-01T00:00:00Z")?;
    let series = series(
        &sandbox,
        "ai_message_generation.approval_rate",
        span,
        Step::Month,
        "",
    )
    .await?;
    let [whole] = series.as_slice() else {
        anyhow::bail!("one series, not {}", series.len())
    };
    assert_eq!(whole.points.len(), 31, "a point a month, empty months included");
    for point in &whole.points {
        let start = text(point.start_time)?;
        let expected = truth.remove(&start[..7]).unwrap_or_default();
        let value = point.value.as_ref().context("a point without a value")?;
        assert_eq!(value.n, expected.contacts, "{start}");
        let rate = (expected.contacts > 0).then(|| expected.conversions as f64 / expected.contacts as f64);
        assert_eq!(value.value, rate, "{start}");
    }
    assert!(
        truth.is_empty(),
        "months of the file that no point is for: {truth:?}"
    );
    Ok(())
}
