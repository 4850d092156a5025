//! How the pieces of a streaming result make one document. The engine writes each piece as a document of its own, with
//! the format's header and footer, so only formats that are rows and nothing else can be sent as they come.

/// Formats whose pieces follow each other as they are.
const ROWS_ONLY: [&str; 17] = [
    "CSV",
    "JSONCompactEachRow",
    "JSONCompactStringsEachRow",
    "JSONEachRow",
    "JSONLines",
    "JSONStringsEachRow",
    "LineAsString",
    "MsgPack",
    "Native",
    "NDJSON",
    "Null",
    "RawBLOB",
    "RowBinary",
    "TabSeparated",
    "TabSeparatedRaw",
    "TSKV",
    "TSV",
];

/// Formats with a header of so many lines; none of their values holds a bare line end.
const HEADER_LINES: [(&str, usize); 12] = [
    ("JSONCompactEachRowWithNames", 1),
    ("JSONCompactEachRowWithNamesAndTypes", 2),
    ("JSONCompactStringsEachRowWithNames", 1),
    ("JSONCompactStringsEachRowWithNamesAndTypes", 2),
    ("TabSeparatedWithNames", 1),
    ("TabSeparatedWithNamesAndTypes", 2),
    ("TSVWithNames", 1),
    ("TSVWithNamesAndTypes", 2),
    ("TSVRawWithNames", 1),
    ("TSVRawWithNamesAndTypes", 2),
    ("TabSeparatedRawWithNames", 1),
    ("TabSeparatedRawWithNamesAndTypes", 2),
];

/// What each piece but the first begins with and the document must not repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Nothing.
    None,
    /// So many lines.
    Lines(usize),
    /// The number of columns and so many times their strings, as `RowBinary` writes them.
    Binary(usize),
}

impl Header {
    /// The header of `format`; `None` when its pieces cannot be joined and a result must be written at once.
    pub fn of(format: &str) -> Option<Self> {
        if ROWS_ONLY.iter().any(|name| name.eq_ignore_ascii_case(format)) {
            return Some(Self::None);
        }
        if let Some((_, lines)) = HEADER_LINES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(format))
        {
            return Some(Self::Lines(*lines));
        }
        match format.to_ascii_lowercase().as_str() {
            "rowbinarywithnames" => Some(Self::Binary(1)),
            "rowbinarywithnamesandtypes" => Some(Self::Binary(2)),
            _ => None,
        }
    }

    /// `piece` without its header; empty if it holds no more than a part of one.
    pub fn strip(self, piece: &[u8]) -> &[u8] {
        let rows = match self {
            Self::None => Some(piece),
            Self::Lines(lines) => after_lines(piece, lines),
            Self::Binary(strings) => after_strings(piece, strings),
        };
        rows.unwrap_or_default()
    }
}

fn after_lines(mut piece: &[u8], lines: usize) -> Option<&[u8]> {
    for _ in 0..lines {
        let end = piece.iter().position(|byte| *byte == b'\n')?;
        piece = &piece[end + 1..];
    }
    Some(piece)
}

fn after_strings(piece: &[u8], strings: usize) -> Option<&[u8]> {
    let (columns, mut rest) = variable_length(piece)?;
    for _ in 0..columns.checked_mul(strings)? {
        let (length, string) = variable_length(rest)?;
        rest = string.get(length..)?;
    }
    Some(rest)
}

/// An unsigned LEB128 number and what follows it.
fn variable_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0_usize;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        number |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_format_is_known_whatever_its_case_and_documents_are_not_streamed() {
        assert_eq!(Header::of("jsoneachrow"), Some(Header::None));
        assert_eq!(Header::of("TSVWithNamesAndTypes"), Some(Header::Lines(2)));
        assert_eq!(Header::of("RowBinaryWithNamesAndTypes"), Some(Header::Binary(2)));
        for document in [
            "JSON",
            "JSONCompact",
            "Pretty",
            "XML",
            "Parquet",
            "CSVWithNames",
            "Values",
            "unknown",
        ] {
            assert_eq!(Header::of(document), None, "{document}");
        }
    }

    #[test]
    fn a_header_is_taken_off_and_a_piece_of_it_alone_is_no_row() {
        assert_eq!(Header::Lines(2).strip(b"a\tb\nUInt8\tUInt8\n1\t2\n"), b"1\t2\n");
        assert_eq!(Header::Lines(2).strip(b"a\tb\n"), b"");
        let long = [&[0xc8, 0x01][..], &[b'n'; 200]].concat();
        let piece = [&[2, 1, b'a'][..], &long, b"\x05UInt8", b"\x06String", b"rows"].concat();
        assert_eq!(Header::Binary(2).strip(&piece), b"rows");
        assert_eq!(Header::Binary(2).strip(&piece[..20]), b"");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_panic(piece in prop::collection::vec(any::<u8>(), 0..100)) {
            for header in [Header::None, Header::Lines(2), Header::Binary(1), Header::Binary(2)] {
                prop_assert!(piece.ends_with(header.strip(&piece)));
            }
        }
    }
}
