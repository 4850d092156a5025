//! The Protobuf encoding, turned into the JSON one so that both keep the same rules.
//!
//! A field that is not set, or an empty string of a field without presence, is an absent field. Fields of `extra` stand
//! beside the schema's own, as unknown fields do in JSON. Whole numbers of a `Struct` are written without a fraction.

use prost::Message;
use prost_types::value::Kind;
use prost_types::{Struct, Value};

use crate::decode::{ALLOCATION, LABELS, LEAD, REASONING, ROOT};
use crate::proto;
use crate::reason::{Reason, Rejection};

/// From here on not every whole number is a 64-bit float.
const EXACT_WHOLE_NUMBERS: f64 = 9_007_199_254_740_992.0;

/// Writes the message in `value` as JSON over what `json` held.
pub(crate) fn transcode(value: &[u8], json: &mut String) -> Result<(), Rejection> {
    let message = proto::Decision::decode(value).map_err(|error| {
        // prost names this one case by its words only; a test holds it to them
        let too_deep = error.to_string().contains("recursion limit reached");
        Rejection::whole(if too_deep {
            Reason::TooDeep
        } else {
            Reason::NotProtobuf
        })
    })?;
    json.clear();
    json.push('{');
    optional_text(json, ROOT[0], message.event_id.as_deref());
    plain_text(json, ROOT[1], &message.log_type);
    plain_text(json, ROOT[2], &message.session_id);
    if let Some(timestamp) = message.timestamp {
        let timestamp = jiff::Timestamp::new(timestamp.seconds, timestamp.nanos)
            .map_err(|_| Rejection::at(ROOT[3], Reason::TimestampInvalid))?;
        plain_text(json, ROOT[3], &timestamp.to_string());
    }
    if let Some(lead) = &message.lead_identifier {
        open(json, ROOT[4]);
        optional_text(json, LEAD[0], lead.name.as_deref());
        optional_text(json, LEAD[1], lead.company.as_deref());
        optional_text(json, LEAD[2], lead.industry.as_deref());
        json.push('}');
    }
    for (pointer, object) in [(ROOT[5], &message.input_data), (ROOT[6], &message.output_data)] {
        if let Some(object) = object {
            open(json, pointer);
            members(json, object).ok_or(Rejection::at(pointer, Reason::OutOfRange))?;
            json.push('}');
        }
    }
    if let Some(reasoning) = &message.decision_reasoning {
        open(json, ROOT[7]);
        plain_text(json, REASONING[0], &reasoning.method_used);
        level(json, REASONING[1], reasoning.confidence_level)?;
        number(json, REASONING[2], reasoning.processing_time);
        boolean(json, REASONING[3], reasoning.success);
        json.push('}');
    }
    if let Some(labels) = &message.training_labels {
        open(json, ROOT[8]);
        number(json, LABELS[0], labels.quality_score);
        boolean(json, LABELS[1], labels.success_indicator);
        level(json, LABELS[2], labels.improvement_potential)?;
        json.push('}');
    }
    if let Some(allocation) = &message.allocation {
        open(json, ROOT[9]);
        plain_text(json, ALLOCATION[0], &allocation.experiment);
        plain_text(json, ALLOCATION[1], &allocation.arm);
        number(json, ALLOCATION[2], allocation.probability);
        json.push('}');
    }
    if let Some(extra) = &message.extra {
        members(json, extra).ok_or(Rejection::whole(Reason::OutOfRange))?;
    }
    json.push('}');
    Ok(())
}

/// Writes the name of the field at `pointer`.
fn name(json: &mut String, pointer: &str) {
    let name = pointer.rsplit('/').next().unwrap_or_default();
    key(json, name);
}

fn key(json: &mut String, key: &str) {
    if !json.ends_with('{') {
        json.push(',');
    }
    text(json, key);
    json.push(':');
}

fn text(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}

fn open(json: &mut String, pointer: &str) {
    name(json, pointer);
    json.push('{');
}

fn optional_text(json: &mut String, pointer: &str, value: Option<&str>) {
    if let Some(value) = value {
        name(json, pointer);
        text(json, value);
    }
}

fn plain_text(json: &mut String, pointer: &str, value: &str) {
    optional_text(json, pointer, Some(value).filter(|value| !value.is_empty()));
}

fn boolean(json: &mut String, pointer: &str, value: Option<bool>) {
    if let Some(value) = value {
        name(json, pointer);
        json.push_str(if value { "true" } else { "false" });
    }
}

fn level(json: &mut String, pointer: &'static str, value: i32) -> Result<(), Rejection> {
    let word = match proto::Level::try_from(value) {
        Ok(proto::Level::Unspecified) => return Ok(()),
        Ok(proto::Level::High) => "high",
        Ok(proto::Level::Medium) => "medium",
        Ok(proto::Level::Low) => "low",
        Err(_) => return Err(Rejection::at(pointer, Reason::UnknownValue)),
    };
    plain_text(json, pointer, word);
    Ok(())
}

fn number(json: &mut String, pointer: &str, value: Option<f64>) {
    if let Some(value) = value {
        name(json, pointer);
        // JSON has no word for what is not finite; this is read as a number beyond every range
        json.push_str(&finite(value).unwrap_or_else(|| "1e999".to_owned()));
    }
}

fn finite(value: f64) -> Option<String> {
    let whole = value.fract() == 0.0 && value.abs() < EXACT_WHOLE_NUMBERS;
    let number = if whole {
        format!("{value:.0}")
    } else {
        serde_json::Number::from_f64(value)?.to_string()
    };
    Some(number)
}

/// Writes the members of `object`. `None`: a number in it is not finite.
fn members(json: &mut String, object: &Struct) -> Option<()> {
    object.fields.iter().try_for_each(|(name, member)| {
        key(json, name);
        value(json, member)
    })
}

/// Writes `value`; prost's own limit on nesting bounds the recursion.
fn value(json: &mut String, value: &Value) -> Option<()> {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => json.push_str("null"),
        Some(Kind::BoolValue(value)) => json.push_str(if *value { "true" } else { "false" }),
        Some(Kind::NumberValue(value)) => json.push_str(&finite(*value)?),
        Some(Kind::StringValue(value)) => text(json, value),
        Some(Kind::StructValue(object)) => {
            json.push('{');
            members(json, object)?;
            json.push('}');
        }
        Some(Kind::ListValue(list)) => {
            json.push('[');
            for (index, element) in list.values.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                self::value(json, element)?;
            }
            json.push(']');
        }
    }
    Some(())
}
