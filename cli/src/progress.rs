//! Progress of long work on standard error: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::{count, note};

/// Time between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// Work that is under way.
pub struct Progress {
    what: &'static str,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
    done: u64,
}

impl Progress {
    /// Work of `total` steps, if that is known.
    pub fn new(what: &'static str, total: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let template = match total {
                Some(_) => "{prefix} {bar:30} {human_pos}/{human_len} {per_sec} {eta}",
                None => "{prefix} {spinner} {human_pos} {per_sec}",
            };
            // A template that does not parse leaves the default one.
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.with_style(style).with_prefix(what)
        });
        let began = Instant::now();
        Self {
            what,
            total,
            bar,
            began,
            told: began,
            done: 0,
        }
    }

    /// So many steps are done.
    pub fn at(&mut self, done: u64) {
        self.done = done;
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None if self.told.elapsed() >= LINE => {
                self.told = Instant::now();
                let of = self
                    .total
                    .map_or_else(String::new, |total| format!(" of {}", count(total)));
                note(format_args!("{}: {}{of}", self.what, count(done)));
            }
            None => {}
        }
    }

    /// All is done.
    pub fn end(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let seconds = self.began.elapsed().as_secs_f64();
        note(format_args!(
            "{}: {} in {seconds:.1} s",
            self.what,
            count(self.done)
        ));
    }
}
