//! Cases of label selectors, recorded from Kubernetes 1.36 or from its parser.

use super::*;

fn check(text: &str, wanted: Result<&str, &str>) {
    let read = LabelSelector::parse(text).map(|selector| selector.to_string()).map_err(|error| error.to_string());
    assert_eq!(read.as_deref().map_err(String::as_str), wanted, "{text:?}");
}

#[test]
fn texts_are_read_as_kubernetes_reads_them() {
    check("", Ok(""));
    check(" ", Ok(""));
    check("app=x", Ok("app=x"));
    check(" b == x , a != y", Ok("a!=y,b==x"));
    check("app", Ok("app"));
    check("!app", Ok("!app"));
    check("odd=", Ok("odd="));
    check("n>2,n<5", Ok("n>2,n<5"));
    check("app in ()", Ok("app in ()"));
    check("app in (b,a,b)", Ok("app in (a,b)"));
    check("app notin (,a)", Ok("app notin (,a)"));
    check("app in (a,)", Ok("app in (,a)"));
    check("app in (a,,b)", Ok("app in (,a,b)"));
    check("in in (in,notin)", Ok("in in (in,notin)"));
    check("notin", Ok("notin"));
    check("example.com/a=b", Ok("example.com/a=b"));
}

#[test]
fn faults_have_the_texts_of_kubernetes() {
    check("app in (x", Err("unable to parse requirement: found '', expected: ',' or ')'"));
    check("app=x y", Err("found 'y', expected: ',' or 'end of string'"));
    check("=x", Err("found '=', expected: !, identifier, or 'end of string'"));
    check("app===x", Err("unable to parse requirement: found '=', expected: identifier"));
    check("app in x", Err("unable to parse requirement: found 'x' expected: '('"));
    check("app like x", Err("unable to parse requirement: found 'like', expected: in, notin, =, ==, !=, gt, lt"));
    check("((", Err("found '(', expected: !, identifier, or 'end of string'"));
    check("app!", Err("unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"));
    check("a,", Err("found '', expected: identifier after ','"));
    check("app in (x y)", Err("unable to parse requirement: found 'y', expected: ',' or ')'"));
    check("app in (=)", Err("unable to parse requirement: found '=', expected: ',', ')' or identifier"));
    check("!", Err("unable to parse requirement: found '', expected: identifier"));
    check(
        "n>x",
        Err(
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
    );
    check(
        "app=-x",
        Err(
            "unable to parse requirement: values[0][app]: Invalid value: \"-x\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
    );
    check(
        "a/b/c=x",
        Err(
            "unable to parse requirement: <nil>: Invalid value: \"a/b/c\": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        ),
    );
}

#[test]
fn labels_are_matched() {
    let matches = |text: &str| {
        let labels = [("app", "x"), ("n", "3"), ("odd", "")];
        let lookup = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        LabelSelector::parse(text).unwrap().matches(lookup)
    };
    for yes in
        ["", "app=x", "app!=y", "none!=y", "app in (x,y)", "none notin (x)", "!none", "odd=", "n>2", "n<4", "app,n"]
    {
        assert!(matches(yes), "{yes}");
    }
    for no in
        ["app=y", "app!=x", "none=x", "none in (x)", "app notin (x)", "!app", "none", "n>3", "n<3", "app>1", "none<1"]
    {
        assert!(!matches(no), "{no}");
    }
}
