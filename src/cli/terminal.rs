//! Whoever sits at the terminal, and is asked.

use std::io::{self, BufRead, Write};

use field_service::init::Console;
use field_service::logging::{self, printable};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::task::block_in_place;

use super::shutdown_signal;

/// The terminal of standard input and output.
#[derive(Default)]
pub struct Terminal {
    /// Whether it is seen to that an end of this process leaves the terminal as it was.
    left_as_it_was: bool,
}

impl Console for Terminal {
    fn say(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        text.split('\n').try_for_each(|line| writeln!(out, "{}", printable(line)))
    }

    fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let mut out = io::stdout().lock();
        write!(out, "{}", printable(question))?;
        out.flush()?;
        drop(out);
        let mut answer = String::new();
        let read = block_in_place(|| io::stdin().lock().read_line(&mut answer))?;
        Ok((read > 0).then_some(answer))
    }

    fn ask_hidden(&mut self, question: &str) -> io::Result<Option<String>> {
        let before = tcgetattr(io::stdin())?;
        if !self.left_as_it_was {
            leave_as_it_was(before.clone())?;
            self.left_as_it_was = true;
        }
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // The end of the line is shown: what is said next stands below the question.
        silent.local_modes.insert(LocalModes::ECHONL);
        let _before = Echo(before);
        set(&silent)?;
        self.ask(question)
    }
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

/// Ctrl-C ends the process in the middle of a question, and the terminal must show again what is typed.
fn leave_as_it_was(before: Termios) -> io::Result<()> {
    let asked = shutdown_signal()?;
    tokio::spawn(async move {
        asked.await;
        drop(Echo(before));
        logging::flush();
        std::process::exit(130);
    });
    Ok(())
}
