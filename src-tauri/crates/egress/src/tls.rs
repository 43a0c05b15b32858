//! One TLS configuration for all pools: verification by the platform's roots, with the `ring` provider.
//!
//! Reading the roots takes milliseconds and some hundred kilobytes, so it happens once, at the first https request,
//! and not per origin.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::{BuilderVerifierExt as _, Verifier};

use crate::error::BuildError;
use crate::rules::Authorities;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The configuration for https, shared by everything in the process that trusts the same authorities.
pub(crate) fn verified(more: &Authorities) -> Result<ClientConfig, BuildError> {
    static SHARED: OnceLock<Result<ClientConfig, rustls::Error>> = OnceLock::new();
    static WITH_MORE: Mutex<Option<(Authorities, ClientConfig)>> = Mutex::new(None);
    if more.0.is_empty() {
        let shared = SHARED.get_or_init(|| verifying(&Authorities::default()));
        return shared.clone().map_err(BuildError::Roots);
    }
    let mut kept = WITH_MORE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, config)) = kept.as_ref().filter(|(authorities, _)| authorities == more) {
        return Ok(config.clone());
    }
    let config = verifying(more).map_err(BuildError::Roots)?;
    *kept = Some((more.clone(), config.clone()));
    Ok(config)
}

fn verifying(more: &Authorities) -> Result<ClientConfig, rustls::Error> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let mut config = if more.0.is_empty() {
        builder.with_platform_verifier()?.with_no_client_auth()
    } else {
        let verifier = Verifier::new_with_extra_roots(more.0.iter().cloned(), provider())?;
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
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
