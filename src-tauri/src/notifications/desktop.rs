//! The desktop's notification daemon, through notify-rust.

use notify_rust::Notification;

use super::text::Note;

/// The name under which the daemon files them.
const APP_NAME: &str = "Calseta Console";
/// The action that a click on the notification itself invokes, by the freedesktop specification.
const DEFAULT_ACTION: &str = "default";

fn notification(note: &Note) -> Notification {
    let mut notification = Notification::new();
    notification
        .appname(APP_NAME)
        .summary(&note.summary)
        .body(&note.body)
        // Never anything from the alert: an action's label is a promise about what a click does.
        .action(DEFAULT_ACTION, "Open");
    notification
}

#[cfg(all(unix, not(target_os = "macos")))]
mod shown {
    use notify_rust::{NotificationHandle, NotificationResponse, error::Error};

    use super::{Note, notification};

    /// A notification on the screen.
    #[derive(Debug)]
    pub(in super::super) struct Raised(NotificationHandle);

    /// Hands it to the daemon.
    pub(in super::super) async fn show(note: &Note) -> Result<Raised, Error> {
        notification(note).show_async().await.map(Raised)
    }

    impl Raised {
        /// Resolves when it was activated (true) or closed (false).
        pub(in super::super) async fn activated(self) -> bool {
            let mut activated = false;
            let answered = |response: &NotificationResponse| {
                activated = matches!(response, NotificationResponse::Default);
            };
            self.0.wait_for_action_async(answered).await;
            activated
        }
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod shown {
    use notify_rust::error::Error;

    use super::{Note, notification};

    /// A notification on the screen.
    #[derive(Debug)]
    pub(in super::super) struct Raised;

    /// Hands it to the system.
    pub(in super::super) async fn show(note: &Note) -> Result<Raised, Error> {
        notification(note).show().map(|_| Raised)
    }

    impl Raised {
        /// These systems bring the program to the front themselves.
        pub(in super::super) async fn activated(self) -> bool {
            false
        }
    }
}

pub(super) use shown::show;
