//! Who is asked.

use std::io;

use super::Error;
use crate::bots::render::texts::console as texts;

/// A terminal, or what stands for one.
pub trait Console {
    /// Shows a line, or several.
    ///
    /// # Errors
    /// When nobody sees it.
    fn say(&mut self, text: &str) -> io::Result<()>;

    /// Asks, and gives the answer without its end of line; `None`: there are no more answers.
    ///
    /// # Errors
    /// When nobody can be asked.
    fn ask(&mut self, question: &str) -> io::Result<Option<String>>;

    /// The same, and shows nobody what is typed.
    ///
    /// # Errors
    /// When nobody can be asked.
    fn ask_hidden(&mut self, question: &str) -> io::Result<Option<String>>;
}

/// A conversation, or a monologue that nobody hears.
pub(super) struct Talk<'a>(Option<&'a mut dyn Console>);

/// A question, and by which flag it is answered beforehand.
pub(super) struct Question<'a> {
    /// What is asked.
    pub(super) text: &'a str,
    /// What the command line says instead.
    pub(super) flag: &'static str,
    /// What was said there.
    pub(super) given: Option<String>,
    /// What an empty answer means, and how it is shown.
    pub(super) usual: Option<(String, &'a str)>,
    /// Whether the answer is a secret.
    pub(super) hidden: bool,
}

impl<'a> Talk<'a> {
    pub(super) fn new(console: Option<&'a mut dyn Console>) -> Self {
        Self(console)
    }

    pub(super) fn can_ask(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), |console| console.say(text))
    }

    fn ask(&mut self, question: &str, hidden: bool) -> Result<String, Error> {
        let Some(console) = &mut self.0 else { return Err(Error::Ended) };
        let answer = if hidden { console.ask_hidden(question)? } else { console.ask(question)? };
        answer.map(|answer| answer.trim().to_owned()).ok_or(Error::Ended)
    }

    /// Whether the answer to a question is yes; one that is neither yes nor no is asked for again.
    pub(super) fn yes(&mut self, question: &str) -> Result<bool, Error> {
        loop {
            let answer = self.ask(&format!("{question} [yes/no] "), false)?.to_lowercase();
            match () {
                () if texts::is_yes(&answer) => return Ok(true),
                () if texts::is_no(&answer) => return Ok(false),
                () => self.say("yes or no?")?,
            }
        }
    }

    /// What was said, or is answered, once it does; `check` says why not.
    pub(super) async fn settle<T>(
        &mut self,
        question: Question<'_>,
        check: impl AsyncFn(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        let Question { text, flag, given, usual, hidden } = question;
        if let Some(given) = given {
            return check(&given).await.map_err(|why| Error::Wrong(flag, why));
        }
        if !self.can_ask() {
            let (usual, _) = usual.ok_or(Error::NotSaid(flag))?;
            return check(&usual).await.map_err(|why| Error::Wrong(flag, why));
        }
        let asked = match &usual {
            Some((_, shown)) => format!("{text} [{shown}] "),
            None => format!("{text} "),
        };
        loop {
            let answer = self.ask(&asked, hidden)?;
            let answer = match &usual {
                Some((usual, _)) if answer.is_empty() => usual,
                _ => &answer,
            };
            match check(answer).await {
                Ok(value) => return Ok(value),
                Err(why) => self.say(&format!("  {why}"))?,
            }
        }
    }
}
