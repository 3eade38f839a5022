//! The attribute macro of [cutout](https://docs.rs/cutout), a circuit breaker.
//!
//! Use it as `cutout::breaker`, with cutout's feature `macros`. cutout has the documentation.

mod args;
mod function;
mod policy;
mod value;

use proc_macro::TokenStream;
use quote::quote;
use syn::{Error, ItemFn};

#[expect(
    missing_docs,
    reason = "docs here would be appended to those of `cutout::breaker`"
)]
#[proc_macro_attribute]
pub fn breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(function) = syn::parse::<ItemFn>(item) else {
        let reason = "`breaker` applies to functions that have a body";
        return Error::new(proc_macro2::Span::call_site(), reason)
            .into_compile_error()
            .into();
    };
    // On an error, emit the function unchanged, so that its callers cause no further errors.
    let without = function.clone();
    let expanded = syn::parse(args).and_then(|args| function::expand(&args, function));
    expanded
        .unwrap_or_else(|error| {
            let error = error.into_compile_error();
            quote!(#error #without)
        })
        .into()
}
