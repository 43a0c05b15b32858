//! Whether a payload was signed with its source's webhook secret.
//!
//! Sentinel, Elastic and own sources send an HMAC-SHA256 of the body's bytes, as Splunk cannot: it
//! sends the secret itself. Both are compared in constant time.

use calseta_domain::{ErrorCode, Plugin};
use hmac::{Hmac, Mac as _};
use http::HeaderMap;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::Problem;
use crate::sources::Source;
use crate::start::Inner;

/// The header in which a source's signature is expected.
pub(crate) fn header(plugin: Plugin, source_name: &str) -> &'static str {
    match plugin {
        Plugin::Sentinel if source_name == plugin.as_str() => "X-Sentinel-Signature",
        Plugin::Elastic if source_name == plugin.as_str() => "X-Elastic-Signature",
        Plugin::Splunk if source_name == plugin.as_str() => "X-Splunk-Webhook-Secret",
        Plugin::Sentinel | Plugin::Elastic | Plugin::Splunk | Plugin::Generic => {
            "X-Calseta-Signature"
        }
    }
}

/// Refuses a body that is not signed as its source's secret asks; a source without one takes all.
pub(crate) fn check(
    inner: &Inner,
    source: &Source,
    body: &[u8],
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let Some(sealed) = &source.secret else {
        return Ok(());
    };
    let (owner, field) = source.secret_place();
    let secret = inner.vault.unseal(&owner, field, sealed).map_err(|_| {
        refused("this source's webhook secret does not open; enter it again, then send again")
    })?;
    let name = header(source.plugin, &source.name);
    let given = headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| {
            refused(&format!(
                "this source has a webhook secret: send {name} besides the API key"
            ))
        })?;
    let fits = if name == "X-Splunk-Webhook-Secret" {
        given.as_bytes().ct_eq(secret.as_bytes()).into()
    } else {
        is_hmac(given, secret.as_bytes(), body)
    };
    if fits {
        Ok(())
    } else {
        Err(refused(&format!(
            "{name} does not fit the body and this source's webhook secret; check the secret at both ends"
        )))
    }
}

fn refused(message: &str) -> Problem {
    Problem::new(ErrorCode::InvalidSignature, message)
}

/// Lower- or upper-case hex of the HMAC, with or without `sha256=` before it.
fn is_hmac(given: &str, secret: &[u8], body: &[u8]) -> bool {
    let given = given.trim();
    let hex_text = given.strip_prefix("sha256=").unwrap_or(given);
    let mut bytes = [0_u8; 32];
    if hex::decode_to_slice(hex_text, &mut bytes).is_err() {
        return false;
    }
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret)
        .expect("an HMAC key may have any length");
    mac.update(body);
    mac.verify_slice(&bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_fits_one_body_and_one_secret() {
        // RFC 4231, test case 2.
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let body = b"what do ya want for nothing?";
        assert!(is_hmac(hex, b"Jefe", body));
        assert!(is_hmac(&format!("sha256={hex}"), b"Jefe", body));
        assert!(is_hmac(&hex.to_uppercase(), b"Jefe", body));
        assert!(!is_hmac(hex, b"jefe", body));
        assert!(!is_hmac(hex, b"Jefe", b"what do ya want for something?"));
        assert!(!is_hmac("", b"Jefe", body));
        assert!(!is_hmac(&hex[..62], b"Jefe", body));
    }
}
