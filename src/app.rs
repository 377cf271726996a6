//! The one composition root: everything a program needs, made once per process.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::api;
use crate::bots::render::texts;
use crate::bots::{self, Bots, Strangers};
use crate::config::{self, Lookup, SharedSecret};
use crate::http::{self, Secrets};
use crate::jobs::Jobs;
use crate::liveness::Liveness;
use crate::logging;
use crate::metrics::Metrics;
use crate::model::{BotName, paste};
use crate::poll::Pollers;
use crate::store::{self, Clock, Store};
use crate::telegram::{self, Bot, Telegram};

/// What programs are made of. Stateless between requests but for pooled connections and counters.
pub struct App {
    /// The database.
    pub store: Store,
    /// The senders of both bots.
    pub telegram: Telegram,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// When the jobs last succeeded.
    pub liveness: Arc<Liveness>,
    /// Wakes the delivery job of this process.
    enqueued: Arc<Notify>,
    strangers: Arc<Strangers>,
    /// What the senders of this process remember.
    delivery: Arc<bots::delivery::State>,
    /// Where people reach the dispatchers' page, if anybody is to be led there.
    public_url: Option<config::PublicUrl>,
    /// The technicians' bot.
    master_bot_id: i64,
    /// The dispatchers' bot's, by which Telegram signs who opened a page.
    admin_token: config::Token,
    /// `None` in a program that serves no webhook.
    secrets: Option<Arc<Secrets>>,
}

/// The program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The database's TLS could not be set up.
    #[error(transparent)]
    Database(#[from] store::TlsError),
}

impl App {
    /// Builds everything from the environment, with at most `connections` to the database. Connects to nothing.
    ///
    /// # Errors
    /// When a variable is missing or malformed, or the CA file cannot be read.
    pub fn from_env(lookup: Lookup, connections: usize, clock: Clock) -> Result<Self, Error> {
        let app = Self::without_webhook(lookup, connections, clock)?;
        let secret = |bot| -> Result<SharedSecret, config::Error> { config::webhook_secret(lookup, bot) };
        let webhook = Some([secret(BotName::Master)?, secret(BotName::Admin)?]);
        let secrets = Secrets { webhook, metrics: config::metrics_token(lookup)? };
        Ok(Self { secrets: Some(Arc::new(secrets)), ..app })
    }

    /// The same for a program that asks for its updates: it needs no secrets for a webhook, which answers 401 whatever is
    /// presented.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn asking_for_updates(lookup: Lookup, connections: usize, clock: Clock) -> Result<Self, Error> {
        let app = Self::without_webhook(lookup, connections, clock)?;
        let secrets = Secrets { webhook: None, metrics: config::metrics_token(lookup)? };
        Ok(Self { secrets: Some(Arc::new(secrets)), ..app })
    }

    /// The same for a program that serves no webhook, and needs no secrets for it.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn without_webhook(lookup: Lookup, connections: usize, clock: Clock) -> Result<Self, Error> {
        let database = config::Database::from_env(lookup)?;
        let api_url = config::telegram_api_url(lookup)?;
        let client = telegram::http_client(&api_url);
        let metrics = Arc::<Metrics>::default();
        let [master, admin] = config::bot_tokens(lookup)?;
        let bot = |token| Bot::new(client.clone(), &api_url, token).counting(Arc::clone(&metrics));
        Ok(Self {
            telegram: Telegram { master: bot(&master), admin: bot(&admin) },
            public_url: config::public_url(lookup)?,
            master_bot_id: master.bot_id(),
            admin_token: admin,
            secrets: None,
            liveness: Arc::default(),
            enqueued: Arc::default(),
            strangers: Arc::default(),
            delivery: Arc::default(),
            store: Store::new(&database, connections, clock)?.counting(Arc::clone(&metrics)),
            metrics,
        })
    }

    /// What the bots work with.
    #[must_use]
    pub fn bots(&self) -> Bots {
        Bots {
            store: self.store.clone(),
            telegram: self.telegram.clone(),
            metrics: Arc::clone(&self.metrics),
            enqueued: Arc::clone(&self.enqueued),
            strangers: Arc::clone(&self.strangers),
            delivery: Arc::clone(&self.delivery),
            public_url: self.public_url.clone(),
        }
    }

    /// Ends an invocation of a Lambda function: what is logged and counted is written before the answer, as the process is
    /// frozen after it.
    pub fn end_invocation(&self) {
        logging::flush();
        self.metrics.print_embedded();
    }

    /// What happens without a tap.
    #[must_use]
    pub fn jobs(&self) -> Jobs {
        Jobs::new(self.bots(), Arc::clone(&self.liveness))
    }

    /// What asks Telegram for the updates of both bots, and has them handled as `http`'s webhook does.
    #[must_use]
    pub fn pollers(&self, http: http::State) -> Pollers {
        let handler = Arc::new(move |bot, body| -> BoxFuture<'static, Result<(), Duration>> {
            let http = http.clone();
            Box::pin(async move { http.handle_fetched(bot, body).await })
        });
        let bots = [(BotName::Master, self.master_bot_id), (BotName::Admin, self.admin_token.bot_id())];
        Pollers::new(
            self.store.clone(),
            self.telegram.clone(),
            bots,
            handler,
            Arc::clone(&self.liveness),
            Arc::clone(&self.metrics),
        )
    }

    /// What answers HTTP requests.
    #[must_use]
    pub fn http(&self) -> http::State {
        let api = api::State::new(self.store.clone(), Arc::clone(&self.metrics), words(), self.admin_token.clone());
        http::State::new(self.bots(), api, self.secrets.clone(), Arc::clone(&self.liveness))
    }
}

/// What is Russian in the API's requests.
#[must_use]
pub fn words() -> api::Words {
    api::Words {
        nameless: texts::staff::new_order::NAMELESS,
        sought: texts::staff::search::sought,
        read_order: |written, cities| paste::read(written, cities, &texts::VOCABULARY),
        read_when: |written, now, hours| paste::when::read(written, None, now, hours, &texts::VOCABULARY),
        column_names: texts::sheet::names,
        exported: &texts::sheet::EXPORTED,
        trade: texts::sheet::trade,
        status: texts::sheet::status,
        yes: texts::sheet::YES,
        is_yes: texts::sheet::is_yes,
        is_no: texts::sheet::is_no,
    }
}

/// What a Lambda function's `main` is: logging, and a runtime of one thread, as one invocation comes at a time. An error
/// is printed.
pub fn run_function(run: impl Future<Output = Result<(), lambda_http::Error>>) -> ExitCode {
    let started = logging::init(&config::environment, logging::LevelFilter::INFO).map_err(Into::into).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run)
    });
    match started {
        Ok(()) => ExitCode::SUCCESS,
        Err::<_, lambda_http::Error>(error) => {
            logging::complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
