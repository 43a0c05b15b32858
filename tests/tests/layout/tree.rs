//! The checkout as the rules see it: manifests as tables, sources as text.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its room: `domain`, `ui`, `tests`; `shell` for the root package.
    pub(crate) room: String,
    pub(crate) manifest: toml::Table,
    pub(crate) sources: Vec<Source>,
}

/// A tracked text file.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// From the checkout's root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// What its name ends with.
    pub(crate) fn kind(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}

/// Everything that is tracked.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) root: toml::Table,
    pub(crate) members: Vec<Member>,
    pub(crate) files: Vec<Source>,
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in the checkout")
        .to_owned()
}

/// The text files that git tracks; those that are no UTF-8 are pictures and the like.
fn tracked(root: &Path) -> Result<Vec<Source>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(listed.status.success(), "git ls-files failed");
    let names = String::from_utf8(listed.stdout)?;
    let names: Vec<&str> = names.split('\0').filter(|name| !name.is_empty()).collect();
    ensure!(names.len() > 100, "git tracks only {} files", names.len());
    let read = |name: &&str| {
        // A file that is being deleted is tracked until the next commit.
        let text = String::from_utf8(std::fs::read(root.join(name)).ok()?).ok()?;
        let path = (*name).to_owned();
        Some(Source { path, text })
    };
    Ok(names.iter().filter_map(read).collect())
}

/// Where a room's sources are, from the root.
fn folder_of(member: &str) -> String {
    if member == "." {
        "src-tauri/".to_owned()
    } else {
        format!("{member}/")
    }
}

fn belongs(source: &Source, folder: &str) -> bool {
    let shells = folder == "src-tauri/" && source.path.starts_with("src-tauri/crates/");
    source.path.starts_with(folder) && source.kind() == "rs" && !shells
}

impl Tree {
    pub(crate) fn read() -> Result<Self> {
        let dir = checkout();
        let files = tracked(&dir)?;
        let manifest = |path: PathBuf| -> Result<toml::Table> {
            let text = std::fs::read_to_string(&path).context(path.display().to_string())?;
            Ok(text.parse()?)
        };
        let root = manifest(dir.join("Cargo.toml"))?;
        let listed = root["workspace"]["members"]
            .as_array()
            .context("workspace.members")?;
        let mut paths = vec!["."];
        paths.extend(listed.iter().filter_map(toml::Value::as_str));
        let members = paths.into_iter().map(|path| {
            let folder = folder_of(path);
            let sources = files.iter().filter(|file| belongs(file, &folder)).cloned();
            Ok(Member {
                room: match path {
                    "." => "shell".to_owned(),
                    other => other.rsplit('/').next().unwrap_or(other).to_owned(),
                },
                manifest: manifest(dir.join(path).join("Cargo.toml"))?,
                sources: sources.collect(),
            })
        });
        Ok(Self {
            members: members.collect::<Result<_>>()?,
            root,
            files,
        })
    }
}

/// A source's lines of code, with their numbers from 1; comments are prose and may name anything.
pub(crate) fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether a line names a path's first segment, like `axum` in `use axum::Router`.
pub(crate) fn names_crate(line: &str, name: &str) -> bool {
    let module = name.replace('-', "_");
    line.match_indices(&module).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + module.len()..];
        let starts = !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"');
        let imported = line.trim_start().starts_with("use ") || line.contains("pub use ");
        starts && (after.starts_with("::") || (imported && after.starts_with(';')))
    })
}
