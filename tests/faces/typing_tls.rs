//! The command line over TLS, against a server of the test's own that says what it was asked. As that is no JSON, it is
//! printed without its spaces.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests, and what they say is shown where one fails"
)]

use std::path::PathBuf;

use stepwell_test_servers::web::Web;
use tempfile::TempDir;

use crate::house;
use crate::typing::stepwell;

/// What lies in files for a client.
struct Files {
    folder: TempDir,
}

impl Files {
    fn of(web: &Web) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        let [certificate, key] = &web.client;
        let all = [("ca.pem", &web.authority), ("client.pem", certificate), ("client.key", key)];
        for (name, text) in all {
            std::fs::write(files.path(name), text).unwrap();
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn ask(&self, server: &str, words: &[&str]) -> (i32, String, String) {
        self.types(server, &[&["stats", "--json"], words].concat()).await
    }

    /// The code, standard output and standard error.
    async fn types(&self, server: &str, words: &[&str]) -> (i32, String, String) {
        let mut command = stepwell();
        command.current_dir(self.folder.path()).env("STEPWELL_API_KEY", "sw_1_secret");
        command.args(["--server", server]).args(words);
        let output = command.output().await.unwrap();
        let [said, told] = [output.stdout, output.stderr].map(|of| String::from_utf8(of).unwrap());
        (output.status.code().unwrap(), said, told)
    }
}

#[tokio::test]
async fn a_server_that_its_authority_vouches_for_is_shown_the_key_in_secret() {
    let web = Web::start_tls().await;
    let files = Files::of(&web);

    let (code, said, told) =
        files.ask(&format!("https://127.0.0.1:{}", web.port()), &["--ca", "ca.pem"]).await;

    assert_eq!((code, told.as_str()), (0, ""));
    assert!(said.starts_with("GET/v1/stats"), "{said}");
    assert!(said.contains("authorization: Bearersw_1_secret"), "{said}");
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_shown_nothing() {
    let (web, other) = (Web::start_tls().await, Web::start_tls().await);
    let files = Files::of(&other);
    let (port, of_other) = (web.port(), ["--ca", "ca.pem"]);
    let right = format!("https://127.0.0.1:{port}");
    let wrong_name = format!("https://localhost:{}", other.port());

    for (server, words, advice) in [
        (&right, &[][..], "--ca FILE or STEPWELL_CA"),
        (&right, &of_other[..], "--ca FILE or STEPWELL_CA"),
        (&wrong_name, &of_other[..], "name it as its certificate does"),
    ] {
        let (code, said, told) = files.ask(server, words).await;
        assert_eq!((code, said.as_str()), (3, ""), "{told}");
        assert!(told.contains("nothing can be said to it") && told.contains(advice), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }

    assert_eq!((web.requests(), other.requests()), (0, 0));
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let web = Web::start_mutual_tls().await;
    let files = Files::of(&web);
    let server = format!("https://127.0.0.1:{}", web.port());
    let with = ["--ca", "ca.pem", "--client-cert", "client.pem", "--client-key", "client.key"];

    let (code, _, told) = files.ask(&server, &with[..2]).await;
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("--client-cert FILE"), "{told}");
    let (code, said, told) = files.ask(&server, &with).await;
    assert_eq!((code, told.as_str()), (0, ""));
    assert!(said.starts_with("GET/v1/stats"), "{said}");
}

#[tokio::test]
async fn who_takes_one_line_for_the_other_is_told() {
    let data = tempfile::tempdir().unwrap();
    let (open, encrypted) = (house::start(data.path()).await.unwrap(), Web::start_tls().await);
    let files = Files::of(&encrypted);

    let (code, _, told) =
        files.ask(&format!("https://{}", open.address()), &["--ca", "ca.pem"]).await;
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("a server in the open is asked by http://"), "{told}");
    let (code, _, told) = files.ask(&format!("http://127.0.0.1:{}", encrypted.port()), &[]).await;
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("one that encrypts is asked by https://"), "{told}");
    open.kill().await;
}

/// 0.0.0.0 leads to this machine too, and its name does not say so.
#[tokio::test]
async fn a_key_that_others_may_read_on_the_way_goes_with_a_warning() {
    let web = Web::start_at("0.0.0.0:0").await;
    let files = Files::of(&web);

    let (code, said, told) = files.ask(&format!("http://0.0.0.0:{}", web.port()), &[]).await;

    assert_eq!(code, 0, "{told}");
    assert!(said.contains("authorization: Bearer"), "{said}");
    assert_eq!(told.matches("can be read on the way").count(), 1, "{told}");
    let (_, _, told) = files.ask(&format!("http://127.0.0.1:{}", web.port()), &[]).await;
    assert_eq!(told, "");
    // What is open to everybody is asked without it.
    let server = format!("http://0.0.0.0:{}", web.port());
    let (code, said, told) = files.types(&server, &["health", "--json"]).await;
    assert_eq!((code, told.as_str()), (0, ""));
    assert!(said.starts_with("GET/health") && !said.contains("Bearer"), "{said}");
}
