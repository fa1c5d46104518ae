//! The text of the report, whose numbers are names until they are measured.

use std::fmt::Write;

use anyhow::{Context, Result, bail};

use super::measured::{Contest, Measured, Point, Ratio};

/// Fills in what stands between double braces:
/// * `plot: CONTEST`, `table: CONTEST`;
/// * `CONTEST | SLOW / FAST`, how many times as long one way takes as another; `CONTEST @ X | SLOW / FAST`
///   for the size or number `X`;
/// * `counts`, `sizes`: the tables of those.
pub fn fill(text: &str, measured: &Measured, counts: Option<&str>, sizes: &str) -> Result<String> {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a {{ without its }}")?;
        filled += before;
        filled += &match name.trim() {
            "counts" => counts.unwrap_or("Not counted.").to_owned(),
            "sizes" => sizes.to_owned(),
            name => value(name, measured).with_context(|| format!("{{{{{name}}}}}"))?,
        };
        rest = after;
    }
    Ok(filled + rest)
}

fn value(name: &str, measured: &Measured) -> Result<String> {
    let contest = |name: &str| {
        let name = name.trim();
        let found = measured.contest(name);
        found.with_context(|| format!("nothing was measured that is called {name}"))
    };
    if let Some(name) = name.strip_prefix("plot:") {
        let contest = contest(name)?;
        let file = file_name(&contest.name);
        return Ok(format!("![{}](performance/{file})", contest.name));
    }
    if let Some(name) = name.strip_prefix("table:") {
        return Ok(table(contest(name)?));
    }
    let Some((which, ways)) = name.split_once('|') else {
        bail!("neither a plot, nor a table, nor a ratio");
    };
    let (contest, x) = match which.split_once('@') {
        None => (contest(which)?, None),
        Some((which, x)) => (contest(which)?, Some(x.trim().parse()?)),
    };
    let point = contest.points.iter().find(|point| point.x == x);
    let point = point.with_context(|| format!("nothing was measured at {x:?}"))?;
    let (slow, fast) = ways.split_once(" / ").context("no ` / `")?;
    let way = |name: &str| {
        let name = name.trim();
        point
            .way(name)
            .with_context(|| format!("no way is called {name}"))
    };
    Ok(number(way(slow)?.over(way(fast)?).middle))
}

/// With as many digits as mean something.
pub fn number(ratio: f64) -> String {
    let digits = match ratio {
        ratio if ratio >= 10.0 => 0,
        ratio if ratio >= 0.995 => 1,
        _ => 2,
    };
    format!("{ratio:.digits$}")
}

/// A table: how many times as long each way takes as the first one.
pub fn table(contest: &Contest) -> String {
    let ways = contest.ways();
    let mut table = String::new();
    let by_number = contest.points.iter().any(|point| point.x.is_some());
    if !by_number {
        table += "| way | times as long | in eight of ten rounds |\n|---|---:|---:|\n";
        let Some(point) = contest.points.first() else {
            return table;
        };
        for way in &point.ways {
            let Ratio { middle, low, high } = way.over(&point.ways[0]);
            let (low, high) = (number(low), number(high));
            let _infallible = writeln!(
                table,
                "| {} | {} | {low} to {high} |",
                way.name,
                number(middle)
            );
        }
        return table;
    }
    table += "| |";
    for way in &ways {
        let _infallible = write!(table, " {way} |");
    }
    table += "\n|---:|";
    table += &"---:|".repeat(ways.len());
    table += "\n";
    for point in &contest.points {
        let _infallible = write!(table, "| {} |", point.x.map_or(String::new(), with_unit));
        for way in &ways {
            let cell = ratio_in(point, way).map_or("-".to_owned(), |ratio| number(ratio.middle));
            let _infallible = write!(table, " {cell} |");
        }
        table += "\n";
    }
    table
}

/// How many times as long the way takes as the first one.
pub fn ratio_in(point: &Point, way: &str) -> Option<Ratio> {
    Some(point.way(way)?.over(point.ways.first()?))
}

/// A number in the binary unit that it is a multiple of.
pub fn with_unit(x: u64) -> String {
    const UNITS: [&str; 4] = ["", " KiB", " MiB", " GiB"];
    let (mut x, mut unit) = (x, 0);
    while x >= 1024 && x % 1024 == 0 && unit < 3 {
        x /= 1024;
        unit += 1;
    }
    format!("{x}{}", UNITS[unit])
}

/// `a file of 1 GiB.svg` without what is not a letter or a digit.
pub fn file_name(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-") + ".svg"
}

#[cfg(test)]
mod tests {
    use super::super::measured::tests::LINES;
    use super::*;

    #[test]
    fn names_become_numbers() {
        let measured = Measured::from_lines(LINES).unwrap();
        let fill = |text: &str| fill(text, &measured, None, "sizes");
        assert_eq!(
            fill("{{a | two / one}} times, {{ b @ 8 | one / two }}.").unwrap(),
            "2.0 times, 0.25."
        );
        assert_eq!(fill("{{plot: a}}").unwrap(), "![a](performance/a.svg)");
        assert_eq!(
            fill("{{sizes}}, {{counts}}").unwrap(),
            "sizes, Not counted."
        );
        let table = fill("{{table: b}}").unwrap();
        assert!(
            table.contains("| 8 | 1.0 | 4.0 |\n| 4 KiB | 1.0 | - |"),
            "{table}"
        );
        for wrong in [
            "{{c | two / one}}",
            "{{a | three / one}}",
            "{{a @ 8 | two / one}}",
            "{{a}}",
            "{{a | two",
        ] {
            assert!(fill(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn file_names_are_plain() {
        assert_eq!(
            file_name("1,000 cold reads of 4 KiB"),
            "1-000-cold-reads-of-4-kib.svg"
        );
    }
}
