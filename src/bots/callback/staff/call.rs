//! `adm:c…`: calls for a dispatcher.

use std::fmt;

use super::Parts;

/// What a button of this area asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallTap {
    /// `adm:c`: its first screen.
    Start,
}

impl CallTap {
    /// Parses what follows `adm:c`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        match parts.next() {
            None => Some(Self::Start),
            Some(_) => None,
        }
    }
}

impl fmt::Display for CallTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => write!(f, "adm:c"),
        }
    }
}
