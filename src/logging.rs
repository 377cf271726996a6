//! Log lines: JSON in Lambda, human-readable elsewhere; never a token, a client's phone or an address.
//!
//! What comes from outside is never logged as it is: errors say in our own words what is wrong ([`cause`]), and should a
//! text get into a line all the same, it cannot end it or do anything to a terminal ([`printable`]).
//!
//! Logging delays nobody. Outside Lambda lines go to standard error through a bounded queue, and are lost and counted while
//! nobody reads. In Lambda they go to standard output at once: the platform reads it, and freezes the process as soon as
//! it has answered, with whatever is still in a queue.

pub mod cause;
#[cfg(feature = "otel")]
mod export;
mod line;
mod panics;
mod queue;
mod record;
mod repeats;

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
pub use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Lookup;
use line::Style;
pub use line::printable;
use queue::{Batch, Queue};
use record::{Record, Span};
use repeats::Repeats;

/// How often the thread looks after what was kept back.
const LOOK: Duration = Duration::from_millis(500);
/// How long the end of a process waits for its last lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// The log of this process, once it is set up.
static LOG: OnceLock<Arc<Log>> = OnceLock::new();

struct Log {
    style: Style,
    repeats: Mutex<Repeats>,
    /// `None`: at once, to standard output.
    queue: Option<Queue>,
    /// How many lost lines have been told to the counters.
    counted: AtomicU64,
}

/// Sets the process's subscriber up, with the level of `RUST_LOG` or `AWS_LAMBDA_LOG_LEVEL`; `default` without either.
/// Human-readable lines go to standard error. From then on panics are log lines too. A second call does nothing.
///
/// Libraries are heard from `warn` on, whatever is asked for: at `trace` the Lambda runtime logs whole requests, with
/// the webhook's secret, and at `debug` the database driver logs parameters.
///
/// # Errors
/// When the level cannot be parsed; `default` is in force then.
pub fn init(lookup: Lookup, default: LevelFilter) -> Result<(), String> {
    let (levels, complaint) = match levels(lookup, default) {
        Ok(levels) => (levels, None),
        Err(complaint) => (Targets::new().with_default(default), Some(complaint)),
    };
    let in_lambda = lookup("AWS_LAMBDA_FUNCTION_NAME").is_some();
    let style = if in_lambda { Style::Json } else { Style::Text { colours: stderr().is_terminal() } };
    let log = Arc::new(Log::new(style, !in_lambda));
    let quiet = filter_fn(|metadata: &Metadata| record::is_ours(metadata) || *metadata.level() <= Level::WARN);
    let lines = Lines(Arc::clone(&log)).with_filter(levels.and(quiet));
    // A subscriber that is there already, as in tests, stays.
    let subscriber = tracing_subscriber::registry().with(lines);
    #[cfg(feature = "otel")]
    let (subscriber, complaint) = match export::layer(lookup) {
        Ok(layer) => (subscriber.with(layer), complaint),
        Err(error) => (subscriber.with(None), complaint.or(Some(error))),
    };
    if subscriber.try_init().is_ok() {
        if !in_lambda {
            let writer = Arc::clone(&log);
            std::thread::Builder::new()
                .name("log".to_owned())
                .spawn(move || writer.write_to(stderr()))
                .map_err(|error| format!("starting the thread that writes the log: {error}"))?;
        }
        panics::log_from_now_on();
        let _ = LOG.set(log);
    }
    complaint.map_or(Ok(()), Err)
}

fn levels(lookup: Lookup, default: LevelFilter) -> Result<Targets, String> {
    let asked = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .into_iter()
        .find_map(|name| lookup(name).filter(|value| !value.is_empty()).map(|value| (name, value)));
    let Some((name, value)) = asked else { return Ok(Targets::new().with_default(default)) };
    // Lambda knows a level above ERROR.
    let level = value.to_ascii_lowercase().replace("fatal", "error");
    let malformed =
        |why: String| format!("{name} is malformed ({why}): expected a level such as info, or target=level,…");
    // A word alone would be taken for a target, of which everything is heard, and of all others nothing.
    for word in level.split(',').map(str::trim).filter(|word| !word.contains('=')) {
        if word.parse::<LevelFilter>().is_err() && !word.starts_with(env!("CARGO_CRATE_NAME")) {
            return Err(malformed(format!("«{word}» is no level")));
        }
    }
    level.parse().map_err(|error: tracing_subscriber::filter::ParseError| malformed(error.to_string()))
}

/// What a program says at its end because it has failed, in as many lines as it has: some point into a file. Waits for nobody who does
/// not read.
pub fn complain(words: &str) {
    let lines: Vec<_> = words.trim_end().split('\n').map(printable).collect();
    let line = format!("error: {}\n", lines.join("\n"));
    match LOG.get() {
        Some(log) => {
            log.write(line);
            flush();
        }
        None => drop(stderr().write_all(line.as_bytes())),
    }
}

/// Writes what is still to be written: for two seconds at most.
pub fn flush() {
    let Some(log) = LOG.get() else { return };
    match &log.queue {
        Some(queue) => queue.flush(PATIENCE),
        None => log.write_kept(true, |line| log.write(line)),
    }
}

/// Sends the last traces, before the runtime ends; nothing, in a build without the feature `otel`.
pub fn end_traces() {
    #[cfg(feature = "otel")]
    export::end();
}

/// Flushes when it goes out of scope, also in a panic.
#[must_use]
pub struct FlushAtTheEnd;

impl Drop for FlushAtTheEnd {
    fn drop(&mut self) {
        flush();
    }
}

/// How many lines were lost since it was last asked.
#[must_use]
pub fn take_lost() -> u64 {
    let Some((log, queue)) = LOG.get().and_then(|log| log.queue.as_ref().map(|queue| (log, queue))) else { return 0 };
    let lost = queue.lost();
    lost - log.counted.swap(lost, Ordering::Relaxed).min(lost)
}

impl Log {
    fn new(style: Style, queued: bool) -> Self {
        Self { style, repeats: Mutex::default(), queue: queued.then(Queue::default), counted: AtomicU64::new(0) }
    }

    fn write(&self, line: String) {
        match &self.queue {
            Some(queue) => queue.push(line),
            // Nobody is left to be told.
            None => drop(stdout().write_all(line.as_bytes())),
        }
    }

    fn line(&self, record: &Record) -> String {
        self.style.line(record, Timestamp::now())
    }

    fn take(&self, event: &Event<'_>, record: Record) {
        let admitted = if record.level > Level::WARN {
            Some(record)
        } else {
            let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
            repeats.admit(event.metadata().callsite(), record, Instant::now())
        };
        if let Some(record) = admitted {
            self.write(self.line(&record));
        }
    }

    /// Writes what was kept back for a second; or `all` of it.
    fn write_kept(&self, all: bool, mut write: impl FnMut(String)) {
        let due = self.repeats.lock().unwrap_or_else(PoisonError::into_inner).due(Instant::now(), all);
        for record in due {
            write(self.line(&record));
        }
    }

    /// Writes for as long as the process lives.
    fn write_to(&self, mut to: impl Write) {
        let Some(queue) = &self.queue else { return };
        let mut said = 0;
        loop {
            let Batch { lines, all } = queue.take(LOOK);
            let mut write = |line: String| {
                if queue::write(&mut to, &line).is_err() {
                    queue.lose(1);
                }
            };
            lines.into_iter().for_each(&mut write);
            self.write_kept(all, &mut write);
            let lost = queue.lost();
            if lost > said {
                let words = format!("log: {} lines were lost while nobody read them", lost - said);
                write(self.line(&Record::new(Level::WARN, module_path!(), words)));
                said = lost;
            }
            queue.done();
        }
    }
}

/// Turns events into lines.
struct Lines(Arc<Log>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(Span::new(attributes));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let around = context.event_scope(event).into_iter().flat_map(Scope::from_root);
        let spans = around.filter_map(|span| span.extensions().get::<Span>().cloned()).collect();
        self.0.take(event, Record::of(event, spans));
    }

    /// How long a statement or a call took is a line for whoever asks for so much.
    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id).filter(|span| *span.metadata().level() >= Level::DEBUG) else { return };
        let spans: Vec<_> = span.scope().from_root().filter_map(|span| span.extensions().get().cloned()).collect();
        let took = spans.last().map_or(Duration::ZERO, |span: &Span| span.begun.elapsed());
        let words = format!("took {:.1} ms", took.as_secs_f64() * 1000.0);
        self.0.write(self.0.line(&Record { spans, ..Record::new(Level::DEBUG, span.metadata().target(), words) }));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader of the log that reads when it is told to.
    struct Pipe {
        turns: Receiver<()>,
        written: Sender<String>,
    }

    impl Write for Pipe {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.turns.recv().map_err(io::Error::other)?;
            self.written.send(String::from_utf8_lossy(line).into_owned()).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_logs_waits_for_nobody_and_what_is_lost_is_counted() {
        const LINES: usize = 100_000;
        let log = Arc::new(Log::new(Style::Text { colours: false }, true));
        let ((turn, turns), (written, lines)) = (channel(), channel());
        let writer = Arc::clone(&log);
        std::thread::spawn(move || writer.write_to(Pipe { turns, written }));
        let subscriber = tracing_subscriber::registry().with(Lines(Arc::clone(&log)));
        tracing::subscriber::with_default(subscriber, || {
            for number in 0..LINES {
                tracing::info!("offer_accept SUCCESS: order={number} assigned to master=5");
            }
        });
        let queue = log.queue.as_ref().expect("a queue");
        let lost = queue.lost();
        assert!(lost > 0 && lost < LINES as u64, "{lost}");
        let begun = Instant::now();
        queue.flush(Duration::from_millis(50));
        assert!(begun.elapsed() < Duration::from_secs(5), "the end waits for a while only");

        for _ in 0..=LINES as u64 - lost {
            turn.send(()).expect("the writer lives");
        }
        let read: Vec<String> = (0..=LINES as u64 - lost).map(|_| lines.recv().expect("a line")).collect();
        let said = read.iter().filter(|line| line.contains("lines were lost")).collect::<Vec<_>>();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains(&format!(" WARN log: {lost} lines were lost")), "{said:?}");
        queue.flush(Duration::from_secs(5));
    }
}
