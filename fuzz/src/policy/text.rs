//! Policies in files.

use cutout::Policy;

/// The keys of a file, and of the tables in it.
const KEYS: [&str; 8] = [
    "trip",
    "open_for",
    "backoff",
    "probes",
    "probe_successes",
    "probe_lease",
    "slow_call",
    "on_drop",
];
const TABLES: [(&str, &[&str]); 3] = [
    (
        "trip",
        &[
            "consecutive",
            "failures",
            "percent",
            "min_calls",
            "of_last",
            "within",
        ],
    ),
    ("backoff", &["base", "factor", "cap", "jitter", "seed"]),
    (
        "on_drop",
        &["fail-probe", "ignore", "failure", "failure-after"],
    ),
];

#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Toml,
    Json,
}

impl Format {
    pub(super) fn read(self, text: &str) -> Result<Policy, String> {
        match self {
            Self::Toml => toml::from_str(text).map_err(|error| error.to_string()),
            Self::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        }
    }

    pub(super) fn write(self, policy: &Policy) -> String {
        match self {
            Self::Toml => toml::to_string(policy).expect("an accepted policy can be written"),
            Self::Json => serde_json::to_string(policy).expect("an accepted policy can be written"),
        }
    }

    fn value(self, text: &str) -> serde_json::Value {
        match self {
            Self::Toml => toml::from_str(text).expect("it was read before"),
            Self::Json => serde_json::from_str(text).expect("it was read before"),
        }
    }

    fn read_value(self, value: &serde_json::Value) -> Result<Policy, String> {
        match self {
            Self::Toml => self.read(&toml::to_string(value).map_err(|error| error.to_string())?),
            Self::Json => self.read(&value.to_string()),
        }
    }
}

/// Asserts that an accepted file has no unknown key.
pub(super) fn has_only_known_keys(format: Format, text: &str) {
    let value = format.value(text);
    // JSON can write a struct as a list of its fields, without their names.
    let Some(table) = value.as_object() else {
        return;
    };
    for (key, value) in table {
        assert!(KEYS.contains(&key.as_str()), "{key} in {text}");
        let known = TABLES.iter().find(|(name, _)| name == key);
        for key in value.as_object().into_iter().flat_map(|table| table.keys()) {
            let (_, known) = known.expect("only a table has keys");
            assert!(known.contains(&key.as_str()), "{key} in {text}");
        }
    }
}

/// Asserts that an accepted file is refused with an additional key, at its top or in a table.
pub(super) fn refuses_more_keys(format: Format, text: &str) {
    let value = format.value(text);
    assert!(format.read_value(&value).is_ok(), "{text}");
    let places = ["", "/trip", "/backoff"];
    for place in places
        .into_iter()
        .filter(|place| value.pointer(place).is_some())
    {
        let mut more = value.clone();
        let table = more
            .pointer_mut(place)
            .and_then(|table| table.as_object_mut());
        table.expect("a table").insert("windows".into(), 1.into());
        let refusal = format.read_value(&more).expect_err("an unknown key");
        assert!(refusal.contains("unknown field `windows`"), "{refusal}");
    }
}
