//! The open connections of a server: how many there may be, for how long each is waited for, and which one makes room for a
//! new caller.
//!
//! hyper reads and writes; this watches from beside. Whoever connects sends a head soon, or is hung up on. Between two
//! requests a connection may idle for as long as proxies keep theirs, but whoever has sent nothing for longest makes room when
//! there are too many. One that is being answered is left alone, however long its answer is.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// A head that has not ended so long after its first byte, or after the connection was made, is given up.
const HEAD: Duration = Duration::from_secs(10);
/// A connection that idles for this long is closed: longer than the usual proxy keeps one.
const IDLE: Duration = Duration::from_secs(75);
/// A head that is not there by now may be given up for a new caller; those who mean well send theirs at once.
const HASTE: Duration = Duration::from_secs(1);
/// The most connections, however many files there may be: each may hold a head, and the system queues as many again.
const MOST: usize = 4096;
/// The fewest.
const FEWEST: usize = 16;

/// How many connections there may be with so many files: a quarter is left to the database and to calls to Telegram.
pub(super) fn bound(files: u64) -> usize {
    usize::try_from(files - files / 4).unwrap_or(MOST).clamp(FEWEST, MOST)
}

/// The open connections of a server.
pub(super) struct Connections {
    most: usize,
    open: Mutex<HashMap<u64, Arc<Watch>>>,
    /// One has ended.
    ended: Notify,
}

impl Connections {
    /// None yet, and at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default(), ended: Notify::new() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Watch>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, watched until it is dropped.
    pub(super) fn add(self: &Arc<Self>, number: u64, now: Instant) -> Watched {
        let watch = Arc::new(Watch { phase: Mutex::new(Phase::Head(now)), told: Notify::new() });
        self.open().insert(number, Arc::clone(&watch));
        Watched { number, watch, connections: Arc::clone(self) }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.open().len()
    }

    /// Ready when one has ended since this was last asked.
    pub(super) async fn one_has_ended(&self) {
        self.ended.notified().await;
    }

    /// Whether there is room for a new caller: if need be, the one that has sent nothing for longest is told to end, which it
    /// will have done by the time that the new one's file is needed.
    pub(super) fn has_room(&self, now: Instant) -> bool {
        let open = self.open();
        let ending = |watch: &&Arc<Watch>| matches!(*watch.phase(), Phase::Ending { .. });
        if open.len() < self.most || open.len() - open.values().filter(ending).count() < self.most {
            return true;
        }
        let silent = open.values().filter_map(|watch| Some((watch.silent_since(now)?, watch)));
        let longest = silent.min_by_key(|(since, _)| *since);
        if let Some((_, watch)) = longest {
            watch.tell_to_end();
        }
        longest.is_some()
    }

    /// Tells those to end who have been silent for too long.
    pub(super) fn sweep(&self, now: Instant) {
        for watch in self.open().values() {
            if watch.is_overdue(now) {
                watch.tell_to_end();
            }
        }
    }
}

/// What a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A head is awaited, since then.
    Head(Instant),
    /// A request is being answered.
    Busy,
    /// The last answer was given then, and nothing has come since.
    Idle(Instant),
    /// It was told to end. `at_once`: whatever it is at.
    Ending { at_once: bool },
}

struct Watch {
    phase: Mutex<Phase>,
    told: Notify,
}

impl Watch {
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes have come.
    fn read(&self, now: Instant) {
        let mut phase = self.phase();
        if matches!(*phase, Phase::Idle(_)) {
            *phase = Phase::Head(now);
        }
    }

    /// A head has come.
    fn begin(&self) {
        self.change(Phase::Busy);
    }

    /// A request was answered.
    fn finish(&self, now: Instant) {
        self.change(Phase::Idle(now));
    }

    fn change(&self, to: Phase) {
        let mut phase = self.phase();
        if !matches!(*phase, Phase::Ending { .. }) {
            *phase = to;
        }
    }

    /// Since when it has sent nothing that is of use, if it may be given up for a new caller.
    fn silent_since(&self, now: Instant) -> Option<Instant> {
        match *self.phase() {
            Phase::Idle(since) => Some(since),
            Phase::Head(since) if now.saturating_duration_since(since) >= HASTE => Some(since),
            Phase::Head(_) | Phase::Busy | Phase::Ending { .. } => None,
        }
    }

    fn is_overdue(&self, now: Instant) -> bool {
        match *self.phase() {
            Phase::Head(since) => now.saturating_duration_since(since) >= HEAD,
            Phase::Idle(since) => now.saturating_duration_since(since) >= IDLE,
            Phase::Busy | Phase::Ending { .. } => false,
        }
    }

    fn tell_to_end(&self) {
        let mut phase = self.phase();
        *phase = Phase::Ending { at_once: matches!(*phase, Phase::Head(_)) };
        self.told.notify_one();
    }
}

/// A connection that is watched; it counts as open until this is dropped.
pub(super) struct Watched {
    number: u64,
    watch: Arc<Watch>,
    connections: Arc<Connections>,
}

impl Watched {
    /// Watches what is read.
    pub(super) fn stream<S>(&self, stream: S) -> Stream<S> {
        Stream { stream, watch: Arc::clone(&self.watch) }
    }

    /// Says when a request comes, and then when it was answered.
    pub(super) fn requests(&self) -> Requests {
        Requests(Arc::clone(&self.watch))
    }

    /// Ready when the connection is to end; whether at once, whatever it is at.
    pub(super) async fn told_to_end(&self) -> bool {
        self.watch.told.notified().await;
        *self.watch.phase() == Phase::Ending { at_once: true }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
        self.connections.ended.notify_one();
    }
}

/// Tells of a connection's requests.
#[derive(Clone)]
pub(super) struct Requests(Arc<Watch>);

impl Requests {
    /// A request has come; it is being answered until what is returned is dropped.
    pub(super) fn begin(&self) -> Answering {
        self.0.begin();
        Answering(Arc::clone(&self.0))
    }
}

/// A request that is being answered.
pub(super) struct Answering(Arc<Watch>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.finish(Instant::now());
    }
}

/// An answer's body: with its end the request is answered.
pub(super) struct Answer<B> {
    /// On the heap, because it may not be moved.
    pub(super) body: Pin<Box<B>>,
    pub(super) _answering: Answering,
}

impl<B: Body> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.body.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells when bytes have come.
pub(super) struct Stream<S> {
    stream: S,
    watch: Arc<Watch>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.watch.read(Instant::now());
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(watched: &Watched) -> Phase {
        *watched.watch.phase()
    }

    #[test]
    fn whoever_has_been_silent_for_longest_makes_room() {
        let (connections, begun) = (Arc::new(Connections::new(3)), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        let [first, second, third] = [0, 1, 2].map(|number| {
            assert!(connections.has_room(begun));
            connections.add(number, begun)
        });
        assert!(!connections.has_room(begun), "their heads may yet come");
        let answering = first.requests().begin();
        second.requests().begin().0.finish(after(1));
        third.watch.read(after(1));
        assert!(connections.has_room(after(2)), "the third one's head does not come");
        assert_eq!(phase(&third), Phase::Ending { at_once: true });
        drop(third);
        let fourth = connections.add(3, after(2));
        assert!(connections.has_room(after(2)), "the second one is idle");
        assert_eq!((phase(&second), phase(&first)), (Phase::Ending { at_once: false }, Phase::Busy));
        let _fifth = connections.add(4, after(2));
        assert!(!connections.has_room(after(2)), "the one that ends does not count, the others do");
        drop(second);
        assert_eq!(connections.count(), 3);
        drop((answering, first, fourth));
        assert!(connections.has_room(after(2)));
    }

    #[test]
    fn heads_are_waited_for_ten_seconds_and_idle_connections_kept_for_75() {
        let (connections, begun) = (Arc::new(Connections::new(10)), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        let [silent, busy, idle, again] = [0, 1, 2, 3].map(|number| connections.add(number, begun));
        let _answering = busy.requests().begin();
        idle.watch.finish(begun);
        again.watch.finish(begun);
        again.watch.read(after(60));
        again.watch.read(after(65));
        let ends = |seconds| {
            connections.sweep(after(seconds));
            [&silent, &busy, &idle, &again].map(|one| matches!(phase(one), Phase::Ending { .. }))
        };
        assert_eq!(ends(9), [false; 4]);
        assert_eq!(ends(10), [true, false, false, false]);
        assert_eq!(ends(69), [true, false, false, false]);
        assert_eq!(ends(70), [true, false, false, true], "ten seconds after the head's first byte, not its last");
        assert_eq!(ends(1000), [true, false, true, true]);
    }

    #[test]
    fn the_bound_leaves_files_for_others() {
        assert_eq!([64, 256, 1024, 1_048_576, u64::MAX].map(bound), [48, 192, 768, MOST, MOST]);
    }
}
