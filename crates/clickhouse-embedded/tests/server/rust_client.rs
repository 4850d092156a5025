use crate::support::Server;
use clickhouse::{Client, Compression, Row};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
struct Decision {
    id: u64,
    name: String,
    score: Option<f64>,
    tags: Vec<String>,
    measures: Vec<(String, f64)>,
}

const TABLE: &str = "CREATE TABLE decisions (id UInt64, name String, score Nullable(Float64), tags Array(String), \
                     measures Map(String, Float64)) ENGINE = MergeTree ORDER BY id \
                     SETTINGS non_replicated_deduplication_window = 100";

fn decisions(count: u64) -> Vec<Decision> {
    (0..count)
        .map(|id| Decision {
            id,
            // Two line breaks in a row, as binary data have them everywhere.
            name: format!("n\n\n{id}"),
            score: (id % 3 == 0).then_some(id as f64 / 7.0),
            tags: vec![format!("t{}", id % 5)],
            measures: vec![("tokens".into(), id as f64)],
        })
        .collect()
}

async fn insert(client: &Client, rows: &[Decision]) -> clickhouse::error::Result<()> {
    let mut insert = client.insert::<Decision>("decisions").await?;
    for row in rows {
        insert.write(row).await?;
    }
    insert.end().await
}

#[tokio::test]
async fn validated_inserts_come_back_typed_and_equal_whatever_the_compression() {
    let server = Server::start().await;
    for compression in [Compression::Lz4, Compression::None] {
        let client = Client::default()
            .with_url(&server.url)
            .with_compression(compression)
            .with_validation(true);
        client
            .query("DROP TABLE IF EXISTS decisions")
            .execute()
            .await
            .unwrap();
        client.query(TABLE).execute().await.unwrap();
        let rows = decisions(10_000);
        insert(&client, &rows).await.unwrap();
        let read: Vec<Decision> = client
            .query("SELECT ?fields FROM decisions ORDER BY id")
            .fetch_all()
            .await
            .unwrap();
        assert!(read == rows, "{compression:?}");
        let one: u64 = client
            .query("SELECT count() FROM decisions WHERE name = ?")
            .bind("n\n\n7")
            .fetch_one()
            .await
            .unwrap();
        assert_eq!(one, 1);
    }
}

#[tokio::test]
async fn a_cursor_streams_more_rows_than_fit_one_piece() {
    let server = Server::start().await;
    let client = Client::default().with_url(&server.url);
    let mut cursor = client
        .query("SELECT number FROM system.numbers LIMIT 2000000")
        .fetch::<u64>()
        .unwrap();
    let mut expected = 0;
    while let Some(number) = cursor.next().await.unwrap() {
        assert_eq!(number, expected);
        expected += 1;
    }
    assert_eq!(expected, 2_000_000);
}

#[tokio::test]
async fn errors_are_told_before_and_after_the_first_rows() {
    let server = Server::start().await;
    for compression in [Compression::Lz4, Compression::None] {
        let client = Client::default()
            .with_url(&server.url)
            .with_compression(compression);
        let error = client
            .query("SELECT * FROM missing")
            .execute()
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("Code: 60") && error.contains("UNKNOWN_TABLE"),
            "{error}"
        );
        let statement =
            "SELECT number + throwIf(number = 3000000, 'too far') FROM system.numbers LIMIT 9000000";
        let mut cursor = client
            .query(statement)
            .with_setting("max_threads", "1")
            .fetch::<u64>()
            .unwrap();
        let mut rows = 0_u64;
        let error = loop {
            match cursor.next().await {
                Ok(Some(_)) => rows += 1,
                Ok(None) => panic!("the error was lost after {rows} rows"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(
            rows > 0 && error.contains("Code: 395") && error.contains("too far"),
            "{rows}: {error}"
        );
    }
}

#[tokio::test]
async fn parameters_and_settings_of_a_request_reach_the_engine() {
    let server = Server::start().await;
    let client = Client::default().with_url(&server.url);
    client.query(TABLE).execute().await.unwrap();
    let evil = "it's \\ \"x\"; DROP TABLE decisions".to_owned();
    let back: String = client
        .query("SELECT {value:String}")
        .param("value", &evil)
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(back, evil);
    for token in ["once", "once", "twice"] {
        let client = client.clone().with_setting("insert_deduplication_token", token);
        insert(&client, &decisions(10)).await.unwrap();
    }
    let count: u64 = client
        .query("SELECT count() FROM decisions")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(count, 20);
}

#[tokio::test]
async fn an_insert_that_is_abandoned_leaves_no_row() {
    let server = Server::start().await;
    let client = Client::default()
        .with_url(&server.url)
        .with_compression(Compression::None);
    client.query(TABLE).execute().await.unwrap();
    let mut abandoned = client.insert::<Decision>("decisions").await.unwrap();
    for row in decisions(50_000) {
        abandoned.write(&row).await.unwrap();
    }
    drop(abandoned);
    insert(&client, &decisions(3)).await.unwrap();
    let count: u64 = client
        .query("SELECT count() FROM decisions")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(count, 3);
}
