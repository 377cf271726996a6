//! Where PostgreSQL's server programs are, and as whom they can run.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Error;

/// Where POSIX systems have it.
const ID: &str = "/usr/bin/id";

pub(super) fn is_root() -> bool {
    ask(ID, &["-u"]).is_some_and(|id| id == "0")
}

/// Somebody on this machine, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) id: u32,
    pub(super) group: u32,
}

/// PostgreSQL refuses to run as root.
pub(super) fn unprivileged_user() -> Result<User, Error> {
    let number = |flag: &str, name: &str| ask(ID, &[flag, name])?.parse().ok();
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| Some(User { id: number("-u", name)?, group: number("-g", name)? }))
        .ok_or_else(|| Error::Failed("as root it needs a user postgres or nobody to run as".to_owned()))
}

/// What a user is called.
pub(super) fn name_of(user: User) -> String {
    let number = user.id.to_string();
    ask(ID, &["-un", &number]).unwrap_or(number)
}

/// Whether a user gets to a folder.
pub(super) fn may_enter(user: User, folder: &Path) -> bool {
    tries(Some(user), r#"cd "$1""#, folder)
}

/// Whether a user may make files in a folder; ourselves, if none is given.
pub(super) fn may_write(user: Option<User>, folder: &Path) -> bool {
    tries(user, r#"cd "$1" && [ -w . ]"#, folder)
}

/// What the system allows, the shell tells that the server will be started by.
fn tries(user: Option<User>, script: &str, folder: &Path) -> bool {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "tries"]).arg(folder).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(User { id, group }) = user {
        command.uid(id).gid(group);
    }
    command.status().is_ok_and(|status| status.success())
}

/// The variables by which PostgreSQL's programs are told where to go and what to do: no child of ours is to inherit them.
pub fn variables() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| name.as_encoded_bytes().starts_with(b"PG"))
}

/// What a program says, if it succeeds.
fn ask(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}

/// The first folder in which the server's programs are and run; of this major version, if one is needed.
pub(super) fn find(major: Option<&str>) -> Option<PathBuf> {
    find_with(&["initdb", "pg_ctl", "postgres"], "postgres", major)
}

/// One of PostgreSQL's other programs; of this major version, if one is needed.
#[must_use]
pub fn program(name: &str, major: Option<&str>) -> Option<PathBuf> {
    find_with(&[name], name, major).map(|folder| folder.join(name))
}

/// The first folder in which all of these programs are, and one of them runs and says that it is of that version.
fn find_with(all: &[&str], one: &str, major: Option<&str>) -> Option<PathBuf> {
    candidates().into_iter().find_map(|folder| {
        // Behind a link on PATH are the programs' real neighbours, pgbench among them.
        let folder = folder.join(one).canonicalize().ok()?.parent()?.to_owned();
        if !all.iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let version = ask(folder.join(one), &["--version"])?;
        let is_of = |major: &str| version.split_whitespace().any(|word| word.split('.').next() == Some(major));
        major.is_none_or(is_of).then_some(folder)
    })
}

/// Where programs may be, the likelier folders first.
fn candidates() -> Vec<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates: Vec<PathBuf> = std::env::split_paths(&on_path).collect();
    candidates.extend(ask("pg_config", &["--bindir"]).map(PathBuf::from));
    // Debian; PGDG on Fedora and RHEL; Homebrew on both kinds of Mac; Postgres.app; Alpine and Arch.
    for (parent, prefix, rest) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
        ("/usr/libexec", "postgresql", ""),
    ] {
        candidates.extend(newest_first(Path::new(parent), prefix).into_iter().map(|folder| folder.join(rest)));
    }
    candidates.extend(["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from));
    candidates
}

fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let digits = name.strip_prefix(prefix)?.trim_start_matches(['@', '-']);
            let version: String = digits.chars().take_while(char::is_ascii_digit).collect();
            Some((version.parse().unwrap_or(0), entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}
