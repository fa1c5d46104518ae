//! Which pages of a mapping were written since a mark: for snapshots that keep what changed,
//! checkpoints, garbage collectors.

mod bytes;
pub mod tracked;
pub mod tracking;
pub mod written;

cfg_if::cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        mod bits;
        mod descriptor;
        mod discarded;
        mod soft_dirty;
        mod tracker;
        mod write_protect;
    } else {
        mod none;
        use none as tracker;
    }
}
