//! How a module stands: what it wants, what it was granted, and what changed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Reach;
use crate::model::{Capabilities, Timestamp};

/// What an operator granted to the modules of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What.
    pub granted: Capabilities,
    /// Who, as they said.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How the active module of a name stands. All of it is texts, for people and machines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// What it declares.
    pub wants: Capabilities,
    /// What is granted to its name: by people, and by the policy of the host.
    pub granted: Capabilities,
    /// What it wants and was not granted.
    pub missing: Capabilities,
    /// What it wants and the policy of this host lets nobody grant. All of it is missing too.
    pub forbidden: Capabilities,
    /// What it has, and this host does not know what stands behind it: no folder, value or source is set up.
    pub unprovided: Capabilities,
    /// What the version before did not want.
    pub added: Capabilities,
    /// What only the version before wanted.
    pub dropped: Capabilities,
    /// Who of the people granted last, as they said.
    pub granted_by: Option<String>,
    /// And when.
    pub granted_at: Option<Timestamp>,
}

impl Standing {
    /// Compares. `granted` counts everything granted, whoever did it; `allowed` bounds it where there is a bound.
    pub fn of(wants: &Reach, granted: &Reach, allowed: Option<&Reach>, before: &Reach) -> Self {
        let forbidden = allowed.map_or_else(Reach::default, |allowed| wants.beyond(allowed));
        let missing = wants.beyond(granted).with(&forbidden);
        Self {
            wants: wants.told(),
            granted: granted.told(),
            missing: missing.told(),
            forbidden: forbidden.told(),
            unprovided: Capabilities::default(),
            added: wants.beyond(before).told(),
            dropped: before.beyond(wants).told(),
            granted_by: None,
            granted_at: None,
        }
    }

    /// Whether it was granted all that it wants.
    pub fn is_whole(&self) -> bool {
        self.missing == Capabilities::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(texts: &[&str]) -> Reach {
        let http = texts.iter().map(|text| (*text).to_owned()).collect();
        Reach::read(&Capabilities { http, ..Capabilities::default() }).unwrap()
    }

    #[test]
    fn a_new_version_shows_what_it_wants_beyond_the_one_before_and_beyond_its_grant() {
        let before = reach(&["a.b", "old.b"]);
        let wants = reach(&["a.b", "new.b", "never.c"]);

        let standing =
            Standing::of(&wants, &reach(&["a.b", "never.c"]), Some(&reach(&["*.b"])), &before);

        assert_eq!(standing.added.http, ["new.b:443", "never.c:443"]);
        assert_eq!(standing.dropped.http, ["old.b:443"]);
        assert_eq!(standing.missing.http, ["new.b:443", "never.c:443"]);
        assert_eq!(standing.forbidden.http, ["never.c:443"]);
        assert!(!standing.is_whole());
    }

    #[test]
    fn a_module_that_wants_nothing_is_whole() {
        let nothing = Reach::default();
        assert!(Standing::of(&nothing, &nothing, None, &nothing).is_whole());
    }
}
