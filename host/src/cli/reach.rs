//! Which server is asked, and what it is shown.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser};
use http::HeaderValue;
use zeroize::Zeroizing;

use super::client::{Client, Trust};
use super::error::CliError;
use super::out;

/// Where help lists these flags, which every command has.
const SERVER: &str = "Asking a server";

/// Which server is asked.
#[derive(Debug, Args)]
pub struct Reach {
    /// Address of the server, by http:// or https://
    #[arg(
        long,
        global = true,
        help_heading = SERVER,
        env = "STEPWELL_SERVER",
        default_value = "http://127.0.0.1:7878",
        value_name = "URL"
    )]
    server: String,
    /// The key to show; better given by the variable or a file, because others on this machine can read command lines
    #[arg(
        long,
        global = true,
        help_heading = SERVER,
        env = "STEPWELL_API_KEY",
        value_name = "KEY",
        hide_env_values = true,
        value_parser = secret()
    )]
    api_key: Option<Secret>,
    /// A file that holds the key
    #[arg(long, global = true, help_heading = SERVER, env = "STEPWELL_API_KEY_FILE", value_name = "FILE", value_parser = file())]
    api_key_file: Option<PathBuf>,
    /// Authorities in PEM, one of which must have signed the server's certificate [default: those this machine trusts]
    #[arg(long, global = true, help_heading = SERVER, env = "STEPWELL_CA", value_name = "FILE", value_parser = file())]
    ca: Option<PathBuf>,
    /// The certificate to show, in PEM, where the server asks for one
    #[arg(long, global = true, help_heading = SERVER, env = "STEPWELL_CLIENT_CERT", value_name = "FILE", value_parser = file())]
    client_cert: Option<PathBuf>,
    /// The private key of --client-cert, in PEM
    #[arg(long, global = true, help_heading = SERVER, env = "STEPWELL_CLIENT_KEY", value_name = "FILE", value_parser = file())]
    client_key: Option<PathBuf>,
    /// When to show colours; NO_COLOR=1 turns them off too
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: out::Colour,
}

/// What was typed for a key, whatever it is: clap would print what it refuses.
#[derive(Clone)]
struct Secret(Zeroizing<Vec<u8>>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn secret() -> ValueParser {
    OsStringValueParser::new()
        .map(|text: OsString| Secret(Zeroizing::new(text.into_encoded_bytes())))
        .into()
}

/// A name of a file that may be empty: a variable that is empty is one that is not set.
fn file() -> ValueParser {
    OsStringValueParser::new().map(PathBuf::from).into()
}

fn named(file: Option<&PathBuf>) -> Option<&Path> {
    file.map(PathBuf::as_path).filter(|file| !file.as_os_str().is_empty())
}

impl Reach {
    /// A client of that server.
    pub(super) fn client(&self) -> Result<Client, CliError> {
        Client::new(&self.server, self.key()?, &self.trust()?)
    }

    /// What says who asks, as a header.
    fn key(&self) -> Result<Option<HeaderValue>, CliError> {
        let typed = self.api_key.as_ref().map(|key| &**key.0).filter(|key| !key.is_empty());
        let (key, from) = match (typed, named(self.api_key_file.as_ref())) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(CliError::Usage(
                    "a key is given, and a file of one: leave one out of --api-key and --api-key-file, or their variables"
                        .to_owned(),
                ));
            }
            (Some(key), None) => {
                (Zeroizing::new(key.to_vec()), "--api-key or STEPWELL_API_KEY".to_owned())
            }
            (None, Some(file)) => {
                let path = file.display().to_string();
                let read = fs::read(file).map(Zeroizing::new);
                let read =
                    read.map_err(|source| CliError::Unreadable { path: path.clone(), source })?;
                (Zeroizing::new(read.trim_ascii().to_vec()), path)
            }
        };
        header(&key).map(Some).ok_or_else(|| {
            CliError::Usage(format!(
                "what {from} holds is no key: a key is of letters, digits and signs of ASCII, without spaces"
            ))
        })
    }

    fn trust(&self) -> Result<Trust, CliError> {
        let [authority, certificate, key] =
            [&self.ca, &self.client_cert, &self.client_key].map(|file| named(file.as_ref()));
        let identity = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate.to_owned(), key.to_owned())),
            (Some(_), None) | (None, Some(_)) => {
                let told =
                    "a client's certificate needs its key: give --client-cert and --client-key";
                return Err(CliError::Usage(told.to_owned()));
            }
        };
        Ok(Trust { authority: authority.map(Path::to_owned), identity })
    }
}

/// The header of a key. None for what no header can carry.
fn header(key: &[u8]) -> Option<HeaderValue> {
    if key.is_empty() || !key.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let text = Zeroizing::new([b"Bearer ", key].concat());
    let mut value = HeaderValue::from_bytes(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        reach: Reach,
    }

    fn reach(words: &[&str]) -> Reach {
        Line::try_parse_from(["stepwell"].iter().chain(words)).unwrap().reach
    }

    fn refused(words: &[&str]) -> String {
        reach(words).client().unwrap_err().to_string()
    }

    #[test]
    fn a_key_is_sent_and_never_printed() {
        let reach = reach(&["--api-key", "sw_1_secret"]);

        let key = reach.key().unwrap().unwrap();

        assert_eq!(key.as_bytes(), b"Bearer sw_1_secret");
        let client = reach.client().unwrap();
        let request = client.ask(http::Method::GET, &["stats"], &[]);
        let printed = format!("{reach:?} {key:?} {client:?} {request:?}");
        assert!(!printed.contains("secret"), "{printed}");
    }

    #[test]
    fn what_no_header_can_carry_is_refused_and_not_said_again() {
        for bad in ["hunter2\n", "hunter2 x", "hunter2\u{e9}", " "] {
            let told = refused(&["--api-key", bad]);
            assert!(told.contains("is no key") && !told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn what_is_empty_is_not_set() {
        let reach =
            reach(&["--api-key", "", "--api-key-file", "", "--ca", "", "--client-cert", ""]);

        assert!(reach.key().unwrap().is_none());
        assert!(reach.trust().unwrap().identity.is_none());
    }

    #[test]
    fn a_key_is_read_from_a_file_without_the_end_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "sw_1_secret\n").unwrap();
        let file = file.to_str().unwrap();

        let key = reach(&["--api-key-file", file]).key().unwrap().unwrap();

        assert_eq!(key.as_bytes(), b"Bearer sw_1_secret");
        assert!(refused(&["--api-key-file", file, "--api-key", "k"]).contains("leave one out"));
        assert!(refused(&["--api-key-file", "/no/such"]).contains("/no/such cannot be read"));
        fs::write(file, "\n").unwrap();
        assert!(refused(&["--api-key-file", file]).contains("is no key"));
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let told = refused(&["--server", "https://h", "--client-cert", "c.pem"]);

        assert!(told.contains("give --client-cert and --client-key"), "{told}");
    }
}
