//! The engine is the product our services know as a ClickHouse server.

use crate::support::Server;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_repeated_block_changes_neither_the_table_nor_its_view() {
    let server = Server::start().await;
    for statement in [
        "CREATE TABLE facts (k UInt8, v UInt64, s String) ENGINE = MergeTree ORDER BY k \
         SETTINGS non_replicated_deduplication_window = 1000",
        "CREATE TABLE rollup (k UInt8, n SimpleAggregateFunction(sum, UInt64), u AggregateFunction(uniq, String), \
         q AggregateFunction(quantilesTDigest(0.5), UInt64)) ENGINE = AggregatingMergeTree ORDER BY k \
         SETTINGS non_replicated_deduplication_window = 1000",
        "CREATE MATERIALIZED VIEW rolling TO rollup AS SELECT k, count() AS n, uniqState(s) AS u, \
         quantilesTDigestState(0.5)(v) AS q FROM facts GROUP BY k",
    ] {
        server.sql(statement).await;
    }
    let rows: String = (0..30_000)
        .map(|i| format!("{}\t{i}\ts{}\n", i % 3, i % 100))
        .collect();
    for token in ["a", "a", "b", "a"] {
        let settings = [
            ("query", "INSERT INTO facts FORMAT TSV"),
            ("insert_deduplication_token", token),
            ("deduplicate_blocks_in_dependent_materialized_views", "1"),
        ];
        server.sql_with(&settings, rows.clone()).await;
    }
    assert_eq!(server.sql("SELECT count() FROM facts").await, "60000");
    assert_eq!(
        server
            .sql("SELECT k, sum(n), uniqMerge(u) FROM rollup GROUP BY k ORDER BY k")
            .await,
        "0\t20000\t100\n1\t20000\t100\n2\t20000\t100"
    );
}

#[tokio::test]
async fn a_window_remembers_half_as_many_blocks_as_it_says() {
    let server = Server::start().await;
    let table = "CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 8";
    server.sql(table).await;
    // Of four blocks the first is known still; after the fifth it is not.
    for (token, rows) in [
        ("a", 1),
        ("b", 2),
        ("c", 3),
        ("d", 4),
        ("a", 4),
        ("e", 5),
        ("a", 6),
    ] {
        let settings = [
            ("query", "INSERT INTO t FORMAT TSV"),
            ("insert_deduplication_token", token),
        ];
        server.sql_with(&settings, "1\n").await;
        let there = server.sql("SELECT count() FROM t").await;
        assert_eq!(there, rows.to_string(), "after {token}");
    }
}

#[tokio::test]
async fn an_insert_makes_parts_of_a_servers_size_and_honours_its_own() {
    let server = Server::start().await;
    server
        .sql("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
        .await;
    server.sql("SYSTEM STOP MERGES t").await;
    let rows: Vec<u8> = (0..1_048_450_u64).flat_map(u64::to_le_bytes).collect();
    let parts = "SELECT arraySort(groupArray(rows)) FROM system.parts WHERE table = 't' AND active";
    let insert = ("query", "INSERT INTO t FORMAT RowBinary");
    assert!(
        server
            .post(&[insert])
            .body(rows.clone())
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    assert_eq!(server.sql(parts).await, "[1,1048449]");
    server.sql("TRUNCATE TABLE t").await;
    let small = [
        insert,
        ("max_insert_block_size", "400000"),
        ("min_insert_block_size_rows", "0"),
        ("min_insert_block_size_bytes", "0"),
    ];
    assert!(
        server
            .post(&small)
            .body(rows)
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    assert_eq!(server.sql(parts).await, "[248450,400000,400000]");
}

#[tokio::test]
async fn parts_merge_and_rows_expire_in_the_background() {
    let server = Server::start().await;
    server
        .sql("CREATE TABLE merging (n UInt64) ENGINE = MergeTree ORDER BY n")
        .await;
    server
        .sql(
            "CREATE TABLE expiring (at DateTime, n UInt64) ENGINE = MergeTree ORDER BY n \
             TTL at + INTERVAL 1 SECOND SETTINGS merge_with_ttl_timeout = 0",
        )
        .await;
    server
        .sql("INSERT INTO expiring SELECT now() - 100, number FROM numbers(10)")
        .await;
    for n in 0..40 {
        server.sql(format!("INSERT INTO merging VALUES ({n})")).await;
    }
    let state = "SELECT (SELECT count() FROM system.parts WHERE table = 'merging' AND active) < 40, \
                 (SELECT count() FROM expiring)";
    let give_up = Instant::now() + Duration::from_secs(60);
    while server.sql(state).await != "1\t0" {
        assert!(Instant::now() < give_up, "{}", server.sql(state).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.sql("SELECT count(), sum(n) FROM merging").await, "40\t780");
}

#[tokio::test]
async fn the_table_engines_of_a_server_are_there() {
    let server = Server::start().await;
    let engines = "SELECT count() FROM system.table_engines WHERE name IN \
                   ('Kafka', 'MergeTree', 'ReplicatedMergeTree', 'AggregatingMergeTree', 'ReplacingMergeTree')";
    assert_eq!(server.sql(engines).await, "5");
    server
        .sql(
            "CREATE TABLE queue (line String) ENGINE = Kafka SETTINGS kafka_broker_list = '127.0.0.1:1', \
             kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'LineAsString'",
        )
        .await;
    server.sql("DROP TABLE queue").await;
}

#[tokio::test]
async fn the_last_rows_of_several_parts_are_found_whatever_else_is_asked_of_them() {
    let server = Server::start().await;
    server
        .sql("CREATE TABLE t (kind LowCardinality(String), time DateTime64(3), text String) ENGINE = MergeTree ORDER BY kind")
        .await;
    for part in 0..3 {
        let rows = format!(
            "INSERT INTO t SELECT if(number % 2 = 0, 'even', 'odd'), toDateTime64({part} + number * 3, 3), \
             repeat('long', 50) FROM numbers(100000)"
        );
        server.sql(rows).await;
    }
    let last = "SELECT toUnixTimestamp(time) FROM t WHERE time > toDateTime64(5, 3) AND kind = 'even' AND text != '' \
                ORDER BY time DESC, text DESC LIMIT 1";
    assert_eq!(server.sql(last).await, "299996");
}
