//! From the rejection to the replay, as a person goes about it.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_api::decisions::v1::{DeadLetterState, ListDeadLettersRequest};
use kaizen_testkit::{Record, eventually};
use tonic::Code;

use super::story::{BROKEN, COMPONENT, GOOD, SOON, Story, UNKNOWN};
use super::{DECISIONS, LETTERS, MARKS};

#[tokio::test]
async fn dead_letters_are_found_replayed_once_their_cause_is_mended_and_closed() -> Result<()> {
    let mut story = Story::begin().await?;
    story.publish().await?;
    story.is_open(UNKNOWN + BROKEN).await?;
    the_list_finds_what_is_asked_for(&story).await?;
    one_is_shown_in_full(&story).await?;
    grpc_tells_the_same_without_values(&mut story).await?;
    grpc_names_what_is_wrong_with_a_question(&mut story).await?;
    a_replay_before_the_cause_is_mended_is_rejected_again(&story).await?;
    a_replay_after_it_is_stored_once(&mut story).await?;
    the_rest_stays_open_and_the_metrics_say_so(&story).await
}

async fn the_list_finds_what_is_asked_for(story: &Story) -> Result<()> {
    for (arguments, expected) in [
        (&[][..], UNKNOWN + BROKEN),
        (&["--reason", "unknown_log_type"], UNKNOWN),
        (&["--reason", "not_json", "--reason", "not_utf8"], BROKEN),
        (&["--topic", "kaizen.decisions.backfill"], 0),
        (&["--to", "2020-01-01"], 0),
        (&["--from", "2020-01-01"], UNKNOWN + BROKEN),
        (&["--state", "replayed"], 0),
    ] {
        let total = story.total(arguments).await?;
        ensure!(total == expected as u64, "{arguments:?}: {total}, not {expected}");
    }
    let limited = story.dlq_json(&["list", "--limit", "4"]).await?;
    assert_eq!(limited["dead_letters"].as_array().map(Vec::len), Some(4));
    assert_eq!(limited["reasons"]["unknown_log_type"], UNKNOWN);
    let refused = story.dlq(&["list", "--reason", "bad"]).await.err();
    let refused = refused.context("a reason that is none was accepted")?.to_string();
    ensure!(
        refused.contains("unknown_log_type") && refused.contains("bad"),
        "{refused}"
    );
    let refused = story
        .dlq(&["replay"])
        .await
        .err()
        .context("everything was replayed unasked")?;
    ensure!(refused.to_string().contains("--all"), "{refused}");
    Ok(())
}

async fn one_is_shown_in_full(story: &Story) -> Result<()> {
    let listed = story
        .dlq_json(&["list", "--reason", "not_json", "--limit", "1"])
        .await?;
    let name = listed["dead_letters"][0]["letter"]
        .as_str()
        .context("a name")?
        .to_owned();
    let (place, _) = name.split_once('@').context("a time")?;
    let value = story.dlq(&["show", place, "--raw"]).await?;
    ensure!(value.starts_with("{\"secret "), "{value}");
    let shown = story.dlq(&["show", place]).await?;
    ensure!(
        shown.contains("not_json") && shown.contains("\\u{1b}") && !shown.contains('\u{1b}'),
        "{shown}"
    );
    let json = story.dlq_json(&["show", &name]).await?;
    assert_eq!(
        (&json[0]["value"], &json[0]["key"], &json[0]["copies"]),
        (&value.into(), &"broken".into(), &1.into())
    );
    let missing = story.dlq(&["show", "kaizen.decisions/0/999999"]).await.err();
    ensure!(
        missing
            .context("it is shown")?
            .to_string()
            .contains("no dead letter"),
        "another error"
    );
    Ok(())
}

async fn grpc_tells_the_same_without_values(story: &mut Story) -> Result<()> {
    let summary = story.summary().await?;
    let reasons: Vec<_> = summary
        .reasons
        .iter()
        .map(|it| (&*it.reason, it.open_count))
        .collect();
    assert_eq!(
        reasons,
        [("unknown_log_type", UNKNOWN as i64), ("not_json", BROKEN as i64)]
    );
    ensure!(summary.oldest_record_time.is_some(), "since when?");
    let letters = story.pages(DeadLetterState::Open).await?;
    assert_eq!(letters.len(), UNKNOWN + BROKEN);
    let times: Vec<_> = letters
        .iter()
        .filter_map(|letter| letter.record.as_ref()?.record_time)
        .collect();
    ensure!(
        times.is_sorted_by_key(|time| std::cmp::Reverse((time.seconds, time.nanos))),
        "{times:?}"
    );
    let only = ListDeadLettersRequest {
        reasons: vec!["not_json".to_owned()],
        topic: DECISIONS.to_owned(),
        ..Default::default()
    };
    let found = story
        .letters
        .list_dead_letters(only)
        .await?
        .into_inner()
        .dead_letters;
    assert_eq!(found.len(), BROKEN);
    ensure!(!format!("{found:?}").contains("secret"), "{found:?}");
    Ok(())
}

async fn grpc_names_what_is_wrong_with_a_question(story: &mut Story) -> Result<()> {
    for (request, field) in [
        (
            ListDeadLettersRequest {
                reasons: vec!["not_json".to_owned(), "bad".to_owned()],
                ..Default::default()
            },
            "reasons[1]",
        ),
        (
            ListDeadLettersRequest {
                page_size: 1001,
                ..Default::default()
            },
            "page_size",
        ),
        (
            ListDeadLettersRequest {
                state: 9,
                ..Default::default()
            },
            "state",
        ),
    ] {
        let refused = story
            .letters
            .list_dead_letters(request)
            .await
            .err()
            .context(field)?;
        assert_eq!(refused.code(), Code::InvalidArgument);
        ensure!(refused.message().starts_with(field), "{refused}");
    }
    Ok(())
}

async fn a_replay_before_the_cause_is_mended_is_rejected_again(story: &Story) -> Result<()> {
    let kafka = story.sandbox.stack().kafka();
    let published = kafka.records(DECISIONS).await?.len();
    let arguments = ["replay", "--reason", "unknown_log_type"];
    let dry = story.dlq_json(&[&arguments[..], &["--dry-run"]].concat()).await?;
    assert_eq!(
        (&dry["reasons"]["unknown_log_type"], &dry["replayed"]),
        (&UNKNOWN.into(), &0.into())
    );
    assert_eq!(
        (
            kafka.records(DECISIONS).await?.len(),
            kafka.records(MARKS).await?.len()
        ),
        (published, 0)
    );

    let summary = story.dlq_json(&arguments).await?;
    assert_eq!(summary["replayed"], UNKNOWN);
    assert_eq!(summary["collected"]["dead_lettered"]["unknown_log_type"], UNKNOWN);
    story.is_open(UNKNOWN + BROKEN).await?;
    assert_eq!(story.total(&[]).await?, (UNKNOWN + BROKEN) as u64);
    assert_eq!(story.total(&["--state", "replayed"]).await?, UNKNOWN as u64);
    let letters = kafka.records(LETTERS).await?;
    let again: Vec<_> = letters
        .iter()
        .filter_map(|letter| letter.header("kaizen-replay-of"))
        .collect();
    assert_eq!(again.len(), UNKNOWN, "the history of each is visible");
    Ok(())
}

async fn a_replay_after_it_is_stored_once(story: &mut Story) -> Result<()> {
    story.catalogue.write_all(COMPONENT.as_bytes())?;
    let collector = story.sandbox.collector();
    let status = collector.part().terminate(Duration::from_secs(10)).await?;
    ensure!(status.success(), "{status}");
    collector.restart().await?;
    let summary = story
        .dlq_json(&["replay", "--reason", "unknown_log_type"])
        .await?;
    let told = (
        &summary["replayed"],
        &summary["replayed_before"],
        &summary["collected"]["stored"],
    );
    assert_eq!(told, (&UNKNOWN.into(), &UNKNOWN.into(), &UNKNOWN.into()));
    assert_eq!(story.stored("quote-").await?, format!("{UNKNOWN}\t{UNKNOWN}"));
    story.is_open(BROKEN).await?;

    let summary = story
        .dlq_json(&["replay", "--reason", "unknown_log_type"])
        .await?;
    let told = (&summary["replayed"], &summary["replayed_before"]);
    assert_eq!(told, (&0.into(), &(2 * UNKNOWN).into()), "nothing twice");
    assert_eq!(story.stored("quote-").await?, format!("{UNKNOWN}\t{UNKNOWN}"));

    let published = story.sandbox.stack().kafka().records(DECISIONS).await?;
    let replayed = |record: &&Record| record.header("kaizen-replay-of").is_some();
    for replay in published.iter().filter(replayed) {
        let same =
            |record: &&Record| record.header("kaizen-replay-of").is_none() && record.value == replay.value;
        let first = published.iter().find(same).context("the bytes are others")?;
        assert_eq!((first.partition, &first.key), (replay.partition, &replay.key));
    }
    let closed = story.pages(DeadLetterState::Replayed).await?;
    assert_eq!(closed.len(), 2 * UNKNOWN);
    for letter in closed {
        let (record, replay) = (
            letter.record.context("a record")?,
            letter.replayed_as.context("a replay")?,
        );
        let place = (&replay.topic, replay.partition);
        assert_eq!(place, (&record.topic, record.partition));
        ensure!(
            replay.offset > record.offset,
            "{replay:?} comes before {record:?}"
        );
    }
    Ok(())
}

async fn the_rest_stays_open_and_the_metrics_say_so(story: &Story) -> Result<()> {
    assert_eq!(story.total(&[]).await?, BROKEN as u64);
    assert_eq!(story.stored("good-").await?, format!("{GOOD}\t{GOOD}"));
    eventually("the metrics say so", SOON, async || {
        let metrics = story.sandbox.reporting().operation("metrics").await?;
        for line in [
            "kaizen_reporting_open_dead_letters{reason=\"unknown_log_type\"} 0".to_owned(),
            format!("kaizen_reporting_open_dead_letters{{reason=\"not_json\"}} {BROKEN}"),
        ] {
            ensure!(
                metrics.lines().any(|told| told == line),
                "no line {line} in {metrics}"
            );
        }
        let age = metrics
            .lines()
            .find_map(|line| line.strip_prefix("kaizen_reporting_oldest_dead_letter_age_seconds "));
        ensure!(age.context("an age")?.parse::<u64>()? > 0, "{age:?}");
        Ok(())
    })
    .await
}
