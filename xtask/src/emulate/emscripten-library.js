// Replaces what Debian's Emscripten does otherwise than the crate libc, and so std, expects, or than its
// files in node need. For `emcc --js-library`.
mergeInto(LibraryManager.library, {
  // For the crate libc the seconds have 64 bits, as in newer versions of Emscripten; here C has 32. (No C
  // code that a test calls reads this clock.)
  clock_gettime__deps: ['emscripten_get_now'],
  clock_gettime: function(clock, time) {
    var now = clock === {{{ cDefine('CLOCK_REALTIME') }}} ? Date.now() : _emscripten_get_now();
    {{{ makeSetValue('time', 0, 'Math.floor(now / 1000)', 'i64') }}};
    {{{ makeSetValue('time', 8, 'Math.floor(now % 1000 * 1e6)', 'i32') }}};
    return 0;
  },
  // Looks the file up by its descriptor, because a file without a name has no path.
  __syscall_fstat64__deps: ['$SYSCALLS', '$FS'],
  __syscall_fstat64: function(fd, stat) {
    try {
      var stream = SYSCALLS.getStreamFromFD(fd);
      var ask = stream.stream_ops ? FS.stat : function() { return fs.fstatSync(stream.nfd); };
      return SYSCALLS.doStat(ask, stream.path, stat);
    } catch (error) {
      if (!(error instanceof FS.ErrnoError)) throw error;
      return -error.errno;
    }
  },
});
