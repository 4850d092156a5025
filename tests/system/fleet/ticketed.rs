//! What becomes of a recommendation once somebody accepts it: its ticket, from the first step to the verdict.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use kaizen_api::analysis::v1::ListRecommendationsRequest;
use kaizen_api::tracker::v1::tracker_service_client::TrackerServiceClient;
use kaizen_api::tracker::v1::{
    CreateTicketRequest, GetTicketRequest, ListTicketsRequest, Ticket, TicketState, UpdateTicketRequest,
    WatchTicketsRequest,
};
use kaizen_testkit::{Sandbox, eventually};
use serde_json::Value;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::client::analyses;

/// Accepts the most urgent recommendation and follows its ticket.
pub async fn an_accepted_recommendation_becomes_a_ticket_and_runs_its_course(
    sandbox: &Sandbox,
) -> Result<()> {
    let mut client = TrackerServiceClient::connect(sandbox.reporting().url()).await?;
    let mut watched = client
        .watch_tickets(WatchTicketsRequest::default())
        .await?
        .into_inner();
    let id = the_recommendation_is_frozen_in_the_ticket(sandbox, &mut client).await?;
    a_recommendation_has_one_open_ticket(&mut client, &id).await?;
    illegal_steps_are_refused_with_the_allowed_ones(sandbox, &mut client).await?;
    what_was_read_before_a_change_is_stale(&mut client).await?;
    the_rest_of_its_life_is_lived(sandbox).await?;
    what_was_implemented_is_in_the_change_ledger_once(sandbox).await?;
    a_request_by_hand_creates_one_ticket(sandbox).await?;
    every_filter_finds_what_it_should(sandbox).await?;
    pages_hold_every_ticket_once(&mut client).await?;
    tickets_outlive_the_service(sandbox, &mut client).await?;
    // What happened came to the one who watched, in order; the restart ended the stream
    let mut states = Vec::new();
    while let Ok(Some(message)) = watched.message().await {
        let event = message.event.context("an event")?;
        states.extend(
            (event.changes.into_iter())
                .filter(|it| it.field == "state")
                .map(|it| it.after),
        );
    }
    let life = "proposed accepted in_progress implemented measuring verified";
    ensure!(states.join(" ").starts_with(life), "{states:?}");
    Ok(())
}

async fn the_recommendation_is_frozen_in_the_ticket(
    sandbox: &Sandbox,
    client: &mut TrackerServiceClient<Channel>,
) -> Result<String> {
    let all = analyses(sandbox)
        .await?
        .list_recommendations(ListRecommendationsRequest::default())
        .await?;
    let all = all.into_inner();
    let first = all.recommendations.first().context("a recommendation")?;
    let id = first.recommendation_id.clone();
    let said = sandbox
        .kaizen(&["recommendations", "accept", &id, "--ticket", "--actor", "anna"])
        .await?;
    ensure!(said.contains("T-1 accepted: "), "{said}");
    let ticket = get(client).await?;
    assert_eq!(
        (ticket.title.as_str(), ticket.rule.as_str()),
        (first.title.as_str(), first.rule.as_str())
    );
    assert_eq!(
        (ticket.category.as_str(), ticket.metric.as_str()),
        (first.category.as_str(), first.metric.as_str())
    );
    assert_eq!(ticket.state(), TicketState::Accepted);
    let frozen = ticket.recommendation.context("what it was created from")?;
    assert_eq!(
        frozen.analysis_id,
        all.analysis.context("the analysis")?.analysis_id
    );
    let kept = frozen.recommendation.context("the recommendation")?;
    ensure!(
        kept.evidence.is_some() && kept.estimated_impact.is_some(),
        "evidence and forecast are kept: {kept:?}"
    );
    assert_eq!(kept.evidence, first.evidence);
    assert_eq!(
        (kept.slice, kept.estimated_impact),
        (first.slice.clone(), first.estimated_impact)
    );
    // Whatever a later analysis says, the ticket says what was said then
    sandbox
        .kaizen(&["analyze", "--request-id", "after-the-ticket"])
        .await?;
    assert_eq!(
        get(client).await?.recommendation.context("still")?.analysis_id,
        frozen.analysis_id
    );
    Ok(id)
}

async fn get(client: &mut TrackerServiceClient<Channel>) -> Result<Ticket> {
    let request = GetTicketRequest {
        ticket_id: "T-1".into(),
    };
    client
        .get_ticket(request)
        .await?
        .into_inner()
        .ticket
        .context("a ticket")
}

fn refusal<T>(answer: Result<T, Status>, code: Code) -> Result<String> {
    let status = answer.err().context("it was not refused")?;
    ensure!(status.code() == code, "{status:?}");
    Ok(status.message().to_owned())
}

async fn a_recommendation_has_one_open_ticket(
    client: &mut TrackerServiceClient<Channel>,
    id: &str,
) -> Result<()> {
    let create = |request_id: &str, recommendation_id: &str| CreateTicketRequest {
        request_id: request_id.into(),
        actor: "bert".into(),
        recommendation_id: recommendation_id.into(),
        ..CreateTicketRequest::default()
    };
    let said = refusal(
        client.create_ticket(create("second", id)).await,
        Code::AlreadyExists,
    )?;
    ensure!(said.ends_with("has T-1 already"), "{said}");
    let said = refusal(
        client.create_ticket(create("third", "absent")).await,
        Code::NotFound,
    )?;
    ensure!(said.contains("recommendation"), "{said}");
    let said = refusal(
        client.create_ticket(create("no id!", id)).await,
        Code::InvalidArgument,
    )?;
    ensure!(said.starts_with("request_id "), "{said}");
    Ok(())
}

async fn illegal_steps_are_refused_with_the_allowed_ones(
    sandbox: &Sandbox,
    client: &mut TrackerServiceClient<Channel>,
) -> Result<()> {
    let mut verdict = Ticket {
        ticket_id: "T-1".into(),
        ..Ticket::default()
    };
    verdict.set_state(TicketState::Verified);
    let update = |ticket: &Ticket, paths: &[&str]| UpdateTicketRequest {
        ticket: Some(ticket.clone()),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|it| (*it).to_owned()).collect(),
        }),
        actor: "bert".into(),
        comment: "because".into(),
    };
    let said = refusal(
        client.update_ticket(update(&verdict, &["state"])).await,
        Code::FailedPrecondition,
    )?;
    let allowed =
        "a ticket that is accepted cannot become verified; it can become in_progress, cancelled, duplicate";
    assert_eq!(said, allowed);
    let by_command = sandbox.kaizen(&["tickets", "implement", "T-1"]).await;
    let said = by_command
        .err()
        .context("implemented before it was started")?
        .to_string();
    ensure!(
        said.contains("it can become in_progress, cancelled, duplicate"),
        "{said}"
    );
    verdict.set_state(TicketState::Implemented);
    let said = refusal(
        client.update_ticket(update(&verdict, &["state"])).await,
        Code::InvalidArgument,
    )?;
    ensure!(said.contains("MarkImplemented"), "{said}");
    let said = refusal(
        client.update_ticket(update(&verdict, &["colour"])).await,
        Code::InvalidArgument,
    )?;
    ensure!(
        said.starts_with("update_mask has \"colour\"; it may name title, "),
        "{said}"
    );
    Ok(())
}

async fn what_was_read_before_a_change_is_stale(client: &mut TrackerServiceClient<Channel>) -> Result<()> {
    let read = get(client).await?;
    let update = |owner: &str| UpdateTicketRequest {
        ticket: Some(Ticket {
            owner: owner.into(),
            ..read.clone()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["owner".into()],
        }),
        actor: owner.into(),
        ..UpdateTicketRequest::default()
    };
    client.update_ticket(update("anna")).await?;
    let said = refusal(client.update_ticket(update("bert")).await, Code::Aborted)?;
    ensure!(said.contains("T-1 has changed since"), "{said}");
    assert_eq!(get(client).await?.owner, "anna");
    Ok(())
}

async fn the_rest_of_its_life_is_lived(sandbox: &Sandbox) -> Result<()> {
    let run = async |arguments: &[&str]| sandbox.kaizen(&[&["tickets"], arguments].concat()).await;
    run(&["start", "T-1"]).await?;
    run(&["comment", "1", "Nearly there"]).await?;
    run(&[
        "link",
        "T-1",
        "https://code.example/pull/7",
        "--title",
        "Mend the prompt",
    ])
    .await?;
    let deploy = [
        "--kind",
        "prompt",
        "--version",
        "v13",
        "--deploy",
        "https://deploy.example/9",
    ];
    // So late that no measurement is due
    let at = Timestamp::from_second(Timestamp::now().as_second() - 3_600)?;
    run(&[&["implement", "T-1", "--at", &at.to_string()][..], &deploy].concat()).await?;
    run(&["measure", "T-1"]).await?;
    let without = run(&["verdict", "T-1", "--verdict", "verified"]).await;
    ensure!(
        without.is_err_and(|it| it.to_string().contains("comment is required")),
        "a verdict without a reason"
    );
    let said = run(&[
        "verdict",
        "T-1",
        "--verdict",
        "verified",
        "--reason",
        "Measured elsewhere",
    ])
    .await?;
    ensure!(said.starts_with("T-1 verified: "), "{said}");
    let shown = run(&["show", "T-1"]).await?;
    for part in [
        "may become measuring, reopened",
        "state: accepted → in_progress",
        "“Nearly there”",
        "https://code.example/pull/7",
        "https://deploy.example/9",
        &format!("{} prompt v13", at.to_string().replace('T', " ")),
        "state: measuring → verified “Measured elsewhere”",
    ] {
        ensure!(shown.contains(part), "no {part:?} in:\n{shown}");
    }
    let json: Value = serde_json::from_str(&run(&["show", "T-1", "--output", "json"]).await?)?;
    assert_eq!(json["state"], "verified");
    assert_eq!(json["links"].as_array().map(Vec::len), Some(2));
    let events = json["events"].as_array().context("its events")?;
    // Created, accepted, owned, started, said, linked, implemented, measured, judged
    assert_eq!(events.len(), 9, "{events:#?}");
    Ok(())
}

async fn what_was_implemented_is_in_the_change_ledger_once(sandbox: &Sandbox) -> Result<()> {
    let expected = "prompt\tv13\thttps://deploy.example/9";
    eventually("the change is stored", Duration::from_secs(60), async || {
        let sql = "SELECT kind, version, link FROM kaizen.changes WHERE startsWith(event_id, 'ticket-1-')";
        let found = sandbox.stack().clickhouse().query(sql).await?;
        ensure!(found == expected, "{found}");
        Ok(())
    })
    .await
}

async fn a_request_by_hand_creates_one_ticket(sandbox: &Sandbox) -> Result<()> {
    let run = async |arguments: &[&str]| sandbox.kaizen(&[&["tickets"], arguments].concat()).await;
    let same = [
        "create",
        "--request-id",
        "by-hand",
        "--title",
        "Ask Zürich about timeouts",
        "--label",
        "people",
    ];
    let said = run(&[&same[..], &["--due", "2026-12-24"]].concat()).await?;
    ensure!(said.starts_with("T-2 proposed: "), "{said}");
    ensure!(
        run(&[&same[..], &["--due", "2026-12-24"]].concat())
            .await?
            .starts_with("T-2 "),
        "sent twice"
    );
    let other = run(&[&same[..], &["--due", "2026-12-25"]].concat()).await;
    ensure!(other.is_err_and(|it| it.to_string().contains("has created T-2, of other content")));
    run(&[
        "create",
        "--title",
        "Another",
        "--owner",
        "bert",
        "--category",
        "scraping",
    ])
    .await?;
    run(&["update", "T-3", "--add-label", "people", "--add-label", "cost"])
        .await
        .map(drop)
}

async fn every_filter_finds_what_it_should(sandbox: &Sandbox) -> Result<()> {
    let run = async |arguments: &[&str]| sandbox.kaizen(&[&["tickets"], arguments].concat()).await;
    for (filters, found) in [
        (&["--state", "verified"][..], "T-1"),
        (
            &[
                "--state",
                "verified",
                "--state",
                "proposed",
                "--order-by",
                "create_time",
            ],
            "T-1 T-2 T-3",
        ),
        (&["--label", "people"], "T-3 T-2"),
        (&["--label", "people", "--label", "cost"], "T-3"),
        (&["--owner", "bert"], "T-3"),
        (&["--unowned"], "T-2"),
        (&["--category", "scraping"], "T-3"),
        (&["--text", "TIMEOUTS zürich"], "T-2"),
        (&["--order-by", "due_date", "--limit", "2"], "T-2 T-1"),
        (&["--order-by", "update_time desc"], "T-3 T-2 T-1"),
        (&["--text", "nothing of the kind"], ""),
    ] {
        let listed = run(&[&["list", "--output", "json"], filters].concat()).await?;
        let listed: Vec<Value> = serde_json::from_str(&listed)?;
        let ids: Vec<&str> = listed.iter().filter_map(|it| it["id"].as_str()).collect();
        assert_eq!(ids.join(" "), found, "{filters:?}");
    }
    Ok(())
}

async fn pages_hold_every_ticket_once(client: &mut TrackerServiceClient<Channel>) -> Result<()> {
    let mut page = ListTicketsRequest {
        page_size: 1,
        ..ListTicketsRequest::default()
    };
    let mut ids = Vec::new();
    loop {
        let answer = client.list_tickets(page.clone()).await?.into_inner();
        ids.extend(answer.tickets.into_iter().map(|it| it.ticket_id));
        if answer.next_page_token.is_empty() {
            break;
        }
        page.page_token = answer.next_page_token;
        let other = ListTicketsRequest {
            owner: "bert".into(),
            ..page.clone()
        };
        let said = refusal(client.list_tickets(other).await, Code::InvalidArgument)?;
        ensure!(said.starts_with("page_token "), "{said}");
    }
    assert_eq!(ids, ["T-3", "T-2", "T-1"]);
    Ok(())
}

async fn tickets_outlive_the_service(
    sandbox: &Sandbox,
    client: &mut TrackerServiceClient<Channel>,
) -> Result<()> {
    let before = get(client).await?;
    sandbox.reporting().part().kill();
    sandbox.reporting().restart().await?;
    let mut client = TrackerServiceClient::connect(sandbox.reporting().url()).await?;
    assert_eq!(get(&mut client).await?, before);
    Ok(())
}
