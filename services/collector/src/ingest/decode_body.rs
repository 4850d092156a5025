//! A body cut into its records. The records are the body's own bytes; whether each is a decision is judged later.

use serde::de::{Deserializer as _, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::refuse::Refusal;

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyType {
    /// `application/json`: one object, or an array of them.
    Json,
    /// `application/x-ndjson`: an object a line. Empty lines are no records.
    Lines,
    /// `application/x-protobuf`: one `kaizen.decisions.v1.Decision`.
    Protobuf,
}

impl BodyType {
    /// Reads the header `content-type`; parameters do not matter, as JSON is UTF-8.
    ///
    /// # Errors
    /// It is absent or another type.
    pub fn of(header: Option<&[u8]>) -> Result<Self, Refusal> {
        let kind = header.and_then(|header| header.split(|byte| *byte == b';').next());
        match kind
            .unwrap_or_default()
            .trim_ascii()
            .to_ascii_lowercase()
            .as_slice()
        {
            b"application/json" => Ok(Self::Json),
            b"application/x-ndjson" | b"application/ndjson" => Ok(Self::Lines),
            b"application/x-protobuf" | b"application/protobuf" => Ok(Self::Protobuf),
            _ => Err(Refusal::UnknownType(
                "application/json, application/x-ndjson, application/x-protobuf",
            )),
        }
    }

    /// The header `content-type` of its records in the topic.
    pub const fn of_records(self) -> &'static str {
        match self {
            Self::Json | Self::Lines => "application/json",
            Self::Protobuf => "application/x-protobuf",
        }
    }
}

/// The records of a body, in its order.
///
/// # Errors
/// It holds none, more than `most`, or is an array that is not JSON to its end.
pub fn split(body: &[u8], kind: BodyType, most: usize) -> Result<Vec<&[u8]>, Refusal> {
    let records = match kind {
        BodyType::Lines => lines(body, most)?,
        BodyType::Json if body.trim_ascii_start().starts_with(b"[") => elements(body, most)?,
        BodyType::Json => Some(body.trim_ascii())
            .filter(|body| !body.is_empty())
            .into_iter()
            .collect(),
        BodyType::Protobuf => Some(body).filter(|body| !body.is_empty()).into_iter().collect(),
    };
    if records.is_empty() {
        return Err(Refusal::Unreadable("holds no record"));
    }
    Ok(records)
}

fn lines(body: &[u8], most: usize) -> Result<Vec<&[u8]>, Refusal> {
    let mut records = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let record = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if record.is_empty() {
            continue;
        }
        if records.len() == most {
            return Err(Refusal::TooMany(most));
        }
        records.push(record);
    }
    Ok(records)
}

fn elements(body: &[u8], most: usize) -> Result<Vec<&[u8]>, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::Unreadable("is not UTF-8"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let mut over = false;
    let elements = Elements {
        most,
        over: &mut over,
    };
    let records = json.deserialize_seq(elements).and_then(|records| {
        json.end()?;
        Ok(records)
    });
    records.map_err(|_| {
        if over {
            Refusal::TooMany(most)
        } else {
            Refusal::Unreadable("is not JSON")
        }
    })
}

/// Collects the elements of an array as they stand.
struct Elements<'o> {
    most: usize,
    over: &'o mut bool,
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Vec<&'de [u8]>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut records = Vec::new();
        while let Some(element) = array.next_element::<&RawValue>()? {
            if records.len() == self.most {
                *self.over = true;
                return Err(A::Error::custom("too many"));
            }
            records.push(element.get().as_bytes());
        }
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(body: &str, kind: BodyType) -> Result<Vec<&str>, Refusal> {
        let records = split(body.as_bytes(), kind, 3)?;
        Ok(records
            .into_iter()
            .map(|record| std::str::from_utf8(record).unwrap())
            .collect())
    }

    #[test]
    fn a_body_is_cut_into_its_records_as_they_stand() {
        let json = |body| texts(body, BodyType::Json);
        assert_eq!(json(" {\"a\": 1}\n").unwrap(), ["{\"a\": 1}"]);
        assert_eq!(
            json("[{\"a\": [1, 2]} , 7,\"x\"]").unwrap(),
            ["{\"a\": [1, 2]}", "7", "\"x\""]
        );
        assert_eq!(json("{\"a\":").unwrap(), ["{\"a\":"], "judged as a record");
        let lines = |body| texts(body, BodyType::Lines);
        assert_eq!(
            lines("{}\r\n\n  {\"a\":1} \n]").unwrap(),
            ["{}", "{\"a\":1}", "]"]
        );
        assert_eq!(texts(" x ", BodyType::Protobuf).unwrap(), [" x "]);
    }

    #[test]
    fn no_record_too_many_and_broken_arrays_are_refused() {
        for (body, kind) in [
            ("", BodyType::Json),
            (" \n", BodyType::Json),
            ("[ ]", BodyType::Json),
            ("\n \r\n", BodyType::Lines),
            ("", BodyType::Protobuf),
        ] {
            assert_eq!(
                texts(body, kind),
                Err(Refusal::Unreadable("holds no record")),
                "{body:?}"
            );
        }
        assert_eq!(texts("[1,2,3,4]", BodyType::Json), Err(Refusal::TooMany(3)));
        assert_eq!(texts("1\n2\n3\n4", BodyType::Lines), Err(Refusal::TooMany(3)));
        for body in ["[1,", "[1] 2", "[1}", "[{\"a\"}]"] {
            assert_eq!(
                texts(body, BodyType::Json),
                Err(Refusal::Unreadable("is not JSON")),
                "{body}"
            );
        }
        assert_eq!(
            split(b"[\"\xff\"]", BodyType::Json, 3),
            Err(Refusal::Unreadable("is not UTF-8"))
        );
    }

    #[test]
    fn the_type_is_told_by_the_header_alone() {
        let of = |text: &str| BodyType::of(Some(text.as_bytes()));
        assert_eq!(of("Application/JSON; charset=utf-8"), Ok(BodyType::Json));
        assert_eq!(of("application/x-ndjson"), Ok(BodyType::Lines));
        assert_eq!(of("application/x-protobuf"), Ok(BodyType::Protobuf));
        assert!(of("text/plain").is_err() && of("").is_err() && BodyType::of(None).is_err());
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic_and_its_records_are_parts_of_it(
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..400),
                "[\\[\\]{}\",:0-9a\\\\ \n]{0,60}".prop_map(String::into_bytes),
            ],
        ) {
            for kind in [BodyType::Json, BodyType::Lines, BodyType::Protobuf] {
                let Ok(records) = split(&body, kind, 1000) else { continue };
                prop_assert!(!records.is_empty());
                let range = body.as_ptr_range();
                for record in records {
                    let inside = record.as_ptr_range();
                    prop_assert!(!record.is_empty() && range.start <= inside.start && inside.end <= range.end);
                }
            }
        }

        #[test]
        fn lines_and_elements_are_as_many_as_were_written(values in prop::collection::vec(any::<Option<u32>>(), 1..50)) {
            let texts: Vec<_> = values.iter().map(|value| format!("{{\"a\": {}}}", serde_json::json!(value))).collect();
            let bytes: Vec<_> = texts.iter().map(String::as_bytes).collect();
            let (array, lines) = (format!("[{}]", texts.join(" , ")), texts.join("\n"));
            prop_assert_eq!(&split(array.as_bytes(), BodyType::Json, 1000).unwrap(), &bytes);
            prop_assert_eq!(&split(lines.as_bytes(), BodyType::Lines, 1000).unwrap(), &bytes);
        }
    }
}
