//! Line charts: a cost against a number, both on a logarithmic scale.

use std::{error::Error, ops::Range};

use plotters::prelude::*;

use crate::{
    chart::Theme,
    samples::{DISTURBED, RESOLUTION},
};

const SIZE: (u32, u32) = (760, 360);
/// Distance of a label from its line's end, in pixels.
const BESIDE: i32 = 10;
/// Height of a label, in pixels.
const LABEL: i32 = 14;

/// Data of a chart.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) title: String,
    /// Name of the horizontal axis.
    pub(crate) number: &'static str,
    /// Unit of the vertical axis.
    pub(crate) unit: &'static str,
    pub(crate) series: Vec<Series>,
}

/// A line.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Lines {
    /// Draws the chart.
    pub(crate) fn drawn(&self, theme: Theme) -> Result<String, Box<dyn Error>> {
        let mut drawing = String::new();
        {
            let all = SVGBackend::with_string(&mut drawing, SIZE).into_drawing_area();
            let text = |size: u32, colour| ("sans-serif", size).into_font().color(&hex(colour));
            let area = all.titled(&self.title, text(16, theme.text))?;
            let points = || self.series.iter().flat_map(|series| &series.points);
            let (x, y) = (
                range(points().map(|(x, _)| *x)),
                decades(points().map(|(_, y)| y.max(RESOLUTION))),
            );
            let mut chart = ChartBuilder::on(&area)
                .margin_right(150)
                .margin_top(8)
                .x_label_area_size(44)
                .y_label_area_size(58)
                .build_cartesian_2d(x.log_scale(), y.log_scale())?;
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(hex(theme.grid))
                .axis_style(hex(theme.faint))
                .label_style(text(12, theme.faint))
                .x_desc(self.number)
                .y_desc(self.unit)
                .x_label_formatter(&|x| format!("{x:.0}"))
                .y_label_formatter(&|y| format!("{y}"))
                .draw()?;
            let mut labels = Vec::new();
            for (index, series) in self.series.iter().enumerate() {
                let colour = hex(theme.line(index, series.name.starts_with("cutout")));
                let points: Vec<_> = series
                    .points
                    .iter()
                    .filter(|(_, y)| *y >= DISTURBED)
                    .map(|(x, y)| (*x, y.max(RESOLUTION)))
                    .collect();
                chart.draw_series(
                    LineSeries::new(points.clone(), colour.stroke_width(2)).point_size(3),
                )?;
                let end = points.last().map(|end| chart.backend_coord(end));
                labels.extend(end.map(|(x, y)| (y, x, &series.name)));
            }
            for (x, y, name) in apart(labels) {
                all.draw(&Text::new(name.as_str(), (x, y), text(12, theme.text)))?;
            }
            all.present()?;
        }
        Ok(drawing)
    }
}

/// The range of an axis from the least to the largest value.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let least = values.clone().fold(f64::MAX, f64::min);
    least..values.fold(f64::MIN, f64::max)
}

/// The range of an axis: whole powers of ten around all values.
fn decades(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let Range { start, end } = range(values);
    let decade = |value: f64| 10_f64.powf(value);
    decade(start.log10().floor())..decade(end.log10().ceil())
}

/// Moves labels down until none covers another. They are beside `(y, x)`.
fn apart(mut labels: Vec<(i32, i32, &String)>) -> Vec<(i32, i32, &String)> {
    labels.sort_unstable();
    let mut free = i32::MIN;
    for (y, x, _) in &mut labels {
        *y = (*y - LABEL / 2).max(free);
        *x += BESIDE;
        free = *y + LABEL;
    }
    let turned = labels.into_iter().map(|(y, x, name)| (x, y, name));
    turned.collect()
}

/// A colour of a theme.
fn hex(colour: &str) -> RGBColor {
    let part = |index: usize| {
        let digits = colour.get(index..index + 2).unwrap_or_default();
        u8::from_str_radix(digits, 16).unwrap_or_default()
    };
    RGBColor(part(1), part(3), part(5))
}
