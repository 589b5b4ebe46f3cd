//! What the targets share: which kind a body is read as, and what must hold of every object that was read.

use api::decode::{self, Expect, FieldValidation, Media};
use api::encode;
use api::resources::{self, Resource};
use api::value::Value;

/// The kind that a byte chooses.
pub fn resource(choice: u8) -> &'static Resource {
    let all = resources::all();
    all[usize::from(choice) % all.len()]
}

/// What the path of this kind asks for.
pub fn expect(resource: &Resource) -> Expect<'_> {
    let Resource { group, version, kind, .. } = resource;
    Expect { group, version, kind, definition: resource.type_id() }
}

/// Reads a body as each form of validation does, and checks what must hold of what was read. The first byte chooses the kind.
pub fn read(media: Media, data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let resource = resource(*choice);
    let expect = expect(resource);
    let strict = decode::object(&expect, media, body, FieldValidation::Strict);
    let warned = decode::object(&expect, media, body, FieldValidation::Warn);
    let ignored = decode::object(&expect, media, body, FieldValidation::Ignore);
    assert_eq!(warned.is_ok(), ignored.is_ok(), "warnings do not refuse");
    if let Ok(strict) = strict {
        let warned = warned.expect("what is read strictly is read otherwise too");
        assert!(strict.value == warned.value && warned.warnings.is_empty(), "strictness changes nothing that is right");
    }
    if let Ok(object) = ignored {
        check(&expect, &object.value);
    }
}

/// An object that was read is written and read again without a change.
pub fn check(expect: &Expect<'_>, object: &Value) {
    let json = encode::json(object);
    let again = decode::object(expect, Media::Json, &json, FieldValidation::Strict).expect("own JSON is right");
    assert!(again.value == *object, "JSON loses nothing");
    let yaml = encode::yaml(object);
    let again = decode::object(expect, Media::Yaml, yaml.as_bytes(), FieldValidation::Strict).expect("own YAML is right");
    assert!(again.value == *object, "YAML loses nothing");
    let stored = encode::stored(object);
    decode::stored(expect.definition, &stored.bytes).expect("what is stored can be read");
}

/// The two halves of an input, parted by the first zero byte.
pub fn halves(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let middle = data.iter().position(|byte| *byte == 0)?;
    Some((&data[..middle], &data[middle + 1..]))
}
