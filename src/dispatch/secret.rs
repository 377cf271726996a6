//! What nobody can guess.

use ring::rand::{SecureRandom, SystemRandom};

/// 32 random bytes.
///
/// # Panics
/// When the operating system has none.
#[must_use]
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("the operating system's random bytes");
    bytes
}
