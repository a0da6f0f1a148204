//! What the attempts of a module have of the world: what it declares, as far as it is granted, with what stands behind it
//! on this host.

use std::path::PathBuf;

use crate::model::{DirWant, EnvName, Failure, HttpTarget, Mode, Name, Payload, Reach, kind};
use crate::sandbox::outside::Outside;

use super::secret::Held;

/// What the attempts of a module have. It is made anew when a grant changes, and costs nothing where a module wants nothing.
#[derive(Debug)]
pub struct Equipment {
    /// All that it goes by; the first is what people are told.
    names: Vec<Name>,
    wants: Reach,
    granted: Reach,
    allowed: Option<Reach>,
    pub(super) dirs: Vec<Folder>,
    pub(super) env: Vec<(EnvName, String)>,
    pub(super) secrets: Vec<Held>,
    unprovided: Reach,
}

/// A folder of this machine as a directory of the guest.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) seen_as: String,
    pub(super) path: PathBuf,
    pub(super) mode: Mode,
}

/// A request, as far as it is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) to: &'a super::egress::Destination,
}

impl Equipment {
    /// Puts together what a module has that wants `wants` and was granted `by_people` beside what the policy grants.
    pub(in crate::sandbox) fn of(
        outside: &Outside,
        names: &[Name],
        wants: &Reach,
        by_people: &Reach,
    ) -> Self {
        let policy = outside.policy();
        let mut equipment = Self {
            names: names.to_vec(),
            wants: wants.clone(),
            granted: policy.granted(names, by_people),
            allowed: policy.allowed().cloned(),
            dirs: Vec::new(),
            env: Vec::new(),
            secrets: Vec::new(),
            unprovided: Reach::default(),
        };
        wants.dir.iter().for_each(|want| equipment.add_dir(outside, want));
        wants.env.iter().for_each(|name| equipment.add_env(outside, name));
        wants.secret.iter().for_each(|name| equipment.add_secret(outside, name));
        equipment
    }

    /// What the module has, and this host does not know what stands behind it.
    pub fn unprovided(&self) -> &Reach {
        &self.unprovided
    }

    fn name(&self) -> &str {
        self.names.first().map_or("of no name", Name::as_str)
    }

    fn add_dir(&mut self, outside: &Outside, want: &DirWant) {
        let Some(mode) = self.mode_of(want) else { return };
        match outside.folder(&self.names, &want.path) {
            Some(path) => {
                self.dirs.push(Folder { seen_as: want.path.clone(), path, mode });
            }
            None => self.unprovided.dir.push(want.clone()),
        }
    }

    /// The most that both the module and its grants say.
    fn mode_of(&self, want: &DirWant) -> Option<Mode> {
        let most = |reach: &Reach| {
            let same = reach.dir.iter().filter(|dir| dir.path == want.path);
            same.map(|dir| dir.mode).max()
        };
        let granted = most(&self.granted)?;
        let allowed = match &self.allowed {
            Some(allowed) => most(allowed)?,
            None => Mode::ReadWrite,
        };
        Some(want.mode.min(granted).min(allowed))
    }

    fn add_env(&mut self, outside: &Outside, name: &EnvName) {
        if !self.has(|reach| reach.env.contains(name)) {
            return;
        }
        match outside.policy().env(&self.names, name.as_str()) {
            Some(value) => self.env.push((name.clone(), value.to_owned())),
            None => self.unprovided.env.push(name.clone()),
        }
    }

    fn add_secret(&mut self, outside: &Outside, name: &EnvName) {
        if !self.has(|reach| reach.secret.contains(name)) {
            return;
        }
        match outside.secret(&self.names, name) {
            Some(held) => self.secrets.push(held),
            None => self.unprovided.secret.push(name.clone()),
        }
    }

    fn has(&self, holds: impl Fn(&Reach) -> bool) -> bool {
        holds(&self.granted) && self.allowed.as_ref().is_none_or(&holds)
    }

    /// Whether a request may be made. The answer names the capability and the way out.
    pub(super) fn permits(&self, request: Request<'_>) -> Result<(), String> {
        let Request { method, to } = request;
        let permits = |targets: &[HttpTarget]| {
            targets.iter().any(|target| target.permits(method, to.scheme, &to.host, to.port))
        };
        if !permits(&self.wants.http) {
            return Err(undeclared(request));
        }
        if !permits(&self.granted.http) {
            return Err(format!(
                "http {method} {to} is not granted to module {module}: `stepwell grant {module}` grants what it declares",
                module = self.name()
            ));
        }
        if !self.allowed.as_ref().is_none_or(|allowed| permits(&allowed.http)) {
            return Err(format!(
                "http {method} {to} is not among what the policy of this host allows (allow.http)"
            ));
        }
        Ok(())
    }

    /// A failure of an attempt, which says what the module wants and does not have: a guest only finds that a file or a
    /// variable is not there.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        let mut missing = self.wants.beyond(&self.granted);
        if let Some(allowed) = &self.allowed {
            missing = missing.with(&self.wants.beyond(allowed));
        }
        // Requests say so themselves.
        missing.http.clear();
        let missing = about(missing, &failure);
        let unprovided = about(self.unprovided.clone(), &failure);
        let mut causes = Vec::new();
        if !missing.is_empty() {
            causes.push(format!(
                "not granted to module {module}: {missing} (`stepwell grant {module}` grants what it declares)",
                module = self.name()
            ));
        }
        if !unprovided.is_empty() {
            causes.push(format!(
                "granted, but the policy of this host does not say what stands behind it: {unprovided}"
            ));
        }
        if causes.is_empty() {
            return failure;
        }
        let message = format!("{} [{}]", failure.message, causes.join("; "));
        let explained = Failure::new(failure.kind, message);
        match failure.details {
            Some(details) => explained.with_details(details),
            None => explained,
        }
    }

    /// The failure of an attempt whose folder is not there.
    pub(super) fn without_folder(seen_as: &str, why: &str) -> Failure {
        Failure::new(
            kind::NOT_GRANTED,
            format!("the folder behind directory {seen_as} cannot be opened on this host: {why}"),
        )
        .with_details(Payload::null())
    }
}

/// What a module is told that asks for what it does not declare.
pub(super) fn undeclared(Request { method, to }: Request<'_>) -> String {
    format!(
        "http {method} {to} is not declared: write capabilities: {{ http = [\"{to}\"] }} in module!, and deploy it with \
         --grant"
    )
}
/// What of it a failure may have to do with: a guest that misses something says its name, or what its libraries say of what is
/// not there; one that broke says nothing.
fn about(mut reach: Reach, failure: &Failure) -> Reach {
    let broke = failure.kind == kind::TRAPPED;
    let says = |word: &str| broke || failure.message.contains(word);
    let no_variable = says("environment variable");
    reach.env.retain(|name| no_variable || says(name.as_str()));
    reach.secret.retain(|name| no_variable || says(name.as_str()));
    let no_file = says("os error") || says("pre-opened");
    reach.dir.retain(|want| no_file || says(&want.path));
    reach
}
