//! Masters whom staff have blocked.

/// That a master is blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The reason, in a dispatcher's words.
    pub reason: Option<String>,
}
