//! What compilers say to a wrong attribute.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use crate::function::{Kind, expand};
use crate::module::Listing;
use crate::select::Arms;

fn step(arguments: TokenStream) -> String {
    complaint(
        Kind::Step,
        arguments,
        quote!(
            async fn charge() -> Result<(), Failure> {
                Ok(())
            }
        ),
    )
}

fn workflow(arguments: TokenStream) -> String {
    complaint(
        Kind::Workflow,
        arguments,
        quote!(
            async fn buy() -> Result<(), Failure> {
                Ok(())
            }
        ),
    )
}

fn complaint(kind: Kind, arguments: TokenStream, item: TokenStream) -> String {
    expand(kind, arguments, item).map(|expanded| expanded.to_string()).unwrap_err().to_string()
}

#[test]
fn an_unknown_option_is_named_and_the_known_ones_are_listed() {
    let said = step(quote!(retries = 5));

    assert!(
        said.contains("`retries` is no option of a step; there are: name, queue, tags"),
        "{said}"
    );
    assert!(step(quote!(retry(attempts = 5))).contains("there are: max_attempts"));
}

#[test]
fn an_option_of_the_other_kind_is_answered_with_the_right_one() {
    assert!(step(quote!(max_duration = "1h")).contains("a step has `timeout`"));
    assert!(workflow(quote!(timeout = "1h")).contains("a workflow has `max_duration`"));
    assert!(workflow(quote!(retry(max_attempts = 2))).contains("put it on the steps"));
}

#[test]
fn a_bad_duration_is_quoted_with_its_position() {
    let said = step(quote!(timeout = "30x"));

    assert!(said.contains("`timeout` cannot be read: \"30x\" is no duration"), "{said}");
    assert!(said.contains("at position 2"), "{said}");
    assert!(step(quote!(retry(initial_delay = 5))).contains("`initial_delay` takes a duration"));
}

#[test]
fn values_out_of_bounds_are_refused_with_the_bounds() {
    assert!(step(quote!(priority = 101)).contains("from -100 to 100"));
    assert!(step(quote!(max_concurrent = 0)).contains("from 1"));
    assert!(step(quote!(retry(jitter = 1.5))).contains("from 0 to 1"));
    assert!(step(quote!(rate = "10")).contains("\"10/s\""));
    assert!(
        step(quote!(per_key(pointer = "customer", max_concurrent = 1))).contains("JSON pointer")
    );
    assert!(step(quote!(per_key(max_concurrent = 0))).contains("from 1"));
    assert!(step(quote!(name = "no spaces")).contains("letters"));
    assert!(step(quote!(tags = "eu")).contains("tags = [\"...\"]"));
    assert!(step(quote!(cached = "yes")).contains("= true"));
}

#[test]
fn a_function_that_cannot_be_one_is_told_why() {
    let said = |item| complaint(Kind::Step, quote!(), item);

    assert!(
        said(quote!(
            fn f() -> Result<(), Failure> {
                Ok(())
            }
        ))
        .contains("is an `async fn`")
    );
    assert!(
        said(quote!(
            async fn f() {}
        ))
        .contains("returns `Result<T, Failure>`")
    );
    assert!(
        said(quote!(
            async fn f<T>(t: T) -> Result<(), Failure> {
                Ok(())
            }
        ))
        .contains("generic")
    );
    assert!(
        said(quote!(
            async fn f(o: &Order) -> Result<(), Failure> {
                Ok(())
            }
        ))
        .contains("owns")
    );
    assert!(
        said(quote!(
            async fn f(&self) -> Result<(), Failure> {
                Ok(())
            }
        ))
        .contains("method")
    );
    let two = quote!(
        async fn f((a, b): (u8, u8), c: u8) -> Result<(), Failure> {
            Ok(())
        }
    );
    assert!(said(two).contains("plain name"));
}

#[test]
fn a_module_says_what_it_may_hold() {
    let said =
        |tokens| syn::parse2::<Listing>(tokens).err().map(|error| error.to_string()).unwrap();

    assert!(said(quote!(step: [charge])).contains("`step` is no part of a module"));
    assert!(said(quote!(steps: [])).contains("holds a workflow or a step"));
    assert!(
        said(quote!(steps: [a], capabilities: { net = ["x"] })).contains("http, dir, env, secret")
    );
    let _called: Listing = parse_quote!(steps: [c], capabilities(http = ["x"], secret = ["Y"]));
    let _whole: Listing =
        parse_quote!(workflows: [a::b], steps: [c,], capabilities: { env = ["X"] },);
}

#[test]
fn select_wants_at_least_two_arms() {
    let one: syn::Result<Arms> = syn::parse2(quote!(a = b => c));

    assert!(one.err().map(|error| error.to_string()).unwrap().contains("at least two"));
}
