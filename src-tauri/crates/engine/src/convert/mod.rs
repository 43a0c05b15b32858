//! Uploaded files as Markdown: Markdown, text, HTML, PDF and DOCX.
//!
//! A file is a stranger's, whoever uploads it: every conversion runs on a thread of its own with a
//! large stack, is given up after a deadline, and may panic without more harm than a refusal. No
//! more than [`TOGETHER`] run at once, and one that was given up keeps its place until it ends, so
//! that files which hang a converter cannot use up the machine. Only the Markdown is kept.

mod format;
mod html;
mod pdf;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use calseta_domain::ErrorCode;
use tokio::sync::{Semaphore, oneshot};

use crate::Problem;

pub use self::format::Format;

/// Conversions at once.
pub(crate) const TOGETHER: usize = 2;
/// How long a conversion may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// The stack of a conversion, in bytes: converters walk nested structures by recursion.
const STACK_BYTES: usize = 64 * 1024 * 1024;
/// The largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 10 * 1024 * 1024;
/// The largest Markdown that a file may become, in bytes.
pub(crate) const MAX_MARKDOWN_BYTES: usize = 2 * 1024 * 1024;
/// What a zipped document may unpack to, in bytes.
const MAX_UNPACKED_BYTES: usize = 100 * 1024 * 1024;
/// Seconds after which another try is worth it when all places are taken.
const BUSY_RETRY_SECS: u64 = 5;

/// A file to convert.
#[derive(Debug, Clone)]
pub struct Upload {
    /// As the sender named it; its ending says what it is.
    pub file_name: Option<String>,
    /// As the sender declared it; used when the name says nothing.
    pub content_type: Option<String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Why a file was not converted, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unsupported(pub(crate) String);

impl Unsupported {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<Unsupported> for Problem {
    fn from(error: Unsupported) -> Self {
        Self::new(ErrorCode::UnsupportedFormat, error.0).with("formats", Format::WORDS.to_vec())
    }
}

/// Converts a file to Markdown.
pub(crate) async fn convert(places: &Arc<Semaphore>, upload: Upload) -> Result<String, Problem> {
    if upload.bytes.len() > MAX_FILE_BYTES {
        return Err(Problem::new(
            ErrorCode::PayloadTooLarge,
            format!("the file is larger than {MAX_FILE_BYTES} bytes; split it"),
        ));
    }
    let format = Format::of(&upload)?;
    let place = Arc::clone(places).try_acquire_owned().map_err(|_| {
        Problem::new(
            ErrorCode::Busy,
            "other files are being converted; try again in a few seconds",
        )
        .after(BUSY_RETRY_SECS)
    })?;
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("convert".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let converted = std::panic::catch_unwind(|| by_format(format, &upload.bytes));
            drop(place);
            // Nobody may be waiting any more.
            drop(sender.send(converted.ok()));
        })
        .map_err(|_| Problem::new(ErrorCode::Busy, "no thread is free").after(BUSY_RETRY_SECS))?;
    match tokio::time::timeout(DEADLINE, receiver).await {
        Ok(Ok(Some(converted))) => Ok(tidy(&converted?)?),
        Ok(Ok(None) | Err(_)) => Err(Unsupported::new(format!(
            "this {} file cannot be read; save it again, or as Markdown, and upload that",
            format.as_str()
        ))
        .into()),
        Err(_) => Err(Unsupported::new(format!(
            "this {} file took longer than {} seconds to read; split it or upload Markdown",
            format.as_str(),
            DEADLINE.as_secs()
        ))
        .into()),
    }
}

fn by_format(format: Format, bytes: &[u8]) -> Result<String, Unsupported> {
    match format {
        Format::Markdown | Format::Text => text(bytes),
        Format::Html => html::convert(&text(bytes)?),
        Format::Pdf => pdf::convert(bytes),
        Format::Docx => docx(bytes),
    }
}

/// UTF-8, or UTF-16 with its mark, as text.
fn text(bytes: &[u8]) -> Result<String, Unsupported> {
    let refused =
        || Unsupported::new("this is no UTF-8 text; save it as UTF-8 and upload it again");
    let wide = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest
            .chunks_exact(2)
            .map(|pair| read([pair[0], pair[1]]))
            .collect();
        String::from_utf16(&units).map_err(|_| refused())
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|_| refused()),
        _ => String::from_utf8(bytes.to_vec()).map_err(|_| refused()),
    }
}

fn docx(bytes: &[u8]) -> Result<String, Unsupported> {
    /// An encrypted Office file is no ZIP but a compound file.
    const COMPOUND_FILE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0];
    if bytes.starts_with(COMPOUND_FILE) {
        return Err(Unsupported::new(
            "this DOCX file is encrypted or in the old DOC format; save it as DOCX without a password",
        ));
    }
    let options = anytomd::ConversionOptions {
        extract_images: false,
        max_input_bytes: MAX_FILE_BYTES,
        max_uncompressed_zip_bytes: MAX_UNPACKED_BYTES,
        ..Default::default()
    };
    anytomd::convert_bytes(bytes, "docx", &options)
        .map(|result| tables_apart(&result.markdown))
        .map_err(|error| Unsupported::new(format!("this DOCX file cannot be read: {error}")))
}

/// A blank line before every table: one that follows a list would be read as part of its last item.
fn tables_apart(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut before = "";
    for line in markdown.lines() {
        let begins = line.starts_with('|') && !before.starts_with('|') && !before.is_empty();
        if begins {
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
        before = line;
    }
    out
}

/// Line ends as one line feed, no control characters, no blank ends; and not nothing.
fn tidy(markdown: &str) -> Result<String, Unsupported> {
    let lines: Vec<String> = markdown
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .lines()
        .map(|line| {
            let kept: String = line
                .chars()
                .filter(|c| !c.is_control() || *c == '\t')
                .collect();
            kept.trim_end().to_owned()
        })
        .collect();
    let text = lines.join("\n").trim().to_owned();
    if text.is_empty() {
        return Err(Unsupported::new(
            "there is no text in this file; nothing was stored",
        ));
    }
    if text.len() > MAX_MARKDOWN_BYTES {
        return Err(Unsupported::new(format!(
            "the text of this file is larger than {MAX_MARKDOWN_BYTES} bytes; split it"
        )));
    }
    Ok(text)
}
