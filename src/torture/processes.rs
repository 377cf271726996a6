//! The real program, several times: servers that take updates, and one that has nothing but its jobs.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Error;
use super::deliver::lock;
use super::marks::{ADDRESS, clients_in, numbers_after};

/// How long a process that was told to stop may take: a little longer than it gives what is under way.
const STOPS: Duration = Duration::from_secs(40);
/// How long a process may take to be well after a fault.
const RECOVERS: Duration = Duration::from_secs(30);
/// Where libfaketime is, if it is.
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
];
/// By how many seconds the clocks of the processes are wrong, in turn.
const CLOCKS: [i32; 4] = [0, 170, -190, 410];

/// A program that ends with us, however we end, where that can be had.
pub(super) fn ending_with_us(program: &Path) -> Command {
    let guard = "/usr/bin/setpriv";
    if !Path::new(guard).exists() {
        return Command::new(program);
    }
    let mut command = Command::new(guard);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// libfaketime, if it is installed.
pub(super) fn faketime() -> Option<&'static str> {
    FAKETIME.into_iter().find(|path| Path::new(path).exists())
}

/// Lets the program's clock be so many seconds wrong. What is waited for goes by the other clock, which nobody sets.
pub(super) fn set_clock(command: &mut Command, faketime: &str, seconds: i32) {
    command.env("LD_PRELOAD", faketime).env("FAKETIME", format!("{seconds:+}s"));
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
}

/// The processes.
pub(super) struct Fleet {
    program: PathBuf,
    variables: Vec<(&'static str, String)>,
    addresses: Vec<String>,
    children: Vec<tokio::sync::Mutex<Option<Child>>>,
    notes: Arc<Mutex<Notes>>,
    /// What must not be in a log.
    secrets: Arc<[String]>,
    /// What reads the logs, until their writers have ended.
    readers: Mutex<Vec<JoinHandle<()>>>,
    client: reqwest::Client,
    faketime: Option<&'static str>,
}

/// What is to be said of them in the end.
#[derive(Debug, Default)]
struct Notes {
    wrong: Vec<String>,
    logged: Vec<String>,
}

/// How a process is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Kill,
    Stop,
}

impl Fleet {
    /// Starts `servers` processes that take updates and one more that does not, and waits until all are well. Their logs must not
    /// show `secrets`.
    pub(super) async fn start(
        servers: usize,
        variables: Vec<(&'static str, String)>,
        secrets: Arc<[String]>,
    ) -> Result<Self, Error> {
        let count = servers + 1;
        let mut addresses = Vec::new();
        for _ in 0..count {
            // Free now; and the same after each start.
            addresses.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.to_string());
        }
        let fleet = Self {
            program: std::env::current_exe()?,
            variables,
            addresses,
            children: (0..count).map(|_| tokio::sync::Mutex::default()).collect(),
            notes: Arc::default(),
            secrets,
            readers: Mutex::default(),
            client: crate::telegram::http_client("http://127.0.0.1"),
            faketime: faketime(),
        };
        for number in 0..count {
            *fleet.children[number].lock().await = Some(fleet.spawn(number)?);
        }
        fleet.recover("start").await;
        match lock(&fleet.notes).wrong.first() {
            Some(wrong) => Err(Error::Processes(wrong.clone())),
            None => Ok(()),
        }?;
        Ok(fleet)
    }

    /// The addresses of those that take updates.
    pub(super) fn servers(&self) -> Vec<String> {
        let servers = &self.addresses[..self.addresses.len() - 1];
        servers.iter().map(|address| format!("http://{address}")).collect()
    }

    /// By how many seconds the clock of each process is wrong.
    pub(super) fn clocks(&self) -> Vec<i32> {
        (0..self.addresses.len()).map(|number| self.clock(number)).collect()
    }

    fn clock(&self, number: usize) -> i32 {
        self.faketime.map_or(0, |_| CLOCKS[number % CLOCKS.len()])
    }

    fn spawn(&self, number: usize) -> Result<Child, Error> {
        let mut command = ending_with_us(&self.program);
        command
            .args(["serve", "--connections", "4", "--listen", &self.addresses[number]])
            // Where no `.env` of somebody's is.
            .current_dir("/")
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let clock = self.clock(number);
        if let Some(library) = self.faketime.filter(|_| clock != 0) {
            set_clock(&mut command, library, clock);
        }
        let mut child = command.spawn()?;
        let said: [Option<Box<dyn Read + Send>>; 2] =
            [child.stdout.take().map(|said| Box::new(said) as _), child.stderr.take().map(|said| Box::new(said) as _)];
        for said in said.into_iter().flatten() {
            let (notes, secrets) = (Arc::clone(&self.notes), Arc::clone(&self.secrets));
            let reader = std::thread::spawn(move || {
                // Whatever is no text is no line of ours.
                for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
                    note_line(&notes, &secrets, number, &String::from_utf8_lossy(&line));
                }
            });
            lock(&self.readers).push(reader);
        }
        Ok(child)
    }

    /// Ends a process and starts it anew after a pause.
    pub(super) async fn restart(&self, which: usize, end: End, pause: Duration) {
        let number = which % self.children.len();
        let mut child = self.children[number].lock().await;
        if let Some(mut process) = child.take() {
            self.complain_if_ended(number, &mut process);
            if end == End::Kill {
                // It may have ended by itself, which is noted.
                drop(process.kill());
            } else {
                terminate(&process).await;
            }
            match (end, ended(&mut process, STOPS).await) {
                (_, None) => {
                    self.note(format!("process {number} did not stop within {STOPS:?}"));
                    drop(process.kill());
                    let _ = ended(&mut process, STOPS).await;
                }
                (End::Stop, Some(status)) if !status.success() => {
                    self.note(format!("process {number} was told to stop and ended with {status}"));
                }
                _ => {}
            }
        }
        sleep(pause).await;
        match self.spawn(number) {
            Ok(process) => *child = Some(process),
            Err(error) => self.note(format!("process {number} could not be started: {error}")),
        }
    }

    /// Waits until every process is well; how long that took.
    pub(super) async fn recover(&self, after: &str) -> Duration {
        let begun = Instant::now();
        for (number, address) in self.addresses.iter().enumerate() {
            while !self.is_well(address).await {
                if begun.elapsed() > RECOVERS {
                    self.note(format!("process {number} was not well {RECOVERS:?} after: {after}"));
                    return begun.elapsed();
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        begun.elapsed()
    }

    async fn is_well(&self, address: &str) -> bool {
        let answer = self.client.get(format!("http://{address}/health")).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    fn note(&self, wrong: String) {
        lock(&self.notes).wrong.push(wrong);
    }

    fn complain_if_ended(&self, number: usize, process: &mut Child) {
        if let Ok(Some(status)) = process.try_wait() {
            let signal = status.signal().map(|signal| format!(" by signal {signal}")).unwrap_or_default();
            self.note(format!("process {number} ended by itself: {status}{signal}"));
        }
    }

    /// Stops all; what was wrong with them, and what they have logged that must not be.
    pub(super) async fn end(&self) -> (Vec<String>, Vec<String>) {
        for (number, child) in self.children.iter().enumerate() {
            let Some(mut process) = child.lock().await.take() else { continue };
            self.complain_if_ended(number, &mut process);
            terminate(&process).await;
            match ended(&mut process, STOPS).await {
                Some(status) if status.success() => {}
                Some(status) => self.note(format!("process {number} was told to stop and ended with {status}")),
                None => {
                    self.note(format!("process {number} did not stop within {STOPS:?}"));
                    drop(process.kill());
                    let _ = ended(&mut process, STOPS).await;
                }
            }
        }
        // The last lines are read once everybody who writes has ended.
        let readers = std::mem::take(&mut *lock(&self.readers));
        let read = tokio::task::spawn_blocking(|| readers.into_iter().all(|reader| reader.join().is_ok())).await;
        if !matches!(read, Ok(true)) {
            self.note("a log was not read to its end".to_owned());
        }
        let notes = std::mem::take(&mut *lock(&self.notes));
        (notes.wrong, notes.logged)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in &mut self.children {
            if let Some(mut process) = child.get_mut().take() {
                drop(process.kill());
                drop(process.wait());
            }
        }
    }
}

async fn terminate(process: &Child) {
    let pid = process.id().to_string();
    let told = tokio::task::spawn_blocking(move || Command::new("kill").args(["-TERM", &pid]).output()).await;
    // It may have ended by itself, which is noted.
    if !matches!(told, Ok(Ok(_))) {
        tracing::warn!("a process could not be told to stop");
    }
}

/// How a process has ended, if it does in that time.
async fn ended(process: &mut Child, within: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        match process.try_wait() {
            Ok(Some(status)) => return Some(status),
            _ if begun.elapsed() > within => return None,
            _ => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Keeps what must not be in a log.
fn note_line(notes: &Mutex<Notes>, secrets: &[String], number: usize, line: &str) {
    let mut notes = lock(notes);
    if line.contains("panic") && notes.wrong.len() < 100 {
        notes.wrong.push(format!("process {number}: {line}"));
    }
    let shows = !numbers_after(line, ADDRESS).is_empty()
        || !clients_in(line).is_empty()
        || secrets.iter().any(|secret| line.contains(secret));
    if shows && notes.logged.len() < 100 {
        notes.logged.push(format!("process {number}: {line}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_and_a_client_in_a_log_are_noted() {
        let notes = Mutex::new(Notes::default());
        for line in [
            "offer_accept SUCCESS: order=791200 assigned to master=5",
            "a panic while handling an update",
            "Client000012",
            "Torture street 000012",
            "phone +79120000012",
            "phone +7 912 000-00-12",
            "https://api/bot1001:torture/sendMessage",
        ] {
            note_line(&notes, &["1001:torture".to_owned()], 1, line);
        }
        let notes = lock(&notes);
        assert_eq!((notes.wrong.len(), notes.logged.len()), (1, 5), "{notes:?}");
    }
}
