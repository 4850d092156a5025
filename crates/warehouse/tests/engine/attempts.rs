//! Whose an attempt at a run is, and what its owner may still write.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use kaizen_warehouse::queries::{self, Analysis, AnalysisState, Beat, Cancellation, Window};

use crate::sandbox::Sandbox;

fn now() -> Result<Timestamp> {
    Ok("2026-02-01T10:00:00.125Z".parse()?)
}

fn attempt(number: u32, state: AnalysisState) -> Result<Analysis> {
    let window = |start: &str, end: &str| {
        Window::new("window", start.parse()?, end.parse()?).map_err(anyhow::Error::from)
    };
    Ok(Analysis {
        analysis_id: "a".to_owned(),
        request_id: "what's asked?".to_owned(),
        period: window("2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z")?,
        previous: window("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z")?,
        time_zone: "Europe/Berlin".to_owned(),
        state,
        created_at: now()?,
        code_version: "1.2.3".to_owned(),
        error: "it's \\ said \"?\"\n".to_owned(),
        decisions: 42,
        rejections: 7,
        attempt: number,
        first_attempt: 1,
        results_at: Some(now()? + SignedDuration::from_secs(number.into())),
        cancellation: Some(Cancellation {
            at: now()?,
            actor: "som'body".to_owned(),
            reason: String::new(),
        }),
    })
}

#[tokio::test]
async fn of_many_that_claim_an_attempt_at_once_one_has_it_however_often_it_asks() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    for number in 1..=3 {
        let client = &sandbox.client;
        let owners: Vec<String> = (0..8).map(|owner| format!("owner-{owner}")).collect();
        let claims: Vec<_> = (owners.iter().cloned())
            .map(|owner| {
                let client = client.clone();
                tokio::spawn(
                    async move { queries::claim(&client, "a", number, &owner, Timestamp::now()).await },
                )
            })
            .collect();
        let mut had = Vec::new();
        for claim in claims {
            had.push(claim.await??);
        }
        assert_eq!(had.iter().filter(|it| **it).count(), 1, "{had:?}");
        for (owner, had) in owners.iter().zip(had) {
            let again = queries::claim(client, "a", number, owner, Timestamp::now()).await?;
            assert_eq!(again, had, "{owner}");
            if had {
                let standing = queries::standing(client, "a").await?.context("claimed")?;
                assert_eq!((standing.attempt, &standing.owner), (number, owner));
                assert_eq!(standing.beat, None);
            }
        }
    }
    assert_eq!(queries::standing(&sandbox.client, "b").await?, None);
    Ok(())
}

#[tokio::test]
async fn an_owner_whose_run_another_has_records_nothing_more_of_it() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let client = &sandbox.client;
    let (first, second) = (
        attempt(1, AnalysisState::Succeeded)?,
        attempt(2, AnalysisState::Running)?,
    );
    let unclaimed = queries::put_attempt(client, &first, now()?).await?;
    assert_eq!((unclaimed, queries::analysis(client, "a").await?), (false, None));
    queries::claim(client, "a", 1, "x", now()?).await?;
    assert!(queries::put_attempt(client, &first, now()?).await?);
    assert_eq!(queries::analysis(client, "a").await?.as_ref(), Some(&first));
    queries::claim(client, "a", 2, "y", now()?).await?;
    // Whose clock is an hour behind.
    let behind = now()? - SignedDuration::from_hours(1);
    assert!(queries::put_attempt(client, &second, behind).await?);
    assert_eq!(queries::analysis(client, "a").await?.as_ref(), Some(&second));
    let late = now()? + SignedDuration::from_hours(1);
    assert!(!queries::put_attempt(client, &first, late).await?);
    assert_eq!(queries::analysis(client, "a").await?.as_ref(), Some(&second));
    Ok(())
}

#[tokio::test]
async fn the_last_sign_of_life_and_the_first_cancellation_hold() -> Result<()> {
    let sandbox = Sandbox::migrated().await?;
    let client = &sandbox.client;
    queries::claim(client, "a", 1, "x", now()?).await?;
    let beat = |second: i64, stages_done: u8, released: &str| {
        Ok::<_, anyhow::Error>(Beat {
            at: now()? + SignedDuration::from_secs(second),
            stages_done,
            released: released.to_owned(),
        })
    };
    for it in [beat(2, 3, "asked to end")?, beat(1, 2, "")?, beat(0, 0, "")?] {
        queries::put_beat(client, "a", 1, &it).await?;
    }
    let standing = queries::standing(client, "a").await?.context("claimed")?;
    assert_eq!(standing.beat, Some(beat(2, 3, "asked to end")?));
    let cancellation = |second: i64, actor: &str| {
        Ok::<_, anyhow::Error>(Cancellation {
            at: now()? + SignedDuration::from_secs(second),
            actor: actor.to_owned(),
            reason: "why".to_owned(),
        })
    };
    assert_eq!(queries::cancellation(client, "a", 1).await?, None);
    queries::put_cancellation(client, "a", 2, &cancellation(1, "second")?).await?;
    queries::put_cancellation(client, "a", 2, &cancellation(0, "first")?).await?;
    let found = queries::cancellation(client, "a", 1).await?;
    assert_eq!(found, Some(cancellation(0, "first")?));
    // One that was asked for anew since is not meant.
    assert_eq!(queries::cancellation(client, "a", 3).await?, None);
    Ok(())
}
