use crate::support::Server;
use tokio::process::Command;

async fn run(client: &str) {
    let server = Server::start_with(|command| {
        command
            .env("CLICKHOUSE_PASSWORD", "s3cret'x")
            .args(["--user", "ada"]);
    })
    .await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients/run.sh");
    let output = Command::new(script)
        .args([client, &server.url, "ada", "s3cret'x"])
        .output()
        .await
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}

#[tokio::test]
async fn clickhouse_connect_for_python_works_unchanged() {
    run("python").await;
}

#[tokio::test]
async fn the_node_client_works_unchanged() {
    run("node").await;
}
