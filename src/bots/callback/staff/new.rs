//! `adm:new…`: taking a new order in.

use std::fmt;

use super::Parts;

/// What a button of this area asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewTap {
    /// `adm:new`: its first screen.
    Start,
}

impl NewTap {
    /// Parses what follows `adm:new`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        match parts.next() {
            None => Some(Self::Start),
            Some(_) => None,
        }
    }
}

impl fmt::Display for NewTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => write!(f, "adm:new"),
        }
    }
}
