//! What a host would need that is set up like this, and what to do where it is not there. Nothing is changed, and a host that
//! runs already is left in peace.

mod machine;
mod neighbour;
mod outside;
mod store;
mod toolchain;

use std::error::Error;

use crate::cli::Finding;
use crate::config::Config;
use crate::store::NEWEST;

/// Looks at everything.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let version = env!("CARGO_PKG_VERSION");
    let mut findings = vec![Finding::ok("version", format!("stepwell {version}, schema {NEWEST}"))];
    let database = store::look(config).await;
    findings.extend(store::database(config, &database));
    findings.extend(store::redis(config).await);
    findings.extend(machine::disk(config));
    findings.extend(machine::limits(config));
    findings.push(outside::address(config).await);
    findings.push(outside::door(config, &database));
    findings.extend(outside::policy(config).await);
    findings.push(toolchain::examine().await);
    findings
}

/// All of an error, from the outside in. A cause that was told already is not told again.
fn whole(error: impl Into<anyhow::Error>) -> String {
    chain(error.into().chain())
}

/// The same of its causes, it first.
fn chain<'a>(causes: impl Iterator<Item = &'a (dyn Error + 'static)>) -> String {
    let mut told = String::new();
    for cause in causes.map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Bytes as people read them.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1 << 10 {
        return format!("{bytes} B");
    }
    let mut tenths = bytes.saturating_mul(10) >> 10;
    for unit in UNITS {
        if tenths < 10_240 || unit == "TiB" {
            let (whole, tenth) = (tenths / 10, tenths % 10);
            return if whole < 10 {
                format!("{whole}.{tenth} {unit}")
            } else {
                format!("{whole} {unit}")
            };
        }
        tenths >>= 10;
    }
    String::new()
}

/// A span in seconds as people read it.
fn millis(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Judgement;

    #[test]
    fn bytes_are_as_exact_as_they_deserve() {
        let told = [0, 1_023, 1_024, 1_536, 20 << 20, 3 << 30, u64::MAX / 16].map(bytes);

        assert_eq!(told[..6], ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "20 MiB", "3.0 GiB"]);
        assert!(told[6].ends_with(" TiB"));
    }

    fn judged<'a>(findings: &'a [Finding], what: &str) -> &'a Finding {
        findings.iter().find(|finding| finding.what == what).unwrap_or_else(|| {
            panic!("{what} in {findings:?}");
        })
    }

    #[tokio::test]
    async fn an_empty_folder_is_enough_for_a_host() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");

        let findings = examine(&Config::at(&data)).await;

        assert_eq!(judged(&findings, "database").judgement, Judgement::Ok, "{findings:?}");
        assert_eq!(judged(&findings, "address").judgement, Judgement::Ok, "{findings:?}");
        assert!(!data.exists(), "nothing is made by looking");
    }

    #[tokio::test]
    async fn what_is_missing_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = Config::at(folder.path());
        config.database = Some("postgres://nobody:secret@127.0.0.1:1/none".to_owned());
        config.redis = Some("redis://:secret@127.0.0.1:1".to_owned());
        config.listen = taken.local_addr().unwrap();
        config.policy = Some(folder.path().join("none.toml"));
        config.access.admin_key = Some("short".parse());

        let findings = examine(&config).await;

        for what in ["database", "address", "access", "policy"] {
            let finding = judged(&findings, what);
            assert_eq!(finding.judgement, Judgement::Fail, "{finding:?}");
            assert!(finding.advice.is_some(), "{finding:?}");
        }
        assert_eq!(judged(&findings, "redis").judgement, Judgement::Warn);
        assert!(!format!("{findings:?}").contains("secret"), "{findings:?}");
    }
}
