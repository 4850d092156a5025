//! Compression of results, piece by piece.

use std::io::{self, Write};

use flate2::write::{GzEncoder, ZlibEncoder};
use lz4_flex::frame::FrameEncoder;

use crate::native_block;

/// How rows are compressed on their way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// `Content-Encoding: gzip`.
    Gzip,
    /// `Content-Encoding: deflate` (zlib).
    Deflate,
    /// `Content-Encoding: zstd`.
    Zstd,
    /// `Content-Encoding: lz4` (frames).
    Lz4,
    /// ClickHouse's own blocks; no header tells of them.
    Blocks,
}

impl Compression {
    /// The one ClickHouse prefers of those in an `Accept-Encoding` header.
    pub fn accepted(list: &str) -> Self {
        let accepts = |name: &str| {
            list.split(',').any(|item| {
                let (item, quality) = item.split_once(';').unwrap_or((item, ""));
                let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
                item.trim().eq_ignore_ascii_case(name) && !refused
            })
        };
        [
            ("zstd", Self::Zstd),
            ("lz4", Self::Lz4),
            ("gzip", Self::Gzip),
            ("deflate", Self::Deflate),
        ]
        .into_iter()
        .find(|(name, _)| accepts(name))
        .map_or(Self::None, |(_, compression)| compression)
    }

    /// The value of `Content-Encoding`.
    pub fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Blocks => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Zstd => Some("zstd"),
            Self::Lz4 => Some("lz4"),
        }
    }
}

/// A running compression.
pub enum Encoder {
    /// Bytes as they are.
    None,
    /// ClickHouse's blocks.
    Blocks,
    /// gzip.
    Gzip(GzEncoder<Vec<u8>>),
    /// zlib.
    Deflate(ZlibEncoder<Vec<u8>>),
    /// Zstandard.
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    /// LZ4 frames.
    Lz4(FrameEncoder<Vec<u8>>),
}

impl Encoder {
    /// Starts it at ClickHouse's level for HTTP (3, and 1 for Zstandard).
    ///
    /// # Errors
    /// Zstandard has no memory for its context.
    pub fn new(compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None,
            Compression::Blocks => Self::Blocks,
            Compression::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(3))),
            Compression::Deflate => Self::Deflate(ZlibEncoder::new(Vec::new(), flate2::Compression::new(3))),
            Compression::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 1)?),
            Compression::Lz4 => Self::Lz4(FrameEncoder::new(Vec::new())),
        })
    }

    /// Compresses `plain` and returns all that is ready, so that a reader can decode everything given so far.
    ///
    /// # Errors
    /// The library failed.
    pub fn push(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::None => Ok(plain.to_vec()),
            Self::Blocks => Ok(native_block::compress(plain)),
            Self::Gzip(encoder) => drain(encoder, plain, GzEncoder::get_mut),
            Self::Deflate(encoder) => drain(encoder, plain, ZlibEncoder::get_mut),
            Self::Zstd(encoder) => drain(encoder, plain, zstd::stream::write::Encoder::get_mut),
            Self::Lz4(encoder) => drain(encoder, plain, FrameEncoder::get_mut),
        }
    }

    /// The closing bytes.
    ///
    /// # Errors
    /// The library failed.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::None | Self::Blocks => Ok(Vec::new()),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Deflate(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::other),
        }
    }
}

fn drain<E: Write>(encoder: &mut E, plain: &[u8], output: fn(&mut E) -> &mut Vec<u8>) -> io::Result<Vec<u8>> {
    encoder.write_all(plain)?;
    encoder.flush()?;
    Ok(std::mem::take(output(encoder)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decoded;
    use proptest::prelude::*;
    use std::io::Read;

    #[test]
    fn the_preferred_encoding_is_chosen_and_a_refused_one_is_not() {
        for (list, expected) in [
            ("gzip, deflate, br, zstd", Compression::Zstd),
            ("gzip;q=1.0, lz4 ; q=0.5", Compression::Lz4),
            ("zstd;q=0, GZIP", Compression::Gzip),
            ("deflate", Compression::Deflate),
            ("br, identity", Compression::None),
            ("", Compression::None),
        ] {
            assert_eq!(Compression::accepted(list), expected, "{list}");
        }
    }

    proptest! {
        #[test]
        fn every_encoding_is_read_back_by_the_decoder_of_bodies(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..5)
        ) {
            use Compression::{Blocks, Deflate, Gzip, Lz4, None, Zstd};
            for compression in [None, Blocks, Gzip, Deflate, Zstd, Lz4] {
                let mut encoder = Encoder::new(compression).unwrap();
                let mut stream = Vec::new();
                for piece in &pieces {
                    stream.extend(encoder.push(piece).unwrap());
                }
                stream.extend(encoder.finish().unwrap());
                let source = io::Cursor::new(stream);
                let mut reader = decoded(source, compression.content_encoding(), compression == Blocks).unwrap();
                let mut plain = Vec::new();
                reader.read_to_end(&mut plain).unwrap();
                prop_assert_eq!(plain, pieces.concat(), "{:?}", compression);
            }
        }
    }
}
