//! Random sequences of commands do to the ledger, on both databases, what they do to the model.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use kaizen_ledger::{
    Change, Evidence, Filter, Implementation, Ledger, LedgerError, Listing, NewTicket, State,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use crate::databases::{Database, new_measurement, new_ticket};
use crate::model::{Model, Refusal};

#[derive(Debug, Clone)]
enum Command {
    Create {
        request: u8,
        recommendation: u8,
    },
    Transition {
        number: i64,
        stale: bool,
        to: State,
        original: i64,
    },
    Assign {
        number: i64,
        stale: bool,
        owner: u8,
        labels: Vec<u8>,
    },
    Comment {
        number: i64,
    },
    Measure {
        number: i64,
        day: u32,
    },
    List {
        state: Option<State>,
        label: Option<u8>,
    },
}

fn state() -> impl Strategy<Value = State> {
    prop::sample::select(State::ALL.to_vec())
}

fn command() -> impl Strategy<Value = Command> {
    let number = 1_i64..7;
    let stale = prop::bool::weighted(0.1);
    prop_oneof![
        2 => (0_u8..12, 0_u8..5).prop_map(|(request, recommendation)| Command::Create { request, recommendation }),
        8 => (number.clone(), stale, state(), 1_i64..7)
            .prop_map(|(number, stale, to, original)| Command::Transition { number, stale, to, original }),
        3 => (number.clone(), stale, 0_u8..3, prop::collection::vec(0_u8..4, 0..3))
            .prop_map(|(number, stale, owner, labels)| Command::Assign { number, stale, owner, labels }),
        1 => number.clone().prop_map(|number| Command::Comment { number }),
        1 => (number, prop::sample::select(vec![7_u32, 14, 28])).prop_map(|(number, day)| Command::Measure { number, day }),
        2 => (prop::option::of(state()), prop::option::of(0_u8..4))
            .prop_map(|(state, label)| Command::List { state, label }),
    ]
}

fn named(prefix: &str, which: u8) -> String {
    if which == 0 {
        String::new()
    } else {
        format!("{prefix}{which}")
    }
}

fn labels_of(which: &[u8]) -> Vec<String> {
    which.iter().map(|it| format!("label {it}")).collect()
}

fn change() -> Change {
    Change {
        actor: "anna".into(),
        ..Change::default()
    }
}

fn to(state: State, original: i64) -> Change {
    let implementation = Implementation {
        at: Timestamp::UNIX_EPOCH,
        kind: "prompt".into(),
        component: String::new(),
        version: "v1".into(),
        description: String::new(),
        ..Implementation::default()
    };
    Change {
        comment: "because".into(),
        state: Some(state),
        duplicate_of: (state == State::Duplicate).then_some(original),
        implementation: (state == State::Implemented).then_some(implementation),
        ..change()
    }
}

fn refusal(error: LedgerError) -> Result<Refusal, LedgerError> {
    match error {
        LedgerError::NotFound(_) => Ok(Refusal::NotFound),
        LedgerError::Stale { .. } => Ok(Refusal::Stale),
        LedgerError::Illegal { .. } => Ok(Refusal::Illegal),
        LedgerError::Invalid { .. } => Ok(Refusal::Invalid),
        LedgerError::AlreadyTicketed { .. } => Ok(Refusal::Ticketed),
        error => Err(error),
    }
}

/// What the ledger said, so that it can be compared with what the model says; faults are faults.
fn said<T>(result: Result<T, LedgerError>) -> Result<Result<T, Refusal>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(refusal(error)?)),
    }
}

fn etag(model: &Model, number: i64, stale: bool) -> Option<i64> {
    let etag = model.tickets.get(&number).map_or(1, |it| it.etag);
    Some(if stale { etag - 1 } else { etag })
}

async fn obey(ledger: &Ledger, model: &mut Model, command: &Command) -> Result<()> {
    match command {
        Command::Create {
            request,
            recommendation,
        } => create(ledger, model, *request, *recommendation).await,
        Command::Transition {
            number,
            stale,
            to: state,
            original,
        } => {
            let (number, stale) = (*number, *stale);
            let changed = said(
                ledger
                    .change(number, etag(model, number, stale), &to(*state, *original))
                    .await,
            )?;
            let expected = model.transition(number, stale, state.as_str(), *original);
            agree(model, number, changed, expected)
        }
        Command::Assign {
            number,
            stale,
            owner,
            labels,
        } => {
            let (number, stale) = (*number, *stale);
            let (owner, labels) = (named("owner ", *owner), labels_of(labels));
            let assign = Change {
                owner: Some(owner.clone()),
                labels: Some(labels.clone()),
                ..change()
            };
            let changed = said(ledger.change(number, etag(model, number, stale), &assign).await)?;
            let expected = model.assign(number, stale, &owner, &labels);
            agree(model, number, changed, expected)
        }
        Command::Comment { number } => {
            let comment = Change {
                comment: "Hm".into(),
                ..change()
            };
            let changed = said(ledger.change(*number, None, &comment).await)?;
            let expected = model.comment(*number);
            agree(model, *number, changed, expected)
        }
        Command::Measure { number, day } => {
            let kept = said(ledger.keep_measurement(&new_measurement(*number, *day)).await)?;
            ensure!(kept.map(drop) == model.measure(*number, *day));
            Ok(())
        }
        Command::List { state, label } => list(ledger, model, *state, *label).await,
    }
}

async fn create(ledger: &Ledger, model: &mut Model, request: u8, recommendation: u8) -> Result<()> {
    // The same request asks for the same
    let recommendation = named(
        "r",
        if request < 6 {
            recommendation.min(request)
        } else {
            0
        },
    );
    let request = format!("q{request}{recommendation}");
    let evidence = Evidence {
        recommendation_id: recommendation.clone(),
        content: "{}".into(),
    };
    let evidence = (!recommendation.is_empty()).then_some(evidence);
    let created = said(
        ledger
            .create(&NewTicket {
                evidence,
                ..new_ticket(&request)
            })
            .await,
    )?;
    let expected = model.create(&request, &recommendation);
    ensure!(created.as_ref().map(|it| it.number).map_err(|it| *it) == expected.map(|it| it.0));
    if let (Ok(created), Ok((number, true))) = (created, expected) {
        model.tickets.get_mut(&number).unwrap().etag = created.revision;
    }
    Ok(())
}

async fn list(ledger: &Ledger, model: &Model, state: Option<State>, label: Option<u8>) -> Result<()> {
    let label = label.map(|it| format!("label {it}"));
    let filter = Filter {
        states: state.into_iter().collect(),
        labels: label.clone().into_iter().collect(),
        ..Filter::default()
    };
    let listed = ledger
        .list(&Listing {
            filter,
            most: 100,
            ..Listing::default()
        })
        .await?;
    let listed: Vec<_> = listed.iter().map(|it| it.number).collect();
    let state = state.map_or("", State::as_str);
    ensure!(
        listed == model.in_state(state, label.as_deref().unwrap_or_default()),
        "{listed:?}"
    );
    Ok(())
}

fn agree(
    model: &mut Model,
    number: i64,
    changed: Result<kaizen_ledger::Ticket, Refusal>,
    expected: Result<(), Refusal>,
) -> Result<()> {
    ensure!(
        changed.as_ref().map(drop).map_err(|it| *it) == expected,
        "{changed:?}, the model {expected:?}"
    );
    if let (Ok(changed), Some(ticket)) = (changed, model.tickets.get_mut(&number)) {
        ticket.etag = changed.revision;
    }
    Ok(())
}

async fn compare(ledger: &Ledger, model: &Model) -> Result<()> {
    for (number, expected) in &model.tickets {
        let found = ledger.ticket(*number).await?;
        ensure!(
            found.state.as_str() == expected.state,
            "{found:?}, the model {expected:?}"
        );
        ensure!(
            found.owner == expected.owner && found.labels == expected.labels,
            "{found:?}, the model {expected:?}"
        );
        ensure!(
            found.revision == expected.etag,
            "{found:?}, the model {expected:?}"
        );
        let history = ledger.history(*number, 0, 1_000).await?;
        ensure!(
            history.len() == expected.changes,
            "{history:?}, the model {expected:?}"
        );
        let measured = history.iter().filter_map(|it| it.measured.as_ref());
        let measured: Vec<u32> = measured.map(|it| it.day).collect();
        ensure!(
            measured == expected.measured,
            "{history:?}, the model {expected:?}"
        );
        // The audit tells the same story: each change begins where the one before ended
        let mut state = String::new();
        for step in history
            .iter()
            .flat_map(|it| &it.changes)
            .filter(|it| it.field == "state")
        {
            ensure!(step.before == state, "{history:?}");
            state.clone_from(&step.after);
        }
        ensure!(state == expected.state);
    }
    ensure!(
        said(ledger.ticket(i64::try_from(model.tickets.len())? + 1).await)?.map(drop)
            == Err(Refusal::NotFound)
    );
    Ok(())
}

fn hold(cases: u32, database: impl AsyncFn() -> Result<Database>) {
    let runtime = Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config {
        cases,
        ..Config::default()
    });
    let held = runner.run(&prop::collection::vec(command(), 1..60), |commands| {
        let held: Result<()> = runtime.block_on(async {
            let ledger = database().await?.open_kept().await?;
            let mut model = Model::default();
            for command in &commands {
                obey(&ledger.0, &mut model, command).await?;
            }
            compare(&ledger.0, &model).await?;
            ledger.0.close().await;
            Ok(())
        });
        held.map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    held.unwrap();
}

#[test]
fn random_commands_do_to_sqlite_what_they_do_to_the_model() {
    hold(150, async || Database::sqlite());
}

#[test]
fn random_commands_do_to_postgresql_what_they_do_to_the_model() {
    hold(60, async || Database::postgres().await);
}
