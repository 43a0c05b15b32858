//! Webhook signatures as Standard Webhooks defines them: HMAC-SHA256 over `id.timestamp.body`.
//!
//! Verification is here too, because the sample agent and the tests check what was sent, with
//! the same tolerance that the official libraries have.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// What a secret begins with.
pub const SECRET_PREFIX: &str = "whsec_";
/// How long a secret may be, in bytes: what Standard Webhooks asks for.
pub const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// How far a timestamp may be from now, in seconds, either way.
pub const TOLERANCE_SECS: i64 = 300;

/// An agent's signing secret. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(Vec<u8>);

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(..)")
    }
}

/// Why a text is no signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The prefix is missing.
    #[error("a signing secret begins with whsec_")]
    Prefix,
    /// The rest is no base64.
    #[error("a signing secret is whsec_ followed by base64")]
    Encoding,
    /// Outside [`SECRET_BYTES`].
    #[error("a signing secret holds 24 to 64 bytes")]
    Length,
}

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The timestamp header is no number.
    #[error("webhook-timestamp is not a number of seconds")]
    Timestamp,
    /// Older than [`TOLERANCE_SECS`].
    #[error("webhook-timestamp is too old")]
    TooOld,
    /// Further ahead than [`TOLERANCE_SECS`].
    #[error("webhook-timestamp is too far ahead")]
    TooNew,
    /// None of the signatures is the right one.
    #[error("webhook-signature does not match")]
    Mismatch,
}

impl SigningSecret {
    /// From random bytes, 24 to 64 of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        if SECRET_BYTES.contains(&bytes.len()) {
            Ok(Self(bytes.to_vec()))
        } else {
            Err(SecretError::Length)
        }
    }

    /// From its text, `whsec_` and base64.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text
            .trim()
            .strip_prefix(SECRET_PREFIX)
            .ok_or(SecretError::Prefix)?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| SecretError::Encoding)?;
        Self::from_bytes(&bytes)
    }

    /// The text that is shown once and stored sealed.
    pub fn expose(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The raw bytes, for sealing them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One signature, `v1,<base64>`. `timestamp_s` is in Unix seconds.
pub fn sign(secret: &SigningSecret, id: &str, timestamp_s: i64, body: &[u8]) -> String {
    format!(
        "v1,{}",
        STANDARD.encode(mac(secret, id, &timestamp_s.to_string(), body))
    )
}

/// The `webhook-signature` header for one or, during a rotation, several secrets.
pub fn sign_all(secrets: &[SigningSecret], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let all: Vec<_> = secrets
        .iter()
        .map(|s| sign(s, id, timestamp_s, body))
        .collect();
    all.join(" ")
}

/// Checks the three headers of a delivery: `timestamp` and `signature` as they were received,
/// `now_s` in Unix seconds. One matching signature among several is enough.
pub fn verify(
    secret: &SigningSecret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now_s: i64,
) -> Result<(), SignatureError> {
    let sent_s: i64 = timestamp.parse().map_err(|_| SignatureError::Timestamp)?;
    if sent_s < now_s.saturating_sub(TOLERANCE_SECS) {
        return Err(SignatureError::TooOld);
    }
    if sent_s > now_s.saturating_add(TOLERANCE_SECS) {
        return Err(SignatureError::TooNew);
    }
    let expected = mac(secret, id, &sent_s.to_string(), body);
    let matches = signature
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .any(|given| bool::from(given.ct_eq(&expected)));
    if matches {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

fn mac(secret: &SigningSecret, id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("HMAC takes keys of any length");
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PUBLISHED_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const PUBLISHED_ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    const PUBLISHED_BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const PUBLISHED_TIME_S: i64 = 1_649_367_553;
    const PUBLISHED_SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

    #[test]
    fn the_published_vector_is_reproduced() {
        let secret = SigningSecret::parse(PUBLISHED_SECRET).expect("published");
        assert_eq!(
            sign(&secret, PUBLISHED_ID, PUBLISHED_TIME_S, PUBLISHED_BODY),
            PUBLISHED_SIGNATURE
        );
        assert_eq!(secret.expose(), PUBLISHED_SECRET);
    }

    #[test]
    fn a_changed_id_time_body_or_signature_is_refused() {
        let secret = SigningSecret::parse(PUBLISHED_SECRET).expect("published");
        let check = |id: &str, time: &str, body: &[u8], signature: &str| {
            verify(&secret, id, time, signature, body, PUBLISHED_TIME_S)
        };
        let time = PUBLISHED_TIME_S.to_string();
        assert_eq!(
            check(PUBLISHED_ID, &time, PUBLISHED_BODY, PUBLISHED_SIGNATURE),
            Ok(())
        );
        let wrong = Err(SignatureError::Mismatch);
        assert_eq!(
            check("msg_x", &time, PUBLISHED_BODY, PUBLISHED_SIGNATURE),
            wrong
        );
        assert_eq!(
            check(
                PUBLISHED_ID,
                "1649367554",
                PUBLISHED_BODY,
                PUBLISHED_SIGNATURE
            ),
            wrong
        );
        assert_eq!(
            check(PUBLISHED_ID, &time, b"{}", PUBLISHED_SIGNATURE),
            wrong
        );
        for at in 3..PUBLISHED_SIGNATURE.len() {
            let mut bytes = PUBLISHED_SIGNATURE.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let flipped = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(
                check(PUBLISHED_ID, &time, PUBLISHED_BODY, &flipped),
                wrong,
                "byte {at}"
            );
        }
        assert_eq!(
            check(PUBLISHED_ID, "soon", b"", ""),
            Err(SignatureError::Timestamp)
        );
    }

    #[test]
    fn the_tolerance_is_five_minutes_either_way() {
        let secret = SigningSecret::parse(PUBLISHED_SECRET).expect("published");
        let at = |now_s: i64| {
            let time = PUBLISHED_TIME_S.to_string();
            verify(
                &secret,
                PUBLISHED_ID,
                &time,
                PUBLISHED_SIGNATURE,
                PUBLISHED_BODY,
                now_s,
            )
        };
        assert_eq!(at(PUBLISHED_TIME_S + 299), Ok(()));
        assert_eq!(at(PUBLISHED_TIME_S - 299), Ok(()));
        assert_eq!(at(PUBLISHED_TIME_S + 301), Err(SignatureError::TooOld));
        assert_eq!(at(PUBLISHED_TIME_S - 301), Err(SignatureError::TooNew));
    }

    #[test]
    fn secrets_of_the_wrong_shape_are_refused() {
        assert_eq!(SigningSecret::parse("secret"), Err(SecretError::Prefix));
        assert_eq!(
            SigningSecret::parse("whsec_%%%"),
            Err(SecretError::Encoding)
        );
        assert_eq!(
            SigningSecret::from_bytes(&[0; 23]),
            Err(SecretError::Length)
        );
        assert_eq!(
            SigningSecret::from_bytes(&[0; 65]),
            Err(SecretError::Length)
        );
        assert_eq!(
            format!("{:?}", SigningSecret::from_bytes(&[7; 24])),
            "Ok(SigningSecret(..))"
        );
    }

    #[test]
    fn during_a_rotation_both_secrets_verify() {
        let old = SigningSecret::from_bytes(&[1; 32]).expect("32 bytes");
        let new = SigningSecret::from_bytes(&[2; 32]).expect("32 bytes");
        let header = sign_all(&[new.clone(), old.clone()], "msg_1", 1_000, b"{}");
        for secret in [&old, &new] {
            assert_eq!(
                verify(secret, "msg_1", "1000", &header, b"{}", 1_000),
                Ok(())
            );
        }
    }

    proptest! {
        #[test]
        fn the_reference_library_makes_the_same_signature(
            key in proptest::collection::vec(any::<u8>(), 24..=64),
            id in "msg_[a-z0-9]{1,32}",
            time in 0_i64..4_000_000_000,
            body in "\\PC{0,200}",
        ) {
            let secret = SigningSecret::from_bytes(&key).expect("24 to 64 bytes");
            let oracle = standardwebhooks::Webhook::new(&secret.expose()).expect("a valid secret");
            let theirs = oracle.sign(&id, time, body.as_bytes()).expect("signs");
            prop_assert_eq!(sign(&secret, &id, time, body.as_bytes()), theirs);
        }
    }
}
