//! How much a browser or the desktop program has to load before the window can start.
//!
//! The ceiling is on the release build, raw and as a server would send it. It is a limit of bytes,
//! which are the same on every machine; times are measured by `cargo xtask bench --ui`.

use anyhow::{Context, Result, bail};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::output;

/// The release build's size at the most, in bytes.
const MAX_RAW_BYTES: usize = 2_500_000;
/// The same after Brotli, in bytes.
const MAX_COMPRESSED_BYTES: usize = 800_000;
/// The strongest of Brotli's levels, which is what is done once and sent often.
const QUALITY: u32 = 11;
/// Brotli looks back over 2^22 bytes, the usual window.
const WINDOW_BITS: u32 = 22;
/// How much is handed over at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// Prints a program's size, raw and compressed, and fails above the ceiling.
pub(super) fn check(program: &Path) -> Result<()> {
    let bytes = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    let compressed = compressed_len(&bytes)?;
    output::note(&format!(
        "WebAssembly in release: {} KB of at most {} KB, compressed {} KB of at most {} KB",
        bytes.len() / 1000,
        MAX_RAW_BYTES / 1000,
        compressed / 1000,
        MAX_COMPRESSED_BYTES / 1000,
    ));
    within(bytes.len(), compressed)
}

fn within(raw: usize, compressed: usize) -> Result<()> {
    if raw > MAX_RAW_BYTES || compressed > MAX_COMPRESSED_BYTES {
        bail!(
            "the window has grown beyond its ceiling ({raw} bytes raw, {compressed} compressed): \
             look for a new dependency, a large table or a generic function that is used often"
        );
    }
    Ok(())
}

fn compressed_len(bytes: &[u8]) -> Result<usize> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER_BYTES, QUALITY, WINDOW_BITS);
    writer.write_all(bytes)?;
    Ok(writer.into_inner().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_ceiling_is_refused() {
        assert!(within(MAX_RAW_BYTES, MAX_COMPRESSED_BYTES).is_ok());
        assert!(within(MAX_RAW_BYTES + 1, 0).is_err());
        assert!(within(0, MAX_COMPRESSED_BYTES + 1).is_err());
    }

    #[test]
    fn what_repeats_is_compressed() {
        let length = compressed_len(&vec![7; 100_000]).unwrap();
        assert!((1..1_000).contains(&length), "{length}");
    }
}
