//! What the ledger refuses, as canonical codes.

use kaizen_api::status::{chain, internal, invalid_argument, not_found, refused as refusal, unavailable};
use kaizen_ledger::{LedgerError, correction_id, ticket_id};
use tonic::{Code, Status};

/// What the caller is told; faults go to the log.
pub fn refused(error: LedgerError) -> Status {
    let message = error.to_string();
    match error {
        LedgerError::Invalid { field, rule } => invalid_argument(field, rule),
        LedgerError::NotFound(number) => not_found("ticket", &ticket_id(number)),
        LedgerError::Illegal { from, to } => {
            let allowed: Vec<&str> = from.next().iter().map(|it| it.as_str()).collect();
            let metadata = [
                ("from", from.to_string()),
                ("to", to.to_string()),
                ("allowed", allowed.join(",")),
            ];
            refusal(Code::FailedPrecondition, "ILLEGAL_TRANSITION", message, metadata)
        }
        LedgerError::Stale { number, current, .. } => {
            let metadata = [("ticket_id", ticket_id(number)), ("etag", current.to_string())];
            refusal(Code::Aborted, "ETAG_MISMATCH", message, metadata)
        }
        LedgerError::RequestReused { number, .. } => {
            let metadata = [("ticket_id", ticket_id(number))];
            refusal(Code::AlreadyExists, "REQUEST_ID_REUSED", message, metadata)
        }
        LedgerError::AlreadyTicketed { number, .. } => {
            let metadata = [("ticket_id", ticket_id(number))];
            refusal(
                Code::AlreadyExists,
                "RECOMMENDATION_HAS_TICKET",
                message,
                metadata,
            )
        }
        LedgerError::NoCorrection(number) => not_found("correction", &correction_id(number)),
        LedgerError::CorrectionEnded { number, state } => {
            let metadata = [
                ("correction_id", correction_id(number)),
                ("state", state.to_string()),
            ];
            refusal(
                Code::FailedPrecondition,
                "CORRECTION_NOT_ACTIVE",
                message,
                metadata,
            )
        }
        error @ LedgerError::Unavailable(_) => {
            tracing::warn!(error = chain(&error), "the ledger gave no answer");
            unavailable("the ledger")
        }
        error @ (LedgerError::Database(_)
        | LedgerError::Unreadable { .. }
        | LedgerError::UnreadableCorrection { .. }) => {
            tracing::error!(error = chain(&error), "the ledger failed");
            internal()
        }
    }
}

/// [`refused`], of a request that has the ticket's fields in a message `ticket`.
pub fn refused_of_ticket(error: LedgerError) -> Status {
    const FIELDS: [&str; 9] = [
        "title",
        "description",
        "category",
        "metric",
        "owner",
        "labels",
        "due_date",
        "links",
        "duplicate_of",
    ];
    match error {
        LedgerError::Invalid { field, rule }
            if FIELDS.iter().any(|it| field.split('[').next() == Some(it)) =>
        {
            invalid_argument(format!("ticket.{field}"), rule)
        }
        error => refused(error),
    }
}

#[cfg(test)]
mod tests {
    use kaizen_ledger::State;
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn an_illegal_step_names_the_allowed_ones_for_people_and_machines() {
        let status = refused(LedgerError::Illegal {
            from: State::Cancelled,
            to: State::Accepted,
        });
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(
            status.message(),
            "a ticket that is cancelled cannot become accepted; it can become reopened"
        );
        let info = status.get_details_error_info().unwrap();
        assert_eq!(
            (info.reason.as_str(), info.metadata["allowed"].as_str()),
            ("ILLEGAL_TRANSITION", "reopened")
        );
    }

    #[test]
    fn a_field_is_named_as_the_request_has_it() {
        for (field, named) in [("labels[3]", "ticket.labels[3]"), ("actor", "actor")] {
            let status = refused_of_ticket(LedgerError::Invalid {
                field: field.into(),
                rule: "is required".into(),
            });
            assert_eq!(status.message(), format!("{named} is required"));
        }
    }

    #[test]
    fn a_stale_etag_comes_with_the_one_to_read() {
        let status = refused(LedgerError::Stale {
            number: 3,
            given: 7,
            current: 9,
        });
        assert_eq!(status.code(), Code::Aborted);
        assert_eq!(status.get_details_error_info().unwrap().metadata["etag"], "9");
    }
}
