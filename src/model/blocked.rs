//! Masters whom staff have blocked.

/// That a master is blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The reason, in a dispatcher's words.
    pub reason: Option<String>,
}

/// Why a master gets no orders, whether on shift or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// Staff have yet to agree.
    Waits,
    /// Staff have not agreed.
    Refused(Blocked),
    /// Staff have blocked the master.
    Blocked(Blocked),
}
