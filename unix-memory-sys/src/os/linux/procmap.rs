//! The mapping at an address: the request `PROCMAP_QUERY` of `/proc/<pid>/maps`, from `<linux/fs.h>`.

use super::ioctl::{Request, read_write};

/// Describes the mapping at an address; the argument is a `*mut` [`procmap_query`]. PROCMAP_QUERY(2const),
/// since Linux 6.11.
///
/// Fails with `ENOENT` if there is no mapping, `E2BIG` for a name that is longer than its buffer or a size
/// that the kernel does not know, `EFAULT` for a bad pointer, `EINVAL` for bad flags, `ESRCH` for a process
/// without memory, `ENOTTY` on older kernels.
pub const PROCMAP_QUERY: Request = read_write::<procmap_query>(b'f', 17);

/// Asked: only mappings that can be read. Written: the mapping can be. PROCMAP_QUERY(2const), since Linux
/// 6.11.
pub const PROCMAP_QUERY_VMA_READABLE: u64 = 0x01;
/// Asked: only mappings that can be written to. Written: the mapping can be. PROCMAP_QUERY(2const), since
/// Linux 6.11.
pub const PROCMAP_QUERY_VMA_WRITABLE: u64 = 0x02;
/// Asked: only mappings that can be executed. Written: the mapping can be. PROCMAP_QUERY(2const), since Linux
/// 6.11.
pub const PROCMAP_QUERY_VMA_EXECUTABLE: u64 = 0x04;
/// Asked: only mappings with `MAP_SHARED`. Written: the mapping is one. PROCMAP_QUERY(2const), since Linux
/// 6.11.
pub const PROCMAP_QUERY_VMA_SHARED: u64 = 0x08;
/// Asked: the mapping at the address or, if there is none, the next one above it. PROCMAP_QUERY(2const),
/// since Linux 6.11.
pub const PROCMAP_QUERY_COVERING_OR_NEXT_VMA: u64 = 0x10;
/// Asked: only mappings of a file. PROCMAP_QUERY(2const), since Linux 6.11.
pub const PROCMAP_QUERY_FILE_BACKED_VMA: u64 = 0x20;

/// The argument of [`PROCMAP_QUERY`]: the query and its answer. PROCMAP_QUERY(2const), since Linux 6.11.
#[allow(non_camel_case_types, reason = "the name in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct procmap_query {
    /// The size of this struct.
    pub size: u64,
    /// What to look for, of `PROCMAP_QUERY_`.
    pub query_flags: u64,
    /// The address to look for.
    pub query_addr: u64,
    /// Written: where the mapping starts.
    pub vma_start: u64,
    /// Written: where it ends.
    pub vma_end: u64,
    /// Written: the mapping's permissions, of `PROCMAP_QUERY_VMA_`.
    pub vma_flags: u64,
    /// Written: the size of its pages.
    pub vma_page_size: u64,
    /// Written: the offset in the file at which it starts; 0 without a file.
    pub vma_offset: u64,
    /// Written: the file's inode; 0 without a file.
    pub inode: u64,
    /// Written: the major number of the file's device.
    pub dev_major: u32,
    /// Written: its minor number.
    pub dev_minor: u32,
    /// The size of the buffer for a name, or 0. Written: the length of the name, with the NUL; 0 without a
    /// name.
    pub vma_name_size: u32,
    /// The size of the buffer for a build ID, or 0. Written: the length of the ID; 0 without one.
    pub build_id_size: u32,
    /// The address of the buffer for a name, or 0.
    pub vma_name_addr: u64,
    /// The address of the buffer for a build ID, or 0.
    pub build_id_addr: u64,
}

#[cfg(test)]
mod tests {
    use super::super::ioctl::ioctl;
    use super::super::testing::{LEN, close, errno, map, open, unmap};
    use super::*;

    #[test]
    fn a_mapping_is_found() {
        let addr = map();
        let fd = open(c"/proc/self/maps");
        let mut query = procmap_query {
            size: size_of::<procmap_query>() as u64,
            query_addr: addr.addr() as u64,
            ..procmap_query::default()
        };
        // SAFETY: the argument is that of the request, and asks for no name.
        let result = unsafe { ioctl(fd, PROCMAP_QUERY, &raw mut query) };
        if result == -1 {
            assert!(matches!(
                errno(),
                libc::ENOTTY | libc::ENOSYS | libc::EINVAL
            ));
        } else {
            assert!(query.vma_start <= addr.addr() as u64);
            assert!(query.vma_end >= (addr.addr() + LEN) as u64);
            let rights = PROCMAP_QUERY_VMA_READABLE | PROCMAP_QUERY_VMA_WRITABLE;
            assert_eq!(query.vma_flags, rights);
            assert_eq!(query.inode, 0);
        }
        close(fd);
        assert_eq!(unmap(addr), 0);
    }
}
