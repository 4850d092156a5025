//! A new kind of decision is an entry of the catalogue and no code: it is taken in, measured, explained and recommended about.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_api::analysis::v1::finding::Detail;
use kaizen_api::analysis::v1::{
    GetAnalysisRequest, GetAnalysisResponse, ListAnalysesRequest, ListMetricsRequest,
    ListRecommendationsRequest, Step, TrendDirection,
};
use kaizen_testkit::{DecisionBuilder, Record, Sandbox, workspace};
use serde_json::json;

use crate::client::{analyses, counted, metrics, series, window};

const SOON: Duration = Duration::from_secs(60);

/// A fifth component, with a dimension, a measure and a probability of its own.
const FIFTH: &str = "
  - name: call_screening
    title: Call screening
    log_type: call_screening
    category: calls
    dimensions: {language: /input_data/language}
    measures: {spoken_words: /output_data/words, confidence: /output_data/confidence}
    stated_probability: {measure: confidence, of: success}
    metrics:
      - name: total_calls
        title: Calls
        description: Calls screened.
        expression: count()
        unit: count
        direction: higher_is_better
        minimum_sample: 1
      - name: success_rate
        title: Screening success
        description: Share of calls screened without failure.
        expression: share(success)
        unit: ratio
        direction: higher_is_better
        minimum_sample: 30
      - name: languages
        title: Languages
        description: Different languages that were spoken.
        expression: distinct(language)
        unit: count
        direction: higher_is_better
        minimum_sample: 1
      - name: words
        title: Words
        description: Mean number of words a call had.
        expression: mean(spoken_words)
        unit: words
        direction: higher_is_better
        minimum_sample: 30
";

const DAYS: u64 = 28;
const CALLS_A_DAY: u64 = 400;

/// A pseudo-random number below 1000, the same for the same call.
fn chance(call: u64) -> u64 {
    call.wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
        >> 33
        & 0xffff_ffff
}

/// Calls of four weeks from Monday 5 January 2026: in the last one those in French fail more often, and all state that they will
/// hardly ever fail. Their scores are the wrong way round, and their level of confidence says nothing.
fn calls() -> impl Iterator<Item = Record> {
    (0..DAYS * CALLS_A_DAY).map(|call| {
        let (day, second) = (call / CALLS_A_DAY, call % CALLS_A_DAY * 216);
        let language = ["de", "en", "fr", "it"][(call % 4) as usize];
        let reached = chance(call + 1_000_000) % 1000 < 700;
        let better = chance(call * 7_919) % 1000 < if reached { 300 } else { 600 };
        let fails = if day >= 21 && language == "fr" { 450 } else { 80 };
        let at = format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            if day < 27 { 1 } else { 2 },
            if day < 27 { day + 5 } else { 1 },
            second / 3600,
            second / 60 % 60,
            second % 60
        );
        let session = format!("call-{call}");
        let value = DecisionBuilder::new(&session, &at)
            .with("/log_type", "call_screening")
            .with("/input_data", json!({"language": language}))
            .with(
                "/output_data",
                json!({"words": 20 + call % 7, "confidence": 0.99}),
            )
            .with(
                "/decision_reasoning/confidence_level",
                ["high", "medium", "low"][(call / 4 % 3) as usize],
            )
            .with(
                "/training_labels",
                json!({"quality_score": if better { 85 } else { 65 }, "success_indicator": reached}),
            )
            .with("/decision_reasoning/success", chance(call) % 1000 >= fails)
            .build();
        Record::new(session, value)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_component_with_its_own_dimension_is_in_every_output() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("catalogue.yaml");
    let shipped = std::fs::read_to_string(workspace().join("config/catalogue.yaml"))?;
    std::fs::write(&path, format!("{shipped}{FIFTH}"))?;
    let path = path.to_str().context("a path")?;
    let sandbox = Sandbox::with_all(&[("KAIZEN__CATALOGUE__PATH", path)]).await?;
    sandbox
        .stack()
        .kafka()
        .publish("kaizen.decisions.backfill", calls())
        .await?;
    counted(sandbox.stack().clickhouse(), DAYS * CALLS_A_DAY, SOON).await?;
    it_is_measured(&sandbox).await?;
    let summary = sandbox
        .kaizen(&["analyze", "--from", "2026-01-26", "--to", "2026-02-02"])
        .await?;
    for told in [
        "CALL SCREENING",
        "language = fr",
        "Languages",
        "quality_score is the wrong way round",
    ] {
        ensure!(
            summary.contains(told),
            "the summary does not tell of {told}:\n{summary}"
        );
    }
    it_is_analysed(&sandbox).await?;
    it_is_recommended_about(&sandbox).await
}

async fn it_is_measured(sandbox: &Sandbox) -> Result<()> {
    let listed = metrics(sandbox)
        .await?
        .list_metrics(ListMetricsRequest::default())
        .await?
        .into_inner();
    let ours = listed
        .metrics
        .iter()
        .filter(|metric| metric.component == "call_screening");
    assert_eq!(ours.count(), 4);
    let last = || window("2026-01-26T00:00:00Z", "2026-02-02T00:00:00Z");
    let by_language = series(
        sandbox,
        "call_screening.success_rate",
        last()?,
        Step::Day,
        "language",
    )
    .await?;
    let groups: Vec<_> = by_language.iter().map(|series| series.group.as_str()).collect();
    assert_eq!(groups, ["de", "en", "fr", "it"]);
    let distinct = series(sandbox, "call_screening.languages", last()?, Step::Day, "").await?;
    let value = distinct[0].total.context("a total")?.value;
    assert_eq!(value, Some(4.0));
    assert!(
        distinct[0]
            .points
            .iter()
            .all(|point| point.value.is_some_and(|it| it.value == Some(4.0)))
    );
    Ok(())
}

async fn newest(sandbox: &Sandbox) -> Result<GetAnalysisResponse> {
    let mut client = analyses(sandbox).await?;
    let listed = client
        .list_analyses(ListAnalysesRequest::default())
        .await?
        .into_inner();
    let analysis_id = listed
        .analyses
        .into_iter()
        .next()
        .context("an analysis")?
        .analysis_id;
    Ok(client
        .get_analysis(GetAnalysisRequest { analysis_id })
        .await?
        .into_inner())
}

async fn it_is_analysed(sandbox: &Sandbox) -> Result<()> {
    let found = newest(sandbox).await?;
    let trend = found
        .trends
        .iter()
        .find(|trend| trend.metric == "call_screening.success_rate");
    let trend = trend.context("a trend")?;
    assert_eq!(trend.direction(), TrendDirection::Declining);
    assert!(
        trend.change_percent_interval.is_some_and(|ends| ends.upper < 0.0),
        "{trend:?}"
    );
    let explained = found
        .explanations
        .iter()
        .find(|it| it.metric == "call_screening.success_rate");
    let named: Vec<_> = (explained.context("an explanation")?.culprits.iter())
        .flat_map(|culprit| &culprit.slice)
        .map(|condition| (condition.dimension.as_str(), condition.value.as_str()))
        .collect();
    assert_eq!(named, [("language", "fr")]);
    let confidence = found
        .findings
        .iter()
        .find(|it| it.text.contains("stated by confidence"));
    assert_eq!(
        confidence.context("a finding about confidence")?.component,
        "call_screening"
    );
    let labels = found.findings.iter().filter_map(|it| match &it.detail {
        Some(Detail::LabelOrder(order)) => Some((it.component.as_str(), order)),
        _ => None,
    });
    let named: Vec<_> = (labels.clone())
        .map(|(component, it)| (component, it.label.as_str(), it.of.as_str(), it.shape.as_str()))
        .collect();
    assert_eq!(
        named,
        [
            ("call_screening", "confidence_level", "success", "uninformative"),
            ("call_screening", "quality_score", "success_indicator", "inverted"),
        ]
    );
    for (_, it) in labels {
        let auc = it.auc.context("an area")?;
        let interval = auc.interval.context("an interval")?;
        ensure!(interval.lower < auc.value && auc.value < interval.upper, "{it:?}");
        ensure!(
            it.levels.iter().map(|level| level.n).sum::<u64>() == 7 * CALLS_A_DAY,
            "{it:?}"
        );
    }
    Ok(())
}

async fn it_is_recommended_about(sandbox: &Sandbox) -> Result<()> {
    let mut client = analyses(sandbox).await?;
    let request = ListRecommendationsRequest {
        category: "calls".to_owned(),
        ..ListRecommendationsRequest::default()
    };
    let answer = client.list_recommendations(request).await?.into_inner();
    let mut rules: Vec<_> = answer.recommendations.iter().map(|it| it.rule.as_str()).collect();
    rules.sort_unstable();
    assert_eq!(
        rules,
        [
            "miscalibrated_confidence",
            "quality_outcome_mismatch",
            "slice_regression"
        ]
    );
    let mut all = answer.recommendations.iter();
    let mismatch = all.find(|it| it.rule == "quality_outcome_mismatch");
    let mismatch = mismatch.context("a recommendation about the scores")?;
    let evidence = mismatch.evidence.as_ref().context("evidence")?;
    ensure!(!evidence.examples.is_empty(), "{mismatch:?}");
    // Scored well, and missed its aim.
    ensure!(
        evidence.examples.iter().all(|it| it.value == Some(85.0)),
        "{mismatch:?}"
    );
    Ok(())
}
