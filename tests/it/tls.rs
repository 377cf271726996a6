//! TLS to the database, with each `sslmode`, against a real handshake.

use std::path::PathBuf;
use std::sync::Arc;

use field_service::cluster::Cluster;
use field_service::config::Database;
use field_service::store::{Clock, Store};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

use crate::harness::{database_name, postgres};

/// What a client sends to ask for TLS: its length, and a version that is none.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-SSLREQUEST>
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A server that speaks TLS as PostgreSQL does, and has PostgreSQL behind it. It is `localhost` by its certificate.
struct TlsServer {
    port: u16,
    certificate: PathBuf,
}

impl TlsServer {
    async fn start(cluster: &'static Cluster) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let certificate = std::env::temp_dir().join(format!("fs-test-{}-ca.pem", std::process::id()));
        std::fs::write(&certificate, cert.pem()).expect("a file");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a server's configuration");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut request = [0; 8];
                    client.read_exact(&mut request).await?;
                    if request != SSL_REQUEST {
                        return Ok(());
                    }
                    client.write_all(b"S").await?;
                    let mut client = acceptor.accept(client).await?;
                    let mut server = UnixStream::connect(cluster.folder().join(".s.PGSQL.5432")).await?;
                    copy_bidirectional(&mut client, &mut server).await.map(drop)
                });
            }
        });
        Self { port, certificate }
    }

    /// Whether the database answers through it.
    async fn ping(&self, database: &str, host: &str, mode: &str, roots: Option<&PathBuf>) -> Result<(), String> {
        let url = format!("postgresql://postgres@{host}:{}/{database}?sslmode={mode}&hostaddr=127.0.0.1", self.port);
        let mut config = Database::from_url(&url).expect("a URL");
        config.root_certificates = roots.cloned();
        let store = Store::new(&config, 1, Clock::default()).map_err(|error| error.to_string())?;
        store.ping().await.map_err(|error| error.to_string())
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.certificate));
    }
}

#[tokio::test]
async fn each_sslmode_checks_what_it_promises() {
    let url = postgres::fresh_database().await;
    let database = database_name(&url);
    let server = TlsServer::start(postgres::cluster()).await;
    let ca = Some(&server.certificate);

    // Encrypted, whoever answers.
    for mode in ["prefer", "require"] {
        assert_eq!(server.ping(database, "anybody.example.org", mode, None).await, Ok(()), "{mode}");
    }
    assert_eq!(server.ping(database, "localhost", "verify-full", ca).await, Ok(()));

    let other_name = server.ping(database, "anybody.example.org", "verify-full", ca).await.expect_err("another name");
    assert!(other_name.contains("not valid for name"), "{other_name}");
    let unknown = server.ping(database, "localhost", "verify-full", None).await.expect_err("not a public root");
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let in_clear = server.ping(database, "localhost", "disable", None).await;
    assert!(in_clear.is_err(), "this server speaks TLS only");

    let no_certificate = std::env::current_exe().ok();
    let unreadable = server.ping(database, "localhost", "verify-full", no_certificate.as_ref()).await;
    assert!(unreadable.expect_err("no PEM").contains("PGSSLROOTCERT"), "names the variable");
}
