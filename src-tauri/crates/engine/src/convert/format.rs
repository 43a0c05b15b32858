//! What a file is: by the ending of its name, else by its declared type, else by its first bytes.

use super::{Unsupported, Upload};

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Markdown, kept as it is.
    Markdown,
    /// Plain text, kept as it is.
    Text,
    /// A web page.
    Html,
    /// A PDF with text in it.
    Pdf,
    /// A Word document.
    Docx,
}

impl Format {
    /// The names of the formats, for people.
    pub const WORDS: &'static [&'static str] = &["Markdown", "text", "HTML", "PDF", "DOCX"];

    /// The name of the format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "Markdown",
            Self::Text => "text",
            Self::Html => "HTML",
            Self::Pdf => "PDF",
            Self::Docx => "DOCX",
        }
    }

    /// What this file is.
    pub(super) fn of(upload: &Upload) -> Result<Self, Unsupported> {
        let ending = upload
            .file_name
            .as_deref()
            .and_then(|name| name.rsplit_once('.'))
            .map(|(_, ending)| ending.to_ascii_lowercase());
        if let Some(ending) = ending {
            return by_ending(&ending);
        }
        let declared = upload.content_type.as_deref().unwrap_or_default();
        let declared = declared.split(';').next().unwrap_or_default().trim();
        match by_type(declared) {
            Some(format) => Ok(format),
            None if upload.bytes.starts_with(b"%PDF-") => Ok(Self::Pdf),
            None => Err(refused(
                "the file's name has no ending that says what it is",
            )),
        }
    }
}

fn by_ending(ending: &str) -> Result<Format, Unsupported> {
    match ending {
        "md" | "markdown" | "mdown" => Ok(Format::Markdown),
        "txt" | "text" | "log" => Ok(Format::Text),
        "html" | "htm" | "xhtml" => Ok(Format::Html),
        "pdf" => Ok(Format::Pdf),
        "docx" => Ok(Format::Docx),
        "doc" => Err(refused("DOC is the old Word format; save it as DOCX")),
        _ => {
            let shown: String = ending.chars().take(20).collect();
            Err(refused(&format!("{shown:?} files cannot be read")))
        }
    }
}

fn by_type(declared: &str) -> Option<Format> {
    match declared.to_ascii_lowercase().as_str() {
        "text/markdown" | "text/x-markdown" => Some(Format::Markdown),
        "text/plain" => Some(Format::Text),
        "text/html" | "application/xhtml+xml" => Some(Format::Html),
        "application/pdf" => Some(Format::Pdf),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
            Some(Format::Docx)
        }
        _ => None,
    }
}

fn refused(why: &str) -> Unsupported {
    Unsupported::new(format!(
        "{why}; upload one of: {}",
        Format::WORDS.join(", ")
    ))
}
