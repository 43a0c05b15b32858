//! The settings themselves, in the order of the form.

use super::{Kind, Preset, SYSTEM_ZONE, Setting};

/// The longest path, in characters.
const MAX_PATH_CHARS: i64 = 1_000;
/// Days a retention can name: a hundred years.
const MAX_DAYS: i64 = 36_500;

/// After how many days something is removed; 0 keeps it.
const fn days(key: &'static str, text: &'static str) -> Setting {
    Setting {
        group: "retention",
        key,
        kind: Kind::Number {
            min: 0,
            max: MAX_DAYS,
        },
        default: Preset::Number(0),
        text,
        needs_restart: false,
    }
}

/// A text that may be empty.
const fn optional_text(
    group: &'static str,
    key: &'static str,
    max_chars: i64,
    text: &'static str,
) -> Setting {
    Setting {
        group,
        key,
        kind: Kind::Text {
            min_chars: 0,
            max_chars,
        },
        default: Preset::Text(""),
        text,
        needs_restart: false,
    }
}

/// The most requests a minute that a limit can allow.
const MAX_PER_MINUTE: i64 = 10_000_000;

/// A limit of requests a minute; 0 switches it off.
const fn per_minute(key: &'static str, default: i64, text: &'static str) -> Setting {
    Setting {
        group: "limits",
        key,
        kind: Kind::Number {
            min: 0,
            max: MAX_PER_MINUTE,
        },
        default: Preset::Number(default),
        text,
        needs_restart: false,
    }
}

/// Every setting, in the order of the form.
pub const SETTINGS: &[Setting] = &[
    Setting {
        group: "general",
        key: "analyst_name",
        kind: Kind::Text {
            min_chars: 1,
            max_chars: 100,
        },
        default: Preset::Text("Analyst"),
        text: "Your name, as it stands in the activity beside what you did in the window",
        needs_restart: false,
    },
    Setting {
        group: "general",
        key: "time_zone",
        kind: Kind::TimeZone,
        default: Preset::Text(SYSTEM_ZONE),
        text: "The time zone of times in the window: system, or a name such as Europe/Berlin",
        needs_restart: false,
    },
    Setting {
        group: "network",
        key: "port",
        kind: Kind::Number {
            min: 1_024,
            max: 65_535,
        },
        default: Preset::Number(8_000),
        text: "The port of the API on both loopback addresses",
        needs_restart: true,
    },
    Setting {
        group: "network",
        key: "air_gapped",
        kind: Kind::Flag,
        default: Preset::Flag(false),
        text: "Sends nothing off this machine: only agents, providers and workflows on a loopback \
               address are still reached",
        needs_restart: false,
    },
    optional_text(
        "network",
        "proxy",
        MAX_PATH_CHARS,
        "The HTTP proxy for providers and workflows, such as http://proxy.example:3128; empty is \
         none. Agents are never reached through it, and the environment's proxies are ignored",
    ),
    optional_text(
        "network",
        "ca_file",
        MAX_PATH_CHARS,
        "A PEM file with certificate authorities that are trusted besides the system's, for \
         providers and workflows; empty is none",
    ),
    optional_text(
        "network",
        "extra_hosts",
        MAX_PATH_CHARS,
        "More names under which this machine's API may be called, separated by commas, such as \
         host.docker.internal",
    ),
    Setting {
        group: "ingest",
        key: "paused",
        kind: Kind::Flag,
        default: Preset::Flag(false),
        text: "Takes no alerts in; senders are told to come back later (503 with Retry-After)",
        needs_restart: false,
    },
    Setting {
        group: "ingest",
        key: "dedup_window_hours",
        kind: Kind::Number { min: 0, max: 720 },
        default: Preset::Number(24),
        text: "How many hours after its last sighting an alert still takes in its repetitions; \
               0 makes every repetition an alert of its own",
        needs_restart: false,
    },
    per_minute(
        "ingest_per_minute",
        60_000,
        "Alerts a minute that one API key may send; 0 is no limit",
    ),
    per_minute(
        "ingest_burst",
        10_000,
        "Alerts that one API key may send at once before the limit a minute applies; 0 is the \
         limit a minute itself",
    ),
    per_minute(
        "requests_per_minute",
        6_000,
        "Other requests a minute of one API key; 0 is no limit",
    ),
    per_minute(
        "enrichment_per_minute",
        600,
        "Lookups a minute that one API key may ask for; 0 is no limit",
    ),
    per_minute(
        "failed_auth_per_minute",
        30,
        "Requests a minute with a bad key that are answered; 0 is no limit. A good key is never \
         delayed",
    ),
    Setting {
        group: "enrichment",
        key: "wait_seconds",
        kind: Kind::Number { min: 5, max: 600 },
        default: Preset::Number(60),
        text: "How many seconds agents wait for slow providers; what is missing then is named in \
               their payload as pending",
        needs_restart: false,
    },
    Setting {
        group: "approvals",
        key: "notifier",
        kind: Kind::Word(&["none"]),
        default: Preset::Text("none"),
        text: "Who is told of approvals besides the window and the desktop",
        needs_restart: false,
    },
    Setting {
        group: "approvals",
        key: "default_timeout_seconds",
        kind: Kind::Number {
            min: 60,
            max: 86_400,
        },
        default: Preset::Number(3_600),
        text: "How many seconds a request for approval waits when its workflow says nothing else",
        needs_restart: false,
    },
    Setting {
        group: "backup",
        key: "every_hours",
        kind: Kind::Number { min: 0, max: 720 },
        default: Preset::Number(0),
        text: "Makes a backup every so many hours; 0 makes none by itself",
        needs_restart: false,
    },
    Setting {
        group: "backup",
        key: "keep",
        kind: Kind::Number { min: 1, max: 100 },
        default: Preset::Number(7),
        text: "How many of the backups that are made by themselves are kept; those that a person \
               asked for stay until a person removes them",
        needs_restart: false,
    },
    optional_text(
        "backup",
        "directory",
        MAX_PATH_CHARS,
        "Where backups go, as an absolute path, best on another disk; empty is backups in the data \
         directory",
    ),
    days(
        "closed_alerts_days",
        "Removes alerts that many days after they were closed, with their findings and notes; 0 \
         keeps them",
    ),
    days(
        "open_alerts_days",
        "Removes alerts that are not closed and were not touched for that many days; 0 keeps them",
    ),
    days(
        "deliveries_days",
        "Removes what was sent to agents, and their answers, after that many days; what still waits \
         to be sent stays; 0 keeps it",
    ),
    days(
        "event_details_days",
        "Drops the details of events that many days old; that they happened stays, and the log still \
         verifies; 0 keeps them",
    ),
    days(
        "rejects_days",
        "Removes payloads that were refused after that many days; 0 keeps the latest 1,000 of a \
         source",
    ),
];
