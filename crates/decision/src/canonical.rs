//! Canonical JSON text: what two producers that mean the same value in the same order both come to, however they space
//! and escape it. Whitespace between tokens is gone; strings escape only `"`, `\` and control characters. The order of
//! members and the digits of numbers are kept. Half a surrogate pair, which no UTF-8 can express, stays an escape.

use std::borrow::Cow;

use memchr::memchr2;

/// A canonical JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical<'a> {
    /// The text; borrowed when it was canonical already.
    pub text: Cow<'a, str>,
    /// Levels of nesting: 0 for a scalar, 1 for a flat object.
    pub depth: usize,
}

/// The canonical form of `json`, which must be one valid JSON value.
pub fn canonical(json: &str) -> Canonical<'_> {
    let mut writer = Writer {
        source: json,
        kept: 0,
        out: String::new(),
    };
    let bytes = json.as_bytes();
    let (mut at, mut depth, mut deepest) = (0, 0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string(&mut writer, at + 1);
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\n' | b'\r' => writer.replace(at, at + 1, ""),
            _ => {}
        }
        at += 1;
    }
    Canonical {
        text: writer.finish(),
        depth: deepest,
    }
}

/// Copies what is kept lazily: nothing at all while the source is canonical.
struct Writer<'a> {
    source: &'a str,
    kept: usize,
    out: String,
}

impl<'a> Writer<'a> {
    fn replace(&mut self, from: usize, to: usize, with: &str) {
        if self.out.capacity() == 0 {
            self.out.reserve(self.source.len());
        }
        self.out
            .push_str(self.source.get(self.kept..from).unwrap_or_default());
        self.out.push_str(with);
        self.kept = to;
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.kept == 0 {
            return Cow::Borrowed(self.source);
        }
        self.out
            .push_str(self.source.get(self.kept..).unwrap_or_default());
        Cow::Owned(self.out)
    }
}

/// Goes over the string whose first character is at `at`; returns where the text continues after it.
fn string(writer: &mut Writer<'_>, mut at: usize) -> usize {
    let source = writer.source;
    loop {
        let rest = source.as_bytes().get(at..).unwrap_or_default();
        let Some(found) = memchr2(b'"', b'\\', rest) else {
            return source.len();
        };
        at += found;
        if rest.get(found) == Some(&b'"') {
            return at + 1;
        }
        at = escape(writer, at);
    }
}

/// Rewrites the escape whose backslash is at `at`; returns where the string continues after it.
fn escape(writer: &mut Writer<'_>, at: usize) -> usize {
    let source = writer.source;
    match source.as_bytes().get(at + 1) {
        Some(b'/') => writer.replace(at, at + 2, "/"),
        Some(b'u') => {
            let Some(first) = unit(source, at) else {
                return at + 2;
            };
            let pair = (0xD800..0xDC00)
                .contains(&first)
                .then(|| unit(source, at + 6))
                .flatten();
            let units = [first, pair.unwrap_or_default()];
            let units = if pair.is_some() { &units[..] } else { &units[..1] };
            let Some(Ok(character)) = char::decode_utf16(units.iter().copied()).next() else {
                return at + 6; // half a pair stays as it is
            };
            let end = at + 6 * character.len_utf16();
            match character {
                '"' => writer.replace(at, end, "\\\""),
                '\\' => writer.replace(at, end, "\\\\"),
                '\u{8}' => writer.replace(at, end, "\\b"),
                '\u{c}' => writer.replace(at, end, "\\f"),
                '\n' => writer.replace(at, end, "\\n"),
                '\r' => writer.replace(at, end, "\\r"),
                '\t' => writer.replace(at, end, "\\t"),
                control @ '\0'..'\u{20}' => {
                    writer.replace(at, end, &format!("\\u{:04x}", u32::from(control)))
                }
                character => writer.replace(at, end, character.encode_utf8(&mut [0; 4])),
            }
            return end;
        }
        _ => {}
    }
    at + 2
}

/// The UTF-16 unit of the escape `\uXXXX` at `at`, if there is one.
fn unit(source: &str, at: usize) -> Option<u16> {
    let digits = source.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_text_is_borrowed() {
        let json = r#"{"a":[1.50,"x\n\"y\\",{"b":null}],"é":"\u001f"}"#;
        // The one escape that could be written in two cases of digits is rewritten to itself
        let canonical = canonical(json);
        assert_eq!(canonical.text, json);
        assert_eq!(canonical.depth, 3);
        assert!(matches!(
            super::canonical(r#"{"a":[1e2]}"#).text,
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn spacing_and_escapes_do_not_matter() {
        let spaced = "{ \"k\\u00e9\" :\t\"a\\/b \\ud83d\\ude00 \\u0022\\u005c\\u000A\\u001F\" ,\r\n \"n\": [ 1 , 2 ] }";
        assert_eq!(
            canonical(spaced).text,
            "{\"ké\":\"a/b 😀 \\\"\\\\\\n\\u001f\",\"n\":[1,2]}"
        );
    }

    #[test]
    fn half_a_surrogate_pair_stays_an_escape() {
        for json in [
            r#""\ud800""#,
            r#""\udc00x""#,
            r#""\ud800\n""#,
            r#""\ud800\u0041""#,
        ] {
            let text = canonical(json).text;
            assert!(text.starts_with("\"\\ud"), "{text}");
            assert_eq!(canonical(&text).text, text);
        }
    }
}
