//! A proxy in front of PostgreSQL's socket, or of another server: cuts connections, refuses new ones, holds bytes back, loses
//! single messages, and counts round trips.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Notify, watch};

/// What happens to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// They pass.
    Open,
    /// Those that were there are closed, new ones too.
    Cut,
    /// Bytes are held back in both directions, and nobody is told.
    Silent,
}

/// What is lost, and the connection with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// What a client sends: the server never sees it.
    Request,
    /// What the server answers: it has done what was asked.
    Answer,
    /// PostgreSQL's answer to a COMMIT.
    Commit,
}

/// What PostgreSQL answers to a COMMIT: a message of kind C, its length, and the command.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
const COMMITTED: &[u8] = b"C\0\0\0\x0bCOMMIT\0";

/// Where connections go.
#[derive(Clone, Debug)]
enum Server {
    Socket(PathBuf),
    Port(SocketAddr),
}

/// A proxy on a free port of this machine. Stops when dropped.
pub struct Proxy {
    port: u16,
    state: watch::Sender<State>,
    traffic: Arc<Traffic>,
}

#[derive(Default)]
struct Traffic {
    round_trips: AtomicU64,
    from_client: Notify,
    from_server: Notify,
    hang_up: Notify,
    /// How many of each kind are still to be lost.
    requests_to_lose: AtomicU32,
    answers_to_lose: AtomicU32,
    commits_to_lose: AtomicU32,
    lost: AtomicU64,
}

impl Traffic {
    fn to_lose(&self, loss: Loss) -> &AtomicU32 {
        match loss {
            Loss::Request => &self.requests_to_lose,
            Loss::Answer => &self.answers_to_lose,
            Loss::Commit => &self.commits_to_lose,
        }
    }

    /// Whether this one is lost.
    fn loses(&self, loss: Loss) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        let is_lost = self.to_lose(loss).fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        self.lost.fetch_add(u64::from(is_lost), Ordering::SeqCst);
        is_lost
    }
}

impl Proxy {
    /// Starts in front of the PostgreSQL whose socket is in `folder`.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start(folder: &Path) -> io::Result<Self> {
        Self::in_front_of(folder.join(".s.PGSQL.5432")).await
    }

    /// Starts in front of whatever listens on that socket, such as a pooler.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn in_front_of(socket: PathBuf) -> io::Result<Self> {
        Self::before(Server::Socket(socket)).await
    }

    /// Starts in front of whatever listens on that port, such as a Bot API.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn in_front_of_port(port: SocketAddr) -> io::Result<Self> {
        Self::before(Server::Port(port)).await
    }

    async fn before(server: Server) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (state, watched) = watch::channel(State::Open);
        let traffic = Arc::new(Traffic::default());
        tokio::spawn(accept(listener, server, watched, Arc::clone(&traffic)));
        Ok(Self { port, state, traffic })
    }

    /// A connection string through the proxy, as the cluster's superuser.
    #[must_use]
    pub fn database_url(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={database} sslmode=disable", self.port)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Loses so many of the next messages of that kind, each with its connection; those that were to be lost before and have not
    /// come are let pass.
    pub fn lose(&self, loss: Loss, times: u32) {
        self.traffic.to_lose(loss).store(times, Ordering::SeqCst);
    }

    /// How many messages were lost, so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.traffic.lost.load(Ordering::SeqCst)
    }

    /// Closes every connection, and new ones until [`restore`](Self::restore).
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Closes every connection; new ones pass.
    pub fn hang_up(&self) {
        self.traffic.hang_up.notify_waiters();
    }

    /// Holds every byte back until [`restore`](Self::restore).
    pub fn silence(&self) {
        self.state.send_replace(State::Silent);
    }

    /// Lets connections pass again.
    pub fn restore(&self) {
        self.state.send_replace(State::Open);
    }

    /// How often a client has sent something and then waited for the answer, so far.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.traffic.round_trips.load(Ordering::SeqCst)
    }

    /// Ready when a client sends something from now on.
    pub async fn next_request(&self) {
        self.traffic.from_client.notified().await;
    }

    /// Ready when the server answers something from now on.
    pub async fn next_answer(&self) {
        self.traffic.from_server.notified().await;
    }
}

async fn accept(listener: TcpListener, server: Server, mut state: watch::Receiver<State>, traffic: Arc<Traffic>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                if *state.borrow() == State::Cut {
                    continue;
                }
                let (state, traffic) = (state.clone(), Arc::clone(&traffic));
                match &server {
                    Server::Socket(socket) => {
                        let Ok(server) = UnixStream::connect(socket).await else { continue };
                        tokio::spawn(relay(client, server, state, traffic));
                    }
                    Server::Port(port) => {
                        let Ok(server) = TcpStream::connect(port).await else { continue };
                        drop(server.set_nodelay(true));
                        tokio::spawn(relay(client, server, state, traffic));
                    }
                }
            }
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

async fn relay(
    client: TcpStream,
    server: impl AsyncRead + AsyncWrite,
    mut state: watch::Receiver<State>,
    traffic: Arc<Traffic>,
) {
    drop(client.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = split(server);
    let asked = AtomicBool::new(false);
    let up = pass(&mut from_client, &mut to_server, state.clone(), |_| {
        asked.store(true, Ordering::SeqCst);
        traffic.from_client.notify_waiters();
        !traffic.loses(Loss::Request)
    });
    let down = pass(&mut from_server, &mut to_client, state.clone(), |bytes| {
        traffic.from_server.notify_waiters();
        if asked.swap(false, Ordering::SeqCst) {
            traffic.round_trips.fetch_add(1, Ordering::SeqCst);
        }
        let committed = bytes.windows(COMMITTED.len()).any(|window| window == COMMITTED);
        !(committed && traffic.loses(Loss::Commit) || traffic.loses(Loss::Answer))
    });
    tokio::select! {
        _ = up => {}
        _ = down => {}
        () = traffic.hang_up.notified() => {}
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}

/// Passes bytes on until there are no more, or a lot is lost: `seen` hears of each lot before it goes out, and says whether it does.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut state: watch::Receiver<State>,
    seen: impl Fn(&[u8]) -> bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 65536];
    loop {
        let length = from.read(&mut buffer).await?;
        state.wait_for(|state| *state != State::Silent).await.map_err(io::Error::other)?;
        if length == 0 || !seen(&buffer[..length]) {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}
