//! The body as it was before the client compressed it.

use std::io::{BufReader, Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use lz4_flex::frame::FrameDecoder;

use crate::exception::Exception;
use crate::native_block::BlockReader;

/// `source` with its `Content-Encoding` undone, and then ClickHouse's blocks when the body comes `in_blocks`.
///
/// # Errors
/// An encoding that is not offered, or no memory for a decoder.
pub fn decoded(
    source: impl Read + Send + 'static,
    encoding: Option<&str>,
    in_blocks: bool,
) -> Result<Box<dyn Read + Send>, Exception> {
    let plain: Box<dyn Read + Send> = match encoding
        .unwrap_or("identity")
        .trim()
        .to_ascii_lowercase()
        .as_str()
    {
        "" | "identity" => Box::new(source),
        "gzip" => Box::new(MultiGzDecoder::new(BufReader::new(source))),
        "deflate" => Box::new(ZlibDecoder::new(BufReader::new(source))),
        "zstd" => {
            Box::new(zstd::stream::read::Decoder::new(source).map_err(|error| Exception::io("zstd", &error))?)
        }
        "lz4" => Box::new(FrameDecoder::new(source)),
        other => {
            return Err(Exception::not_implemented(format_args!(
                "Unknown compression method '{other}'. Only 'gzip', 'deflate', 'zstd' and 'lz4' are supported"
            )));
        }
    };
    Ok(if in_blocks {
        Box::new(BlockReader::new(plain))
    } else {
        plain
    })
}
