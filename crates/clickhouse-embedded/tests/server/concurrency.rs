use crate::support::Server;
use clickhouse::{Client, Row};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Row, Serialize)]
struct Number {
    n: u64,
}

const CLIENTS: usize = 32;
const BATCHES: u64 = 20;
const BATCH: u64 = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_clients_query_while_one_inserts_and_see_only_whole_batches() {
    // Fewer permits than clients: some always wait.
    let server = Server::start_with(|command| {
        command.args(["--max-concurrent-queries", "8"]);
    })
    .await;
    let client = Client::default().with_url(&server.url);
    client
        .query("CREATE TABLE numbers (n UInt64) ENGINE = MergeTree ORDER BY n")
        .execute()
        .await
        .unwrap();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let queries: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (client, acknowledged) = (client.clone(), acknowledged.clone());
            tokio::spawn(async move {
                let mut asked = 0_u64;
                loop {
                    let before = acknowledged.load(Ordering::Acquire);
                    let (count, sum): (u64, u64) = client
                        .query("SELECT count(), sum(n) FROM numbers")
                        .fetch_one()
                        .await
                        .unwrap();
                    assert!(
                        count >= before && count % BATCH == 0,
                        "{count} rows, {before} acknowledged"
                    );
                    assert_eq!(sum, (0..count).sum::<u64>());
                    asked += 1;
                    if before == BATCHES * BATCH {
                        return asked;
                    }
                }
            })
        })
        .collect();
    for batch in 0..BATCHES {
        let mut insert = client.insert::<Number>("numbers").await.unwrap();
        for n in batch * BATCH..(batch + 1) * BATCH {
            insert.write(&Number { n }).await.unwrap();
        }
        insert.end().await.unwrap();
        acknowledged.fetch_add(BATCH, Ordering::AcqRel);
    }
    for query in queries {
        assert!(query.await.unwrap() > 0);
    }
}
