//! A real host in a process of its own, with a few modules.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use stepwell_test_witness::api::{Api, listens_at};
use stepwell_test_witness::guests;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// The key of an admin on a host that is guarded.
pub(crate) const ADMIN_KEY: &str = "of-an-admin-0123456789abcdef0123456789";

/// The process, the folder it works on, and a client of it.
pub(crate) struct House {
    pub(crate) api: Api,
    child: Child,
    _folder: TempDir,
}

impl House {
    /// A host with the modules of those names.
    pub(crate) async fn with(modules: &[&str]) -> Self {
        Self::started(modules, None).await
    }

    /// The same, where everybody must show a key.
    pub(crate) async fn guarded(modules: &[&str]) -> Self {
        Self::started(modules, Some(ADMIN_KEY)).await
    }

    async fn started(modules: &[&str], admin_key: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepwell"))
            .args(["serve", "--listen", "127.0.0.1:0", "--hot-for", "1s", "--data"])
            .arg(folder.path())
            .env("NO_COLOR", "1")
            .env("STEPWELL_ADMIN_KEY", admin_key.unwrap_or_default())
            .env("STEPWELL_LOG", "warn,stepwell::app=info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, told) = oneshot::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // It ends with the process, whose last line it reads.
        std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in lines.map_while(Result::ok) {
                let listens = listens_at(&line).and_then(|address| Some((tell.take()?, address)));
                match listens {
                    Some((tell, address)) => drop(tell.send(address)),
                    None => println!("{line}"),
                }
            }
        });
        let open = Api::at(told.await.expect("it listens"));
        let api = admin_key.map_or(open.clone(), |key| open.showing(key));
        for module in modules {
            api.deploy(module, guests::wasm(module)).await;
        }
        Self { api, child, _folder: folder }
    }

    /// The address of a page.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("http://{}{path}", self.api.address())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}
