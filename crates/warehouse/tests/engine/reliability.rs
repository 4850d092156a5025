//! What came of decisions, by their labels.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use kaizen_findings::LabelCounts;
use kaizen_warehouse::queries::{Label, Labelled, Window, label_counts, labelled};

use crate::catalogue::catalogue;
use crate::sandbox::Sandbox;

/// What is measured.
const METRICS: [(&str, &str, &str, &str); 1] = [("number", "count()", "count", "higher_is_better")];

/// Twelve decisions, one an hour, of score 100, 95, 90, 89, … and the last without; every third failed, every other was judged,
/// the first half of them well.
const DECISIONS: &str = "INSERT INTO decisions (_offset, event_id, log_type, timestamp, _ingested_at, success, quality_score, \
     success_indicator, confidence_level, improvement_potential) \
     SELECT number, toString(number), 'l', toDateTime64('2026-03-02 00:00:00', 3, 'UTC') + number * 3600 AS time, time, \
     number % 3 != 0, [100, 95, 90, 89, 85, 80.5, 80, 10, 9.9, 0, 0, NULL][number + 1], if(number % 2 = 0, number < 6, NULL), \
     ['low', 'high', 'medium', ''][number % 4 + 1], ['high', 'low', ''][number % 3 + 1] FROM numbers(12)";

#[tokio::test]
async fn decisions_are_counted_by_their_labels_from_the_best_down() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    sandbox.execute(DECISIONS).await?;
    let catalogue = catalogue(&[], &METRICS)?;
    let component = &catalogue.components()[0];
    let start: Timestamp = "2026-03-02T00:00:00Z".parse()?;
    let window = Window::new("window", start, start + SignedDuration::from_hours(12))?;
    let of = async |label| labelled(&sandbox.client, component, label, window).await;
    let row = |label: &str, score: Option<f64>, counts: [u64; 4]| {
        let [n, successes, judged, positives] = counts;
        Labelled {
            label: label.to_owned(),
            score,
            n,
            successes,
            judged,
            positives,
        }
    };
    assert_eq!(
        of(Label::QualityScore).await?,
        [
            row("90 to 100", Some(95.0), [3, 2, 2, 2]),
            row("80 to 90", Some(83.625), [4, 2, 2, 1]),
            row("10 to 20", Some(10.0), [1, 1, 0, 0]),
            row("0 to 10", Some(9.9 / 3.0), [3, 2, 2, 0]),
        ]
    );
    assert_eq!(
        of(Label::ConfidenceLevel).await?,
        [
            row("high", None, [3, 2, 0, 0]),
            row("medium", None, [3, 2, 3, 1]),
            row("low", None, [3, 2, 3, 2]),
        ]
    );
    assert_eq!(
        of(Label::ImprovementPotential).await?,
        [row("low", None, [4, 4, 2, 1]), row("high", None, [4, 0, 2, 1])]
    );
    // Without the first hours
    let later = Window::new("window", start + SignedDuration::from_hours(9), window.end())?;
    let found = labelled(&sandbox.client, component, Label::QualityScore, later).await?;
    assert_eq!(found, [row("0 to 10", Some(0.0), [2, 1, 1, 0])]);
    Ok(())
}

#[tokio::test]
async fn decisions_are_counted_by_label_and_day_with_what_should_come_of_the_better_ones() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    sandbox.execute(DECISIONS).await?;
    let next_day = "INSERT INTO decisions (_offset, event_id, log_type, timestamp, _ingested_at, success, quality_score, \
         success_indicator, confidence_level) SELECT 12, '12', 'l', toDateTime64('2026-03-03 00:00:00', 3, 'UTC') AS time, time, \
         false, 55, true, 'high'";
    sandbox.execute(next_day).await?;
    let catalogue = catalogue(&[], &METRICS)?;
    let start: Timestamp = "2026-03-02T00:00:00Z".parse()?;
    let window = Window::new("window", start, start + SignedDuration::from_hours(48))?;
    let found = label_counts(&sandbox.client, &catalogue.components()[0], window).await?;
    let counts = |label: &str, of: &str, levels: &[&str], days: Vec<Vec<(f64, f64)>>| LabelCounts {
        label: label.to_owned(),
        of: of.to_owned(),
        levels: levels.iter().map(|it| (*it).to_owned()).collect(),
        days,
    };
    let none = (0.0, 0.0);
    let confidence = vec![vec![(2.0, 3.0); 3], vec![(0.0, 1.0), none, none]];
    let quality = vec![
        vec![(2.0, 2.0), (1.0, 2.0), none, none, (0.0, 2.0)],
        vec![none, none, (1.0, 1.0), none, none],
    ];
    let bands = ["90 to 100", "80 to 90", "50 to 60", "10 to 20", "0 to 10"];
    let potential = vec![vec![(1.0, 2.0); 2]];
    assert_eq!(
        found,
        [
            counts(
                "confidence_level",
                "success",
                &["high", "medium", "low"],
                confidence
            ),
            counts("quality_score", "success_indicator", &bands, quality),
            counts(
                "improvement_potential",
                "success_indicator",
                &["low", "high"],
                potential
            ),
        ]
    );
    Ok(())
}
