//! The types of memmap2 have other names here, which the message says.

fn read(_: unix_memory::Mmap) {}

fn write(_: unix_memory::MmapMut) {}

fn options() -> unix_memory::MmapOptions {}

fn main() {}
