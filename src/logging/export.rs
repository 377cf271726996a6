//! Traces to an OpenTelemetry collector: the spans that are also in log lines, with what is logged inside them.
//!
//! Only in a build with the feature `otel`, and only of a program that lives on between requests: a function is frozen with
//! whatever is still to be sent.

use std::fmt;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::cause;
use super::record::is_ours;
use crate::config::Lookup;

/// Where the collector takes OTLP over HTTP, such as `http://localhost:4318`; nothing is sent unless it is set.
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// How long the collector is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What still has spans to send.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// What sends spans; `None`: nobody is to get them.
///
/// # Errors
/// When the collector's address is none.
pub(super) fn layer<S>(lookup: Lookup) -> Result<Option<impl Layer<S> + use<S>>, String>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(endpoint) = lookup(ENDPOINT).filter(|endpoint| !endpoint.is_empty()) else { return Ok(None) };
    let Ok(runtime) = Handle::try_current() else { return Ok(None) };
    let malformed = || format!("{ENDPOINT} is malformed: expected an address such as http://localhost:4318");
    let address = reqwest::Url::parse(&endpoint).map_err(|_| malformed())?;
    if !matches!(address.scheme(), "http" | "https") {
        return Err(malformed());
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new(runtime)?)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| format!("sending traces to {ENDPOINT}: {error}"))?;
    let resource = Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).build();
    let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
    let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    let _ = PROVIDER.set(provider);
    let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false);
    // Libraries' spans and words may quote what came from outside. Ours do not.
    Ok(Some(layer.with_filter(filter_fn(|metadata| is_ours(metadata) && *metadata.level() <= Level::DEBUG))))
}

/// Sends what is still to be sent, while the runtime lives; waits for a few seconds at most.
pub(super) fn end() {
    let Some(provider) = PROVIDER.get() else { return };
    if let Err(error) = provider.shutdown_with_timeout(PATIENCE) {
        tracing::warn!(%error, "the last traces were not sent");
    }
}

/// Our HTTP client for the exporter, which calls it from a thread of its own.
struct Client {
    client: reqwest::Client,
    runtime: Handle,
}

impl Client {
    fn new(runtime: Handle) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(crate::tls::publicly_trusting())
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE);
        let client = client.build().map_err(|_| "an HTTP client for traces could not be made".to_owned())?;
        Ok(Self { client, runtime })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl HttpClient for Client {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let sending = self.runtime.spawn(send(self.client.clone(), request));
        Box::pin(async { sending.await? })
    }
}

async fn send(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let sent = async {
        let mut answer = client.execute(request.try_into()?).await?;
        let mut response = Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = std::mem::take(answer.headers_mut());
        }
        Ok::<_, reqwest::Error>((response, answer.bytes().await?))
    };
    match sent.await {
        Ok((response, body)) => Ok(response.body(body)?),
        Err(error) => {
            // Not the error's own words: they quote the address, which may hold a password.
            let why = cause::of(&error).unwrap_or_else(|| "the request failed".to_owned());
            tracing::warn!("traces were not sent: {why}");
            Err(why.into())
        }
    }
}
