//! The files of `ui/dist`, written only where they differ.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What the folder shall hold, by path inside it.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<PathBuf, Vec<u8>>);

impl Files {
    pub(super) fn add(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.0.insert(PathBuf::from(path), content.into());
    }

    /// Adds everything below `folder` under `prefix`.
    pub(super) fn add_folder(&mut self, folder: &Path, prefix: &Path) -> Result<()> {
        for path in below(folder)? {
            let inside = path
                .strip_prefix(folder)
                .expect("it was found below this folder");
            let content =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            self.0.insert(prefix.join(inside), content);
        }
        Ok(())
    }

    /// Makes `folder` hold these files and no others; gives the number of files changed or removed.
    pub(super) fn write(&self, folder: &Path) -> Result<usize> {
        fs::create_dir_all(folder)?;
        let mut changed = 0;
        for (inside, content) in &self.0 {
            let path = folder.join(inside);
            if fs::read(&path).is_ok_and(|present| present == *content) {
                continue;
            }
            let parent = path.parent().expect("a file in a folder has a parent");
            fs::create_dir_all(parent)?;
            fs::write(&path, content)
                .with_context(|| format!("cannot write {}", path.display()))?;
            changed += 1;
        }
        for path in below(folder)? {
            let inside = path
                .strip_prefix(folder)
                .expect("it was found below this folder");
            if !self.0.contains_key(inside) {
                fs::remove_file(&path)?;
                changed += 1;
            }
        }
        Ok(changed)
    }
}

/// Every file below `folder`, in alphabetical order.
pub(super) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let entries =
            fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))?;
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_is_left_alone_and_a_stale_one_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::default();
        files.add("index.html", "<p>");
        files.add("assets/a.svg", "<svg/>");
        assert_eq!(files.write(folder.path()).unwrap(), 2);
        let first = fs::metadata(folder.path().join("index.html"))
            .unwrap()
            .modified()
            .unwrap();

        assert_eq!(
            files.write(folder.path()).unwrap(),
            0,
            "nothing changed, nothing is written"
        );
        let second = fs::metadata(folder.path().join("index.html"))
            .unwrap()
            .modified()
            .unwrap();
        assert_eq!(
            first, second,
            "a rewritten file would build the desktop program again"
        );

        fs::write(folder.path().join("old.js"), "x").unwrap();
        assert_eq!(files.write(folder.path()).unwrap(), 1);
        assert!(!folder.path().join("old.js").exists());
    }
}
