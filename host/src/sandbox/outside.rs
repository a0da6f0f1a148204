//! What this host knows of the world outside: the policy, the folders and values behind what it grants, and the way out.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use super::SandboxError;
use super::step::egress::{
    Links, PolicyResolver, Resolve, SystemResolver, Trust, goes_in_the_open,
};
use super::step::secret::{Held, Secret};
use crate::model::{EnvName, Limits, Name, Policy, SecretRule, SecretSource};

/// What a sandbox is told of the world outside. The default grants nothing.
#[derive(Clone)]
pub struct OutsideConfig {
    /// What may be granted, and what stands behind it.
    pub policy: Arc<Policy>,
    /// The host's own folder, which no guest may be given.
    pub data: Option<PathBuf>,
    /// Certificates in PEM that requests trust beside those of the machine.
    pub ca: Option<PathBuf>,
    /// What is asked for the addresses of a host that the policy does not name.
    pub resolver: Arc<dyn Resolve>,
    /// The environment of the host, from which secrets may come.
    pub environment: fn(&str) -> Option<String>,
}

impl Default for OutsideConfig {
    fn default() -> Self {
        Self {
            policy: Arc::default(),
            data: None,
            ca: None,
            resolver: Arc::new(SystemResolver::default()),
            environment: |_name| None,
        }
    }
}

impl fmt::Debug for OutsideConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutsideConfig").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// The same, checked, with every folder found and every value of the environment read.
#[derive(Debug)]
pub(super) struct Outside {
    policy: Arc<Policy>,
    /// Where a folder of the policy really is.
    folders: BTreeMap<PathBuf, PathBuf>,
    /// By the name of the variable.
    values: BTreeMap<String, Secret>,
    /// None outside a runtime with I/O: then nothing goes out.
    links: Option<Arc<Links>>,
}

impl Outside {
    pub(super) fn open(config: OutsideConfig, limits: &Limits) -> Result<Self, SandboxError> {
        let OutsideConfig { policy, data, ca, resolver, environment } = config;
        let trust = Trust::with(ca.as_deref()).map_err(|error| {
            let file = ca.unwrap_or_default();
            unusable(format!("certificates cannot be read from {}: {error}", file.display()))
        })?;
        let links = Handle::try_current().ok().map(|io| {
            Arc::new(Links {
                resolver: Arc::new(PolicyResolver::new(Arc::clone(&policy), resolver)),
                policy: Arc::clone(&policy),
                trust,
                limits: limits.egress.clone(),
                io,
            })
        });
        let mut outside = Self {
            folders: folders(&policy, data.as_deref())?,
            values: BTreeMap::new(),
            policy: Arc::clone(&policy),
            links,
        };
        for (name, rule) in policy.secrets() {
            outside.check_secret(name, rule, environment)?;
        }
        Ok(outside)
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(super) fn links(&self) -> Option<&Arc<Links>> {
        self.links.as_ref()
    }

    /// Where the folder behind a directory of a module is.
    pub(super) fn folder(&self, names: &[Name], path: &str) -> Option<PathBuf> {
        self.folders.get(self.policy.dir(names, path)?).cloned()
    }

    /// A secret of a module, as it is now.
    pub(super) fn secret(&self, names: &[Name], name: &EnvName) -> Option<Held> {
        let rule = self.policy.secret(names, name.as_str())?;
        let value = match &rule.source {
            SecretSource::Env(variable) => self.values.get(variable).cloned(),
            SecretSource::File(file) => read(file)
                .inspect_err(
                    |why| tracing::warn!(secret = %name, "Secret {name} cannot be used: {why}"),
                )
                .ok(),
        };
        Some(Held { name: name.clone(), value: value?, rule: rule.clone() })
    }

    fn check_secret(
        &mut self,
        name: &str,
        rule: &SecretRule,
        environment: fn(&str) -> Option<String>,
    ) -> Result<(), SandboxError> {
        let bad = |why: String| unusable(format!("secret {name} {why}"));
        match &rule.source {
            SecretSource::File(file) => {
                read(file).map_err(bad)?;
                let really = file.canonicalize().unwrap_or_else(|_gone| file.clone());
                let folder = self.folders.iter().find(|(_, folder)| really.starts_with(folder));
                if let Some((folder, _)) = folder {
                    return Err(bad(format!(
                        "comes from {}, which lies in {}, a folder that guests may be given: keep it elsewhere",
                        file.display(),
                        folder.display()
                    )));
                }
            }
            SecretSource::Env(variable) => {
                let value = environment(variable).map(Zeroizing::new);
                let value = value.ok_or_else(|| {
                    bad(format!("comes from the variable {variable}, which is not set"))
                })?;
                let value = Secret::new(value).map_err(|why| bad(why.to_owned()))?;
                self.values.insert(variable.clone(), value);
            }
        }
        if goes_in_the_open(&rule.hosts) {
            tracing::warn!(
                secret = name,
                "Secret {name} may be sent without TLS: one of its hosts is http://"
            );
        }
        Ok(())
    }
}

fn unusable(what: String) -> SandboxError {
    SandboxError::Policy { what }
}

/// Why it is none never says what it is.
fn read(file: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = text.map_err(|error| format!("cannot be read from {}: {error}", file.display()))?;
    let value = text
        .strip_suffix('\n')
        .map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    Secret::new(Zeroizing::new(value.to_owned())).map_err(str::to_owned)
}

/// Finds every folder of a policy. None may hold the host's own, or lie in it: a guest would read what the host keeps.
fn folders(
    policy: &Policy,
    data: Option<&Path>,
) -> Result<BTreeMap<PathBuf, PathBuf>, SandboxError> {
    let data = data.and_then(|data| data.canonicalize().ok());
    let mut found = BTreeMap::new();
    for (path, folder) in policy.dirs() {
        let at = |error: std::io::Error| {
            unusable(format!("the folder {} behind directory {path}: {error}", folder.display()))
        };
        // That it is a folder, and can be opened.
        Dir::open_ambient_dir(folder, ambient_authority()).map_err(at)?;
        let really = folder.canonicalize().map_err(at)?;
        if data.as_ref().is_some_and(|data| data.starts_with(&really) || really.starts_with(data)) {
            return Err(unusable(format!(
                "the folder {} behind directory {path} holds this host's own data: choose another",
                folder.display()
            )));
        }
        found.insert(folder.to_owned(), really);
    }
    apart(&found)?;
    Ok(found)
}

/// None may lie in another: who may write to the outer one could put a link in the place of the inner one.
fn apart(folders: &BTreeMap<PathBuf, PathBuf>) -> Result<(), SandboxError> {
    for (folder, really) in folders {
        let inner = folders.iter().find(|(_, other)| *other != really && other.starts_with(really));
        if let Some((inner, _)) = inner {
            return Err(unusable(format!(
                "the folder {} lies in the folder {}, and both stand behind directories: choose another, a guest that may \
                 write to the outer one could lead the inner one anywhere",
                inner.display(),
                folder.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PolicyForm;

    fn open(policy: &str, data: Option<PathBuf>) -> Result<Outside, String> {
        let policy = Arc::new(Policy::read(policy, PolicyForm::Toml).unwrap());
        let environment = |name: &str| match name {
            "SHORT" => Some("short".to_owned()),
            "LONG" => Some("long enough".to_owned()),
            _ => None,
        };
        let config = OutsideConfig { policy, data, environment, ..OutsideConfig::default() };
        Outside::open(config, &Limits::for_cores(1)).map_err(|error| error.to_string())
    }

    fn secret(source: &str) -> Result<Outside, String> {
        open(&format!("[secrets]\nKEY = {{ {source}, hosts = [\"a.b\"] }}"), None)
    }

    #[test]
    fn a_secret_without_a_value_keeps_a_host_from_starting_and_is_not_told() {
        assert!(secret("from_env = \"LONG\"").is_ok());
        assert!(secret("from_env = \"OTHER\"").unwrap_err().contains("OTHER, which is not set"));
        let short = secret("from_env = \"SHORT\"").unwrap_err();
        assert!(short.contains("fewer than 8 bytes") && !short.contains("short"), "{short}");
        assert!(secret("from_file = \"/nowhere/key\"").unwrap_err().contains("/nowhere/key"));
    }

    #[test]
    fn a_secret_of_a_file_is_its_line_and_follows_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "the first value\r\n").unwrap();
        let outside = secret(&format!("from_file = {file:?}")).unwrap();
        let (names, name) = ([Name::new("m").unwrap()], "KEY".parse().unwrap());

        let first = outside.secret(&names, &name).unwrap();
        std::fs::write(&file, "the second value").unwrap();
        let second = outside.secret(&names, &name).unwrap();

        assert_eq!(first.value.reveal(), "the first value");
        assert_eq!(second.value.reveal(), "the second value");
        assert!(!format!("{first:?}{outside:?}").contains("first value"));
    }

    #[test]
    fn no_folder_lies_in_another_or_holds_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("work/in")).unwrap();
        std::fs::create_dir(at("out")).unwrap();
        std::fs::write(at("out/key"), "a value of a secret").unwrap();

        let nested = format!("[dirs]\n\"/a\" = {:?}\n\"/b\" = {:?}", at("work"), at("work/in"));
        let beside = format!("[dirs]\n\"/a\" = {:?}\n\"/b\" = {:?}", at("work"), at("out"));
        let same = format!("[dirs]\n\"/a\" = {:?}\n\"/b\" = {:?}", at("out"), at("out"));
        let key =
            format!("[secrets]\nKEY = {{ from_file = {:?}, hosts = [\"a.b\"] }}", at("out/key"));

        assert!(open(&nested, None).unwrap_err().contains("lies in the folder"));
        assert!(open(&beside, None).is_ok() && open(&same, None).is_ok());
        let kept = open(&format!("{beside}\n{key}"), None).unwrap_err();
        assert!(kept.contains("keep it elsewhere") && !kept.contains("a value"), "{kept}");
    }

    #[test]
    fn no_folder_holds_the_hosts_own_data() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir_all(data.join("cache")).unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let open = |name: &str| {
            let path = folder.path().join(name);
            open(&format!("[dirs]\n\"/in\" = {path:?}"), Some(data.clone()))
        };

        assert!(open("in").is_ok());
        for name in ["data", "data/cache", ".", "in/../data"] {
            assert!(open(name).unwrap_err().contains("own data"), "{name}");
        }
        assert!(open("missing").is_err());
    }
}
