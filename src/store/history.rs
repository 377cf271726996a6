//! `order_status_history`, `history_purged`, `history_roots` and `history_blocks`: the seals of all changes, also of those that retention has
//! deleted, and the root of each day over them.
//!
//! Rows are sealed by the database when they are inserted, whoever inserts them (`seal_history`, a trigger). What is read here
//! to verify them calls nothing of that: whoever can change rows can change a function too.

mod root;
mod verify;

pub use root::{Closed, Opened, Roots, close_day, open_day};
pub(crate) use verify::{after, roots, seals};

/// A row's canonical text, with that reason in it. It depends on no setting of the session, and columns cannot slide into one
/// another: an array says where each ends, and null from empty.
macro_rules! says {
    ($reason:literal) => {
        concat!(
            "jsonb_build_array(
                 1, id, order_id, from_status, to_status, actor_type, changed_by_master_id, changed_by_staff_id, ",
            $reason,
            ", context, extract(epoch FROM created_at))::text"
        )
    };
}
pub(crate) use says;
