//! What the backend said at the start: where it listens, whether it answers from canned data.

use calseta_contract::health::BootView;
use leptos::prelude::*;

/// The running backend, as the page knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session(StoredValue<BootView>);

impl Session {
    /// Provides what was read.
    pub(crate) fn provide(boot: BootView) -> Self {
        let session = Self(StoredValue::new(boot));
        provide_context(session);
        session
    }

    /// The provided session.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// Everything.
    pub(crate) fn boot(self) -> BootView {
        self.0.get_value()
    }

    /// Where the API listens, without a slash at the end.
    pub(crate) fn base_url(self) -> String {
        self.0
            .with_value(|boot| boot.base_url.trim_end_matches('/').to_owned())
    }
}
