//! The exceptions to the rules of tidy: one file, a reason for each, and none that is no longer needed.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

/// Where the exceptions stand.
pub(super) const FILE: &str = "xtask/tidy-exceptions.toml";

/// Everything that may break a rule.
pub(super) struct Exceptions {
    listed: Listed,
    used: RefCell<BTreeSet<(String, String)>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Files whose change asks for a new look at `docs/storage-format.md`.
    storage_format: Vec<String>,
    #[serde(default)]
    exception: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    /// The rule that may be broken.
    rule: String,
    /// Where: a file, `file::function`, or a crate.
    at: String,
    /// How far, for rules that count.
    #[serde(default)]
    limit: Option<usize>,
    reason: String,
}

impl Exceptions {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(root.join(FILE)).with_context(|| format!("read {FILE}"))?;
        let listed: Listed = toml::from_str(&text).with_context(|| format!("parse {FILE}"))?;
        if let Some(exception) = listed.exception.iter().find(|exception| exception.reason.trim().len() < 10) {
            bail!("{FILE}: the exception for {} at {} says no reason", exception.rule, exception.at);
        }
        Ok(Self { listed, used: RefCell::default() })
    }

    /// Whether this place may break this rule.
    pub(super) fn allows(&self, rule: &str, at: &str) -> bool {
        self.find(rule, at).is_some()
    }

    /// Whether this place may break a counting rule as far as `count`.
    pub(super) fn allows_count(&self, rule: &str, at: &str, count: usize) -> bool {
        self.find(rule, at).is_some_and(|exception| exception.limit.is_none_or(|limit| count <= limit))
    }

    /// The files that the storage format document describes.
    pub(super) fn storage_format(&self) -> &[String] {
        &self.listed.storage_format
    }

    /// Exceptions that nothing asked for in this run.
    pub(super) fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let stale = |exception: &&Exception| !used.contains(&(exception.rule.clone(), exception.at.clone()));
        let line =
            |exception: &Exception| format!("{FILE}: nothing needs {} at {} any more", exception.rule, exception.at);
        self.listed.exception.iter().filter(stale).map(line).collect()
    }

    fn find(&self, rule: &str, at: &str) -> Option<&Exception> {
        let found = self.listed.exception.iter().find(|exception| exception.rule == rule && exception.at == at)?;
        self.used.borrow_mut().insert((rule.to_owned(), at.to_owned()));
        Some(found)
    }
}
