use anyhow::{Context, Result};
use jiff::Timestamp;
use kaizen_decision::{LetterId, RawRecord, Reason, Rejection, Replay};
use kaizen_warehouse::queries::{
    DeadLetter, DeadLettersQuery, LetterState, RecordPlace, dead_letter_depth, dead_letters,
};
use kaizen_warehouse::{BatchWriter, Insert, rows};

use crate::sandbox::Sandbox;

const DAY: i64 = 86_400_000;

/// An instant of whole milliseconds.
fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn at(milliseconds: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_millisecond(milliseconds)?)
}

fn record(topic: &str, offset: i64, time: i64) -> RawRecord<'_> {
    RawRecord {
        topic,
        partition: 3,
        offset,
        time: Some(time),
        key: None,
        value: Some(b"12345"),
        content_type: None,
        event_id: None,
        replay: Replay::default(),
    }
}

/// Letters 50, 3, 2, 1 and 0 days old; that of 2 is replayed, in vain: that of 0 is its replay. And a repeat, which is none.
async fn five(sandbox: &Sandbox, now: i64) -> Result<()> {
    let (mut rejections, mut replays) = (Vec::new(), Vec::new());
    let letters = [
        ("t", 1, 50, Reason::NotJson),
        ("t", 2, 3, Reason::NotJson),
        ("t", 3, 2, Reason::UnknownLogType),
        ("u", 3, 1, Reason::MissingField),
        ("t", 9, 0, Reason::UnknownLogType),
    ];
    for (topic, offset, days, reason) in letters {
        let record = record(topic, offset, now - days * DAY);
        rows::rejection::encode(&record, Rejection::at("/a", reason), &mut rejections);
    }
    rows::rejection::encode_duplicate(&record("t", 10, now), &mut rejections);
    let letter = LetterId {
        topic: "t".to_owned(),
        partition: 3,
        offset: 3,
        time: now - 2 * DAY,
    };
    rows::replay::encode(&record("t", 9, now), &letter, &mut replays);
    // Of the same place in a topic that was created anew: another letter.
    let other = LetterId {
        time: letter.time + 1,
        offset: 2,
        ..letter
    };
    rows::replay::encode(&record("t", 8, now), &other, &mut replays);
    let writer = BatchWriter::new(&sandbox.client);
    for (table, columns, rows) in [
        ("rejections", rows::rejection::COLUMNS, rejections),
        ("replays", rows::replay::COLUMNS, replays),
    ] {
        let (rows, token) = (vec![rows.into()], table.to_owned());
        writer
            .insert(&Insert {
                table,
                columns,
                rows,
                token,
            })
            .await?;
    }
    Ok(())
}

fn all(now: i64) -> Result<DeadLettersQuery<'static>> {
    Ok(DeadLettersQuery {
        start: None,
        end: None,
        reasons: Vec::new(),
        topic: "",
        states: Vec::new(),
        kept_since: at(now - 30 * DAY)?,
        limit: 100,
        after: None,
    })
}

fn offsets(letters: &[DeadLetter]) -> Vec<(&str, i64, &'static str)> {
    let brief = |letter: &DeadLetter| (letter.record.offset, letter.state.as_str());
    letters
        .iter()
        .map(|letter| {
            let (offset, state) = brief(letter);
            (&*letter.record.topic, offset, state)
        })
        .collect()
}

#[tokio::test]
async fn a_letter_is_open_until_it_is_replayed_or_its_topic_has_let_it_go() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let (client, now) = (&sandbox.client, now());
    five(&sandbox, now).await?;
    let letters = dead_letters(client, &all(now)?).await?;
    let expected = [
        ("t", 9, "open"),
        ("u", 3, "open"),
        ("t", 3, "replayed"),
        ("t", 2, "open"),
        ("t", 1, "expired"),
    ];
    assert_eq!(offsets(&letters), expected);
    let replayed = letters.get(2).context("the third")?;
    let replay = RecordPlace {
        topic: "t".to_owned(),
        partition: 3,
        offset: 9,
        time: now,
    };
    assert_eq!(replayed.replayed_as, Some(replay));
    assert_eq!(
        (&*replayed.reason, &*replayed.field, replayed.bytes),
        ("unknown_log_type", "/a", 5)
    );

    let depth = dead_letter_depth(client, "", at(now - 30 * DAY)?).await?;
    let depth: Vec<_> = depth
        .iter()
        .map(|it| (&*it.reason, it.letters, it.oldest))
        .collect();
    let expected = [
        ("missing_field", 1, now - DAY),
        ("not_json", 1, now - 3 * DAY),
        ("unknown_log_type", 1, now),
    ];
    assert_eq!(depth, expected);
    let of_one = dead_letter_depth(client, "u", at(now - 30 * DAY)?).await?;
    assert_eq!(of_one.iter().map(|it| it.letters).sum::<u64>(), 1);
    Ok(())
}

#[tokio::test]
async fn filters_hold_together_and_pages_hold_every_letter_once() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let (client, now) = (&sandbox.client, now());
    five(&sandbox, now).await?;
    let asked = DeadLettersQuery {
        start: Some(at(now - 3 * DAY)?),
        end: Some(at(now - DAY)?),
        topic: "t",
        ..all(now)?
    };
    let found = dead_letters(client, &asked).await?;
    assert_eq!(offsets(&found), [("t", 3, "replayed"), ("t", 2, "open")]);
    let asked = DeadLettersQuery {
        reasons: vec!["unknown_log_type", "missing_field"],
        states: vec![LetterState::Open, LetterState::Expired],
        ..all(now)?
    };
    let found = dead_letters(client, &asked).await?;
    assert_eq!(offsets(&found), [("t", 9, "open"), ("u", 3, "open")]);

    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = DeadLettersQuery {
            limit: 2,
            after: after.take(),
            ..all(now)?
        };
        let page = dead_letters(client, &page).await?;
        after = page.last().map(|last| last.record.clone());
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, dead_letters(client, &all(now)?).await?);
    Ok(())
}
