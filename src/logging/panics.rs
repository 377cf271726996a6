//! Panics as log lines. The standard hook writes to standard error at once, and waits for whoever reads it; and it repeats
//! the panic's words, which may quote a person: `byte index 3 is not a char boundary; it is inside 'ж' of …`.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

/// Logs every panic of this process from now on, at the place in the source where it happened.
pub(super) fn log_from_now_on() {
    std::panic::set_hook(Box::new(log));
}

fn log(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
    let words = words(info.payload());
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(%backtrace, "a panic at {place}: {words}");
    } else {
        tracing::error!("a panic at {place}: {words}");
    }
}

/// The panic's words as far as they stand in the source as they are, and so quote nobody.
fn words(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("its words may quote somebody and are not repeated")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_quotes_nobody() {
        let client = String::from("ж+79990001122");
        let cut = std::panic::catch_unwind(|| client[1..].len()).expect_err("not a character's beginning");
        assert!(cut.downcast_ref::<String>().is_some_and(|words| words.contains("+7999")), "the standard words do");
        assert!(!words(cut.as_ref()).contains("+7999"));
        let said = std::panic::catch_unwind(|| panic!("the first pass panics")).expect_err("a panic");
        assert_eq!(words(said.as_ref()), "the first pass panics");
    }
}
