//! Outside bytes: never a panic, and the limits on both sides.

use proptest::prelude::{any, prop};
use proptest::{prop_assert_eq, proptest};

use super::*;

fn wrapped() -> Wrapped {
    Wrapped { key_id: "key".into(), source: vec![1; 60], annotations: Vec::new() }
}

fn sealed(wrapped: &Wrapped, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_head(&mut out, "k8s:enc:kms:v2:local:", data.len());
    out.extend_from_slice(data);
    out.extend(tail(wrapped));
    out
}

fn check_limit(change: impl FnOnce(&mut Wrapped), expected: LimitError) {
    let mut wrapped = wrapped();
    change(&mut wrapped);
    assert_eq!(Envelope::parse(&sealed(&wrapped, b"data")).unwrap_err(), EnvelopeError::Limit(expected));
}

#[test]
fn limits_are_those_of_kubernetes() {
    let annotate = |name: &str, length| {
        let entry = (name.to_owned(), vec![0; length]);
        move |wrapped: &mut Wrapped| wrapped.annotations = vec![entry]
    };
    assert!(Envelope::parse(&sealed(&wrapped(), b"data")).is_ok());
    assert_eq!(Envelope::parse(&sealed(&wrapped(), b"")).unwrap_err(), LimitError::NoData.into());
    check_limit(|wrapped| wrapped.key_id.clear(), LimitError::NoKeyId);
    check_limit(|wrapped| wrapped.key_id = "k".repeat(1025), LimitError::LongKeyId(1025));
    check_limit(|wrapped| wrapped.source.clear(), LimitError::NoSource);
    check_limit(|wrapped| wrapped.source.resize(1025, 0), LimitError::LongSource(1025));
    check_limit(annotate("a.example.com", 32 * 1024), LimitError::LongAnnotations(32 * 1024 + 13));
    for name in ["nodots", "", "a..b", "-a.b", "a-.b", "A.b", "a.b/c"] {
        check_limit(annotate(name, 1), LimitError::Annotation(name.into()));
    }
}

#[test]
fn an_annotation_that_comes_twice_counts_once() {
    let mut twice = wrapped();
    twice.annotations = vec![("a.b".into(), vec![1]), ("a.b".into(), vec![2])];
    let bytes = sealed(&twice, b"data");
    assert_eq!(Envelope::parse(&bytes).unwrap().wrapped.annotations, [("a.b".to_owned(), vec![2])]);
}

proptest! {
    #[test]
    fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _either = Envelope::parse(&body).is_ok();
        let _either = Envelope::parse(&[b"k8s:enc:kms:v2:local:", &body[..]].concat()).is_ok();
    }

    #[test]
    fn a_cut_or_changed_envelope_is_answered(at in 0_usize..150, flip in any::<u8>()) {
        let mut bytes = sealed(&wrapped(), &[9; 70]);
        let _either = Envelope::parse(bytes.get(..at).unwrap_or_default()).is_ok();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= flip;
        }
        let _either = Envelope::parse(&bytes).is_ok();
    }

    #[test]
    fn what_is_written_is_read(
        key_id in "[a-z0-9:/]{1,40}",
        source in prop::collection::vec(any::<u8>(), 1..200),
        data in prop::collection::vec(any::<u8>(), 1..300),
        annotations in prop::collection::btree_map("[a-z]{1,9}\\.[a-z]{1,9}", prop::collection::vec(any::<u8>(), 0..20), 0..4),
    ) {
        let wrapped = Wrapped { key_id, source, annotations: annotations.into_iter().collect() };
        let bytes = sealed(&wrapped, &data);
        let read = Envelope::parse(&bytes).unwrap();
        prop_assert_eq!((read.provider, read.data, read.source_type), ("local", &data[..], SourceType::Seed));
        prop_assert_eq!(read.wrapped, wrapped);
    }
}
