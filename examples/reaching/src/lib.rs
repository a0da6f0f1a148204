//! Guests for the tests of capabilities, traces and sealing. Each tries to reach what it is told to, and tells how far it came.

mod confidences;
mod files;
mod requests;
mod secrets;
mod trace;

use crate::confidences::{
    confide, confide_in_vain, confide_late, confide_once, confiding, confiding_late,
};
use crate::files::{list_files, probe_files, read_file, rename_file, write_file};
use crate::requests::{
    fetch, fetch_by_wstd, fetch_following, fetch_many, fetched, raw_in_workflow, upload,
};
use crate::secrets::{env_of, research, researched, secret_of, send_in_address, send_in_body};
use crate::trace::{fetch_twice, traced};

// Which ports the tests' servers have is only known when they run; the policy of a test says what of this is granted.
stepwell::module!(
    workflows: [confiding, confiding_late, fetched, raw_in_workflow, researched, traced],
    steps: [
        confide, confide_in_vain, confide_late, confide_once, env_of, fetch, fetch_by_wstd, fetch_following, fetch_many, fetch_twice, list_files, probe_files, read_file, rename_file, research, secret_of,
        send_in_address, send_in_body,
        upload, write_file,
    ],
    capabilities(
        http = ["http://localhost:*", "tls.test:*", "http://*.test:*"],
        dir = ["/in:ro", "/out:rw", "/never:rw"],
        env = ["REGION", "NEVER_GRANTED"],
        secret = ["API_KEY", "OTHER_KEY"],
    ),
);
