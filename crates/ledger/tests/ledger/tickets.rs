//! One ticket at a time.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use kaizen_ledger::{
    Change, Evidence, FieldChange, Implementation, Ledger, LedgerError, Link, LinkKind, NewTicket, State,
    Ticket,
};

use crate::databases::{Database, comment, new_ticket};

fn to(state: State) -> Change {
    Change {
        actor: "anna".into(),
        comment: "because".into(),
        state: Some(state),
        ..Change::default()
    }
}

fn implemented() -> Result<Change> {
    let implementation = Implementation {
        at: "2020-11-20T09:00:00Z".parse()?,
        kind: "prompt".into(),
        component: String::new(),
        version: "v13".into(),
        description: "The old prompt is back".into(),
        ..Implementation::default()
    };
    Ok(Change {
        implementation: Some(implementation),
        ..to(State::Implemented)
    })
}

fn recommended(request_id: &str) -> NewTicket {
    let evidence = Evidence {
        recommendation_id: "r-1".into(),
        content: r#"{"effect":-0.12}"#.into(),
    };
    NewTicket {
        evidence: Some(evidence),
        ..new_ticket(request_id)
    }
}

async fn full(ledger: &Ledger) -> Result<Ticket> {
    let new = NewTicket {
        description: "Lines\nand\ttabs, ümläuts 🎯, 'quotes' and \"more\"".into(),
        category: "enrichment".into(),
        metric: "enrichment.success_rate".into(),
        rule: "slice_regression".into(),
        owner: "bert".into(),
        labels: vec!["z".into(), "a".into(), "z".into()],
        due_date: Some("2026-12-24".parse()?),
        links: vec![Link {
            kind: LinkKind::Issue,
            url: "https://tracker.example/7".into(),
            title: "There".into(),
        }],
        ..recommended("full")
    };
    Ok(ledger.create(&new).await?)
}

#[tokio::test]
async fn a_ticket_is_read_back_as_it_was_created_also_after_a_restart() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        let created = full(&ledger).await?;
        assert_eq!((created.id().as_str(), created.state), ("T-1", State::Proposed));
        assert_eq!(created.labels, ["a", "z"]);
        assert_eq!(ledger.ticket(1).await?, created);
        ledger.close().await;
        assert_eq!(database.open().await?.ticket(1).await?, created);
    }
    Ok(())
}

#[tokio::test]
async fn the_whole_life_is_lived_and_each_step_is_in_the_audit_with_before_and_after() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        full(&ledger).await?;
        let path = [
            to(State::Accepted),
            to(State::InProgress),
            implemented()?,
            to(State::Measuring),
            to(State::Inconclusive),
            to(State::Measuring),
            to(State::Verified),
            to(State::Reopened),
        ];
        for change in &path {
            let before = ledger.ticket(1).await?;
            let after = ledger.change(1, Some(before.revision), change).await?;
            assert_eq!(Some(after.state), change.state);
            ensure!(after.revision > before.revision && after.updated_at >= before.updated_at);
            let event = ledger.history(1, before.revision, 10).await?;
            assert_eq!(event.len(), 1);
            let expected = FieldChange {
                field: "state".into(),
                before: before.state.to_string(),
                after: after.state.to_string(),
            };
            assert_eq!(event[0].changes[0], expected);
            assert_eq!((event[0].actor.as_str(), event[0].at), ("anna", after.updated_at));
        }
        let history = ledger.history(1, 0, 100).await?;
        assert_eq!(history.len(), path.len() + 1);
        let created: Vec<_> = history[0].changes.iter().map(|it| it.field.as_str()).collect();
        ensure!(
            created.starts_with(&["state", "title", "description", "category", "metric"]),
            "{created:?}"
        );
        ensure!(history[0].changes.iter().all(|it| it.before.is_empty()));
        let done: Vec<_> = history[3]
            .changes
            .iter()
            .map(|it| (it.field.as_str(), it.after.as_str()))
            .collect();
        assert_eq!(
            done,
            [
                ("state", "implemented"),
                ("implement_time", "2020-11-20T09:00:00Z"),
                ("change_kind", "prompt"),
                ("version", "v13"),
                ("implementation", "The old prompt is back"),
            ]
        );
        // What was done no longer is, once the ticket is taken up again
        assert_eq!(ledger.ticket(1).await?.implementation, None);
    }
    Ok(())
}

/// Steps that are refused, and what is said.
fn wrong_steps() -> Result<Vec<(Change, &'static str)>> {
    let duplicate_of = |number: i64| Change {
        duplicate_of: Some(number),
        ..to(State::Duplicate)
    };
    Ok(vec![
        (
            to(State::Verified),
            "a ticket that is proposed cannot become verified; it can become accepted, cancelled, duplicate",
        ),
        (
            implemented()?,
            "a ticket that is proposed cannot become implemented; it can become accepted, cancelled, duplicate",
        ),
        (
            to(State::Implemented),
            "implementation is required to make a ticket implemented, and only then",
        ),
        (
            to(State::Duplicate),
            "duplicate_of is required to make a ticket a duplicate, and only then",
        ),
        (duplicate_of(1), "duplicate_of must be another ticket"),
        (duplicate_of(9), "duplicate_of must be a ticket that is there"),
        (
            Change {
                comment: " ".into(),
                ..to(State::Cancelled)
            },
            "comment is required to say why the ticket is cancelled",
        ),
        (
            Change {
                actor: String::new(),
                ..to(State::Accepted)
            },
            "actor is required",
        ),
    ])
}

/// Values that are refused, and what is said.
fn wrong_values() -> Result<Vec<(Change, &'static str)>> {
    let title = |title: String| Change {
        title: Some(title),
        ..comment("a", "")
    };
    let script = Link {
        kind: LinkKind::Other,
        url: "javascript:alert(1)".into(),
        title: String::new(),
    };
    let due_date = Some(Some("9999-12-31".parse()?));
    Ok(vec![
        (
            title("a\nb".into()),
            "title must be one line without control characters",
        ),
        (title("ä".repeat(201)), "title must be at most 200 characters"),
        (title(" ".into()), "title is required"),
        (
            Change {
                due_date,
                ..comment("a", "")
            },
            "due_date must be between 1970-01-01 and 9998-12-31",
        ),
        (
            comment("a", "\0"),
            "comment must be without control characters other than new lines and tabs",
        ),
        (
            Change {
                links: Some(vec![script]),
                ..comment("a", "")
            },
            "links[0].url must be a URL that begins with http:// or https://",
        ),
    ])
}

#[tokio::test]
async fn an_illegal_step_is_refused_with_the_allowed_ones_and_leaves_no_trace() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        let before = full(&ledger).await?;
        for (change, said) in [wrong_steps()?, wrong_values()?].concat() {
            let refused = ledger.change(1, None, &change).await;
            assert_eq!(refused.unwrap_err().to_string(), said);
        }
        let absent = ledger.change(2, None, &to(State::Accepted)).await;
        assert_eq!(absent.unwrap_err().to_string(), "there is no ticket T-2");
        assert_eq!(ledger.ticket(1).await?, before);
        assert_eq!(ledger.history(1, 0, 100).await?.len(), 1);
        assert_eq!(
            ledger.revision().await?,
            before.revision,
            "a refusal takes no revision"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_has_changed_since_it_was_read_is_not_overwritten() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        let read = full(&ledger).await?;
        let changed = ledger
            .change(1, Some(read.revision), &to(State::Accepted))
            .await?;
        let refused = ledger
            .change(1, Some(read.revision), &to(State::Cancelled))
            .await
            .unwrap_err();
        ensure!(
            matches!(refused, LedgerError::Stale { number: 1, given, current } if given == read.revision && current == changed.revision),
            "{refused}"
        );
        assert_eq!(ledger.ticket(1).await?, changed);
        let same = ledger
            .change(
                1,
                None,
                &Change {
                    owner: Some("bert".into()),
                    ..comment("anna", "")
                },
            )
            .await?;
        assert_eq!(same, changed, "what changes nothing is no change");
        let said = ledger.change(1, None, &comment("anna", "Looks good")).await?;
        ensure!(said.revision > changed.revision);
        let last = ledger.history(1, changed.revision, 10).await?;
        assert_eq!(
            (last.len(), last[0].comment.as_str(), last[0].changes.len()),
            (1, "Looks good", 0)
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_request_creates_one_ticket_and_a_recommendation_has_one_open_ticket() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        let first = ledger.create(&recommended("one")).await?;
        assert_eq!(ledger.create(&recommended("one")).await?, first);
        // A later analysis may say the same in other words: the request is the same
        let retold = NewTicket {
            title: "Other words".into(),
            ..recommended("one")
        };
        assert_eq!(ledger.create(&retold).await?, first);
        let other = NewTicket {
            owner: "carl".into(),
            ..recommended("one")
        };
        let refused = ledger.create(&other).await.unwrap_err();
        ensure!(
            matches!(refused, LedgerError::RequestReused { number: 1, .. }),
            "{refused}"
        );
        let refused = ledger.create(&recommended("two")).await.unwrap_err();
        ensure!(
            matches!(refused, LedgerError::AlreadyTicketed { number: 1, .. }),
            "{refused}"
        );
        ledger.change(1, None, &to(State::Cancelled)).await?;
        let second = ledger.create(&recommended("two")).await?;
        assert_eq!(second.number, 2, "refused requests take no number");
        let refused = ledger.change(1, None, &to(State::Reopened)).await.unwrap_err();
        ensure!(
            matches!(refused, LedgerError::AlreadyTicketed { number: 2, .. }),
            "{refused}"
        );
        let duplicate = Change {
            duplicate_of: Some(1),
            ..to(State::Duplicate)
        };
        ledger.change(2, None, &duplicate).await?;
        ledger.change(1, None, &to(State::Reopened)).await?;
        let refused = ledger
            .change(
                1,
                None,
                &Change {
                    duplicate_of: Some(2),
                    ..to(State::Duplicate)
                },
            )
            .await;
        assert_eq!(
            refused.unwrap_err().to_string(),
            "duplicate_of must not be a duplicate itself"
        );
    }
    Ok(())
}

#[tokio::test]
async fn events_of_all_tickets_come_in_the_order_of_their_revisions() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        let mut followed = ledger.committed();
        for request in ["a", "b", "c"] {
            ledger.create(&new_ticket(request)).await?;
        }
        ledger.change(2, None, &comment("anna", "Hm")).await?;
        assert_eq!(*followed.borrow_and_update(), 4);
        let all = ledger.events(0, 100).await?;
        let seen: Vec<_> = all.iter().map(|it| (it.revision, it.number)).collect();
        assert_eq!(seen, [(1, 1), (2, 2), (3, 3), (4, 2)]);
        assert_eq!(ledger.events(2, 1).await?, all[2..3]);
        ensure!(all.iter().all(|it| it.at <= Timestamp::now()));
    }
    Ok(())
}

#[tokio::test]
async fn how_far_somebody_has_told_is_kept_and_never_goes_back() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        assert_eq!(ledger.position("webhook").await?, None);
        for (told, kept) in [(3, 3), (7, 7), (5, 7)] {
            ledger.set_position("webhook", told).await?;
            assert_eq!(ledger.position("webhook").await?, Some(kept));
        }
        assert_eq!(ledger.position("other").await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn the_tickets_of_a_recommendation_are_found_ended_ones_included() -> Result<()> {
    for database in Database::both().await? {
        let ledger = database.open().await?;
        ledger.create(&new_ticket("by-hand")).await?;
        ledger.create(&recommended("first")).await?;
        ledger.change(2, None, &to(State::Cancelled)).await?;
        ledger.create(&recommended("second")).await?;
        let mut other = recommended("other");
        other.evidence = other.evidence.map(|it| Evidence {
            recommendation_id: "r-2".into(),
            ..it
        });
        ledger.create(&other).await?;
        let found = async |ids: &[&str]| {
            let tickets = ledger.of_recommendations(ids).await?;
            anyhow::Ok(
                tickets
                    .into_iter()
                    .map(|it| (it.number, it.state))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            found(&["r-1"]).await?,
            [(2, State::Cancelled), (3, State::Proposed)]
        );
        assert_eq!(found(&["r-2", "r-3"]).await?, [(4, State::Proposed)]);
        let many: Vec<String> = (0..500).map(|it| format!("r-{it}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(found(&many).await?.len(), 3);
        // Those without a recommendation are of none.
        assert_eq!(found(&[""]).await?, []);
        assert_eq!(found(&[]).await?, []);
    }
    Ok(())
}
