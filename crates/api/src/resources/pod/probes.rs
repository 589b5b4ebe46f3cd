//! Probes, hooks and the signal that stops a container.

use super::errors::{Errors, has, not_negative, number, one_of, required};
use crate::field::{FieldError, Path};
use crate::names;
use crate::value::Value;

const SECOND: &str = "may not specify more than 1 handler type";
const COUNTS: &[&str] =
    &["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];
/// `supportedStopSignalsLinux` without the real-time signals, sorted.
const SIGNALS: &[&str] = &[
    "SIGABRT",
    "SIGALRM",
    "SIGBUS",
    "SIGCHLD",
    "SIGCLD",
    "SIGCONT",
    "SIGFPE",
    "SIGHUP",
    "SIGILL",
    "SIGINT",
    "SIGIO",
    "SIGIOT",
    "SIGKILL",
    "SIGPIPE",
    "SIGPOLL",
    "SIGPROF",
    "SIGPWR",
    "SIGQUIT",
    "SIGSEGV",
    "SIGSTKFLT",
    "SIGSTOP",
    "SIGSYS",
    "SIGTERM",
    "SIGTRAP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGUSR1",
    "SIGUSR2",
    "SIGVTALRM",
    "SIGWINCH",
    "SIGXCPU",
    "SIGXFSZ",
];

/// The probes and hooks of a container that may have them; `grace` is the pod's.
pub(super) fn validate(container: &Value, os: Option<&str>, grace: Option<i64>, path: &Path, errors: &mut Errors) {
    if let Some(lifecycle) = container.get("lifecycle") {
        validate_lifecycle(lifecycle, os, grace, &path.child("lifecycle"), errors);
    }
    for (field, once) in [("livenessProbe", true), ("readinessProbe", false), ("startupProbe", true)] {
        let Some(probe) = container.get(field) else { continue };
        let path = path.child(field);
        validate_probe(probe, &path, errors);
        let successes = number(probe, "successThreshold");
        if once && successes != 1 {
            errors.push(FieldError::invalid(&path.child("successThreshold"), successes, "must be 1"));
        }
        let own_grace = probe.integer(&["terminationGracePeriodSeconds"]);
        if let Some(seconds) = own_grace.filter(|_| !once) {
            let fault = "must not be set for readinessProbes";
            errors.push(FieldError::invalid(&path.child("terminationGracePeriodSeconds"), seconds, fault));
        }
    }
}

/// The fields that only containers have which run on beside others.
pub(super) fn forbid(container: &Value, path: &Path, errors: &mut Errors) {
    for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
        if has(container, field) {
            let fault = "may not be set for init containers without restartPolicy=Always";
            errors.push(FieldError::forbidden(&path.child(field), fault));
        }
    }
}

/// `validateProbe`
fn validate_probe(probe: &Value, path: &Path, errors: &mut Errors) {
    validate_handler(probe, None, path, errors);
    for field in COUNTS {
        not_negative(&path.child(field), number(probe, field), errors);
    }
    if let Some(seconds) = probe.integer(&["terminationGracePeriodSeconds"]).filter(|seconds| *seconds <= 0) {
        let at = path.child("terminationGracePeriodSeconds");
        errors.push(FieldError::invalid(&at, seconds, "must be greater than 0"));
    }
}

/// `validateLifecycle`
fn validate_lifecycle(lifecycle: &Value, os: Option<&str>, grace: Option<i64>, path: &Path, errors: &mut Errors) {
    for field in ["postStart", "preStop"] {
        if let Some(hook) = lifecycle.get(field) {
            validate_handler(hook, grace, &path.child(field), errors);
        }
    }
    if let Some(signal) = lifecycle.get("stopSignal").and_then(Value::as_str) {
        validate_signal(signal, os, &path.child("stopSignal"), errors);
    }
}

/// `validateStopSignal`
fn validate_signal(signal: &str, os: Option<&str>, path: &Path, errors: &mut Errors) {
    match os {
        None => {
            let fault = "may not be set for containers with empty `spec.os.name`";
            errors.push(FieldError::forbidden(path, fault));
        }
        Some("windows") => one_of(path, signal, &["SIGKILL", "SIGTERM"], errors),
        Some("linux") if is_real_time(signal) => {}
        Some("linux") => one_of(path, signal, SIGNALS, errors),
        Some(_) => {}
    }
}

/// `SIGRTMIN` to `SIGRTMIN+15`, `SIGRTMAX-14` to `SIGRTMAX`.
fn is_real_time(signal: &str) -> bool {
    let within = |rest: &str, sign: char, most: u8| {
        rest.is_empty()
            || rest
                .strip_prefix(sign)
                .and_then(|number| number.parse::<u8>().ok())
                .is_some_and(|n| (1..=most).contains(&n))
    };
    signal.strip_prefix("SIGRTMIN").is_some_and(|rest| within(rest, '+', 15))
        || signal.strip_prefix("SIGRTMAX").is_some_and(|rest| within(rest, '-', 14))
}

/// `validateHandler`: exactly one of these.
fn validate_handler(handler: &Value, grace: Option<i64>, path: &Path, errors: &mut Errors) {
    let mut found = false;
    for field in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let Some(action) = handler.get(field) else { continue };
        let path = path.child(field);
        if found {
            errors.push(FieldError::forbidden(&path, SECOND));
            continue;
        }
        found = true;
        match field {
            "exec" if action.list(&["command"]).is_empty() => {
                errors.push(FieldError::required(&path.child("command"), ""));
            }
            "exec" => {}
            "httpGet" => validate_http(action, &path, errors),
            "sleep" => validate_sleep(number(action, "seconds"), grace, &path, errors),
            _ => validate_port(action.get("port"), &path.child("port"), errors),
        }
    }
    if !found {
        errors.push(FieldError::required(path, "must specify a handler type"));
    }
}

/// `validateHTTPGetAction`
fn validate_http(action: &Value, path: &Path, errors: &mut Errors) {
    required(path.child("path"), action.text(&["path"]), errors);
    validate_port(action.get("port"), &path.child("port"), errors);
    one_of(&path.child("scheme"), action.text(&["scheme"]), &["HTTP", "HTTPS"], errors);
    for header in action.list(&["httpHeaders"]) {
        let name = header.text(&["name"]);
        super::errors::faults(&path.child("httpHeaders"), name, names::http_header(name), errors);
    }
}

/// `ValidatePortNumOrName`
fn validate_port(port: Option<&Value>, path: &Path, errors: &mut Errors) {
    match port.and_then(Value::as_str) {
        Some(name) => super::errors::faults(path, name, names::port_name(name), errors),
        None => {
            let number = port.and_then(Value::as_i64).unwrap_or_default();
            let faults = names::port_number(number);
            errors.extend(faults.into_iter().map(|fault| FieldError::invalid(path, number, fault)));
        }
    }
}

/// `validateSleepAction`
fn validate_sleep(seconds: i64, grace: Option<i64>, path: &Path, errors: &mut Errors) {
    if let Some(grace) = grace.filter(|grace| seconds < 0 || seconds > *grace) {
        let fault = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.push(FieldError::invalid(path, seconds, fault));
    }
}
