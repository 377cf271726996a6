//! `backup`: all that the database has, in a file, by PostgreSQL's own `pg_dump`, while people work.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use field_service::config::{Database, environment};
use field_service::files;
use field_service::logging::cause::of_file;
use tokio::task::block_in_place;

use super::{Result, private, programs, say};

#[derive(Args)]
pub struct Backup {
    /// Where to write it: for pg_restore, or as SQL for psql if the name ends with .sql
    file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    overwrite: bool,
}

pub fn run(Backup { file, overwrite }: Backup) -> Result {
    if file == Path::new("-") {
        return Err("a backup is written into a file, not to standard output: name one".into());
    }
    let database = Database::from_env(&environment)?;
    match fs::symlink_metadata(&file) {
        // What is renamed over it would take its place, as it would a device's.
        Ok(there) if !there.is_file() => return Err(format!("{} is no file: another name", file.display()).into()),
        Ok(_) if !overwrite => {
            return Err(format!("{} is there: another name, or --overwrite", file.display()).into());
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(of_file("looking at", &file)(error).into()),
        _ => {}
    }
    let is_sql = file.extension().is_some_and(|extension| extension == "sql");
    let part = PathBuf::from(format!("{}.part", file.display()));
    let mut pg_dump = programs::command("pg_dump", &database)?;
    // Clients' addresses are in it.
    let out = files::make_private(&part)?;
    pg_dump
        .args(["--no-owner", "--no-privileges", if is_sql { "--format=plain" } else { "--format=custom" }])
        .stdin(Stdio::null())
        .stdout(out.try_clone().map_err(of_file("writing", &part))?);
    let dumped = block_in_place(|| pg_dump.status()).map_err(of_file("running", Path::new(pg_dump.get_program())))?;
    let written = if dumped.success() { out.sync_all().map_err(of_file("writing", &part)) } else { Ok(()) };
    if !dumped.success() || written.is_err() {
        fs::remove_file(&part).map_err(of_file("removing", &part))?;
        written?;
        let hint = programs::hint(&database);
        return Err(format!("pg_dump failed ({dumped}); {} was not written{hint}", file.display()).into());
    }
    fs::rename(&part, &file).map_err(of_file("putting a new file in the place of", &file))?;
    let before = match private::folder_of(&database) {
        Some(folder) => {
            format!("stop whatever runs, move {} away if it is still there, and in this folder", folder.display())
        }
        None => "make an empty database, let DATABASE_URL lead there, and before anything else".to_owned(),
    };
    let (file, argument) = (file.display(), quoted(&file));
    say(&format!("{file} is written. To have it back, {before}:\n  field-service restore {argument}"))
}

/// A file's name as it is typed in a shell.
fn quoted(file: &Path) -> String {
    let name = file.display().to_string();
    let name = if name.starts_with('-') { format!("./{name}") } else { name };
    if name.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c)) {
        name
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_in_a_shell() {
        let quoted = |name: &str| super::quoted(Path::new(name));
        assert_eq!(quoted("/srv/копия-1.dump"), "/srv/копия-1.dump");
        assert_eq!(quoted("my copy.dump"), "'my copy.dump'");
        assert_eq!(quoted("o'clock"), r"'o'\''clock'");
        assert_eq!(quoted("-x"), "./-x");
    }
}
