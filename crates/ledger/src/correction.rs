//! Keeps how the forecasts of rules are corrected.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::error::LedgerError;
use crate::limits;
use crate::store::{Ledger, now};
use crate::ticket::numbered;

/// How the forecasts of a rule are corrected, from which outcomes that was learned, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// Number, from 1.
    pub number: i64,
    /// Revision of its last change.
    pub revision: i64,
    /// The rule.
    pub rule: String,
    /// Where it stands.
    pub state: CorrectionState,
    /// What was learned.
    pub learned: Learned,
    /// What it was learned from.
    pub outcomes: Vec<CorrectionOutcome>,
    /// When it was learned.
    pub learned_at: Timestamp,
    /// Who learned it.
    pub learned_by: String,
    /// How it ended; `None` while it is active.
    pub ended: Option<CorrectionEnd>,
}

impl Correction {
    /// Its identity, for example `C-3`.
    pub fn id(&self) -> String {
        correction_id(self.number)
    }
}

/// The identity of the correction of a number, for example `C-3`.
pub fn correction_id(number: i64) -> String {
    format!("C-{number}")
}

/// The number of an identity; `3` and `c-3` are read too.
pub fn correction_number(id: &str) -> Option<i64> {
    numbered(id, ["C-", "c-"])
}

/// Where a correction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrectionState {
    /// Analyses apply it.
    Active,
    /// More outcomes came.
    Superseded,
    /// Somebody took it back: what it was learned from teaches this rule nothing any more.
    Reverted,
}

impl CorrectionState {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Superseded => "superseded",
            Self::Reverted => "reverted",
        }
    }
}

impl fmt::Display for CorrectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CorrectionState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Active, Self::Superseded, Self::Reverted];
        let found = all.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no state of a correction"))
    }
}

/// What was learned of a rule's forecasts; `kaizen-stats` says how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learned {
    /// What a forecast is multiplied by, above 0.
    pub factor: f64,
    /// Standard deviation by which intervals are widened, in shares of the forecast before correction, 0 or above.
    pub widening: f64,
    /// Measured over forecast, as the outcomes alone say.
    pub ratio: f64,
    /// Standard error of the ratio.
    pub ratio_error: f64,
    /// p-value of forecasts that are right.
    pub p_value: f64,
    /// How much of the way from the ratio to 1 the factor was drawn, 0 to 1.
    pub share: f64,
}

/// A forecast before any correction, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorrectionOutcome {
    /// Number of the ticket.
    pub ticket: i64,
    /// When its change went live: a ticket may be implemented again.
    pub implemented_at: Timestamp,
    /// Revision of the measurement.
    pub measurement: i64,
    /// Units gained a week, as forecast.
    pub forecast: f64,
    /// Standard error of that.
    pub forecast_error: f64,
    /// Units gained a week, as measured.
    pub measured: f64,
    /// Standard error of that.
    pub measured_error: f64,
}

impl CorrectionOutcome {
    /// Whether both are of one implementation of one ticket, on whatever day it was measured.
    pub fn is_of_same_change(&self, other: &Self) -> bool {
        (self.ticket, self.implemented_at) == (other.ticket, other.implemented_at)
    }
}

/// How a correction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionEnd {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// The columns a correction is read from, in this order.
const CORRECTION: &str = "number, revision, rule, state, factor, widening, ratio, ratio_error, p_value, share, outcomes, \
     learned_at, learned_by, ended_at, ended_by, reason";

impl Ledger {
    /// Keeps what the outcomes of a rule say of its forecasts: a correction, or that there is none. The rule's active
    /// correction is superseded by it, unless it was learned from the same measurements; then it stays and is returned. Nothing
    /// is learned from an outcome that a reverted correction of the rule was learned from.
    ///
    /// # Errors
    /// The database's.
    pub async fn learn(
        &self,
        actor: &str,
        rule: &str,
        outcomes: &[CorrectionOutcome],
        learned: Option<Learned>,
    ) -> Result<Option<Correction>, LedgerError> {
        let mut turn = self.turn().await?;
        let connection = &mut *turn.transaction;
        let earlier = of_rule(connection, rule).await?;
        let of = |state| earlier.iter().filter(move |it: &&Correction| it.state == state);
        let active = of(CorrectionState::Active).next();
        let mut taken_back = of(CorrectionState::Reverted).flat_map(|it| &it.outcomes);
        let is_same = active.is_some_and(|it| measurements(&it.outcomes) == measurements(outcomes));
        let is_taken_back = taken_back.any(|it| outcomes.iter().any(|given| given.is_of_same_change(it)));
        if is_same || is_taken_back || (active.is_none() && learned.is_none()) {
            return Ok(active.cloned());
        }
        let number = next_number(connection).await?;
        let at = now();
        if let Some(active) = active {
            let reason = match learned {
                Some(_) => format!("{} was learned from more", correction_id(number)),
                None => "its outcomes no longer contradict the forecasts".to_owned(),
            };
            let ended = CorrectionEnd {
                at,
                actor: actor.to_owned(),
                reason,
            };
            let revision = turn.revision;
            end(
                connection,
                active.number,
                revision,
                CorrectionState::Superseded,
                &ended,
            )
            .await?;
        }
        let added = learned.map(|learned| Correction {
            number,
            revision: turn.revision,
            rule: rule.to_owned(),
            state: CorrectionState::Active,
            learned,
            outcomes: outcomes.to_vec(),
            learned_at: at,
            learned_by: actor.to_owned(),
            ended: None,
        });
        if let Some(added) = &added {
            insert(connection, added).await?;
        }
        turn.commit().await?;
        Ok(added)
    }

    /// Takes an active correction back: the rule's forecasts are its own again, and what the correction was learned from
    /// teaches it nothing any more.
    ///
    /// # Errors
    /// [`LedgerError::Invalid`] of `actor` or `reason`, [`LedgerError::NoCorrection`], [`LedgerError::CorrectionEnded`], or the
    /// database's.
    pub async fn revert_correction(
        &self,
        number: i64,
        actor: &str,
        reason: &str,
    ) -> Result<Correction, LedgerError> {
        limits::line("actor", actor, limits::NAME)?;
        if reason.trim().is_empty() {
            return Err(LedgerError::invalid("reason", "is required"));
        }
        limits::lines("reason", reason)?;
        let mut turn = self.turn().await?;
        let connection = &mut *turn.transaction;
        let mut found = find(connection, number).await?;
        if found.state != CorrectionState::Active {
            let state = found.state;
            return Err(LedgerError::CorrectionEnded { number, state });
        }
        let ended = CorrectionEnd {
            at: now(),
            actor: actor.to_owned(),
            reason: reason.to_owned(),
        };
        (found.state, found.revision) = (CorrectionState::Reverted, turn.revision);
        end(connection, number, found.revision, found.state, &ended).await?;
        found.ended = Some(ended);
        turn.commit().await?;
        Ok(found)
    }

    /// Corrections, first the one learned last: of a rule unless it is empty, in one of these states unless there are none,
    /// with numbers below `before` unless it is `None`; at most `most`.
    ///
    /// # Errors
    /// The database's.
    pub async fn corrections(
        &self,
        rule: &str,
        states: &[CorrectionState],
        before: Option<i64>,
        most: u32,
    ) -> Result<Vec<Correction>, LedgerError> {
        let of_states = match states {
            [] => String::new(),
            states => {
                let names: Vec<String> = states.iter().map(|it| format!("'{it}'")).collect();
                format!("AND state IN ({}) ", names.join(", "))
            }
        };
        let sql = format!(
            "SELECT {CORRECTION} FROM corrections WHERE ($1 = '' OR rule = $1) AND number < $2 {of_states}\
             ORDER BY number DESC LIMIT $3"
        );
        // Names of columns and states alone
        let query = sqlx::query(AssertSqlSafe(sql))
            .bind(rule.to_owned())
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(most));
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(correction).collect()
    }

    /// The corrections that analyses apply: one a rule, in the order of rules.
    ///
    /// # Errors
    /// The database's.
    pub async fn active_corrections(&self) -> Result<Vec<Correction>, LedgerError> {
        let sql = format!("SELECT {CORRECTION} FROM corrections WHERE state = 'active' ORDER BY rule");
        // Names of columns alone
        let query = sqlx::query(AssertSqlSafe(sql));
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(correction).collect()
    }

    /// What teaches a rule nothing any more: the rule and the outcome, of every reverted correction.
    ///
    /// # Errors
    /// The database's.
    pub async fn reverted_outcomes(&self) -> Result<Vec<(String, CorrectionOutcome)>, LedgerError> {
        let sql = format!("SELECT {CORRECTION} FROM corrections WHERE state = 'reverted' ORDER BY number");
        // Names of columns alone
        let query = sqlx::query(AssertSqlSafe(sql));
        let mut found = Vec::new();
        for row in query.fetch_all(&self.pool).await? {
            let Correction { rule, outcomes, .. } = correction(&row)?;
            found.extend(outcomes.into_iter().map(|it| (rule.clone(), it)));
        }
        Ok(found)
    }

    /// Revision of the latest measurement of any ticket; 0 when there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn latest_measurement(&self) -> Result<i64, LedgerError> {
        let query = sqlx::query("SELECT COALESCE(MAX(revision), 0) FROM measurements");
        Ok(query.fetch_one(&self.pool).await?.try_get(0)?)
    }
}

/// The measurements of some outcomes, sorted.
fn measurements(outcomes: &[CorrectionOutcome]) -> Vec<i64> {
    let mut all: Vec<i64> = outcomes.iter().map(|it| it.measurement).collect();
    all.sort_unstable();
    all
}

async fn next_number(connection: &mut AnyConnection) -> Result<i64, LedgerError> {
    let query = sqlx::query("SELECT COALESCE(MAX(number), 0) + 1 FROM corrections");
    Ok(query.fetch_one(connection).await?.try_get(0)?)
}

async fn of_rule(connection: &mut AnyConnection, rule: &str) -> Result<Vec<Correction>, LedgerError> {
    let sql = format!("SELECT {CORRECTION} FROM corrections WHERE rule = $1 ORDER BY number");
    // Names of columns alone
    let query = sqlx::query(AssertSqlSafe(sql)).bind(rule.to_owned());
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(correction).collect()
}

async fn find(connection: &mut AnyConnection, number: i64) -> Result<Correction, LedgerError> {
    let sql = format!("SELECT {CORRECTION} FROM corrections WHERE number = $1");
    // Names of columns alone
    let query = sqlx::query(AssertSqlSafe(sql)).bind(number);
    match query.fetch_optional(connection).await? {
        Some(found) => correction(&found),
        None => Err(LedgerError::NoCorrection(number)),
    }
}

async fn insert(connection: &mut AnyConnection, it: &Correction) -> Result<(), LedgerError> {
    let sql = format!(
        "INSERT INTO corrections ({CORRECTION}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '', '')"
    );
    let outcomes = serde_json::to_string(&it.outcomes);
    let outcomes = outcomes.map_err(|error| unreadable(it.number, "outcomes", error.to_string()))?;
    // Names of columns alone
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(it.number)
        .bind(it.revision)
        .bind(it.rule.clone())
        .bind(it.state.as_str().to_owned())
        .bind(it.learned.factor)
        .bind(it.learned.widening)
        .bind(it.learned.ratio)
        .bind(it.learned.ratio_error)
        .bind(it.learned.p_value)
        .bind(it.learned.share)
        .bind(outcomes)
        .bind(it.learned_at.as_microsecond())
        .bind(it.learned_by.clone());
    query.execute(connection).await?;
    Ok(())
}

async fn end(
    connection: &mut AnyConnection,
    number: i64,
    revision: i64,
    state: CorrectionState,
    ended: &CorrectionEnd,
) -> Result<(), LedgerError> {
    let sql = "UPDATE corrections SET revision = $2, state = $3, ended_at = $4, ended_by = $5, reason = $6 WHERE number = $1";
    let query = sqlx::query(sql)
        .bind(number)
        .bind(revision)
        .bind(state.as_str().to_owned())
        .bind(ended.at.as_microsecond())
        .bind(ended.actor.clone())
        .bind(ended.reason.clone());
    query.execute(connection).await?;
    Ok(())
}

fn correction(row: &AnyRow) -> Result<Correction, LedgerError> {
    let number = row.try_get(0)?;
    let state: String = row.try_get(3)?;
    let state = state
        .parse()
        .map_err(|reason| unreadable(number, "state", reason))?;
    let outcomes: String = row.try_get(10)?;
    let outcomes = serde_json::from_str(&outcomes);
    Ok(Correction {
        number,
        revision: row.try_get(1)?,
        rule: row.try_get(2)?,
        state,
        learned: Learned {
            factor: row.try_get(4)?,
            widening: row.try_get(5)?,
            ratio: row.try_get(6)?,
            ratio_error: row.try_get(7)?,
            p_value: row.try_get(8)?,
            share: row.try_get(9)?,
        },
        outcomes: outcomes.map_err(|error| unreadable(number, "outcomes", error.to_string()))?,
        learned_at: time(number, "learned_at", row.try_get(11)?)?,
        learned_by: row.try_get(12)?,
        ended: match state {
            CorrectionState::Active => None,
            CorrectionState::Superseded | CorrectionState::Reverted => Some(CorrectionEnd {
                at: time(number, "ended_at", row.try_get(13)?)?,
                actor: row.try_get(14)?,
                reason: row.try_get(15)?,
            }),
        },
    })
}

fn time(number: i64, column: &'static str, microseconds: i64) -> Result<Timestamp, LedgerError> {
    Timestamp::from_microsecond(microseconds).map_err(|error| unreadable(number, column, error.to_string()))
}

fn unreadable(number: i64, column: &'static str, reason: String) -> LedgerError {
    LedgerError::UnreadableCorrection {
        number,
        column,
        reason,
    }
}
