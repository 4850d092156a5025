//! Tables and charts, on the terminal and in `docs/benchmarks.md`. What was measured is written between the marks of its figure;
//! what people wrote around them stays.

mod chart;
mod document;
mod machine;
mod table;

use anyhow::{Context, Result};
use kaizen_testkit::workspace;

use crate::figure::Figure;

pub use chart::{Bar, Chart};
pub use table::{Table, grouped};

use document::Document;
use machine::describe;

const FOLDER: &str = "docs/benchmarks";

/// What a figure came to.
pub struct Section {
    /// Which one.
    pub figure: Figure,
    /// What is said of it, in Markdown.
    pub text: String,
    /// What is drawn of it.
    pub charts: Vec<Chart>,
    /// Whether everyone was measured; if not, it is shown and not written.
    pub whole: bool,
}

impl Section {
    /// One without a chart.
    pub const fn plain(figure: Figure, text: String) -> Self {
        Self {
            figure,
            text,
            charts: Vec::new(),
            whole: true,
        }
    }
}

/// What was found so far.
pub struct Report {
    /// When, on what and of what, as of the beginning: later the document itself has changed.
    circumstances: String,
    document: Document,
}

impl Report {
    /// A report into the document as it is.
    pub fn new() -> Result<Self> {
        let document = Document::open(workspace().join("docs/benchmarks.md"))?;
        for figure in Figure::ALL {
            document.check(figure.name())?;
        }
        Ok(Self {
            circumstances: describe()?,
            document,
        })
    }

    /// Shows a section, and writes it if it is whole.
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "a benchmark reports to the terminal"
    )]
    pub fn add(&mut self, section: Section) -> Result<()> {
        let (name, measured) = (section.figure.name(), &self.circumstances);
        println!("## {name}\n\n{measured}\n\n{}", section.text);
        if !section.whole {
            eprintln!("{name} is not written: not everyone was measured");
            return Ok(());
        }
        let mut text = format!("{measured}\n\n{}", section.text);
        std::fs::create_dir_all(workspace().join(FOLDER)).context(FOLDER)?;
        for chart in &section.charts {
            let path = format!("{FOLDER}/{}.svg", chart.name);
            std::fs::write(workspace().join(&path), chart.to_string()).context(path)?;
            text.push_str(&format!("\n![{}](benchmarks/{}.svg)\n", chart.title, chart.name));
        }
        self.document.write(name, &text)
    }
}
