//! The Go names of types, as decoding errors print them.

use crate::schema::{Field, Schema, Shape};

/// The Go type of a value that lies directly in this field: the field itself, or an item of its lists and maps.
pub(super) fn type_within(schema: &Schema, holder: Option<&Field>, shape: &Shape) -> String {
    let mut current = holder.map(|field| &field.shape);
    let mut named = holder.and_then(|field| field.go_type.as_deref());
    while let Some(outer) = current.filter(|outer| !std::ptr::eq(*outer, shape)) {
        current = match outer {
            Shape::List(inner) | Shape::Map(inner) => Some(inner),
            _ => None,
        };
        named = named.and_then(|name| name.strip_prefix("[]").or_else(|| name.strip_prefix("map[string]")));
    }
    named.map_or_else(|| type_name(schema, shape), str::to_owned)
}

/// The Go name of the struct that this field's owner embeds it by: the path in an error goes through it.
pub(super) fn embedded(owner: &str, field: &Field) -> Option<&'static str> {
    match (owner, field.within.len()) {
        (_, 0) => None,
        ("EphemeralContainer", _) => Some("EphemeralContainerCommon"),
        ("PersistentVolumeSpec", _) => Some("PersistentVolumeSource"),
        ("Probe", _) => Some("ProbeHandler"),
        ("Volume", _) => Some("VolumeSource"),
        ("IngressRule", _) => Some("IngressRuleValue"),
        ("RuleWithOperations", _) => Some("Rule"),
        ("NamedRuleWithOperations", 1) => Some("RuleWithOperations"),
        ("NamedRuleWithOperations", _) => Some("RuleWithOperations.Rule"),
        (owner, _) if owner.starts_with("Device") => Some("DeviceConfiguration"),
        _ => Some("LocalObjectReference"),
    }
}

/// The type as `reflect.Type.String` prints it.
fn type_name(schema: &Schema, shape: &Shape) -> String {
    match shape {
        Shape::String => "string".to_owned(),
        Shape::Int32 => "int32".to_owned(),
        Shape::Int64 => "int64".to_owned(),
        Shape::Float => "float64".to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Bytes => "[]uint8".to_owned(),
        Shape::Time => "v1.Time".to_owned(),
        Shape::MicroTime => "v1.MicroTime".to_owned(),
        Shape::Duration => "v1.Duration".to_owned(),
        Shape::Quantity => "resource.Quantity".to_owned(),
        Shape::IntOrString => "intstr.IntOrString".to_owned(),
        Shape::Any => "runtime.RawExtension".to_owned(),
        Shape::List(item) => format!("[]{}", type_name(schema, item)),
        // Every map of quantities in the core group is one of these.
        Shape::Map(entry) if **entry == Shape::Quantity => "v1.ResourceList".to_owned(),
        Shape::Map(entry) => format!("map[string]{}", type_name(schema, entry)),
        Shape::Ref(id) => {
            let kind = schema.get(*id);
            // `io.k8s.api.core.v1.Secret`: the package is the word before the last.
            let package = kind.name.rsplit('.').nth(1).unwrap_or("v1");
            format!("{package}.{}", kind.go_name)
        }
    }
}

/// Whether a reader that ignores case takes this key for that name, as `encoding/json` does for kind and apiVersion.
pub(super) fn folds_to(key: &str, name: &str) -> bool {
    let fold = |character: char| match character {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}
