//! A headless Chromium, and what a person does in it.

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{BrowserLogEntry, ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use tokio::time::{sleep, timeout};

/// How long anything is waited for before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The tallest picture of a page.
const HIGH_MAX: u64 = 2_600;

/// How wide a page is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Width {
    Wide,
    Narrow,
}

impl Width {
    fn pixels(self) -> (u64, u64) {
        match self {
            Self::Wide => (1_400, 900),
            Self::Narrow => (390, 844),
        }
    }
}

/// In which colours.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Colours {
    Light,
    Dark,
}

impl Colours {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The browser, and the program through which it is driven.
pub(crate) struct Browser {
    driver: WebDriver,
    program: Child,
    #[expect(dead_code, reason = "its folder goes with it")]
    profile: TempDir,
}

impl Browser {
    pub(crate) async fn open() -> Self {
        let missing =
            "chromedriver is not here: scripts/test installs it (Debian: chromium-driver)";
        // A browser that is killed leaves what it has below this.
        let profile = tempfile::tempdir().unwrap();
        let mut program = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect(missing);
        let port = BufReader::new(program.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            });
        let port = port.expect("chromedriver says where it listens");
        let mut wanted = DesiredCapabilities::chrome();
        for flag in ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"] {
            wanted.add_arg(flag).unwrap();
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.unwrap();
        let browser = Self { driver, program, profile };
        browser.draw(Width::Wide, Colours::Light).await;
        browser
    }

    async fn command(&self, command: &str, parameters: Value) {
        self.driver.cdp().send_raw(command, parameters).await.unwrap();
    }

    async fn size(&self, wide: u64, high: u64) {
        let size =
            json!({ "width": wide, "height": high, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// From here on pages are so wide and of such colours.
    pub(crate) async fn draw(&self, width: Width, colours: Colours) {
        let (wide, high) = width.pixels();
        self.size(wide, high).await;
        let colours = json!({ "name": "prefers-color-scheme", "value": colours.word() });
        let still = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        self.command("Emulation.setEmulatedMedia", json!({ "features": [colours, still] })).await;
    }

    /// Opens a page, and waits until its script has begun.
    pub(crate) async fn go(&self, address: &str) {
        self.driver.goto(address).await.unwrap();
        self.until("return document.getElementById('live')?.dataset.state !== undefined || !document.querySelector('[data-live]')")
            .await;
    }

    /// What a script on the page returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let answer = self.driver.execute(script, Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// Waits until a script returns true.
    pub(crate) async fn until(&self, script: &str) {
        let so = async {
            while self.run(script).await != json!(true) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        if timeout(PATIENCE, so).await.is_err() {
            let page = self.run("return document.body.innerText.slice(0, 3000)").await;
            panic!("it never came to this: {script}\n{}", page.as_str().unwrap_or_default());
        }
    }

    /// Waits until the page says this.
    pub(crate) async fn reads(&self, text: &str) {
        self.until(&format!("return document.body.innerText.includes({})", json!(text))).await;
    }

    /// Clicks the first thing of that selector, as soon as it is there to be clicked.
    pub(crate) async fn click(&self, selector: &str) {
        let clicked = async {
            while !self.clicked(selector).await {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let page = timeout(PATIENCE, clicked).await;
        assert!(page.is_ok(), "{selector} is not there to be clicked");
    }

    /// A page that is read anew may exchange it between the two looks.
    async fn clicked(&self, selector: &str) -> bool {
        match self.driver.find(By::Css(selector)).await {
            Ok(found) => found.click().await.is_ok(),
            Err(_not_there) => false,
        }
    }

    /// Clicks the button that gives this order.
    pub(crate) async fn order(&self, order: &str) {
        self.click(&format!("button[data-order='{order}']")).await;
    }

    /// Says yes in the dialog that asks.
    pub(crate) async fn agree(&self) {
        self.click("dialog[open] #ask-yes").await;
    }

    /// Writes into a field, in place of what is in it.
    pub(crate) async fn write(&self, selector: &str, text: &str) {
        let field = self.driver.find(By::Css(selector)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses keys on the page.
    pub(crate) async fn press(&self, keys: &str) {
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Goes back to the page before.
    pub(crate) async fn back(&self) {
        self.driver.back().await.unwrap();
    }

    pub(crate) async fn address(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// Holds the page to have complained of nothing since it was asked last.
    pub(crate) async fn complained_of_nothing(&self) {
        self.complained_of_nothing_but(&[]).await;
    }

    /// The same, but for answers of those statuses, of which it complains though they are meant.
    pub(crate) async fn complained_of_nothing_but(&self, statuses: &[u16]) {
        let log = self.driver.browser_log().await.unwrap();
        let meant: Vec<_> =
            statuses.iter().map(|status| format!("with a status of {status} ")).collect();
        let is_bad = |entry: &&BrowserLogEntry| {
            let is_meant = meant.iter().any(|meant| entry.message.contains(meant));
            entry.level == "SEVERE" && !is_meant
        };
        let bad: Vec<_> = log.iter().filter(is_bad).collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }

    /// Holds the page to be one that everybody can use, as far as axe can tell.
    pub(crate) async fn is_for_everybody(&self, what: &str) {
        let path =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/tools/axe-core/axe.min.js");
        let axe = fs::read_to_string(path).expect("axe-core is not here: scripts/axe fetches it");
        self.driver.execute(axe, Vec::new()).await.unwrap();
        let script = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then(done)";
        let found = self.driver.execute_async(script, Vec::new()).await.unwrap();
        let found = found.json()["violations"].as_array().unwrap().clone();
        let mut told = String::new();
        for violation in found {
            if !matches!(violation["impact"].as_str(), Some("serious" | "critical")) {
                continue;
            }
            writeln!(told, "{} {}", violation["id"], violation["help"]).unwrap();
            for node in violation["nodes"].as_array().unwrap().iter().take(5) {
                writeln!(told, "    {} {}", node["html"], node["failureSummary"]).unwrap();
            }
        }
        assert!(told.is_empty(), "{what}:\n{told}");
    }

    /// Nothing reaches beyond the edge of the screen.
    pub(crate) async fn fits(&self, what: &str) {
        let script = "return [document.documentElement.scrollWidth, innerWidth]";
        let widths = self.run(script).await;
        assert!(widths[0].as_u64() <= widths[1].as_u64(), "{what} is too wide: {widths}");
    }

    /// Takes a picture of the whole page.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let size = self
            .run("return [innerWidth, document.documentElement.scrollHeight, innerHeight]")
            .await;
        let [wide, high, before] = [0, 1, 2].map(|place| size[place].as_u64().unwrap());
        self.size(wide, high.min(HIGH_MAX)).await;
        self.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
            .await;
        let png = self.driver.screenshot_as_png().await.unwrap();
        self.size(wide, before).await;
        fs::write(folder.join(name).with_extension("png"), png).unwrap();
    }

    pub(crate) async fn close(self) {
        self.driver.clone().quit().await.unwrap();
    }
}

/// Also where a test fails: the browser is in the group of the program that began it.
impl Drop for Browser {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.program);
        let _ended_already = kill_process_group(group, Signal::KILL);
        let _reaped_already = self.program.wait();
    }
}
