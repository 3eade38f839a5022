//! Parses the values of arguments.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{
    Error, Expr, ExprArray, ExprLit, ExprPath, ExprUnary, Lit, LitStr, Result, UnOp,
    parse::ParseStream, spanned::Spanned as _,
};

/// Kind of value of an argument.
///
/// A constant expression is allowed in place of a literal. The macro checks only literals, the
/// compiler checks expressions.
#[derive(Clone, Copy)]
pub(crate) enum ArgKind {
    Number,
    Duration,
    Text,
    OnDrop,
    /// A constant of the type that the setter takes.
    Constant,
    /// A static, passed to the setter by reference.
    Static,
    Statics,
    Function,
    Fallback,
    /// A place expression for a breaker.
    Breaker,
    /// The name of a new item.
    Name,
}

impl ArgKind {
    /// Parses a value into the expression that the setter takes.
    pub(crate) fn parse(self, input: ParseStream, arg: &Ident) -> Result<TokenStream> {
        // Report a missing value at its argument rather than at the comma.
        if input.is_empty() || input.peek(syn::Token![,]) {
            return Err(self.wanted(arg, arg));
        }
        let mut value: Expr = input.parse()?;
        // Strip the invisible groups in which `macro_rules!` passes fragments.
        while let Expr::Group(group) = value {
            value = *group.expr;
        }
        let wanted = || self.wanted(&value, arg);
        match (self, &value) {
            (
                Self::Number,
                Expr::Lit(ExprLit {
                    lit: Lit::Int(_), ..
                }),
            )
            | (
                Self::Text,
                Expr::Lit(ExprLit {
                    lit: Lit::Str(_), ..
                }),
            )
            | (Self::Function | Self::Fallback, Expr::Path(_)) => {}
            (
                Self::Duration,
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }),
            ) => return duration(text),
            (Self::OnDrop, value) => return on_drop(value).unwrap_or_else(|| Err(wanted())),
            (Self::Static, Expr::Path(path)) => return Ok(reference(path)),
            (Self::Name, Expr::Path(path)) if path.path.get_ident().is_some() => {}
            (Self::Statics, Expr::Array(list)) => return statics(list).ok_or_else(wanted),
            (Self::Static | Self::Statics | Self::Function | Self::Fallback | Self::Name, _) => {
                return Err(wanted());
            }
            (_, value) if is_literal(value) => return Err(wanted()),
            _ => {}
        }
        Ok(value.into_token_stream())
    }

    pub(crate) fn wanted(self, at: &impl ToTokens, arg: &Ident) -> Error {
        let (what, example) = match self {
            Self::Number => ("a whole number", "3"),
            Self::Duration => ("a duration", "\"15s\""),
            Self::Text => ("a string", "\"billing\""),
            Self::OnDrop => (
                "FailProbe, FailProbeAfter(\"1s\"), Ignore, Failure or FailureAfter(\"1s\")",
                "Ignore",
            ),
            Self::Constant => ("a constant", "BILLING"),
            Self::Static => ("the path of a static", "PATH"),
            Self::Statics => ("a list of statics", "[LOG, METRICS]"),
            Self::Function => ("the path of a function", "path"),
            Self::Fallback => ("the path of a function", "path` or `fallback = async path"),
            Self::Breaker => ("a breaker", "BILLING` or `breaker = self.breaker"),
            Self::Name => ("a name", "billing"),
        };
        Error::new_spanned(at, format!("`{arg}` takes {what}: `{arg} = {example}`"))
    }
}

fn is_literal(value: &Expr) -> bool {
    match value {
        Expr::Lit(_) => true,
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => is_literal(expr),
        _ => false,
    }
}

fn duration(text: &LitStr) -> Result<TokenStream> {
    let value = text.value();
    let duration = humantime::parse_duration(&value).map_err(|error| {
        Error::new(text.span(), format!("{value:?} is not a duration: {error}"))
    })?;
    let (secs, nanos) = (duration.as_secs(), duration.subsec_nanos());
    Ok(quote_spanned!(text.span()=> ::core::time::Duration::new(#secs, #nanos)))
}

fn on_drop(value: &Expr) -> Option<Result<TokenStream>> {
    let (name, limit) = match value {
        Expr::Path(path) => (path, None),
        Expr::Call(call) => match (&*call.func, call.args.len(), call.args.first()) {
            (
                Expr::Path(path),
                1,
                Some(Expr::Lit(ExprLit {
                    lit: Lit::Str(limit),
                    ..
                })),
            ) => (path, Some(limit)),
            _ => return None,
        },
        _ => return None,
    };
    let name = name.path.get_ident()?;
    match (name.to_string().as_str(), limit) {
        ("FailProbe" | "Ignore" | "Failure", None) => {
            Some(Ok(quote_spanned!(name.span()=> ::cutout::OnDrop::#name)))
        }
        ("FailProbeAfter" | "FailureAfter", Some(limit)) => Some(
            duration(limit)
                .map(|limit| quote_spanned!(name.span()=> ::cutout::OnDrop::#name(#limit))),
        ),
        _ => None,
    }
}

fn reference(path: &ExprPath) -> TokenStream {
    quote_spanned!(path.span()=> &#path)
}

fn statics(list: &ExprArray) -> Option<TokenStream> {
    let paths: Option<Vec<&ExprPath>> = list
        .elems
        .iter()
        .map(|element| match element {
            Expr::Path(path) => Some(path),
            _ => None,
        })
        .collect();
    let paths = paths?;
    let references = paths.into_iter().map(reference);
    Some(quote_spanned!(list.span()=> &[#(#references),*]))
}
