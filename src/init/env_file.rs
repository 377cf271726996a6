//! The file `.env`: what it says, and writing it anew without losing a line or a moment in which others could read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::files;
use crate::logging::cause::of_file;

/// A file that is there, or is to be.
#[derive(Debug)]
pub struct EnvFile {
    path: PathBuf,
    /// The symbolic link that leads there. It stays one: the file that it leads to is written.
    link: Option<PathBuf>,
    text: Option<String>,
}

impl EnvFile {
    /// Reads it, where a symbolic link leads to; there may be none yet.
    ///
    /// # Errors
    /// When it is there and cannot be read, or is no regular file, or a link leads nowhere.
    pub fn read(path: &Path) -> io::Result<Self> {
        let (path, link) = match fs::symlink_metadata(path) {
            Ok(there) if there.is_symlink() => {
                let leads_to = fs::canonicalize(path).map_err(of_file("following the link", path))?;
                (leads_to, Some(path.to_owned()))
            }
            _ => (path.to_owned(), None),
        };
        let text = match files::open_regular(&path) {
            Ok(file) => Some(io::read_to_string(file).map_err(of_file("reading", &path))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { path, link, text })
    }

    /// Sees that it can be written, and leaves everything as it is.
    pub(super) fn check(&self) -> io::Result<()> {
        let new = self.new_path();
        drop(self.make_new(&new)?);
        fs::remove_file(&new).map_err(of_file("removing", &new))?;
        // One that is mounted alone may be on another disk than its folder.
        match OpenOptions::new().write(true).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                Err(of_file("writing", &self.path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The link that leads to it.
    pub(super) fn link(&self) -> Option<&Path> {
        self.link.as_deref()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn exists(&self) -> bool {
        self.text.is_some()
    }

    pub(super) fn says(&self, text: &str) -> bool {
        self.text.as_deref() == Some(text)
    }

    /// What it says of a variable; of one that is there twice the last counts. Nothing is not said.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let mut lines = self.text.as_deref().unwrap_or_default().lines().rev();
        lines.find_map(|line| value_of(line, name)).map(unquoted).filter(|value| !value.is_empty())
    }

    /// Its text with these variables; everything else in it stays.
    pub(super) fn with(&self, values: &[(&str, &str)]) -> String {
        let old = self.text.as_deref().unwrap_or(HEAD);
        let mut text = String::new();
        let mut written = Vec::new();
        for line in old.lines() {
            match values.iter().find(|(name, _)| value_of(line, name).is_some()) {
                Some((name, _)) if written.contains(name) => {}
                Some((name, value)) => {
                    text += &line_of(name, value);
                    written.push(name);
                }
                None => text = text + line + "\n",
            }
        }
        for (name, value) in values.iter().filter(|(name, _)| !written.contains(name)) {
            text += &line_of(name, value);
        }
        text
    }

    /// Lets its owner alone read it, as it is.
    pub(super) fn close_to_others(&self) -> io::Result<()> {
        let mode = fs::metadata(&self.path).map_err(of_file("looking at", &self.path))?.permissions().mode();
        if mode & 0o077 != 0 {
            let closed = fs::set_permissions(&self.path, fs::Permissions::from_mode(0o600));
            closed.map_err(of_file("closing to others", &self.path))?;
        }
        Ok(())
    }

    /// Writes it, for its owner alone: whole or not at all, unless it is mounted alone, as into a container.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let new = self.new_path();
        let written = self.make_new(&new).and_then(|mut file| {
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(of_file("writing", &new))
        });
        let written = written.and_then(|()| self.replace(text, fs::rename(&new, &self.path)));
        // The tokens are in what is left.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => written.and(Err(of_file("removing", &new)(error))),
            _ => written,
        }
    }

    /// Makes the file that is to take its place, for its owner alone: whoever that is, also if root writes it.
    fn make_new(&self, new: &Path) -> io::Result<File> {
        let file = files::make_private(new)?;
        if self.text.is_some()
            && let Err(error) = give_to_the_owner_of(&self.path, &file)
        {
            fs::remove_file(new).map_err(of_file("removing", new))?;
            return Err(of_file("keeping the owner of", &self.path)(error));
        }
        Ok(file)
    }

    /// What is left to do when a new file was to take its place. Nothing takes the place of a file that is mounted alone.
    fn replace(&self, text: &str, renamed: io::Result<()>) -> io::Result<()> {
        match renamed {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                self.close_to_others()?;
                let file = OpenOptions::new().write(true).truncate(true).open(&self.path);
                return file
                    .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
                    .map_err(of_file("writing", &self.path));
            }
            renamed => renamed.map_err(of_file("putting a new file in the place of", &self.path))?,
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(of_file("writing the folder", folder))
    }

    /// The file that is to take its place. Its name is ours: what is called `.env.new` may be somebody's.
    fn new_path(&self) -> PathBuf {
        PathBuf::from(format!("{}.{}.new", self.path.display(), std::process::id()))
    }
}

fn give_to_the_owner_of(path: &Path, file: &File) -> io::Result<()> {
    let (there, made) = (fs::metadata(path)?, file.metadata()?);
    if (there.uid(), there.gid()) == (made.uid(), made.gid()) {
        return Ok(());
    }
    fchown(file, Some(there.uid()), Some(there.gid()))
}

const HEAD: &str =
    "# Written by `field-service init`; every command of field-service reads it in the folder where it is started.\n";

/// What stands behind the name, if the line is of that variable.
fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    line.strip_prefix(name)?.trim_start().strip_prefix('=').map(str::trim)
}

fn unquoted(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|rest| rest.split('\'').next()) {
        return inner.to_owned();
    }
    let Some(rest) = value.strip_prefix('"') else {
        return value.split(" #").next().unwrap_or_default().trim().to_owned();
    };
    let mut text = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

/// Between single quotes nothing means anything; a quote itself needs the other kind.
fn line_of(name: &str, value: &str) -> String {
    if !value.contains('\'') {
        return format!("{name}='{value}'\n");
    }
    let mut text = String::new();
    for character in value.chars() {
        if ['"', '\\', '$'].contains(&character) {
            text.push('\\');
        }
        text.push(character);
    }
    format!("{name}=\"{text}\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> EnvFile {
        EnvFile { path: PathBuf::from(".env"), link: None, text: Some(text.to_owned()) }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let values = [("A", "1:key"), ("B", "host=/a password='x \\ \"$y'"), ("C", ""), ("D", "a # b")];
        let written = file("").with(&values);
        for (name, value) in values {
            assert_eq!(file(&written).get(name).unwrap_or_default(), value, "{written}");
        }
    }

    #[test]
    fn a_file_whose_place_nothing_can_take_is_written_as_it_is() {
        let path = std::env::temp_dir().join(format!("fs-mounted-{}", std::process::id()));
        fs::write(&path, "A=a long value of old\n").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("permissions");
        let mounted = EnvFile::read(&path).expect("a file");
        // A file that is mounted alone cannot be made here: only the system's answer is.
        mounted.replace("A=new\n", Err(io::ErrorKind::ResourceBusy.into())).expect("written");
        let mode = fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        assert_eq!((fs::read_to_string(&path).expect("a file").as_str(), mode), ("A=new\n", 0o600));
        let failed = mounted.replace("A=newer\n", Err(io::ErrorKind::PermissionDenied.into()));
        assert!(failed.is_err_and(|error| error.to_string().starts_with("putting a new file in the place of ")));
        fs::remove_file(&path).expect("no file");
    }

    #[test]
    fn other_lines_stay_where_they_are() {
        let old = "# Mine.\nMETRICS_TOKEN='x'\nexport A=old # why\n\nB=\"two\"\nA=older\n";
        let new = file(old).with(&[("A", "new"), ("AB", "3")]);
        assert_eq!(new, "# Mine.\nMETRICS_TOKEN='x'\nA='new'\n\nB=\"two\"\nAB='3'\n");
        assert_eq!(file(old).get("A").as_deref(), Some("older"));
        assert_eq!([file(old).get("B").as_deref(), file(old).get("AB").as_deref()], [Some("two"), None]);
    }
}
