//! Code generation for the breaker of a function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, Result, spanned::Spanned as _};

use crate::words::{Word, Words};

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
const BESIDE: [&str; 3] = ["clock", "listeners", "call_listener"];

/// Generates a constant expression for a breaker. The core checks the bounds. The generated code
/// maps a refused field to its argument, so that the compiler can point at that argument.
pub(crate) fn breaker(words: &Words, name: &str) -> Result<TokenStream> {
    words.either("open_for", "backoff")?;
    let trip = trip(words)?.map(|trip| quote!(.trip(#trip)));
    let base = words.get("policy").map_or_else(
        || quote!(::cutout::Policy::new()),
        |word| word.value.clone(),
    );
    let name = words
        .get("name")
        .map_or_else(|| quote!(#name), |word| word.value.clone());
    let (setters, beside) = (calls(words, &SETTERS), calls(words, &BESIDE));

    let policy = Ident::new("policy", Span::mixed_site());
    let error = Ident::new("error", Span::mixed_site());
    let refused = words.iter().map(|Word { name, value }| {
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
        ::cutout::Breaker::builder().policy(#policy).name(#name) #beside .build()
    }})
}

/// Generates setter calls such as `.probes(2).slow_call(...)` for those of `names` that are given.
fn calls(words: &Words, names: &[&str]) -> TokenStream {
    words
        .iter()
        .filter(|word| names.iter().any(|name| word.name == name))
        .map(|Word { name, value }| quote!(.#name(#value)))
        .collect()
}

/// Generates the trip rule, if an argument sets one.
fn trip(words: &Words) -> Result<Option<TokenStream>> {
    if let Some(trip) = words.get("trip") {
        for part in TRIP {
            words.either("trip", part)?;
        }
        return Ok(Some(trip.value.clone()));
    }
    let threshold = words.either("failures", "percent")?;
    let span = words.either("of_last", "within")?;
    if let Some(min_calls) = words.get("min_calls")
        && words.get("percent").is_none()
    {
        return Err(min_calls.refused("belongs to `percent`, which is not given"));
    }
    let run = words
        .get("consecutive")
        .map(|Word { name, value }| quote!(::cutout::Trip::#name(#value)));
    let window = match (threshold, span) {
        (None, None) => None,
        (Some(threshold), None) => {
            return Err(threshold.refused("needs a window: `of_last = 20` or `within = \"10s\"`"));
        }
        (None, Some(span)) => {
            return Err(span.refused("is a window, and needs `failures = 10` or `percent = 50`"));
        }
        (Some(Word { name, value }), Some(span)) => {
            let (min_calls, span) = (
                calls(words, &["min_calls"]),
                calls(words, &[&span.name.to_string()]),
            );
            Some(quote!(::cutout::Trip::#name(#value) #min_calls #span))
        }
    };
    Ok(match (run, window) {
        (Some(run), Some(window)) => Some(quote!(#run.or(#window))),
        (run, window) => run.or(window),
    })
}

/// Generates the value of `backoff(...)`, whose arguments have been parsed.
pub(crate) fn backoff(words: &Words, at: &Ident) -> Result<TokenStream> {
    let required = |name: &str| {
        let lacks = || {
            Error::new(
                at.span(),
                format!("`backoff` needs `base`, `factor` and `cap`; `{name}` is missing"),
            )
        };
        words.get(name).map(|word| &word.value).ok_or_else(lacks)
    };
    let (base, factor, cap) = (required("base")?, required("factor")?, required("cap")?);
    let spread = calls(words, &["jitter", "seed"]);
    Ok(quote_spanned!(at.span()=> ::cutout::Backoff::exponential(#base, #factor, #cap) #spread))
}
