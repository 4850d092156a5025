//! What implemented tickets changed.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use jiff::Timestamp;
use kaizen_ledger::{LedgerError, Measured, NewMeasurement};

use crate::databases::{Database, comment, new_measurement, new_ticket};

fn time(second: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_second(second)?)
}

fn measured(number: i64, implemented_at: Timestamp, day: u32, content: &str) -> NewMeasurement {
    NewMeasurement {
        implemented_at,
        content: content.to_owned(),
        ..new_measurement(number, day)
    }
}

#[tokio::test]
async fn of_two_measurements_of_one_day_the_first_is_kept_whoever_makes_it() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        ledger.create(&new_ticket("one")).await?;
        let (first, again) = (time(1_000)?, time(2_000)?);
        let kept = ledger.keep_measurement(&measured(1, first, 7, "early")).await?;
        // Another replica has measured too
        let other = database.open().await?;
        let late = other.keep_measurement(&measured(1, first, 7, "late")).await?;
        assert_eq!(late, kept);
        for (at, day, content) in [
            (first, 28, "last"),
            (first, 14, "middle"),
            (again, 7, "implemented again"),
        ] {
            ledger.keep_measurement(&measured(1, at, day, content)).await?;
        }
        let found = ledger.measurements(1, first).await?;
        let told: Vec<_> = found.iter().map(|it| (it.day, it.content.as_str())).collect();
        assert_eq!(told, [(7, "early"), (14, "middle"), (28, "last")]);
        ensure!(
            found
                .iter()
                .all(|it| it.number == 1 && it.implemented_at == first)
        );
        let absent = ledger
            .keep_measurement(&measured(2, first, 7, "of nothing"))
            .await;
        assert!(matches!(absent, Err(LedgerError::NotFound(2))));
    }
    Ok(())
}

#[tokio::test]
async fn a_measurement_is_in_the_audit_once_however_many_measure_and_leaves_the_ticket_alone() -> Result<()> {
    for database in Database::both().await? {
        let replicas = [database.open().await?, database.open().await?];
        let created = replicas[0].create(&new_ticket("one")).await?;
        let mut committed = replicas[0].committed();
        committed.mark_unchanged();
        let week = new_measurement(1, 7);
        let kept = try_join_all((0..8).map(|index| replicas[index % 2].keep_measurement(&week))).await?;
        ensure!(kept.iter().all(|it| *it == kept[0]), "{kept:?}");
        let nothing = NewMeasurement {
            verdict: String::new(),
            summary: "There are 3 values.".to_owned(),
            ..new_measurement(1, 14)
        };
        replicas[0].keep_measurement(&nothing).await?;
        // Those who follow this process need not ask
        ensure!(committed.has_changed()?);
        for ledger in &replicas {
            let events = ledger.events(created.revision, 10).await?;
            let told: Vec<_> = events
                .iter()
                .map(|it| it.measured.clone().zip(Some(it.comment.as_str())))
                .collect();
            let event = |day, verdict: &str| Measured {
                day,
                verdict: verdict.to_owned(),
            };
            assert_eq!(
                told,
                [
                    Some((event(7, "improved"), "It rose.")),
                    Some((event(14, ""), "There are 3 values."))
                ]
            );
            let first = &events[0];
            ensure!(first.changes.is_empty() && first.actor == "kaizen" && first.at == kept[0].measured_at);
            assert_eq!(ledger.history(1, created.revision, 10).await?, events);
            assert_eq!(
                ledger.measurement(first.revision).await?.context("it is kept")?,
                kept[0]
            );
            assert_eq!(ledger.measurement(created.revision).await?, None);
            assert_eq!(ledger.ticket(1).await?, created);
        }
        // Whoever has read the ticket before may still change it
        let said = comment("anna", "I see");
        replicas[1].change(1, Some(created.revision), &said).await?;
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
        for (number, day) in [(1, 7), (2, 7), (1, 14)] {
            ledger.keep_measurement(&new_measurement(number, day)).await?;
        }
        let found = ledger.latest_measurements().await?;
        let told: Vec<_> = found.iter().map(|it| (it.number, it.day)).collect();
        assert_eq!(told, [(1, 14), (2, 7)]);
    }
    Ok(())
}
