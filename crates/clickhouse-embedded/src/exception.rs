//! What went wrong, in ClickHouse's own terms: a numeric code and a text that begins `Code: N. DB::Exception:`.

use hyper::StatusCode;

/// Numeric codes this front raises itself; the engine raises hundreds more.
pub mod code {
    /// The request, a header or a parameter is malformed.
    pub const BAD_ARGUMENTS: u32 = 36;
    /// A part of ClickHouse's interface that is not offered here.
    pub const NOT_IMPLEMENTED: u32 = 48;
    /// The statement does not parse.
    pub const SYNTAX_ERROR: u32 = 62;
    /// `FROM INFILE` reads files of the client, and an HTTP client has none here.
    pub const UNKNOWN_TYPE_OF_QUERY: u32 = 78;
    /// A setting the engine does not know.
    pub const UNKNOWN_SETTING: u32 = 115;
    /// A statement that writes came in where only reading is allowed.
    pub const READONLY: u32 = 164;
    /// More sessions than the server keeps.
    pub const TOO_MANY_SIMULTANEOUS_QUERIES: u32 = 202;
    /// Another running query has the same `query_id`.
    pub const QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: u32 = 216;
    /// `INTO OUTFILE` writes files of the client, and an HTTP client has none here.
    pub const INTO_OUTFILE_NOT_ALLOWED: u32 = 358;
    /// A compressed body does not decompress.
    pub const CANNOT_DECOMPRESS: u32 = 271;
    /// `session_check=1` named a session that does not exist.
    pub const SESSION_NOT_FOUND: u32 = 372;
    /// Another request is using the session.
    pub const SESSION_IS_LOCKED: u32 = 373;
    /// `session_timeout` is out of range.
    pub const INVALID_SESSION_TIMEOUT: u32 = 374;
    /// The query was stopped because its client left or the server is stopping.
    pub const QUERY_WAS_CANCELLED: u32 = 394;
    /// User or password is wrong.
    pub const AUTHENTICATION_FAILED: u32 = 516;
    /// An input or output error that has no code of its own.
    pub const STD_EXCEPTION: u32 = 1001;
    /// The engine failed without a code.
    pub const UNKNOWN_EXCEPTION: u32 = 1002;
}

/// An error as ClickHouse reports it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Exception {
    /// ClickHouse's number for this kind of error.
    pub code: u32,
    /// One line (the engine's may have more), beginning `Code: N. DB::Exception:`.
    pub text: String,
}

impl Exception {
    /// An error raised by this front: `name` is ClickHouse's upper-case name for `code`.
    pub fn raise(code: u32, name: &str, message: impl std::fmt::Display) -> Self {
        Self {
            code,
            text: format!("Code: {code}. DB::Exception: {message}. ({name})"),
        }
    }

    /// An error reported by the engine. A failed insert is wrapped twice there; the inner text is kept.
    pub fn from_engine(text: &str) -> Self {
        let code = leading_code(text).unwrap_or(code::UNKNOWN_EXCEPTION);
        let wrapper = format!("Code: {code}. DB::Exception: ");
        let text = match text.strip_prefix(&wrapper) {
            Some(inner) if inner.starts_with(&wrapper) => match inner.rfind(" (version ") {
                Some(end) => &inner[..end],
                None => inner,
            },
            _ => text,
        };
        let text = match leading_code(text) {
            Some(_) => text.to_owned(),
            None => format!("Code: {code}. DB::Exception: {text}"),
        };
        Self { code, text }
    }

    /// A refused part of the interface.
    pub fn not_implemented(what: impl std::fmt::Display) -> Self {
        Self::raise(code::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", what)
    }

    /// A malformed parameter or header.
    pub fn bad_arguments(what: impl std::fmt::Display) -> Self {
        Self::raise(code::BAD_ARGUMENTS, "BAD_ARGUMENTS", what)
    }

    /// A statement that does not parse.
    pub fn syntax(what: impl std::fmt::Display) -> Self {
        Self::raise(code::SYNTAX_ERROR, "SYNTAX_ERROR", what)
    }

    /// An input or output error, e.g. a client that left in the middle of its body.
    pub fn io(doing: &str, error: &std::io::Error) -> Self {
        Self::raise(
            code::STD_EXCEPTION,
            "STD_EXCEPTION",
            format_args!("{doing}: {error}"),
        )
    }

    /// The HTTP status ClickHouse answers with for this code.
    pub fn status(&self) -> StatusCode {
        match self.code {
            194 => StatusCode::UNAUTHORIZED,
            192 | 193 | 497 | 516 | 512 => StatusCode::FORBIDDEN,
            36 | 427 | 6 | 25 | 26 | 38 | 41 | 72 | 441 | 675 | 676 | 27 | 376 | 15 | 44 | 8 | 37 | 123
            | 167 | 168 | 223 | 62 | 117 | 53 | 321 => StatusCode::BAD_REQUEST,
            60 | 46 | 47 | 50 | 56 | 81 | 115 | 152 | 63 | 73 | 336 | 78 | 511 => StatusCode::NOT_FOUND,
            229 => StatusCode::PAYLOAD_TOO_LARGE,
            48 => StatusCode::NOT_IMPLEMENTED,
            209 | 76 | 439 => StatusCode::SERVICE_UNAVAILABLE,
            381 => StatusCode::LENGTH_REQUIRED,
            159 => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body of an error response, `version` being the engine's.
    pub fn body(&self, version: &str) -> String {
        format!("{} (version {version})\n", self.text)
    }
}

fn leading_code(text: &str) -> Option<u32> {
    text.strip_prefix("Code: ")?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_error_keeps_its_code_and_text() {
        let exception = Exception::from_engine("Code: 60. DB::Exception: No table. (UNKNOWN_TABLE)");
        assert_eq!(exception.code, 60);
        assert_eq!(exception.status(), StatusCode::NOT_FOUND);
        assert_eq!(
            exception.body("26.5.1.1"),
            "Code: 60. DB::Exception: No table. (UNKNOWN_TABLE) (version 26.5.1.1)\n"
        );
    }

    #[test]
    fn a_doubly_wrapped_insert_error_is_told_once() {
        let exception = Exception::from_engine(
            "Code: 33. DB::Exception: Code: 33. DB::Exception: Cut short: (at row 1)\n. (CANNOT_READ_ALL_DATA) \
             (version 26.5.1.1). (CANNOT_READ_ALL_DATA)",
        );
        assert_eq!(
            exception.text,
            "Code: 33. DB::Exception: Cut short: (at row 1)\n. (CANNOT_READ_ALL_DATA)"
        );
    }

    #[test]
    fn an_engine_error_without_a_code_gets_the_unknown_one() {
        let exception = Exception::from_engine("No active streaming query");
        assert_eq!(exception.code, code::UNKNOWN_EXCEPTION);
        assert_eq!(
            exception.text,
            "Code: 1002. DB::Exception: No active streaming query"
        );
    }
}
