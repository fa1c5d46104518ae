//! How ways to the same end are timed: one after the other, round by round, so that what the machine
//! does meanwhile meets all of them alike. Only the ratios of one round mean something.

use std::time::{Duration, Instant};

/// One way to the end.
pub struct Way<'a> {
    name: &'a str,
    /// Does it so many times, and returns how long that took.
    work: Box<dyn FnMut(u32) -> Duration + 'a>,
}

impl<'a> Way<'a> {
    /// All that `work` does is timed.
    pub fn new(name: &'a str, mut work: impl FnMut() + 'a) -> Self {
        let work = move |times| {
            let start = Instant::now();
            for _ in 0..times {
                work();
            }
            start.elapsed()
        };
        Self {
            name,
            work: Box::new(work),
        }
    }

    /// `work` returns how long the part took that is to be timed.
    pub fn timed(name: &'a str, mut work: impl FnMut() -> Duration + 'a) -> Self {
        let work = move |times| (0..times).map(|_| work()).sum();
        Self {
            name,
            work: Box::new(work),
        }
    }
}

/// How long `work` takes.
pub fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Which contests there are to be, and how often the ways are timed.
pub struct Contests {
    /// Those whose name contains this.
    pub only: Option<String>,
    pub rounds: u32,
    /// A way is repeated until a sample takes so long.
    pub sample: Duration,
}

impl Contests {
    pub fn has(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|part| name.contains(part))
    }

    /// Times the `ways`, the first of which the others are compared with, for a size or number `x`, and
    /// prints a line of JSON for each: the nanoseconds of a time, round by round.
    pub fn run(&self, name: &str, x: Option<u64>, mut ways: Vec<Way<'_>>) {
        let sample = self.sample;
        let times: Vec<u32> = ways.iter_mut().map(|way| times_of(way, sample)).collect();
        let mut rounds = vec![Vec::new(); ways.len()];
        for round in 0..self.rounds as usize {
            for i in 0..ways.len() {
                // Each follows each other one as often.
                let i = (i + round) % ways.len();
                let took = (ways[i].work)(times[i]);
                rounds[i].push(took.as_secs_f64() * 1e9 / f64::from(times[i]));
            }
        }
        for (way, nanoseconds) in ways.iter().zip(rounds) {
            let line = serde_json::json!({
                "contest": name, "x": x, "way": way.name, "nanoseconds": nanoseconds,
            });
            println!("{line}");
        }
    }
}

/// How many times the way is to be repeated in a sample.
fn times_of(way: &mut Way<'_>, sample: Duration) -> u32 {
    let mut times = 1;
    loop {
        let took = (way.work)(times);
        if took >= sample || times >= 1 << 20 {
            return times;
        }
        times *= 2;
    }
}
