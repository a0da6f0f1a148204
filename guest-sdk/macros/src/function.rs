//! `#[step]` and `#[workflow]`: two functions and a type of one name. The function that callers see asks for the work; the
//! one that does it is inside the type's definition, where only the module finds it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, FnArg, Ident, ItemFn, Lit, Meta, Pat, PatType, ReturnType, Type};

use crate::options::{Declared, Options, STEP, WORKFLOW};

/// Which of the two.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Step,
    Workflow,
}

impl Kind {
    fn what(self) -> &'static str {
        match self {
            Self::Step => "a step",
            Self::Workflow => "a workflow",
        }
    }

    fn options(self) -> Options {
        match self {
            Self::Step => STEP,
            Self::Workflow => WORKFLOW,
        }
    }
}

/// Expands the attribute with these arguments on this function.
pub(crate) fn expand(
    kind: Kind,
    arguments: TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let declared = kind.options().read(arguments)?;
    let function: ItemFn = syn::parse2(item)?;
    check(kind, &function)?;
    let parameters = parameters(kind, &function)?;
    let asking = asking(kind, &function, &parameters);
    let definition = definition(kind, &function, &parameters, declared);
    Ok(quote!(#asking #definition))
}

/// An argument: its name and its type.
struct Parameter<'a> {
    name: Ident,
    kind: &'a Type,
}

fn check(kind: Kind, function: &ItemFn) -> syn::Result<()> {
    let signature = &function.sig;
    let what = kind.what();
    let (span, complaint) = if signature.asyncness.is_none() {
        (signature.fn_token.span(), "is an `async fn`")
    } else if !signature.generics.params.is_empty() {
        (signature.generics.span(), "has no generic parameters: the host must know its types")
    } else if matches!(signature.output, ReturnType::Default) {
        (
            signature.ident.span(),
            "returns `Result<T, Failure>`; where there is nothing to return, `Result<(), Failure>`",
        )
    } else {
        return Ok(());
    };
    Err(syn::Error::new(span, format!("{what} {complaint}")))
}

fn parameters<'a>(kind: Kind, function: &'a ItemFn) -> syn::Result<Vec<Parameter<'a>>> {
    let alone = function.sig.inputs.len() == 1;
    let parameter = |argument: &'a FnArg| match argument {
        FnArg::Receiver(receiver) => {
            Err(syn::Error::new(receiver.span(), format!("{} is no method", kind.what())))
        }
        FnArg::Typed(PatType { ty, .. }) if let Type::Reference(reference) = &**ty => {
            let complaint = format!(
                "{} owns its arguments, for they may come from another host: take the type itself; \
                 callers may still give a reference",
                kind.what()
            );
            Err(syn::Error::new(reference.span(), complaint))
        }
        FnArg::Typed(PatType { pat, ty, .. }) => match &**pat {
            Pat::Ident(name) => Ok(Parameter { name: name.ident.clone(), kind: ty }),
            _ if alone => Ok(Parameter { name: format_ident!("input"), kind: ty }),
            other => {
                let complaint =
                    "several arguments travel by their names: give this one a plain name";
                Err(syn::Error::new(other.span(), complaint))
            }
        },
    };
    function.sig.inputs.iter().map(parameter).collect()
}

/// The function that callers see.
fn asking(kind: Kind, function: &ItemFn, parameters: &[Parameter<'_>]) -> TokenStream {
    let ItemFn { vis, sig, .. } = function;
    let name = &sig.ident;
    let outer = function.attrs.iter().filter(|attribute| is_doc(attribute) || is_cfg(attribute));
    let future = match kind {
        Kind::Step => quote!(Call),
        Kind::Workflow => quote!(Child),
    };
    let names: Vec<_> = parameters.iter().map(|parameter| used(&parameter.name)).collect();
    let types = parameters.iter().map(|parameter| parameter.kind);
    let texts: Vec<_> = parameters.iter().map(|parameter| unraw_text(&parameter.name)).collect();
    let input = match (names.as_slice(), texts.as_slice()) {
        ([], _) => quote!(::core::result::Result::Ok(::std::string::String::from("null"))),
        ([only], _) => quote!(::stepwell::__private::Argument::to_json(&#only)),
        ([first, others @ ..], [first_text, other_texts @ ..]) => quote! {
            ::stepwell::__private::Arguments::of(#first_text, ::stepwell::__private::Argument::to_json(&#first))
                #(.and(#other_texts, ::stepwell::__private::Argument::to_json(&#others)))*
                .into_json()
        },
        ([_, ..], []) => unreachable!("there is a text for each name"),
    };
    quote! {
        #(#outer)*
        #vis fn #name(
            #(#names: impl ::stepwell::__private::Argument<#types>),*
        ) -> ::stepwell::#future<<#name as ::stepwell::__private::Definition>::Output> {
            ::stepwell::#future::of::<#name>(#input)
        }
    }
}

/// An argument that the body does not use, `_order`, is used here: as `order`.
fn used(name: &Ident) -> Ident {
    match name.to_string().strip_prefix('_') {
        Some(rest) if rest.starts_with(|first: char| first.is_alphabetic()) => {
            Ident::new(rest, name.span())
        }
        _ => name.clone(),
    }
}

/// The type that the module finds it by: a struct with braces, so that the function may have the same name.
fn definition(
    kind: Kind,
    function: &ItemFn,
    parameters: &[Parameter<'_>],
    declared: Declared,
) -> TokenStream {
    let ItemFn { attrs, vis, sig, block } = function;
    let Declared { name: given, json } = declared;
    let name = &sig.ident;
    let cfgs: Vec<_> = attrs.iter().filter(|attribute| is_cfg(attribute)).collect();
    let inner = attrs.iter().filter(|attribute| !is_doc(attribute) && !is_cfg(attribute));
    let says = given.unwrap_or_else(|| unraw_text(name));
    let doc = doc_text(attrs);
    let marker = match kind {
        Kind::Step => quote!(Step),
        Kind::Workflow => quote!(Workflow),
    };
    let (inputs, output) = (&sig.inputs, &sig.output);
    let ReturnType::Type(_, returned) = output else { unreachable!("check refused it") };
    let (input_type, input_struct, input_values) = input(function, parameters);
    quote! {
        #(#cfgs)*
        #[doc(hidden)]
        #[expect(non_camel_case_types, reason = "it is named like the function")]
        #[derive(Debug)]
        #vis struct #name {}

        #(#cfgs)*
        const _: () = {
            #input_struct

            impl ::stepwell::__private::Definition for #name {
                type Input = #input_type;
                type Output = <#returned as ::stepwell::__private::Returned>::Output;
                const NAME: &'static str = #says;
                const DOC: &'static str = #doc;

                fn options() -> ::stepwell::__private::serde_json::Value {
                    ::stepwell::__private::serde_json::json!({ #json })
                }

                async fn run(
                    input: Self::Input,
                ) -> ::core::result::Result<Self::Output, ::stepwell::Failure> {
                    #(#inner)*
                    async fn body(#inputs) #output #block
                    ::stepwell::__private::Returned::into_result(body(#input_values).await)
                }
            }

            impl ::stepwell::__private::#marker for #name {}
        };
    }
}

/// The type of the whole input, its declaration where it needs one, and how the arguments are taken out of `input`.
fn input(
    function: &ItemFn,
    parameters: &[Parameter<'_>],
) -> (TokenStream, TokenStream, TokenStream) {
    let names: Vec<_> = parameters.iter().map(|parameter| &parameter.name).collect();
    let types: Vec<_> = parameters.iter().map(|parameter| parameter.kind).collect();
    match types.as_slice() {
        [] => (quote!(()), quote!(), quote!()),
        [only] => (quote!(#only), quote!(), quote!(input)),
        _ => {
            let vis = &function.vis;
            let title = unraw_text(&function.sig.ident);
            let declaration = quote! {
                #[derive(::stepwell::__private::serde::Deserialize, ::stepwell::__private::schemars::JsonSchema)]
                #[serde(crate = "::stepwell::__private::serde")]
                #[schemars(crate = "::stepwell::__private::schemars", title = #title)]
                #vis struct Input { #(#names: #types),* }
            };
            (quote!(Input), declaration, quote!(#(input.#names),*))
        }
    }
}

/// `r#type` travels as `type`.
fn unraw_text(name: &Ident) -> String {
    let text = name.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

fn is_doc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}

/// The documentation as one text, whether it stands before or after the attribute.
fn doc_text(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| is_doc(attribute)).filter_map(|attribute| {
        let Meta::NameValue(doc) = &attribute.meta else { return None };
        let Expr::Lit(literal) = &doc.value else { return None };
        let Lit::Str(line) = &literal.lit else { return None };
        let line = line.value();
        Some(line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
