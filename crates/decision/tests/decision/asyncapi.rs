use kaizen_decision::Reason;
use serde_json::Value;

fn document() -> Value {
    serde_yaml_ng::from_str(include_str!("../../../../docs/api/asyncapi.yaml")).unwrap()
}

/// See `../schemas/README.md` for where the schema comes from.
#[test]
fn the_document_is_valid_asyncapi_3() {
    let schema: Value = serde_json::from_str(include_str!("../schemas/asyncapi-3.0.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&document())
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(
        !validator.is_valid(&serde_json::json!({"asyncapi": "3.0.0"})),
        "the schema accepts anything"
    );
}

#[test]
fn the_document_names_the_topics_of_the_configuration() {
    let topics: Value = serde_yaml_ng::from_str(include_str!("../../../../config/topics.yaml")).unwrap();
    let mut configured: Vec<_> = topics["topics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|topic| topic["name"].as_str().unwrap().to_owned())
        .collect();
    let mut documented: Vec<_> = document()["channels"]
        .as_object()
        .unwrap()
        .values()
        .map(|channel| channel["address"].as_str().unwrap().to_owned())
        .collect();
    configured.sort();
    documented.sort();
    assert_eq!(documented, configured);
}

#[test]
fn the_document_lists_every_rejection_reason() {
    let document = document();
    let words =
        &document["components"]["messages"]["deadLetter"]["headers"]["properties"]["kaizen-reason"]["enum"];
    let documented: Vec<_> = words
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let declared: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(documented, declared);
}
