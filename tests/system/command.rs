//! The `kaizen` command among other commands.

use std::fs::File;
use std::process::{Command, Stdio};

use anyhow::Result;
use kaizen_testkit::program;

fn completions(to: impl Into<Stdio>) -> Result<(Option<i32>, String)> {
    let mut command = Command::new(program("kaizen")?);
    let output = command
        .args(["completions", "bash"])
        .stdout(to)
        .stderr(Stdio::piped())
        .spawn()?
        .wait_with_output()?;
    Ok((output.status.code(), String::from_utf8(output.stderr)?))
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() -> Result<()> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    assert_eq!(completions(writer)?, (Some(0), String::new()));
    Ok(())
}

#[test]
fn output_that_cannot_be_written_is_a_failure_and_no_panic() -> Result<()> {
    let (code, said) = completions(File::options().write(true).open("/dev/full")?)?;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("kaizen: standard output: "), "{said}");
    Ok(())
}
