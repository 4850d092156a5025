//! Dead letters: which there are, newest first, page by page, and what became of each.

use clickhouse::Row;
use clickhouse::query::Query;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::QueryError;
use crate::client::Client;

/// What has become of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterState {
    /// It waits in the topic of dead letters.
    Open,
    /// It was replayed, and the replay is stored.
    Replayed,
    /// It was not, for as long as the topic keeps it.
    Expired,
}

impl LetterState {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Expired => "expired",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Open, Self::Replayed, Self::Expired]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// Where a record stands in Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPlace {
    /// Topic.
    pub topic: String,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Kafka's time of the record, milliseconds since 1970.
    pub time: i64,
}

/// A dead letter: where its record stands and why it is there, never what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The rejected record.
    pub record: RecordPlace,
    /// Why, in one word.
    pub reason: String,
    /// JSON pointer of the field at fault; empty when it is the record as a whole.
    pub field: String,
    /// Length of the record's value.
    pub bytes: u64,
    /// What has become of it.
    pub state: LetterState,
    /// The record that replays it.
    pub replayed_as: Option<RecordPlace>,
}

/// A question for dead letters.
#[derive(Debug, Clone)]
pub struct DeadLettersQuery<'a> {
    /// First instant of their records' times.
    pub start: Option<Timestamp>,
    /// First instant after them.
    pub end: Option<Timestamp>,
    /// Only these reasons; all when empty.
    pub reasons: Vec<&'static str>,
    /// Only records of this topic; of all when empty.
    pub topic: &'a str,
    /// Only these states; all when empty.
    pub states: Vec<LetterState>,
    /// What is older has left the topic of dead letters.
    pub kept_since: Timestamp,
    /// At most so many.
    pub limit: u32,
    /// The last letter of the page before.
    pub after: Option<RecordPlace>,
}

#[derive(Row, Deserialize)]
struct Found {
    topic: String,
    partition: i32,
    offset: i64,
    time: i64,
    reason: String,
    field: String,
    bytes: u64,
    state: String,
    replay_topic: String,
    replay_partition: i32,
    replay_offset: i64,
    replay_time: i64,
}

/// Dead letters by their records' time, newest first; among equal ones by the record's place.
///
/// # Errors
/// Any [`QueryError`].
pub async fn dead_letters(
    client: &Client,
    query: &DeadLettersQuery<'_>,
) -> Result<Vec<DeadLetter>, QueryError> {
    let time = "fromUnixTimestamp64Milli(?, 'UTC')";
    let mut within = "reason != 'duplicate'".to_owned();
    let mut only = |wanted: bool, condition: &str| {
        if wanted {
            within += &format!(" AND {condition}");
        }
    };
    only(query.start.is_some(), &format!("_ingested_at >= {time}"));
    only(query.end.is_some(), &format!("_ingested_at < {time}"));
    only(!query.reasons.is_empty(), "reason IN ?");
    only(!query.topic.is_empty(), "_topic = ?");
    let after = format!("(_ingested_at, _topic, _partition, _offset) < ({time}, ?, ?, ?)");
    only(query.after.is_some(), &after);
    let states = if query.states.is_empty() {
        ""
    } else {
        "WHERE state IN ?"
    };
    let sql = format!(
        "SELECT toString(_topic) AS topic, _partition AS partition, _offset AS offset, \
             toUnixTimestamp64Milli(_ingested_at) AS time, toString(reason) AS reason, field, bytes, \
             multiIf(replay.topic != '', 'replayed', _ingested_at < {time}, 'expired', 'open') AS state, \
             replay.topic AS replay_topic, replay.partition AS replay_partition, replay.offset AS replay_offset, \
             toUnixTimestamp64Milli(replay.time) AS replay_time \
         FROM (SELECT * FROM rejections WHERE {within}) AS letter \
         LEFT ANY JOIN (SELECT letter_topic, letter_partition, letter_offset, letter_time, toString(_topic) AS topic, \
                 _partition AS partition, _offset AS offset, _ingested_at AS time FROM replays) AS replay \
         ON _topic = letter_topic AND _partition = letter_partition AND _offset = letter_offset \
             AND _ingested_at = letter_time \
         {states} ORDER BY _ingested_at DESC, _topic DESC, _partition DESC, _offset DESC LIMIT ?"
    );
    let found: Vec<Found> = client.rows(bind(client.query(&sql), query)).await?;
    found.into_iter().map(letter).collect()
}

fn bind(sql: Query, query: &DeadLettersQuery<'_>) -> Query {
    let mut sql = sql.bind(query.kept_since.as_millisecond());
    for bound in [query.start, query.end].into_iter().flatten() {
        sql = sql.bind(bound.as_millisecond());
    }
    if !query.reasons.is_empty() {
        sql = sql.bind(&query.reasons);
    }
    if !query.topic.is_empty() {
        sql = sql.bind(query.topic);
    }
    if let Some(after) = &query.after {
        sql = sql
            .bind(after.time)
            .bind(&after.topic)
            .bind(after.partition)
            .bind(after.offset);
    }
    if !query.states.is_empty() {
        let states: Vec<_> = query.states.iter().map(|state| state.as_str()).collect();
        sql = sql.bind(states);
    }
    sql.bind(query.limit)
}

fn letter(found: Found) -> Result<DeadLetter, QueryError> {
    let state = LetterState::of(&found.state);
    let state = state.ok_or_else(|| QueryError::Unreadable(format!("the state {}", found.state)))?;
    let replayed_as = (state == LetterState::Replayed).then_some(RecordPlace {
        topic: found.replay_topic,
        partition: found.replay_partition,
        offset: found.replay_offset,
        time: found.replay_time,
    });
    Ok(DeadLetter {
        record: RecordPlace {
            topic: found.topic,
            partition: found.partition,
            offset: found.offset,
            time: found.time,
        },
        reason: found.reason,
        field: found.field,
        bytes: found.bytes,
        state,
        replayed_as,
    })
}

/// Open dead letters of one reason.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct ReasonDepth {
    /// The reason, in one word.
    pub reason: String,
    /// How many.
    pub letters: u64,
    /// Time of the oldest one's record, milliseconds since 1970.
    pub oldest: i64,
}

/// How many dead letters wait, by reason, most first; of one topic, or of all when it is empty.
///
/// # Errors
/// Any [`QueryError`].
pub async fn dead_letter_depth(
    client: &Client,
    topic: &str,
    kept_since: Timestamp,
) -> Result<Vec<ReasonDepth>, QueryError> {
    let since = "fromUnixTimestamp64Milli(?, 'UTC')";
    let sql = format!(
        "SELECT toString(reason) AS reason, count() AS letters, toUnixTimestamp64Milli(min(_ingested_at)) AS oldest \
         FROM rejections \
         WHERE rejections.reason != 'duplicate' AND _ingested_at >= {since} AND (? = '' OR _topic = ?) \
             AND (_topic, _partition, _offset, _ingested_at) NOT IN ( \
                 SELECT letter_topic, letter_partition, letter_offset, letter_time FROM replays WHERE letter_time >= {since}) \
         GROUP BY reason ORDER BY letters DESC, reason"
    );
    let since = kept_since.as_millisecond();
    let query = client.query(&sql).bind(since).bind(topic).bind(topic).bind(since);
    Ok(client.rows(query).await?)
}
