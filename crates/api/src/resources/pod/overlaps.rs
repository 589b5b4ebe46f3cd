//! Files of one volume that get in each other's way: `warningsForOverlappingVirtualPaths`.

use crate::field::quote;
use crate::value::Value;

/// A file and what it comes from, where several may.
#[derive(PartialEq)]
struct File {
    path: String,
    source: String,
}

impl File {
    fn new(path: &str, source: &str) -> Self {
        Self { path: path.trim_end_matches('/').to_owned(), source: source.to_owned() }
    }

    fn shown(&self) -> String {
        if self.source.is_empty() { quote(&self.path) } else { format!("{} ({})", quote(&self.path), self.source) }
    }

    /// Whether both have one path, or one is below the other.
    fn overlaps(&self, other: &Self) -> bool {
        let (one, two) = (format!("{}/", self.path), format!("{}/", other.path));
        !self.path.is_empty() && !other.path.is_empty() && (one.starts_with(&two) || two.starts_with(&one))
    }
}

/// Warns of overlapping paths in each volume.
pub(super) fn warn(volumes: &[Value], found: &mut Vec<String>) {
    for volume in volumes {
        let name = quote(volume.text(&["name"]));
        for (field, kind, naming) in [("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")] {
            if let Some(source) = volume.get(field) {
                let what = format!("{kind} {}", quote(source.text(&[naming])));
                tell(&name, &what, &files(source, ""), found);
            }
        }
        if let Some(source) = volume.get("downwardAPI") {
            tell(&name, "DownwardAPI", &files(source, ""), found);
        }
        if let Some(projected) = volume.get("projected") {
            let mut all = Vec::new();
            for source in projected.list(&["sources"]) {
                if source.as_object().is_none_or(|fields| fields.is_empty()) {
                    found.push(format!("volume {name} (Projected) has no sources provided"));
                }
                all.extend(projected_files(source));
            }
            tell(&name, "Projected", &all, found);
        }
    }
}

fn files(source: &Value, what: &str) -> Vec<File> {
    source.list(&["items"]).iter().map(|item| File::new(item.text(&["path"]), what)).collect()
}

fn projected_files(source: &Value) -> Vec<File> {
    for (field, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
        if let Some(keys) = source.get(field) {
            return files(keys, &format!("{kind} {}", quote(keys.text(&["name"]))));
        }
    }
    if let Some(fields) = source.get("downwardAPI") {
        return files(fields, "DownwardAPI");
    }
    if let Some(token) = source.get("serviceAccountToken") {
        return vec![File::new(token.text(&["path"]), "ServiceAccountToken")];
    }
    if let Some(bundle) = source.get("clusterTrustBundle") {
        let name = bundle.get("name").or_else(|| bundle.get("signerName")).and_then(Value::as_str).unwrap_or_default();
        return vec![File::new(bundle.text(&["path"]), &format!("ClusterTrustBundle {}", quote(name)))];
    }
    Vec::new()
}

fn tell(volume: &str, what: &str, files: &[File], found: &mut Vec<String>) {
    for (at, file) in files.iter().enumerate() {
        for other in files.iter().take(at).filter(|other| file.overlaps(other)) {
            let pair = format!("{} with {}", file.shown(), other.shown());
            found.push(format!("volume {volume} ({what}): overlapping paths: {pair}"));
        }
    }
}
