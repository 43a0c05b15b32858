//! The text of a PDF. What has no text in it, or is locked, says so.

use pdf_extract::Document;

use super::Unsupported;

/// The most pages that are read.
const MAX_PAGES: usize = 2_000;

pub(super) fn convert(bytes: &[u8]) -> Result<String, Unsupported> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Unsupported::new(format!(
            "this PDF file cannot be read: {error}; print it to a new PDF or upload Markdown"
        ))
    };
    let document = Document::load_mem(bytes).map_err(|error| unreadable(&error))?;
    if document.is_encrypted() || document.was_encrypted() {
        return Err(Unsupported::new(
            "this PDF file is encrypted; save it without a password and upload it again",
        ));
    }
    let pages = document.get_pages().len();
    if pages > MAX_PAGES {
        return Err(Unsupported::new(format!(
            "this PDF file has {pages} pages; at most {MAX_PAGES} are read: split it"
        )));
    }
    let text = pdf_extract::extract_text_from_mem(bytes).map_err(|error| unreadable(&error))?;
    if text.trim().is_empty() {
        return Err(Unsupported::new(
            "this PDF file holds pictures and no text; recognise its text first and upload that",
        ));
    }
    Ok(paragraphs(&text))
}

/// Lines that belong together, with one blank line between paragraphs.
fn paragraphs(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines() {
        let line = line.trim_end();
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        out.push_str(line.trim_start());
    }
    out
}
