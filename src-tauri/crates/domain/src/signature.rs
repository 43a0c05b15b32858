#[derive(Clone)]
pub struct SigningSecret(Vec<u8>);
impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("SigningSecret(..)") }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError { #[error("not whsec_")] Prefix, #[error("base64")] Encoding, #[error("length")] Length }
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError { #[error("timestamp")] Timestamp, #[error("too old")] TooOld, #[error("too new")] TooNew, #[error("no match")] Mismatch }
impl SigningSecret {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> { let _ = bytes; unimplemented!() }
    pub fn parse(text: &str) -> Result<Self, SecretError> { let _ = text; unimplemented!() }
    pub fn expose(&self) -> String { let _ = &self.0; unimplemented!() }
}
pub fn sign(secret: &SigningSecret, id: &str, timestamp_s: i64, body: &[u8]) -> String { let _ = (secret, id, timestamp_s, body); unimplemented!() }
pub fn verify(secret: &SigningSecret, id: &str, timestamp: &str, signature: &str, body: &[u8], now_s: i64) -> Result<(), SignatureError> { let _ = (secret, id, timestamp, signature, body, now_s); unimplemented!() }
