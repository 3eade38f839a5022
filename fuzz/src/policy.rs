//! Policies from untrusted input: values of fields, or the text of a file.
//!
//! An input that begins with `t` is a TOML file, one that begins with `j` a JSON file. All other
//! inputs are decoded by `arbitrary` as the fields of `Fields`.

mod bounds;
mod fields;
mod text;

use cutout::{Breaker, Policy};

use crate::Reached;
use bounds::Refusal;
use fields::Fields;
use text::Format;

enum PolicyInput<'a> {
    Fields(Fields),
    Text(Format, &'a str),
    /// Not UTF-8.
    Nothing,
}

fn read(bytes: &[u8]) -> PolicyInput<'_> {
    let (format, text) = match bytes {
        [b't', text @ ..] => (Format::Toml, text),
        [b'j', text @ ..] => (Format::Json, text),
        _ => return PolicyInput::Fields(Fields::read(bytes)),
    };
    str::from_utf8(text).map_or(PolicyInput::Nothing, |text| PolicyInput::Text(format, text))
}

/// Builds a breaker from a policy, and compares the result with the documented bounds.
///
/// # Panics
///
/// Panics if acceptance differs from the bounds, or if an error has the wrong field, value or
/// bound. Also panics if an accepted policy is not read back unchanged.
#[must_use = "it says what the input is worth"]
pub fn play(bytes: &[u8]) -> Reached {
    let mut reached = Reached::new();
    match read(bytes) {
        PolicyInput::Fields(fields) => offer(&fields, &mut reached),
        PolicyInput::Text(format, text) => {
            let parsed = format.read(text);
            let verdict = if parsed.is_ok() { "read" } else { "refused" };
            reached.insert(format!("{format:?} {verdict}"));
            if let Ok(policy) = parsed {
                text::has_only_known_keys(format, text);
                accept(policy);
            }
        }
        PolicyInput::Nothing => {}
    }
    reached
}

/// Describes an input.
#[must_use]
pub fn describe(bytes: &[u8]) -> String {
    match read(bytes) {
        PolicyInput::Fields(fields) => format!("{fields:#?}"),
        PolicyInput::Text(format, text) => format!("{format:?}:\n{text}\n{:?}", format.read(text)),
        PolicyInput::Nothing => "not UTF-8".into(),
    }
}

fn offer(fields: &Fields, reached: &mut Reached) {
    let policy = fields.policy();
    let refusals = bounds::refusals(fields);
    let built = Breaker::builder().policy(policy).try_build();
    assert_eq!(
        policy.validate(),
        built.as_ref().map(|_| ()).map_err(|&error| error),
        "checked as it is built: {policy:?}"
    );
    match built {
        Ok(_) => {
            assert_eq!(refusals, [], "accepted {policy:?}");
            accept(policy);
            reached.insert("accepted".into());
        }
        Err(error) => {
            let error_text = error.to_string();
            let is_expected = |refusal: &Refusal| refusal.message() == error_text;
            let refusal = refusals.iter().find(|refusal| is_expected(refusal));
            let refusal = refusal.unwrap_or_else(|| {
                panic!("{error_text:?} is not among {refusals:?} of {policy:?}")
            });
            assert_eq!(error.field(), refusal.field);
            reached.insert(format!("refused {}", refusal.field));
        }
    }
}

/// Asserts that an accepted policy is within bounds, and that breaker and files preserve it.
fn accept(policy: Policy) {
    let breaker = Breaker::builder().policy(policy).try_build();
    let breaker = breaker.expect("what is accepted can be built");
    assert_eq!(breaker.policy(), policy);
    assert_eq!(bounds::refusals(&Fields::of(policy)), [], "{policy:?}");
    for format in [Format::Toml, Format::Json] {
        let text = format.write(&policy);
        assert_eq!(format.read(&text), Ok(policy), "{text}");
        text::refuses_more_keys(format, &text);
    }
}
