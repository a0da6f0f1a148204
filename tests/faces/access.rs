//! Who may call what: the table of `docs/access.md` against a host that asks for keys.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::json;
use stepwell::dispatch::KeyOrder;
use stepwell::model::{Key, Role};

use crate::front::{Answer, Front, nobody};

/// The table's columns, behind the one for no key.
const ROLES: [Role; 5] = [Role::Read, Role::Start, Role::Operate, Role::Deploy, Role::Admin];

/// A row of the table.
#[derive(Debug)]
struct Promised {
    method: Method,
    route: String,
    without: bool,
    by_role: [bool; 5],
}

impl Promised {
    /// Something that can be asked for.
    fn path(&self) -> String {
        let path = self.route.replace("/executions/{id}", &format!("/executions/{}", nobody()));
        let path = path.replace("/keys/{id}", "/keys/0123456789abcdef").replace("{id}", "7");
        let path = path.replace("{file}", "style.css").replace("{name}", "nothing");
        let path = path.replace("{module}", "nothing");
        if path.ends_with("/events") { format!("{path}?for=1ms") } else { path }
    }
}

fn table() -> Vec<Promised> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/access.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let (_, table) = page.split_once("## Who may call what").expect("its part");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(row).collect()
}

fn row(line: &str) -> Promised {
    let (what, cells) = line.split_once("` | ").expect("a route");
    let (method, route) = what.split_once(' ').expect("a method and a path");
    let cells: Vec<_> =
        cells.trim_end_matches('|').split('|').map(|cell| cell.trim() == "yes").collect();
    let cells: [bool; 6] = cells.try_into().expect("a cell for no key, and one for each role");
    let [without, by_role @ ..] = cells;
    let method = method.parse().expect("a method");
    Promised { method, route: route.to_owned(), without, by_role }
}

/// Requests, each from an address of its own: who shows many wrong keys has to wait.
struct Asking {
    front: Front,
    addresses: AtomicU32,
}

impl Asking {
    async fn new() -> Self {
        Self { front: Front::locked().await, addresses: AtomicU32::new(0x0a00_0000) }
    }

    async fn key(&self, role: Role) -> Key {
        let name = role.to_string();
        let order = KeyOrder { name, roles: vec![role], workflows: Vec::new() };
        self.front.dispatch.create_key(order).await.expect("it is made").0
    }

    async fn ask(&self, promised: &Promised, key: Option<&str>) -> Answer {
        let address = self.addresses.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let address = std::net::IpAddr::from(address).to_string();
        let request = self.front.request(promised.method.clone(), &promised.path());
        let request = request.header("x-forwarded-for", address);
        let request = match key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        self.front.send(request).await
    }
}

/// 401 and 403 are the guard's; everything else comes from behind it.
fn passed(answer: &Answer) -> bool {
    !matches!(answer.status.as_u16(), 401 | 403)
}

fn is_unauthorized(answer: &Answer) -> bool {
    answer.status == 401 && answer.json()["type"] == "urn:stepwell:problem:unauthorized"
}

fn is_told_the_role(answer: &Answer) -> bool {
    answer.status == 403 && answer.text.contains("this needs a key with the role")
}

#[tokio::test]
async fn each_role_passes_where_the_table_says_so_and_nowhere_else() {
    let asking = Asking::new().await;
    // The first one must be an admin's, and the routes that act on keys find none that is needed below.
    let mut keys = vec![asking.key(Role::Admin).await];
    for role in &ROLES[..4] {
        keys.push(asking.key(*role).await);
    }
    keys.rotate_left(1);
    let table = table();
    assert!(table.len() > 60, "only {} rows were read", table.len());

    for promised in table.iter().filter(|promised| !is_of_sessions(&promised.route)) {
        for ((key, role), expected) in keys.iter().zip(ROLES).zip(promised.by_role) {
            let answer = asking.ask(promised, Some(&key.reveal())).await;
            let what = format!("{} {} with the role {role}", promised.method, promised.route);
            assert_eq!(passed(&answer), expected, "{what}: {answer:?}");
            assert!(expected || is_told_the_role(&answer), "{what}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn no_key_a_wrong_one_and_a_revoked_one_pass_where_nothing_is_needed() {
    let asking = Asking::new().await;
    let admin = asking.key(Role::Admin).await;
    let revoked = asking.key(Role::Admin).await;
    asking.front.dispatch.revoke_key(revoked.id()).await.expect("it is revoked");
    let another: String = format!("{}{}", admin.id().prefix(), "_").to_owned() + &"0".repeat(64);
    let never_made = format!("sw_{}_{}", "0".repeat(16), "1".repeat(64));
    let (revoked, admin) = (revoked.reveal(), admin.reveal());
    // With the id of one that is good; of no row; revoked; of no key's form; cut short; with a space; empty.
    let wrong = [&another, &never_made, &*revoked, "0", &admin[..admin.len() - 1], "a b", ""];

    for promised in table().iter().filter(|promised| !is_of_sessions(&promised.route)) {
        let what = format!("{} {}", promised.method, promised.route);
        let answer = asking.ask(promised, None).await;
        assert_eq!(passed(&answer), promised.without, "{what} without a key: {answer:?}");
        assert!(passed(&answer) || is_unauthorized(&answer), "{what}: {answer:?}");
        for key in wrong {
            let answer = asking.ask(promised, Some(key)).await;
            assert_eq!(passed(&answer), promised.without, "{what} with {key:?}: {answer:?}");
            assert!(passed(&answer) || is_unauthorized(&answer), "{what}: {answer:?}");
        }
    }
}

/// They have tests of their own.
fn is_of_sessions(route: &str) -> bool {
    matches!(route, "/login" | "/logout")
}

#[tokio::test]
async fn the_table_has_every_route_that_there_is() {
    let front = Front::open().await;
    let document = front.read("/openapi.json").await.json();
    let listed: BTreeSet<_> =
        table().iter().map(|row| format!("{} {}", row.method, row.route)).collect();

    let paths = document["paths"].as_object().expect("paths");
    let described = paths.iter().flat_map(|(path, operations)| {
        let methods = operations.as_object().expect("operations").keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    // A name within braces is the document's own affair.
    let unnamed = |route: &str| {
        let parts = route.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
        parts.collect::<Vec<_>>().join("/")
    };
    let known: BTreeSet<_> = listed.iter().map(|route| unnamed(route)).collect();

    let missing: Vec<_> = described.filter(|route| !known.contains(&unnamed(route))).collect();
    assert!(missing.is_empty(), "docs/access.md says nothing of {missing:?}");
    assert!(paths.len() > 40, "only {} paths were found", paths.len());
}

/// The routes of the dashboard and of its sessions, which no document describes, as its source has them.
fn of_the_dashboard() -> BTreeSet<String> {
    let room = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http"));
    let mut folders = vec![room.to_owned()];
    let mut routes = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("a source");
            routes.extend(source.split(".route(\"").skip(1).flat_map(routed));
        }
    }
    routes
}

/// The methods and the path of a route, from its path on.
fn routed(source: &str) -> Vec<String> {
    let (path, rest) = source.split_once('"').expect("a path is a text");
    let line = rest.lines().next().unwrap_or_default();
    let line = line.split(".route(").next().unwrap_or_default();
    let words: Vec<_> = line.split('(').filter_map(|word| word.rsplit([' ', '.']).next()).collect();
    let methods = words.iter().filter(|word| matches!(**word, "get" | "post" | "put" | "delete"));
    let found: Vec<_> = methods.map(|method| format!("{} {path}", method.to_uppercase())).collect();
    assert!(!found.is_empty(), "no method of {path} was read in {line:?}");
    found
}

#[test]
fn the_table_has_every_page_of_the_dashboard() {
    let listed: BTreeSet<_> =
        table().iter().map(|row| format!("{} {}", row.method, row.route)).collect();

    let routes = of_the_dashboard();

    let missing: Vec<_> = routes.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/access.md says nothing of {missing:?}");
    for known in
        ["GET /", "GET /executions/{id}/entries", "GET /login", "POST /login", "POST /logout"]
    {
        assert!(routes.contains(known), "{known} was not read: {routes:?}");
    }
    // What is of neither the API nor the dashboard is no route at all.
    let of_pages = listed.iter().filter(|route| !route.contains(" /v1/"));
    let beside = ["GET /health", "GET /ready", "GET /metrics"];
    let gone: Vec<_> = of_pages.filter(|route| !routes.contains(*route)).collect();
    assert_eq!(gone, beside.iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_no_route_tells_nothing_to_strangers() {
    let asking = Asking::new().await;
    for (method, route, status) in [
        (Method::GET, "/v1/nothing", 404),
        (Method::PATCH, "/v1/executions", 401),
        (Method::DELETE, "/v1/modules", 401),
        (Method::OPTIONS, "/v1/executions", 401),
        (Method::HEAD, "/v1/executions", 401),
        (Method::HEAD, "/health", 200),
    ] {
        let promised =
            Promised { method, route: route.to_owned(), without: false, by_role: [false; 5] };
        let answer = asking.ask(&promised, None).await;
        assert_eq!(answer.status.as_u16(), status, "{promised:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_limited_to_workflows_starts_these_and_follows_these() {
    let front = Front::locked().await;
    front.module("shop", &[("checkout", json!(true)), ("refund", json!(true))]).await;
    let order = |roles: &[Role], workflows: &[&str]| KeyOrder {
        name: "a key".to_owned(),
        roles: roles.to_vec(),
        workflows: workflows.iter().map(|name| name.parse().expect("a name")).collect(),
    };
    let admin = front.dispatch.create_key(order(&[Role::Admin], &[])).await.expect("a key").0;
    let limited =
        front.dispatch.create_key(order(&[Role::Start], &["refund"])).await.expect("a key").0;
    let with = |key: &Key, method, path: &str| {
        front.request(method, path).bearer_auth(key.reveal().as_str())
    };
    let start = async |key: &Key, body: &str| {
        front.send(with(key, Method::POST, "/v1/executions").body(body.to_owned())).await
    };

    let refused = start(&limited, r#"{"workflow":"checkout"}"#).await.problem(403, "forbidden");
    assert!(refused.contains("refund") && refused.contains(&limited.id().prefix()), "{refused}");
    let own = start(&limited, r#"{"workflow":"refund"}"#).await;
    assert_eq!(own.status, 201, "{own:?}");
    let other = start(&admin, r#"{"workflow":"checkout"}"#).await.json();
    let many = r#"{"executions":[{"workflow":"checkout"},{"workflow":"refund"}]}"#;
    let many = start(&limited, many).await.json();
    assert_eq!(many["executions"][0]["error"]["status"], 403, "{many}");
    assert_eq!(many["executions"][1]["created"], true, "{many}");

    for (execution, expected) in [(own.json(), true), (other, false)] {
        let id = execution["id"].as_str().expect("an id").to_owned();
        // The second id has one digit that is written as a path may have it.
        let encoded = format!("%{:02x}{}", id.as_bytes()[0], &id[1..]);
        let paths = ["", "/result", "/events?for=1ms"].into_iter();
        let paths = paths.flat_map(|rest| [&id, &encoded].map(|id| format!("{id}{rest}")));
        for path in paths {
            let path = format!("/v1/executions/{path}");
            let answer = front.send(with(&limited, Method::GET, &path)).await;
            assert_eq!(passed(&answer), expected, "{path}: {answer:?}");
        }
    }
}
