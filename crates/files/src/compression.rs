//! How a file is compressed, told by its first bytes.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// So many first bytes tell it.
    pub(crate) const MAGIC: usize = 4;

    /// Of a file that begins with these bytes.
    pub(crate) fn of(first: &[u8]) -> Self {
        if first.starts_with(&GZIP) {
            Self::Gzip
        } else if first.starts_with(&ZSTD) {
            Self::Zstd
        } else {
            Self::None
        }
    }

    /// The content of what `reader` reads from its beginning.
    pub(crate) fn decoder<'a>(self, reader: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::None => Box::new(reader),
            Self::Gzip => Box::new(MultiGzDecoder::new(reader)),
            Self::Zstd => Box::new(zstd::Decoder::new(reader)?),
        })
    }
}
