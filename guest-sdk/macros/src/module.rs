//! `module!`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Path, Token, braced, bracketed, parenthesized, token};

/// What a module holds and wants.
#[derive(Default)]
pub(crate) struct Listing {
    workflows: Vec<Path>,
    steps: Vec<Path>,
    capabilities: Vec<(Ident, Vec<LitStr>)>,
}

const SECTIONS: &str = "write `workflows: [...]`, `steps: [...]` or `capabilities: { ... }`";
const CAPABILITIES: [&str; 4] = ["http", "dir", "env", "secret"];

impl Parse for Listing {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut listing = Self::default();
        while !input.is_empty() {
            let section: Ident = input.parse()?;
            if section != "capabilities" || !input.peek(token::Paren) {
                input.parse::<Token![:]>()?;
            }
            match section.to_string().as_str() {
                "workflows" => listing.workflows = paths(input)?,
                "steps" => listing.steps = paths(input)?,
                "capabilities" => listing.capabilities = capabilities(input)?,
                other => {
                    let complaint = format!("`{other}` is no part of a module: {SECTIONS}");
                    return Err(syn::Error::new(section.span(), complaint));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if listing.workflows.is_empty() && listing.steps.is_empty() {
            return Err(input.error(format!("a module holds a workflow or a step: {SECTIONS}")));
        }
        Ok(listing)
    }
}

fn paths(input: ParseStream<'_>) -> syn::Result<Vec<Path>> {
    let list;
    bracketed!(list in input);
    Ok(Punctuated::<Path, Token![,]>::parse_terminated(&list)?.into_iter().collect())
}

fn capabilities(input: ParseStream<'_>) -> syn::Result<Vec<(Ident, Vec<LitStr>)>> {
    let list;
    if input.peek(token::Paren) {
        parenthesized!(list in input);
    } else {
        braced!(list in input);
    }
    let capability = |input: ParseStream<'_>| {
        let name: Ident = input.parse()?;
        if !CAPABILITIES.contains(&name.to_string().as_str()) {
            let complaint =
                format!("`{name}` is no capability: there are {}", CAPABILITIES.join(", "));
            return Err(syn::Error::new(name.span(), complaint));
        }
        input.parse::<Token![=]>()?;
        let values;
        bracketed!(values in input);
        let values = Punctuated::<LitStr, Token![,]>::parse_terminated(&values)?;
        Ok((name, values.into_iter().collect()))
    };
    let listed = list.parse_terminated(capability, Token![,])?;
    Ok(listed.into_iter().collect())
}

impl Listing {
    /// The module as a value, and the exports of the component that ask it.
    pub(crate) fn expand(&self) -> TokenStream {
        let Self { workflows, steps, capabilities } = self;
        let wanted = capabilities.iter().map(|(name, values)| quote!(#name: &[#(#values),*]));
        let rest =
            (capabilities.len() < CAPABILITIES.len()).then(|| quote!(..sdk::Capabilities::NONE));
        quote! {
            const _: () = {
                use ::stepwell::__private as sdk;

                sdk::assert_unique(&[#(<#workflows as sdk::Definition>::NAME),*]);
                sdk::assert_unique(&[#(<#steps as sdk::Definition>::NAME),*]);

                static MODULE: sdk::Module = sdk::Module {
                    workflows: &[#(sdk::Entry::workflow::<#workflows>()),*],
                    steps: &[#(sdk::Entry::step::<#steps>()),*],
                    capabilities: sdk::Capabilities {
                        #(#wanted,)*
                        #rest
                    },
                };

                struct Component;

                impl sdk::Guest for Component {
                    fn describe() -> ::std::string::String {
                        MODULE.describe()
                    }

                    fn run_workflow(
                        workflow: ::std::string::String,
                        input: ::std::string::String,
                    ) -> sdk::Outcome {
                        sdk::run_workflow(&MODULE, &workflow, input)
                    }

                    fn run_step(
                        step: ::std::string::String,
                        input: ::std::string::String,
                    ) -> sdk::Outcome {
                        sdk::run_step(&MODULE, &step, input)
                    }
                }

                // On other targets there is no host to call it; the crate still compiles, for unit tests of its steps.
                #[cfg(target_family = "wasm")]
                sdk::export_guest!(Component with_types_in sdk::bindings);
            };
        }
    }
}
