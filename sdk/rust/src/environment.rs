//! The options as the environment has them.

use std::env::VarError;
use std::str::FromStr;
use std::time::Duration;

use crate::buffer::DropPolicy;
use crate::builder::Builder;
use crate::config_error::ConfigError;

impl Builder {
    /// The options from the environment, what is absent or empty keeping its default: `KAIZEN_BROKERS`, `KAIZEN_TOPIC`,
    /// `KAIZEN_SPILL_DIR`, `KAIZEN_SPILL_BYTES`, `KAIZEN_BUFFER_EVENTS`, `KAIZEN_BUFFER_BYTES`, `KAIZEN_DROP_POLICY`
    /// (`newest` or `oldest`), `KAIZEN_DELIVERY_TIMEOUT_SECONDS`, `KAIZEN_SHUTDOWN_TIMEOUT_SECONDS`, and
    /// `KAIZEN_KAFKA_OPTIONS` for librdkafka: `name=value`, several separated by commas.
    ///
    /// # Errors
    /// The variable that cannot be read, and what it must be.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(ConfigError::new(name, "must be UTF-8")),
        })
    }

    fn from_variables(
        read: impl Fn(&str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let read = |name| read(name).map(|value| value.filter(|value| !value.is_empty()));
        let mut builder = Self::default();
        if let Some(brokers) = read("KAIZEN_BROKERS")? {
            builder.brokers = brokers;
        }
        if let Some(topic) = read("KAIZEN_TOPIC")? {
            builder.topic = topic;
        }
        builder.spill_dir = read("KAIZEN_SPILL_DIR")?.map(Into::into);
        builder.spill_bytes = whole(&read, "KAIZEN_SPILL_BYTES")?.unwrap_or(builder.spill_bytes);
        builder.capacity = whole(&read, "KAIZEN_BUFFER_EVENTS")?.unwrap_or(builder.capacity);
        builder.buffer_bytes = whole(&read, "KAIZEN_BUFFER_BYTES")?.unwrap_or(builder.buffer_bytes);
        builder.drop_policy = match read("KAIZEN_DROP_POLICY")?.as_deref() {
            None => builder.drop_policy,
            Some("newest") => DropPolicy::Newest,
            Some("oldest") => DropPolicy::Oldest,
            Some(_) => return Err(ConfigError::new("KAIZEN_DROP_POLICY", "must be newest or oldest")),
        };
        builder.delivery_timeout = seconds(&read, "KAIZEN_DELIVERY_TIMEOUT_SECONDS")?;
        builder.shutdown_timeout =
            seconds(&read, "KAIZEN_SHUTDOWN_TIMEOUT_SECONDS")?.unwrap_or(builder.shutdown_timeout);
        for option in read("KAIZEN_KAFKA_OPTIONS")?
            .iter()
            .flat_map(|options| options.split(','))
        {
            let (name, value) = option.split_once('=').ok_or_else(|| {
                ConfigError::new(
                    "KAIZEN_KAFKA_OPTIONS",
                    "must be name=value, several separated by commas",
                )
            })?;
            builder = builder.kafka(name.trim(), value.trim());
        }
        Ok(builder)
    }
}

type Read<'a> = &'a dyn Fn(&'static str) -> Result<Option<String>, ConfigError>;

fn whole<T: FromStr>(read: Read<'_>, name: &'static str) -> Result<Option<T>, ConfigError> {
    read(name)?
        .map(|value| value.trim().parse())
        .transpose()
        .map_err(|_| ConfigError::new(name, "must be a whole number"))
}

fn seconds(read: Read<'_>, name: &'static str) -> Result<Option<Duration>, ConfigError> {
    let refused = || ConfigError::new(name, "must be a number of seconds");
    let Some(value) = read(name)? else { return Ok(None) };
    let seconds = value.trim().parse().map_err(|_| refused())?;
    Duration::try_from_secs_f64(seconds)
        .map(Some)
        .map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<Builder, ConfigError> {
        Builder::from_variables(|name| {
            let given = variables.iter().find(|(given, _)| *given == name);
            Ok(given.map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn every_variable_sets_its_option() {
        let builder = from(&[
            ("KAIZEN_BROKERS", "a:1,b:2"),
            ("KAIZEN_TOPIC", "t"),
            ("KAIZEN_SPILL_DIR", "/spill"),
            ("KAIZEN_SPILL_BYTES", "2000000"),
            ("KAIZEN_BUFFER_EVENTS", "7"),
            ("KAIZEN_BUFFER_BYTES", "3000000"),
            ("KAIZEN_DROP_POLICY", "oldest"),
            ("KAIZEN_DELIVERY_TIMEOUT_SECONDS", "1.5"),
            ("KAIZEN_SHUTDOWN_TIMEOUT_SECONDS", "2"),
            (
                "KAIZEN_KAFKA_OPTIONS",
                "security.protocol=ssl, ssl.ca.location=/ca",
            ),
        ])
        .unwrap();
        let kafka = [("security.protocol", "ssl"), ("ssl.ca.location", "/ca")];
        let expected = Builder::default()
            .brokers("a:1,b:2")
            .topic("t")
            .spill_dir("/spill")
            .spill_bytes(2_000_000)
            .capacity(7)
            .buffer_bytes(3_000_000)
            .drop_policy(DropPolicy::Oldest)
            .delivery_timeout(Duration::from_millis(1500))
            .shutdown_timeout(Duration::from_secs(2));
        let expected = kafka
            .iter()
            .fold(expected, |builder, (name, value)| builder.kafka(*name, *value));
        assert_eq!(format!("{builder:?}"), format!("{expected:?}"));
        assert_eq!(builder.kafka, expected.kafka);
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_named_with_its_rule() {
        for (name, value) in [
            ("KAIZEN_SPILL_BYTES", "1 GiB"),
            ("KAIZEN_BUFFER_EVENTS", "-1"),
            ("KAIZEN_DROP_POLICY", "random"),
            ("KAIZEN_DELIVERY_TIMEOUT_SECONDS", "-1"),
            ("KAIZEN_SHUTDOWN_TIMEOUT_SECONDS", "soon"),
            ("KAIZEN_KAFKA_OPTIONS", "security.protocol"),
        ] {
            assert_eq!(from(&[(name, value)]).err().unwrap().field, name);
        }
    }

    #[test]
    fn an_empty_variable_is_an_absent_one() {
        let builder = from(&[("KAIZEN_BROKERS", ""), ("KAIZEN_BUFFER_EVENTS", "")]).unwrap();
        assert_eq!(format!("{builder:?}"), format!("{:?}", Builder::default()));
    }
}
