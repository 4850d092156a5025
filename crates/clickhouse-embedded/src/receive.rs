//! From a body to work for the engine: the statement, and the data of an insert in a spool.

use std::io::{Read, Write};
use std::sync::Arc;

use crate::decode::decoded;
use crate::exception::{Exception, code};
use crate::request::Request;
use crate::spool::{Allowance, Spool};
use crate::statement::{Insert, Query, Statement};

/// A piece of a body, in bytes.
const PIECE: usize = 256 << 10;

/// What the engine is to do.
pub enum Work {
    /// Run a statement.
    Query(Query),
    /// Insert the spooled data.
    Insert(Insert, Spool),
}

/// Reads the whole body; blocks on it.
///
/// # Errors
/// The body cannot be read or decompressed, or holds no statement that may be run.
pub fn receive(
    request: &Request,
    body: impl Read + Send + 'static,
    allowance: &Arc<Allowance>,
) -> Result<Work, Exception> {
    let encoding = request.body_encoding.as_deref();
    let mut body = decoded(body, encoding, request.body_in_blocks)?;
    let compressed = encoding.is_some() || request.body_in_blocks;
    let failed = |error: std::io::Error| match compressed {
        true => Exception::raise(
            code::CANNOT_DECOMPRESS,
            "CANNOT_DECOMPRESS",
            format_args!("Cannot decompress the body: {error}"),
        ),
        false => Exception::io("Cannot read the body", &error),
    };
    let mut text = request.query.clone().into_bytes();
    if !text.is_empty() {
        text.push(b'\n');
    }
    // One byte more than a statement may have, to see whether it is longer.
    let limit = request.max_query_size + 1;
    let room = limit.saturating_sub(text.len());
    body.by_ref()
        .take(room as u64)
        .read_to_end(&mut text)
        .map_err(failed)?;
    match Statement::parse(&text)? {
        Statement::Insert(insert) => {
            let spooled = |error: std::io::Error| Exception::io("Cannot keep the body", &error);
            let mut spool = Spool::new(allowance.clone()).map_err(spooled)?;
            spool.write_all(&text[insert.data..]).map_err(spooled)?;
            drop(text);
            let mut piece = vec![0; PIECE];
            loop {
                match body.read(&mut piece).map_err(failed)? {
                    0 => break,
                    length => spool.write_all(&piece[..length]).map_err(spooled)?,
                }
            }
            Ok(Work::Insert(insert, spool))
        }
        Statement::Query(_) if text.len() >= limit => Err(Exception::syntax(
            "Max query size exceeded (can be increased with the `max_query_size` setting)",
        )),
        Statement::Query(query) => Ok(Work::Query(query)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Method;

    fn request(url: &str) -> Request {
        let (parts, ()) = hyper::Request::builder()
            .method(Method::POST)
            .uri(url)
            .body(())
            .unwrap()
            .into_parts();
        let pairs = crate::request::pairs(&parts);
        Request::parse(&parts, pairs).unwrap()
    }

    fn received(url: &str, body: Vec<u8>) -> Result<Work, Exception> {
        let allowance = Arc::new(Allowance::new(1 << 20, std::env::temp_dir()));
        receive(&request(url), std::io::Cursor::new(body), &allowance)
    }

    #[test]
    fn the_body_continues_the_query_of_the_url() {
        match received("/?query=SELECT", b" 1".to_vec()).unwrap() {
            Work::Query(query) => assert_eq!(query.text, b"SELECT\n 1"),
            Work::Insert(..) => panic!("not an insert"),
        }
    }

    #[test]
    fn the_data_of_an_insert_are_kept_byte_for_byte_whatever_their_size() {
        let data: Vec<u8> = (0..700_000_u32).map(|i| (i % 251) as u8).collect();
        for (url, prefix) in [
            ("/?query=INSERT+INTO+t+FORMAT+RowBinary", ""),
            ("/", "INSERT INTO t FORMAT RowBinary\n"),
        ] {
            match received(url, [prefix.as_bytes(), &data].concat()).unwrap() {
                Work::Insert(_, mut spool) => {
                    let mut kept = Vec::new();
                    spool.rewound().unwrap().read_to_end(&mut kept).unwrap();
                    assert!(kept == data, "{url}");
                }
                Work::Query(_) => panic!("an insert"),
            }
        }
    }

    #[test]
    fn a_statement_longer_than_allowed_is_refused() {
        let body = format!("SELECT '{}'", "x".repeat(100)).into_bytes();
        assert!(received("/?max_query_size=200", body.clone()).is_ok());
        assert_eq!(
            received("/?max_query_size=50", body).err().unwrap().code,
            code::SYNTAX_ERROR
        );
    }
}
