//! The tables of YAML cases, each as `sigs.k8s.io/yaml` 1.6 reads or writes it.

use crate::decode::{untyped_json, untyped_yaml};
use crate::encode;

fn read(text: &str) -> Result<String, String> {
    let read = untyped_yaml(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(encode::json(&read.value)).unwrap())
}

/// What `k: SCALAR` becomes.
fn scalar(text: &str, wanted: &str) {
    assert_eq!(read(&format!("k: {text}\n")), Ok(format!("{{\"k\":{wanted}}}")), "{text}");
}

fn document(text: &str, wanted: &str) {
    assert_eq!(read(text).as_deref(), Ok(wanted), "{text:?}");
}

#[test]
fn plain_scalars_follow_yaml_1_1() {
    for (text, wanted) in [
        ("0400", "256"),
        ("0o17", "15"),
        ("0x1F", "31"),
        ("0b11", "3"),
        ("-0x1F", "-31"),
        ("08", "8"),
        ("1_000", "1000"),
        ("+1", "1"),
        ("1.", "1"),
        (".5", "0.5"),
        ("1e3", "1000"),
        ("1.5", "1.5"),
        ("9223372036854775807", "9223372036854775807"),
    ] {
        scalar(text, wanted);
    }
    for text in ["yes", "Yes", "YES", "y", "on", "true", "TRUE"] {
        scalar(text, "true");
    }
    for text in ["no", "n", "off", "False"] {
        scalar(text, "false");
    }
    for text in ["", "~", "null", "Null", "# comment"] {
        scalar(text, "null");
    }
    for text in
        ["yEs", "tRue", ".", "--1", "+-1", "1e", "0x", "0b12x", "1:2", "12:30:45", "2001-01-01", "1e400", "inf", "="]
    {
        scalar(text, &format!("{text:?}"));
    }
}

#[test]
fn quotes_and_tags_decide() {
    scalar("\"yes\"", "\"yes\"");
    scalar("'0400'", "\"0400\"");
    scalar("'it''s'", "\"it's\"");
    scalar("!!str 12", "\"12\"");
    scalar("!!int \"12\"", "12");
    scalar("!!float 3", "3");
    scalar("!!binary aGVsbG8=", "\"hello\"");
    scalar("!custom 12", "\"12\"");
    scalar("\"\\x41\\u00e9\\e\"", "\"Aé\\u001b\"");
    scalar("|\n  a\n  b\n", "\"a\\nb\\n\"");
    scalar("|-\n  a\n", "\"a\"");
    scalar(">\n  a\n  b\n\n  c\n", "\"a b\\nc\\n\"");
    for text in
        ["!!int x", "!!bool 1", "!!binary \"!\"", ".nan", ".inf", "@a", "`a", "*none", "\"open", "[open", "a: b", "- b"]
    {
        assert!(read(&format!("k: {text}\n")).is_err(), "{text}");
    }
}

#[test]
fn documents_become_json() {
    document("", "null");
    document("# nothing\n\n", "null");
    document("---\n", "null");
    document("k: |\n  a\n  b", r#"{"k":"a\nb"}"#);
    document("k: |\n  a\n---", r#"{"k":"a\n"}"#);
    document("k: >\n  a\n   ", r#"{"k":"a\n "}"#);
    document("a: 1\n---\nb: [\n", r#"{"a":1}"#);
    document("--- a\n", "\"a\"");
    document("{\"apiVersion\":\"v1\",\"data\":{\"a\":\"b\"}}", r#"{"apiVersion":"v1","data":{"a":"b"}}"#);
    document("a:\n- b\n- c: 1\n  d:\n", r#"{"a":["b",{"c":1,"d":null}]}"#);
    document("1: a\nyes: b\n1.5: c\n1e6: d\n", r#"{"1":"a","1.5":"c","1e+06":"d","true":"b"}"#);
    document("a: &x {c: 1}\nb: *x\n", r#"{"a":{"c":1},"b":{"c":1}}"#);
    document("a: &x {c: 1}\nb:\n  <<: *x\n  d: 2\n", r#"{"a":{"c":1},"b":{"c":1,"d":2}}"#);
    document("a: &x {c: 1}\nb:\n  <<: [*x, {c: 3, d: 4}]\n", r#"{"a":{"c":1},"b":{"c":1,"d":4}}"#);
    document("\u{feff}a: 1\r\nb: 2\r\n", r#"{"a":1,"b":2}"#);
}

#[test]
fn what_is_no_yaml_is_refused_without_a_word_of_it() {
    for text in [
        "metadata:\n\tname: hunter2\n",
        "a: [1, hunter2\nb: c: d\n",
        "a: \"hunter2\n",
        "hunter2: !!int hunter2\n",
        "a: hunter2\u{7}\n",
        "? [hunter2]\n: b\n",
        "~: hunter2\n",
        "<<: hunter2\n",
        "a: &hunter2 [*hunter2]\n",
        "hunter2\nb: 1\n",
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with("yaml: ") && !error.contains("hunter2"), "{text:?}: {error}");
    }
    assert!(untyped_yaml(b"a: \xff\n").is_err());
}

#[test]
fn hostile_documents_are_bounded() {
    let laughs: String =
        (1..30).map(|at| format!("l{at}: &l{at} [{}]\n", vec![format!("*l{}", at - 1); 9].join(","))).collect();
    assert_eq!(read(&format!("l0: &l0 lol\n{laughs}")), Err("yaml: document contains excessive aliasing".to_owned()));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 90].join(", "));
    assert_eq!(read(&long), Err("yaml: document contains excessive aliasing".to_owned()));
    let kept: String = (0..200).map(|at| format!("&n{at} [")).collect();
    let kept = format!("{kept}{}{}", "x".repeat(1 << 20), "]".repeat(200));
    assert_eq!(read(&kept), Err("yaml: document contains excessive aliasing".to_owned()));
    assert_eq!(read(&"- {a: }\n".repeat(200_000)), Err("yaml: too many objects".to_owned()));
    assert!(read(&"[".repeat(100_000)).is_err());
    assert!(read(&"- ".repeat(100_000)).is_err());
    assert!(read(&"{a: ".repeat(100_000)).is_err());
    assert!(read(&format!("{}1{}", "[".repeat(200), "]".repeat(200))).is_ok());
}

#[test]
fn duplicate_keys_name_their_line() {
    let read = untyped_yaml(b"a: 1\nb: {c: 1, c: 2}\na: |\n  3\n1: x\n1: y\n").unwrap();
    assert_eq!(
        read.duplicates,
        [
            r#"line 2: key "c" already set in map"#,
            r#"line 3: key "a" already set in map"#,
            "line 6: key 1 already set in map"
        ]
    );
}

fn writes(json: &str, wanted: &str) {
    let tree = untyped_json(json.as_bytes()).unwrap().value;
    let yaml = encode::yaml(&tree);
    assert_eq!(yaml, wanted);
    assert_eq!(read(&yaml).unwrap(), String::from_utf8(encode::json(&tree)).unwrap(), "{yaml}");
}

#[test]
fn objects_are_laid_out_as_go_does() {
    writes("{}", "{}\n");
    writes("\"a\"", "a\n");
    writes(r#"{"b":[{"c":1,"d":[[],{}]}],"a":null}"#, "a: null\nb:\n- c: 1\n  d:\n  - []\n  - {}\n");
    writes(r#"[["a"],{"b":["c"]}]"#, "- - a\n- b:\n  - c\n");
    writes(r#"{"a2":1,"a10":2,"A":3,"1a":4,"n":5,"f:x":6}"#, "1a: 4\nA: 3\na2: 1\na10: 2\nf:x: 6\n\"n\": 5\n");
    writes(
        r#"{"t":"2026-11-21T06:23:43Z","n":"12","y":"yes","e":"","o":"0400","s":"12:30","f":1.5e30}"#,
        "e: \"\"\nf: 1.5e+30\n\"n\": \"12\"\no: \"0400\"\ns: \"12:30\"\nt: \"2026-11-21T06:23:43Z\"\n\"y\": \"yes\"\n",
    );
    writes(
        r#"{"a":"it's: x","b":"- a","c":"a #b","d":" a","e":"x\ty","f":"😀"}"#,
        "a: 'it''s: x'\nb: '- a'\nc: 'a #b'\nd: ' a'\ne: \"x\\ty\"\nf: \"\\U0001F600\"\n",
    );
}

#[test]
fn long_and_broken_texts_are_laid_out_as_go_does() {
    writes(
        r#"{"a":"x\ny\n","b":"x\ny","c":"x\n\n","d":" x\ny\n","e":"x \ny"}"#,
        "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2\n   x\n  y\ne: \"x \\ny\"\n",
    );
    writes(
        r#"{"long": "it is it is it is it is it is it is it is it is it is it is it is it is it is it is it is it is it is it is it is it is ", "quoted": "a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: b", "tab": "\tword word word word word word word word word word word word word word word word word word word word word word word word word word word word word word ", "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk": ["v"]}"#,
        "? kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\n: - v\nlong: 'it is it is it is it is it is it is it is it is it is it is it is it is it\n  is it is it is it is it is it is it is it is '\nquoted: 'a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: a:\n  a: a: a: a: a: a: a: a: a: a: a: a: a: a: a: b'\ntab: \"\\tword word word word word word word word word word word word word word word\n  word word word word word word word word word word word word word word word \"\n",
    );
    writes(
        r#"{"a":{"b":"x\n  y\n"},"c":[{"d":"x\n"}],"e\nf":1}"#,
        "a:\n  b: |\n    x\n      y\nc:\n- d: |\n    x\n? |-\n  e\n  f\n: 1\n",
    );
}
