//! The decision event, as far as the table `decisions` has columns for it.

use anyhow::Result;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// JSON inside of an event that is stored as it is.
pub trait Document: DeserializeOwned {
    /// As text.
    ///
    /// # Errors
    /// It cannot be written.
    fn into_text(self) -> Result<String>;

    /// The members that `T` names.
    ///
    /// # Errors
    /// One has another type.
    fn read<T: DeserializeOwned>(&self) -> Result<T>;
}

/// serde_json's: the bytes as they stand.
impl Document for Box<serde_json::value::RawValue> {
    fn into_text(self) -> Result<String> {
        Ok(String::from(Box::<str>::from(self)))
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_str(self.get())?)
    }
}

/// sonic-rs's: the bytes as they stand.
impl Document for sonic_rs::OwnedLazyValue {
    fn into_text(self) -> Result<String> {
        Ok(sonic_rs::to_string(&self)?)
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(sonic_rs::from_str(&sonic_rs::to_string(self)?)?)
    }
}

/// For decoders without raw values, such as simd-json: taken apart and written again.
impl Document for serde_json::Value {
    fn into_text(self) -> Result<String> {
        Ok(serde_json::to_string(&self)?)
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_value(self.clone())?)
    }
}

/// A decision event.
#[derive(Debug, Deserialize)]
#[serde(bound = "D: Document")]
pub struct Event<D> {
    #[serde(default)]
    pub(crate) event_id: String,
    pub(crate) log_type: String,
    pub(crate) session_id: String,
    pub(crate) timestamp: String,
    #[serde(default)]
    pub(crate) lead_identifier: Lead,
    pub(crate) input_data: D,
    pub(crate) output_data: D,
    pub(crate) decision_reasoning: Reasoning,
    #[serde(default)]
    pub(crate) training_labels: Labels,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Lead {
    pub(crate) company: Option<String>,
    pub(crate) industry: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Reasoning {
    pub(crate) method_used: String,
    pub(crate) confidence_level: Option<String>,
    pub(crate) processing_time: Option<f64>,
    pub(crate) success: bool,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Labels {
    pub(crate) quality_score: Option<f64>,
    pub(crate) success_indicator: Option<bool>,
    pub(crate) improvement_potential: Option<String>,
}

/// What the dimensions are read from.
#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    pub(crate) template: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) prompt_version: Option<String>,
}

/// What the measures are read from.
#[derive(Debug, Deserialize)]
pub(crate) struct Output {
    pub(crate) tokens: Option<f64>,
    pub(crate) cost_usd: Option<f64>,
}
