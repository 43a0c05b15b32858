//! Joins the stylesheets that lie beside their components into one file.
//!
//! `styles/layers.css` declares the order of the cascade layers and therefore comes first, then
//! the tokens and the base; the order of the rest does not matter, because layers decide.

use anyhow::{Context, Result, bail};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::dist;

/// The files whose place is fixed, below `ui/src`.
const FIRST: [&str; 3] = ["styles/layers.css", "styles/tokens.css", "styles/base.css"];

/// Every `*.css` below `source` as one stylesheet.
pub(super) fn concatenate(source: &Path) -> Result<String> {
    let mut paths: Vec<_> = dist::below(source)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "css"))
        .collect();
    let place = |path: &Path| {
        FIRST
            .iter()
            .position(|first| path == source.join(first))
            .unwrap_or(FIRST.len())
    };
    paths.sort_by_key(|path| place(path));
    if paths.first().is_some_and(|path| place(path) != 0) {
        bail!(
            "{} is missing: it declares the order of the layers",
            source.join(FIRST[0]).display()
        );
    }
    let mut joined = String::new();
    for path in &paths {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let inside = path
            .strip_prefix(source)
            .expect("it was found below this folder");
        writeln!(joined, "/* {} */\n{}", inside.display(), text.trim_end())
            .expect("writing to a string cannot fail");
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!(".x {{ --from: {}; }}", file.len())).unwrap();
        }
        folder
    }

    #[test]
    fn layers_tokens_and_base_come_first_and_the_rest_is_sorted() {
        let files = [
            "features/b.css",
            "components/a.css",
            "styles/base.css",
            "styles/layers.css",
            "styles/tokens.css",
        ];
        let folder = written(&files);
        let joined = concatenate(folder.path()).unwrap();
        let order: Vec<&str> = joined
            .lines()
            .filter_map(|line| line.strip_prefix("/* "))
            .collect();
        let expected = [
            "styles/layers.css */",
            "styles/tokens.css */",
            "styles/base.css */",
            "components/a.css */",
            "features/b.css */",
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn styles_without_the_order_of_the_layers_are_refused() {
        let folder = written(&["components/a.css"]);
        let error = concatenate(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("layers.css"),
            "the message must name the file: {error}"
        );
    }
}
