//! Parses the attribute's arguments (`name = value`).

use proc_macro2::{Ident, Span, TokenStream};
use syn::{
    Error, Result, Token,
    ext::IdentExt as _,
    parenthesized,
    parse::{Parse, ParseStream},
    token::Paren,
};

use crate::value::ArgKind;

/// Arguments of the attribute. Those of the policy and the builder have the names of their setters.
const ARGS: &[(&str, ArgKind)] = &[
    ("consecutive", ArgKind::Number),
    ("failures", ArgKind::Number),
    ("percent", ArgKind::Number),
    ("min_calls", ArgKind::Number),
    ("of_last", ArgKind::Number),
    ("within", ArgKind::Duration),
    ("trip", ArgKind::Constant),
    ("open_for", ArgKind::Duration),
    ("backoff", ArgKind::Constant),
    ("probes", ArgKind::Number),
    ("probe_successes", ArgKind::Number),
    ("probe_lease", ArgKind::Duration),
    ("slow_call", ArgKind::Duration),
    ("on_drop", ArgKind::OnDrop),
    ("policy", ArgKind::Constant),
    ("name", ArgKind::Text),
    ("clock", ArgKind::Static),
    ("listeners", ArgKind::Statics),
    ("call_listener", ArgKind::Static),
    ("accessor", ArgKind::Name),
    ("breaker", ArgKind::Breaker),
    ("classify", ArgKind::Function),
    ("fallback", ArgKind::Fallback),
];

/// Arguments of `backoff(...)`.
const BACKOFF: &[(&str, ArgKind)] = &[
    ("base", ArgKind::Duration),
    ("factor", ArgKind::Number),
    ("cap", ArgKind::Duration),
    ("jitter", ArgKind::Number),
    ("seed", ArgKind::Number),
];

/// Arguments that apply to the call; all others configure the breaker.
const OF_THE_CALL: [&str; 3] = ["breaker", "classify", "fallback"];

/// Arguments that `backoff(...)` requires.
const BACKOFF_REQUIRED: [&str; 3] = ["base", "factor", "cap"];

/// An argument, with the value that the setter of that name takes.
pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// The value of an argument.
pub(crate) enum Value {
    /// The expression that the setter takes.
    Expr(TokenStream),
    /// The arguments of `backoff(...)`, all required ones included. The span is that of `backoff`.
    Backoff(Span, Args),
}

/// Arguments in source order. Names are unique.
#[derive(Default)]
pub(crate) struct Args {
    args: Vec<Arg>,
    /// The `async` of `fallback = async path`.
    pub(crate) awaited: Option<Token![async]>,
}

impl Args {
    pub(crate) fn get(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|arg| arg.name == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arg> {
        self.args.iter()
    }

    /// Returns the argument that is given, of two exclusive ones.
    ///
    /// # Errors
    ///
    /// Returns an error at the later argument if both are given.
    pub(crate) fn either(&self, one: &str, other: &str) -> Result<Option<&Arg>> {
        let mut given = self
            .iter()
            .filter(|arg| arg.name == one || arg.name == other);
        let first = given.next();
        match (first, given.next()) {
            (Some(first), Some(second)) => {
                Err(second.refused(&format!("excludes `{}`", first.name)))
            }
            _ => Ok(first),
        }
    }

    /// Returns the first argument that configures the breaker.
    pub(crate) fn of_the_breaker(&self) -> Option<&Arg> {
        self.iter()
            .find(|arg| !OF_THE_CALL.iter().any(|name| arg.name == name))
    }

    fn read(&mut self, input: ParseStream, known: &[(&str, ArgKind)]) -> Result<()> {
        while !input.is_empty() {
            let Ok(name) = input.call(Ident::parse_any) else {
                return Err(input.error("expected an argument, such as `consecutive = 3`"));
            };
            let Some((_, kind)) = known.iter().find(|(known, _)| name == known) else {
                return Err(unknown(&name, known));
            };
            if self.get(&name.to_string()).is_some() {
                return Err(Error::new(name.span(), format!("`{name}` is given twice")));
            }
            let value = if name == "backoff" && input.peek(Paren) {
                let inner;
                parenthesized!(inner in input);
                Value::Backoff(name.span(), backoff(&inner, &name)?)
            } else if input.parse::<Option<Token![=]>>()?.is_some() {
                if name == "fallback" {
                    self.awaited = input.parse()?;
                }
                Value::Expr(kind.parse(input, &name)?)
            } else {
                return Err(kind.wanted(&name, &name));
            };
            self.args.push(Arg { name, value });
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

impl Arg {
    pub(crate) fn refused(&self, reason: &str) -> Error {
        Error::new(self.name.span(), format!("`{}` {reason}", self.name))
    }
}

impl Parse for Args {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut args = Self::default();
        args.read(input, ARGS)?;
        Ok(args)
    }
}

/// Parses the arguments of `backoff(...)`.
fn backoff(input: ParseStream, name: &Ident) -> Result<Args> {
    let mut args = Args::default();
    args.read(input, BACKOFF)?;
    match BACKOFF_REQUIRED
        .iter()
        .find(|name| args.get(name).is_none())
    {
        None => Ok(args),
        Some(missing) => Err(Error::new(
            name.span(),
            format!("`backoff` needs `base`, `factor` and `cap`; `{missing}` is missing"),
        )),
    }
}

fn unknown(name: &Ident, known: &[(&str, ArgKind)]) -> Error {
    let text = name.to_string();
    let likeness = |arg: &str| strsim::jaro_winkler(&text, arg);
    let near = known
        .iter()
        .map(|(arg, _)| *arg)
        .filter(|arg| likeness(arg) > 0.8);
    let nearest = near.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let message = if BACKOFF.iter().any(|(inner, _)| text == *inner) {
        format!("`{text}` belongs inside `backoff(...)`")
    } else if let Some(near) = nearest {
        format!("unknown argument `{text}`; did you mean `{near}`?")
    } else {
        let all: Vec<&str> = known.iter().map(|(arg, _)| *arg).collect();
        format!(
            "unknown argument `{text}`; the arguments are {}",
            all.join(", ")
        )
    };
    Error::new(name.span(), message)
}
