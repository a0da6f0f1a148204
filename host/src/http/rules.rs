//! Who may call what: one row for each route. `docs/access.md` shows the same, and a test walks it with every role.
//!
//! A route below `/v1` that has no row here is the admin's alone, so that one that was forgotten is closed.

use axum::http::Method;

use crate::model::Role;

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Open,
    /// A page of the dashboard: to read.
    Page,
    /// To see what there is.
    Read,
    /// To see one execution, which whoever started it may too.
    Follow,
    /// To start executions.
    Start,
    /// To act on what runs.
    Operate,
    /// To change what can run.
    Deploy,
    /// To say who may do what, and to see who did.
    Admin,
}

impl Need {
    /// The roles that have it.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Open | Self::Follow => &Role::ALL,
            Self::Page | Self::Read => &[Role::Read, Role::Operate, Role::Deploy, Role::Admin],
            Self::Start => &[Role::Start, Role::Admin],
            Self::Operate => &[Role::Operate, Role::Admin],
            Self::Deploy => &[Role::Deploy, Role::Admin],
            Self::Admin => &[Role::Admin],
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The method; HEAD is taken for GET.
    pub method: &'static str,
    /// The route, as it stands among the routes.
    pub route: &'static str,
    /// What it needs.
    pub need: Need,
    /// What the audit log calls it; nothing for what changes nothing.
    pub action: &'static str,
}

impl Rule {
    /// Whether a browser may show what is answered to a person, who can log in and read why not.
    pub(super) fn is_page(&self) -> bool {
        self.method == "GET" && self.need != Need::Open && !self.route.starts_with("/v1/")
    }
}

const fn see(route: &'static str, need: Need) -> Rule {
    Rule { method: "GET", route, need, action: "" }
}

const fn post(route: &'static str, need: Need, action: &'static str) -> Rule {
    Rule { method: "POST", route, need, action }
}

const fn put(route: &'static str, need: Need, action: &'static str) -> Rule {
    Rule { method: "PUT", route, need, action }
}

const fn delete(route: &'static str, need: Need, action: &'static str) -> Rule {
    Rule { method: "DELETE", route, need, action }
}

/// Every route but the pages of the dashboard that are to read.
pub const RULES: &[Rule] = &[
    see("/health", Need::Open),
    see("/ready", Need::Open),
    see("/openapi.json", Need::Open),
    see("/assets/{file}", Need::Open),
    see("/login", Need::Open),
    post("/login", Need::Open, "login"),
    post("/logout", Need::Open, "logout"),
    see("/metrics", Need::Read),
    see("/keys", Need::Admin),
    see("/audit", Need::Admin),
    see("/v1/modules", Need::Read),
    see("/v1/modules/{module}", Need::Read),
    put("/v1/modules/{module}", Need::Deploy, "module.deploy"),
    post("/v1/modules/{module}/activate", Need::Deploy, "module.activate"),
    see("/v1/modules/{module}/grants", Need::Read),
    put("/v1/modules/{module}/grants", Need::Deploy, "module.grant"),
    post("/v1/executions", Need::Start, "execution.start"),
    see("/v1/executions", Need::Read),
    post("/v1/bulk/cancel", Need::Operate, "bulk.cancel"),
    post("/v1/bulk/retry", Need::Operate, "bulk.retry"),
    post("/v1/bulk/pause", Need::Operate, "bulk.pause"),
    post("/v1/bulk/resume", Need::Operate, "bulk.resume"),
    see("/v1/events", Need::Read),
    see("/v1/executions/{id}", Need::Follow),
    see("/v1/executions/{id}/journal", Need::Follow),
    see("/v1/executions/{id}/logs", Need::Follow),
    see("/v1/executions/{id}/events", Need::Follow),
    see("/v1/executions/{id}/result", Need::Follow),
    post("/v1/executions/{id}/signals/{name}", Need::Operate, "execution.signal"),
    post("/v1/executions/{id}/cancel", Need::Operate, "execution.cancel"),
    post("/v1/executions/{id}/retry", Need::Operate, "execution.retry"),
    post("/v1/executions/{id}/pause", Need::Operate, "execution.pause"),
    post("/v1/executions/{id}/resume", Need::Operate, "execution.resume"),
    see("/v1/dead-letters", Need::Read),
    see("/v1/dead-letters/counts", Need::Read),
    post("/v1/dead-letters/replay", Need::Operate, "dead-letters.replay"),
    post("/v1/dead-letters/discard", Need::Operate, "dead-letters.discard"),
    see("/v1/dead-letters/{id}", Need::Read),
    delete("/v1/dead-letters/{id}", Need::Operate, "dead-letter.discard"),
    post("/v1/dead-letters/{id}/replay", Need::Operate, "dead-letter.replay"),
    see("/v1/tasks", Need::Read),
    see("/v1/tasks/{id}", Need::Read),
    see("/v1/queues", Need::Read),
    post("/v1/queues/{name}/pause", Need::Operate, "queue.pause"),
    post("/v1/queues/{name}/resume", Need::Operate, "queue.resume"),
    see("/v1/schedules", Need::Read),
    see("/v1/schedules/{name}", Need::Read),
    put("/v1/schedules/{name}", Need::Operate, "schedule.put"),
    delete("/v1/schedules/{name}", Need::Operate, "schedule.remove"),
    post("/v1/schedules/{name}/pause", Need::Operate, "schedule.pause"),
    post("/v1/schedules/{name}/resume", Need::Operate, "schedule.resume"),
    post("/v1/schedules/{name}/trigger", Need::Operate, "schedule.trigger"),
    post("/v1/cleanup", Need::Operate, "cleanup"),
    see("/v1/hosts", Need::Read),
    see("/v1/stats", Need::Read),
    see("/v1/keys", Need::Admin),
    post("/v1/keys", Need::Admin, "key.create"),
    delete("/v1/keys/{id}", Need::Admin, "key.revoke"),
    see("/v1/audit", Need::Admin),
];

/// The rule for a request that has met this route; for one that has met none, there is nothing to keep.
pub(super) fn rule(method: &Method, route: Option<&str>) -> Rule {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    route.map_or(see("", Need::Open), |route| rule_of(method, route))
}

/// The rule for a request by that method to that route.
pub(super) fn rule_of(method: &str, route: &str) -> Rule {
    let found = RULES.iter().find(|rule| rule.route == route && rule.method == method);
    let unnamed = || match (route.starts_with("/v1/"), method) {
        (true, "GET") => see("/v1/", Need::Admin),
        (false, "GET") => see("", Need::Page),
        _changing => post("", Need::Admin, "unnamed"),
    };
    found.copied().unwrap_or_else(unnamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_has_a_name_in_the_audit_log() {
        for rule in RULES {
            assert_eq!(rule.method == "GET", rule.action.is_empty(), "{rule:?}");
        }
    }

    #[test]
    fn no_route_has_two_rules() {
        for (at, rule) in RULES.iter().enumerate() {
            let same = |other: &&Rule| (other.method, other.route) == (rule.method, rule.route);
            assert!(!RULES[at + 1..].iter().any(|other| same(&other)), "{rule:?}");
        }
    }

    #[test]
    fn what_is_forgotten_is_closed() {
        assert_eq!(rule(&Method::POST, Some("/v1/forgotten")).need, Need::Admin);
        assert_eq!(rule(&Method::DELETE, Some("/v1/modules")).need, Need::Admin);
        assert_eq!(rule(&Method::POST, Some("/forgotten")).need, Need::Admin);
        assert_eq!(rule(&Method::GET, Some("/executions/{id}")).need, Need::Page);
        assert_eq!(rule(&Method::HEAD, Some("/health")).need, Need::Open);
    }

    #[test]
    fn pages_are_what_a_browser_shows() {
        let is_page = |route| rule_of("GET", route).is_page();
        assert!(["/", "/keys", "/audit", "/executions/{id}", "/metrics"].into_iter().all(is_page));
        assert!(!["/health", "/login", "/v1/keys", "/v1/forgotten"].into_iter().any(is_page));
        assert!(!rule_of("POST", "/keys").is_page());
    }
}
