//! Budgets of functions: their length, their parameters, and the calls that may panic.

use syn::visit::{self, Visit};

use super::exceptions::Exceptions;
use super::sources::{Source, is_test};
use super::{Findings, measure};

const LENGTH_P90: usize = 30;
const LENGTH_P99: usize = 90;
const LENGTH_MOST: usize = 120;
const PARAMETERS_MOST: usize = 6;
/// `expect("why this holds")` for each 1,000 lines of production code.
const EXPECTS_PER_THOUSAND: usize = 2;

pub(super) fn check(sources: &[Source], exceptions: &Exceptions) -> Findings {
    let mut findings = Findings::new();
    let mut lengths = Vec::new();
    let mut expects = 0;
    let mut production = 0;
    let mut creates = Vec::new();
    for source in sources.iter().filter(|source| !source.generated && !source.test) {
        let mut found = Found::default();
        found.visit_file(&source.syntax);
        production += source.production_lines();
        expects += found.expects;
        for line in &found.unwraps {
            findings.push(format!("{}:{line}: unwrap() outside tests", source.path));
        }
        for function in &found.functions {
            findings.extend(over_budget(source, function, exceptions));
            if source.package() == "apiserver" && function.name == "create" {
                creates.push(format!("{}:{}", source.path, function.line));
            }
        }
        lengths.extend(found.functions.iter().map(|function| function.lines));
    }
    lengths.sort_unstable();
    for (name, part, most) in [("p90", 90, LENGTH_P90), ("p99", 99, LENGTH_P99)] {
        let length = measure::percentile(&lengths, part);
        if length > most {
            findings.push(format!("function length {name} is {length} lines, at most {most}"));
        }
    }
    if expects * 1000 > EXPECTS_PER_THOUSAND * production.max(1000) {
        findings.push(format!("{expects} expect() in {production} lines, at most {EXPECTS_PER_THOUSAND} per 1,000"));
    }
    if creates.len() > 1 {
        findings.push(format!("apiserver has more than one `fn create`: {}", creates.join(", ")));
    }
    findings
}

fn over_budget(source: &Source, function: &Function, exceptions: &Exceptions) -> Findings {
    let mut findings = Findings::new();
    let at = format!("{}::{}", source.path, function.name);
    let place = format!("{}:{}: fn {}", source.path, function.line, function.name);
    if function.lines > LENGTH_MOST && !exceptions.allows_count("function-length", &at, function.lines) {
        findings.push(format!("{place} has {} lines, at most {LENGTH_MOST}", function.lines));
    }
    if function.parameters > PARAMETERS_MOST && !exceptions.allows_count("parameters", &at, function.parameters) {
        findings.push(format!("{place} has {} parameters, at most {PARAMETERS_MOST}", function.parameters));
    }
    findings
}

/// A function with a body.
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
    pub(super) parameters: usize,
}

/// What production code of one file contains.
#[derive(Default)]
pub(super) struct Found {
    pub(super) functions: Vec<Function>,
    unwraps: Vec<usize>,
    expects: usize,
}

impl Found {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let parameters = signature.inputs.iter().filter(|input| matches!(input, syn::FnArg::Typed(_))).count();
        let line = signature.fn_token.span.start().line;
        let end = block.brace_token.span.close().end().line;
        let lines = end.saturating_sub(line) + 1;
        self.functions.push(Function { name: signature.ident.to_string(), line, lines, parameters });
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            self.add(&item.sig, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            self.add(&item.sig, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "unwrap" && call.args.is_empty() {
            self.unwraps.push(call.method.span().start().line);
        }
        // A parser's own `expect` takes no text; this one says why it cannot fail.
        if call.method == "expect" && matches!(call.args.first(), Some(syn::Expr::Lit(_))) {
            self.expects += 1;
        }
        visit::visit_expr_method_call(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Found {
        let mut found = Found::default();
        found.visit_file(&syn::parse_file(text).unwrap());
        found
    }

    #[test]
    fn counts_lines_parameters_and_panics_of_production_code() {
        let found = found(
            "impl A {\n    fn long(&self, a: u8, b: u8) {\n        a.unwrap();\n        b.expect(\"held\");\n    }\n}\n\
             #[cfg(test)]\nmod tests {\n    fn f() { a.unwrap() }\n}\n",
        );
        let [function] = found.functions.as_slice() else { panic!("one function") };
        assert_eq!((function.name.as_str(), function.lines, function.parameters), ("long", 4, 2));
        assert_eq!((found.unwraps, found.expects), (vec![3], 1));
    }

    #[test]
    fn attributes_above_a_function_are_not_its_length() {
        let found = found("/// Doc.\n#[inline]\nfn short() {}\n");
        assert_eq!(found.functions.iter().map(|function| function.lines).collect::<Vec<_>>(), [1]);
    }
}
