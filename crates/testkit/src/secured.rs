use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;

use crate::place::free_address;

const USER: &str = "kaizen";

/// A broker's second address, for clients that encrypt (TLS, with a certificate that nothing else trusts) and show a password
/// (SASL PLAIN).
pub struct Secured {
    address: SocketAddr,
    password: String,
    folder: TempDir,
}

impl Secured {
    /// With a certificate and a password of its own.
    ///
    /// # Errors
    /// If there is no free port, or the certificate cannot be made or written.
    pub fn new() -> Result<Self> {
        let address = free_address()?;
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([address.ip().to_string()])?;
        let secured = Self {
            address,
            password: format!("{:032x}", rand::random::<u128>()),
            folder: TempDir::new()?,
        };
        fs::write(secured.certificate(), cert.pem())?;
        fs::write(secured.key_store(), signing_key.serialize_pem() + &cert.pem())?;
        Ok(secured)
    }

    /// `host:port`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key_store(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    /// What the broker is told of it.
    pub(crate) fn broker_properties(&self) -> [String; 4] {
        let (store, password) = (self.key_store(), &self.password);
        let name = "listener.name.secured";
        [
            format!("{name}.ssl.keystore.type=PEM"),
            format!("{name}.ssl.keystore.location={}", store.display()),
            format!("{name}.sasl.enabled.mechanisms=PLAIN"),
            format!(
                "{name}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
                 user_{USER}=\"{password}\";"
            ),
        ]
    }

    /// What librdkafka is to be told, by name.
    pub fn client_properties(&self) -> [(&'static str, String); 5] {
        [
            ("security.protocol", "SASL_SSL".to_owned()),
            ("sasl.mechanisms", "PLAIN".to_owned()),
            ("sasl.username", USER.to_owned()),
            ("sasl.password", self.password.clone()),
            ("ssl.ca.location", self.certificate().display().to_string()),
        ]
    }
}
