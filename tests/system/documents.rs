//! The documents of this repository speak of files that exist.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use kaizen_testkit::workspace;

const DOCUMENTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/benchmarks.md",
    "docs/operations.md",
    "docs/otlp.md",
    "docs/scaling.md",
    "docs/scenarios.md",
    "docs/statistics.md",
    "sdk/python/README.md",
    "sdk/rust/README.md",
    "docs/adr/0001-clickhouse-engine-in-one-process.md",
    "docs/adr/0002-kafka-in-clickhouse-behind.md",
    "docs/adr/0003-three-services.md",
    "docs/adr/0004-relational-ledger.md",
    "docs/adr/0006-replays-in-one-transaction.md",
];
/// What a path in backticks begins with.
const TOP: &[&str] = &[
    "benches/",
    "cli/",
    "config/",
    "crates/",
    "deploy/",
    "docs/",
    "fuzz/",
    "proto/",
    "sdk/",
    "services/",
    "tests/",
    "web/",
];

#[test]
fn every_path_and_link_in_the_documents_exists() -> Result<()> {
    let mut missing = Vec::new();
    let mut seen = 0;
    for document in DOCUMENTS {
        let text =
            std::fs::read_to_string(workspace().join(document)).with_context(|| (*document).to_owned())?;
        let folder = workspace().join(document);
        let folder = folder.parent().context("a folder")?;
        for (base, path) in paths(&text)
            .map(|path| (workspace(), path))
            .chain(links(&text).map(|link| (folder, link)))
        {
            seen += 1;
            if !exists(base, path) {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    ensure!(missing.is_empty(), "{missing:#?}");
    ensure!(
        seen > 50,
        "the documents name only {seen} paths: are they still read?"
    );
    Ok(())
}

/// A service's own `config/base.yaml` is spoken of without its folder.
fn exists(base: &Path, path: &str) -> bool {
    base.join(path).exists() || base.join("services/collector").join(path).exists()
}

/// Paths in backticks, from the root of the repository.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split('`').skip(1).step_by(2);
    code.filter(|code| TOP.iter().any(|top| code.starts_with(top)) && !code.contains(char::is_whitespace))
}

/// Targets of links to files, from the document's folder.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with('#'))
}
