//! How the forecasts of rules are corrected, and that it can be taken back.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use jiff::Timestamp;
use kaizen_ledger::{
    Correction, CorrectionOutcome, CorrectionState, Learned, LedgerError, correction_number,
};

use crate::databases::Database;

fn outcome(ticket: i64, measurement: i64) -> CorrectionOutcome {
    CorrectionOutcome {
        ticket,
        implemented_at: Timestamp::UNIX_EPOCH,
        measurement,
        forecast: 250.0,
        forecast_error: 0.1 + 0.2,
        measured: 125.0,
        measured_error: 1.0 / 3.0,
    }
}

fn learned(factor: f64) -> Learned {
    Learned {
        factor,
        widening: 0.1 + 0.2,
        ratio: factor - 0.01,
        ratio_error: 1.0 / 3.0,
        p_value: 1e-30,
        share: 0.02,
    }
}

fn told(corrections: &[Correction]) -> Vec<(String, String, CorrectionState)> {
    let one = |it: &Correction| (it.id(), it.rule.clone(), it.state);
    corrections.iter().map(one).collect()
}

#[tokio::test]
async fn what_is_learned_is_kept_to_the_bit_and_superseded_when_more_has_come() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        let few = [outcome(1, 1), outcome(2, 2)];
        assert_eq!(ledger.learn("kaizen", "error_surge", &few, None).await?, None);
        assert_eq!(ledger.revision().await?, 0, "nothing was learned");
        let first = ledger
            .learn("kaizen", "error_surge", &few, Some(learned(0.5)))
            .await?;
        let first = first.context("a correction")?;
        assert_eq!((first.number, first.learned), (1, learned(0.5)));
        assert_eq!(ledger.active_corrections().await?, std::slice::from_ref(&first));
        // The same measurements in another order say the same, whoever else has them
        let again = [outcome(2, 2), outcome(1, 1)];
        let other = database.open().await?;
        assert_eq!(
            other
                .learn("kaizen", "error_surge", &again, Some(learned(0.4)))
                .await?,
            Some(first)
        );
        // Ticket 2 was measured again
        let more = [outcome(1, 1), outcome(2, 5)];
        ledger
            .learn("kaizen", "error_surge", &more, Some(learned(0.6)))
            .await?;
        ledger
            .learn("kaizen", "latency_tail", &few, Some(learned(1.5)))
            .await?;
        let all = ledger.corrections("", &[], None, 10).await?;
        let expected = [
            ("C-3", "latency_tail", CorrectionState::Active),
            ("C-2", "error_surge", CorrectionState::Active),
            ("C-1", "error_surge", CorrectionState::Superseded),
        ];
        assert_eq!(
            told(&all),
            expected.map(|(id, rule, state)| (id.to_owned(), rule.to_owned(), state))
        );
        let ended = all[2].ended.as_ref().context("an end")?;
        assert_eq!(
            (ended.actor.as_str(), ended.reason.as_str()),
            ("kaizen", "C-2 was learned from more")
        );
        // What no longer contradicts the forecasts ends the correction
        let right = [outcome(1, 1), outcome(2, 5), outcome(3, 8)];
        assert_eq!(ledger.learn("kaizen", "error_surge", &right, None).await?, None);
        let active = ledger.active_corrections().await?;
        assert_eq!(
            told(&active),
            [(
                "C-3".to_owned(),
                "latency_tail".to_owned(),
                CorrectionState::Active
            )]
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_was_reverted_is_not_learned_again_from_the_same_outcomes() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        let first = [outcome(1, 1), outcome(2, 2)];
        ledger
            .learn("kaizen", "error_surge", &first, Some(learned(0.5)))
            .await?;
        let wrong = ledger.revert_correction(1, "anna", " ").await;
        ensure!(matches!(wrong, Err(LedgerError::Invalid { field, .. }) if field == "reason"));
        let wrong = ledger.revert_correction(1, "", "because").await;
        ensure!(matches!(wrong, Err(LedgerError::Invalid { field, .. }) if field == "actor"));
        let reverted = ledger
            .revert_correction(1, "anna", "Half of these were undone")
            .await?;
        let ended = reverted.ended.clone().context("an end")?;
        assert_eq!(
            (ended.actor.as_str(), reverted.state),
            ("anna", CorrectionState::Reverted)
        );
        assert_eq!(ledger.corrections("", &[], None, 10).await?, [reverted]);
        assert_eq!(ledger.active_corrections().await?, []);
        let again = ledger.revert_correction(1, "anna", "because").await;
        ensure!(matches!(
            again,
            Err(LedgerError::CorrectionEnded { number: 1, .. })
        ));
        ensure!(matches!(
            ledger.revert_correction(7, "anna", "because").await,
            Err(LedgerError::NoCorrection(7))
        ));
        // Measured on a later day, it is the same outcome
        let later = [outcome(1, 9), outcome(3, 10)];
        assert_eq!(
            ledger
                .learn("kaizen", "error_surge", &later, Some(learned(0.5)))
                .await?,
            None
        );
        let taken_back: Vec<_> = ledger.reverted_outcomes().await?;
        assert_eq!(taken_back, first.clone().map(|it| ("error_surge".to_owned(), it)));
        // Other rules and other outcomes teach
        let other = ledger
            .learn("kaizen", "latency_tail", &first, Some(learned(0.5)))
            .await?;
        let fresh = ledger
            .learn("kaizen", "error_surge", &[outcome(3, 10)], Some(learned(0.7)))
            .await?;
        ensure!(other.is_some() && fresh.is_some_and(|it| it.number == 3));
    }
    Ok(())
}

#[tokio::test]
async fn a_list_of_corrections_has_pages_rules_and_states() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        for at in 1..=5 {
            let rule = if at % 2 == 0 { "even" } else { "odd" };
            ledger
                .learn("kaizen", rule, &[outcome(at, at)], Some(learned(0.5)))
                .await?;
        }
        let numbers = async |rule: &str, states: &[CorrectionState], before, most| {
            let found = ledger.corrections(rule, states, before, most).await?;
            anyhow::Ok(found.iter().map(|it| it.number).collect::<Vec<_>>())
        };
        assert_eq!(numbers("", &[], None, 2).await?, [5, 4]);
        assert_eq!(numbers("", &[], Some(4), 2).await?, [3, 2]);
        assert_eq!(numbers("odd", &[], None, 9).await?, [5, 3, 1]);
        let ended = [CorrectionState::Superseded, CorrectionState::Reverted];
        assert_eq!(numbers("", &ended, None, 9).await?, [3, 2, 1]);
        assert_eq!(numbers("odd", &[CorrectionState::Active], None, 9).await?, [5]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_has_one_active_correction_however_many_learn_at_once() -> Result<()> {
    for database in Database::both().await? {
        let ledgers = try_join_all((0..4).map(|_| database.open())).await?;
        let learn = |(at, ledger): (usize, &kaizen_ledger::Ledger)| {
            let (ledger, measurement) = (ledger.clone(), 1 + at as i64 % 2);
            async move {
                let outcomes = [outcome(1, measurement)];
                ledger
                    .learn("kaizen", "error_surge", &outcomes, Some(learned(0.5)))
                    .await
            }
        };
        try_join_all(ledgers.iter().cycle().take(20).enumerate().map(learn)).await?;
        assert_eq!(ledgers[0].active_corrections().await?.len(), 1);
        let all = ledgers[0].corrections("", &[], None, 100).await?;
        let numbers: Vec<_> = all.iter().rev().map(|it| it.number).collect();
        assert_eq!(numbers, (1..=all.len() as i64).collect::<Vec<_>>());
    }
    Ok(())
}

#[test]
fn an_identity_is_read_with_and_without_its_letter() {
    assert_eq!(["C-3", "c-3", "3"].map(correction_number), [Some(3); 3]);
    assert_eq!(["T-3", "C-", "C-0", "", "C-x"].map(correction_number), [None; 5]);
}
