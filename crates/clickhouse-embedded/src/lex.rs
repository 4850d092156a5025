//! ClickHouse's tokens, as far as finding a statement's clauses needs them. It decides nothing about validity: what does
//! not lex here is passed on, and the engine says what is wrong with it.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A keyword, bare identifier or number.
    Word,
    /// A string, quoted identifier or heredoc, or one that is not closed.
    Quoted,
    /// A comment, which the engine's client front would search for test directives.
    Comment,
    /// Any other byte.
    Symbol(u8),
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its bytes' place in the text.
    pub span: Range<usize>,
}

/// The tokens of `text` one by one, white space left out. It reads no further than the token asked for, so that what
/// follows may be data of any kind.
pub struct Lexer<'a> {
    text: &'a [u8],
    position: usize,
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        while let Some(length) = space(self.rest()) {
            self.position += length;
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_space();
        let rest = self.rest();
        let first = *rest.first()?;
        let (kind, length) = if let Some(length) = comment(rest) {
            (Kind::Comment, length)
        } else if let Some(length) = quoted(rest) {
            (Kind::Quoted, length)
        } else if is_word(first) {
            (
                Kind::Word,
                rest.iter()
                    .take_while(|byte| is_word(**byte) || **byte == b'$')
                    .count(),
            )
        } else {
            (Kind::Symbol(first), 1)
        };
        let start = self.position;
        self.position += length;
        Some(Token {
            kind,
            span: start..self.position,
        })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// White space, a no-break space or a byte order mark.
fn space(rest: &[u8]) -> Option<usize> {
    match rest {
        [b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C, ..] => Some(1),
        [0xC2, 0xA0, ..] => Some(2),
        [0xEF, 0xBB, 0xBF, ..] => Some(3),
        _ => None,
    }
}

fn comment(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'-', b'-', ..] | [b'/', b'/', ..] | [b'#', b' ' | b'!', ..] => {
            Some(find(rest, b"\n").unwrap_or(rest.len()))
        }
        [b'/', b'*', ..] => Some(nested_comment(rest)),
        _ => None,
    }
}

/// Comments nest, as in the SQL standard. One that is not closed reaches to the end.
fn nested_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match rest.get(at..at + 2) {
            Some(b"/*") => depth += 1,
            Some(b"*/") => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[u8]) -> Option<usize> {
    match rest {
        [quote @ (b'\'' | b'"' | b'`'), ..] => Some(escaped(rest, *quote)),
        [0xE2, 0x80, open @ (0x98 | 0x9C), ..] => {
            let close = [0xE2, 0x80, open + 1];
            Some(find(rest, &close).map_or(rest.len(), |at| at + close.len()))
        }
        [b'$', ..] => heredoc(rest),
        _ => None,
    }
}

/// To the closing quote; a doubled quote makes two adjacent tokens, which is as good for finding clauses.
fn escaped(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match *byte {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `$tag$ … $tag$`; a dollar sign that opens none is a symbol.
fn heredoc(rest: &[u8]) -> Option<usize> {
    let tag = rest.iter().skip(1).take_while(|byte| is_word(**byte)).count() + 2;
    let marker = rest.get(..tag).filter(|marker| marker.ends_with(b"$"))?;
    find(rest.get(tag..)?, marker).map(|at| tag + at + tag)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        Lexer::new(text.as_bytes())
            .map(|token| (token.kind, &text[token.span]))
            .collect()
    }

    #[test]
    fn quotes_heredocs_and_comments_hide_what_is_in_them() {
        for (text, hidden) in [
            (r"'a\';--'", Kind::Quoted),
            ("\"a;b\"", Kind::Quoted),
            ("`a;/*`", Kind::Quoted),
            ("$$a;'b$$", Kind::Quoted),
            ("$t$a$$;$t$", Kind::Quoted),
            ("\u{2018}a;'\u{2019}", Kind::Quoted),
            ("-- a;b", Kind::Comment),
            ("// a;b", Kind::Comment),
            ("# a;b", Kind::Comment),
            ("#! a;b", Kind::Comment),
            ("/* a /* ; */ ; */", Kind::Comment),
            ("/* open", Kind::Comment),
            ("'open", Kind::Quoted),
        ] {
            assert_eq!(kinds(text), [(hidden, text)], "{text}");
        }
    }

    #[test]
    fn words_and_symbols_are_told_apart() {
        use Kind::{Symbol, Word};
        assert_eq!(
            kinds("\u{feff}a$b{t:X};1e3 #x"),
            [
                (Word, "a$b"),
                (Symbol(b'{'), "{"),
                (Word, "t"),
                (Symbol(b':'), ":"),
                (Word, "X"),
                (Symbol(b'}'), "}"),
                (Symbol(b';'), ";"),
                (Word, "1e3"),
                (Symbol(b'#'), "#"),
                (Word, "x"),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_lex_to_tokens_in_order_within_the_text(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut end = 0;
            for token in Lexer::new(&text) {
                prop_assert!(token.span.start >= end && token.span.end > token.span.start);
                end = token.span.end;
            }
            prop_assert!(end <= text.len());
        }
    }
}
