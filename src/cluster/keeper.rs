//! The shell script that keeps a server for as long as this process lives.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Error;
use super::programs::{self, User};

/// For how long a server may take to stop: one that hangs, as on a disk that does not answer, would be waited for without end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A script whose standard input is ours: it ends the server when that does. Dropping it waits for that, and no longer than
/// [`PATIENCE`].
#[derive(Debug)]
pub(super) struct Keeper {
    script: Child,
    /// Where its server is, for whoever has to look for it.
    folder: String,
    /// What it is told by, and what it says; nothing once it is to end.
    talk: Option<Mutex<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Keeper {
    /// Starts a script, with the programs' folder as its first argument; as that user, if it is not to be ours. It says one of these
    /// words and something more on its first line, or why not, and ends: the word, and what it has said after that.
    pub(super) fn start(
        script: &str,
        user: Option<User>,
        programs: &Path,
        args: &[&OsStr],
        words: &[&'static str],
    ) -> Result<(Self, &'static str, String), Error> {
        // What the keeper itself needs is there, wherever PATH points.
        let path = format!("{}:/usr/bin:/bin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script, "keeper"])
            .arg(programs)
            .args(args)
            .current_dir("/")
            .env("LC_ALL", "C")
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Not in our group: Ctrl-C in the terminal is for us, and we stop the server.
            .process_group(0);
        for name in programs::variables() {
            command.env_remove(name);
        }
        if let Some(User { id, group }) = user {
            command.uid(id).gid(group);
        }
        let failed = |error: io::Error| Error::Failed(format!("running /bin/sh: {error}"));
        let mut keeper = command.spawn().map_err(failed)?;
        let no_pipe = || Error::Failed("no pipe".to_owned());
        let input = keeper.stdin.take().ok_or_else(no_pipe)?;
        let mut output = BufReader::new(keeper.stdout.take().ok_or_else(no_pipe)?);
        let mut said = String::new();
        output.read_line(&mut said).map_err(failed)?;
        for word in words {
            if let Some(more) = said.strip_prefix(word) {
                let talk = Some(Mutex::new((input, output)));
                let folder = args.first().map(|folder| folder.display().to_string()).unwrap_or_default();
                return Ok((Self { script: keeper, folder, talk }, word, more.trim().to_owned()));
            }
        }
        output.read_to_string(&mut said).map_err(failed)?;
        keeper.wait().map_err(failed)?;
        Err(Error::Failed(format!("the programs in {} said:\n{}", programs.display(), said.trim())))
    }

    /// Tells the script a word and blocks until it answers: what it says.
    pub(super) fn ask(&self, word: &str) -> io::Result<String> {
        let Some(talk) = &self.talk else { return Ok(String::new()) };
        let mut talk = talk.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(talk.0, "{word}")?;
        let mut said = String::new();
        talk.1.read_line(&mut said)?;
        Ok(said.trim_end().to_owned())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.talk.take());
        match ends_within(&mut self.script, PATIENCE) {
            Ok(true) => {}
            Ok(false) => tracing::error!(
                "the PostgreSQL in {} has not stopped within {PATIENCE:?} and is left running, and process {}, which goes on waiting for it: \
                 {0}/data/postmaster.pid names its process",
                self.folder,
                self.script.id()
            ),
            Err(error) => tracing::warn!(%error, "could not wait for the private PostgreSQL to stop"),
        }
    }
}

/// Waits for a process to end.
fn ends_within(process: &mut Child, patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    loop {
        if process.try_wait()?.is_some() {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_end_is_waited_for_no_longer_than_that() {
        let mut hangs = Command::new("sleep").arg("600").spawn().expect("a process");
        assert!(!ends_within(&mut hangs, Duration::from_millis(20)).expect("a look"));
        hangs.kill().expect("an end");
        assert!(ends_within(&mut hangs, Duration::from_mins(1)).expect("a look"));
    }
}
