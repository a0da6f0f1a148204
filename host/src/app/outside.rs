//! What the operator says of the world outside: the policy file, and where the values of secrets are.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::model::{Policy, PolicyForm};
use crate::sandbox::OutsideConfig;

/// Reads the policy of a host. Without one nothing is granted but by people, and nothing stands behind what is.
pub(super) async fn read(config: &Config) -> Result<OutsideConfig> {
    let policy = match &config.policy {
        Some(file) => policy(file).await?,
        None => Policy::default(),
    };
    Ok(OutsideConfig {
        policy: Arc::new(policy),
        data: Some(config.data.clone()),
        ca: config.egress_ca.clone(),
        environment: variable,
        ..OutsideConfig::default()
    })
}

async fn policy(file: &Path) -> Result<Policy> {
    let form = match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => PolicyForm::Json,
        Some(_) | None => PolicyForm::Toml,
    };
    let text = tokio::fs::read_to_string(file).await;
    let text = text.with_context(|| format!("the policy {} cannot be read", file.display()))?;
    Policy::read(&text, form).with_context(|| format!("the policy {} is refused", file.display()))
}

#[expect(clippy::disallowed_methods, reason = "a policy may say that a secret is in a variable")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
