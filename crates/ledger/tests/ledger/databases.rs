//! Where the tests keep ledgers.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use kaizen_ledger::{Change, Ledger, LedgerUrl, NewMeasurement, NewTicket};
use kaizen_testkit::Postgres;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A database for one ledger; SQLite's is removed with it.
pub struct Database {
    pub url: LedgerUrl,
    pub folder: TempDir,
}

impl Database {
    /// One of each kind, both empty.
    pub async fn both() -> Result<[Self; 2]> {
        Ok([Self::sqlite()?, Self::postgres().await?])
    }

    pub fn sqlite() -> Result<Self> {
        let folder = TempDir::new()?;
        let url = format!("sqlite://{}/ledger.db", folder.path().display());
        Ok(Self {
            url: read(&url)?,
            folder,
        })
    }

    pub async fn postgres() -> Result<Self> {
        let url = cluster().await?.database(&fresh()).await?;
        Ok(Self {
            url: read(&url)?,
            folder: TempDir::new()?,
        })
    }

    pub async fn open(&self) -> Result<Ledger> {
        Ledger::open(&self.url, "")
            .await
            .with_context(|| self.url.to_string())
    }
}

impl Database {
    /// The ledger, and what keeps its file.
    pub async fn open_kept(self) -> Result<(Ledger, Self)> {
        Ok((self.open().await?, self))
    }
}

/// A name that no database of the cluster has.
pub fn fresh() -> String {
    static LEDGERS: AtomicU32 = AtomicU32::new(0);
    format!("ledger_{}", LEDGERS.fetch_add(1, Ordering::Relaxed))
}

/// The cluster that the tests of this process share.
pub async fn cluster() -> Result<&'static Postgres> {
    static CLUSTER: OnceCell<Postgres> = OnceCell::const_new();
    CLUSTER.get_or_try_init(Postgres::start).await
}

pub fn read(url: &str) -> Result<LedgerUrl> {
    url.parse().map_err(|rule| anyhow!("{url} {rule}"))
}

/// A ticket with nothing in it but what it must have.
pub fn new_ticket(request_id: &str) -> NewTicket {
    NewTicket {
        request_id: request_id.to_owned(),
        actor: "anna".to_owned(),
        title: format!("Mend {request_id}"),
        description: String::new(),
        category: String::new(),
        metric: String::new(),
        rule: String::new(),
        owner: String::new(),
        labels: Vec::new(),
        due_date: None,
        links: Vec::new(),
        evidence: None,
    }
}

/// A measurement of the ticket as it was implemented in 1970.
pub fn new_measurement(number: i64, day: u32) -> NewMeasurement {
    NewMeasurement {
        number,
        implemented_at: Timestamp::UNIX_EPOCH,
        day,
        actor: "kaizen".to_owned(),
        content: "found".to_owned(),
        verdict: "improved".to_owned(),
        summary: "It rose.".to_owned(),
    }
}

/// A change that says something.
pub fn comment(actor: &str, comment: &str) -> Change {
    Change {
        actor: actor.to_owned(),
        comment: comment.to_owned(),
        ..Change::default()
    }
}
