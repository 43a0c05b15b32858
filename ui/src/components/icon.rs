//! Own icons: 16 × 16, one stroke width, drawn in the text's colour.

use leptos::prelude::*;

/// What an icon means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glyph {
    Queue,
    Agent,
    Back,
    Close,
    Copy,
    Check,
    Warning,
    Shield,
    Question,
    Keyboard,
    Refresh,
    Plus,
    Minus,
    Send,
    Source,
    StatusOpen,
    StatusTriaging,
    StatusEscalated,
    StatusClosed,
    Pulse,
    Search,
    View,
    Facets,
    Display,
    Flag,
    Snooze,
    Unread,
    Note,
    Hourglass,
    Down,
    Right,
    Settings,
    Menu,
}

impl Glyph {
    /// The outline, in the path language of SVG.
    const fn path(self) -> &'static str {
        match self {
            Self::Queue => "M2.5 4h11M2.5 8h11M2.5 12h7",
            Self::Agent => {
                "M4 6.5h8v6H4zM8 6.5V3.8M8 2.6v.1M6.3 9.2v.6M9.7 9.2v.6M2 8.5v2M14 8.5v2"
            }
            Self::Back => "M13 8H3.5M7 4 3 8l4 4",
            Self::Close => "m4 4 8 8M12 4l-8 8",
            Self::Copy => "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
            Self::Check => "m3 8.5 3.2 3.2L13 4.8",
            Self::Warning => "M8 2.2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.1",
            Self::Shield => {
                "M8 1.8 13.2 3.6v4.2c0 3.2-2.2 5.4-5.2 6.5-3-1.1-5.2-3.3-5.2-6.5V3.6zM5.8 6l4.4 4.4M10.2 6l-4.4 4.4"
            }
            Self::Question => "M5.8 6.2a2.2 2.2 0 1 1 3.3 1.9c-.8.4-1.1.9-1.1 1.7M8 12v.1",
            Self::Keyboard => {
                "M1.8 4.2h12.4v7.6H1.8zM4.5 6.8v.1M7 6.8v.1M9.5 6.8v.1M12 6.8v.1M5 9.4h6"
            }
            Self::Refresh => "M13.2 8a5.2 5.2 0 1 1-1.6-3.8M13.2 2v3h-3",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Minus => "M3 8h10",
            Self::Send => "M14 2 7 9M14 2l-4.4 12L7 9 2 6.4z",
            Self::Source => "M3 2.5h10v3.6H3zM3 9.9h10v3.6H3zM5.4 4.3v.1M5.4 11.7v.1M8 6.1v3.8",
            Self::StatusOpen => "M8 2.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8z",
            Self::StatusTriaging => {
                "M8 2.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8zM8 3v10M9.4 4v8M10.8 5v6"
            }
            Self::StatusEscalated => "M8 13V4M4.2 7.4 8 3.6l3.8 3.8",
            Self::StatusClosed => {
                "M8 2.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 8 2.8zM5.6 8.1l1.8 1.8 3-3.6"
            }
            Self::Search => "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3l3.4 3.4",
            Self::View => "M2.5 3.5h11v9h-11zM2.5 6.5h11M6 6.5v6",
            Self::Facets => "M2.5 4h11M4.5 8h7M6.5 12h3",
            Self::Display => "M2.5 4.5h6M12 4.5h1.5M10.2 3v3M2.5 11.5H4M7.5 11.5h6M5.8 10v3",
            Self::Flag => "M4 14V2.5M4 3h8l-1.8 2.8L12 8.6H4",
            Self::Snooze => {
                "M8 3.6a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM8 6v2.8l1.8 1.2M3 3.4l-1.4 1.4M13 3.4l1.4 1.4"
            }
            Self::Unread => "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
            Self::Note => "M3 2.5h10v8l-3 3H3zM5.5 5.5h5M5.5 8h5",
            Self::Hourglass => {
                "M4.5 2h7M4.5 14h7M5 2c0 4 6 4 6 6s-6 2-6 6M11 2c0 4-6 4-6 6s6 2 6 6"
            }
            Self::Down => "m4 6 4 4 4-4",
            Self::Right => "m6 4 4 4-4 4",
            Self::Settings => {
                "M8 5.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4zM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M12.4 3.6 11 5M5 11l-1.4 1.4"
            }
            Self::Menu => "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
            Self::Pulse => "M1.8 8h3l1.7-4 2.6 8 1.7-4h3.4",
        }
    }
}

/// An icon beside a word; hidden from screen readers, because the word says it.
#[component]
pub(crate) fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
            <path d=glyph.path()></path>
        </svg>
    }
}
