use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use kaizen_warehouse::rollup::{RebuildError, rebuild_rollup};

use crate::audit::{HOUR, differences, hours, insert};
use crate::sandbox::Sandbox;

const ROLLUP: &str = "SELECT toString((sum(decisions), sum(successes), sum(quality_sum), sum(processing_time_sum), \
     sum(measure_sums['cost_usd']))) FROM rollup_hourly";

async fn tamper(sandbox: &Sandbox) -> Result<()> {
    static TIMES: AtomicI64 = AtomicI64::new(0);
    // The same rows again are to be there again.
    let token = TIMES.fetch_add(1, Ordering::Relaxed);
    let sql = format!(
        "INSERT INTO rollup_hourly (hour, log_type, method_used, decisions, quality_sum, processing_times) \
         SETTINGS insert_deduplication_token = 'by hand {token}' VALUES \
         ('2024-01-01 02:00:00', 'a', 'x', 5, 1.5, {{1000:2}}), ('2024-01-01 03:00:00', 'nobody', '', 7, 0, {{}})"
    );
    sandbox.execute(&sql).await?;
    sandbox
        .execute("ALTER TABLE rollup_hourly DELETE WHERE hour = '2024-01-01 04:00:00' AND method_used = 'y' SETTINGS mutations_sync = 2")
        .await
}

async fn differ(sandbox: &Sandbox) -> Result<usize> {
    Ok(differences(sandbox, hours(0, 24 * 90)?).await?.0.len())
}

#[tokio::test]
async fn a_rebuilt_rollup_is_what_its_decisions_say_also_after_the_same_change_again() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    insert(&sandbox, 0, 6 * HOUR).await?;
    let sums = sandbox.text(ROLLUP).await?;
    for _ in 0..2 {
        tamper(&sandbox).await?;
        assert_eq!(differ(&sandbox).await?, 4);
        let rebuilt = rebuild_rollup(&sandbox.client, Some(hours(0, 24)?)).await?;
        assert_eq!((rebuilt.decisions, rebuilt.corrected), (6 * 3600, 4));
        assert_eq!(
            (differ(&sandbox).await?, sandbox.text(ROLLUP).await?),
            (0, sums.clone())
        );
        sandbox.execute("OPTIMIZE TABLE rollup_hourly FINAL").await?;
        assert_eq!(
            (differ(&sandbox).await?, sandbox.text(ROLLUP).await?),
            (0, sums.clone())
        );
    }
    assert_eq!(
        rebuild_rollup(&sandbox.client, None).await?.corrected,
        0,
        "nothing to do"
    );
    let left = "SELECT toString(count()) FROM system.tables WHERE name LIKE 'rebuild%'";
    assert_eq!(sandbox.text(left).await?, "0");
    Ok(())
}

#[tokio::test]
async fn only_the_hours_of_the_window_are_rebuilt_and_a_lost_rollup_comes_back_whole() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    // Three months
    insert(&sandbox, 0, 3000).await?;
    insert(&sandbox, 40 * 86_400, 40 * 86_400 + 3000).await?;
    insert(&sandbox, 70 * 86_400, 70 * 86_400 + 3000).await?;
    let sums = sandbox.text(ROLLUP).await?;
    sandbox.execute("TRUNCATE TABLE rollup_hourly").await?;
    rebuild_rollup(&sandbox.client, Some(hours(40 * 24, 41 * 24)?)).await?;
    assert_eq!(
        sandbox
            .text("SELECT toString(sum(decisions)) FROM rollup_hourly")
            .await?,
        "3000"
    );
    rebuild_rollup(&sandbox.client, None).await?;
    assert_eq!((differ(&sandbox).await?, sandbox.text(ROLLUP).await?), (0, sums));
    Ok(())
}

#[tokio::test]
async fn inserts_that_go_on_meanwhile_are_counted_once() -> Result<()> {
    let sandbox = Arc::new(Sandbox::migrated().await?);
    insert(&sandbox, 0, 20_000).await?;
    let (ended, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(20_000)));
    let inserting = (0..2).map(|_| {
        let (sandbox, ended, next) = (sandbox.clone(), ended.clone(), next.clone());
        tokio::spawn(async move {
            while !ended.load(Ordering::Relaxed) {
                let first = next.fetch_add(500, Ordering::Relaxed);
                insert(&sandbox, first, first + 500).await?;
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            anyhow::Ok(())
        })
    });
    let inserting: Vec<_> = inserting.collect();
    for _ in 0..5 {
        tamper(&sandbox).await?;
        let rebuilt = rebuild_rollup(&sandbox.client, None).await?;
        ensure!(rebuilt.corrected >= 3, "{rebuilt:?}");
    }
    ended.store(true, Ordering::Relaxed);
    for task in inserting {
        task.await??;
    }
    ensure!(
        next.load(Ordering::Relaxed) > 22_000,
        "nothing was inserted meanwhile"
    );
    assert_eq!(differ(&sandbox).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_rebuild_that_is_killed_anywhere_repeats_nothing_when_it_is_run_again() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    insert(&sandbox, 0, 6 * HOUR).await?;
    let sums = sandbox.text(ROLLUP).await?;
    tamper(&sandbox).await?;
    for milliseconds in (0..400).step_by(25) {
        // Ended in the middle of whatever it is at; what it had sent goes on at the engine.
        let rebuilding = rebuild_rollup(&sandbox.client, None);
        drop(tokio::time::timeout(Duration::from_millis(milliseconds), rebuilding).await);
    }
    rebuild_rollup(&sandbox.client, None).await?;
    assert_eq!((differ(&sandbox).await?, sandbox.text(ROLLUP).await?), (0, sums));
    Ok(())
}

#[tokio::test]
async fn of_runs_at_once_none_adds_what_another_has_added() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    insert(&sandbox, 0, 6 * HOUR).await?;
    let sums = sandbox.text(ROLLUP).await?;
    let mut superseded = 0;
    for milliseconds in (0..200).step_by(20) {
        tamper(&sandbox).await?;
        let first = rebuild_rollup(&sandbox.client, None);
        let second = async {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            rebuild_rollup(&sandbox.client, None).await
        };
        let (first, second) = tokio::join!(first, second);
        let gave_way = |run: &Result<_, RebuildError>| matches!(run, Err(RebuildError::Superseded));
        let given = [gave_way(&first), gave_way(&second)];
        superseded += given.iter().filter(|given| **given).count();
        match given {
            [true, true] => drop(rebuild_rollup(&sandbox.client, None).await?),
            [true, false] => drop(second?),
            [false, true] => drop(first?),
            [false, false] => drop((first?, second?)),
        }
        assert_eq!(
            (differ(&sandbox).await?, sandbox.text(ROLLUP).await?),
            (0, sums.clone())
        );
    }
    ensure!(superseded > 0, "no run met another");
    Ok(())
}

#[tokio::test]
async fn sums_of_decisions_that_were_removed_as_too_old_are_kept() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    insert(&sandbox, 0, 1000).await?;
    sandbox
        .execute("ALTER TABLE _migrations UPDATE applied_at = now64(3) - INTERVAL 500 DAY WHERE 1 SETTINGS mutations_sync = 2")
        .await?;
    let refused = rebuild_rollup(&sandbox.client, Some(hours(0, 24)?)).await;
    assert!(matches!(refused, Err(RebuildError::Removed(_))), "{refused:?}");
    rebuild_rollup(&sandbox.client, None).await?;
    assert_eq!(
        sandbox
            .text("SELECT toString(sum(decisions)) FROM rollup_hourly")
            .await?,
        "1000"
    );
    Ok(())
}
