//! What a module reaches: its capabilities, read.

use std::fmt;
use std::str::FromStr;

use super::{BadCapability, DirWant, HttpTarget};
use crate::model::Capabilities;

/// The name of an environment variable, or of a secret, which a guest sees as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvName(String);

impl EnvName {
    /// The longest name, in bytes.
    pub const BYTES_MAX: usize = 128;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvName {
    type Err = BadCapability;

    fn from_str(text: &str) -> Result<Self, BadCapability> {
        let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        let is_name = text.bytes().next().is_some_and(is_first)
            && text.bytes().all(|byte| is_first(byte) || byte.is_ascii_digit())
            && text.len() <= Self::BYTES_MAX;
        if is_name {
            return Ok(Self(text.to_owned()));
        }
        Err(BadCapability {
            what: "name of a variable or secret",
            text: text.to_owned(),
            why: "it has letters, digits and underscores, 128 at most, and does not begin with a digit"
                .to_owned(),
            example: "write for example \"REGION\"",
        })
    }
}

impl fmt::Display for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Capabilities, read: what is wanted, or granted, or allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Where requests go.
    pub http: Vec<HttpTarget>,
    /// Directories.
    pub dir: Vec<DirWant>,
    /// Environment variables.
    pub env: Vec<EnvName>,
    /// Secrets.
    pub secret: Vec<EnvName>,
}

impl Reach {
    /// The most capabilities of one kind.
    pub const EACH_MAX: usize = 64;

    /// Reads what a module, a grant or a policy says.
    pub fn read(said: &Capabilities) -> Result<Self, BadCapability> {
        let Capabilities { http, dir, env, secret } = said;
        let reach = Self {
            http: each("http", http)?,
            dir: each("dir", dir)?,
            env: each("env", env)?,
            secret: each("secret", secret)?,
        };
        if let Some(both) = reach.env.iter().find(|name| reach.secret.contains(name)) {
            return Err(BadCapability {
                what: "secret",
                text: both.to_string(),
                why: "a variable has this name too".to_owned(),
                example: "a guest finds both in its environment, so give one another name",
            });
        }
        Ok(reach)
    }

    /// The same of what was kept before it was checked: what cannot be read is left out, so it is never granted.
    pub fn read_kept(said: &Capabilities) -> Self {
        fn readable<T: FromStr>(texts: &[String]) -> Vec<T> {
            texts.iter().filter_map(|text| text.parse().ok()).collect()
        }
        Self {
            http: readable(&said.http),
            dir: readable(&said.dir),
            env: readable(&said.env),
            secret: readable(&said.secret),
        }
    }

    /// As texts, each in its one form.
    pub fn told(&self) -> Capabilities {
        Capabilities {
            http: texts(&self.http),
            dir: texts(&self.dir),
            env: texts(&self.env),
            secret: texts(&self.secret),
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        let Self { http, dir, env, secret } = self;
        http.is_empty() && dir.is_empty() && env.is_empty() && secret.is_empty()
    }

    /// What of this is not covered by `other`.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        Self {
            http: self.http.iter().filter(|one| !are_cover(&other.http, one)).cloned().collect(),
            dir: without(&self.dir, &other.dir, DirWant::covers),
            env: without(&self.env, &other.env, EnvName::eq),
            secret: without(&self.secret, &other.secret, EnvName::eq),
        }
    }

    /// This and `other` together.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        let more = other.beyond(&self);
        self.http.extend(more.http);
        self.dir.extend(more.dir);
        self.env.extend(more.env);
        self.secret.extend(more.secret);
        self
    }
}

fn each<T: FromStr<Err = BadCapability> + PartialEq>(
    kind: &'static str,
    texts: &[String],
) -> Result<Vec<T>, BadCapability> {
    if texts.len() > Reach::EACH_MAX {
        return Err(BadCapability {
            what: "list of capabilities",
            text: kind.to_owned(),
            why: format!("it has {}, at most {} are allowed", texts.len(), Reach::EACH_MAX),
            example: "use *.example.com for many hosts of one domain",
        });
    }
    let mut read = Vec::with_capacity(texts.len());
    for text in texts {
        let one = text.parse()?;
        if !read.contains(&one) {
            read.push(one);
        }
    }
    Ok(read)
}

fn texts<T: fmt::Display>(each: &[T]) -> Vec<String> {
    each.iter().map(ToString::to_string).collect()
}

/// Whether several cover one together: each of its methods may be another's.
fn are_cover(targets: &[HttpTarget], one: &HttpTarget) -> bool {
    one.by_method().iter().all(|alone| targets.iter().any(|target| target.covers(alone)))
}

fn without<T: Clone>(mine: &[T], theirs: &[T], covers: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let is_beyond = |one: &&T| !theirs.iter().any(|other| covers(other, one));
    mine.iter().filter(is_beyond).cloned().collect()
}

impl fmt::Display for Reach {
    /// On one line, as people read it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Capabilities { http, dir, env, secret } = self.told();
        let mut parts = Vec::new();
        for (kind, texts) in [("http", http), ("dir", dir), ("env", env), ("secret", secret)] {
            parts.extend(texts.into_iter().map(|text| format!("{kind} {text}")));
        }
        f.write_str(&if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(json: &str) -> Reach {
        Reach::read(&serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn what_is_beyond_is_what_nothing_covers() {
        let wants =
            reach(r#"{"http":["GET a.b","c.d"],"dir":["/in:rw"],"env":["A"],"secret":["S"]}"#);
        let granted = reach(r#"{"http":["a.b"],"dir":["/in:ro"],"env":["A"]}"#);

        assert_eq!(wants.beyond(&granted).to_string(), "http c.d:443, dir /in:rw, secret S");
        assert!(wants.beyond(&wants).is_empty());
        let both = reach(r#"{"http":["GET,POST a.b"]}"#);
        let apart = reach(r#"{"http":["GET a.b","POST *.b"]}"#);
        assert!(both.beyond(&apart).is_empty(), "each method by another of them");
        assert!(!reach(r#"{"http":["a.b"]}"#).beyond(&apart).is_empty(), "any method by none");
        assert!(wants.beyond(&granted.with(&wants)).is_empty());
    }

    #[test]
    fn one_name_is_not_a_variable_and_a_secret() {
        let both = Capabilities {
            env: vec!["KEY".to_owned()],
            secret: vec!["KEY".to_owned()],
            ..Capabilities::default()
        };
        assert!(Reach::read(&both).unwrap_err().to_string().contains("another name"));
        let bad = Capabilities { env: vec!["1A".to_owned()], ..Capabilities::default() };
        assert!(Reach::read(&bad).is_err());
    }

    #[test]
    fn what_was_kept_unchecked_and_makes_no_sense_is_left_out() {
        let kept = Capabilities {
            http: vec!["no target at all".to_owned(), "a.b".to_owned()],
            ..Capabilities::default()
        };
        assert_eq!(Reach::read_kept(&kept).to_string(), "http a.b:443");
    }
}
