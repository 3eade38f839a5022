//! Bar charts: a row for each name, with a bar for each number of threads.

use std::ops::RangeInclusive;

use svg::{
    Document,
    node::element::{Group, Line, Rectangle, Text},
};

use crate::samples::{DISTURBED, RESOLUTION};

/// Data of a chart.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// Names of the bars in each row.
    pub(crate) series: Vec<String>,
    pub(crate) unit: &'static str,
    /// Rows, each with a value for each series.
    pub(crate) rows: Vec<Row>,
}

/// The bars of one name.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) values: Vec<f64>,
}

/// Colours of a light or dark page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Theme {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) faint: &'static str,
    pub(crate) grid: &'static str,
    /// Colours of cutout's bars, by series.
    ours: [&'static str; 3],
    others: [&'static str; 3],
}

impl Theme {
    /// The colour of a line, by its index.
    pub(crate) fn line(&self, index: usize, is_ours: bool) -> &'static str {
        let shades = if is_ours { self.ours } else { self.others };
        shades[index % shades.len()]
    }
}

/// The light and the dark theme.
pub(crate) const THEMES: [Theme; 2] = [
    Theme {
        name: "light",
        text: "#1f2328",
        faint: "#59636e",
        grid: "#d1d9e0",
        ours: ["#0a7d5a", "#57b894", "#a5dcc6"],
        others: ["#6e7781", "#a5adb5", "#ced3d8"],
    },
    Theme {
        name: "dark",
        text: "#f0f6fc",
        faint: "#9198a1",
        grid: "#3d444d",
        ours: ["#3fcf9c", "#238a66", "#15573f"],
        others: ["#9aa4af", "#656d76", "#444c56"],
    },
];

/// Powers of ten, from tenths of a nanosecond to seconds.
const DECADES: RangeInclusive<i32> = -1..=9;
const WIDTH: f64 = 760.0;
const NAMES: f64 = 232.0;
const VALUES: f64 = 70.0;
const BAR: f64 = 12.0;
const BETWEEN_ROWS: f64 = 10.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 30.0;
const FONT: &str =
    "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif";

impl Chart {
    /// Draws the chart. The scale is logarithmic; a grid line is ten times the previous one.
    pub(crate) fn drawn(&self, theme: Theme) -> String {
        let scale = Scale::of(self.rows.iter().flat_map(|row| &row.values));
        let bars = count(self.series.len());
        let row_height = bars * BAR + BETWEEN_ROWS;
        let height = TOP + count(self.rows.len()) * row_height + BOTTOM;
        let mut drawing = Document::new()
            .set("viewBox", (0, 0, WIDTH, height))
            .set("width", WIDTH)
            .set("height", height)
            .set("role", "img")
            .set("aria-label", self.title.clone())
            .set("font-family", FONT)
            .set("font-size", 12)
            .add(
                text(0.0, 16.0, &self.title, theme.text)
                    .set("font-size", 15)
                    .set("font-weight", 600),
            )
            .add(self.legend(theme));
        for value in scale.decades() {
            drawing = drawing
                .add(grid_line(scale.x_of(value), height, theme))
                .add(
                    text(
                        scale.x_of(value),
                        height - 10.0,
                        &value.to_string(),
                        theme.faint,
                    )
                    .set("text-anchor", "middle"),
                );
        }
        drawing = drawing.add(
            text(
                WIDTH - 4.0,
                40.0,
                &format!("{}, log scale", self.unit),
                theme.faint,
            )
            .set("text-anchor", "end"),
        );
        for (index, row) in self.rows.iter().enumerate() {
            let y = TOP + count(index) * row_height;
            drawing = drawing.add(row.drawn(y, &scale, theme));
        }
        drawing.to_string() + "\n"
    }

    /// Draws the legend: the shades of each series.
    fn legend(&self, theme: Theme) -> Group {
        let mut legend = Group::new();
        let mut x = 0.0;
        for (index, name) in self.series.iter().enumerate() {
            let shades = [theme.ours[index % 3], theme.others[index % 3]];
            for shade in shades {
                legend = legend.add(bar(x, 30.0, 10.0, shade));
                x += 12.0;
            }
            legend = legend.add(text(x + 4.0, 40.0, name, theme.faint));
            x += 100.0;
        }
        legend
    }
}

impl Row {
    fn drawn(&self, y: f64, scale: &Scale, theme: Theme) -> Group {
        let is_ours = self.name.starts_with("cutout");
        let shades = if is_ours { theme.ours } else { theme.others };
        let middle = y + count(self.values.len()) * BAR / 2.0 + 4.0;
        let name = text(NAMES - 10.0, middle, &self.name, theme.text).set("text-anchor", "end");
        let name = if is_ours {
            name.set("font-weight", 600)
        } else {
            name
        };
        let mut row = Group::new().add(name);
        for (index, value) in self.values.iter().enumerate() {
            let top = y + count(index) * BAR;
            let end = scale.x_of(*value);
            row = row
                .add(bar(NAMES, top, end - NAMES, shades[index % 3]))
                .add(text(end + 6.0, top + 9.5, &figure(*value), theme.faint).set("font-size", 11));
        }
        row
    }
}

/// Range of the axis, as powers of ten.
struct Scale {
    from: i32,
    to: i32,
}

impl Scale {
    fn of<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> Self {
        let least = values.clone().copied().fold(f64::MAX, f64::min);
        let most = values.copied().fold(RESOLUTION, f64::max);
        let from = DECADES
            .rev()
            // Leave room for a visible bar of the smallest value.
            .find(|decade| power(*decade) <= least.max(RESOLUTION) / 2.0);
        let to = DECADES.into_iter().find(|decade| power(*decade) >= most);
        let (from, to) = (from.unwrap_or(-1), to.unwrap_or(9));
        Self {
            from,
            to: to.max(from + 1),
        }
    }

    fn decades(&self) -> impl Iterator<Item = f64> + use<> {
        (self.from..=self.to).map(power)
    }

    /// Returns the position of a value. A value below the resolution still gets a thin bar.
    fn x_of(&self, value: f64) -> f64 {
        let decades = f64::from(self.to - self.from);
        let fraction = (value.max(power(self.from)).log10() - f64::from(self.from)) / decades;
        NAMES + 2.0 + fraction * (WIDTH - NAMES - VALUES)
    }
}

fn power(exponent: i32) -> f64 {
    10_f64.powi(exponent)
}

/// Formats a number for a chart.
fn figure(value: f64) -> String {
    if value < DISTURBED {
        "disturbed".into()
    } else if value < RESOLUTION {
        format!("< {RESOLUTION}")
    } else if value < 9.95 {
        format!("{value:.1}")
    } else {
        thousands(value)
    }
}

/// Formats a whole number with separated thousands.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut apart = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            apart.push(' ');
        }
        apart.push(digit);
    }
    apart
}

fn count(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

fn bar(x: f64, y: f64, width: f64, colour: &str) -> Rectangle {
    Rectangle::new()
        .set("x", x)
        .set("y", y)
        .set("width", format!("{width:.1}"))
        .set("height", BAR - 1.0)
        .set("rx", 1.5)
        .set("fill", colour)
}

fn text(x: f64, y: f64, text: &str, colour: &str) -> Text {
    Text::new(text)
        .set("x", format!("{x:.1}"))
        .set("y", format!("{y:.1}"))
        .set("fill", colour)
}

fn grid_line(x: f64, height: f64, theme: Theme) -> Line {
    Line::new()
        .set("x1", format!("{x:.1}"))
        .set("x2", format!("{x:.1}"))
        .set("y1", TOP - 6.0)
        .set("y2", height - 24.0)
        .set("stroke", theme.grid)
}
