//! Code generation for the breaker of a function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Result, spanned::Spanned as _};

use crate::args::{Arg, Args, Value};

/// Arguments that are setters of the policy.
const SETTERS: [&str; 7] = [
    "open_for",
    "backoff",
    "probes",
    "probe_successes",
    "probe_lease",
    "slow_call",
    "on_drop",
];
/// Arguments that make up the trip rule.
const TRIP: [&str; 6] = [
    "consecutive",
    "failures",
    "percent",
    "min_calls",
    "of_last",
    "within",
];
/// Arguments that are setters of the builder only.
const BUILDER_ONLY: [&str; 3] = ["clock", "listeners", "call_listener"];

/// Generates a constant expression for a breaker. `try_build` of cutout checks the bounds. The
/// generated code maps a refused field to its argument, so that the compiler can point there.
pub(crate) fn breaker(args: &Args, name: &str) -> Result<TokenStream> {
    args.either("open_for", "backoff")?;
    let trip = trip(args)?.map(|trip| quote!(.trip(#trip)));
    let base = args.get("policy").map_or_else(
        || quote!(::cutout::Policy::new()),
        |arg| arg.value.to_token_stream(),
    );
    let name = args
        .get("name")
        .map_or_else(|| quote!(#name), |arg| arg.value.to_token_stream());
    let (setters, builder_only) = (calls(args, &SETTERS), calls(args, &BUILDER_ONLY));

    let policy = Ident::new("policy", Span::mixed_site());
    let error = Ident::new("error", Span::mixed_site());
    let refused = args.iter().flat_map(with_inner).map(|Arg { name, value }| {
        let field = name.to_string();
        // The call begins at the span of the argument's name and ends at the span of the value.
        let refuse = quote_spanned!(name.span()=> ::cutout::__private::refuse);
        let argument = quote_spanned!(value.span()=> (#error));
        quote!(if ::cutout::__private::is_of(&#error, #field) { #refuse #argument })
    });
    Ok(quote! {{
        let #policy = #base #trip #setters;
        if let ::core::result::Result::Err(#error) = #policy.validate() {
            #(#refused)*
            ::cutout::__private::refuse(#error)
        }
        ::cutout::Breaker::builder().policy(#policy).name(#name) #builder_only .build()
    }})
}

/// The arguments inside an argument, and the argument itself.
fn with_inner(arg: &Arg) -> impl Iterator<Item = &Arg> {
    let inner = match &arg.value {
        Value::Expr(_) => None,
        Value::Backoff(_, args) => Some(args.iter()),
    };
    inner.into_iter().flatten().chain([arg])
}

/// Generates setter calls such as `.probes(2).slow_call(...)` for those of `names` that are given.
fn calls(args: &Args, names: &[&str]) -> TokenStream {
    args.iter()
        .filter(|arg| names.iter().any(|name| arg.name == name))
        .map(|Arg { name, value }| quote!(.#name(#value)))
        .collect()
}

/// Generates the trip rule, if an argument sets one.
fn trip(args: &Args) -> Result<Option<TokenStream>> {
    if let Some(trip) = args.get("trip") {
        for part in TRIP {
            args.either("trip", part)?;
        }
        return Ok(Some(trip.value.to_token_stream()));
    }
    let threshold = args.either("failures", "percent")?;
    let span = args.either("of_last", "within")?;
    if let Some(min_calls) = args.get("min_calls")
        && args.get("percent").is_none()
    {
        return Err(min_calls.refused("belongs to `percent`, which is not given"));
    }
    let run = args
        .get("consecutive")
        .map(|Arg { name, value }| quote!(::cutout::Trip::#name(#value)));
    let window = match (threshold, span) {
        (None, None) => None,
        (Some(threshold), None) => {
            return Err(threshold.refused("needs a window: `of_last = 20` or `within = \"10s\"`"));
        }
        (None, Some(span)) => {
            return Err(span.refused("is a window, and needs `failures = 10` or `percent = 50`"));
        }
        (Some(Arg { name, value }), Some(span)) => {
            let (min_calls, span) = (
                calls(args, &["min_calls"]),
                calls(args, &[&span.name.to_string()]),
            );
            Some(quote!(::cutout::Trip::#name(#value) #min_calls #span))
        }
    };
    Ok(match (run, window) {
        (Some(run), Some(window)) => Some(quote!(#run.or(#window))),
        (run, window) => run.or(window),
    })
}

impl ToTokens for Value {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Expr(value) => value.to_tokens(tokens),
            Self::Backoff(span, args) => backoff(*span, args).to_tokens(tokens),
        }
    }
}

/// Generates the value of `backoff(...)`.
fn backoff(span: Span, args: &Args) -> TokenStream {
    let [base, factor, cap] =
        ["base", "factor", "cap"].map(|name| args.get(name).map(|arg| &arg.value));
    let spread = calls(args, &["jitter", "seed"]);
    quote_spanned!(span=> ::cutout::Backoff::exponential(#base, #factor, #cap) #spread)
}
