//! Outcomes and changes: stored once whatever happens, joined with the decisions of their session whenever they come.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use kaizen_api::analysis::v1::{Step, Window};
use kaizen_testkit::{DecisionBuilder, Record, Sandbox, eventually};
use serde_json::{Value, json};

use crate::client::{series, window};

const DECISIONS: &str = "kaizen.decisions";
const OUTCOMES: &str = "kaizen.outcomes";
const SESSIONS: i64 = 6_000;
const SOON: Duration = Duration::from_secs(60);
/// A collector that is killed is missed within seconds.
const CONFIG: &str = "
batch: { max_rows: 100 }
kafka: { properties: { session.timeout.ms: '6000', heartbeat.interval.ms: '500' } }
";
const HORIZON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A session: a message, perhaps a second one six hours later, and perhaps a reply days after.
struct Session {
    number: i64,
    decided: Vec<Timestamp>,
    replied: Option<Timestamp>,
}

/// Twenty days ago, on a whole hour: late enough for every reply, and early enough for the live topic.
fn base() -> Result<Timestamp> {
    let hours = Timestamp::now().as_second() / 3600 - 20 * 24;
    Ok(Timestamp::from_second(hours * 3600)?)
}

fn sessions(base: Timestamp) -> Vec<Session> {
    let session = |number: i64| {
        let first = base + SignedDuration::from_millis(number * 200);
        let second = (number % 5 == 0).then(|| first + SignedDuration::from_hours(6));
        let after = SignedDuration::from_hours(number % 18 * 24 + 1);
        Session {
            number,
            decided: [first].into_iter().chain(second).collect(),
            replied: (number % 3 == 0).then(|| first + after),
        }
    };
    (0..SESSIONS).map(session).collect()
}

impl Session {
    fn name(&self) -> String {
        format!("session-{}", self.number)
    }

    fn decisions(&self) -> Vec<Record> {
        let name = self.name();
        let decision = |at: &Timestamp| DecisionBuilder::new(&name, &at.to_string());
        let messages = self.decided.iter().map(|at| decision(at).build());
        // Of another component, between message and reply: it takes no reply away.
        let other = decision(&(self.decided[0] + SignedDuration::from_mins(59)))
            .with("/log_type", "enrichment_decision")
            .build();
        let all = messages.chain([other]);
        all.map(|value| Record::new(name.as_str(), value)).collect()
    }

    fn reply(&self) -> Option<Record> {
        let (name, at) = (self.name(), self.replied?);
        let event =
            json!({"session_id": name, "outcome": "replied", "timestamp": at.to_string(), "channel": "mail"});
        Some(Record::new(name, event.to_string()))
    }

    /// Whether one of its messages has the reply within the horizon: the last one before it.
    fn counts(&self) -> bool {
        self.replied.is_some_and(|replied| {
            let last = self.decided.iter().rfind(|at| **at <= replied);
            last.is_some_and(|at| replied <= *at + HORIZON)
        })
    }
}

/// Records that are no outcome, and why.
fn malformed() -> Vec<(Value, &'static str, &'static str)> {
    let now = Timestamp::now();
    let good = || json!({"session_id": "s", "outcome": "deal", "timestamp": now.to_string(), "value": 10, "currency": "EUR"});
    let with = |field: &str, value: Value| {
        let mut event = good();
        event[field] = value;
        event
    };
    let tomorrow = (now + SignedDuration::from_hours(24)).to_string();
    vec![
        (with("session_id", Value::Null), "missing_field", "/session_id"),
        (with("outcome", json!("")), "out_of_range", "/outcome"),
        (with("timestamp", json!(tomorrow)), "in_future", "/timestamp"),
        (
            with("timestamp", json!("soon")),
            "timestamp_invalid",
            "/timestamp",
        ),
        (with("value", json!("10")), "wrong_type", "/value"),
        (with("currency", json!("Euro")), "unknown_value", "/currency"),
        (json!([good()]), "wrong_type", ""),
    ]
}

async fn number(sandbox: &Sandbox, sql: &str) -> Result<usize> {
    Ok(sandbox.stack().clickhouse().query(sql).await?.parse()?)
}

async fn all_are_counted(sandbox: &Sandbox, topic: &str, table: &str, records: usize) -> Result<()> {
    let sql = format!(
        "SELECT uniqExact(_partition, _offset) FROM ( \
             SELECT _partition, _offset FROM kaizen.{table} WHERE _topic = '{topic}' UNION ALL \
             SELECT _partition, _offset FROM kaizen.rejections WHERE _topic = '{topic}')"
    );
    eventually("every record has its outcome", SOON, async || {
        let counted = number(sandbox, &sql).await?;
        ensure!(counted == records, "{counted} of {records} have");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn outcomes_are_stored_once_and_count_for_their_decisions_whenever_they_come() -> Result<()> {
    let mut config = tempfile::NamedTempFile::with_suffix(".yaml")?;
    config.write_all(CONFIG.as_bytes())?;
    let path = config.path().to_str().context("a path")?;
    let sandbox = Sandbox::with(&[("KAIZEN_CONFIG", path)]).await?;
    let base = base()?;
    let sessions = sessions(base);
    let (early, late) = sessions.split_at(sessions.len() / 2);
    let replies = |of: &[Session]| of.iter().filter_map(Session::reply).collect::<Vec<_>>();
    let decisions: Vec<_> = sessions.iter().flat_map(Session::decisions).collect();
    let kafka = sandbox.stack().kafka();

    // The replies of the first half are there before their decisions.
    kafka.publish(OUTCOMES, replies(early)).await?;
    all_are_counted(&sandbox, OUTCOMES, "outcomes", replies(early).len()).await?;
    kafka.publish(DECISIONS, decisions.clone()).await?;
    all_are_counted(&sandbox, DECISIONS, "decisions", decisions.len()).await?;

    // Of the second half each tenth comes twice; some are none; and the collector is killed in the middle.
    let twice: Vec<_> = replies(late).into_iter().step_by(10).collect();
    let bad = malformed();
    let bad_records = bad.iter().map(|(event, ..)| Record::new("k", event.to_string()));
    let more: Vec<_> = (replies(late).into_iter())
        .chain(twice.clone())
        .chain(bad_records)
        .collect();
    let records = replies(early).len() + more.len();
    kafka.publish(OUTCOMES, more).await?;
    let stored = "SELECT count() FROM kaizen.outcomes";
    eventually("it is in the middle", SOON, async || {
        ensure!(
            number(&sandbox, stored).await? > replies(early).len(),
            "nothing new is stored"
        );
        Ok(())
    })
    .await?;
    sandbox.collector().part().kill();
    sandbox.collector().restart().await?;
    all_are_counted(&sandbox, OUTCOMES, "outcomes", records).await?;

    let events = replies(&sessions).len();
    let rows = sandbox
        .stack()
        .clickhouse()
        .query("SELECT count(), uniqExact(event_id), countIf(extra = '{\"channel\":\"mail\"}') FROM kaizen.outcomes")
        .await?;
    assert_eq!(rows, format!("{events}\t{events}\t{events}"));
    let repeated =
        "SELECT count() FROM kaizen.rejections WHERE reason = 'duplicate' AND _topic = 'kaizen.outcomes'";
    assert_eq!(number(&sandbox, repeated).await?, twice.len());
    bad_ones_are_dead_letters(&sandbox, &bad).await?;
    sandbox.kaizen(&["audit"]).await?;
    the_rate_is_a_direct_count(&sandbox, &sessions, base).await
}

async fn bad_ones_are_dead_letters(sandbox: &Sandbox, bad: &[(Value, &str, &str)]) -> Result<()> {
    let letters = sandbox.stack().kafka().records("kaizen.decisions.dlq").await?;
    for (event, reason, field) in bad {
        let value = event.to_string().into_bytes();
        let letter = letters
            .iter()
            .find(|letter| letter.value.as_ref() == Some(&value));
        let letter = letter.with_context(|| format!("no dead letter of {event}"))?;
        let header = |name: &str| letter.header(name).unwrap_or_default();
        assert_eq!(
            (
                header("kaizen-topic"),
                header("kaizen-reason"),
                header("kaizen-field")
            ),
            (OUTCOMES, *reason, *field),
            "{event}"
        );
    }
    Ok(())
}

async fn the_rate_is_a_direct_count(sandbox: &Sandbox, sessions: &[Session], base: Timestamp) -> Result<()> {
    let end = base + SignedDuration::from_hours(48);
    let span: Window = window(&base.to_string(), &end.to_string())?;
    let answer = series(sandbox, "ai_message_generation.reply_rate", span, Step::Hour, "").await?;
    let total = answer[0].total.as_ref().context("a total")?;
    let messages: usize = sessions.iter().map(|session| session.decided.len()).sum();
    let replied = sessions.iter().filter(|session| session.counts()).count();
    assert!(replied > 1_000 && replied < sessions.len() / 3);
    assert_eq!(
        (total.n as usize, total.value),
        (messages, Some(replied as f64 / messages as f64))
    );
    let interval = total.interval.as_ref().context("an interval")?;
    assert!(interval.lower < replied as f64 / messages as f64 && !total.thin);
    let hits = |point: &kaizen_api::analysis::v1::Point| {
        let value = point.value.as_ref();
        value.map_or(0.0, |value| value.value.unwrap_or_default() * value.n as f64)
    };
    let hourly: f64 = answer[0].points.iter().map(hits).sum();
    assert_eq!(
        hourly.round() as usize,
        replied,
        "each counts in the hour of its decision"
    );
    Ok(())
}

#[tokio::test]
async fn changes_are_published_by_the_command_and_kept_in_the_ledger() -> Result<()> {
    let sandbox = Sandbox::start().await?;
    let mut file = tempfile::NamedTempFile::new()?;
    let now = Timestamp::now().to_string();
    let prompt = json!({"kind": "prompt", "component": "ai_message_generation", "version": "v13", "at": now,
                        "link": "https://git.example/1", "by": "ada"});
    let deploy = json!({"event_id": "d-1", "kind": "deploy", "component": "crm_sync", "version": "2.1", "at": "2019-01-01T00:00:00Z"});
    let mood = json!({"kind": "mood", "component": "c", "version": "1", "at": now});
    let script =
        json!({"kind": "config", "component": "c", "version": "1", "at": now, "link": "javascript:alert(1)"});
    for event in [&prompt, &deploy, &prompt, &mood, &script] {
        writeln!(file, "{event}")?;
    }
    let path = file.path().to_str().context("a path")?;
    sandbox.kaizen(&["publish", path, "--kind", "change"]).await?;
    all_are_counted(&sandbox, "kaizen.changes", "changes", 5).await?;
    let clickhouse = sandbox.stack().clickhouse();
    let ledger = "SELECT kind, component, version, link, extra FROM kaizen.changes ORDER BY component";
    assert_eq!(
        clickhouse.query(ledger).await?,
        "prompt\tai_message_generation\tv13\thttps://git.example/1\t{\"by\":\"ada\"}\ndeploy\tcrm_sync\t2.1\t\t{}"
    );
    let rejected = "SELECT reason, field FROM kaizen.rejections ORDER BY _offset";
    assert_eq!(
        clickhouse.query(rejected).await?,
        "duplicate\t\nunknown_value\t/kind\nunknown_value\t/link"
    );
    sandbox.kaizen(&["audit"]).await?;
    Ok(())
}
