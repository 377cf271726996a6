//! What made a call fail, in our own words: libraries' messages quote what came from outside, such as the names in a
//! certificate, an answer, a URL with a token in it.

use std::error::Error;
use std::io;
use std::path::Path;

use rustls::CertificateError;

/// The deepest cause of an error that is known, beginning with the error itself; `None` if none is.
#[must_use]
pub fn of(error: &(dyn Error + 'static)) -> Option<String> {
    let (mut next, mut known) = (Some(error), None);
    while let Some(error) = next {
        known = word(error).or(known);
        next = error.source();
    }
    known
}

/// What was being done with which file when it failed: the system's own words name neither.
pub fn of_file(doing: &'static str, file: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{doing} {}: {error}", file.display()))
}

fn word(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        return tls.map(|error| tls_word(error).to_owned()).or_else(|| io_word(error));
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(tls_word(error).to_owned());
    }
    let error = error.downcast_ref::<hyper::Error>()?;
    let hung_up = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    let word = if hung_up { Some("hung up") } else { error.is_parse().then_some("the answer is not HTTP") };
    word.map(ToOwned::to_owned)
}

/// The system's own words, such as `Connection refused (os error 111)`. What a library has made up says what it likes.
fn io_word(error: &io::Error) -> Option<String> {
    const LOOKUP: &str = "failed to lookup address information";
    if error.raw_os_error().is_some() {
        return Some(error.to_string());
    }
    if error.to_string().starts_with(LOOKUP) {
        return Some(LOOKUP.to_owned());
    }
    let says_something = !matches!(error.kind(), io::ErrorKind::Other | io::ErrorKind::InvalidData);
    says_something.then(|| error.kind().to_string())
}

fn tls_word(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "certificate expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "certificate not valid yet",
            CertificateError::UnknownIssuer => "certificate not trusted (UnknownIssuer)",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "certificate not valid for name"
            }
            CertificateError::Revoked => "certificate revoked",
            _ => "certificate not valid",
        },
        rustls::Error::AlertReceived(_) => "the other side has broken TLS off with an alert",
        rustls::Error::InvalidMessage(_) => "the other side does not speak TLS",
        _ => "TLS failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_in_our_words() {
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(of(&refused).as_deref(), Some("Connection refused (os error 111)"));
        let invented = io::Error::other("+79990001122");
        assert_eq!(of(&invented), None);
        let name = CertificateError::NotValidForName;
        let tls = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(name));
        assert_eq!(of(&tls).as_deref(), Some("certificate not valid for name"));
    }
}
