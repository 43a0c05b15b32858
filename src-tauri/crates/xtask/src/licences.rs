//! Checks every package of the lock file against `deny.toml`.
//!
//! The file is written for cargo-deny, which takes minutes to install; this reads the part of it
//! that the project relies on: allowed licences, banned packages, packages that must be there only
//! once, and where packages may come from. It does not know of security advisories.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use toml::Table;

use crate::output;
use crate::workspace;

/// What `deny.toml` says.
#[derive(Debug, Default)]
struct Policy {
    licences: Vec<String>,
    banned: Vec<String>,
    single: Vec<String>,
    registries: Vec<String>,
}

/// One package, as `cargo metadata` describes it.
#[derive(Debug)]
struct Package {
    name: String,
    version: String,
    licence: Option<String>,
    /// `None`: it lies in this checkout.
    source: Option<String>,
}

/// Fails with one line per package that the policy does not let through.
pub(crate) fn check(root: &Path) -> Result<()> {
    let policy = Policy::read(&root.join("deny.toml"))?;
    let packages = packages(root)?;
    let complaints = complaints(&policy, &packages);
    if complaints.is_empty() {
        output::note(&format!(
            "{} packages comply with deny.toml",
            packages.len()
        ));
        return Ok(());
    }
    for complaint in &complaints {
        output::note(complaint);
    }
    bail!("{} packages do not comply with deny.toml", complaints.len());
}

impl Policy {
    fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file: Table = text
            .parse()
            .with_context(|| format!("cannot parse {}", path.display()))?;
        let mut policy = Self {
            licences: strings(&file, "licenses", "allow"),
            registries: strings(&file, "sources", "allow-registry"),
            ..Self::default()
        };
        if policy.licences.is_empty() || policy.registries.is_empty() {
            bail!("{} allows no licence or no registry", path.display());
        }
        let bans = file.get("bans").and_then(|bans| bans.get("deny"));
        for ban in bans.and_then(toml::Value::as_array).into_iter().flatten() {
            let name = ban.get("crate").and_then(toml::Value::as_str);
            let name =
                name.with_context(|| format!("{}: a ban without `crate`", path.display()))?;
            let only_once = ban
                .get("deny-multiple-versions")
                .and_then(toml::Value::as_bool);
            let list = if only_once == Some(true) {
                &mut policy.single
            } else {
                &mut policy.banned
            };
            list.push(name.to_owned());
        }
        Ok(policy)
    }

    fn allows_licence(&self, requirement: &LicenseReq) -> bool {
        let requirement = requirement.to_string();
        self.licences.contains(&requirement)
    }
}

fn strings(file: &Table, section: &str, key: &str) -> Vec<String> {
    let list = file.get(section).and_then(|section| section.get(key));
    let values = list.and_then(toml::Value::as_array).into_iter().flatten();
    values
        .filter_map(toml::Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// `--locked`: a lock file that does not fit the manifests is an error too.
fn packages(root: &Path) -> Result<Vec<Package>> {
    let metadata = workspace::metadata(root, &["--locked"])?;
    let list = metadata["packages"]
        .as_array()
        .context("cargo named no packages")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let package = |value: &Value| {
        Some(Package {
            name: text(&value["name"])?,
            version: text(&value["version"])?,
            licence: text(&value["license"]),
            source: text(&value["source"]),
        })
    };
    list.iter()
        .map(|value| package(value).context("cargo named a package without a name"))
        .collect()
}

fn complaints(policy: &Policy, packages: &[Package]) -> Vec<String> {
    let mut copies: BTreeMap<&str, usize> = BTreeMap::new();
    let mut complaints = Vec::new();
    for package in packages {
        *copies.entry(package.name.as_str()).or_default() += 1;
        let mut complain = |why: String| {
            complaints.push(format!("{} {}: {why}", package.name, package.version));
        };
        if policy.banned.contains(&package.name) {
            complain("it is banned".to_owned());
        }
        if let Err(why) = licence_is_fine(policy, package) {
            complain(why);
        }
        let known = |source: &String| {
            policy
                .registries
                .iter()
                .any(|known| source.ends_with(known))
        };
        if let Some(source) = package.source.as_ref().filter(|source| !known(source)) {
            complain(format!("it comes from {source}"));
        }
    }
    for name in &policy.single {
        let count = copies.get(name.as_str()).copied().unwrap_or(0);
        if count > 1 {
            complaints.push(format!(
                "{name}: {count} versions of it, but there may be only one"
            ));
        }
    }
    complaints
}

fn licence_is_fine(policy: &Policy, package: &Package) -> Result<(), String> {
    let text = package.licence.as_deref().ok_or("it names no licence")?;
    // Lax: older packages write `MIT/Apache-2.0`.
    let expression = Expression::parse_mode(text, ParseMode::LAX)
        .map_err(|error| format!("`{text}` is no licence expression: {}", error.reason))?;
    if expression.evaluate(|requirement| policy.allows_licence(requirement)) {
        return Ok(());
    }
    Err(format!("its licence is {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            licences: vec![
                "MIT".to_owned(),
                "Apache-2.0 WITH LLVM-exception".to_owned(),
            ],
            banned: vec!["openssl-sys".to_owned()],
            single: vec!["libsqlite3-sys".to_owned()],
            registries: vec!["https://registry.example/index".to_owned()],
        }
    }

    fn package(name: &str, licence: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: Some(licence.to_owned()),
            source: Some("registry+https://registry.example/index".to_owned()),
        }
    }

    #[test]
    fn one_allowed_way_of_several_is_enough() {
        for licence in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(
                complaints(&policy(), &[package("a", licence)]),
                [""; 0],
                "{licence}"
            );
        }
    }

    #[test]
    fn a_licence_that_is_not_allowed_is_named() {
        for licence in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "Apache-2.0",
            "made up",
        ] {
            let found = complaints(&policy(), &[package("a", licence)]);
            assert_eq!(found.len(), 1, "{licence} must not pass");
            assert!(found[0].contains(licence), "{}", found[0]);
        }
        let mut nameless = package("a", "");
        nameless.licence = None;
        assert_eq!(
            complaints(&policy(), &[nameless]).len(),
            1,
            "no licence is no permission"
        );
    }

    #[test]
    fn bans_copies_and_foreign_sources_are_found() {
        let banned = package("openssl-sys", "MIT");
        let twice = [
            package("libsqlite3-sys", "MIT"),
            package("libsqlite3-sys", "MIT"),
        ];
        let mut foreign = package("a", "MIT");
        foreign.source = Some("git+https://elsewhere.example/a".to_owned());
        assert_eq!(complaints(&policy(), &[banned]).len(), 1);
        assert_eq!(complaints(&policy(), &twice).len(), 1);
        assert_eq!(complaints(&policy(), &twice[..1]).len(), 0);
        assert_eq!(complaints(&policy(), &[foreign]).len(), 1);
    }
}
