//! `docs/api/openapi.yaml` is OpenAPI, and says what the collector answers.

use std::sync::LazyLock;

use anyhow::{Result, ensure};
use kaizen_decision::Reason;
use serde_json::{Value, json};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_yaml_ng::from_str(include_str!("../../../../docs/api/openapi.yaml")).unwrap());

/// Checks an answer to `POST /v1/decisions` against the document.
pub fn keeps(status: u16, content_type: &str, body: &Value) -> Result<()> {
    let responses = &DOCUMENT["paths"]["/v1/decisions"]["post"]["responses"];
    let schema = &responses[status.to_string()]["content"][content_type]["schema"];
    ensure!(
        schema.is_object(),
        "{status} as {content_type} is not documented: {body}"
    );
    let schema = json!({"allOf": [schema], "components": DOCUMENT["components"]});
    let validator = jsonschema::validator_for(&schema)?;
    let errors: Vec<_> = validator
        .iter_errors(body)
        .map(|error| error.to_string())
        .collect();
    ensure!(errors.is_empty(), "{status}: {errors:?} in {body}");
    Ok(())
}

/// See `../schemas/README.md` for where the schema comes from.
#[test]
fn the_document_is_valid_openapi_3_1() {
    let schema: Value = serde_json::from_str(include_str!("../schemas/openapi-3.1.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&DOCUMENT)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(
        !validator.is_valid(&json!({"openapi": "3.1.0"})),
        "the schema accepts anything"
    );
}

#[test]
fn the_document_lists_every_rejection_reason() {
    let words = &DOCUMENT["components"]["schemas"]["Rejected"]["properties"]["reason"]["enum"];
    let declared: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(*words, json!(declared));
}
