//! Options of containers on Windows: `validateWindowsSecurityContextOptions`, `validateWindowsHostProcessPod`.

use super::containers::visit;
use super::errors::{Errors, is_true, subdomain};
use crate::field::{FieldError, Path};
use crate::value::Value;

/// `maxGMSACredentialSpecLength`
const MOST_CREDENTIAL: usize = 64 * 1024;

/// The options of a pod or a container.
pub(super) fn validate_options(options: Option<&Value>, path: &Path, errors: &mut Errors) {
    let Some(options) = options else { return };
    let text = |field: &str| options.get(field).and_then(Value::as_str);
    if let Some(name) = text("gmsaCredentialSpecName") {
        subdomain(&path.child("gmsaCredentialSpecName"), name, errors);
    }
    if let Some(credential) = text("gmsaCredentialSpec") {
        let path = path.child("gmsaCredentialSpec");
        if credential.is_empty() {
            errors.push(FieldError::invalid(&path, credential, "gmsaCredentialSpec cannot be an empty string"));
        } else if credential.len() > MOST_CREDENTIAL {
            errors.push(FieldError::invalid(&path, credential, "gmsaCredentialSpec size must be under 64 KiB"));
        }
    }
    if let Some(user) = text("runAsUserName") {
        let path = path.child("runAsUserName");
        let faults = user_faults(user);
        errors.extend(faults.into_iter().map(|fault| FieldError::invalid(&path, user, fault)));
    }
}

/// What is wrong with `DOMAIN\USER`, or `USER` alone.
fn user_faults(text: &str) -> Vec<&'static str> {
    if text.is_empty() {
        return vec!["runAsUserName cannot be an empty string"];
    }
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return vec!["runAsUserName cannot contain control characters"];
    }
    if text.matches('\\').count() > 1 {
        return vec!["runAsUserName cannot contain more than one backslash"];
    }
    let (domain, user) = match text.split_once('\\') {
        Some((domain, user)) => (Some(domain), user),
        None => (None, text),
    };
    let mut faults = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= 256) {
        faults.push("runAsUserName's Domain length must be under 256 characters");
    }
    if !domain.is_none_or(|domain| is_net_bios(domain) || is_dns(domain)) {
        faults.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
    if user.is_empty() {
        faults.push("runAsUserName's User cannot be empty");
    } else if user.len() > 104 {
        faults.push("runAsUserName's User length must not be longer than 104 characters");
    }
    if !user.is_empty() && user.bytes().all(|byte| byte == b'.' || byte == b' ') {
        faults.push("runAsUserName's User cannot contain only periods or spaces");
    }
    if user.contains(['"', '/', '\\', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) {
        faults.push(r#"runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[]"#);
    }
    faults
}

fn is_net_bios(domain: &str) -> bool {
    let length = domain.chars().count();
    (1..=15).contains(&length)
        && !domain.starts_with('.')
        && !domain.contains(['\\', '/', ':', '*', '?', '"', '<', '>', '|'])
}

fn is_dns(domain: &str) -> bool {
    domain.split('.').all(|part| {
        (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// A pod runs as the host does with all its containers, or with none.
pub(super) fn validate_host_process(spec: &Value, path: &Path, errors: &mut Errors) {
    const OPTION: &[&str] = &["securityContext", "windowsOptions", "hostProcess"];
    let of_pod = spec.boolean(OPTION);
    let (mut all, mut with) = (0, 0);
    visit(spec, path, |container, path| {
        all += 1;
        let own = container.boolean(OPTION);
        if let (Some(of_pod), Some(own)) = (of_pod, own)
            && of_pod != own
        {
            let at = path.child("securityContext").child("windowsOptions").child("hostProcess");
            let fault = format!("pod hostProcess value must be identical if both are specified, was {of_pod}");
            errors.push(FieldError::invalid(&at, own, fault));
        }
        if own.or(of_pod) == Some(true) {
            with += 1;
        }
    });
    if with == 0 {
        return;
    }
    if with != all {
        let fault = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.push(FieldError::invalid(path, "", fault));
    }
    if !is_true(spec, &["hostNetwork"]) {
        let fault = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.push(FieldError::invalid(&path.child("hostNetwork"), false, fault));
    }
}
