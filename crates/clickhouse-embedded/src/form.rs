//! A body of form fields (`multipart/form-data`), which mean the same as in the URL. Clients send long parameters so.

use std::io;

use futures::TryStreamExt;
use http_body_util::BodyDataStream;
use hyper::HeaderMap;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use multer::{Constraints, Multipart, SizeLimit};

use crate::exception::Exception;

/// The longest form, in bytes: it is held in memory.
const LONGEST: u64 = 64 << 20;

/// The boundary of the form the headers announce, if they announce one.
pub fn boundary(headers: &HeaderMap) -> Option<String> {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| multer::parse_boundary(kind.to_str().ok()?).ok())
}

/// Reads the fields.
///
/// # Errors
/// The form is malformed or too long, or has a file: external tables are not offered.
pub async fn fields(body: Incoming, boundary: String) -> Result<Vec<(String, String)>, Exception> {
    let malformed =
        |error: multer::Error| Exception::bad_arguments(format_args!("Cannot read the form: {error}"));
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(LONGEST));
    let body = BodyDataStream::new(body).map_err(io::Error::other);
    let mut form = Multipart::with_constraints(body, boundary, limits);
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        if field.file_name().is_some() {
            return Err(Exception::not_implemented(
                "External tables (files in a form) are not offered here",
            ));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(malformed)?;
        let value = String::from_utf8(bytes.into())
            .map_err(|_| Exception::bad_arguments(format_args!("The form's field {name} is not UTF-8")))?;
        fields.push((name, value));
    }
    Ok(fields)
}
