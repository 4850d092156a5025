//! The published schema takes what the catalogue takes, and refuses what has not its shape.

use std::error::Error;

use kaizen_catalogue::Catalogue;
use serde_json::Value;

const SHIPPED: &str = include_str!("../../../config/catalogue.yaml");

fn is_of_the_schema(yaml: &str) -> Result<bool, Box<dyn Error>> {
    let schema = serde_json::from_str(include_str!("../../../docs/api/catalogue.schema.json"))?;
    let catalogue: Value = serde_yaml_ng::from_str(yaml)?;
    Ok(jsonschema::validator_for(&schema)?.is_valid(&catalogue))
}

#[test]
fn the_shipped_catalogue_is_of_the_schema() {
    assert!(is_of_the_schema(SHIPPED).unwrap());
}

#[test]
fn what_has_not_the_shape_is_refused_by_both() {
    for (good, wrong) in [
        ("version: 1", "version: 2"),
        ("category: message_generation", "categories: message_generation"),
        ("name: total_messages", "name: Total messages"),
        ("template: /input_data/template", "template: input_data.template"),
        ("direction: higher_is_better", "direction: up"),
        ("minimum_sample: 30", "minimum_sample: 0"),
        ("minimum_sample: 30", "minimum_sample: many"),
        ("expression: count()", "expression: how_many()"),
        ("split_by: template", "split_by: [template]"),
        ("        unit: count\n", ""),
    ] {
        assert!(SHIPPED.contains(good), "{good}");
        let broken = SHIPPED.replacen(good, wrong, 1);
        assert!(!is_of_the_schema(&broken).unwrap(), "{wrong} is of the schema");
        assert!(Catalogue::parse(&broken).is_err(), "{wrong} is taken");
    }
}

#[test]
fn the_keys_that_the_shipped_catalogue_does_not_use_are_of_the_schema() {
    let with = SHIPPED
        .replacen(
            "      cost_usd: /output_data/cost_usd\n",
            "      cost_usd: /output_data/cost_usd\n      confidence: /output_data/confidence\n      fit: /input_data/fit\n    stated_probability: {measure: confidence, of: success}\n",
            1,
        )
        .replacen(
            "        minimum_sample: 1\n",
            "        minimum_sample: 1\n        thresholds: {warning: 20, critical: 10}\n        value_per_unit: {amount: 0.5, currency: EUR}\n",
            1,
        )
        .replacen("expression: count()", "expression: distinct(template)", 1)
        .replacen(
            "expression: share(success_indicator)\n",
            "expression: share(success_indicator)\n        covariate: fit\n",
            1,
        );
    assert!(is_of_the_schema(&with).unwrap());
    let catalogue = Catalogue::parse(&with).unwrap();
    let component = &catalogue.components()[0];
    assert_eq!(
        component.stated_probability.as_ref().unwrap().measure,
        "confidence"
    );
    assert_eq!(component.metrics[0].expression.to_string(), "distinct(template)");
    assert_eq!(component.metrics[1].covariate.as_deref(), Some("fit"));
    let unknown = with.replace("measure: confidence", "measure: certainty");
    let error = Catalogue::parse(&unknown).unwrap_err().to_string();
    assert!(
        error.contains("ai_message_generation.stated_probability.measure"),
        "{error}"
    );
}
