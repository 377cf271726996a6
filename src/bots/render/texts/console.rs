//! What people type at a terminal where they are asked yes or no.

/// Whether an answer, in lower case, is yes.
#[must_use]
pub fn is_yes(answer: &str) -> bool {
    ["y", "yes", "д", "да"].contains(&answer)
}

/// Whether it is no.
#[must_use]
pub fn is_no(answer: &str) -> bool {
    ["n", "no", "н", "нет"].contains(&answer)
}
