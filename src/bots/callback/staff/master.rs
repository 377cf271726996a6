//! `adm:m…`: the masters, and invitations.

use std::fmt;

use super::Parts;

/// What a button of this area asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterTap {
    /// `adm:m`: its first screen.
    Start,
}

impl MasterTap {
    /// Parses what follows `adm:m`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        match parts.next() {
            None => Some(Self::Start),
            Some(_) => None,
        }
    }
}

impl fmt::Display for MasterTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => write!(f, "adm:m"),
        }
    }
}
