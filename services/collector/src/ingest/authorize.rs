//! Who may publish: everyone on loopback, or whoever shows a token.

use sha2::{Digest, Sha256};

use super::refuse::Refusal;

/// The hashes of the tokens that may publish.
pub struct Tokens(Vec<[u8; 32]>);

impl Tokens {
    /// Those; none lets everyone in.
    pub const fn new(hashes: Vec<[u8; 32]>) -> Self {
        Self(hashes)
    }

    /// Looks at the header `authorization`.
    ///
    /// # Errors
    /// A token is needed, and none of those is shown.
    pub fn authorize(&self, header: Option<&[u8]>) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let token = header.and_then(bearer).ok_or(Refusal::Unauthorized)?;
        let shown: [u8; 32] = Sha256::digest(token).into();
        // What is compared are hashes: the time it takes tells nothing about a token.
        if self.0.contains(&shown) {
            Ok(())
        } else {
            Err(Refusal::Unauthorized)
        }
    }
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_whose_hash_is_known_is_let_in() {
        let tokens = Tokens::new(vec![Sha256::digest(b"one").into(), Sha256::digest(b"two").into()]);
        for header in [&b"Bearer one"[..], b"bearer two", b"Bearer  two "] {
            assert!(tokens.authorize(Some(header)).is_ok());
        }
        for header in [
            &b"Bearer three"[..],
            b"Bearer ",
            b"Basic one",
            b"one",
            b"",
            b"Bearer\xff",
        ] {
            assert!(tokens.authorize(Some(header)).is_err());
        }
        assert!(tokens.authorize(None).is_err());
        assert!(
            Tokens::new(Vec::new()).authorize(None).is_ok(),
            "nobody needs one"
        );
    }
}
