//! A proxy in front of PostgreSQL's socket: cuts connections, refuses new ones, and counts round trips.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
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
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (state, watched) = watch::channel(State::Open);
        let traffic = Arc::new(Traffic::default());
        tokio::spawn(accept(listener, socket, watched, Arc::clone(&traffic)));
        Ok(Self { port, state, traffic })
    }

    /// A connection string through the proxy, as the cluster's superuser.
    #[must_use]
    pub fn database_url(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={database} sslmode=disable", self.port)
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

async fn accept(listener: TcpListener, socket: PathBuf, mut state: watch::Receiver<State>, traffic: Arc<Traffic>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                if *state.borrow() == State::Cut {
                    continue;
                }
                let Ok(server) = UnixStream::connect(&socket).await else { continue };
                tokio::spawn(relay(client, server, state.clone(), Arc::clone(&traffic)));
            }
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

async fn relay(client: TcpStream, server: UnixStream, mut state: watch::Receiver<State>, traffic: Arc<Traffic>) {
    drop(client.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let asked = AtomicBool::new(false);
    let up = pass(&mut from_client, &mut to_server, state.clone(), || {
        asked.store(true, Ordering::SeqCst);
        traffic.from_client.notify_waiters();
    });
    let down = pass(&mut from_server, &mut to_client, state.clone(), || {
        traffic.from_server.notify_waiters();
        if asked.swap(false, Ordering::SeqCst) {
            traffic.round_trips.fetch_add(1, Ordering::SeqCst);
        }
    });
    tokio::select! {
        _ = up => {}
        _ = down => {}
        () = traffic.hang_up.notified() => {}
        _ = state.wait_for(|state| *state == State::Cut) => {}
    }
}

/// Passes bytes on until there are no more, and tells of each lot before it goes out.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut state: watch::Receiver<State>,
    seen: impl Fn(),
) -> io::Result<()> {
    let mut buffer = vec![0; 65536];
    loop {
        let length = from.read(&mut buffer).await?;
        state.wait_for(|state| *state != State::Silent).await.map_err(io::Error::other)?;
        if length == 0 {
            return Ok(());
        }
        seen();
        to.write_all(&buffer[..length]).await?;
    }
}
