//! What must hold for every object and every text.

use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::BoxedStrategy;
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::decode::{self, Expect, FieldValidation, Media};
use crate::schema::{Shape, TypeId};
use crate::selector::{FieldSelector, LabelSelector};
use crate::value::{Map, Value};
use crate::{encode, generated, protobuf};

fn secret() -> Expect<'static> {
    kind("Secret")
}

fn kind(kind: &'static str) -> Expect<'static> {
    let definition = generated::schema().lookup(&format!("io.k8s.api.core.v1.{kind}")).unwrap();
    Expect { group: "", version: "v1", kind, definition }
}

fn text(value: &Value) -> String {
    String::from_utf8(encode::json(value)).unwrap()
}

/// Text that is likely to need quotes or escapes somewhere.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9./-]{0,12}",
        any::<String>(),
        "[ -~\n\t]{0,40}",
        "(yes|no|null|~|0400|1e3|2001-01-01|- |: | #|'|\"|\\\\|<<|\\||>){0,3}",
        "([a-z]{1,9} ){0,30}",
    ]
}

/// Any JSON.
fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        // Whole floats of 16 to 21 digits read back as integers.
        any::<f64>().prop_filter_map("a finite number", |float| {
            let odd = !float.is_finite() || (9e15..1e21).contains(&float.abs());
            (!odd).then(|| decode::untyped::float(float))
        }),
        words().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            btree_map(words(), inner, 0..4).prop_map(Value::Object),
        ]
    })
}

/// JSON of this type, as a client may write it.
fn of_shape(shape: &Shape, depth: u32) -> BoxedStrategy<Value> {
    match shape {
        Shape::String => words().prop_map(Value::String).boxed(),
        Shape::Int32 => any::<i32>().prop_map(|number| Value::Integer(number.into())).boxed(),
        Shape::Int64 => any::<i64>().prop_map(Value::Integer).boxed(),
        Shape::Float => any::<i32>().prop_map(|number| Value::Float(f64::from(number) / 8.0)).boxed(),
        Shape::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Shape::Bytes => vec(any::<u8>(), 0..20)
            .prop_map(|bytes| encode::untyped(&Value::Bytes(crate::value::SecretBytes::new(bytes))))
            .boxed(),
        Shape::Time => (-62_135_596_800_i64..253_402_300_800)
            .prop_map(|seconds| Value::String(decode::clock::Moment::new(seconds, 0).in_seconds()))
            .boxed(),
        Shape::MicroTime => (0..253_402_300_800_i64, 0..1_000_000_i64)
            .prop_map(|(seconds, micros)| Value::String(decode::clock::Moment::new(seconds, micros).in_micros()))
            .boxed(),
        Shape::Duration => any::<i64>().prop_map(|nanos| Value::String(decode::clock::format_duration(nanos))).boxed(),
        Shape::Quantity => "[0-9]{1,9}(\\.[0-9]{1,4})?(|n|u|m|k|M|G|T|Ki|Mi|Gi|e3|e-2)".prop_map(Value::String).boxed(),
        Shape::IntOrString => {
            prop_oneof![any::<i32>().prop_map(|number| Value::Integer(number.into())), words().prop_map(Value::String),]
                .boxed()
        }
        Shape::Any => btree_map(words(), Just(Value::object()), 0..3).prop_map(Value::Object).boxed(),
        Shape::List(item) => vec(of_shape(item, depth), 0..3).prop_map(Value::List).boxed(),
        Shape::Map(entry) => btree_map(words(), of_shape(entry, depth), 0..3).prop_map(Value::Object).boxed(),
        Shape::Ref(_) if depth == 0 => Just(Value::object()).boxed(),
        Shape::Ref(id) => of_type(*id, depth - 1),
    }
}

fn of_type(id: TypeId, depth: u32) -> BoxedStrategy<Value> {
    let fields: Vec<_> = generated::schema()
        .get(id)
        .fields
        .iter()
        .filter(|field| field.name != "apiVersion" && field.name != "kind")
        .map(|field| {
            let some = of_shape(&field.shape, depth).prop_map(Some);
            let name = field.name.clone();
            prop_oneof![2 => Just(None), 1 => some, 1 => Just(Some(Value::Null))]
                .prop_map(move |value| value.map(|value| (name.clone(), value)))
        })
        .collect();
    fields.prop_map(|fields| Value::Object(fields.into_iter().flatten().collect::<Map>())).boxed()
}

fn object() -> impl Strategy<Value = (&'static str, Value)> {
    let of = |name: &'static str, depth| of_type(kind(name).definition, depth).prop_map(move |value| (name, value));
    prop_oneof![of("Secret", 3), of("ConfigMap", 3), of("Event", 3), of("Service", 3), of("Pod", 4)]
}

proptest! {
    #[test]
    fn a_decoded_object_is_its_own_encoding((name, body) in object()) {
        let expect = kind(name);
        let first = decode::tree(&expect, body, FieldValidation::Strict).map_err(|error| error.to_string());
        let first = first.unwrap().value;
        let json = encode::json(&first);
        let second = decode::object(&expect, Media::Json, &json, FieldValidation::Strict).unwrap().value;
        prop_assert!(first == second, "{} became {}", text(&first), text(&second));
        prop_assert!(decode::stored(expect.definition, &json).unwrap() == first);
        let pretty = encode::json_pretty(&first);
        prop_assert!(decode::object(&expect, Media::Json, &pretty, FieldValidation::Strict).unwrap().value == first);
        let untyped = decode::untyped_json(&json).unwrap().value;
        prop_assert!(untyped == encode::untyped(&first));
    }

    #[test]
    fn a_stored_object_takes_its_revision_where_the_draft_says((name, body) in object(), revision in 1..u64::MAX) {
        let mut object = decode::tree(&kind(name), body, FieldValidation::Strict).unwrap().value;
        object.set(&["metadata", "uid"], "0d647dae-477b-4d40-bfb3-1716190883d9");
        let draft = encode::stored(&object);
        prop_assert_eq!(draft.bytes.get(draft.metadata.start), Some(&b'{'));
        prop_assert_eq!(draft.bytes.get(draft.metadata.end - 1), Some(&b'}'));
        let mut bytes = draft.bytes;
        bytes.splice(draft.splice..draft.splice, format!("\"resourceVersion\":\"{revision}\",").into_bytes());
        object.set(&["metadata", "resourceVersion"], revision.to_string());
        prop_assert!(decode::untyped_json(&bytes).unwrap().value == encode::untyped(&object));
    }

    #[test]
    fn json_and_yaml_bring_any_tree_back(tree in tree()) {
        let json = decode::untyped_json(&encode::json(&tree)).unwrap();
        prop_assert!(json.value == tree, "{} became {}", text(&tree), text(&json.value));
        let yaml = encode::yaml(&tree);
        // Only the reader of YAML proper is meant here.
        let read = crate::yaml::read::read(yaml.as_bytes()).unwrap();
        prop_assert_eq!(text(&read.value), text(&tree), "{}", yaml);
    }

    #[test]
    fn no_text_is_too_odd(text in any::<String>(), bytes in vec(any::<u8>(), 0..200)) {
        for body in [text.as_bytes(), &bytes, &[b"k8s\0\x12\x7f".as_slice(), &bytes].concat()] {
            for media in [Media::Json, Media::Yaml, Media::Protobuf] {
                drop(decode::object(&secret(), media, body, FieldValidation::Warn));
            }
            drop(protobuf::read(generated::schema(), kind("Pod").definition, body));
        }
        drop(FieldSelector::parse(&text));
        drop(LabelSelector::parse(&text));
    }

    #[test]
    fn a_selector_reads_back_as_itself(text in "[a-c!=,<> ()]{0,12}|([ab](=|!=|==| in | notin |>|<)?(\\([a-c,]{0,4}\\)|[a-c1]?),?){0,3}") {
        if let Ok(labels) = LabelSelector::parse(&text) {
            prop_assert_eq!(LabelSelector::parse(&labels.to_string()).unwrap(), labels);
        }
        if let Ok(fields) = FieldSelector::parse(&text) {
            let again = FieldSelector::parse(&fields.to_string()).unwrap();
            prop_assert!(again.terms().len() == fields.terms().len());
            prop_assert!(fields.terms().iter().all(|term| again.terms().contains(term)));
        }
    }
}
