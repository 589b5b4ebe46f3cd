//! The Rust files of the workspace, parsed, and which of their lines are tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proc_macro2::Span;
use syn::spanned::Spanned as _;

/// Folders that hold Rust files of ours.
const FOLDERS: [&str; 4] = ["crates", "xtask", "e2e", "fuzz"];

/// One file.
pub(super) struct Source {
    /// From the root of the workspace.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) syntax: syn::File,
    /// Generated code is exempt from budgets.
    pub(super) generated: bool,
    /// A file that is compiled for tests alone.
    pub(super) test: bool,
}

impl Source {
    pub(super) fn all(root: &Path) -> anyhow::Result<Vec<Self>> {
        let mut paths = Vec::new();
        for folder in FOLDERS.map(|folder| root.join(folder)) {
            if folder.exists() {
                collect(&folder, &mut paths)?;
            }
        }
        paths.sort();
        let mut sources = paths.iter().map(|path| Self::read(root, path)).collect::<anyhow::Result<Vec<_>>>()?;
        let test_modules: BTreeSet<_> = sources.iter().flat_map(Self::test_modules).collect();
        for source in &mut sources {
            source.test |= test_modules.contains(&source.path);
        }
        Ok(sources)
    }

    /// The files of modules that this file declares for tests alone.
    fn test_modules(&self) -> Vec<String> {
        let own = self.path.trim_end_matches(".rs");
        let folder = ["lib", "main"]
            .into_iter()
            .find_map(|root| own.strip_suffix(root))
            .map_or_else(|| format!("{own}/"), str::to_owned);
        let declared = self.syntax.items.iter().filter_map(|item| match item {
            syn::Item::Mod(module) if module.content.is_none() && is_test(&module.attrs) => Some(&module.ident),
            _ => None,
        });
        declared.map(|name| format!("{folder}{name}.rs")).collect()
    }

    fn read(root: &Path, path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let syntax = syn::parse_file(&text).with_context(|| format!("parse {}", path.display()))?;
        let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
        let generated = path.contains("/generated/");
        let in_tests = path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/benches/");
        // A suite that test programs of other crates call.
        let in_tests = in_tests || path.ends_with("/conformance.rs");
        let test = in_tests || path.starts_with("e2e/") || path.starts_with("fuzz/");
        Ok(Self { path, text, syntax, generated, test })
    }

    /// The crate that the file belongs to.
    pub(super) fn package(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or_default(),
            Some(other) => other,
            None => "",
        }
    }

    /// The lines that are not part of a test module.
    pub(super) fn production_lines(&self) -> usize {
        if self.test {
            return 0;
        }
        let tests: usize =
            self.syntax.items.iter().filter(|item| is_test(attributes(item))).map(|item| lines(item.span())).sum();
        self.text.lines().count().saturating_sub(tests)
    }
}

/// How many lines a piece of syntax covers.
pub(super) fn lines(span: Span) -> usize {
    span.end().line.saturating_sub(span.start().line) + 1
}

/// Whether these attributes keep an item out of a production build.
pub(super) fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        path.segments.last().is_some_and(|last| last.ident == "test")
            || (path.is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|flag| flag.is_ident("test")))
    })
}

/// The attributes of a top-level item.
pub(super) fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !["target", "corpus", "artifacts"].contains(&name) {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
    Ok(())
}
