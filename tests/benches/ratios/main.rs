//! What the crate's ways cost beside each other, the bare calls, std and the peers, as ratios of one run
//! whose rounds interleave them. `cargo xtask bench` runs this and draws the plots.

// What is compared exists on Linux alone.
#![cfg_attr(not(target_os = "linux"), allow(unused, reason = "an empty program"))]

#[cfg(target_os = "linux")]
mod contest;
#[cfg(target_os = "linux")]
mod copies;
#[cfg(target_os = "linux")]
mod dirty;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod rings;
#[cfg(target_os = "linux")]
mod scaling;

/// `run [--quick] [PART OF A NAME]`: prints a line of JSON for each way of each contest.
#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let Some(("run", rest)) = arguments.split_first().map(|(way, rest)| (&**way, rest)) else {
        // `cargo bench` runs all benches.
        println!("ratios: run by `cargo xtask bench`");
        return;
    };
    let is_quick = rest.iter().any(|argument| argument == "--quick");
    let contests = contest::Contests {
        only: rest.iter().find(|argument| *argument != "--quick").cloned(),
        rounds: if is_quick { 3 } else { 15 },
        sample: std::time::Duration::from_millis(if is_quick { 1 } else { 5 }),
    };
    memory::all(&contests);
    // Before the handler is installed, which other contests need, and which stays.
    files::scans(&contests, "by the kernel");
    copies::by_the_kernel(&contests);
    files::cold(&contests);
    dirty::all(&contests);
    scaling::all(&contests);
    match unix_memory::install_fault_handler() {
        Ok(()) => {
            files::scans(&contests, "by the handler");
            copies::by_the_handler(&contests);
            rings::all(&contests);
        }
        Err(error) => eprintln!("skipped: what needs the handler: {error}"),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: ratios are measured on Linux");
}
