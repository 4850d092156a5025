use serde_json::Value;

use crate::rejected::cases;

fn validator() -> jsonschema::Validator {
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/api/decision.schema.json")).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn accepted_events_are_valid_by_the_json_schema() {
    let validator = validator();
    insta::glob!("..", "fixtures/accepted/*.json", |path| {
        let event: Value = serde_json::from_slice(&std::fs::read(path).unwrap())
            .or_else(|_| {
                // A number that 64 bits cannot hold is valid JSON, and unreadable for the library
                let text = std::fs::read_to_string(path).unwrap().replace("1e999", "0");
                serde_json::from_str(&text)
            })
            .unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&event)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    });
}

#[test]
fn rejected_events_are_invalid_where_a_schema_can_tell() {
    let validator = validator();
    for case in cases().into_iter().filter(|case| case.in_schema) {
        let event: Value = serde_json::from_slice(case.value.as_deref().unwrap()).unwrap();
        assert!(
            !validator.is_valid(&event),
            "{} is valid by the schema",
            case.rejection
        );
    }
}

#[test]
fn what_a_schema_cannot_tell_is_valid_by_it() {
    // Otherwise `in_schema` claims less than the schema does
    let validator = validator();
    for case in cases()
        .into_iter()
        .filter(|case| !case.in_schema && case.content_type.is_none())
    {
        let Some(Ok(event)) = case.value.as_deref().map(serde_json::from_slice::<Value>) else {
            continue;
        };
        assert!(
            validator.is_valid(&event),
            "{} is invalid by the schema",
            case.rejection
        );
    }
}
