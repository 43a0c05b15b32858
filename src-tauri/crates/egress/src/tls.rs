//! One TLS configuration for all pools: verification by the platform's roots, with the `ring` provider.
//!
//! Reading the roots takes milliseconds and some hundred kilobytes, so it happens once, at the first https request,
//! and not per origin.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::error::BuildError;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The configuration for https, shared by everything in the process.
pub(crate) fn verified() -> Result<ClientConfig, BuildError> {
    static SHARED: OnceLock<Result<ClientConfig, rustls::Error>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            let mut config = ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()?
                .with_platform_verifier()?
                .with_no_client_auth();
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            Ok(config)
        })
        .clone()
        .map_err(BuildError::Roots)
}

/// The configuration for pools that only speak plain http: it trusts nobody.
pub(crate) fn trusting_nobody() -> Result<ClientConfig, BuildError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(BuildError::Roots)?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(config)
}
