//! Bars, one below the other, as SVG that is light and needs nothing else.

use std::fmt;

use super::grouped;

/// Bars of one kind.
pub struct Chart {
    /// Name of its file, without the ending.
    pub name: &'static str,
    /// What the bars say.
    pub title: String,
    /// Those without a value are left out.
    pub bars: Vec<Bar>,
}

/// One of them.
pub struct Bar {
    /// Whose it is.
    pub label: String,
    /// How long it is.
    pub value: f64,
    /// Whether it is the one to look at.
    pub own: bool,
}

const WIDTH: f64 = 800.0;
const LABELS: f64 = 320.0;
/// Room for the number after the longest bar.
const NUMBERS: f64 = 80.0;
const HEAD: f64 = 36.0;
const LINE: f64 = 26.0;

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bars: Vec<_> = self.bars.iter().filter(|bar| bar.value > 0.0).collect();
        let longest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        let height = HEAD + LINE * bars.len() as f64 + 8.0;
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif" font-size="13">"#
        )?;
        writeln!(f, "<title>{}</title>", escaped(&self.title))?;
        writeln!(f, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        writeln!(
            f,
            r##"<text x="8" y="22" font-size="15" font-weight="bold" fill="#222">{}</text>"##,
            escaped(&self.title)
        )?;
        for (place, bar) in bars.iter().enumerate() {
            let top = HEAD + LINE * place as f64;
            let length = bar.value / longest * (WIDTH - LABELS - NUMBERS);
            let colour = if bar.own { "#c2410c" } else { "#94a3b8" };
            writeln!(
                f,
                r##"<text x="{}" y="{}" text-anchor="end" fill="#222">{}</text><rect x="{LABELS}" y="{top}" width="{length:.1}" height="18" fill="{colour}"/><text x="{:.1}" y="{}" fill="#222">{}</text>"##,
                LABELS - 8.0,
                top + 14.0,
                escaped(&bar.label),
                LABELS + length + 6.0,
                top + 14.0,
                grouped(bar.value as u64),
            )?;
        }
        f.write_str("</svg>\n")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_one_without_a_value_is_left_out() {
        let bar = |label: &str, value| Bar {
            label: label.to_owned(),
            value,
            own: false,
        };
        let chart = Chart {
            name: "c",
            title: "R&D".to_owned(),
            bars: vec![bar("long", 2000.0), bar("half", 1000.0), bar("none", 0.0)],
        };
        let svg = chart.to_string();
        assert!(
            svg.contains(r#"width="400.0""#) && svg.contains(r#"width="200.0""#),
            "{svg}"
        );
        assert!(
            svg.contains(">2,000<") && !svg.contains("none") && svg.contains("R&amp;D"),
            "{svg}"
        );
    }
}
