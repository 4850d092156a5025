//! The parts that faults are injected into: a broker and an engine on disks of their own, and collectors whose networks and
//! clocks are held by the test.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use kaizen_testkit::{ClickHouse, Clock, Disk, Kafka, KafkaOptions, Proxy, Service, Stack, free_address};
use tempfile::NamedTempFile;

const DRAIN: Duration = Duration::from_secs(10);
/// Collectors that are there from the start to the end.
pub const MEMBERS: usize = 2;
/// Blocks whose tokens a table remembers: few enough to pass, and far more than pass while a collector starts again.
pub const WINDOW: u64 = 500;

/// How the collectors share partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A member that is killed is missed until its session ends.
    Classic,
    /// A member that comes back under its name has its partitions again.
    Static,
    /// KIP-848.
    Kip848,
}

impl Group {
    fn settings(self) -> &'static str {
        match self {
            Self::Classic | Self::Static => {
                "properties: { session.timeout.ms: '6000', heartbeat.interval.ms: '500', max.poll.interval.ms: '10000' }"
            }
            Self::Kip848 => {
                // librdkafka takes no shorter one than its default session, which the broker cuts to 6 s.
                "group_protocol: consumer\n  properties: { max.poll.interval.ms: '45000' }"
            }
        }
    }

    /// Longer than its `max.poll.interval.ms`.
    pub fn stall(self) -> Duration {
        match self {
            Self::Classic | Self::Static => Duration::from_secs(11),
            Self::Kip848 => Duration::from_secs(46),
        }
    }
}

/// A collector, its networks and its clock.
pub struct Member {
    // In the order of dropping.
    pub collector: Service,
    pub engine: Proxy,
    pub broker: Proxy,
    pub clock: Clock,
}

impl Member {
    pub fn kill(&self) {
        self.collector.part().kill();
    }

    pub async fn end(&self) -> Result<()> {
        end(&self.collector).await
    }
}

/// Ends a collector as its operator does, and as a supervisor does one that takes too long. One that ended by itself, or with an
/// error, is counted: it is no loss, and none of its records is, but it is not as it should be.
pub async fn end(collector: &Service) -> Result<()> {
    let why = match collector.part().terminate(DRAIN).await {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => status.to_string(),
        Err(error) => format!("{error:#}"),
    };
    collector.part().kill();
    UNPEACEFUL.fetch_add(1, Ordering::Relaxed);
    let log = collector.part().log()?;
    let said = log
        .lines()
        .rfind(|line| line.contains("ERROR kaizen"))
        .unwrap_or_default();
    println!("a collector did not end in peace: {why}: {said}");
    Ok(())
}

/// Collectors that did not end in peace, of all runs of this process.
pub static UNPEACEFUL: AtomicU64 = AtomicU64::new(0);

/// All of them.
pub struct Cluster {
    pub group: Group,
    // In the order of dropping.
    pub members: Vec<Member>,
    /// A collector that is there only now and then.
    pub guest: Service,
    pub stack: Stack,
    pub clock: Clock,
    /// Read by the collectors whenever they start.
    _config: NamedTempFile,
}

fn disk() -> Result<Option<Disk>> {
    Disk::is_possible().then(Disk::mount).transpose()
}

impl Cluster {
    pub async fn start(group: Group) -> Result<Self> {
        let mut config = NamedTempFile::with_suffix(".yaml")?;
        let batch = "batch: { max_rows: 200, max_age: 50ms, max_age_behind: 50ms }";
        write!(config, "{batch}\nkafka:\n  {}\n", group.settings())?;
        let mut networks = Vec::new();
        for _ in 0..MEMBERS {
            networks.push(Proxy::start(free_address()?).await?);
        }
        let clock_of_broker = Clock::new()?;
        let options = KafkaOptions {
            disk: disk()?,
            clock: Some(&clock_of_broker),
            networks: &networks.iter().collect::<Vec<_>>(),
            secured: None,
        };
        let (kafka, clickhouse) =
            tokio::try_join!(Kafka::start_with(options), ClickHouse::start_on(disk()?))?;
        let stack = Stack::of(kafka, clickhouse).await?;
        remember_less(&stack).await?;
        let mut members = Vec::new();
        for (n, broker) in networks.into_iter().enumerate() {
            members.push(member(n, group, &stack, broker, &config).await?);
        }
        let guest = collector(MEMBERS, group, &stack, &config, &[]).await?;
        end(&guest).await?;
        Ok(Self {
            group,
            members,
            guest,
            stack,
            clock: clock_of_broker,
            _config: config,
        })
    }
}

/// So that the window of what ClickHouse remembers can be passed.
async fn remember_less(stack: &Stack) -> Result<()> {
    let tables = "SELECT name FROM system.tables WHERE database = 'kaizen' AND engine_full LIKE '%deduplication_window%'";
    for table in stack.clickhouse().query(tables).await?.lines() {
        let setting = format!("non_replicated_deduplication_window = {WINDOW}");
        let alter = format!("ALTER TABLE kaizen.{table} MODIFY SETTING {setting}");
        stack.clickhouse().query(&alter).await?;
    }
    Ok(())
}

async fn member(
    n: usize,
    group: Group,
    stack: &Stack,
    broker: Proxy,
    config: &NamedTempFile,
) -> Result<Member> {
    let engine = stack.clickhouse().url().trim_start_matches("http://").parse()?;
    let engine = Proxy::start(engine).await?;
    let clock = Clock::new()?;
    let mut variables = clock.variables();
    variables.push(("KAIZEN__CLICKHOUSE__URL", engine.url()));
    variables.push(("KAIZEN__KAFKA__BROKERS", broker.address().to_string()));
    let collector = collector(n, group, stack, config, &variables).await?;
    Ok(Member {
        collector,
        engine,
        broker,
        clock,
    })
}

async fn collector(
    n: usize,
    group: Group,
    stack: &Stack,
    config: &NamedTempFile,
    variables: &[(&str, String)],
) -> Result<Service> {
    let (path, name) = (config.path().to_str().context("a path")?, format!("chaos-{n}"));
    let mut settings = vec![("KAIZEN_CONFIG", path), ("KAIZEN__AUDIT__INTERVAL", "2s")];
    if group == Group::Static {
        settings.push(("KAIZEN__KAFKA__INSTANCE_ID", name.as_str()));
    }
    settings.extend(variables.iter().map(|(name, value)| (*name, value.as_str())));
    Service::start("collector", false, stack, &settings).await
}
