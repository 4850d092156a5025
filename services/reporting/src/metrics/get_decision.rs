use jiff::Timestamp;
use kaizen_api::analysis::v1::{GetDecisionRequest, GetDecisionResponse, Source};
use kaizen_api::status::{internal, invalid_argument, not_found, query_failed};
use kaizen_api::time::to_wire;
use kaizen_warehouse::queries::decision;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::Value as Json;
use tonic::Status;

use super::{Metrics, list_decisions};

pub async fn answer(metrics: &Metrics, request: GetDecisionRequest) -> Result<GetDecisionResponse, Status> {
    if request.event_id.is_empty() {
        return Err(invalid_argument("event_id", "is required"));
    }
    let found = decision(&metrics.client, &request.event_id)
        .await
        .map_err(query_failed)?;
    let found = found.ok_or_else(|| not_found("decision", &request.event_id))?;
    let (summary, content) = (found.summary, found.content);
    let recorded = Timestamp::from_millisecond(content._ingested_at).map_err(|_| internal())?;
    Ok(GetDecisionResponse {
        source: Some(Source {
            topic: summary._topic.clone(),
            partition: summary._partition,
            offset: summary._offset,
            record_time: Some(to_wire(recorded)),
        }),
        summary: Some(list_decisions::summary(summary)?),
        input_data: Some(object(&content.input)?),
        output_data: Some(object(&content.output)?),
        extra: Some(object(&content.extra)?),
        dimensions: content.dims.into_iter().collect(),
        measures: content.measures.into_iter().collect(),
        improvement_potential: content.improvement_potential,
    })
}

/// A JSON object as `google.protobuf.Struct`, whose numbers are doubles.
fn object(text: &str) -> Result<Struct, Status> {
    let members = serde_json::from_str::<serde_json::Map<String, Json>>(text);
    let members = members.map_err(|error| {
        // Says where it is at fault, not what it holds
        tracing::error!(%error, "a stored decision has an object that is none");
        internal()
    })?;
    Ok(Struct {
        fields: members
            .into_iter()
            .map(|(name, json)| (name, value(json)))
            .collect(),
    })
}

fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(flag) => Kind::BoolValue(flag),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(values) => Kind::ListValue(ListValue {
            values: values.into_iter().map(value).collect(),
        }),
        Json::Object(members) => Kind::StructValue(Struct {
            fields: members
                .into_iter()
                .map(|(name, json)| (name, value(json)))
                .collect(),
        }),
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_its_members_whatever_their_kind() {
        let found = object(r#"{"a":null,"b":[1,"x",{"c":true}]}"#).unwrap();
        assert_eq!(found.fields["a"].kind, Some(Kind::NullValue(0)));
        let Some(Kind::ListValue(list)) = &found.fields["b"].kind else {
            panic!("a list")
        };
        assert_eq!(list.values[0].kind, Some(Kind::NumberValue(1.0)));
        assert_eq!(list.values[1].kind, Some(Kind::StringValue("x".into())));
        let Some(Kind::StructValue(inner)) = &list.values[2].kind else {
            panic!("an object")
        };
        assert_eq!(inner.fields["c"].kind, Some(Kind::BoolValue(true)));
        assert!(object("[]").is_err());
    }
}
