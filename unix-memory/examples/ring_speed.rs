//! Sends bytes from one thread to another through a ring, at full speed: each end works in place, on
//! the largest slice that is available, and neither makes a system call.
//!
//! ```sh
//! cargo run --release --example ring_speed -- 4096
//! ```

use std::io::{Error, Result};
use std::thread;
use std::time::Instant;

use unix_memory::ring::{Consumer, Producer, pair};

/// A run of equal bytes. Neither end takes more at a time, so the other one need not wait long.
const PIECE: usize = 64 << 10;

fn produce(mut ring: Producer, pieces: u32) -> unix_memory::Result<()> {
    for number in 0..pieces {
        let mut rest = PIECE;
        while rest > 0 && !ring.is_closed() {
            let slot = ring.slot();
            let n = slot.len().min(rest);
            slot[..n].fill(number.to_le_bytes()[0]);
            ring.commit(n)?;
            rest -= n;
            if n == 0 {
                // The other thread may need this processor.
                thread::yield_now();
            }
        }
    }
    Ok(())
}

fn consume(mut ring: Consumer, pieces: u32) -> Result<()> {
    for number in 0..pieces {
        let mut rest = PIECE;
        while rest > 0 {
            // Asked first: what was given before the ring was closed is still there.
            let closed = ring.is_closed();
            let bytes = ring.available();
            let n = bytes.len().min(rest);
            let byte = number.to_le_bytes()[0];
            if bytes[..n].iter().any(|&it| it != byte) || closed && n == 0 {
                return Err(Error::other(format!("piece {number} is not whole")));
            }
            ring.consume(n)?;
            rest -= n;
            if n == 0 {
                thread::yield_now();
            }
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let mib: u16 = match std::env::args().nth(1) {
        Some(argument) => argument.parse().map_err(Error::other)?,
        None => 256,
    };
    let pieces = u32::from(mib) << 4;
    let (producer, consumer) = pair(1 << 20)?;
    let start = Instant::now();
    let producer = thread::spawn(move || produce(producer, pieces));
    let received = consume(consumer, pieces);
    producer.join().expect("it does not panic")?;
    received?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{mib} MiB went through the ring");
    eprintln!("{:.0} MiB in a second", f64::from(mib) / seconds);
    Ok(())
}
