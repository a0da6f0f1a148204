//! The whole house: built, killed, built again on what it left, and stopped.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use stepwell::app::{App, Fittings};
use stepwell::config::Config;
use stepwell::worker::WorkerState;

pub(crate) async fn start(data: &Path) -> anyhow::Result<App> {
    start_with(Config::at(data)).await
}

/// The same at an address.
pub(crate) async fn start_at(data: &Path, listen: SocketAddr) -> anyhow::Result<App> {
    start_with(Config { listen, ..Config::at(data) }).await
}

pub(crate) async fn start_with(config: Config) -> anyhow::Result<App> {
    let fittings =
        Fittings { compiler: env!("CARGO_BIN_EXE_stepwell").into(), ..Fittings::real()? };
    App::start_with(config, fittings).await
}

/// A connection of somebody else to the database of a host that lives.
pub(crate) async fn outside(data: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(data.join("stepwell.db"));
    options.busy_timeout(Duration::from_secs(60)).connect().await.expect("a connection")
}

async fn ready(app: &App) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.get(format!("http://{}/ready", app.address())).send().await;
    answer.expect("the host answers").status().as_u16()
}

#[tokio::test]
async fn the_data_folder_is_for_its_user_alone_and_one_that_was_there_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mode_of = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let fresh = folder.path().join("srv/data");
    let given = folder.path().join("given");
    std::fs::create_dir(&given).unwrap();
    std::fs::set_permissions(&given, Permissions::from_mode(0o750)).unwrap();

    for (data, mode) in [(&fresh, 0o700), (&given, 0o750)] {
        start(data).await.unwrap().stop().await;
        assert_eq!(mode_of(data), mode, "{}", data.display());
    }
}

#[tokio::test]
async fn a_house_that_was_killed_leaves_its_database_to_the_next() {
    let data = tempfile::tempdir().unwrap();
    let first = start(data.path()).await.unwrap();
    assert_eq!(ready(&first).await, 200);
    let dead = first.host();

    first.kill().await;
    let second = start(data.path()).await.unwrap();

    let hosts = second.dispatch().hosts(10).await.unwrap();
    let alive: Vec<_> = hosts.iter().filter(|host| host.alive).map(|host| host.id).collect();
    assert_eq!(alive, [second.host()]);
    assert!(hosts.iter().any(|host| host.id == dead));
    second.kill().await;
}

#[tokio::test]
async fn two_houses_do_not_share_a_database() {
    let data = tempfile::tempdir().unwrap();
    let first = start(data.path()).await.unwrap();

    let refused = start(data.path()).await.unwrap_err().to_string();

    assert!(refused.contains("in use by another stepwell host"), "{refused}");
    assert_eq!(ready(&first).await, 200);
    first.kill().await;
}

#[tokio::test]
async fn a_house_that_stops_retires_its_host() {
    let data = tempfile::tempdir().unwrap();
    let app = start(data.path()).await.unwrap();
    let state = app.state();
    let address = app.address();
    let stopped = app.host();

    app.stop().await;

    assert_eq!(*state.borrow(), WorkerState::Stopped);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    let next = start(data.path()).await.unwrap();
    let hosts = next.dispatch().hosts(10).await.unwrap();
    assert!(hosts.iter().any(|host| host.id == stopped && !host.alive));
    next.kill().await;
}
