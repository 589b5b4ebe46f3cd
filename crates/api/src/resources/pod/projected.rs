//! Projected volumes: several sources in one folder (`validateProjectionSources`).

use std::collections::BTreeSet;

use super::errors::{Errors, Json, faults, required};
use super::paths;
use super::scheduling::validate_label_selector;
use super::volumes::{Place, downward_file, key_to_path, mode};
use crate::field::{FieldError, Path};
use crate::names;
use crate::value::Value;

/// 10 minutes
const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;
const TWICE: &str = "conflicting duplicate paths";
const KEY_TYPES: &[&str] = &["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];

/// The paths seen so far in one volume.
struct Seen<'a> {
    volume: &'a Path,
    paths: BTreeSet<&'a str>,
}

impl<'a> Seen<'a> {
    /// A path that another source may not have; Kubernetes shows this value where it does.
    fn add(&mut self, path: &'a str, shown: &str, errors: &mut Errors) {
        if !self.paths.insert(path) {
            errors.push(FieldError::invalid(self.volume, shown, TWICE));
        }
    }
}

/// `validateProjectedVolumeSource`
pub(super) fn validate(place: &Place<'_>, errors: &mut Errors) {
    mode(place.source, "defaultMode", place.path, errors);
    let mut seen = Seen { volume: place.path, paths: BTreeSet::new() };
    for (at, source) in place.source.list(&["sources"]).iter().enumerate() {
        validate_source(source, &place.path.child("sources").index(at), &mut seen, errors);
    }
}

fn validate_source<'a>(source: &'a Value, path: &Path, seen: &mut Seen<'a>, errors: &mut Errors) {
    let mut sources = 0;
    for field in ["secret", "configMap"] {
        if let Some(keys) = source.get(field) {
            sources += 1;
            validate_keys(keys, &path.child(field), seen, errors);
        }
    }
    if let Some(files) = source.get("downwardAPI") {
        sources += 1;
        for file in files.list(&["items"]) {
            downward_file(file, &path.child("downwardAPI"), errors);
            let target = file.text(&["path"]);
            if !target.is_empty() {
                seen.add(target, target, errors);
            }
        }
    }
    if let Some(token) = source.get("serviceAccountToken") {
        sources += 1;
        validate_token(token, &path.child("serviceAccountToken"), seen.volume, errors);
    }
    if let Some(bundle) = source.get("clusterTrustBundle") {
        sources += 1;
        validate_bundle(bundle, &path.child("clusterTrustBundle"), seen, errors);
    }
    if let Some(certificate) = source.get("podCertificate") {
        sources += 1;
        validate_certificate(certificate, &path.child("podCertificate"), seen, errors);
    }
    if sources > 1 {
        errors.push(FieldError::forbidden(path, "may not specify more than 1 volume type per source"));
    }
}

/// A Secret or ConfigMap.
fn validate_keys<'a>(keys: &'a Value, path: &Path, seen: &mut Seen<'a>, errors: &mut Errors) {
    let name = keys.text(&["name"]);
    required(path.child("name"), name, errors);
    for (at, item) in keys.list(&["items"]).iter().enumerate() {
        key_to_path(item, &path.child("items").index(at), errors);
        let target = item.text(&["path"]);
        if !target.is_empty() {
            seen.add(target, name, errors);
        }
    }
}

/// A token; its path is told as one of the volume, as Kubernetes tells it.
fn validate_token(token: &Value, path: &Path, volume: &Path, errors: &mut Errors) {
    let seconds = token.integer(&["expirationSeconds"]).unwrap_or_default();
    let at = path.child("expirationSeconds");
    if seconds < LEAST_SECONDS {
        errors.push(FieldError::invalid(&at, seconds, "may not specify a duration less than 10 minutes"));
    }
    if seconds > MOST_SECONDS {
        errors.push(FieldError::invalid(&at, seconds, "may not specify a duration larger than 2^32 seconds"));
    }
    let target = token.text(&["path"]);
    required(volume.child("path"), target, errors);
    paths::local(&volume.child("path"), target, errors);
}

fn validate_bundle<'a>(bundle: &'a Value, path: &Path, seen: &mut Seen<'a>, errors: &mut Errors) {
    let text = |field: &str| bundle.get(field).and_then(Value::as_str);
    match (text("name"), text("signerName")) {
        (Some(_), Some(_)) => {
            errors.push(FieldError::invalid(path, Json(bundle), "only one of name and signerName may be used"));
        }
        (Some(name), None) => {
            if name.is_empty() {
                errors.push(FieldError::required(&path.child("name"), "must be a valid object name"));
            }
            for fault in bundle_name_faults(name) {
                let fault = format!("not a valid clustertrustbundlename: {fault}");
                errors.push(FieldError::invalid(&path.child("name"), name, fault));
            }
            if let Some(selector) = bundle.get("labelSelector") {
                let fault = "labelSelector must be unset if name is specified";
                errors.push(FieldError::invalid(&path.child("labelSelector"), Json(selector), fault));
            }
        }
        (None, Some(signer)) => {
            if signer.is_empty() {
                errors.push(FieldError::required(&path.child("signerName"), "must be a valid signer name"));
            }
            validate_signer(signer, &path.child("signerName"), errors);
            validate_label_selector(bundle.get("labelSelector"), &path.child("labelSelector"), errors);
        }
        (None, None) => errors.push(FieldError::required(path, "either name or signerName must be specified")),
    }
    let target = bundle.text(&["path"]);
    required(path.child("path"), target, errors);
    paths::local(&path.child("path"), target, errors);
    seen.add(target, target, errors);
}

/// `ValidateClusterTrustBundleName`: a signer's bundle is named `signer:...`, with colons for slashes.
fn bundle_name_faults(name: &str) -> Vec<String> {
    names::subdomain(name.rsplit_once(':').map_or(name, |(_, own)| own))
}

/// `ValidateSignerName`
fn validate_signer(signer: &str, path: &Path, errors: &mut Errors) {
    if signer.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    let Some((domain, rest)) = signer.split_once('/').filter(|(_, rest)| !rest.contains('/')) else {
        let fault = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        errors.push(FieldError::invalid(path, signer, fault));
        return;
    };
    if domain.len() > names::SUBDOMAIN_LENGTH {
        errors.push(FieldError::too_long(path, names::SUBDOMAIN_LENGTH));
    }
    validate_parts(domain, names::label, path, errors);
    if !domain.contains('.') {
        let fault = "should be a domain with at least two segments separated by dots";
        errors.push(FieldError::invalid(path, domain, fault));
    }
    validate_parts(rest, names::subdomain, path, errors);
    let most = 2 * names::SUBDOMAIN_LENGTH + names::LABEL_LENGTH + 2;
    if signer.len() > most {
        errors.push(FieldError::too_long(path, most));
    }
}

/// The first part between dots that is wrong.
fn validate_parts(text: &str, check: fn(&str) -> Vec<String>, path: &Path, errors: &mut Errors) {
    let wrong = text.split('.').map(|part| (part, check(part))).find(|(_, found)| !found.is_empty());
    if let Some((part, found)) = wrong {
        let name = crate::field::quote(part);
        let found = found.into_iter().map(|fault| format!("validating label {name}: {fault}")).collect();
        faults(path, text, found, errors);
    }
}

fn validate_certificate<'a>(certificate: &'a Value, path: &Path, seen: &mut Seen<'a>, errors: &mut Errors) {
    let signer = certificate.text(&["signerName"]);
    validate_signer(signer, &path.child("signerName"), errors);
    super::errors::one_of(&path.child("keyType"), certificate.text(&["keyType"]), KEY_TYPES, errors);
    if let Some(seconds) = certificate.integer(&["maxExpirationSeconds"]) {
        let most = if is_kubernetes_signer(signer) { 86_400 } else { 91 * 86_400 };
        let at = path.child("maxExpirationSeconds");
        if seconds < 3600 {
            let fault = "if provided, maxExpirationSeconds must be >= 3600";
            errors.push(FieldError::invalid(&at, seconds, fault));
        }
        if seconds > most {
            let fault = format!("if provided, maxExpirationSeconds must be <= {most}");
            errors.push(FieldError::invalid(&at, seconds, fault));
        }
    }
    let mut given = 0;
    for field in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
        let target = certificate.text(&[field]);
        if !target.is_empty() {
            given += 1;
            paths::local(&path.child(field), target, errors);
            seen.add(target, target, errors);
        }
    }
    if given == 0 {
        let fault = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
        errors.push(FieldError::required(path, fault));
    }
}

/// `IsKubernetesSignerName`
fn is_kubernetes_signer(signer: &str) -> bool {
    let host = signer.split('/').next().unwrap_or_default();
    host == "kubernetes.io" || host.ends_with(".kubernetes.io")
}
