//! Files that nobody else is to read.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::logging::cause::of_file;

/// Opens a file to be read. What is no regular file, such as a device or a pipe, is refused before it is opened: that may wait for ever.
///
/// # Errors
/// When it is not there or something else, or cannot be read.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let named = of_file("reading", path);
    let there = fs::metadata(path).map_err(&named)?;
    if !there.is_file() {
        let why = "it is no regular file";
        return Err(named(io::Error::new(io::ErrorKind::InvalidInput, why)));
    }
    File::open(path).map_err(named)
}

/// Makes a file for its owner alone, in the place of one that was left by an attempt that was interrupted.
///
/// # Errors
/// When there is something that cannot be removed, or the file cannot be made.
pub fn make_private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(of_file("removing", path)(error)),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(of_file("making", path))
}
