//! What implemented tickets changed.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use kaizen_ledger::LedgerError;

use crate::databases::{Database, new_ticket};

fn time(second: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_second(second)?)
}

#[tokio::test]
async fn of_two_measurements_of_one_day_the_first_is_kept_whoever_makes_it() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        ledger.create(&new_ticket("one")).await?;
        let (first, again) = (time(1_000)?, time(2_000)?);
        let kept = ledger.keep_measurement(1, first, 7, "early").await?;
        // Another replica has measured too
        let other = database.open().await?;
        assert_eq!(other.keep_measurement(1, first, 7, "late").await?, kept);
        ledger.keep_measurement(1, first, 28, "last").await?;
        ledger.keep_measurement(1, first, 14, "middle").await?;
        ledger.keep_measurement(1, again, 7, "implemented again").await?;
        let found = ledger.measurements(1, first).await?;
        let told: Vec<_> = found.iter().map(|it| (it.day, it.content.as_str())).collect();
        assert_eq!(told, [(7, "early"), (14, "middle"), (28, "last")]);
        ensure!(
            found
                .iter()
                .all(|it| it.number == 1 && it.implemented_at == first)
        );
        let absent = ledger.keep_measurement(2, first, 7, "of nothing").await;
        assert!(matches!(absent, Err(LedgerError::NotFound(2))));
    }
    Ok(())
}

#[tokio::test]
async fn the_latest_day_of_each_implementation_counts() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        assert_eq!(ledger.latest_measurements().await?, []);
        for request in ["one", "two"] {
            ledger.create(&new_ticket(request)).await?;
        }
        let at = time(1_000)?;
        for (number, day) in [(1, 7), (2, 7), (1, 14)] {
            ledger.keep_measurement(number, at, day, "found").await?;
        }
        let found = ledger.latest_measurements().await?;
        let told: Vec<_> = found.iter().map(|it| (it.number, it.day)).collect();
        assert_eq!(told, [(1, 14), (2, 7)]);
    }
    Ok(())
}
