//! PgBouncer in transaction mode between the programs and the database, which they reach by TLS alone, with a certificate of a
//! private authority.
//!
//! It stands before the proxy, which has to read what passes: programs → TLS → PgBouncer → proxy → PostgreSQL.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::Error;
use super::deliver::lock;
use super::marks::{DATABASE, ROLE};
use super::processes::{ending_with_us, faketime, set_clock};

/// Where Debian, and others, have it.
const PROGRAMS: [&str; 3] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"];
/// How long it may take to listen.
const LISTENS: Duration = Duration::from_secs(10);

/// A private PgBouncer. Stops when dropped.
pub(super) struct Pooler {
    program: &'static str,
    /// With its configuration and certificates.
    folder: PathBuf,
    port: u16,
    process: Mutex<Option<Child>>,
}

impl Pooler {
    /// Starts it before `database`. Its files are in a folder below `cluster`, and as that folder's owner it runs: it refuses root.
    pub(super) async fn start(cluster: &Path, database: SocketAddr) -> Result<Self, Error> {
        let program = PROGRAMS.into_iter().find(|path| Path::new(path).is_file());
        let program = program.ok_or_else(|| Error::Processes("PgBouncer is not installed".to_owned()))?;
        let folder = cluster.join("pooler");
        std::fs::create_dir(&folder)?;
        certify(&folder)?;
        // Free now; and the same after each start.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        std::fs::write(folder.join("ini"), configuration(&folder, database, port))?;
        let owner = std::fs::metadata(cluster)?;
        for file in std::fs::read_dir(&folder)? {
            chown(file?.path(), Some(owner.uid()), Some(owner.gid()))?;
        }
        chown(&folder, Some(owner.uid()), Some(owner.gid()))?;
        let pooler = Self { program, folder, port, process: Mutex::default() };
        pooler.restart().await?;
        Ok(pooler)
    }

    /// What the programs read instead of the proxy's address.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let port = self.port;
        vec![
            ("DATABASE_URL", format!("host=localhost port={port} user={ROLE} dbname={DATABASE} sslmode=verify-full")),
            ("PGSSLROOTCERT", self.folder.join("ca.pem").display().to_string()),
            // What every version can do.
            ("DATABASE_STATEMENTS", "unnamed".to_owned()),
        ]
    }

    /// Kills it, and starts it anew.
    pub(super) async fn restart(&self) -> Result<(), Error> {
        self.kill();
        let owner = std::fs::metadata(&self.folder)?;
        let process = ending_with_us(Path::new(self.program))
            .arg(self.folder.join("ini"))
            .uid(owner.uid())
            .gid(owner.gid())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        *lock(&self.process) = Some(process);
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_err() {
            if begun.elapsed() > LISTENS {
                return Err(Error::Processes(format!("PgBouncer did not listen within {LISTENS:?}")));
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn kill(&self) {
        if let Some(mut process) = lock(&self.process).take() {
            // It may have ended.
            drop(process.kill());
            drop(process.wait());
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Two server connections for three of the programs', and a new try each second where fifteen are usual: the programs are to be well
/// again soon after each fault.
fn configuration(folder: &Path, database: SocketAddr, port: u16) -> String {
    let (host, at, folder) = (database.ip(), database.port(), folder.display());
    format!(
        "[databases]
{DATABASE} = host={host} port={at} user={ROLE}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 10
server_login_retry = 1
client_tls_sslmode = require
client_tls_cert_file = {folder}/server.pem
client_tls_key_file = {folder}/server.key
"
    )
}

/// An authority of its own, and by it a certificate for `localhost`; both hold since an hour ago, for programs whose clock is behind.
fn certify(folder: &Path) -> Result<(), Error> {
    let authority = "-subj /CN=Private -keyout ca.key -out ca.pem";
    let server = "-subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
                  -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem";
    for request in [authority, server] {
        let mut openssl = Command::new("openssl");
        if let Some(library) = faketime() {
            set_clock(&mut openssl, library, -3600);
        }
        let made = openssl
            .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 30".split(' '))
            .args(request.split_whitespace())
            .current_dir(folder)
            .stdin(Stdio::null())
            .output();
        let said = match made {
            Ok(made) if made.status.success() => continue,
            Ok(made) => String::from_utf8_lossy(&made.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        return Err(Error::Processes(format!("openssl made no certificate: {said}")));
    }
    Ok(())
}
