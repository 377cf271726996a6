//! `adm:fig…`: the figures.

use std::fmt;

use super::Parts;

/// What a button of this area asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiguresTap {
    /// `adm:fig`: its first screen.
    Start,
}

impl FiguresTap {
    /// Parses what follows `adm:fig`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        match parts.next() {
            None => Some(Self::Start),
            Some(_) => None,
        }
    }
}

impl fmt::Display for FiguresTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => write!(f, "adm:fig"),
        }
    }
}
