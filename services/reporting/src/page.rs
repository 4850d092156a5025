//! Page sizes and page tokens (AIP-158). A token is opaque to the caller and says where the page before ended.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kaizen_api::status::invalid_argument;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::Status;

/// The size of a page: `default` when none is asked for.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is above `most`.
pub fn size(asked: u32, default: u32, most: u32) -> Result<u32, Status> {
    match asked {
        0 => Ok(default),
        size if size <= most => Ok(size),
        _ => Err(invalid_argument("page_size", format!("must be at most {most}"))),
    }
}

/// The token of a page that ended at `cursor`.
///
/// # Errors
/// `INTERNAL` when the cursor has no form in JSON.
pub fn token(cursor: &impl Serialize) -> Result<String, Status> {
    let json = serde_json::to_vec(cursor).map_err(|_| kaizen_api::status::internal())?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// Where the page of a token ended; `None` for the first page.
///
/// # Errors
/// `INVALID_ARGUMENT` when no earlier answer held the token.
pub fn cursor<T: DeserializeOwned>(token: &str) -> Result<Option<T>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let cursor = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    cursor
        .map(Some)
        .ok_or_else(|| invalid_argument("page_token", "must be the next_page_token of an earlier answer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    #[test]
    fn a_token_leads_back_to_its_cursor_and_anything_else_nowhere() {
        let end = ("topic".to_owned(), 7_i64);
        assert_eq!(cursor(&token(&end).unwrap()).unwrap(), Some(end));
        assert_eq!(cursor::<(String, i64)>("").unwrap(), None);
        for token in ["x", "e30", "ä"] {
            assert_eq!(
                cursor::<(String, i64)>(token).unwrap_err().code(),
                Code::InvalidArgument
            );
        }
        assert_eq!(
            (size(0, 50, 100).unwrap(), size(100, 50, 100).unwrap()),
            (50, 100)
        );
        assert!(
            size(101, 50, 100)
                .unwrap_err()
                .message()
                .contains("page_size must be at most 100")
        );
    }
}
