//! Attempts at a run: whose they are, whether their owner is alive, and who wants the run to end.
//!
//! An attempt is had by the process whose claim is stored. Claims of one attempt carry one deduplication token, so that
//! ClickHouse stores the first of them alone. Whoever was taken for dead and wakes up writes nothing more of the run: its
//! record changes only while no later attempt is claimed ([`put_attempt`]), and its results carry an earlier time than those
//! of the attempt that is read.

use clickhouse::Row;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::analyses::insert;
use super::window::seconds;
use super::{Analysis, QueryError};
use crate::client::{Client, WarehouseError, within_time};

/// How an attempt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The latest attempt that is claimed, from 1.
    pub attempt: u32,
    /// The process it belongs to.
    pub owner: String,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// Its owner's last sign of life; `None` before the first.
    pub beat: Option<Beat>,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// When, by the owner's clock, to the microsecond.
    pub at: Timestamp,
    /// Stages that are done.
    pub stages_done: u8,
    /// Why the owner gave the attempt up; empty while it has it.
    pub released: String,
}

/// Who ended a run, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// When, to the millisecond.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

#[derive(Row, Serialize, Deserialize)]
struct ClaimRow {
    analysis_id: String,
    attempt: u32,
    owner: String,
    claimed_at: i64,
}

#[derive(Row, Serialize, Deserialize)]
struct BeatRow {
    analysis_id: String,
    attempt: u32,
    stages_done: u8,
    released: String,
    beaten_at: i64,
}

#[derive(Row, Serialize, Deserialize)]
struct CancellationRow {
    analysis_id: String,
    attempt: u32,
    cancelled_at: i64,
    actor: String,
    reason: String,
}

/// Claims an attempt for a process. Of several that claim the same attempt one gets it, however often each asks.
///
/// # Errors
/// Any [`QueryError`]; the attempt may then be had or not, and asking again tells.
pub async fn claim(
    client: &Client,
    analysis_id: &str,
    attempt: u32,
    owner: &str,
    now: Timestamp,
) -> Result<bool, QueryError> {
    let row = ClaimRow {
        analysis_id: analysis_id.to_owned(),
        attempt,
        owner: owner.to_owned(),
        claimed_at: now.as_millisecond(),
    };
    let token = format!("{analysis_id}/{attempt}");
    let inserting = client
        .inner()
        .clone()
        .with_setting("insert_deduplication_token", token);
    within_time(async {
        let mut insert = inserting.insert::<ClaimRow>("analysis_claims").await?;
        insert.write(&row).await?;
        insert.end().await
    })
    .await?;
    let sql = "SELECT count() > 0 FROM analysis_claims WHERE analysis_id = ? AND attempt = ? AND owner = ?";
    let query = client.query(sql).bind(analysis_id).bind(attempt).bind(owner);
    let is_had: Option<bool> = client.row(query).await?;
    Ok(is_had.unwrap_or_default())
}

/// How the latest attempt at a run stands; `None` before the first.
///
/// # Errors
/// Any [`QueryError`].
pub async fn standing(client: &Client, analysis_id: &str) -> Result<Option<Standing>, QueryError> {
    let sql = "SELECT analysis_id, attempt, owner, claimed_at FROM analysis_claims WHERE analysis_id = ? \
               ORDER BY attempt DESC LIMIT 1";
    let claimed: Option<ClaimRow> = client.row(client.query(sql).bind(analysis_id)).await?;
    let Some(claimed) = claimed else { return Ok(None) };
    let sql = "SELECT analysis_id, attempt, stages_done, released, beaten_at FROM analysis_beats FINAL \
               WHERE analysis_id = ? AND attempt = ?";
    let query = client.query(sql).bind(analysis_id).bind(claimed.attempt);
    let beat: Option<BeatRow> = client.row(query).await?;
    let unreadable = || QueryError::Unreadable(format!("attempt {} at {analysis_id}", claimed.attempt));
    let beat = beat.map(|row| {
        Ok::<_, QueryError>(Beat {
            at: Timestamp::from_microsecond(row.beaten_at).map_err(|_| unreadable())?,
            stages_done: row.stages_done,
            released: row.released,
        })
    });
    Ok(Some(Standing {
        attempt: claimed.attempt,
        claimed_at: Timestamp::from_millisecond(claimed.claimed_at).map_err(|_| unreadable())?,
        owner: claimed.owner,
        beat: beat.transpose()?,
    }))
}

/// Records a sign of life of an attempt's owner.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn put_beat(
    client: &Client,
    analysis_id: &str,
    attempt: u32,
    beat: &Beat,
) -> Result<(), WarehouseError> {
    let row = BeatRow {
        analysis_id: analysis_id.to_owned(),
        attempt,
        stages_done: beat.stages_done,
        released: beat.released.clone(),
        beaten_at: beat.at.as_microsecond(),
    };
    insert(client, "analysis_beats", vec![row]).await
}

/// Records that somebody wants a run to end, from this attempt on.
///
/// # Errors
/// Any [`WarehouseError`].
pub async fn put_cancellation(
    client: &Client,
    analysis_id: &str,
    attempt: u32,
    cancellation: &Cancellation,
) -> Result<(), WarehouseError> {
    let row = CancellationRow {
        analysis_id: analysis_id.to_owned(),
        attempt,
        cancelled_at: cancellation.at.as_millisecond(),
        actor: cancellation.actor.clone(),
        reason: cancellation.reason.clone(),
    };
    insert(client, "analysis_cancellations", vec![row]).await
}

/// The first wish that a run may end, of those since its attempt `first`.
///
/// # Errors
/// Any [`QueryError`].
pub async fn cancellation(
    client: &Client,
    analysis_id: &str,
    first: u32,
) -> Result<Option<Cancellation>, QueryError> {
    let sql = "SELECT analysis_id, attempt, cancelled_at, actor, reason FROM analysis_cancellations \
               WHERE analysis_id = ? AND attempt >= ? ORDER BY cancelled_at, actor, reason LIMIT 1";
    let query = client.query(sql).bind(analysis_id).bind(first);
    let row: Option<CancellationRow> = client.row(query).await?;
    let read = |row: CancellationRow| {
        let at = Timestamp::from_millisecond(row.cancelled_at);
        let unreadable = |_| QueryError::Unreadable(format!("cancellation of {analysis_id}"));
        Ok(Cancellation {
            at: at.map_err(unreadable)?,
            actor: row.actor,
            reason: row.reason,
        })
    };
    row.map(read).transpose()
}

/// Records where a run stands, unless a later attempt than this one is claimed: its owner has the say then. Both in one
/// statement, so that a process which stands still in between changes nothing. It is later than what was recorded before,
/// whatever the clocks of the processes say. Returns whether it was recorded.
///
/// # Errors
/// Any [`QueryError`]; it may then be recorded or not.
pub async fn put_attempt(client: &Client, analysis: &Analysis, now: Timestamp) -> Result<bool, QueryError> {
    let (milliseconds, time) = ("fromUnixTimestamp64Milli(?, 'UTC')", "toDateTime(?, 'UTC')");
    let sql = format!(
        "INSERT INTO analyses (analysis_id, request_id, period_start, period_end, previous_start, previous_end, time_zone, \
         state, code_version, error, decisions, rejections, attempt, first_attempt, cancelled_by, cancel_reason, created_at, \
         results_at, cancelled_at, updated_at) \
         SELECT ?, ?, {time}, {time}, {time}, {time}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {milliseconds}, {milliseconds}, \
         {milliseconds}, \
         greatest(fromUnixTimestamp64Micro(?, 'UTC'), (SELECT max(updated_at) FROM analyses WHERE analysis_id = ?) \
         + INTERVAL 1 MICROSECOND) \
         WHERE (SELECT max(attempt) FROM analysis_claims WHERE analysis_id = ?) = ?"
    );
    let none = (String::new(), String::new());
    let (by, why) = (analysis.cancellation.as_ref()).map_or(none, |it| (it.actor.clone(), it.reason.clone()));
    let cancelled_at = (analysis.cancellation.as_ref()).map_or(0, |it| it.at.as_millisecond());
    let query = client
        .query(&sql)
        .bind(&analysis.analysis_id)
        .bind(&analysis.request_id)
        .bind(seconds(analysis.period.start()))
        .bind(seconds(analysis.period.end()))
        .bind(seconds(analysis.previous.start()))
        .bind(seconds(analysis.previous.end()))
        .bind(&analysis.time_zone)
        .bind(analysis.state.as_str())
        .bind(&analysis.code_version)
        .bind(&analysis.error)
        .bind(analysis.decisions)
        .bind(analysis.rejections)
        .bind(analysis.attempt)
        .bind(analysis.first_attempt)
        .bind(by)
        .bind(why)
        .bind(analysis.created_at.as_millisecond())
        .bind(analysis.results_at.map_or(0, Timestamp::as_millisecond))
        .bind(cancelled_at)
        .bind(now.as_microsecond())
        .bind(&analysis.analysis_id)
        .bind(&analysis.analysis_id)
        .bind(analysis.attempt);
    client.execute(query).await?;
    let sql = "SELECT max(attempt) FROM analysis_claims WHERE analysis_id = ?";
    let latest: Option<u32> = client.row(client.query(sql).bind(&analysis.analysis_id)).await?;
    Ok(latest == Some(analysis.attempt))
}
