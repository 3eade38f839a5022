//! Parses the attribute's arguments (`name = value`).

use proc_macro2::{Ident, TokenStream};
use syn::{
    Error, Result, Token,
    ext::IdentExt as _,
    parenthesized,
    parse::{Parse, ParseStream},
    token::Paren,
};

use crate::{policy, value::Kind};

/// Arguments of the attribute. Those of the policy and the builder have the names of their setters.
const WORDS: &[(&str, Kind)] = &[
    ("consecutive", Kind::Number),
    ("failures", Kind::Number),
    ("percent", Kind::Number),
    ("min_calls", Kind::Number),
    ("of_last", Kind::Number),
    ("within", Kind::Duration),
    ("trip", Kind::Constant),
    ("open_for", Kind::Duration),
    ("backoff", Kind::Constant),
    ("probes", Kind::Number),
    ("probe_successes", Kind::Number),
    ("probe_lease", Kind::Duration),
    ("slow_call", Kind::Duration),
    ("on_drop", Kind::OnDrop),
    ("policy", Kind::Constant),
    ("name", Kind::Text),
    ("clock", Kind::Static),
    ("listeners", Kind::Statics),
    ("call_listener", Kind::Static),
    ("accessor", Kind::Name),
    ("breaker", Kind::Place),
    ("classify", Kind::Function),
    ("fallback", Kind::Fallback),
];

/// Arguments of `backoff(...)`.
const BACKOFF: &[(&str, Kind)] = &[
    ("base", Kind::Duration),
    ("factor", Kind::Number),
    ("cap", Kind::Duration),
    ("jitter", Kind::Number),
    ("seed", Kind::Number),
];

/// Arguments that apply to the call; all others configure the breaker.
const OF_THE_CALL: [&str; 3] = ["breaker", "classify", "fallback"];

/// An argument, with the value that the setter of that name takes.
pub(crate) struct Word {
    pub(crate) name: Ident,
    pub(crate) value: TokenStream,
}

/// Arguments in source order, those of `backoff(...)` before it. Names are unique.
#[derive(Default)]
pub(crate) struct Words {
    words: Vec<Word>,
    /// The `async` of `fallback = async path`.
    pub(crate) awaited: Option<Token![async]>,
}

impl Words {
    pub(crate) fn get(&self, name: &str) -> Option<&Word> {
        self.words.iter().find(|word| word.name == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Word> {
        self.words.iter()
    }

    /// Returns the given one of two exclusive arguments.
    ///
    /// # Errors
    ///
    /// Returns an error at the later argument if both are given.
    pub(crate) fn either(&self, one: &str, other: &str) -> Result<Option<&Word>> {
        let mut given = self
            .iter()
            .filter(|word| word.name == one || word.name == other);
        let first = given.next();
        match (first, given.next()) {
            (Some(first), Some(second)) => {
                Err(second.refused(&format!("excludes `{}`", first.name)))
            }
            _ => Ok(first),
        }
    }

    /// Returns the first argument that configures the breaker.
    pub(crate) fn of_the_breaker(&self) -> Option<&Word> {
        self.iter()
            .find(|word| !OF_THE_CALL.iter().any(|name| word.name == name))
    }

    fn read(&mut self, input: ParseStream, known: &[(&str, Kind)]) -> Result<()> {
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
                self.read(&inner, BACKOFF)?;
                policy::backoff(self, &name)?
            } else if input.parse::<Option<Token![=]>>()?.is_some() {
                if name == "fallback" {
                    self.awaited = input.parse()?;
                }
                kind.parse(input, &name)?
            } else {
                return Err(kind.wanted(&name, &name));
            };
            self.words.push(Word { name, value });
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

impl Word {
    pub(crate) fn refused(&self, reason: &str) -> Error {
        Error::new(self.name.span(), format!("`{}` {reason}", self.name))
    }
}

impl Parse for Words {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut words = Self::default();
        words.read(input, WORDS)?;
        Ok(words)
    }
}

fn unknown(name: &Ident, known: &[(&str, Kind)]) -> Error {
    let text = name.to_string();
    let likeness = |word: &str| strsim::jaro_winkler(&text, word);
    let near = known
        .iter()
        .map(|(word, _)| *word)
        .filter(|word| likeness(word) > 0.8);
    let nearest = near.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let message = if BACKOFF.iter().any(|(inner, _)| text == *inner) {
        format!("`{text}` belongs inside `backoff(...)`")
    } else if let Some(near) = nearest {
        format!("unknown argument `{text}`; did you mean `{near}`?")
    } else {
        let all: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        format!(
            "unknown argument `{text}`; the arguments are {}",
            all.join(", ")
        )
    };
    Error::new(name.span(), message)
}
