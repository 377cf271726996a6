//! What our TLS connections have in common: one crypto provider, named explicitly so that no second one can get in,
//! and the public roots compiled in, so that a start reads no files.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

/// A client configuration with our provider and rustls' default protocol versions.
pub(crate) fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
}

/// Mozilla's root certificates, as compiled in.
pub(crate) fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// A configuration that trusts the public roots.
pub(crate) fn publicly_trusting() -> ClientConfig {
    let wants: ConfigBuilder<ClientConfig, WantsClientCert> = builder().with_root_certificates(public_roots());
    wants.with_no_client_auth()
}
