//! The desktop's keychain: on Linux the Secret Service.
//!
//! A keychain may hang: a locked one waits for a person, one without a desktop may never answer.
//! Every call runs on a thread of its own and is given up after a deadline; the thread then ends
//! whenever the keychain lets it.

use std::time::Duration;

use uuid::Uuid;
use zeroize::Zeroizing;

/// How long a keychain may take to prove that it keeps things. Nobody is asked anything then.
pub(super) const PROBE_DEADLINE: Duration = Duration::from_secs(3);
/// How long it may take when the key is known to be there: a person may have to unlock it.
pub(super) const OPEN_DEADLINE: Duration = Duration::from_secs(30);
/// What the entry is filed under.
const SERVICE: &str = "Calseta Console";

/// Why the keychain did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeychainError {
    /// No answer in time.
    #[error("the keychain did not answer within {0:?}; unlock it and start again")]
    Silent(Duration),
    /// It refused, or there is none.
    #[error("the keychain cannot be used: {0}")]
    Refused(String),
}

/// The bytes of an entry; `None` when there is no such entry.
pub(super) async fn get(
    entry: Uuid,
    deadline: Duration,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
    ask(deadline, move || {
        match platform::entry(entry)?.get_secret() {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(keyring_core::Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        }
    })
    .await
}

/// Stores an entry and reads it back: a keychain that only pretends would cost every secret.
pub(super) async fn put(
    entry: Uuid,
    bytes: Zeroizing<Vec<u8>>,
    deadline: Duration,
) -> Result<(), KeychainError> {
    let kept = ask(deadline, move || {
        let entry = platform::entry(entry)?;
        entry.set_secret(&bytes)?;
        let again = Zeroizing::new(entry.get_secret()?);
        Ok(*again == *bytes)
    });
    if kept.await? {
        Ok(())
    } else {
        Err(KeychainError::Refused(
            "it gave back something else than it was given".to_owned(),
        ))
    }
}

async fn ask<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, KeychainError> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("keychain".to_owned())
        .spawn(move || {
            // Whoever asked may have given up; the answer is not wanted any more then.
            drop(sender.send(work()));
        })
        .map_err(|error| KeychainError::Refused(error.to_string()))?;
    match tokio::time::timeout(deadline, receiver).await {
        Err(_) => Err(KeychainError::Silent(deadline)),
        Ok(Err(_)) => Err(KeychainError::Refused("its client stopped".to_owned())),
        Ok(Ok(answer)) => answer.map_err(|error| KeychainError::Refused(error.to_string())),
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::collections::HashMap;

    use keyring_core::api::CredentialStoreApi;
    use uuid::Uuid;
    use zbus_secret_service_keyring_store::Store;

    pub(super) fn entry(id: Uuid) -> keyring_core::Result<keyring_core::Entry> {
        let label = HashMap::from([("label", "Calseta Console master key")]);
        Store::new()?.build(super::SERVICE, &id.to_string(), Some(&label))
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use uuid::Uuid;

    pub(super) fn entry(_: Uuid) -> keyring_core::Result<keyring_core::Entry> {
        Err(keyring_core::Error::NotSupportedByStore(
            "there is no keychain for this system yet".to_owned(),
        ))
    }
}
