//! Variables and secrets that an operator granted to this module.

use crate::Failure;
use crate::executor::Activation;
use crate::http::NOT_GRANTED;

/// The value of an environment variable that was granted to this module: `capabilities: { env = ["REGION"] }`.
/// `std::env::var` finds it too.
pub fn env(name: &str) -> Result<String, Failure> {
    granted("env", name)
}

/// What stands for a secret that was granted to this module: `capabilities: { secret = ["API_KEY"] }`. Put it into a header of
/// a request: on the way out the host replaces it with the value, where the secret may go. It is of use nowhere else, and
/// another one in every attempt. `std::env::var` finds it too.
pub fn secret(name: &str) -> Result<String, Failure> {
    granted("secret", name)
}

#[expect(clippy::disallowed_methods, reason = "that is where the host puts what was granted")]
fn granted(kind: &str, name: &str) -> Result<String, Failure> {
    if Activation::current().is_some() {
        let message = format!(
            "{kind} {name} only works inside a step: move it to a step that the workflow calls"
        );
        return Err(Failure::new(Failure::MISPLACED, message));
    }
    std::env::var(name).map_err(|_not_there| {
        let message = format!(
            "{kind} {name} is not here: write capabilities: {{ {kind} = [\"{name}\"] }} in module!, have it granted \
             (`stepwell deploy --grant`), and see that the policy of the host says what it is"
        );
        Failure::new(NOT_GRANTED, message)
    })
}
