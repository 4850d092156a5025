//! A body off the wire, decompressed; never more of it in memory than allowed.

use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::limit::Passage;
use super::refuse::Refusal;

/// What is decompressed between two looks at the bounds.
const CHUNK: usize = 64 * 1024;
/// The longest history a zstd frame may ask for, as a power of two: 8 MiB, what RFC 8878 has every decoder support.
const ZSTD_WINDOW: u32 = 23;
/// How much of a refused body is still taken off the wire, and for how long, so that the client reads its answer
/// instead of a reset connection.
const DISCARDED: usize = 16 * 1024 * 1024;
const DISCARDING: Duration = Duration::from_secs(2);

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// Reads the header `content-encoding`.
    ///
    /// # Errors
    /// It names another encoding, or several.
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut named = headers.get_all(header::CONTENT_ENCODING).iter();
        let (first, None) = (named.next(), named.next()) else {
            return Err(Refusal::UnknownEncoding);
        };
        let name = first.map_or(&b""[..], |name| name.as_bytes().trim_ascii());
        match name.to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::None),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            b"zstd" => Ok(Self::Zstd),
            _ => Err(Refusal::UnknownEncoding),
        }
    }
}

/// Reads a body of at most `longest` bytes, as sent and as decompressed, within `patience`.
///
/// # Errors
/// It is longer, slower or broken, or there is no room for it.
pub async fn read(
    mut body: Body,
    compression: Compression,
    longest: usize,
    patience: Duration,
    passage: &mut Passage,
) -> Result<Vec<u8>, Refusal> {
    let arrived = timeout(patience, receive(&mut body, longest, passage)).await;
    let sent = match arrived.unwrap_or(Err(Refusal::Slow)) {
        Ok(sent) => sent,
        Err(refusal) => {
            discard(body).await;
            return Err(refusal);
        }
    };
    match compression {
        Compression::None => Ok(sent),
        Compression::Gzip => inflate(MultiGzDecoder::new(&sent[..]), longest, passage).await,
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(&sent[..]).map_err(|_| BROKEN)?;
            decoder.window_log_max(ZSTD_WINDOW).map_err(|_| BROKEN)?;
            inflate(decoder, longest, passage).await
        }
    }
}

const BROKEN: Refusal = Refusal::Unreadable("is not what its content-encoding says");

async fn receive(body: &mut Body, longest: usize, passage: &mut Passage) -> Result<Vec<u8>, Refusal> {
    use axum::body::HttpBody;

    // What the client announces is refused at once, and made room for in one piece.
    let announced = body.size_hint().lower();
    let announced = usize::try_from(announced).unwrap_or(usize::MAX);
    if announced > longest {
        return Err(Refusal::TooLarge(longest));
    }
    passage.reserve(announced)?;
    let mut reserved = announced;
    let mut sent = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Unreadable("was cut off"))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = sent.len() + data.len();
        if length > longest {
            return Err(Refusal::TooLarge(longest));
        }
        passage.reserve(length.saturating_sub(reserved))?;
        reserved = reserved.max(length);
        sent.extend_from_slice(&data);
    }
    Ok(sent)
}

/// Takes what a refused client still sends off the wire.
pub async fn discard(mut body: Body) {
    let rest = async {
        let mut length = 0;
        while let Some(Ok(frame)) = body.frame().await {
            length += frame.data_ref().map_or(0, |data| data.len());
            if length > DISCARDED {
                return;
            }
        }
    };
    // A client that goes on sending is cut off.
    let _cut = timeout(DISCARDING, rest).await;
}

async fn inflate(
    mut decoder: impl Read + Send,
    longest: usize,
    passage: &mut Passage,
) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    loop {
        passage.reserve(CHUNK)?;
        let chunk = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        let length = (&mut decoder)
            .take(chunk)
            .read_to_end(&mut body)
            .map_err(|_| BROKEN)?;
        if body.len() > longest {
            return Err(Refusal::TooLarge(longest));
        }
        if length < CHUNK {
            return Ok(body);
        }
        // A long body must not hold up the others on this thread.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::ingest::limit::Gate;
    use crate::instruments::IngestInstruments;
    use axum::body::Bytes;
    use flate2::write::GzEncoder;
    use prometheus_client::registry::Registry;
    use proptest::prelude::*;

    const LONGEST: usize = 100_000;

    fn passage(bytes: usize) -> Passage {
        let instruments = IngestInstruments::register(&mut Registry::default());
        Gate::new(1, bytes, instruments).enter().unwrap()
    }

    fn read_now(body: Body, compression: Compression, room: usize) -> Result<Vec<u8>, Refusal> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let mut passage = passage(room);
        runtime.block_on(read(
            body,
            compression,
            LONGEST,
            Duration::from_secs(5),
            &mut passage,
        ))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    #[test]
    fn a_body_comes_out_as_it_went_in_up_to_the_last_byte_allowed() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, LONGEST] {
            let bytes: Vec<_> = (0..length).map(|n| (n % 251) as u8).collect();
            let room = 10 * LONGEST;
            assert_eq!(
                read_now(Body::from(bytes.clone()), Compression::None, room).unwrap(),
                bytes
            );
            assert_eq!(
                read_now(Body::from(gzip(&bytes)), Compression::Gzip, room).unwrap(),
                bytes
            );
            assert_eq!(
                read_now(Body::from(zstd(&bytes)), Compression::Zstd, room).unwrap(),
                bytes
            );
        }
    }

    #[test]
    fn what_is_too_long_or_has_no_room_is_refused_also_when_compressed_or_not_announced() {
        let bytes = vec![0; LONGEST + 1];
        let chunks = futures::stream::iter([
            Ok::<_, std::io::Error>(Bytes::from(vec![0; LONGEST])),
            Ok(Bytes::from("x")),
        ]);
        let room = 10 * LONGEST;
        let too_large = Err(Refusal::TooLarge(LONGEST));
        assert_eq!(
            read_now(Body::from_stream(chunks), Compression::None, room),
            too_large
        );
        for (body, compression) in [
            (bytes.clone(), Compression::None),
            (gzip(&bytes), Compression::Gzip),
            (zstd(&bytes), Compression::Zstd),
            (gzip(&vec![0; 100 * LONGEST]), Compression::Gzip),
        ] {
            assert_eq!(
                read_now(Body::from(body), compression, room),
                too_large,
                "{compression:?}"
            );
        }
        let busy = Err(Refusal::Busy("bytes"));
        assert_eq!(read_now(Body::from(vec![0; 1000]), Compression::None, 999), busy);
        assert_eq!(
            read_now(Body::from(gzip(&[0; 1000])), Compression::Gzip, CHUNK),
            busy
        );
    }

    #[test]
    fn a_zstd_frame_that_asks_for_a_huge_window_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&[7; 1000]).unwrap();
        let frame = encoder.finish().unwrap();
        assert_eq!(
            read_now(Body::from(frame), Compression::Zstd, 10 * LONGEST),
            Err(BROKEN)
        );
    }

    #[test]
    fn one_known_encoding_is_read_and_others_are_not() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            Compression::of(&headers)
        };
        assert_eq!(of(&[]), Ok(Compression::None));
        assert_eq!(of(&["identity"]), Ok(Compression::None));
        assert_eq!(of(&["GZIP"]), Ok(Compression::Gzip));
        assert_eq!(of(&["zstd"]), Ok(Compression::Zstd));
        for several in [&["br"][..], &["gzip, zstd"], &["gzip", "gzip"]] {
            assert_eq!(of(several), Err(Refusal::UnknownEncoding), "{several:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_decompression_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), damage: prop::sample::Index) {
            for compression in [Compression::Gzip, Compression::Zstd] {
                let _either = read_now(Body::from(bytes.clone()), compression, 10 * LONGEST);
                let mut body = if compression == Compression::Gzip { gzip(&bytes) } else { zstd(&bytes) };
                let at = damage.index(body.len());
                body[at] ^= 0x55;
                let _either = read_now(Body::from(body), compression, 10 * LONGEST);
            }
        }
    }
}
