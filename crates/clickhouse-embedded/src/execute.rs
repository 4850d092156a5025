//! Runs one request on the engine. All of it blocks, on a thread of its own.

use std::collections::HashMap;

use crate::assemble::{identifier, insert_from, literal, set, setting_name};
use crate::engine::Running;
use crate::exception::{Exception, code};
use crate::library::{Answer, Connection, Rows};
use crate::output::{Output, Summary};
use crate::pieces::Header;
use crate::receive::Work;
use crate::request::Request;
use crate::session::Seat;

/// Rows a block of an insert holds on a server (`max_insert_block_size`). The engine reads its files in blocks of
/// `max_block_size`, far smaller: more parts, and a deduplication window that forgets sooner.
const INSERT_BLOCK: &str = "1048449";

/// Runs `work` and tells `output` what comes of it, a failure included.
pub fn execute(request: &Request, work: &Work, mut seat: Seat, running: Running, mut output: Output) {
    let result = run(request, work, &mut seat, &running, &mut output);
    // The session and the query's name are free before the client knows the outcome: it may use both at once.
    drop(seat);
    drop(running);
    output.end(result);
}

fn run(
    request: &Request,
    work: &Work,
    seat: &mut Seat,
    running: &Running,
    output: &mut Output,
) -> Result<Summary, Exception> {
    refuse_writing(request, work, seat.in_session())?;
    let settings = settings(request, work, seat.in_session())?;
    let keeps = if seat.in_session() {
        Some(Kept::of(seat.connection()?, request, &settings)?)
    } else {
        None
    };
    let connection = seat.connection()?;
    let result = prepare(connection, request, &settings).and_then(|()| {
        running.check()?;
        run_statement(connection, request, work, output)
    });
    if let Some(kept) = keeps
        && let Err(error) = kept.restore(connection)
    {
        tracing::warn!(%error, "a session could not be restored and is closed");
        seat.discard();
    }
    result
}

/// `GET` may not write. The engine enforces it, except in a session, where its read-only mode could not be left again.
fn refuse_writing(request: &Request, work: &Work, in_session: bool) -> Result<(), Exception> {
    let only_reads = match work {
        Work::Query(query) => query.is_read_only,
        Work::Insert(..) => false,
    };
    let read_only = request.read_only || request.setting("readonly").is_some_and(|value| value != "0");
    if in_session && read_only && !only_reads {
        let message = "Cannot execute query in readonly mode (for changing data use POST)";
        return Err(Exception::raise(code::READONLY, "READONLY", message));
    }
    Ok(())
}

/// What to set before the statement, in this order.
fn settings(request: &Request, work: &Work, in_session: bool) -> Result<Vec<(String, String)>, Exception> {
    let comment = match request.setting("log_comment") {
        Some(comment) => format!("{} {comment}", request.query_id),
        None => request.query_id.clone(),
    };
    let mut settings = Vec::with_capacity(request.settings.len() + 3);
    if let Work::Insert(..) = work {
        let rows = request.setting("max_insert_block_size").unwrap_or(INSERT_BLOCK);
        settings.push(("max_block_size".to_owned(), rows.to_owned()));
    }
    for (name, value) in &request.settings {
        setting_name(name)?;
        // Read-only mode comes last, or not at all in a session.
        if name != "readonly" && name != "log_comment" {
            settings.push((name.clone(), value.clone()));
        }
    }
    settings.push(("log_comment".to_owned(), comment));
    if !in_session {
        match request.setting("readonly") {
            Some(level) if level != "0" => settings.push(("readonly".to_owned(), level.to_owned())),
            _ if request.read_only => settings.push(("readonly".to_owned(), "2".to_owned())),
            _ => {}
        }
    }
    Ok(settings)
}

fn prepare(
    connection: &mut Connection,
    request: &Request,
    settings: &[(String, String)],
) -> Result<(), Exception> {
    if let Some(database) = &request.database {
        connection.query(format!("USE {}", identifier(database)).as_bytes(), "TSV", &[])?;
    }
    if let Some(statement) = set(settings)? {
        connection.query(statement.as_bytes(), "TSV", &[])?;
    }
    Ok(())
}

fn run_statement(
    connection: &mut Connection,
    request: &Request,
    work: &Work,
    output: &mut Output,
) -> Result<Summary, Exception> {
    let (format, parameters) = (request.format.as_str(), request.parameters.as_slice());
    let query = match work {
        Work::Insert(insert, spool) => {
            let statement = insert_from(insert, spool.descriptor());
            return connection
                .query(&statement, format, parameters)
                .map(|answer| Summary::of(&answer));
        }
        Work::Query(query) => query,
    };
    let header = Header::of(query.format.as_deref().unwrap_or(format));
    if let Some(header) = header.filter(|_| query.is_select) {
        let rows = connection.stream(&query.text, format, parameters);
        match rows.and_then(|rows| forward(rows, header, output)) {
            // `WITH … INSERT`: the engine has run nothing yet.
            Err(error)
                if error.code == code::BAD_ARGUMENTS
                    && error.text.contains("Streaming query is not supported") => {}
            result => return result,
        }
    }
    let answer = connection.query(&query.text, format, parameters)?;
    let summary = Summary::of(&answer);
    output.rows(answer.bytes(), &summary)?;
    Ok(summary)
}

fn forward(mut rows: Rows<'_>, header: Header, output: &mut Output) -> Result<Summary, Exception> {
    let mut summary = Summary::default();
    let mut begun = false;
    while let Some(piece) = rows.fetch()? {
        summary.add(&piece);
        let bytes = if begun {
            header.strip(piece.bytes())
        } else {
            piece.bytes()
        };
        output.rows(bytes, &summary)?;
        begun = true;
    }
    Ok(summary)
}

/// What a request changes in its session, as it was before.
struct Kept {
    database: Option<String>,
    /// Name, and the value it had if that was not the default.
    settings: Vec<(String, Option<String>)>,
}

impl Kept {
    fn of(
        connection: &mut Connection,
        request: &Request,
        settings: &[(String, String)],
    ) -> Result<Self, Exception> {
        let database = match &request.database {
            Some(_) => Some(text(&connection.query(
                b"SELECT currentDatabase()",
                "LineAsString",
                &[],
            )?)),
            None => None,
        };
        let names: Vec<_> = settings.iter().map(|(name, _)| literal(name)).collect();
        let changed = format!(
            "SELECT mapFromArrays(groupArray(name), groupArray(value)) FROM system.settings WHERE changed AND name IN ({})",
            names.join(", ")
        );
        let answer = connection.query(changed.as_bytes(), "JSONCompactEachRow", &[])?;
        let (mut changed,): (HashMap<String, String>,) = serde_json::from_slice(answer.bytes())
            .map_err(|error| Exception::from_engine(&format!("unreadable settings: {error}")))?;
        let kept = settings
            .iter()
            .map(|(name, _)| (name.clone(), changed.remove(name)))
            .collect();
        Ok(Self {
            database,
            settings: kept,
        })
    }

    fn restore(self, connection: &mut Connection) -> Result<(), Exception> {
        for (name, value) in &self.settings {
            let value = value.as_deref().map_or_else(|| "DEFAULT".to_owned(), literal);
            connection.query(format!("SET {name} = {value}").as_bytes(), "TSV", &[])?;
        }
        if let Some(database) = &self.database {
            connection.query(format!("USE {}", identifier(database)).as_bytes(), "TSV", &[])?;
        }
        Ok(())
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(answer.bytes())
        .trim_end_matches('\n')
        .to_owned()
}
