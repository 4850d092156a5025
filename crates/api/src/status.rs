//! Errors as canonical codes with `google.rpc` details, so that a client can act on them without reading prose.

use std::collections::HashMap;

use kaizen_warehouse::WarehouseError;
use kaizen_warehouse::queries::QueryError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of Kaizen's `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "kaizen";

/// `INVALID_ARGUMENT`: the request's `field` breaks a rule. `rule` completes the sentence that `field` begins.
pub fn invalid_argument(field: impl Into<String>, rule: impl AsRef<str>) -> Status {
    let (field, rule) = (field.into(), rule.as_ref());
    let message = format!("{field} {rule}");
    let details = ErrorDetails::with_bad_request_violation(field, rule);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// `NOT_FOUND`: there is no `resource` (such as `decision`) of that name.
pub fn not_found(resource: &str, name: &str) -> Status {
    let details = ErrorDetails::with_resource_info(resource, name, "", "");
    Status::with_error_details(
        Code::NotFound,
        format!("there is no {resource} {name:?}"),
        details,
    )
}

/// `ALREADY_EXISTS`: there is such a `resource`, and it differs from the one asked for.
pub fn already_exists(resource: &str, name: &str, difference: &str) -> Status {
    let details = ErrorDetails::with_resource_info(resource, name, "", difference);
    Status::with_error_details(
        Code::AlreadyExists,
        format!("{resource} {name:?} exists: {difference}"),
        details,
    )
}

/// `UNIMPLEMENTED`: another service serves the method.
pub fn served_by(service: &str) -> Status {
    let metadata = HashMap::from([("service".to_owned(), service.to_owned())]);
    let details = ErrorDetails::with_error_info("SERVED_ELSEWHERE", DOMAIN, metadata);
    Status::with_error_details(
        Code::Unimplemented,
        format!("this method is served by `{service}`"),
        details,
    )
}

/// `ABORTED`: the analysis failed; asking again runs it again.
pub fn analysis_failed(analysis_id: &str) -> Status {
    let metadata = HashMap::from([("analysis_id".to_owned(), analysis_id.to_owned())]);
    let details = ErrorDetails::with_error_info("ANALYSIS_FAILED", DOMAIN, metadata);
    Status::with_error_details(
        Code::Aborted,
        format!("analysis {analysis_id} failed; ask again to run it again"),
        details,
    )
}

/// `CANCELLED`: somebody ended the analysis; asking again runs it again.
pub fn analysis_cancelled(analysis_id: &str, actor: &str, reason: &str) -> Status {
    let metadata = [
        ("analysis_id", analysis_id.to_owned()),
        ("actor", actor.to_owned()),
        ("reason", reason.to_owned()),
    ];
    let why = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    let message = format!("analysis {analysis_id} was cancelled by {actor}{why}");
    refused(Code::Cancelled, "ANALYSIS_CANCELLED", message, metadata)
}

/// `UNAVAILABLE`: the process that answers ends, or cannot follow the analysis; the run goes on.
pub fn analysis_goes_on(analysis_id: &str) -> Status {
    let metadata = [("analysis_id", analysis_id.to_owned())];
    let message = format!("analysis {analysis_id} is not ended and goes on; ask again");
    refused(Code::Unavailable, "ANALYSIS_GOES_ON", message, metadata)
}

/// A refusal that a client can act on: `reason` is a word in capitals, `metadata` what it needs to know.
pub fn refused<const N: usize>(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    metadata: [(&str, String); N],
) -> Status {
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::from(metadata));
    Status::with_error_details(code, message, details)
}

/// `UNAVAILABLE`: something this service stands on is away; trying again helps.
pub fn unavailable(what: &str) -> Status {
    let metadata = HashMap::from([("dependency".to_owned(), what.to_owned())]);
    let details = ErrorDetails::with_error_info("DEPENDENCY_UNAVAILABLE", DOMAIN, metadata);
    Status::with_error_details(
        Code::Unavailable,
        format!("{what} is not available; try again"),
        details,
    )
}

/// `INTERNAL`: a fault of this service. The reason goes to the log, not to the caller.
pub fn internal() -> Status {
    Status::with_error_details(
        Code::Internal,
        "an internal error; the service's log has it",
        ErrorDetails::with_error_info("INTERNAL", DOMAIN, HashMap::new()),
    )
}

/// What the caller of a query that failed is told; the rest goes to the log.
pub fn query_failed(error: QueryError) -> Status {
    match error {
        QueryError::Invalid { field, reason } => invalid_argument(field, reason),
        QueryError::Warehouse(error @ (WarehouseError::Unreachable(_) | WarehouseError::TimedOut)) => {
            tracing::warn!(error = chain(&error), "a query had no answer");
            unavailable("ClickHouse")
        }
        error => {
            tracing::error!(error = chain(&error), "a query failed");
            internal()
        }
    }
}

/// An error with its causes, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_field_is_told_in_the_message_and_in_the_details() {
        let status = invalid_argument("window.end_time", "must be after start_time");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "window.end_time must be after start_time");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, "window.end_time");
        assert_eq!(violations[0].description, "must be after start_time");
    }

    #[test]
    fn a_method_of_another_service_names_it() {
        let status = served_by("analysis");
        assert_eq!(status.code(), Code::Unimplemented);
        assert_eq!(
            status.get_details_error_info().unwrap().metadata["service"],
            "analysis"
        );
    }
}
