//! Does what a fault says while records are published, and undoes what does not end by itself.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{Exchange, Held, Moment, Proxy, Service, eventually};

use super::DEAD_LETTERS;
use super::cluster::{Cluster, Member, WINDOW, end};
use super::fault::{Blow, Fault, Link};
use super::records::{HISTORY, days_ago};

/// Longer than a member of the group may be silent: the other one takes its partitions over.
const REPLACED: Duration = Duration::from_secs(8);
/// How long something may take that is sure to come.
const SOON: Duration = Duration::from_secs(60);
/// How often the third member comes in a storm.
const VISITS: usize = 4;

/// Injects a fault `after` so long, and has the records published meanwhile.
pub async fn inject(
    fault: Fault,
    after: Duration,
    cluster: &Cluster,
    published: impl Future<Output = Result<()>>,
) -> Result<()> {
    let kafka = cluster.stack.kafka();
    match fault {
        Fault::At(exchange, moment, blow) => {
            let next = next(&cluster.members, exchange, moment);
            if matches!(blow, Blow::KillBroker) {
                let (met, published) = tokio::join!(next, published);
                published?;
                let (held, member) = met?;
                return strike(blow, held, member, cluster).await;
            }
            let struck = async {
                let (held, member) = next.await?;
                strike(blow, held, member, cluster).await
            };
            both(struck, published).await
        }
        Fault::KillBroker => {
            published.await?;
            kafka.part().kill();
            kafka.restart().await
        }
        Fault::FillBroker => {
            let collectors = || cluster.members.iter().map(|member| member.collector.part());
            collectors().try_for_each(|collector| collector.pause())?;
            published.await?;
            let disk = kafka.disk().context("a disk")?;
            disk.fill(0)?;
            collectors().try_for_each(|collector| collector.resume())?;
            // Kafka ends when its only disk fails.
            let ended = eventually("the broker ends", SOON, async || {
                kafka.part().exit_status()?.context("it runs on")
            })
            .await;
            disk.free()?;
            ended?;
            kafka.part().kill();
            kafka.restart().await
        }
        Fault::PassWindow(blow) => pass_window(blow, cluster, published).await,
        _ => {
            // Where in the stream the fault falls is up to chance, not a wait for something.
            let injected = async {
                tokio::time::sleep(after).await;
                inject_meanwhile(fault, cluster).await
            };
            both(injected, published).await
        }
    }
}

async fn both(
    injected: impl Future<Output = Result<()>>,
    published: impl Future<Output = Result<()>>,
) -> Result<()> {
    let (injected, published) = tokio::join!(injected, published);
    published.context("publishing")?;
    injected
}

async fn inject_meanwhile(fault: Fault, cluster: &Cluster) -> Result<()> {
    let (members, clickhouse) = (&cluster.members, cluster.stack.clickhouse());
    match fault {
        Fault::KillCollector(one) => {
            members[one].kill();
            members[one].collector.restart().await
        }
        Fault::EndCollector(one) => {
            members[one].end().await?;
            members[one].collector.restart().await
        }
        Fault::ReplaceCollector(one) => stop(&members[one], REPLACED).await,
        Fault::StallCollector(one) => stop(&members[one], cluster.group.stall()).await,
        Fault::Storm => {
            for visit in 0..VISITS {
                cluster.guest.restart().await?;
                match visit % 2 {
                    0 => end(&cluster.guest).await?,
                    _ => cluster.guest.part().kill(),
                }
            }
            Ok(())
        }
        Fault::KillEngine => {
            clickhouse.part().kill();
            clickhouse.restart().await
        }
        Fault::PauseEngine => {
            clickhouse.part().pause()?;
            tokio::time::sleep(Duration::from_secs(2)).await;
            clickhouse.part().resume()
        }
        Fault::FillEngine(spare, killed) => fill_engine(spare, killed, cluster).await,
        Fault::FailPart(killed) => fail_part(killed, cluster).await,
        _ => disturb(fault, cluster).await,
    }
}

/// What concerns networks, dead letters and clocks.
async fn disturb(fault: Fault, cluster: &Cluster) -> Result<()> {
    let (members, kafka) = (&cluster.members, cluster.stack.kafka());
    match fault {
        Fault::CutNetwork(link, one) => {
            network(link, &members[one]).cut();
            Ok(())
        }
        Fault::SlowNetwork(link, one) => {
            network(link, &members[one]).limit(200_000);
            tokio::time::sleep(Duration::from_secs(1)).await;
            network(link, &members[one]).limit(0);
            Ok(())
        }
        Fault::SilenceNetwork(link, one) => {
            network(link, &members[one]).silence(true);
            tokio::time::sleep(REPLACED).await;
            network(link, &members[one]).silence(false);
            Ok(())
        }
        Fault::RefuseLetters => {
            kafka
                .configure_topic(DEAD_LETTERS, "max.message.bytes", Some("1"))
                .await?;
            let waited = wait_until_unready("dead letters", cluster).await;
            kafka
                .configure_topic(DEAD_LETTERS, "max.message.bytes", Some("4194304"))
                .await?;
            waited
        }
        Fault::SuspendLetters => {
            kafka
                .configure_topic(DEAD_LETTERS, "min.insync.replicas", Some("2"))
                .await?;
            tokio::time::sleep(Duration::from_secs(3)).await;
            kafka
                .configure_topic(DEAD_LETTERS, "min.insync.replicas", None)
                .await
        }
        Fault::SetClock(one, seconds) => members[one].clock.set(seconds),
        Fault::SetBrokerClock(seconds) => cluster.clock.set(seconds),
        _ => anyhow::bail!("{fault:?} is not injected here"),
    }
}

fn network(link: Link, member: &Member) -> &Proxy {
    match link {
        Link::Engine => &member.engine,
        Link::Broker => &member.broker,
    }
}

async fn stop(member: &Member, how_long: Duration) -> Result<()> {
    member.collector.part().pause()?;
    tokio::time::sleep(how_long).await;
    member.collector.part().resume()
}

async fn fill_engine(spare: u64, killed: Option<usize>, cluster: &Cluster) -> Result<()> {
    let disk = cluster.stack.clickhouse().disk().context("a disk")?;
    disk.fill(spare)?;
    let waited = wait_until_unready("clickhouse", cluster).await;
    let killed = killed.map(|one| &cluster.members[one]);
    if let Some(member) = killed {
        member.kill();
    }
    disk.free()?;
    // It ends when a file cannot be written, and goes on where it had no room to begin.
    let clickhouse = cluster.stack.clickhouse();
    if clickhouse.query("SELECT 1").await.is_err() {
        clickhouse.part().kill();
        clickhouse.restart().await?;
    }
    restart_if(killed).await?;
    waited
}

/// An index over what fails for one month makes the part of that month fail while the parts of the others are written.
async fn fail_part(killed: Option<usize>, cluster: &Cluster) -> Result<()> {
    let clickhouse = cluster.stack.clickhouse();
    let [_, middle, _] = HISTORY.map(|days| days_ago(days).strftime("%Y%m").to_string());
    let fault = format!("throwIf(toYYYYMM(timestamp) = {middle}, 'a fault')");
    clickhouse
        .query(&format!(
            "ALTER TABLE kaizen.decisions ADD INDEX fault {fault} TYPE minmax"
        ))
        .await?;
    let waited = wait_until_unready("clickhouse", cluster).await;
    let killed = killed.map(|one| &cluster.members[one]);
    if let Some(member) = killed {
        member.kill();
    }
    clickhouse
        .query("ALTER TABLE kaizen.decisions DROP INDEX fault")
        .await?;
    restart_if(killed).await?;
    waited
}

async fn restart_if(killed: Option<&Member>) -> Result<()> {
    match killed {
        Some(member) => member.collector.restart().await,
        None => Ok(()),
    }
}

/// Waits until one of the collectors cannot get on for want of this.
async fn wait_until_unready(of: &str, cluster: &Cluster) -> Result<()> {
    let lacks = async |collector: &Service| {
        let told = collector.operation("readyz").await.err();
        told.is_some_and(|told| told.to_string().contains(of))
    };
    eventually(&format!("a collector lacks {of}"), SOON, async || {
        for member in &cluster.members {
            if lacks(&member.collector).await {
                return Ok(());
            }
        }
        anyhow::bail!("none does")
    })
    .await
}

/// Strikes while the exchange stands still.
async fn strike(blow: Blow, held: Held, member: &Member, cluster: &Cluster) -> Result<()> {
    let (kafka, clickhouse) = (cluster.stack.kafka(), cluster.stack.clickhouse());
    match blow {
        Blow::CutConnection => {
            drop(held);
            Ok(())
        }
        Blow::KillCollector => {
            member.kill();
            drop(held);
            member.collector.restart().await
        }
        Blow::KillEngine => {
            clickhouse.part().kill();
            drop(held);
            clickhouse.restart().await
        }
        Blow::KillBroker => {
            kafka.part().kill();
            drop(held);
            kafka.restart().await
        }
    }
}

/// The next exchange of this kind that comes to this moment, and whose it is.
async fn next(members: &[Member], exchange: Exchange, moment: Moment) -> Result<(Held, &Member)> {
    let [one, other] = members else {
        anyhow::bail!("two collectors are expected");
    };
    let link = match exchange {
        Exchange::Insert | Exchange::Commented(_) => Link::Engine,
        Exchange::Commit | Exchange::Produce => Link::Broker,
    };
    let next = async {
        tokio::select! {
            held = network(link, one).hold(exchange, moment) => anyhow::Ok((held?, one)),
            held = network(link, other).hold(exchange, moment) => anyhow::Ok((held?, other)),
        }
    };
    tokio::time::timeout(SOON, next)
        .await
        .with_context(|| format!("no {exchange:?} came by"))?
}

/// Holds the answer to an insert back until the tables have taken more blocks than they remember tokens of.
async fn pass_window(
    blow: Blow,
    cluster: &Cluster,
    published: impl Future<Output = Result<()>>,
) -> Result<()> {
    let newest =
        "SELECT max(max_block_number) FROM system.parts WHERE database = 'kaizen' AND table = 'decisions'";
    let newest = async || -> Result<u64> { Ok(cluster.stack.clickhouse().query(newest).await?.parse()?) };
    let met = async {
        let (held, member) = next(&cluster.members, Exchange::Insert, Moment::Answered).await?;
        anyhow::Ok((held, member, newest().await?))
    };
    let (met, published) = tokio::join!(met, published);
    published?;
    let (held, member, before) = met?;
    eventually("the window is passed", 2 * SOON, async || {
        let passed = newest().await?.saturating_sub(before);
        // The engine notes each block twice.
        ensure!(2 * passed > WINDOW, "{passed} blocks since");
        Ok(())
    })
    .await?;
    strike(blow, held, member, cluster).await
}
