//! Lines on their way to standard error, written by a thread of their own: whoever logs never waits for whoever reads.
//!
//! When nobody reads, the pipe fills up, then the queue; lines are lost from then on, and counted.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many bytes may wait: some ten seconds of a busy server.
const CAPACITY: usize = 2 * 1024 * 1024;
/// How soon a pipe is tried again that another program has made non-blocking.
const FULL: Duration = Duration::from_millis(20);

/// What waits to be written.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    written: Condvar,
    lost: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<String>,
    bytes: usize,
    /// What was taken is being written.
    writing: bool,
    /// Somebody waits until all is written.
    flush: bool,
}

/// What the thread is to write next.
pub(super) struct Batch {
    pub lines: VecDeque<String>,
    /// Also what would be kept back for a while.
    pub all: bool,
}

impl Queue {
    /// Enqueues a line, or counts it as lost. Never waits.
    pub(super) fn push(&self, line: String) {
        let mut waiting = self.lock();
        if waiting.bytes + line.len() > CAPACITY {
            self.lose(1);
            return;
        }
        waiting.bytes += line.len();
        waiting.lines.push_back(line);
        self.filled.notify_one();
    }

    /// Waits until there is something to write, or for that long, and takes it. [`done`](Self::done) follows.
    pub(super) fn take(&self, wait: Duration) -> Batch {
        let idle = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.flush;
        let (mut waiting, _) =
            self.filled.wait_timeout_while(self.lock(), wait, idle).unwrap_or_else(PoisonError::into_inner);
        waiting.bytes = 0;
        waiting.writing = true;
        Batch { lines: std::mem::take(&mut waiting.lines), all: std::mem::take(&mut waiting.flush) }
    }

    /// What was taken is written.
    pub(super) fn done(&self) {
        self.lock().writing = false;
        self.written.notify_all();
    }

    /// Waits until all is written, for that long at most.
    pub(super) fn flush(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        // Twice: what is kept back is asked for only by a batch that begins after this.
        for _ in 0..2 {
            let mut waiting = self.lock();
            waiting.flush = true;
            self.filled.notify_one();
            let busy = |waiting: &mut Waiting| waiting.flush || waiting.writing || !waiting.lines.is_empty();
            let left = deadline.saturating_duration_since(Instant::now());
            drop(self.written.wait_timeout_while(waiting, left, busy).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Counts lines that nobody will read.
    pub(super) fn lose(&self, lines: u64) {
        self.lost.fetch_add(lines, Ordering::Relaxed);
    }

    /// How many lines were lost so far.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a whole line, however long whoever reads takes.
pub(super) fn write(to: &mut impl Write, line: &str) -> io::Result<()> {
    let mut rest = line.as_bytes();
    while !rest.is_empty() {
        match to.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(FULL),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
