//! The attribute macro of [cutout](https://docs.rs/cutout), a circuit breaker.
//!
//! Use it as `cutout::breaker`, with cutout's feature `macros`; it is described there.

mod function;
mod policy;
mod value;
mod words;

use proc_macro::TokenStream;
use quote::quote;
use syn::{Error, ItemFn};

#[expect(
    missing_docs,
    reason = "they would be appended to those of `cutout::breaker`"
)]
#[proc_macro_attribute]
pub fn breaker(words: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(function) = syn::parse::<ItemFn>(item) else {
        let reason = "a breaker stands before a function that has a body";
        return Error::new(proc_macro2::Span::call_site(), reason)
            .into_compile_error()
            .into();
    };
    // With an error the function stays as it was, so that its callers do not miss it too.
    let without = function.clone();
    let expanded = syn::parse(words).and_then(|words| function::expand(&words, function));
    expanded
        .unwrap_or_else(|error| {
            let error = error.into_compile_error();
            quote!(#error #without)
        })
        .into()
}
