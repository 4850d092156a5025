//! What is done to the parts, and how it is chosen.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::{Held, Moment, Proxy, Service, Stack};
use rand::RngExt;
use rand::rngs::StdRng;

/// Longer than a member of the group may be silent: the other one takes its partitions over.
const REPLACED: Duration = Duration::from_secs(8);
/// How long an insert may take to come by.
const SOON: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// At a moment of an insert.
    At(Moment, Blow),
    KillCollector(usize),
    EndCollector(usize),
    /// It stands still while the other one replays what it was about to store, and then goes on.
    ReplaceCollector(usize),
    /// Members come and go.
    Storm(usize),
    KillEngine,
    PauseEngine,
    KillBroker,
    CutNetwork(usize),
    SlowNetwork(usize),
}

#[derive(Debug, Clone, Copy)]
pub enum Blow {
    KillCollector,
    KillEngine,
    CutConnection,
}

impl Fault {
    /// Any, of so many collectors.
    pub fn any(random: &mut StdRng, collectors: usize) -> Self {
        let one = random.random_range(0..collectors);
        match random.random_range(0..40) {
            0..18 => {
                let moment = Moment::ALL[random.random_range(0..Moment::ALL.len())];
                let blow = match random.random_range(0..10) {
                    0..5 => Blow::KillCollector,
                    5..8 => Blow::CutConnection,
                    _ => Blow::KillEngine,
                };
                Self::At(moment, blow)
            }
            18..24 => Self::KillCollector(one),
            24..28 => Self::EndCollector(one),
            28 => Self::ReplaceCollector(one),
            29 => Self::Storm(one),
            30..33 => Self::KillEngine,
            33 => Self::PauseEngine,
            34 => Self::KillBroker,
            35..38 => Self::CutNetwork(one),
            _ => Self::SlowNetwork(one),
        }
    }
}

/// A collector and its network to the engine.
pub struct Member {
    // In the order of dropping.
    pub collector: Service,
    pub proxy: Proxy,
}

impl Member {
    fn kill(&self) {
        self.collector.part().kill();
    }

    async fn end(&self) -> Result<()> {
        let status = self.collector.part().terminate(Duration::from_secs(10)).await?;
        ensure!(status.success(), "{status}");
        Ok(())
    }
}

/// Does it, and undoes what does not end by itself.
pub async fn inject(fault: Fault, stack: &Stack, members: &[Member]) -> Result<()> {
    let (kafka, clickhouse) = (stack.kafka(), stack.clickhouse());
    match fault {
        Fault::At(moment, blow) => {
            let (held, member) = next_insert(members, moment).await?;
            strike(blow, held, member, stack).await
        }
        Fault::KillCollector(one) => {
            members[one].kill();
            members[one].collector.restart().await
        }
        Fault::EndCollector(one) => {
            members[one].end().await?;
            members[one].collector.restart().await
        }
        Fault::ReplaceCollector(one) => {
            members[one].collector.part().pause()?;
            tokio::time::sleep(REPLACED).await;
            members[one].collector.part().resume()
        }
        Fault::Storm(one) => {
            for _ in 0..3 {
                members[one].end().await?;
                members[one].collector.restart().await?;
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
        Fault::KillBroker => {
            kafka.part().kill();
            kafka.restart().await
        }
        Fault::CutNetwork(one) => {
            members[one].proxy.cut();
            Ok(())
        }
        Fault::SlowNetwork(one) => {
            members[one].proxy.limit(200_000);
            tokio::time::sleep(Duration::from_secs(1)).await;
            members[one].proxy.limit(0);
            Ok(())
        }
    }
}

/// Strikes while the insert stands still.
async fn strike(blow: Blow, held: Held, member: &Member, stack: &Stack) -> Result<()> {
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
            stack.clickhouse().part().kill();
            drop(held);
            stack.clickhouse().restart().await
        }
    }
}

/// The next insert that comes to this moment, and whose it is.
async fn next_insert(members: &[Member], moment: Moment) -> Result<(Held, &Member)> {
    let [one, other] = members else {
        anyhow::bail!("two collectors are expected");
    };
    let next = async {
        tokio::select! {
            held = one.proxy.hold(moment) => anyhow::Ok((held?, one)),
            held = other.proxy.hold(moment) => anyhow::Ok((held?, other)),
        }
    };
    tokio::time::timeout(SOON, next)
        .await
        .context("no insert came by")?
}
