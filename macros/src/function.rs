//! The function behind the breaker.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{
    Error, ExprPath, FnArg, GenericParam, ItemFn, Result, ReturnType, Signature, Type,
    ext::IdentExt as _,
    parse_quote,
    spanned::Spanned as _,
    token::Brace,
    visit_mut::{self, VisitMut},
};

use crate::{
    policy,
    words::{Word, Words},
};

/// The function with its body behind the breaker, and the accessor of that breaker if it has its own.
pub(crate) fn expand(words: &Words, mut function: ItemFn) -> Result<TokenStream> {
    let returned = returned(&function.sig)?;
    if let Some(constness) = function.sig.constness {
        return Err(Error::new(
            constness.span,
            "a breaker decides at run time, and a `const fn` has to do without one",
        ));
    }
    let (breaker, accessor) = if let Some(given) = words.get("breaker") {
        if let Some(word) = words.of_the_breaker() {
            return Err(
                word.refused("can't stand beside `breaker`, whose policy is set where it is made")
            );
        }
        let value = &given.value;
        (quote_spanned!(value.span()=> &#value), None)
    } else {
        has_one_instance(&function.sig)?;
        let (name, accessor) = accessor(words, &function)?;
        (quote!(#name()), Some(accessor))
    };
    let guarded = guarded(words, &function, &returned, &breaker)?;
    *function.block = parse_quote!({ #guarded });
    Ok(quote!(#function #accessor))
}

/// The type that the body has: the one that is returned, with `_` where only the compiler can name it.
fn returned(signature: &Signature) -> Result<Type> {
    let rule = "a breaker sees success and failure in a `Result`: return one, or an alias whose name ends in `Result`";
    let ReturnType::Type(_, returned) = &signature.output else {
        return Err(Error::new(signature.ident.span(), rule));
    };
    let mut named = &**returned;
    // A fragment that `macro_rules!` has passed on.
    while let Type::Group(group) = named {
        named = &group.elem;
    }
    let is_result = match named {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident.to_string().ends_with("Result")),
        _ => false,
    };
    if !is_result {
        return Err(Error::new_spanned(returned, rule));
    }
    let mut returned = Type::clone(returned);
    Unnamed.visit_type_mut(&mut returned);
    Ok(returned)
}

/// Writes `_` for `impl Trait`, which can't stand in a body.
struct Unnamed;

impl VisitMut for Unnamed {
    fn visit_type_mut(&mut self, node: &mut Type) {
        if let Type::ImplTrait(_) = node {
            *node = parse_quote!(_);
        } else {
            visit_mut::visit_type_mut(self, node);
        }
    }
}

/// A static in a generic function or a method would be one for all its instances, or objects.
fn has_one_instance(signature: &Signature) -> Result<()> {
    let generic = "all instances of a generic function would share one breaker: name the one to use, as in `breaker = PARTNER`";
    let method = "all objects would share the one breaker of a method: name the one to use, as in `breaker = self.breaker`";
    let associated = "an associated function can't have a breaker of its own: name one, as in `breaker = PARTNER`";
    for parameter in &signature.generics.params {
        if !matches!(parameter, GenericParam::Lifetime(_)) {
            return Err(Error::new_spanned(parameter, generic));
        }
    }
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(_) => return Err(Error::new_spanned(argument, method)),
            FnArg::Typed(typed) if mentions(typed.ty.to_token_stream(), "impl") => {
                return Err(Error::new_spanned(&typed.ty, generic));
            }
            FnArg::Typed(_) => {}
        }
    }
    if mentions(signature.to_token_stream(), "Self") {
        return Err(Error::new_spanned(&signature.ident, associated));
    }
    Ok(())
}

fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        _ => false,
    })
}

/// A function for whoever wants to see or switch the breaker; it holds it, too.
fn accessor(words: &Words, function: &ItemFn) -> Result<(TokenStream, TokenStream)> {
    let ItemFn { vis, sig, .. } = function;
    let name = match words.get("accessor") {
        Some(word) => word.value.clone(),
        None => format_ident!("{}_breaker", sig.ident).into_token_stream(),
    };
    let guarded = sig.ident.unraw().to_string();
    let breaker = policy::breaker(words, &guarded)?;
    let doc = format!("The breaker of [`{guarded}()`].");
    let accessor = quote! {
        #[doc = #doc]
        #[allow(dead_code)]
        #[must_use]
        #[inline]
        #vis fn #name() -> &'static ::cutout::Breaker {
            static BREAKER: ::cutout::Breaker = #breaker;
            &BREAKER
        }
    };
    Ok((name, accessor))
}

/// The call of the body through the breaker, and what becomes of its error.
fn guarded(
    words: &Words,
    function: &ItemFn,
    returned: &Type,
    breaker: &TokenStream,
) -> Result<TokenStream> {
    let mut block = function.block.clone();
    let with = words
        .get("classify")
        .map(|Word { value, .. }| quote!(, #value));
    let result = if function.sig.asyncness.is_some() {
        let call = if with.is_some() {
            quote!(call_async_with)
        } else {
            quote!(call_async)
        };
        let by_value = takes_its_arguments(words).then(|| quote!(move));
        // Braces of ours, at the place of the user's: those would be called unnecessary.
        let braces = Span::call_site().located_at(block.brace_token.span.join());
        block.brace_token = Brace(braces);
        // An async block has no place for its type but in what it returns.
        quote! {
            ::cutout::Breaker::#call(#breaker, async #by_value {
                if false {
                    return ::cutout::__private::never::<#returned>();
                }
                #block
            } #with).await
        }
    } else {
        let call = if with.is_some() {
            quote!(call_with)
        } else {
            quote!(call)
        };
        quote!(::cutout::Breaker::#call(#breaker, || -> #returned #block #with))
    };
    let otherwise = words.get("fallback").map_or_else(
        || Ok(without_fallback(returned)),
        |fallback| with_fallback(words, function, &fallback.value),
    )?;
    let [value, error] = ["value", "error"].map(|name| Ident::new(name, Span::mixed_site()));
    Ok(quote! {
        match #result {
            ::core::result::Result::Ok(#value) => ::core::result::Result::Ok(#value),
            ::core::result::Result::Err(#error) => #otherwise,
        }
    })
}

/// An async body owns its arguments, as that of any async function does; but not where the breaker may be
/// found by way of one of them, which is then only borrowed.
fn takes_its_arguments(words: &Words) -> bool {
    words
        .get("breaker")
        .is_none_or(|word| syn::parse2::<ExprPath>(word.value.clone()).is_ok())
}

/// The error that a match binds, to be seen at this place in messages.
fn error_at(place: Span) -> Ident {
    Ident::new("error", Span::mixed_site().located_at(place))
}

fn without_fallback(returned: &Type) -> TokenStream {
    let error = error_at(returned.span());
    // The call is of the same making as its argument, else the compiler would point at the whole attribute.
    quote_spanned!(error.span()=> ::cutout::__private::flatten(#error))
}

fn with_fallback(words: &Words, function: &ItemFn, fallback: &TokenStream) -> Result<TokenStream> {
    let error = error_at(fallback.span());
    let call = quote_spanned!(fallback.span()=> #fallback(#error));
    match (words.awaited, function.sig.asyncness) {
        (None, _) => Ok(call),
        (Some(_), Some(_)) => Ok(quote!(#call.await)),
        (Some(awaited), None) => {
            let reason = "only an `async fn` can await its fallback";
            Err(Error::new(awaited.span, reason))
        }
    }
}
