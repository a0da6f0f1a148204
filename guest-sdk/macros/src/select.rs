//! `select!`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Pat, Token};

/// The arms, from top to bottom.
pub(crate) struct Arms(Vec<Arm>);

struct Arm {
    pattern: Pat,
    future: Expr,
    body: Expr,
}

impl Parse for Arms {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arms = Vec::new();
        while !input.is_empty() {
            let arm: Arm = input.parse()?;
            let ends = matches!(arm.body, Expr::Block(_)) || input.is_empty();
            arms.push(arm);
            if input.peek(Token![,]) || !ends {
                input.parse::<Token![,]>()?;
            }
        }
        if arms.len() < 2 {
            let complaint =
                "select! chooses among at least two: `name = future => expression,` for each";
            return Err(input.error(complaint));
        }
        Ok(Self(arms))
    }
}

impl Parse for Arm {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        let future = input.parse()?;
        input.parse::<Token![=>]>()?;
        // Like an arm of `match`: after a block nothing else belongs to it.
        let body = if input.peek(syn::token::Brace) {
            Expr::Block(input.parse()?)
        } else {
            input.parse()?
        };
        Ok(Self { pattern, future, body })
    }
}

impl Arms {
    /// Polls the futures in place, top first; what did not win is dropped before the winner's expression runs.
    pub(crate) fn expand(&self) -> TokenStream {
        let names: Vec<Ident> = (0..self.0.len())
            .map(|arm| Ident::new(&format!("Arm{arm}"), Span::mixed_site()))
            .collect();
        let futures: Vec<Ident> = names
            .iter()
            .map(|name| format_ident!("future_of_{name}", span = Span::mixed_site()))
            .collect();
        let made = self.0.iter().map(|arm| &arm.future);
        let patterns = self.0.iter().map(|arm| &arm.pattern);
        let bodies = self.0.iter().map(|arm| &arm.body);
        let context = Ident::new("context", Span::mixed_site());
        let winner = Ident::new("Winner", Span::mixed_site());
        let won = Ident::new("won", Span::mixed_site());
        quote! {{
            enum #winner<#(#names),*> { #(#names(#names)),* }
            let #won = {
                #(let mut #futures = ::core::pin::pin!(#made);)*
                ::core::future::poll_fn(|#context| {
                    #(
                        if let ::core::task::Poll::Ready(output) =
                            ::core::future::Future::poll(#futures.as_mut(), #context)
                        {
                            return ::core::task::Poll::Ready(#winner::#names(output));
                        }
                    )*
                    ::core::task::Poll::Pending
                })
                .await
            };
            match #won { #(#winner::#names(#patterns) => #bodies,)* }
        }}
    }
}
