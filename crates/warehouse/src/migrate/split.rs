//! Splits a file into its statements.

/// The statements of `sql`, without their semicolons. A semicolon inside a string, a quoted name or a comment separates
/// nothing; a statement that is only comments is none.
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let bytes = sql.as_bytes();
    let (mut statements, mut start, mut position, mut has_code) = (Vec::new(), 0, 0, false);
    while position < bytes.len() {
        let rest = &sql.as_bytes()[position..];
        let length = match rest[0] {
            b'-' if rest.starts_with(b"--") => line_length(rest),
            b'#' if rest.starts_with(b"#!") || rest.starts_with(b"# ") => line_length(rest),
            b'/' if rest.starts_with(b"/*") => comment_length(rest),
            quote @ (b'\'' | b'"' | b'`') => {
                has_code = true;
                quoted_length(rest, quote)
            }
            b';' => {
                if has_code {
                    statements.push(sql[start..position].trim());
                }
                (start, has_code) = (position + 1, false);
                1
            }
            byte => {
                has_code |= !byte.is_ascii_whitespace();
                1
            }
        };
        position += length;
    }
    if has_code {
        statements.push(sql[start..].trim());
    }
    statements
}

fn line_length(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| *byte == b'\n')
        .map_or(rest.len(), |end| end + 1)
}

fn comment_length(rest: &[u8]) -> usize {
    rest.windows(2)
        .skip(2)
        .position(|pair| pair == b"*/")
        .map_or(rest.len(), |end| end + 4)
}

/// Length of a quoted piece with its quotes. A doubled quote reads as two pieces side by side, which comes to the same.
fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut position = 1;
    while position < rest.len() {
        match rest[position] {
            b'\\' => position += 1,
            byte if byte == quote => return position + 1,
            _ => {}
        }
        position += 1;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_semicolons_between_statements_separate_them() {
        for (sql, expected) in [
            ("SELECT 1; SELECT 2", vec!["SELECT 1", "SELECT 2"]),
            ("SELECT 1;\n-- done; really\n", vec!["SELECT 1"]),
            (
                "SELECT ';' ; SELECT 'it''s;' ; SELECT '\\';'",
                vec!["SELECT ';'", "SELECT 'it''s;'", "SELECT '\\';'"],
            ),
            ("SELECT `a;b`, \"c;d\"", vec!["SELECT `a;b`, \"c;d\""]),
            (
                "SELECT 1 /* a; b */; SELECT 2 -- ;",
                vec!["SELECT 1 /* a; b */", "SELECT 2 -- ;"],
            ),
            (
                "SELECT 1 - -2; SELECT 4 / 2",
                vec!["SELECT 1 - -2", "SELECT 4 / 2"],
            ),
            (" ;; /* ; */ ;", vec![]),
            ("SELECT 'ü;'; SELECT 2", vec!["SELECT 'ü;'", "SELECT 2"]),
        ] {
            assert_eq!(statements(sql), expected, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_splitter_panic(sql in "[-/*'\"`;\\\\# a-züλ\n]{0,60}") {
            let _ = statements(&sql);
        }
    }
}
