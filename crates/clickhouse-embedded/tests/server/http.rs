//! ClickHouse's HTTP interface, byte for byte where it matters.

use crate::support::{Server, code};
use clickhouse_embedded::decode::decoded;
use clickhouse_embedded::encode::{Compression, Encoder};
use reqwest::{Client, Method, StatusCode};
use std::io::{Cursor, Read};
use std::time::{Duration, Instant};

const COMPRESSIONS: [Compression; 6] = [
    Compression::None,
    Compression::Gzip,
    Compression::Deflate,
    Compression::Zstd,
    Compression::Lz4,
    Compression::Blocks,
];

#[tokio::test]
async fn the_server_answers_probes_and_tells_of_itself() {
    let server = Server::start().await;
    let client = Client::new();
    for path in ["/ping", "/", "/replicas_status"] {
        let response = client.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(
            (response.status(), response.text().await.unwrap().as_str()),
            (StatusCode::OK, "Ok.\n"),
            "{path}"
        );
    }
    let response = client
        .get(format!("{}/nothing", server.url))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let response = client.put(&server.url).body("SELECT 1").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);

    let response = server
        .post(&[("query_id", "mine"), ("query", "SELECT 1 AS one FORMAT JSON")])
        .send()
        .await
        .unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-clickhouse-query-id"), "mine");
    assert_eq!(header("x-clickhouse-format"), "JSON");
    assert_eq!(header("content-type"), "application/json; charset=UTF-8");
    assert!(!header("x-clickhouse-timezone").is_empty());
    assert_eq!(header("x-clickhouse-exception-tag").len(), 16);
    let response = server
        .post(&[("query", "INSERT INTO FUNCTION null('n UInt8') FORMAT CSV")])
        .body("1\n2\n3\n")
        .send()
        .await
        .unwrap();
    let summary = response.headers()["x-clickhouse-summary"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(summary.contains("\"written_rows\":\"3\""), "{summary}");
}

#[tokio::test]
async fn errors_have_clickhouses_code_status_and_text() {
    let server = Server::start().await;
    for (parameters, statement, code, status) in [
        (vec![], "SELECT * FROM missing", 60, 404),
        (vec![], "SELECT missing", 47, 404),
        (vec![], "SELECT missing()", 46, 404),
        (vec![], "selec 1", 62, 400),
        (vec![], "", 62, 400),
        (vec![], "-- nothing", 62, 400),
        (vec![], "exit", 62, 400),
        (vec![], "SELECT 1; SELECT 2", 62, 400),
        (vec![], "SELECT * FROM missing -- { serverError 60 }", 60, 404),
        (vec![], "SELECT 1 FORMAT Nonsense", 73, 404),
        (vec![], "SELECT toDate('x')", 38, 400),
        (vec![], "SELECT throwIf(1)", 395, 500),
        (vec![], "SELECT {x:UInt8}", 456, 500),
        (vec![("param_x", "1'; DROP")], "SELECT {x:UInt8}", 457, 500),
    ] {
        refused(&server, &parameters, statement, code, status).await;
    }
}

#[tokio::test]
async fn errors_of_the_interface_have_clickhouses_code_status_and_text() {
    let server = Server::start().await;
    for (parameters, statement, code, status) in [
        (vec![("no_such_setting", "1")], "SELECT 1", 115, 404),
        (vec![("max_threads = 1, readonly", "1")], "SELECT 1", 115, 404),
        (vec![("max_threads", "1', readonly = '1")], "SELECT 1", 27, 400),
        (vec![("database", "missing")], "SELECT 1", 81, 404),
        (
            vec![("session_id", "s"), ("session_check", "1")],
            "SELECT 1",
            372,
            500,
        ),
        (
            vec![("max_execution_time", "0.2")],
            "SELECT count() FROM system.numbers WHERE sipHash64(number) = 7",
            159,
            408,
        ),
        (vec![], "SELECT 1 INTO OUTFILE '/tmp/never'", 358, 500),
        (
            vec![(
                "query",
                "INSERT INTO FUNCTION null('a Int8') FROM INFILE '/etc/hostname' FORMAT CSV",
            )],
            "",
            78,
            404,
        ),
        (
            vec![
                ("query", "INSERT INTO FUNCTION null('a Int8') FORMAT RowBinary"),
                ("decompress", "1"),
            ],
            "garbage that is long enough",
            271,
            500,
        ),
    ] {
        refused(&server, &parameters, statement, code, status).await;
    }
}

async fn refused(
    server: &Server,
    parameters: &[(&str, &str)],
    statement: &'static str,
    code: u32,
    status: u16,
) {
    let response = server.post(parameters).body(statement).send().await.unwrap();
    assert_eq!(
        crate::support::code(&response),
        code,
        "{parameters:?} {statement}"
    );
    assert_eq!(response.status().as_u16(), status, "{parameters:?} {statement}");
    let text = response.text().await.unwrap();
    assert!(text.starts_with(&format!("Code: {code}. DB::")), "{text}");
    assert!(text.ends_with("(version 26.5.1.1)\n"), "{text}");
}

#[tokio::test]
async fn what_a_request_says_cannot_become_sql() {
    let server = Server::start().await;
    server
        .sql("CREATE TABLE victim (n UInt8) ENGINE = MergeTree ORDER BY n")
        .await;
    let evil = "'; DROP TABLE victim; --\\";
    assert_eq!(
        server
            .sql_with(
                &[("log_comment", evil), ("param_x", r"a\tb'")],
                "SELECT {x:String} FORMAT RawBLOB"
            )
            .await,
        "a\tb'"
    );
    assert_eq!(
        server
            .code(&[("database", "a`; DROP TABLE victim; --")], "SELECT 1")
            .await,
        81
    );
    assert_eq!(server.code(&[("session_timezone", evil)], "SELECT 1").await, 36);
    assert_eq!(server.sql_with(&[("query_id", evil)], "SELECT 2").await, "2");
    assert_eq!(server.sql("EXISTS TABLE victim").await, "1");
}

#[tokio::test]
async fn bodies_and_results_go_through_every_compression() {
    let server = Server::start().await;
    server
        .sql("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
        .await;
    let rows: Vec<u8> = (0..200_000_u64).flat_map(|n| (n % 256).to_le_bytes()).collect();
    for compression in COMPRESSIONS {
        server.sql("TRUNCATE TABLE t").await;
        let mut encoder = Encoder::new(compression).unwrap();
        let mut body = encoder.push(&rows).unwrap();
        body.extend(encoder.finish().unwrap());
        let blocks = if compression == Compression::Blocks {
            "1"
        } else {
            "0"
        };
        let mut insert = server
            .post(&[
                ("query", "INSERT INTO t FORMAT RowBinary"),
                ("decompress", blocks),
            ])
            .body(body);
        if let Some(encoding) = compression.content_encoding() {
            insert = insert.header("Content-Encoding", encoding);
        }
        let response = insert.send().await.unwrap();
        assert!(
            response.status().is_success(),
            "{compression:?}: {}",
            response.text().await.unwrap()
        );

        let select = [
            ("query", "SELECT n FROM t ORDER BY n FORMAT RowBinary"),
            ("compress", blocks),
            ("enable_http_compression", "1"),
        ];
        let mut query = server.post(&select);
        if let Some(encoding) = compression.content_encoding() {
            query = query.header("Accept-Encoding", encoding);
        }
        let response = query.send().await.unwrap();
        let encoding = response
            .headers()
            .get("content-encoding")
            .map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(encoding.as_deref(), compression.content_encoding());
        let result = Cursor::new(response.bytes().await.unwrap());
        let mut plain = Vec::new();
        decoded(result, encoding.as_deref(), blocks == "1")
            .unwrap()
            .read_to_end(&mut plain)
            .unwrap();
        let mut sorted: Vec<u8> = (0..200_000_u64).map(|n| (n % 256) as u8).collect();
        sorted.sort_unstable();
        let expected: Vec<u8> = sorted
            .into_iter()
            .flat_map(|n| u64::from(n).to_le_bytes())
            .collect();
        assert!(plain == expected, "{compression:?}");
    }
}

#[tokio::test]
async fn get_may_read_but_not_write_in_a_session_or_out_of_one() {
    let server = Server::start().await;
    server
        .sql("CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n")
        .await;
    let get = async |statement: &str, session: &str| {
        let parameters = [("query", statement), ("session_id", session)];
        Client::new()
            .get(&server.url)
            .query(&parameters)
            .send()
            .await
            .unwrap()
    };
    for session in ["", "s"] {
        assert_eq!(get("SELECT 3", session).await.text().await.unwrap(), "3\n");
        for statement in [
            "INSERT INTO t VALUES (1)",
            "DROP TABLE t",
            "TRUNCATE TABLE t",
            "INSERT INTO t SELECT 1",
            "WITH 1 AS x INSERT INTO t SELECT x",
        ] {
            assert_eq!(
                code(&get(statement, session).await),
                164,
                "{statement} in session {session:?}"
            );
        }
    }
    // The session itself is not left read-only.
    server
        .sql_with(&[("session_id", "s")], "INSERT INTO t VALUES (1)")
        .await;
    assert_eq!(
        server
            .code(&[("readonly", "1")], "INSERT INTO t VALUES (1)")
            .await,
        164
    );
    assert_eq!(server.sql("SELECT count() FROM t").await, "1");
}

#[tokio::test]
async fn sessions_are_exclusive_keep_their_state_and_expire() {
    let server = Server::start().await;
    server.sql("CREATE DATABASE other").await;
    let session = [("session_id", "s"), ("session_timeout", "1")];
    let with = |name, value| [session[0], session[1], (name, value)];
    server
        .sql_with(&session, "CREATE TEMPORARY TABLE kept AS SELECT 7 AS n")
        .await;
    server.sql_with(&session, "SET max_block_size = 1234").await;
    // Settings and database of one request are not the session's.
    let state =
        "SELECT n, getSetting('max_block_size'), getSetting('max_threads') = 3, currentDatabase() FROM kept";
    assert_eq!(
        server.sql_with(&with("max_block_size", "99"), state).await,
        "7\t99\t0\tdefault"
    );
    assert_eq!(
        server.sql_with(&with("max_threads", "3"), state).await,
        "7\t1234\t1\tdefault"
    );
    assert_eq!(
        server
            .sql_with(&with("database", "other"), "SELECT currentDatabase()")
            .await,
        "other"
    );
    assert_eq!(server.sql_with(&session, state).await, "7\t1234\t0\tdefault");
    assert_eq!(server.code(&[], "SELECT * FROM kept").await, 60);

    let busy = tokio::spawn(server.post(&session).body("SELECT sleep(1)").send());
    while server
        .sql("SELECT count() FROM system.processes WHERE query LIKE '%sleep%'")
        .await
        != "2"
    {}
    assert_eq!(server.code(&session, "SELECT 1").await, 373);
    // The session is free again at the end of the answer, not at its beginning.
    let answer = busy.await.unwrap().unwrap();
    assert!(answer.status().is_success());
    assert_eq!(answer.text().await.unwrap(), "0\n");

    server.sql_with(&session, "SELECT 1").await;
    let unused = Instant::now();
    let existing = || {
        server
            .post(&[("session_id", "probe"), ("session_check", "1")])
            .body("SELECT 1")
            .send()
    };
    assert_eq!(code(&existing().await.unwrap()), 372);
    // Asking would keep it, so its end is seen once: after its second and before any later one.
    tokio::time::sleep(Duration::from_millis(1500).saturating_sub(unused.elapsed())).await;
    assert_eq!(server.code(&with("session_check", "1"), "SELECT 1").await, 372);
    let closing = with("close_session", "1");
    server.sql_with(&closing, "SELECT 1").await;
    assert_eq!(server.code(&with("session_check", "1"), "SELECT 1").await, 372);
}

#[tokio::test]
async fn wait_end_of_query_turns_a_late_error_into_a_status() {
    let server = Server::start().await;
    let late = "SELECT throwIf(number = 3000000) FROM numbers(9000000) SETTINGS max_threads = 1";
    let response = server.post(&[]).body(late).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.bytes().await.is_err(), "the body must not look complete");
    let response = server
        .post(&[("wait_end_of_query", "1")])
        .body(late)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (code(&response), response.status()),
        (395, StatusCode::INTERNAL_SERVER_ERROR)
    );
    let whole = server
        .sql_with(
            &[("wait_end_of_query", "1")],
            "SELECT number FROM numbers(300000)",
        )
        .await;
    assert_eq!(whole.lines().count(), 300_000);
}

#[tokio::test]
async fn a_query_whose_client_leaves_is_stopped_and_frees_its_place() {
    let server = Server::start_with(|command| {
        command.args(["--max-concurrent-queries", "1"]);
    })
    .await;
    for statement in [
        "SELECT count() FROM system.numbers WHERE sipHash64(number) = 7",
        "SELECT number FROM system.numbers",
        "INSERT INTO FUNCTION null('n UInt64') SELECT number FROM system.numbers",
    ] {
        let request = server
            .post(&[])
            .timeout(Duration::from_millis(300))
            .body(statement)
            .send()
            .await;
        if let Ok(response) = request {
            drop(response);
        }
        // The only permit must come free for this to be answered; the engine forgets the query soon after.
        while server.sql("SELECT count() FROM system.processes").await != "1" {}
    }
}

#[tokio::test]
async fn two_running_queries_cannot_share_a_name() {
    let server = Server::start().await;
    let named = [("query_id", "twin")];
    let first = tokio::spawn(server.post(&named).body("SELECT sleep(1)").send());
    while server.sql("SELECT count() FROM system.processes").await != "2" {}
    assert_eq!(server.code(&named, "SELECT 1").await, 216);
    assert!(first.await.unwrap().unwrap().status().is_success());
    assert_eq!(server.sql_with(&named, "SELECT 1").await, "1");
}

#[tokio::test]
async fn a_result_of_a_gigabyte_and_a_body_beyond_the_allowance_stream() {
    let server = Server::start_with(|command| {
        command.args(["--body-memory-mib", "1"]);
    })
    .await;
    server
        .sql("CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
        .await;
    let piece: Vec<u8> = (0..1000_u64)
        .flat_map(|n| [n.to_le_bytes().as_slice(), &[100], &[b'x'; 100]].concat())
        .collect();
    let pieces = futures::stream::iter((0..500).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
    let response = server
        .post(&[("query", "INSERT INTO t FORMAT RowBinary")])
        .body(reqwest::Body::wrap_stream(pieces))
        .send()
        .await
        .unwrap();
    assert!(
        response.status().is_success(),
        "{}",
        response.text().await.unwrap()
    );
    assert_eq!(
        server.sql("SELECT count(), sum(length(s)) FROM t").await,
        "500000\t50000000"
    );

    let before = server.peak_memory();
    let mut response = server
        .post(&[])
        .body("SELECT repeat('x', 999) FROM numbers(1000000) FORMAT TSV")
        .send()
        .await
        .unwrap();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        length += chunk.len();
    }
    assert_eq!(length, 1_000_000_000);
    let grown = server.peak_memory() - before;
    assert!(grown < 400 << 20, "memory grew by {grown} bytes");
}

#[tokio::test]
async fn name_and_password_are_required_when_set() {
    let server = Server::start_with(|command| {
        command
            .env("CLICKHOUSE_PASSWORD", "secret")
            .args(["--user", "ada"]);
    })
    .await;
    let post = || Client::new().request(Method::POST, &server.url).body("SELECT 1");
    let nobody = post().send().await.unwrap();
    assert_eq!((code(&nobody), nobody.status()), (516, StatusCode::UNAUTHORIZED));
    assert!(
        nobody.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Basic")
    );
    let wrong = post().basic_auth("ada", Some("wrong")).send().await.unwrap();
    assert_eq!((code(&wrong), wrong.status()), (516, StatusCode::FORBIDDEN));
    for right in [
        post().basic_auth("ada", Some("secret")),
        post()
            .header("X-ClickHouse-User", "ada")
            .header("X-ClickHouse-Key", "secret"),
        post().query(&[("user", "ada"), ("password", "secret")]),
    ] {
        assert_eq!(right.send().await.unwrap().text().await.unwrap(), "1\n");
    }
    // Probes need none.
    assert!(
        Client::new()
            .get(format!("{}/ping", server.url))
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
}

#[tokio::test]
async fn a_result_of_many_pieces_is_one_document_in_every_format() {
    let server = Server::start().await;
    let rows = |format: &str| server.sql(format!("SELECT number FROM numbers(200000) FORMAT {format}"));
    for (format, header) in [
        ("TSV", 0),
        ("JSONEachRow", 0),
        ("CSVWithNames", 1),
        ("TSVWithNamesAndTypes", 2),
    ] {
        assert_eq!(rows(format).await.lines().count(), 200_000 + header, "{format}");
    }
    let document: serde_json::Value = serde_json::from_str(&rows("JSON").await).unwrap();
    assert_eq!(document["rows"], 200_000);
    assert_eq!(document["data"].as_array().unwrap().len(), 200_000);
    let binary = server
        .post(&[])
        .body("SELECT number FROM numbers(200000) FORMAT RowBinaryWithNames");
    let bytes = binary.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len(), 1 + 1 + "number".len() + 200_000 * 8);
}

#[tokio::test]
async fn form_fields_mean_what_they_mean_in_the_url_and_files_are_refused() {
    let server = Server::start().await;
    let form = |disposition: &str| {
        format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\nit's\r\n--b--\r\n")
    };
    let post = |body: String| {
        let query = [("query", "SELECT {x:String} FORMAT TSVRaw")];
        server
            .post(&query)
            .header("Content-Type", "multipart/form-data; boundary=b")
            .body(body)
            .send()
    };
    let answer = post(form("name=\"param_x\"")).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "it's\n");
    let file = post(form("name=\"t\"; filename=\"t.tsv\"")).await.unwrap();
    assert_eq!(code(&file), 48);
    let broken = post("--b\r\nContent-Disp".to_owned()).await.unwrap();
    assert_eq!(code(&broken), 36);
}
