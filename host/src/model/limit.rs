//! Limits across the cluster: how many calls of a step may run at once and begin in a time.

use sha2::{Digest as _, Sha256};

use super::{Meter, Name, Payload, PerKey, Rate, StepOptions};

/// What one limit allows, under the name by which every host knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Module, step and, for one of a key, the hash of that key.
    pub name: String,
    /// The step.
    pub step: Name,
    /// For people: the beginning of the key, as JSON; none for a limit of the whole step.
    pub key: Option<String>,
    /// How many may run at once.
    pub slots: Option<u32>,
    /// How many may begin in a time.
    pub rate: Option<Rate>,
}

/// The limits that one call has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallLimits {
    /// That of its step.
    pub step: Option<Limit>,
    /// That of its key.
    pub key: Option<Limit>,
}

/// Names of limits begin with one of these. Those of keys come first wherever names are put in order, and whoever holds a limit
/// of a step waits for none of a key.
const OF_KEY: &str = "k:";
const OF_STEP: &str = "s:";
/// Bytes of a key that are kept for people.
const KEY_SHOWN_MAX: usize = 100;

impl CallLimits {
    /// The limits of a call of that step of that module.
    pub fn of_call(module: &Name, step: &Name, options: &StepOptions, input: &Payload) -> Self {
        let whole = Limit {
            name: format!("{OF_STEP}{module}/{step}"),
            step: step.clone(),
            key: None,
            slots: options.max_concurrent,
            rate: rate(options.rate.as_deref()),
        };
        let key = options.per_key.as_ref().map(|per_key| of_key(module, step, per_key, input));
        Self { step: Some(whole).filter(Limit::is_any), key: key.filter(Limit::is_any) }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.step.is_none() && self.key.is_none()
    }

    /// What the call waits for first: a flood of one key does not stand before the others of its step.
    pub fn first(&self) -> Option<&Limit> {
        self.key.as_ref().or(self.step.as_ref())
    }

    /// Both, where they are there.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.key.iter().chain(&self.step)
    }
}

impl Limit {
    /// Whether a name is that of the limit of a key.
    pub fn is_of_key(name: &str) -> bool {
        name.starts_with(OF_KEY)
    }

    fn is_any(&self) -> bool {
        self.slots.is_some() || self.rate.is_some()
    }
}

/// What a rate comes to before anything has begun.
impl From<Rate> for Meter {
    fn from(rate: Rate) -> Self {
        let interval = i64::try_from(rate.interval().as_micros()).unwrap_or(i64::MAX);
        Self { interval, burst: rate.burst(), tat: 0 }
    }
}

/// Manifests are checked when they are uploaded; one that was before there were such checks limits nothing by what makes no sense.
fn rate(text: Option<&str>) -> Option<Rate> {
    text.and_then(|text| text.parse().ok())
}

fn of_key(module: &Name, step: &Name, per_key: &PerKey, input: &Payload) -> Limit {
    let input: serde_json::Value = serde_json::from_str(input.as_str()).unwrap_or_default();
    // Where there is nothing at that place, the key is null: such calls share one.
    let mut key = input.pointer(&per_key.pointer).cloned().unwrap_or_default();
    // An object is the same key in whatever order its fields were written.
    key.sort_all_objects();
    let key = key.to_string();
    let mut hash = [0; 16];
    hash.copy_from_slice(&Sha256::digest(key.as_bytes())[..16]);
    let hash = u128::from_be_bytes(hash);
    Limit {
        name: format!("{OF_KEY}{module}/{step}/{hash:032x}"),
        step: step.clone(),
        key: Some(shown(&key)),
        slots: per_key.max_concurrent,
        rate: rate(per_key.rate.as_deref()),
    }
}

fn shown(key: &str) -> String {
    match key.char_indices().find(|(place, c)| place + c.len_utf8() > KEY_SHOWN_MAX) {
        Some((end, _)) => format!("{}...", &key[..end]),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(pointer: &str, input: &str) -> CallLimits {
        let name = |text| Name::new(text).unwrap();
        let per_key = PerKey {
            pointer: pointer.to_owned(),
            max_concurrent: Some(5),
            rate: Some("10/s".to_owned()),
        };
        let options = StepOptions {
            max_concurrent: Some(7),
            per_key: Some(per_key),
            ..StepOptions::default()
        };
        let input = Payload::new(input, 1 << 20).unwrap();
        CallLimits::of_call(&name("shop"), &name("charge"), &options, &input)
    }

    #[test]
    fn a_call_has_the_limit_of_its_step_and_that_of_its_key() {
        let one = limits("/customer", r#"{"customer":"ada","n":1}"#);
        let same = limits("/customer", r#"{"n":2,"customer":"ada"}"#);
        let other = limits("/customer", r#"{"customer":"bob"}"#);

        let (step, key) = (one.step.clone().unwrap(), one.key.clone().unwrap());
        assert_eq!((step.name.as_str(), step.slots, step.rate), ("s:shop/charge", Some(7), None));
        assert_eq!((key.slots, key.key.as_deref()), (Some(5), Some("\"ada\"")));
        assert_eq!(one.key, same.key);
        assert_ne!(one.key.unwrap().name, other.key.unwrap().name);
        assert!(key.name < step.name, "keys come first");
    }

    #[test]
    fn a_pointer_reaches_into_lists_and_escaped_names() {
        let key = |pointer, input| limits(pointer, input).key.unwrap().key.unwrap();

        assert_eq!(key("/a~1b/1/m~0n", r#"{"a/b":[0,{"m~n":{"x":1}}]}"#), r#"{"x":1}"#);
        assert_eq!(key("", "[1, 2]"), "[1,2]");
        assert_eq!(key("/nowhere", r#"{"a":1}"#), "null");
    }

    #[test]
    fn a_long_key_is_shown_by_its_beginning() {
        let key = limits("", &format!("\"{}\"", "ä".repeat(200))).key.unwrap();

        assert!(key.key.unwrap().len() <= KEY_SHOWN_MAX + 3);
        assert!(key.name.len() < 100);
    }

    #[test]
    fn a_step_that_declares_none_has_none() {
        let name = |text| Name::new(text).unwrap();
        let limits = CallLimits::of_call(
            &name("shop"),
            &name("charge"),
            &StepOptions::default(),
            &Payload::null(),
        );

        assert!(limits.is_empty());
    }
}
