//! A plot of one comparison: bars if it is of one size, else lines by size or number.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::measured::Contest;
use super::report::{number, ratio_in, with_unit};

/// Colours that people who see few of them can tell apart (those of Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0x55, 0x55, 0x55),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];

const FONT: &str = "sans-serif";

/// Draws the comparison into an SVG file.
pub fn draw(contest: &Contest, path: &Path) -> Result<()> {
    let drawn = if contest.points.iter().any(|point| point.x.is_some()) {
        lines(contest, path)
    } else {
        bars(contest, path)
    };
    drawn.map_err(|error| anyhow!("cannot draw: {error}"))
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn colour(index: usize) -> RGBColor {
    COLOURS[index % COLOURS.len()]
}

/// One bar a way, as long as it takes beside the first one, on a scale of factors.
fn bars(contest: &Contest, path: &Path) -> Drawn {
    let point = contest.points.first().ok_or("nothing was measured")?;
    let ratios: Vec<_> = point
        .ways
        .iter()
        .map(|way| way.over(&point.ways[0]))
        .collect();
    let (row, left, width) = (26, 290, 900);
    let height = 44 + row * i32::try_from(ratios.len())?;
    let area = SVGBackend::new(path, (width, height.try_into()?)).into_drawing_area();
    area.fill(&WHITE)?;
    let text = (FONT, 15).into_font().color(&BLACK);
    let title = format!("{}: times as long as {}", contest.name, point.ways[0].name);
    area.draw(&Text::new(
        title,
        (8, 10),
        (FONT, 16).into_font().color(&BLACK),
    ))?;
    let most = ratios.iter().map(|ratio| ratio.high).fold(1.0, f64::max);
    let long = f64::from(i32::try_from(width)? - left - 90);
    #[allow(clippy::cast_possible_truncation, reason = "less than the width")]
    let x = |ratio: f64| left + (ratio / most * long) as i32;
    for (i, (way, ratio)) in point.ways.iter().zip(&ratios).enumerate() {
        let top = 38 + row * i32::try_from(i)?;
        area.draw(&Text::new(way.name.clone(), (8, top + 3), text.clone()))?;
        let bar = [(left, top), (x(ratio.middle), top + row - 8)];
        area.draw(&Rectangle::new(bar, colour(i.min(1)).filled()))?;
        // Where eight of ten rounds lie.
        let middle = top + (row - 8) / 2;
        let range = [(x(ratio.low), middle), (x(ratio.high), middle)];
        area.draw(&PathElement::new(range, BLACK.stroke_width(1)))?;
        let at = (x(ratio.high.max(ratio.middle)) + 6, top + 3);
        area.draw(&Text::new(number(ratio.middle), at, text.clone()))?;
    }
    area.present()?;
    Ok(())
}

/// One line a way, over the sizes or numbers; both scales are of factors, unless there is a zero.
fn lines(contest: &Contest, path: &Path) -> Drawn {
    let area = SVGBackend::new(path, (900, 380)).into_drawing_area();
    area.fill(&WHITE)?;
    let points = &contest.points;
    let baseline = points.first().and_then(|point| point.ways.first());
    let baseline = baseline.ok_or("nothing was measured")?;
    let (mut least, mut most) = (1.0, 1.0);
    for way in contest.ways() {
        for ratio in points.iter().filter_map(|point| ratio_in(point, way)) {
            least = f64::min(least, ratio.middle);
            most = f64::max(most, ratio.middle);
        }
    }
    let title = format!("{}: times as long as {}", contest.name, baseline.name);
    // The sizes are far apart: each has a place of its own.
    let end = i32::try_from(points.len().saturating_sub(1))?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, (FONT, 16))
        .margin(10)
        .margin_right(30)
        .x_label_area_size(30)
        .y_label_area_size(60)
        .build_cartesian_2d(0..end, ((least * 0.8)..(most * 1.25)).log_scale())?;
    let x_name = |&index: &i32| {
        let point = usize::try_from(index)
            .ok()
            .and_then(|index| points.get(index));
        let x = point.and_then(|point| point.x);
        x.map_or(String::new(), with_unit)
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(WHITE)
        .x_labels(points.len())
        .x_label_formatter(&x_name)
        .y_label_formatter(&|ratio| number(*ratio))
        .label_style((FONT, 13))
        .draw()?;
    for (i, way) in contest.ways().into_iter().enumerate() {
        let line: Vec<(i32, f64)> = (0..)
            .zip(points)
            .filter_map(|(x, point)| Some((x, ratio_in(point, way)?.middle)))
            .collect();
        let style = colour(i).stroke_width(2);
        chart
            .draw_series(LineSeries::new(line, style).point_size(3))?
            .label(way)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 13))
        .draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::measured::Measured;
    use super::super::measured::tests::LINES;
    use super::*;

    #[test]
    fn both_kinds_are_drawn() {
        let measured = Measured::from_lines(LINES).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for contest in measured.contests() {
            let path = dir.path().join("plot.svg");
            draw(contest, &path).unwrap();
            let drawn = std::fs::read_to_string(path).unwrap();
            assert!(
                drawn.contains("two") && drawn.ends_with("</svg>\n"),
                "{drawn}"
            );
        }
    }
}
