use crate::support::Server;
use kaizen_testkit::Disk;
use std::collections::HashMap;
use tempfile::TempDir;

const BATCH: u64 = 5_000;
const ROUNDS: u64 = 5;

fn batch(id: u64) -> Vec<u8> {
    (0..BATCH)
        .flat_map(|row| [id.to_le_bytes(), row.to_le_bytes()].concat())
        .collect()
}

/// Inserts batches one after the other, killing the server in the middle of one; returns the last one acknowledged
/// and the first one not even begun.
async fn insert_until_killed(server: Server, first: u64, kill_after: u64) -> (Option<u64>, u64) {
    let url = server.url.clone();
    let (acknowledge, mut acknowledged) = tokio::sync::watch::channel(None);
    let inserting = tokio::spawn(async move {
        let client = reqwest::Client::new();
        for id in first.. {
            let insert = client
                .post(&url)
                .query(&[("query", "INSERT INTO batches FORMAT RowBinary")])
                .body(batch(id))
                .send()
                .await;
            match insert {
                Ok(response) if response.status().is_success() => acknowledge.send_replace(Some(id)),
                _ => return id + 1,
            };
        }
        unreachable!("ids do not end")
    });
    acknowledged
        .wait_for(|last| *last >= Some(first + kill_after))
        .await
        .unwrap();
    server.kill_9().await;
    let next = inserting.await.unwrap();
    let last = *acknowledged.borrow();
    (last, next)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_acknowledged_inserts_are_there_and_the_others_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::start_in(folder.path(), |_| ()).await;
    server
        .sql("CREATE TABLE batches (id UInt64, row UInt64) ENGINE = MergeTree ORDER BY (id, row)")
        .await;
    let mut next = 0;
    for round in 0..ROUNDS {
        let first = next;
        let (last, after) = insert_until_killed(server, first, round * 3).await;
        next = after;
        server = Server::start_in(folder.path(), |_| ()).await;
        let found: HashMap<u64, String> = server
            .sql("SELECT id, count(), uniqExact(row) FROM batches GROUP BY id")
            .await
            .lines()
            .map(|line| line.split_once('\t').unwrap())
            .map(|(id, counts)| (id.parse().unwrap(), counts.to_owned()))
            .collect();
        for id in first..=last.unwrap() {
            assert!(
                found.contains_key(&id),
                "batch {id} was acknowledged and is lost in round {round}"
            );
        }
        let whole = format!("{BATCH}\t{BATCH}");
        assert!(
            found.values().all(|counts| *counts == whole),
            "a batch is torn: {found:?}"
        );
    }
    assert_eq!(server.terminate().await, Some(0));
}

/// As a crash leaves it between the note of a block and the move of its part; here the part is removed by hand.
#[tokio::test]
async fn an_insert_whose_part_a_crash_has_lost_is_stored_when_it_is_repeated() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_in(folder.path(), |_| ()).await;
    let settings = "SETTINGS non_replicated_deduplication_window = 100";
    for statement in [
        format!("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n {settings}"),
        format!("CREATE TABLE sums (n UInt64) ENGINE = SummingMergeTree ORDER BY tuple() {settings}"),
        "CREATE MATERIALIZED VIEW v TO sums AS SELECT sum(n) AS n FROM t".to_owned(),
    ] {
        server.sql(statement).await;
    }
    let insert = async |server: &Server, n: u64| {
        let settings = [
            ("insert_deduplication_token", n.to_string()),
            (
                "deduplicate_blocks_in_dependent_materialized_views",
                "1".to_owned(),
            ),
        ];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        server
            .sql_with(&settings, format!("INSERT INTO t VALUES ({n})"))
            .await;
    };
    insert(&server, 1).await;
    insert(&server, 2).await;
    let path = "SELECT path FROM system.parts WHERE table = 'sums' AND active ORDER BY max_block_number DESC LIMIT 1";
    let lost = server.sql(path).await;
    server.kill_9().await;
    std::fs::remove_dir_all(lost).unwrap();
    let server = Server::start_in(folder.path(), |_| ()).await;
    assert_eq!(server.sql("SELECT sum(n) FROM sums").await, "1");
    for _ in 0..2 {
        insert(&server, 1).await;
        insert(&server, 2).await;
    }
    let sums = "SELECT (SELECT sum(n) FROM t) AS rows, (SELECT sum(n) FROM sums) AS sums";
    assert_eq!(server.sql(sums).await, "3\t3");
}

#[tokio::test]
async fn state_survives_a_graceful_stop() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_in(folder.path(), |_| ()).await;
    server.sql("CREATE DATABASE kaizen").await;
    server
        .sql("CREATE TABLE kaizen.t (n UInt64) ENGINE = MergeTree ORDER BY n")
        .await;
    server.sql("INSERT INTO kaizen.t VALUES (1), (2)").await;
    assert_eq!(server.terminate().await, Some(0));
    let server = Server::start_in(folder.path(), |_| ()).await;
    assert_eq!(
        server
            .sql_with(&[("database", "kaizen")], "SELECT sum(n) FROM t")
            .await,
        "3"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_server_and_what_was_acknowledged_is_there_and_whole() {
    if !Disk::is_possible() {
        eprintln!("this process may not mount");
        return;
    }
    let disk = Disk::mount().unwrap();
    let folder = disk.path().join("data");
    let server = Server::start_in(&folder, |_| ()).await;
    server
        .sql("CREATE TABLE texts (id UInt64, text String) ENGINE = MergeTree ORDER BY id")
        .await;
    let insert = |id: u64, rows: u64| {
        format!("INSERT INTO texts SELECT {id}, randomPrintableASCII(1000) FROM numbers({rows})")
    };
    for id in 0..3 {
        server.sql(insert(id, 100)).await;
    }
    // As much as it reserves before it begins; the data take nearly all of it, and the small files beside them have no room
    disk.fill((1 << 20) + 8_192).unwrap();
    let refused = server.post(&[]).body(insert(3, 1_020)).send().await;
    assert!(
        !refused.is_ok_and(|it| it.status().is_success()),
        "it was not written"
    );
    assert_eq!(server.ended().await, Some(74));
    disk.free().unwrap();
    let server = Server::start_in(&folder, |_| ()).await;
    assert_eq!(
        server
            .sql("SELECT count(), max(id), sum(length(text)) FROM texts")
            .await,
        "300\t2\t300000"
    );
    assert_eq!(server.sql("SELECT count() FROM system.detached_parts").await, "0");
    server.sql(insert(3, 1_020)).await;
    assert_eq!(server.sql("SELECT count() FROM texts").await, "1320");
}
