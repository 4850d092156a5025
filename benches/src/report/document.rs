//! A Markdown file with marks: `<!-- bench: NAME -->` … `<!-- end: NAME -->`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

/// The file.
pub struct Document {
    path: PathBuf,
}

impl Document {
    /// One that can be read.
    pub fn open(path: PathBuf) -> Result<Self> {
        ensure!(path.is_file(), "{} is missing", path.display());
        Ok(Self { path })
    }

    /// Finds the marks of a name.
    ///
    /// # Errors
    /// They are not there; a run that could not write what it found should not begin.
    pub fn check(&self, name: &str) -> Result<()> {
        replace(&self.read()?, name, "").with_context(|| self.path.display().to_string())?;
        Ok(())
    }

    /// Puts the text between the marks of the name, in place of what is there.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = || self.path.display().to_string();
        let text = replace(&self.read()?, name, text).with_context(path)?;
        std::fs::write(&self.path, text).with_context(path)
    }

    fn read(&self) -> Result<String> {
        std::fs::read_to_string(&self.path).with_context(|| self.path.display().to_string())
    }
}

fn replace(document: &str, name: &str, text: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- bench: {name} -->"), format!("<!-- end: {name} -->"));
    let (before, rest) = document
        .split_once(&begin)
        .with_context(|| format!("no line `{begin}`"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("no line `{end}` after `{begin}`"))?;
    Ok(format!("{before}{begin}\n{}\n{end}{after}", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# A\n\n<!-- bench: x -->\nold\n<!-- end: x -->\n\nprose\n";

    #[test]
    fn only_what_is_between_the_marks_changes_and_twice_is_once() {
        let new = replace(DOCUMENT, "x", "new\n").unwrap();
        assert_eq!(new, "# A\n\n<!-- bench: x -->\nnew\n<!-- end: x -->\n\nprose\n");
        assert_eq!(replace(&new, "x", "new\n").unwrap(), new);
    }

    #[test]
    fn marks_that_are_missing_are_named() {
        let error = replace(DOCUMENT, "y", "").unwrap_err().to_string();
        assert_eq!(error, "no line `<!-- bench: y -->`");
        let error = replace("<!-- bench: x -->", "x", "").unwrap_err().to_string();
        assert_eq!(error, "no line `<!-- end: x -->` after `<!-- bench: x -->`");
    }
}
