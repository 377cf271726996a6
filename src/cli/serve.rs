//! `serve`: the handler and the jobs, until the process is asked to stop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;

use clap::Args;
use field_service::app::App;
use field_service::config::environment;
use field_service::http::server;
use field_service::logging;
use field_service::store::Clock;
use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::{Result, listen, shutdown_signal};

/// Where a server listens that is not told.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

#[derive(Args)]
pub struct Serve {
    /// Where to listen [default: 127.0.0.1:8080; with --poll nowhere]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Connections to the database; four per core unless given, and many more make it slower
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    connections: Option<u16>,
    /// Ask Telegram for both bots' updates rather than have them delivered: no domain, no TLS, no open port, no webhook
    /// secrets; in one process only
    #[arg(long)]
    poll: bool,
    /// Remove the webhook that a bot has, for good
    #[arg(long, requires = "poll")]
    replace_webhook: bool,
}

pub async fn run(serve: Serve) -> Result {
    let connections = serve.connections.map_or_else(four_per_core, usize::from);
    let app = if serve.poll {
        App::asking_for_updates(&environment, connections, Clock::default())?
    } else {
        App::from_env(&environment, connections, Clock::default())?
    };
    let listener = serve.listen.or((!serve.poll).then_some(LISTEN)).map(listen).transpose()?;
    let asked = shutdown_signal()?;
    match &listener {
        Some(listener) => tracing::info!(connections, "listening on http://{}", listener.local_addr()?),
        None => {
            tracing::info!(connections, "listening nowhere: without --listen there is no page, no API and no /health");
        }
    }
    let store = app.store.clone();
    tokio::spawn(async move {
        if let Err(error) = store.ping().await {
            tracing::warn!(%error, "the database is not reachable; updates are answered with 503 until it is");
        }
    });
    let (halt, halted) = oneshot::channel::<()>();
    let halted = halted.then(async |halted| {
        if halted.is_err() {
            std::future::pending::<()>().await;
        }
    });
    let stop = async move {
        tokio::select! {
            () = asked => {}
            () = halted => {}
        }
    };
    let stop = stop.boxed().shared();
    let (jobs, stop_jobs) = (app.jobs(), stop.clone());
    let jobs = tokio::spawn(async move { jobs.run(stop_jobs).await });
    exit_at_the_second_signal(stop.clone());
    let http = app.http();
    let polling = serve.poll.then(|| {
        let (pollers, stop) = (app.pollers(http.clone()), stop.clone());
        tokio::spawn(async move {
            let ended = pollers.run(serve.replace_webhook, stop).await;
            if ended.is_err() {
                // Nothing is served without updates. That nobody listens means that all have stopped already.
                let _ = halt.send(());
            }
            ended
        })
    });
    match listener {
        Some(listener) => server::serve(listener, http, stop).await,
        None => stop.await,
    }
    let polled = match polling {
        Some(polling) => polling.await?,
        None => Ok(()),
    };
    // Those that failed have been logged.
    drop(jobs.await?);
    app.store.close();
    app.metrics.count_lost_lines();
    tracing::info!("stopped; counted {}", app.metrics.summary());
    Ok(polled?)
}

/// Who asks twice does not want to wait.
fn exit_at_the_second_signal(stopped: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        stopped.await;
        if let Ok(again) = shutdown_signal() {
            again.await;
            tracing::warn!("asked to stop a second time: stopped at once");
            logging::flush();
            std::process::exit(130);
        }
    });
}

fn four_per_core() -> usize {
    4 * std::thread::available_parallelism().map_or(2, NonZero::get)
}
