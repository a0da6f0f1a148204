//! What Postgres's own benchmark says of a bare commit: a check on the driver's figure.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::bare::{POSTGRES_TABLE, ROW_BYTES};
use crate::server::Server;
use crate::stopwatch::Samples;

/// The average of the commits that one client makes one after the other, in microseconds.
pub(crate) async fn commits(
    server: &Server,
    folder: &Path,
    bytes: usize,
    seconds: u32,
) -> Result<Samples> {
    let database = server.make_database().await;
    let mut connection = server.connect_to(&database).await?;
    sqlx::raw_sql(POSTGRES_TABLE).execute(&mut connection).await?;
    let script = folder.join("commit.sql");
    std::fs::write(&script, commit(bytes)).with_context(|| script.display().to_string())?;
    let output = Command::new(server.programs()?.join("pgbench"))
        .args(["-n", "-M", "prepared", "-c", "1", "-D", "n=0", "-T", &seconds.to_string(), "-f"])
        .arg(&script)
        .arg(server.url(&database))
        .stdin(Stdio::null())
        .output()
        .await
        .context("pgbench")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let average = said.lines().find_map(|line| line.strip_prefix("latency average = "));
    let millis = average.and_then(|rest| rest.strip_suffix(" ms"));
    let millis: f64 = millis.with_context(|| said.clone().into_owned())?.parse()?;
    Ok(Samples::from_iter([millis * 1e3]))
}

/// The bare commit, in the language of pgbench.
fn commit(bytes: usize) -> String {
    let hex = |byte: u8, times: usize| format!("'\\x{}'", format!("{byte:02x}").repeat(times));
    let (id, head) = (hex(7, 16), hex(b'h', 16));
    let data = hex(b'x', bytes.saturating_sub(ROW_BYTES));
    format!(
        "\\set n :n + 1\nbegin;\ninsert into bare values ({id}, :n, 0, 4, :n, 'echo', {head}, {data}, :n);\ncommit;\n"
    )
}
