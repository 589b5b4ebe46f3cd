//! Templates of pods, as workloads hold them: the rules of pods, less what only a real pod must be.

use super::pod::warnings::Of;
use super::pod::{defaults, spec, warnings};
use crate::field::{FieldError, Path};
use crate::meta;
use crate::value::Value;

/// The defaults of a `PodTemplateSpec`.
pub fn default(template: &mut Value) {
    defaults::template(template);
}

/// `ValidatePodTemplateSpec`: labels, annotations and the spec of the template at `path`.
pub fn validate(template: &Value, path: &Path) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let metadata = path.child("metadata");
    errors.extend(meta::labels(&metadata.child("labels"), template.at(&["metadata", "labels"])));
    errors.extend(meta::annotations(&metadata.child("annotations"), template.at(&["metadata", "annotations"])));
    let empty = Value::object();
    spec::validate(template.get("spec").unwrap_or(&empty), None, &path.child("spec"), &mut errors);
    if !template.list(&["spec", "ephemeralContainers"]).is_empty() {
        let at = path.child("spec").child("ephemeralContainers");
        errors.push(FieldError::forbidden(&at, "ephemeral containers not allowed in pod template"));
    }
    errors
}

/// `GetWarningsForPodTemplate`
pub fn warnings(template: &Value, path: &Path) -> Vec<String> {
    warnings::warnings(template, Of::Template, path)
}
