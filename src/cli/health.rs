//! `health`: whether the `serve` of this machine is well, by exit code: for a container's health check, where there is neither
//! a shell nor curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use field_service::telegram::http_client;

use super::{Result, say};

/// How long to wait: `/health` answers within two seconds, whatever waits.
const ANSWER: Duration = Duration::from_secs(4);

#[derive(Args)]
pub struct Health {
    /// Where `serve` listens, as it was told; for every address of the machine, it is asked on the machine itself
    #[arg(long, value_name = "ADDR", value_parser = super::address, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

/// Says what the server answers. Fails when that is anything but 200, or nothing.
pub async fn run(Health { listen }: Health) -> Result {
    let url = format!("http://{}/health", reached(listen));
    let answer = http_client(&url).get(&url).timeout(ANSWER).send().await;
    let answer = answer.map_err(|error| {
        let why = if error.is_timeout() { "it does not answer" } else { "nobody listens there, or not an HTTP server" };
        format!("{url}: {why}")
    })?;
    let status = answer.status();
    let body = answer.text().await.map_err(|_| format!("{url}: the answer breaks off"))?;
    say(&body)?;
    if status == 200 { Ok(()) } else { Err(format!("{url}: {status}").into()) }
}

/// The address by which a server that listens on `listen` is reached from its own machine.
fn reached(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
