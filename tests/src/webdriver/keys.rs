//! Keys of the protocol's private-use plane, for [`super::Session::press`] and
//! [`super::Session::send_keys`].

/// Enter.
pub const ENTER: &str = "\u{e007}";
/// Escape.
pub const ESCAPE: &str = "\u{e00c}";
/// Tab.
pub const TAB: &str = "\u{e004}";
/// Arrow down.
pub const DOWN: &str = "\u{e015}";
/// Arrow up.
pub const UP: &str = "\u{e013}";
/// Arrow left.
pub const LEFT: &str = "\u{e012}";
/// Arrow right.
pub const RIGHT: &str = "\u{e014}";
/// A page up.
pub const PAGE_UP: &str = "\u{e00e}";
/// A page down.
pub const PAGE_DOWN: &str = "\u{e00f}";
/// Backspace.
pub const BACKSPACE: &str = "\u{e003}";
/// Shift, held with [`super::Session::chord`].
pub const SHIFT: &str = "\u{e008}";
/// Control, held with [`super::Session::chord`].
pub const CONTROL: &str = "\u{e009}";
/// Alt, held with [`super::Session::chord`].
pub const ALT: &str = "\u{e00a}";

/// The protocol's key for a key's name in the browser (`ArrowDown`, `Space`) or a modifier's
/// (`Ctrl`); any other word is the key itself.
pub(super) fn named(word: &str) -> &str {
    match word {
        "Ctrl" => CONTROL,
        "Shift" => SHIFT,
        "Alt" => ALT,
        "Enter" => ENTER,
        "Escape" => ESCAPE,
        "Tab" => TAB,
        "Space" => " ",
        "ArrowUp" => UP,
        "ArrowDown" => DOWN,
        "ArrowLeft" => LEFT,
        "ArrowRight" => RIGHT,
        "PageUp" => PAGE_UP,
        "PageDown" => PAGE_DOWN,
        other => other,
    }
}
