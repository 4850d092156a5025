//! Configuration in three layers, each overriding the one before: the service's own `config/base.yaml`, the file named
//! by `KAIZEN_CONFIG`, and variables `KAIZEN__SECTION__KEY`. Unknown keys are refused in every layer; every error names
//! the key, the value and what is allowed.

mod error;
mod load;
mod values;

pub use error::{ConfigError, Problems};
pub use load::{load, print};
pub use values::{Address, Bounded, Period, Secret};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::operations::Operations;
use crate::telemetry::Telemetry;

/// The configuration of a service. Its structs must refuse unknown fields (`deny_unknown_fields`).
pub trait ServiceConfig: DeserializeOwned + Serialize {
    /// The section `telemetry`.
    fn telemetry(&self) -> &Telemetry;

    /// The section `operations`.
    fn operations(&self) -> &Operations;

    /// Rules that a type cannot state. Adds every broken one.
    fn validate(&self, problems: &mut Problems);
}
