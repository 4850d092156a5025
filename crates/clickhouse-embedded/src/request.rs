//! What a request asks for, read from its URL and headers. Anything in the URL that is not ClickHouse's HTTP interface is
//! a setting, and the engine judges it.

use std::time::Duration;

use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};
use uuid::Uuid;

use crate::encode::Compression;
use crate::exception::{Exception, code};

/// ClickHouse's default for `max_query_size`, in bytes.
const MAX_QUERY_SIZE: usize = 262_144;
/// ClickHouse's default session timeout and the longest it grants.
const SESSION_TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST_SESSION_TIMEOUT: Duration = Duration::from_secs(3600);

/// A request without its body.
#[derive(Debug)]
pub struct Request {
    /// The `query` parameter; the body continues it.
    pub query: String,
    /// The client's `query_id`, or a new one.
    pub query_id: String,
    /// The database to use.
    pub database: Option<String>,
    /// The format of rows when the statement names none.
    pub format: String,
    /// Settings in the order given.
    pub settings: Vec<(String, String)>,
    /// Typed query parameters: name without `param_`, value in tab-separated escaping.
    pub parameters: Vec<(String, String)>,
    /// The session to run in.
    pub session: Option<SessionRequest>,
    /// `GET` and `HEAD` may not change anything.
    pub read_only: bool,
    /// `Content-Encoding` of the body.
    pub body_encoding: Option<String>,
    /// The body comes in ClickHouse's compressed blocks.
    pub body_in_blocks: bool,
    /// How the rows are to be compressed.
    pub compression: Compression,
    /// Answer only when the whole result is known.
    pub wait_end_of_query: bool,
    /// The longest statement, in bytes.
    pub max_query_size: usize,
}

/// A wish for a session.
#[derive(Debug, PartialEq, Eq)]
pub struct SessionRequest {
    /// Its name.
    pub id: String,
    /// How long it is kept unused.
    pub timeout: Duration,
    /// It must exist already.
    pub must_exist: bool,
    /// It ends with this request.
    pub close: bool,
}

/// The pairs of a URL's query, decoded.
pub fn pairs(parts: &Parts) -> Vec<(String, String)> {
    let query = parts.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

impl Request {
    /// Reads `parts`, whose URL (and form) have `pairs`.
    ///
    /// # Errors
    /// A parameter of the interface is malformed, or asks for something that is not offered.
    pub fn parse(parts: &Parts, pairs: Vec<(String, String)>) -> Result<Self, Exception> {
        let headers = &parts.headers;
        let mut request = Self {
            query: String::new(),
            query_id: String::new(),
            database: header(headers, "x-clickhouse-database"),
            format: header(headers, "x-clickhouse-format").unwrap_or_else(|| "TabSeparated".to_owned()),
            settings: Vec::new(),
            parameters: Vec::new(),
            session: None,
            read_only: parts.method == Method::GET || parts.method == Method::HEAD,
            body_encoding: header(headers, CONTENT_ENCODING.as_str()),
            body_in_blocks: false,
            compression: Compression::None,
            wait_end_of_query: false,
            max_query_size: MAX_QUERY_SIZE,
        };
        let mut session = SessionRequest {
            id: String::new(),
            timeout: SESSION_TIMEOUT,
            must_exist: false,
            close: false,
        };
        let mut in_blocks = false;
        for (name, value) in pairs {
            match name.as_str() {
                "query" => request.query.push_str(&value),
                "query_id" => request.query_id = value,
                "database" => request.database = Some(value),
                "default_format" => request.format = value,
                "compress" => in_blocks = flag(&name, &value)?,
                "decompress" => request.body_in_blocks = flag(&name, &value)?,
                "wait_end_of_query" => request.wait_end_of_query = flag(&name, &value)?,
                "session_id" => session.id = value,
                "session_timeout" => session.timeout = timeout(&value)?,
                "session_check" => session.must_exist = flag(&name, &value)?,
                "close_session" => session.close = flag(&name, &value)?,
                "role" => return Err(Exception::not_implemented("Roles are not offered here")),
                // Taken by `auth`, or without effect on one machine.
                "user"
                | "password"
                | "quota_key"
                | "stacktrace"
                | "buffer_size"
                | "client_protocol_version" => {}
                _ => match name.strip_prefix("param_") {
                    Some(parameter) => request.parameters.push((parameter.to_owned(), value)),
                    None => request.settings.push((name, value)),
                },
            }
        }
        if request.query_id.is_empty() {
            request.query_id = Uuid::new_v4().to_string();
        }
        request.session = (!session.id.is_empty()).then_some(session);
        request.database = request.database.filter(|database| !database.is_empty());
        request.take_settings_of_the_interface(headers, in_blocks)?;
        Ok(request)
    }

    /// Settings that this front obeys too. The engine gets them all the same, and checks their values.
    fn take_settings_of_the_interface(
        &mut self,
        headers: &HeaderMap,
        in_blocks: bool,
    ) -> Result<(), Exception> {
        if let Some(size) = self.setting("max_query_size").and_then(|size| size.parse().ok()) {
            self.max_query_size = size;
        }
        let encoded = self
            .setting("enable_http_compression")
            .is_some_and(|value| matches!(value, "1" | "true"));
        self.compression = if in_blocks {
            Compression::Blocks
        } else if encoded {
            header(headers, ACCEPT_ENCODING.as_str())
                .map_or(Compression::None, |list| Compression::accepted(&list))
        } else {
            Compression::None
        };
        Ok(())
    }

    /// The value of a setting in the URL; the last one counts.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn flag(name: &str, value: &str) -> Result<bool, Exception> {
    match value {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        _ => Err(Exception::bad_arguments(format_args!(
            "{name} must be 0 or 1, not '{value}'"
        ))),
    }
}

fn timeout(value: &str) -> Result<Duration, Exception> {
    let invalid =
        |why: String| Exception::raise(code::INVALID_SESSION_TIMEOUT, "INVALID_SESSION_TIMEOUT", why);
    let seconds = value.parse().map_err(|_| {
        invalid(format!(
            "Invalid session timeout: '{value}' is no number of seconds"
        ))
    })?;
    let timeout = Duration::from_secs(seconds);
    if timeout > LONGEST_SESSION_TIMEOUT {
        let longest = LONGEST_SESSION_TIMEOUT.as_secs();
        return Err(invalid(format!(
            "Session timeout '{value}' is larger than the largest allowed, {longest} s"
        )));
    }
    Ok(timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: Method, url: &str, headers: &[(&'static str, &str)]) -> Result<Request, Exception> {
        let mut builder = hyper::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        let pairs = pairs(&parts);
        Request::parse(&parts, pairs)
    }

    #[test]
    fn the_interface_parameters_and_settings_are_told_apart() {
        let request = parse(
            Method::POST,
            "/?query=SELECT+%7Bx:String%7D&database=d&default_format=JSON&param_x=a%5Ctb&max_threads=2&session_id=s\
             &session_timeout=5&session_check=1&wait_end_of_query=1&decompress=1&compress=1&query_id=q&user=u",
            &[],
        )
        .unwrap();
        assert_eq!(request.query, "SELECT {x:String}");
        assert_eq!(request.database.as_deref(), Some("d"));
        assert_eq!(request.format, "JSON");
        assert_eq!(request.parameters, [("x".to_owned(), "a\\tb".to_owned())]);
        assert_eq!(request.settings, [("max_threads".to_owned(), "2".to_owned())]);
        let timeout = Duration::from_secs(5);
        assert_eq!(
            request.session,
            Some(SessionRequest {
                id: "s".into(),
                timeout,
                must_exist: true,
                close: false
            })
        );
        assert!(request.wait_end_of_query && request.body_in_blocks && !request.read_only);
        assert_eq!(request.compression, Compression::Blocks);
        assert_eq!(request.query_id, "q");
    }

    #[test]
    fn headers_name_database_and_format_and_the_url_overrides_them() {
        let headers = [("X-ClickHouse-Database", "h"), ("X-ClickHouse-Format", "CSV")];
        let request = parse(Method::GET, "/", &headers).unwrap();
        assert_eq!(
            (request.database.as_deref(), request.format.as_str()),
            (Some("h"), "CSV")
        );
        assert!(request.read_only);
        let request = parse(Method::GET, "/?database=u&default_format=XML", &headers).unwrap();
        assert_eq!(
            (request.database.as_deref(), request.format.as_str()),
            (Some("u"), "XML")
        );
    }

    #[test]
    fn rows_are_encoded_only_when_the_setting_allows_it() {
        let accept = [("Accept-Encoding", "gzip, zstd")];
        assert_eq!(
            parse(Method::GET, "/", &accept).unwrap().compression,
            Compression::None
        );
        let request = parse(Method::GET, "/?enable_http_compression=1", &accept).unwrap();
        assert_eq!(request.compression, Compression::Zstd);
    }

    #[test]
    fn malformed_parameters_are_refused_with_their_code() {
        for (url, code) in [
            ("/?compress=x", code::BAD_ARGUMENTS),
            ("/?session_timeout=x", code::INVALID_SESSION_TIMEOUT),
            ("/?session_timeout=3601", code::INVALID_SESSION_TIMEOUT),
            ("/?role=admin", code::NOT_IMPLEMENTED),
        ] {
            assert_eq!(parse(Method::GET, url, &[]).unwrap_err().code, code, "{url}");
        }
    }
}
