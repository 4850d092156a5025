use axum::http::HeaderValue;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether a header is `sha256=` and the HMAC-SHA-256 of the body in hexadecimal, as GitHub and Jira sign. Takes as long
/// whatever is wrong.
///
/// H. Krawczyk, M. Bellare and R. Canetti, RFC 2104 (1997).
pub fn is_signed(header: Option<&HeaderValue>, secret: &[u8], body: &[u8]) -> bool {
    let told = header.and_then(|it| it.to_str().ok());
    let Some(signature) = told.and_then(|it| it.strip_prefix("sha256=")).and_then(bytes) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return false;
    };
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}

/// The bytes of a text in hexadecimal.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_by_who_knows_the_secret() {
        // The example of GitHub's documentation, "Validating webhook deliveries"
        let secret = b"It's a Secret to Everybody";
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let header = HeaderValue::from_static(signature);
        assert!(is_signed(Some(&header), secret, b"Hello, World!"));
        assert!(!is_signed(Some(&header), secret, b"Hello, World?"));
        assert!(!is_signed(Some(&header), b"another", b"Hello, World!"));
        for wrong in ["", "sha256=", "sha256=7", "sha256=zz", "sha1=757107ea"] {
            let header = HeaderValue::from_static(wrong);
            assert!(!is_signed(Some(&header), secret, b"Hello, World!"), "{wrong}");
        }
        assert!(!is_signed(None, secret, b"Hello, World!"));
    }
}
