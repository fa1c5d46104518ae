//! What is installed with the program: its manual page, and completions for shells.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use crate::options::Options;

/// What the manual page says beyond the options, in the language of man(7).
const MORE: &str = r#".SH "EXIT STATUS"
.TP
0
Every file was done.
.TP
1
Some files could not be done; standard error names each, with the reason. All others were done.
.TP
2
The command line is wrong; nothing was done.
.PP
With \fB\-\-lock\fR and \fB\-\-watch\fR, a signal ends the process with 0 or 1, as above.
.SH EXAMPLES
.TP
pages \-v /var/lib/db
Each file of a directory.
.TP
pages \-\-evict big.log
Evicts a file from memory, so that the next program to read it reads from the disk.
.TP
find . \-name '*.idx' \-print0 | pages \-0b \- \-\-load
Loads the files that another program finds.
.TP
pages \-\-lock \-\-pid\-file /run/hot.pid index.bin &
Keeps a file in memory until "kill $(cat /run/hot.pid)".
.TP
pages \-\-watch \-v data
Watches files while they are loaded and evicted.
.TP
pages \-\-json data | jq '.files[] | select(.dirty > 0) | .path'
Lists the files with changes that are not yet on the disk.
.SH NOTES
A page is in memory if mincore(2) reports so: it is in the page cache, and reading it takes no disk access.
Since Linux 6.5, cachestat(2) counts the pages of a file. It is asked first, so that sparse files of terabytes
take no time, and its counts of dirty and evicted pages are shown.
.PP
Linux shows the pages of a file only to the file's owner and to processes that may write to it.
.SH "SEE ALSO"
.BR mincore (2),
.BR cachestat (2),
.BR posix_fadvise (2),
.BR mlock (2),
.BR vmtouch (8)
"#;

/// Writes the manual page.
pub fn page(out: &mut impl Write) -> io::Result<()> {
    let man = Man::new(Options::command());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    out.write_all(MORE.as_bytes())
}

/// Writes the completions.
pub fn completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    // `generate` does not return errors.
    let mut text = Vec::new();
    generate(shell, &mut Options::command(), "pages", &mut text);
    out.write_all(&text)
}
