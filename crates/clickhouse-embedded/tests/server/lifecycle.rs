use crate::support::{Server, command};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Runs a server that must refuse to start; returns its one line of error.
async fn refusal(folder: &TempDir, arguments: &[&str]) -> String {
    let output = command(folder.path()).args(arguments).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "it said it was ready");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_start_is_told_in_one_line() {
    let folder = TempDir::new().unwrap();
    let running = Server::start_in(folder.path(), |_| ()).await;
    let owner = format!("process {}", running.id());

    let line = refusal(&folder, &[]).await;
    assert!(
        line.contains("is in use") && line.contains(&owner) && line.contains(folder.path().to_str().unwrap())
    );

    let other = TempDir::new().unwrap();
    let address = running.url.trim_start_matches("http://");
    let line = refusal(&other, &["--listen", address]).await;
    let port = address.rsplit(':').next().unwrap();
    assert!(
        line.contains(port) && line.contains(&format!("clickhouse-embedded ({owner})")),
        "{line}"
    );

    let line = refusal(&other, &["--library", "/no/such/libchdb.so"]).await;
    assert!(
        line.contains("/no/such/libchdb.so is missing: run deploy/chdb/install.sh"),
        "{line}"
    );

    let line = refusal(&other, &["--library", "/bin/sh"]).await;
    assert!(line.contains("/bin/sh cannot be loaded"), "{line}");

    let line = refusal(&other, &["--listen", "0.0.0.0:0"]).await;
    assert!(line.contains("CLICKHOUSE_PASSWORD"), "{line}");
}

#[tokio::test]
async fn a_stop_waits_for_quick_requests_and_stops_endless_ones() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_in(folder.path(), |_| ()).await;
    let endless = "SELECT count() FROM system.numbers WHERE sipHash64(number) = 7";
    let quick = tokio::spawn(server.post(&[]).body("SELECT sleep(2), 'slept'").send());
    let endless = tokio::spawn(server.post(&[]).body(endless).send());
    while server.sql("SELECT count() FROM system.processes").await != "3" {}
    let begun = Instant::now();
    assert_eq!(server.terminate().await, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(quick.await.unwrap().unwrap().text().await.unwrap(), "0\tslept\n");
    assert_eq!(crate::support::code(&endless.await.unwrap().unwrap()), 394);
}
