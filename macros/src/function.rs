//! Code generation for the guarded function.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{
    Error, Expr, ExprPath, FnArg, GenericArgument, GenericParam, ItemFn, PathArguments,
    PathSegment, Result, ReturnType, Signature, Type, TypeParamBound,
    ext::IdentExt as _,
    parse_quote,
    punctuated::Punctuated,
    spanned::Spanned as _,
    token::Brace,
    visit_mut::{self, VisitMut},
};

use crate::{
    args::{Arg, Args, Value},
    policy,
};

/// Expands to the function with a guarded body. Without `breaker = ...`, the function has a breaker
/// of its own, and the expansion includes the accessor of that breaker.
pub(crate) fn expand(args: &Args, mut function: ItemFn) -> Result<TokenStream> {
    let returned = returned(&function.sig)?;
    if let Some(constness) = function.sig.constness {
        return Err(Error::new(
            constness.span,
            "a `const fn` can't have a breaker, which decides at run time",
        ));
    }
    let (breaker, accessor) = if let Some(given) = args.get("breaker") {
        if let Some(arg) = args.of_the_breaker() {
            return Err(arg.refused(
                "can't be combined with `breaker`, whose policy is set where it is built",
            ));
        }
        (named(&given.value, &function.sig), None)
    } else {
        has_one_instance(&function.sig)?;
        let (name, accessor) = accessor(args, &function)?;
        (quote!(#name()), Some(accessor))
    };
    let guarded = guarded(args, &function, &returned, &breaker)?;
    *function.block = if returned.boxed.is_some() {
        parse_quote!({ ::std::boxed::Box::pin(async move { #guarded }) })
    } else {
        parse_quote!({ #guarded })
    };
    Ok(quote!(#function #accessor))
}

/// Generates a reference to the breaker of `breaker = ...`.
fn named(value: &Value, signature: &Signature) -> TokenStream {
    let place = syn::parse2::<Expr>(value.to_token_stream());
    match place.as_ref().map(unborrowed) {
        Ok(place) if !is_local(place, signature) => {
            let reference = quote_spanned!(place.span()=> &#place);
            quote_spanned!(place.span()=> ::cutout::__private::not_a_const(#reference))
        }
        _ => quote_spanned!(value.span()=> &#value),
    }
}

/// Strips borrows and parentheses from a place expression.
fn unborrowed(mut value: &Expr) -> &Expr {
    loop {
        value = match value {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            Expr::Reference(reference) => &reference.expr,
            place => return place,
        }
    }
}

/// Returns false for a static, a constant or a field of one, and true for any other place.
fn is_local(place: &Expr, signature: &Signature) -> bool {
    match place {
        Expr::Field(field) => is_local(unborrowed(&field.base), signature),
        Expr::Path(path) => path.path.get_ident().is_some_and(|name| {
            name == "self" || mentions(signature.inputs.to_token_stream(), &name.to_string())
        }),
        _ => true,
    }
}

/// Return type of a body.
struct Returned {
    result: Type,
    /// The boxed future of the result, as `#[async_trait]` generates it from an `async fn`.
    boxed: Option<Type>,
}

/// The type of the body, with `_` for a part that only the compiler can name.
fn returned(signature: &Signature) -> Result<Returned> {
    let ReturnType::Type(_, returned) = &signature.output else {
        return Err(Error::new(signature.ident.span(), RULE));
    };
    let named = ungrouped(returned);
    if is_result(named) {
        return Ok(Returned {
            result: nameable(returned),
            boxed: None,
        });
    }
    let future = match named {
        Type::Path(_) if signature.asyncness.is_none() => boxed_output(named),
        _ => None,
    };
    if let Some(result) = future.filter(|output| is_result(ungrouped(output))) {
        return Ok(Returned {
            result: nameable(&result),
            boxed: Some(nameable(returned)),
        });
    }
    let rule = match named {
        Type::ImplTrait(opaque) if output(&opaque.bounds).is_some() => FUTURE_RULE,
        _ => RULE,
    };
    Err(Error::new_spanned(returned, rule))
}

const RULE: &str = "a breaker reads success and failure from a `Result`: return one, or an alias whose name ends in `Result`";
const FUTURE_RULE: &str = "a breaker reads success and failure from a `Result`: write `async fn`, or return a `Pin<Box<dyn Future<..>>>`";

/// Strips the invisible groups in which `macro_rules!` passes fragments.
fn ungrouped(mut named: &Type) -> &Type {
    while let Type::Group(group) = named {
        named = &group.elem;
    }
    named
}

fn nameable(named: &Type) -> Type {
    let mut named = named.clone();
    Unnamed.visit_type_mut(&mut named);
    named
}

fn is_result(named: &Type) -> bool {
    last_segment(named).is_some_and(|last| last.ident.to_string().ends_with("Result"))
}

fn last_segment(named: &Type) -> Option<&PathSegment> {
    match named {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// The last type argument of a path whose last segment satisfies `is_path`.
fn argument(named: &Type, is_path: impl Fn(&str) -> bool) -> Option<&Type> {
    let last = last_segment(named)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let last_type = arguments
        .args
        .iter()
        .rev()
        .find_map(|argument| match argument {
            GenericArgument::Type(named) => Some(ungrouped(named)),
            _ => None,
        });
    last_type.filter(|_| is_path(&last.ident.to_string()))
}

/// The output of `Pin<Box<dyn Future<Output = T>>>`, or of an alias such as `BoxFuture<'_, T>`.
fn boxed_output(named: &Type) -> Option<Type> {
    if let Some(output) = argument(named, |name| name.ends_with("BoxFuture")) {
        return Some(output.clone());
    }
    let boxed = argument(named, |name| name == "Pin")?;
    match argument(boxed, |name| name == "Box")? {
        Type::TraitObject(object) => output(&object.bounds),
        _ => None,
    }
}

/// The output of the `Future` among these bounds.
fn output<P>(bounds: &Punctuated<TypeParamBound, P>) -> Option<Type> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
            _ => None,
        })
    })
}

/// Replaces `impl Trait`, which is not allowed in a body, with `_`.
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

/// Refuses generic functions and methods, whose instances or objects would share one static.
fn has_one_instance(signature: &Signature) -> Result<()> {
    let generic = "all instances of a generic function would share one breaker: specify one, as in `breaker = BILLING`";
    let method = "all objects would share the one breaker of a method: specify one, as in `breaker = self.breaker`";
    let associated = "an associated function can't have a breaker of its own: specify one, as in `breaker = BILLING`";
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

fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// Generates the accessor, a function that contains the static breaker and returns it.
fn accessor(args: &Args, function: &ItemFn) -> Result<(TokenStream, TokenStream)> {
    let ItemFn { vis, sig, .. } = function;
    let name = match args.get("accessor") {
        Some(arg) => arg.value.to_token_stream(),
        None => format_ident!("{}_breaker", sig.ident).into_token_stream(),
    };
    let guarded = sig.ident.unraw().to_string();
    let breaker = policy::breaker(args, &guarded)?;
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

/// Generates the call of the body through the breaker, and the handling of its error.
fn guarded(
    args: &Args,
    function: &ItemFn,
    returned: &Returned,
    breaker: &TokenStream,
) -> Result<TokenStream> {
    let mut block = function.block.clone();
    let with = args
        .get("classify")
        .map(|Arg { value, .. }| quote!(, #value));
    let call = match (is_async(function, returned), &with) {
        (true, Some(_)) => quote!(call_async_with),
        (true, None) => quote!(call_async),
        (false, Some(_)) => quote!(call_with),
        (false, None) => quote!(call),
    };
    let by_value = takes_its_arguments(args).then(|| quote!(move));
    let Returned { result, boxed } = returned;
    let called = if let Some(boxed) = boxed {
        // A closure contains the body's early returns, and runs after admission.
        quote! {
            ::cutout::Breaker::#call(#breaker, async #by_value {
                (#by_value || -> #boxed #block)().await
            } #with).await
        }
    } else if function.sig.asyncness.is_some() {
        // Replace the user's braces, which would cause an `unused_braces` warning, at their span.
        let braces = Span::call_site().located_at(block.brace_token.span.join());
        block.brace_token = Brace(braces);
        // An async block has no syntax for its type; a dead `return` fixes that type.
        quote! {
            ::cutout::Breaker::#call(#breaker, async #by_value {
                if false {
                    return ::cutout::__private::never::<#result>();
                }
                #block
            } #with).await
        }
    } else {
        quote!(::cutout::Breaker::#call(#breaker, || -> #result #block #with))
    };
    let otherwise = args.get("fallback").map_or_else(
        || Ok(without_fallback(result)),
        |fallback| with_fallback(args, is_async(function, returned), &fallback.value),
    )?;
    let [value, error] = ["value", "error"].map(|name| Ident::new(name, Span::mixed_site()));
    Ok(quote! {
        match #called {
            ::core::result::Result::Ok(#value) => ::core::result::Result::Ok(#value),
            ::core::result::Result::Err(#error) => #otherwise,
        }
    })
}

/// Returns true if the call of the body is awaited.
fn is_async(function: &ItemFn, returned: &Returned) -> bool {
    function.sig.asyncness.is_some() || returned.boxed.is_some()
}

/// Returns true if the async body owns its arguments, as in any async function. The exception is a
/// breaker that may be reached through an argument: that argument is borrowed.
fn takes_its_arguments(args: &Args) -> bool {
    args.get("breaker")
        .is_none_or(|arg| syn::parse2::<ExprPath>(arg.value.to_token_stream()).is_ok())
}

/// The error that a match binds, located at `place` in messages.
fn error_at(place: Span) -> Ident {
    Ident::new("error", Span::mixed_site().located_at(place))
}

fn without_fallback(returned: &Type) -> TokenStream {
    let error = error_at(returned.span());
    // Give the call the span of its argument; otherwise errors would point at the whole attribute.
    quote_spanned!(error.span()=> ::cutout::__private::flatten(#error))
}

fn with_fallback(args: &Args, is_async: bool, fallback: &Value) -> Result<TokenStream> {
    let error = error_at(fallback.span());
    let call = quote_spanned!(fallback.span()=> #fallback(#error));
    match (args.awaited, is_async) {
        (None, _) => Ok(call),
        (Some(_), true) => Ok(quote!(#call.await)),
        (Some(awaited), false) => {
            let reason = "only an `async fn` can await its fallback";
            Err(Error::new(awaited.span, reason))
        }
    }
}
