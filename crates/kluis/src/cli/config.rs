//! The file of `--config`: YAML, the flags' names. Turned into arguments, so that its values go through the
//! same checks as those of the command line, which win.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Deserialize;

use crate::file;

/// A value of the file.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Setting {
    Switch(bool),
    Number(i64),
    Text(String),
    List(Vec<Setting>),
}

/// The arguments that the file stands for, without those that the command line gave.
pub(super) fn arguments(root: &Command, matches: &ArgMatches) -> Result<Vec<OsString>> {
    let Some((name, matches)) = matches.subcommand() else { return Ok(Vec::new()) };
    let Ok(Some(path)) = matches.try_get_one::<PathBuf>("config") else { return Ok(Vec::new()) };
    let command = root.find_subcommand(name).context("the command has no definition")?;
    let mut found = Vec::new();
    for (flag, setting) in load(path)? {
        let argument = known(command, &flag).with_context(|| unknown(path, &flag))?;
        if matches.value_source(argument.get_id().as_str()) != Some(ValueSource::CommandLine) {
            found.extend(render(argument, &flag, &setting).with_context(|| unfit(path, &flag))?);
        }
    }
    Ok(found)
}

fn load(path: &Path) -> Result<BTreeMap<String, Setting>> {
    let text = file::read(path)?.with_context(|| format!("there is no file {}", path.display()))?;
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_saphyr::from_str(&text).map_err(|error| {
        let reason = error.to_string();
        anyhow::anyhow!("{} is no YAML of flags: {}", path.display(), reason.lines().next().unwrap_or_default())
    })
}

fn known<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|argument| argument.get_long() == Some(flag) && flag != "config")
}

fn unknown(path: &Path, flag: &str) -> String {
    format!("{}: there is no flag `{flag}`", path.display())
}

fn unfit(path: &Path, flag: &str) -> String {
    format!("{}: the value of `{flag}` does not fit", path.display())
}

fn render(argument: &Arg, flag: &str, setting: &Setting) -> Result<Option<OsString>> {
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
    match setting {
        Setting::Switch(on) if is_switch => Ok(on.then(|| format!("--{flag}").into())),
        _ if is_switch => bail!("it must be true or false"),
        setting => Ok(Some(format!("--{flag}={}", text(setting)?).into())),
    }
}

fn text(setting: &Setting) -> Result<String> {
    match setting {
        Setting::Switch(_) => bail!("it must not be true or false"),
        Setting::Number(number) => Ok(number.to_string()),
        Setting::Text(text) => Ok(text.clone()),
        Setting::List(items) => Ok(items.iter().map(text).collect::<Result<Vec<_>>>()?.join(",")),
    }
}
