//! SQL made from parts of a request. Names are checked, values quoted: nothing a request says can end a literal.

use crate::exception::{Exception, code};
use crate::statement::Insert;

/// `value` as a string literal.
pub fn literal(value: &str) -> String {
    quote(value, '\'')
}

/// `name` as an identifier.
pub fn identifier(name: &str) -> String {
    quote(name, '`')
}

fn quote(text: &str, mark: char) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(mark);
    for character in text.chars() {
        if character == mark || character == '\\' {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push(mark);
    quoted
}

/// `SET name = 'value', …`; the engine turns the string into the setting's type. `None` without settings.
///
/// # Errors
/// A name that no setting can have.
pub fn set(settings: &[(String, String)]) -> Result<Option<String>, Exception> {
    let mut assignments = Vec::with_capacity(settings.len());
    for (name, value) in settings {
        assignments.push(format!("{} = {}", setting_name(name)?, literal(value)));
    }
    Ok((!assignments.is_empty()).then(|| format!("SET {}", assignments.join(", "))))
}

/// Checks that `name` can be a setting's: letters, digits, `_` and `.`, not beginning with a digit, and no query
/// parameter, which `SET` would take it for.
///
/// # Errors
/// `UNKNOWN_SETTING`, as the engine would say.
pub fn setting_name(name: &str) -> Result<&str, Exception> {
    let well_formed = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '.'));
    if well_formed && !name.starts_with("param_") {
        return Ok(name);
    }
    let message = format_args!("Unknown setting {}", literal(name));
    Err(Exception::raise(
        code::UNKNOWN_SETTING,
        "UNKNOWN_SETTING",
        message,
    ))
}

/// The insert reading its data from file descriptor `descriptor` of this process. Inline they would be cut at the first
/// empty line.
pub fn insert_from(insert: &Insert, descriptor: i32) -> Vec<u8> {
    let file = format!(" FROM INFILE '/proc/self/fd/{descriptor}' COMPRESSION 'none' ");
    [
        &insert.target,
        file.as_bytes(),
        &insert.settings,
        b" FORMAT ",
        &insert.format,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex::{Kind, Lexer};
    use proptest::prelude::*;

    #[test]
    fn an_insert_reads_its_data_from_the_descriptor() {
        let insert = Insert {
            target: b"INSERT INTO t (a) ".to_vec(),
            settings: b"SETTINGS async_insert=0 ".to_vec(),
            format: b"RowBinary".to_vec(),
            data: 0,
        };
        let sql = String::from_utf8(insert_from(&insert, 7)).unwrap();
        assert_eq!(
            sql,
            "INSERT INTO t (a)  FROM INFILE '/proc/self/fd/7' COMPRESSION 'none' SETTINGS async_insert=0  FORMAT RowBinary"
        );
    }

    #[test]
    fn names_that_are_no_settings_are_refused() {
        for name in ["", "1a", "a b", "a=1, b", "a;", "ä", "a'", "a`", "param_x"] {
            assert_eq!(setting_name(name).unwrap_err().code, 115, "{name}");
        }
        assert_eq!(
            set(&[("max_threads".into(), "1".into())]).unwrap().unwrap(),
            "SET max_threads = '1'"
        );
        assert_eq!(set(&[]).unwrap(), None);
    }

    proptest! {
        #[test]
        fn a_quoted_value_is_one_token_whatever_it_holds(value in any::<String>()) {
            for quoted in [literal(&value), identifier(&value)] {
                let tokens: Vec<_> = Lexer::new(quoted.as_bytes()).collect();
                prop_assert_eq!(tokens.len(), 1);
                prop_assert_eq!(tokens[0].kind, Kind::Quoted);
                prop_assert_eq!(tokens[0].span.clone(), 0..quoted.len());
            }
        }

        #[test]
        fn settings_make_one_assignment_each_whatever_their_values(values in prop::collection::vec(any::<String>(), 1..5)) {
            let settings: Vec<_> = values.iter().map(|value| ("name".to_owned(), value.clone())).collect();
            let sql = set(&settings).unwrap().unwrap();
            // SET, then `name = value` and the commas between.
            prop_assert_eq!(Lexer::new(sql.as_bytes()).count(), 1 + 3 * values.len() + values.len() - 1);
        }
    }
}
