//! `kaizen admin`: topics and tables.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use kaizen_warehouse::migrate;
use kaizen_warehouse::queries::Window;
use kaizen_warehouse::rollup::rebuild_rollup;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use serde::Serialize;

use crate::connection::Connection;
use crate::metrics::time;
use crate::output::{Output, count, json, say, table};
use crate::topics::{Topic, Topics};

const ANSWER: Duration = Duration::from_secs(30);

/// What to look after.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Create the topics that are missing; refuse if one that exists differs
    CreateTopics {
        /// Declaration of the topics
        #[arg(long, default_value = "config/topics.yaml", value_name = "FILE")]
        file: PathBuf,
    },
    /// Apply the migrations of ClickHouse that are missing
    Migrate,
    /// Show which migrations are applied
    Status,
    /// Make the hourly rollup what its decisions say, where it is not; the collectors may go on. Run it once at a time, and
    /// not while a collector is trying a failed insert again (it is not ready then)
    RebuildRollup {
        /// First hour, by the decisions' own time: a date, or a time in RFC 3339, on a whole hour; everything when absent
        #[arg(long, value_name = "TIME", requires = "to")]
        from: Option<String>,
        /// First hour after
        #[arg(long, value_name = "TIME", requires = "from")]
        to: Option<String>,
    },
}

#[derive(Serialize)]
struct Outcome {
    name: String,
    outcome: &'static str,
}

/// Runs it.
pub async fn run(command: &Admin, connection: &Connection, output: Output) -> anyhow::Result<()> {
    let outcomes = match command {
        Admin::RebuildRollup { from, to } => {
            return rebuild(from.as_deref().zip(to.as_deref()), connection, output).await;
        }
        Admin::CreateTopics { file } => create_topics(&Topics::load(file)?, connection).await?,
        Admin::Migrate => {
            let applied = migrate::apply(&connection.warehouse()?).await?;
            applied
                .into_iter()
                .map(|name| Outcome {
                    name,
                    outcome: "applied",
                })
                .collect()
        }
        Admin::Status => {
            let status = migrate::status(&connection.warehouse()?).await?;
            let applied = status.applied.into_iter().map(|name| Outcome {
                name,
                outcome: "applied",
            });
            applied
                .chain(status.pending.into_iter().map(|name| Outcome {
                    name,
                    outcome: "pending",
                }))
                .collect()
        }
    };
    match output {
        Output::Json => json(&outcomes),
        Output::Table if outcomes.is_empty() => {
            say("nothing to do");
            Ok(())
        }
        Output::Table => {
            say(table(
                &["name", "outcome"],
                2,
                outcomes
                    .into_iter()
                    .map(|it| vec![it.name, it.outcome.to_owned()]),
            ));
            Ok(())
        }
    }
}

async fn rebuild(
    window: Option<(&str, &str)>,
    connection: &Connection,
    output: Output,
) -> anyhow::Result<()> {
    let window =
        window.map(|(from, to)| anyhow::Ok(Window::new("window", time(from, "UTC")?, time(to, "UTC")?)?));
    let rebuilt = rebuild_rollup(&connection.warehouse()?, window.transpose()?).await?;
    match output {
        Output::Json => json(&rebuilt),
        Output::Table => {
            let (corrected, decisions) = (count(rebuilt.corrected), count(rebuilt.decisions));
            say(format_args!(
                "{corrected} rows of the rollup corrected, of {decisions} decisions"
            ));
            Ok(())
        }
    }
}

async fn create_topics(topics: &Topics, connection: &Connection) -> anyhow::Result<Vec<Outcome>> {
    let admin: AdminClient<DefaultClientContext> = connection.kafka().create()?;
    let options = AdminOptions::new()
        .operation_timeout(Some(ANSWER))
        .request_timeout(Some(ANSWER));
    let wanted = topics.topics.iter().map(|topic| {
        let replication = TopicReplication::Fixed(topic.replication_factor);
        let new = NewTopic::new(&topic.name, topic.partitions, replication);
        topic
            .config
            .iter()
            .fold(new, |new, (key, value)| new.set(key, value))
    });
    let wanted: Vec<_> = wanted.collect();
    let created = admin.create_topics(&wanted, &options).await;
    let created = created.with_context(|| format!("Kafka at {}", connection.brokers))?;
    let mut outcomes = Vec::new();
    for (topic, created) in topics.topics.iter().zip(created) {
        let outcome = match created {
            Ok(_) => "created",
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {
                compare(&admin, topic).await?;
                "exists"
            }
            Err((name, code)) => bail!("topic {name}: {code}"),
        };
        outcomes.push(Outcome {
            name: topic.name.clone(),
            outcome,
        });
    }
    Ok(outcomes)
}

/// A topic that exists must be the declared one: partitions cannot shrink, and growing moves keys.
async fn compare(admin: &AdminClient<DefaultClientContext>, topic: &Topic) -> anyhow::Result<()> {
    let name = &topic.name;
    let metadata = admin.inner().fetch_metadata(Some(name), ANSWER)?;
    let there = metadata
        .topics()
        .first()
        .map_or(0, |topic| topic.partitions().len());
    let declared = usize::try_from(topic.partitions)?;
    ensure!(
        there == declared,
        "topic {name} has {there} partitions, {declared} are declared: change one of them by hand"
    );
    let described = admin
        .describe_configs([&ResourceSpecifier::Topic(name)], &AdminOptions::new())
        .await?;
    for resource in described {
        let resource = resource.map_err(|code| anyhow::anyhow!("topic {name}: {code}"))?;
        for (key, declared) in &topic.config {
            let set = resource.get(key).and_then(|entry| entry.value.as_ref());
            ensure!(
                set == Some(declared),
                "topic {name} has {key} = {set:?}, {declared:?} is declared: change one of them by hand"
            );
        }
    }
    Ok(())
}
