//! `serve`: the handler and the jobs, until the process is asked to stop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;

use clap::Args;
use field_service::app::App;
use field_service::cluster::End;
use field_service::config::environment;
use field_service::http::server;
use field_service::logging;
use field_service::model::BotName;
use field_service::store::{Clock, Store};
use field_service::telegram::Telegram;
use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::private::Private;
use super::{Result, listen, shutdown_signal};

/// Where a server listens that is not told.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

#[derive(Args)]
pub struct Serve {
    /// Where to listen [default: 127.0.0.1:8080; with --poll nowhere]
    #[arg(long, value_name = "ADDR", value_parser = super::address)]
    listen: Option<SocketAddr>,
    /// Connections to the database; four per core unless given, and many more make it slower
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    connections: Option<u16>,
    /// Fetch both bots' updates with getUpdates instead of a webhook: no domain, no TLS, no open port, no webhook secrets; in one
    /// process only
    #[arg(long)]
    poll: bool,
    /// Delete the webhook that a bot has, for good
    #[arg(long, requires = "poll")]
    replace_webhook: bool,
}

/// Serves. `private`: the database, if it is one of one's own, which is started again should it die.
pub async fn run(serve: Serve, private: Option<&Private>) -> Result {
    let connections = serve.connections.map_or_else(four_per_core, usize::from);
    let app = if serve.poll {
        App::asking_for_updates(&environment, connections, Clock::default())?
    } else {
        App::from_env(&environment, connections, Clock::default())?
    };
    let asked = shutdown_signal()?;
    check(&app.store).await?;
    let listener = serve.listen.or((!serve.poll).then_some(LISTEN)).map(listen).transpose()?;
    say_where_it_listens(listener.as_ref(), connections)?;
    if !serve.poll {
        tokio::spawn(say_who_has_no_webhook(app.telegram.clone()));
    }
    let (fetches, ended) = oneshot::channel();
    let (has_database, moved) = oneshot::channel();
    let stop = asked_or_ended(asked, serve.poll.then_some(ended), private.map(|_| moved)).boxed().shared();
    let (jobs, stop_jobs) = (app.jobs(), stop.clone());
    let jobs = tokio::spawn(async move { jobs.run(stop_jobs).await });
    exit_at_the_next_interrupt(stop.clone());
    let keeping_alive = private.map(|private| {
        let alive = private.keep_alive(stop.clone());
        tokio::spawn(async move {
            let _has_database = has_database;
            alive.await
        })
    });
    let http = app.http();
    let polling = serve.poll.then(|| {
        let (pollers, stop) = (app.pollers(http.clone()), stop.clone());
        tokio::spawn(async move {
            let _fetches = fetches;
            pollers.run(serve.replace_webhook, stop).await
        })
    });
    match listener {
        Some(listener) => server::serve(listener, http, stop).await,
        None => stop.await,
    }
    let polled = match polling {
        Some(polling) => polling.await.map(|polled| polled.map_err(Into::into)),
        None => Ok(Ok(())),
    };
    // Those that failed have been logged.
    drop(jobs.await?);
    let kept = match keeping_alive {
        Some(keeping_alive) => keeping_alive.await??,
        None => End::Stopped,
    };
    close(&app);
    if kept == End::Moved {
        return Err(
            "the folder of the database was moved away while this ran; what is there now is served by a new `serve`"
                .into(),
        );
    }
    // What it says of a panic is in the log, without what the panic itself says.
    polled.unwrap_or_else(|_| Err("no updates were fetched any more, as that task has failed; see the log".into()))
}

fn say_where_it_listens(listener: Option<&TcpListener>, connections: usize) -> Result {
    let Some(listener) = listener else {
        tracing::info!(connections, "listening nowhere: without --listen there is no page, no API and no /health");
        return Ok(());
    };
    let address = listener.local_addr()?;
    tracing::info!(connections, "listening on http://{address}");
    tracing::info!("the dispatchers' page is http://{address}/app");
    Ok(())
}

/// Gives the connections back, and logs what was counted.
fn close(app: &App) {
    app.store.close();
    app.metrics.count_lost_lines();
    match app.metrics.summary().as_str() {
        "" => tracing::info!("stopped"),
        counted => tracing::info!("stopped; counted {counted}"),
    }
}

/// Looks at the database before anything is served. One that is away is waited for; what an operator has to mend is said, and ends
/// the program: a supervisor starts it again.
async fn check(store: &Store) -> Result {
    match store.ping().await {
        Ok(()) => match store.has_schema().await {
            Ok(false) => {
                Err("there are no tables in the database that DATABASE_URL names: run `field-service migrate` first"
                    .into())
            }
            Ok(true) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, "the database could not be looked at");
                Ok(())
            }
        },
        Err(error) if error.is_refusal() => Err(format!("the database does not let this program in: {error}").into()),
        Err(error) => {
            tracing::warn!(%error, "the database is not reachable; updates are answered with 503 until it is");
            Ok(())
        }
    }
}

/// A bot without a webhook gets no updates, and nobody else says so.
async fn say_who_has_no_webhook(telegram: Telegram) {
    for name in [BotName::Master, BotName::Admin] {
        if telegram.of(name).webhook_info().await.is_ok_and(|info| info.url.is_empty()) {
            let bot = name.as_str();
            tracing::warn!(
                "the {bot} bot has no webhook, so nothing comes from it: register one by `field-service webhook set URL --bot {bot}`, \
                 or ask Telegram for updates by `serve --poll`"
            );
        }
    }
}

/// Ready when the process is asked to stop, or when updates are not fetched any more, however that ended, or the database was moved
/// away: nothing is served without them. Both senders live as long as what they are of; `None`: updates are delivered, and the
/// database is somebody else's.
async fn asked_or_ended(
    asked: impl Future<Output = ()>,
    fetches: Option<oneshot::Receiver<()>>,
    has_database: Option<oneshot::Receiver<()>>,
) {
    let ended = async |of: Option<oneshot::Receiver<()>>| match of {
        Some(of) => drop(of.await),
        None => std::future::pending().await,
    };
    tokio::select! {
        () = asked => {}
        () = ended(fetches) => {}
        () = ended(has_database) => {}
    }
}

/// Whoever presses Ctrl-C after that does not want to wait. Not at a second SIGTERM: supervisors send several, which is no reason to
/// cut short what is under way.
fn exit_at_the_next_interrupt(stopped: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async move {
        stopped.await;
        let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return };
        if interrupt.recv().await.is_some() {
            tracing::warn!("interrupted while stopping: stopped at once");
            logging::flush();
            std::process::exit(130);
        }
    });
}

fn four_per_core() -> usize {
    4 * std::thread::available_parallelism().map_or(2, NonZero::get)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn whoever_fetches_updates_ends_the_server_also_by_a_panic() {
        let (fetches, ended) = oneshot::channel::<()>();
        let failed = tokio::spawn(async move {
            let _fetches = fetches;
            panic!("out of updates");
        });
        asked_or_ended(pending(), Some(ended), None).await;
        assert!(failed.await.is_err_and(|error| error.is_panic()));
    }

    #[tokio::test]
    async fn without_one_it_goes_on_until_it_is_asked_to_stop() {
        assert!(asked_or_ended(pending(), None, None).now_or_never().is_none());
        assert!(asked_or_ended(async {}, None, None).now_or_never().is_some());
        let (_fetches, ended) = oneshot::channel();
        assert!(asked_or_ended(pending(), Some(ended), None).now_or_never().is_none());
    }
}
