//! Patches of a Secret and of a Pod: the object, a zero byte, the patch.
#![no_main]

use api::decode::{self, FieldValidation};
use api::encode;
use api::patch::{self, Form};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((object, patch)) = subjects::halves(data) else { return };
    let Some((choice, object)) = object.split_first() else { return };
    let resource = subjects::resource(*choice);
    let expect = subjects::expect(resource);
    let Ok(object) = decode::object(&expect, decode::Media::Json, object, FieldValidation::Ignore) else { return };
    for form in [Form::Json, Form::Merge, Form::Strategic] {
        let untyped = || decode::untyped_json(patch).map(|untyped| untyped.value);
        let Ok(parsed) = untyped() else { return };
        let Ok(patched) = patch::apply(form, expect.definition, encode::untyped(&object.value), parsed) else { continue };
        if form == Form::Merge {
            let again = patch::apply(form, expect.definition, patched.value.clone(), untyped().expect("as before"));
            assert!(again.expect("a merge patch applies again").value == patched.value, "a merge patch changes once");
        }
        if let Ok(decoded) = decode::tree(&expect, patched.value, FieldValidation::Ignore) {
            subjects::check(&expect, &decoded.value);
        }
    }
});
