//! Secrets that are planted to be looked for, in every spelling that could hide them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// The base64 of these bytes wherever they begin in a longer text: without the characters that
/// their neighbours decide.
fn base64_parts(bytes: &[u8]) -> Vec<String> {
    let encode = |skip: usize| -> String {
        let whole = &bytes[skip..];
        let groups = whole.chunks_exact(3).map(|group| {
            let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
            [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift & 63) as usize]))
        });
        groups.flatten().collect()
    };
    let plain = (0..3).map(encode);
    plain
        .flat_map(|text| [text.replace('+', "-").replace('/', "_"), text])
        .collect()
}

fn each_byte(text: &str, form: impl Fn(u8) -> String) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        write!(all, "{}", form(byte)).expect("writing to a String cannot fail");
        all
    })
}

/// A secret in every spelling that could hide it.
pub fn spellings(secret: &str) -> Vec<String> {
    let hex = each_byte(secret, |byte| format!("{byte:02x}"));
    let encoded = each_byte(secret, |byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    let json = secret.replace('/', "\\/");
    let mut all = base64_parts(secret.as_bytes());
    all.extend([
        secret.to_owned(),
        hex.to_uppercase(),
        hex,
        encoded.to_lowercase(),
        encoded,
        json,
    ]);
    all
}

/// The spellings of these secrets that a text holds.
pub fn leaks<'name>(text: &[u8], secrets: &[(&'name str, String)]) -> Vec<&'name str> {
    let text = String::from_utf8_lossy(text);
    let held = |secret: &str| {
        spellings(secret)
            .iter()
            .any(|form| text.contains(form.as_str()))
    };
    let found = secrets.iter().filter(|(_, secret)| held(secret));
    found.map(|(name, _)| *name).collect()
}

/// Every file under a directory.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push(path);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "canary~agent/7Q9+zW4xKp2LmN8vRt5YbHj3";

    #[test]
    fn a_secret_in_any_spelling_would_be_found() {
        let secret = CANARY.to_owned();
        for form in spellings(&secret) {
            let text = format!("before {form} after");
            assert_eq!(
                leaks(text.as_bytes(), &[("agent", secret.clone())]),
                ["agent"],
                "{form}"
            );
        }
        assert!(leaks(b"canary~agent/", &[("agent", secret)]).is_empty());
    }
}
