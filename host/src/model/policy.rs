//! The operator's policy file: what may be granted, what is granted without asking, and what only an operator can know.
//! `docs/capabilities.md` is its reference.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::capability::{BadCapability, DirWant, EnvName, HttpTarget, Reach, Scheme};
use super::{Name, WrittenCapabilities};

/// Why a policy file is refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is no TOML, or has a key that there is not.
    #[error("the policy cannot be read")]
    Toml(#[from] toml::de::Error),
    /// It is no JSON, or has a key that there is not.
    #[error("the policy cannot be read")]
    Json(#[from] serde_json::Error),
    /// A capability in it cannot be read.
    #[error("{place} of the policy")]
    Capability {
        /// The key.
        place: String,
        /// What is wrong.
        #[source]
        source: BadCapability,
    },
    /// A value in it makes no sense.
    #[error("{place} of the policy {what}")]
    Value {
        /// The key.
        place: String,
        /// What is wrong, and the way out.
        what: &'static str,
    },
}

/// How a policy is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyForm {
    /// As TOML.
    Toml,
    /// As JSON.
    Json,
}

/// A policy, read and checked. The empty one allows everything to be granted, grants nothing and provides nothing.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    allowed: Option<Reach>,
    all: Part,
    modules: BTreeMap<Name, Part>,
    private: Vec<HttpTarget>,
    resolve: BTreeMap<String, Vec<IpAddr>>,
}

/// What holds for every module, or for those of one name.
#[derive(Debug, Clone, Default)]
struct Part {
    grant: Reach,
    dirs: BTreeMap<String, PathBuf>,
    env: BTreeMap<String, String>,
    secrets: BTreeMap<String, SecretRule>,
}

/// Where a secret comes from, and where it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRule {
    /// Where its value is.
    pub source: SecretSource,
    /// The requests that it may be put into.
    pub hosts: Vec<HttpTarget>,
    /// Whether into their bodies too.
    pub place: SecretPlace,
}

/// Where a secret's value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In that environment variable of the host, read when it starts.
    Env(String),
    /// In that file, read again within seconds. A line break at its end is no part of it.
    File(PathBuf),
}

/// Where in a request a secret is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace {
    /// Into header values alone.
    Headers,
    /// Into header values and the body.
    HeadersAndBody,
}

impl Policy {
    /// Reads and checks a policy.
    pub fn read(text: &str, form: PolicyForm) -> Result<Self, PolicyError> {
        let written: Written = match form {
            PolicyForm::Toml => toml::from_str(text)?,
            PolicyForm::Json => serde_json::from_str(text)?,
        };
        written.checked()
    }

    /// What may be granted at all; none: everything.
    pub fn allowed(&self) -> Option<&Reach> {
        self.allowed.as_ref()
    }

    /// All that is granted to a module of these names: what people granted, and what this policy grants without asking.
    pub fn granted(&self, names: &[Name], by_people: &Reach) -> Reach {
        let granted = by_people.clone().with(&self.all.grant);
        let own = names.iter().filter_map(|name| self.modules.get(name));
        own.fold(granted, |granted, part| granted.with(&part.grant))
    }

    /// The folder of this machine behind a directory of a module.
    pub fn dir(&self, names: &[Name], path: &str) -> Option<&Path> {
        self.find(names, |part| part.dirs.get(path)).map(PathBuf::as_path)
    }

    /// The value of a variable of a module.
    pub fn env(&self, names: &[Name], name: &str) -> Option<&str> {
        self.find(names, |part| part.env.get(name)).map(String::as_str)
    }

    /// Where a secret of a module comes from.
    pub fn secret(&self, names: &[Name], name: &str) -> Option<&SecretRule> {
        self.find(names, |part| part.secrets.get(name))
    }

    /// Whether an address of a private network may stand behind that host.
    pub fn may_be_private(&self, scheme: Scheme, host: &str, port: u16) -> bool {
        self.private.iter().any(|target| target.holds(scheme, host, port))
    }

    /// The addresses that are said to stand behind a host.
    pub fn addresses(&self, host: &str) -> Option<&[IpAddr]> {
        self.resolve.get(host).map(Vec::as_slice)
    }

    /// Every folder that is named.
    pub fn dirs(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.parts().flat_map(|part| {
            part.dirs.iter().map(|(path, folder)| (path.as_str(), folder.as_path()))
        })
    }

    /// Every secret that is named.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &SecretRule)> {
        self.parts().flat_map(|part| part.secrets.iter().map(|(name, rule)| (name.as_str(), rule)))
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.all).chain(self.modules.values())
    }

    /// What is said of one module goes before what is said of all.
    fn find<'a, T>(
        &'a self,
        names: &[Name],
        find: impl Fn(&'a Part) -> Option<&'a T>,
    ) -> Option<&'a T> {
        let own = names.iter().filter_map(|name| self.modules.get(name)).find_map(&find);
        own.or_else(|| find(&self.all))
    }
}

/// A policy as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    allow: Option<WrittenCapabilities>,
    grant: WrittenCapabilities,
    dirs: BTreeMap<String, PathBuf>,
    env: BTreeMap<String, String>,
    secrets: BTreeMap<String, WrittenSecret>,
    modules: BTreeMap<Name, WrittenPart>,
    http: WrittenHttp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenPart {
    grant: WrittenCapabilities,
    dirs: BTreeMap<String, PathBuf>,
    env: BTreeMap<String, String>,
    secrets: BTreeMap<String, WrittenSecret>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSecret {
    from_env: Option<String>,
    from_file: Option<PathBuf>,
    hosts: Vec<String>,
    #[serde(default)]
    in_body: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenHttp {
    private: Vec<String>,
    resolve: BTreeMap<String, OneOrMore>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(IpAddr),
    More(Vec<IpAddr>),
}

impl Written {
    fn checked(self) -> Result<Policy, PolicyError> {
        let allowed = self.allow.map(|allow| reach("allow", allow)).transpose()?;
        let all = WrittenPart {
            grant: self.grant,
            dirs: self.dirs,
            env: self.env,
            secrets: self.secrets,
        };
        let mut modules = BTreeMap::new();
        for (name, part) in self.modules {
            let place = format!("modules.{name}.");
            modules.insert(name, part.checked(&place)?);
        }
        let resolve = self.http.resolve.into_iter().map(|(host, addresses)| {
            let addresses = match addresses {
                OneOrMore::One(address) => vec![address],
                OneOrMore::More(addresses) => addresses,
            };
            (host.to_ascii_lowercase(), addresses)
        });
        Ok(Policy {
            allowed,
            all: all.checked("")?,
            modules,
            private: targets("http.private", &self.http.private)?,
            resolve: resolve.collect(),
        })
    }
}

impl WrittenPart {
    fn checked(self, place: &str) -> Result<Part, PolicyError> {
        for path in self.dirs.keys() {
            check::<DirWant>(format!("{place}dirs"), &format!("{path}:ro"))?;
        }
        for name in self.env.keys() {
            check::<EnvName>(format!("{place}env"), name)?;
        }
        if self.env.values().any(|value| value.contains('\0')) {
            return Err(PolicyError::Value {
                place: format!("{place}env"),
                what: "holds a NUL, which no variable can",
            });
        }
        let mut secrets = BTreeMap::new();
        for (name, secret) in self.secrets {
            let place = format!("{place}secrets.{name}");
            check::<EnvName>(place.clone(), &name)?;
            secrets.insert(name, secret.checked(&place)?);
        }
        let grant = reach(&format!("{place}grant"), self.grant)?;
        Ok(Part { grant, dirs: self.dirs, env: self.env, secrets })
    }
}

impl WrittenSecret {
    fn checked(self, place: &str) -> Result<SecretRule, PolicyError> {
        let wrong = |what| PolicyError::Value { place: place.to_owned(), what };
        let source = match (self.from_env, self.from_file) {
            (Some(variable), None) => SecretSource::Env(variable),
            (None, Some(file)) => SecretSource::File(file),
            (None, None) | (Some(_), Some(_)) => {
                return Err(wrong("needs either from_env or from_file"));
            }
        };
        if self.hosts.is_empty() {
            return Err(wrong("has no hosts: name the requests that it may be put into"));
        }
        let hosts = targets(&format!("{place}.hosts"), &self.hosts)?;
        let place = if self.in_body { SecretPlace::HeadersAndBody } else { SecretPlace::Headers };
        Ok(SecretRule { source, hosts, place })
    }
}

fn reach(place: &str, said: WrittenCapabilities) -> Result<Reach, PolicyError> {
    Reach::read(&said.into())
        .map_err(|source| PolicyError::Capability { place: place.to_owned(), source })
}

fn targets(place: &str, texts: &[String]) -> Result<Vec<HttpTarget>, PolicyError> {
    let read = texts.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    read.map_err(|source| PolicyError::Capability { place: place.to_owned(), source })
}

fn check<T: std::str::FromStr<Err = BadCapability>>(
    place: String,
    text: &str,
) -> Result<(), PolicyError> {
    text.parse::<T>().map(drop).map_err(|source| PolicyError::Capability { place, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        allow = { http = ["*.example.com"], dir = ["/in:rw"] }
        grant = { env = ["REGION"] }
        [dirs]
        "/in" = "/srv/in"
        [env]
        REGION = "north"
        [secrets]
        KEY = { from_env = "THE_KEY", hosts = ["api.example.com"] }
        [modules.checkout]
        grant = { http = ["GET api.example.com"] }
        dirs = { "/in" = "/srv/checkout" }
        [http]
        private = ["http://intern:8080"]
        resolve = { Intern = "10.0.0.7", other = ["10.0.0.8", "::1"] }
    "#;

    #[test]
    fn what_is_said_of_one_module_goes_before_what_is_said_of_all() {
        let policy = Policy::read(WHOLE, PolicyForm::Toml).unwrap();
        let (checkout, other) = ([Name::new("checkout").unwrap()], [Name::new("other").unwrap()]);

        assert_eq!(policy.dir(&checkout, "/in"), Some(Path::new("/srv/checkout")));
        assert_eq!(policy.dir(&other, "/in"), Some(Path::new("/srv/in")));
        assert_eq!(policy.env(&checkout, "REGION"), Some("north"));
        let nothing = Reach::default();
        assert_eq!(
            policy.granted(&checkout, &nothing).to_string(),
            "http GET api.example.com:443, env REGION"
        );
        assert_eq!(policy.granted(&other, &nothing).to_string(), "env REGION");
        assert_eq!(policy.addresses("intern").unwrap().len(), 1);
        assert!(policy.may_be_private(Scheme::Http, "intern", 8080));
        assert!(!policy.may_be_private(Scheme::Https, "intern", 8080));
    }

    #[test]
    fn a_policy_that_makes_no_sense_is_refused_with_its_place() {
        for (text, says) in [
            ("alow = {}", "unknown field `alow`"),
            ("grant = { htp = [] }", "unknown field `htp`"),
            ("grant = { http = [\"a b\"] }", "grant of the policy"),
            ("[secrets]\nK = { hosts = [\"a.b\"] }", "secrets.K of the policy needs either"),
            ("[secrets]\nK = { from_env = \"K\", hosts = [] }", "has no hosts"),
            ("[dirs]\n\"in\" = \"/srv\"", "dirs of the policy"),
            ("[modules.m.env]\n\"1\" = \"x\"", "modules.m.env of the policy"),
        ] {
            let refused = Policy::read(text, PolicyForm::Toml).unwrap_err();
            let cause = std::error::Error::source(&refused).map(ToString::to_string);
            let told = format!("{refused}: {}", cause.unwrap_or_default());
            assert!(told.contains(says), "{told}");
        }
        assert!(Policy::read("{\"grant\":{}}", PolicyForm::Json).is_ok());
        assert!(Policy::read("{\"grants\":{}}", PolicyForm::Json).is_err());
    }
}
