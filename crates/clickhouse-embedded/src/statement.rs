//! From the text of a request to one statement, with the data of an insert set apart.
//!
//! The engine's own front is that of a command-line client: it runs several statements in a row, obeys directives in
//! comments, ends on `exit`, and reads and writes files named by `INFILE` and `OUTFILE`. A server does none of it, so
//! comments are blanked, and the rest is refused here.

use std::ops::Range;

use crate::exception::{Exception, code};
use crate::lex::{Kind, Lexer, Token};

/// One statement, ready to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// An insert whose data follow in the request.
    Insert(Insert),
    /// Anything else.
    Query(Query),
}

/// An insert, split where its data must be named: `TARGET FROM INFILE … SETTINGS FORMAT format`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// `INSERT INTO table (columns)`.
    pub target: Vec<u8>,
    /// `SETTINGS …`, or empty.
    pub settings: Vec<u8>,
    /// The format of the data.
    pub format: Vec<u8>,
    /// Where the data begin in the text given to [`Statement::parse`].
    pub data: usize,
}

/// A statement without data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The text, comments blanked (positions in error messages stay true).
    pub text: Vec<u8>,
    /// The statement is a `SELECT`, whose rows can be streamed.
    pub is_select: bool,
    /// The statement can change neither data nor settings of the server.
    pub is_read_only: bool,
    /// The format named by its `FORMAT` clause.
    pub format: Option<String>,
}

impl Statement {
    /// Parses the beginning of a request. Of an insert with data, `text` need only reach into the data.
    ///
    /// # Errors
    /// No statement, more than one, or one that only a client could run.
    pub fn parse(text: &[u8]) -> Result<Self, Exception> {
        let mut scan = Scan::new(text);
        let Some(first) = scan.next()? else {
            return Err(Exception::syntax("Empty query"));
        };
        if scan.is(&first, "INSERT") {
            parse_insert(scan, first.span.start)
        } else {
            parse_query(scan, first)
        }
    }
}

/// The words that can begin a statement that changes nothing.
const READING: [&str; 11] = [
    "SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK", "USE", "VALUES",
];

fn parse_query(mut scan: Scan<'_>, first: Token) -> Result<Statement, Exception> {
    let text = scan.text;
    let parenthesis = first.kind == Kind::Symbol(b'(');
    let is_select = parenthesis
        || ["SELECT", "WITH", "FROM"]
            .iter()
            .any(|keyword| scan.is(&first, keyword));
    let mut is_read_only = parenthesis || READING.iter().any(|keyword| scan.is(&first, keyword));
    let mut format = None;
    let mut tokens = 1;
    let mut previous = first.clone();
    while let Some(token) = scan.next()? {
        tokens += 1;
        scan.refuse_client_parts(&previous, &token)?;
        if scan.depth == 0 && scan.is(&token, "INSERT") {
            is_read_only = false;
        }
        if scan.depth == 0 && scan.is(&previous, "FORMAT") && token.kind == Kind::Word {
            format = Some(String::from_utf8_lossy(&text[token.span.clone()]).into_owned());
        }
        previous = token;
    }
    let mut text = scan.blanked(0..scan.end);
    // A lone word may be a command of the client (`exit`, `quit`); behind a comment it is a statement or an error.
    if tokens == 1 || first.kind != Kind::Word && !parenthesis {
        text.splice(0..0, *b"/**/");
    }
    Ok(Statement::Query(Query {
        text,
        is_select,
        is_read_only,
        format,
    }))
}

fn parse_insert(mut scan: Scan<'_>, start: usize) -> Result<Statement, Exception> {
    let mut named = false;
    let mut settings: Option<usize> = None;
    let mut previous = Token {
        kind: Kind::Word,
        span: start..start,
    };
    while let Some(token) = scan.next()? {
        scan.refuse_client_parts(&previous, &token)?;
        // The table's own name may be a keyword.
        let top = scan.depth == 0 && named;
        if !named
            && !["INTO", "TABLE", "FUNCTION"]
                .iter()
                .any(|keyword| scan.is(&token, keyword))
        {
            named = true;
        } else if top && previous.kind != Kind::Symbol(b'.') {
            if ["SELECT", "WITH", "WATCH"]
                .iter()
                .any(|keyword| scan.is(&token, keyword))
            {
                let rest = parse_query(scan, token)?;
                return Ok(writes(rest));
            }
            if scan.is(&token, "SETTINGS") {
                settings.get_or_insert(token.span.start);
            }
            let values = scan.is(&token, "VALUES");
            if values || scan.is(&token, "FORMAT") {
                let head = settings.unwrap_or(token.span.start);
                let (format, data) = if values {
                    (b"Values".to_vec(), token.span.end)
                } else {
                    scan.format_and_data()?
                };
                return Ok(Statement::Insert(Insert {
                    target: scan.blanked(start..head),
                    settings: scan.blanked(head..token.span.start),
                    format,
                    data,
                }));
            }
        }
        previous = token;
    }
    let text = scan.blanked(0..scan.end);
    Ok(Statement::Query(Query {
        text,
        is_select: false,
        is_read_only: false,
        format: None,
    }))
}

fn writes(statement: Statement) -> Statement {
    match statement {
        Statement::Query(query) => Statement::Query(Query {
            is_select: false,
            is_read_only: false,
            format: None,
            ..query
        }),
        insert @ Statement::Insert(_) => insert,
    }
}

/// Tokens without comments, up to the end of the statement.
struct Scan<'a> {
    text: &'a [u8],
    lexer: Lexer<'a>,
    comments: Vec<Range<usize>>,
    depth: usize,
    /// Where the last token ended.
    end: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            lexer: Lexer::new(text),
            comments: Vec::new(),
            depth: 0,
            end: 0,
        }
    }

    /// The next token, `depth` being the nesting around it; `None` at the semicolon or the end.
    fn next(&mut self) -> Result<Option<Token>, Exception> {
        let Some(token) = self.bare() else { return Ok(None) };
        match token.kind {
            Kind::Symbol(b'(' | b'[' | b'{') => self.depth += 1,
            Kind::Symbol(b')' | b']' | b'}') => self.depth = self.depth.saturating_sub(1),
            Kind::Symbol(b';') => return self.only_semicolons_follow().map(|()| None),
            _ => {}
        }
        self.end = token.span.end;
        Ok(Some(token))
    }

    fn bare(&mut self) -> Option<Token> {
        for token in self.lexer.by_ref() {
            // One that is not closed stays, so that the engine reports it.
            let closed = !self.text[token.span.clone()].starts_with(b"/*")
                || self.text[token.span.clone()].ends_with(b"*/");
            if token.kind != Kind::Comment || !closed {
                return Some(token);
            }
            self.comments.push(token.span);
        }
        None
    }

    fn only_semicolons_follow(&mut self) -> Result<(), Exception> {
        while let Some(token) = self.bare() {
            if token.kind != Kind::Symbol(b';') {
                return Err(Exception::syntax(format_args!(
                    "Syntax error (Multi-statements are not allowed): failed at position {}",
                    token.span.start + 1
                )));
            }
        }
        Ok(())
    }

    fn is(&self, token: &Token, keyword: &str) -> bool {
        token.kind == Kind::Word && self.text[token.span.clone()].eq_ignore_ascii_case(keyword.as_bytes())
    }

    fn refuse_client_parts(&self, previous: &Token, token: &Token) -> Result<(), Exception> {
        if self.is(previous, "input") && token.kind == Kind::Symbol(b'(') {
            return Err(Exception::not_implemented(
                "The table function input is not offered here: insert the data as they are into a table",
            ));
        }
        if self.is(previous, "INTO") && self.is(token, "OUTFILE") {
            let message = "INTO OUTFILE is not allowed";
            return Err(Exception::raise(
                code::INTO_OUTFILE_NOT_ALLOWED,
                "INTO_OUTFILE_NOT_ALLOWED",
                message,
            ));
        }
        if self.is(previous, "FROM") && self.is(token, "INFILE") {
            let message = "FROM INFILE reads files of the client; send the data in the request";
            return Err(Exception::raise(
                code::UNKNOWN_TYPE_OF_QUERY,
                "UNKNOWN_TYPE_OF_QUERY",
                message,
            ));
        }
        Ok(())
    }

    /// After `FORMAT`: the name, and where the data begin, by ClickHouse's rule: after the first line break, if only
    /// blanks come before it.
    fn format_and_data(&mut self) -> Result<(Vec<u8>, usize), Exception> {
        let Some(name) = self.bare().filter(|token| token.kind == Kind::Word) else {
            return Err(Exception::syntax("Expected a format name after FORMAT"));
        };
        let mut data = name.span.end;
        if self.text.get(data) == Some(&b';') {
            return Err(Exception::syntax(
                "You have excessive ';' symbol before data for INSERT",
            ));
        }
        while matches!(self.text.get(data), Some(b' ' | b'\t' | 0x0C)) {
            data += 1;
        }
        if self.text.get(data) == Some(&b'\r') {
            data += 1;
        }
        if self.text.get(data) == Some(&b'\n') {
            data += 1;
        }
        Ok((self.text[name.span].to_vec(), data))
    }

    fn blanked(&self, span: Range<usize>) -> Vec<u8> {
        let mut text = self.text[span.clone()].to_vec();
        for comment in &self.comments {
            let start = comment.start.clamp(span.start, span.end) - span.start;
            let end = comment.end.clamp(span.start, span.end) - span.start;
            text[start..end].fill(b' ');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        match Statement::parse(text.as_bytes()) {
            Ok(Statement::Query(query)) => query,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn insert(text: &str) -> (String, String, String, &str) {
        match Statement::parse(text.as_bytes()) {
            Ok(Statement::Insert(insert)) => {
                let string = |bytes| String::from_utf8(bytes).unwrap();
                (
                    string(insert.target),
                    string(insert.settings),
                    string(insert.format),
                    &text[insert.data..],
                )
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    fn code(text: &str) -> u32 {
        Statement::parse(text.as_bytes()).unwrap_err().code
    }

    #[test]
    fn an_insert_is_split_where_its_data_begin() {
        let cases = [
            (
                "INSERT INTO t FORMAT RowBinary\n\n\nx",
                ("INSERT INTO t ", "", "RowBinary", "\n\nx"),
            ),
            (
                "insert into t(a, b) format CSV 1;2",
                ("insert into t(a, b) ", "", "CSV", "1;2"),
            ),
            (
                "INSERT INTO t VALUES (1), (';')",
                ("INSERT INTO t ", "", "Values", " (1), (';')"),
            ),
            (
                "INSERT INTO db.values SETTINGS a = 'FORMAT', b=1 FORMAT X \r\n1",
                ("INSERT INTO db.values ", "SETTINGS a = 'FORMAT', b=1 ", "X", "1"),
            ),
            (
                "INSERT INTO TABLE format /* VALUES */ FORMAT X",
                ("INSERT INTO TABLE format              ", "", "X", ""),
            ),
            (
                "INSERT INTO {t:Identifier} (`values`) VALUES(1)",
                ("INSERT INTO {t:Identifier} (`values`) ", "", "Values", "(1)"),
            ),
            (
                "INSERT INTO FUNCTION null('a Int32 FORMAT') VALUES (1)",
                (
                    "INSERT INTO FUNCTION null('a Int32 FORMAT') ",
                    "",
                    "Values",
                    " (1)",
                ),
            ),
        ];
        for (text, (target, settings, format, data)) in cases {
            assert_eq!(
                insert(text),
                (target.into(), settings.into(), format.into(), data),
                "{text}"
            );
        }
    }

    #[test]
    fn an_insert_from_a_select_is_a_query_that_writes() {
        for text in [
            "INSERT INTO t SELECT 1",
            "INSERT INTO t (a) WITH 1 AS x SELECT x",
            "INSERT INTO t (a) (SELECT 1)",
        ] {
            let query = query(text);
            assert!(!query.is_select && !query.is_read_only, "{text}");
        }
    }

    #[test]
    fn reading_is_told_from_writing() {
        for text in [
            "SELECT 1",
            "(select 1)",
            "WITH 1 AS x SELECT x",
            "FROM t SELECT 1",
            "SHOW TABLES",
            "EXPLAIN SELECT 1",
        ] {
            assert!(query(text).is_read_only, "{text}");
        }
        for text in [
            "DROP TABLE t",
            "WITH 1 AS x INSERT INTO t SELECT x",
            "SET readonly = 0",
            "CREATE TABLE t AS SELECT 1",
        ] {
            assert!(!query(text).is_read_only, "{text}");
        }
    }

    #[test]
    fn the_format_clause_is_found_at_the_end_only_of_the_statement_itself() {
        assert_eq!(
            query("SELECT 1 FORMAT JSON SETTINGS a=1;").format.as_deref(),
            Some("JSON")
        );
        assert_eq!(query("SELECT ' FORMAT X'").format, None);
        assert_eq!(query("SELECT * FROM (SELECT 1 AS format)").format, None);
    }

    #[test]
    fn directives_in_comments_and_client_commands_do_not_reach_the_engine() {
        assert_eq!(query("SELECT 1 -- { serverError 60 }").text, b"SELECT 1");
        assert_eq!(query("SELECT /* { echo } */ 1;").text, b"SELECT                1");
        assert_eq!(query("exit;").text, b"/**/exit");
        assert_eq!(query("?? drop all").text, b"/**/?? drop all");
    }

    #[test]
    fn what_only_a_client_could_run_is_refused() {
        assert_eq!(code("SELECT 1; DROP TABLE t"), 62);
        assert_eq!(code("INSERT INTO t SELECT 1; DROP TABLE t"), 62);
        assert_eq!(code(" -- nothing\n ; "), 62);
        assert_eq!(code("INSERT INTO t FORMAT CSV; 1"), 62);
        assert_eq!(
            code("SELECT 1 INTO /* x */ OUTFILE '/tmp/x'"),
            code::INTO_OUTFILE_NOT_ALLOWED
        );
        assert_eq!(
            code("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV"),
            code::UNKNOWN_TYPE_OF_QUERY
        );
        assert_eq!(
            code("INSERT INTO t SELECT * FROM input('a Int8') FORMAT CSV 1"),
            code::NOT_IMPLEMENTED
        );
    }
}
