//! What holds for any sequence of writes.

use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};

use super::Object;
use crate::samples::{json, text};
use crate::value::Value;

/// A write to a ConfigMap.
#[derive(Debug, Clone)]
enum Write {
    Put(u8, Value),
    Apply(u8, Value, bool),
}

fn body() -> impl Strategy<Value = Value> {
    let entries = || prop::collection::btree_map("[a-d]", "[12]", 0..4);
    let finalizers = prop::collection::btree_set("[a-c]", 0..3);
    (entries(), entries(), finalizers).prop_map(|(data, labels, finalizers)| {
        let object = |entries: std::collections::BTreeMap<String, String>| {
            Value::Object(entries.into_iter().map(|(name, value)| (name, Value::from(value))).collect())
        };
        let mut body = json("{}");
        // Nothing empty: that is left out of objects, so it comes anew with each apply, in Kubernetes too.
        if !data.is_empty() {
            body.set(&["data"], object(data));
        }
        if !labels.is_empty() {
            body.set(&["metadata", "labels"], object(labels));
        }
        if !finalizers.is_empty() {
            body.set(&["metadata", "finalizers"], Value::List(finalizers.into_iter().map(Value::from).collect()));
        }
        body
    })
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (0..3_u8, body()).prop_map(|(who, body)| Write::Put(who, body)),
        (0..3_u8, body(), any::<bool>()).prop_map(|(who, body, force)| Write::Apply(who, body, force)),
    ]
}

fn run(object: &mut Object, write: &Write) -> bool {
    match write {
        Write::Put(who, body) => {
            object.put(&format!("m{who}"), &text(body));
            true
        }
        Write::Apply(who, body, force) => object.try_apply(&format!("m{who}"), &text(body), *force).is_ok(),
    }
}

/// Every path of `fieldsV1` that ends at a string or a set item must be there in the object.
fn owned_exists(object: &Value, fields: &Value) -> bool {
    fields.as_object().into_iter().flatten().all(|(step, below)| match step.split_at_checked(2) {
        Some(("f:", name)) => match object.get(name) {
            Some(value) => owned_exists(value, below),
            // What had entries and has none is left out of an object, but may still be owned.
            None => below.get(".").is_some() || name == "labels" || name == "finalizers" || name == "data",
        },
        Some(("v:", item)) => object.as_list().unwrap_or_default().contains(&json(item)),
        _ => step == ".",
    })
}

proptest! {
    #[test]
    fn an_apply_again_changes_nothing(before in prop::collection::vec(write(), 0..5), last in body()) {
        let mut object = Object::of("ConfigMap");
        for write in &before {
            run(&mut object, write);
        }
        let last = Write::Apply(1, last, true);
        assert!(run(&mut object, &last));
        let once = text(object.live.as_ref().unwrap());
        assert!(run(&mut object, &last));
        assert_eq!(text(object.live.as_ref().unwrap()), once);
    }

    #[test]
    fn what_is_applied_is_there_and_owned(before in prop::collection::vec(write(), 0..5), last in body()) {
        let mut object = Object::of("ConfigMap");
        for write in &before {
            run(&mut object, write);
        }
        assert!(run(&mut object, &Write::Apply(1, last.clone(), true)));
        let live = object.live.unwrap();
        for (name, value) in last.entries(&["data"]) {
            assert_eq!(live.text(&["data", name]), value.as_str().unwrap());
        }
        let mine = live.list(&["metadata", "managedFields"]).iter();
        let mine = mine.filter(|entry| entry.text(&["manager"]) == "m1" && entry.text(&["operation"]) == "Apply").count();
        assert!(mine == 1 || last.at(&["data"]).is_none());
    }

    #[test]
    fn what_is_owned_exists(writes in prop::collection::vec(write(), 1..8)) {
        let mut object = Object::of("ConfigMap");
        for write in &writes {
            run(&mut object, write);
            let Some(live) = &object.live else { continue };
            for entry in live.list(&["metadata", "managedFields"]) {
                assert!(owned_exists(live, entry.get("fieldsV1").unwrap()), "{} {}", text(live), text(entry));
            }
        }
    }

    #[test]
    fn a_field_whose_value_differs_has_one_applier(writes in prop::collection::vec(write(), 1..8)) {
        // After a write without force that succeeded, nobody else lost a field that the writer did not ask to change.
        let mut object = Object::of("ConfigMap");
        for write in &writes {
            let before = object.live.clone();
            if let Write::Apply(_, body, false) = write
                && run(&mut object, write)
                && let Some(before) = before
            {
                let after = object.live.as_ref().unwrap();
                for (name, value) in before.entries(&["data"]) {
                    let asked = body.at(&["data", name]).is_some();
                    let stays = after.at(&["data", name]).is_none_or(|now| now == value);
                    assert!(asked || stays);
                }
            } else if !matches!(write, Write::Apply(_, _, false)) {
                run(&mut object, write);
            }
        }
    }
}

/// Words that trees of a Pod, of FieldsV1 and of nonsense are made of.
const WORDS: &[&str] = &[
    "metadata",
    "spec",
    "labels",
    "finalizers",
    "managedFields",
    "ownerReferences",
    "uid",
    "containers",
    "name",
    "env",
    "ports",
    "containerPort",
    "protocol",
    "resources",
    "limits",
    "cpu",
    "f:spec",
    "f:containers",
    "k:{\"name\":\"a\"}",
    "v:\"a\"",
    ".",
    "i:0",
    "manager",
    "operation",
    "apiVersion",
    "fieldsType",
    "fieldsV1",
    "kind",
    "a",
    "status",
    "conditions",
    "type",
    "imagePullSecrets",
    "volumes",
    "secret",
    "tolerations",
];

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(WORDS).prop_map(str::to_owned)
}

fn any_tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        proptest::strategy::Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i8>().prop_map(|number| Value::Integer(number.into())),
        word().prop_map(Value::String),
        prop::sample::select(&["Update", "Apply", "v1", "FieldsV1", "100m", "dg=="][..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map(word(), inner, 0..5).prop_map(Value::Object),
        ]
    })
}

/// A tree whose fields are mostly those of a Pod.
fn any_pod() -> impl Strategy<Value = Value> {
    (any_tree(), any_tree(), any_tree(), any::<u8>()).prop_map(|(meta, spec, containers, choice)| {
        let mut pod =
            json(r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c"}]}}"#);
        if choice & 1 == 0 && meta.as_object().is_some() {
            pod.set(&["metadata"], meta);
        }
        if choice & 2 == 0 {
            pod.set(&["spec"], spec);
        }
        if choice & 4 == 0 {
            pod.set(&["spec", "containers"], containers);
        }
        pod
    })
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(live in any_pod(), config in any_pod(), managed in any_tree(), force in any::<bool>()) {
        let definition = crate::samples::core("Pod");
        let who = super::Manager {
            name: "m",
            api_version: "v1",
            subresource: "",
            now: "2026-01-01T00:00:00Z",
            reset: &[&["status"]],
        };
        let mut live = live;
        super::track_update(definition, &who, None, &mut live);
        drop(super::apply(definition, &who, Some(&live), &config, force));
        drop(super::apply(definition, &who, None, &config, force));
        let mut new = config;
        new.set(&["metadata", "managedFields"], managed);
        super::track_update(definition, &who, Some(&live), &mut new);
        super::keep_times(&mut new, &live);
    }

    #[test]
    fn no_patch_makes_it_panic(object in any_pod(), patch in any_pod(), nonsense in any_tree()) {
        use crate::patch::{Form, apply, restore};
        let definition = crate::samples::core("Pod");
        for form in [Form::Json, Form::Merge, Form::Strategic] {
            for patch in [&patch, &nonsense] {
                drop(apply(form, definition, object.clone(), patch.clone()));
            }
        }
        drop(restore::check(crate::generated::schema(), definition, &nonsense));
    }
}
