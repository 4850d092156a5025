//! The records of a file, one after the other, whatever its compression; a line that cannot be read costs only itself.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use crate::compression::Compression;

/// How records stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON value a line.
    Jsonl,
    /// Comma-separated values below a header.
    Csv,
}

impl Format {
    /// By its own name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "jsonl" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// By the file's name, compression aside.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
        match name.rsplit('.').next()? {
            "jsonl" | "ndjson" | "json" | "log" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// A record, or why there is none.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// Line of the file it begins on, from 1.
    pub number: u64,
    /// Its JSON text, or what is wrong.
    pub record: Result<String, String>,
}

/// Opens a file and reads it from its beginning, decompressed. Memory does not grow with the file.
///
/// # Errors
/// The file cannot be opened, or its header cannot be read.
pub fn open(path: &Path, format: Format) -> io::Result<Box<dyn Iterator<Item = io::Result<Line>>>> {
    let reader = BufReader::with_capacity(1 << 18, decompressed(File::open(path)?)?);
    Ok(match format {
        Format::Jsonl => Box::new(Jsonl {
            reader,
            number: 0,
            ended: false,
        }),
        Format::Csv => Box::new(Csv::new(reader)?),
    })
}

/// The JSON text of a line, without what surrounds it; nothing of an empty line.
///
/// # Errors
/// What is wrong with it.
pub fn json_of(line: &[u8]) -> Option<Result<&str, String>> {
    let Ok(text) = std::str::from_utf8(line) else {
        return Some(Err("is not UTF-8".to_owned()));
    };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let valid = serde_json::from_str::<serde::de::IgnoredAny>(text);
    Some(
        valid
            .map(|_| text)
            .map_err(|error| format!("is no JSON: {error}")),
    )
}

fn decompressed(mut file: File) -> io::Result<Box<dyn Read>> {
    let mut magic = Vec::new();
    file.by_ref()
        .take(Compression::MAGIC as u64)
        .read_to_end(&mut magic)?;
    let compression = Compression::of(&magic);
    Ok(compression.decoder(Cursor::new(magic).chain(file))?)
}

struct Jsonl<R> {
    reader: R,
    number: u64,
    /// A file that cannot be read on ends there.
    ended: bool,
}

impl<R: BufRead> Iterator for Jsonl<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        while !self.ended {
            let mut line = Vec::new();
            match self.reader.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => self.number += 1,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
            let number = self.number;
            if let Some(record) = json_of(&line) {
                let record = record.map(str::to_owned);
                return Some(Ok(Line { number, record }));
            }
        }
        None
    }
}

struct Csv<R> {
    reader: csv::Reader<R>,
    header: Vec<String>,
    ended: bool,
}

impl<R: Read> Csv<R> {
    fn new(reader: R) -> io::Result<Self> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
        let header = reader
            .headers()
            .map_err(|error| io::Error::other(format!("the header: {error}")))?
            .iter()
            .map(str::to_owned)
            .collect();
        Ok(Self {
            reader,
            header,
            ended: false,
        })
    }

    fn object(&self, record: &csv::ByteRecord) -> Result<String, String> {
        if record.len() != self.header.len() {
            return Err(format!(
                "has {} fields, the header has {}",
                record.len(),
                self.header.len()
            ));
        }
        let mut object = serde_json::Map::with_capacity(record.len());
        for (name, value) in self.header.iter().zip(record) {
            let text = std::str::from_utf8(value).map_err(|_| format!("field {name} is not UTF-8"))?;
            object.insert(name.clone(), text.into());
        }
        Ok(serde_json::Value::Object(object).to_string())
    }
}

impl<R: Read> Iterator for Csv<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        if self.ended {
            return None;
        }
        let mut record = csv::ByteRecord::new();
        match self.reader.read_byte_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let number = record.position().map_or(0, csv::Position::line);
                Some(Ok(Line {
                    number,
                    record: self.object(&record),
                }))
            }
            Err(error) => {
                // With any number of fields and any bytes allowed, only reading itself can fail.
                self.ended = true;
                Some(Err(io::Error::other(error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn lines(name: &str, bytes: &[u8]) -> Vec<Result<Line, String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let lines = open(&path, Format::of(&path).unwrap()).unwrap();
        lines
            .map(|line| line.map_err(|error| error.to_string()))
            .collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn good(number: u64, record: &str) -> Result<Line, String> {
        Ok(Line {
            number,
            record: Ok(record.to_owned()),
        })
    }

    fn bad(number: u64, why: &str) -> Result<Line, String> {
        Ok(Line {
            number,
            record: Err(why.to_owned()),
        })
    }

    #[test]
    fn a_corrupt_line_costs_only_itself_and_keeps_its_number() {
        let text = b"{\"a\":1}\n\n{broken\n\xff\n{\"a\":2}";
        let found = lines("x.jsonl", text);
        assert_eq!(
            (&found[0], &found[3]),
            (&good(1, "{\"a\":1}"), &good(5, "{\"a\":2}"))
        );
        assert_eq!(found[2], bad(4, "is not UTF-8"));
        let Ok(Line {
            number: 3,
            record: Err(why),
        }) = &found[1]
        else {
            panic!("{found:?}")
        };
        assert!(why.starts_with("is no JSON"), "{why}");
    }

    #[test]
    fn csv_values_may_hold_commas_quotes_and_lines() {
        let text = "a,b\n1,\"x, \"\"y\"\"\nz\"\n2\n3,\u{e4}\n";
        let found = lines("x.csv", text.as_bytes());
        assert_eq!(found[0], good(2, r#"{"a":"1","b":"x, \"y\"\nz"}"#));
        assert_eq!(found[1], bad(4, "has 1 fields, the header has 2"));
        assert_eq!(found[2], good(5, "{\"a\":\"3\",\"b\":\"\u{e4}\"}"));
        assert_eq!(lines("x.csv", b"a\n\xff\n")[0], bad(2, "field a is not UTF-8"));
    }

    #[test]
    fn compression_is_told_by_the_first_bytes() {
        let text = b"{\"a\":1}\n{\"a\":2}\n";
        let plain = lines("x.jsonl", text);
        assert_eq!(lines("x.jsonl", &gzip(text)), plain);
        assert_eq!(
            lines("x.jsonl.gz", &[gzip(&text[..8]), gzip(&text[8..])].concat()),
            plain,
            "several members"
        );
        assert_eq!(
            lines("x.jsonl.zst", &zstd::encode_all(&text[..], 1).unwrap()),
            plain
        );
        let cut = lines("x.jsonl.gz", &gzip(text)[..20]);
        assert!(cut.last().unwrap().is_err(), "a file cut off is told: {cut:?}");
    }
}
