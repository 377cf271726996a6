//! Whoever sits at the terminal, and is asked.

use std::io::{self, BufRead, Write};

use field_service::init::Console;
use field_service::logging::{self, printable};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::block_in_place;

/// What stands for no key at all, `_POSIX_VDISABLE`.
const NO_KEY: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

/// The terminal of standard input and output.
#[derive(Default)]
pub struct Terminal {
    /// Whether it is seen to that an end of this process leaves the terminal as it was.
    left_as_it_was: bool,
    /// What the terminal was before it showed nobody what is typed. It stays silent until a question whose answer is no secret:
    /// somebody may type the next secret before it is asked for.
    silent: Option<Echo>,
}

impl Console for Terminal {
    fn say(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        text.split('\n').try_for_each(|line| writeln!(out, "{}", printable(line)))
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        drop(self.silent.take());
        ask(question)
    }

    fn ask_hidden(&mut self, question: &str) -> io::Result<Option<String>> {
        if self.silent.is_none() {
            self.silent = Some(self.silence()?);
        }
        ask(question)
    }
}

impl Terminal {
    /// Shows nobody what is typed until the result is dropped.
    fn silence(&mut self) -> io::Result<Echo> {
        let before = tcgetattr(io::stdin())?;
        if !self.left_as_it_was {
            leave_as_it_was(before.clone())?;
            self.left_as_it_was = true;
        }
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // A shell that comes back in between lets a terminal show what is typed, and so it would when this goes on.
        silent.special_codes[SpecialCodeIndex::VSUSP] = NO_KEY;
        // The end of the line is shown: what is said next stands below the question.
        silent.local_modes.insert(LocalModes::ECHONL);
        let before = Echo(before);
        set(&silent)?;
        Ok(before)
    }
}

fn ask(question: &str) -> io::Result<Option<String>> {
    let mut out = io::stdout().lock();
    write!(out, "{}", printable(question))?;
    out.flush()?;
    drop(out);
    let mut answer = String::new();
    let read = block_in_place(|| io::stdin().lock().read_line(&mut answer))?;
    Ok((read > 0).then_some(answer))
}

/// What is typed is shown again, as before, when this goes out of scope.
struct Echo(Termios);

impl Drop for Echo {
    fn drop(&mut self) {
        if let Err(error) = set(&self.0) {
            tracing::warn!(%error, "what you type may not be shown: `stty echo` lets it");
        }
    }
}

/// What was typed ahead stays: somebody may have pasted more than one line.
fn set(modes: &Termios) -> io::Result<()> {
    Ok(tcsetattr(io::stdin(), OptionalActions::Now, modes)?)
}

/// Ctrl-C, Ctrl-\ and whoever sends a signal end the process in the middle of a question, and the terminal must show again what is
/// typed. It ends with 128 and the signal's number, as shells count.
fn leave_as_it_was(before: Termios) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let kind = tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = quit.recv() => SignalKind::quit(),
            _ = terminate.recv() => SignalKind::terminate(),
        };
        drop(Echo(before));
        logging::flush();
        std::process::exit(128 + kind.as_raw_value());
    });
    Ok(())
}
