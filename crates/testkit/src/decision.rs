use serde_json::{Value, json};

/// A decision event in the making: valid from the start, to be changed where a test needs it.
#[derive(Debug, Clone)]
pub struct DecisionBuilder(Value);

impl DecisionBuilder {
    /// A valid event of message generation; `timestamp` is RFC 3339.
    pub fn new(session_id: &str, timestamp: &str) -> Self {
        Self(json!({
            "log_type": "campaign_generation",
            "session_id": session_id,
            "timestamp": timestamp,
            "lead_identifier": {"name": "Ada Example", "company": "Example Ltd", "industry": "software"},
            "input_data": {"template": "intro", "model": "small", "prompt_version": "3"},
            "output_data": {"tokens": 420, "cost_usd": 0.0021},
            "decision_reasoning": {
                "method_used": "template",
                "confidence_level": "high",
                "processing_time": 1.25,
                "success": true,
            },
            "training_labels": {
                "quality_score": 82.5,
                "success_indicator": true,
                "improvement_potential": "low",
            },
        }))
    }

    /// Sets the member at a JSON pointer of object keys (`/decision_reasoning/success`), with the objects above it.
    ///
    /// # Panics
    /// If the pointer leads through something that is no object.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let member = pointer
            .split('/')
            .skip(1)
            .fold(&mut self.0, |object, key| &mut object[key]);
        *member = value.into();
        self
    }

    /// Removes the member at a JSON pointer, if it is there.
    #[must_use]
    pub fn without(mut self, pointer: &str) -> Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        if let Some(object) = self.0.pointer_mut(parent).and_then(Value::as_object_mut) {
            object.remove(key);
        }
        self
    }

    /// The event as it travels: JSON in UTF-8.
    pub fn build(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_set_and_removed_where_the_pointer_says() {
        let event = DecisionBuilder::new("s-1", "2026-01-05T09:00:00Z")
            .with("/decision_reasoning/success", false)
            .with("/allocation/arm", "b")
            .without("/training_labels/quality_score");
        let event: Value = serde_json::from_slice(&event.build()).unwrap();
        assert_eq!(event["decision_reasoning"]["success"], json!(false));
        assert_eq!(event["allocation"], json!({"arm": "b"}));
        assert_eq!(
            event["training_labels"],
            json!({"success_indicator": true, "improvement_potential": "low"})
        );
    }
}
