//! The window's files for browsers: read into memory once, so that a request names a key of a map
//! and never a path of the disk.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// The policy of the pages: no inline script or style, nothing from outside.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; object-src 'none'; \
    frame-src 'none'; worker-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// How deep folders are read.
const MAX_DEPTH: usize = 4;
/// Files at the most.
const MAX_FILES: usize = 500;

/// The built UI.
#[derive(Debug, Clone)]
pub struct UiFiles(Arc<HashMap<String, Bytes>>);

impl UiFiles {
    /// Reads a folder; an error when it holds no `index.html`.
    pub fn read(dir: &Path) -> std::io::Result<Self> {
        let mut files = HashMap::new();
        collect(dir, "", 0, &mut files)?;
        if !files.contains_key("/index.html") {
            let text = format!("{} holds no index.html; build the UI first", dir.display());
            return Err(std::io::Error::new(std::io::ErrorKind::NotFound, text));
        }
        Ok(Self(Arc::new(files)))
    }

    /// The file at a path; the page itself for a path of the router inside it.
    pub(crate) fn serve(&self, path: &str) -> Response {
        let (name, bytes) = match self.0.get_key_value(path) {
            Some((name, bytes)) => (name.as_str(), bytes.clone()),
            None => ("/index.html", self.0["/index.html"].clone()),
        };
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(content_type(name)),
        );
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PAGE_POLICY),
        );
        headers.insert(
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        );
        response
    }
}

fn collect(
    dir: &Path,
    prefix: &str,
    depth: usize,
    files: &mut HashMap<String, Bytes>,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < MAX_DEPTH {
            collect(&entry.path(), &name, depth + 1, files)?;
        } else if kind.is_file() && files.len() < MAX_FILES {
            files.insert(name, Bytes::from(std::fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
