//! ClickHouse's own compressed stream, asked for by `compress=1` and `decompress=1`: blocks of
//! `CityHash128 (16 bytes) | method (1) | compressed size incl. 9 bytes of header (4) | plain size (4) | data`,
//! the hash (CityHash 1.0.2) being taken over all that follows it, numbers little-endian.

use std::io::{self, Read};

const HASH: usize = 16;
const HEADER: usize = 9;
const METHOD_NONE: u8 = 0x02;
const METHOD_LZ4: u8 = 0x82;
const METHOD_ZSTD: u8 = 0x90;
/// What ClickHouse itself accepts, in bytes.
const LARGEST_BLOCK: usize = 1 << 30;
/// ClickHouse's own block size, in bytes.
const PLAIN_BLOCK: usize = 1 << 20;

/// Decompresses a stream of blocks. At most one block, compressed and plain, is in memory.
pub struct BlockReader<R> {
    source: R,
    plain: Vec<u8>,
    position: usize,
}

impl<R: Read> BlockReader<R> {
    /// Reads blocks from `source`.
    pub fn new(source: R) -> Self {
        Self {
            source,
            plain: Vec::new(),
            position: 0,
        }
    }

    /// Loads the next block; `false` at the end of the stream, which must be the end of a block.
    fn load(&mut self) -> io::Result<bool> {
        let mut head = [0; HASH + HEADER];
        let mut filled = 0;
        while filled < head.len() {
            match self.source.read(&mut head[filled..])? {
                0 if filled == 0 => return Ok(false),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                length => filled += length,
            }
        }
        let (hash, header) = head.split_at(HASH);
        let compressed = size(&header[1..5])?;
        let plain = size(&header[5..9])?;
        let payload = compressed
            .checked_sub(HEADER)
            .ok_or_else(|| invalid("a block is shorter than its header"))?;
        let mut block = header.to_vec();
        // `take`, so that memory grows with what arrives and not with what a header claims.
        let read = self
            .source
            .by_ref()
            .take(payload as u64)
            .read_to_end(&mut block)?;
        if read != payload {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if hash != checksum(&block) {
            return Err(invalid("checksum doesn't match: corrupted data"));
        }
        self.plain = decompress(header[0], &block[HEADER..], plain)?;
        self.position = 0;
        Ok(true)
    }
}

impl<R: Read> Read for BlockReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.plain.len() {
            if !self.load()? {
                return Ok(0);
            }
        }
        let rest = &self.plain[self.position..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.position += length;
        Ok(length)
    }
}

/// `plain` as LZ4 blocks of at most 1 MiB each.
pub fn compress(plain: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(plain.len() / 2 + HASH + HEADER);
    for chunk in plain.chunks(PLAIN_BLOCK) {
        let data = lz4_flex::block::compress(chunk);
        // Both are far below 4 GiB: LZ4 grows 1 MiB by less than a half percent.
        let mut block = vec![METHOD_LZ4];
        block.extend_from_slice(&((data.len() + HEADER) as u32).to_le_bytes());
        block.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
        block.extend_from_slice(&data);
        stream.extend_from_slice(&checksum(&block));
        stream.extend_from_slice(&block);
    }
    stream
}

fn decompress(method: u8, data: &[u8], plain: usize) -> io::Result<Vec<u8>> {
    let result = match method {
        METHOD_NONE => data.to_vec(),
        METHOD_LZ4 => lz4_flex::block::decompress(data, plain).map_err(invalid)?,
        METHOD_ZSTD => zstd::bulk::decompress(data, plain)?,
        other => return Err(invalid(format!("unknown compression method {other:#04x}"))),
    };
    if result.len() == plain {
        Ok(result)
    } else {
        Err(invalid("a block's size is not the one it claims"))
    }
}

fn size(bytes: &[u8]) -> io::Result<usize> {
    let bytes = bytes
        .try_into()
        .map_err(|_| invalid("a block is shorter than its header"))?;
    let size = u32::from_le_bytes(bytes) as usize;
    if size > LARGEST_BLOCK {
        return Err(invalid(format!(
            "a block of {size} bytes is larger than {LARGEST_BLOCK}"
        )));
    }
    Ok(size)
}

/// The low half of the hash first, each half little-endian.
fn checksum(block: &[u8]) -> [u8; HASH] {
    cityhash_rs::cityhash_102_128(block).rotate_left(64).to_le_bytes()
}

fn invalid(reason: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(stream: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        BlockReader::new(stream).read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn a_stream_longer_than_a_block_survives_the_round_trip() {
        let plain: Vec<u8> = (0..3 * PLAIN_BLOCK + 5).map(|i| (i * i / 7) as u8).collect();
        assert_eq!(read(&compress(&plain)).unwrap(), plain);
    }

    #[test]
    fn zstd_and_stored_blocks_are_read() {
        for (method, data) in [
            (METHOD_ZSTD, zstd::bulk::compress(b"plain text", 1).unwrap()),
            (METHOD_NONE, b"plain text".to_vec()),
        ] {
            let mut block = vec![method];
            block.extend_from_slice(&((data.len() + HEADER) as u32).to_le_bytes());
            block.extend_from_slice(&10_u32.to_le_bytes());
            block.extend_from_slice(&data);
            let stream = [checksum(&block).as_slice(), &block].concat();
            assert_eq!(read(&stream).unwrap(), b"plain text");
        }
    }

    #[test]
    fn a_header_that_claims_a_huge_block_is_refused_before_memory_is_taken() {
        let mut stream = vec![0; HASH];
        stream.push(METHOD_LZ4);
        stream.extend_from_slice(&u32::MAX.to_le_bytes());
        stream.extend_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read(&stream).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn what_is_compressed_comes_back(plain in prop::collection::vec(any::<u8>(), 0..5000)) {
            prop_assert_eq!(read(&compress(&plain)).unwrap(), plain);
        }

        #[test]
        fn a_stream_with_one_byte_changed_or_cut_off_is_refused(
            plain in prop::collection::vec(any::<u8>(), 1..500),
            place in any::<prop::sample::Index>(),
            change in 1_u8..,
        ) {
            let stream = compress(&plain);
            let at = place.index(stream.len());
            let mut changed = stream.clone();
            changed[at] ^= change;
            prop_assert!(read(&changed).is_err());
            if at > 0 {
                prop_assert!(read(&stream[..at]).is_err());
            }
        }

        #[test]
        fn any_bytes_end_in_an_error_or_a_result(stream in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&stream);
        }
    }
}
