//! What was measured: for each comparison the times of each way, round by round.

use anyhow::{Context, Result};
use serde::Deserialize;

/// A line of the program that measures.
#[derive(Deserialize)]
struct Line {
    contest: String,
    x: Option<u64>,
    way: String,
    nanoseconds: Vec<f64>,
}

/// A comparison of several ways, the first of which the others are compared with.
pub struct Contest {
    pub name: String,
    /// By size or number; one without if there is only one.
    pub points: Vec<Point>,
}

/// The comparison for one size or number.
pub struct Point {
    pub x: Option<u64>,
    pub ways: Vec<Way>,
}

pub struct Way {
    pub name: String,
    /// Round by round.
    pub nanoseconds: Vec<f64>,
}

/// How much longer one way takes than another: the middle of all rounds, and where eight of ten lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    pub middle: f64,
    pub low: f64,
    pub high: f64,
}

/// All comparisons, in the order of the program.
pub struct Measured {
    contests: Vec<Contest>,
}

impl Measured {
    pub fn from_lines(lines: &str) -> Result<Self> {
        let mut contests: Vec<Contest> = Vec::new();
        for line in lines.lines() {
            let line: Line = serde_json::from_str(line).with_context(|| line.to_owned())?;
            let found = contests.iter().position(|c| c.name == line.contest);
            let index = found.unwrap_or_else(|| {
                contests.push(Contest {
                    name: line.contest,
                    points: Vec::new(),
                });
                contests.len() - 1
            });
            let points = &mut contests[index].points;
            if points.last().is_none_or(|point| point.x != line.x) {
                points.push(Point {
                    x: line.x,
                    ways: Vec::new(),
                });
            }
            let point = points.last_mut().expect("there is one now");
            point.ways.push(Way {
                name: line.way,
                nanoseconds: line.nanoseconds,
            });
        }
        Ok(Self { contests })
    }

    pub fn contests(&self) -> &[Contest] {
        &self.contests
    }

    pub fn contest(&self, name: &str) -> Option<&Contest> {
        self.contests.iter().find(|contest| contest.name == name)
    }
}

impl Contest {
    /// The names of the ways, in the order in which they first appear.
    pub fn ways(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for way in self.points.iter().flat_map(|point| &point.ways) {
            if !names.contains(&&*way.name) {
                names.push(&way.name);
            }
        }
        names
    }
}

impl Point {
    pub fn way(&self, name: &str) -> Option<&Way> {
        self.ways.iter().find(|way| way.name == name)
    }
}

impl Way {
    /// How much longer this takes than `other`, which was measured in the same rounds.
    pub fn over(&self, other: &Self) -> Ratio {
        let pairs = self.nanoseconds.iter().zip(&other.nanoseconds);
        let mut ratios: Vec<f64> = pairs.map(|(this, other)| this / other).collect();
        ratios.sort_by(f64::total_cmp);
        let last = ratios.len().saturating_sub(1);
        let at = |tenths: usize| ratios.get(last * tenths / 10).copied();
        Ratio {
            middle: at(5).unwrap_or(f64::NAN),
            low: at(1).unwrap_or(f64::NAN),
            high: at(9).unwrap_or(f64::NAN),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Two comparisons: one of two ways, and one by size.
    pub const LINES: &str = r#"{"contest":"a","x":null,"way":"one","nanoseconds":[10,20,30]}
{"contest":"a","x":null,"way":"two","nanoseconds":[20,40,90]}
{"contest":"b","x":8,"way":"one","nanoseconds":[1,1,1]}
{"contest":"b","x":8,"way":"two","nanoseconds":[4,4,4]}
{"contest":"b","x":4096,"way":"one","nanoseconds":[2,2,2]}
"#;

    #[test]
    fn ratios_are_those_of_one_round() {
        let measured = Measured::from_lines(LINES).unwrap();
        let point = &measured.contest("a").unwrap().points[0];
        let ratio = point.ways[1].over(&point.ways[0]);
        let expected = Ratio {
            middle: 2.0,
            low: 2.0,
            high: 2.0,
        };
        assert_eq!(ratio, expected);
    }

    #[test]
    fn comparisons_have_points_and_ways() {
        let measured = Measured::from_lines(LINES).unwrap();
        let b = measured.contest("b").unwrap();
        assert_eq!(b.points.len(), 2);
        assert_eq!(b.ways(), ["one", "two"]);
        assert!(b.points[1].way("two").is_none());
        assert!(measured.contest("c").is_none());
        assert!(Measured::from_lines("{}").is_err());
    }
}
